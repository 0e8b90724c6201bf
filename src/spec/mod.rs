//! `clo.toml`, read and checked: what the rest of clo works from.
//!
//! The written form (`written`) is what serde reads and what the JSON Schema ([`schema`]) describes. [`Spec`] is the
//! checked form: names resolved to positions, durations and times parsed, every rule known to be there. [`read`] makes
//! it in four steps, and reports the faults of the last two at once, each with its line:
//!
//! 1. `places`: TOML to a document that remembers where each value stands;
//! 2. `fit`: the document against the JSON Schema: unknown keys, wrong types, what is missing. What does not fit is
//!    replaced by a blank, so that the rest can still be read;
//! 3. serde: the document to the written form;
//! 4. `check`: the written form to the checked one: what names refer to, what contradicts what, what SQL says.
//!
//! Whether tables have the columns that the spec names is known only with the data: see `source`.

mod check;
mod contacting;
mod destination;
mod explained;
mod faults;
mod fit;
mod measures;
mod places;
mod seed;
mod sql;
mod templates;
mod trigger;
#[cfg(test)]
mod tests;
mod written;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Excerpt, Result};
use crate::time::{Duration, Time};

pub use contacting::{Cap, Consent, Contacting, CoolDown};
pub use destination::{Campaign, Destination};
pub use explained::{Actionable, Explained, Fairness};
pub use measures::{KpiName, Measures, Orders, Score, Spend, Target};
pub use places::Places;
pub use seed::{Candidates, Method, Seed, SeedTime, Told};
pub use trigger::{Cause, Exit, ReEntry, Trigger};

/// Reads and checks a `clo.toml`. `variable` answers `${VAR}`, usually from the environment.
///
/// # Errors
/// The file cannot be read, is not TOML, or holds faults: all of them, each with its line.
#[expect(clippy::disallowed_methods, reason = "the spec is the one file that is read here")]
pub fn read(path: &Path, variable: &dyn Fn(&str) -> Option<String>) -> Result<Spec> {
    let text = std::fs::read_to_string(path).map_err(|source| {
        Error::spec(format!("cannot read {}: {source}", path.display()))
            .hint("name the spec with --spec FILE; `clo simulate` writes one that works, to start from")
    })?;
    parse(&text, path, variable)
}

/// Checks the text of a `clo.toml`; `path` is where it stands, for messages and relative paths.
///
/// # Errors
/// As [`read`].
///
/// # Examples
/// ```
/// let text = r#"
/// [project]
/// name = "shop"
/// [tables]
/// orders = "orders.csv"
/// [events.purchase]
/// table = "orders"
/// person = "customer"
/// time = "ordered_at"
/// [[lifecycle.stages]]
/// name = "customer"
/// enter = "event = 'purchase'"
/// [[lifecycle.stages]]
/// name = "repeat"
/// enter = "event = 'purchase' AND nth >= 2"
/// "#;
/// let spec = clo::spec::parse(text, "clo.toml".as_ref(), &|_| None)?;
/// assert_eq!(spec.stage("repeat"), Some(1));
/// # Ok::<(), clo::error::Error>(())
/// ```
pub fn parse(text: &str, path: &Path, variable: &dyn Fn(&str) -> Option<String>) -> Result<Spec> {
    let (mut document, places) = places::parse(text, path)?;
    let mut faults = faults::Faults::new(&places);
    fit::fit(&mut document, &schema(), &mut faults);
    let written = faults.written(document)?;
    let spec = check::check(written, path, variable, &mut faults);
    faults.none()?;
    Ok(spec)
}

/// The JSON Schema of `clo.toml`.
#[must_use]
pub fn schema() -> serde_json::Value {
    written::schema()
}

