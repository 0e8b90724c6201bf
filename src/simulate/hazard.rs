//! The laws of the shop: who buys when, and with what probability.
//!
//! A person has latent traits, fixed for life: activity `ln g` with `g ~ Gamma(1.5, 1/1.5)` (heavy-tailed, as in the
//! NBD models of Ehrenberg 1959), intent, loyalty and price sensitivity (standard normal). The next purchase of someone
//! whose present stage was entered (or renewed) on day `d₀` has on day `d` the hazard
//!
//! ```text
//! λ(d) = exp(b + w·traits) · 2^(−(d − d₀)/half_life) · season(d)          P(purchase on d | none before) = 1 − e^(−λ(d))
//! ```
//!
//! Interest fades: the integral of λ is finite, so with probability `exp(−∫λ)` a person never comes back. That is the
//! shop's drop-out, and it needs no hidden switch: given the traits, `d₀` says all that the past knows of the future.
//! The probability of a purchase in `[t, t+h)` is exact:
//!
//! ```text
//! P = 1 − exp(−Σ λ(d), d = t … t+h−1)
//! ```
//!
//! For a customer who lapses within the horizon, at time τ of day L, the sum stops before L and
//! `P = 1 − exp(−Σ λ(d), d < L) · (1 − F(τ)·(1 − e^(−λ(L))))`, F being the share of a day before τ.

use rand::Rng;
use rand_distr::{Distribution as _, Exp1, Gamma, StandardNormal};

use super::calendar::{Calendar, HORIZON, day, seconds, share_before};

/// Days without a purchase after which a customer counts as lapsed.
pub(super) const SILENCE_DAYS: usize = 180;
/// ln of the mean of the gamma-distributed activity's middle: centres `ln g`.
const LOG_ACTIVITY_MEAN: f64 = -0.369;

/// What a person is like, for life; no file shows it unless [`super::Settings::reveal_traits`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Traits {
    /// ln of a gamma variable, centred: how often they do anything here.
    pub(super) activity: f64,
    /// How ready for a first purchase.
    pub(super) intent: f64,
    /// How ready to come back.
    pub(super) loyalty: f64,
    /// How much a discount, or the campaign, moves them.
    pub(super) price_sensitivity: f64,
    /// How much they spend.
    pub(super) spend: f64,
}

/// The traits' names, in the order of [`Traits::values`].
pub(super) const TRAITS: [&str; 5] =
    ["trait_activity", "trait_intent", "trait_loyalty", "trait_price_sensitivity", "trait_spend"];

impl Traits {
    pub(super) fn draw(rng: &mut impl Rng) -> Self {
        let gamma = Gamma::new(1.5, 1.0 / 1.5).expect("shape and scale are positive");
        let mut normal = || -> f64 { StandardNormal.sample(rng) };
        let (intent, own, price_sensitivity, spend) = (normal(), normal(), normal(), normal());
        let g: f64 = gamma.sample(rng);
        Self {
            activity: libm::log(g.max(1e-6)) - LOG_ACTIVITY_MEAN,
            intent,
            loyalty: 0.4 * intent + 0.84_f64.sqrt() * own,
            price_sensitivity,
            spend,
        }
    }

    pub(super) fn values(&self) -> [f64; 5] {
        [self.activity, self.intent, self.loyalty, self.price_sensitivity, self.spend]
    }

    /// By what the campaign multiplies the hazard of a purchase. Below 1 for the few whom it annoys.
    pub(super) fn campaign_factor(&self) -> f64 {
        libm::exp(0.35 + 0.40 * self.price_sensitivity - 0.15 * self.loyalty)
    }
}

/// A hazard that fades from the day it was set, times the season.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hazard {
    /// Per day, on the day it was set.
    level: f64,
    /// Halvings per day.
    fade: f64,
    /// The day it was set.
    since: usize,
}

impl Hazard {
    pub(super) fn new(log_level: f64, half_life_days: f64, since: usize) -> Self {
        Self { level: libm::exp(log_level), fade: 1.0 / half_life_days, since }
    }

