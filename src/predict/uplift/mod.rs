//! Whom a treatment changes, learned from a test in which it was given at random.
//!
//! In: a [`Trial`]. Out: an [`Evaluation`] and the [`Scores`] of everybody. First the data must be what it needs: no feature knows
//! the outcome, and the treatment cannot be told from the features ([`randomised`]); else it refuses. Then the test is cut into
//! halves again and again: four learners ([`learners`]) and their mean learn from one half and rank the other, on which their
//! curves are measured ([`curve`]). What is told is the mean over the halves. Last, all people teach the learners that score
//! everybody.
//!
//! **Intervals**: what is measured on `J` halves does not vary freely, because the halves share people and what was learned from
//! one is judged on another. Nadeau and Bengio (Inference for the Generalization Error, Machine Learning 52, 2003) correct for it: with `s²`
//! the variance over halves, `mean ± t √((1 / J + n_judged / n_learned) s²)`, `t` with `J − 1` degrees of freedom; here
//! `n_judged / n_learned` is 1. A bootstrap of the judged people alone forgets that another half would have taught another ranking, and
//! is too narrow by a third.
//!
//! `auto` is the mean of the four: it is not chosen by any result, so that its numbers are honest.

mod curve;
mod learners;
mod randomised;
mod ridge;

use std::path::Path;

use polars::prelude::{DataFrame, IntoColumn as _, NamedFrom as _, Series};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub use self::curve::{Ranked, Worth};

use self::learners::Learned;
use super::estimator::Data;
use super::evaluation::Measured;
use crate::discover::Trial;
use crate::error::{Error, Result};
use crate::rate::{Rate, Z, grouped};
use crate::spec::{Uplift, UpliftLearner};
use crate::store;

/// Version of `evaluation.json` of an uplift.
const FORMAT_VERSION: u32 = 1;
/// Fewer who responded, or who did not, in a group cannot be learned from.
const LEAST: usize = 30;
/// The learners, in the order in which they are told.
const LEARNERS: [UpliftLearner; 5] =
    [UpliftLearner::Auto, UpliftLearner::T, UpliftLearner::S, UpliftLearner::X, UpliftLearner::ClassTransformation];

/// What [`uplift()`] makes.
#[derive(Debug, Clone, PartialEq)]
pub struct Uplifted {
    /// What the ranking is worth.
    pub evaluation: Evaluation,
    /// Everybody with attributes, by id.
    pub scores: Scores,
}

/// `uplift/<name>/evaluation.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Version of this format.
    pub format_version: u32,
    /// The uplift's name.
    pub uplift: String,
    /// The rule of the treatment.
    pub treatment: String,
    /// The rule of the control group.
    pub control: String,
    /// The rule of the outcome.
    pub outcome: String,
    /// Who responded of the treated.
    pub treated_rate: Rate,
    /// Who responded of the control group.
    pub control_rate: Rate,
    /// The effect on everybody: the one rate less the other.
    pub effect: Measured,
    /// How well the treatment can be told from the features; 0.5 is not at all.
    pub treatment_auc: Measured,
    /// How the numbers below were made, in a sentence.
    pub scheme: String,
    /// The learner whose scores are written.
    pub learner: UpliftLearner,
    /// Each learner's ranking, the one that is written among them.
    pub learners: Vec<Learner>,
    /// Whether that ranking is better than a random one beyond noise.
    pub beats_random: bool,
    /// The result in a sentence.
    pub sentence: String,
    /// Names of the features.
    pub features: Vec<String>,
}

/// What the ranking of a learner is worth on people whom it had not seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Learner {
    /// Which.
    pub learner: UpliftLearner,
    /// Area under the gain curve over that of a random order, less one; absent where the effect on everybody is not positive.
    pub area_over_random: Option<Measured>,
    /// Area under the gain curve less that of a random order.
    pub auuc_over_random: Measured,
    /// The Qini coefficient.
    pub qini: Measured,
    /// Uplift among the best 10, 20 … 100 %.
    pub uplift_best: Vec<Measured>,
}

