//! The files to upload: the target group only, never the holdout.
//!
//! Two profiles, because they collide (ASVS 1.2.10 wants a leading `+` escaped, E.164 needs it): files for *people* (csv,
//! xlsx) hold every row, and no cell is ever a formula; files for *machines* (the upload forms of ad platforms) hold
//! only cells of a closed grammar, and a row without anything to match on is rejected, never mended. A third kind is for
//! *programs* (parquet, sqlite, postgres): a table that any of them reads.

mod cells;
mod delta;
mod form;
mod names;
mod order;
mod plain;
mod rules;
mod table;
mod upload;
mod workbook;

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::contact::Role;
use super::hashes;
use super::summary::{Exported, ListUsed};
use super::{Expanded, Group};
use crate::error::{Error, Result};
use crate::spec::Destination;
use crate::store;

/// What lies in a destination's folder: its `manifest.json`. It holds counts, never anything of a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this format.
    pub format_version: u32,
    /// The audience.
    pub audience: String,
    /// The destination.
    pub destination: String,
    /// The version of the model whose scores rank the audience.
    #[serde(default)]
    pub model: Option<String>,
    /// The instant that it is a list of; absent in a snapshot.
    #[serde(default)]
    pub as_of: Option<String>,
    /// When its horizon is over.
    #[serde(default)]
    pub valid_until: Option<String>,
    /// The suppression lists that nobody in the files is on.
    #[serde(default)]
    pub suppression: Vec<ListUsed>,
    /// When the destination's rules were read, and where; absent for plain files.
    pub rules: Option<RulesRead>,
    /// The files beside this one.
    pub files: Vec<FileWritten>,
    /// People in them.
    pub kept: u64,
    /// People of the target group who are not in them, by reason.
    pub rejected: BTreeMap<String, u64>,
    /// Values left out of rows that were kept, by reason.
    pub omitted: BTreeMap<String, u64>,
    /// Rows that hold a value, by column.
    pub filled: BTreeMap<String, u64>,
    /// What the destination may find people by, before anything is uploaded: how many of the kept rows carry it.
    #[serde(default)]
    pub matched: BTreeMap<String, u64>,
    /// Cells that a spreadsheet would have taken for a formula, and that begin with an apostrophe now.
    pub neutralised: u64,
    /// Hashed or not, the files speak of people: the same access and retention rules hold for them.
    pub holds_personal_data: bool,
    /// What the destination has to be told about consent.
    pub consent: Option<String>,
    /// What to know before uploading, whatever the list.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What to know before uploading this one.
    pub warnings: Vec<String>,
}

/// The source of a destination's rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulesRead {
    /// The day they were read.
    pub read_on: String,
    /// The pages they were read from.
    pub pages: Vec<String>,
}

/// A file of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileWritten {
    /// Its name.
    pub path: String,
    /// Which people are in it.
    pub held: Held,
    /// How many rows of people.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
    /// BLAKE3 of its bytes, hex.
    pub blake3: String,
}

/// Which people a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Held {
    /// Everyone.
    Full,
    /// Those who are new or whose row changed since the last export.
    Added,
    /// Those who were there at the last export and are no more: to be taken off the destination's list.
    Removed,
    /// Those who could not be given, by their rank in `audience.parquet`, and why.
    Rejected,
}

/// Someone who could not be given to a destination.
struct Rejected {
    rank: u32,
    why: &'static str,
}

/// Writes every destination's folder, removes those of others, and says what each got.
pub(super) fn write(expanded: &Expanded, folder: &Path, warnings: &mut Vec<String>) -> Result<Vec<Exported>> {
    let exports = folder.join("export");
    expanded.contacts.read_numbers();
    let names: Vec<&str> = expanded.destinations.iter().map(|destination| destination.name()).collect();
    store::keep_only(&exports, &names)?;
    let mut written = Vec::with_capacity(names.len());
    for &destination in &expanded.destinations {
        let folder = exports.join(destination.name());
        let stem = file_stem(&expanded.summary.audience);
        let manifest = match destination {
            Destination::Csv => plain::write(expanded, &folder, &stem)?,
            Destination::Xlsx => workbook::write(expanded, &folder, &format!("{stem}.xlsx"))?,
            Destination::Parquet | Destination::Sqlite | Destination::Postgres => {
                table::write(expanded, destination, &folder, &stem)?
            }
            _ => upload::write(expanded, destination, &folder, &stem)?,
        };
        let files = manifest.files.iter().map(|file| file.path.as_str());
        store::keep_only(&folder, &files.chain(["manifest.json"]).collect::<Vec<_>>())?;
        store::write_json(&folder.join("manifest.json"), &manifest)?;
        warnings.extend(manifest.warnings.iter().map(|warning| format!("{}: {warning}", destination.name())));
        written.push(Exported {
            destination: destination.name().to_owned(),
            path: format!("export/{}/{}", destination.name(), manifest.files[0].path),
            kept: manifest.kept,
            rejected: manifest.rejected,
        });
    }
    Ok(written)
}

