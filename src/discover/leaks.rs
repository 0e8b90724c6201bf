//! What becomes of the leaks that [`super::signals`] named: those that are certain are kept out of training.
//!
//! A model that learned from a column filled in after the outcome shows an AUC that no list will ever have. So what is certain
//! is left out without being asked, and said loudly; what is only suspected stays, and is said as loudly. Whoever knows better
//! writes `trust` (it is known before the cutoff) or `exclude` (it is not).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::catalogue::{Recipe, excluded};
use super::signals::{Grade, Signal};
use super::table::Examples;
use crate::error::{Error, Result, did_you_mean};
use crate::spec::Prediction;

/// `leaks.json`: the features that look as if they knew the outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaks {
    /// Version of this format.
    pub format_version: u32,
    /// The strongest first.
    pub leaks: Vec<Named>,
    /// Patterns of `trust` that name no feature, with the feature that may have been meant.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub trusted_in_vain: BTreeMap<String, Option<String>>,
}

/// A feature that was named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The feature.
    pub feature: String,
    /// `certain` or `suspected`.
    pub grade: String,
    /// The marks it bears.
    pub why: String,
    /// Whether it was kept out of training.
    pub left_out: bool,
}

/// The leaks among the signals; those that the prediction trusts are none.
#[must_use]
pub fn leaks(signals: &[Signal], prediction: &Prediction) -> Leaks {
    let named = signals.iter().filter_map(|signal| {
        let leak = signal.leak.as_ref().filter(|_| !excluded(&signal.feature, &prediction.trust))?;
        Some(Named {
            feature: signal.feature.clone(),
            grade: leak.grade.name().to_owned(),
            why: leak.why.clone(),
            left_out: leak.grade == Grade::Certain,
        })
    });
    let names = || signals.iter().map(|signal| signal.feature.as_str());
    let in_vain = prediction.trust.iter().filter(|pattern| !names().any(|name| excluded(name, &[(*pattern).clone()])));
    let meant = |pattern: &String| (pattern.clone(), did_you_mean(pattern, names()).map(str::to_owned));
    Leaks { format_version: 1, leaks: named.collect(), trusted_in_vain: in_vain.map(meant).collect() }
}

/// Takes the certain leaks out of the examples and of their recipe.
///
/// # Errors
/// When no feature would be left.
pub fn leave_out(examples: &mut Examples, recipe: &mut Recipe, leaks: &Leaks, prediction: &Prediction) -> Result<()> {
    let is_left_out = |name: &str| leaks.leaks.iter().any(|leak| leak.left_out && leak.feature == name);
    if recipe.names().iter().all(|name| is_left_out(name)) {
        return Err(Error::data(format!(
            "every feature of prediction `{}` looks as if it knew the outcome",
            prediction.name
        ))
        .hint("bring columns that were known before; or name those that you are sure of under `trust`"));
    }
    recipe.features.retain(|feature| !is_left_out(&feature.name()));
    examples.features.columns.retain(|column| !is_left_out(&column.name));
    Ok(())
}

impl Leaks {
    /// What a reader of results must know, with what to do about it.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let in_vain = self.trusted_in_vain.iter().map(|(pattern, meant)| {
            let meant = meant.as_ref().map_or_else(
                || "it may be constant or excluded; discover/…/signals.parquet lists the features".to_owned(),
                |meant| format!("did you mean `{meant}`?"),
            );
            format!("`trust` names {pattern}, and there is no such feature: {meant}")
        });
        self.leaks.iter().map(Named::warning).chain(in_vain).collect()
    }
}

impl Named {
    /// What a reader of results must know, with what to do about it.
    #[must_use]
    pub fn warning(&self) -> String {
        let Self { feature, why, left_out, .. } = self;
        if *left_out {
            format!(
                "{feature} knows the outcome and was kept out of training: {why}. If it is known before the prediction is made, write trust = [\"{feature}\"]."
            )
        } else {
            format!(
                "{feature} looks as if it knew the outcome, and was learned from: {why}. If it is known only afterwards, write exclude = [\"{feature}\"]; if you are sure of it, trust = [\"{feature}\"]."
            )
        }
    }
}
