//! All metrics of one weighted sample in one pass, best score first, equal scores together.
//!
//! With weights `w`, labels `y` and propensities `p` over `n = Σ w`:
//!
//! - **ROC AUC**: the chance that one who attained is scored above one who did not; equal scores count one half.
//! - **PR AUC**: average precision, `Σ (R_k − R_{k−1}) · P_k` over the distinct scores, best first.
//! - **KS**: the greatest distance between the shares of those who attained and of those who did not that stand above a score.
//! - **log loss**: `−mean(y ln p + (1 − y) ln(1 − p))`, p kept within 1e-15 of 0 and 1.
//! - **Brier**: `mean((p − y)²)`. Over ten bins of equal count it is the sum of five parts, exactly (Murphy 1973; the last two, which
//!   vanish when all scores of a bin are equal, Stephenson, Coelho and Jolliffe 2008): reliability `Σ n_b/n (p̄_b − ȳ_b)²`, less
//!   resolution `Σ n_b/n (ȳ_b − ȳ)²`, and uncertainty `ȳ(1 − ȳ)`; within bins `1/n Σ (p − p̄_b)² − 2/n Σ (p − p̄_b)(y − ȳ_b)`.
//! - **ECE**: over the same bins `Σ n_b/n |ȳ_b − p̄_b|`. It is above 0 by chance alone: true probabilities would show about
//!   `Σ n_b/n √(2/π · mean_b(p(1 − p)) / n_b)`, the mean of a folded normal, and what is found is read beside that.
//! - **mean propensity, gap**: `p̄` and `ȳ − p̄`: calibration in the large.
//! - **lift, capture** of the best share `s`: their rate over the base rate; the share of all who attained that stands there.
//! - **profit** of the best share `s`: `value · attained − cost · people`. Told at the share that is best in hindsight and at the one
//!   that the propensities advise (`p · value > cost`), which is the honest one.
//!
//! Where an edge falls among equal scores each of them counts in part, so that no number depends on the order of rows.

use std::f64::consts::FRAC_2_PI;

use crate::spec::Stake;

/// Sizes of lists, shares of all examples, at which lift and capture are told.
pub(super) const SIZES: [f64; 13] = [0.01, 0.02, 0.03, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1.0];

/// The negative log likelihood of one label.
pub(super) fn log_loss(propensity: f64, label: bool) -> f64 {
    let right = if label { propensity } else { 1.0 - propensity };
    -libm::log(right.clamp(1e-15, 1.0))
}

/// Examples of one score.
#[derive(Default)]
pub(super) struct Ties {
    pub(super) propensity: f64,
    pub(super) weight: f64,
    pub(super) attained: f64,
}

/// A tenth of the examples.
#[derive(Default, Clone, Copy)]
struct Tenth {
    weight: f64,
    attained: f64,
    /// Σ p, Σ p² and Σ p of those who attained.
    propensity: f64,
    squared: f64,
    of_attained: f64,
}

/// A list: its share of all, and what it brings per person of all.
#[derive(Default, Clone, Copy)]
pub(super) struct List {
    pub(super) share: f64,
    pub(super) profit: f64,
}

/// The weight of all, and of those who attained.
#[derive(Default, Clone, Copy)]
pub(super) struct Totals {
    pub(super) weight: f64,
    pub(super) attained: f64,
}

/// What has been seen so far, best scores first.
pub(super) struct Sums {
    total: Totals,
    stake: Option<Stake>,
    seen: f64,
    attained: f64,
    concordant: f64,
    precision: f64,
    pub(super) log_loss: f64,
    tenths: [Tenth; 10],
    tenth: usize,
    /// Who attained among the best of each of [`SIZES`], as far as they are full.
    attained_at: [f64; SIZES.len()],
    n_full: usize,
    ks: f64,
    best: List,
    advised: List,
}

impl Sums {
    pub(super) fn new(total: Totals, stake: Option<Stake>) -> Self {
        Self {
            total,
            stake,
            seen: 0.0,
            attained: 0.0,
            concordant: 0.0,
            precision: 0.0,
            log_loss: 0.0,
            tenths: [Tenth::default(); 10],
            tenth: 0,
            attained_at: [0.0; SIZES.len()],
            n_full: 0,
            ks: 0.0,
            best: List::default(),
            advised: List::default(),
        }
    }

    pub(super) fn add(&mut self, ties: &Ties) {
        if ties.weight == 0.0 {
            return;
        }
        self.concordant += (ties.weight - ties.attained) * (self.attained + 0.5 * ties.attained);
        self.fill_tenths(ties);
        self.fill_sizes(ties);
        self.seen += ties.weight;
        self.attained += ties.attained;
        self.precision += ties.attained * self.attained / self.seen;
        let above = [
            self.attained / self.total.attained,
            (self.seen - self.attained) / (self.total.weight - self.total.attained),
        ];
        self.ks = self.ks.max((above[0] - above[1]).abs());
        if let Some(stake) = self.stake {
            let list = List {
                share: self.seen / self.total.weight,
                profit: stake.profit(self.attained, self.seen) / self.total.weight,
            };
            if list.profit > self.best.profit {
                self.best = list;
            }
            if ties.propensity * stake.value > stake.cost {
                self.advised = list;
            }
        }
    }