/// The audience's name with nothing in it that a file system or a shell minds.
fn file_stem(audience: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
    let stem: String = audience.chars().map(plain).collect();
    let stem = stem.trim_start_matches(['.', '-']);
    if stem.is_empty() { "audience".to_owned() } else { stem.to_owned() }
}

impl Manifest {
    fn new(expanded: &Expanded, destination: Destination) -> Self {
        Self {
            format_version: 1,
            audience: expanded.summary.audience.clone(),
            destination: destination.name().to_owned(),
            model: expanded.stamp.model.clone(),
            as_of: expanded.summary.as_of.clone(),
            valid_until: expanded.stamp.valid_until.map(|until| until.to_string()),
            suppression: expanded.summary.suppression.clone(),
            rules: None,
            files: Vec::new(),
            kept: 0,
            rejected: BTreeMap::new(),
            omitted: BTreeMap::new(),
            filled: BTreeMap::new(),
            matched: BTreeMap::new(),
            neutralised: 0,
            holds_personal_data: true,
            consent: None,
            notes: Vec::new(),
            warnings: Vec::new(),
        }
    }
}

/// The rows of the target group, best first.
fn targets(expanded: &Expanded) -> impl Iterator<Item = usize> + '_ {
    (0..expanded.chosen.len()).filter(|&row| expanded.chosen.group[row] == Group::Target)
}

/// The columns that files for people begin with; contact columns follow.
const LEADING: [&str; 6] = ["person", "rank", "propensity", "reason_1", "reason_2", "reason_3"];

/// The contact values of a row for people to use: phones as E.164 where they can be, the rest as it is.
fn contact_values(expanded: &Expanded, row: usize) -> impl Iterator<Item = String> + '_ {
    let contacts = &expanded.contacts;
    contacts.columns.iter().map(move |column| {
        // The hash of nothing is nobody's.
        let text = || {
            contacts
                .text(column, row)
                .filter(|text| hashes::read(text).is_none_or(|hash| hash != hashes::of("")))
                .unwrap_or_default()
                .to_owned()
        };
        match column.role {
            Role::Phone => contacts.e164(column, row).unwrap_or_else(|_| text()),
            _ => text(),
        }
    })
}

/// Writes who was rejected and why, best ranked first; nothing when nobody was.
fn write_rejected(folder: &Path, mut rejected: Vec<Rejected>) -> Result<Option<FileWritten>> {
    if rejected.is_empty() {
        return Ok(None);
    }
    rejected.sort_unstable_by_key(|rejected| rejected.rank);
    let rows = |writer: &mut dyn Write| {
        write!(writer, "rank,reason\r\n")?;
        rejected.iter().try_for_each(|rejected| write!(writer, "{},{}\r\n", rejected.rank, rejected.why))
    };
    file(folder, "rejected.csv", Held::Rejected, rejected.len(), rows).map(Some)
}

/// Writes a file and says what it is.
fn file(
    folder: &Path,
    name: &str,
    held: Held,
    n_rows: usize,
    fill: impl FnOnce(&mut dyn Write) -> std::result::Result<(), std::io::Error>,
) -> Result<FileWritten> {
    let path = folder.join(name);
    let mut done = None;
    store::write_with(&path, |writer| {
        // Many bytes are hashed several at once, few one after the other.
        let mut hashing =
            BufWriter::with_capacity(1 << 16, Hashing { writer, hasher: blake3::Hasher::new(), bytes: 0 });
        let filled = fill(&mut hashing).and_then(|()| hashing.flush());
        filled.map_err(|error| Error::io("write", &path, &error))?;
        let Hashing { hasher, bytes, .. } = hashing.get_ref();
        done = Some((*bytes, hasher.finalize().to_hex().to_string()));
        Ok(())
    })?;
    let (bytes, blake3) = done.expect("a file that was written was filled");
    Ok(FileWritten { path: name.to_owned(), held, rows: n_rows as u64, bytes, blake3 })
}

/// Hashes what passes through.
struct Hashing<W> {
    writer: W,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let n = self.writer.write(bytes)?;
        self.hasher.update(&bytes[..n]);
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.writer.flush()
    }
}
