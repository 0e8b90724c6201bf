//! Section 1: where people stand and how they move.

use crate::report::flow::{self, Direction, Link, Node};
use crate::report::kpis::{self, Card};
use crate::report::measures::{self, Heat, Place};
use crate::report::moves::{self, interval};
use crate::report::read::{Kpi, Lifecycle, Results, Stage, Transition};
use crate::report::table::{Cell, Kind, Table};
use crate::report::workbook::Sheets;
use crate::report::{Figure, Note, findings_table, notes, words};

/// Findings shown on the page; the workbook has all.
const N_NOTES: usize = 20;

/// What the section shows.
pub(super) struct Section {
    pub(super) ran: bool,
    pub(super) funnel: Vec<Step>,
    pub(super) flow: Option<Figure>,
    pub(super) stages: Table,
    pub(super) rules: Table,
    pub(super) transitions: Table,
    pub(super) moves: Vec<Figure>,
    pub(super) groups: Vec<Table>,
    pub(super) occupation: Vec<Figure>,
    pub(super) cards: Vec<Card>,
    pub(super) funnels: Vec<Table>,
    pub(super) heats: Vec<Heat>,
    pub(super) journeys: Vec<Table>,
    pub(super) stalls: Option<Table>,
    pub(super) values: Vec<Table>,
    pub(super) lacks_margin: bool,
    pub(super) lacks_cost: bool,
    pub(super) notes: Vec<Note>,
    pub(super) n_more_notes: usize,
}

/// A stage of the funnel.
pub(super) struct Step {
    pub(super) name: String,
    pub(super) ever: String,
    pub(super) now: String,
    /// Lengths of the bars, percent.
    pub(super) ever_length: String,
    pub(super) now_length: String,
}

