//! `[[predictions]]`.

use super::super::written;
use super::super::{Cutoffs, Judging, Prediction, Rule, Shape, Stage, Stake};
use super::Check;
use crate::time::Duration;

/// How far features look back when the spec does not say.
const WINDOW_DAYS: [i64; 4] = [7, 30, 90, 365];

/// How many cutoffs there are when the spec does not say.
const N_CUTOFFS: usize = 12;

/// The most days between two cutoffs when the spec does not say.
const CUTOFFS_EVERY: Duration = Duration::days(30);

impl Check<'_, '_> {
    pub(super) fn predictions(&mut self, predictions: Vec<written::Prediction>, stages: &[Stage]) -> Vec<Prediction> {
        let mut checked: Vec<Prediction> = Vec::new();
        for (position, prediction) in predictions.into_iter().enumerate() {
            let at = format!("predictions[{position}]");
            self.once(
                &format!("{at}.name"),
                "prediction",
                &prediction.name,
                checked.iter().map(|other| other.name.as_str()),
            );
            let prediction = self.prediction(&at, prediction, stages);
            checked.push(prediction);
        }
        checked
    }

    fn prediction(&mut self, at: &str, prediction: written::Prediction, stages: &[Stage]) -> Prediction {
        let name = self.folder(&format!("{at}.name"), prediction.name);
        let (from, to) = self.transition(at, &name, &prediction.from, &prediction.to, stages);
        let horizon = prediction.horizon.as_deref();
        let horizon = horizon.and_then(|text| self.faults.take(&format!("{at}.horizon"), "horizon", text.parse()));
        let (said_horizon, said_cutoffs) = (prediction.horizon.is_some(), prediction.cutoffs.is_some());
        match self.shape {
            Shape::Events if !said_horizon => self.fault(
                &format!("{at}.horizon"),
                format!("prediction `{name}` does not say its `horizon`"),
                "add horizon = \"90d\": the span after the cutoff in which the transition counts",
            ),
            Shape::Events => {}
            Shape::Snapshot => {
                let said =
                    [("horizon", said_horizon), ("cutoffs", said_cutoffs), ("windows", prediction.windows.is_some())];
                for (key, _) in said.into_iter().filter(|(_, said)| *said) {
                    let message = format!("prediction `{name}` has `{key}`, and a snapshot knows no times");
                    self.fault(&format!("{at}.{key}"), message, "leave it out, or declare the [events.*]");
                }
            }
        }
        Prediction {
            from,
            to,
            horizon,
            cutoffs: self.cutoffs(&format!("{at}.cutoffs"), &prediction.cutoffs.unwrap_or_default(), horizon),
            windows: self.windows(&format!("{at}.windows"), prediction.windows),
            exclude: prediction.exclude,
            trust: prediction.trust,
            judging: self.judging(at, &name, prediction.cost, prediction.value, prediction.segments),
            model: self.model(&format!("{at}.model"), prediction.model),
            explained: self.explained(at, prediction.protected, prediction.actionable),
            name,
        }
    }

    fn judging(
        &mut self,
        at: &str,
        name: &str,
        cost: Option<f64>,
        value: Option<f64>,
        segments: Option<Vec<String>>,
    ) -> Judging {
        for (key, given) in [("cost", cost), ("value", value)] {
            if given.is_some_and(|given| !given.is_finite() || given <= 0.0) {
                let message = format!("prediction `{name}`: `{key}` must be above 0");
                self.fault(&format!("{at}.{key}"), message, "mend it, or leave both `cost` and `value` out");
            }
        }
        for (said, other, missing) in [("cost", cost, value), ("value", value, cost)].map(|(key, said, other)| {
            (key, if key == "cost" { "value" } else { "cost" }, said.is_some() && other.is_none())
        }) {
            if missing {
                let message = format!("prediction `{name}` has `{said}` and no `{other}`");
                self.fault(
                    &format!("{at}.{said}"),
                    message,
                    "say both: a list is worth what its transitions bring less what reaching it costs",
                );
            }
        }
        Judging { stake: cost.zip(value).map(|(cost, value)| Stake { cost, value }), segments }
    }

    fn transition(
        &mut self,
        at: &str,
        name: &str,
        from: &[String],
        to: &[String],
        stages: &[Stage],
    ) -> (Vec<usize>, Vec<usize>) {
        let names: Vec<&str> = stages.iter().map(|stage| stage.name.as_str()).collect();
        let whose = format!("prediction `{name}`");
        for (key, wanted) in [("from", from), ("to", to)] {
            if wanted.is_empty() {
                self.fault(&format!("{at}.{key}"), format!("{whose}: `{key}` is empty"), "name at least one stage");
            }
        }
        let from_at = format!("{at}.from");
        let to_at = format!("{at}.to");
        let from = self.positions(&from_at, &whose, from, &names);
        let to = self.positions(&to_at, &whose, to, &names);
        for stage in to.iter().map(|to| &stages[*to]) {
            if self.shape == Shape::Events && stage.rule == Rule::Start && !self.faults.has_blanks_in("lifecycle") {
                let message = format!("{whose}: nobody can reach `{}`, it is where everybody starts", stage.name);
                self.fault(&to_at, message, "name a stage with a rule");
            }
        }
        for stage in to.iter().filter(|to| from.contains(to)).map(|to| &stages[*to]) {
            let message = format!("{whose}: `{}` is both in `from` and in `to`", stage.name);
            self.fault(&to_at, message, "people cannot move to where they are: take it out of one");
        }
        (from, to)
    }

    fn cutoffs(&mut self, at: &str, cutoffs: &written::Cutoffs, horizon: Option<Duration>) -> Cutoffs {
        let every = cutoffs.every.as_deref();
        let every = every.and_then(|text| self.faults.take(&format!("{at}.every"), "every", text.parse()));
        let usual = horizon.filter(|horizon| horizon.in_days() < CUTOFFS_EVERY.in_days()).unwrap_or(CUTOFFS_EVERY);
        let count = cutoffs.count.map_or(N_CUTOFFS, |count| count as usize);
        Cutoffs { every: every.unwrap_or(usual), count }
    }

    fn windows(&mut self, at: &str, windows: Option<Vec<String>>) -> Vec<Duration> {
        let Some(windows) = windows else { return WINDOW_DAYS.map(Duration::days).to_vec() };
        let mut checked = Vec::new();
        for (position, text) in windows.iter().enumerate() {
            let at = format!("{at}[{position}]");
            if text == "all" {
                self.fault(&at, "the whole past is always among the windows", "leave \"all\" out");
                continue;
            }
            match self.faults.take(&at, "windows", text.parse()) {
                Some(window) if checked.contains(&window) => {
                    self.fault(&at, format!("the window {window} is there twice"), "once is enough");
                }
                window => checked.extend(window),
            }
        }
        checked
    }
}
