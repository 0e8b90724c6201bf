//! `clo.toml` as it is written: what serde reads and the JSON Schema describes.
//!
//! The doc comments here are the descriptions that an editor shows: they speak to the person who writes the file.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use schemars::{JsonSchema, Schema};
use serde::Deserialize;
use serde_json::Value;

use super::templates::Template;
use super::{
    ColumnType, Comparison, Destination, Direction, Estimator, FailOn, KpiName, Level, Method, SeedTime, Solver,
    UpliftLearner,
};

/// A clo project: where the data is, which stages people pass, what to predict and whom to reach.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "clo.toml")]
pub(super) struct Written {
    /// The project's name and its seed.
    pub(super) project: Project,
    /// The raw files, each under a name: `orders = "data/orders.csv"`.
    pub(super) tables: BTreeMap<String, Table>,
    /// Where people and their attributes come from: one row per person.
    #[serde(default)]
    pub(super) people: BTreeMap<String, People>,
    /// What people did or received: one row per event. Leave out for a snapshot, a table of people without times.
    #[serde(default)]
    pub(super) events: BTreeMap<String, Events>,
    /// Which ids are the same person.
    #[serde(default)]
    pub(super) identity: Identity,
    /// The stages that people pass, as [[lifecycle.stages]] or from a `template`. Leave out where audiences are looked for by
    /// their likeness to a seed alone, and for [[uplifts]].
    pub(super) lifecycle: Option<Lifecycle>,
    /// How the data is looked at.
    #[serde(default)]
    pub(super) discover: Discover,
    /// What is to be predicted.
    #[serde(default)]
    pub(super) predictions: Vec<Prediction>,
    /// What people must have agreed to, by purpose and region; an audience says which purposes are its own.
    #[serde(default)]
    pub(super) consent: Vec<Consent>,
    /// Who is to be reached.
    #[serde(default)]
    pub(super) audiences: Vec<Audience>,
    /// What was spent to win people: acquisition cost and customer value come from it.
    pub(super) spend: Option<Spend>,
    /// What the holdouts of all audiences have in common.
    #[serde(default)]
    pub(super) holdout: Holdout,
    /// Whom a treatment changes, learned from a test in which it was given at random.
    #[serde(default)]
    pub(super) uplifts: Vec<Uplift>,
    /// Whether groups of people fare alike.
    #[serde(default)]
    pub(super) fairness: Fairness,
}

/// Whether groups of people fare alike: told per group, for every prediction and every audience with a seed.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Fairness {
    /// Attributes that make the groups, columns of the people table: `["sex", "age"]`. Numbers are cut into bands.
    #[serde(default)]
    pub(super) protected: Vec<String>,
    /// Whether models may learn from these attributes themselves (default true); others that tell them are named as proxies.
    pub(super) learn_from: Option<bool>,
}

/// The project.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Project {
    /// The project's name, for the report.
    pub(super) name: String,
    /// Every random choice derives from it (default 0).
    pub(super) seed: Option<u64>,
}

/// A raw file: its path, or a table with its path and how it is to be read.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Table {
    /// Path, glob or address. `${VAR}` and `${VAR:-default}` are replaced by environment variables.
    Path(String),
    /// A path, and how the file is to be read.
    File(Box<File>),
}

/// A path, and how the file is to be read.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// Path, glob or address; `${VAR}` and `${VAR:-default}` are replaced by environment variables.
    pub(super) path: String,
    /// What parts the columns: one character, "tab" or "whitespace" (default: by the file's name).
    pub(super) delimiter: Option<String>,
    /// The columns' names, for a file without a header line.
    pub(super) columns: Option<Vec<String>>,
    /// Whether the first line names the columns (default: yes, unless `columns` is given).
    pub(super) header: Option<bool>,
    /// Texts that mean "no value", beside the empty one.
    #[serde(default)]
    pub(super) null_values: Vec<String>,
    /// Types told rather than inferred, by column.
    #[serde(default)]
    pub(super) types: BTreeMap<String, ColumnType>,
    /// Formats of date and time columns, by column: `{ born = "%d/%m/%Y" }`.
    #[serde(default)]
    pub(super) formats: BTreeMap<String, String>,
    /// The text's encoding, such as "latin1" or "utf-16" (default: by its byte order mark, else UTF-8).
    pub(super) encoding: Option<String>,
    /// The sheet of a workbook (default: the first).
    pub(super) sheet: Option<String>,
    /// The query to ask a database address.
    pub(super) query: Option<String>,
    /// The kind of system the file came from: "crm", "esp", "web", "shop", "warehouse" …, for the source catalogue.
    pub(super) system: Option<String>,
}

