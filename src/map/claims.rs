//! How often each stage's rule held, and how often two held at once: what lint looks at.

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
}

impl Claims {
    pub(crate) fn new(n_stages: usize) -> Self {
        Self {
            claimed: vec![0; n_stages],
            both: vec![0; n_stages * n_stages],
            people: vec![Vec::new(); n_stages * n_stages],
            unknown_kinds: Vec::new(),
        }
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
        let person = u32::try_from(person).expect("people are counted in 32 bits");
        let people = &mut self.people[pair];
        if people.len() < EXAMPLES && people.last() != Some(&person) {
            people.push(person);
        }
    }
}
