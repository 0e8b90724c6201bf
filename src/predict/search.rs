//! A search of settings within a budget, by successive halving (Jamieson and Talwalkar 2016).
//!
//! Settings are drawn from a space around the built-in ones, which are the first draws: a search finds nothing worse on the
//! windows. A bracket of draws is judged on a small part (one window of many, or a ninth of the rows), the best third of them on
//! more, and the best of those on everything. With a budget of trials the same ones are drawn and judged on any machine; with
//! one of seconds, brackets begin until the time is over, and what is found depends on the machine. The journal keeps every trial as
//! soon as it is judged: a search that was cut short goes on from there, with what is left of its seconds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use super::boosting::{Judged, PreparedTrees};
use super::estimator::{Settings, Trial, Tuned, Window};
use super::trees::TreeSettings;
use crate::error::{Error, Result};
use crate::spec::Budget;

/// Draws of a bracket, and what is left of them for each further rung.
const RUNGS: [usize; 3] = [27, 9, 3];
/// Windows from which on a rung is a number of windows; with fewer it is a share of the rows.
const ENOUGH_WINDOWS: usize = 4;
/// Trials that are judged side by side, and kept together.
const AT_ONCE: usize = 9;
/// Rows that a share leaves, at least.
const LEAST_ROWS: f64 = 1_000.0;

/// Where trials are kept while they are made, and where the clock is.
pub trait Journal: Send + Sync {
    /// The trials of the same search that were kept before it was cut short.
    fn recall(&self) -> Vec<Trial>;

    /// Keeps trials.
    ///
    /// # Errors
    /// When they cannot be written.
    fn record(&self, trials: &[Trial]) -> Result<()>;

    /// How long the search has taken.
    fn elapsed(&self) -> Duration;
}

/// Keeps nothing, and has time for one bracket.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoJournal;

impl Journal for NoJournal {
    fn recall(&self) -> Vec<Trial> {
        Vec::new()
    }

    fn record(&self, _: &[Trial]) -> Result<()> {
        Ok(())
    }

    fn elapsed(&self) -> Duration {
        Duration::MAX
    }
}

/// What a search may spend, and where it keeps its trials.
#[derive(Clone)]
pub struct Search {
    /// What it may spend.
    pub budget: Budget,
    /// Where it keeps its trials.
    pub journal: Arc<dyn Journal>,
}

/// How much of the data judges a trial.
#[derive(Debug, Clone, Copy)]
struct Rung {
    n_windows: usize,
    row_share: f64,
}

impl Search {
    /// The best settings of trees on `windows`; `built_in` are drawn first.
    pub(super) fn run(
        &self,
        trees: &PreparedTrees<'_>,
        built_in: &[TreeSettings],
        windows: &[Window],
    ) -> Result<Tuned> {
        let mut running = Running {
            search: self,
            trees,
            windows,
            known: self.journal.recall().into_iter().map(|trial| (place(&trial), trial)).collect(),
            trials: Vec::new(),
            best: None,
        };
        let mut random = ChaCha8Rng::seed_from_u64(trees.seed());
        let mut n_drawn = 0;
        loop {
            let wanted = match self.budget {
                Budget::Trials(trials) => trials.saturating_sub(n_drawn).min(RUNGS[0]),
                // What the journal holds of a search that went further costs nothing: it is followed to its end.
                Budget::Seconds(seconds) => {
                    let is_over = n_drawn > 0 && self.journal.elapsed().as_secs() >= seconds;
                    if is_over && !running.has_begun(n_drawn) { 0 } else { RUNGS[0] }
                }
            };
            if wanted == 0 {
                break;
            }
            let draw = |number: usize| match built_in.get(number) {
                Some(settings) => (number, *settings),
                None => (number, drawn(built_in[0], &mut random)),
            };
            let bracket: Vec<(usize, TreeSettings)> = (n_drawn..n_drawn + wanted).map(draw).collect();
            n_drawn += wanted;
            running.bracket(bracket)?;
        }
        running.tuned()
    }
}

struct Running<'a> {
    search: &'a Search,
    trees: &'a PreparedTrees<'a>,
    windows: &'a [Window],
    /// Trials that need not be made again, by their place.
    known: BTreeMap<(String, usize, usize, u64), Trial>,
    trials: Vec<Trial>,
    best: Option<Best>,
}