/// How the data is looked at.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Discover {
    /// A run ends with exit code 5, before anything is built on the data, when a data issue is as grave as this.
    pub(super) fail_on: Option<FailOn>,
    /// Where telephone numbers and postcodes are from when no country stands beside them: "DE", "Brazil".
    pub(super) country: Option<String>,
}

/// People: one row per person, attributes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct People {
    /// The table of `[tables]` whose rows they are.
    pub(super) table: Option<String>,
    /// Or: a SQL query over the tables.
    pub(super) sql: Option<String>,
    /// The column with the person's id; "row" numbers the rows of a file without ids (default with `sql`: person).
    pub(super) person: Option<String>,
    /// Snapshots only. A column that orders the rows in time, or "row" when they stand in time order.
    pub(super) order: Option<String>,
    /// Since when a row's attributes hold, when attributes change.
    pub(super) valid_from: Option<Time>,
    /// When a row reached the data, if that was later: its attributes count from then on.
    pub(super) known_at: Option<Time>,
    /// Columns that reach a person (e-mail, phone, name …): kept out of features (default: guessed by name).
    #[serde(default)]
    pub(super) contact: Vec<String>,
}

/// Events: one row per thing that a person did or received.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Events {
    /// The table of `[tables]` whose rows they are.
    pub(super) table: Option<String>,
    /// Or: a SQL query over the tables.
    pub(super) sql: Option<String>,
    /// The column with the person's id (default with `sql`: person).
    pub(super) person: Option<String>,
    /// The column with the time, or a table that also says how it is written (default with `sql`: time).
    pub(super) time: Option<Time>,
    /// The column that names the kind of event, when a table holds several.
    pub(super) event: Option<String>,
    /// The columns to keep as properties (default: all others).
    pub(super) properties: Option<Vec<String>>,
    /// When a row reached the data, if that was later than its time.
    pub(super) known_at: Option<Time>,
}

/// A column of times: its name, or a table that also says how they are written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Time {
    /// The column's name; its times are written so that they cannot be mistaken (2018-09-01, 20180901).
    Column(String),
    /// The column, and how its times are written.
    Form(TimeForm),
}

/// A column of times and how they are written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TimeForm {
    /// The column's name.
    pub(super) column: String,
    /// How the times are written: "%d-%m-%Y %H:%M".
    pub(super) format: Option<String>,
    /// What the numbers count, when times are numbers.
    pub(super) unit: Option<Unit>,
    /// The time that the number 0 means (default: 1970-01-01).
    pub(super) origin: Option<String>,
    /// The time zone of times that do not name one, such as "Europe/Berlin" (default: UTC).
    pub(super) zone: Option<String>,
}

/// What a number of time counts.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Unit {
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
pub(super) struct Identity {
    /// Ids that are known to be one person: tables whose rows hold two of them, or a contact column they share.
    #[serde(default)]
    pub(super) links: Vec<Link>,
    /// Ids and contact data that mean nobody (default: null, none, nil, undefined, -1, anonymous, unknown, n/a, na, nan, test).
    pub(super) blocked: Option<Vec<String>>,
    /// Find rows of one person by likeness (an empty table: everything by default).
    #[serde(rename = "match")]
    pub(super) matching: Option<Match>,
    /// Pairs of ids that are one person, whatever their rows say: `[["17", "c-9"]]`.
    #[serde(default)]
    pub(super) always: Vec<[String; 2]>,
    /// Pairs of ids that are two people, whatever their rows say: takes a merge back, and holds from then on.
    #[serde(default)]
    pub(super) never: Vec<[String; 2]>,
}

