//! What new rows look like, counted in the parts of the sketches: batch by batch, in an order that is told.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::super::trees::Feature;
use super::sketch::{Numbers, PARTS, Shape, Sketch, Sketches};
use crate::discover::table::NO_LEVEL;
use crate::discover::{Cells, Table};

/// Values that are counted at a time.
const BLOCK: usize = 256;
/// Sums that run beside each other.
const SUMS: usize = 8;

/// Counts of new rows beside the sketches of training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// One per feature.
    pub features: Vec<Counted>,
    /// Of the propensities.
    pub score: Counted,
}

/// Counts of one column.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Counted {
    /// Rows.
    pub n: u64,
    /// Rows with a gap, those whose level the training never saw among them.
    pub n_missing: u64,
    /// Rows whose level the training never saw.
    pub n_unseen: u64,
    /// Rows in each part, or of each level.
    pub counts: Vec<u64>,
    /// Sum of the distances from the mean of training.
    pub sum: f64,
}

impl Tally {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(sketches: &Sketches) -> Self {
        let counted = |sketch: &Sketch| {
            let parts = match &sketch.shape {
                Shape::Number(numbers) => numbers.counts.len(),
                Shape::Category(counts) => counts.len(),
            };
            Counted { counts: vec![0; parts], ..Counted::default() }
        };
        Self { features: sketches.features.iter().map(counted).collect(), score: counted(&sketches.score) }
    }

    /// Adds a batch: its features, and for each of them how many rows have a level that the training never saw and that is a
    /// gap in the table (nothing: none of them).
    pub fn add_features(&mut self, sketches: &Sketches, features: &[Feature], table: &Table, unseen: &[u64]) {
        let places: Vec<usize> = (0..features.len()).collect();
        self.features.par_iter_mut().zip(&sketches.features).zip(&places).for_each(|((counted, sketch), &place)| {
            let feature = &features[place];
            let Some(column) = table.column(&feature.name) else { return };
            match (&column.cells, &sketch.shape) {
                (Cells::Number(values), Shape::Number(numbers)) => counted.add_numbers(numbers, values),
                (Cells::Category { codes, levels }, Shape::Category(_)) => {
                    counted.add_codes(codes, levels, feature.levels.as_deref().unwrap_or_default());
                }
                _ => {}
            }
            counted.n_unseen += unseen.get(place).copied().unwrap_or_default();
        });
    }

    /// Adds what was counted of other rows.
    pub fn join(&mut self, other: &Self) {
        self.features.iter_mut().zip(&other.features).for_each(|(counted, other)| counted.join(other));
        self.score.join(&other.score);
    }

    /// Adds the propensities of a batch.
    pub fn add_scores(&mut self, sketches: &Sketches, propensity: &[f64]) {
        if let Shape::Number(numbers) = &sketches.score.shape {
            let values: Vec<f32> = propensity.iter().map(|&propensity| propensity as f32).collect();
            self.score.add_numbers(numbers, &values);
        }
    }
}

impl Counted {
    fn join(&mut self, other: &Self) {
        self.n += other.n;
        self.n_missing += other.n_missing;
        self.n_unseen += other.n_unseen;
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, other)| *count += other);
        self.sum += other.sum;
    }

    fn add_numbers(&mut self, numbers: &Numbers, values: &[f32]) {
        // Counted is how many values lie beyond each edge, and sums run beside each other: a column goes through the vector units.
        let mut beyond = [0; PARTS];
        let mut sums = [0.0; SUMS];
        let mut n_known = 0;
        for values in values.chunks(BLOCK) {
            // What is no number lies beyond no edge.
            let mut known = [f32::NEG_INFINITY; BLOCK];
            for (known, &value) in known.iter_mut().zip(values) {
                *known = if value.is_finite() { value } else { f32::NEG_INFINITY };
            }
            for (beyond, &edge) in beyond.iter_mut().zip(&numbers.edges) {
                *beyond += u64::from(known.iter().map(|&value| u32::from(value > edge)).sum::<u32>());
            }
            n_known += u64::from(known.iter().map(|&value| u32::from(value.is_finite())).sum::<u32>());
            for some in known.as_chunks::<SUMS>().0 {
                for (sum, &value) in sums.iter_mut().zip(some) {
                    *sum += if value.is_finite() { f64::from(value) - numbers.mean } else { 0.0 };
                }
            }
        }
        let mut before = n_known;
        for (count, beyond) in self.counts.iter_mut().zip(beyond) {
            *count += before - beyond;
            before = beyond;
        }
        self.sum += sums.iter().sum::<f64>();
        self.n += values.len() as u64;
        self.n_missing += values.len() as u64 - n_known;
    }

    fn add_codes(&mut self, codes: &[u32], levels: &[String], known: &[String]) {
        let mut by_code = vec![0_u64; levels.len() + 1];
        for &code in codes {
            by_code[(code as usize).min(levels.len())] += 1;
        }
        debug_assert!(codes.iter().all(|&code| code == NO_LEVEL || (code as usize) < levels.len()), "codes are levels");
        self.n += codes.len() as u64;
        self.n_missing += by_code[levels.len()];
        for (level, count) in levels.iter().zip(by_code) {
            if let Ok(place) = known.binary_search(level) {
                self.counts[place] += count;
            } else {
                self.n_missing += count;
                self.n_unseen += count;
            }
        }
    }
}
