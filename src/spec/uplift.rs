//! Tests to learn from whom a treatment changes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Model;

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