impl Running<'_> {
    /// Whether the journal holds a trial of the draw with this number.
    fn has_begun(&self, number: usize) -> bool {
        self.known.keys().any(|(estimator, known, ..)| estimator == self.trees.estimator() && *known == number)
    }

    /// Judges draws on more and more, fewer and fewer of them.
    fn bracket(&mut self, mut draws: Vec<(usize, TreeSettings)>) -> Result<()> {
        let rungs = self.rungs();
        for (height, &rung) in rungs.iter().enumerate() {
            let windows = self.windows_of(rung);
            let mut losses = Vec::with_capacity(draws.len());
            for draws in draws.chunks(AT_ONCE) {
                losses.extend(self.trials(draws, rung, &windows, height + 1 == rungs.len())?);
            }
            let mut order: Vec<usize> = (0..draws.len()).collect();
            order.sort_by(|&a, &b| losses[a].total_cmp(&losses[b]));
            order.truncate((draws.len() / 3).max(1));
            order.sort_unstable();
            draws = order.into_iter().map(|at| draws[at]).collect();
        }
        Ok(())
    }

    fn rungs(&self) -> Vec<Rung> {
        let n = self.windows.len();
        if n >= ENOUGH_WINDOWS {
            return [1, 2, n].map(|n_windows| Rung { n_windows, row_share: 1.0 }).to_vec();
        }
        let n_rows = self.windows.iter().map(|window| window.fit.len()).min().unwrap_or(0) as f64;
        let share = |share: f64| share.max(LEAST_ROWS / n_rows.max(1.0)).min(1.0);
        [1.0 / 9.0, 1.0 / 3.0, 1.0].map(|wanted| Rung { n_windows: n, row_share: share(wanted) }).to_vec()
    }

    /// The windows that a rung judges by.
    fn windows_of(&self, rung: Rung) -> Vec<Window> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a step of at most the rows")]
        let step = (1.0 / rung.row_share).round().max(1.0) as usize;
        let thinned = |window: &Window| Window {
            fit: self.trees.in_order(&window.fit).into_iter().step_by(step).collect(),
            judge: window.judge.clone(),
        };
        self.windows[..rung.n_windows].iter().map(thinned).collect()
    }

    /// The losses of draws on a rung, out of the journal where they stand there.
    fn trials(
        &mut self,
        draws: &[(usize, TreeSettings)],
        rung: Rung,
        windows: &[Window],
        is_last: bool,
    ) -> Result<Vec<f64>> {
        let blank = |&(number, settings): &(usize, TreeSettings)| Trial {
            estimator: self.trees.estimator().to_owned(),
            number,
            settings: Settings::Trees(settings),
            n_windows: rung.n_windows,
            row_share: rung.row_share,
            loss: f64::NAN,
        };
        let blanks: Vec<Trial> = draws.iter().map(blank).collect();
        let is_new = |at: &usize| !self.known.contains_key(&place(&blanks[*at]));
        let new: Vec<usize> = (0..draws.len()).filter(is_new).collect();
        let settings: Vec<TreeSettings> = new.iter().map(|&at| draws[at].1).collect();
        let mut judged: BTreeMap<usize, Judged> =
            new.iter().copied().zip(self.trees.judge_all(&settings, windows)?).collect();
        let done = |at: usize, judged: &Judged| Trial {
            settings: Settings::Trees(judged.settings),
            loss: judged.loss,
            ..blanks[at].clone()
        };
        let made: BTreeMap<usize, Trial> = judged.iter().map(|(&at, judged)| (at, done(at, judged))).collect();
        if !made.is_empty() {
            self.search.journal.record(&made.values().cloned().collect::<Vec<_>>())?;
        }
        let mut losses = Vec::with_capacity(draws.len());
        for (at, &(_, drawn)) in draws.iter().enumerate() {
            let known = self.known.get(&place(&blanks[at]));
            let trial = made.get(&at).or(known).ok_or_else(|| Error::internal("a trial was lost"))?.clone();
            let Settings::Trees(settings) = trial.settings else {
                return Err(
                    Error::data("the journal of the search is damaged").hint("delete trials.json and run again")
                );
            };
            if is_last && self.best.as_ref().is_none_or(|best| trial.loss < best.loss) {
                self.best = Some(Best { loss: trial.loss, drawn, settings, judged: judged.remove(&at) });
            }
            losses.push(trial.loss);
            self.trials.push(trial);
        }
        Ok(losses)
    }

    fn tuned(self) -> Result<Tuned> {
        let best = self.best.ok_or_else(|| Error::internal("a search has tried nothing"))?;
        let margins = if let Some(judged) = best.judged {
            judged.margins
        } else {
            let again = self.trees.judge_all(&[best.drawn], self.windows)?.into_iter().next();
            again.ok_or_else(|| Error::internal("a trial was not judged"))?.margins
        };
        Ok(Tuned { settings: Settings::Trees(best.settings), margins, trials: self.trials })
    }
}

/// The draw that did best on everything.
struct Best {
    loss: f64,
    drawn: TreeSettings,
    /// What was drawn, with the rounds that a fit to all takes.
    settings: TreeSettings,
    /// Where it was judged just now, not read from the journal.
    judged: Option<Judged>,
}

/// What tells one trial of a search from another.
fn place(trial: &Trial) -> (String, usize, usize, u64) {
    (trial.estimator.clone(), trial.number, trial.n_windows, trial.row_share.to_bits())
}

/// Settings near `general`, at random.
fn drawn(general: TreeSettings, random: &mut ChaCha8Rng) -> TreeSettings {
    if general.parallel_trees > 1 {
        return TreeSettings {
            leaves: whole(random, &[32.0, 64.0, 128.0, 256.0, 512.0]),
            depth: whole(random, &[6.0, 8.0, 10.0, 12.0, 16.0]),
            min_child_weight: one_of(random, &[0.5, 1.0, 2.0, 4.0, 8.0]),
            l2: one_of(random, &[0.3, 1.0, 3.0, 10.0]),
            feature_share: one_of(random, &[0.1, 0.2, 0.3, 0.5, 0.8]),
            ..general
        };
    }
    let leaves = whole(random, &[3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0]);
    TreeSettings {
        learning_rate: general.learning_rate * one_of(random, &[0.5, 1.0, 2.0]),
        leaves,
        depth: whole(random, &[2.0, 3.0, 4.0, 6.0, 8.0, 10.0]).max(leaves.ilog2() as usize),
        min_child_weight: one_of(random, &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0]),
        l2: one_of(random, &[0.3, 1.0, 3.0, 10.0, 30.0]),
        row_share: one_of(random, &[0.5, 0.65, 0.8, 0.95]),
        feature_share: one_of(random, &[0.2, 0.3, 0.4, 0.6, 0.8, 1.0]),
        random_cuts: one_of(random, &[0.0, 0.0, 0.0, 0.0, 1.0]) > 0.5,
        ..general
    }
}

fn one_of(random: &mut ChaCha8Rng, values: &[f64]) -> f64 {
    values[random.next_u32() as usize % values.len()]
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole numbers above zero")]
fn whole(random: &mut ChaCha8Rng, values: &[f64]) -> usize {
    one_of(random, values) as usize
}
