//! What agreement and disagreement are worth, learned without any example of a match.
//!
//! Fellegi and Sunter (1969): two records are of one person with odds λ/(1 − λ) · Π m/u over the compared columns, where m is how
//! often a level of likeness occurs among pairs of one person, and u among pairs of two. Columns count as independent but for
//! the commonest breach: who agrees on a postcode agrees on the state, so that u of one column may depend on whether a more
//! telling one is the same.
//!
//! m and λ come from expectation and maximisation (Winkler 1988) over all pairs there are; pairs that no block holds together
//! are taken for pairs of two. u is what random pairs show less the matches among them: r = λm + (1 − λ)u.

use std::collections::BTreeMap;

use super::compare::{Kind, MISSING, SWAPPED};
use super::pattern::Pattern;

/// At most so many rounds.
const ROUNDS: usize = 200;
/// The change of every share at which learning ends.
const SETTLED: f64 = 1e-5;
/// Pairs of the first guess that each share is drawn towards: as good as nothing, once there are some matches.
const GUESSED_PAIRS: f64 = 2.0;
/// Random agreement is at least this share of what was seen: matches are never all of it.
const LEAST_BY_CHANCE: f64 = 0.02;
/// A column depends on another if equality there makes equality here so many times as likely.
const DEPENDS: f64 = 3.0;
/// Pairs of two people that agree on the other column, from which on its influence is believed.
const ENOUGH_PAIRS: f64 = 30.0;

/// A column among pairs drawn at random.
#[derive(Debug, Clone)]
pub(crate) struct AtRandom {
    pub(crate) kind: Kind,
    /// Share of each level among pairs that have both values.
    pub(crate) levels: Vec<f64>,
    /// Pairs that have both values.
    pub(crate) n_pairs: f64,
}

/// Two columns among pairs drawn at random.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Together {
    /// The more telling one.
    pub(crate) parent: usize,
    pub(crate) child: usize,
    /// Pairs with the parent the same and both values of the child.
    pub(crate) n_parent_same: f64,
    /// Of them, those with both the same.
    pub(crate) n_both_same: f64,
}

/// And of all pairs that agree on it, so large a share.
const RATHER_OTHERS: f64 = 0.3;

/// What is learned from.
#[derive(Debug)]
pub(crate) struct Seen<'s> {
    pub(crate) at_random: &'s [AtRandom],
    pub(crate) together: &'s [Together],
    /// How often each pattern of levels was seen among the pairs that blocks hold together.
    pub(crate) patterns: &'s BTreeMap<Pattern, u64>,
    /// Of those pairs, the share that was looked at.
    pub(crate) share: f64,
    /// All pairs there are.
    pub(crate) n_pairs: f64,
}

/// What is learned of one column.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Shares {
    /// Share of each level among pairs of one person.
    pub(crate) m: Vec<f64>,
    /// Share of each level among pairs of two.
    pub(crate) u: Vec<f64>,
    /// The column whose equality makes this one's likelier, and how likely.
    pub(crate) given: Option<(usize, f64)>,
}

impl Shares {
    /// Share of a level among pairs of two people, told whether the column that this one depends on is the same.
    pub(crate) fn u(&self, level: u8, parent_same: bool) -> f64 {
        let level = usize::from(level);
        let same = self.u.len() - 1;
        match self.given.filter(|_| parent_same) {
            None => self.u[level],
            Some((_, given)) if level == same => given,
            Some((_, given)) => self.u[level] * (1.0 - given) / (1.0 - self.u[same]).max(1e-9),
        }
    }
}

/// What was learned.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Learned {
    /// Share of pairs that are of one person, among all there are.
    pub(crate) lambda: f64,
    pub(crate) columns: Vec<Shares>,
}

impl Learned {
    /// The natural logarithm of the odds that a pair with these levels is of one person.
    fn log_odds(&self, pattern: Pattern, kinds: &[Kind]) -> f64 {
        let prior = (self.lambda / (1.0 - self.lambda)).ln();
        let column = |(at, shares): (usize, &Shares)| {
            let level = pattern.level(at);
            if level == MISSING {
                return 0.0;
            }
            let parent_same = shares.given.is_some_and(|(parent, _)| pattern.level(parent) == kinds[parent].same());
            (shares.m[usize::from(level)] / shares.u(level, parent_same)).ln()
        };
        self.columns.iter().enumerate().map(column).fold(prior, |sum, part| sum + part)
    }
}