/// Ids that are one person: two columns of a table, or a contact column that people share.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Link {
    /// The table of `[tables]` whose rows hold two ids of one person.
    pub(super) table: Option<String>,
    /// The two columns with the ids: `["mql_id", "seller_id"]`.
    pub(super) columns: Option<[String; 2]>,
    /// Or: a contact column of people tables, such as "email"; those with the same address or number are one person.
    pub(super) contact: Option<String>,
    /// The people tables whose contact column is compared (default: all that have it).
    pub(super) people: Option<Vec<String>>,
    /// An id of the first column with more ids of the second than this links nobody (default 50); of a contact: ids that share it
    /// (default 5).
    #[schemars(range(min = 1))]
    pub(super) max_ids: Option<usize>,
    /// An id of the second column, such as a shared device, with more ids of the first than this links nobody (default 5).
    #[schemars(range(min = 1))]
    pub(super) max_people: Option<usize>,
}

/// How rows of one person are found by likeness.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Match {
    /// The people tables whose rows are compared, within each and across (default: all).
    pub(super) people: Option<Vec<String>>,
    /// The columns to compare and what they hold (default: guessed): `{ surname = "name", born = "date" }`.
    #[serde(default)]
    pub(super) compare: BTreeMap<String, Comparison>,
    /// How probable it must be that two rows are one person (default 0.9).
    pub(super) threshold: Option<f64>,
    /// Whether a table holds each person once, so that its rows are compared with other tables' only (default false).
    #[serde(default)]
    pub(super) one_to_one: bool,
    /// The most ids that one person has (default 50).
    #[schemars(range(min = 2))]
    pub(super) max_ids: Option<usize>,
}

/// The stages that people pass.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Lifecycle {
    /// A lifecycle in common use: its name, or a table that fits it to the data.
    pub(super) template: Option<TemplateUse>,
    /// The end of observation (default: the last event).
    pub(super) end: Option<String>,
    /// The stages, in their order; beside a template they replace its stages of the same name or follow them.
    #[serde(default)]
    pub(super) stages: Vec<Stage>,
    /// Attributes or event properties to tell people apart by in the map: `["channel", "state"]`. Of a property the
    /// person's first value counts.
    #[serde(default)]
    pub(super) by: Vec<String>,
    /// The windows of funnels, after entry (default: 7d, 30d, 90d).
    pub(super) windows: Option<Vec<String>>,
    /// What an order is and what it is worth (default: guessed by name).
    pub(super) orders: Option<Orders>,
    /// How people score what they got: for the response score (NPS).
    pub(super) score: Option<Score>,
    /// What the KPIs of stages should come to.
    #[serde(default)]
    pub(super) targets: Vec<Target>,
}

/// What an order is and what it is worth.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Orders {
    /// The kinds of events that are orders (default: those that carry the amount, by name if some are called so).
    pub(super) events: Option<Vec<String>>,
    /// The kinds of events whose amount is paid back.
    #[serde(default)]
    pub(super) refunds: Vec<String>,
    /// The property that holds an order's amount (default: revenue, amount, value, total, price …).
    pub(super) amount: Option<String>,
    /// The share of the amount that is profit, "40%" or 0.4: for customer value.
    pub(super) margin: Option<Share>,
}

/// How people score what they got.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Score {
    /// The property that holds the score.
    pub(super) property: String,
    /// The kind of event that carries it (default: any).
    pub(super) event: Option<String>,
    /// Scores from here on are promoters' (9 of 10; 5 of 5).
    pub(super) promoters: f64,
    /// Scores up to here are detractors' (6 of 10; 3 of 5).
    pub(super) detractors: f64,
}

/// What a KPI of a stage should come to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Target {
    /// The stage.
    pub(super) stage: String,
    /// The KPI.
    pub(super) kpi: KpiName,
    /// The KPI should not be below.
    pub(super) at_least: Option<f64>,
    /// The KPI should not be above.
    pub(super) at_most: Option<f64>,
}

/// What was spent to win people: a row per day, week or campaign.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Spend {
    /// The table of `[tables]` whose rows it is.
    pub(super) table: Option<String>,
    /// Or: a SQL query over the tables.
    pub(super) sql: Option<String>,
    /// The column with the time (default with `sql`: time).
    pub(super) time: Option<Time>,
    /// The column with the amount (default with `sql`: amount).
    pub(super) amount: Option<String>,
    /// The stage that the money was to bring people into (default: the first that an event enters).
    pub(super) stage: Option<String>,
    /// The column with the channel; one of `lifecycle.by`, so that each channel's cost stands beside its people.
    pub(super) channel: Option<String>,
}

