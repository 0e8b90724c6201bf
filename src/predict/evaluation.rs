//! What a model is worth, in numbers that carry their uncertainty: the contract of `evaluation.json`.

use serde::{Deserialize, Serialize};

use crate::rate::Rate;

/// The version of the form of `evaluation.json`.
pub const FORMAT_VERSION: u32 = 2;

/// A number with its 95 % bootstrap interval and the number of examples it was measured on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The estimate.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// Examples it was measured on.
    pub n: u64,
}

/// Every metric of one set of scores. A metric that is not defined (one class only) is absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// How many of the examples attained.
    pub base_rate: Rate,
    /// Area under the receiver operating characteristic.
    pub roc_auc: Option<Measured>,
    /// Area under the precision-recall curve (average precision).
    pub pr_auc: Option<Measured>,
    /// The greatest distance between the shares of those who attained and of the others that stand above a score
    /// (Kolmogorov–Smirnov).
    pub ks: Option<Measured>,
    /// Mean negative log likelihood, nats.
    pub log_loss: Option<Measured>,
    /// Mean squared error of the probability: `reliability − resolution + uncertainty + within_bins`.
    pub brier: Option<Measured>,
    /// How far the mean propensities of ten bins are from their rates; 0 is best.
    pub reliability: Option<Measured>,
    /// How far the rates of the bins are from the base rate; the more, the better.
    pub resolution: Option<Measured>,
    /// The Brier score of the base rate.
    pub uncertainty: Option<Measured>,
    /// What scores do within their bins.
    pub within_bins: Option<Measured>,
    /// Expected calibration error over ten bins of equal count.
    pub ece: Option<Measured>,
    /// The calibration error that true probabilities would show by chance.
    pub ece_by_chance: Option<f64>,
    /// Mean propensity.
    pub mean_propensity: Option<Measured>,
    /// Rate less mean propensity: above 0 more attained than was said.
    pub gap: Option<Measured>,
    /// Rate in the best tenth over the base rate.
    pub lift_10: Option<Measured>,
    /// Share of all who attained that stands in the best tenth.
    pub capture_10: Option<Measured>,
}

/// One tenth of the examples, the best scores first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decile {
    /// 1 (best) to 10.
    pub decile: u8,
    /// Mean propensity.
    pub mean_propensity: f64,
    /// Who attained, of how many.
    pub rate: Rate,
    /// Wilson interval of the rate, 95 %.
    pub rate_low: f64,
    /// See `rate_low`.
    pub rate_high: f64,
    /// Rate over base rate, with its bootstrap interval.
    pub lift: Option<Measured>,
    /// Share of all who attained in this and the better tenths, with its bootstrap interval.
    pub capture: Option<Measured>,
}

/// The best of the examples by score, as a list of that size would hold them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AtSize {
    /// Share of all examples, 0–1.
    pub share: f64,
    /// How many that are.
    pub n: u64,
    /// Their rate over the base rate.
    pub lift: Option<Measured>,
    /// Share of all who attained that stands among them.
    pub capture: Option<Measured>,
    /// What reaching them brings for 1,000 people of all, where it is known what is at stake.
    pub profit: Option<Measured>,
}

/// What acting on the scores brings, for 1,000 people of all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profit {
    /// What reaching one person costs.
    pub cost: f64,
    /// What one transition is worth.
    pub value: f64,
    /// The share of people that would have brought most: known in hindsight only.
    pub best_share: Option<Measured>,
    /// What it would have brought.
    pub at_best: Option<Measured>,
    /// The share of people whose propensity times the value exceeds the cost: what `size = "max-profit"` takes.
    pub advised_share: Option<Measured>,
    /// What reaching them brings.
    pub at_advised: Option<Measured>,
    /// What reaching everyone brings.
    pub everyone: Option<Measured>,
}

/// Whether the propensities of a group of people hold on average.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// No difference beyond noise that matters.
    #[default]
    Yes,
    /// More attained than the propensities say, beyond noise.
    TooLow,
    /// Fewer attained than the propensities say, beyond noise.
    TooHigh,
    /// Too few to tell; only counts are given.
    TooFew,
}

/// What the chosen model would be worth had it learned from fewer people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LearningCurve {
    /// From few to all.
    pub points: Vec<LearningPoint>,
    /// What more data would bring, in a sentence.
    pub sentence: String,
}

/// One fit of a learning curve, judged on the test part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LearningPoint {
    /// Share of the people that it learned from.
    pub share: f64,
    /// The examples that it learned from, and how many of them attained.
    pub base_rate: Rate,
    /// Area under the receiver operating characteristic.
    pub roc_auc: Option<Measured>,
    /// Log loss after recalibration.
    pub log_loss: Option<Measured>,
}

/// The metrics of one cutoff.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AtCutoff {
    /// The cutoff, ISO 8601.
    pub cutoff: String,
    /// train, validation or test.
    pub split: String,
    /// Metrics of the chosen model on the examples of this cutoff.
    pub metrics: Metrics,
    /// Whether its propensities hold there.
    #[serde(default)]
    pub holds: Holds,
}

/// The metrics of one group of people, on the test part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// The feature that makes the groups.
    pub feature: String,
    /// The group.
    pub value: String,
    /// Metrics of the chosen model.
    pub metrics: Metrics,
    /// Whether its propensities hold there.
    #[serde(default)]
    pub holds: Holds,
}

/// One estimator that was tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// `logistic`, `boosting` …
    pub estimator: String,
    /// Parameters it was fitted with, in words a data scientist reads.
    pub parameters: std::collections::BTreeMap<String, serde_json::Value>,
    /// Before choosing: metrics on validation.
    pub validation: Metrics,
    /// Metrics on the test part, for the record; never used to choose.
    pub test: Metrics,
}

/// `evaluation.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Version of this format.
    pub format_version: u32,
    /// The prediction.
    pub prediction: String,
    /// Names of the stages people are taken from.
    pub from: Vec<String>,
    /// Names of the stages that count as attained.
    pub to: Vec<String>,
    /// The horizon as written, absent in a snapshot.
    pub horizon: Option<String>,
    /// How validation and test were parted from training, in a sentence.
    pub validation_scheme: String,
    /// The estimator that was chosen.
    pub estimator: String,
    /// Why, in a sentence.
    pub chosen_because: String,
    /// The candidates, in the order they were tried.
    pub candidates: Vec<Candidate>,
    /// How scores were calibrated.
    pub calibration: String,
    /// Number of features after exclusion.
    pub n_features: usize,
    /// Examples by outcome: attained, stayed, attrited, immature.
    pub outcomes: std::collections::BTreeMap<String, u64>,
    /// The chosen model's metrics by split: train, validation, test.
    pub splits: std::collections::BTreeMap<String, Metrics>,
    /// The test part by tenths.
    pub deciles: Vec<Decile>,
    /// The test part by size of list.
    #[serde(default)]
    pub sizes: Vec<AtSize>,
    /// What acting on the scores brings on the test part, where the prediction says `cost` and `value`.
    #[serde(default)]
    pub profit: Option<Profit>,
    /// What more data would bring, where that was looked at.
    #[serde(default)]
    pub learning: Option<LearningCurve>,
    /// Cutoff by cutoff.
    pub cutoffs: Vec<AtCutoff>,
    /// Group by group.
    pub segments: Vec<Segment>,
    /// The features that matter most: name, importance (mean absolute contribution to the log odds), best first.
    pub importance: Vec<(String, f64)>,
    /// What a reader should know before trusting the numbers.
    pub warnings: Vec<String>,
}
