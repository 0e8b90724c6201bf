//! How well a value alone ranks those who attained above the others, when people repeat.
//!
//! The area under the ROC curve is Mann–Whitney's: of all pairs of an attained and another example, the share that the value
//! puts in the right order. A pair of equal values counts half, and so does one in which a value is missing: what is known of
//! few people says little.
//!
//! A person stands in the examples once per cutoff, and says the same again and again. So people are what varies, not
//! examples: the interval is that of `DeLong`'s placements summed by person (Obuchowski 1997), and the p-value that of the
//! score test with its variance summed by person (Liang and Zeger 1986), which also holds where everybody is told apart.

pub(in crate::discover) use crate::rate::Z;

/// What a value tells of the outcome.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ranked {
    /// Area under the ROC curve.
    pub(crate) auc: f64,
    /// Its standard error.
    pub(crate) error: f64,
    /// Standard normal under the hypothesis that the value says nothing.
    pub(super) z: f64,
}

impl Ranked {
    /// The 95 % interval of the AUC.
    pub(crate) fn interval(self) -> (f64, f64) {
        ((self.auc - Z * self.error).max(0.0), (self.auc + Z * self.error).min(1.0))
    }

    /// How far from chance, whatever the direction: 0.5 to 1.
    pub(super) fn strength(self) -> f64 {
        self.auc.max(1.0 - self.auc)
    }
}

/// The probability of a standard normal at least so far from 0, on one side.
pub(super) fn tail(z: f64) -> f64 {
    0.5 * libm::erfc(z / std::f64::consts::SQRT_2)
}

/// Ranks `values` (NaN: missing) against `labels`; `person` numbers who each example is about, from 0. `None` when one class
/// is absent or nothing is known.
pub(crate) fn ranked(values: &[f64], labels: &[bool], person: &[u32]) -> Option<Ranked> {
    let n_attained = labels.iter().filter(|label| **label).count();
    let n_others = labels.len() - n_attained;
    let mut known: Vec<usize> = (0..values.len()).filter(|&row| !values[row].is_nan()).collect();
    if n_attained == 0 || n_others == 0 || known.is_empty() {
        return None;
    }
    known.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let known_attained = known.iter().filter(|&&row| labels[row]).count();
    let missing = [n_others - (known.len() - known_attained), n_attained - known_attained];
    let size = [n_others as f64, n_attained as f64];
    let n = labels.len() as f64;
    // Of each example: the share of the other class that it stands right of, and of everyone that it stands above, less half.
    let (mut placement, mut above) = (vec![0.5; values.len()], vec![0.0; values.len()]);
    let mut below = [0_usize; 2];
    for ties in known.chunk_by(|&a, &b| values[a].total_cmp(&values[b]).is_eq()) {
        let attained = ties.iter().filter(|&&row| labels[row]).count();
        let here = [ties.len() - attained, attained];
        let under = |class: usize| below[class] as f64 + (here[class] + missing[class]) as f64 / 2.0;
        let of_others = under(0) / size[0];
        let of_attained = 1.0 - under(1) / size[1];
        let rank = (under(0) + under(1)) / n - 0.5;
        for &row in ties {
            placement[row] = if labels[row] { of_others } else { of_attained };
            above[row] = rank;
        }
        below = [below[0] + here[0], below[1] + here[1]];
    }
    let auc = (0..labels.len()).filter(|&row| labels[row]).map(|row| placement[row]).sum::<f64>() / size[1];
    let n_people = person.iter().max().map_or(0, |&last| last as usize + 1);
    let base = size[1] / n;
    let mut of_person = vec![(0.0, 0.0); n_people];
    for (row, &label) in labels.iter().enumerate() {
        let (influence, score) = &mut of_person[person[row] as usize];
        *influence += (placement[row] - auc) / size[usize::from(label)];
        *score += above[row] * (f64::from(u8::from(label)) - base);
    }
    let squares = |of: fn(&(f64, f64)) -> f64| of_person.iter().map(|sums| of(sums).powi(2)).sum::<f64>();
    let few = n_people as f64 / (n_people as f64 - 1.0).max(1.0);
    let variance = squares(|sums| sums.0) * few;
    let score: f64 = of_person.iter().map(|sums| sums.1).sum();
    let deviation = squares(|sums| sums.1).sqrt();
    let z = if deviation > 0.0 { score / deviation } else { 0.0 };
    Some(Ranked { auc, error: variance.sqrt(), z })
}

