//! What each column of a table holds, counted while the table is read.
//!
//! Values are shown only where they say nothing about one person: never of contact data, ids and free text.

use std::collections::HashMap;

use polars::prelude::{Column, DataType};
use rayon::prelude::*;

use super::batch::{Batch, each_text, instants};
use super::gather::is_contact_name;
use super::intern::Interner;
use crate::error::Result;
use crate::time::Time;

/// Larger tables are not searched for distinct values.
pub(crate) const FULL_UP_TO: u64 = 2_000_000;
/// How many of the most frequent values are kept.
const TOP: usize = 10;

/// What a column of a table holds.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnProfile {
    /// The table of `[tables]`.
    pub table: String,
    /// The column.
    pub column: String,
    /// Its type: integer, number, boolean, date, datetime or text.
    pub column_type: String,
    /// Rows that were read.
    pub rows: u64,
    /// Rows without a value.
    pub nulls: u64,
    /// Different values; `None` for large tables.
    pub distinct: Option<u64>,
    /// The smallest number or time.
    pub min: Option<String>,
    /// The largest number or time.
    pub max: Option<String>,
    /// The mean of numbers.
    pub mean: Option<f64>,
    /// The most frequent values with their counts, most frequent first; none where they could tell who someone is.
    pub top_values: Vec<(String, u64)>,
    /// What the column seems to mean: `empty`, `constant`, `contact`, `id`, `time`, `category`, `number`, `free text`.
    pub semantic_type: Option<String>,
}

/// The columns of a table so far.
pub(crate) struct ProfileGather {
    table: String,
    full: bool,
    columns: Vec<(String, Tally)>,
}

struct Tally {
    dtype: DataType,
    rows: u64,
    nulls: u64,
    range: Option<(f64, f64)>,
    sum: f64,
    values: Option<Counts>,
}

enum Counts {
    Texts(Interner, Vec<u64>),
    Bits(HashMap<u64, u64>),
}

impl ProfileGather {
    /// Nothing counted yet, of a table with so many rows.
    pub(crate) fn new(table: &str, n_rows: u64) -> Self {
        Self { table: table.to_owned(), full: n_rows <= FULL_UP_TO, columns: Vec::new() }
    }

    /// Counts the rows of a batch.
    pub(crate) fn take(&mut self, batch: &Batch) -> Result<()> {
        if self.columns.is_empty() {
            let tally = |column: &Column| (column.name().to_string(), Tally::new(column.dtype(), self.full));
            self.columns = batch.frame.columns().iter().map(tally).collect();
        }
        let pairs = self.columns.par_iter_mut().zip(batch.frame.columns());
        pairs.try_for_each(|((_, tally), column)| tally.count(column))
    }

    /// The profiles of all columns.
    pub(crate) fn finish(self) -> Vec<ColumnProfile> {
        let table = self.table;
        self.columns.into_iter().map(|(column, tally)| tally.profile(table.clone(), column)).collect()
    }
}

impl Tally {
    fn new(dtype: &DataType, full: bool) -> Self {
        let is_text = matches!(dtype, DataType::String | DataType::Boolean);
        let counts =
            || if is_text { Counts::Texts(Interner::default(), Vec::new()) } else { Counts::Bits(HashMap::new()) };
        Self { dtype: dtype.clone(), rows: 0, nulls: 0, range: None, sum: 0.0, values: full.then(counts) }
    }

    fn count(&mut self, column: &Column) -> Result<()> {
        self.rows += column.len() as u64;
        if matches!(self.dtype, DataType::String | DataType::Boolean) {
            return self.count_texts(column);
        }
        for value in numbers(column)? {
            let Some(value) = value.filter(|value| !value.is_nan()) else {
                self.nulls += 1;
                continue;
            };
            let (low, high) = self.range.unwrap_or((value, value));
            self.range = Some((low.min(value), high.max(value)));
            self.sum += value;
            if let Some(Counts::Bits(counts)) = &mut self.values {
                *counts.entry(value.to_bits()).or_default() += 1;
            }
        }
        Ok(())
    }

    fn count_texts(&mut self, column: &Column) -> Result<()> {
        let Some(Counts::Texts(texts, counts)) = &mut self.values else {
            self.nulls += column.null_count() as u64;
            return Ok(());
        };
        let nulls = &mut self.nulls;
        each_text(column, |text| match text {
            None => *nulls += 1,
            Some(text) => {
                let code = texts.intern(text) as usize;
                counts.resize(counts.len().max(code + 1), 0);
                counts[code] += 1;
            }
        })
    }

