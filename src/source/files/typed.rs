//! Fields of text as typed columns.

use polars::prelude::{
    BooleanChunked, Column as Series, DataFrame, Int32Chunked, Int64Chunked, IntoColumn as _, NewChunkedArray as _,
    StringChunkedBuilder, TimeUnit, TimeZone,
};
use rayon::prelude::*;

use super::Column;
use super::raw::RawBatch;
use crate::error::Result;
use crate::source::kind::Kind;
use crate::source::times::{self, Form};
use crate::time::DAY;

/// A batch's rows, typed.
pub(crate) struct Typed<'c> {
    /// All rows; a value that does not fit its told type is missing.
    pub(crate) frame: DataFrame,
    /// The values that do not fit.
    pub(crate) faults: Vec<Fault<'c>>,
    /// Rows without a fault.
    pub(crate) keep: Vec<bool>,
}

/// A value that does not fit its column's told type.
pub(crate) struct Fault<'c> {
    /// The row of the batch.
    pub(crate) row: usize,
    /// The column.
    pub(crate) column: &'c str,
    /// Why, without the value.
    pub(crate) reason: String,
}

/// The columns of a batch in their types.
pub(crate) fn frame<'c>(raw: &RawBatch, columns: &'c [Column], null_values: &[String]) -> Result<Typed<'c>> {
    let read = |column: &'c Column| Reader { raw, column, null_values, faults: Vec::new() }.read();
    let (series, faults): (Vec<Series>, Vec<Vec<usize>>) = columns.par_iter().map(read).unzip();
    let mut keep = vec![true; raw.len()];
    let mut all = Vec::new();
    for (column, rows) in columns.iter().zip(faults).filter(|(column, _)| column.told) {
        for row in rows {
            keep[row] = false;
            let reason = match &column.format {
                Some(format) => format!("not a time of the format {format}"),
                None => format!("not of the told type: {}", column.kind.name()),
            };
            all.push(Fault { row, column: &column.name, reason });
        }
    }
    Ok(Typed { frame: DataFrame::new(raw.len(), series)?, faults: all, keep })
}

/// Whether a trimmed text means "no value".
pub(crate) fn is_null(text: &str, null_values: &[String]) -> bool {
    text.is_empty() || null_values.iter().any(|null| null == text)
}

struct Reader<'r> {
    raw: &'r RawBatch,
    column: &'r Column,
    null_values: &'r [String],
    faults: Vec<usize>,
}

impl Reader<'_> {
    fn read(mut self) -> (Series, Vec<usize>) {
        let name = self.column.name.as_str().into();
        let micros = TimeUnit::Microseconds;
        let series = match self.column.kind {
            Kind::Integer => Series::new(name, self.values(integer)),
            Kind::Float => Series::new(name, self.values(float)),
            Kind::Boolean => BooleanChunked::from_iter_options(name, self.values(boolean).into_iter()).into_column(),
            Kind::Date => {
                let days = self.times(|instant, _| i32::try_from(instant.div_euclid(DAY)).ok());
                Int32Chunked::from_iter_options(name, days.into_iter()).into_date().into_column()
            }
            Kind::Datetime => {
                let instants = self.times(|instant, _| Some(instant));
                Int64Chunked::from_iter_options(name, instants.into_iter()).into_datetime(micros, None).into_column()
            }
            Kind::Zoned => {
                let instants = self.times(|instant, form| (form == Form::Zoned).then_some(instant));
                let instants = Int64Chunked::from_iter_options(name, instants.into_iter());
                instants.into_datetime(micros, Some(TimeZone::UTC)).into_column()
            }
            Kind::Text | Kind::Empty => {
                let mut builder = StringChunkedBuilder::new(name, self.raw.len());
                self.each(|text| match text {
                    Some(text) => builder.append_value(text),
                    None => builder.append_null(),
                });
                builder.finish().into_column()
            }
        };
        (series, self.faults)
    }

    /// Calls `each` with every field; `None` means no value. A column that the batch does not have yet has none.
    fn each(&self, mut each: impl FnMut(Option<&str>)) {
        let column = self.raw.names.iter().position(|name| *name == self.column.name);
        for row in 0..self.raw.len() {
            let text = column.map_or("", |column| self.raw.field(row, column));
            each((!is_null(text, self.null_values)).then_some(text));
        }
    }

    fn values<T>(&mut self, parse: impl Fn(&str) -> Option<T>) -> Vec<Option<T>> {
        let mut values = Vec::with_capacity(self.raw.len());
        let mut faults = Vec::new();
        self.each(|text| {
            let value = text.and_then(&parse);
            if text.is_some() && value.is_none() {
                faults.push(values.len());
            }
            values.push(value);
        });
        self.faults = faults;
        values
    }

    fn times<T>(&mut self, keep: impl Fn(i64, Form) -> Option<T>) -> Vec<Option<T>> {
        let format = self.column.format.clone();
        self.values(|text| {
            let (instant, form) = match &format {
                Some(format) => times::by_format(format, text)?,
                None => times::iso(text.as_bytes()).or_else(|| times::compact(text.as_bytes()))?,
            };
            keep(instant, form)
        })
    }
}

/// A whole number, also when it is written as `17850.0`.
fn integer(text: &str) -> Option<i64> {
    let whole = text.split_once('.').filter(|(_, zeros)| zeros.bytes().all(|digit| digit == b'0'));
    whole.map_or(text, |(whole, _)| whole).parse().ok()
}

fn float(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn boolean(text: &str) -> Option<bool> {
    let is = |words: [&str; 5]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    match text {
        _ if is(["true", "yes", "1", "t", "y"]) => Some(true),
        _ if is(["false", "no", "0", "f", "n"]) => Some(false),
        _ => None,
    }
}
