//! Files for machines: what a destination's [`rules`] say, and nothing else. No code here knows a vendor.
//!
//! Rows stand in the order of their own text, which is that of the hashes: it says nothing about rank, and the same
//! people give the same bytes. Two people whose rows are the same after normalisation are one row.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::rules::{self, Column, HASH_OF_NOTHING, Rules};
use super::{Manifest, RulesRead, file, targets};
use crate::error::{Error, Result};
use crate::expand::Expanded;
use crate::expand::normalise::{self, Unfit};
use crate::expand::suppression::hex;
use crate::spec::Destination;

pub(super) fn write(expanded: &Expanded, destination: Destination, folder: &Path, name: &str) -> Result<Manifest> {
    let rules = rules::of(destination)
        .ok_or_else(|| Error::internal(format!("{} has no file of rules", destination.name())))?;
    let form = Form::new(&rules, expanded);
    let rows: Vec<usize> = targets(expanded).collect();
    let made: Vec<Made> = rows.par_iter().with_min_len(512).map(|&row| form.row(expanded, row)).collect();

    let mut manifest = Manifest::new(expanded, destination);
    let mut lines = count(made, &form, &mut manifest);
    lines.par_sort_unstable();
    let n_rows = lines.len();
    lines.dedup();
    add(&mut manifest.rejected, "the same after normalisation as another row", n_rows - lines.len());
    manifest.kept = lines.len() as u64;
    manifest.files.push(file(folder, name, |writer| {
        write!(writer, "{}\r\n", form.headers.join(","))?;
        lines.iter().try_for_each(|line| write!(writer, "{line}\r\n"))
    })?);
    manifest.warnings = warnings(&rules, &form, &manifest, expanded);
    manifest.rules = Some(RulesRead { read_on: rules.read_on, pages: rules.pages });
    manifest.consent = Some(if expanded.asks_consent {
        rules.consent
    } else {
        format!("{} (this audience has no consent rule)", rules.consent)
    });
    Ok(manifest)
}

/// The columns of a file, those with several values repeated.
struct Form<'a> {
    rules: &'a Rules,
    headers: Vec<&'a str>,
    /// How often each column of the rules stands there.
    repeats: Vec<usize>,
}

/// What became of a person.
struct Made {
    /// The line to upload, or why there is none.
    line: std::result::Result<String, Unfit>,
    /// Values that did not fit.
    unfit: Vec<Unfit>,
    /// Which headers hold a value, a bit each.
    filled: u64,
}

const NOTHING_TO_MATCH: Unfit = "nothing to match on";

impl<'a> Form<'a> {
    fn new(rules: &'a Rules, expanded: &Expanded) -> Self {
        let n_values = |column: &Column| expanded.contacts.with_role(column.field).count();
        let repeats: Vec<usize> =
            rules.columns.iter().map(|column| n_values(column).clamp(1, column.at_most)).collect();
        let headers = rules.columns.iter().zip(&repeats);
        let headers = headers.flat_map(|(column, &n)| std::iter::repeat_n(column.header.as_str(), n)).collect();
        Self { rules, headers, repeats }
    }

    fn row(&self, expanded: &Expanded, row: usize) -> Made {
        let mut unfit = Vec::new();
        let mut cells: Vec<String> = Vec::with_capacity(self.headers.len());
        for (column, &n) in self.rules.columns.iter().zip(&self.repeats) {
            let mut values = values(column, expanded, row, &mut unfit);
            values.resize(n, String::new());
            cells.append(&mut values);
        }
        for headers in &self.rules.together {
            if !self.is_whole(headers, &cells) {
                self.blank(headers, &mut cells);
            }
        }
        let line = if self.rules.match_keys.iter().any(|headers| self.is_whole(headers, &cells)) {
            Ok(cells.join(","))
        } else {
            Err(unfit.first().copied().unwrap_or(NOTHING_TO_MATCH))
        };
        let filled = cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()).map(|(at, _)| 1 << at).sum();
        Made { line, unfit, filled }
    }

    /// Whether a value stands under each of `headers`.
    fn is_whole(&self, headers: &[String], cells: &[String]) -> bool {
        let is_filled = |header: &String| {
            self.headers.iter().zip(cells).any(|(other, cell)| *other == header.as_str() && !cell.is_empty())
        };
        headers.iter().all(is_filled)
    }

    fn blank(&self, headers: &[String], cells: &mut [String]) {
        for (header, cell) in self.headers.iter().zip(cells) {
            if headers.iter().any(|other| other == header) {
                cell.clear();
            }
        }
    }
}