/// A lifecycle in common use: its name, or a table that fits it to the data.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum TemplateUse {
    /// The template's name.
    Name(Template),
    /// The template, fitted to the data.
    Fitted(TemplateFitted),
}

/// A template, fitted to the data.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TemplateFitted {
    /// The template's name.
    pub(super) name: Template,
    /// What the events that the template speaks of are called here: `{ purchase = "order" }`.
    #[serde(default)]
    pub(super) events: BTreeMap<String, String>,
    /// Stages of the template to leave out.
    #[serde(default)]
    pub(super) without: Vec<String>,
}

/// A stage. Without `enter`, `when` or `silence` it is where everybody starts.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Stage {
    /// The stage's name.
    pub(super) name: String,
    /// An event for which this SQL holds brings people here (it sees `event`, `nth`, properties and attributes); or a table
    /// of several events together.
    pub(super) enter: Option<Trigger>,
    /// Snapshots: SQL over the attributes; people for whom it holds are here.
    pub(super) when: Option<String>,
    /// The stages people can come from (default: any earlier one).
    pub(super) from: Option<Vec<String>>,
    /// Nothing that enters a `from` stage for this long brings people here: "180d".
    pub(super) silence: Option<String>,
    /// What takes people out of it and where to, beside the rules of other stages: one, or a list.
    pub(super) exit: Option<Exits>,
    /// Whether people who left it may come back: "always" (default), "never", or how long after they left: "90d".
    pub(super) re_entry: Option<String>,
}

/// Events: SQL that holds for one, or a table of several together.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Trigger {
    /// SQL that holds for the event; it sees `event`, `nth`, properties and attributes.
    Event(String),
    /// Several events together.
    Joint(Joint),
}

/// Several events together: exactly one of `all`, `any`, `sequence` and `event` with `times`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Joint {
    /// All of these, in any order: `{ all = ["event = 'signup'", "event = 'purchase'"], within = "30d" }`.
    #[schemars(length(min = 2))]
    pub(super) all: Option<Vec<Trigger>>,
    /// Any of these.
    #[schemars(length(min = 2))]
    pub(super) any: Option<Vec<Trigger>>,
    /// These, one after the other.
    #[schemars(length(min = 2))]
    pub(super) sequence: Option<Vec<Trigger>>,
    /// SQL that holds for an event which must happen several times: `{ event = "event = 'visit'", times = 3, within = "7d" }`.
    pub(super) event: Option<String>,
    /// How many times.
    #[schemars(range(min = 2))]
    pub(super) times: Option<u64>,
    /// The time from the first of the events to the last, at most (default: any).
    pub(super) within: Option<String>,
}

/// What takes people out of a stage: one, or a list.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Exits {
    /// One: `{ on = "event = 'cancel'", to = "visitor" }`.
    One(Exit),
    /// Several; of those that hold at once the first counts.
    Several(Vec<Exit>),
}

/// What takes people out of a stage, and where to: `on` or `after`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Exit {
    /// SQL that holds for an event, or a table of several events together.
    pub(super) on: Option<Trigger>,
    /// How long after they entered: "14d".
    pub(super) after: Option<String>,
    /// The stage that they go to.
    pub(super) to: String,
}

/// Of the people in `from`, who reaches `to` within the horizon?
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Prediction {
    /// The prediction's name; a folder is named after it.
    pub(super) name: String,
    /// The stages that people are in now: `["customer"]`.
    pub(super) from: Vec<String>,
    /// The stages they may reach: `["repeat"]`.
    pub(super) to: Vec<String>,
    /// The span after the cutoff in which reaching counts: "90d". Not for snapshots.
    pub(super) horizon: Option<String>,
    /// When examples are taken.
    pub(super) cutoffs: Option<Cutoffs>,
    /// How far the features look back (default: 7d, 30d, 90d, 365d; the whole past is always among them).
    pub(super) windows: Option<Vec<String>>,
    /// Features to leave out; `*` stands for anything: `["survey.*"]`.
    #[serde(default)]
    pub(super) exclude: Vec<String>,
    /// Features to learn from although they look as if they knew the outcome: those you know to be known before the
    /// cutoff; `*` stands for anything: `["attr.score"]`.
    #[serde(default)]
    pub(super) trust: Vec<String>,
    /// What reaching one person costs: the evaluation tells what lists of every size bring. Audiences of this prediction that do
    /// not say their own take it from here.
    pub(super) cost: Option<f64>,
    /// What one transition is worth.
    pub(super) value: Option<f64>,
    /// Features by which the evaluation tells groups of people apart; `*` stands for anything (default: the stage, how long people
    /// are known, and the weightiest categories): `["attr.state", "attr.age"]`. Numbers are cut into quarters.
    pub(super) segments: Option<Vec<String>>,
    /// Which model.
    #[serde(default)]
    pub(super) model: Model,
    /// Attributes whose groups are compared, in place of those of [fairness]: `["sex", "age"]`.
    #[serde(default)]
    pub(super) protected: Vec<String>,
    /// Features that you can change, for `clo explain`: `{ "attr.price" = "down", "attr.contract" = { to = ["two years"] } }`.
    #[serde(default)]
    pub(super) actionable: BTreeMap<String, Actionable>,
}

