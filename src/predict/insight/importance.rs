//! How much each feature weighs, in three ways.
//!
//! - the mean absolute contribution (SHAP value, log odds): how far it moves predictions;
//! - gain: its share of what all splits of the trees gained in training; of trees alone, and in favour of features of many values;
//! - permutation: how much worse the log loss of the test becomes when the feature's values change hands (Breiman 2001), the mean
//!   of a few shuffles, with an interval over people. Of features that say the same, each looks dispensable.

use std::collections::BTreeMap;

use hessboost::model::ImportanceType;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use rayon::prelude::*;

use super::Sample;
use crate::discover::{Cells, Column, Table};
use crate::error::Result;
use crate::predict::estimator::Fitted;
use crate::predict::evaluation::Measured;
use crate::predict::metrics::numbered;
use crate::predict::sums::log_loss;
use crate::rate::Z;

/// Features whose values change hands: the strongest.
const PERMUTED: usize = 24;
/// How often.
const SHUFFLES: u64 = 3;

/// How much a feature weighs.
#[derive(Debug, Clone, PartialEq)]
pub struct Importance {
    /// The feature.
    pub feature: String,
    /// Mean absolute contribution to the log odds.
    pub mean_abs_contribution: f64,
    /// Its share of the trees' gain, 0–1; none where the model has no trees.
    pub gain_share: Option<f64>,
    /// Increase of the log loss when its values change hands; told of the strongest features.
    pub permutation: Option<Measured>,
}

/// Every feature, the largest mean absolute contribution first.
pub(super) fn importance(sample: &Sample<'_>, seed: u64) -> Result<Vec<Importance>> {
    let features = sample.judged.model.features();
    let mut gains = BTreeMap::new();
    add_gains(&sample.judged.model, 1.0, &mut gains);
    let all: f64 = gains.values().sum();
    let n = sample.rows.len().max(1) as f64;
    let mut importance: Vec<Importance> = features
        .iter()
        .enumerate()
        .map(|(position, feature)| Importance {
            feature: (*feature).to_owned(),
            mean_abs_contribution: sample.of(position).map(f64::abs).sum::<f64>() / n,
            gain_share: (all > 0.0).then(|| gains.get(&position).copied().unwrap_or(0.0) / all),
            permutation: None,
        })
        .collect();
    importance.sort_by(|a, b| {
        b.mean_abs_contribution.total_cmp(&a.mean_abs_contribution).then_with(|| a.feature.cmp(&b.feature))
    });
    let permutation = Permutation::new(sample, seed)?;
    let told = importance.iter().take(PERMUTED).filter(|one| one.mean_abs_contribution > 0.0);
    let told: Result<Vec<Option<Measured>>> = told
        .map(|one| one.feature.as_str())
        .collect::<Vec<_>>()
        .into_par_iter()
        .map(|name| permutation.of(name))
        .collect();
    importance.iter_mut().zip(told?).for_each(|(one, told)| one.permutation = told);
    Ok(importance)
}

fn add_gains(model: &Fitted, weight: f64, gains: &mut BTreeMap<usize, f64>) {
    match model {
        Fitted::Linear(_) => {}
        Fitted::Trees(trees) => {
            for (feature, gain) in trees.trees.feature_importance(ImportanceType::TotalGain) {
                *gains.entry(feature).or_default() += weight * gain;
            }
        }
        Fitted::Blend(blend) => {
            blend.parts.iter().for_each(|part| add_gains(&part.model, weight * part.weight, gains));
        }
    }
}

/// The sample as a table of its own, with its losses.
struct Permutation<'a> {
    sample: &'a Sample<'a>,
    table: Table,
    label: Vec<bool>,
    loss: Vec<f64>,
    person: Vec<u32>,
    n_people: usize,
    seed: u64,
}

impl<'a> Permutation<'a> {
    fn new(sample: &'a Sample<'a>, seed: u64) -> Result<Self> {
        let examples = sample.examples;
        let table = examples.features.take(sample.rows);
        let label: Vec<bool> =
            sample.rows.iter().map(|&row| examples.outcome[row as usize].label() == Some(true)).collect();
        let person: Vec<u32> = sample.rows.iter().map(|&row| examples.person[row as usize]).collect();
        let (person, n_people) = numbered(&person);
        let mut permutation = Self { sample, table, label, loss: Vec::new(), person, n_people, seed };
        permutation.loss = permutation.losses(&permutation.table)?;
        Ok(permutation)
    }

    fn losses(&self, table: &Table) -> Result<Vec<f64>> {
        let rows: Vec<u32> = (0..).take(table.n_rows).collect();
        let margins = self.sample.judged.model.margins(table, &rows)?;
        let probability = |margin| self.sample.judged.calibration.probability(margin);
        Ok(margins.into_iter().zip(&self.label).map(|(margin, &label)| log_loss(probability(margin), label)).collect())
    }

    fn of(&self, feature: &str) -> Result<Option<Measured>> {
        let Some(place) = self.table.columns.iter().position(|column| column.name == feature) else { return Ok(None) };
        let mut worse = vec![0.0; self.n_people];
        for shuffle in 0..SHUFFLES {
            let mut table = self.table.clone();
            let order = shuffled(table.n_rows, self.seed, shuffle, place);
            table.columns[place] = taken(&table.columns[place], &order);
            for ((loss, before), &person) in self.losses(&table)?.iter().zip(&self.loss).zip(&self.person) {
                worse[person as usize] += (loss - before) / SHUFFLES as f64;
            }
        }
        let (n, n_people) = (self.table.n_rows as f64, self.n_people as f64);
        let value = worse.iter().sum::<f64>() / n;
        // Of a mean over rows whose sums per person are independent.
        let mean = worse.iter().sum::<f64>() / n_people;
        let variance = worse.iter().map(|sum| (sum - mean).powi(2)).sum::<f64>() / (n_people - 1.0).max(1.0);
        let half = Z * (variance * n_people).sqrt() / n;
        Ok(value.is_finite().then_some(Measured {
            value,
            low: value - half,
            high: value + half,
            n: self.table.n_rows as u64,
        }))
    }
}

/// An order of `n` rows: Fisher and Yates.
fn shuffled(n: usize, seed: u64, shuffle: u64, feature: usize) -> Vec<u32> {
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ 0x7065_726d);
    random.set_stream(shuffle * 1_000_003 + feature as u64);
    let mut order: Vec<u32> = (0..).take(n).collect();
    for last in (1..n).rev() {
        // 64 bits over far fewer places: the bias is below 10⁻¹⁴.
        order.swap(last, (random.next_u64() % (last as u64 + 1)) as usize);
    }
    order
}

fn taken(column: &Column, order: &[u32]) -> Column {
    let cells = match &column.cells {
        Cells::Number(values) => Cells::Number(order.iter().map(|&row| values[row as usize]).collect()),
        Cells::Category { codes, levels } => {
            Cells::Category { codes: order.iter().map(|&row| codes[row as usize]).collect(), levels: levels.clone() }
        }
    };
    Column { name: column.name.clone(), cells }
}
