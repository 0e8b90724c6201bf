//! Rates that keep their counts.
//!
//! A [`Rate`] is `n_attained` of `n_eligible` people; it never travels without both, and over nobody it has no share.
//! The interval is Wilson's score interval at 95 % (Wilson 1927; Brown, Cai and `DasGupta` 2001 recommend it for every n).

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The 97.5 % point of the standard normal distribution.
pub const Z: f64 = 1.959_963_984_540_054;

/// `n_attained` of `n_eligible`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Rate {
    /// How many did.
    pub n_attained: u64,
    /// How many could have.
    pub n_eligible: u64,
}

impl Rate {
    /// The rate of `n_attained` among `n_eligible`.
    #[must_use]
    pub fn new(n_attained: usize, n_eligible: usize) -> Self {
        Self { n_attained: n_attained as u64, n_eligible: n_eligible as u64 }
    }

    /// The share, 0–1; `None` over nobody.
    #[must_use]
    pub fn share(self) -> Option<f64> {
        (self.n_eligible > 0).then(|| self.n_attained as f64 / self.n_eligible as f64)
    }

    /// Wilson's 95 % interval of the share, `(low, high)`; `None` over nobody.
    #[must_use]
    pub fn interval(self) -> Option<(f64, f64)> {
        self.share().map(|share| wilson(share, self.n_eligible as f64))
    }

    /// The rate with an interval that is not Wilson's of its counts: `3.0 % (30 of 1,000; 1.9–4.7)`.
    #[must_use]
    pub fn within(self, (low, high): (f64, f64)) -> String {
        let share = 100.0 * self.share().unwrap_or_default();
        let (attained, eligible) = (grouped(self.n_attained), grouped(self.n_eligible));
        format!("{share:.1} % ({attained} of {eligible}; {:.1}–{:.1})", 100.0 * low, 100.0 * high)
    }
}

/// Wilson's 95 % interval of a share of `n`, above 0; `n` may be no whole number where people count less than once.
#[must_use]
pub fn wilson(share: f64, n: f64) -> (f64, f64) {
    let scale = 1.0 + Z * Z / n;
    let middle = (share + Z * Z / (2.0 * n)) / scale;
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt() / scale;
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

impl fmt::Display for Rate {
    /// `3.0 % (30 of 1,000; 2.1–4.3)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.interval() {
            None => write!(f, "none (0 of 0)"),
            Some(interval) => f.write_str(&self.within(interval)),
        }
    }
}

/// A count with a comma between thousands: `1,234,567`.
#[must_use]
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What was counted, without what is none: `no consent: 1,234, suppressed: 5`.
#[must_use]
pub fn tallied(counts: &BTreeMap<String, u64>) -> String {
    let some = counts.iter().filter(|(_, n)| **n > 0);
    some.map(|(what, n)| format!("{what}: {}", grouped(*n))).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_seen_is_not_told() {
        let counts = [("suppressed", 5), ("capped", 0), ("no consent", 1_234)].map(|(what, n)| (what.to_owned(), n));
        assert_eq!(tallied(&BTreeMap::from(counts)), "no consent: 1,234, suppressed: 5");
    }

    #[test]
    fn wilson_interval_matches_scipy_binomtest() {
        // scipy.stats.binomtest(30, 1000).proportion_ci(method="wilson")
        let (low, high) = Rate::new(30, 1000).interval().unwrap();
        assert!((low - 0.021_089_5).abs() < 1e-5 && (high - 0.042_513_1).abs() < 1e-4, "{low} {high}");
    }

    #[test]
    fn a_rate_over_nobody_is_not_zero() {
        assert_eq!(Rate::new(0, 0).share(), None);
        assert_eq!(Rate::new(0, 0).to_string(), "none (0 of 0)");
    }

    #[test]
    fn a_rate_shows_its_counts() {
        assert_eq!(Rate::new(30, 1000).to_string(), "3.0 % (30 of 1,000; 2.1–4.3)");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
