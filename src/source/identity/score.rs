//! The match weight of two records, and why, in words.
//!
//! The weight is the logarithm to base 2 of the odds that they are of one person: 0 is even odds, each bit doubles them. Agreement
//! on a value counts by how rare the value is: with m/u for any value, m over the share of those who have it (Winkler 2000).

use super::compare::{Kind, MISSING, SWAPPED};
use super::em::Learned;
use super::fields::Field;
use super::pattern::Pattern;
use crate::source::events::NO_LEVEL;

/// So many records may share a number of one person's own before it says less.
const OWNERS: u32 = 6;

/// Scores pairs of records.
#[derive(Debug)]
pub(crate) struct Scorer<'f> {
    fields: &'f [Field],
    learned: &'f Learned,
    /// Bits of the odds before anything is compared.
    prior: f64,
    /// Bits by column and level.
    bits: Vec<Vec<f64>>,
    /// The same where the column that this one depends on is the same.
    bits_given: Vec<Vec<f64>>,
    /// The most that a column adds if its values are not equal.
    most_unequal: Vec<f64>,
}

impl<'f> Scorer<'f> {
    /// A scorer of the records of `fields`.
    pub(crate) fn new(fields: &'f [Field], learned: &'f Learned) -> Self {
        let bits = |parent_same: bool| -> Vec<Vec<f64>> {
            let column = |shares: &super::em::Shares| {
                let of = |(level, m): (u8, &f64)| (m / shares.u(level, parent_same)).log2();
                (0..).zip(&shares.m).map(of).collect()
            };
            learned.columns.iter().map(column).collect()
        };
        let (plain, given) = (bits(false), bits(true));
        let most = |(plain, given): (&Vec<f64>, &Vec<f64>)| {
            let below = plain.len() - 1;
            plain[..below].iter().chain(&given[..below]).copied().fold(f64::NEG_INFINITY, f64::max)
        };
        Self {
            fields,
            learned,
            prior: (learned.lambda / (1.0 - learned.lambda)).log2(),
            most_unequal: plain.iter().zip(&given).map(most).collect(),
            bits: plain,
            bits_given: given,
        }
    }

    /// The level of each column.
    pub(crate) fn pattern(&self, a: u32, b: u32) -> Pattern {
        let level = |at: usize| match self.equal(at, a, b) {
            None => MISSING,
            Some(true) => self.fields[at].kind.same(),
            Some(false) => self.unequal(at, a, b),
        };
        (0..self.fields.len()).fold(Pattern::default(), |pattern, at| pattern.with(at, level(at)))
    }

    /// The weight of a pair, if it is at least `least`, and its levels.
    pub(crate) fn score(&self, a: u32, b: u32, least: f64) -> Option<(f64, Pattern)> {
        let mut pattern = Pattern::default();
        let mut weight = self.prior;
        let mut unequal = 0_u32;
        for at in 0..self.fields.len() {
            match self.equal(at, a, b) {
                None => pattern = pattern.with(at, MISSING),
                Some(true) => {
                    pattern = pattern.with(at, self.fields[at].kind.same());
                    weight += self.bits_of_same(at, a, b);
                }
                Some(false) => {
                    unequal |= 1 << at;
                    weight += self.most_unequal[at];
                }
            }
        }
        for at in (0..self.fields.len()).filter(|at| unequal & 1 << at != 0) {
            if weight < least {
                return None;
            }
            let level = self.unequal(at, a, b);
            pattern = pattern.with(at, level);
            weight += self.bits(at, a, b)[usize::from(level)] - self.most_unequal[at];
        }
        (weight >= least).then_some((weight, pattern))
    }

    /// The weight of a pair, whatever it is.
    pub(crate) fn weight(&self, a: u32, b: u32) -> f64 {
        self.score(a, b, f64::NEG_INFINITY).map_or(f64::NEG_INFINITY, |(weight, _)| weight)
    }

