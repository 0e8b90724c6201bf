//! What became of the people who were scored: the realised rate beside the predicted one, by tenth of the score and by month.
//!
//! In: people with the propensity they were given at a cutoff, and what came of them since. Out: for each group how many
//! attained of how many, an interval, and the mean propensity. A group whose mean lies outside the interval was promised
//! something else than what came.
//!
//! A job that scores every night scores the same people again and again, and what becomes of them tells little more than it did the
//! night before. The interval is Wilson's of `n / d` scores, where `d` is the design effect of scores that are clustered by person:
//! with `r` the realised rate, `d = Σ over people (attained − r · scored)² / (n · r · (1 − r))` (Kish 1965), at least 1. Where nobody or everybody
//! attained each person counts once.

use serde::{Deserialize, Serialize};

use crate::rate::{Rate, wilson};
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
    /// Who they are (a number, by which ties are broken), the propensity they were given, and whether they attained.
    pub people: Vec<(u32, f64, bool)>,
}

/// What scores were worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Realised {
    /// Version of this format.
    pub format_version: u32,
    /// The prediction.
    pub prediction: String,
    /// The horizon, as written; a snapshot has none.
    pub horizon: Option<String>,
    /// Cutoffs whose horizon is over.
    pub n_cutoffs: usize,
    /// Cutoffs whose horizon runs past the end of the data.
    pub n_immature: usize,
    /// When the horizon of the first of these will be over.
    pub matures: Option<String>,
    /// People whose scores were looked at, however often they were scored.
    pub n_people: u64,
    /// Scores of people whom the data does not know any more.
    pub n_unknown: u64,
    /// Scores of people who, by what is known now, stood in no stage then that the transition starts from.
    pub n_not_eligible: u64,
    /// All of them.
    pub all: Option<Group>,
    /// By tenth of the score, each cutoff parted for itself; `1` is the highest.
    pub deciles: Vec<Group>,
    /// By month of the cutoff.
    pub months: Vec<Group>,
}

/// Some scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// `1` … `10`, `2024-10`, or `all`.
    pub group: String,
    /// Mean propensity.
    pub predicted: f64,
    /// How many of the scores were of people who attained.
    pub realised: Rate,
    /// Share of them.
    pub rate: f64,
    /// 95 % interval of the share.
    pub low: f64,
    /// Its other end.
    pub high: f64,
    /// Whether the mean propensity lies within it.
    pub as_predicted: bool,
}

/// A sum over scores; by person how many of theirs there are, and how many attained.
#[derive(Debug, Default)]
struct Sum {
    predicted: f64,
    rate: Rate,
    by_person: Vec<[u32; 2]>,
}

impl Sum {
    fn add(&mut self, (person, propensity, attained): (u32, f64, bool)) {
        self.predicted += propensity;
        self.rate.n_eligible += 1;
        self.rate.n_attained += u64::from(attained);
        let person = person as usize;
        if self.by_person.len() <= person {
            self.by_person.resize(person + 1, [0; 2]);
        }
        let [scored, came] = &mut self.by_person[person];
        *scored += 1;
        *came += u32::from(attained);
    }

    fn n_people(&self) -> usize {
        self.by_person.iter().filter(|[scored, _]| *scored > 0).count()
    }

    fn group(&self, name: String) -> Option<Group> {
        let rate = self.rate.share()?;
        let n = self.rate.n_eligible as f64;
        let (low, high) = wilson(rate, n / self.design_effect(rate, n));
        let predicted = self.predicted / n;
        let as_predicted = (low..=high).contains(&predicted);
        Some(Group { group: name, predicted, realised: self.rate, rate, low, high, as_predicted })
    }

    fn design_effect(&self, rate: f64, n: f64) -> f64 {
        let spread = n * rate * (1.0 - rate);
        if spread <= 0.0 {
            return n / self.n_people() as f64;
        }
        let of_person = |[scored, came]: &[u32; 2]| (f64::from(*came) - rate * f64::from(*scored)).powi(2);
        (self.by_person.iter().map(of_person).sum::<f64>() / spread).max(1.0)
    }
}

/// Adds up what became of people, cutoff by cutoff, the earliest first: the scores of one are in memory at a time.
#[derive(Debug, Default)]
pub struct Adding {
    n_cutoffs: usize,
    all: Sum,
    deciles: [Sum; TENTHS],
    month: (String, Sum),
    months: Vec<Group>,
}

