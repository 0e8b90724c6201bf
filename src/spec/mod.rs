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

mod audience;
mod check;
mod contacting;
mod destination;
mod explained;
mod faults;
mod fit;
mod identity;
mod lifecycle;
mod measures;
mod places;
mod prediction;
mod seed;
mod sources;
mod sql;
mod templates;
mod trigger;
#[cfg(test)]
mod tests;
mod uplift;
mod written;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Excerpt, Result};
use crate::time::Time;

pub use audience::{Audience, Holdout, Size, Stratify};
pub use contacting::{Cap, Consent, Contacting, CoolDown};
pub use destination::{Campaign, Destination};
pub use explained::{Actionable, Explained, Fairness};
pub use identity::{Comparison, ContactLink, IdentityRules, Link, Matching};
pub use lifecycle::{Rule, Stage};
pub use measures::{KpiName, Measures, Orders, Score, Spend, Target};
pub use places::Places;
pub use prediction::{
    AttainedWeight, Budget, Cutoffs, Direction, Estimator, Judging, Level, Model, Prediction, Solver, Stake,
};
pub use seed::{Candidates, Method, Seed, SeedTime, Told};
pub use sources::{ColumnType, Delimiter, EventSource, Order, PeopleSource, Rows, Table, TimeColumn, TimeReading};
pub use trigger::{Cause, Exit, ReEntry, Trigger};
pub use uplift::{Uplift, UpliftLearner};

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
#[derive(Debug, Clone, Default, PartialEq)]
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
    /// Whether going back keeps people of whom nothing says that they were known then: those whose scores are asked for.
    pub keeps_undated: bool,
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