/// The uplift of everybody.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scores {
    /// Ids.
    pub person: Vec<String>,
    /// By how much the treatment is expected to change the chance of responding, −1 to 1.
    pub uplift: Vec<f64>,
    /// Share of people with a lower uplift, equal ones counting half, 0–100.
    pub percentile: Vec<f64>,
    /// The group in the test: treated, control, or none.
    pub treated: Vec<Option<bool>>,
}

/// Learns from a test, judges what was learned, and scores everybody.
///
/// # Errors
/// [`crate::error::Kind::Quality`] when the treatment was not given at random or a feature knows the outcome;
/// [`crate::error::Kind::Data`] when a group has too few who responded, or who did not.
pub fn uplift(trial: &Trial, uplift: &Uplift, seed: u64) -> Result<Uplifted> {
    let rows: Vec<u32> =
        (0..).zip(&trial.treated).filter(|(_, treated)| treated.is_some()).map(|(row, _)| row).collect();
    let treated: Vec<bool> = trial.treated.iter().map(|treated| *treated == Some(true)).collect();
    let rates = [true, false].map(|wanted| rate(trial, wanted));
    check_counts(uplift, rates)?;
    randomised::check_leaks(&trial.features, &trial.outcome, &rows, &uplift.name)?;
    let key = keys(trial, seed);
    let estimator = super::asked::simplest(&uplift.model);
    let estimator = estimator.as_ref();
    let data = Data { table: &trial.features, label: &treated, weight: None, key: &key, seed, out_of_time: false };
    let treatment_auc = randomised::check(estimator, data, &rows, &uplift.name)?;
    let single = learners::single(&trial.features);
    let given = learners::Trial {
        table: &trial.features,
        single: &single,
        treated: &treated,
        outcome: &trial.outcome,
        key: &key,
        seed,
    };
    let judged: Result<Vec<Vec<Worth>>> = (0..uplift.halves)
        .into_par_iter()
        .map(|number| {
            let (learned, judged) = halves(&rows, &key, number as u64);
            let uplifts = Learned::fit(given, estimator, &learned)?.uplifts(given, &judged)?;
            Ok(LEARNERS.iter().map(|&learner| worth(given, &judged, &uplifts.of(learner))).collect())
        })
        .collect();
    let judged = judged?;
    let learners: Vec<Learner> = LEARNERS.iter().enumerate().map(|(at, &learner)| told(learner, at, &judged)).collect();
    let everyone: Vec<u32> = (0..).take(trial.person.len()).collect();
    let uplifts = Learned::fit(given, estimator, &rows)?.uplifts(given, &everyone)?.of(uplift.learner);
    let scores = Scores {
        person: trial.person.clone(),
        percentile: percentile(&uplifts),
        uplift: uplifts,
        treated: trial.treated.clone(),
    };
    let chosen = learners.iter().find(|learner| learner.learner == uplift.learner).cloned();
    let chosen = chosen.ok_or_else(|| Error::internal("the learner was not judged"))?;
    let effect = effect(rates);
    let evaluation = Evaluation {
        format_version: FORMAT_VERSION,
        uplift: uplift.name.clone(),
        treatment: uplift.treatment.clone(),
        control: uplift.control.clone(),
        outcome: uplift.outcome.clone(),
        treated_rate: rates[0],
        control_rate: rates[1],
        effect,
        treatment_auc,
        scheme: scheme(uplift, rows.len()),
        learner: uplift.learner,
        beats_random: chosen.auuc_over_random.low > 0.0,
        sentence: sentence(&chosen, &effect),
        learners,
        features: trial.features.columns.iter().map(|column| column.name.clone()).collect(),
    };
    Ok(Uplifted { evaluation, scores })
}

fn rate(trial: &Trial, wanted: bool) -> Rate {
    let group = || trial.treated.iter().zip(&trial.outcome).filter(|(treated, _)| **treated == Some(wanted));
    Rate::new(group().filter(|(_, outcome)| **outcome).count(), group().count())
}

