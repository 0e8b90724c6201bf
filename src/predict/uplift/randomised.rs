//! Whether a treatment was given at random, as far as the data can tell: without that no uplift is known.
//!
//! In: the features of everybody, and who was treated. Two questions: can the treatment be told from all features together, by a
//! model that has not seen the person (AUC above one half beyond chance), or from one of them (its mean, or the share of a level,
//! differs beyond chance between the groups)? And does a feature know the outcome: has everybody with some value of it responded?

use super::learners::unseen;
use crate::discover::{Cells, Column, Table};
use crate::error::{Error, Kind, Result};
use crate::predict::estimator::{Data, Estimator};
use crate::predict::evaluation::Measured;
use crate::predict::metrics::{Resampling, Scored, metrics};

/// Standard errors of a normal number that chance exceeds once in a thousand, both ways.
const BEYOND_CHANCE: f64 = 3.29;
/// A value tells the outcome when so many have it and all responded, and chance would not let it.
const LEAST_TOLD: usize = 10;
const NO_CHANCE: f64 = 1e-9;
/// Levels of a number that are looked at one by one.
const FEW_VALUES: usize = 50;

/// How well the treatment can be told from the features.
///
/// # Errors
/// [`Kind::Quality`] when it can beyond chance; the features that tell most are named.
pub(super) fn check(estimator: &dyn Estimator, data: Data<'_>, rows: &[u32], name: &str) -> Result<Measured> {
    let (judged, margins) = unseen(estimator, data, rows)?;
    let label = data.labels(&judged);
    let propensity: Vec<f64> = margins.iter().map(|&margin| crate::predict::newton::logistic(margin)).collect();
    let person: Vec<u32> = (0..).take(judged.len()).collect();
    let scored = Scored { propensity: &propensity, label: &label, person: &person };
    let measured = metrics(scored, Resampling { seed: data.seed, resamples: 200 }).roc_auc;
    let auc = measured.ok_or_else(|| Error::internal("the treatment has one class"))?;
    let error = (auc.high - auc.low) / (2.0 * 1.96);
    let telling = telling(data, rows);
    if (auc.value - 0.5) / error.max(f64::MIN_POSITIVE) <= BEYOND_CHANCE && telling.is_empty() {
        return Ok(auc);
    }
    let told = if telling.is_empty() { String::new() } else { format!("; most of all from {}", telling.join(", ")) };
    Err(Error::new(
        Kind::Quality,
        format!(
            "uplift `{name}`: the treatment was not given at random: it can be told from the features beyond chance (AUC {:.3}, 95 % \
             interval {:.3} to {:.3}){told}",
            auc.value, auc.low, auc.high
        ),
    )
    .hint("columns that were filled in after the treatment are no features: name them in `after`")
    .hint("if people were chosen for the treatment, the data cannot say what it changes: run a test with a random holdout first"))
}

/// The features that differ most between the groups, beyond chance over all of them.
fn telling(data: Data<'_>, rows: &[u32]) -> Vec<String> {
    let columns = &data.table.columns;
    let mut found: Vec<(f64, &str)> =
        columns.iter().map(|column| (difference(column, data.label, rows), column.name.as_str())).collect();
    // The threshold of one in a thousand for the largest of so many normal numbers, by their tail e^(−z²/2).
    let threshold = (BEYOND_CHANCE.powi(2) + 2.0 * libm::log(columns.len().max(1) as f64)).sqrt();
    found.retain(|(z, _)| *z > threshold);
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    found.into_iter().take(3).map(|(_, name)| format!("`{name}`")).collect()
}

/// How many standard errors a feature differs between the groups; of a category, √χ² over its levels put on that scale.
fn difference(column: &Column, treated: &[bool], rows: &[u32]) -> f64 {
    match &column.cells {
        Cells::Number(values) => {
            let moments = |wanted: bool| {
                let group = rows.iter().filter(|&&row| treated[row as usize] == wanted);
                let known: Vec<f64> =
                    group.map(|&row| f64::from(values[row as usize])).filter(|value| value.is_finite()).collect();
                let n = known.len() as f64;
                let mean = known.iter().sum::<f64>() / n;
                (mean, known.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n * (n - 1.0)))
            };
            let ((first, of_first), (second, of_second)) = (moments(true), moments(false));
            let z = (first - second).abs() / (of_first + of_second).sqrt();
            if z.is_finite() { z } else { 0.0 }
        }
        Cells::Category { codes, levels } => {
            let mut counts = vec![[0.0; 2]; levels.len() + 1];
            for &row in rows {
                let code = (codes[row as usize] as usize).min(levels.len());
                counts[code][usize::from(treated[row as usize])] += 1.0;
            }
            chi_square_as_z(&counts)
        }
    }
}

