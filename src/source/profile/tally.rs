//! One column, counted while it is read.
//!
//! Numbers and times: range, sum, quantiles; texts: shapes and [`Mark`]s; both: missing values, different values, the
//! most frequent ones. While a column has few different values all of that is exact; beyond, quantiles come from a
//! t-digest (Dunning and Ertl 2019, by the `datasketches` crate: best at the tails, where outliers are) and the rest from
//! [`Frequent`].

use datasketches::tdigest::TDigestMut;
use polars::prelude::{Column, DataType};

use super::frequent::{EXACT, Frequent, key_of_bits};
use super::marks::{Mark, Marks, N_MARKS, marks};
use super::shape::{Shapes, shape};
use crate::error::Result;
use crate::source::batch::{instants, trimmed};
use crate::source::contacts::email::Domains;
use crate::source::intern::hash;
use crate::source::times;

/// The key of a missing value.
pub(super) const MISSING: u64 = 0x6D69_7373_696E_6721;
/// Compression of the t-digest: quantiles within a few thousandths of their rank, better at the tails.
const COMPRESSION: u16 = 200;
/// Longer texts are not kept whole.
const KEPT: usize = 64;
/// Whole numbers from here on lose digits in a spreadsheet: it shows twelve digits and more as `1.23E+11`.
const LONG: f64 = 1e11;

/// A column so far.
pub(super) enum Tally {
    /// Numbers, days and instants.
    Numbers(Box<Numbers>),
    /// Texts and booleans.
    Texts(Box<Texts>),
}

/// The numbers of a column, or the microseconds of its times.
pub(super) struct Numbers {
    pub(super) dtype: DataType,
    pub(super) known: u64,
    pub(super) values: Frequent<f64>,
    digest: Option<TDigestMut>,
    pub(super) low: f64,
    pub(super) high: f64,
    /// Sum and number of the rows that the mean is taken over.
    pub(super) sum: f64,
    pub(super) n_summed: u64,
    pub(super) is_whole: bool,
    pub(super) n_negative: u64,
    pub(super) n_zero: u64,
    /// Days written as `20170212`.
    pub(super) n_days: u64,
    /// Numbers of twelve digits and more, and those of them that have at most six digits of their own.
    pub(super) n_long: u64,
    pub(super) n_rounded: u64,
    /// Whole numbers by their number of digits.
    pub(super) digits: [u64; 20],
}

/// The texts of a column.
#[derive(Default)]
pub(super) struct Texts {
    pub(super) known: u64,
    pub(super) values: Frequent<Traits>,
    pub(super) shapes: Shapes,
    /// Rows that bear each mark, of values no longer followed.
    rows: [u64; N_MARKS],
    /// Where a mark was first seen, and how the text there is written.
    first: [Option<(u64, String)>; N_MARKS],
    domains: Domains,
    length: u64,
}

/// What is known of a text.
pub(super) struct Traits {
    /// Its beginning.
    pub(super) text: Box<str>,
    shape: u32,
    pub(super) marks: Marks,
}

impl Tally {
    /// Nothing counted yet.
    pub(super) fn new(dtype: &DataType) -> Self {
        match dtype {
            DataType::String | DataType::Boolean => Self::Texts(Box::default()),
            _ => Self::Numbers(Box::new(Numbers::new(dtype.clone()))),
        }
    }

