//! What is predicted, how it is learned and how it is judged.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Explained;
use crate::time::Duration;

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

impl Prediction {
    /// Who of `from` reaches `to` (positions of stages), with everything else left unsaid: no horizon, twelve cutoffs of 30 days.
    #[must_use]
    pub fn new(name: impl Into<String>, from: Vec<usize>, to: Vec<usize>) -> Self {
        Self {
            name: name.into(),
            from,
            to,
            horizon: None,
            cutoffs: Cutoffs { every: Duration::days(30), count: 12 },
            windows: Vec::new(),
            exclude: Vec::new(),
            trust: Vec::new(),
            judging: Judging::default(),
            model: Model::default(),
            explained: Explained::default(),
        }
    }
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
    /// A mean of the three, each counting by how near it came in the past.
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
