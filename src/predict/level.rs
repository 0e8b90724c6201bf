//! How high propensities stand when the base rate moves: which known outcomes set their level.
//!
//! The order of scores often outlives their level. What is known of the level lies in the outcomes that have matured, and there are
//! several ways to carry it over to people whose outcome is not known. Each moves all margins by one shift in log odds:
//!
//! - **recent**: people with such a score attain as often as the newest of those with such a score did. Holds when what moves the
//!   base rate moves the scores too.
//! - **training**: the same, of all known outcomes.
//! - **rate**: people attain as often as the newest did, whatever their scores. Holds when scores drift (counts that only grow,
//!   waves of a campaign) and what people do does not.
//!
//! How far each is off is looked up in the past: for up to [`LOOKS`] blocks of time (cutoffs; in a snapshot whose rows stand in time,
//! twentieths of the rows) a model of what was known when the block began says what would come, under each way. The shifts are then
//! averaged, each way weighed by one over its mean squared miss in log odds (Bates and Granger 1969, The combination of forecasts):
//! a handful of blocks cannot tell which way will hold, and the mean of them misses less than the one that seems best. Where there are
//! fewer than [`LEAST_LOOKS`], **recent** and **training** count alike. Large data is thinned for this: one number per block is asked.
//!
//! A shift found from unlabelled scores alone (the EM of Saerens, Latinne and Decaestecker 2002) is not among them: on bank marketing
//! it puts the rate of the last fifth at 100 % where 31 % attained, since the features drift and do not only change in proportion.

use std::collections::BTreeMap;

use super::calibration::Calibrator;
use super::estimator::{Data, Estimator, Fitted, Settings};
use crate::discover::Examples;
use crate::error::Result;
use crate::rate::Rate;
use crate::spec::Level;
use crate::time::{Duration, Time};

/// Blocks of the past that are looked at, the newest.
const LOOKS: usize = 6;
/// Fewer tell nothing about the ways.
const LEAST_LOOKS: usize = 3;
/// No way is taken for nearer than this, in log odds.
const LEAST_MISS: f64 = 0.1;
/// Blocks that rows in time order are cut into.
const BLOCKS: usize = 20;
/// Blocks that count as recent: those of rows in time order, and cutoffs.
const RECENT: [usize; 2] = [4, 2];
/// Rows that a model of the past is fitted to, at most.
const MOST_ROWS: usize = 20_000;
/// The ways.
const WAYS: [Level; 3] = [Level::Recent, Level::Training, Level::Rate];
/// Fewer of either outcome cannot be learned from.
const LEAST: usize = 20;
/// So many who attained tell a rate.
const TELLING: usize = 100;

/// Rows in blocks of time.
pub(super) struct Past<'a> {
    data: Data<'a>,
    /// Blocks of rows in time order, with the instant at which each begins and the one at which its outcomes are known.
    blocks: Vec<Block>,
    n_recent: usize,
}

#[derive(Debug, Clone)]
struct Block {
    rows: Vec<u32>,
    begins: i64,
    known: i64,
}

/// A model whose level is known but for what depends on who is scored.
pub(super) struct Levelled<'a> {
    past: &'a Past<'a>,
    known: Vec<&'a Block>,
    fitted: &'a Fitted,
    shape: &'a Calibrator,
    /// What the ways add that do not depend on it, each by its share.
    shift: f64,
    /// The share of the one that does.
    of_rate: f64,
}

impl Levelled<'_> {
    /// The calibration for people of `rows`.
    pub(super) fn of(&self, rows: &[u32]) -> Result<Calibrator> {
        let mut shift = self.shift;
        if self.of_rate > 0.0 {
            shift += self.of_rate * self.past.shift(&self.known, self.fitted, self.shape, Level::Rate, rows)?;
        }
        Ok(self.shape.clone().shifted(shift))
    }
}

/// The ratio of two rates that differ beyond noise, and by more than a fifth.
pub(super) fn changed(before: Rate, now: Rate) -> Option<f64> {
    let (earlier, later) = (before.interval()?, now.interval()?);
    let ratio = now.share()? / before.share()?.max(1e-9);
    let apart = earlier.1 < later.0 || later.1 < earlier.0;
    (apart && !(0.8..=1.25).contains(&ratio)).then_some(ratio)
}