/// How a feature can be changed: a direction, or all that is to be said.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Actionable {
    /// "up" or "down": a number may change in this direction alone.
    Direction(Direction),
    /// All that is to be said.
    Change(Change),
}

/// How a feature can be changed.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    /// For a number: "up" or "down" (default: both).
    pub(super) direction: Option<Direction>,
    /// For a number: what it changes by, or several times that: 5 (default: anything).
    pub(super) step: Option<f64>,
    /// For a category: the levels it may change to (default: any).
    #[serde(default)]
    pub(super) to: Vec<String>,
    /// How dear a change is beside the others (default 1): for a number, from the lowest to the highest of all people; for a category, to another level.
    pub(super) cost: Option<f64>,
}

/// When examples are taken.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Cutoffs {
    /// The distance between two cutoffs (default: the horizon, at most 30d).
    pub(super) every: Option<String>,
    /// How many (default 12).
    #[schemars(range(min = 1))]
    pub(super) count: Option<u32>,
}

/// Which model.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Model {
    /// The kind of model (default: auto).
    #[serde(default)]
    pub(super) estimator: Estimator,
    /// How a logistic regression is solved (default: newton).
    #[serde(default)]
    pub(super) solver: Solver,
    /// Features that may only raise ("up") or only lower ("down") the score: `{ "attr.tenure" = "down" }`.
    #[serde(default)]
    pub(super) monotone: BTreeMap<String, Direction>,
    /// The feature that says how much each example counts in learning: `"attr.sampling_weight"`. It is no feature then.
    pub(super) weight: Option<String>,
    /// How often those who attained count in learning (default 1): a number, or "balanced". Propensities are put right again.
    pub(super) attained_weight: Option<AttainedWeight>,
    /// Share of those who did not attain that is learned from (default: all): `"20%"`. Propensities are put right again.
    pub(super) negatives: Option<Share>,
    /// How long settings are searched for: `{ trials = 40 }` or `{ seconds = 60 }` (default: a few that are built in).
    pub(super) search: Option<Search>,
    /// Which known outcomes set how high propensities stand (default: auto, the way that held best in the past).
    #[serde(default)]
    pub(super) level: Level,
    /// Give each propensity an interval, `propensity_low` and `propensity_high`: the rate of people with such a score lies in it in 19
    /// of 20 cases (default: false).
    #[serde(default)]
    pub(super) uncertainty: bool,
    /// Tell what a part of the examples would have taught, and so what more would bring (default: up to 50,000 examples).
    pub(super) learning_curve: Option<bool>,
}

/// A number, or "balanced".
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum AttainedWeight {
    Times(f64),
    Text(String),
}

/// What a search of settings may spend: one of the two.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Search {
    /// Settings that are tried; the same ones on any machine.
    #[schemars(range(min = 1))]
    pub(super) trials: Option<usize>,
    /// Seconds on the clock; what is found depends on the machine.
    #[schemars(range(min = 1))]
    pub(super) seconds: Option<u64>,
}

