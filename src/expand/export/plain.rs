//! `csv`: RFC 4180, UTF-8, a row per person of the target group, best first; made for people and for import by any tool.
//!
//! A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return for a formula (OWASP ASVS
//! 1.2.10). Such a cell gets an apostrophe before it, except a telephone number in E.164, which computes nothing and
//! which every importer needs as it is.

use std::borrow::Cow;
use std::path::Path;

use super::{LEADING, Manifest, contact_values, file, targets};
use crate::error::Result;
use crate::expand::Expanded;
use crate::expand::normalise::is_e164;
use crate::spec::Destination;

pub(super) fn write(expanded: &Expanded, folder: &Path, name: &str) -> Result<Manifest> {
    let mut manifest = Manifest::new(expanded, Destination::Csv);
    let written = file(folder, name, |writer| {
        let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(writer);
        let header = LEADING.into_iter().chain(expanded.contacts.columns.iter().map(|column| column.name.as_str()));
        manifest.neutralised += record(&mut csv, header.map(Cow::Borrowed))?;
        for row in targets(expanded) {
            let chosen = &expanded.chosen;
            let numbers = [chosen.rank[row].to_string(), chosen.propensity[row].to_string()];
            let reasons = chosen.reasons[row].iter().map(|reason| reason.as_deref().unwrap_or_default());
            let cells = std::iter::once(Cow::Borrowed(chosen.person[row].as_str()))
                .chain(numbers.into_iter().map(Cow::Owned))
                .chain(reasons.map(Cow::Borrowed))
                .chain(contact_values(expanded, row).map(Cow::Owned));
            manifest.neutralised += record(&mut csv, cells)?;
            manifest.kept += 1;
        }
        csv.flush()
    })?;
    manifest.files.push(written);
    Ok(manifest)
}

/// Writes a row of cells, and says how many had to be neutralised.
fn record<'a, W: std::io::Write>(
    csv: &mut csv::Writer<W>,
    cells: impl Iterator<Item = Cow<'a, str>>,
) -> std::io::Result<u64> {
    let mut n_neutralised = 0;
    for cell in cells {
        if is_formula(&cell) {
            csv.write_field(format!("'{cell}"))?;
            n_neutralised += 1;
        } else {
            csv.write_field(cell.as_bytes())?;
        }
    }
    csv.write_record(None::<&[u8]>)?;
    Ok(n_neutralised)
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