/// Learns m, u and λ.
pub(crate) fn learn(seen: &Seen<'_>) -> Learned {
    let kinds: Vec<Kind> = seen.at_random.iter().map(|column| column.kind).collect();
    let n_seen: u64 = seen.patterns.values().sum();
    let mut learned = Learned {
        lambda: (0.1 * n_seen as f64 / seen.share / seen.n_pairs).clamp(1e-12, 0.1),
        columns: seen.at_random.iter().map(first_guess).collect(),
    };
    for _ in 0..ROUNDS {
        let next = round(seen, &learned, &kinds);
        let change = change(&learned, &next);
        learned = next;
        if change < SETTLED {
            break;
        }
    }
    learned
}

fn first_guess(column: &AtRandom) -> Shares {
    let levels = column.levels.len();
    let u = column.levels.iter().map(|share| share.max(1.0 / column.n_pairs.max(1.0))).collect();
    Shares { m: guessed_m(levels), u, given: None }
}

/// Equality in 85 of 100 pairs of one person, the other levels less and less.
fn guessed_m(levels: usize) -> Vec<f64> {
    let below = levels - 1;
    let weights: f64 = (1..=below).map(|level| level as f64).sum();
    (0..levels).map(|level| if level == below { 0.85 } else { 0.15 * (level + 1) as f64 / weights }).collect()
}

/// Matches expected, by level and in all.
#[derive(Debug, Clone)]
struct Expected {
    n: f64,
    levels: Vec<Vec<f64>>,
    together: Vec<f64>,
    parent_same: Vec<f64>,
}

fn round(seen: &Seen<'_>, learned: &Learned, kinds: &[Kind]) -> Learned {
    let expected = expect(seen, learned, kinds);
    let lambda = (expected.n / seen.n_pairs).clamp(1e-15, 0.5);
    let mut columns: Vec<Shares> = (0..kinds.len())
        .map(|at| {
            let m = shares_of(&expected.levels[at]);
            let u = by_chance(&seen.at_random[at], &expected.levels[at]);
            Shares { m, u, given: None }
        })
        .collect();
    for (at, pair) in seen.together.iter().enumerate() {
        let given = given(pair, expected.parent_same[at], expected.together[at], &columns[pair.child]);
        let standing = columns[pair.child].given.map_or(0.0, |(_, given)| given);
        if let Some(given) = given.filter(|given| *given > standing) {
            columns[pair.child].given = Some((pair.parent, given));
        }
    }
    Learned { lambda, columns }
}

fn expect(seen: &Seen<'_>, learned: &Learned, kinds: &[Kind]) -> Expected {
    let mut expected = Expected {
        n: 0.0,
        levels: kinds.iter().map(|kind| vec![0.0; usize::from(kind.same()) + 1]).collect(),
        together: vec![0.0; seen.together.len()],
        parent_same: vec![0.0; seen.together.len()],
    };
    for (pattern, &count) in seen.patterns {
        let odds = learned.log_odds(*pattern, kinds);
        let matches = count as f64 / seen.share / (1.0 + (-odds).exp());
        expected.n += matches;
        for (at, levels) in expected.levels.iter_mut().enumerate() {
            let level = pattern.level(at);
            if level != MISSING {
                levels[usize::from(level)] += matches;
            }
        }
        for (at, pair) in seen.together.iter().enumerate() {
            let is_same = |column: usize| pattern.level(column) == kinds[column].same();
            if is_same(pair.parent) && pattern.level(pair.child) != MISSING {
                expected.parent_same[at] += matches;
                expected.together[at] += if is_same(pair.child) { matches } else { 0.0 };
            }
        }
    }
    expected
}

fn shares_of(matches: &[f64]) -> Vec<f64> {
    let guess = guessed_m(matches.len());
    let n: f64 = matches.iter().sum::<f64>() + GUESSED_PAIRS;
    matches.iter().zip(guess).map(|(matches, guess)| (matches + GUESSED_PAIRS * guess) / n).collect()
}

/// What random pairs show, less the matches among them.
fn by_chance(column: &AtRandom, matches: &[f64]) -> Vec<f64> {
    let left = |(level, (share, matches)): (usize, (&f64, &f64))| {
        let seen = share * column.n_pairs;
        // Swapped values were not seen but reckoned: there are no matches among them.
        let matches = if column.kind.swaps() && level == usize::from(SWAPPED) { 0.0 } else { *matches };
        (seen - matches).max(seen * LEAST_BY_CHANCE).max(1.0)
    };
    let left: Vec<f64> = column.levels.iter().zip(matches).enumerate().map(left).collect();
    let n: f64 = left.iter().sum();
    left.iter().map(|pairs| pairs / n).collect()
}

