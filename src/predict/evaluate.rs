//! What the chosen model is worth: every metric by split, cutoff and segment, and what a reader should know first.

use std::collections::BTreeMap;

use super::Context;
use super::calibration::Calibrator;
use super::choose::Tried;
use super::estimator::Data;
use super::evaluation::{AtCutoff, Candidate, Evaluation, FORMAT_VERSION, Metrics, Segment};
use super::metrics::{Resampling, Scored, measure, metrics};
use super::newton::logistic;
use super::scheme::{ADVISED, Scheme};
use crate::discover::table::NO_LEVEL;
use crate::discover::{Cells, Examples};
use crate::error::Result;
use crate::map::Outcome;
use crate::rate::{Rate, grouped};
use crate::spec::Prediction;
use crate::time::Time;

/// Rows whose contributions are looked at for the importance of features.
const IMPORTANCE_ROWS: usize = 4_000;
/// Category features that make segments, at most, beside the stage.
const SEGMENT_FEATURES: usize = 4;
/// Levels of such a feature, at most.
const SEGMENT_LEVELS: usize = 10;
/// People of a segment, at least.
const SEGMENT_ROWS: usize = 20;

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
    /// … and of the final fit.
    pub(super) calibration: &'a Calibrator,
    pub(super) data: Data<'a>,
}