/// The values that a person has for a column: normalised, hashed, each once, never outside the grammar.
fn values(column: &Column, expanded: &Expanded, row: usize, unfit: &mut Vec<Unfit>) -> Vec<String> {
    let country = expanded.contacts.country(row);
    let mut values: Vec<String> = Vec::new();
    for contact in expanded.contacts.with_role(column.field) {
        let Some(text) = contact.values.get(row) else { continue };
        match cell(column, text, country) {
            Ok(Some(value)) if !values.contains(&value) && values.len() < column.at_most => values.push(value),
            Ok(_) => {}
            Err(why) => unfit.push(why),
        }
    }
    values
}

fn cell(column: &Column, text: &str, country: Option<&str>) -> std::result::Result<Option<String>, Unfit> {
    let hashed_already = normalise::cleaned(text).to_lowercase();
    let value = if column.hash && is_hash(&hashed_already) {
        Some(hashed_already).filter(|hash| hash != HASH_OF_NOTHING)
    } else {
        let value = normalise::apply(&column.steps, text, country)?;
        value.map(|value| if column.hash { hex(&Sha256::digest(value.as_bytes())) } else { value })
    };
    match value {
        Some(value) if !column.grammar.holds(&value) => Err("a value is not of the destination's form"),
        value => Ok(value),
    }
}

/// The whole text, not a part of it: a text that only contains 64 hexadecimal digits is no hash.
fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn count(made: Vec<Made>, form: &Form<'_>, manifest: &mut Manifest) -> Vec<String> {
    let mut lines = Vec::with_capacity(made.len());
    let mut filled = vec![0_usize; form.headers.len()];
    for Made { line, unfit, filled: bits } in made {
        match line {
            Err(why) => add(&mut manifest.rejected, why, 1),
            Ok(line) => {
                lines.push(line);
                for why in unfit {
                    add(&mut manifest.omitted, why, 1);
                }
                for (at, n) in filled.iter_mut().enumerate() {
                    *n += usize::from(bits >> at & 1 == 1);
                }
            }
        }
    }
    for (header, n) in form.headers.iter().zip(filled) {
        *manifest.filled.entry((*header).to_owned()).or_default() += n as u64;
    }
    lines
}

fn add(counts: &mut BTreeMap<String, u64>, reason: &str, n: usize) {
    if n > 0 {
        *counts.entry(reason.to_owned()).or_default() += n as u64;
    }
}

