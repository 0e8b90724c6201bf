//! What the spec asks of a prediction's model, tied to its examples: which estimators, on which features, with which weights.

use std::borrow::Cow;

use super::bayes::Bayes;
use super::blend::Blending;
use super::boosting::{Boosting, Forest};
use super::correct::Corrected;
use super::estimator::Estimator;
use super::logistic::Logistic;
use super::search::Search;
use crate::discover::{Cells, Table};
use crate::error::{Error, Result, did_you_mean};
use crate::spec::{self, AttainedWeight, Prediction};

/// The examples as they are learned from.
pub(super) struct Asked<'a> {
    model: &'a spec::Model,
    /// The features, without the one that is a weight.
    pub(super) table: Cow<'a, Table>,
    /// How much each row counts; absent: all alike.
    pub(super) weight: Option<Vec<f64>>,
    attained_weight: f64,
    /// Whether features are of events up to a cutoff.
    of_events: bool,
}

impl<'a> Asked<'a> {
    /// Ties the model of `prediction` to `table`, whose rows have these labels; `rows` are learned from.
    ///
    /// # Errors
    /// When a feature that the spec names is not there or not a number, or a weight is not above 0.
    pub(super) fn new(table: &'a Table, prediction: &'a Prediction, label: &[bool], rows: &[u32]) -> Result<Self> {
        let model = &prediction.model;
        let context = |error: Error| error.context(format!("prediction `{}`", prediction.name));
        for name in model.monotone.keys() {
            numbers(table, name, "monotone").map_err(context)?;
        }
        let written = model.weight.as_deref().map(|name| weights(table, name, rows)).transpose().map_err(context)?;
        let attained_weight = match model.attained_weight {
            AttainedWeight::Times(times) => times,
            AttainedWeight::Balanced => {
                let n_attained = rows.iter().filter(|&&row| label[row as usize]).count();
                (rows.len() - n_attained) as f64 / n_attained.max(1) as f64
            }
        };
        let times = |row: usize| if label[row] { attained_weight } else { 1.0 };
        #[expect(clippy::float_cmp, reason = "one is what the spec says when it says nothing")]
        let weight = match written {
            None if attained_weight == 1.0 => None,
            None => Some((0..table.n_rows).map(times).collect()),
            Some(weights) => Some(weights.iter().enumerate().map(|(row, weight)| weight * times(row)).collect()),
        };
        let table = match &model.weight {
            None => Cow::Borrowed(table),
            Some(name) => {
                let columns = table.columns.iter().filter(|column| column.name != *name).cloned().collect();
                Cow::Owned(Table { columns, n_rows: table.n_rows })
            }
        };
        Ok(Self { model, table, weight, attained_weight, of_events: prediction.horizon.is_some() })
    }

    /// What is tried, from the simplest to the richest.
    pub(super) fn estimators(&self, search: Option<&Search>) -> Vec<Box<dyn Estimator>> {
        match self.model.estimator {
            spec::Estimator::Auto => self.blended(search),
            spec::Estimator::Bayes => vec![self.corrected(Box::new(Bayes))],
            spec::Estimator::Logistic => vec![self.logistic()],
            spec::Estimator::Boosting => vec![self.boosting(search)],
            spec::Estimator::Forest => {
                let (monotone, search) = (self.model.monotone.clone(), search.cloned());
                vec![self.corrected(Box::new(Forest { monotone, search }))]
            }
            spec::Estimator::Blend => vec![self.blend(search)],
        }
    }

    /// The blend of what `auto` tries.
    pub(super) fn blend(&self, search: Option<&Search>) -> Box<dyn Estimator> {
        Box::new(Blending { parts: self.blended(search) })
    }

    fn blended(&self, search: Option<&Search>) -> Vec<Box<dyn Estimator>> {
        vec![self.logistic(), self.boosting(search)]
    }

    fn logistic(&self) -> Box<dyn Estimator> {
        let monotone = self.model.monotone.clone();
        self.corrected(Box::new(Logistic { solver: self.model.solver, monotone, limited: self.of_events }))
    }

    fn boosting(&self, search: Option<&Search>) -> Box<dyn Estimator> {
        self.corrected(Box::new(Boosting { monotone: self.model.monotone.clone(), search: search.cloned() }))
    }

    #[expect(clippy::float_cmp, reason = "one is what the spec says when it says nothing")]
    fn corrected(&self, inner: Box<dyn Estimator>) -> Box<dyn Estimator> {
        let (negatives, attained_weight) = (self.model.negatives, self.attained_weight);
        if negatives == 1.0 && attained_weight == 1.0 {
            return inner;
        }
        Box::new(Corrected { inner, negatives, attained_weight })
    }
}

/// The simplest estimator of what a model names, as it is: for questions that have no weights.
pub(super) fn simplest(model: &spec::Model) -> Box<dyn Estimator> {
    let monotone = model.monotone.clone();
    let logistic = Logistic { solver: model.solver, monotone: monotone.clone(), limited: false };
    match model.estimator {
        spec::Estimator::Auto | spec::Estimator::Logistic => Box::new(logistic),
        spec::Estimator::Bayes => Box::new(Bayes),
        spec::Estimator::Boosting => Box::new(Boosting { monotone, search: None }),
        spec::Estimator::Forest => Box::new(Forest { monotone, search: None }),
        spec::Estimator::Blend => {
            Box::new(Blending { parts: vec![Box::new(logistic), Box::new(Boosting { monotone, search: None })] })
        }
    }
}

/// The numbers of a feature that the spec names.
fn numbers<'a>(table: &'a Table, name: &str, key: &str) -> Result<&'a [f32]> {
    match table.column(name).map(|column| &column.cells) {
        Some(Cells::Number(values)) => Ok(values),
        Some(Cells::Category { .. }) => Err(Error::data(format!("`{key}`: feature `{name}` is not a number"))
            .hint(format!("`{key}` can only name features that are numbers"))),
        None => {
            let error = Error::data(format!("`{key}`: there is no feature `{name}`"));
            let names = table.columns.iter().map(|column| column.name.as_str());
            Err(match did_you_mean(name, names) {
                Some(meant) => error.hint(format!("is it `{meant}`?")),
                None => error.hint("the columns of examples.parquet are the features there are"),
            })
        }
    }
}

fn weights(table: &Table, name: &str, rows: &[u32]) -> Result<Vec<f64>> {
    let values = numbers(table, name, "weight")?;
    let bad = |&&row: &&u32| !(values[row as usize].is_finite() && values[row as usize] > 0.0);
    let n_bad = rows.iter().filter(bad).count();
    if n_bad > 0 {
        let n = crate::rate::grouped(n_bad as u64);
        return Err(Error::data(format!("`weight`: feature `{name}` is missing or not above 0 in {n} examples"))
            .hint("fill it, or give these people a weight above 0"));
    }
    Ok(values.iter().map(|&value| if value.is_finite() { f64::from(value) } else { 1.0 }).collect())
}