impl Adding {
    /// Adds the people of one cutoff, which is no earlier than those before it.
    pub fn add(&mut self, matured: Matured) {
        let Matured { cutoff, mut people } = matured;
        let month: String = cutoff.to_string().chars().take(7).collect();
        if month != self.month.0 {
            self.end_month();
            self.month.0 = month;
        }
        self.n_cutoffs += 1;
        people.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        for (rank, &scored) in people.iter().enumerate() {
            self.deciles[rank * TENTHS / people.len()].add(scored);
            self.month.1.add(scored);
            self.all.add(scored);
        }
    }

    fn end_month(&mut self) {
        let (month, sum) = std::mem::take(&mut self.month);
        self.months.extend(sum.group(month));
    }

    /// What they were worth, for a prediction and its horizon; what was not added is to be told beside it.
    #[must_use]
    pub fn finish(mut self, prediction: &str, horizon: Option<String>) -> Realised {
        self.end_month();
        let deciles = (1..).zip(&self.deciles).filter_map(|(tenth, sum)| sum.group(tenth.to_string()));
        Realised {
            format_version: FORMAT_VERSION,
            prediction: prediction.to_owned(),
            horizon,
            n_cutoffs: self.n_cutoffs,
            n_immature: 0,
            matures: None,
            n_people: self.all.n_people() as u64,
            n_unknown: 0,
            n_not_eligible: 0,
            all: self.all.group("all".to_owned()),
            deciles: deciles.collect(),
            months: self.months,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// People scored on a day.
    type Night<'a> = (&'a str, &'a [(u32, f64, bool)]);

    fn realised(matured: &[Night<'_>]) -> Realised {
        let mut adding = Adding::default();
        for (cutoff, people) in matured {
            adding.add(Matured { cutoff: cutoff.parse().expect("a day"), people: people.to_vec() });
        }
        adding.finish("p", Some("30d".to_owned()))
    }

    #[test]
    fn groups_by_hand() {
        let first = ("2024-09-15", &[(0, 0.9, true), (1, 0.1, false), (2, 0.5, true), (3, 0.5, false)][..]);
        let found = realised(&[first, ("2024-09-30", &[(0, 0.3, false)]), ("2024-10-01", &[(1, 0.2, true)])]);
        let all = found.all.expect("there are people");
        assert!((all.predicted - 2.5 / 6.0).abs() < 1e-12);
        assert_eq!(all.realised, Rate::new(3, 6));
        assert!(all.as_predicted, "0.42 lies within the interval around a half");
        // Ranks 0, 1, 2, 3 of four are the tenths 1, 3, 6, 8; who is alone is in the first. Of equal scores the lower number comes first.
        let deciles: Vec<(&str, Rate)> =
            found.deciles.iter().map(|group| (group.group.as_str(), group.realised)).collect();
        let expected = [("1", Rate::new(2, 3)), ("3", Rate::new(1, 1)), ("6", Rate::new(0, 1)), ("8", Rate::new(0, 1))];
        assert_eq!(deciles, expected);
        let months: Vec<(&str, Rate)> =
            found.months.iter().map(|group| (group.group.as_str(), group.realised)).collect();
        assert_eq!(months, [("2024-09", Rate::new(2, 5)), ("2024-10", Rate::new(1, 1))]);
        assert_eq!((found.n_cutoffs, found.n_people), (3, 4));
    }

    #[test]
    fn a_promise_that_was_not_kept_is_seen() {
        let people: Vec<(u32, f64, bool)> = (0..1_000).map(|i| (i, 0.05, i < 20)).collect();
        let found = realised(&[("2024-09-15", &people)]);
        assert!(found.all.is_some_and(|all| !all.as_predicted), "2 % came where 5 % were promised");
        assert_eq!(realised(&[]).all, None);
    }

    #[test]
    fn the_same_people_every_night_are_not_more_people() {
        // 20 of 100 come, whichever of 9 nights they are scored in: the interval is that of 100 people, not of 900.
        let people: Vec<(u32, f64, bool)> = (0..100).map(|i| (i, 0.26, i < 20)).collect();
        let nights = ["01", "02", "03", "04", "05", "06", "07", "08", "09"].map(|day| format!("2024-09-{day}"));
        let matured: Vec<Night<'_>> = nights.iter().map(|day| (day.as_str(), &people[..])).collect();
        let all = realised(&matured).all.expect("there are people");
        assert_eq!(all.realised, Rate::new(180, 900));
        let (low, high) = Rate::new(20, 100).interval().expect("there are people");
        assert!((all.low - low).abs() < 1e-12 && (all.high - high).abs() < 1e-12, "{} to {}", all.low, all.high);
        assert!(all.as_predicted, "0.26 lies within 0.13 to 0.29; of 900 people it would not");
    }
}
