//! PHASE 3, predict who will make a transition: estimators, calibration, honest evaluation, bundles, scores with reasons.
//!
//! In: examples, with their splits. Out: a [`Bundle`] that scores, an [`Evaluation`] that says what it is worth, and
//! [`Scores`] of everyone eligible now. Estimators are tuned on windows of train and validation ([`scheme`]), one is chosen
//! ([`choose`]), fitted to train and validation, calibrated on what it had not seen ([`calibration`]), and judged once on the
//! test part ([`metrics`]). What is kept is made once more in the same way, of all examples whose outcome is known: the test has
//! told what the way is worth, and its rows are the newest there are.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of rows and shares of them are far below 2^52, and rounded on purpose"
)]
#![expect(clippy::float_cmp, reason = "scores tie when they are equal to the bit")]

mod asked;
pub mod band;
pub mod bayes;
pub mod blend;
pub mod blocks;
pub mod boosting;
pub mod bundle;
pub mod calibration;
mod card;
mod checklist;
pub mod choose;
pub mod compare;
pub mod correct;
pub mod counterfactual;
pub mod design;
pub mod drift;
mod elastic;
mod encode;
pub mod estimator;
mod evaluate;
pub mod evaluation;
pub mod export;
pub mod fairness;
pub mod import;
pub mod insight;
mod isotonic;
pub mod judge;
pub mod judged;
mod last;
mod leaf_masks;
mod learning;
mod level;
pub mod linear;
pub mod logistic;
pub mod metrics;
pub mod newton;
pub mod realised;
pub mod reasons;
pub mod recent;
pub mod scheme;
pub mod sealed;
pub mod search;
pub mod shap;
mod sizes;
mod solver_linfa;
mod slices;
mod stacking;
mod sums;
pub mod tables;
pub mod trees;
pub mod uplift;
mod widen;
mod xgboost;

use std::sync::Arc;

use polars::prelude::{DataFrame, IntoColumn as _, NamedFrom as _, Series};

pub use bundle::Bundle;
pub use card::card;
pub use checklist::card_data;
pub use evaluation::Evaluation;

use crate::discover::{Examples, Table};
use crate::error::{Error, Result};
use crate::spec::Prediction;
use crate::time::Time;
use asked::Asked;
use bundle::{FORMAT_VERSION, TrainedOn};
use calibration::Calibrator;
use choose::Tried;
use drift::{Drift, Sketches, Tally};
use estimator::{Data, Fitted, Trial};
use judged::Judged;
use last::{Found, Kept, Last, judged_by};
use level::Past;
use reasons::REASONS;
use scheme::Scheme;
use search::{Journal, NoJournal, Search};

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
    /// How far everyone eligible now is from those learned from; absent in a snapshot, where they are the same.
    pub drift: Option<Drift>,
    /// All settings that were tried.
    pub trials: Vec<Trial>,
    /// What the judged fit said of the test part.
    pub judged: Judged,
    /// What judged the test: the chosen model before it was made once more of all that is known.
    pub tested: Tested,
}

/// The test part, and the model that was judged on it and has not seen it.
#[derive(Debug, Clone)]
pub struct Tested {
    /// Rows of the examples.
    pub rows: Vec<u32>,
    /// The calibrated probability of each of them.
    pub propensity: Vec<f64>,
    /// From features to a margin.
    pub model: Fitted,
    /// From a margin to a probability.
    pub calibration: Calibrator,
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
    /// The lower and the upper end of each propensity, where the spec asks for them.
    pub ends: Option<Vec<(f64, f64)>>,
}

/// Learns from examples, judges what was learned, and scores everyone eligible now.
///
/// # Errors
/// When a part holds one class only, or too few examples to learn from; the message names the counts.
pub fn predict(examples: &Examples, prediction: &Prediction, context: &Context) -> Result<Predicted> {
    predict_with(examples, prediction, context, &(Arc::new(NoJournal) as Arc<dyn Journal>))
}

