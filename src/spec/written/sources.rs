//! Where people, events and spending come from: `[tables]`, `[people.*]`, `[events.*]`, `[identity]`, `[spend]`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::spec::{ColumnType, Comparison};

/// A raw file: its path, or a table with its path and how it is to be read.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::spec) enum Table {
    /// Path, glob or address. `${VAR}` and `${VAR:-default}` are replaced by environment variables.
    Path(String),
    /// A path, and how the file is to be read.
    File(Box<File>),
}

/// A path, and how the file is to be read.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::spec) struct File {
    /// Path, glob or address; `${VAR}` and `${VAR:-default}` are replaced by environment variables.
    pub(in crate::spec) path: String,
    /// What parts the columns: one character, "tab" or "whitespace" (default: by the file's name).
    pub(in crate::spec) delimiter: Option<String>,
    /// The columns' names, for a file without a header line.
    pub(in crate::spec) columns: Option<Vec<String>>,
    /// Whether the first line names the columns (default: yes, unless `columns` is given).
    pub(in crate::spec) header: Option<bool>,
    /// Texts that mean "no value", beside the empty one.
    #[serde(default)]
    pub(in crate::spec) null_values: Vec<String>,
    /// Types told rather than inferred, by column.
    #[serde(default)]
    pub(in crate::spec) types: BTreeMap<String, ColumnType>,
    /// Formats of date and time columns, by column: `{ born = "%d/%m/%Y" }`.
    #[serde(default)]
    pub(in crate::spec) formats: BTreeMap<String, String>,
    /// The text's encoding, such as "latin1" or "utf-16" (default: by its byte order mark, else UTF-8).
    pub(in crate::spec) encoding: Option<String>,
    /// The sheet of a workbook (default: the first).
    pub(in crate::spec) sheet: Option<String>,
    /// The query to ask a database address.
    pub(in crate::spec) query: Option<String>,
    /// The kind of system the file came from: "crm", "esp", "web", "shop", "warehouse" …, for the source catalogue.
    pub(in crate::spec) system: Option<String>,
}

/// People: one row per person, attributes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::spec) struct People {
    /// The table of `[tables]` whose rows they are.
    pub(in crate::spec) table: Option<String>,
    /// Or: a SQL query over the tables.
    pub(in crate::spec) sql: Option<String>,
    /// The column with the person's id; "row" numbers the rows of a file without ids (default with `sql`: person).
    pub(in crate::spec) person: Option<String>,
    /// Snapshots only. A column that orders the rows in time, or "row" when they stand in time order.
    pub(in crate::spec) order: Option<String>,
    /// Since when a row's attributes hold, when attributes change.
    pub(in crate::spec) valid_from: Option<Time>,
    /// When a row reached the data, if that was later: its attributes count from then on.
    pub(in crate::spec) known_at: Option<Time>,
    /// Columns that reach a person (e-mail, phone, name …): kept out of features (default: guessed by name).
    #[serde(default)]
    pub(in crate::spec) contact: Vec<String>,
}

/// Events: one row per thing that a person did or received.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::spec) struct Events {
    /// The table of `[tables]` whose rows they are.
    pub(in crate::spec) table: Option<String>,
    /// Or: a SQL query over the tables.
    pub(in crate::spec) sql: Option<String>,
    /// The column with the person's id (default with `sql`: person).
    pub(in crate::spec) person: Option<String>,
    /// The column with the time, or a table that also says how it is written (default with `sql`: time).
    pub(in crate::spec) time: Option<Time>,
    /// The column that names the kind of event, when a table holds several.
    pub(in crate::spec) event: Option<String>,
    /// The columns to keep as properties (default: all others).
    pub(in crate::spec) properties: Option<Vec<String>>,
    /// When a row reached the data, if that was later than its time.
    pub(in crate::spec) known_at: Option<Time>,
}

/// A column of times: its name, or a table that also says how they are written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::spec) enum Time {
    /// The column's name; its times are written so that they cannot be mistaken (2018-09-01, 20180901).
    Column(String),
    /// The column, and how its times are written.
    Form(TimeForm),
}

