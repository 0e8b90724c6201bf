//! What the versions of models say of themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use super::gate::{self, Evidence};
use crate::discover;
use crate::error::Result;
use crate::predict::evaluation::{Measured, Metrics};
use crate::predict::{Bundle, Evaluation};
use crate::store::{Layout, models, read_json, read_text};

/// A version of a model.
#[derive(Debug, Clone, Serialize)]
pub struct Version {
    /// The prediction.
    pub prediction: String,
    /// The version's name.
    pub version: String,
    /// Whether it is the one in use.
    pub is_current: bool,
    /// What it was learned with.
    pub estimator: String,
    /// AUC on its test part.
    pub roc_auc: Option<Measured>,
}

/// Every version of every model, by prediction, oldest first.
///
/// # Errors
/// When an evaluation is damaged.
pub fn list(models: &Path) -> Result<Vec<Version>> {
    let mut all = Vec::new();
    for prediction in models::predictions(models) {
        let current = models::current(models, &prediction);
        for version in models::versions(models, &prediction) {
            let known = evaluation(models, &prediction, &version)?;
            let estimator = match &known {
                Some(evaluation) => evaluation.estimator.clone(),
                None => Bundle::load(&models.join(&prediction).join(&version))?.estimator,
            };
            all.push(Version {
                prediction: prediction.clone(),
                is_current: current.as_ref() == Some(&version),
                version,
                roc_auc: test(known.as_ref()).roc_auc,
                estimator,
            });
        }
    }
    Ok(all)
}

/// A version, with its card.
#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    /// The prediction.
    pub prediction: String,
    /// The version's name.
    pub version: String,
    /// The card, Markdown.
    pub card: String,
    /// All numbers; absent of an imported model.
    pub evaluation: Option<Evaluation>,
}

/// A version's card and numbers.
///
/// # Errors
/// When there is no such version, or it is damaged.
pub fn show(models: &Path, prediction: &str, version: &str) -> Result<Shown> {
    let version = models::find(models, prediction, version)?;
    let path = models.join(prediction).join(&version).join("card.md");
    let card = read_text(&path)?;
    let evaluation = evaluation(models, prediction, &version)?;
    Ok(Shown { prediction: prediction.to_owned(), version, card, evaluation })
}

/// Two versions side by side.
#[derive(Debug, Clone, Serialize)]
pub struct Difference {
    /// The prediction.
    pub prediction: String,
    /// One version.
    pub from: String,
    /// The other.
    pub to: String,
    /// Metrics of both, by name, each on its own test part.
    pub metrics: BTreeMap<String, [Option<Measured>; 2]>,
    /// Metrics of both on the same examples, where both have an honest score of some ([`super::gate`]).
    pub on_the_same: Option<Evidence>,
    /// What they were fitted with and on, where it differs, by name.
    pub settings: BTreeMap<String, [Value; 2]>,
    /// Features that only the first looks at.
    pub features_removed: Vec<String>,
    /// Features that only the second looks at.
    pub features_added: Vec<String>,
    /// How the scores of the people eligible now moved, where the examples are there and fit both.
    pub scores: Option<Shift>,
}

/// Scores of the same people by two versions.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Shift {
    /// People scored.
    pub n: usize,
    /// Mean propensity by each version.
    pub mean: [f64; 2],
    /// Mean absolute change of the propensity.
    pub mean_change: f64,
    /// Rank correlation (Spearman), absent where all scores are alike.
    pub rank_correlation: Option<f64>,
    /// Share of the first version's best tenth that stands in the second's too.
    pub best_tenth_kept: f64,
}

/// Compares two versions.
///
/// # Errors
/// When there is no such version, or it is damaged.
pub fn difference(layout: &Layout, prediction: &str, from: &str, to: &str) -> Result<Difference> {
    let models = layout.models.as_path();
    let [from, to] = [models::find(models, prediction, from)?, models::find(models, prediction, to)?];
    let [old, new] = [evaluation(models, prediction, &from)?, evaluation(models, prediction, &to)?]
        .map(|e| named(&test(e.as_ref())));
    let metrics = old.into_iter().zip(new).map(|((name, old), (_, new))| (name.to_owned(), [old, new])).collect();
    let [first, second] = [&from, &to].map(|version| Bundle::load(&models.join(prediction).join(version)));
    let bundles = [first?, second?];
    let lacks = |bundle: &Bundle, name: &String| !bundle.features.iter().any(|feature| feature.name == *name);
    let only = |one: &Bundle, other: &Bundle| -> Vec<String> {
        one.features.iter().map(|feature| feature.name.clone()).filter(|name| lacks(other, name)).collect()
    };
    Ok(Difference {
        prediction: prediction.to_owned(),
        metrics,
        on_the_same: gate::evidence(layout, prediction, [&from, &to]).ok().flatten(),
        settings: settings(&bundles),
        features_removed: only(&bundles[0], &bundles[1]),
        features_added: only(&bundles[1], &bundles[0]),
        scores: shift(layout, prediction, &bundles)?,
        from,
        to,
    })
}