/// A checked `clo.toml`.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// The folder of `clo.toml`; relative paths start here.
    pub root: PathBuf,
    /// The file's name as the person gave it, for messages.
    pub file: PathBuf,
    /// The project's name.
    pub name: String,
    /// Every random choice derives from it.
    pub seed: u64,
    /// The raw files, by name.
    pub tables: BTreeMap<String, Table>,
    /// Where people and their attributes come from, in the order of the file.
    pub people: Vec<PeopleSource>,
    /// Where events come from, in the order of the file. Empty for a labelled snapshot.
    pub events: Vec<EventSource>,
    /// Which ids are one person.
    pub identity: IdentityRules,
    /// The end of observation; default: the last event.
    pub end: Option<Time>,
    /// Back to what was known before this instant (`--as-of`): a row that became known at or after it is not used.
    pub as_of: Option<Time>,
    /// The stages, in the order of the file.
    pub stages: Vec<Stage>,
    /// How the data is looked at.
    pub discover: Discover,
    /// What is to be predicted.
    pub predictions: Vec<Prediction>,
    /// Who is to be reached.
    pub audiences: Vec<Audience>,
    /// What the map measures beside the stage history.
    pub measures: Measures,
    /// What holdouts have in common.
    pub holdout: Holdout,
    /// Tests to learn from whom a treatment changes.
    pub uplifts: Vec<Uplift>,
    /// Which groups of people are compared.
    pub fairness: Fairness,
    /// Where each key stands in the file; see [`Spec::excerpt`].
    pub places: Places,
}

/// Which of the two shapes of data the spec describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Events in time: stages are entered by events or by silence, examples are taken at many cutoffs.
    Events,
    /// A row per person and no times: stages qualify by attribute, one cutoff.
    Snapshot,
}

impl Spec {
    /// Events in time, or a labelled snapshot.
    #[must_use]
    pub fn shape(&self) -> Shape {
        if self.events.is_empty() { Shape::Snapshot } else { Shape::Events }
    }

    /// The position of a stage.
    #[must_use]
    pub fn stage(&self, name: &str) -> Option<usize> {
        self.stages.iter().position(|stage| stage.name == name)
    }

    /// The words of the file that say `path`, such as `events.purchase.person` or `lifecycle.stages[2].enter` (stages,
    /// predictions and audiences by their position in this spec). What the file leaves unsaid is pointed at where it
    /// would be said: the nearest table around it.
    #[must_use]
    pub fn excerpt(&self, path: &str) -> Option<Excerpt> {
        self.places.excerpt(path)
    }

    /// Whether the file says `path` itself.
    #[must_use]
    pub fn says(&self, path: &str) -> bool {
        self.places.says(path)
    }

    /// The prediction of that name.
    #[must_use]
    pub fn prediction(&self, name: &str) -> Option<&Prediction> {
        self.predictions.iter().find(|prediction| prediction.name == name)
    }

    /// The prediction that ranks an audience, alone or beside a seed.
    #[must_use]
    pub fn ranking(&self, audience: &Audience) -> Option<&Prediction> {
        audience.prediction.as_deref().and_then(|name| self.prediction(name))
    }
}

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

/// How the data is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Discover {
    /// The gravity of a data issue that ends the run; `None`: none does.
    pub fail_on: Option<FailOn>,
    /// Where telephone numbers and postcodes are from when no country stands beside them.
    pub country: Option<String>,
}

/// How grave a data issue must be to end the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FailOn {
    /// Results would be wrong.
    Error,
    /// Results may be wrong.
    Warning,
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

/// `[identity]`: which ids are one person.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IdentityRules {
    /// Pairs of columns whose ids are one person.
    pub links: Vec<Link>,
    /// Contact columns; ids that share a value are one person.
    pub contacts: Vec<ContactLink>,
    /// Ids and contact data that mean nobody, in lower case.
    pub blocked: Vec<String>,
    /// Find rows of one person by likeness.
    pub matching: Option<Matching>,
    /// Pairs of ids that are one person.
    pub always: Vec<[String; 2]>,
    /// Pairs of ids that are two people.
    pub never: Vec<[String; 2]>,
}

impl IdentityRules {
    /// Whether an id may become another.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.links.is_empty() && self.contacts.is_empty() && self.matching.is_none() && self.always.is_empty()
    }
}

