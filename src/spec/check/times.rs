//! Columns of times and how they are written.

use jiff::civil;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

use super::super::written;
use super::super::{TimeColumn, TimeReading};
use super::Check;
use crate::error::did_you_mean;
use crate::time::{DAY, Time};

impl Check<'_, '_> {
    pub(super) fn time(&mut self, at: &str, time: written::Time) -> TimeColumn {
        let form = match time {
            written::Time::Column(column) => return unmistakable(column),
            written::Time::Form(form) => form,
        };
        if let Some(zone) = &form.zone {
            self.zone(&format!("{at}.zone"), zone);
        }
        let reading = match (form.format, form.unit) {
            (Some(_), Some(_)) => {
                self.fault(
                    &format!("{at}.format"),
                    "`format` is for times written as texts, `unit` for times written as numbers",
                    "keep the one that fits the column",
                );
                TimeReading::Unmistakable
            }
            (Some(format), None) => {
                self.format(&format!("{at}.format"), &format);
                TimeReading::Format(format)
            }
            (None, Some(unit)) => {
                let origin = form.origin.as_deref().and_then(|origin| self.origin(at, origin, form.zone.as_deref()));
                TimeReading::Number { unit_micros: micros(unit), origin: origin.unwrap_or(Time(0)) }
            }
            (None, None) => TimeReading::Unmistakable,
        };
        if form.origin.is_some() && form.unit.is_none() {
            self.fault(
                &format!("{at}.origin"),
                "`origin` is where numbers of time count from, and no `unit` says what they count",
                "add unit = \"hours\" (or seconds, days …)",
            );
        }
        TimeColumn { column: form.column, reading, zone: form.zone }
    }

    /// The instant of zero: a date or a time, in `zone` unless it says otherwise.
    fn origin(&mut self, at: &str, text: &str, zone: Option<&str>) -> Option<Time> {
        let zone = zone.and_then(|zone| TimeZone::get(zone).ok());
        let civil = text.trim().parse::<civil::DateTime>().ok().filter(|_| text.parse::<jiff::Timestamp>().is_err());
        let there = zone.zip(civil).and_then(|(zone, civil)| civil.to_zoned(zone).ok());
        match there {
            Some(zoned) => Some(Time(zoned.timestamp().as_microsecond())),
            None => self.faults.take(&format!("{at}.origin"), "origin", text.parse()),
        }
    }

    fn zone(&mut self, at: &str, zone: &str) {
        if TimeZone::get(zone).is_ok() {
            return;
        }
        let names: Vec<String> = jiff::tz::db().available().map(|name| name.as_str().to_owned()).collect();
        let hint = match did_you_mean(zone, names.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => "write a place such as \"Europe/Berlin\", or \"UTC\"".to_owned(),
        };
        self.fault(at, format!("\"{zone}\" is not a time zone"), hint);
    }

    pub(super) fn format(&mut self, at: &str, format: &str) {
        let new_year = civil::date(2018, 12, 31).to_zoned(TimeZone::UTC);
        if new_year.is_ok_and(|time| strtime::format(format, &time).is_err()) {
            self.fault(
                at,
                format!("\"{format}\" is not a time format: it has a % letter that means nothing"),
                "%d day, %m month, %Y year, %H hour, %M minute, %S second, %b Dec, %p PM, %z +0100",
            );
            return;
        }
        if !format.contains('%') {
            self.fault(
                at,
                format!("\"{format}\" is not a time format"),
                "write it with % letters: %d-%m-%Y %H:%M for 31-12-2018 23:59",
            );
        }
    }
}

/// A column whose times are written so that they cannot be mistaken.
pub(super) fn unmistakable(column: String) -> TimeColumn {
    TimeColumn { column, reading: TimeReading::Unmistakable, zone: None }
}

fn micros(unit: written::Unit) -> i64 {
    match unit {
        written::Unit::Microseconds => 1,
        written::Unit::Milliseconds => 1_000,
        written::Unit::Seconds => 1_000_000,
        written::Unit::Minutes => 60_000_000,
        written::Unit::Hours => DAY / 24,
        written::Unit::Days => DAY,
        written::Unit::Weeks => 7 * DAY,
    }
}
