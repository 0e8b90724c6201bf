//! Which examples teach, which choose, which judge.
//!
//! The splits are given with the examples. What this adds: the windows on which settings and estimators are compared, and the
//! rows of the final fit.
//!
//! - **Out of time** (cutoffs): fit on train, judge on validation.
//! - **In order** (a snapshot whose rows stand in time): validation is cut into parts; each is judged by a model of all that
//!   stands before it. What drifts shows here, and in random folds it does not. Nobody knows for how long a model will
//!   serve, and what wins depends on it: so the cut is made three times, into parts of different length ([`STEPS`]).
//! - **Folds** (neither): train and validation together are cut into [`FOLDS`] folds of people.
//!
//! The fit that the test judges uses train and validation, and what fell between the splits if its label was known before the
//! test began. The fit that is kept uses every example whose outcome is known.

use std::collections::BTreeMap;
use std::ops::Range;

use super::estimator::Window;
use crate::discover::{Examples, Split};
use crate::error::{Error, Result};
use crate::rate::grouped;
use crate::spec::Prediction;
use crate::time::Time;

/// Parts of an ordered validation; the first are those that the validation metrics and the calibration are taken from …
const STEPS: [usize; 3] = [5, 2, 10];
/// … if each has so many rows.
const STEP_ROWS: usize = 100;
/// Fewer parts than this tell nothing about the chance of parts.
const LEAST_BLOCKS: usize = 5;
/// Folds of people.
const FOLDS: usize = 4;
/// Fewer who attained, or who did not, than this cannot be learned from.
const LEAST: usize = 10;
/// Fewer who attained than this are enough to learn from, but the numbers will be rough.
pub(super) const ADVISED: usize = 200;

/// Rows by what they serve, and windows for choosing.
#[derive(Debug)]
pub struct Scheme {
    /// Rows of each split.
    pub train: Vec<u32>,
    /// See `train`.
    pub validation: Vec<u32>,
    /// See `train`.
    pub test: Vec<u32>,
    /// Rows of the fit that the test judges.
    pub fit: Vec<u32>,
    /// Rows of the fit that is kept: all whose outcome is known.
    pub all: Vec<u32>,
    /// The newest of them, by which the level of the kept model is set: the test part.
    pub newest: Vec<u32>,
    /// Windows that end with the newest, and how many of them judge every row once: out of time, the kept model's settings
    /// and calibration are found once more, by the same procedure, on what is newest. None where parts are not parts of time.
    pub newest_windows: (Vec<Window>, usize),
    /// Windows that settings and estimators are compared on.
    pub windows: Vec<Window>,
    /// How many of the windows, the first ones, judge every row once: what the validation metrics are taken from.
    pub n_covering: usize,
    /// In time order: the parts that validation is cut into at most; rows of one part may share what no other has.
    n_blocks: usize,
    /// Whether validation and test lie after training in time.
    pub out_of_time: bool,
    /// The scheme in a sentence.
    pub sentence: String,
}

impl Scheme {
    /// The scheme for `examples`, whose rows have these labels and keys (a hash of the person and the cutoff).
    ///
    /// # Errors
    /// When a part holds too few examples of a class to learn from or to be judged on.
    pub fn new(examples: &Examples, prediction: &Prediction, label: &[bool], person_key: &[u64]) -> Result<Self> {
        let labelled = |split: Split| -> Vec<u32> {
            rows(examples.len())
                .filter(|&row| {
                    examples.split[row as usize] == split && examples.outcome[row as usize].label().is_some()
                })
                .collect()
        };
        let [train, validation, test] = [Split::Train, Split::Validation, Split::Test].map(labelled);
        check_classes(prediction, label, [("training", &train), ("validation", &validation), ("test", &test)])?;
        let mut fit: Vec<u32> = train.iter().chain(&validation).copied().collect();
        fit.sort_unstable();
        let known = |&row: &u32| examples.outcome[row as usize].label().is_some();
        let mut scheme = Self {
            train,
            validation,
            newest: test.clone(),
            newest_windows: (Vec::new(), 0),
            test,
            fit,
            all: rows(examples.len()).filter(known).collect(),
            windows: Vec::new(),
            n_covering: 0,
            n_blocks: 0,
            out_of_time: true,
            sentence: String::new(),
        };
        match &examples.order {
            Some(order) => scheme.in_order(order),
            None if examples.snapshot || !scheme.is_out_of_time(examples) => {
                scheme.folds(label, person_key, examples.snapshot);
            }
            None => scheme.by_cutoff(examples, prediction),
        }
        Ok(scheme)
    }