/// How much each of [`WAYS`] counts towards the level.
#[derive(Debug, Clone)]
pub(super) struct Mixture {
    /// Together 1.
    shares: [f64; 3],
    /// How far each missed, one row per look at the past, the newest first: what should have been added to the log odds.
    misses: Vec<[f64; 3]>,
    /// How far their mean missed: a standard deviation in log odds; 0 where that was not looked at.
    pub(super) error: f64,
}

impl Mixture {
    /// What the spec says, with no look at the past.
    pub(super) fn of(said: Level) -> Self {
        Self::new(said, Vec::new())
    }

    fn new(said: Level, misses: Vec<[f64; 3]>) -> Self {
        let shares = match said {
            Level::Recent => [1.0, 0.0, 0.0],
            Level::Training => [0.0, 1.0, 0.0],
            Level::Rate => [0.0, 0.0, 1.0],
            Level::Auto if misses.len() < LEAST_LOOKS => [0.5, 0.5, 0.0],
            Level::Auto => shares(&misses),
        };
        let of_mean = |of_ways: &[f64; 3]| of_ways.iter().zip(shares).map(|(miss, share)| share * miss).sum::<f64>();
        let error = root_mean_square(misses.iter().map(of_mean));
        Self { shares, misses, error }
    }

    /// What sets the level, and why.
    pub(super) fn sentence(&self) -> String {
        const SAID: [&str; 3] = [
            "that of the newest outcomes, score by score",
            "that of all outcomes, score by score",
            "such that at each cutoff as many attain as did lately, whatever their scores",
        ];
        if let Some(only) = self.shares.iter().position(|&share| share == 1.0) {
            return format!(" Its level is {}.", SAID[only]);
        }
        let counting = self.shares.iter().zip(SAID).filter(|(share, _)| **share > 0.0);
        let counting: Vec<String> = counting.map(|(share, said)| format!("{said} ({:.0} %)", 100.0 * share)).collect();
        let mut sentence = format!(" Its level is a mean of levels: {}.", counting.join("; "));
        if self.misses.len() >= LEAST_LOOKS {
            let [recent, training, rate] = typical(&self.misses);
            sentence += &format!(
                " In {} looks at the past they missed by {recent:.2}, {training:.2} and {rate:.2} in log odds, their mean by {:.2}.",
                self.misses.len(),
                self.error
            );
        }
        sentence
    }
}

/// How much each way counts that missed by so much, in log odds, in one look after another: one over its mean square.
pub(super) fn shares<const N: usize>(misses: &[[f64; N]]) -> [f64; N] {
    let precision = typical(misses).map(|miss| miss.max(LEAST_MISS).powi(-2));
    precision.map(|of_way| of_way / precision.iter().sum::<f64>())
}

/// The share of those who attained, with half an example of each outcome, which keeps it away from 0 and 1.
pub(super) fn inner_rate(n_attained: usize, n: usize) -> f64 {
    (n_attained as f64 + 0.5) / (n as f64 + 1.0)
}

/// The root mean square of what each way missed by.
fn typical<const N: usize>(misses: &[[f64; N]]) -> [f64; N] {
    std::array::from_fn(|way| root_mean_square(misses.iter().map(|of_ways| of_ways[way])))
}

/// 0 of nothing.
fn root_mean_square(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len().max(1) as f64;
    (values.map(|value| value * value).sum::<f64>() / n).sqrt()
}

impl<'a> Past<'a> {
    /// The blocks of `rows`, whose outcomes are known; `None` where rows do not stand in time.
    pub(super) fn new(examples: &Examples, data: Data<'a>, rows: &[u32], horizon: Option<Duration>) -> Option<Self> {
        if !data.out_of_time {
            return None;
        }
        if let Some(order) = &examples.order {
            let mut rows = rows.to_vec();
            rows.sort_by_key(|&row| (order[row as usize], row));
            let n = rows.len();
            let edges = (0..BLOCKS).map(|block| (block * n / BLOCKS, (block + 1) * n / BLOCKS));
            let blocks = (0_i64..).zip(edges).map(|(place, (start, end))| Block {
                rows: rows[start..end].to_vec(),
                begins: place,
                known: place + 1,
            });
            return Some(Self { data, blocks: blocks.collect(), n_recent: RECENT[0] });
        }
        let horizon = horizon?;
        let mut at: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
        for &row in rows {
            at.entry(examples.cutoff[row as usize]).or_default().push(row);
        }
        let blocks =
            at.into_iter().map(|(begins, rows)| Block { rows, begins, known: Time(begins).plus(horizon).0 }).collect();
        Some(Self { data, blocks, n_recent: RECENT[1] })
    }