    /// Whether two records have different numbers of their own, and too little else in common to be a match.
    pub(crate) fn contradict(&self, a: u32, b: u32, least: f64) -> bool {
        let differs = |at: usize| {
            let is_own = self.fields[at].kind == Kind::Id;
            is_own && self.equal(at, a, b) == Some(false) && self.unequal(at, a, b) == 0
        };
        (0..self.fields.len()).any(differs) && self.weight(a, b) < least
    }

    fn equal(&self, at: usize, a: u32, b: u32) -> Option<bool> {
        let codes = &self.fields[at].codes;
        let (a, b) = (codes[a as usize], codes[b as usize]);
        (a != NO_LEVEL && b != NO_LEVEL).then_some(a == b)
    }

    fn unequal(&self, at: usize, a: u32, b: u32) -> u8 {
        let field = &self.fields[at];
        let text = |record: u32| field.text(field.codes[record as usize]);
        let level = field.kind.compare(text(a), text(b));
        if level == 0 && field.kind.swaps() && self.is_swapped(at, a, b) { SWAPPED } else { level }
    }

    /// Whether the values of a column stand in another column, and the other's here.
    fn is_swapped(&self, at: usize, a: u32, b: u32) -> bool {
        let value = |at: usize, record: u32| self.fields[at].value(record as usize);
        let is_other = |other: usize| {
            other != at
                && self.fields[other].kind.swaps()
                && value(at, a) == value(other, b)
                && value(other, a) == value(at, b)
        };
        (0..self.fields.len()).any(is_other)
    }

    fn parent_same(&self, at: usize, a: u32, b: u32) -> bool {
        self.learned.columns[at].given.is_some_and(|(parent, _)| self.equal(parent, a, b) == Some(true))
    }

    fn bits(&self, at: usize, a: u32, b: u32) -> &[f64] {
        if self.parent_same(at, a, b) { &self.bits_given[at] } else { &self.bits[at] }
    }

    /// The bits of equality on the value that both have.
    fn bits_of_same(&self, at: usize, a: u32, b: u32) -> f64 {
        let field = &self.fields[at];
        let bits = self.bits(at, a, b);
        let same = bits[bits.len() - 1];
        if self.parent_same(at, a, b) {
            return same;
        }
        let shares = &self.learned.columns[at];
        let n_others = field.counts[field.codes[a as usize] as usize].saturating_sub(1);
        let by_chance = shares.u[shares.u.len() - 1];
        let share = |n: u32| f64::from(n.max(1)) / field.n_present as f64;
        match field.kind {
            Kind::Name | Kind::Text | Kind::Code => same + (by_chance / share(n_others)).log2(),
            // Nearly every value is one person's own: only those of many say less.
            _ if n_others > OWNERS => same + (by_chance / share(n_others)).log2().min(0.0),
            _ => same,
        }
    }

    /// The levels of a pair in words: what agrees, what is alike, what differs.
    pub(crate) fn why(&self, pattern: Pattern) -> String {
        let mut parts: Vec<String> = Vec::new();
        for level in (0..MISSING).rev() {
            let names: Vec<(&str, &str)> = (0..self.fields.len())
                .filter(|&at| rank(self.fields[at].kind, pattern.level(at)) == Some(level))
                .map(|at| {
                    let words = self.fields[at].kind.levels()[usize::from(pattern.level(at))];
                    (words, self.fields[at].name.as_str())
                })
                .collect();
            for group in names.chunk_by(|a, b| a.0 == b.0) {
                let columns: Vec<&str> = group.iter().map(|(_, name)| *name).collect();
                parts.push(format!("{} {}", columns.join(", "), group[0].0));
            }
        }
        parts.join("; ")
    }
}

/// Levels of all kinds from the best to the worst: 6 is equality.
fn rank(kind: Kind, level: u8) -> Option<u8> {
    match level {
        MISSING => None,
        level if level == kind.same() => Some(6),
        level => Some(level),
    }
}

/// The probability of a weight.
pub(crate) fn probability(weight: f64) -> f64 {
    1.0 / (1.0 + (-weight).exp2())
}

/// The weight of a probability.
pub(crate) fn weight_of(probability: f64) -> f64 {
    (probability / (1.0 - probability)).log2()
}