    /// Whether every training cutoff lies before every validation cutoff, and those before every test cutoff.
    fn is_out_of_time(&self, examples: &Examples) -> bool {
        let cutoffs = |rows: &[u32]| rows.iter().map(|&row| examples.cutoff[row as usize]).collect::<Vec<i64>>();
        let [train, validation, test] = [&self.train, &self.validation, &self.test].map(|rows| cutoffs(rows));
        train.iter().max() < validation.iter().min() && validation.iter().max() < test.iter().min()
    }

    fn by_cutoff(&mut self, examples: &Examples, prediction: &Prediction) {
        let first =
            |rows: &[u32]| rows.iter().map(|&row| examples.cutoff[row as usize]).min().map_or(Time::NEVER, Time);
        let first_test = first(&self.test);
        let known_by = |row: u32, instant: Time| {
            let cutoff = Time(examples.cutoff[row as usize]);
            prediction.horizon.is_some_and(|horizon| cutoff.plus(horizon) <= instant)
        };
        let between = rows(examples.len()).filter(|&row| {
            examples.split[row as usize] == Split::Unused
                && examples.outcome[row as usize].label().is_some()
                && known_by(row, first_test)
        });
        self.fit.extend(between);
        self.fit.sort_unstable();
        self.windows = vec![Window { fit: self.train.clone(), judge: self.validation.clone() }];
        self.n_covering = 1;
        self.newest_windows = (vec![Window { fit: self.fit.clone(), judge: self.newest.clone() }], 1);
        let span = |rows: &[u32]| {
            let mut cutoffs: Vec<i64> = rows.iter().map(|&row| examples.cutoff[row as usize]).collect();
            cutoffs.sort_unstable();
            cutoffs.dedup();
            let (Some(&first), Some(&last)) = (cutoffs.first(), cutoffs.last()) else { return String::new() };
            match cutoffs.len() {
                1 => format!("the cutoff {}", Time(first)),
                n => format!("{n} cutoffs from {} to {}", Time(first), Time(last)),
            }
        };
        self.sentence = format!(
            "Out of time: trained on {}, chosen and calibrated on {}, tested on {}; the label window of a part ends before the next part begins.",
            span(&self.train),
            span(&self.validation),
            span(&self.test)
        );
    }

    fn in_order(&mut self, order: &[u32]) {
        let by_time = |rows: &mut Vec<u32>| rows.sort_by_key(|&row| (order[row as usize], row));
        for rows in [&mut self.train, &mut self.validation, &mut self.newest] {
            by_time(rows);
        }
        let n = self.validation.len();
        let steps = steps(n);
        self.windows = cut(&self.train, &self.validation, &steps);
        self.n_covering = steps[0];
        self.n_blocks = steps.iter().copied().max().unwrap_or(0);
        let before: Vec<u32> = self.train.iter().chain(&self.validation).copied().collect();
        let newest = self::steps(self.newest.len());
        self.newest_windows = (cut(&before, &self.newest, &newest), newest[0]);
        self.sentence = format!(
            "In time order: the last {} rows are the test; chosen and calibrated on the {} before them, cut into {} parts, each judged by what stood before it.",
            grouped(self.test.len() as u64),
            grouped(n as u64),
            steps.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and "),
        );
    }

