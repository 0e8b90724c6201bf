//! Transitions: who moved from which stage to which, how many could have, and how long they took.
//!
//! For each pair of stages that anyone moved between directly: `people` are the different people who ever made the move,
//! `eligible` those who ever stood in the stage that it leaves. People who arrived shortly before the end had little time to
//! move, so that the share of the two understates what they will do. The probability does not: it is the cumulative incidence of
//! the move at the stage's horizon (see [`super::sojourns`]), with people still there censored and the other moves
//! competing; the probabilities of the moves from a stage and of staying sum to 1. The median is the time by which half of those
//! who make the move within the horizon have made it.

use std::collections::BTreeMap;

use super::history::Stays;
use super::incidence::{Point, days};
use super::sojourns::Departures;
use crate::rate::Rate;

/// A move between two stages that was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// The stage that was left, a position in the spec's stages.
    pub from: usize,
    /// The stage that was entered.
    pub to: usize,
    /// People who ever made the move, of those who ever stood in `from`.
    pub people: Rate,
    /// The probability that a stay ends by this move within the horizon; `at.micros` is the horizon.
    pub at: Point,
    /// Days by which half of those who make it within the horizon have made it.
    pub median_days: Option<f64>,
}

/// Every move that was seen, by `from`, then `to`. `departures` are those of everyone, and may hold those of groups.
#[must_use]
pub fn transitions(stays: &Stays, n_stages: usize, departures: &[Departures]) -> Vec<Transition> {
    let mut eligible = vec![0_usize; n_stages];
    let mut moves: BTreeMap<(u16, u16), usize> = BTreeMap::new();
    for person in 0..n_people(stays) {
        let rows = stays.of(person);
        let mut stood = stays.stage[rows.clone()].to_vec();
        stood.sort_unstable();
        stood.dedup();
        for stage in stood {
            eligible[usize::from(stage)] += 1;
        }
        let mut made: Vec<_> = rows.clone().zip(rows.skip(1)).map(|(a, b)| (stays.stage[a], stays.stage[b])).collect();
        made.sort_unstable();
        made.dedup();
        for pair in made {
            *moves.entry(pair).or_default() += 1;
        }
    }
    let transition = |((from, to), n_people): ((u16, u16), usize)| {
        let (from, to_code) = (usize::from(from), to);
        let of = departures.iter().find(|of| of.stage == from && of.group.is_none())?;
        let curve = of.curves.iter().position(|curve| curve.exit == Some(to_code))?;
        Some(Transition {
            from,
            to: usize::from(to_code),
            people: Rate::new(n_people, eligible[from]),
            at: *of.curves[curve].points.last()?,
            median_days: of.quartiles[curve][1].map(days),
        })
    };
    moves.into_iter().filter_map(transition).collect()
}

pub(crate) fn n_people(stays: &Stays) -> usize {
    stays.offsets.len().saturating_sub(1)
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
        let departures = crate::map::Statistics::new(&data, &spec, &stays).unwrap().departures;
        let seen = transitions(&stays, 2, &departures);
        assert_eq!(seen.len(), 1);
        assert_eq!((seen[0].from, seen[0].to, seen[0].people), (0, 1, Rate::new(2, 3)));
        // Two of three have gone on, after 10 and 20 days, and b stays until the horizon, 100 days.
        assert!((seen[0].at.probability - 2.0 / 3.0).abs() < 1e-12);
        assert!((days(seen[0].at.micros) - 100.0).abs() < 1e-9);
        assert_eq!(seen[0].median_days, Some(10.0));
    }
}
