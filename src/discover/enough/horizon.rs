//! How long the transition takes, and the horizon that follows from it.
//!
//! People who are still on the way have not failed: the share who have moved by each time is Aalen and Johansen's (1978)
//! cumulative incidence, with leaving for elsewhere as the competing exit and the end of observation as censoring. A time
//! runs from entering the stages that people are taken from (or from the first event of those who start there).

use serde::{Deserialize, Serialize};

use crate::map::Stays;
use crate::source::Data;
use crate::spec::{Prediction, Spec};
use crate::time::Time;

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

/// How a stay ended, after so many days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Moved,
    Elsewhere,
    NotYet,
}

pub(super) fn horizon(data: &Data, stays: &Stays, spec: &Spec, prediction: &Prediction) -> Option<Horizon> {
    let spells = spells(data, stays, prediction);
    let curve = incidence(&spells);
    let last = curve.last()?.1;
    let first = data.events.time.iter().min()?;
    let history = data.end.days_since(Time(*first));
    let reached = |share: f64| curve.iter().find(|(_, incidence)| *incidence >= share * last).map(|(days, _)| *days);
    let (median_days, covered_days) = (reached(0.5)?, reached(COVERED)?);
    let own = prediction.horizon?.in_days();
    let within =
        curve.iter().take_while(|(days, _)| *days <= own).last().map_or(0.0, |(_, incidence)| incidence / last);
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
        stays: spells.len() as u64,
        moved: spells.iter().filter(|(_, end)| *end == End::Moved).count() as u64,
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

/// Each stay in the stages that people are taken from: how long it lasted, and how it ended.
fn spells(data: &Data, stays: &Stays, prediction: &Prediction) -> Vec<(f64, End)> {
    let mut spells = Vec::new();
    for person in 0..data.people.len() {
        let Some(first) = data.events.of(person).next().map(|row| data.events.time[row]) else { continue };
        let mut since: Option<i64> = None;
        for row in stays.of(person) {
            let stage = usize::from(stays.stage[row]);
            let entered = stays.entered[row].max(first);
            if prediction.from.contains(&stage) {
                since = since.or(Some(entered));
            } else if let Some(start) = since.take() {
                let end = if prediction.to.contains(&stage) { End::Moved } else { End::Elsewhere };
                spells.push((Time(entered).days_since(Time(start)), end));
            }
        }
        spells.extend(since.map(|start| (data.end.days_since(Time(start)), End::NotYet)));
    }
    spells.retain(|(days, _)| *days >= 0.0);
    spells
}

/// The cumulative incidence of moving at each time at which somebody moved.
fn incidence(spells: &[(f64, End)]) -> Vec<(f64, f64)> {
    let mut sorted = spells.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut at_risk, mut surviving, mut incidence) = (sorted.len(), 1.0, 0.0);
    let mut curve = Vec::new();
    for ties in sorted.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        if at_risk < LEAST_AT_RISK.min(sorted.len()) {
            break;
        }
        let count = |end: End| ties.iter().filter(|(_, of)| *of == end).count() as f64;
        let (moved, elsewhere, n) = (count(End::Moved), count(End::Elsewhere), at_risk as f64);
        if moved > 0.0 {
            incidence += surviving * moved / n;
            curve.push((ties[0].0, incidence));
        }
        surviving *= 1.0 - (moved + elsewhere) / n;
        at_risk -= ties.len();
    }
    curve
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn incidence_by_hand() {
        // Five stays: moved at 1, gone at 2, not yet at 3, moved at 4, not yet at 5.
        // At 1: 1/5. Surviving 4/5, then 4/5 · 3/4 = 3/5. At 4, two at risk: 1/5 + 3/5 · 1/2 = 1/2.
        let spells =
            [(1.0, End::Moved), (2.0, End::Elsewhere), (3.0, End::NotYet), (4.0, End::Moved), (5.0, End::NotYet)];
        let curve: Vec<(f64, f64)> = incidence_of_few(&spells);
        assert_eq!(curve.len(), 2);
        assert!((curve[0].1 - 0.2).abs() < 1e-12 && (curve[1].1 - 0.5).abs() < 1e-12, "{curve:?}");
    }

    /// The same stays twenty times over: the curve is theirs, and enough are at risk.
    fn incidence_of_few(spells: &[(f64, End)]) -> Vec<(f64, f64)> {
        incidence(&spells.iter().flat_map(|spell| std::iter::repeat_n(*spell, 20)).collect::<Vec<_>>())
    }
}