fn check_counts(uplift: &Uplift, [treated, control]: [Rate; 2]) -> Result<()> {
    let is_thin = |rate: Rate| rate.n_attained.min(rate.n_eligible - rate.n_attained) < LEAST as u64;
    if !is_thin(treated) && !is_thin(control) {
        return Ok(());
    }
    let told = |rate: Rate| format!("{} of {}", grouped(rate.n_attained), grouped(rate.n_eligible));
    Err(Error::data(format!(
        "uplift `{}`: too few people to learn from: {} of the treated responded, {} of the control group; {LEAST} who did and {LEAST} who did \
         not are needed in each",
        uplift.name,
        told(treated),
        told(control)
    ))
    .hint("check the rules; else wait for more people, or take an outcome that more of them have"))
}

/// A hash of each person.
fn keys(trial: &Trial, seed: u64) -> Vec<u64> {
    let key = |id: &String| {
        let digest =
            blake3::Hasher::new().update(b"uplift").update(&seed.to_le_bytes()).update(id.as_bytes()).finalize();
        u64::from_le_bytes(*digest.as_bytes().first_chunk().expect("a digest has 32 bytes"))
    };
    trial.person.par_iter().map(key).collect()
}

/// The two halves of a cut: of its number and the people's hashes alone.
fn halves(rows: &[u32], key: &[u64], number: u64) -> (Vec<u32>, Vec<u32>) {
    let mut order = rows.to_vec();
    order.sort_by_cached_key(|&row| (mixed(key[row as usize] ^ mixed(number + 1)), row));
    let judged = order.split_off(order.len() / 2);
    (order, judged)
}

/// Steele, Lea and Flood's `SplitMix64`, which spreads every bit.
fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// What ranking people by a score is worth.
fn worth(given: learners::Trial<'_>, rows: &[u32], score: &[f64]) -> Worth {
    let pick = |flags: &[bool]| rows.iter().map(|&row| flags[row as usize]).collect::<Vec<bool>>();
    Ranked { score, treated: &pick(given.treated), outcome: &pick(given.outcome) }.worth()
}

/// A learner's numbers: `judged` has for each half the worth of each learner, `at` is its place.
fn told(learner: UpliftLearner, at: usize, judged: &[Vec<Worth>]) -> Learner {
    let measured = |of: &dyn Fn(&Worth) -> f64| {
        interval(&judged.iter().map(|half| of(&half[at])).collect::<Vec<f64>>(), judged[0][at].n)
    };
    Learner {
        learner,
        area_over_random: Some(measured(&|worth| worth.area_over_random)).filter(|area| area.value.is_finite()),
        auuc_over_random: measured(&|worth| worth.auuc_over_random),
        qini: measured(&|worth| worth.qini),
        uplift_best: (0..10).map(|tenth| measured(&|worth| worth.uplift[tenth])).collect(),
    }
}

/// The mean over halves with Nadeau and Bengio's interval.
fn interval(values: &[f64], n: u64) -> Measured {
    let n_halves = values.len() as f64;
    let value = values.iter().sum::<f64>() / n_halves;
    let variance = values.iter().map(|other| (other - value).powi(2)).sum::<f64>() / (n_halves - 1.0);
    let half = t_975(values.len() - 1) * ((1.0 / n_halves + 1.0) * variance).sqrt();
    Measured { value, low: value - half, high: value + half, n }
}

/// The 97.5 % point of Student's distribution: from a table, then by Abramowitz and Stegun 26.7.5.
fn t_975(degrees: usize) -> f64 {
    const TABLE: [f64; 9] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];
    let wide = |degrees: f64| {
        let second = (5.0 * Z.powi(5) + 16.0 * Z.powi(3) + 3.0 * Z) / 96.0;
        Z + (Z.powi(3) + Z) / 4.0 / degrees + second / degrees.powi(2)
    };
    TABLE.get(degrees.wrapping_sub(1)).copied().unwrap_or_else(|| wide(degrees as f64))
}