    /// How much each way counts: what the spec says, or by how near each came in the past; `shape` is the calibration that is moved.
    pub(super) fn mixture(
        &self,
        estimator: &dyn Estimator,
        settings: &Settings,
        shape: &Calibrator,
        said: Level,
    ) -> Result<Mixture> {
        let mut misses = Vec::new();
        for block in self.blocks.iter().rev() {
            if misses.len() == LOOKS {
                break;
            }
            misses.extend(self.look(block, estimator, settings, shape)?);
        }
        Ok(Mixture::new(said, misses))
    }

    /// Says when the newest outcomes have another rate than those before: what comes may have yet another.
    pub(super) fn moved(&self) -> Option<String> {
        let n_newest = self.n_recent.min(self.blocks.len().saturating_sub(1));
        let (before, newest) = self.blocks.split_at(self.blocks.len() - n_newest);
        let rate = |blocks: &[Block]| {
            let n_attained = blocks.iter().map(|block| self.n_attained(&block.rows)).sum();
            Rate::new(n_attained, blocks.iter().map(|block| block.rows.len()).sum())
        };
        let (before, newest) = (rate(before), rate(newest));
        let ratio = changed(before, newest)?;
        let (verb, factor, off) = if ratio > 1.0 { ("rose", ratio, "low") } else { ("fell", 1.0 / ratio, "high") };
        Some(format!(
            "The rate of outcomes {verb} from {before} to {newest} in the newest: if it moves on like that, propensities are too {off} by a factor of {factor:.1}; the ranking still holds. Give recent outcomes with `clo score --recent`, or train again when they are in the data."
        ))
    }

    /// How far each way missed the level of a block when it began; `None` where too little was known then.
    fn look(
        &self,
        block: &Block,
        estimator: &dyn Estimator,
        settings: &Settings,
        shape: &Calibrator,
    ) -> Result<Option<[f64; 3]>> {
        let known: Vec<&Block> = self.blocks.iter().filter(|other| other.known <= block.begins).collect();
        let rows: Vec<u32> = known.iter().flat_map(|block| block.rows.iter().copied()).collect();
        let n_attained = self.n_attained(&rows);
        if n_attained.min(rows.len() - n_attained) < LEAST {
            return Ok(None);
        }
        let rows = self.thinned(&rows);
        let fitted = estimator.prepare(self.data, &rows)?.fit(&rows, settings)?;
        let judge = self.thinned(&block.rows);
        let rate = inner_rate(self.n_attained(&judge), judge.len());
        let needed = shape.shift_to(&fitted.margins(self.data.table, &judge)?, rate);
        let [recent, training, of_rate] = WAYS.map(|way| self.shift(&known, &fitted, shape, way, &judge));
        Ok(Some([needed - recent?, needed - training?, needed - of_rate?]))
    }

    /// The calibration of `fitted` at its level for people of `rows`, whose outcomes are not looked at.
    pub(super) fn at_level(
        &self,
        fitted: &Fitted,
        shape: &Calibrator,
        level: &Mixture,
        rows: &[u32],
    ) -> Result<Calibrator> {
        self.levelled(fitted, shape, level)?.of(rows)
    }

