//! What the cells of a file of outcomes say: times, numbers, yes or no. No cell is quoted that could be about anyone.

use polars::prelude::{Column, DataType, StringChunked};

use crate::error::{Error, Result};
use crate::expand::scores::as_text;
use crate::source;
use crate::time::Time;

/// When each row happened.
pub(super) fn instants(column: &Column, format: Option<&str>, file: &str) -> Result<Vec<Option<Time>>> {
    let times = source::instants(column, format).map_err(|error| asked_of_the_command(&error, column).context(file))?;
    let unread = times.iter().filter(|time| time.is_none()).count();
    if unread == 0 {
        return Ok(times);
    }
    Err(Error::data(format!("{file}, column `{}`: {unread} of {} values are no time", column.name(), times.len()))
        .hint("write times as 2018-12-31 or 2018-12-31T23:59, or tell their form with --time-format; or name another column with --time"))
}

/// The hints of a spec's column of times as those of a command: `--time-format "%d.%m.%Y"`.
fn asked_of_the_command(error: &Error, column: &Column) -> Error {
    let key = format!("{{ column = \"{}\", format = ", column.name());
    let same = Error::new(error.kind(), error.message());
    let hints = error.hints().iter().map(|hint| hint.replace(&key, "--time-format ").replace("\" }", "\""));
    hints.fold(same, Error::hint)
}

/// What each row was worth; nothing is 0.
pub(super) fn numbers(column: &Column, file: &str) -> Result<Vec<f64>> {
    let fault = |what: &str| {
        Error::data(format!("{file}, column `{}` {what}", column.name()))
            .hint("a value is a number, such as 12.50; nothing counts as 0")
    };
    if *column.dtype() == DataType::String {
        return with_decimal_commas(&as_text(column)?).ok_or_else(|| fault("does not hold numbers"));
    }
    if !column.dtype().is_primitive_numeric() && *column.dtype() != DataType::Null {
        return Err(fault("does not hold numbers"));
    }
    let numbers = column.cast(&DataType::Float64)?;
    let values: Vec<f64> = numbers.f64()?.iter().map(|value| value.unwrap_or(0.0)).collect();
    if values.iter().all(|value| value.is_finite()) {
        Ok(values)
    } else {
        Err(fault("holds a number that is not finite"))
    }
}

/// The numbers of texts such as `12,50` and `1.234,50`; `None` when one is something else, or when all could be thousands too.
fn with_decimal_commas(texts: &StringChunked) -> Option<Vec<f64>> {
    let mut is_sure = false;
    let mut read = |text: Option<&str>| {
        let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Some(0.0) };
        let (whole, cents) = text.split_once(',').unwrap_or((text, ""));
        is_sure |= !cents.is_empty() && cents.len() != 3;
        let is_grouped = whole.split('.').skip(1).all(|group| group.len() == 3);
        format!("{}.{cents}", whole.replace('.', "")).parse().ok().filter(|_| is_grouped)
    };
    let values: Option<Vec<f64>> = texts.iter().map(&mut read).collect();
    values.filter(|_| is_sure)
}

/// What people write for yes and for no; nothing is no.
pub(super) fn yes_or_no(column: &Column, file: &str) -> Result<Vec<bool>> {
    let texts = as_text(column)?;
    let read = |(row, text): (usize, Option<&str>)| match text.map(|text| text.trim().to_lowercase()).as_deref() {
        Some("1" | "yes" | "y" | "true" | "t" | "ja" | "j" | "oui" | "si" | "sí" | "sim") => Ok(true),
        Some("0" | "no" | "n" | "false" | "f" | "nein" | "non" | "não" | "nao" | "") | None => Ok(false),
        Some(_) => Err(Error::data(format!("{file}, row {}: `{}` is neither yes nor no", row + 1, column.name()))
            .hint("write 1 and 0, yes and no, or true and false; or name another column with --converted")),
    };
    texts.iter().enumerate().map(read).collect()
}