    /// Counts the values of a column, the first of which stands in `row` of the table; gives a key for each of them.
    pub(super) fn take(&mut self, column: &Column, row: &(dyn Fn(usize) -> u64 + Sync)) -> Result<Vec<u64>> {
        let mut keys = Vec::with_capacity(column.len());
        match self {
            Self::Numbers(numbers) => {
                let mut each = |value: Option<f64>| keys.push(numbers.count(value));
                match column.dtype() {
                    DataType::Int64 => column.i64()?.iter().for_each(|value| each(value.map(|value| value as f64))),
                    DataType::Float64 => column.f64()?.iter().for_each(each),
                    _ => instants(column)?.into_iter().for_each(|value| each(value.map(|value| value as f64))),
                }
            }
            Self::Texts(texts) => {
                let mut left = Vec::new();
                let mut each = |(at, text): (usize, Option<&str>)| keys.push(texts.count(text, &|| row(at), &mut left));
                match column.dtype() {
                    DataType::Boolean => {
                        let word = |value: bool| if value { "true" } else { "false" };
                        column.bool()?.iter().map(|value| value.map(word)).enumerate().for_each(each);
                    }
                    _ => column.str()?.iter().enumerate().for_each(&mut each),
                }
            }
        }
        Ok(keys)
    }

    /// Rows with a value.
    pub(super) fn known(&self) -> u64 {
        match self {
            Self::Numbers(numbers) => numbers.known,
            Self::Texts(texts) => texts.known,
        }
    }

    /// How many different values there are, and whether that is exact.
    pub(super) fn distinct(&self) -> (u64, bool) {
        let (distinct, is_exact) = match self {
            Self::Numbers(numbers) => numbers.values.distinct(),
            Self::Texts(texts) => texts.values.distinct(),
        };
        (distinct.min(self.known()), is_exact)
    }
}

impl Numbers {
    fn new(dtype: DataType) -> Self {
        Self {
            dtype,
            known: 0,
            values: Frequent::default(),
            digest: None,
            low: f64::INFINITY,
            high: f64::NEG_INFINITY,
            sum: 0.0,
            n_summed: 0,
            is_whole: true,
            n_negative: 0,
            n_zero: 0,
            n_days: 0,
            n_long: 0,
            n_rounded: 0,
            digits: [0; 20],
        }
    }

    fn count(&mut self, value: Option<f64>) -> u64 {
        let Some(value) = value.filter(|value| !value.is_nan()) else { return MISSING };
        // Zero has one key, whatever its sign.
        let value = value + 0.0;
        self.known += 1;
        self.low = self.low.min(value);
        self.high = self.high.max(value);
        self.sum += value;
        self.n_summed += 1;
        self.n_negative += u64::from(value < 0.0);
        self.n_zero += u64::from(value == 0.0);
        let key = key_of_bits(value.to_bits());
        if self.digest.is_none() && self.values.slots().len() >= EXACT {
            self.digest = Some(self.digested());
        }
        if let Some(digest) = &mut self.digest {
            digest.update(value);
        }
        let (mut fresh, mut left) = (false, 0);
        self.values.count(
            key,
            || {
                fresh = true;
                value
            },
            &mut |_, _| left += 1,
        );
        if fresh {
            self.is_whole &= value.fract() == 0.0;
        }
        if matches!(self.dtype, DataType::Int64 | DataType::Float64) {
            self.look(value);
        }
        key
    }

    /// Notes how a number would be written.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number below 2^53")]
    fn look(&mut self, value: f64) {
        let size = value.abs();
        if (19_000_101.0..=22_001_231.0).contains(&size) && value > 0.0 {
            let digits = (value as u32).to_string();
            self.n_days += u64::from(value.fract() == 0.0 && times::compact(digits.as_bytes()).is_some());
        }
        if size >= LONG {
            self.n_long += 1;
            let unit = 10_f64.powi(size.log10().floor() as i32 - 5);
            self.n_rounded += u64::from((size / unit).fract() == 0.0);
        }
        if self.is_whole && size < 1e15 {
            let n_digits = (size as u64).checked_ilog10().map_or(1, |log| log as usize + 1);
            self.digits[n_digits] += 1;
        }
    }

    fn digested(&self) -> TDigestMut {
        let mut digest = TDigestMut::new(COMPRESSION).expect("a compression of at least 10");
        for slot in self.values.slots() {
            (0..slot.n).for_each(|_| digest.update(slot.what));
        }
        digest
    }

    /// The mean of all rows.
    pub(super) fn mean(&self) -> f64 {
        self.sum / self.n_summed as f64
    }

