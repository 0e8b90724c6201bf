//! Section 2: what is wrong with the data, and what in it tells people who move on from those who do not.

use crate::discover::{self, Leaks};
use crate::report::read::{Results, Signal};
use crate::report::table::{Cell, Kind, Table};
use crate::report::workbook::Sheets;
use crate::report::{Note, data, findings_table, notes, predict, words};
use crate::spec::Spec;

/// Findings shown on the page; the workbook has all.
const N_NOTES: usize = 20;
/// Signals shown on the page; the workbook has all.
const N_SIGNALS: usize = 10;
/// Sentences shown on the page.
const N_TOLD: usize = 6;

/// What the section shows.
pub(super) struct Section {
    /// The data issues; absent when the phase has not run.
    pub(super) notes: Option<Vec<Note>>,
    pub(super) n_more_notes: usize,
    /// What the tables hold, and where the lifecycle is read from.
    pub(super) data: data::Page,
    pub(super) predictions: Vec<Signals>,
}

/// The signals of a prediction.
pub(super) struct Signals {
    pub(super) name: String,
    pub(super) question: String,
    pub(super) ran: bool,
    pub(super) n_found: usize,
    pub(super) table: Table,
    /// The clearest signals, each in a sentence.
    pub(super) told: Vec<String>,
    /// Features that know too much, why, and what was done about it.
    pub(super) leaks: Vec<String>,
    pub(super) enough: Option<Enough>,
}

/// Whether there is enough data.
pub(super) struct Enough {
    /// What falls short, with what would help.
    pub(super) shortfalls: Vec<String>,
    /// What there is.
    pub(super) says: Vec<String>,
    /// What is learned from how many.
    pub(super) curve: Table,
}

impl Section {
    /// Whether anything was found yet.
    pub(super) fn ran(&self) -> bool {
        self.notes.is_some() || self.predictions.iter().any(|prediction| prediction.ran)
    }
}

/// The section, and its sheets.
pub(super) fn section(spec: &Spec, results: &Results, sheets: &mut Sheets) -> Section {
    let mut notes = results.issues.as_ref().map(notes);
    if let Some(notes) = &notes {
        sheets.add("Data issues", &findings_table("What to look at in the data", notes));
    }
    let n_more_notes = notes.as_ref().map_or(0, |notes| notes.len().saturating_sub(N_NOTES));
    if let Some(notes) = &mut notes {
        notes.truncate(N_NOTES);
    }
    let mut predictions = Vec::new();
    for (position, (prediction, signals)) in spec.predictions.iter().zip(&results.signals).enumerate() {
        let rows = signals.as_deref().unwrap_or_default();
        sheets.add("Signals", &whole(rows).of("Prediction", &prediction.name));
        let leaks = results.leaks.get(position).and_then(Option::as_ref);
        let enough = results.enough.get(position).and_then(Option::as_ref).map(enough);
        if let Some(enough) = &enough {
            sheets.add("Learning curve", &enough.curve.of("Prediction", &prediction.name));
        }
        predictions.push(Signals {
            name: prediction.name.clone(),
            question: predict::question(spec, prediction),
            ran: signals.is_some(),
            n_found: rows.len(),
            table: top(rows),
            told: rows.iter().filter(|row| row.is_told).filter_map(|row| row.sentence.clone()).take(N_TOLD).collect(),
            leaks: leaks.map(Leaks::warnings).unwrap_or_default(),
            enough,
        });
    }
    let data = data::page(&results.data, sheets);
    Section { notes, n_more_notes, data, predictions }
}

