//! `csv`: RFC 4180, UTF-8, a row per person of the target group, best first; made for people and for import by any tool.
//!
//! A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return for a formula (OWASP ASVS
//! 1.2.10). Such a cell gets an apostrophe before it, except a telephone number in E.164, which computes nothing and
//! which every importer needs as it is.
//!
//! Beside the list stand, from the second time on, who is new on it and the ids of those who are no more.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;

use rayon::prelude::*;

use super::{FileWritten, Held, LEADING, Manifest, contact_values, file, targets};
use crate::error::Result;
use crate::expand::Expanded;
use crate::expand::phone::is_e164;
use crate::spec::Destination;
use crate::store;

/// People whose rows are made at once.
const CHUNK: usize = 8192;

pub(super) fn write(expanded: &Expanded, folder: &Path, stem: &str) -> Result<Manifest> {
    let mut manifest = Manifest::new(expanded, Destination::Csv);
    let name = format!("{stem}.csv");
    let people: Vec<usize> = targets(expanded).collect();
    let listed = listed(&folder.join(&name));
    let full = write_people(expanded, folder, (&name, Held::Full), &people, &mut manifest)?;
    manifest.files.push(full);
    if let Some(listed) = listed {
        let person = |row: usize| &expanded.chosen.person[row];
        let added: Vec<usize> = people.iter().copied().filter(|&row| !listed.contains(&shown(person(row)))).collect();
        let added = write_people(expanded, folder, ("added.csv", Held::Added), &added, &mut manifest)?;
        let still: BTreeSet<String> = people.iter().map(|&row| shown(person(row))).collect();
        let removed: Vec<&String> = listed.difference(&still).collect();
        let gone = std::iter::once("person").chain(removed.iter().map(|person| person.as_str()));
        let gone = rows(gone.map(|cell| std::iter::once(Cow::Borrowed(cell))));
        let removed =
            file(folder, "removed.csv", Held::Removed, removed.len(), |writer| writer.write_all(&gone.bytes))?;
        manifest.files.extend([added, removed]);
    }
    manifest.kept = people.len() as u64;
    Ok(manifest)
}

/// The people of the last list, as it names them; `None` when there is none that can be read.
fn listed(path: &Path) -> Option<BTreeSet<String>> {
    let bytes = store::read_bytes(path).ok()?;
    csv::Reader::from_reader(bytes.as_slice()).records().map(|row| Some(row.ok()?.get(0)?.to_owned())).collect()
}

/// An id as the list shows it.
fn shown(person: &str) -> String {
    if is_formula(person) { format!("'{person}") } else { person.to_owned() }
}

fn write_people(
    expanded: &Expanded,
    folder: &Path,
    (name, held): (&str, Held),
    people: &[usize],
    manifest: &mut Manifest,
) -> Result<FileWritten> {
    let contacts = expanded.contacts.columns.iter().map(|column| column.name.as_str());
    let header = rows(std::iter::once(LEADING.into_iter().chain(contacts).map(Cow::Borrowed)));
    let chunks = people.par_chunks(CHUNK).map(|people| rows(people.iter().map(|&row| cells(expanded, row))));
    let chunks: Vec<Rows> = std::iter::once(header).chain(chunks.collect::<Vec<_>>()).collect();
    if held == Held::Full {
        manifest.neutralised = chunks.iter().map(|chunk| chunk.n_neutralised).sum();
    }
    file(folder, name, held, people.len(), |writer| chunks.iter().try_for_each(|chunk| writer.write_all(&chunk.bytes)))
}

fn cells(expanded: &Expanded, row: usize) -> impl Iterator<Item = Cow<'_, str>> {
    let chosen = &expanded.chosen;
    let propensity = chosen.propensity.as_ref().map_or_else(String::new, |propensity| propensity[row].to_string());
    let numbers = [chosen.rank[row].to_string(), propensity];
    let reasons = chosen.reasons.of(row).into_iter().map(Option::unwrap_or_default);
    std::iter::once(Cow::Borrowed(&chosen.person[row]))
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
