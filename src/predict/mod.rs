//! PHASE 3, predict who will make a transition: estimators, calibration, honest evaluation, bundles, scores with reasons.
//!
//! In: examples, with their splits. Out: a [`Bundle`] that scores, an [`Evaluation`] that says what it is worth, and
//! [`Scores`] of everyone eligible now. Estimators are tuned on windows of train and validation ([`scheme`]), one is chosen
//! ([`choose`]), fitted to all that may be learned from, calibrated on what it had not seen ([`calibration`]), and judged once
//! on the test part ([`metrics`]).
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of rows and shares of them are far below 2^52, and rounded on purpose"
)]
#![expect(clippy::float_cmp, reason = "scores tie when they are equal to the bit")]

pub mod blocks;
pub mod boosting;
pub mod bundle;
pub mod calibration;
mod card;
pub mod choose;
pub mod design;
pub mod estimator;
mod evaluate;
pub mod evaluation;
pub mod judge;
pub mod linear;
pub mod logistic;
pub mod metrics;
pub mod newton;
pub mod reasons;
pub mod scheme;
mod solver_linfa;
pub mod trees;

use polars::prelude::{DataFrame, IntoColumn as _, NamedFrom as _, Series};

pub use bundle::Bundle;
pub use card::card;
pub use evaluation::Evaluation;

use crate::discover::Examples;
use crate::error::{Error, Result};
use crate::spec::{self, Prediction};
use crate::time::Time;
use boosting::{Boosting, Forest};
use bundle::{FORMAT_VERSION, TrainedOn};
use calibration::Calibrator;
use choose::Tried;
use estimator::{Data, Estimator, Window};
use logistic::Logistic;
use reasons::REASONS;
use scheme::Scheme;

/// What the prediction stands in.
#[derive(Debug, Clone, PartialEq)]
pub struct Context {
    /// Names of the stages people are taken from.
    pub from: Vec<String>,
    /// Names of the stages that count as attained.
    pub to: Vec<String>,
    /// The horizon as written, absent in a snapshot.
    pub horizon: Option<String>,
    /// Every random choice derives from it.
    pub seed: u64,
    /// How the features are computed; carried in the bundle as it is.
    pub recipe: serde_json::Value,
    /// What was found before, and must be known before the numbers are trusted.
    pub warnings: Vec<String>,
}

/// What [`predict()`] makes.
#[derive(Debug, Clone)]
pub struct Predicted {
    /// The model and all that scoring needs.
    pub bundle: Bundle,
    /// What it is worth.
    pub evaluation: Evaluation,
    /// Everyone eligible now.
    pub scores: Scores,
}

/// Scores of people, one row each, in the order of the examples.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scores {
    /// Who.
    pub person: Vec<String>,
    /// The stage they stand in.
    pub stage: Vec<String>,
    /// Calibrated probability of the transition.
    pub propensity: Vec<f64>,
    /// Share of the scored people with a lower score, equal ones counting half, 0–100.
    pub percentile: Vec<f64>,
    /// Why, the strongest first.
    pub reasons: Vec<[Option<String>; REASONS]>,
}

/// Learns from examples, judges what was learned, and scores everyone eligible now.
///
/// # Errors
/// When a part holds one class only, or too few examples to learn from; the message names the counts.
pub fn predict(examples: &Examples, prediction: &Prediction, context: &Context) -> Result<Predicted> {
    let label: Vec<bool> = examples.outcome.iter().map(|outcome| outcome.label() == Some(true)).collect();
    let (person_key, key) = keys(examples, context.seed);
    if examples.features.columns.is_empty() {
        return Err(Error::data(format!("prediction `{}` has no features to learn from", prediction.name))
            .hint("exclude fewer of them, or bring more columns or events"));
    }
    let scheme = Scheme::new(examples, prediction, &label, &person_key)?;
    let data = Data {
        table: &examples.features,
        label: &label,
        key: &key,
        seed: context.seed,
        out_of_time: scheme.out_of_time,
    };
    let judged_by =
        |windows: &[Window]| windows.iter().flat_map(|window| window.judge.iter().copied()).collect::<Vec<u32>>();
    let judged = judged_by(&scheme.windows[..scheme.n_covering]);
    let tried: Result<Vec<Tried>> = estimators(prediction.model)
        .iter()
        .map(|estimator| {
            let prepared = estimator.prepare(data, &scheme.fit)?;
            let tuned = prepared.tune(&scheme.windows)?;
            let fitted = prepared.fit(&scheme.fit, &tuned.settings)?;
            Ok(Tried::new(estimator.name(), tuned, fitted, data, &scheme))
        })
        .collect();
    let tried = tried?;
    let person: Vec<u32> = judged_by(&scheme.windows).iter().map(|&row| examples.person[row as usize]).collect();
    let (chosen, chosen_because) = choose::choose(&tried, &person, judged.len(), context.seed)?;
    let judged_key: Vec<u64> = judged.iter().map(|&row| person_key[row as usize]).collect();
    let held_out = Calibrator::choose(&tried[chosen].margins, &data.labels(&judged), &judged_key);
    let calibration = final_calibration(&held_out, &tried[chosen], &scheme, data)?;
    let subject = evaluate::Subject {
        examples,
        prediction,
        context,
        scheme: &scheme,
        label: &label,
        person_key: &person_key,
        judged: &judged,
        tried: &tried,
        chosen,
        chosen_because,
        data,
        held_out: &held_out,
        calibration: &calibration,
    };
    let evaluation = subject.evaluation()?;
    let trained_on = trained_on(examples, &scheme.fit, &label, context.seed);
    let Some(kept) = tried.into_iter().nth(chosen) else { return Err(Error::internal("the chosen estimator is gone")) };
    let mut bundle = Bundle {
        format_version: FORMAT_VERSION,
        prediction: prediction.name.clone(),
        from: context.from.clone(),
        to: context.to.clone(),
        horizon: context.horizon.clone(),
        estimator: kept.name.to_owned(),
        settings: kept.settings,
        trained_on,
        features: trees::features_of(&examples.features),
        model: kept.fitted,
        calibration,
        percentiles: Vec::new(),
        recipe: context.recipe.clone(),
    };
    let scores = scores(examples, &mut bundle)?;
    Ok(Predicted { bundle, evaluation, scores })
}

