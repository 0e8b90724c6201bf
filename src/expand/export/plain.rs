//! `csv`: RFC 4180, UTF-8, a row per person of the target group, best first; made for people and for import by any tool.
//!
//! A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return for a formula (OWASP ASVS
//! 1.2.10). Such a cell gets an apostrophe before it, except a telephone number in E.164, which computes nothing and
//! which every importer needs as it is.

use std::borrow::Cow;
use std::io::Write;
use std::path::Path;

use rayon::prelude::*;

use super::{LEADING, Manifest, contact_values, file, targets};
use crate::error::Result;
use crate::expand::Expanded;
use crate::expand::phone::is_e164;
use crate::spec::Destination;

/// People whose rows are made at once.
const CHUNK: usize = 8192;

pub(super) fn write(expanded: &Expanded, folder: &Path, name: &str) -> Result<Manifest> {
    let mut manifest = Manifest::new(expanded, Destination::Csv);
    let people: Vec<usize> = targets(expanded).collect();
    let contacts = expanded.contacts.columns.iter().map(|column| column.name.as_str());
    let header = rows(std::iter::once(LEADING.into_iter().chain(contacts).map(Cow::Borrowed)));
    let chunks = people.par_chunks(CHUNK).map(|people| rows(people.iter().map(|&row| cells(expanded, row))));
    let chunks: Vec<Rows> = std::iter::once(header).chain(chunks.collect::<Vec<_>>()).collect();
    let fill = |writer: &mut dyn Write| chunks.iter().try_for_each(|chunk| writer.write_all(&chunk.bytes));
    manifest.files.push(file(folder, name, fill)?);
    manifest.kept = people.len() as u64;
    manifest.neutralised = chunks.iter().map(|chunk| chunk.n_neutralised).sum();
    Ok(manifest)
}

fn cells(expanded: &Expanded, row: usize) -> impl Iterator<Item = Cow<'_, str>> {
    let chosen = &expanded.chosen;
    let propensity = chosen.propensity[row].map_or_else(String::new, |propensity| propensity.to_string());
    let numbers = [chosen.rank[row].to_string(), propensity];
    let reasons = chosen.reasons[row].iter().map(|reason| reason.as_deref().unwrap_or_default());
    std::iter::once(Cow::Borrowed(chosen.person[row].as_str()))
        .chain(numbers.into_iter().map(Cow::Owned))
        .chain(reasons.map(Cow::Borrowed))
        .chain(contact_values(expanded, row).map(Cow::Owned))
}

/// Rows as they stand in the file.
struct Rows {
    bytes: Vec<u8>,
    n_neutralised: u64,
}

fn rows<'a>(rows: impl Iterator<Item = impl Iterator<Item = Cow<'a, str>>>) -> Rows {
    const MEMORY: &str = "writing to memory does not fail";
    let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let mut n_neutralised = 0;
    for row in rows {
        for cell in row {
            if is_formula(&cell) {
                csv.write_field(format!("'{cell}")).expect(MEMORY);
                n_neutralised += 1;
            } else {
                csv.write_field(cell.as_bytes()).expect(MEMORY);
            }
        }
        csv.write_record(None::<&[u8]>).expect(MEMORY);
    }
    Rows { bytes: csv.into_inner().expect(MEMORY), n_neutralised }
}

/// Whether a spreadsheet might compute the cell; its full-width signs do in some.
pub(super) fn is_formula(cell: &str) -> bool {
    let signs = ['=', '+', '-', '@', '\t', '\r', '\n', '\0', '＝', '＋', '－', '＠'];
    cell.starts_with(signs) && !is_e164(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_told_from_numbers_to_dial() {
        for cell in ["=1+1", "+1 800", "-2", "@SUM(A1)", "\t=1", "\r=1", "＝1", "+0123456789", "+1800555010012345678"]
        {
            assert!(is_formula(cell), "{cell}");
        }
        for cell in ["", "p1", "+18005550100", "0.25", "'=1", " =1"] {
            assert!(!is_formula(cell), "{cell}");
        }
    }
}