/// Two columns of a table whose values are ids of the same person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The table of `[tables]`.
    pub table: String,
    /// The two columns.
    pub columns: [String; 2],
    /// An id of the first column with more ids of the second links nobody.
    pub max_ids: usize,
    /// An id of the second column with more ids of the first links nobody.
    pub max_people: usize,
}

/// A contact column of people tables; ids that share a value are one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactLink {
    /// The column.
    pub column: String,
    /// Names of the people sources; empty: all that have the column.
    pub people: Vec<String>,
    /// A value that more ids share links nobody.
    pub max_ids: usize,
}

/// `[identity.match]`: how rows of one person are found by likeness.
#[derive(Debug, Clone, PartialEq)]
pub struct Matching {
    /// Names of the people sources; empty: all.
    pub people: Vec<String>,
    /// The columns to compare and what they hold; empty: guessed.
    pub compare: BTreeMap<String, Comparison>,
    /// From this probability on two rows are one person, 0–1.
    pub threshold: f64,
    /// Whether a table holds each person once.
    pub one_to_one: bool,
    /// The most ids of one person.
    pub max_ids: usize,
}

/// What a compared column holds, which says how its values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Comparison {
    /// Names of people and places: few words, typed by ear.
    Name,
    /// Longer texts such as addresses.
    Text,
    /// Days, such as the date of birth.
    Date,
    /// Postcodes, house numbers, categories.
    Code,
    /// Numbers of cards, insurance, tax: one person's own.
    Id,
    /// E-mail addresses.
    Email,
    /// Telephone numbers.
    Phone,
}

/// A place in the lifecycle; a person stands in exactly one at any time.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// What brings a person here.
    pub rule: Rule,
    /// Positions of the stages it can be entered from; empty: any other stage.
    pub from: Vec<usize>,
    /// What takes people out of it, beside the rules of other stages; of several at one instant the first counts.
    pub exits: Vec<Exit>,
    /// Whether people who have left it may come back.
    pub re_entry: ReEntry,
}

impl Stage {
    /// A stage that can be entered from any other and again and again, and that nothing takes people out of.
    #[must_use]
    pub fn new(name: impl Into<String>, rule: Rule) -> Self {
        Self { name: name.into(), rule, from: Vec::new(), exits: Vec::new(), re_entry: ReEntry::Always }
    }
}

/// What brings a person into a stage.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// No rule: where everybody starts.
    Start,
    /// An event, or several together.
    Enter(Trigger),
    /// Attributes for which the SQL expression holds (snapshots).
    When(String),
    /// No event that enters a `from` stage for this long.
    Silence(Duration),
    /// No rule of its own: only exits of other stages lead here.
    Exits,
}

impl Rule {
    /// The rule of a stage that says none: everybody starts there, unless exits lead there and it is not the first.
    #[must_use]
    pub fn unsaid(position: usize, exits_lead_here: bool) -> Self {
        if position > 0 && exits_lead_here { Self::Exits } else { Self::Start }
    }

    /// The rule in words and SQL, for people to read; empty where there is none.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Start | Self::Exits => String::new(),
            Self::Enter(trigger) => trigger.to_string(),
            Self::When(rule) => rule.clone(),
            Self::Silence(after) => format!("silent for {after}"),
        }
    }

    /// The SQL expressions in it.
    #[must_use]
    pub fn conditions(&self) -> Vec<&str> {
        match self {
            Self::Enter(trigger) => trigger.conditions().into_iter().map(|(_, rule)| rule).collect(),
            Self::When(rule) => vec![rule],
            Self::Start | Self::Silence(_) | Self::Exits => Vec::new(),
        }
    }
}

/// One `[[predictions]]`: of the people in `from` at the cutoff, who reaches `to` within the horizon?
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Its name.
    pub name: String,
    /// Positions of the stages people are taken from.
    pub from: Vec<usize>,
    /// Positions of the stages that count as attained.
    pub to: Vec<usize>,
    /// The span after the cutoff in which the transition counts; `None` in a snapshot.
    pub horizon: Option<Duration>,
    /// When examples are taken.
    pub cutoffs: Cutoffs,
    /// Lookback windows of the features; the whole past is always among them.
    pub windows: Vec<Duration>,
    /// Features to leave out: names with `*`.
    pub exclude: Vec<String>,
    /// Features to learn from although they look as if they knew the outcome: names with `*`.
    pub trust: Vec<String>,
    /// How it is judged.
    pub judging: Judging,
    /// Which model.
    pub model: Model,
    /// What is to be told beside the scores.
    pub explained: Explained,
}

