//! How often each stage's rule held, how often two held at once, and which moves two rules claimed: what lint looks at.

use std::collections::BTreeMap;

pub(crate) use super::masks::Need;

/// How many people are kept as examples of a finding.
pub(crate) const EXAMPLES: usize = 3;

/// Counts of events (in a snapshot: of people) that stage rules claimed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Claims {
    /// How many each stage's rule claimed.
    pub(crate) claimed: Vec<u64>,
    /// How many the rules of two stages claimed at once, for each pair.
    both: Vec<u64>,
    /// A few people, by position, for whom a rule held: at `[s][s]`; for whom two held at once: at `[s][t]`.
    people: Vec<Vec<u32>>,
    /// Kinds that a rule lists beside others and that no event has; with the stage.
    pub(crate) unknown_kinds: Vec<(usize, String)>,
    /// Columns of which it matters whether they are known.
    pub(crate) needs: Vec<Need>,
    /// Parts of triggers of several events that no event fulfils; with the stage.
    pub(crate) unfulfilled: Vec<(usize, String)>,
    /// The exits by events, in the order of their bits, that ever held.
    pub(crate) exits_held: u32,
    /// Moves that two rules claimed.
    contested: BTreeMap<Contest, (u64, Vec<u32>)>,
}

/// A move that two rules claimed: out of which stage, where it led, and where the other rule would have led.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Contest {
    /// The stage that was left.
    pub(crate) from: u16,
    /// The stage that was entered.
    pub(crate) won: u16,
    /// Whether an exit of the stage that was left led there, and not the rule of the stage that was entered.
    pub(crate) by_exit: bool,
    /// The stage whose rule claimed the event as well.
    pub(crate) lost: u16,
}

impl Claims {
    pub(crate) fn new(n_stages: usize) -> Self {
        Self {
            claimed: vec![0; n_stages],
            both: vec![0; n_stages * n_stages],
            people: vec![Vec::new(); n_stages * n_stages],
            ..Self::default()
        }
    }

    /// Counts an event at which a person could have left a stage for several: by an exit, or by the rules of others.
    #[cold]
    pub(crate) fn contest(&mut self, person: usize, from: u16, exit: Option<u16>, mut claimed: u32) {
        let won = exit.or_else(|| claimed.checked_ilog2().and_then(|last| u16::try_from(last).ok()));
        let Some(won) = won else { return };
        let by_exit = exit.is_some();
        while claimed != 0 {
            let lost = u16::try_from(claimed.trailing_zeros()).expect("there are at most 32 stages");
            claimed &= claimed - 1;
            if lost != won {
                let (count, people) = self.contested.entry(Contest { from, won, by_exit, lost }).or_default();
                *count += 1;
                remember(people, person);
            }
        }
    }

    /// The moves that two rules claimed, how often, and a few people who made them.
    pub(crate) fn contested(&self) -> impl Iterator<Item = (Contest, u64, &[u32])> {
        self.contested.iter().map(|(contest, (count, people))| (*contest, *count, people.as_slice()))
    }

    /// Counts what a person's masks claim.
    pub(crate) fn count(&mut self, person: usize, masks: &[u32]) {
        let n = self.claimed.len();
        for &mask in masks {
            let mut rest = mask;
            while rest != 0 {
                let stage = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                self.claimed[stage] += 1;
                self.remember(stage * n + stage, person);
                let mut later = rest;
                while later != 0 {
                    let other = later.trailing_zeros() as usize;
                    later &= later - 1;
                    self.both[stage * n + other] += 1;
                    self.remember(stage * n + other, person);
                }
            }
        }
    }

    /// Adds the counts of the people who come after these.
    pub(crate) fn add(&mut self, other: &Self) {
        for (sum, more) in self.claimed.iter_mut().zip(&other.claimed) {
            *sum += more;
        }
        for (sum, more) in self.both.iter_mut().zip(&other.both) {
            *sum += more;
        }
        for (people, more) in self.people.iter_mut().zip(&other.people) {
            let room = EXAMPLES - people.len();
            people.extend(more.iter().take(room));
        }
        self.exits_held |= other.exits_held;
        for (contest, (more, who)) in &other.contested {
            let (count, people) = self.contested.entry(*contest).or_default();
            *count += more;
            let room = EXAMPLES - people.len();
            people.extend(who.iter().take(room));
        }
    }

    /// How many the rules of two stages, the earlier first, claimed at once.
    pub(crate) fn both(&self, stage: usize, other: usize) -> u64 {
        self.both[stage * self.claimed.len() + other]
    }

    /// A few people for whom the rules of two stages held at once; for whom one held, when both are the same.
    pub(crate) fn people(&self, stage: usize, other: usize) -> &[u32] {
        &self.people[stage * self.claimed.len() + other]
    }

    fn remember(&mut self, pair: usize, person: usize) {
        remember(&mut self.people[pair], person);
    }
}

/// Keeps a person as an example, if there is room.
fn remember(people: &mut Vec<u32>, person: usize) {
    let person = u32::try_from(person).expect("people are counted in 32 bits");
    if people.len() < EXAMPLES && people.last() != Some(&person) {
        people.push(person);
    }
}
