//! The doors of the phases: one function per call that the pipeline makes into another module.

use std::path::Path;

use super::summary::{Finding, Lifecycle};
use crate::discover::{self, Examples, Recipe};
use crate::error::{Error, Result};
use crate::map::Stays;
use crate::source::Data;
use crate::spec::{Audience, Prediction, Spec};
use crate::store::Layout;
use crate::time::Time;

/// What [`map`] made.
#[derive(Debug)]
pub(crate) struct Mapped {
    pub(crate) stays: Stays,
}

/// Scores of people, in the order of the input.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scores {
    /// Who.
    pub person: Vec<String>,
    /// The probability of the transition.
    pub propensity: Vec<f64>,
    /// The share of people whose score is lower, 0–100.
    pub percentile: Vec<f64>,
    /// Why, the strongest first; empty when there is none.
    pub reasons: Vec<[String; 3]>,
}

fn absent<T>(door: &str) -> Result<T> {
    Err(Error::internal(format!("{door} is not built yet")))
}

pub(crate) fn spec(_: &Path, _: &dyn Fn(&str) -> Option<String>) -> Result<Spec> {
    absent("spec")
}

pub(crate) fn schema() -> serde_json::Value {
    serde_json::Value::Null
}

pub(crate) fn stays(mapped: Mapped) -> Stays {
    mapped.stays
}

pub(crate) fn read(_: &Spec) -> Result<Data> {
    absent("source")
}

pub(crate) fn write_source(data: &Data, spec: &Spec, layout: &Layout) -> Result<()> {
    discover::write_findings(&layout.file("discover"), data, spec)
}

pub(crate) fn map(_: &Data, _: &Spec) -> Result<Mapped> {
    absent("map")
}

pub(crate) fn write_map(_: &Mapped, _: &Data, _: &Spec, _: &Layout) -> Result<()> {
    absent("map")
}

pub(crate) fn read_stays(_: &Data, _: &Spec, _: &Layout) -> Result<Stays> {
    absent("map")
}

pub(crate) fn lifecycle(_: &Mapped) -> Result<Lifecycle> {
    absent("map")
}

pub(crate) fn findings(_: &Data, _: &Mapped, _: &Spec) -> Result<Vec<Finding>> {
    absent("map")
}

pub(crate) fn discover(
    data: &Data,
    stays: &Stays,
    spec: &Spec,
    prediction: &Prediction,
) -> Result<(Examples, Recipe)> {
    discover::examples(data, stays, spec, prediction)
}

pub(crate) fn write_examples(
    examples: &Examples,
    recipe: &Recipe,
    prediction: &Prediction,
    layout: &Layout,
) -> Result<()> {
    let folder = layout.discover(&prediction.name);
    discover::write_examples(&folder, examples, recipe)?;
    discover::write_signals(&folder.join("signals.parquet"), &discover::signals(examples))
}

pub(crate) fn read_examples(prediction: &Prediction, layout: &Layout) -> Result<(Examples, Recipe)> {
    discover::read_examples(&layout.discover(&prediction.name))
}

pub(crate) fn predict(_: Examples, _: Recipe, _: &Spec, _: &Prediction, _: &Layout) -> Result<()> {
    absent("predict")
}

pub(crate) fn expand(_: &Data, _: &Spec, _: &Audience, _: &Layout) -> Result<()> {
    absent("expand")
}

pub(crate) fn report(_: &Spec, _: &Layout) -> Result<()> {
    absent("report")
}

pub(crate) fn score(_: &Path, _: &Path, _: Option<&Path>, _: Option<Time>) -> Result<Scores> {
    absent("score")
}
