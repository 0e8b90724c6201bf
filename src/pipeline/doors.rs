//! Phases that are not built yet: what the pipeline will call.

use std::path::Path;

use crate::discover::{Examples, Recipe, Table};
use crate::error::{Error, Result};
use crate::spec::{Prediction, Spec};
use crate::store::Layout;

/// A model.
pub(crate) struct Bundle {
    pub(crate) recipe: serde_json::Value,
}

/// The scores of a table's rows.
pub(crate) struct Scored {
    /// Probability of the transition.
    pub(crate) propensity: Vec<f64>,
    /// Where the score stands among the scores of training time, 0–100, 100 best.
    pub(crate) percentile: Vec<f64>,
    /// Why, the strongest first.
    pub(crate) reasons: Vec<[Option<String>; 3]>,
}

impl Bundle {
    pub(crate) fn load(_: &Path) -> Result<Self> {
        absent("score")
    }

    #[expect(clippy::unused_self, reason = "not built yet")]
    pub(crate) fn score(&self, _: &Table) -> Result<Scored> {
        absent("score")
    }
}

fn absent<T>(door: &str) -> Result<T> {
    Err(Error::internal(format!("{door} is not built yet")))
}

pub(crate) fn predict(_: &Examples, _: &Recipe, _: &Spec, _: &Prediction, _: &Layout) -> Result<()> {
    absent("predict")
}
