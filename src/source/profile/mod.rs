//! What each column of a table holds, counted while the table is read, and what in it looks wrong.
//!
//! In: the batches of a table, once. Out: a [`ColumnProfile`] per column and the [`Suspicion`]s of the table. Memory is
//! bounded by the number of columns (about 2 MB each) and 16 bytes per row for repeated rows; of a table of more than
//! [`WHOLE`] rows, one row in k is looked at closely (missing values, range, mean and different values are of all rows).
//!
//! - `tally`: one column; `frequent`: values and their counts; `distinct`: how many there are; `marks` and `shape`: what can be seen in one text;
//! - `semantic`: what a column means;
//! - `rows`, `shifted`, `reach`: repeated rows, rows that moved to the side, telephone numbers and postcodes;
//! - `suspect`: what looks wrong in a column.
//!
//! Values are shown only where they say nothing about one person: never of contact data, ids and free text, and only
//! those that several rows share.

mod bulk;
mod distinct;
mod frequent;
mod marks;
mod reach;
mod rows;
mod semantic;
mod shape;
mod shifted;
mod suspect;
mod tally;

pub use semantic::Semantic;
pub(crate) use shape::shape;
pub use suspect::Suspicion;

use polars::prelude::{Column, DataFrame, DataType, IdxCa, NewChunkedArray as _};
use rayon::prelude::*;

use self::bulk::Bulk;
use self::marks::Mark;
use self::reach::Reach;
use self::rows::Rows;
use self::semantic::{NumberEvidence, TextEvidence, of_numbers, of_texts};
use self::shifted::Shifted;
use self::tally::{Numbers, Tally, Texts};
use super::batch::Batch;
use crate::error::Result;
use crate::time::Time;

/// The properties of larger tables that nobody names are not read at all.
pub(crate) const FULL_UP_TO: u64 = 2_000_000;
/// Of larger tables one row in some is looked at closely, of so many rows in all.
const WHOLE: u64 = 1 << 20;
const SAMPLE: u64 = 1 << 18;
/// Rows are taken in slices of this many.
const SLICE: usize = 1 << 16;
/// How many of the most frequent values and shapes are kept.
const TOP: usize = 10;
/// A text is shown when so many rows share it.
const SHARED_BY: u64 = 5;
/// The ranks of [`ColumnProfile::quantiles`].
pub const RANKS: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

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
    /// Different values.
    pub distinct: u64,
    /// Whether `distinct` is exact; else it is within about 1 %.
    pub distinct_is_exact: bool,
    /// The smallest number or time.
    pub min: Option<String>,
    /// The largest number or time.
    pub max: Option<String>,
    /// The mean of numbers.
    pub mean: Option<f64>,
    /// The numbers or times at [`RANKS`].
    pub quantiles: Vec<String>,
    /// How many numbers lie three times the quartiles' distance and more outside of the quartiles (Tukey's "far out");
    /// of positive numbers skewed to the right, on the scale of their logarithms.
    pub outliers: Option<u64>,
    /// The most frequent values with their counts, most frequent first; none where they could tell who someone is.
    pub top_values: Vec<(String, u64)>,
    /// How texts are written (`9` a digit, `a` and `A` letters), the most frequent first.
    pub patterns: Vec<(String, u64)>,
    /// What the column seems to mean.
    pub semantic_type: Semantic,
    /// Rows that quantiles, outliers, values and patterns were taken from: all, or one in some of a large table.
    pub rows_sampled: u64,
}

/// The columns of a table so far.
pub(crate) struct ProfileGather {
    table: String,
    /// One row in so many is looked at closely.
    every: u64,
    n_rows: u64,
    n_seen: u64,
    country: Option<String>,
    columns: Vec<Counted>,
    rows: Rows,
    shifted: Shifted,
    reach: Option<Reach>,
}

/// A column so far: `tally` of the rows that are looked at closely, `bulk` of all rows of a large table.
struct Counted {
    name: String,
    dtype: DataType,
    tally: Tally,
    bulk: Option<Bulk>,
}

impl ProfileGather {
    /// Nothing counted yet, of a table with so many rows; `country` is where telephone numbers are dialled.
    pub(crate) fn new(table: &str, n_rows: u64, country: Option<&str>) -> Self {
        Self {
            table: table.to_owned(),
            every: if n_rows <= WHOLE { 1 } else { n_rows.div_ceil(SAMPLE) },
            n_rows,
            n_seen: 0,
            country: country.map(str::to_owned),
            columns: Vec::new(),
            rows: Rows::default(),
            shifted: Shifted::default(),
            reach: None,
        }
    }

