//! Transitions: who moved from which stage to which, how many could have, and how long they took.
//!
//! For each pair of stages that anyone moved between directly: `people` are the different people who ever made the move,
//! `eligible` those who ever stood in the stage that it leaves; the probability is their share, with Wilson's interval.
//! Someone who left a stage twice, in two directions, counts in both: the shares of a stage need not sum to 1. People who
//! arrived shortly before the end had little time to move, so that the share understates what they will do; predictions,
//! which give everyone the same horizon, do not.

use std::collections::BTreeMap;

use super::history::Stays;
use crate::rate::Rate;
use crate::time::Time;

/// A move between two stages that was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// The stage that was left, a position in the spec's stages.
    pub from: usize,
    /// The stage that was entered.
    pub to: usize,
    /// People who ever made the move, of those who ever stood in `from`.
    pub people: Rate,
    /// Median days from entering `from` to leaving it for `to`, over all such moves.
    pub median_days: f64,
}

/// Every move that was seen, by `from`, then `to`.
#[must_use]
pub fn transitions(stays: &Stays, n_stages: usize) -> Vec<Transition> {
    let mut eligible = vec![0_usize; n_stages];
    let mut moves: BTreeMap<(u16, u16), (usize, Vec<f64>)> = BTreeMap::new();
    for person in 0..n_people(stays) {
        let rows = stays.of(person);
        let mut stood = stays.stage[rows.clone()].to_vec();
        stood.sort_unstable();
        stood.dedup();
        for stage in stood {
            eligible[usize::from(stage)] += 1;
        }
        let mut made = Vec::with_capacity(rows.len());
        for row in rows.start + 1..rows.end {
            let pair = (stays.stage[row - 1], stays.stage[row]);
            let days = Time(stays.entered[row]).days_since(Time(stays.entered[row - 1]));
            moves.entry(pair).or_default().1.push(days);
            made.push(pair);
        }
        made.sort_unstable();
        made.dedup();
        for pair in made {
            moves.entry(pair).or_default().0 += 1;
        }
    }
    let transition = |((from, to), (n_people, mut days)): ((u16, u16), (usize, Vec<f64>))| Transition {
        from: usize::from(from),
        to: usize::from(to),
        people: Rate::new(n_people, eligible[usize::from(from)]),
        median_days: median(&mut days).expect("a move was seen at least once"),
    };
    moves.into_iter().map(transition).collect()
}

pub(crate) fn n_people(stays: &Stays) -> usize {
    stays.offsets.len().saturating_sub(1)
}

/// The middle value, of an even number the mean of the two middle ones.
pub(crate) fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::testing::{data, spec, stage};

    #[test]
    fn people_count_once_per_move_and_the_shares_keep_their_counts() {
        // a: customer on day 0, repeat on day 10. b: customer on day 0. c: customer on day 5, repeat on day 25.
        let rows = [("a", 0, "purchase"), ("a", 10, "purchase"), ("b", 0, "purchase")];
        let more = [("c", 5, "purchase"), ("c", 25, "purchase"), ("c", 26, "purchase")];
        let data = data(&[&rows[..], &more[..]].concat(), 100);
        let spec =
            spec(vec![stage("customer", "event = 'purchase'"), stage("repeat", "event = 'purchase' AND nth >= 2")]);
        let stays = crate::map::history(&data, &spec).unwrap();
        let seen = transitions(&stays, 2);
        assert_eq!(seen, [Transition { from: 0, to: 1, people: Rate::new(2, 3), median_days: 15.0 }]);
    }
}
