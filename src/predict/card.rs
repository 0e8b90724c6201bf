//! The model card: what a bundle is for, what it was made of, how well it does, and where it ends.

use super::bundle::Bundle;
use super::checklist::{NOT_FOR, checklist, limits, purpose, told};
use super::estimator::Fitted;
use super::evaluation::{Evaluation, Measured, Metrics};
use super::linear::Coefficient;
use crate::rate::grouped;

/// Features named on the card.
const FEATURES: usize = 10;

/// `card.md`.
#[must_use]
pub fn card(bundle: &Bundle, evaluation: &Evaluation) -> String {
    let mut card = format!("# {}\n\n", bundle.prediction);
    card += &format!("**Purpose.** {} {}\n\n", purpose(bundle), NOT_FOR);
    let trained = &bundle.trained_on;
    let cutoffs = match &trained.cutoffs {
        Some((first, last)) if first == last => format!(", taken at {first}"),
        Some((first, last)) => format!(", taken at cutoffs from {first} to {last}"),
        None => String::new(),
    };
    card += &format!(
        "**Data.** Fitted on {} examples, {} of them attained{cutoffs}; {} features. {}\n\n",
        grouped(trained.n_examples),
        grouped(trained.n_attained),
        bundle.features.len(),
        evaluation.validation_scheme
    );
    card += &format!(
        "**Model.** {} {} {}\n\n",
        estimator(&bundle.estimator),
        evaluation.chosen_because,
        evaluation.calibration
    );
    card += "## How well it does\n\n| metric | train | validation | test |\n|---|---|---|---|\n";
    let of = |split: &str| evaluation.splits.get(split).cloned().unwrap_or_default();
    let splits = [of("train"), of("validation"), of("test")];
    card +=
        &format!("| base rate | {} |\n", splits.each_ref().map(|metrics| metrics.base_rate.to_string()).join(" | "));
    for (name, metric) in METRICS {
        card += &format!("| {name} | {} |\n", splits.each_ref().map(|metrics| shown(metric(metrics))).join(" | "));
    }
    card += "\nIn brackets: the 95 % interval of a bootstrap over people.\n\n## What it looks at\n\n";
    for (feature, importance) in evaluation.importance.iter().take(FEATURES).filter(|(_, importance)| *importance > 0.0)
    {
        card += &format!("- `{feature}` moves the log odds by {importance:.3} on average\n");
    }
    card += &coefficients(&bundle.model);
    card += &told(&checklist(bundle, evaluation));
    card += "\n## Limits\n\n";
    for limit in limits(evaluation) {
        card += &format!("- {limit}\n");
    }
    card
}

/// The weights of the logistic regression that stand furthest from zero, counted in standard errors.
fn coefficients(model: &Fitted) -> String {
    let linear = match model {
        Fitted::Linear(linear) => Some(linear),
        Fitted::Blend(blend) => blend.parts.iter().find_map(|part| match &part.model {
            Fitted::Linear(linear) => Some(linear),
            _ => None,
        }),
        Fitted::Trees(_) => None,
    };
    let errors = |coefficient: &Coefficient| coefficient.standard_error.filter(|error| *error > 0.0);
    let Some(linear) = linear else { return String::new() };
    let mut known: Vec<(Coefficient, f64)> =
        linear.coefficients().into_iter().filter_map(|one| errors(&one).map(|error| (one, error))).collect();
    known.sort_by(|a, b| (b.0.weight.abs() / b.1).total_cmp(&(a.0.weight.abs() / a.1)));
    if known.is_empty() {
        return String::new();
    }
    let mut table = "\n## Weights of the logistic regression\n\nIn log odds, those that stand furthest from zero; the penalty draws all of them towards it.\n\n| feature | part | weight | standard error |\n|---|---|---|---|\n".to_owned();
    for (one, error) in known.iter().take(FEATURES) {
        table +=
            &format!("| `{}` | {} | {:.3} | {error:.3} |\n", one.feature, one.part.replace('|', "\\|"), one.weight);
    }
    table
}

type Metric = fn(&Metrics) -> Option<Measured>;

const METRICS: [(&str, Metric); 7] = [
    ("ROC AUC", |metrics| metrics.roc_auc),
    ("PR AUC", |metrics| metrics.pr_auc),
    ("log loss", |metrics| metrics.log_loss),
    ("Brier score", |metrics| metrics.brier),
    ("calibration error", |metrics| metrics.ece),
    ("lift in the best tenth", |metrics| metrics.lift_10),
    ("capture in the best tenth", |metrics| metrics.capture_10),
];

fn shown(measured: Option<Measured>) -> String {
    measured.map_or_else(|| "–".into(), |m| format!("{:.4} ({:.4}–{:.4})", m.value, m.low, m.high))
}

fn estimator(name: &str) -> &'static str {
    match name {
        "logistic" => "Penalised logistic regression.",
        "boosting" => "Gradient boosting of trees.",
        "forest" => "Random forest.",
        "bayes" => "Naive Bayes.",
        "blend" => "Logistic regression and gradient boosting, weighed and added in log odds.",
        _ => "",
    }
}
