//! Which estimator is kept: the simpler one, unless the other is better beyond noise; in folds the blend, unless a simpler one
//! is better beyond noise.
//!
//! In folds, what will be scored is like what was judged, and a weighed sum of models does as well as the best of them but for
//! what the weights cost (van der Laan, Polley and Hubbard 2007), while picking one is a choice that other rows would not have
//! made. Out of time nothing promises that, and what is simpler holds longer.
//!
//! Judged are the same held-out examples under each estimator, by log loss after recalibration ([`super::judge`]), with a
//! paired bootstrap over people, or over spans of time where the rows stand in time.

use std::ops::Range;

use super::blend::{Blend, blended};
use super::calibration::Calibrator;
use super::estimator::{Data, Fitted, Settings, Tuned, Window};
use super::judge::{paired_difference, recalibrated_losses, tempered};
use super::scheme::Scheme;
use crate::error::{Error, Result};

/// Resamples of the paired bootstrap.
const RESAMPLES: u64 = 500;

/// An estimator that was tuned and fitted.
#[derive(Debug)]
pub struct Tried {
    /// `logistic`, `boosting` …
    pub name: &'static str,
    /// The settings that did best on the windows.
    pub settings: Settings,
    /// The final fit.
    pub fitted: Fitted,
    /// Margins of the rows that the covering windows judged, window after window.
    pub margins: Vec<f64>,
    /// For each window the margins of its judged rows.
    windowed: Vec<Vec<f64>>,
    /// Log losses of what all windows judged, after recalibration within each.
    losses: Vec<f64>,
}

impl Tried {
    /// A tuned and fitted estimator.
    #[must_use]
    pub fn new(name: &'static str, tuned: Tuned, fitted: Fitted, data: Data<'_>, scheme: &Scheme) -> Self {
        let judged = tuned.margins.iter().zip(&scheme.windows);
        let is_tempered = tempered(data, &scheme.windows);
        let losses = judged
            .flat_map(|(margins, window)| recalibrated_losses(margins, &data.labels(&window.judge), is_tempered))
            .collect();
        let margins = tuned.margins[..scheme.n_covering].concat();
        Self { name, settings: tuned.settings, fitted, margins, windowed: tuned.margins, losses }
    }

    /// The blend of what was tried.
    #[must_use]
    pub fn blend(tried: &[Self], data: Data<'_>, scheme: &Scheme) -> Self {
        let parts: Vec<_> =
            tried.iter().map(|tried| (tried.name, &tried.settings, tried.windowed.as_slice())).collect();
        let tuned = blended(&parts, data, &scheme.windows);
        let fitted = Fitted::Blend(Blend::of(&tuned.settings, |name| {
            tried.iter().find(|tried| tried.name == name).map(|tried| tried.fitted.clone())
        }));
        Self::new("blend", tuned, fitted, data, scheme)
    }

    /// How its margins on `covering` windows, the first ones, are calibrated.
    #[must_use]
    pub fn calibrator(&self, covering: &[Window], data: Data<'_>, person_key: &[u64]) -> Calibrator {
        super::last::held_out_calibrator((covering, &self.windowed[..covering.len()]), data, person_key)
    }

    /// Whether it is a blend of one model, which is that model.
    #[must_use]
    pub fn is_one_model(&self) -> bool {
        matches!(&self.settings, Settings::Blend(settings) if settings.parts.len() < 2)
    }
}

/// The position of the estimator that is kept, and why. `tried` stands from the simplest to the richest; `clusters` tells for
/// each example that a window judged what it shares its chance with; in each of `rounds` all were judged once, and what is richer
/// must be better in every one; `n_examples` how many examples they are.
///
/// # Errors
/// When nothing was tried.
pub fn choose(
    tried: &[Tried],
    clusters: &[u32],
    rounds: &[Range<usize>],
    n_examples: usize,
    seed: u64,
    out_of_time: bool,
) -> Result<(usize, String)> {
    let first = tried.first().ok_or_else(|| Error::internal("no estimator was tried"))?;
    if tried.len() == 1 {
        return Ok((0, format!("The spec asks for {}.", worded(first.name))));
    }
    let n = crate::rate::grouped(n_examples as u64);
    let (mut kept, mut told) = (0, Vec::new());
    for (position, rich) in tried.iter().enumerate().skip(1) {
        let simple = &tried[kept];
        let gains = rounds.iter().cloned().map(|round| {
            let (simple, rich) = (&simple.losses[round.clone()], &rich.losses[round.clone()]);
            let gain = paired_difference(simple, rich, &clusters[round], seed, RESAMPLES);
            (gain, mean(rich), mean(simple))
        });
        let least = gains.min_by(|(a, ..), (b, ..)| a.low.total_cmp(&b.low));
        let (gain, rich_loss, simple_loss) = least.ok_or_else(|| Error::internal("no window judged anything"))?;
        let of_rounds = match rounds.len() {
            0 | 1 => String::new(),
            n => format!(", in the round of {n} that speaks least for it"),
        };
        let figures = format!(
            "log loss on {n} held-out examples {rich_loss:.4} against {simple_loss:.4}, a difference of {:.4} (95 % interval {:.4} to {:.4}{of_rounds})",
            gain.mean, gain.low, gain.high
        );
        let (rich_words, simple) = (capital(worded(rich.name)), worded(simple.name));
        if gain.low > 0.0 {
            kept = position;
            told.push(format!("{rich_words} is better than {simple} beyond noise: {figures}."));
        } else if !out_of_time && rich.name == "blend" && gain.high >= 0.0 {
            kept = position;
            told.push(format!("{rich_words} is kept, since {simple} is not better beyond noise: {figures}."));
        } else {
            told.push(format!(
                "{rich_words} is not better than {simple} beyond noise, so the simpler is kept: {figures}."
            ));
        }
    }
    Ok((kept, told.join(" ")))
}

fn mean(losses: &[f64]) -> f64 {
    losses.iter().sum::<f64>() / losses.len().max(1) as f64
}

fn worded(name: &str) -> &str {
    match name {
        "bayes" => "naive Bayes",
        "logistic" => "logistic regression",
        "boosting" => "gradient boosting",
        "forest" => "a random forest",
        "blend" => "the blend of both",
        name => name,
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
