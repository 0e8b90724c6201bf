//! What the chosen model is worth: every metric by split, cutoff and segment, and what a reader should know first.

use std::collections::BTreeMap;

use super::calibration::Calibrator;
use super::choose::Tried;
use super::estimator::Data;
use super::evaluation::{Candidate, Evaluation, FORMAT_VERSION, LearningCurve, Metrics};
use super::level::{self, Mixture, Past};
use super::metrics::{Resampling, Scored, measure, metrics};
use super::newton::logistic;
use super::scheme::{ADVISED, Scheme};
use super::{Context, Tested};
use crate::discover::Examples;
use crate::error::Result;
use crate::map::Outcome;
use crate::rate::{Rate, grouped};
use crate::spec::Prediction;

/// Rows whose contributions are looked at for the importance of features.
const IMPORTANCE_ROWS: usize = 4_000;

/// What is evaluated.
pub(super) struct Subject<'a> {
    pub(super) examples: &'a Examples,
    pub(super) prediction: &'a Prediction,
    pub(super) context: &'a Context,
    pub(super) scheme: &'a Scheme,
    pub(super) label: &'a [bool],
    /// A hash of each row's person.
    pub(super) person_key: &'a [u64],
    /// The rows that the covering windows judged, window after window.
    pub(super) judged: &'a [u32],
    pub(super) tried: &'a [Tried],
    pub(super) chosen: usize,
    pub(super) chosen_because: String,
    /// The calibration of what was held out …
    pub(super) held_out: &'a Calibrator,
    /// … and where its level comes from, out of time.
    pub(super) past: Option<&'a Past<'a>>,
    pub(super) level: &'a Mixture,
    pub(super) learning: Option<LearningCurve>,
    pub(super) data: Data<'a>,
}

/// The rows of a part, their people and labels, and what the model says of them.
pub(super) struct Part<'a> {
    pub(super) split: &'static str,
    pub(super) rows: &'a [u32],
    pub(super) person: Vec<u32>,
    pub(super) label: Vec<bool>,
    pub(super) propensity: Vec<f64>,
}

impl Part<'_> {
    fn scored(&self) -> Scored<'_> {
        Scored { propensity: &self.propensity, label: &self.label, person: &self.person }
    }

    fn base_rate(&self) -> Rate {
        Rate::new(self.label.iter().filter(|&&label| label).count(), self.label.len())
    }
}