/// What is at stake when somebody is reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stake {
    /// What reaching one person costs, above 0.
    pub cost: f64,
    /// What one transition is worth, above 0.
    pub value: f64,
}

impl Stake {
    /// What reaching `n` people brings of whom `attained` did.
    #[must_use]
    pub fn profit(self, attained: f64, n: f64) -> f64 {
        self.value * attained - self.cost * n
    }
}

/// How a prediction is judged; nothing that is learned depends on it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Judging {
    /// What is at stake.
    pub stake: Option<Stake>,
    /// Features that tell groups apart: names with `*`; `None`: what is usual.
    pub segments: Option<Vec<String>>,
}

/// When examples are taken: `count` cutoffs, `every` apart, the last one horizon before the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cutoffs {
    /// The distance between two cutoffs.
    pub every: Duration,
    /// How many.
    pub count: usize,
}

/// What a prediction is learned with.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The estimator.
    pub estimator: Estimator,
    /// How the logistic regression is solved.
    pub solver: Solver,
    /// Features that may only raise, or only lower, the score.
    pub monotone: BTreeMap<String, Direction>,
    /// The feature that says how much each example counts in learning; it is no feature then.
    pub weight: Option<String>,
    /// How often those who attained count.
    pub attained_weight: AttainedWeight,
    /// Share of those who did not attain that is learned from, above 0, at most 1.
    pub negatives: f64,
    /// How long settings are searched for; `None`: a few that are built in.
    pub search: Option<Budget>,
    /// Which outcomes set the level of propensities.
    pub level: Level,
    /// Whether each propensity gets an interval.
    pub uncertainty: bool,
    /// Whether the learning curve is taken; `None`: where it costs little.
    pub learning_curve: Option<bool>,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            estimator: Estimator::default(),
            solver: Solver::default(),
            monotone: BTreeMap::new(),
            weight: None,
            attained_weight: AttainedWeight::Times(1.0),
            negatives: 1.0,
            search: None,
            level: Level::default(),
            uncertainty: false,
            learning_curve: None,
        }
    }
}

/// Which way a feature may move the score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// The more, the higher the score, or the same.
    Up,
    /// The more, the lower the score, or the same.
    Down,
}

/// How often those who attained count in learning; propensities are put right again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AttainedWeight {
    /// So many times.
    Times(f64),
    /// As often as makes both outcomes weigh the same.
    Balanced,
}

/// What a search of settings may spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// Seconds on the clock: what it finds depends on the machine.
    Seconds(u64),
    /// Trials: the same on any machine.
    Trials(usize),
}

/// Which known outcomes set how high propensities stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The way that held best in the past: recent, unless another did better beyond noise.
    #[default]
    Auto,
    /// The newest outcomes, score by score.
    Recent,
    /// All outcomes, score by score.
    Training,
    /// The newest rate, whatever the scores.
    Rate,
}

/// A kind of model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Estimator {
    /// Logistic regression, unless boosting or the blend of both beats it on validation beyond noise.
    #[default]
    Auto,
    /// Naive Bayes, a baseline.
    Bayes,
    /// Logistic regression.
    Logistic,
    /// Gradient boosting of trees.
    Boosting,
    /// A random forest.
    Forest,
    /// Logistic regression and boosting, weighed and added.
    Blend,
}

/// How a logistic regression is solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Solver {
    /// Newton's method (IRLS) in parallel.
    #[default]
    Newton,
    /// L-BFGS by linfa-logistic.
    Linfa,
}

