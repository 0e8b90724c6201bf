//! Phases that are not built yet: what the pipeline will call.

use std::path::Path;

use crate::discover::{Examples, Recipe};
use crate::error::{Error, Result};
use crate::spec::{Prediction, Spec};
use crate::store::Layout;
use crate::time::Time;

/// Scores of people, in the order of the input.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scores {
    /// Who.
    pub(crate) person: Vec<String>,
    /// The probability of the transition.
    pub(crate) propensity: Vec<f64>,
    /// The share of people whose score is lower, 0–100.
    pub(crate) percentile: Vec<f64>,
    /// Why, the strongest first; empty when there is none.
    pub(crate) reasons: Vec<[String; 3]>,
}

fn absent<T>(door: &str) -> Result<T> {
    Err(Error::internal(format!("{door} is not built yet")))
}

pub(crate) fn predict(_: &Examples, _: &Recipe, _: &Spec, _: &Prediction, _: &Layout) -> Result<()> {
    absent("predict")
}

pub(crate) fn score(_: &Path, _: &Path, _: Option<&Path>, _: Option<Time>) -> Result<Scores> {
    absent("score")
}