    /// The quantiles at these ranks, 0–1.
    pub(super) fn quantiles(&mut self, ranks: &[f64]) -> Vec<f64> {
        if self.known == 0 {
            return Vec::new();
        }
        if let Some(digest) = &mut self.digest {
            let quantiles = digest.quantiles(ranks).ok().flatten().unwrap_or_default();
            // Between whole numbers there are none.
            return quantiles.into_iter().map(|value| if self.is_whole { value.round() } else { value }).collect();
        }
        let sorted = self.sorted();
        let at = |rank: f64| {
            let wanted = rank * (self.known - 1) as f64;
            let mut before = 0;
            sorted
                .iter()
                .find(|(_, n)| {
                    before += n;
                    before as f64 > wanted
                })
                .or(sorted.last())
                .map_or(f64::NAN, |(value, _)| *value)
        };
        ranks.iter().map(|&rank| at(rank)).collect()
    }

    /// How many values lie outside of `low..=high`.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of rows")]
    pub(super) fn n_outside(&mut self, low: f64, high: f64) -> u64 {
        let Some(digest) = &mut self.digest else {
            return self
                .values
                .slots()
                .iter()
                .filter(|slot| slot.what < low || slot.what > high)
                .map(|slot| slot.n)
                .sum();
        };
        let mut rank = |value: f64| digest.rank(value).ok().flatten().unwrap_or_default();
        let below = if low <= self.low { 0.0 } else { rank(low) };
        let above = if high >= self.high { 0.0 } else { 1.0 - rank(high) };
        ((below + above) * self.known as f64).round() as u64
    }

    /// All values with their counts, smallest first; those that are followed when there are many.
    pub(super) fn sorted(&self) -> Vec<(f64, u64)> {
        let mut sorted: Vec<(f64, u64)> = self.values.slots().iter().map(|slot| (slot.what, slot.n)).collect();
        sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        sorted
    }
}

impl Texts {
    fn count(&mut self, text: Option<&str>, row: &dyn Fn() -> u64, left: &mut Vec<(u64, Traits)>) -> u64 {
        let Some(text) = text.map(trimmed).filter(|text| !text.is_empty()) else { return MISSING };
        self.known += 1;
        self.length += text.len() as u64;
        let key = hash(text.as_bytes());
        let Self { values, shapes, first, domains, .. } = self;
        let what = || {
            let traits = Traits { text: beginning(text).into(), shape: shapes.of(text), marks: marks(text, domains) };
            each_mark(traits.marks, |mark| {
                first[mark].get_or_insert_with(|| (row(), shape(text)));
            });
            traits
        };
        values.count(key, what, &mut |n, traits| left.push((n, traits)));
        for (n, traits) in left.drain(..) {
            self.shapes.count(traits.shape, n);
            each_mark(traits.marks, |mark| self.rows[mark] += n);
        }
        key
    }

    /// Counts the values that are still followed, too.
    pub(super) fn close(&mut self) {
        for slot in self.values.slots() {
            self.shapes.count(slot.what.shape, slot.n);
            each_mark(slot.what.marks, |mark| self.rows[mark] += slot.n);
        }
    }

    /// How many rows bear a mark; after [`Texts::close`].
    pub(super) fn rows(&self, mark: Mark) -> u64 {
        self.rows[mark as usize]
    }

    /// Where a mark was first seen, and how the text there is written.
    pub(super) fn first(&self, mark: Mark) -> Option<&(u64, String)> {
        self.first[mark as usize].as_ref()
    }

    /// Mean length of the values in bytes.
    pub(super) fn mean_length(&self) -> f64 {
        self.length as f64 / self.known.max(1) as f64
    }
}

fn each_mark(marks: Marks, mut each: impl FnMut(usize)) {
    let mut rest = marks;
    while rest != 0 {
        each(rest.trailing_zeros() as usize);
        rest &= rest - 1;
    }
}

fn beginning(text: &str) -> &str {
    let mut end = text.len().min(KEPT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
