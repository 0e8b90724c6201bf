//! Times as people write them, read as instants.
//!
//! What cannot be mistaken is read as it is: typed columns, ISO 8601 (`2017-02-12`, `2017-02-12 10:30:00`, with or
//! without a zone) and `20170212`. What could be read in two ways (`01/02/2017`) is never guessed: the error shows both
//! readings and asks for a format. A value without a zone is taken in the zone that the spec tells, else UTC.

mod iso;

pub(crate) use iso::{Form, compact, iso};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use polars::prelude::{Column, DataType};

use super::batch;
use crate::error::{Error, Result};
use crate::spec::{TimeColumn, TimeReading};
use crate::time::{DAY, Time};

/// No value.
pub(crate) const MISSING: i64 = i64::MIN;
/// A value that could not be read.
pub(crate) const UNREADABLE: i64 = i64::MIN + 1;
/// A value before 1900 or after 2200.
pub(crate) const OUT_OF_RANGE: i64 = i64::MIN + 2;

/// Why a text without a told format is no time.
const UNREAD: &str = "the time cannot be read";
/// Why a text with one is none.
const MISFIT: &str = "the time does not fit its `format`";

/// What to do about rows rejected for `reason`, if it is about how times are written.
pub(crate) fn advice(reason: &str, column: &str) -> Option<String> {
    match reason {
        UNREAD => Some(format!(
            "tell how it is written: {{ column = \"{column}\", format = \"%d.%m.%Y %H:%M\" }} for 31.12.2018 23:59"
        )),
        MISFIT => Some("write `format` as the values are written; without it, 2018-12-31 23:59 is read".to_owned()),
        _ => None,
    }
}

/// 1900-01-01 and 2201-01-01: times outside are slips of a keyboard or marks for "never".
const SANE: std::ops::Range<i64> = -25_567 * DAY..84_371 * DAY;

/// Why an instant of a column is none, if it is none.
pub(crate) fn fault(instant: i64, column: &TimeColumn) -> Option<&'static str> {
    match (instant, &column.reading) {
        (MISSING, _) => Some("no time"),
        (UNREADABLE, TimeReading::Format(_)) => Some(MISFIT),
        (UNREADABLE, _) => Some(UNREAD),
        (OUT_OF_RANGE, _) => Some("the time is before 1900 or after 2200"),
        _ => None,
    }
}

/// Reads a column of times, batch by batch.
pub(crate) struct Clock<'s> {
    column: &'s TimeColumn,
    zone: Option<TimeZone>,
    /// An example of a value with a zone and of one without.
    zoned: bool,
    naive: bool,
}

impl<'s> Clock<'s> {
    /// A reader of the column that the spec describes.
    pub(crate) fn new(column: &'s TimeColumn) -> Result<Self> {
        let zone = match column.zone.as_deref() {
            None | Some("UTC") => None,
            Some(name) => Some(TimeZone::get(name).map_err(|_| {
                Error::spec(format!("`{name}` is not a time zone")).hint("write a name such as Europe/Berlin, or UTC")
            })?),
        };
        Ok(Self { column, zone, zoned: false, naive: false })
    }

    /// The instants of a batch: microseconds, or [`MISSING`], [`UNREADABLE`], [`OUT_OF_RANGE`].
    pub(crate) fn read(&mut self, column: &Column) -> Result<Vec<i64>> {
        let mut instants = match (&self.column.reading, column.dtype()) {
            (TimeReading::Number { .. }, DataType::Date | DataType::Datetime(..)) => {
                return Err(Error::spec(format!("column `{}` holds times already, not numbers", self.column.column))
                    .hint("leave out `unit` and `origin`"));
            }
            (_, DataType::Date | DataType::Datetime(..)) => self.typed(column)?,
            (TimeReading::Number { unit_micros, origin }, _) => numbers(column, *unit_micros, *origin)?,
            (TimeReading::Format(format), _) => self.formatted(column, format)?,
            (TimeReading::Unmistakable, DataType::String) => self.texts(column)?,
            (TimeReading::Unmistakable, _) => self.day_numbers(column)?,
        };
        for instant in &mut instants {
            if *instant > OUT_OF_RANGE && !SANE.contains(instant) {
                *instant = OUT_OF_RANGE;
            }
        }
        self.refuse_mixed_zones()?;
        Ok(instants)
    }

    fn typed(&self, column: &Column) -> Result<Vec<i64>> {
        let instants = batch::instants(column)?;
        let zoned = matches!(column.dtype(), DataType::Datetime(_, Some(_)));
        let mut local = Local::of(self.zone.as_ref().filter(|_| !zoned));
        Ok(instants.into_iter().map(|instant| instant.map_or(MISSING, |instant| local.instant(instant))).collect())
    }

