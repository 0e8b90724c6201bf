//! The shape of a feature or a score, small enough to travel with the model.
//!
//! A number is parted at the deciles of training, each part open below and closed above, so that a value that many share (the
//! zero of a count) keeps a part of its own; a number of few values has a part for each. A category counts its levels. What is
//! missing is counted apart.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::super::trees::Feature;
use crate::discover::table::NO_LEVEL;
use crate::discover::{Cells, Table};

/// Parts of a number, at most; so many distinct values have a part each.
pub(super) const PARTS: usize = 10;
/// Values that the deciles are taken from, at most.
const SHAPE_ROWS: usize = 200_000;

/// What the features and the score looked like at training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sketches {
    /// One per feature, in the order of the bundle's features.
    pub features: Vec<Sketch>,
    /// Of the propensities that the model gives to the rows it learned from.
    pub score: Sketch,
}

/// How the values of one column are spread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sketch {
    /// Rows, those with a gap among them.
    pub n: u64,
    /// Rows with a gap.
    pub n_missing: u64,
    /// The others.
    pub shape: Shape,
}

/// How the values that are there are spread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A number.
    Number(Numbers),
    /// How many rows have each level, in the order of the feature's levels.
    Category(Vec<u64>),
}

/// See [`Shape::Number`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Numbers {
    /// Where the parts meet, ascending: part `i` holds `edges[i - 1] < value <= edges[i]`.
    pub edges: Vec<f32>,
    /// Rows in each part: one more than there are edges.
    pub counts: Vec<u64>,
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub deviation: f64,
}

impl Sketches {
    /// Sketches of `features` over `rows` of a table, and of the propensities of people.
    #[must_use]
    pub fn new(features: &[Feature], table: &Table, rows: &[u32], propensity: &[f64]) -> Self {
        let sketch = |feature: &Feature| match table.column(&feature.name).map(|column| &column.cells) {
            Some(Cells::Number(values)) => Sketch::of_numbers(|| rows.iter().map(|&row| values[row as usize])),
            Some(Cells::Category { codes, levels }) => {
                let known = feature.levels.as_deref().unwrap_or_default();
                Sketch::of_codes(rows.iter().map(|&row| codes[row as usize]), levels, known)
            }
            None => Sketch { n: rows.len() as u64, n_missing: rows.len() as u64, shape: Shape::Category(Vec::new()) },
        };
        Self {
            features: features.par_iter().map(sketch).collect(),
            score: Sketch::of_numbers(|| propensity.iter().map(|&propensity| propensity as f32)),
        }
    }

    /// Whether the sketches can be compared with rows of `features`.
    #[must_use]
    pub fn is_sound(&self, features: &[Feature]) -> bool {
        let fits = |(sketch, feature): (&Sketch, &Feature)| match (&sketch.shape, &feature.levels) {
            (Shape::Number(_), None) => sketch.is_sound(),
            (Shape::Category(counts), Some(levels)) => counts.len() == levels.len() && sketch.is_sound(),
            _ => false,
        };
        let of_score = matches!(self.score.shape, Shape::Number(_)) && self.score.is_sound();
        self.features.len() == features.len() && self.features.iter().zip(features).all(fits) && of_score
    }
}

impl Sketch {
    fn of_numbers<I: Iterator<Item = f32>>(values: impl Fn() -> I) -> Self {
        let n = values().count();
        let known = || values().filter(|value| value.is_finite());
        let edges = edges(known().step_by(n.div_ceil(SHAPE_ROWS).max(1)).collect());
        let mut counts = vec![0; edges.len() + 1];
        let (mut sum, mut squares, mut n_known) = (0.0, 0.0, 0_u64);
        for value in known() {
            counts[part(&edges, value)] += 1;
            sum += f64::from(value);
            n_known += 1;
        }
        let mean = if n_known == 0 { 0.0 } else { sum / n_known as f64 };
        for value in known() {
            squares += (f64::from(value) - mean).powi(2);
        }
        let deviation = if n_known == 0 { 0.0 } else { (squares / n_known as f64).sqrt() };
        let shape = Shape::Number(Numbers { edges, counts, mean, deviation });
        Self { n: n as u64, n_missing: n as u64 - n_known, shape }
    }

