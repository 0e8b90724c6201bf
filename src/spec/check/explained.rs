//! `[fairness]`, and `protected` and `actionable` of a prediction.

use std::collections::BTreeMap;

use super::super::written;
use super::super::{Actionable, Audience, Explained, Fairness, Prediction};
use super::Check;

impl Check<'_, '_> {
    /// What `[fairness]` says, brought into predictions and audiences: a prediction that names no protected attributes of its own has
    /// these, and what may not be learned from is excluded like any other feature.
    pub(super) fn fairness(
        &mut self,
        written: written::Fairness,
        predictions: &mut [Prediction],
        audiences: &mut [Audience],
    ) -> Fairness {
        let protected = self.attributes("fairness.protected", written.protected);
        let keep_out = written.learn_from == Some(false);
        for prediction in predictions {
            if prediction.explained.protected.is_empty() {
                prediction.explained.protected.clone_from(&protected);
            }
            if keep_out {
                prediction.exclude.extend(features(&prediction.explained.protected));
            }
        }
        if keep_out {
            for audience in audiences.iter_mut().filter(|audience| audience.seed.is_some()) {
                audience.exclude.extend(features(&protected));
            }
        }
        Fairness { protected }
    }

    pub(super) fn explained(
        &mut self,
        at: &str,
        protected: Vec<String>,
        actionable: BTreeMap<String, written::Actionable>,
    ) -> Explained {
        let protected = self.attributes(&format!("{at}.protected"), protected);
        let actionable = actionable
            .into_iter()
            .map(|(feature, written)| {
                let at = format!("{at}.actionable.{feature}");
                let actionable = self.actionable(&at, &feature, written);
                (feature, actionable)
            })
            .collect();
        Explained { protected, actionable }
    }

    /// Names of attributes, with or without `attr.`, each once.
    fn attributes(&mut self, at: &str, names: Vec<String>) -> Vec<String> {
        let mut attributes: Vec<String> = Vec::new();
        for (position, name) in names.into_iter().enumerate() {
            let name = name.strip_prefix("attr.").map_or_else(|| name.clone(), ToOwned::to_owned);
            let at = format!("{at}[{position}]");
            if name.trim().is_empty() {
                self.fault(&at, "this attribute has no name", "name a column of the people table: [\"sex\", \"age\"]");
            } else if attributes.contains(&name) {
                self.fault(&at, format!("`{name}` stands here twice"), "name each attribute once");
            } else {
                attributes.push(name);
            }
        }
        attributes
    }

    fn actionable(&mut self, at: &str, feature: &str, written: written::Actionable) -> Actionable {
        let written = match written {
            written::Actionable::Direction(direction) => {
                written::Change { direction: Some(direction), ..written::Change::default() }
            }
            written::Actionable::Change(change) => change,
        };
        let written::Change { direction, step, to, cost } = written;
        for (key, value) in [("step", step), ("cost", cost)] {
            if value.is_some_and(|value| !(value.is_finite() && value > 0.0)) {
                let message = format!("`{key}` of the actionable feature `{feature}` must be above 0");
                self.fault(&format!("{at}.{key}"), message, "write a number such as 1");
            }
        }
        if !to.is_empty() && (direction.is_some() || step.is_some()) {
            let message = format!("`{feature}` cannot be both a number (`direction`, `step`) and a category (`to`)");
            self.fault(at, message, "give a number its direction and step, a category the levels it may change to");
        }
        Actionable { direction, step, to, cost: cost.unwrap_or(1.0) }
    }
}

fn features(attributes: &[String]) -> impl Iterator<Item = String> + '_ {
    attributes.iter().map(|attribute| format!("attr.{attribute}"))
}
