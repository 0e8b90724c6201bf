//! The measures of section 1 but for the KPIs: funnel, retention, journeys, stalls and customer value.

use crate::report::measured::{Measured, Step, Value};
use crate::report::moves::interval;
use crate::report::table::{Cell, Kind, Table};
use crate::report::words;

/// The most months of entry, and months since, that the page shows; the workbook has all.
const N_COHORTS: usize = 24;
const N_MONTHS: usize = 13;
/// The most paths of one kind on the page.
const N_PATHS: usize = 8;
const N_PATHS_INTO: usize = 4;
/// The most kinds of events on the page.
const N_KINDS: usize = 12;

/// Where a table goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Page,
    Workbook,
}

/// Retention by month of entry, as a table whose cells are the darker the more are left.
pub(super) struct Heat {
    pub(super) title: &'static str,
    pub(super) caption: &'static str,
    pub(super) months: Vec<usize>,
    pub(super) rows: Vec<HeatRow>,
}

/// A month of entry.
pub(super) struct HeatRow {
    pub(super) cohort: String,
    pub(super) people: String,
    /// How dark, 0–9, and percent.
    pub(super) cells: Vec<Option<(u8, String)>>,
}

/// How far people get within each window: from entry, and from each stage. The page has no room for the counts of every
/// cell: it says in each title how many people were watched.
pub(super) fn funnels(measured: &Measured, stages: &[String], place: Place) -> Vec<Table> {
    let of = |from: Option<&str>, kind: &str| -> Vec<&Step> {
        measured.funnel.iter().filter(|step| step.from.as_deref() == from && step.kind == kind).collect()
    };
    let mut tables = vec![
        funnel("Stages reached after entering the lifecycle", "Stage", &of(None, "stage"), usize::MAX, place),
        funnel("Events after entering the lifecycle", "Event", &of(None, "event"), N_KINDS, place),
    ];
    tables.extend(stages.iter().map(|from| {
        let mut steps = of(Some(from), "stage");
        steps.retain(|step| reached_at_all(&measured.funnel, step));
        funnel(&format!("Stages reached after entering {from}"), "Stage", &steps, usize::MAX, place)
    }));
    tables.retain(|table| !table.rows.is_empty());
    tables
}

fn reached_at_all(steps: &[Step], of: &Step) -> bool {
    steps.iter().any(|step| step.from == of.from && step.to == of.to && step.kind == of.kind && step.people > 0.0)
}

/// A row for each step, a column for each window; of many steps those that most people reach.
fn funnel(title: &str, what: &str, steps: &[&Step], most: usize, place: Place) -> Table {
    let mut windows: Vec<Option<f64>> = Vec::new();
    let mut names: Vec<(&str, f64)> = Vec::new();
    for step in steps {
        if !windows.contains(&step.window_days) {
            windows.push(step.window_days);
        }
        match names.iter_mut().find(|(name, _)| *name == step.to) {
            Some((_, n)) => *n = n.max(step.people),
            None => names.push((&step.to, step.people)),
        }
    }
    if names.len() > most {
        names.sort_by(|a, b| b.1.total_cmp(&a.1));
        names.truncate(most);
    }
    let title_of = |window: &Option<f64>| {
        let within = window.map_or_else(|| "Ever".to_owned(), |days| format!("Within {}", words::span(days)));
        let watched = steps.iter().find(|step| step.window_days == *window).map_or(0.0, |step| step.eligible);
        match place {
            Place::Page => format!("{within}, of {}", words::number(watched, 0)),
            Place::Workbook => within,
        }
    };
    let titles: Vec<String> = windows.iter().map(title_of).collect();
    let kind = if place == Place::Page { Kind::ShareInterval } else { Kind::Rate };
    let columns = titles.iter().map(|title| (title.as_str(), kind));
    let mut table = Table::new(title, &[(what, Kind::Text)].into_iter().chain(columns).collect::<Vec<_>>());
    for (name, _) in names {
        let cell = |window: &Option<f64>| {
            let step = steps.iter().find(|step| step.to == name && step.window_days == *window);
            step.map_or(Cell::Missing, |step| match (rate(step.people, step.eligible), place) {
                (Cell::Rate(rate), Place::Page) => {
                    let (low, high) = rate.interval().unzip();
                    interval(rate.share(), low, high)
                }
                (cell, _) => cell,
            })
        };
        table.push([Cell::from(name)].into_iter().chain(windows.iter().map(cell)).collect());
    }
    table
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "people are counted")]
fn rate(n_attained: f64, n_eligible: f64) -> Cell {
    Cell::Rate(crate::rate::Rate { n_attained: n_attained as u64, n_eligible: n_eligible as u64 })
}