    fn of_codes(codes: impl Iterator<Item = u32>, levels: &[String], known: &[String]) -> Self {
        let mut by_code = vec![0_u64; levels.len()];
        let (mut n, mut n_missing) = (0, 0);
        for code in codes {
            n += 1;
            if code == NO_LEVEL { n_missing += 1 } else { by_code[code as usize] += 1 }
        }
        let mut counts = vec![0; known.len()];
        for (level, count) in levels.iter().zip(by_code) {
            match known.binary_search(level) {
                Ok(place) => counts[place] += count,
                Err(_) => n_missing += count,
            }
        }
        Self { n, n_missing, shape: Shape::Category(counts) }
    }

    fn is_sound(&self) -> bool {
        let counted = match &self.shape {
            Shape::Category(counts) => sum(counts),
            Shape::Number(numbers) if numbers.is_sound() => sum(&numbers.counts),
            Shape::Number(_) => None,
        };
        counted.and_then(|counted| counted.checked_add(self.n_missing)) == Some(self.n)
    }
}

impl Numbers {
    fn is_sound(&self) -> bool {
        let ascending = self.edges.windows(2).all(|pair| pair[0] < pair[1]);
        let finite = self.edges.iter().all(|edge| edge.is_finite()) && self.mean.is_finite();
        let few = self.edges.len() < PARTS && self.counts.len() == self.edges.len() + 1;
        ascending && finite && few && self.deviation.is_finite() && self.deviation >= 0.0
    }
}

fn sum(counts: &[u64]) -> Option<u64> {
    counts.iter().try_fold(0_u64, |sum, &count| sum.checked_add(count))
}

/// The part that a value falls into.
fn part(edges: &[f32], value: f32) -> usize {
    edges.iter().map(|&edge| usize::from(value > edge)).sum()
}

/// Where the parts of values meet.
fn edges(mut values: Vec<f32>) -> Vec<f32> {
    values.sort_unstable_by(f32::total_cmp);
    let Some(&highest) = values.last() else { return Vec::new() };
    let mut distinct: Vec<f32> = Vec::new();
    for &value in &values {
        if distinct.last() != Some(&value) {
            distinct.push(value);
        }
        if distinct.len() > PARTS {
            break;
        }
    }
    if distinct.len() > PARTS {
        distinct = (1..PARTS).map(|part| values[part * (values.len() - 1) / PARTS]).collect();
        distinct.dedup();
    }
    // Zero has two signs and one value.
    distinct.retain(|&edge| edge < highest);
    distinct
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_have_a_part_each_and_a_frequent_one_keeps_its_own() {
        assert_eq!(edges(vec![1.0, 0.0, 1.0, 2.0]), [0.0, 1.0]);
        assert_eq!(edges(vec![3.0; 7]), [0.0_f32; 0]);
        let counts: Vec<f32> = (0_u8..100).map(|i| f32::from(i.saturating_sub(85))).collect();
        assert_eq!(edges(counts), [0.0, 4.0], "the ninth decile of 0 … 0, 1 … 14 is 4");
        let even: Vec<f32> = (1_u8..=101).map(f32::from).collect();
        assert_eq!(edges(even), [11.0, 21.0, 31.0, 41.0, 51.0, 61.0, 71.0, 81.0, 91.0]);
        assert_eq!([11.0, 11.5, 0.0].map(|value| part(&[11.0, 21.0], value)), [0, 1, 0]);
    }

    #[test]
    fn gaps_are_counted_apart() {
        let values = [1.0, f32::NAN, 3.0, f32::INFINITY];
        let sketch = Sketch::of_numbers(|| values.iter().copied());
        let shape = Numbers { edges: vec![1.0], counts: vec![1, 1], mean: 2.0, deviation: 1.0 };
        assert_eq!(sketch, Sketch { n: 4, n_missing: 2, shape: Shape::Number(shape) });
        assert!(sketch.is_sound());
    }
}
