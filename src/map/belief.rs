//! Where people were believed to stand: what the map was at an instant, with the events that were known by then.
//!
//! The history says where people really stood, as far as is known now. Who is chosen at a cutoff, to be learned from or to
//! be reached, is chosen by what was known then. The two differ for people of whom an event from before the cutoff became
//! known only at or after it; for these the stages are walked through again, over what was known. (For all others the
//! history up to the cutoff is what was known, because a rule looks at no later event.)

use std::collections::BTreeMap;

use super::history::{BY_START, Stays, history};
use crate::error::Result;
use crate::source::Data;
use crate::spec::{Rule, Spec};
use crate::time::Time;

/// Where a person stands at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The stage, a position in the spec's stages.
    pub stage: u16,
    /// Since when, microseconds.
    pub entered: i64,
    /// How many stays that makes, this one among them.
    pub n_stays: u32,
}

impl Standing {
    /// The standing of a person in a row of their history.
    #[must_use]
    pub fn of_stay(stays: &Stays, person: usize, row: usize) -> Self {
        let n_stays = u32::try_from(row + 1).expect("stays are counted in 32 bits") - stays.offsets[person];
        Self { stage: stays.stage[row], entered: stays.entered[row], n_stays }
    }

    /// The standing of a person just before `cutoff`, by all that is known now.
    #[must_use]
    pub fn at(stays: &Stays, person: usize, cutoff: Time) -> Option<Self> {
        stays.at(person, cutoff).map(|row| Self::of_stay(stays, person, row))
    }
}

/// Where people were believed to stand just before `cutoff`, of whom more became known later: all others stood where the
/// history says. `None`: nobody knew of them, or they were in no stage.
///
/// # Errors
/// A data error when a rule fails on a value.
pub fn beliefs(data: &Data, spec: &Spec, cutoff: Time) -> Result<BTreeMap<u32, Option<Standing>>> {
    let Some(known_at) = &data.events.known_at else { return Ok(BTreeMap::new()) };
    let events = &data.events;
    let mut late: Vec<u32> = (0..events.len())
        .filter(|&row| events.time[row] < cutoff.0 && known_at[row] >= cutoff.0)
        .map(|row| events.person[row])
        .collect();
    late.dedup();
    if late.is_empty() {
        return Ok(BTreeMap::new());
    }
    let known = data.known_before(cutoff, &late)?;
    let stays = history(&known, spec)?;
    let standing = |(position, person): (usize, &u32)| {
        let standing = if known.events.of(position).is_empty() {
            without_events(data, &known, spec, position)
        } else {
            Standing::at(&stays, position, cutoff)
        };
        (*person, standing)
    };
    Ok(late.iter().enumerate().map(standing).collect())
}

/// People of whom only attributes were known stand where everybody starts, since the data begin.
fn without_events(data: &Data, known: &Data, spec: &Spec, position: usize) -> Option<Standing> {
    let is_known = known.people.offsets[position] < known.people.offsets[position + 1];
    let start = spec.stages.iter().position(|stage| stage.rule == Rule::Start).filter(|_| is_known)?;
    let mut stays = Stays { offsets: vec![0], ..Stays::default() };
    let beginning = data.events.time.iter().min().copied().unwrap_or(i64::MIN);
    stays.enter(u16::try_from(start).expect("there are at most 32 stages"), beginning, BY_START);
    stays.next_person();
    Some(Standing::of_stay(&stays, 0, 0)).filter(|standing| standing.entered < known.end.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::map::testing::{data, silence, spec, stage};
    use crate::spec::{Stage, Trigger};
    use crate::time::{DAY, Duration};

    fn stages() -> Vec<Stage> {
        let twice = Trigger::Times { event: "event = 'visit'".into(), times: 2, within: Some(Duration::days(9)) };
        vec![
            stage("lead", "event = 'visit'"),
            Stage::new("warm", Rule::Enter(twice)),
            stage("customer", "event = 'buy'"),
            stage("repeat", "event = 'buy' AND nth >= 2"),
            silence("lapsed", &[0, 1, 2, 3], 12),
        ]
    }

    proptest! {
        #[test]
        fn belief_is_the_map_of_what_was_known(
            rows in prop::collection::vec((prop::sample::select(vec!["p", "q", "r"]), 0_i64..40, any::<bool>(), 0_i64..25), 1..30),
            cutoff in 1_i64..45,
        ) {
            let kind = |buys| if buys { "buy" } else { "visit" };
            let mut told: Vec<(&str, i64, &str)> = rows.iter().map(|row| (row.0, row.1, kind(row.2))).collect();
            told.extend([("z", 0, "visit"), ("z", 0, "buy")]);
            let mut all = data(&told, 60);
            // A row's delay, by its place after sorting: any delay will do.
            let delay = |row: usize| rows[row % rows.len()].3 * DAY;
            all.events.known_at = Some((0..all.events.len()).map(|row| all.events.time[row] + delay(row)).collect());
            let (spec, cutoff) = (spec(stages()), Time(cutoff * DAY));
            let truth = history(&all, &spec).unwrap();
            let beliefs = beliefs(&all, &spec, cutoff).unwrap();

            // What the files would have held at the cutoff, read by hand.
            for person in 0..all.people.len() {
                let known: Vec<(&str, i64, &str)> = all.events.of(person)
                    .filter(|&row| all.events.known(row) < cutoff)
                    .map(|row| ("p", all.events.time[row] / DAY, all.events.kinds[usize::from(all.events.kind[row])].as_str()))
                    .collect();
                let expected = if known.is_empty() { None } else {
                    let others = [("z", 0, "visit"), ("z", 0, "buy")];
                    let then = data(&[known.as_slice(), &others].concat(), cutoff.0 / DAY);
                    Standing::at(&history(&then, &spec).unwrap(), 0, cutoff)
                };
                let believed = match beliefs.get(&u32::try_from(person).unwrap()) {
                    Some(belief) => *belief,
                    None => Standing::at(&truth, person, cutoff),
                };
                prop_assert_eq!(believed, expected, "{} of {:?}", person, all.events);
            }
        }
    }
}