/// Wilson and Hilferty's normal number of χ² of a table with two columns.
fn chi_square_as_z(counts: &[[f64; 2]]) -> f64 {
    let total = [0, 1].map(|group| counts.iter().map(|level| level[group]).sum::<f64>());
    let n = total[0] + total[1];
    let present: Vec<&[f64; 2]> = counts.iter().filter(|level| level[0] + level[1] > 0.0).collect();
    let degrees = present.len() as f64 - 1.0;
    if degrees < 1.0 {
        return 0.0;
    }
    let part = |level: &&[f64; 2]| {
        let expected = [0, 1].map(|group| (level[0] + level[1]) * total[group] / n);
        (0..2).map(|group| (level[group] - expected[group]).powi(2) / expected[group]).sum::<f64>()
    };
    let chi_square: f64 = present.iter().map(part).sum();
    let spread = 2.0 / (9.0 * degrees);
    ((chi_square / degrees).cbrt() - (1.0 - spread)) / spread.sqrt()
}

/// Refuses features that know the outcome.
///
/// # Errors
/// [`Kind::Quality`], naming each of them and how many people show it.
pub(super) fn check_leaks(table: &Table, outcome: &[bool], rows: &[u32], name: &str) -> Result<()> {
    let base = rows.iter().filter(|&&row| outcome[row as usize]).count() as f64 / rows.len().max(1) as f64;
    let refusals = table.columns.iter().filter_map(|column| {
        let (what, n) = told(column, outcome, rows, base)?;
        let message = format!(
            "uplift `{name}`: feature `{}` knows the outcome: all {n} people {what} responded, where {:.1} % of all did",
            column.name,
            100.0 * base
        );
        let plain = column.name.strip_prefix("attr.").unwrap_or(&column.name);
        Some(Error::new(Kind::Quality, message).hint(format!("it was filled in after the treatment: add \"{plain}\" to `after`")))
    });
    Error::all(refusals.collect()).map_or(Ok(()), Err)
}

/// A value of which everybody responded, and how many they are.
fn told(column: &Column, outcome: &[bool], rows: &[u32], base: f64) -> Option<(String, usize)> {
    let is_told = |of: &mut dyn Iterator<Item = u32>| {
        let (n, responded) =
            of.fold((0, 0), |(n, responded), row| (n + 1, responded + usize::from(outcome[row as usize])));
        let chance = libm::pow(base, f64::from(i32::try_from(n).unwrap_or(i32::MAX)));
        (n >= LEAST_TOLD && n == responded && chance < NO_CHANCE).then_some(n)
    };
    let of = |test: &dyn Fn(u32) -> bool| is_told(&mut rows.iter().copied().filter(|&row| test(row)));
    match &column.cells {
        Cells::Category { codes, levels } => levels.iter().enumerate().find_map(|(level, text)| {
            let n = of(&|row| codes[row as usize] as usize == level)?;
            Some((format!("with the value {text}"), n))
        }),
        Cells::Number(values) => {
            let mut distinct: Vec<f32> =
                rows.iter().map(|&row| values[row as usize]).filter(|v| v.is_finite()).collect();
            distinct.sort_unstable_by(f32::total_cmp);
            let commonest = distinct.chunk_by(|a, b| a == b).max_by_key(|run| run.len()).map(|run| run[0])?;
            distinct.dedup();
            let few = if distinct.len() <= FEW_VALUES { &distinct[..] } else { &[] };
            let one = few.iter().find_map(|&value| {
                Some((format!("with the value {value}"), of(&|row| values[row as usize] == value)?))
            });
            one.or_else(|| {
                let other = |row: u32| values[row as usize].is_finite() && values[row as usize] != commonest;
                Some((format!("with another value than {commonest}"), of(&other)?))
            })
            .or_else(|| Some(("with a value at all".to_owned(), of(&|row| values[row as usize].is_finite())?)))
        }
    }
}