    /// Of signing up, for a visitor since day `since`.
    pub(super) fn sign_up(traits: &Traits, since: usize) -> Self {
        Self::new(-3.2 + 0.4 * traits.intent, 20.0, since)
    }

    /// Of the next purchase, after `n_purchases`, for someone whose last purchase (or signing up) was on day `since`.
    pub(super) fn purchase(traits: &Traits, n_purchases: usize, since: usize) -> Self {
        let &Traits { activity, intent, loyalty, .. } = traits;
        match n_purchases {
            0 => Self::new(-5.8 + 0.55 * activity + 0.70 * intent, 120.0, since),
            1 => Self::new(-5.8 + 0.55 * activity + 0.75 * loyalty, 75.0, since),
            _ => Self::new(-4.6 + 0.45 * activity + 0.45 * loyalty, 75.0, since),
        }
    }

    /// On a day, the season left out.
    pub(super) fn fading(&self, day: usize) -> f64 {
        let age = u32::try_from(day.saturating_sub(self.since)).expect("days are counted in hundreds");
        self.level * libm::exp2(-f64::from(age) * self.fade)
    }

    /// On a day.
    pub(super) fn on(&self, day: usize, calendar: &Calendar) -> f64 {
        self.fading(day) * calendar.season[day]
    }

    /// Σ λ(d) over the days of a span.
    pub(super) fn over(&self, days: std::ops::Range<usize>, calendar: &Calendar) -> f64 {
        days.map(|day| self.on(day, calendar)).sum()
    }

    /// P(event within the horizon from the start of day `from`).
    pub(super) fn within_horizon(&self, from: usize, calendar: &Calendar) -> f64 {
        -libm::expm1(-self.over(from..from + HORIZON, calendar))
    }

    /// The same, when only what happens before the instant `until` counts.
    pub(super) fn within_horizon_before(&self, from: usize, until: i64, calendar: &Calendar) -> f64 {
        if until >= seconds(from + HORIZON) {
            return self.within_horizon(from, calendar);
        }
        let last = day(until);
        let none_before_last = libm::exp(-self.over(from..last, calendar));
        let on_last = -libm::expm1(-self.on(last, calendar)) * share_before(until);
        1.0 - none_before_last * (1.0 - on_last)
    }
}

/// Waits until a hazard that changes from day to day has used up an exponential draw: exact, one draw per event.
pub(super) struct Clock {
    left: f64,
}

impl Clock {
    pub(super) fn set(rng: &mut impl Rng) -> Self {
        Self { left: Exp1.sample(rng) }
    }

    /// Whether the event happens on a day with this hazard; if so the clock must be set anew.
    pub(super) fn strikes(&mut self, hazard: f64) -> bool {
        self.left -= hazard;
        self.left < 0.0
    }

    /// How many events of a Poisson process happen on a day with this rate.
    pub(super) fn count(&mut self, rate: f64, rng: &mut impl Rng) -> usize {
        self.left -= rate;
        let mut n = 0;
        while self.left < 0.0 {
            let next: f64 = Exp1.sample(rng);
            self.left += next;
            n += 1;
        }
        n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closed_form_is_the_product_over_days() {
        let calendar = Calendar::new();
        let hazard = Hazard::new(-3.0, 50.0, 400);
        let lapse = seconds(420) + 43_200;
        let mut stays = 1.0;
        for day in 410..420 {
            stays *= 1.0 - (1.0 - (-hazard.on(day, &calendar)).exp());
        }
        // At noon 30 % of a day's purchases have happened.
        stays *= 1.0 - 0.30 * (1.0 - (-hazard.on(420, &calendar)).exp());
        assert!((hazard.within_horizon_before(410, lapse, &calendar) - (1.0 - stays)).abs() < 1e-12);
        assert!((hazard.fading(450) / hazard.fading(400) - 0.5).abs() < 1e-12);
    }
}