    fn profile(self, table: String, column: String) -> ColumnProfile {
        let distinct = self.values.as_ref().map(Counts::len);
        let known = self.rows - self.nulls;
        let semantic_type = self.semantic(&column, known, distinct);
        let is_shown = !["contact", "id", "free text"].contains(&semantic_type);
        let top_values =
            self.values.as_ref().filter(|_| is_shown).map(|values| values.top(&self.dtype)).unwrap_or_default();
        let range = self.range.filter(|_| is_shown);
        let is_number = matches!(self.dtype, DataType::Int64 | DataType::Float64);
        #[expect(clippy::cast_precision_loss, reason = "a mean to show")]
        let mean = (is_number && is_shown && known > 0).then(|| self.sum / known as f64);
        ColumnProfile {
            table,
            column,
            column_type: type_name(&self.dtype).to_owned(),
            rows: self.rows,
            nulls: self.nulls,
            distinct,
            min: range.map(|(low, _)| show(low, &self.dtype)),
            max: range.map(|(_, high)| show(high, &self.dtype)),
            mean,
            top_values,
            semantic_type: Some(semantic_type.to_owned()),
        }
    }

    fn semantic(&self, column: &str, known: u64, distinct: Option<u64>) -> &'static str {
        let name = column.to_lowercase();
        let is_id = name == "id"
            || name.ends_with("_id")
            || name.ends_with("uuid")
            || column.ends_with("ID")
            || column.ends_with("Id");
        let is_mostly_distinct = distinct.is_some_and(|distinct| known > 20 && distinct * 2 > known);
        match self.dtype {
            _ if known == 0 => "empty",
            _ if is_contact_name(column) => "contact",
            _ if is_id => "id",
            DataType::Date | DataType::Datetime(..) => "time",
            _ if distinct == Some(1) => "constant",
            DataType::Int64 | DataType::Float64 => "number",
            DataType::String if distinct == Some(known) && known > 20 => "id",
            DataType::String if is_mostly_distinct => "free text",
            _ => "category",
        }
    }
}

impl Counts {
    fn len(&self) -> u64 {
        match self {
            Self::Texts(texts, _) => texts.len() as u64,
            Self::Bits(counts) => counts.len() as u64,
        }
    }

    /// The most frequent values; equally frequent ones by value.
    fn top(&self, dtype: &DataType) -> Vec<(String, u64)> {
        let mut values: Vec<(String, u64)> = match self {
            Self::Texts(texts, counts) => {
                (0..).zip(counts).map(|(code, count)| (texts.text(code).to_owned(), *count)).collect()
            }
            Self::Bits(counts) => {
                let mut counts: Vec<(u64, u64)> = counts.iter().map(|(bits, count)| (*bits, *count)).collect();
                counts.sort_unstable_by_key(|&(bits, count)| (std::cmp::Reverse(count), bits));
                counts.truncate(TOP);
                counts.into_iter().map(|(bits, count)| (show(f64::from_bits(bits), dtype), count)).collect()
            }
        };
        values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        values.truncate(TOP);
        values
    }
}

/// Numbers, or the microseconds of times.
#[expect(clippy::cast_precision_loss, reason = "microseconds of a human time span and counts fit 53 bits")]
fn numbers(column: &Column) -> Result<Vec<Option<f64>>> {
    Ok(match column.dtype() {
        DataType::Int64 => column.i64()?.iter().map(|value| value.map(|value| value as f64)).collect(),
        DataType::Float64 => column.f64()?.iter().collect(),
        _ => instants(column)?.into_iter().map(|value| value.map(|value| value as f64)).collect(),
    })
}

#[expect(clippy::cast_possible_truncation, reason = "it came from an integer")]
fn show(value: f64, dtype: &DataType) -> String {
    match dtype {
        DataType::Date | DataType::Datetime(..) => Time(value as i64).to_string(),
        _ => value.to_string(),
    }
}

fn type_name(dtype: &DataType) -> &'static str {
    match dtype {
        DataType::Int64 => "integer",
        DataType::Float64 => "number",
        DataType::Boolean => "boolean",
        DataType::Date => "date",
        DataType::Datetime(..) => "datetime",
        _ => "text",
    }
}
