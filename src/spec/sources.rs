//! Where people and events come from, and how raw files are read.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::Time;

/// One raw table: a path (or a glob) and how it is to be read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Path, glob or address, variables expanded; relative to the spec's folder.
    pub path: String,
    /// How the columns are parted; told by the file's name when absent (`,` for .csv, tab for .tsv).
    pub delimiter: Option<Delimiter>,
    /// Column names; when given the file has no header line, unless `header` says so.
    pub columns: Option<Vec<String>>,
    /// Whether the first line names the columns. Default: yes, unless `columns` is given.
    pub header: Option<bool>,
    /// Texts that mean "no value", beside the empty one.
    pub null_values: Vec<String>,
    /// Types told rather than inferred: `i64`, `f64`, `str`, `bool`, `date`, `datetime`.
    pub types: BTreeMap<String, ColumnType>,
    /// Formats of date and time columns (`strftime`), by column.
    pub formats: BTreeMap<String, String>,
    /// The text's encoding, e.g. `latin1`; default: told by its byte order mark, else UTF-8.
    pub encoding: Option<String>,
    /// The sheet of a workbook; default: the first.
    pub sheet: Option<String>,
    /// The query of a database address.
    pub query: Option<String>,
    /// The kind of system it came from, in a word: `crm`, `shop`.
    pub system: Option<String>,
}

/// How the columns of a text file are parted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delimiter {
    /// One byte, e.g. `;`.
    Byte(u8),
    /// Runs of blanks; leading and trailing blanks do not count.
    Whitespace,
}

/// A column type that a spec can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// 64-bit integer.
    I64,
    /// 64-bit float.
    F64,
    /// Text.
    Str,
    /// `true`/`false`, `yes`/`no`, `1`/`0`.
    Bool,
    /// A day.
    Date,
    /// An instant.
    Datetime,
}

/// The rows that people or events are read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rows {
    /// All rows of a table of `[tables]`.
    Table(String),
    /// A query over the tables of `[tables]`.
    Sql(String),
}

/// One `[people.*]`: a row per person, attributes.
#[derive(Debug, Clone, PartialEq)]
pub struct PeopleSource {
    /// The name after `people.`.
    pub name: String,
    /// Where the rows come from.
    pub rows: Rows,
    /// The column that holds the person's id; `None`: the row's number is the id (`person = "row"`).
    pub person: Option<String>,
    /// The rows' order in time, for snapshots.
    pub order: Option<Order>,
    /// Since when a row's attributes hold, when attributes change.
    pub valid_from: Option<TimeColumn>,
    /// When a row reached the data, if later than `valid_from`: what it says counts from then on.
    pub known_at: Option<TimeColumn>,
    /// Columns that reach a person (`email`, `phone`, names, postcode …): kept out of features, given to exports.
    pub contact: Vec<String>,
}

/// The order of a snapshot's rows in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// As they stand in the file.
    Row,
    /// By a column.
    Column(String),
}

/// One `[events.*]`: something people did or received.
#[derive(Debug, Clone, PartialEq)]
pub struct EventSource {
    /// The name after `events.`; the kind of all its events unless `event` names a column.
    pub name: String,
    /// Where the rows come from.
    pub rows: Rows,
    /// The column that holds the person's id.
    pub person: String,
    /// The column that holds the time.
    pub time: TimeColumn,
    /// The column that names the kind, when a table holds several.
    pub event: Option<String>,
    /// The columns kept as properties; `None`: all others.
    pub properties: Option<Vec<String>>,
    /// When a row reached the data, if later than `time`.
    pub known_at: Option<TimeColumn>,
}

/// A column of times and how they are written.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeColumn {
    /// The column's name.
    pub column: String,
    /// How its values are written.
    pub reading: TimeReading,
    /// The time zone of values that do not name one; default UTC.
    pub zone: Option<String>,
}

/// How times are written.
#[derive(Debug, Clone, PartialEq)]
pub enum TimeReading {
    /// A form that cannot be mistaken (ISO 8601, `20170212`, a typed column); anything else is an error that asks.
    Unmistakable,
    /// A `strftime` format.
    Format(String),
    /// A number of `unit`s since `origin` (default: the Unix epoch).
    Number {
        /// Length of one unit in microseconds.
        unit_micros: i64,
        /// The instant of zero.
        origin: Time,
    },
}
