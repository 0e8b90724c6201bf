//! The data itself: the tables and what their columns hold, when events happened and when they fell silent, and which
//! columns the lifecycle rests on.

use polars::prelude::{DataFrame, DataType};
use serde::Deserialize;

use crate::error::Result;
use crate::rate::Rate;
use crate::report::read::{frame, json, numbers, texts};
use crate::report::svg::{self, Axis, Chart};
use crate::report::table::{Cell, Kind, Table};
use crate::report::workbook::Sheets;
use crate::report::{Figure, words};
use crate::store::Layout;

/// Kinds of events whose calendar stands on the page, those with the most events.
const N_CALENDARS: usize = 6;
/// Bars of a calendar.
const N_BARS: usize = 60;
/// Columns of a table that are shown on the page; the workbook has all.
const N_COLUMNS: usize = 60;

/// What the files of phase 2 say of the data.
#[derive(Default)]
pub(super) struct Found {
    columns: Vec<Column>,
    calendars: Vec<Calendar>,
    catalogue: Option<Catalogue>,
}

/// A row of `discover/profile.parquet`.
struct Column {
    table: String,
    name: String,
    meaning: String,
    rows: f64,
    nulls: f64,
    distinct: Option<f64>,
    is_exact: bool,
    range: [Option<String>; 5],
    outliers: Option<f64>,
    top: Option<String>,
    patterns: Option<String>,
}

/// The rows of a kind of event in `discover/calendar.parquet`.
struct Calendar {
    kind: String,
    /// First day, events, whether there should have been some.
    rows: Vec<(String, f64, bool)>,
}