/// How likely two people are the same in the child when they are in the parent; `None`: no likelier than others.
fn given(pair: &Together, matches_parent: f64, matches_both: f64, child: &Shares) -> Option<f64> {
    let u = *child.u.last().expect("equality is a level");
    let parent_same = (pair.n_parent_same - matches_parent).max(0.0);
    let both_same = (pair.n_both_same - matches_both).clamp(0.0, parent_same);
    // What is left after the matches is noise where nearly all were matches, as with a number of one's own.
    if parent_same < ENOUGH_PAIRS.max(pair.n_parent_same * RATHER_OTHERS) {
        return None;
    }
    let given = (both_same + ENOUGH_PAIRS * u) / (parent_same + ENOUGH_PAIRS);
    (given > DEPENDS * u).then_some(given.min(0.999))
}

fn change(before: &Learned, after: &Learned) -> f64 {
    let shares = before.columns.iter().zip(&after.columns).flat_map(|(before, after)| before.m.iter().zip(&after.m));
    let largest = shares.map(|(before, after)| (before - after).abs()).fold(0.0, f64::max);
    largest.max((before.lambda / after.lambda).ln().abs())
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _};

    use super::*;

    /// Pairs drawn from known m, u and λ: what is learned comes back within three standard errors.
    #[test]
    fn simulated_shares_come_back() {
        const PAIRS: u64 = 300_000;
        const LAMBDA: f64 = 0.02;
        let truth: [(Kind, &[f64], &[f64]); 4] = [
            (Kind::Email, &[0.08, 0.04, 0.08, 0.15, 0.65], &[0.9, 0.05, 0.03, 0.01, 0.01]),
            (Kind::Date, &[0.03, 0.02, 0.05, 0.1, 0.8], &[0.9, 0.07, 0.01, 0.01, 0.01]),
            (Kind::Id, &[0.05, 0.05, 0.1, 0.8], &[0.97, 0.01, 0.01, 0.01]),
            (Kind::Code, &[0.05, 0.05, 0.1, 0.8], &[0.8, 0.1, 0.05, 0.05]),
        ];
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(7);
        let mut draw = |shares: &[f64]| {
            let at: f64 = random.random();
            let mut sum = 0.0;
            shares.iter().position(|share| {
                sum += share;
                at < sum
            })
        };
        let mut patterns: BTreeMap<Pattern, u64> = BTreeMap::new();
        for _ in 0..PAIRS {
            let is_match = draw(&[LAMBDA, 1.0 - LAMBDA]) == Some(0);
            let level = |(_, m, u): &(Kind, &[f64], &[f64]), draw: &mut dyn FnMut(&[f64]) -> Option<usize>| {
                u8::try_from(draw(if is_match { m } else { u }).unwrap_or(m.len() - 1)).unwrap()
            };
            let pattern = truth
                .iter()
                .enumerate()
                .fold(Pattern::default(), |pattern, (at, column)| pattern.with(at, level(column, &mut draw)));
            *patterns.entry(pattern).or_default() += 1;
        }
        let at_random: Vec<AtRandom> = truth
            .iter()
            .enumerate()
            .map(|(at, (kind, m, _))| {
                let mut levels = vec![0.0; m.len()];
                for (pattern, count) in &patterns {
                    levels[usize::from(pattern.level(at))] += *count as f64 / PAIRS as f64;
                }
                AtRandom { kind: *kind, levels, n_pairs: PAIRS as f64 }
            })
            .collect();
        let seen =
            Seen { at_random: &at_random, together: &[], patterns: &patterns, share: 1.0, n_pairs: PAIRS as f64 };
        let learned = learn(&seen);
        let near = |found: f64, truth: f64, n: f64| {
            let error = (truth * (1.0 - truth) / n).sqrt();
            assert!((found - truth).abs() < 3.0 * error, "{found} is not {truth} ± {error}");
        };
        near(learned.lambda, LAMBDA, PAIRS as f64);
        for ((_, m, u), found) in truth.iter().zip(&learned.columns) {
            m.iter().zip(&found.m).for_each(|(truth, found)| near(*found, *truth, LAMBDA * PAIRS as f64));
            u.iter().zip(&found.u).for_each(|(truth, found)| near(*found, *truth, (1.0 - LAMBDA) * PAIRS as f64));
        }
    }

    #[test]
    fn who_agrees_on_the_city_agrees_on_the_postcode() {
        let child = Shares { m: vec![0.1, 0.0, 0.1, 0.8], u: vec![0.9, 0.05, 0.04, 0.01], given: None };
        let pair = Together { parent: 0, child: 1, n_parent_same: 10_000.0, n_both_same: 9_500.0 };
        let given = given(&pair, 1000.0, 900.0, &child).unwrap();
        assert!((given - 8600.0 / 9000.0).abs() < 0.01, "{given}");
        // Of a number of one's own, whoever agrees is one person: the rest is noise.
        let own = Together { parent: 0, child: 1, n_parent_same: 1100.0, n_both_same: 1000.0 };
        assert_eq!(super::given(&own, 1000.0, 950.0, &child), None);
    }
}