    /// Deals equal scores to the tenths in which they stand, in parts where an edge falls among them.
    fn fill_tenths(&mut self, ties: &Ties) {
        let size = self.total.weight / 10.0;
        let mut left = ties.weight;
        while left > 0.0 {
            let room = if self.tenth == 9 { f64::INFINITY } else { size - self.tenths[self.tenth].weight };
            let part = left.min(room);
            let attained = part / ties.weight * ties.attained;
            let tenth = &mut self.tenths[self.tenth];
            tenth.weight += part;
            tenth.attained += attained;
            tenth.propensity += part * ties.propensity;
            tenth.squared += part * ties.propensity * ties.propensity;
            tenth.of_attained += attained * ties.propensity;
            left -= part;
            if self.tenth < 9 && tenth.weight >= size * (1.0 - 1e-12) {
                self.tenth += 1;
            }
        }
    }

    fn fill_sizes(&mut self, ties: &Ties) {
        let end = (self.seen + ties.weight) * (1.0 + 1e-12);
        while let Some(size) = SIZES.get(self.n_full).map(|share| share * self.total.weight)
            && size <= end
        {
            let part = ((size - self.seen) / ties.weight).min(1.0);
            self.attained_at[self.n_full] = self.attained + part * ties.attained;
            self.n_full += 1;
        }
    }

    pub(super) fn point(&self) -> Point {
        let missed = self.seen - self.attained;
        let brier_parts = self.brier_parts();
        let of_tenths = |term: &dyn Fn(&Tenth) -> f64| self.tenths.iter().map(term).sum::<f64>();
        let by_chance = |tenth: &Tenth| (FRAC_2_PI * (tenth.propensity - tenth.squared)).max(0.0).sqrt();
        Point {
            // 0 / 0 is NaN: a metric that is not defined.
            roc_auc: self.concordant / (self.attained * missed),
            pr_auc: self.precision / self.attained,
            ks: if self.attained > 0.0 && missed > 0.0 { self.ks } else { f64::NAN },
            log_loss: self.log_loss / self.seen,
            brier: of_tenths(&|tenth| tenth.squared - 2.0 * tenth.of_attained + tenth.attained) / self.seen,
            brier_parts,
            ece: of_tenths(&|tenth| (tenth.attained - tenth.propensity).abs()) / self.seen,
            ece_by_chance: of_tenths(&by_chance) / self.seen,
            mean_propensity: of_tenths(&|tenth| tenth.propensity) / self.seen,
            base_rate: self.attained / self.seen,
            attained: self.attained,
            n: self.seen,
            tenths: self.tenths.map(|tenth| [tenth.weight, tenth.attained]),
            attained_at: self.attained_at,
            best: self.best,
            advised: self.advised,
        }
    }

    fn brier_parts(&self) -> BrierParts {
        let base = self.attained / self.seen;
        let mut parts = BrierParts { uncertainty: base * (1.0 - base), ..BrierParts::default() };
        for Tenth { weight, attained, propensity, squared, of_attained } in self.tenths {
            if weight == 0.0 {
                continue;
            }
            let (mean, rate) = (propensity / weight, attained / weight);
            parts.reliability += weight * (mean - rate).powi(2) / self.seen;
            parts.resolution += weight * (rate - base).powi(2) / self.seen;
            let (variance, covariance) = (squared - weight * mean * mean, of_attained - weight * mean * rate);
            parts.within_bins += (variance - 2.0 * covariance) / self.seen;
        }
        parts
    }
}

/// What the Brier score is made of.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct BrierParts {
    pub(super) reliability: f64,
    pub(super) resolution: f64,
    pub(super) uncertainty: f64,
    pub(super) within_bins: f64,
}

/// The metrics of one (re)sample; NaN where not defined.
pub(super) struct Point {
    pub(super) roc_auc: f64,
    pub(super) pr_auc: f64,
    pub(super) ks: f64,
    pub(super) log_loss: f64,
    pub(super) brier: f64,
    pub(super) brier_parts: BrierParts,
    pub(super) ece: f64,
    pub(super) ece_by_chance: f64,
    pub(super) mean_propensity: f64,
    pub(super) base_rate: f64,
    pub(super) attained: f64,
    pub(super) n: f64,
    tenths: [[f64; 2]; 10],
    pub(super) attained_at: [f64; SIZES.len()],
    pub(super) best: List,
    pub(super) advised: List,
}

impl Point {
    pub(super) fn lift(&self, tenth: usize) -> f64 {
        let [weight, attained] = self.tenths[tenth];
        attained / weight / self.base_rate
    }

    pub(super) fn capture(&self, tenth: usize) -> f64 {
        self.tenths[..=tenth].iter().map(|[_, attained]| attained).sum::<f64>() / self.attained
    }
}
