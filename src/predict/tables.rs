//! An evaluation as tables that other tools read: a row per number.
//!
//! - `metrics.parquet`: `split, metric, value, low, high, n, n_attained`.
//! - `slices.parquet`: `kind (cutoff | segment), name, slice, split, holds (yes | too_low | too_high | too_few), metric, value, low,
//!   high, n, n_attained`; of a slice that is too small there is one row, with its counts and no value.
//! - `sizes.parquet`: the best of the test part by size of list, `share, metric (lift | capture | profit), value, low, high, n`.

use polars::prelude::{Column, DataFrame};

use super::evaluation::{AtSize, Evaluation, Holds, Measured, Metrics};
use crate::error::Result;
use crate::rate::Rate;

impl Metrics {
    /// Every metric with its name in files.
    #[must_use]
    pub fn named(&self) -> [(&'static str, Option<Measured>); 15] {
        let by_chance = self.ece_by_chance.map(|ece| {
            let n = self.base_rate.n_eligible;
            Measured { value: ece, low: ece, high: ece, n }
        });
        [
            ("roc_auc", self.roc_auc),
            ("pr_auc", self.pr_auc),
            ("ks", self.ks),
            ("log_loss", self.log_loss),
            ("brier", self.brier),
            ("reliability", self.reliability),
            ("resolution", self.resolution),
            ("uncertainty", self.uncertainty),
            ("within_bins", self.within_bins),
            ("ece", self.ece),
            ("ece_by_chance", by_chance),
            ("mean_propensity", self.mean_propensity),
            ("gap", self.gap),
            ("lift_10", self.lift_10),
            ("capture_10", self.capture_10),
        ]
    }
}

impl Holds {
    /// Its name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::TooLow => "too_low",
            Self::TooHigh => "too_high",
            Self::TooFew => "too_few",
        }
    }
}

/// Rows of named numbers.
#[derive(Default)]
struct Rows<'a> {
    texts: Vec<(&'static str, Vec<&'a str>)>,
    metric: Vec<&'static str>,
    value: Vec<Option<f64>>,
    low: Vec<Option<f64>>,
    high: Vec<Option<f64>>,
    n: Vec<u64>,
    n_attained: Vec<u64>,
}

impl<'a> Rows<'a> {
    fn new<const N: usize>(names: [&'static str; N]) -> Self {
        Self { texts: names.map(|name| (name, Vec::new())).into(), ..Self::default() }
    }

    fn push(&mut self, texts: &[&'a str], metric: &'static str, measured: Option<Measured>, rate: Rate) {
        self.texts.iter_mut().zip(texts).for_each(|((_, column), text)| column.push(text));
        self.metric.push(metric);
        self.value.push(measured.map(|measured| measured.value));
        self.low.push(measured.map(|measured| measured.low));
        self.high.push(measured.map(|measured| measured.high));
        self.n.push(rate.n_eligible);
        self.n_attained.push(rate.n_attained);
    }

    fn push_all(&mut self, texts: &[&'a str], metrics: &Metrics) {
        let rate = metrics.base_rate;
        let share = rate.share().zip(rate.interval());
        let share = share.map(|(value, (low, high))| Measured { value, low, high, n: rate.n_eligible });
        let known = metrics.named().into_iter().filter(|(_, measured)| measured.is_some());
        for (metric, measured) in [("base_rate", share)].into_iter().chain(known) {
            self.push(texts, metric, measured, rate);
        }
    }

    fn frame(self) -> Result<DataFrame> {
        let n_rows = self.metric.len();
        let mut columns: Vec<Column> =
            self.texts.iter().map(|(name, texts)| Column::new((*name).into(), texts)).collect();
        columns.push(Column::new("metric".into(), self.metric));
        for (name, values) in [("value", self.value), ("low", self.low), ("high", self.high)] {
            columns.push(Column::new(name.into(), values));
        }
        columns.push(Column::new("n".into(), self.n));
        columns.push(Column::new("n_attained".into(), self.n_attained));
        Ok(DataFrame::new(n_rows, columns)?)
    }
}

/// `metrics.parquet`.
///
/// # Errors
/// When the columns differ in length, which they do not.
pub fn metrics(evaluation: &Evaluation) -> Result<DataFrame> {
    let mut rows = Rows::new(["split"]);
    for (split, metrics) in &evaluation.splits {
        rows.push_all(&[split], metrics);
    }
    rows.frame()
}

/// `slices.parquet`.
///
/// # Errors
/// As [`metrics`].
pub fn slices(evaluation: &Evaluation) -> Result<DataFrame> {
    let mut rows = Rows::new(["kind", "name", "slice", "split", "holds"]);
    let cutoffs = evaluation.cutoffs.iter();
    let cutoffs =
        cutoffs.map(|at| (["cutoff", "cutoff", &at.cutoff, &at.split, at.holds.name()], at.holds, &at.metrics));
    let segments = evaluation.segments.iter();
    let segments =
        segments.map(|one| (["segment", &one.feature, &one.value, "test", one.holds.name()], one.holds, &one.metrics));
    for (texts, holds, metrics) in cutoffs.chain(segments) {
        if holds == Holds::TooFew {
            rows.push(&texts, "base_rate", None, metrics.base_rate);
        } else {
            rows.push_all(&texts, metrics);
        }
    }
    rows.frame()
}

/// `sizes.parquet`.
///
/// # Errors
/// As [`metrics`].
pub fn sizes(evaluation: &Evaluation) -> Result<DataFrame> {
    let of_size = |size: &AtSize| {
        let measured = [("lift", size.lift), ("capture", size.capture), ("profit", size.profit)];
        let (share, n) = (size.share, size.n);
        measured.into_iter().filter_map(move |(metric, measured)| Some((share, metric, measured?, n)))
    };
    let rows: Vec<(f64, &str, Measured, u64)> = evaluation.sizes.iter().flat_map(of_size).collect();
    let numbers = |of: fn(&Measured) -> f64| rows.iter().map(|row| of(&row.2)).collect::<Vec<f64>>();
    let columns = vec![
        Column::new("share".into(), rows.iter().map(|row| row.0).collect::<Vec<f64>>()),
        Column::new("metric".into(), rows.iter().map(|row| row.1).collect::<Vec<&str>>()),
        Column::new("value".into(), numbers(|measured| measured.value)),
        Column::new("low".into(), numbers(|measured| measured.low)),
        Column::new("high".into(), numbers(|measured| measured.high)),
        Column::new("n".into(), rows.iter().map(|row| row.3).collect::<Vec<u64>>()),
    ];
    Ok(DataFrame::new(rows.len(), columns)?)
}