fn warnings(rules: &Rules, form: &Form<'_>, manifest: &Manifest, expanded: &Expanded) -> Vec<String> {
    let mut warnings = Vec::new();
    let has = |header: &String| {
        let column = rules.columns.iter().find(|column| column.header == *header);
        column.is_some_and(|column| expanded.contacts.has(column.field))
    };
    if !rules.match_keys.iter().any(|headers| headers.iter().all(has)) {
        warnings.push(format!(
            "No contact column fills {}. Name the columns that hold e-mail or phone in `contact` of [people.*].",
            form.headers.join(", ")
        ));
    }
    if let Some(advised) = rules.advised_rows.filter(|&advised| manifest.kept < advised) {
        warnings.push(format!(
            "{} works with lists of {advised} people or more; this one has {}.",
            rules.title, manifest.kept
        ));
    }
    if !expanded.asks_consent {
        warnings.push(format!("The audience has no consent rule. {}.", capital(&rules.consent)));
    }
    warnings
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(destination: Destination, header: &str, text: &str, country: Option<&str>) -> Option<String> {
        let rules = rules::of(destination).expect("rules");
        let column = rules.columns.iter().find(|column| column.header == header).expect("a column");
        cell(column, text, country).ok().flatten()
    }

    fn google(header: &str, text: &str, country: Option<&str>) -> Option<String> {
        given(Destination::GoogleCustomerMatch, header, text, country)
    }

    fn meta(header: &str, text: &str, country: Option<&str>) -> Option<String> {
        given(Destination::MetaCustomAudience, header, text, country)
    }

    #[expect(clippy::unnecessary_wraps, reason = "it is compared with values that may be absent")]
    fn sha(text: &str) -> Option<String> {
        Some(hex(&Sha256::digest(text.as_bytes())))
    }

    #[test]
    fn hashes_are_those_that_vendors_publish() {
        // X's published vector.
        assert!(sha("adsapi").is_some_and(|hash| hash.starts_with("49e0be2a") && hash.ends_with("1470d")));
        // TikTok's worked example is of the digits without the plus sign.
        assert!(sha("37493828222").is_some_and(|hash| hash.starts_with("65b7e6dc")));
        // developers.google.com/data-manager/api/get-started/formatting; Meta wants the digits alone.
        let google_phone = "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30";
        let meta_phone = "92cfdc5fbcd4a20fbe5d3857af6c1aba31762105bba7f21a17155e920653046c";
        for phone in ["(800) 555-0100", "(800)555-0100", "+1 800 555 0100", "1 (800) 555-0100"] {
            assert_eq!(google("Phone", phone, Some("us")).as_deref(), Some(google_phone), "{phone}");
            assert_eq!(meta("phone", phone, Some("us")).as_deref(), Some(meta_phone), "{phone}");
        }
        let google_email = "d6117306485ed0e50afab3ac871e98f81699151f30281527d63ff5f233656c69";
        assert_eq!(google("Email", "Jane.Doe@gmail.com", None).as_deref(), Some(google_email));
        assert_eq!(meta("email", "Jane.Doe@gmail.com", None), sha("jane.doe@gmail.com"));
    }

    #[test]
    fn mistakes_of_other_connectors_are_not_made() {
        // Google's Python sample does not lower-case when it removes blanks; Segment takes the first dot alone, and gmailx.com for gmail.
        assert_eq!(google("Email", " J. A.Doe @GoogleMail.com", None), sha("jadoe@googlemail.com"));
        assert_eq!(google("Email", "j.doe@gmailx.com", None), sha("j.doe@gmailx.com"));
        assert_eq!(google("Email", "jane+shop@gmail.com", None), sha("jane+shop@gmail.com"));
        // Segment hashes names as they are; Meta's old kit drops what is not a–z.
        assert_eq!(google("First Name", " ZOË ", None), sha("zoë"));
        assert_eq!(meta("ln", "Pérez", None), sha("pérez"));
        // Only a text that is a hash as a whole is taken for one.
        let hash = sha("jane@x.co").unwrap();
        assert_eq!(google("Email", &hash.to_uppercase(), None).as_deref(), Some(hash.as_str()));
        assert_eq!(google("Email", &format!("{hash}@x.co"), None), sha(&format!("{hash}@x.co")));
    }

    #[test]
    fn nothing_has_no_hash() {
        for header in ["email", "phone", "fn", "ln", "ct", "st", "zip", "country"] {
            for text in [
                "",
                " ",
                "\u{a0}",
                "-",
                "n/a",
                HASH_OF_NOTHING,
                "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
            ] {
                assert_eq!(meta(header, text, Some("us")), None, "{header} {text}");
            }
        }
        assert_eq!(google("Country", "germany", None).as_deref(), Some("DE"));
        assert_eq!(meta("country", "DEU", None), sha("de"));
        assert_eq!(meta("zip", "94303-5300", Some("us")), sha("94303"));
    }
}
