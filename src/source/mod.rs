//! Files in, people and events out.
//!
//! [`read`] turns the tables of a spec into one [`People`] table and one [`Events`] table sorted by person and time, and
//! keeps a ledger: rows read = rows used + rows rejected, each rejection with its file, row and reason.
//!
//! 1. `files`: a table's files, whatever their format, as one stream of typed batches. A column's type is told, or found
//!    from all of its values (`kind`), never from its first ones.
//! 2. `read`: each table is read once; its batches go to every source of people and events, link and profile that wants
//!    them. Then the queries run (`sql`), and a table is dropped after the last query that names it.
//! 3. `gather`: texts become codes as soon as a batch is read (`intern`), times become instants (`times`), bad rows go to
//!    the `ledger`. Whole files are never held as text: ten million events take about 650 MB at most.
//! 4. [`identity`]: ids that links or likeness join become one person; people are sorted by id, events by person and time.

mod batch;
mod contacts;
pub mod events;
mod files;
mod gather;
pub mod identity;
pub(crate) mod intern;
mod kind;
mod known;
mod later;
mod ledger;
mod one;
pub mod people;
pub(crate) mod places;
mod preview;
mod profile;
mod read;
mod spend;
mod sql;
mod strangers;
pub(crate) mod times;

pub(crate) use batch::{each_text, normalise_column};
pub use events::{Events, Property, Values};
pub(crate) use files::{Chunk, RawBatch, Stream, is_null};
pub use files::{Format, sniff};
pub(crate) use gather::{JOINED, is_contact_name};
pub(crate) use intern::Interner;
pub(crate) use kind::{Kind, is_truth, number as number_kind};
pub(crate) use later::{UNDATED, is_later};
pub use one::{OneTable, instants, one};
pub use people::{FromSource, People};
pub use preview::{Preview, preview, reads_as};
pub use profile::{ColumnProfile, RANKS, Semantic, Suspicion};
pub use read::{read, read_unprofiled, read_with};
pub use spend::Spend;

use crate::time::Time;

/// What was read: everything the phases work from.
#[derive(Debug)]
pub struct Data {
    /// Everyone, with attributes.
    pub people: People,
    /// What they did, sorted by person and time. Empty in a snapshot.
    pub events: Events,
    /// What was spent to win people, where the spec says so.
    pub spend: Option<Spend>,
    /// The end of observation: `lifecycle.end`, or just after the last event.
    pub end: Time,
    /// Every input file.
    pub inputs: Vec<Input>,
    /// Every row that was not used.
    pub rejected: Vec<Rejected>,
    /// Every source id and the person it became, when it is not itself.
    pub identities: Vec<Identity>,
    /// The person of every source id, and how that was found.
    pub resolved: identity::Resolved,
    /// What the columns of the tables hold.
    pub profiles: Vec<ColumnProfile>,
    /// What looks wrong in the tables.
    pub suspicions: Vec<Suspicion>,
}

/// An input file, for the manifest.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Input {
    /// The table of `[tables]`.
    pub table: String,
    /// The path as the spec names it.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// BLAKE3 of the bytes, hex.
    pub blake3: String,
    /// Rows read, the rejected ones among them.
    pub rows: u64,
    /// Rows rejected.
    pub rejected: u64,
}

/// A row that was not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The file, or the source (`events.purchase`) when the row comes from a query.
    pub file: String,
    /// The row, counted from 1, the header not counted.
    pub row: u64,
    /// The column at fault, if one is.
    pub column: Option<String>,
    /// Why.
    pub reason: String,
}

/// A source id and the person it became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The person.
    pub person: String,
    /// The table that holds the id.
    pub table: String,
    /// The id as it stands there.
    pub id: String,
    /// The rule that joined them.
    pub why: String,
}

#[cfg(test)]
mod tests;