/// The section, and its sheets.
pub(super) fn section(results: &Results, sheets: &mut Sheets) -> Section {
    let nobody = Lifecycle::default();
    let lifecycle = results.lifecycle.as_ref().unwrap_or(&nobody);
    let stages = stages(lifecycle);
    let rules = rules(lifecycle);
    let transitions = transitions(&results.transitions);
    let mut notes = results.lint.as_ref().map(notes).unwrap_or_default();
    sheets.add("Stages", &stages);
    sheets.add("Stage rules", &rules);
    sheets.add("Transitions", &transitions);
    sheets.add("Map findings", &findings_table("What to look at in the map", &notes));
    let names: Vec<String> = lifecycle.stages.iter().map(|stage| stage.name.clone()).collect();
    let measured = &results.measured;
    let groups = moves::by_group(measured);
    let funnels = measures::funnels(measured, &names, Place::Page);
    let all_funnels = measures::funnels(measured, &names, Place::Workbook);
    let journeys = measures::journeys(measured, &names);
    let stalls = measures::stalls(measured);
    let values = measures::values(measured);
    let kpis = kpis::kpi_table(&lifecycle.stages);
    let retention = measures::retention_table(measured);
    let of = |tables: &[Table], title: &str| tables.iter().map(|table| table.of(title, &table.caption)).collect();
    let sheet = |tables: Vec<Table>| {
        tables.into_iter().reduce(|mut all: Table, more| {
            all.rows.extend(more.rows);
            all
        })
    };
    sheets.add("KPIs", &kpis);
    sheets.add("Retention", &retention);
    for (name, table) in [
        ("Funnel", sheet(of(&all_funnels, "From"))),
        ("Journeys", sheet(of(&journeys, "Journeys"))),
        ("Stalls", stalls.clone()),
        ("Customer value", sheet(of(&values, "Of"))),
    ] {
        if let Some(table) = &table {
            sheets.add(name, table);
        }
    }
    let n_more_notes = notes.len().saturating_sub(N_NOTES);
    notes.truncate(N_NOTES);
    Section {
        ran: results.lifecycle.is_some(),
        funnel: funnel(lifecycle),
        flow: flow(lifecycle, &results.transitions, &transitions),
        stages,
        rules,
        transitions,
        moves: moves::departures(measured, &names),
        groups,
        occupation: moves::occupation(measured, &names),
        cards: kpis::cards(&lifecycle.stages),
        funnels,
        heats: measures::heats(measured),
        journeys,
        stalls,
        values,
        lacks_margin: measured.values.iter().all(|row| row.margin.is_none()),
        lacks_cost: measured.values.iter().all(|row| row.acquisition_cost.is_none()),
        notes,
        n_more_notes,
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of people fit a double's 53 bits")]
fn funnel(lifecycle: &Lifecycle) -> Vec<Step> {
    let most =
        lifecycle.stages.iter().map(|stage| stage.n_people_ever.max(stage.n_people_now)).max().unwrap_or(0).max(1);
    let length = |n: u64| format!("{:.2}", 100.0 * n as f64 / most as f64);
    let step = |stage: &Stage| Step {
        name: stage.name.clone(),
        ever: words::count(stage.n_people_ever),
        now: words::count(stage.n_people_now),
        ever_length: length(stage.n_people_ever),
        now_length: length(stage.n_people_now),
    };
    lifecycle.stages.iter().map(step).collect()
}

/// The KPIs of `lifecycle.json` that tell how a stage is left, as people call them.
const KPIS: [(&str, &str, Kind); 4] = [
    ("conversion", "Went on to a later stage (95 % interval)", Kind::ShareInterval),
    ("won_back", "Won back (95 % interval)", Kind::ShareInterval),
    ("attrition", "Fell silent (95 % interval)", Kind::ShareInterval),
    ("median_days", "Half have left after", Kind::Text),
];

fn stages(lifecycle: &Lifecycle) -> Table {
    let found = |stage: &Stage, name: &str| stage.kpis.iter().position(|kpi| kpi.name == name);
    let is_used = |name: &str| lifecycle.stages.iter().any(|stage| found(stage, name).is_some());
    let used: Vec<_> = KPIS.into_iter().filter(|(name, ..)| is_used(name)).collect();
    let mut columns = vec![("Stage", Kind::Text), ("People now", Kind::Count), ("People ever", Kind::Count)];
    columns.extend(used.iter().map(|&(_, title, kind)| (title, kind)));
    let mut table = Table::new("The stages of the lifecycle", &columns);
    for stage in &lifecycle.stages {
        let kpi = |&(name, _, kind): &(&str, &str, Kind)| {
            found(stage, name).map_or(Cell::Missing, |i| cell(&stage.kpis[i], kind))
        };
        let first =
            [Cell::from(stage.name.as_str()), Cell::count(stage.n_people_now), Cell::count(stage.n_people_ever)];
        table.push(first.into_iter().chain(used.iter().map(kpi)).collect());
    }
    table
}

fn cell(kpi: &Kpi, kind: Kind) -> Cell {
    match kind {
        Kind::ShareInterval => interval(kpi.value, kpi.low, kpi.high),
        _ => kpi.value.map_or(Cell::Missing, |days| words::span(days).into()),
    }
}

fn rules(lifecycle: &Lifecycle) -> Table {
    let columns = [
        ("Stage", Kind::Text),
        ("Who is in it", Kind::Text),
        ("Entered by", Kind::Text),
        ("Left by", Kind::Text),
        ("Data from", Kind::Text),
    ];
    let mut table = Table::new("What brings people into each stage", &columns);
    for stage in &lifecycle.stages {
        let list = |texts: &[String]| if texts.is_empty() { Cell::Missing } else { Cell::from(texts.join(", ")) };
        table.push(vec![
            stage.name.as_str().into(),
            list(&stage.attributes),
            list(&stage.entry_events),
            list(&stage.exit_events),
            list(&stage.sources),
        ]);
    }
    table
}

fn transitions(rows: &[Transition]) -> Table {
    let columns = [
        ("From", Kind::Text),
        ("To", Kind::Text),
        ("People", Kind::Count),
        ("Of all in “from”", Kind::Count),
        ("Probability (95 % interval)", Kind::ShareInterval),
        ("Within days", Kind::Number(0)),
        ("Median days", Kind::Number(1)),
    ];
    let mut table = Table::new("Transitions between stages", &columns);
    for row in rows {
        table.push(vec![
            row.from.as_str().into(),
            row.to.as_str().into(),
            row.people.into(),
            row.eligible.into(),
            interval(row.probability, row.low, row.high),
            row.horizon_days.into(),
            row.median_days.into(),
        ]);
    }
    table
}

fn flow(lifecycle: &Lifecycle, rows: &[Transition], table: &Table) -> Option<Figure> {
    let node =
        |stage: &Stage| Node { name: stage.name.clone(), n_ever: stage.n_people_ever, n_now: stage.n_people_now };
    let nodes: Vec<Node> = lifecycle.stages.iter().map(node).collect();
    let link = |row: &Transition| {
        let position = |name: &str| nodes.iter().position(|node| node.name == name);
        let n_people = count(row.people?);
        let share = row.probability.map(|share| format!(" ({})", words::percent(share))).unwrap_or_default();
        let tip = format!("{} → {}: {}{share}", row.from, row.to, words::people(n_people));
        Some(Link { from: position(&row.from)?, to: position(&row.to)?, n_people, tip })
    };
    let links: Vec<Link> = rows.iter().filter_map(link).collect();
    let wide = flow::draw("flow-wide", Direction::Right, &nodes, &links)?;
    let narrow = flow::draw("flow-narrow", Direction::Down, &nodes, &links)?;
    Some(Figure {
        title: "How people flow".into(),
        caption: "Each bar is a stage, each band the people who moved from one stage to another; the thicker, the more \
                  people. A band that leaves a stage to come back underneath is people who returned to an earlier stage."
            .into(),
        drawings: vec![("wide", wide), ("narrow", narrow)],
        table: table.clone(),
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts are whole and not negative")]
fn count(people: f64) -> u64 {
    people.max(0.0).round() as u64
}