/// Benjamini and Hochberg (1995): the smallest share of false discoveries at which each of `p` would be called one.
pub(super) fn false_discovery(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[b].total_cmp(&p[a]));
    let mut q = vec![1.0; p.len()];
    let mut least: f64 = 1.0;
    for (place, &at) in order.iter().enumerate() {
        least = least.min(p[at] * p.len() as f64 / (p.len() - place) as f64);
        q[at] = least;
    }
    q
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn auc_and_its_error_by_hand() {
        // Attained 3 and 2, others 1 and 2: pairs (3,1) (3,2) (2,1) right, (2,2) half: 3.5 of 4. Placements are 1 and 0.75
        // in both classes, so each of the four people adds (0.125 / 2)² to the variance, times 4 / 3 for four people.
        let ranked = ranked(&[3.0, 2.0, 1.0, 2.0], &[true, true, false, false], &[0, 1, 2, 3]).unwrap();
        assert!((ranked.auc - 0.875).abs() < 1e-12);
        assert!((ranked.error - (4.0 * 0.0625_f64.powi(2) * 4.0 / 3.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn a_missing_value_counts_half() {
        // Attained 1 and nothing, others 0: pairs (1,0) right, (–,0) half.
        let ranked = ranked(&[1.0, f64::NAN, 0.0], &[true, true, false], &[0, 1, 2]).unwrap();
        assert!((ranked.auc - 0.75).abs() < 1e-12);
    }

    #[test]
    fn the_error_of_a_ranking_that_says_nothing_is_mann_and_whitneys() {
        // Mann and Whitney (1947): (n1 + n0 + 1) / (12 n1 n0).
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let values: Vec<f64> = (0..4000).map(|_| random.random::<f64>()).collect();
        let labels: Vec<bool> = (0..4000).map(|row| row % 4 == 0).collect();
        let ranked = ranked(&values, &labels, &(0..4000).collect::<Vec<_>>()).unwrap();
        let expected = (4001.0_f64 / (12.0 * 1000.0 * 3000.0)).sqrt();
        assert!((ranked.error / expected - 1.0).abs() < 0.05, "{} beside {expected}", ranked.error);
        assert!((ranked.z - (ranked.auc - 0.5) / expected).abs() < 0.1, "{ranked:?}");
    }

    #[test]
    fn a_person_who_says_the_same_ten_times_says_it_once() {
        // 200 people, value and outcome theirs for good, no relation: with ten examples each, chance finds as little.
        let mut false_alarms = 0;
        for seed in 0..400 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let people: Vec<(f64, bool)> = (0..200).map(|_| (random.random(), random.random_bool(0.2))).collect();
            let rows: Vec<usize> = (0..2000).map(|row| row % 200).collect();
            let values: Vec<f64> = rows.iter().map(|&person| people[person].0).collect();
            let labels: Vec<bool> = rows.iter().map(|&person| people[person].1).collect();
            let person: Vec<u32> = rows.iter().map(|&person| u32::try_from(person).unwrap()).collect();
            let of_rows = ranked(&values, &labels, &person).unwrap();
            false_alarms += usize::from(2.0 * tail(of_rows.z.abs()) < 0.05);
        }
        // 5 % of 400 with three standard errors: 20 ± 13. Without people it is more than half.
        assert!((7..=33).contains(&false_alarms), "{false_alarms} of 400");
    }

    #[test]
    fn false_discoveries_as_in_r() {
        // R: p.adjust(c(0.01, 0.04, 0.03, 0.005, 0.5), method = "BH")
        let q = false_discovery(&[0.01, 0.04, 0.03, 0.005, 0.5]);
        let expected = [0.025, 0.05, 0.05, 0.025, 0.5];
        assert!(q.iter().zip(expected).all(|(q, expected)| (q - expected).abs() < 1e-12), "{q:?}");
    }
}
