//! Files for machines: what a destination's [`rules`] say, and nothing else. No code here knows a vendor.
//!
//! Rows stand in the order of their own text, which for hashes says nothing about rank, and the same people give the same
//! bytes. Two people whose rows are the same after normalisation are one row. A list that is larger than a file may be is
//! parted; what came and what went since the last export stands in files of its own ([`delta`]), and so does who was
//! rejected and why.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::delta::{self, Previous};
use super::rules::{self, Column, Field, HASH_OF_NOTHING, Known, Rules};
use super::{Held, Manifest, Rejected, RulesRead, file, names, targets, write_rejected};
use crate::error::{Error, Result};
use crate::expand::Expanded;
use crate::expand::contact::Role;
use crate::expand::normalise::{self, Unfit};
use crate::expand::suppression::hex;
use crate::spec::Destination;

pub(super) fn write(expanded: &Expanded, destination: Destination, folder: &Path, stem: &str) -> Result<Manifest> {
    let rules = rules::of(destination)
        .ok_or_else(|| Error::internal(format!("{} has no file of rules", destination.name())))?;
    let form = Form::new(&rules, expanded);
    let rows: Vec<usize> = targets(expanded).collect();
    let made: Vec<Made> = rows.par_iter().with_min_len(512).map(|&row| form.row(expanded, row)).collect();

    let mut manifest = Manifest::new(expanded, destination);
    let (lines, rejected) = sorted(count(made, &form, expanded, &rows, &mut manifest), &mut manifest);
    let since =
        delta::since(&Previous::read(folder, &form.head(), &mut manifest.warnings), &lines, &form.key_columns());
    manifest.files.extend(form.write_parts(folder, stem, Held::Full, &lines)?);
    if let Some(since) = since {
        manifest.files.extend(form.write_parts(folder, "added", Held::Added, &since.added)?);
        manifest.files.extend(form.write_parts(folder, "removed", Held::Removed, &since.removed)?);
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

/// The columns of a file, those with several values repeated.
struct Form<'a> {
    rules: &'a Rules,
    audience: &'a str,
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
    /// Which match keys are whole, a bit each.
    matched: u64,
}

const NOTHING_TO_MATCH: Unfit = "nothing to match on";
const REPEATED: Unfit = "the same after normalisation as another row";

impl<'a> Form<'a> {
    fn new(rules: &'a Rules, expanded: &'a Expanded) -> Self {
        let n_values = |column: &Column| match column.field {
            Field::Contact(role) => expanded.contacts.with_role(role).count(),
            Field::Known(_) => 1,
        };
        let repeats: Vec<usize> =
            rules.columns.iter().map(|column| n_values(column).clamp(1, column.at_most)).collect();
        let headers = rules.columns.iter().zip(&repeats);
        let headers = headers.flat_map(|(column, &n)| std::iter::repeat_n(column.header.as_str(), n)).collect();
        Self { rules, audience: &expanded.summary.audience, headers, repeats }
    }

    /// What stands above the people: the header and the lines that the destination wants below it.
    fn head(&self) -> Vec<String> {
        let header = self.rules.has_header.then(|| self.headers.join(","));
        let preamble = self.rules.preamble.iter().map(|line| line.replace("{audience}", self.audience));
        header.into_iter().chain(preamble).collect()
    }

    /// Positions of the columns that tell who a row is.
    fn key_columns(&self) -> Vec<usize> {
        let is_key = |header: &str| self.rules.match_keys.iter().flatten().any(|key| key == header);
        (0..self.headers.len()).filter(|&at| is_key(self.headers[at])).collect()
    }

    fn row(&self, expanded: &Expanded, row: usize) -> Made {
        let mut unfit = Vec::new();
        let mut cells: Vec<String> = Vec::with_capacity(self.headers.len());
        for (column, &n) in self.rules.columns.iter().zip(&self.repeats) {
            let mut values = values(column, expanded, row, &mut unfit);
            values.retain(|value| !self.stands_already(&column.header, value, &cells));
            values.resize(n, String::new());
            cells.append(&mut values);
        }
        for headers in &self.rules.together {
            if !self.is_whole(headers, &cells) {
                self.blank(headers, &mut cells);
            }
        }
        for headers in &self.rules.exclusive {
            let filled = headers.iter().position(|header| self.is_whole(std::slice::from_ref(header), &cells));
            self.blank(&headers[filled.map_or(headers.len(), |filled| filled + 1)..], &mut cells);
        }
        let keys = self.rules.match_keys.iter().enumerate();
        let matched = keys.filter(|(_, headers)| self.is_whole(headers, &cells)).map(|(at, _)| 1 << at).sum();
        let line =
            if matched == 0 { Err(unfit.first().copied().unwrap_or(NOTHING_TO_MATCH)) } else { Ok(cells.join(",")) };
        let filled = cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()).map(|(at, _)| 1 << at).sum();
        Made { line, unfit, filled, matched }
    }

    /// Whether another column of the same name holds the value.
    fn stands_already(&self, header: &str, value: &str, cells: &[String]) -> bool {
        self.headers.iter().zip(cells).any(|(other, cell)| *other == header && cell == value)
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

    /// Writes lines as one file, or as several where the destination takes no larger ones.
    fn write_parts(&self, folder: &Path, stem: &str, held: Held, lines: &[String]) -> Result<Vec<super::FileWritten>> {
        let (head, end) = (self.head(), self.rules.line_end.text());
        let head_bytes: usize = head.iter().map(|line| line.len() + end.len()).sum();
        let parts = parts(lines, self.rules, head_bytes);
        let n_parts = parts.len();
        let part = |(at, lines): (usize, &[String])| {
            let name = if n_parts == 1 { format!("{stem}.csv") } else { format!("{stem}-{}.csv", at + 1) };
            file(folder, &name, held, lines.len(), |writer| {
                head.iter().chain(lines).try_for_each(|line| write!(writer, "{line}{end}"))
            })
        };
        parts.into_iter().enumerate().map(part).collect()
    }
}

/// Lines in as few runs as the destination's limits allow; one, perhaps empty, at the least.
fn parts<'l>(lines: &'l [String], rules: &Rules, head_bytes: usize) -> Vec<&'l [String]> {
    let (most_rows, most_bytes) = (rules.most_rows.unwrap_or(usize::MAX), rules.most_bytes.unwrap_or(usize::MAX));
    let mut parts = Vec::new();
    let (mut start, mut bytes) = (0, head_bytes);
    for (at, line) in lines.iter().enumerate() {
        let more = line.len() + rules.line_end.text().len();
        if at > start && (at - start >= most_rows || bytes + more > most_bytes) {
            parts.push(&lines[start..at]);
            (start, bytes) = (at, head_bytes);
        }
        bytes += more;
    }
    parts.push(&lines[start..]);
    parts
}

