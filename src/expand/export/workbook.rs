//! `xlsx`: typed cells for people who work in a spreadsheet. Texts are written as texts, so no cell is a formula whatever
//! it holds; the same audience gives the same bytes.

use std::path::Path;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::{Held, LEADING, Manifest, contact_values, file, targets};
use crate::error::{Error, Result};
use crate::expand::Expanded;
use crate::spec::Destination;

/// Rows below the header that a sheet holds.
const ROWS_PER_SHEET: usize = 1_048_575;

/// Characters that a cell holds.
const CELL: usize = 32_767;

pub(super) fn write(expanded: &Expanded, folder: &Path, name: &str) -> Result<Manifest> {
    let mut manifest = Manifest::new(expanded, Destination::Xlsx);
    let bytes = workbook(expanded).map_err(|error| Error::internal(format!("cannot make {name}: {error}")))?;
    let n_rows = targets(expanded).count();
    manifest.kept = n_rows as u64;
    manifest.files.push(file(folder, name, Held::Full, n_rows, |writer| writer.write_all(&bytes))?);
    Ok(manifest)
}

fn workbook(expanded: &Expanded) -> std::result::Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    // A workbook carries the time it was made; a fixed one keeps the bytes the same.
    let made = ExcelDateTime::from_ymd(2000, 1, 1)?;
    book.set_properties(&DocProperties::new().set_title(&expanded.summary.audience).set_creation_datetime(&made));
    let rows: Vec<usize> = targets(expanded).collect();
    let n_sheets = rows.len().div_ceil(ROWS_PER_SHEET).max(1);
    for at in 0..n_sheets {
        let name = if at == 0 { "Audience".to_owned() } else { format!("Audience {}", at + 1) };
        let sheet = book.add_worksheet().set_name(name)?;
        let last = rows.len().min((at + 1) * ROWS_PER_SHEET);
        fill(sheet, expanded, &rows[at * ROWS_PER_SHEET..last])?;
    }
    about(book.add_worksheet().set_name("About")?, expanded)?;
    book.save_to_buffer()
}

fn fill(sheet: &mut Worksheet, expanded: &Expanded, rows: &[usize]) -> std::result::Result<(), XlsxError> {
    let bold = Format::new().set_bold();
    let percent = Format::new().set_num_format("0.0%");
    let contacts = expanded.contacts.columns.iter().map(|column| column.name.as_str());
    for (at, name) in LEADING.into_iter().chain(contacts).enumerate() {
        let column = column_number(at);
        sheet.write_string_with_format(0, column, cell(name), &bold)?;
        sheet.set_column_width(column, width(name))?;
    }
    sheet.set_freeze_panes(1, 0)?;
    let chosen = &expanded.chosen;
    for (line, &row) in (1..).zip(rows) {
        sheet.write_string(line, 0, cell(&chosen.person[row]))?;
        sheet.write_number(line, 1, chosen.rank[row])?;
        if let Some(propensity) = &chosen.propensity {
            sheet.write_number_with_format(line, 2, propensity[row], &percent)?;
        }
        for (column, reason) in (3..).zip(chosen.reasons.of(row)) {
            if let Some(reason) = reason {
                sheet.write_string(line, column, cell(reason))?;
            }
        }
        for (at, value) in contact_values(expanded, row).enumerate() {
            if !value.is_empty() {
                sheet.write_string(line, column_number(LEADING.len() + at), cell(&value))?;
            }
        }
    }
    Ok(())
}

fn about(sheet: &mut Worksheet, expanded: &Expanded) -> std::result::Result<(), XlsxError> {
    let summary = &expanded.summary;
    let horizon = summary.horizon.as_deref().map_or_else(String::new, |horizon| format!(" within {horizon}"));
    let transition = match summary.prediction {
        Some(_) => format!("{} → {}{horizon}", summary.from.join(", "), summary.to.join(", ")),
        None => String::new(),
    };
    let texts = [
        ("Audience", summary.audience.clone()),
        ("Prediction", summary.prediction.clone().unwrap_or_else(|| "none: ranked by likeness".to_owned())),
        ("Transition", transition),
    ];
    #[expect(clippy::cast_precision_loss, reason = "counts of people fit a double's 53 bits")]
    let numbers = [
        ("People in this list", Some(summary.n_target as f64)),
        ("People held out, not in this list", Some(summary.n_holdout as f64)),
        ("Candidates", Some(summary.n_candidates as f64)),
        ("Candidates who may be contacted", Some(summary.n_contactable as f64)),
        ("Expected conversions, list and holdout", summary.expected_conversions),
        ("… at least (95 %)", summary.expected_low),
        ("… at most (95 %)", summary.expected_high),
    ];
    sheet.set_column_width(0, 40)?;
    sheet.set_column_width(1, 40)?;
    for (line, (name, text)) in (0..).zip(&texts) {
        sheet.write_string(line, 0, *name)?;
        sheet.write_string(line, 1, cell(text))?;
    }
    let one_decimal = Format::new().set_num_format("#,##0.#");
    let known = numbers.into_iter().filter_map(|(name, number)| Some((name, number?)));
    for (line, (name, number)) in (3..).zip(known) {
        sheet.write_string(line, 0, name)?;
        sheet.write_number_with_format(line, 1, number, &one_decimal)?;
    }
    Ok(())
}

fn column_number(at: usize) -> u16 {
    u16::try_from(at).expect("contact columns are few")
}

/// As much of a text as a cell holds.
fn cell(text: &str) -> &str {
    text.char_indices().nth(CELL / 2).map_or(text, |(end, _)| &text[..end])
}

fn width(name: &str) -> u16 {
    match name {
        "rank" => 8,
        "propensity" => 11,
        name if name.starts_with("reason_") => 40,
        _ => 24,
    }
}
