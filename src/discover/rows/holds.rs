//! What a column must hold for the model, and its values as cells: of texts one by one, of typed columns as they are.

use polars::prelude::{Column as Series, DataType};

use crate::discover::attributes::{AttributeValues, OTHER};
use crate::discover::table::NO_LEVEL;
use crate::error::Result;
use crate::source::{Interner, Kind, is_truth};
use crate::time::{DAY, Time};

/// What the model needs of a column.
#[derive(Debug)]
pub(super) enum Holds {
    Number,
    /// Days before the cutoff.
    Date,
    Category(Levels),
}

/// The levels of a category.
#[derive(Debug)]
pub(super) struct Levels {
    pub(super) texts: Vec<String>,
    codes: Interner,
    /// What a level counts as that is none of these.
    other: u32,
    /// Whether they are `true` and `false`, in whatever case a text writes them.
    truths: bool,
}

/// What was found in a column beside what fits.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// Rows whose value is not what it should be.
    pub(super) unfit: Vec<usize>,
    /// Rows with a level that the recipe does not know.
    pub(super) n_unseen: u64,
}

impl Values {
    pub(super) fn numbers<'t>(&mut self, texts: impl Iterator<Item = Option<&'t str>>) -> Vec<f32> {
        let number = |(row, text): (usize, Option<&str>)| match text.map(str::parse::<f64>) {
            None => f32::NAN,
            Some(Ok(number)) => narrow(number),
            Some(Err(_)) => {
                self.unfit.push(row);
                f32::NAN
            }
        };
        texts.enumerate().map(number).collect()
    }

    /// Days from instants to the cutoff; one at or after it was not known and is missing. `Some(None)` is no instant.
    pub(super) fn days(&mut self, instants: impl Iterator<Item = Option<Option<i64>>>, end: Time) -> Vec<f32> {
        let days = |(row, instant): (usize, Option<Option<i64>>)| match instant {
            Some(Some(instant)) if instant < end.0 => narrow((end.0.saturating_sub(instant)) as f64 / DAY as f64),
            Some(None) => {
                self.unfit.push(row);
                f32::NAN
            }
            _ => f32::NAN,
        };
        instants.enumerate().map(days).collect()
    }
}

impl Holds {
    pub(super) fn of(values: &AttributeValues) -> Self {
        match values {
            AttributeValues::Number => Self::Number,
            AttributeValues::Date => Self::Date,
            AttributeValues::Category(levels) => Self::Category(Levels::new(levels)),
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Number => "numbers",
            Self::Date => "dates",
            Self::Category(_) => "texts",
        }
    }

    /// Whether values of a kind can be what is wanted; texts are looked at one by one.
    pub(super) fn takes(&self, kind: Kind) -> bool {
        match self {
            Self::Number => !matches!(kind, Kind::Date | Kind::Datetime | Kind::Zoned),
            Self::Date => matches!(kind, Kind::Date | Kind::Datetime | Kind::Zoned | Kind::Text | Kind::Empty),
            Self::Category(_) => true,
        }
    }
}

impl Levels {
    fn new(texts: &[String]) -> Self {
        let mut codes = Interner::default();
        for text in texts {
            codes.intern(text);
        }
        let truths = texts.iter().all(|text| text == "true" || text == "false");
        let other = codes.find(OTHER).unwrap_or(NO_LEVEL);
        Self { texts: texts.to_vec(), codes, other, truths }
    }

    pub(super) fn code(&self, text: Option<&str>, found: &mut Values) -> u32 {
        let Some(text) = text else { return NO_LEVEL };
        let known = self.codes.find(text);
        let known = known.or_else(|| {
            let is_truth = self.truths && is_truth(text);
            is_truth.then(|| self.codes.find(&text.to_ascii_lowercase())).flatten()
        });
        known.unwrap_or_else(|| {
            found.n_unseen += u64::from(self.other == NO_LEVEL);
            self.other
        })
    }
}

/// A number column in single precision; what is missing is NaN.
pub(super) fn typed_numbers(column: &Series) -> Result<Vec<f32>> {
    let mut values = Vec::with_capacity(column.len());
    if let DataType::Float32 = column.dtype() {
        for part in column.f32()?.downcast_iter() {
            match part.validity() {
                None => values.extend_from_slice(part.values()),
                Some(_) => values.extend(part.iter().map(|value| value.copied().unwrap_or(f32::NAN))),
            }
        }
        return Ok(values);
    }
    let doubles = column.cast(&DataType::Float64)?;
    for part in doubles.f64()?.downcast_iter() {
        match part.validity() {
            None => values.extend(part.values().iter().map(|&value| narrow(value))),
            Some(_) => values.extend(part.iter().map(|value| value.map_or(f32::NAN, |&value| narrow(value)))),
        }
    }
    Ok(values)
}

#[expect(clippy::cast_possible_truncation, reason = "features are 32-bit floats")]
fn narrow(value: f64) -> f32 {
    value as f32
}