/// As [`predict()`]; a search of settings keeps its trials in `journal`, and looks there at the clock.
///
/// # Errors
/// As [`predict()`], and when a trial cannot be kept.
pub fn predict_with(
    examples: &Examples,
    prediction: &Prediction,
    context: &Context,
    journal: &Arc<dyn Journal>,
) -> Result<Predicted> {
    let label: Vec<bool> = examples.outcome.iter().map(|outcome| outcome.label() == Some(true)).collect();
    let (person_key, key) = keys(examples, context.seed);
    if examples.features.columns.is_empty() {
        return Err(Error::data(format!("prediction `{}` has no features to learn from", prediction.name))
            .hint("exclude fewer of them, or bring more columns or events"));
    }
    let scheme = Scheme::new(examples, prediction, &label, &person_key)?;
    let asked = Asked::new(&examples.features, prediction, &label, &scheme.all)?;
    let search = prediction.model.search.map(|budget| Search { budget, journal: journal.clone() });
    let data = Data {
        table: &asked.table,
        label: &label,
        weight: asked.weight.as_deref(),
        key: &key,
        seed: context.seed,
        out_of_time: scheme.out_of_time,
    };
    let judged = judged_by(&scheme.windows[..scheme.n_covering]);
    let mut estimators = asked.estimators(search.as_ref());
    let mut trials = Vec::new();
    let tried: Result<Vec<Tried>> = estimators
        .iter()
        .map(|estimator| {
            let prepared = estimator.prepare(data, &scheme.fit)?;
            let mut tuned = prepared.tune(&scheme.windows)?;
            trials.append(&mut tuned.trials);
            let fitted = prepared.fit(&scheme.fit, &tuned.settings)?;
            Ok(Tried::new(estimator.name(), tuned, fitted, data, &scheme))
        })
        .collect();
    let mut tried = tried?;
    if tried.len() > 1 {
        let blend = Tried::blend(&tried, data, &scheme);
        if !blend.is_one_model() {
            tried.push(blend);
            estimators.push(asked.blend(search.as_ref()));
        }
    }
    let clusters = scheme.clusters(examples);
    let (chosen, chosen_because) =
        choose::choose(&tried, &clusters, &scheme.rounds(), judged.len(), context.seed, scheme.out_of_time)?;
    let held_out = tried[chosen].calibrator(&scheme.windows[..scheme.n_covering], data, &person_key);
    let past = Past::new(examples, data, &scheme.fit, prediction.horizon);
    let found = Found { estimator: &*estimators[chosen], settings: &tried[chosen].settings, shape: &held_out };
    let level = found.level(past.as_ref(), prediction)?;
    let learning = found.learning_curve(prediction, data, &scheme, (&person_key, examples), context.seed)?;
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
        past: past.as_ref(),
        level: &level,
        learning,
    };
    let mut evaluation = subject.evaluation()?;
    let tested = subject.tested()?;
    let on_test = Judged::new(examples, &scheme.test, &label, tested.propensity.clone());
    let (scheme, person_key, found) = (&scheme, &person_key, &tried[chosen]);
    let last = Last { examples, prediction, scheme, data, person_key, found, held_out: &held_out };
    let search_again = search.is_none() && scheme.out_of_time;
    let Kept { settings, model, calibration, band, moved } = last.fit(&*estimators[chosen], search_again)?;
    let mut bundle = Bundle {
        format_version: FORMAT_VERSION,
        prediction: prediction.name.clone(),
        from: context.from.clone(),
        to: context.to.clone(),
        horizon: context.horizon.clone(),
        estimator: tried[chosen].name.to_owned(),
        settings,
        trained_on: trained_on(examples, &scheme.all, &label, context.seed),
        features: trees::features_of(data.table),
        model,
        calibration,
        percentiles: Vec::new(),
        band,
        moved,
        sketches: None,
        recipe: context.recipe.clone(),
        same: same(examples, data.table),
    };
    let scores = scores(examples, &mut bundle)?;
    let (sketches, drift) = sketched(&bundle, examples, data.table, &scheme.all, &scores)?;
    evaluation.warnings.extend(drift.as_ref().and_then(drifted));
    bundle.sketches = Some(sketches);
    Ok(Predicted { bundle, evaluation, scores, drift, trials, judged: on_test, tested })
}

/// What learned rows look like, and how far those to be scored are from them; in a snapshot they are the same.
fn sketched(
    bundle: &Bundle,
    examples: &Examples,
    table: &Table,
    learned: &[u32],
    scores: &Scores,
) -> Result<(Sketches, Option<Drift>)> {
    // Of the same model as all later scores: those of other fits lie elsewhere where few values carry many people.
    let of_learned = bundle.propensities(table, learned)?;
    let sketches = Sketches::new(&bundle.features, table, learned, &of_learned);
    let drift = (!examples.snapshot).then(|| {
        let mut tally = Tally::new(&sketches);
        tally.add_features(&sketches, &bundle.features, &table.take(&examples.eligible_now()), &[]);
        tally.add_scores(&sketches, &scores.propensity);
        Drift::new(&sketches, &bundle.features, &tally)
    });
    Ok((sketches, drift))
}

/// What a reader of the evaluation must know of people who are not those of training.
fn drifted(drift: &Drift) -> Option<String> {
    const NAMED: usize = 3;
    let shifted: Vec<&str> = drift.beyond(drift::SHIFTED).map(|moved| moved.feature.as_str()).collect();
    let (first, more) = (shifted.first()?, shifted.len().saturating_sub(NAMED));
    let named = shifted.iter().take(NAMED).skip(1).fold((*first).to_owned(), |all, name| format!("{all}, {name}"));
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(format!(
        "The people eligible now are not like those the model learned from: {named}{more} shifted. drift.json says how far."
    ))
}

/// For each feature of the model's `table` the first that says the same, a position in it.
fn same(examples: &Examples, table: &Table) -> Vec<u32> {
    let mut first_of: std::collections::BTreeMap<u32, u32> = std::collections::BTreeMap::new();
    let of_all = examples.features.columns.iter().zip(crate::discover::same(examples));
    let kept = of_all.filter(|(column, _)| table.column(&column.name).is_some());
    kept.zip(0..).map(|((_, representative), own)| *first_of.entry(representative).or_insert(own)).collect()
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
        reasons: reasons::reasons(&bundle.model, &examples.features, &rows, &bundle.dates(), &bundle.same)?,
        ends: bundle.ends(&examples.features, &rows)?,
        propensity,
    })
}

impl Scores {
    /// `scores.parquet`: `person, stage, propensity, percentile, reason_1..3`, and `propensity_low, propensity_high` where asked for.
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
        if let Some(ends) = &self.ends {
            let (low, high): (Vec<f64>, Vec<f64>) = ends.iter().copied().unzip();
            columns.push(Series::new("propensity_low".into(), low).into_column());
            columns.push(Series::new("propensity_high".into(), high).into_column());
        }
        Ok(DataFrame::new(self.person.len(), columns)?)
    }
}

#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod honesty_tests;
#[cfg(test)]
mod learning_tests;
#[cfg(test)]
mod real_data;
#[cfg(test)]
mod speed;
#[cfg(test)]
mod tests;