/// A column of times and how they are written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::spec) struct TimeForm {
    /// The column's name.
    pub(in crate::spec) column: String,
    /// How the times are written: "%d-%m-%Y %H:%M".
    pub(in crate::spec) format: Option<String>,
    /// What the numbers count, when times are numbers.
    pub(in crate::spec) unit: Option<Unit>,
    /// The time that the number 0 means (default: 1970-01-01).
    pub(in crate::spec) origin: Option<String>,
    /// The time zone of times that do not name one, such as "Europe/Berlin" (default: UTC).
    pub(in crate::spec) zone: Option<String>,
}

/// What a number of time counts.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::spec) enum Unit {
    /// Millionths of a second.
    Microseconds,
    /// Thousandths of a second.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
    /// Days of 24 hours.
    Days,
    /// Weeks of 7 days.
    Weeks,
}

/// Which ids are the same person.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::spec) struct Identity {
    /// Ids that are known to be one person: tables whose rows hold two of them, or a contact column they share.
    #[serde(default)]
    pub(in crate::spec) links: Vec<Link>,
    /// Ids and contact data that mean nobody (default: null, none, nil, undefined, -1, anonymous, unknown, n/a, na, nan, test).
    pub(in crate::spec) blocked: Option<Vec<String>>,
    /// Find rows of one person by likeness (an empty table: everything by default).
    #[serde(rename = "match")]
    pub(in crate::spec) matching: Option<Match>,
    /// Pairs of ids that are one person, whatever their rows say: `[["17", "c-9"]]`.
    #[serde(default)]
    pub(in crate::spec) always: Vec<[String; 2]>,
    /// Pairs of ids that are two people, whatever their rows say: takes a merge back, and holds from then on.
    #[serde(default)]
    pub(in crate::spec) never: Vec<[String; 2]>,
}

/// Ids that are one person: two columns of a table, or a contact column that people share.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::spec) struct Link {
    /// The table of `[tables]` whose rows hold two ids of one person.
    pub(in crate::spec) table: Option<String>,
    /// The two columns with the ids: `["mql_id", "seller_id"]`.
    pub(in crate::spec) columns: Option<[String; 2]>,
    /// Or: a contact column of people tables, such as "email"; those with the same address or number are one person.
    pub(in crate::spec) contact: Option<String>,
    /// The people tables whose contact column is compared (default: all that have it).
    pub(in crate::spec) people: Option<Vec<String>>,
    /// An id of the first column with more ids of the second than this links nobody (default 50); of a contact: ids that share it
    /// (default 5).
    #[schemars(range(min = 1))]
    pub(in crate::spec) max_ids: Option<usize>,
    /// An id of the second column, such as a shared device, with more ids of the first than this links nobody (default 5).
    #[schemars(range(min = 1))]
    pub(in crate::spec) max_people: Option<usize>,
}

/// How rows of one person are found by likeness.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::spec) struct Match {
    /// The people tables whose rows are compared, within each and across (default: all).
    pub(in crate::spec) people: Option<Vec<String>>,
    /// The columns to compare and what they hold (default: guessed): `{ surname = "name", born = "date" }`.
    #[serde(default)]
    pub(in crate::spec) compare: BTreeMap<String, Comparison>,
    /// How probable it must be that two rows are one person (default 0.9).
    pub(in crate::spec) threshold: Option<f64>,
    /// Whether a table holds each person once, so that its rows are compared with other tables' only (default false).
    #[serde(default)]
    pub(in crate::spec) one_to_one: bool,
    /// The most ids that one person has (default 50).
    #[schemars(range(min = 2))]
    pub(in crate::spec) max_ids: Option<usize>,
}

/// What was spent to win people: a row per day, week or campaign.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::spec) struct Spend {
    /// The table of `[tables]` whose rows it is.
    pub(in crate::spec) table: Option<String>,
    /// Or: a SQL query over the tables.
    pub(in crate::spec) sql: Option<String>,
    /// The column with the time (default with `sql`: time).
    pub(in crate::spec) time: Option<Time>,
    /// The column with the amount (default with `sql`: amount).
    pub(in crate::spec) amount: Option<String>,
    /// The stage that the money was to bring people into (default: the first that an event enters).
    pub(in crate::spec) stage: Option<String>,
    /// The column with the channel; one of `lifecycle.by`, so that each channel's cost stands beside its people.
    pub(in crate::spec) channel: Option<String>,
}