/// Name and value of what both were fitted with and on, where it differs.
fn settings(bundles: &[Bundle; 2]) -> BTreeMap<String, [Value; 2]> {
    let described = bundles.each_ref().map(|bundle| {
        let mut all = bundle.settings.described();
        all.insert("estimator".to_owned(), json!(bundle.estimator));
        all.insert("calibration".to_owned(), json!(bundle.calibration.name()));
        all.insert("examples".to_owned(), json!(bundle.trained_on.n_examples));
        all.insert("attained".to_owned(), json!(bundle.trained_on.n_attained));
        all.insert("cutoffs".to_owned(), json!(bundle.trained_on.cutoffs));
        all.insert("seed".to_owned(), json!(bundle.trained_on.seed));
        all.insert("horizon".to_owned(), json!(bundle.horizon));
        all
    });
    let names: BTreeSet<&String> = described.iter().flat_map(BTreeMap::keys).collect();
    let pair = |name: &String| described.each_ref().map(|all| all.get(name).cloned().unwrap_or(Value::Null));
    names.into_iter().map(|name| (name.clone(), pair(name))).filter(|(_, [from, to])| from != to).collect()
}

fn shift(layout: &Layout, prediction: &str, bundles: &[Bundle; 2]) -> Result<Option<Shift>> {
    let folder = layout.discover(prediction);
    if !folder.join("examples.parquet").is_file() {
        return Ok(None);
    }
    let (examples, _) = discover::read_examples(&folder)?;
    let now = examples.eligible_now();
    let [first, second] = bundles.each_ref().map(|bundle| bundle.propensities(&examples.features, &now));
    // The examples of another spec do not fit an old version: then there is nothing to tell.
    let (Ok(first), Ok(second)) = (first, second) else { return Ok(None) };
    let n = now.len();
    if n == 0 {
        return Ok(None);
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / n as f64;
    let change: Vec<f64> = first.iter().zip(&second).map(|(from, to)| (to - from).abs()).collect();
    let ranks = [ranks(&first), ranks(&second)];
    let edge = n as f64 - n.div_ceil(10) as f64;
    let best = |side: usize, at: usize| ranks[side][at] >= edge;
    let n_best = (0..n).filter(|&at| best(0, at)).count();
    let n_kept = (0..n).filter(|&at| best(0, at) && best(1, at)).count();
    Ok(Some(Shift {
        n,
        mean: [mean(&first), mean(&second)],
        mean_change: mean(&change),
        rank_correlation: correlation(&ranks[0], &ranks[1]),
        best_tenth_kept: n_kept as f64 / n_best.max(1) as f64,
    }))
}

/// The rank of each value from 0, equal ones sharing the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for ties in order.chunk_by(|&a, &b| values[a].total_cmp(&values[b]).is_eq()) {
        let rank = first as f64 + (ties.len() - 1) as f64 / 2.0;
        for &at in ties {
            ranks[at] = rank;
        }
        first += ties.len();
    }
    ranks
}

fn correlation(one: &[f64], other: &[f64]) -> Option<f64> {
    let n = one.len() as f64;
    let [middle, middle_of_other] = [one, other].map(|values| values.iter().sum::<f64>() / n);
    let (mut both, mut squares) = (0.0, [0.0; 2]);
    for (a, b) in one.iter().zip(other) {
        let (a, b) = (a - middle, b - middle_of_other);
        both += a * b;
        squares[0] += a * a;
        squares[1] += b * b;
    }
    let scale = (squares[0] * squares[1]).sqrt();
    (scale > 0.0).then(|| both / scale)
}

fn named(metrics: &Metrics) -> [(&'static str, Option<Measured>); 7] {
    [
        ("roc_auc", metrics.roc_auc),
        ("pr_auc", metrics.pr_auc),
        ("log_loss", metrics.log_loss),
        ("brier", metrics.brier),
        ("ece", metrics.ece),
        ("lift_10", metrics.lift_10),
        ("capture_10", metrics.capture_10),
    ]
}

/// What a version is worth; nobody knows it of an imported model.
fn evaluation(models: &Path, prediction: &str, version: &str) -> Result<Option<Evaluation>> {
    let path = models.join(prediction).join(version).join("evaluation.json");
    if path.is_file() { read_json(&path).map(Some) } else { Ok(None) }
}

fn test(evaluation: Option<&Evaluation>) -> Metrics {
    evaluation.and_then(|evaluation| evaluation.splits.get("test").cloned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_share_ties_and_correlate() {
        assert_eq!(ranks(&[0.3, 0.1, 0.3, 0.9]), [1.5, 0.0, 1.5, 3.0]);
        assert_eq!(correlation(&ranks(&[1.0, 2.0, 3.0]), &ranks(&[9.0, 5.0, 1.0])), Some(-1.0));
        assert_eq!(correlation(&[1.0, 1.0], &[1.0, 2.0]), None);
    }
}