/// A list of people worth reaching.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Audience {
    /// The audience's name; a folder is named after it.
    pub(super) name: String,
    /// The prediction that ranks it (default: the only one, unless a `seed` does).
    pub(super) prediction: Option<String>,
    /// The uplift that ranks it, in place of a prediction: those whom its treatment changes most come first.
    pub(super) uplift: Option<String>,
    /// The people whose likes are sought: SQL over `stage` and the attributes, the name of a stage, the path of a file of ids
    /// or contact data, or a table that says which of these it is.
    pub(super) seed: Option<SeedUse>,
    /// Who is considered: SQL over `stage` and the attributes (default: everyone scored; with a `seed`, everyone outside it), or
    /// a table that names another source of people.
    pub(super) candidates: Option<CandidatesUse>,
    /// How those who are like the seed are found (default: auto).
    pub(super) method: Option<Method>,
    /// Features that likeness does not look at; `*` stands for anything: `["attr.survey_*"]`.
    #[serde(default)]
    pub(super) exclude: Vec<String>,
    /// How many people: a count, a share such as "10%", nested shares such as `{ tiers = ["1%", "5%"] }`, "max-profit" (with
    /// `cost` and `value`), or "similarity >= 0.6".
    pub(super) size: Size,
    /// The share of the list that may change when it is made again: "20%". The size then holds, and `changes.parquet` says who
    /// came and who went, and why.
    pub(super) max_turnover: Option<Share>,
    /// What reaching one person costs.
    pub(super) cost: Option<f64>,
    /// What one transition is worth.
    pub(super) value: Option<f64>,
    /// The share kept out at random, so that lift can be measured: "10%" or 0.1 (default: none).
    pub(super) holdout: Option<Share>,
    /// Hold out exactly that share of each tenth of the list ("propensity") or of each value of an attribute (its name).
    pub(super) stratify: Option<String>,
    /// The lift that is hoped for, relative to the rate without contact: "20%". Told is whether the holdout can show it.
    pub(super) expected_lift: Option<Share>,
    /// Files of people who must not be contacted.
    #[serde(default)]
    pub(super) suppress: Vec<String>,
    /// SQL over the attributes: who has agreed to be contacted.
    pub(super) consent: Option<String>,
    /// The purposes that people are contacted for: all [[consent]] rules of these hold.
    #[serde(default)]
    pub(super) purposes: Vec<String>,
    /// Attributes that people of one household have in common, such as `["household_id"]` or `["last_name", "street", "zip"]`: only
    /// the best ranked of them is contacted.
    #[serde(default)]
    pub(super) household: Vec<String>,
    /// Who was contacted so often is left alone: `{ event = "email_sent", times = 4, within = "30d" }`.
    pub(super) cap: Option<Cap>,
    /// What people are left alone after, and for how long: `[{ after = "purchase", for = "14d" }]`.
    #[serde(default)]
    pub(super) cool_down: Vec<CoolDown>,
    /// Audiences whose people are left out of this one, each declared before it.
    #[serde(default)]
    pub(super) not_in: Vec<String>,
    /// Where the list goes (default: csv).
    pub(super) export: Option<Vec<Destination>>,
    /// Salesforce: the id of the campaign that its people become members of.
    pub(super) campaign: Option<String>,
    /// Salesforce: what a member of the campaign is at first (default: Sent).
    pub(super) campaign_status: Option<String>,
    /// Google: whether the dots of gmail addresses stay before they are hashed, as an older copy of its rules has it (default: false).
    #[serde(default)]
    pub(super) keep_gmail_dots: bool,
}

/// What people must have agreed to for a purpose.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Consent {
    /// What they are contacted for, or through: "email", "ads".
    pub(super) purpose: String,
    /// SQL over the attributes: whom the rule is about, and whom it cannot tell (default: everyone).
    pub(super) region: Option<String>,
    /// SQL over the attributes: what must hold, such as `email_opt_in = true`.
    pub(super) needs: String,
}

/// So many events of a kind in a span before the end are enough.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Cap {
    /// The kind of event that contacting a person leaves.
    pub(super) event: String,
    /// Who has so many of them is left alone.
    #[schemars(range(min = 1))]
    pub(super) times: u32,
    /// How long before the end they count: "30d".
    pub(super) within: String,
}

/// People are left alone for so long after an event.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CoolDown {
    /// The kind of event: "purchase", "complaint".
    pub(super) after: String,
    /// For how long: "14d".
    #[serde(rename = "for")]
    pub(super) span: String,
}

