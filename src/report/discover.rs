//! Section 2: what is wrong with the data, and what in it tells people who move on from those who do not.

use crate::report::read::{Results, Signal};
use crate::report::table::{Cell, Kind, Table};
use crate::report::workbook::Sheets;
use crate::report::{Note, data, findings_table, notes, predict, words};
use crate::spec::Spec;

/// Findings shown on the page; the workbook has all.
const N_NOTES: usize = 20;
/// Signals shown on the page; the workbook has all.
const N_SIGNALS: usize = 10;

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
    /// Features that know too much, and why.
    pub(super) leaks: Vec<(String, String)>,
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
    for (prediction, signals) in spec.predictions.iter().zip(&results.signals) {
        let rows = signals.as_deref().unwrap_or_default();
        sheets.add("Signals", &whole(rows).of("Prediction", &prediction.name));
        predictions.push(Signals {
            name: prediction.name.clone(),
            question: predict::question(spec, prediction),
            ran: signals.is_some(),
            n_found: rows.len(),
            table: top(rows),
            leaks: leaks(rows),
        });
    }
    let data = data::page(&results.data, sheets);
    Section { notes, n_more_notes, data, predictions }
}

fn leaks(rows: &[Signal]) -> Vec<(String, String)> {
    rows.iter().filter_map(|row| Some((row.feature.clone(), row.leak.clone()?))).collect()
}

/// The best signals in words.
fn top(rows: &[Signal]) -> Table {
    let columns = [
        ("Signal", Kind::Text),
        ("Tells apart", Kind::Bar { decimals: 0, floor: 50 }),
        ("Strength", Kind::Text),
        ("Over time", Kind::Text),
        ("Unknown for", Kind::Share),
    ];
    let mut table = Table::new("The strongest single signals", &columns);
    for row in rows.iter().filter(|row| row.leak.is_none()).take(N_SIGNALS) {
        table.push(vec![
            words::feature(&row.feature).into(),
            row.auc.map(|auc| 100.0 * auc.max(1.0 - auc)).into(),
            row.information_value.map_or(Cell::Missing, |value| words::strength(value).into()),
            row.stability.map_or(Cell::Missing, |psi| words::stability(psi).into()),
            row.missing.into(),
        ]);
    }
    table
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
            row.leak.as_deref().map_or(Cell::Missing, Cell::from),
        ]);
    }
    table
}
