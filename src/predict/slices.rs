//! Whether what holds on average holds for everyone: the metrics of each cutoff, and of groups of people on the test part.
//!
//! In: the examples of a part with what the model says of them. Out: [`AtCutoff`]s and [`Segment`]s, each with all metrics and
//! whether its propensities hold on average. Groups are made by the features that the spec names in `segments`; when it names
//! none, by the stage, by how long people are known, and by the categories of few levels that weigh most. Numbers are cut into
//! quarters of the test part.
//!
//! Of fewer than [`LEAST_ROWS`] examples, or than [`LEAST_OF_A_KIND`] who attained or who did not, only the counts are told. A group's
//! propensities are said to be off when the mean propensity differs from the rate by more than a tenth of the rate, and beyond
//! noise: standard errors come from the bootstrap over people, and among the groups (or the cutoffs) that are looked at together
//! the chance of one false alarm is held at 5 % (Holm 1979).

use std::collections::BTreeMap;

use super::evaluate::{Part, Subject};
use super::evaluation::{AtCutoff, Holds, Measured, Metrics, Segment};
use super::metrics::{Resampling, Scored, metrics, quantile};
use crate::discover::table::NO_LEVEL;
use crate::discover::{Cells, named};
use crate::error::{Error, Result, did_you_mean};
use crate::rate::{Rate, Z};
use crate::time::Time;

/// Category features that make segments when the spec names none, at most, beside stage and tenure.
const USUAL: usize = 4;
/// Levels of a feature that makes segments, at most; of one that the spec names, the most frequent ones.
const LEVELS: usize = 10;
/// Examples of a slice, at least, for more than its counts to be told …
const LEAST_ROWS: usize = 50;
/// … and of each outcome.
const LEAST_OF_A_KIND: u64 = 10;
/// Slices smaller than this are not told at all.
const TINY: usize = 5;
/// Share of the rate that a mean propensity may be off without anybody minding.
const MATTERS: f64 = 0.1;
/// The chance of a false alarm among slices that are looked at together.
const FALSE_ALARM: f64 = 0.05;
const RESAMPLES: u64 = 200;
const STAGE: &str = "stage.current";
const TENURE: &str = "person.tenure_days";
/// What a missing value is called.
const MISSING: &str = "(missing)";

impl Subject<'_> {
    /// Cutoff by cutoff, with what the model says of each part.
    pub(super) fn cutoffs(&self, parts: &[Part<'_>; 3]) -> Vec<AtCutoff> {
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
            let of_part: Vec<Slice> = at.values().map(|at| self.slice(part, at)).collect();
            cutoffs.extend(at.keys().zip(judged(of_part)).map(|(&cutoff, (metrics, holds))| AtCutoff {
                cutoff: Time(cutoff).to_string(),
                split: part.split.to_owned(),
                metrics,
                holds,
            }));
        }
        cutoffs
    }

    /// Groups of people on the test part; `importance` names features, the weightiest first.
    ///
    /// # Errors
    /// When the spec names a feature that is none.
    pub(super) fn segments(&self, test: &Part<'_>, importance: &[(String, f64)]) -> Result<Vec<Segment>> {
        let mut names = Vec::new();
        let mut slices = Vec::new();
        for feature in self.features(importance)? {
            for (value, at) in self.groups(test, &feature) {
                slices.push(self.slice(test, &at));
                names.push((feature.clone(), value));
            }
        }
        let segment = |((feature, value), (metrics, holds))| Segment { feature, value, metrics, holds };
        Ok(names.into_iter().zip(judged(slices)).map(segment).collect())
    }

    /// The features that make groups.
    fn features(&self, importance: &[(String, f64)]) -> Result<Vec<String>> {
        let table = &self.examples.features;
        let known = || table.columns.iter().map(|column| column.name.as_str());
        if let Some(patterns) = &self.prediction.judging.segments {
            let mut features = Vec::new();
            for pattern in patterns {
                let pattern = if pattern == "stage" { STAGE } else { pattern };
                let fits = known().filter(|name| named(name, &[pattern.to_owned()]));
                let before = features.len();
                features.extend(fits.map(ToOwned::to_owned));
                if pattern == STAGE && features.len() == before && !self.examples.snapshot {
                    features.push(STAGE.to_owned());
                }
                if features.len() == before {
                    return Err(self.no_feature(pattern));
                }
            }
            features.dedup();
            return Ok(features);
        }
        let mut features = Vec::new();
        if !self.examples.snapshot {
            features.push(STAGE.to_owned());
        }
        features.extend(known().filter(|name| *name == TENURE).map(ToOwned::to_owned));
        let few_levels = |name: &&str| match table.column(name).map(|column| &column.cells) {
            Some(Cells::Category { levels, .. }) => (2..=LEVELS).contains(&levels.len()) && *name != STAGE,
            _ => false,
        };
        let weightiest = importance.iter().map(|(name, _)| name.as_str()).filter(few_levels).take(USUAL);
        features.extend(weightiest.map(ToOwned::to_owned));
        Ok(features)
    }

    fn no_feature(&self, pattern: &str) -> Error {
        let message =
            format!("prediction `{}`: `segments` names `{pattern}`, and no feature is called so", self.prediction.name);
        let known = self.examples.features.columns.iter().map(|column| column.name.as_str());
        match did_you_mean(pattern, known) {
            Some(meant) => Error::data(message).hint(format!("did you mean `{meant}`?")),
            None => Error::data(message).hint("signals.parquet lists the features; those that are excluded are none"),
        }
    }

    /// The groups that a feature makes of the test part: their name, and their positions.
    fn groups(&self, test: &Part<'_>, feature: &str) -> Vec<(String, Vec<usize>)> {
        let examples = self.examples;
        match examples.features.column(feature).map(|column| &column.cells) {
            Some(Cells::Number(values)) => quarters(test.rows, values),
            Some(Cells::Category { codes, levels }) => by_level(test.rows, |row| match codes[row as usize] {
                NO_LEVEL => None,
                code => levels.get(code as usize).map(String::as_str),
            }),
            None => {
                by_level(test.rows, |row| Some(examples.stages[usize::from(examples.stage[row as usize])].as_str()))
            }
        }
    }

    /// The metrics of some of a part's examples, unless they are too few.
    fn slice(&self, part: &Part<'_>, at: &[usize]) -> Slice {
        let label: Vec<bool> = at.iter().map(|&at| part.label[at]).collect();
        let base_rate = Rate::new(label.iter().filter(|&&label| label).count(), at.len());
        let rarer = base_rate.n_attained.min(base_rate.n_eligible - base_rate.n_attained);
        if at.len() < LEAST_ROWS || rarer < LEAST_OF_A_KIND {
            return Slice { metrics: Metrics { base_rate, ..Metrics::default() }, too_few: true };
        }
        let person: Vec<u32> = at.iter().map(|&at| part.person[at]).collect();
        let propensity: Vec<f64> = at.iter().map(|&at| part.propensity[at]).collect();
        let scored = Scored { propensity: &propensity, label: &label, person: &person };
        let resampling: Resampling = self.resampling(RESAMPLES, at.len());
        Slice { metrics: metrics(scored, resampling), too_few: false }
    }
}