/// What there is, what falls short, and what more people would bring.
fn enough(enough: &discover::Enough) -> Enough {
    let part = |name: &str| enough.parts.get(name).copied().unwrap_or_default();
    let (train, test) = (part("train"), part("test"));
    let mut says = vec![format!(
        "{} of {} moved on in the data learned from, {} of {} in the data kept for the test.",
        words::count(train.people_attained),
        words::people(train.people),
        words::count(test.people_attained),
        words::people(test.people)
    )];
    if let Some(exactness) = &enough.exactness {
        let wanted = exactness.wanted.first().map(|wanted| {
            format!(
                "; {} more outcomes in the test would make that ± {:.2}",
                words::count(wanted.outcomes_more),
                wanted.half_width
            )
        });
        says.push(format!(
            "How well a model ranks (its AUC) can be known to ± {:.2}{}.",
            exactness.half_width,
            wanted.unwrap_or_default()
        ));
    }
    says.push(format!("More people: {}.", enough.learning.verdict));
    says.extend(enough.horizon.as_ref().map(|horizon| format!("Time: {}.", horizon.says)));
    let columns = [
        ("People learned from", Kind::Number(0)),
        ("Outcomes", Kind::Number(0)),
        ("AUC", Kind::Number(3)),
        ("Low", Kind::Number(3)),
        ("High", Kind::Number(3)),
    ];
    let mut curve = Table::new("What a simple scorecard learns from how many people", &columns);
    for point in &enough.learning.points {
        curve.push(vec![
            Cell::Number(point.people as f64),
            Cell::Number(point.outcomes as f64),
            Cell::Number(point.auc),
            Cell::Number(point.auc_low),
            Cell::Number(point.auc_high),
        ]);
    }
    let shortfalls = enough.shortfalls.iter().map(|shortfall| shortfall.advice.clone()).collect();
    Enough { shortfalls, says, curve }
}

/// The best signals in words.
fn top(rows: &[Signal]) -> Table {
    let columns = [
        ("Signal", Kind::Text),
        ("Tells apart", Kind::Bar { decimals: 0, floor: 50 }),
        ("Best part against the rest", Kind::Text),
        ("Strength", Kind::Text),
        ("Over time", Kind::Text),
        ("Unknown for", Kind::Share),
    ];
    let mut table = Table::new("The strongest single signals", &columns);
    for row in rows.iter().filter(|row| row.leak.is_none() && is_representative(row)).take(N_SIGNALS) {
        table.push(vec![
            words::feature(&row.feature).into(),
            row.auc.map(|auc| 100.0 * auc.max(1.0 - auc)).into(),
            lift(row).map_or(Cell::Missing, Cell::from),
            row.information_value.map_or(Cell::Missing, |value| words::strength(value).into()),
            row.stability.map_or(Cell::Missing, |psi| words::stability(psi).into()),
            row.missing.into(),
        ]);
    }
    table
}

/// Whether no stronger signal says the same.
fn is_representative(row: &Signal) -> bool {
    row.representative.as_ref().is_none_or(|representative| *representative == row.feature)
}

/// `2.4× (1.9–3.0)`.
fn lift(row: &Signal) -> Option<String> {
    let [lift, low, high] = row.lift;
    Some(format!("{:.1}× ({:.1}–{:.1})", lift?, low?, high?))
}

/// All signals in figures.
fn whole(rows: &[Signal]) -> Table {
    let columns = [
        ("Feature", Kind::Text),
        ("In words", Kind::Text),
        ("AUC", Kind::Number(4)),
        ("Information value", Kind::Number(4)),
        ("Stability (PSI)", Kind::Number(4)),
        ("Missing", Kind::Share),
        ("False discovery rate", Kind::Number(4)),
        ("Stands for", Kind::Text),
        ("In a sentence", Kind::Text),
        ("Leak", Kind::Text),
    ];
    let mut table = Table::new("Signals", &columns);
    for row in rows {
        table.push(vec![
            row.feature.as_str().into(),
            words::feature(&row.feature).into(),
            row.auc.into(),
            row.information_value.into(),
            row.stability.into(),
            row.missing.into(),
            row.q_value.into(),
            row.representative.as_deref().map_or(Cell::Missing, Cell::from),
            row.sentence.as_deref().map_or(Cell::Missing, Cell::from),
            row.leak.as_deref().map_or(Cell::Missing, Cell::from),
        ]);
    }
    table
}
