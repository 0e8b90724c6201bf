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
//! Which of them held is looked up in the past: for up to [`LOOKS`] blocks of time (cutoffs; in a snapshot whose rows stand in time,
//! twentieths of the rows) a model of what was known when the block began says what would come, under each way. **recent** is kept
//! unless another has a lower mean log loss by more than a standard error of the differences over the blocks. Large data is thinned
//! for this: one number per block is asked.
//!
//! A shift found from unlabelled scores alone (the EM of Saerens, Latinne and Decaestecker 2002) is not among them: on bank marketing
//! it puts the rate of the last fifth at 100 % where 31 % attained, since the features drift and do not only change in proportion.

use std::collections::BTreeMap;

use super::calibration::{Calibrator, shift_to};
use super::estimator::{Data, Estimator, Fitted, Settings};
use super::newton::logistic;
use super::sums::log_loss;
use crate::discover::Examples;
use crate::error::Result;
use crate::rate::Rate;
use crate::spec::Level;
use crate::time::{Duration, Time};

/// Blocks of the past that are looked at, the newest.
const LOOKS: usize = 6;
/// Fewer tell nothing about chance.
const LEAST_LOOKS: usize = 3;
/// Blocks that rows in time order are cut into.
const BLOCKS: usize = 20;
/// Blocks that count as recent: those of rows in time order, and cutoffs.
const RECENT: [usize; 2] = [4, 2];
/// Rows that a model of the past is fitted to, at most.
const MOST_ROWS: usize = 20_000;
/// The ways, the usual one first.
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

/// What a way said of a block.
struct Look {
    /// Mean log loss.
    loss: f64,
    /// What should have been added to the log odds.
    miss: f64,
}

/// The ratio of two rates that differ beyond noise, and by more than a fifth.
pub(super) fn changed(before: Rate, now: Rate) -> Option<f64> {
    let (earlier, later) = (before.interval()?, now.interval()?);
    let ratio = now.share()? / before.share()?.max(1e-9);
    let apart = earlier.1 < later.0 || later.1 < earlier.0;
    (apart && !(0.8..=1.25).contains(&ratio)).then_some(ratio)
}

/// A way that was chosen, and why, in a sentence; nothing to tell where nothing was compared.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    pub(super) level: Level,
    pub(super) because: Option<String>,
    /// How far the level missed in the past: a standard deviation in log odds; 0 where that was not looked at.
    pub(super) error: f64,
}

impl Chosen {
    /// What sets the level, and why.
    pub(super) fn sentence(&self) -> String {
        let what = match self.level {
            Level::Recent | Level::Auto => " Its level is that of the newest outcomes, score by score.",
            Level::Training => " Its level is that of all outcomes, score by score.",
            Level::Rate => {
                " Its level is such that at each cutoff as many attain as did lately, whatever their scores."
            }
        };
        let because = self.because.as_ref().map(|because| format!(" {because}")).unwrap_or_default();
        what.to_owned() + &because
    }
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

