//! What is counted of every row of a large table, of which only some are looked at closely: missing values, range, sum, and
//! how many different values there are, by `HyperLogLog` (2^13 registers).

use datasketches::hll::{HllSketch, HllType};
use polars::prelude::{Column, DataType};

use super::frequent::key_of_bits;
use super::tally::Numbers;
use crate::error::Result;
use crate::source::batch::instants;
use crate::source::intern::hash;

/// A column so far.
pub(super) struct Bulk {
    /// Rows with a value.
    pub(super) known: u64,
    low: f64,
    high: f64,
    sum: f64,
    sketch: HllSketch,
    last: u64,
}

impl Default for Bulk {
    fn default() -> Self {
        let sketch = HllSketch::new(13, HllType::Hll8).expect("2^13 registers are allowed");
        Self { known: 0, low: f64::INFINITY, high: f64::NEG_INFINITY, sum: 0.0, sketch, last: 0 }
    }
}

impl Bulk {
    /// Counts the values of a column.
    pub(super) fn take(&mut self, column: &Column) -> Result<()> {
        match column.dtype() {
            DataType::String => {
                for text in column.str()?.iter().flatten().map(str::trim).filter(|text| !text.is_empty()) {
                    self.known += 1;
                    self.see(hash(text.as_bytes()));
                }
            }
            DataType::Boolean => {
                for value in column.bool()?.iter().flatten() {
                    self.known += 1;
                    self.see(u64::from(value) + 1);
                }
            }
            DataType::Float64 => {
                for value in column.f64()?.iter().flatten().filter(|value| !value.is_nan()) {
                    self.known += 1;
                    self.sum += value;
                    self.range(value, value);
                    self.see((value + 0.0).to_bits());
                }
            }
            DataType::Int64 => column.i64()?.iter().flatten().for_each(|value| self.whole(value)),
            _ => instants(column)?.into_iter().flatten().for_each(|value| self.whole(value)),
        }
        Ok(())
    }

    fn whole(&mut self, value: i64) {
        self.known += 1;
        self.sum += value as f64;
        self.range(value as f64, value as f64);
        self.see(value.cast_unsigned());
    }

    fn range(&mut self, low: f64, high: f64) {
        self.low = self.low.min(low);
        self.high = self.high.max(high);
    }

    /// Adds a value to the sketch, unless it is the one before again.
    fn see(&mut self, bits: u64) {
        let key = key_of_bits(bits);
        if key != self.last {
            self.sketch.update(key);
            self.last = key;
        }
    }

    /// How many different values there are; few of them are counted exactly.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of rows")]
    pub(super) fn distinct(&self) -> (u64, bool) {
        (self.sketch.estimate().round() as u64, false)
    }

    /// Puts range and sum of all rows in place of those of some.
    pub(super) fn widen(&self, numbers: &mut Numbers) {
        numbers.low = self.low.min(numbers.low);
        numbers.high = self.high.max(numbers.high);
        (numbers.sum, numbers.n_summed) = (self.sum, self.known);
    }
}