/// A test: who was treated at random, who was not, and what counts as a response.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Uplift {
    /// The uplift's name; a folder is named after it.
    pub(super) name: String,
    /// SQL over the attributes: who was treated.
    pub(super) treatment: String,
    /// SQL over the attributes: who was left alone, to compare with.
    pub(super) control: String,
    /// SQL over the attributes: who responded.
    pub(super) outcome: String,
    /// Columns that were filled in after the treatment: they are no features, as those that the rules name are none.
    #[serde(default)]
    pub(super) after: Vec<String>,
    /// Features to leave out; `*` stands for anything.
    #[serde(default)]
    pub(super) exclude: Vec<String>,
    /// Which learner (default: auto, the mean of the four).
    #[serde(default)]
    pub(super) learner: UpliftLearner,
    /// The model that learners are made of (default: logistic).
    #[serde(default)]
    pub(super) model: Model,
    /// How many random halves the ranking is judged on (default 10).
    #[schemars(range(min = 2))]
    pub(super) halves: Option<u32>,
}

/// What the holdouts of all audiences have in common.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Holdout {
    /// The share of everybody who is kept out of every audience: "5%" or 0.05 (default: none).
    pub(super) universal: Option<Share>,
    /// A word that people are drawn by, in place of the seed: keep it, and the seed may change while campaigns run.
    pub(super) salt: Option<String>,
}

/// Whose likes are sought.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum SeedUse {
    /// SQL over `stage` and the attributes, the name of a stage, or the path of a file.
    Text(String),
    /// One of these, by name, and what goes with it.
    Form(SeedForm),
}

/// Whose likes are sought, and what goes with it: one of `stage`, `where` and `file`, or `table` with or without `where`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SeedForm {
    /// The stage whose people they are.
    pub(super) stage: Option<String>,
    /// SQL over `stage` and the attributes for which they are told.
    #[serde(rename = "where")]
    pub(super) rule: Option<String>,
    /// A file of their ids or contact data.
    pub(super) file: Option<String>,
    /// The `[people.NAME]` they come from, by its name or by that of its table.
    pub(super) table: Option<String>,
    /// An attribute that says how much each of them counts, such as what they are worth.
    pub(super) weight: Option<String>,
    /// Over events: as of when their features are taken (default: as of the day on which they entered the stage, where a stage is the seed).
    pub(super) as_of: Option<SeedTime>,
}

/// Who is considered.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum CandidatesUse {
    /// SQL over `stage` and the attributes.
    Text(String),
    /// A source of people, and SQL over it.
    Form(CandidatesForm),
}

/// A source of people, and SQL over it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CandidatesForm {
    /// The `[people.NAME]` they come from, by its name or by that of its table.
    pub(super) table: Option<String>,
    /// SQL over `stage` and the attributes.
    #[serde(rename = "where")]
    pub(super) rule: Option<String>,
    /// The columns that seed and candidates share and that likeness may look at (default: all that both have).
    pub(super) shared: Option<Vec<String>>,
}

/// How many: a count, a share such as "10%", nested shares, "max-profit", or "similarity >= 0.6".
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Size {
    /// Nested shares.
    Tiers(Tiers),
    /// So many.
    Count(#[schemars(range(min = 1))] u64),
    /// "10%", "500", "max-profit" or "similarity >= 0.6".
    Text(String),
}

/// Nested shares: the best 1 % are also among the best 5 %.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Tiers {
    /// Shares, ascending: `["1%", "5%", "10%"]`. The last is the size of the list.
    pub(super) tiers: Vec<String>,
}

/// A share: "10%" or 0.1.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Share {
    /// 0 to 1.
    Number(f64),
    /// "10%".
    Text(String),
}

/// The JSON Schema of the written form.
pub(super) fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().with_transform(without_null);
    settings.into_generator().into_root_schema_for::<Written>().to_value()
}

/// TOML has no null: what is optional is left out. `anyOf` of one is that one.
fn without_null(schema: &mut Schema) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if schema.get("default") == Some(&Value::Null) {
        schema.remove("default");
    }
    if let Some(Value::Array(forms)) = schema.get_mut("anyOf") {
        forms.retain(|form| form["type"] != "null");
        if let [Value::Object(only)] = forms.as_slice() {
            let only = only.clone();
            schema.remove("anyOf");
            for (key, value) in only {
                if schema.get(&key).is_none() {
                    schema.insert(key, value);
                }
            }
        }
    }
    transform_subschemas(&mut without_null, schema);
}