/// The difference of the rates with its 95 % interval (Wald's).
fn effect([treated, control]: [Rate; 2]) -> Measured {
    let shares = [treated, control].map(|rate| (rate.share().unwrap_or(f64::NAN), rate.n_eligible as f64));
    let value = shares[0].0 - shares[1].0;
    let half = Z * shares.iter().map(|(share, n)| share * (1.0 - share) / n).sum::<f64>().sqrt();
    Measured { value, low: value - half, high: value + half, n: treated.n_eligible + control.n_eligible }
}

fn percentile(uplifts: &[f64]) -> Vec<f64> {
    let mut sorted = uplifts.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let of = |uplift: &f64| {
        let below = sorted.partition_point(|other| other < uplift);
        let not_above = sorted.partition_point(|other| other <= uplift);
        50.0 * (below + not_above) as f64 / sorted.len() as f64
    };
    uplifts.iter().map(of).collect()
}

fn scheme(uplift: &Uplift, n: usize) -> String {
    format!(
        "The mean over {} random halves of {} people: learned from one half, measured on the other; intervals by Nadeau and Bengio's \
         correction for halves that share people.",
        uplift.halves,
        grouped(n as u64)
    )
}

fn sentence(chosen: &Learner, effect: &Measured) -> String {
    let points = |measured: &Measured| {
        format!("{:.2} points ({:.2} to {:.2})", 100.0 * measured.value, 100.0 * measured.low, 100.0 * measured.high)
    };
    let all = points(effect);
    let area = chosen
        .area_over_random
        .map(|area| format!("; the area over random is {:.3} ({:.3} to {:.3})", area.value, area.low, area.high));
    let area = area.unwrap_or_default();
    if chosen.auuc_over_random.low > 0.0 {
        let best = points(&chosen.uplift_best[2]);
        return format!(
            "The ranking beats random: treating the best 30 % changes them by {best}, everybody by {all}{area}."
        );
    }
    format!(
        "No ranking beats random beyond noise. The treatment changes everybody by {all}{area}: treat all or nobody; whom makes no \
         difference that this test could show."
    )
}

impl Scores {
    /// Reads a `scores.parquet`.
    ///
    /// # Errors
    /// When it is missing or damaged.
    pub fn read(path: &Path) -> Result<Self> {
        let frame = store::read_frame(path)?;
        let texts = |name: &str| -> Result<Vec<Option<String>>> {
            Ok(frame.column(name)?.str()?.iter().map(|text| text.map(str::to_owned)).collect())
        };
        let numbers = |name: &str| -> Result<Vec<f64>> {
            Ok(frame.column(name)?.f64()?.iter().map(|value| value.unwrap_or(f64::NAN)).collect())
        };
        Ok(Self {
            person: texts("person")?.into_iter().flatten().collect(),
            uplift: numbers("uplift")?,
            percentile: numbers("percentile")?,
            treated: texts("group")?.into_iter().map(|group| group.map(|group| group == "treatment")).collect(),
        })
    }

    /// `scores.parquet`: `person, uplift, percentile, group` (treatment, control, or nothing).
    ///
    /// # Errors
    /// When the columns differ in length, which they do not.
    pub fn to_frame(&self) -> Result<DataFrame> {
        let group = |treated: &Option<bool>| treated.map(|treated| if treated { "treatment" } else { "control" });
        let groups: Vec<Option<&str>> = self.treated.iter().map(group).collect();
        let columns = vec![
            Series::new("person".into(), &self.person).into_column(),
            Series::new("uplift".into(), &self.uplift).into_column(),
            Series::new("percentile".into(), &self.percentile).into_column(),
            Series::new("group".into(), groups).into_column(),
        ];
        Ok(DataFrame::new(self.person.len(), columns)?)
    }
}

#[cfg(test)]
mod tests;