    fn texts(&mut self, column: &Column) -> Result<Vec<i64>> {
        let mut local = Local::of(self.zone.as_ref());
        let mut instants = Vec::with_capacity(column.len());
        let mut slashed = Slashed::default();
        for text in column.str()?.iter() {
            let text = text.map_or("", str::trim);
            let (instant, form) = match iso(text.as_bytes()).or_else(|| compact(text.as_bytes())) {
                Some((instant, Form::Zoned)) => (instant, Some(Form::Zoned)),
                Some((instant, form)) => (local.instant(instant), Some(form)),
                None if text.is_empty() => (MISSING, None),
                None => {
                    slashed.note(text);
                    (UNREADABLE, None)
                }
            };
            self.zoned |= form == Some(Form::Zoned);
            self.naive |= form.is_some_and(|form| form != Form::Zoned);
            instants.push(instant);
        }
        slashed.refuse(&self.column.column)?;
        Ok(instants)
    }

    /// Numbers that are days written as `20170212`; other numbers need a unit.
    fn day_numbers(&self, column: &Column) -> Result<Vec<i64>> {
        let mut local = Local::of(self.zone.as_ref());
        let mut instants = Vec::with_capacity(column.len());
        batch::each_text(column, |text| {
            instants.push(match text {
                None => MISSING,
                Some(text) => compact(text.as_bytes()).map_or(UNREADABLE, |(instant, _)| local.instant(instant)),
            });
        })?;
        if instants.contains(&UNREADABLE) && !instants.iter().any(|&instant| instant > OUT_OF_RANGE) {
            let name = &self.column.column;
            return Err(Error::data(format!("column `{name}` holds numbers, and no unit is told")).hint(format!(
                "write {{ column = \"{name}\", unit = \"s\" }} for seconds since 1970, or also `origin`"
            )));
        }
        Ok(instants)
    }

    fn formatted(&self, column: &Column, format: &str) -> Result<Vec<i64>> {
        let mut local = Local::of(self.zone.as_ref());
        let mut instants = Vec::with_capacity(column.len());
        batch::each_text(column, |text| {
            instants.push(match text.map(|text| by_format(format, text)) {
                None => MISSING,
                Some(None) => UNREADABLE,
                Some(Some((instant, Form::Zoned))) => instant,
                Some(Some((instant, _))) => local.instant(instant),
            });
        })?;
        Ok(instants)
    }

    fn refuse_mixed_zones(&self) -> Result<()> {
        if !(self.zoned && self.naive) || self.column.zone.is_some() {
            return Ok(());
        }
        let name = &self.column.column;
        Err(Error::data(format!("column `{name}` has times with a zone and times without one")).hint(format!(
            "tell the zone of the others: {{ column = \"{name}\", zone = \"Europe/Berlin\" }} (or \"UTC\")"
        )))
    }
}

/// A text read by a `strftime` format; without a time of day it is midnight.
pub(crate) fn by_format(format: &str, text: &str) -> Option<(i64, Form)> {
    let read = strtime::parse(format, text).ok()?;
    if read.offset().is_some() {
        return read.to_timestamp().ok().map(|instant| (instant.as_microsecond(), Form::Zoned));
    }
    if read.hour().is_none() {
        return read
            .to_date()
            .ok()
            .map(|date| (civil_micros(date.to_datetime(jiff::civil::Time::midnight())), Form::Date));
    }
    read.to_datetime().ok().map(|at| (civil_micros(at), Form::Naive))
}

/// Microseconds from 1970-01-01 on the same calendar and clock.
fn civil_micros(at: DateTime) -> i64 {
    at.to_zoned(TimeZone::UTC).map_or(UNREADABLE, |at| at.timestamp().as_microsecond())
}

fn numbers(column: &Column, unit_micros: i64, origin: Time) -> Result<Vec<i64>> {
    let whole = |value: i64| value.checked_mul(unit_micros).and_then(|micros| micros.checked_add(origin.0));
    let mut instants = Vec::with_capacity(column.len());
    batch::each_text(column, |text| {
        instants.push(match text {
            None => MISSING,
            Some(text) => match (text.parse::<i64>(), text.parse::<f64>()) {
                (Ok(value), _) => whole(value).map_or(OUT_OF_RANGE, |instant| instant.max(OUT_OF_RANGE)),
                (_, Ok(value)) => fraction(value, unit_micros, origin),
                _ => UNREADABLE,
            },
        });
    })?;
    Ok(instants)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a time to the microsecond; casts saturate"
)]
fn fraction(value: f64, unit_micros: i64, origin: Time) -> i64 {
    if !value.is_finite() {
        return UNREADABLE;
    }
    ((value * unit_micros as f64).round() as i64).saturating_add(origin.0).max(OUT_OF_RANGE)
}

