//! A model put right by recent outcomes, without being trained again.
//!
//! In: people whose outcome is known by now, in the order of time, and the propensities that the bundle gives them. Out: the bundle with its calibration
//! moved in log odds, and a [`Correction`] that says by how much and why. The ways to find the shift: none; the prior correction of King
//! and Zeng (2001) by all outcomes, by the newest third or by the newest tenth. Each is judged on outcomes that lie later than those
//! it was found from: for every tenth of the rows but the first what it would have said knowing the tenths before. What they say
//! now is averaged, each by how near it came ([`level`]).

use serde::Serialize;

use super::bundle::Bundle;
use super::calibration::shift_to;
use super::level;
use super::newton::logistic;
use crate::error::{Error, Result};
use crate::rate::Rate;

/// Blocks of time that the outcomes are cut into.
const BLOCKS: usize = 10;
/// Fewer outcomes than this, or of either kind, correct nothing.
const LEAST: (usize, u64) = (100, 20);

/// What recent outcomes changed.
#[derive(Debug, Clone, Serialize)]
pub struct Correction {
    /// Who of the recent people attained.
    pub outcomes: Rate,
    /// Mean propensity of them before …
    pub mean_before: f64,
    /// … and after.
    pub mean_after: f64,
    /// What is added to log odds.
    pub shift: f64,
    /// Which outcomes it was found from, and how much each way counts, in words.
    pub found_from: String,
}

/// Ways to find a shift: by the newest so many blocks, and what they are called.
const WAYS: [(usize, &str); 4] = [
    (0, "the propensities as they were"),
    (BLOCKS, "all recent outcomes"),
    (3, "the newest third of the recent outcomes"),
    (1, "the newest tenth of the recent outcomes"),
];

/// Moves the calibration of `bundle` by what became of people, in time order, to whom it gives these propensities.
///
/// # Errors
/// When the outcomes are too few.
pub fn correct(bundle: &mut Bundle, propensity: &[f64], label: &[bool]) -> Result<Correction> {
    let outcomes = Rate::new(label.iter().filter(|&&label| label).count(), label.len());
    let rarer = outcomes.n_attained.min(outcomes.n_eligible - outcomes.n_attained);
    if label.len() < LEAST.0 || rarer < LEAST.1 {
        return Err(Error::data(format!("the recent outcomes are too few to correct anything by: {outcomes}"))
            .hint(format!("bring at least {} people, {} of each outcome", LEAST.0, LEAST.1)));
    }
    let log_odds: Vec<f64> = propensity.iter().copied().map(log_odds_of).collect();
    let (shift, shares) = mean_shift(&log_odds, label);
    let mean =
        |shift: f64| log_odds.iter().map(|&log_odds| logistic(log_odds + shift)).sum::<f64>() / label.len() as f64;
    bundle.calibration = bundle.calibration.clone().shifted(shift);
    // A percentile says where a score stands among those of training: they move alike.
    for percentile in &mut bundle.percentiles {
        *percentile = logistic(log_odds_of(*percentile) + shift);
    }
    let counting = WAYS.iter().zip(shares).map(|((_, words), share)| format!("{words} ({:.0} %)", 100.0 * share));
    Ok(Correction {
        outcomes,
        mean_before: mean(0.0),
        mean_after: mean(shift),
        shift,
        found_from: counting.collect::<Vec<_>>().join(", "),
    })
}

fn log_odds_of(propensity: f64) -> f64 {
    let kept = propensity.clamp(1e-15, 1.0 - 1e-15);
    libm::log(kept / (1.0 - kept))
}

/// The mean of what the ways say, and how much each counts.
fn mean_shift(log_odds: &[f64], label: &[bool]) -> (f64, [f64; 4]) {
    let edge = |block: usize| block * label.len() / BLOCKS;
    let said = |known: usize| {
        WAYS.map(|(blocks, _)| {
            let rows = edge(known.saturating_sub(blocks))..edge(known);
            if rows.is_empty() { 0.0 } else { shift_of(&log_odds[rows.clone()], &label[rows]) }
        })
    };
    let missed = |block: usize| {
        let rows = edge(block)..edge(block + 1);
        let needed = shift_of(&log_odds[rows.clone()], &label[rows]);
        said(block).map(|shift| needed - shift)
    };
    let shares = level::shares(&(1..BLOCKS).map(missed).collect::<Vec<_>>());
    (said(BLOCKS).iter().zip(shares).map(|(shift, share)| share * shift).sum(), shares)
}

/// What must be added to log odds for as many to attain as did.
fn shift_of(log_odds: &[f64], label: &[bool]) -> f64 {
    let n_attained = label.iter().filter(|&&label| label).count();
    shift_to(log_odds, level::inner_rate(n_attained, label.len()))
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

    use super::*;
    use crate::predict::newton::logistic;

    /// Log odds and labels of people whose true log odds are moved by `shift` of their place in time, 0 to 1.
    fn sample(n: usize, seed: u64, shift: impl Fn(f64) -> f64) -> (Vec<f64>, Vec<bool>) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut uniform = || f64::from(random.next_u32()) / f64::from(u32::MAX);
        let log_odds: Vec<f64> = (0..n).map(|_| 4.0 * uniform() - 4.0).collect();
        let moved = |(row, log_odds): (usize, &f64)| logistic(log_odds + shift(row as f64 / n as f64));
        let label = log_odds.iter().enumerate().map(moved).map(|chance| uniform() < chance).collect();
        (log_odds, label)
    }

    #[test]
    fn propensities_that_hold_are_all_but_left_alone() {
        let shifts: Vec<f64> = (0..40)
            .map(|seed| {
                let (log_odds, label) = sample(2_000, seed, |_| 0.0);
                mean_shift(&log_odds, &label).0
            })
            .collect();
        // The information of a shift is Σ p(1 − p), here about 240 in all and 24 in a tenth: standard errors of 0.06 and 0.2.
        let spread = (shifts.iter().map(|shift| shift * shift).sum::<f64>() / 40.0).sqrt();
        assert!(spread < 0.12, "{shifts:?}");
    }

    #[test]
    fn a_shift_comes_back_within_its_standard_error() {
        // The information of a shift is Σ p(1 − p), here about 300: a standard error of 0.06.
        let (log_odds, label) = sample(2_000, 5, |_| 1.2);
        let (shift, [none, ..]) = mean_shift(&log_odds, &label);
        assert!((shift - 1.2).abs() < 0.2 && none < 0.1, "{shift}, {none}");
    }

    #[test]
    fn a_level_that_still_moves_is_told_from_the_newest() {
        let (log_odds, label) = sample(6_000, 5, |place| 3.0 * place);
        let (shift, [none, all, third, tenth]) = mean_shift(&log_odds, &label);
        assert!(none < all && all < third && third < tenth, "{none}, {all}, {third}, {tenth}");
        assert!(shift > 2.2, "{shift}");
    }
}