struct Slice {
    metrics: Metrics,
    too_few: bool,
}

/// Whether the propensities of slices that are looked at together hold.
fn judged(slices: Vec<Slice>) -> Vec<(Metrics, Holds)> {
    let chances: Vec<f64> = slices.iter().map(|slice| slice.metrics.gap.map_or(1.0, chance_of_gap)).collect();
    let alarms = alarms(&chances);
    let holds = |slice: &Slice, alarm: bool| {
        let gap = slice.metrics.gap.map_or(0.0, |gap| gap.value);
        let matters = gap.abs() > MATTERS * slice.metrics.base_rate.share().unwrap_or(0.0);
        match (slice.too_few, alarm && matters, gap > 0.0) {
            (true, ..) => Holds::TooFew,
            (false, false, _) => Holds::Yes,
            (false, true, true) => Holds::TooLow,
            (false, true, false) => Holds::TooHigh,
        }
    };
    slices
        .into_iter()
        .zip(alarms)
        .map(|(slice, alarm)| (holds(&slice, alarm), slice.metrics))
        .map(|(holds, metrics)| (metrics, holds))
        .collect()
}

/// The chance of a gap so large where there is none.
fn chance_of_gap(gap: Measured) -> f64 {
    let error = (gap.high - gap.low) / (2.0 * Z);
    if error <= 0.0 {
        return 1.0;
    }
    libm::erfc(gap.value.abs() / error / std::f64::consts::SQRT_2)
}

/// Which of several chances are small enough when they are looked at together (Holm 1979).
fn alarms(chances: &[f64]) -> Vec<bool> {
    let mut order: Vec<usize> = (0..chances.len()).collect();
    order.sort_by(|&a, &b| chances[a].total_cmp(&chances[b]));
    let mut alarms = vec![false; chances.len()];
    for (place, &at) in order.iter().enumerate() {
        if chances[at] > FALSE_ALARM / (chances.len() - place) as f64 {
            break;
        }
        alarms[at] = true;
    }
    alarms
}

