//! A batch: some rows of a table, typed, with the places where they stand.

use polars::prelude::{BooleanChunked, Column, DataFrame, DataType, NewChunkedArray as _, TimeUnit};

use super::intern::Interner;
use super::ledger::Place;
use crate::error::{Error, Result, did_you_mean};
use crate::time::{DAY, Time};

/// Some rows of a table.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    /// The rows, in columns of the types of [`super::kind::Kind`].
    pub(crate) frame: DataFrame,
    /// The file, or the query.
    pub(crate) place: Place,
    /// Which rows of it.
    pub(crate) rows: RowNumbers,
    /// How many rows the files before this one hold: number and base make a row's number in the table.
    pub(crate) base: u64,
}

/// The numbers of a batch's rows in their file, from 1.
#[derive(Debug, Clone)]
pub(crate) enum RowNumbers {
    /// One after the other.
    From(u64),
    /// With gaps.
    Listed(Vec<u64>),
}

impl RowNumbers {
    /// The number of the batch's `row`th row.
    pub(crate) fn get(&self, row: usize) -> u64 {
        match self {
            Self::From(first) => first + row as u64,
            Self::Listed(rows) => rows[row],
        }
    }

    /// The numbers of the rows that `keep` keeps.
    pub(crate) fn keep(&self, keep: &[bool]) -> Self {
        let kept = keep.iter().enumerate().filter(|(_, keep)| **keep);
        Self::Listed(kept.map(|(row, _)| self.get(row)).collect())
    }
}

impl Batch {
    /// The place of a row, for the ledger.
    pub(crate) fn at(&self, row: usize) -> (Place, u64) {
        (self.place, self.rows.get(row))
    }

    /// The rows that `keep` keeps.
    pub(crate) fn keep(&self, keep: &[bool]) -> Result<Self> {
        let mask = BooleanChunked::from_slice("keep".into(), keep);
        Ok(Self { frame: self.frame.filter(&mask)?, rows: self.rows.keep(keep), ..self.clone() })
    }

    /// A column that is known to be there.
    pub(crate) fn column(&self, name: &str) -> Result<&Column> {
        Ok(self.frame.column(name)?)
    }
}

/// The columns that a table or a query has, for those who look for some.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    /// What has them: a file, or a query.
    pub(crate) holder: String,
    /// Their names.
    pub(crate) names: Vec<String>,
    /// Columns of types that clo does not read.
    pub(crate) unread: Vec<String>,
}

impl Header {
    /// Refuses a column that is not there.
    pub(crate) fn require(&self, name: &str) -> Result<()> {
        if self.names.iter().any(|known| known == name) {
            return Ok(());
        }
        if self.unread.iter().any(|unread| unread == name) {
            let message = format!("column `{name}` of {} is of a type that clo does not read", self.holder);
            return Err(Error::spec(message).hint(
                "clo reads numbers, texts, booleans, dates and times: write the column as one (a decimal as a double)",
            ));
        }
        let names = self.names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let mut error = Error::spec(format!("{} has no column `{name}`", self.holder));
        let near = did_you_mean(name, self.names.iter().map(String::as_str));
        if let [only] = self.names.as_slice()
            && let Some(delimiter) = only.chars().find(|character| [';', '\t', '|', ','].contains(character))
        {
            error = error.hint(format!(
                "it seems to part its columns by {delimiter:?}: tell the table {{ path = \"…\", delimiter = \"{}\" }}",
                delimiter.escape_default()
            ));
        } else if let Some(near) = near {
            error = error.hint(format!("did you mean `{near}`?"));
        }
        Err(error.hint(format!("it has {names}")))
    }
}

/// The text without blanks around it; most have none, which their ends show.
pub(crate) fn trimmed(text: &str) -> &str {
    match text.as_bytes() {
        [only] | [only, .., _] if !only.is_ascii_graphic() => text.trim(),
        [.., last] if !last.is_ascii_graphic() => text.trim(),
        _ => text,
    }
}

/// Calls `each` with the text of every value: numbers as written, whole floats without their `.0`, blanks as nothing.
pub(crate) fn each_text(column: &Column, mut each: impl FnMut(Option<&str>)) -> Result<()> {
    use std::fmt::Write as _;
    let series = column.as_materialized_series();
    let mut text = String::new();
    let mut written = |value: Option<&dyn std::fmt::Display>| {
        text.clear();
        if let Some(value) = value {
            write!(text, "{value}").expect("writing into a string does not fail");
        }
        each((!text.is_empty()).then_some(text.as_str()));
    };
    match series.dtype() {
        DataType::String => {
            for value in series.str()?.iter() {
                each(value.map(trimmed).filter(|value| !value.is_empty()));
            }
        }
        DataType::Int64 => series.i64()?.iter().for_each(|value| match value {
            Some(value) => written(Some(&value)),
            None => written(None),
        }),
        DataType::Float64 => series.f64()?.iter().for_each(|value| match value.filter(|value| value.is_finite()) {
            Some(value) => written(Some(&value)),
            None => written(None),
        }),
        DataType::Boolean => series.bool()?.iter().for_each(|value| match value {
            Some(value) => written(Some(&value)),
            None => written(None),
        }),
        DataType::Date | DataType::Datetime(..) => instants(column)?.into_iter().for_each(|value| match value {
            Some(value) => written(Some(&Time(value))),
            None => written(None),
        }),
        other => return Err(Error::internal(format!("column `{}` is of type {other}", column.name()))),
    }
    Ok(())
}

/// The microseconds of a column of days or instants.
pub(crate) fn instants(column: &Column) -> Result<Vec<Option<i64>>> {
    let series = column.as_materialized_series();
    Ok(match series.dtype() {
        DataType::Date => series.date()?.physical().iter().map(|day| day.map(|day| i64::from(day) * DAY)).collect(),
        _ => series.datetime()?.physical().iter().collect(),
    })
}

/// The codes of a column's texts; `none` is missing.
pub(crate) fn encode(column: &Column, texts: &mut Interner, none: u32, codes: &mut Vec<u32>) -> Result<()> {
    codes.reserve(column.len());
    each_text(column, |text| codes.push(text.map_or(none, |text| texts.intern(text))))
}

/// The frame in the types of [`super::kind::Kind`]; columns of other types are an error.
pub(crate) fn normalise(frame: &DataFrame, holder: &str) -> Result<DataFrame> {
    let height = frame.height();
    let columns = frame.columns().iter().map(|column| normalise_column(column, holder)).collect::<Result<Vec<_>>>()?;
    Ok(DataFrame::new(height, columns)?)
}

/// A column in a type of [`super::kind::Kind`].
pub(crate) fn normalise_column(column: &Column, holder: &str) -> Result<Column> {
    let target = match column.dtype() {
        DataType::Int64
        | DataType::Float64
        | DataType::Boolean
        | DataType::String
        | DataType::Date
        | DataType::Datetime(TimeUnit::Microseconds, _) => return Ok(column.clone()),
        DataType::Datetime(_, zone) => DataType::Datetime(TimeUnit::Microseconds, zone.clone()),
        DataType::Float32 => DataType::Float64,
        dtype if dtype.is_integer() => DataType::Int64,
        dtype if dtype.is_categorical() || dtype.is_enum() || dtype.is_null() => DataType::String,
        other => {
            let message = format!("column `{}` of {holder} is of type {other}", column.name());
            return Err(
                Error::spec(message).hint("clo reads numbers, texts, booleans, dates and times: CAST it to one")
            );
        }
    };
    Ok(column.cast(&target)?)
}
