//! The results on one page and in one workbook.
//!
//! [`write()`] reads what the phases wrote (`read`) and computes nothing that they did not: each phase becomes a section
//! (`map`, `discover`, `predict`, `expand`) of words, charts (`svg`, `flow`) and tables (`table`). The page is one HTML file
//! with neither script nor address: it opens offline, on a phone, in light and dark, and prints; beside every chart
//! stands its table. The workbook (`workbook`) holds the same tables, whole. A phase that has not run says so.
//!
//! Names come from data and may be hostile. They pass through askama's escaping or [`svg::escape`]; control and
//! direction characters are replaced; the page's own policy forbids scripts and requests; in the workbook no cell is a
//! formula.

mod charts;
mod data;
mod discover;
mod explained;
mod expand;
#[cfg(test)]
mod fixture;
mod flow;
mod kpis;
mod map;
mod measured;
mod measures;
mod metrics;
mod moves;
mod measure;
mod overlap;
mod predict;
mod read;
mod seed;
mod svg;
mod table;
mod uplift;
mod words;
mod workbook;

use askama::Template;

use crate::error::{Error, Result};
use crate::spec::Spec;
use crate::store::{self, Layout};
use table::Table;
use workbook::Sheets;

/// Writes `out/report.html` and `out/report.xlsx` from what the phases have written so far.
///
/// # Errors
/// When a file of a phase cannot be read, or the report cannot be written.
pub fn write(spec: &Spec, layout: &Layout) -> Result<()> {
    let results = read::results(spec, layout)?;
    let mut sheets = Sheets::default();
    let page = page(spec, &results, &mut sheets);
    let html = page.render().map_err(|error| Error::internal(format!("the report cannot be rendered: {error}")))?;
    store::write_bytes(&layout.file("report.html"), harmless(&html).as_bytes())?;
    store::write_bytes(&layout.file("report.xlsx"), &sheets.workbook()?)
}

/// The page.
#[derive(Template)]
#[template(path = "report/page.html")]
struct Page {
    style: &'static str,
    project: String,
    facts: Vec<String>,
    /// The results in one sentence each.
    short: Vec<(String, String)>,
    /// The phases in order: number, name, whether it has run.
    phases: [(u8, &'static str, bool); 4],
    map: map::Section,
    discover: discover::Section,
    predict: predict::Section,
    expand: expand::Section,
}

/// A chart or two with its words and its table.
#[derive(Template)]
#[template(path = "report/figure.html")]
struct Figure {
    title: String,
    caption: String,
    /// Drawings and the class that says on which pages each is shown.
    drawings: Vec<(&'static str, String)>,
    table: Table,
}

/// Something to look at.
struct Note {
    severity: String,
    place: String,
    message: String,
    advice: String,
    example: String,
}

fn page(spec: &Spec, results: &read::Results, sheets: &mut Sheets) -> Page {
    let map = map::section(results, sheets);
    let discover = discover::section(spec, results, sheets);
    let predict = predict::section(spec, results, sheets);
    let expand = expand::section(results, spec, sheets);
    let phases = [
        (1, "Map", map.ran),
        (2, "Discover", discover.ran()),
        (3, "Predict", predict.ran()),
        (4, "Expand", expand.ran()),
    ];
    let short = predict.short().into_iter().chain(expand.short()).collect();
    let facts = facts(results);
    Page {
        style: include_str!("../../templates/report/style.css"),
        project: spec.name.clone(),
        facts,
        short,
        phases,
        map,
        discover,
        predict,
        expand,
    }
}

fn facts(results: &read::Results) -> Vec<String> {
    let Some(lifecycle) = &results.lifecycle else { return Vec::new() };
    let mut facts = vec![words::people(lifecycle.n_people)];
    if lifecycle.n_events > 0 {
        facts.push(format!("{} events", words::count(lifecycle.n_events)));
    }
    if let Some(end) = lifecycle.end.as_ref().filter(|end| !end.is_empty()) {
        facts.push(format!("data up to {end}"));
    }
    facts
}

/// The findings of a phase as notes.
fn notes(findings: &read::Findings) -> Vec<Note> {
    let note = |finding: &read::Finding| {
        let code = || finding.code.clone().unwrap_or_default().replace('-', " ");
        let places = [
            finding.stage.as_ref().filter(|stage| !stage.is_empty()).map(|stage| format!("stage {stage}")),
            finding.table.as_ref().map(|table| format!("table {table}")),
            finding.column.as_ref().map(|column| format!("column {column}")),
            finding.rows.filter(|rows| *rows > 0).map(|rows| format!("{} rows", words::count(rows))),
        ];
        let people =
            (!finding.people.is_empty()).then(|| finding.people.iter().take(5).cloned().collect::<Vec<_>>().join(", "));
        Note {
            severity: finding.severity.clone().unwrap_or_else(|| "note".into()),
            place: places.into_iter().flatten().collect::<Vec<_>>().join(" · "),
            message: finding.message.clone().unwrap_or_else(code),
            advice: finding.advice.clone().unwrap_or_default(),
            example: finding.example.clone().or(people).unwrap_or_default(),
        }
    };
    findings.findings.iter().map(note).collect()
}

/// The findings of a phase as a table of the workbook.
fn findings_table(caption: &str, findings: &[Note]) -> Table {
    use table::{Cell, Kind::Text};
    let columns = [("Severity", Text), ("Where", Text), ("What", Text), ("What to do", Text), ("Example", Text)];
    let mut table = Table::new(caption, &columns);
    for note in findings {
        let cells = [&note.severity, &note.place, &note.message, &note.advice, &note.example];
        table.push(cells.into_iter().map(|text| Cell::from(text.as_str())).collect());
    }
    table
}

/// Replaces the characters that no text of a page needs: control characters, and those that turn the reading direction.
fn harmless(html: &str) -> String {
    let harm = |character: char| match character {
        '\n' => false,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => true,
        other => other.is_control(),
    };
    html.chars().map(|character| if harm(character) { '\u{fffd}' } else { character }).collect()
}

#[cfg(test)]
mod tests;
