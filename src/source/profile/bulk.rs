//! What is counted of every row of a large table, of which only some are looked at closely: missing values, range, sum, and
//! how many different values there are ([`Distinct`]).

use polars::prelude::{Column, DataType};

use super::distinct::Distinct;
use super::frequent::key_of_bits;
use super::tally::Numbers;
use crate::error::Result;
use crate::source::batch::{instants, trimmed};
use crate::source::intern::hash;

/// A column so far.
pub(super) struct Bulk {
    /// Rows with a value.
    pub(super) known: u64,
    low: f64,
    high: f64,
    sum: f64,
    different: Distinct,
    last: u64,
}

impl Default for Bulk {
    fn default() -> Self {
        let different = Distinct::default();
        Self { known: 0, low: f64::INFINITY, high: f64::NEG_INFINITY, sum: 0.0, different, last: 0 }
    }
}

impl Bulk {
    /// Counts the values of a column.
    pub(super) fn take(&mut self, column: &Column) -> Result<()> {
        match column.dtype() {
            DataType::String => {
                for text in column.str()?.iter().flatten().map(trimmed).filter(|text| !text.is_empty()) {
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

    /// Counts a value among the different ones, unless it is the one before again.
    fn see(&mut self, bits: u64) {
        if bits != self.last {
            self.different.see(key_of_bits(bits));
            self.last = bits;
        }
    }

    /// How many different values there are, and whether that is exact.
    pub(super) fn distinct(&self) -> (u64, bool) {
        self.different.count()
    }

    /// Puts range and sum of all rows in place of those of some.
    pub(super) fn widen(&self, numbers: &mut Numbers) {
        numbers.low = self.low.min(numbers.low);
        numbers.high = self.high.max(numbers.high);
        (numbers.sum, numbers.n_summed) = (self.sum, self.known);
    }
}