/// `discover/catalogue.json`.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Catalogue {
    tables: Vec<Source>,
    cells: Vec<Held>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Source {
    table: String,
    system: Option<String>,
    read_by: Vec<String>,
    rows: u64,
    columns: u64,
    latest: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Held {
    stage: String,
    role: String,
    name: String,
    #[serde(rename = "held_in")]
    places: Vec<Place>,
    n_people: u64,
    n_covered: u64,
    last_seen: Option<String>,
    age_days: Option<f64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Place {
    table: String,
    column: Option<String>,
    system: Option<String>,
}

/// What the page shows of it.
pub(super) struct Page {
    pub(super) sources: Table,
    /// A table of columns for each table.
    pub(super) profiles: Vec<(String, Table)>,
    pub(super) calendars: Vec<Figure>,
    pub(super) catalogue: Table,
}

impl Found {
    /// Reads what there is.
    pub(super) fn read(layout: &Layout) -> Result<Self> {
        let columns = frame(&layout.file("discover/profile.parquet"))?.map(|frame| columns(&frame)).transpose()?;
        let calendars = frame(&layout.file("discover/calendar.parquet"))?.map(|frame| calendars(&frame)).transpose()?;
        Ok(Self {
            columns: columns.unwrap_or_default(),
            calendars: calendars.unwrap_or_default(),
            catalogue: json(&layout.file("discover/catalogue.json"))?,
        })
    }
}

fn columns(frame: &DataFrame) -> Result<Vec<Column>> {
    let text = |name: &str| texts(frame, name);
    let (table, name, meaning) = (text("table")?, text("column")?, text("semantic_type")?);
    let (rows, nulls) = (numbers(frame, "rows")?, numbers(frame, "nulls")?);
    let (distinct, outliers) = (numbers(frame, "distinct")?, numbers(frame, "outliers")?);
    let exact = numbers(frame, "distinct_is_exact")?;
    let [min, p25, median] = [text("min")?, text("p25")?, text("median")?];
    let [p75, max, top, patterns] = [text("p75")?, text("max")?, text("top_values")?, text("patterns")?];
    let column = |i: usize| Column {
        table: table[i].clone().unwrap_or_default(),
        name: name[i].clone().unwrap_or_default(),
        meaning: meaning[i].clone().unwrap_or_default(),
        rows: rows[i].unwrap_or_default(),
        nulls: nulls[i].unwrap_or_default(),
        distinct: distinct[i],
        is_exact: exact[i] != Some(0.0),
        range: [min[i].clone(), p25[i].clone(), median[i].clone(), p75[i].clone(), max[i].clone()],
        outliers: outliers[i],
        top: top[i].clone(),
        patterns: patterns[i].clone(),
    };
    Ok((0..frame.height()).map(column).collect())
}

fn calendars(frame: &DataFrame) -> Result<Vec<Calendar>> {
    let (kind, first) = (texts(frame, "event")?, texts(frame, "first_day")?);
    let (events, gap) = (numbers(frame, "events")?, frame.column("gap")?.cast(&DataType::Float64)?);
    let gap = gap.f64()?;
    let mut calendars: Vec<Calendar> = Vec::new();
    for i in 0..frame.height() {
        let kind = kind[i].clone().unwrap_or_default();
        if calendars.last().is_none_or(|last| last.kind != kind) {
            calendars.push(Calendar { kind, rows: Vec::new() });
        }
        let row = (first[i].clone().unwrap_or_default(), events[i].unwrap_or_default(), gap.get(i) == Some(1.0));
        calendars.last_mut().expect("one was just pushed").rows.push(row);
    }
    let n_events = |calendar: &Calendar| calendar.rows.iter().map(|row| row.1).sum::<f64>();
    calendars.sort_by(|a, b| n_events(b).total_cmp(&n_events(a)));
    Ok(calendars)
}

/// The page's part, and the sheets.
pub(super) fn page(found: &Found, sheets: &mut Sheets) -> Page {
    let catalogue = found.catalogue.as_ref();
    let sources = catalogue.map(|catalogue| sources(&catalogue.tables)).unwrap_or_default();
    let held = catalogue.map(|catalogue| held(&catalogue.cells)).unwrap_or_default();
    let mut profiles: Vec<(String, Table)> = Vec::new();
    for part in found.columns.chunk_by(|a, b| a.table == b.table) {
        let name = part[0].table.clone();
        let whole = profile(&name, part);
        sheets.add("Columns", &whole.of("Table", &name));
        profiles.push((name, whole.head(N_COLUMNS)));
    }
    sheets.add("Sources", &sources);
    sheets.add("Lifecycle sources", &held);
    let mut days = Table::new(
        "Events by day or week",
        &[("Event", Kind::Text), ("From", Kind::Text), ("Events", Kind::Count), ("Silent", Kind::Text)],
    );
    for calendar in &found.calendars {
        for (first, events, gap) in &calendar.rows {
            let silent = if *gap { "should not be" } else { "" };
            days.push(vec![calendar.kind.as_str().into(), first.as_str().into(), Cell::Number(*events), silent.into()]);
        }
    }
    sheets.add("Calendar", &days);
    let drawn = found.calendars.iter().take(N_CALENDARS).enumerate();
    Page {
        sources,
        profiles,
        calendars: drawn.filter_map(|(i, calendar)| draw(i, calendar)).collect(),
        catalogue: held,
    }
}

fn sources(tables: &[Source]) -> Table {
    let columns = [
        ("Table", Kind::Text),
        ("System", Kind::Text),
        ("Rows", Kind::Count),
        ("Columns", Kind::Count),
        ("Latest", Kind::Text),
        ("Gives", Kind::Text),
    ];
    let mut table = Table::new("The tables", &columns);
    for source in tables {
        table.push(vec![
            source.table.as_str().into(),
            source.system.as_deref().map_or(Cell::Missing, Cell::from),
            Cell::count(source.rows),
            Cell::count(source.columns),
            source.latest.as_deref().map_or(Cell::Missing, Cell::from),
            source.read_by.iter().map(|name| name.replacen('.', ": ", 1)).collect::<Vec<_>>().join(", ").into(),
        ]);
    }
    table
}

fn held(cells: &[Held]) -> Table {
    let columns = [
        ("Stage", Kind::Text),
        ("Rests on", Kind::Text),
        ("Held in", Kind::Text),
        ("System", Kind::Text),
        ("Known for", Kind::Rate),
        ("Last seen", Kind::Text),
    ];
    let mut table = Table::new("For each stage what its rules look at", &columns);
    for cell in cells {
        let place = |place: &Place| match &place.column {
            Some(column) => format!("{}.{column}", place.table),
            None => place.table.clone(),
        };
        let mut systems: Vec<&str> = cell.places.iter().filter_map(|place| place.system.as_deref()).collect();
        systems.dedup();
        let age = cell.age_days.map(|days| match days.round() {
            days if days < 1.0 => " (at the end)".to_owned(),
            days => format!(" ({} before the end)", words::duration(&format!("{days}d"))),
        });
        let last = cell
            .last_seen
            .as_ref()
            .map(|last| format!("{}{}", last.get(..10).unwrap_or(last), age.unwrap_or_default()));
        table.push(vec![
            cell.stage.as_str().into(),
            format!("{} {}", cell.role, cell.name).into(),
            cell.places.iter().map(place).collect::<Vec<_>>().join(", ").into(),
            if systems.is_empty() { Cell::Missing } else { systems.join(", ").into() },
            Cell::Rate(Rate { n_attained: cell.n_covered, n_eligible: cell.n_people }),
            last.map_or(Cell::Missing, Cell::from),
        ]);
    }
    table
}

/// The columns of a table in words.
fn profile(table: &str, columns: &[Column]) -> Table {
    let kinds = [
        ("Column", Kind::Text),
        ("Holds", Kind::Text),
        ("Filled", Kind::Share),
        ("Different", Kind::Text),
        ("Typically", Kind::Text),
        ("From – to", Kind::Text),
        ("Outliers", Kind::Count),
    ];
    let mut shown = Table::new(format!("The columns of {table}"), &kinds);
    for column in columns {
        let filled = (column.rows > 0.0).then(|| 1.0 - column.nulls / column.rows);
        let [min, p25, median, p75, max] = &column.range;
        let middle = p25.as_ref().zip(p75.as_ref()).zip(median.as_ref());
        let middle = middle
            .map(|((p25, p75), median)| format!("{} (half of them {} – {})", short(median), short(p25), short(p75)));
        let few = column.distinct.is_some_and(|distinct| distinct <= 12.0);
        let typical = if few { column.top.clone().or(middle) } else { middle.or_else(|| column.top.clone()) };
        let distinct = column
            .distinct
            .map(|distinct| format!("{}{}", if column.is_exact { "" } else { "about " }, words::number(distinct, 0)));
        shown.push(vec![
            column.name.as_str().into(),
            column.meaning.as_str().into(),
            filled.into(),
            distinct.map_or(Cell::Missing, Cell::from),
            typical.or_else(|| column.patterns.clone()).map_or(Cell::Missing, |text| first(&text).into()),
            min.as_ref()
                .zip(max.as_ref())
                .map_or(Cell::Missing, |(min, max)| format!("{} – {}", short(min), short(max)).into()),
            column.outliers.filter(|outliers| *outliers > 0.0).into(),
        ]);
    }
    shown
}

/// A number without the digits that nobody reads; a time without its clock.
fn short(text: &str) -> String {
    match text.parse::<f64>() {
        Ok(number) if number.fract() == 0.0 => words::number(number, 0),
        Ok(number) => words::number(number, 2),
        Err(_) => text.get(..10).filter(|_| text.as_bytes().get(10) == Some(&b'T')).unwrap_or(text).to_owned(),
    }
}

/// The first few of the values of a list.
fn first(text: &str) -> String {
    let parts: Vec<&str> = text.split("; ").collect();
    let shown = parts.iter().take(4).copied().collect::<Vec<_>>().join("; ");
    if parts.len() > 4 { format!("{shown}; …") } else { shown }
}

/// Bars of the events of a kind over time, silences marked.
fn draw(i: usize, calendar: &Calendar) -> Option<Figure> {
    let Calendar { kind, rows } = calendar;
    let size = rows.len().div_ceil(N_BARS).max(1);
    let bars: Vec<(&str, f64, bool)> = rows
        .chunks(size)
        .map(|chunk| (chunk[0].0.as_str(), chunk.iter().map(|row| row.1).sum(), chunk.iter().any(|row| row.2)))
        .collect();
    if bars.len() < 2 {
        return None;
    }
    let names: Vec<String> = bars.iter().map(|bar| bar.0.get(..7).unwrap_or(bar.0).to_owned()).collect();
    let title = format!("{kind} over time");
    let mut chart = Chart::new(
        format!("calendar-{i}"),
        &title,
        "A bar for each stretch of time; where the events fell silent although they should not have, the background is marked.",
        Axis::places("begins", &names, 4),
        Axis::holding("events", bars.iter().map(|bar| bar.1).chain([0.0]), words::tick),
    );
    let most = bars.iter().map(|bar| bar.1).fold(0.0, f64::max);
    for (at, (from, events, gap)) in bars.iter().enumerate() {
        if *gap {
            chart.bar("gap", svg::place(at), 1.0, most, &format!("from {from}: silent"));
        }
        chart.bar("", svg::place(at), 0.8, *events, &format!("from {from}: {}", words::number(*events, 0)));
    }
    let n_silent = rows.iter().filter(|row| row.2).count();
    let caption = if n_silent == 0 {
        "No day is silent that should not be.".to_owned()
    } else {
        format!("Marked: {n_silent} days or weeks without any, where some were to be expected.")
    };
    let mut table = Table::new(title.clone(), &[("From", Kind::Text), ("Events", Kind::Count), ("Silent", Kind::Text)]);
    for (from, events, gap) in &bars {
        let silent = if *gap { "partly, and should not be" } else { "" };
        table.push(vec![(*from).into(), Cell::Number(*events), silent.into()]);
    }
    Some(Figure { title, caption, drawings: vec![("", chart.finish())], table })
}