/// The rows of a part, their people and labels, and what the model says of them.
struct Part<'a> {
    split: &'static str,
    rows: &'a [u32],
    person: Vec<u32>,
    label: Vec<bool>,
    propensity: Vec<f64>,
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
            self.part("train", &self.scheme.train, self.scored(model, self.calibration, &self.scheme.train)?),
            self.part("validation", self.judged, held_out),
            self.part("test", &self.scheme.test, self.scored(model, self.calibration, &self.scheme.test)?),
        ];
        let [train, validation, test] = &parts;
        let (on_test, deciles) = measure(test.scored(), self.resampling(400, test.rows.len()));
        let splits = BTreeMap::from([
            ("train".to_owned(), self.measured(train, 200)),
            ("validation".to_owned(), self.measured(validation, 200)),
            ("test".to_owned(), on_test),
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
            deciles,
            cutoffs: self.cutoffs(&parts),
            segments: self.segments(test, &importance),
            importance,
        })
    }

    fn part<'a>(&self, split: &'static str, rows: &'a [u32], propensity: Vec<f64>) -> Part<'a> {
        let person = rows.iter().map(|&row| self.examples.person[row as usize]).collect();
        let label = rows.iter().map(|&row| self.label[row as usize]).collect();
        Part { split, rows, person, label, propensity }
    }

    fn scored(&self, tried: &Tried, calibration: &Calibrator, rows: &[u32]) -> Result<Vec<f64>> {
        let margins = tried.fitted.margins(&self.examples.features, rows)?;
        Ok(margins.into_iter().map(|margin| calibration.probability(margin)).collect())
    }

    /// Fewer resamples of more rows: the intervals are narrow there, and the work is the same.
    fn resampling(&self, resamples: u64, n_rows: usize) -> Resampling {
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

    /// The metrics of some of a part's examples.
    fn measured_at(&self, part: &Part<'_>, at: &[usize], resamples: u64) -> Metrics {
        let person: Vec<u32> = at.iter().map(|&at| part.person[at]).collect();
        let label: Vec<bool> = at.iter().map(|&at| part.label[at]).collect();
        let propensity: Vec<f64> = at.iter().map(|&at| part.propensity[at]).collect();
        let scored = Scored { propensity: &propensity, label: &label, person: &person };
        metrics(scored, self.resampling(resamples, at.len()))
    }

    fn candidates(&self, test: &Part<'_>) -> Result<Vec<Candidate>> {
        let candidate = |(position, tried): (usize, &Tried)| {
            let raw = tried.margins.iter().map(|&margin| logistic(margin)).collect();
            let on_test = if position == self.chosen {
                self.measured(test, 200)
            } else {
                let propensity = self.scored(tried, &self.calibrated(tried)?, &self.scheme.test)?;
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

    fn calibrated(&self, tried: &Tried) -> Result<Calibrator> {
        let covering = &self.scheme.windows[..self.scheme.n_covering];
        let held_out = tried.calibrator(covering, self.data, self.person_key);
        super::final_calibration(&held_out, &tried.fitted, &self.scheme.validation, self.scheme, self.data)
    }

    fn calibration_sentence(&self) -> String {
        let n = grouped(self.judged.len() as u64);
        let moved = self.calibration != self.held_out;
        let level = if moved { " Its level is set to that of the newest outcomes." } else { "" };
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
        map + level
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

    fn cutoffs(&self, parts: &[Part<'_>; 3]) -> Vec<AtCutoff> {
        if self.examples.snapshot {
            return Vec::new();
        }
        // When people, not times, part the examples, only the test is honest at every cutoff.
        let parts = if self.scheme.out_of_time { &parts[..] } else { &parts[2..] };
        let mut cutoffs = Vec::new();
        for part in parts {
            let mut at: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
            for (position, &row) in part.rows.iter().enumerate() {
                at.entry(self.examples.cutoff[row as usize]).or_default().push(position);
            }
            cutoffs.extend(at.into_iter().map(|(cutoff, at)| AtCutoff {
                cutoff: Time(cutoff).to_string(),
                split: part.split.to_owned(),
                metrics: self.measured_at(part, &at, 200),
            }));
        }
        cutoffs
    }

    /// The stage, and the most important category features of few levels.
    fn segments(&self, test: &Part<'_>, importance: &[(String, f64)]) -> Vec<Segment> {
        let features = importance.iter().map(|(name, _)| name.as_str()).filter(|name| *name != "stage.current");
        let few_levels = |name: &&str| match self.examples.features.column(name).map(|column| &column.cells) {
            Some(Cells::Category { levels, .. }) => (2..=SEGMENT_LEVELS).contains(&levels.len()),
            _ => false,
        };
        let mut segments = Vec::new();
        if !self.examples.snapshot {
            let stage = |row: u32| Some(self.examples.stages[usize::from(self.examples.stage[row as usize])].as_str());
            segments.extend(self.segment(test, "stage.current", stage));
        }
        for name in features.filter(few_levels).take(SEGMENT_FEATURES) {
            if let Some(Cells::Category { codes, levels }) =
                self.examples.features.column(name).map(|column| &column.cells)
            {
                let level = |row: u32| match codes[row as usize] {
                    NO_LEVEL => None,
                    code => levels.get(code as usize).map(String::as_str),
                };
                segments.extend(self.segment(test, name, level));
            }
        }
        segments
    }

    fn segment<'a>(&self, test: &Part<'_>, feature: &str, value: impl Fn(u32) -> Option<&'a str>) -> Vec<Segment> {
        let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (position, &row) in test.rows.iter().enumerate() {
            groups.entry(value(row).unwrap_or("(missing)")).or_default().push(position);
        }
        let large = groups.into_iter().filter(|(_, at)| at.len() >= SEGMENT_ROWS);
        let segment = |(value, at): (&str, Vec<usize>)| Segment {
            feature: feature.to_owned(),
            value: value.to_owned(),
            metrics: self.measured_at(test, &at, 200),
        };
        large.map(segment).collect()
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
    let (before_interval, now_interval) = (before.interval()?, now.interval()?);
    let apart = before_interval.1 < now_interval.0 || now_interval.1 < before_interval.0;
    let ratio = now.share()? / before.share()?.max(1e-9);
    let mean = test.propensity.iter().sum::<f64>() / test.propensity.len().max(1) as f64;
    (apart && !(0.8..=1.25).contains(&ratio)).then(|| {
        format!(
            "The base rate moved from {before} in validation to {now} in the test, where the mean propensity is {:.1} %: trust the order of the scores, not their level, until recent outcomes are in the data.",
            100.0 * mean
        )
    })
}
