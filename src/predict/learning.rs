//! How much more data would bring: the learning curve of the chosen model.
//!
//! In: the chosen estimator with its settings, and the rows of its fit. Out: a [`LearningCurve`]: what fits to an eighth, a quarter, half
//! and all of the people are worth on the test part, and what the last doubling gained. Parts are nested, and told by the hash of
//! the person. Log loss is taken after recalibration (Platt's line on the test part), so that what is compared is what the models
//! tell apart. Gains of doublings shrink where error falls as a power of the number of examples (Hestness et al. 2017), so the
//! last one bounds the next.

use super::calibration::Platt;
use super::estimator::{Data, Prepared, Settings};
use super::evaluation::{LearningCurve, LearningPoint};
use super::judge::{Difference, paired_difference, recalibrated_losses};
use super::metrics::{Resampling, Scored, metrics};
use crate::error::Result;
use crate::rate::{Rate, grouped};

/// Shares of the people that are learned from, each twice the one before.
const SHARES: [f64; 4] = [0.125, 0.25, 0.5, 1.0];
/// Fewer of either outcome in the smallest part tell nothing.
const LEAST: usize = 20;
const RESAMPLES: u64 = 200;
/// Of so many examples the curve is taken unless the spec says otherwise: it costs less than one more fit to all of them.
pub(super) const CHEAP: usize = 50_000;

/// What the curve is taken from.
pub(super) struct Learner<'a> {
    pub(super) data: Data<'a>,
    pub(super) prepared: &'a dyn Prepared,
    pub(super) settings: &'a Settings,
    /// Rows of the fit, and a hash of the person of each row of the table.
    pub(super) fit: &'a [u32],
    pub(super) person_key: &'a [u64],
    /// Rows that judge, and the person of each.
    pub(super) test: &'a [u32],
    pub(super) person: &'a [u32],
    pub(super) seed: u64,
}

impl Learner<'_> {
    /// The curve, as far as parts hold enough of both outcomes; none when there are fewer than two points.
    pub(super) fn curve(&self) -> Result<Option<LearningCurve>> {
        let label = self.data.labels(self.test);
        let mut points = Vec::new();
        let mut losses: Vec<Vec<f64>> = Vec::new();
        for share in SHARES {
            let rows = self.part(share);
            let n_attained = rows.iter().filter(|&&row| self.data.label[row as usize]).count();
            if n_attained.min(rows.len() - n_attained) < LEAST {
                continue;
            }
            let margins = self.prepared.fit(&rows, self.settings)?.margins(self.data.table, self.test)?;
            let platt = Platt::fit(&margins, &label);
            let propensity: Vec<f64> = margins.iter().map(|&margin| platt.probability(margin)).collect();
            let scored = Scored { propensity: &propensity, label: &label, person: self.person };
            let resamples = if label.len() > 20_000 { RESAMPLES / 4 } else { RESAMPLES };
            let measured = metrics(scored, Resampling { seed: self.seed, resamples });
            points.push(LearningPoint {
                share,
                base_rate: Rate::new(n_attained, rows.len()),
                roc_auc: measured.roc_auc,
                log_loss: measured.log_loss,
            });
            losses.push(recalibrated_losses(&margins, &label, false));
        }
        let [.., half, whole] = losses.as_slice() else { return Ok(None) };
        let gain = paired_difference(half, whole, self.person, self.seed, RESAMPLES);
        Ok(Some(LearningCurve { sentence: sentence(gain, self.fit.len()), points }))
    }

    /// The rows of a share of the people.
    fn part(&self, share: f64) -> Vec<u32> {
        let place = |row: u32| (self.person_key[row as usize].rotate_left(31) >> 11) as f64 / (1_u64 << 53) as f64;
        self.fit.iter().copied().filter(|&row| share >= 1.0 || place(row) < share).collect()
    }
}

fn sentence(gain: Difference, n: usize) -> String {
    let figures = format!("{:.4} (95 % interval {:.4} to {:.4})", gain.mean, gain.low, gain.high);
    let n = grouped(n as u64);
    if gain.low > 0.0 {
        format!(
            "The second half of the {n} examples lowered log loss by {figures}: as many again would lower it further, by less than that."
        )
    } else {
        format!(
            "The second half of the {n} examples changed log loss by no more than noise (lower by {figures}): more examples of this kind would bring little; other features might."
        )
    }
}