/// One `[[audiences]]`: a ranked, suppressed, consented list with a holdout.
#[derive(Debug, Clone, PartialEq)]
pub struct Audience {
    /// Its name.
    pub name: String,
    /// The prediction whose scores rank it, alone or beside a seed. Without a seed or an uplift there is one.
    pub prediction: Option<String>,
    /// The uplift that ranks it, alone.
    pub uplift: Option<String>,
    /// The people whose likes are sought.
    pub seed: Option<Seed>,
    /// Who is considered.
    pub candidates: Candidates,
    /// How those who are like the seed are found.
    pub method: Method,
    /// Features that likeness does not look at: names with `*`.
    pub exclude: Vec<String>,
    /// How many are chosen.
    pub size: Size,
    /// Nested shares of the candidates that may be contacted, 0–1, ascending; the last is the size. Empty: no tiers.
    pub tiers: Vec<f64>,
    /// What reaching one person costs.
    pub cost: Option<f64>,
    /// What one transition is worth.
    pub value: Option<f64>,
    /// The share of the list that may change when it is made again, 0–1; `None`: it is made anew.
    pub max_turnover: Option<f64>,
    /// Share of the chosen kept out at random, 0–1.
    pub holdout: f64,
    /// Within what that share is exact; `None`: each person is drawn alone.
    pub stratify: Option<Stratify>,
    /// The lift that is hoped for, relative to the rate without contact.
    pub expected_lift: Option<f64>,
    /// Files of ids or contact data of people who must not be contacted.
    pub suppress: Vec<String>,
    /// SQL over the attributes: who has agreed to be contacted; `None`: not asked.
    pub consent: Option<String>,
    /// Who of them may be contacted, beside those whom a suppression list means.
    pub contacting: Contacting,
    /// Where the list goes.
    pub export: Vec<Destination>,
    /// The campaign that its people become members of, in a CRM.
    pub campaign: Option<Campaign>,
}

/// One `[[uplifts]]`: of the people of a test, whom does the treatment change?
#[derive(Debug, Clone, PartialEq)]
pub struct Uplift {
    /// Its name.
    pub name: String,
    /// SQL over the attributes: who was treated.
    pub treatment: String,
    /// SQL over the attributes: who was left alone.
    pub control: String,
    /// SQL over the attributes: who responded.
    pub outcome: String,
    /// Columns that were filled in after the treatment.
    pub after: Vec<String>,
    /// Features to leave out: names with `*`.
    pub exclude: Vec<String>,
    /// How it is learned.
    pub learner: UpliftLearner,
    /// The model that learners are made of.
    pub model: Model,
    /// How many random halves the ranking is judged on.
    pub halves: usize,
}

/// A way to learn whom a treatment changes; see [`crate::predict::uplift`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UpliftLearner {
    /// The mean of the four.
    #[default]
    Auto,
    /// A model of each group.
    T,
    /// One model of both, with the treatment as a feature.
    S,
    /// Least squares of the effects that the models of the groups impute.
    X,
    /// A model of who responded treated, or did not untreated.
    ClassTransformation,
}

impl UpliftLearner {
    /// The name in `clo.toml`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::T => "t",
            Self::S => "s",
            Self::X => "x",
            Self::ClassTransformation => "class-transformation",
        }
    }
}

/// `[holdout]`: what the holdouts of all audiences have in common.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Holdout {
    /// Share of everybody who is kept out of every audience, 0–1.
    pub universal: f64,
    /// What people are drawn by, in place of the seed.
    pub salt: Option<String>,
}

/// Within what a holdout has exactly its share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stratify {
    /// Tenths of the list by rank.
    Propensity,
    /// The values of an attribute.
    Attribute(String),
}

/// How many people an audience takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Size {
    /// So many.
    Count(usize),
    /// A share of the candidates that may be contacted, 0–1.
    Share(f64),
    /// Everyone whose propensity times `value` exceeds `cost`.
    MaxProfit {
        /// Cost of reaching one person.
        cost: f64,
        /// Value of one transition.
        value: f64,
    },
    /// Everyone at least this similar to the seed, 0–1.
    Similarity(f64),
}
