//! How long the transition takes, and the horizon that follows from it.
//!
//! People who are still on the way have not failed: the share who have moved by each time is a cumulative incidence
//! ([`crate::map::incidence`]), with leaving for elsewhere as the competing exit and the end of observation as censoring. A time
//! runs from entering the stages that people are taken from (or from the first event of those who start there).

use serde::{Deserialize, Serialize};

use crate::map::Stays;
use crate::map::incidence::{Incidence, Observation};
use crate::source::Data;
use crate::spec::{Prediction, Spec};
use crate::time::{DAY, Time};

/// Horizons that people speak of, in days.
const ROUND_DAYS: [f64; 13] = [1.0, 2.0, 3.0, 7.0, 14.0, 30.0, 60.0, 90.0, 120.0, 180.0, 270.0, 365.0, 730.0];
/// Where fewer are left at risk, the curve says nothing.
const LEAST_AT_RISK: usize = 20;
/// A proposed horizon covers this share of those who move at all …
const COVERED: f64 = 0.8;
/// … unless the history is not this many times as long.
const HORIZONS_OF_HISTORY: f64 = 6.0;

/// How long the transition takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Horizon {
    /// Stays in the stages that people are taken from.
    pub stays: u64,
    /// Of these, so many ended with the transition.
    pub moved: u64,
    /// Days after which half of those who move at all have moved.
    pub median_days: f64,
    /// Days after which four fifths have.
    pub covered_days: f64,
    /// The share of those who move at all who do so within the spec's horizon.
    pub within: f64,
    /// The horizon that follows, in days.
    pub proposed_days: f64,
    /// All of it in words.
    pub says: String,
}

/// How a stay ends: with the transition, or elsewhere.
const MOVED: u16 = 0;
const ELSEWHERE: u16 = 1;

pub(super) fn horizon(data: &Data, stays: &Stays, spec: &Spec, prediction: &Prediction) -> Option<Horizon> {
    let spells = spells(data, stays, prediction);
    let first = data.events.time.iter().min()?;
    let history = data.end.days_since(Time(*first));
    let own = prediction.horizon?.in_days();
    let n_moved = spells.iter().filter(|spell| spell.exit == Some(MOVED)).count();
    let n_stays = spells.len();
    let Times { median_days, covered_days, within } = times(&Incidence::new(spells), own)?;
    let longest = history / HORIZONS_OF_HISTORY;
    let round = ROUND_DAYS.into_iter().filter(|days| *days <= longest.max(1.0));
    let proposed_days = round.clone().find(|days| *days >= covered_days).or_else(|| round.max_by(f64::total_cmp))?;
    let names = |stages: &[usize]| {
        stages.iter().map(|&stage| spec.stages[stage].name.as_str()).collect::<Vec<_>>().join(" or ")
    };
    let to = names(&prediction.to);
    let mut says = format!(
        "half of those who move to {to} do so within {} of entering {}, four fifths within {}; the horizon of {} covers {:.0} % of them",
        days(median_days),
        names(&prediction.from),
        days(covered_days),
        days(own),
        100.0 * within
    );
    if (proposed_days - own).abs() > 0.25 * own {
        let why = if covered_days > longest {
            "the longest that this history can judge"
        } else {
            "it would cover four fifths"
        };
        says += &format!("; {} is the horizon that these times propose: {why}", days(proposed_days));
    }
    Some(Horizon {
        stays: n_stays as u64,
        moved: n_moved as u64,
        median_days,
        covered_days,
        within,
        proposed_days,
        says,
    })
}

fn days(days: f64) -> String {
    let whole = days.ceil();
    if whole <= 1.0 { "1 day".into() } else { format!("{whole:.0} days") }
}

/// The times to the transition of those who make it.
struct Times {
    median_days: f64,
    covered_days: f64,
    within: f64,
}

/// As far as the curve can be believed; `None` when nobody has moved by then.
#[expect(clippy::cast_possible_truncation, reason = "a horizon in microseconds")]
fn times(incidence: &Incidence, own_days: f64) -> Option<Times> {
    let until = incidence.lasted_by(LEAST_AT_RISK)?;
    let all = incidence.probability(Some(MOVED), until);
    let reached = |share: f64| incidence.quantile(MOVED, share * all).map(|micros| micros as f64 / DAY as f64);
    let own = (own_days * DAY as f64) as i64;
    let within = incidence.probability(Some(MOVED), own.min(until)) / all;
    (all > 0.0).then_some(())?;
    Some(Times { median_days: reached(0.5)?, covered_days: reached(COVERED)?, within })
}

/// Each stay in the stages that people are taken from, from one to the other of them: how long it lasted, how it ended.
fn spells(data: &Data, stays: &Stays, prediction: &Prediction) -> Vec<Observation> {
    let mut spells = Vec::new();
    for (person, of) in (0..data.people.len()).zip(0_u32..) {
        let Some(first) = data.events.of(person).next().map(|row| data.events.time[row]) else { continue };
        let mut spell = |start: i64, end: i64, exit| {
            let micros = end.saturating_sub(start);
            spells.extend((micros >= 0).then_some(Observation { person: of, micros, exit }));
        };
        let mut since: Option<i64> = None;
        for row in stays.of(person) {
            let stage = usize::from(stays.stage[row]);
            let entered = stays.entered[row].max(first);
            if prediction.from.contains(&stage) {
                since = since.or(Some(entered));
            } else if let Some(start) = since.take() {
                spell(start, entered, Some(if prediction.to.contains(&stage) { MOVED } else { ELSEWHERE }));
            }
        }
        if let Some(start) = since {
            spell(start, data.end.0, None);
        }
    }
    spells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_by_hand() {
        // Five stays, twenty times over: moved after a day, gone after two, not yet after three, moved after four, not yet
        // after five. Moved by day 1: 1/5; by day 4, two of five at risk: 1/5 + 4/5 · 3/4 · 1/2 = 1/2.
        let ends = [Some(MOVED), Some(ELSEWHERE), None, Some(MOVED), None];
        let stays = (0..100_u32).map(|person| {
            let days = person % 5 + 1;
            Observation { person, micros: i64::from(days) * DAY, exit: ends[days as usize - 1] }
        });
        let of = |own| times(&Incidence::new(stays.clone().collect()), own).unwrap();
        let Times { median_days, covered_days, within } = of(2.0);
        assert_eq!((median_days, covered_days), (4.0, 4.0), "a fourth and two fifths are reached on day 4");
        assert!((within - 0.4).abs() < 1e-12 && (of(30.0).within - 1.0).abs() < 1e-12, "{within}");
    }

    #[test]
    fn where_nobody_moved_there_are_no_times() {
        let stays = (0..50).map(|person| Observation { person, micros: DAY, exit: None });
        assert!(times(&Incidence::new(stays.collect()), 30.0).is_none());
        assert!(times(&Incidence::new(Vec::new()), 30.0).is_none());
    }
}
