//! The part of a feature's range in which people attain most often, against everybody else.
//!
//! Ten bins and their sums are many to choose from, and the best of many looks better than it is. So the part is *chosen* on
//! the training part, by the lower end of its rate's interval over the rate of the rest, and its figures are *measured* on
//! the labelled examples that came later: validation and test. They choose nothing, so that the test stays a test. The ratio
//! of the two rates has an interval by the delta method on its logarithm, its variance summed by person.

use super::Sample;
use super::bins::Bins;
use super::rank::Z;
use crate::discover::table::Cells;
use crate::discover::words::Region;
use crate::rate::Rate;

/// A part smaller than this share of the examples, or this many, is nothing to speak of …
const LEAST_SHARE: f64 = 0.02;
const LEAST_EXAMPLES: f64 = 30.0;
/// … and one larger than this is nearly everybody.
const MOST_SHARE: f64 = 0.6;

/// People in a part of a feature's range, against the rest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contrast {
    /// Those in it.
    pub inside: Rate,
    /// The interval of their rate, people counted once.
    pub inside_interval: (f64, f64),
    /// The others.
    pub outside: Rate,
    /// The ratio of the two rates, and its interval; absent when one of them is 0.
    pub lift: Option<(f64, f64, f64)>,
}

impl Contrast {
    /// Whether the ratio is surely above 1.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.lift.is_some_and(|(_, low, _)| low > 1.0)
    }
}

/// The part in which the rate is surely highest, by the counts of each bin.
pub(super) fn best(bins: &Bins, [others, attained]: &[Vec<f64>; 2]) -> Option<Region> {
    let sum = |counts: &[f64]| counts.iter().sum::<f64>();
    let (all_others, all_attained) = (sum(others), sum(attained));
    let total = all_others + all_attained;
    let mut best: Option<(f64, Region)> = None;
    for (region, range) in bins.regions() {
        let (yes, no) = (sum(&attained[range.clone()]), sum(&others[range]));
        let n = yes + no;
        if n < LEAST_EXAMPLES.max(LEAST_SHARE * total) || n > MOST_SHARE * total {
            continue;
        }
        let (low, _) = wilson(yes / n, n);
        let rest = (all_attained - yes + 0.5) / (total - n + 1.0);
        let worth = low / rest;
        if best.is_none_or(|(found, _)| worth > found) {
            best = Some((worth, region));
        }
    }
    best.map(|(_, region)| region)
}

/// A part measured on a sample; absent when nobody of it, or everybody, is in the part.
pub(super) fn measure(cells: &Cells, region: Region, sample: &Sample) -> Option<Contrast> {
    let is_inside: Vec<bool> = sample.rows.iter().map(|&row| region.holds(cells, row)).collect();
    let rate = |inside: bool| {
        let labels = || is_inside.iter().zip(&sample.labels).filter(move |(is, _)| **is == inside);
        Rate::new(labels().filter(|(_, label)| **label).count(), labels().count())
    };
    let (inside, outside) = (rate(true), rate(false));
    let (within, rest) = (inside.share()?, outside.share()?);
    let (n_inside, n_outside) = (inside.n_eligible as f64, outside.n_eligible as f64);
    let mut of_person = vec![(0.0, 0.0); sample.n_people];
    for ((&is_inside, &label), &person) in is_inside.iter().zip(&sample.labels).zip(&sample.person) {
        let y = f64::from(u8::from(label));
        let (share, ratio) = &mut of_person[person as usize];
        if is_inside {
            *share += (y - within) / n_inside;
            *ratio += (y - within) / (n_inside * within);
        } else {
            *ratio -= (y - rest) / (n_outside * rest);
        }
    }
    let variance = of_person.iter().map(|sums| sums.0 * sums.0).sum::<f64>();
    // As many independent people as would give this variance.
    let effective = if variance > 0.0 { (within * (1.0 - within) / variance).min(n_inside) } else { n_inside };
    let lift = (within > 0.0 && rest > 0.0).then(|| {
        let error = of_person.iter().map(|sums| sums.1 * sums.1).sum::<f64>().sqrt();
        let ratio = within / rest;
        (ratio, ratio * (-Z * error).exp(), ratio * (Z * error).exp())
    });
    Some(Contrast { inside, inside_interval: wilson(within, effective), outside, lift })
}

/// Wilson's interval of a share over `n` people, which need not be whole.
fn wilson(share: f64, n: f64) -> (f64, f64) {
    let scale = 1.0 + Z * Z / n;
    let middle = (share + Z * Z / (2.0 * n)) / scale;
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt() / scale;
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(labels: Vec<bool>, person: Vec<u32>) -> Sample {
        let n_people = person.iter().max().map_or(0, |&last| last as usize + 1);
        Sample { rows: (0..labels.len()).collect(), labels, person, n_people }
    }

    #[test]
    fn the_ratio_and_its_interval_match_katz() {
        // 30 of 100 against 10 of 100: ratio 3, standard error of its logarithm sqrt(1/30 − 1/100 + 1/10 − 1/100) (Katz 1978).
        let cells = Cells::Number((0..200_u8).map(|row| f32::from(u8::from(row < 100))).collect());
        let labels = (0..200).map(|row| row < 30 || (100..110).contains(&row)).collect();
        let contrast = measure(&cells, Region::AtLeast(1.0), &sample(labels, (0..200).collect())).unwrap();
        let (ratio, low, high) = contrast.lift.unwrap();
        let error = (1.0 / 30.0 - 0.01 + 0.1 - 0.01_f64).sqrt();
        assert!((ratio - 3.0).abs() < 1e-12);
        assert!((low - 3.0 * (-Z * error).exp()).abs() < 1e-9 && (high - 3.0 * (Z * error).exp()).abs() < 1e-9);
        assert_eq!((contrast.inside, contrast.outside), (Rate::new(30, 100), Rate::new(10, 100)));
    }

    #[test]
    fn people_who_repeat_do_not_narrow_the_interval() {
        let cells =
            |times: usize| Cells::Number((0..200 * times).map(|row| f32::from(u8::from(row % 200 < 100))).collect());
        let labels =
            |times: usize| (0..200 * times).map(|row| row % 200 < 30 || (100..110).contains(&(row % 200))).collect();
        let people = |times: u32| (0..200 * times).map(|row| row % 200).collect();
        let once = measure(&cells(1), Region::AtLeast(1.0), &sample(labels(1), people(1))).unwrap();
        let often = measure(&cells(7), Region::AtLeast(1.0), &sample(labels(7), people(7))).unwrap();
        let (low, high) = (once.lift.unwrap().1, often.lift.unwrap().1);
        assert!((low - high).abs() < 1e-9 && (once.inside_interval.0 - often.inside_interval.0).abs() < 1e-9);
    }
}