    /// Counts the rows of a batch.
    pub(crate) fn take(&mut self, batch: &Batch) -> Result<()> {
        let frame = &batch.frame;
        if self.columns.is_empty() {
            self.begin(frame);
        }
        if self.every == 1 {
            for start in (0..frame.height()).step_by(SLICE) {
                let slice = frame.slice(i64::try_from(start).expect("a batch is small"), SLICE);
                self.look(&slice, &|row| batch.base + batch.rows.get(start + row))?;
            }
        } else {
            let pairs = self.columns.par_iter_mut().zip(frame.columns());
            pairs.try_for_each(|(counted, column)| counted.bulk.as_mut().map_or(Ok(()), |bulk| bulk.take(column)))?;
            let (sample, places) = self.sample(frame)?;
            self.look(&sample, &|row| batch.base + batch.rows.get(places[row]))?;
        }
        self.n_seen += frame.height() as u64;
        Ok(())
    }

    fn begin(&mut self, frame: &DataFrame) {
        let is_large = self.every > 1;
        let counted = |column: &Column| Counted {
            name: column.name().to_string(),
            dtype: column.dtype().clone(),
            tally: Tally::new(column.dtype()),
            bulk: is_large.then(Bulk::default),
        };
        self.columns = frame.columns().iter().map(counted).collect();
        self.rows = Rows::new(frame.columns().iter().map(|column| column.name().as_str()));
        self.reach = Some(Reach::new(frame.columns(), self.n_rows / self.every, self.country.as_deref()));
    }

    /// One row of each `every`, at a place among them that changes from one to the next; with the places in the batch.
    fn sample(&self, frame: &DataFrame) -> Result<(DataFrame, Vec<usize>)> {
        let (start, end) = (self.n_seen, self.n_seen + frame.height() as u64);
        let place = |group: u64| group * self.every + frequent::key_of_bits(group) % self.every;
        let rows = (start / self.every..=end / self.every).map(place).filter(|row| (start..end).contains(row));
        let index: Vec<u32> = rows.map(|row| u32::try_from(row - start).expect("a batch is small")).collect();
        let sample = frame.take(&IdxCa::from_slice("row".into(), &index))?;
        Ok((sample, index.into_iter().map(|row| row as usize).collect()))
    }

    /// Looks closely at rows; `number` gives their numbers in the table.
    fn look(&mut self, frame: &DataFrame, number: &(dyn Fn(usize) -> u64 + Sync)) -> Result<()> {
        let pairs = self.columns.par_iter_mut().zip(frame.columns());
        let keys = pairs.map(|(counted, column)| counted.tally.take(column, number)).collect::<Result<Vec<_>>>()?;
        if self.every == 1 {
            let names = frame.columns().iter().map(|column| column.name().as_str());
            self.rows.take(&names.zip(keys).collect::<Vec<_>>(), number);
        }
        self.shifted.take(frame, number)?;
        self.reach.as_mut().map_or(Ok(()), |reach| reach.take(frame, number))
    }

    /// The profiles of all columns, and what looks wrong.
    pub(crate) fn finish(self) -> (Vec<ColumnProfile>, Vec<Suspicion>) {
        let Self { table, every, n_seen, columns, rows, shifted, reach, .. } = self;
        let finish = |counted: Counted| {
            let (profile, mut tally) = counted.profile(&table, n_seen, every);
            let found = suspect::of_column(&profile, &mut tally);
            (profile, found)
        };
        let (profiles, found): (Vec<ColumnProfile>, Vec<Vec<Suspicion>>) = columns.into_par_iter().map(finish).unzip();
        let mut suspects: Vec<Suspicion> = found.into_iter().flatten().collect();
        suspect::corroborate(&mut suspects);
        let (repeated, ids) = rows.finish();
        suspects.extend(suspect::of_rows(&table, repeated, ids, &profiles));
        suspects.extend(suspect::of_shifted(&table, &shifted, n_seen));
        suspects.extend(suspect::of_reach(&table, &reach.map(Reach::finish).unwrap_or_default(), &profiles));
        for suspect in &mut suspects {
            suspect.scale(every);
        }
        (profiles, suspects)
    }
}

