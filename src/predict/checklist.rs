//! What an auditor asks of a model: the ways in which it could know what it must not, one by one, and the card as data.

use serde::Serialize;

use super::bundle::Bundle;
use super::evaluation::{Evaluation, Metrics};

/// The version of the form of `card.json`.
const FORMAT_VERSION: u32 = 1;
/// A better AUC than this is rarely honest.
const TOO_GOOD: f64 = 0.98;

/// One question, and its answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Check {
    /// What is asked.
    pub question: &'static str,
    /// Whether it holds; absent: it cannot be told, and `how` says why.
    pub holds: Option<bool>,
    /// How it is known.
    pub how: String,
}

/// `card.json`.
#[derive(Debug, Clone, Serialize)]
pub struct CardData<'a> {
    format_version: u32,
    prediction: &'a str,
    purpose: String,
    not_for: &'static str,
    estimator: &'a str,
    calibration: &'a str,
    trained_on: &'a super::bundle::TrainedOn,
    horizon: Option<&'a str>,
    n_features: usize,
    validation_scheme: &'a str,
    outcomes: &'a std::collections::BTreeMap<String, u64>,
    leakage: Vec<Check>,
    metrics: &'a std::collections::BTreeMap<String, Metrics>,
    limits: Vec<String>,
}

/// What the model is not for.
pub(super) const NOT_FOR: &str =
    "Not for decisions about credit, employment, housing or anything else that a person depends on.";

/// What the model is for.
pub(super) fn purpose(bundle: &Bundle) -> String {
    let within = bundle.horizon.as_ref().map_or_else(String::new, |horizon| format!(" within {horizon}"));
    let (from, to) = (bundle.from.join(" or "), bundle.to.join(" or "));
    format!("The chance that a person in {from} reaches {to}{within}, to rank whom to reach.")
}

/// Where the numbers end.
pub(super) fn limits(evaluation: &Evaluation) -> Vec<String> {
    let always = [
        "It says who is likely to move, not whom a message would move: only a holdout tells that.",
        "What it learned holds while people and offers stay as they were.",
    ];
    let mut limits: Vec<String> = always.map(str::to_owned).into();
    let rates: Vec<f64> = evaluation.cutoffs.iter().filter_map(|cutoff| cutoff.metrics.base_rate.share()).collect();
    let [low, high] = [f64::min as fn(f64, f64) -> f64, f64::max].map(|of| rates.iter().copied().reduce(of));
    if let (Some(low), Some(high)) = (low, high)
        && rates.len() > 1
    {
        limits.push(format!(
            "Between cutoffs {:.1} % to {:.1} % of the eligible attained: the level of propensities is as sure as that.",
            100.0 * low,
            100.0 * high
        ));
    }
    limits.extend(evaluation.warnings.iter().cloned());
    limits
}

/// The card as data.
#[must_use]
pub fn card_data<'a>(bundle: &'a Bundle, evaluation: &'a Evaluation) -> CardData<'a> {
    CardData {
        format_version: FORMAT_VERSION,
        prediction: &bundle.prediction,
        purpose: purpose(bundle),
        not_for: NOT_FOR,
        estimator: &bundle.estimator,
        calibration: bundle.calibration.name(),
        trained_on: &bundle.trained_on,
        horizon: bundle.horizon.as_deref(),
        n_features: bundle.features.len(),
        validation_scheme: &evaluation.validation_scheme,
        outcomes: &evaluation.outcomes,
        leakage: checklist(bundle, evaluation),
        metrics: &evaluation.splits,
        limits: limits(evaluation),
    }
}

/// The ways in which a model could know what it must not.
#[must_use]
pub(super) fn checklist(bundle: &Bundle, evaluation: &Evaluation) -> Vec<Check> {
    let in_time = bundle.horizon.is_some();
    let later = evaluation.validation_scheme.starts_with("Out of time")
        || evaluation.validation_scheme.starts_with("In time order");
    let check = |question, holds, how: &str| Check { question, holds, how: how.to_owned() };
    let named: Vec<&str> =
        evaluation.warnings.iter().map(String::as_str).filter(|warning| warning.contains("leak")).collect();
    let before = if in_time {
        check(
            "Features know nothing from the cutoff on",
            Some(true),
            "An event counts when it was known before the cutoff; the features were listed by what was known before the last training cutoff.",
        )
    } else {
        check(
            "Features know nothing from the cutoff on",
            None,
            "A snapshot has no times: that every column was known before the outcome must be known of the data.",
        )
    };
    let outcome = check(
        "The outcome is not among the features",
        Some(true),
        "Columns that a stage rule names are kept out; of events, what happens in the label window is after the cutoff.",
    );
    let apart = check(
        "The test is later than what was learned from",
        Some(later),
        if later {
            &evaluation.validation_scheme
        } else {
            "Folds: people are apart, times are not; the world may have been another one by the time of use."
        },
    );
    let inside = check(
        "Encoding, settings, choice and calibration did not see the test",
        Some(true),
        "They were found on windows of train and validation; the test was scored once, by the fit to both.",
    );
    let marked = Check {
        question: "No feature bears the marks of a leak",
        holds: Some(named.is_empty()),
        how: if named.is_empty() {
            "Each feature was looked at alone: separation, missing values that tell, time of filling.".to_owned()
        } else {
            named.join(" ")
        },
    };
    vec![before, outcome, apart, inside, marked, too_good(evaluation)]
}

fn too_good(evaluation: &Evaluation) -> Check {
    let auc = evaluation.splits.get("test").and_then(|metrics| metrics.roc_auc);
    let how = match auc {
        Some(auc) => format!(
            "AUC {:.3} ({:.3}–{:.3}) on the test; above {TOO_GOOD} something is known that should not be.",
            auc.value, auc.low, auc.high
        ),
        None => "The test holds one class.".to_owned(),
    };
    Check { question: "The test is not too good to be true", holds: auc.map(|auc| auc.value < TOO_GOOD), how }
}

/// The checklist as Markdown.
pub(super) fn told(checks: &[Check]) -> String {
    let mut text = "\n## Could it know what it must not?\n\n| | holds | how it is known |\n|---|---|---|\n".to_owned();
    for check in checks {
        let holds = check.holds.map_or("cannot be told", |holds| if holds { "yes" } else { "**no**" });
        text += &format!("| {} | {holds} | {} |\n", check.question, check.how.replace('|', "\\|"));
    }
    text
}
