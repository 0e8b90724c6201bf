//! Files for machines: what a destination's [`rules`] say, and nothing else. No code here knows a vendor.
//!
//! Rows stand in the order of their own text, which for hashes says nothing about rank, and the same people give the same
//! bytes. Two people whose rows are the same after normalisation are one row. A list that is larger than a file may be is
//! parted; what came and what went since the last export stands in files of its own ([`delta`]), and so does who was
//! rejected and why.

use std::path::Path;

use super::delta::Since;
use super::form::Form;
use super::order::Ordered;
use super::rules::{self, Field, Rules};
use super::{FileWritten, Held, Manifest, RulesRead, file, names, targets, write_rejected};
use crate::error::{Error, Result};
use crate::expand::Expanded;
use crate::rate::{grouped, tallied};
use crate::spec::Destination;

pub(super) fn write(expanded: &Expanded, destination: Destination, folder: &Path, stem: &str) -> Result<Manifest> {
    let mut rules = rules::of(destination)
        .ok_or_else(|| Error::internal(format!("{} has no file of rules", destination.name())))?;
    if expanded.keeps_gmail_dots {
        rules.keep_gmail_dots();
    }
    let form = Form::new(&rules, expanded);
    let mut manifest = Manifest::new(expanded, destination);
    let rows: Vec<u32> =
        targets(expanded).map(|row| u32::try_from(row).expect("rows are counted in 32 bits")).collect();
    let (ordered, rejected) = Ordered::of(&form, expanded, rows, &mut manifest);

    let mut since = Since::open(folder, &form, &mut manifest.warnings);
    manifest.files.extend(write_full(&ordered, &form, folder, stem, &mut since)?);
    if let Some(since) = since {
        let (added, removed) = since.finish(folder)?;
        manifest.files.extend(write_lines(&form, folder, "added", Held::Added, &added)?);
        manifest.files.extend(write_lines(&form, folder, "removed", Held::Removed, &removed)?);
    }
    manifest.files.extend(write_rejected(folder, rejected)?);
    manifest.warnings.extend(warnings(&rules, &form, &manifest, expanded));
    manifest.rules = Some(RulesRead { read_on: rules.read_on, pages: rules.pages });
    manifest.notes = rules.notes;
    manifest.consent = Some(if expanded.asks_consent {
        rules.consent
    } else {
        format!("{} (this audience has no consent rule)", rules.consent)
    });
    Ok(manifest)
}

/// Writes the whole list; each line is compared with the last export's as it passes.
fn write_full(
    ordered: &Ordered,
    form: &Form<'_>,
    folder: &Path,
    stem: &str,
    since: &mut Option<Since>,
) -> Result<Vec<FileWritten>> {
    let lengths: Vec<usize> = ordered.lengths().collect();
    write_parts(form, folder, stem, Held::Full, &lengths, |part, write| {
        ordered.lines(part).try_for_each(|line| {
            write(line)?;
            since.as_mut().map_or(Ok(()), |since| since.pass(line))
        })
    })
}

fn write_lines(form: &Form<'_>, folder: &Path, stem: &str, held: Held, lines: &[String]) -> Result<Vec<FileWritten>> {
    let lengths: Vec<usize> = lines.iter().map(String::len).collect();
    write_parts(form, folder, stem, held, &lengths, |part, write| lines[part].iter().try_for_each(|line| write(line)))
}

/// What takes a line.
type Write<'w> = dyn FnMut(&str) -> std::io::Result<()> + 'w;

/// Writes lines of these lengths as one file, or as several where the destination takes no larger ones; `fill` is asked for
/// the lines of one part after the other.
fn write_parts(
    form: &Form<'_>,
    folder: &Path,
    stem: &str,
    held: Held,
    lengths: &[usize],
    mut fill: impl FnMut(std::ops::Range<usize>, &mut Write<'_>) -> std::io::Result<()>,
) -> Result<Vec<FileWritten>> {
    let (head, end) = (form.head(), form.rules.line_end.text());
    let head_bytes: usize = head.iter().map(|line| line.len() + end.len()).sum();
    let parts = parts(lengths, form.rules, head_bytes);
    let n_parts = parts.len();
    let part = |(at, part): (usize, std::ops::Range<usize>)| {
        let name = if n_parts == 1 { format!("{stem}.csv") } else { format!("{stem}-{}.csv", at + 1) };
        file(folder, &name, held, part.len(), |writer| {
            let mut write = |line: &str| {
                writer.write_all(line.as_bytes())?;
                writer.write_all(end.as_bytes())
            };
            head.iter().try_for_each(|line| write(line))?;
            fill(part, &mut write)
        })
    };
    parts.into_iter().enumerate().map(part).collect()
}

/// Lines in as few runs as the destination's limits allow; one, perhaps empty, at the least.
fn parts(lengths: &[usize], rules: &Rules, head_bytes: usize) -> Vec<std::ops::Range<usize>> {
    let (most_rows, most_bytes) = (rules.most_rows.unwrap_or(usize::MAX), rules.most_bytes.unwrap_or(usize::MAX));
    let mut parts = Vec::new();
    let (mut start, mut bytes) = (0, head_bytes);
    for (at, length) in lengths.iter().enumerate() {
        let more = length + rules.line_end.text().len();
        if at > start && (at - start >= most_rows || bytes + more > most_bytes) {
            parts.push(start..at);
            (start, bytes) = (at, head_bytes);
        }
        bytes += more;
    }
    parts.push(start..lengths.len());
    parts
}

fn warnings(rules: &Rules, form: &Form<'_>, manifest: &Manifest, expanded: &Expanded) -> Vec<String> {
    let mut warnings = Vec::new();
    let has = |header: &String| {
        let mut columns = rules.columns.iter().filter(|column| column.header == *header);
        columns.any(|column| match column.field {
            Field::Contact(role) => expanded.contacts.has(role),
            Field::Known(_) => true,
        })
    };
    if !rules.match_keys.iter().any(|headers| headers.iter().all(has)) {
        warnings.push(format!(
            "No contact column fills {}. Name a column that holds one of them in `contact` of [people.*].",
            form.headers.join(", ")
        ));
    }
    let n_rejected: u64 = manifest.rejected.values().sum();
    if n_rejected > manifest.kept {
        warnings.push(format!(
            "Only {} of {} people are in the file ({}); rejected.csv says who is not.",
            grouped(manifest.kept),
            grouped(manifest.kept + n_rejected),
            tallied(&manifest.rejected)
        ));
    }
    if let Some(advised) = rules.advised_rows.filter(|&advised| manifest.kept < advised) {
        warnings.push(format!(
            "{} works with lists of {advised} people or more; this one has {}.",
            rules.title, manifest.kept
        ));
    }
    if !expanded.asks_consent {
        warnings.push(format!("The audience has no consent rule: {}.", rules.consent));
    }
    if let Some(hint) = names::hint(form.audience).filter(|_| rules.is_ad_platform) {
        warnings.push(format!(
            "The name `{}` hints at {hint}; ad platforms flag or refuse such audiences. Give it a neutral name.",
            form.audience
        ));
    }
    warnings
}