impl Counted {
    fn profile(mut self, table: &str, rows: u64, every: u64) -> (ColumnProfile, Tally) {
        let known = self.bulk.as_ref().map_or(self.tally.known(), |bulk| bulk.known);
        let (distinct, is_exact) = self.bulk.as_ref().map_or_else(|| self.tally.distinct(), Bulk::distinct);
        let distinct = distinct.min(known);
        let semantic_type = self.semantic(distinct);
        let is_shown = !semantic_type.is_personal();
        let mut profile = ColumnProfile {
            table: table.to_owned(),
            column: self.name.clone(),
            column_type: type_name(&self.dtype).to_owned(),
            rows,
            nulls: rows - known,
            distinct,
            distinct_is_exact: is_exact,
            min: None,
            max: None,
            mean: None,
            quantiles: Vec::new(),
            outliers: None,
            top_values: Vec::new(),
            patterns: Vec::new(),
            semantic_type,
            rows_sampled: rows.div_ceil(every),
        };
        match &mut self.tally {
            Tally::Numbers(numbers) if is_shown => self.bulk.iter().for_each(|bulk| bulk.widen(numbers)),
            _ => {}
        }
        match &mut self.tally {
            Tally::Numbers(numbers) if is_shown => numeric(&mut profile, numbers, &self.dtype),
            Tally::Numbers(_) => {}
            Tally::Texts(texts) => textual(&mut profile, texts, is_shown, &self.dtype),
        }
        (profile, self.tally)
    }

    /// What the column means; closes the tally.
    fn semantic(&mut self, distinct: u64) -> Semantic {
        let known = self.tally.known();
        match &mut self.tally {
            _ if known == 0 => Semantic::Empty,
            Tally::Numbers(_) if !is_number(&self.dtype) => {
                if distinct == 1 {
                    Semantic::Constant
                } else {
                    Semantic::Time
                }
            }
            Tally::Numbers(numbers) => {
                let &Numbers { low, high, is_whole, n_days, .. } = &**numbers;
                let distinct = if self.bulk.is_some() { numbers.values.distinct().0.min(known) } else { distinct };
                of_numbers(
                    &self.name,
                    &NumberEvidence { known, distinct, low, high, is_whole, is_day: n_days == known },
                )
            }
            Tally::Texts(texts) => {
                texts.close();
                let distinct = if self.bulk.is_some() { texts.values.distinct().0.min(known) } else { distinct };
                let rows = |mark: Mark| texts.rows(mark);
                of_texts(&self.name, &TextEvidence { known, distinct, rows: &rows, length: texts.mean_length() })
            }
        }
    }
}

fn numeric(profile: &mut ColumnProfile, numbers: &mut Numbers, dtype: &DataType) {
    if numbers.known == 0 {
        return;
    }
    profile.min = Some(show(numbers.low, dtype));
    profile.max = Some(show(numbers.high, dtype));
    let quantiles = numbers.quantiles(&RANKS);
    profile.quantiles = quantiles.iter().map(|&value| show(value, dtype)).collect();
    if is_number(dtype) {
        profile.mean = Some(numbers.mean());
        let (low, high) = fences(&quantiles, numbers.low);
        profile.outliers = Some(numbers.n_outside(low, high));
    }
    let mut top: Vec<(f64, u64)> = numbers.sorted();
    top.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let shown = top.into_iter().filter(|(_, n)| *n >= SHARED_BY).take(TOP);
    profile.top_values = shown.map(|(value, n)| (show(value, dtype), n)).collect();
}

/// Three times the quartiles' distance outside of them; on the scale of logarithms where positive numbers are skewed to the
/// right. Without a distance there are none.
fn fences(quantiles: &[f64], least: f64) -> (f64, f64) {
    let [_, first, median, third, _] = quantiles else { return (f64::NEG_INFINITY, f64::INFINITY) };
    let around = |first: f64, third: f64| (first - 3.0 * (third - first), third + 3.0 * (third - first));
    if first >= third {
        (f64::NEG_INFINITY, f64::INFINITY)
    } else if least > 0.0 && third - median > 1.5 * (median - first) {
        let (low, high) = around(first.ln(), third.ln());
        (low.exp(), high.exp())
    } else {
        around(*first, *third)
    }
}

fn textual(profile: &mut ColumnProfile, texts: &Texts, is_shown: bool, dtype: &DataType) {
    if is_shown {
        let slots = texts.values.slots().iter().filter(|slot| slot.n >= SHARED_BY);
        let mut top: Vec<(String, u64)> = slots.map(|slot| (slot.what.text.to_string(), slot.n)).collect();
        top.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        top.truncate(TOP);
        profile.top_values = top;
    }
    if dtype == &DataType::String {
        profile.patterns = texts.shapes.top(TOP);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "it came from an integer")]
fn show(value: f64, dtype: &DataType) -> String {
    match dtype {
        DataType::Date | DataType::Datetime(..) => Time(value as i64).to_string(),
        _ => value.to_string(),
    }
}

fn is_number(dtype: &DataType) -> bool {
    matches!(dtype, DataType::Int64 | DataType::Float64)
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