    /// The way that the spec says, or that held best in the past; `shape` is the calibration that is moved.
    pub(super) fn choose(
        &self,
        estimator: &dyn Estimator,
        settings: &Settings,
        shape: &Calibrator,
        said: Level,
    ) -> Result<Chosen> {
        let mut looks: Vec<[Look; 3]> = Vec::new();
        for block in self.blocks.iter().rev() {
            if looks.len() == LOOKS {
                break;
            }
            looks.extend(self.look(block, estimator, settings, shape)?);
        }
        let n = looks.len() as f64;
        let mean = |of: &dyn Fn(&[Look; 3]) -> f64| looks.iter().map(of).sum::<f64>() / n;
        let (mut best, mut most) = (0, 0.0);
        for place in 1..WAYS.len() {
            let gain = mean(&|look| look[0].loss - look[place].loss);
            let variance = mean(&|look| (look[0].loss - look[place].loss - gain).powi(2)) / (n - 1.0);
            if looks.len() >= LEAST_LOOKS && gain > variance.sqrt() && gain > most {
                (best, most) = (place, gain);
            }
        }
        best = WAYS.iter().position(|&way| way == said).unwrap_or(best);
        let error = if looks.is_empty() { 0.0 } else { mean(&|look| look[best].miss.powi(2)).sqrt() };
        let because = (looks.len() >= LEAST_LOOKS && said == Level::Auto).then(|| {
            format!(
                "In {} looks at the past, log loss was {:.4} with the newest outcomes score by score, {:.4} with all outcomes, {:.4} with the newest rate.",
                looks.len(),
                mean(&|look| look[0].loss),
                mean(&|look| look[1].loss),
                mean(&|look| look[2].loss)
            )
        });
        Ok(Chosen { level: WAYS[best], because, error })
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

    /// What each way said of a block when it began; `None` where too little was known then.
    fn look(
        &self,
        block: &Block,
        estimator: &dyn Estimator,
        settings: &Settings,
        shape: &Calibrator,
    ) -> Result<Option<[Look; 3]>> {
        let known: Vec<&Block> = self.blocks.iter().filter(|other| other.known <= block.begins).collect();
        let rows: Vec<u32> = known.iter().flat_map(|block| block.rows.iter().copied()).collect();
        let n_attained = self.n_attained(&rows);
        if n_attained.min(rows.len() - n_attained) < LEAST {
            return Ok(None);
        }
        let rows = self.thinned(&rows);
        let fitted = estimator.prepare(self.data, &rows)?.fit(&rows, settings)?;
        let (judge, label) = (self.thinned(&block.rows), self.data.labels(&self.thinned(&block.rows)));
        let margins = fitted.margins(self.data.table, &judge)?;
        let n = label.len() as f64;
        // Half an example of each outcome keeps the rate away from 0 and 1.
        let rate = (label.iter().filter(|&&label| label).count() as f64 + 0.5) / (n + 1.0);
        let look = |way: Level| -> Result<Look> {
            let map = self.moved_to(&known, &fitted, shape, way, &judge)?;
            let log_odds: Vec<f64> = margins.iter().map(|&margin| map.log_odds(margin)).collect();
            let loss = |(&log_odds, &label): (&f64, &bool)| log_loss(logistic(log_odds), label);
            let loss = log_odds.iter().zip(&label).map(loss).sum::<f64>() / n;
            Ok(Look { loss, miss: shift_to(&log_odds, rate) })
        };
        let [recent, training, rate_way] = WAYS.map(look);
        Ok(Some([recent?, training?, rate_way?]))
    }

    /// The calibration of `fitted` at its level for people of `rows`, whose outcomes are not looked at.
    pub(super) fn at_level(
        &self,
        fitted: &Fitted,
        shape: &Calibrator,
        level: Level,
        rows: &[u32],
    ) -> Result<Calibrator> {
        self.moved_to(&self.blocks.iter().collect::<Vec<_>>(), fitted, shape, level, rows)
    }

    fn moved_to(
        &self,
        known: &[&Block],
        fitted: &Fitted,
        shape: &Calibrator,
        level: Level,
        rows: &[u32],
    ) -> Result<Calibrator> {
        let newest = self.newest(known, if level == Level::Rate { 1 } else { self.n_recent });
        let (anchors, told) = match level {
            Level::Training => {
                let all: Vec<u32> = known.iter().flat_map(|block| block.rows.iter().copied()).collect();
                (all.clone(), all)
            }
            Level::Rate if !rows.is_empty() => (rows.to_vec(), newest),
            Level::Rate | Level::Auto | Level::Recent => (newest.clone(), newest),
        };
        let rate = self.n_attained(&told) as f64 / told.len() as f64;
        let margins = fitted.margins(self.data.table, &self.thinned(&anchors))?;
        Ok(shape.clone().anchored(&margins, rate))
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