/// The values that a person has for a column: normalised, hashed, each once, never outside the grammar.
fn values(column: &Column, expanded: &Expanded, row: usize, unfit: &mut Vec<Unfit>) -> Vec<String> {
    match column.field {
        Field::Contact(role) => contact_values(column, role, expanded, row, unfit),
        Field::Known(known) => known_value(column, known, expanded, row).into_iter().collect(),
    }
}

fn contact_values(column: &Column, role: Role, expanded: &Expanded, row: usize, unfit: &mut Vec<Unfit>) -> Vec<String> {
    let country = expanded.contacts.country(row);
    let mut values: Vec<String> = Vec::new();
    for contact in expanded.contacts.with_role(role) {
        let Some(text) = contact.values.get(row) else { continue };
        match cell(column, text, country) {
            Ok(Some(value)) if !values.contains(&value) && values.len() < column.at_most => values.push(value),
            Ok(_) => {}
            Err(why) => unfit.push(why),
        }
    }
    values
}

fn known_value(column: &Column, known: Known, expanded: &Expanded, row: usize) -> Option<String> {
    let (chosen, campaign) = (&expanded.chosen, expanded.campaign.as_ref());
    let value = match known {
        Known::Constant => return Some(column.constant.clone()),
        Known::Id => {
            let others = expanded.contacts.with_role(Role::Other).filter_map(|column| column.values.get(row));
            let mut ids = std::iter::once(chosen.person[row].as_str()).chain(others).map(normalise::cleaned);
            return ids.find(|id| column.grammar.holds(id));
        }
        Known::Person => chosen.person[row].clone(),
        Known::Rank => chosen.rank[row].to_string(),
        Known::Value => format!("{:.6}", chosen.score[row].max(0.0)),
        Known::Audience => expanded.summary.audience.clone(),
        Known::Campaign => campaign?.id.clone(),
        Known::CampaignStatus => campaign?.status.clone(),
    };
    Some(value).filter(|value| column.grammar.holds(value))
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
        Some(value) if column.most_bytes.is_some_and(|most| value.len() > most) => {
            Err("a value is longer than the destination takes")
        }
        value => Ok(value),
    }
}