impl Subject<'_> {
    pub(super) fn evaluation(&self) -> Result<Evaluation> {
        let model = &self.tried[self.chosen];
        let held_out = model.margins.iter().map(|&margin| self.held_out.probability(margin)).collect();
        let parts = [
            self.part("train", &self.scheme.train, self.scored(model, self.held_out, &self.scheme.train)?),
            self.part("validation", self.judged, held_out),
            self.part("test", &self.scheme.test, self.scored(model, self.held_out, &self.scheme.test)?),
        ];
        let [train, validation, test] = &parts;
        let worth = measure(test.scored(), self.prediction.judging.stake, self.resampling(400, test.rows.len()));
        let splits = BTreeMap::from([
            ("train".to_owned(), self.measured(train, 200)),
            ("validation".to_owned(), self.measured(validation, 200)),
            ("test".to_owned(), worth.metrics),
        ]);
        let importance = self.importance()?;
        Ok(Evaluation {
            format_version: FORMAT_VERSION,
            prediction: self.prediction.name.clone(),
            from: self.context.from.clone(),
            to: self.context.to.clone(),
            horizon: self.context.horizon.clone(),
            validation_scheme: self.scheme.sentence.clone(),
            estimator: model.name.to_owned(),
            chosen_because: self.chosen_because.clone(),
            candidates: self.candidates(test)?,
            calibration: self.calibration_sentence(),
            n_features: self.examples.features.columns.len(),
            outcomes: self.outcomes(),
            warnings: self.warnings(&parts, &splits["test"]),
            splits,
            deciles: worth.deciles,
            sizes: worth.sizes,
            profit: worth.profit,
            learning: self.learning.clone(),
            cutoffs: self.cutoffs(&parts),
            segments: self.segments(test, &importance)?,
            importance,
        })
    }

    /// What the chosen model said of the test part before its outcomes were known.
    pub(super) fn tested(&self) -> Result<Tested> {
        let (model, rows) = (&self.tried[self.chosen].fitted, self.scheme.test.clone());
        let propensity = self.scored(&self.tried[self.chosen], self.held_out, &rows)?;
        let calibration = match self.past {
            Some(past) => past.at_level(model, self.held_out, self.level, &rows)?,
            None => self.held_out.clone(),
        };
        Ok(Tested { rows, propensity, model: model.clone(), calibration })
    }

    fn part<'a>(&self, split: &'static str, rows: &'a [u32], propensity: Vec<f64>) -> Part<'a> {
        let person = rows.iter().map(|&row| self.examples.person[row as usize]).collect();
        let label = rows.iter().map(|&row| self.label[row as usize]).collect();
        Part { split, rows, person, label, propensity }
    }

    /// Propensities of `rows`, cutoff by cutoff: as they would have been told then.
    fn scored(&self, tried: &Tried, shape: &Calibrator, rows: &[u32]) -> Result<Vec<f64>> {
        let margins = tried.fitted.margins(&self.examples.features, rows)?;
        let Some(past) = self.past else {
            return Ok(margins.into_iter().map(|margin| shape.probability(margin)).collect());
        };
        let mut at: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
        for &row in rows {
            at.entry(self.examples.cutoff[row as usize]).or_default().push(row);
        }
        let levelled = past.levelled(&tried.fitted, shape, self.level)?;
        let maps: BTreeMap<i64, Calibrator> =
            at.into_iter().map(|(cutoff, rows)| Ok((cutoff, levelled.of(&rows)?))).collect::<Result<_>>()?;
        let propensity = |(&row, margin): (&u32, f64)| maps[&self.examples.cutoff[row as usize]].probability(margin);
        Ok(rows.iter().zip(margins).map(propensity).collect())
    }

    /// Fewer resamples of more rows: the intervals are narrow there, and the work is the same.
    pub(super) fn resampling(&self, resamples: u64, n_rows: usize) -> Resampling {
        let resamples = match n_rows {
            0..=20_000 => resamples,
            20_001..=100_000 => resamples / 4,
            _ => 30,
        };
        Resampling { seed: self.context.seed, resamples }
    }

    fn measured(&self, part: &Part<'_>, resamples: u64) -> Metrics {
        metrics(part.scored(), self.resampling(resamples, part.rows.len()))
    }

    fn candidates(&self, test: &Part<'_>) -> Result<Vec<Candidate>> {
        let candidate = |(position, tried): (usize, &Tried)| {
            let raw = tried.margins.iter().map(|&margin| logistic(margin)).collect();
            let on_test = if position == self.chosen {
                self.measured(test, 200)
            } else {
                let covering = &self.scheme.windows[..self.scheme.n_covering];
                let shape = tried.calibrator(covering, self.data, self.person_key);
                let propensity = self.scored(tried, &shape, &self.scheme.test)?;
                self.measured(&self.part("test", &self.scheme.test, propensity), 200)
            };
            Ok(Candidate {
                estimator: tried.name.to_owned(),
                parameters: tried.settings.described(),
                validation: self.measured(&self.part("validation", self.judged, raw), 200),
                test: on_test,
            })
        };
        self.tried.iter().enumerate().map(candidate).collect()
    }

    fn calibration_sentence(&self) -> String {
        let n = grouped(self.judged.len() as u64);
        let level = self.past.map_or_else(String::new, |_| self.level.sentence());
        let map = match self.held_out {
            Calibrator::Identity => {
                format!(
                    "The probabilities of the model stand as they are: on {n} held-out examples no map made them truer."
                )
            }
            Calibrator::Platt(platt) => {
                format!(
                    "Platt's line on {n} held-out examples: slope {:.3}, intercept {:.3}.",
                    platt.slope, platt.intercept
                )
            }
            Calibrator::Beta(_) => format!("A beta map on {n} held-out examples."),
            Calibrator::Isotonic(isotonic) => {
                format!("An isotonic map of {} steps on {n} held-out examples.", isotonic.margins.len())
            }
        };
        map + &level
    }

    fn outcomes(&self) -> BTreeMap<String, u64> {
        let count = |wanted: Outcome| self.examples.outcome.iter().filter(|&&outcome| outcome == wanted).count() as u64;
        let names = [
            ("attained", Outcome::Attained),
            ("stayed", Outcome::Stayed),
            ("attrited", Outcome::Attrited),
            ("immature", Outcome::Immature),
        ];
        names.into_iter().map(|(name, outcome)| (name.to_owned(), count(outcome))).collect()
    }

    /// Mean absolute contributions over a part of the test.
    fn importance(&self) -> Result<Vec<(String, f64)>> {
        let step = self.scheme.test.len().div_ceil(IMPORTANCE_ROWS).max(1);
        let rows: Vec<u32> = self.scheme.test.iter().copied().step_by(step).collect();
        let model = &self.tried[self.chosen].fitted;
        let features = model.features();
        let contributions = model.contributions(&self.examples.features, &rows)?;
        let mut sums = vec![0.0; features.len()];
        for row in contributions.values.chunks_exact(features.len().max(1)) {
            sums.iter_mut().zip(row).for_each(|(sum, push)| *sum += push.abs());
        }
        let mean = |sum: f64| sum / rows.len().max(1) as f64;
        let mut importance: Vec<(String, f64)> =
            features.iter().zip(sums).map(|(name, sum)| ((*name).to_owned(), mean(sum))).collect();
        importance.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Ok(importance)
    }

    /// What a reader should know before trusting the numbers, each with what to do about it.
    fn warnings(&self, parts: &[Part<'_>; 3], on_test: &Metrics) -> Vec<String> {
        let [train, validation, test] = parts;
        let more =
            if self.prediction.horizon.is_some() { "lengthen the horizon or add cutoffs" } else { "bring more rows" };
        let mut warnings = self.context.warnings.clone();
        for part in [train, test] {
            let attained = part.base_rate().n_attained;
            if attained < ADVISED as u64 {
                warnings.push(format!(
                    "Only {} examples of the {} part attained, {ADVISED} are advised: {more}.",
                    grouped(attained),
                    part.split
                ));
            }
        }
        warnings.extend(self.overlap_warning());
        if self.prediction.horizon.is_some() && !self.scheme.out_of_time {
            warnings.push(
                "There are too few cutoffs to judge the model out of time: add cutoffs, or shorten the horizon.".into(),
            );
        }
        warnings.extend(moved_warning(validation, test));
        if let Some(auc) = on_test.roc_auc {
            if auc.low <= 0.5 {
                warnings.push(format!(
                    "On the test part the ranking cannot be told from chance (AUC {:.3}, 95 % interval {:.3} to {:.3}): do not mail by it; look for better signals in signals.parquet.",
                    auc.value, auc.low, auc.high
                ));
            }
            if auc.value > 0.98 {
                warnings.push(format!(
                    "An AUC of {:.3} is too good to be true: look for a feature that is only known after the outcome, and exclude it.",
                    auc.value
                ));
            }
        }
        warnings
    }

    fn overlap_warning(&self) -> Option<String> {
        let horizon = self.prediction.horizon?;
        let every = self.prediction.cutoffs.every;
        (every.in_days() < horizon.in_days() && self.prediction.cutoffs.count > 1).then(|| {
            format!(
                "Cutoffs stand {every} apart and the horizon is {horizon}: neighbouring examples of a person share a part of their outcome, so there is less to learn than their number says; intervals draw whole people. Set `every` to the horizon to avoid it."
            )
        })
    }
}

/// Says when the base rate of the test is another than that of validation: then calibration cannot hold.
fn moved_warning(validation: &Part<'_>, test: &Part<'_>) -> Option<String> {
    let (before, now) = (validation.base_rate(), test.base_rate());
    let ratio = level::changed(before, now)?;
    let mean = test.propensity.iter().sum::<f64>() / test.propensity.len().max(1) as f64;
    let off = now.share()? / mean.max(1e-9);
    let verb = if ratio > 1.0 { "rose" } else { "fell" };
    let told = match off {
        off if off > 1.1 => format!("too low by a factor of {off:.1}"),
        off if off < 0.9 => format!("too high by a factor of {:.1}", 1.0 / off),
        _ => "right all the same".to_owned(),
    };
    Some(format!(
        "The rate of outcomes {verb} from {before} in validation to {now} in the test, where the propensities, {:.1} % on average, were {told}. Trust the order of the scores; for their level give recent outcomes with `clo score --recent`, or train again when they are in the data.",
        100.0 * mean
    ))
}