/// The calibration of the final fit: out of time, where it has seen newer rows than the held-out margins came from, at the
/// level of the newest outcomes.
fn final_calibration(held_out: &Calibrator, tried: &Tried, scheme: &Scheme, data: Data<'_>) -> Result<Calibrator> {
    if !scheme.out_of_time {
        return Ok(held_out.clone());
    }
    let margins = tried.fitted.margins(data.table, &scheme.validation)?;
    let n_attained = data.labels(&scheme.validation).into_iter().filter(|&label| label).count();
    Ok(held_out.clone().anchored(&margins, n_attained as f64 / margins.len() as f64))
}

/// What the spec names, from the simplest to the richest.
fn estimators(model: spec::Model) -> Vec<Box<dyn Estimator>> {
    let logistic = || Box::new(Logistic { solver: model.solver });
    match model.estimator {
        spec::Estimator::Auto => vec![logistic(), Box::new(Boosting)],
        spec::Estimator::Logistic => vec![logistic()],
        spec::Estimator::Boosting => vec![Box::new(Boosting)],
        spec::Estimator::Forest => vec![Box::new(Forest)],
    }
}

/// For each row a hash of its person, and one of its person and cutoff.
fn keys(examples: &Examples, seed: u64) -> (Vec<u64>, Vec<u64>) {
    use rayon::prelude::*;
    let of_person: Vec<u64> = examples
        .ids
        .par_iter()
        .map(|id| {
            let digest =
                blake3::Hasher::new().update(b"predict").update(&seed.to_le_bytes()).update(id.as_bytes()).finalize();
            u64::from_le_bytes(digest.as_bytes()[..8].try_into().expect("a digest has 32 bytes"))
        })
        .collect();
    let person_key: Vec<u64> = examples.person.iter().map(|&person| of_person[person as usize]).collect();
    // A cheap mix is enough: the hash of the person is already even.
    let mixed = |(key, &cutoff): (&u64, &i64)| key ^ (cutoff as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let key = person_key.iter().zip(&examples.cutoff).map(mixed).collect();
    (person_key, key)
}

fn trained_on(examples: &Examples, rows: &[u32], label: &[bool], seed: u64) -> TrainedOn {
    let cutoffs = || rows.iter().map(|&row| examples.cutoff[row as usize]);
    let span = cutoffs().min().zip(cutoffs().max()).filter(|_| !examples.snapshot);
    TrainedOn {
        n_examples: rows.len() as u64,
        n_attained: rows.iter().filter(|&&row| label[row as usize]).count() as u64,
        cutoffs: span.map(|(first, last)| (Time(first).to_string(), Time(last).to_string())),
        seed,
    }
}

/// Scores everyone eligible now; their propensities become the bundle's reference.
fn scores(examples: &Examples, bundle: &mut Bundle) -> Result<Scores> {
    let rows = examples.eligible_now();
    let propensity = bundle.propensities(&examples.features, &rows)?;
    bundle.percentiles = bundle::percentile_reference(&propensity);
    let mut sorted = propensity.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let percentile = |propensity: &f64| {
        let below = sorted.partition_point(|other| other < propensity);
        let not_above = sorted.partition_point(|other| other <= propensity);
        50.0 * (below + not_above) as f64 / sorted.len() as f64
    };
    Ok(Scores {
        person: rows.iter().map(|&row| examples.ids[examples.person[row as usize] as usize].clone()).collect(),
        stage: rows.iter().map(|&row| examples.stages[usize::from(examples.stage[row as usize])].clone()).collect(),
        percentile: propensity.iter().map(percentile).collect(),
        reasons: reasons::reasons(&bundle.model, &examples.features, &rows, &bundle.dates())?,
        propensity,
    })
}

impl Scores {
    /// `scores.parquet`: `person, stage, propensity, percentile, reason_1..3`.
    ///
    /// # Errors
    /// When the columns differ in length, which they do not.
    pub fn to_frame(&self) -> Result<DataFrame> {
        let mut columns = vec![
            Series::new("person".into(), &self.person).into_column(),
            Series::new("stage".into(), &self.stage).into_column(),
            Series::new("propensity".into(), &self.propensity).into_column(),
            Series::new("percentile".into(), &self.percentile).into_column(),
        ];
        for (place, name) in ["reason_1", "reason_2", "reason_3"].into_iter().enumerate() {
            let reason: Vec<Option<&str>> = self.reasons.iter().map(|reasons| reasons[place].as_deref()).collect();
            columns.push(Series::new(name.into(), reason).into_column());
        }
        Ok(DataFrame::new(self.person.len(), columns)?)
    }
}

#[cfg(test)]
mod real_data;
#[cfg(test)]
mod speed;
#[cfg(test)]
mod tests;
