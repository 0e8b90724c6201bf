//! The KPIs of section 1, with their targets: as people read them, and as numbers.

use crate::report::read::{Kpi, Stage};
use crate::report::table::{Cell, Kind, Table};
use crate::report::words;

/// The KPIs of a stage.
pub(super) struct Card {
    pub(super) stage: String,
    pub(super) lines: Vec<Line>,
}

/// A KPI as people read it.
pub(super) struct Line {
    pub(super) title: String,
    pub(super) value: String,
    pub(super) range: String,
    pub(super) counts: String,
    pub(super) target: String,
    /// `met`, `missed`, `open`, or nothing.
    pub(super) class: &'static str,
    pub(super) status: &'static str,
}

/// How a KPI is called, and how its number is written.
const KPIS: [(&str, &str, Unit); 12] = [
    ("conversion", "Go on to a later stage", Unit::Share),
    ("won_back", "Are won back", Unit::Share),
    ("attrition", "Fall silent", Unit::Share),
    ("median_days", "Half have left after", Unit::Days),
    ("repeat_rate", "Order again", Unit::Share),
    ("order_value", "Average order", Unit::Money),
    ("purchase_frequency", "Orders per person and year", Unit::Number),
    ("revenue", "Revenue", Unit::Money),
    ("acquisition_cost", "Cost to win one", Unit::Money),
    ("response_score", "Response score (NPS)", Unit::Score),
    ("health", "As active as usual", Unit::Share),
    ("customer_value", "Customer value", Unit::Money),
];

/// How a KPI's number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Share,
    Days,
    Money,
    Number,
    Score,
}

impl Unit {
    fn write(self, value: f64) -> String {
        match self {
            Self::Share => words::percent(value),
            Self::Days => words::span(value),
            Self::Money if value.abs() >= 1_000.0 => words::number(value, 0),
            Self::Money | Self::Number => words::number(value, 2),
            Self::Score => {
                let score = words::number(100.0 * value, 0);
                if value > 0.0 && score != "0" { format!("+{score}") } else { score }
            }
        }
    }
}

/// The KPIs of every stage that has any.
pub(super) fn cards(stages: &[Stage]) -> Vec<Card> {
    let line = |kpi: &Kpi| {
        let (_, title, unit) = KPIS.iter().find(|(name, ..)| *name == kpi.name)?;
        Some(self::line(kpi, title, *unit))
    };
    let card = |stage: &Stage| Card { stage: stage.name.clone(), lines: stage.kpis.iter().filter_map(line).collect() };
    stages.iter().map(card).filter(|card| !card.lines.is_empty()).collect()
}

fn line(kpi: &Kpi, title: &str, unit: Unit) -> Line {
    let write = |value: f64| unit.write(value);
    let range = match (kpi.low, kpi.high) {
        (Some(low), Some(high)) => format!("{} to {}", write(low), write(high)),
        (Some(low), None) => format!("{} or more", write(low)),
        (None, Some(high)) => format!("up to {}", write(high)),
        (None, None) => String::new(),
    };
    let target = match (kpi.at_least, kpi.at_most) {
        (Some(least), Some(most)) => format!("{} to {}", write(least), write(most)),
        (Some(least), None) => format!("at least {}", write(least)),
        (None, Some(most)) => format!("at most {}", write(most)),
        (None, None) => String::new(),
    };
    let (class, status) = match kpi.status.as_deref() {
        Some("met") => ("met", "✓ met"),
        Some("missed") => ("missed", "✗ missed"),
        Some(_) if kpi.value.is_none() => ("open", "? no data"),
        Some(_) => ("open", "? cannot be told yet"),
        None => ("", ""),
    };
    let within = kpi.horizon_days.filter(|_| unit == Unit::Share).map(|days| format!(", within {}", words::span(days)));
    Line {
        title: format!("{title}{}", within.unwrap_or_default()),
        value: kpi.value.map_or_else(|| "–".into(), write),
        range,
        counts: counts(kpi),
        target,
        class,
        status,
    }
}

fn counts(kpi: &Kpi) -> String {
    match (kpi.n_attained, kpi.n_eligible, kpi.n, kpi.n_promoters.zip(kpi.n_detractors)) {
        (Some(n), Some(of), ..) if kpi.horizon_days.is_some() => {
            format!("{} of {} so far", words::count(n), words::count(of))
        }
        (Some(n), Some(of), ..) => format!("{} of {}", words::count(n), words::count(of)),
        (_, _, Some(n), Some((promoters, detractors))) => {
            format!("{} for, {} against, of {}", words::count(promoters), words::count(detractors), words::count(n))
        }
        (_, _, Some(n), None) => {
            let what = match kpi.name.as_str() {
                "median_days" => "stays",
                "order_value" | "revenue" => "orders",
                _ => "people",
            };
            format!("{} {what}", words::count(n))
        }
        _ => String::new(),
    }
}

/// All KPIs as numbers, for the workbook.
pub(super) fn kpi_table(stages: &[Stage]) -> Table {
    let columns = [
        ("Stage", Kind::Text),
        ("KPI", Kind::Text),
        ("Value (95 % interval)", Kind::Interval(4)),
        ("Unit", Kind::Text),
        ("People who did", Kind::Count),
        ("Of people", Kind::Count),
        ("Measured on", Kind::Count),
        ("Within days", Kind::Number(0)),
        ("At least", Kind::Number(4)),
        ("At most", Kind::Number(4)),
        ("Target", Kind::Text),
    ];
    let mut table = Table::new("The KPIs of each stage", &columns);
    let count = |n: Option<u64>| n.map_or(Cell::Missing, Cell::count);
    for (stage, kpi) in stages.iter().flat_map(|stage| stage.kpis.iter().map(move |kpi| (stage, kpi))) {
        let value = match (kpi.value, kpi.low, kpi.high) {
            (None, ..) => Cell::Missing,
            (Some(value), low, high) => {
                Cell::Interval { value, low: low.unwrap_or(f64::NAN), high: high.unwrap_or(f64::NAN) }
            }
        };
        table.push(vec![
            stage.name.as_str().into(),
            kpi.name.replace('_', " ").into(),
            value,
            kpi.unit.as_str().into(),
            count(kpi.n_attained),
            count(kpi.n_eligible),
            count(kpi.n),
            kpi.horizon_days.into(),
            kpi.at_least.into(),
            kpi.at_most.into(),
            kpi.status.as_deref().unwrap_or_default().into(),
        ]);
    }
    table
}
