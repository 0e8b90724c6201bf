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

use super::calibration::Calibrator;
use super::estimator::{Data, Fitted, Prepared, Settings};
use super::sums::log_loss;
use crate::discover::Examples;
use crate::error::Result;
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

/// A way that was chosen, and why, in a sentence; nothing to tell where nothing was compared.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    pub(super) level: Level,
    pub(super) because: Option<String>,
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

    /// The way that held best in the past; `shape` is the calibration that is moved.
    pub(super) fn choose(&self, prepared: &dyn Prepared, settings: &Settings, shape: &Calibrator) -> Result<Chosen> {
        const OTHERS: [Level; 2] = [Level::Training, Level::Rate];
        let mut losses: Vec<[f64; 3]> = Vec::new();
        for block in self.blocks.iter().rev() {
            if losses.len() == LOOKS {
                break;
            }
            losses.extend(self.look(block, prepared, settings, shape)?);
        }
        if losses.len() < LEAST_LOOKS {
            return Ok(Chosen { level: Level::Recent, because: None });
        }
        let mean = |of: &dyn Fn(&[f64; 3]) -> f64| losses.iter().map(of).sum::<f64>() / losses.len() as f64;
        let (mut best, mut most) = (Level::Recent, 0.0);
        for (place, level) in (1..).zip(OTHERS) {
            let gain = mean(&|loss| loss[0] - loss[place]);
            let variance = mean(&|loss| (loss[0] - loss[place] - gain).powi(2)) / (losses.len() - 1) as f64;
            if gain > variance.sqrt() && gain > most {
                (best, most) = (level, gain);
            }
        }
        let told = |place: usize| mean(&|loss| loss[place]);
        let because = format!(
            "In {} looks at the past, log loss was {:.4} with the newest outcomes score by score, {:.4} with all outcomes, {:.4} with the newest rate.",
            losses.len(),
            told(0),
            told(1),
            told(2)
        );
        Ok(Chosen { level: best, because: Some(because) })
    }

    /// The mean log loss of a block under each way, told when it began; `None` where too little was known then.
    fn look(
        &self,
        block: &Block,
        prepared: &dyn Prepared,
        settings: &Settings,
        shape: &Calibrator,
    ) -> Result<Option<[f64; 3]>> {
        let known: Vec<&Block> = self.blocks.iter().filter(|other| other.known <= block.begins).collect();
        let rows: Vec<u32> = known.iter().flat_map(|block| block.rows.iter().copied()).collect();
        let n_attained = self.n_attained(&rows);
        if n_attained.min(rows.len() - n_attained) < LEAST {
            return Ok(None);
        }
        let fitted = prepared.fit(&self.thinned(&rows), settings)?;
        let (judge, label) = (self.thinned(&block.rows), self.data.labels(&self.thinned(&block.rows)));
        let margins = fitted.margins(self.data.table, &judge)?;
        let mut losses = [0.0; 3];
        for (loss, level) in losses.iter_mut().zip([Level::Recent, Level::Training, Level::Rate]) {
            let map = self.moved(&known, &fitted, shape, level, &judge)?;
            let sum: f64 =
                margins.iter().zip(&label).map(|(&margin, &label)| log_loss(map.probability(margin), label)).sum();
            *loss = sum / label.len() as f64;
        }
        Ok(Some(losses))
    }

    /// The calibration of `fitted` at its level for people of `rows`, whose outcomes are not looked at.
    pub(super) fn at_level(
        &self,
        fitted: &Fitted,
        shape: &Calibrator,
        level: Level,
        rows: &[u32],
    ) -> Result<Calibrator> {
        self.moved(&self.blocks.iter().collect::<Vec<_>>(), fitted, shape, level, rows)
    }

    fn moved(
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
