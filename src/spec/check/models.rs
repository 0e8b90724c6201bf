//! `[predictions.model]`.

use super::super::written;
use super::super::{AttainedWeight, Budget, Model};
use super::Check;
use super::audiences::percent;

impl Check<'_, '_> {
    pub(super) fn model(&mut self, at: &str, model: written::Model) -> Model {
        Model {
            estimator: model.estimator,
            solver: model.solver,
            monotone: model.monotone,
            weight: model.weight,
            attained_weight: self.attained_weight(at, model.attained_weight),
            negatives: self.negatives(at, model.negatives.as_ref()),
            search: model.search.and_then(|search| self.search(at, &search)),
            level: model.level,
            uncertainty: model.uncertainty,
            learning_curve: model.learning_curve,
        }
    }

    fn attained_weight(&mut self, at: &str, written: Option<written::AttainedWeight>) -> AttainedWeight {
        match written {
            None => AttainedWeight::Times(1.0),
            Some(written::AttainedWeight::Text(text)) if text == "balanced" => AttainedWeight::Balanced,
            Some(written::AttainedWeight::Times(times)) if times.is_finite() && times > 0.0 => {
                AttainedWeight::Times(times)
            }
            Some(_) => {
                let message = "`attained_weight` must be a number above 0, or \"balanced\"";
                self.fault(
                    &format!("{at}.attained_weight"),
                    message,
                    "write 5 to count those who attained five times; propensities are put right again",
                );
                AttainedWeight::Times(1.0)
            }
        }
    }

    fn negatives(&mut self, at: &str, written: Option<&written::Share>) -> f64 {
        let found = match written {
            None => return 1.0,
            Some(written::Share::Number(share)) => Some(*share),
            Some(written::Share::Text(text)) => percent(text),
        };
        match found {
            Some(share) if share > 0.0 && share <= 1.0 => share,
            _ => {
                let message = "`negatives` must be a share above 0 % and up to 100 %";
                let hint = "write \"20%\" or 0.2: the part of those who did not attain that is learned from";
                self.fault(&format!("{at}.negatives"), message, hint);
                1.0
            }
        }
    }

    fn search(&mut self, at: &str, search: &written::Search) -> Option<Budget> {
        match (search.trials, search.seconds) {
            (Some(trials), None) if trials > 0 => Some(Budget::Trials(trials)),
            (None, Some(seconds)) if seconds > 0 => Some(Budget::Seconds(seconds)),
            _ => {
                let message = "`search` needs either `trials` or `seconds`, at least 1";
                let hint =
                    "write search = { trials = 40 }, which finds the same on any machine, or search = { seconds = 60 }";
                self.fault(&format!("{at}.search"), message, hint);
                None
            }
        }
    }
}
