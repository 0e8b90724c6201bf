//! Edges to people: who is one person with whom, when edges contradict each other.
//!
//! Edges are taken from the strongest to the weakest, and each joins two groups unless that would be an over-merge: two that are
//! known to be different, a group that grows too large, two with contradicting numbers that would be joined only through a third, or a
//! weak bridge, that is an edge between two groups whose members, looked at all together, are rather not one person (the mean of
//! their match weights is below even odds). So one wrong edge does not pull two families into one.

use std::collections::BTreeSet;

use crate::source::events::NO_LEVEL;

/// Why two groups were not joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Refusal {
    /// Somebody said that two of them are different people.
    Never,
    /// The group would be larger than people get.
    TooLarge,
    /// Two of them have different numbers of their own, and would be joined only through others.
    Contradiction,
    /// The members of both groups are rather not one person.
    WeakBridge,
    /// A table holds a person once, and both are in it.
    OneToOne,
}

impl Refusal {
    /// The word in files.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::TooLarge => "too large",
            Self::Contradiction => "contradiction",
            Self::WeakBridge => "weak bridge",
            Self::OneToOne => "one to one",
        }
    }
}

/// What holds groups back.
pub(crate) struct Guard<'g> {
    /// Pairs that are different people, both ways round.
    pub(crate) never: &'g BTreeSet<(u32, u32)>,
    /// Most ids of a person.
    pub(crate) most: usize,
    /// The weight of two ids, if they were compared.
    pub(crate) weight: &'g dyn Fn(u32, u32) -> Option<f64>,
    /// Whether two ids have different numbers of their own and are no match by themselves.
    pub(crate) contradict: &'g dyn Fn(u32, u32) -> bool,
    /// The tables that an id stands in, if a table holds a person once.
    pub(crate) tables: &'g dyn Fn(u32) -> u64,
}

/// Groups of ids under way.
#[derive(Debug)]
pub(crate) struct Groups {
    parent: Vec<u32>,
    /// The member after each, in the order in which they joined; [`NO_LEVEL`]: it is the last.
    next: Vec<u32>,
    /// The last member of each group, by its root, which is the first.
    last: Vec<u32>,
}

/// Of two groups at most so many pairs are looked at.
const MOST_PAIRS: usize = 400;

impl Groups {
    /// Everybody alone.
    pub(crate) fn new(n: usize) -> Self {
        let alone: Vec<u32> = (0..).take(n).collect();
        Self { parent: alone.clone(), next: vec![NO_LEVEL; n], last: alone }
    }

    /// The group of an id.
    pub(crate) fn root(&mut self, id: u32) -> u32 {
        let mut root = id;
        while self.parent[root as usize] != root {
            root = self.parent[root as usize];
        }
        let mut at = id;
        while self.parent[at as usize] != root {
            at = std::mem::replace(&mut self.parent[at as usize], root);
        }
        root
    }

    /// Whether a group has one member.
    pub(crate) fn is_alone(&self, root: u32) -> bool {
        self.next[root as usize] == NO_LEVEL
    }

    /// The members of a group, the root first.
    fn members(&self, root: u32) -> impl Iterator<Item = u32> + Clone {
        std::iter::successors(Some(root), |&id| Some(self.next[id as usize]).filter(|&next| next != NO_LEVEL))
    }

    /// Joins the groups of two ids without asking anybody.
    pub(crate) fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return;
        }
        let (root, other) = (a.min(b), a.max(b));
        self.parent[other as usize] = root;
        self.next[self.last[root as usize] as usize] = other;
        self.last[root as usize] = self.last[other as usize];
    }

    /// Joins the groups of two ids unless the guard refuses. `sure`: the link is known, not guessed, so that only what was said holds
    /// it back.
    pub(crate) fn try_join(&mut self, a: u32, b: u32, sure: bool, guard: &Guard<'_>) -> Result<(), Refusal> {
        let (root_a, root_b) = (self.root(a), self.root(b));
        if root_a == root_b {
            return Ok(());
        }
        if let Some(refusal) = guard.refuses(&self.members(root_a), &self.members(root_b), sure) {
            return Err(refusal);
        }
        self.join(a, b);
        Ok(())
    }
}

impl Guard<'_> {
    fn refuses<I: Iterator<Item = u32> + Clone>(&self, a: &I, b: &I, sure: bool) -> Option<Refusal> {
        let pairs = || a.clone().flat_map(|a| b.clone().map(move |b| (a, b)));
        if !self.never.is_empty() && pairs().any(|pair| self.never.contains(&pair)) {
            return Some(Refusal::Never);
        }
        if sure {
            return None;
        }
        if a.clone().chain(b.clone()).nth(self.most).is_some() {
            return Some(Refusal::TooLarge);
        }
        let tables = |ids: &I| ids.clone().fold(0, |tables, id| tables | (self.tables)(id));
        if tables(a) & tables(b) != 0 {
            return Some(Refusal::OneToOne);
        }
        if pairs().nth(1).is_some() {
            if pairs().take(MOST_PAIRS).any(|(a, b)| (self.contradict)(a, b)) {
                return Some(Refusal::Contradiction);
            }
            let weights: Vec<f64> = pairs().take(MOST_PAIRS).filter_map(|(a, b)| (self.weight)(a, b)).collect();
            let mean = weights.iter().sum::<f64>() / weights.len().max(1) as f64;
            if mean < 0.0 {
                return Some(Refusal::WeakBridge);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guarded(most: usize, never: &[(u32, u32)], weight: &dyn Fn(u32, u32) -> Option<f64>) -> Vec<u32> {
        let never: BTreeSet<(u32, u32)> = never.iter().flat_map(|&(a, b)| [(a, b), (b, a)]).collect();
        let guard = Guard { never: &never, most, weight, contradict: &|_, _| false, tables: &|_| 0 };
        let mut groups = Groups::new(6);
        for (a, b) in [(0, 1), (2, 3), (1, 2), (4, 5)] {
            let _ = groups.try_join(a, b, false, &guard);
        }
        (0..6).map(|id| groups.root(id)).collect()
    }

    #[test]
    fn edges_join_unless_somebody_said_never() {
        let alike = |_, _| Some(5.0);
        assert_eq!(guarded(9, &[], &alike), [0, 0, 0, 0, 4, 4]);
        assert_eq!(guarded(9, &[(0, 3)], &alike), [0, 0, 2, 2, 4, 4]);
    }

    #[test]
    fn groups_do_not_grow_too_large() {
        assert_eq!(guarded(3, &[], &|_, _| Some(5.0)), [0, 0, 2, 2, 4, 4]);
    }

    #[test]
    fn contradicting_numbers_are_not_joined_through_a_third() {
        let never = BTreeSet::new();
        let contradict = |a: u32, b: u32| a.min(b) == 0 && a.max(b) == 2;
        let guard =
            Guard { never: &never, most: 9, weight: &|_, _| Some(5.0), contradict: &contradict, tables: &|_| 0 };
        let mut groups = Groups::new(3);
        assert_eq!(groups.try_join(0, 1, false, &guard), Ok(()));
        assert_eq!(groups.try_join(1, 2, false, &guard), Err(Refusal::Contradiction));
    }

    #[test]
    fn a_weak_bridge_does_not_join_two_groups() {
        // 1 and 2 look alike; all others of the two groups contradict each other.
        let weight = |a: u32, b: u32| Some(if a.abs_diff(b) == 1 { 5.0 } else { -9.0 });
        assert_eq!(guarded(9, &[], &weight), [0, 0, 2, 2, 4, 4]);
    }
}