/// Calendar times of a zone as instants. Most days have one offset: it is looked up once for a run of equal days.
struct Local<'z> {
    zone: Option<&'z TimeZone>,
    day: i64,
    offset: Option<i64>,
}

impl<'z> Local<'z> {
    fn of(zone: Option<&'z TimeZone>) -> Self {
        Self { zone, day: i64::MIN, offset: None }
    }

    /// The instant at which clocks of the zone show `civil`.
    fn instant(&mut self, civil: i64) -> i64 {
        let Some(zone) = self.zone else { return civil };
        let day = civil.div_euclid(DAY);
        if day != self.day {
            self.day = day;
            let (start, end) = (offset_at(zone, day * DAY), offset_at(zone, (day + 1) * DAY));
            self.offset = start.filter(|_| start == end);
        }
        match self.offset.or_else(|| offset_at(zone, civil)) {
            Some(offset) => civil - offset,
            None => OUT_OF_RANGE,
        }
    }
}

/// The zone's offset from UTC in microseconds when its clocks show `civil`.
fn offset_at(zone: &TimeZone, civil: i64) -> Option<i64> {
    let shown = Timestamp::from_microsecond(civil).ok()?.to_zoned(TimeZone::UTC).datetime();
    let instant = zone.to_timestamp(shown).ok()?;
    Some(civil - instant.as_microsecond())
}

/// Dates like `01/02/2017`, which are never guessed.
#[derive(Default)]
struct Slashed {
    first: Option<(String, u8, u8, String)>,
    only_day_first: Option<String>,
    only_month_first: Option<String>,
}

impl Slashed {
    fn note(&mut self, text: &str) {
        let Some((a, b, mark, year)) = day_and_month(text) else { return };
        match (a > 12, b > 12) {
            (true, false) => self.only_day_first.get_or_insert_with(|| text.to_owned()),
            (false, true) => self.only_month_first.get_or_insert_with(|| text.to_owned()),
            _ => &mut String::new(),
        };
        // `01/01/2024` does not show what is in doubt.
        self.first.take_if(|(_, first_a, first_b, _)| first_a == first_b && a != b);
        self.first.get_or_insert_with(|| {
            let rest = if text.contains(':') { " %H:%M" } else { "" };
            let seconds = if text.matches(':').count() > 1 { ":%S" } else { "" };
            let year = if year == 4 { "%Y" } else { "%y" };
            (text.to_owned(), a, b, format!("{mark}{year}{rest}{seconds}"))
        });
    }

    fn refuse(&self, column: &str) -> Result<()> {
        let Some((text, a, b, end)) = &self.first else { return Ok(()) };
        let mark = &end[..1];
        let day_first = format!("{{ column = \"{column}\", format = \"%d{mark}%m{end}\" }}");
        let month_first = format!("{{ column = \"{column}\", format = \"%m{mark}%d{end}\" }}");
        let message = match (&self.only_day_first, &self.only_month_first) {
            _ if *a <= 12 && *b <= 12 => {
                format!("column `{column}` has `{text}`, which can be day {a} of month {b} or day {b} of month {a}")
            }
            _ => format!("column `{column}` has `{text}`, and its format is not told"),
        };
        let error = Error::data(message);
        Err(match (&self.only_day_first, &self.only_month_first) {
            (Some(seen), None) => error.hint(format!("`{seen}` can only be day first: write {day_first}")),
            (None, Some(seen)) => error.hint(format!("`{seen}` can only be month first: write {month_first}")),
            _ => error
                .hint(format!("write {day_first} if the day stands first"))
                .hint(format!("write {month_first} if the month does")),
        })
    }
}

/// The first two numbers, the mark between them and the digits of the year of `01/02/2017`, `1.2.17` or `01-02-2017 10:30`.
pub(crate) fn day_and_month(text: &str) -> Option<(u8, u8, char, usize)> {
    let date = text.split_ascii_whitespace().next()?;
    let mark = date.chars().find(|character| ['/', '-', '.'].contains(character))?;
    let parts: Vec<&str> = date.split(mark).collect();
    let [a, b, year] = parts.as_slice() else { return None };
    let number = |part: &str| part.parse::<u8>().ok().filter(|number| part.len() <= 2 && (1..=31).contains(number));
    let year_digits = year.bytes().all(|byte| byte.is_ascii_digit()) && [2, 4].contains(&year.len());
    year_digits.then_some((number(a)?, number(b)?, mark, year.len()))
}

#[cfg(test)]
mod tests;
