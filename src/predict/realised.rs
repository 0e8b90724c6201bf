//! What became of the people who were scored: the realised rate beside the predicted one, by tenth of the score and by month.
//!
//! In: people with the propensity they were given at a cutoff, and what came of them since. Out: for each group how many
//! attained of how many, Wilson's interval, and the mean propensity. A group whose mean lies outside the interval was promised
//! something else than what came.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::rate::Rate;
use crate::time::Time;

/// Version of what is written.
pub const FORMAT_VERSION: u32 = 1;
/// Groups by score: the first holds the highest.
const TENTHS: usize = 10;

/// People who were scored at one cutoff, whose horizon is over.
#[derive(Debug, Clone, PartialEq)]
pub struct Matured {
    /// When they were scored.
    pub cutoff: Time,
    /// Who they are, for ties, the propensity they were given, and whether they attained.
    pub people: Vec<(String, f64, bool)>,
}

/// What scores were worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Realised {
    /// Version of this format.
    pub format_version: u32,
    /// The prediction.
    pub prediction: String,
    /// The horizon, as written.
    pub horizon: String,
    /// Cutoffs whose horizon is over.
    pub n_cutoffs: usize,
    /// Cutoffs whose horizon runs past the end of the data.
    pub n_immature: usize,
    /// People who were scored and whom the data does not know any more.
    pub n_unknown: u64,
    /// All of them.
    pub all: Option<Group>,
    /// By tenth of the score, each cutoff parted for itself; `1` is the highest.
    pub deciles: Vec<Group>,
    /// By month of the cutoff.
    pub months: Vec<Group>,
}

/// Some people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// `1` … `10`, `2024-10`, or `all`.
    pub group: String,
    /// Mean propensity.
    pub predicted: f64,
    /// Who attained.
    pub realised: Rate,
    /// Share of them.
    pub rate: f64,
    /// Wilson's interval of the share, 95 %.
    pub low: f64,
    /// Its other end.
    pub high: f64,
    /// Whether the mean propensity lies within it.
    pub as_predicted: bool,
}

/// A sum over people.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    predicted: f64,
    rate: Rate,
}

impl Sum {
    fn add(&mut self, propensity: f64, attained: bool) {
        self.predicted += propensity;
        self.rate.n_eligible += 1;
        self.rate.n_attained += u64::from(attained);
    }

    fn group(self, name: String) -> Option<Group> {
        let (rate, (low, high)) = (self.rate.share()?, self.rate.interval()?);
        let predicted = self.predicted / self.rate.n_eligible as f64;
        let as_predicted = (low..=high).contains(&predicted);
        Some(Group { group: name, predicted, realised: self.rate, rate, low, high, as_predicted })
    }
}

/// Adds up what became of people, cutoff by cutoff.
#[must_use]
pub fn realised(
    prediction: &str,
    horizon: &str,
    matured: &[Matured],
    (n_immature, n_unknown): (usize, u64),
) -> Realised {
    let mut all = Sum::default();
    let mut deciles = [Sum::default(); TENTHS];
    let mut months: BTreeMap<String, Sum> = BTreeMap::new();
    for Matured { cutoff, people } in matured {
        let mut ranked: Vec<&(String, f64, bool)> = people.iter().collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let month = months.entry(cutoff.to_string().chars().take(7).collect()).or_default();
        for (rank, (_, propensity, attained)) in ranked.iter().enumerate() {
            deciles[rank * TENTHS / ranked.len()].add(*propensity, *attained);
            month.add(*propensity, *attained);
            all.add(*propensity, *attained);
        }
    }
    Realised {
        format_version: FORMAT_VERSION,
        prediction: prediction.to_owned(),
        horizon: horizon.to_owned(),
        n_cutoffs: matured.len(),
        n_immature,
        n_unknown,
        all: all.group("all".to_owned()),
        deciles: (1..).zip(deciles).filter_map(|(tenth, sum)| sum.group(tenth.to_string())).collect(),
        months: months.into_iter().filter_map(|(month, sum)| sum.group(month)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(cutoff: &str, people: &[(&str, f64, bool)]) -> Matured {
        let people =
            people.iter().map(|(who, propensity, attained)| ((*who).to_owned(), *propensity, *attained)).collect();
        Matured { cutoff: cutoff.parse().expect("a day"), people }
    }

    #[test]
    fn groups_by_hand() {
        let first = at("2024-09-15", &[("a", 0.9, true), ("b", 0.1, false), ("c", 0.5, true), ("d", 0.5, false)]);
        let second = at("2024-09-30", &[("a", 0.3, false)]);
        let third = at("2024-10-01", &[("b", 0.2, true)]);
        let found = realised("p", "30d", &[first, second, third], (2, 1));
        let all = found.all.expect("there are people");
        assert!((all.predicted - 2.5 / 6.0).abs() < 1e-12);
        assert_eq!(all.realised, Rate::new(3, 6));
        assert!(all.as_predicted, "0.42 lies within the interval around a half");
        // Ranks 0, 1, 2, 3 of four are the tenths 1, 3, 6, 8; who is alone is in the first. Of equal scores `c` comes first.
        let deciles: Vec<(&str, Rate)> =
            found.deciles.iter().map(|group| (group.group.as_str(), group.realised)).collect();
        let expected = [("1", Rate::new(2, 3)), ("3", Rate::new(1, 1)), ("6", Rate::new(0, 1)), ("8", Rate::new(0, 1))];
        assert_eq!(deciles, expected);
        let months: Vec<(&str, Rate)> =
            found.months.iter().map(|group| (group.group.as_str(), group.realised)).collect();
        assert_eq!(months, [("2024-09", Rate::new(2, 5)), ("2024-10", Rate::new(1, 1))]);
        assert_eq!((found.n_cutoffs, found.n_immature, found.n_unknown), (3, 2, 1));
    }

    #[test]
    fn a_promise_that_was_not_kept_is_seen() {
        let people: Vec<(String, f64, bool)> = (0..1_000).map(|i| (i.to_string(), 0.05, i < 20)).collect();
        let found = realised("p", "30d", &[Matured { cutoff: Time(0), people }], (0, 0));
        assert!(found.all.is_some_and(|all| !all.as_predicted), "2 % came where 5 % were promised");
        assert_eq!(realised("p", "30d", &[], (1, 0)).all, None);
    }
}