/// Retention: who was active, and who had not fallen silent.
pub(super) fn heats(measured: &Measured) -> Vec<Heat> {
    let mut cohorts: Vec<&str> = Vec::new();
    for row in &measured.retention {
        if cohorts.last() != Some(&row.cohort.as_str()) {
            cohorts.push(&row.cohort);
        }
    }
    let shown = &cohorts[cohorts.len().saturating_sub(N_COHORTS)..];
    let is_shown = |cohort: &str| shown.contains(&cohort);
    let rows = || measured.retention.iter().filter(|row| row.is_complete && is_shown(&row.cohort));
    let last = rows().map(|row| row.months_since).max().unwrap_or_default();
    if last == 0 {
        return Vec::new();
    }
    let months: Vec<usize> = (0..=last).take(N_MONTHS).collect();
    let one = |title, caption, active: bool| {
        let row = |cohort: &&str| {
            let of_cohort = || rows().filter(move |row| row.cohort == **cohort);
            let cell = |month: &usize| {
                let row = of_cohort().find(|row| row.months_since == *month)?;
                let share = if active { row.active? } else { row.in_stage? };
                Some((darkness(share), words::number(100.0 * share, 0)))
            };
            let people = of_cohort().next().map_or(0.0, |row| row.people);
            let people = words::number(people, 0);
            HeatRow { cohort: (**cohort).to_owned(), people, cells: months.iter().map(cell).collect() }
        };
        let filled = shown.iter().map(row).filter(|row| row.cells.iter().any(Option::is_some));
        Heat { title, caption, months: months.clone(), rows: filled.collect() }
    };
    let mut heats = vec![one(
        "Who comes back, by month of entry",
        "Of 100 people who came in a month, how many did anything so many calendar months later. Month 0 is the month they \
         came in.",
        true,
    )];
    if rows().any(|row| row.in_stage.is_some_and(|share| share < 1.0)) {
        heats.push(one(
            "Who has not fallen silent, by month of entry",
            "Of 100 people who came in a month, how many stood in a stage that is not silent at the end of each month \
             since.",
            false,
        ));
    }
    heats
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share makes one of ten")]
fn darkness(share: f64) -> u8 {
    (share * 10.0).clamp(0.0, 9.0) as u8
}

/// Retention as numbers, for the workbook.
pub(super) fn retention_table(measured: &Measured) -> Table {
    let columns = [
        ("Month of entry", Kind::Text),
        ("Months since", Kind::Count),
        ("People", Kind::Count),
        ("Active", Kind::Share),
        ("Not silent", Kind::Share),
        ("Whole month seen", Kind::Text),
    ];
    let mut table = Table::new("Retention by month of entry", &columns);
    for row in &measured.retention {
        table.push(vec![
            row.cohort.as_str().into(),
            Cell::count(row.months_since as u64),
            Cell::Number(row.people),
            row.active.into(),
            row.in_stage.into(),
            if row.is_complete { "yes" } else { "no" }.into(),
        ]);
    }
    table
}

/// The most frequent paths: through the stages, at the beginning, and into each stage.
pub(super) fn journeys(measured: &Measured, stages: &[String]) -> Vec<Table> {
    let table = |title: String, kind: &str, stage: Option<&str>, most: usize| {
        let columns = [("Path", Kind::Text), ("People", Kind::Count), ("Of all", Kind::Share)];
        let mut table = Table::new(title, &columns);
        let of = measured.journeys.iter().filter(|row| row.kind == kind && row.stage.as_deref() == stage);
        for row in of.take(most) {
            let share = Some(row.people / row.eligible);
            table.push(vec![row.path.as_str().into(), Cell::Number(row.people), share.into()]);
        }
        table
    };
    let mut tables = vec![
        table("Through the stages".into(), "stages", None, N_PATHS),
        table("The first things people do".into(), "first_events", None, N_PATHS),
    ];
    let into = |stage: &String| table(format!("What leads into {stage}"), "into_stage", Some(stage), N_PATHS_INTO);
    tables.extend(stages.iter().map(into));
    // One path that everybody goes tells nothing.
    tables.retain(|table| table.rows.len() > 1);
    tables
}

/// Where people stall.
pub(super) fn stalls(measured: &Measured) -> Option<Table> {
    let window = measured.stalls.iter().find_map(|row| row.window_days)?;
    let nothing = format!("Nothing followed within {}", words::span(window));
    let columns = [
        ("After", Kind::Text),
        (nothing.as_str(), Kind::Rate),
        ("Else half follow within days", Kind::Number(1)),
        ("Nine of ten within days", Kind::Number(1)),
    ];
    let mut table = Table::new("Where people stall", &columns);
    let mut rows: Vec<_> = measured.stalls.iter().filter(|row| row.watched > 0.0).collect();
    rows.sort_by(|a, b| {
        let share = |row: &super::measured::Stall| row.stalled / row.watched;
        (a.kind != "stage").cmp(&(b.kind != "stage")).then(share(b).total_cmp(&share(a))).then(a.name.cmp(&b.name))
    });
    for row in rows {
        let what = if row.kind == "stage" { format!("entering {}", row.name) } else { row.name.clone() };
        table.push(vec![
            what.into(),
            rate(row.stalled, row.watched),
            row.median_days.into(),
            row.ninth_decile_days.into(),
        ]);
    }
    Some(table)
}

/// What customers are worth and what that is made of: all of each stage, then groups and months.
pub(super) fn values(measured: &Measured) -> Vec<Table> {
    let all = measured.values.iter().filter(|row| row.by.is_none());
    let mut tables = vec![value_table("What a customer is worth, and why", &all.collect::<Vec<_>>(), "Stage", |row| {
        row.stage.clone()
    })];
    let mut parts: Vec<(&str, &str)> = Vec::new();
    for row in &measured.values {
        if let Some(by) = row.by.as_deref().filter(|by| !parts.contains(&(row.stage.as_str(), by))) {
            parts.push((&row.stage, by));
        }
    }
    for (stage, by) in parts {
        let rows: Vec<&Value> =
            measured.values.iter().filter(|row| row.stage == stage && row.by.as_deref() == Some(by)).collect();
        let what = if by == "cohort" { "month of entry" } else { by };
        let title = format!("{stage}, by {what}");
        tables.push(value_table(&title, &rows, what, |row| row.of.clone().unwrap_or_default()));
    }
    tables.retain(|table| !table.rows.is_empty());
    tables
}

fn value_table(title: &str, rows: &[&Value], what: &str, name: fn(&Value) -> String) -> Table {
    let columns = [
        (what, Kind::Text),
        ("People", Kind::Count),
        ("Revenue a year", Kind::Number(2)),
        ("Margin", Kind::Share),
        ("Years as a customer", Kind::Number(2)),
        ("Seen for days", Kind::Number(0)),
        ("Years, if they left at one rate", Kind::Number(1)),
        ("Cost to win one", Kind::Number(2)),
        ("Value (95 % interval)", Kind::Interval(2)),
    ];
    let mut table = Table::new(title, &columns);
    for row in rows {
        table.push(vec![
            name(row).into(),
            row.people.into(),
            row.revenue_per_year.into(),
            row.margin.into(),
            row.years.into(),
            row.horizon_days.into(),
            row.years_if_constant.into(),
            row.acquisition_cost.into(),
            interval(row.worth, row.low, row.high),
        ]);
    }
    table
}
