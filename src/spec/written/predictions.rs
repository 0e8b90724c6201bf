//! What is learned: `[[predictions]]` and `[[uplifts]]`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Share;
use crate::spec::{Direction, Estimator, Level, Solver, UpliftLearner};

/// Of the people in `from`, who reaches `to` within the horizon?
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::spec) struct Prediction {
    /// The prediction's name; a folder is named after it.
    pub(in crate::spec) name: String,
    /// The stages that people are in now: `["customer"]`.
    pub(in crate::spec) from: Vec<String>,
    /// The stages they may reach: `["repeat"]`.
    pub(in crate::spec) to: Vec<String>,
    /// The span after the cutoff in which reaching counts: "90d". Not for snapshots.
    pub(in crate::spec) horizon: Option<String>,
    /// When examples are taken.
    pub(in crate::spec) cutoffs: Option<Cutoffs>,
    /// How far the features look back (default: 7d, 30d, 90d, 365d; the whole past is always among them).
    pub(in crate::spec) windows: Option<Vec<String>>,
    /// Features to leave out; `*` stands for anything: `["survey.*"]`.
    #[serde(default)]
    pub(in crate::spec) exclude: Vec<String>,
    /// Features to learn from although they look as if they knew the outcome: those you know to be known before the
    /// cutoff; `*` stands for anything: `["attr.score"]`.
    #[serde(default)]
    pub(in crate::spec) trust: Vec<String>,
    /// What reaching one person costs: the evaluation tells what lists of every size bring. Audiences of this prediction that do
    /// not say their own take it from here.
    pub(in crate::spec) cost: Option<f64>,
    /// What one transition is worth.
    pub(in crate::spec) value: Option<f64>,
    /// Features by which the evaluation tells groups of people apart; `*` stands for anything (default: the stage, how long people
    /// are known, and the weightiest categories): `["attr.state", "attr.age"]`. Numbers are cut into quarters.
    pub(in crate::spec) segments: Option<Vec<String>>,
    /// Which model.
    #[serde(default)]
    pub(in crate::spec) model: Model,
    /// Attributes whose groups are compared, in place of those of [fairness]: `["sex", "age"]`.
    #[serde(default)]
    pub(in crate::spec) protected: Vec<String>,
    /// Features that you can change, for `clo explain`: `{ "attr.price" = "down", "attr.contract" = { to = ["two years"] } }`.
    #[serde(default)]
    pub(in crate::spec) actionable: BTreeMap<String, Actionable>,
}

/// How a feature can be changed: a direction, or all that is to be said.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::spec) enum Actionable {
    /// "up" or "down": a number may change in this direction alone.
    Direction(Direction),
    /// All that is to be said.
    Change(Change),
}

/// How a feature can be changed.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::spec) struct Change {
    /// For a number: "up" or "down" (default: both).
    pub(in crate::spec) direction: Option<Direction>,
    /// For a number: what it changes by, or several times that: 5 (default: anything).
    pub(in crate::spec) step: Option<f64>,
    /// For a category: the levels it may change to (default: any).
    #[serde(default)]
    pub(in crate::spec) to: Vec<String>,
    /// How dear a change is beside the others (default 1): for a number, from the lowest to the highest of all people; for a category, to another level.
    pub(in crate::spec) cost: Option<f64>,
}

/// When examples are taken.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::spec) struct Cutoffs {
    /// The distance between two cutoffs (default: the horizon, at most 30d).
    pub(in crate::spec) every: Option<String>,
    /// How many (default 12).
    #[schemars(range(min = 1))]
    pub(in crate::spec) count: Option<u32>,
}

/// Which model.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::spec) struct Model {
    /// The kind of model (default: auto).
    #[serde(default)]
    pub(in crate::spec) estimator: Estimator,
    /// How a logistic regression is solved (default: newton).
    #[serde(default)]
    pub(in crate::spec) solver: Solver,
    /// Features that may only raise ("up") or only lower ("down") the score: `{ "attr.tenure" = "down" }`.
    #[serde(default)]
    pub(in crate::spec) monotone: BTreeMap<String, Direction>,
    /// The feature that says how much each example counts in learning: `"attr.sampling_weight"`. It is no feature then.
    pub(in crate::spec) weight: Option<String>,
    /// How often those who attained count in learning (default 1): a number, or "balanced". Propensities are put right again.
    pub(in crate::spec) attained_weight: Option<AttainedWeight>,
    /// Share of those who did not attain that is learned from (default: all): `"20%"`. Propensities are put right again.
    pub(in crate::spec) negatives: Option<Share>,
    /// How long settings are searched for: `{ trials = 40 }` or `{ seconds = 60 }` (default: a few that are built in).
    pub(in crate::spec) search: Option<Search>,
    /// Which known outcomes set how high propensities stand (default: auto, a mean of the ways, each counting by how near it came in the past).
    #[serde(default)]
    pub(in crate::spec) level: Level,
    /// Give each propensity an interval, `propensity_low` and `propensity_high`: the rate of people with such a score lies in it in 19
    /// of 20 cases (default: false).
    #[serde(default)]
    pub(in crate::spec) uncertainty: bool,
    /// Tell what a part of the examples would have taught, and so what more would bring (default: up to 50,000 examples).
    pub(in crate::spec) learning_curve: Option<bool>,
}

/// A number, or "balanced".
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::spec) enum AttainedWeight {
    Times(f64),
    Text(String),
}

/// What a search of settings may spend: one of the two.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::spec) struct Search {
    /// Settings that are tried; the same ones on any machine.
    #[schemars(range(min = 1))]
    pub(in crate::spec) trials: Option<usize>,
    /// Seconds on the clock; what is found depends on the machine.
    #[schemars(range(min = 1))]
    pub(in crate::spec) seconds: Option<u64>,
}

/// A test: who was treated at random, who was not, and what counts as a response.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::spec) struct Uplift {
    /// The uplift's name; a folder is named after it.
    pub(in crate::spec) name: String,
    /// SQL over the attributes: who was treated.
    pub(in crate::spec) treatment: String,
    /// SQL over the attributes: who was left alone, to compare with.
    pub(in crate::spec) control: String,
    /// SQL over the attributes: who responded.
    pub(in crate::spec) outcome: String,
    /// Columns that were filled in after the treatment: they are no features, as those that the rules name are none.
    #[serde(default)]
    pub(in crate::spec) after: Vec<String>,
    /// Features to leave out; `*` stands for anything.
    #[serde(default)]
    pub(in crate::spec) exclude: Vec<String>,
    /// Which learner (default: auto, the mean of the four).
    #[serde(default)]
    pub(in crate::spec) learner: UpliftLearner,
    /// The model that learners are made of (default: logistic).
    #[serde(default)]
    pub(in crate::spec) model: Model,
    /// How many random halves the ranking is judged on (default 10).
    #[schemars(range(min = 2))]
    pub(in crate::spec) halves: Option<u32>,
}