/// The most frequent levels in the order of their names; what is left over is told together.
fn by_level<'a>(rows: &[u32], level: impl Fn(u32) -> Option<&'a str>) -> Vec<(String, Vec<usize>)> {
    let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (position, &row) in rows.iter().enumerate() {
        groups.entry(level(row).unwrap_or(MISSING)).or_default().push(position);
    }
    let mut sizes: Vec<(usize, &str)> = groups.iter().map(|(level, at)| (at.len(), *level)).collect();
    sizes.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    let told: Vec<&str> = sizes.iter().take(LEVELS).map(|(_, level)| *level).collect();
    let (told, others): (Vec<_>, Vec<_>) = groups.into_iter().partition(|(level, _)| told.contains(level));
    let mut told: Vec<(String, Vec<usize>)> = told.into_iter().map(|(level, at)| (level.to_owned(), at)).collect();
    let others: Vec<usize> = others.into_iter().flat_map(|(_, at)| at).collect();
    told.push(("(others)".to_owned(), others));
    told.retain(|(_, at)| at.len() >= TINY);
    told
}

/// Numbers by quarters of these rows; equal numbers stay together.
fn quarters(rows: &[u32], values: &[f32]) -> Vec<(String, Vec<usize>)> {
    let mut sorted: Vec<f64> =
        rows.iter().map(|&row| f64::from(values[row as usize])).filter(|x| !x.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut edges: Vec<f64> = [0.25, 0.5, 0.75].iter().filter_map(|&share| quantile(&sorted, share)).collect();
    edges.dedup();
    let mut groups: Vec<Vec<usize>> = vec![Vec::new(); edges.len() + 2];
    for (position, &row) in rows.iter().enumerate() {
        let value = f64::from(values[row as usize]);
        let group = if value.is_nan() { edges.len() + 1 } else { edges.partition_point(|&edge| edge < value) };
        groups[group].push(position);
    }
    let number = |x: f64| if x.abs() >= 100.0 { format!("{x:.0}") } else { format!("{}", (x * 100.0).round() / 100.0) };
    let name = |group: usize| match (group, edges.as_slice()) {
        (group, edges) if group > edges.len() => MISSING.to_owned(),
        (_, []) => "any".to_owned(),
        (0, [first, ..]) => format!("up to {}", number(*first)),
        (group, edges) if group == edges.len() => format!("above {}", number(edges[group - 1])),
        (group, edges) => format!("{} to {}", number(edges[group - 1]), number(edges[group])),
    };
    let groups = groups.into_iter().enumerate().map(|(group, at)| (name(group), at));
    groups.filter(|(_, at)| at.len() >= TINY).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(n_attained: usize, n: usize, gap: f64, error: f64) -> Slice {
        let gap = Measured { value: gap, low: gap - Z * error, high: gap + Z * error, n: n as u64 };
        let metrics = Metrics { base_rate: Rate::new(n_attained, n), gap: Some(gap), ..Metrics::default() };
        Slice { metrics, too_few: false }
    }

    #[test]
    fn alarms_match_statsmodels_holm() {
        // statsmodels 0.14, multipletests([0.01, 0.04, 0.03, 0.005, 0.02], method="holm"): only 0.01 and 0.005 are rejected.
        assert_eq!(alarms(&[0.01, 0.04, 0.03, 0.005, 0.02]), [true, false, false, true, false]);
        assert_eq!(alarms(&[0.06]), [false]);
    }

    #[test]
    fn a_slice_is_off_beyond_noise_only() {
        let slices = vec![
            slice(200, 1000, 0.05, 0.01),
            slice(200, 1000, -0.05, 0.01),
            slice(20, 100, 0.05, 0.04),
            slice(5000, 10_000, 0.02, 0.001),
        ];
        let holds: Vec<Holds> = judged(slices).into_iter().map(|(_, holds)| holds).collect();
        // The last one is off beyond noise, by less than matters.
        assert_eq!(holds, [Holds::TooLow, Holds::TooHigh, Holds::Yes, Holds::Yes]);
    }

    #[test]
    fn quarters_keep_equal_numbers_together() {
        let values: Vec<f32> =
            (0..40).map(|row| if row < 20 { 1.0 } else { row as f32 }).chain([f32::NAN; 6]).collect();
        let rows: Vec<u32> = (0..46).collect();
        let told: Vec<(String, usize)> =
            quarters(&rows, &values).into_iter().map(|(name, at)| (name, at.len())).collect();
        let expected = [("up to 1", 20), ("10.5 to 29.25", 10), ("above 29.25", 10), ("(missing)", 6)];
        assert_eq!(told.iter().map(|(name, n)| (name.as_str(), *n)).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn rare_levels_are_told_together() {
        let levels: Vec<String> = (0..12).map(|level| format!("level {level:02}")).collect();
        let rows: Vec<u32> = (0..120).collect();
        let groups = by_level(&rows, |row| Some(levels[(row as usize) % 12].as_str()));
        assert_eq!(groups.len(), 11);
        assert_eq!((groups[10].0.as_str(), groups[10].1.len()), ("(others)", 20));
    }
}