/// The whole text, not a part of it: a text that only contains 64 hexadecimal digits is no hash.
fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The lines with the ranks of their people, and who has none.
fn count(
    made: Vec<Made>,
    form: &Form<'_>,
    expanded: &Expanded,
    rows: &[usize],
    manifest: &mut Manifest,
) -> (Vec<(String, u32)>, Vec<Rejected>) {
    let (mut lines, mut rejected) = (Vec::with_capacity(made.len()), Vec::new());
    let (mut filled, mut matched) = (vec![0; form.headers.len()], vec![0; form.rules.match_keys.len()]);
    let count_bits = |counts: &mut Vec<u64>, bits: u64| {
        counts.iter_mut().enumerate().for_each(|(at, n)| *n += bits >> at & 1);
    };
    for (made, &row) in made.into_iter().zip(rows) {
        let rank = expanded.chosen.rank[row];
        match made.line {
            Err(why) => rejected.push(Rejected { rank, why }),
            Ok(line) => {
                lines.push((line, rank));
                made.unfit.into_iter().for_each(|why| add(&mut manifest.omitted, why, 1));
                count_bits(&mut filled, made.filled);
                count_bits(&mut matched, made.matched);
            }
        }
    }
    for (header, n) in form.headers.iter().zip(filled) {
        *manifest.filled.entry((*header).to_owned()).or_default() += n;
    }
    let keys = form.rules.match_keys.iter().map(|headers| headers.join(" + "));
    manifest.matched = keys.zip(matched).collect();
    (lines, rejected)
}

/// The lines in their order, each once; of people with the same line the best ranked keeps it.
fn sorted(
    (mut lines, mut rejected): (Vec<(String, u32)>, Vec<Rejected>),
    manifest: &mut Manifest,
) -> (Vec<String>, Vec<Rejected>) {
    lines.par_sort_unstable();
    lines.dedup_by(|later, first| {
        let is_repeated = later.0 == first.0;
        if is_repeated {
            rejected.push(Rejected { rank: later.1, why: REPEATED });
        }
        is_repeated
    });
    for rejected in &rejected {
        add(&mut manifest.rejected, rejected.why, 1);
    }
    manifest.kept = lines.len() as u64;
    (lines.into_iter().map(|(line, _)| line).collect(), rejected)
}

fn add(counts: &mut BTreeMap<String, u64>, reason: &str, n: u64) {
    *counts.entry(reason.to_owned()).or_default() += n;
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
    if let Some(hint) = names::hint(form.audience).filter(|_| rules.is_ad_platform) {
        warnings.push(format!(
            "The name `{}` hints at {hint}; ad platforms flag or refuse such audiences. Give it a neutral name.",
            form.audience
        ));
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
    fn each_destination_gets_its_own_form() {
        let of = |destination, header, text| given(destination, header, text, Some("us"));
        let tiktok = |header, text| of(Destination::TiktokCustomAudience, header, text);
        assert_eq!(tiktok("Email_SHA256", " Jane.Doe+x@Gmail.com"), sha("jane.doe+x@gmail.com"));
        assert_eq!(tiktok("Phone_SHA256", "(657) 777-0000"), sha("+16577770000"));
        let rules = rules::of(Destination::TiktokCustomAudience).unwrap();
        let second = |header: &str, text| {
            let column = rules.columns.iter().filter(|column| column.header == header).nth(1).unwrap();
            cell(column, text, Some("us")).unwrap()
        };
        // The pages' worked examples: digits alone, and the address without dots and tag.
        assert_eq!(second("Phone_SHA256", "+374 93 828222"), sha("37493828222"));
        assert_eq!(second("Email_SHA256", "Jane.Doe+x@Gmail.com"), sha("janedoe@gmail.com"));
        let linkedin = |header, text| of(Destination::LinkedinMatchedAudience, header, text);
        // Segment hashes LinkedIn's e-mails without trimming or lowering them.
        assert_eq!(linkedin("email", " Jane@X.co "), sha("jane@x.co"));
        assert_eq!(linkedin("firstname", "Anne-Marie").as_deref(), Some("Anne-Marie"));
        assert_eq!(linkedin("firstname", "=1+1"), None);
        assert_eq!(linkedin("lastname", "Wolfeschlegelsteinhausenbergerdorff-Smith"), None);
        assert_eq!(linkedin("country", "Germany").as_deref(), Some("DE"));
        assert_eq!(of(Destination::MicrosoftCustomerMatch, "Text", " Jane@X.co "), sha("jane@x.co"));
        let device = "4B61639E-47CC-4056-A16A-C8217E029462";
        assert_eq!(of(Destination::XCustomAudience, "device_id", device), sha(&device.to_lowercase()));
        assert_eq!(tiktok("MAID", device).as_deref(), Some(device.to_lowercase().as_str()));
        assert_eq!(of(Destination::Mailchimp, "Email Address", "zoë@x.co"), None);
        assert_eq!(of(Destination::Klaviyo, "Phone Number", "(800) 555-0100").as_deref(), Some("+18005550100"));
        assert_eq!(of(Destination::Hubspot, "Email", "Zoë@X.co").as_deref(), Some("zoë@x.co"));
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