    /// For each row that a window judged, window after window, what it shares its chance with: its person; in time order its
    /// part of validation, since what one week holds for one row it holds for all.
    #[must_use]
    pub fn clusters(&self, examples: &Examples) -> Vec<u32> {
        let judged = self.windows.iter().flat_map(|window| window.judge.iter().copied());
        if self.n_blocks < LEAST_BLOCKS {
            return judged.map(|row| examples.person[row as usize]).collect();
        }
        let n = self.validation.len();
        let block = |at: usize| u32::try_from(at * self.n_blocks / n).expect("parts are few");
        let block_of: BTreeMap<u32, u32> =
            self.validation.iter().enumerate().map(|(at, &row)| (row, block(at))).collect();
        judged.map(|row| block_of[&row]).collect()
    }

    /// The rounds in which the windows judge every row once, as ranges of what they judge, window after window: one, or in time
    /// order one for each length of step.
    #[must_use]
    pub fn rounds(&self) -> Vec<Range<usize>> {
        let n_judged = |windows: &[Window]| windows.iter().map(|window| window.judge.len()).sum::<usize>();
        let n = n_judged(&self.windows[..self.n_covering]).max(1);
        (0..n_judged(&self.windows) / n).map(|round| round * n..(round + 1) * n).collect()
    }

    fn folds(&mut self, label: &[bool], person_key: &[u64], snapshot: bool) {
        let fold = |row: u32| (person_key[row as usize] % FOLDS as u64) as usize;
        let mut of_row: BTreeMap<u32, usize> = BTreeMap::new();
        if snapshot {
            let mut order = self.fit.clone();
            order.sort_by_key(|&row| (label[row as usize], person_key[row as usize], row));
            of_row.extend(order.into_iter().enumerate().map(|(at, row)| (row, at % FOLDS)));
        } else {
            of_row.extend(self.fit.iter().map(|&row| (row, fold(row))));
        }
        self.windows = (0..FOLDS)
            .map(|held_out| {
                let (judge, fit) = self.fit.iter().partition(|&row| of_row[row] == held_out);
                Window { fit, judge }
            })
            .collect();
        self.n_covering = FOLDS;
        self.out_of_time = false;
        let parts = if snapshot { "stratified folds" } else { "folds of people" };
        self.sentence = format!(
            "Not out of time: a fifth of the people, told by a hash of their id, is the test; the model is chosen and calibrated out of fold, on {FOLDS} {parts} of the rest."
        );
    }
}

/// In how many parts so many rows are cut.
fn steps(n: usize) -> Vec<usize> {
    let steps: Vec<usize> = STEPS.into_iter().filter(|steps| n / steps >= STEP_ROWS).collect();
    if steps.is_empty() { vec![1] } else { steps }
}

/// `rows`, cut into parts of each number of steps, each judged by what stands before it.
fn cut(before: &[u32], rows: &[u32], steps: &[usize]) -> Vec<Window> {
    let n = rows.len();
    let part = |start: usize, end: usize| Window {
        fit: before.iter().chain(&rows[..start]).copied().collect(),
        judge: rows[start..end].to_vec(),
    };
    let parts = |&steps: &usize| (0..steps).map(move |step| (step * n / steps, (step + 1) * n / steps));
    steps.iter().flat_map(parts).map(|(start, end)| part(start, end)).collect()
}

fn rows(n: usize) -> impl Iterator<Item = u32> {
    0..u32::try_from(n).expect("rows are counted in 32 bits")
}

