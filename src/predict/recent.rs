//! A model put right by recent outcomes, without being trained again.
//!
//! In: people whose outcome is known by now, in the order of time, and the propensities that the bundle gives them. Out: the bundle with its calibration
//! moved by a line in log odds, `slope · log odds + shift`, and a [`Correction`] that says by how much and why. Candidates, from the
//! simplest: nothing; a shift (the prior correction of King and Zeng 2001) by all outcomes, by the newest third or by the newest tenth;
//! a line by all. Each is judged on outcomes that lie later than those it was found from: for every tenth of the rows what it
//! would have said knowing the tenths before. A richer candidate must have a lower log loss by more than a standard error over
//! the tenths.

use serde::Serialize;

use super::bundle::Bundle;
use super::calibration::{Platt, shift_to};
use super::sums::log_loss;
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
    /// What log odds are multiplied by.
    pub slope: f64,
    /// What is added to log odds.
    pub shift: f64,
    /// Which outcomes it was found from, in words.
    pub found_from: &'static str,
}

#[derive(Clone, Copy)]
enum Way {
    Nothing,
    /// A shift by the newest so many blocks.
    Shift(usize),
    Line,
}

const WAYS: [(Way, &str); 5] = [
    (Way::Nothing, "none: the propensities hold"),
    (Way::Shift(BLOCKS), "all recent outcomes"),
    (Way::Shift(3), "the newest third of the recent outcomes"),
    (Way::Shift(1), "the newest tenth of the recent outcomes"),
    (Way::Line, "all recent outcomes, with the spread of scores"),
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
    let (way, found_from) = best(&log_odds, label);
    let Platt { slope, intercept: shift } = way.found(&log_odds, label);
    let mean =
        |line: Platt| log_odds.iter().map(|&log_odds| line.probability(log_odds)).sum::<f64>() / label.len() as f64;
    let line = Platt { slope, intercept: shift };
    bundle.calibration = bundle.calibration.clone().lined(line);
    // A percentile says where a score stands among those of training: they move alike.
    for percentile in &mut bundle.percentiles {
        *percentile = line.probability(log_odds_of(*percentile));
    }
    Ok(Correction {
        outcomes,
        mean_before: mean(Platt { slope: 1.0, intercept: 0.0 }),
        mean_after: mean(line),
        slope,
        shift,
        found_from,
    })
}

fn log_odds_of(propensity: f64) -> f64 {
    let kept = propensity.clamp(1e-15, 1.0 - 1e-15);
    libm::log(kept / (1.0 - kept))
}

/// The candidate that told later outcomes best, the simpler within noise.
fn best(log_odds: &[f64], label: &[bool]) -> (Way, &'static str) {
    let judged = WAYS.map(|(way, words)| (way, words, way.looks(log_odds, label)));
    let mut kept = &judged[0];
    for candidate in &judged[1..] {
        if beats(&candidate.2, &kept.2) {
            kept = candidate;
        }
    }
    (kept.0, kept.1)
}

/// Whether losses are lower by more than a standard error.
fn beats(losses: &[f64], others: &[f64]) -> bool {
    let n = losses.len() as f64;
    let gains = || losses.iter().zip(others).map(|(loss, other)| other - loss);
    let mean = gains().sum::<f64>() / n;
    let variance = gains().map(|gain| (gain - mean).powi(2)).sum::<f64>() / (n - 1.0);
    mean > (variance / n).sqrt()
}

impl Way {
    /// The line that these outcomes tell.
    fn found(self, log_odds: &[f64], label: &[bool]) -> Platt {
        match self {
            Self::Nothing => Platt { slope: 1.0, intercept: 0.0 },
            Self::Line => Platt::fit(log_odds, label),
            Self::Shift(blocks) => {
                let start = label.len() - (label.len() * blocks.min(BLOCKS) / BLOCKS).max(1);
                let n_attained = label[start..].iter().filter(|&&label| label).count() as f64;
                // Half an example of each outcome keeps the rate away from 0 and 1.
                let rate = (n_attained + 0.5) / ((label.len() - start) as f64 + 1.0);
                Platt { slope: 1.0, intercept: shift_to(&log_odds[start..], rate) }
            }
        }
    }

    /// The mean log loss of each block but the first, told from the blocks before it.
    fn looks(self, log_odds: &[f64], label: &[bool]) -> Vec<f64> {
        let edge = |block: usize| block * label.len() / BLOCKS;
        (1..BLOCKS)
            .map(|block| {
                let (start, end) = (edge(block), edge(block + 1));
                let line = match self {
                    Self::Shift(blocks) if blocks < BLOCKS => {
                        let from = edge(block.saturating_sub(blocks));
                        Self::Shift(BLOCKS).found(&log_odds[from..start], &label[from..start])
                    }
                    way => way.found(&log_odds[..start], &label[..start]),
                };
                let loss = |(&log_odds, &label): (&f64, &bool)| log_loss(line.probability(log_odds), label);
                log_odds[start..end].iter().zip(&label[start..end]).map(loss).sum::<f64>() / (end - start) as f64
            })
            .collect()
    }
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
    fn propensities_that_hold_are_mostly_left_alone() {
        let kept = (0..40).filter(|&seed| {
            let (log_odds, label) = sample(2_000, seed, |_| 0.0);
            matches!(best(&log_odds, &label).0, Way::Nothing)
        });
        // A standard error is the threshold, passed by chance at times; what is then done is small.
        assert!(kept.count() >= 28);
        for seed in 0..40 {
            let (log_odds, label) = sample(2_000, seed, |_| 0.0);
            let line = best(&log_odds, &label).0.found(&log_odds, &label);
            assert!(line.intercept.abs() < 0.5 && (line.slope - 1.0).abs() < 0.35, "{line:?}");
        }
    }

    #[test]
    fn a_shift_comes_back_within_its_standard_error() {
        // The information of a shift is Σ p(1 − p), here about 300: a standard error of 0.06.
        let (log_odds, label) = sample(2_000, 5, |_| 1.2);
        let line = best(&log_odds, &label).0.found(&log_odds, &label);
        assert!((line.slope - 1.0).abs() < 0.15 && (line.intercept - 1.2).abs() < 0.2, "{line:?}");
    }

    #[test]
    fn a_level_that_still_moves_is_told_from_the_newest() {
        let (log_odds, label) = sample(6_000, 5, |place| 3.0 * place);
        let (way, _) = best(&log_odds, &label);
        assert!(matches!(way, Way::Shift(blocks) if blocks < BLOCKS));
        assert!(way.found(&log_odds, &label).intercept > 2.2);
    }
}
