//! What the versions of models say of themselves.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use crate::error::Result;
use crate::predict::Evaluation;
use crate::predict::evaluation::{Measured, Metrics};
use crate::store::{models, read_json, read_text};

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
            let evaluation = evaluation(models, &prediction, &version)?;
            all.push(Version {
                prediction: prediction.clone(),
                is_current: current.as_ref() == Some(&version),
                version,
                roc_auc: test(&evaluation).roc_auc,
                estimator: evaluation.estimator,
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
    /// All numbers.
    pub evaluation: Evaluation,
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

/// Two versions, metric by metric, each on its own test part.
#[derive(Debug, Clone, Serialize)]
pub struct Difference {
    /// The prediction.
    pub prediction: String,
    /// One version.
    pub from: String,
    /// The other.
    pub to: String,
    /// Metrics of both, by name.
    pub metrics: BTreeMap<String, [Option<Measured>; 2]>,
}

/// Compares two versions.
///
/// # Errors
/// When there is no such version, or it is damaged.
pub fn difference(models: &Path, prediction: &str, from: &str, to: &str) -> Result<Difference> {
    let [from, to] = [models::find(models, prediction, from)?, models::find(models, prediction, to)?];
    let [old, new] =
        [evaluation(models, prediction, &from)?, evaluation(models, prediction, &to)?].map(|e| named(&test(&e)));
    let metrics = old.into_iter().zip(new).map(|((name, old), (_, new))| (name.to_owned(), [old, new])).collect();
    Ok(Difference { prediction: prediction.to_owned(), from, to, metrics })
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

fn evaluation(models: &Path, prediction: &str, version: &str) -> Result<Evaluation> {
    read_json(&models.join(prediction).join(version).join("evaluation.json"))
}

fn test(evaluation: &Evaluation) -> Metrics {
    evaluation.splits.get("test").cloned().unwrap_or_default()
}