    /// As [`Past::at_level`], for one group of people after another: what does not depend on who they are is found once.
    pub(super) fn levelled<'b>(
        &'b self,
        fitted: &'b Fitted,
        shape: &'b Calibrator,
        level: &Mixture,
    ) -> Result<Levelled<'b>> {
        let known: Vec<&Block> = self.blocks.iter().collect();
        let [recent, training, of_rate] = level.shares;
        let mut shift = 0.0;
        for (way, share) in [(Level::Recent, recent), (Level::Training, training)] {
            if share > 0.0 {
                shift += share * self.shift(&known, fitted, shape, way, &[])?;
            }
        }
        Ok(Levelled { past: self, known, fitted, shape, shift, of_rate })
    }

    /// By how much one way moves the calibration of `fitted` for people of `rows`.
    fn shift(&self, known: &[&Block], fitted: &Fitted, shape: &Calibrator, way: Level, rows: &[u32]) -> Result<f64> {
        let told = match way {
            Level::Training => known.iter().flat_map(|block| block.rows.iter().copied()).collect(),
            Level::Rate => self.newest(known, 1),
            Level::Recent | Level::Auto => self.newest(known, self.n_recent),
        };
        let anchors = if way == Level::Rate && !rows.is_empty() { rows } else { &told };
        let rate = self.n_attained(&told) as f64 / told.len() as f64;
        let margins = fitted.margins(self.data.table, &self.thinned(anchors))?;
        Ok(shape.shift_to(&margins, rate))
    }

    /// Rows of the newest `n` blocks, and of more until enough of them attained to tell a rate.
    fn newest(&self, known: &[&Block], n: usize) -> Vec<u32> {
        let mut rows = Vec::new();
        for (place, block) in known.iter().rev().enumerate() {
            if place >= n && self.n_attained(&rows) >= TELLING {
                break;
            }
            rows.extend_from_slice(&block.rows);
        }
        rows
    }

    fn n_attained(&self, rows: &[u32]) -> usize {
        rows.iter().filter(|&&row| self.data.label[row as usize]).count()
    }

    /// At most [`MOST_ROWS`] of the rows, told by their keys.
    fn thinned(&self, rows: &[u32]) -> Vec<u32> {
        if rows.len() <= MOST_ROWS {
            return rows.to_vec();
        }
        let mut keyed: Vec<(u64, u32)> = rows.iter().map(|&row| (self.data.key[row as usize], row)).collect();
        keyed.select_nth_unstable(MOST_ROWS);
        keyed.truncate(MOST_ROWS);
        let mut rows: Vec<u32> = keyed.into_iter().map(|(_, row)| row).collect();
        rows.sort_unstable();
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearer_a_way_came_the_more_it_counts() {
        let mixture = Mixture::new(Level::Auto, vec![[0.2, -0.4, 0.4], [-0.2, 0.4, 0.4], [0.2, 0.4, -0.4]]);
        let expected = [4.0 / 6.0, 1.0 / 6.0, 1.0 / 6.0];
        assert!(mixture.shares.iter().zip(expected).all(|(share, expected)| (share - expected).abs() < 1e-9));
        // (0.8 − 0.4 + 0.4) / 6, (−0.8 + 0.4 + 0.4) / 6 and (0.8 + 0.4 − 0.4) / 6.
        assert!((mixture.error - (2.0 / 3.0_f64).sqrt() * 0.8 / 6.0).abs() < 1e-9, "{}", mixture.error);
        insta::assert_snapshot!(mixture.sentence(), @" Its level is a mean of levels: that of the newest outcomes, score by score (67 %); that of all outcomes, score by score (17 %); such that at each cutoff as many attain as did lately, whatever their scores (17 %). In 3 looks at the past they missed by 0.20, 0.40 and 0.40 in log odds, their mean by 0.11.");
    }

    #[test]
    fn no_way_is_taken_for_all_but_perfect() {
        let mixture = Mixture::new(Level::Auto, vec![[0.0, 0.1, 0.05]; 3]);
        assert!(mixture.shares.iter().all(|share| (share - 1.0 / 3.0).abs() < 1e-9), "{:?}", mixture.shares);
    }

    #[test]
    fn a_spec_that_says_which_outcomes_is_heard_and_two_looks_tell_nothing() {
        let misses = vec![[0.2, 0.4, 0.6]; 2];
        assert_eq!(Mixture::new(Level::Rate, misses.clone()).shares, [0.0, 0.0, 1.0]);
        assert!((Mixture::new(Level::Rate, misses.clone()).error - 0.6).abs() < 1e-9);
        assert_eq!(Mixture::new(Level::Auto, misses).shares, [0.5, 0.5, 0.0]);
        assert_eq!(Mixture::of(Level::Training).sentence(), " Its level is that of all outcomes, score by score.");
    }
}