fn check_classes(prediction: &Prediction, label: &[bool], parts: [(&str, &Vec<u32>); 3]) -> Result<()> {
    let attained = |rows: &[u32]| rows.iter().filter(|&&row| label[row as usize]).count();
    let counts: Vec<(&str, usize, usize)> =
        parts.iter().map(|(name, rows)| (*name, attained(rows), rows.len() - attained(rows))).collect();
    let learned = |of: fn(&(&str, usize, usize)) -> usize| counts[..2].iter().map(of).sum::<usize>();
    let one_class = counts.iter().any(|(_, yes, no)| *yes == 0 || *no == 0);
    let too_few = learned(|count| count.1).min(learned(|count| count.2)) < LEAST;
    if !one_class && !too_few {
        return Ok(());
    }
    let told: Vec<String> = counts
        .iter()
        .map(|(name, yes, no)| format!("{name}: {} attained, {} did not", grouped(*yes as u64), grouped(*no as u64)))
        .collect();
    let what = match (counts.iter().all(|(_, yes, _)| *yes == 0), counts.iter().all(|(.., no)| *no == 0)) {
        (true, _) => "nobody attained, so there is nothing to learn",
        (_, true) => "everybody attained, so there is nothing to learn",
        _ => "too few examples of one outcome to learn from",
    };
    let is_class_missing = counts.iter().all(|(_, yes, _)| *yes == 0) || counts.iter().all(|(.., no)| *no == 0);
    let advice = if prediction.horizon.is_none() && is_class_missing {
        "check the `when` rules of the stages: both kinds of people must be there"
    } else if prediction.horizon.is_none() {
        "bring more rows of the rarer outcome: below 200 of them the numbers are rough"
    } else if counts.iter().any(|(_, _, no)| *no == 0) {
        "shorten the horizon, or choose a stage that fewer people reach"
    } else {
        "lengthen the horizon, add cutoffs, or choose a stage that more people reach"
    };
    let error = Error::data(format!("prediction `{}`: {what} ({})", prediction.name, told.join("; "))).hint(advice);
    let fades = prediction.horizon.is_some() && counts[0].1 > 0 && counts[2].1 == 0;
    Err(if fades {
        error.hint("nobody attained at the end: is `lifecycle.end` (or --as-of) after the data?")
    } else {
        error
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A scheme whose windows learn from `fit` and judge parts of `judged`, cut into these steps.
    fn cut_into(judged: &[u32], all_steps: &[usize]) -> Scheme {
        Scheme {
            train: vec![0, 1],
            validation: judged.to_vec(),
            test: Vec::new(),
            fit: Vec::new(),
            all: Vec::new(),
            newest: Vec::new(),
            newest_windows: (Vec::new(), 0),
            windows: cut(&[0, 1], judged, all_steps),
            n_covering: all_steps[0],
            n_blocks: all_steps.iter().copied().max().unwrap_or(0),
            out_of_time: true,
            sentence: String::new(),
        }
    }

    #[test]
    fn every_round_judges_every_row_once_in_the_same_order() {
        let judged: Vec<u32> = (2..13).collect();
        let scheme = cut_into(&judged, &[5, 2, 10]);
        let all: Vec<u32> = scheme.windows.iter().flat_map(|window| window.judge.iter().copied()).collect();
        assert_eq!(scheme.rounds(), [0..11, 11..22, 22..33]);
        for round in scheme.rounds() {
            assert_eq!(all[round], judged);
        }
    }

    #[test]
    fn one_window_is_one_round() {
        assert_eq!(cut_into(&[7, 8, 9], &[1]).rounds(), vec![0..3]);
    }

    #[test]
    fn a_part_in_time_is_judged_by_all_that_stood_before_it() {
        let windows = cut(&[0, 1], &[2, 3, 4, 5], &[2]);
        assert_eq!(windows[0], Window { fit: vec![0, 1], judge: vec![2, 3] });
        assert_eq!(windows[1], Window { fit: vec![0, 1, 2, 3], judge: vec![4, 5] });
    }

    #[test]
    fn validation_is_cut_where_its_parts_have_a_hundred_rows() {
        assert_eq!(steps(1_000), [5, 2, 10]);
        assert_eq!(steps(999), [5, 2]);
        assert_eq!(steps(499), [2]);
        assert_eq!(steps(199), [1]);
    }
}
