//! Instants, durations and the half-open spans that meet at the cutoff.
//!
//! An instant is a [`Time`]: microseconds since 1970-01-01T00:00:00 UTC, the unit of every time column that clo reads
//! or writes. A [`Duration`] is what a person writes in `clo.toml`: `7d`, `12h`, `6mo`. What is known at a cutoff is
//! `[.., cutoff)`, what is predicted is `[cutoff, cutoff + horizon)`: no instant is in both.

use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp, civil};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Microseconds in a day.
pub const DAY: i64 = 86_400_000_000;

/// An instant: microseconds since the Unix epoch, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

impl Time {
    /// Later than any instant in any data: the end of a stay that has not ended.
    pub const NEVER: Self = Self(i64::MAX);

    /// Days from `earlier` to this instant; negative when `earlier` is later.
    #[must_use]
    pub fn days_since(self, earlier: Self) -> f64 {
        self.0.saturating_sub(earlier.0) as f64 / DAY as f64
    }

    /// The instant a duration later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        self.shift(duration, 1)
    }

    /// The instant a duration earlier.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        self.shift(duration, -1)
    }

    fn shift(self, duration: Duration, sign: i64) -> Self {
        let micros = self.0.saturating_add(sign.saturating_mul(duration.micros));
        if duration.months == 0 {
            return Self(micros);
        }
        let moved = Timestamp::from_microsecond(micros).ok().and_then(|instant| {
            let months = Span::new().try_months(sign * i64::from(duration.months)).ok()?;
            instant.to_zoned(TimeZone::UTC).checked_add(months).ok()
        });
        moved.map_or(Self(if sign > 0 { i64::MAX } else { i64::MIN }), |zoned| Self(zoned.timestamp().as_microsecond()))
    }

    /// This instant as a civil date and time in UTC, for people to read.
    #[must_use]
    pub fn civil(self) -> Option<civil::DateTime> {
        Timestamp::from_microsecond(self.0).ok().map(|instant| instant.to_zoned(TimeZone::UTC).datetime())
    }
}

impl fmt::Display for Time {
    /// `2018-09-01` at midnight UTC, else `2018-09-01T12:30:00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.civil() {
            None => write!(f, "never"),
            Some(at) if at.time() == civil::Time::midnight() => write!(f, "{}", at.date()),
            Some(at) => write!(f, "{at}"),
        }
    }
}

impl Time {
    /// Without the microsecond by which the end of data lies after their last event.
    #[must_use]
    pub fn at_last_event(self) -> Self {
        if self.0.rem_euclid(1_000_000) == 1 { Self(self.0 - 1) } else { self }
    }

    /// How people name the start of what follows on data.
    #[must_use]
    pub fn as_a_start(self) -> String {
        let last = self.at_last_event();
        if last == self { format!("at {self}") } else { format!("after {last}") }
    }
}

impl FromStr for Time {
    type Err = Error;

    /// ISO 8601: a date, a date and time (UTC unless it says otherwise).
    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        let instant = text.parse::<Timestamp>().or_else(|_| {
            text.parse::<civil::DateTime>().and_then(|at| at.to_zoned(TimeZone::UTC)).map(|at| at.timestamp())
        });
        instant.map(|at| Self(at.as_microsecond())).map_err(|_| {
            Error::usage(format!("`{text}` is not a time"))
                .hint("write a date as 2018-09-01 or a time as 2018-09-01T12:30:00Z")
        })
    }
}

/// Whether `now` is no later than `within` after `since`. The calendar is asked only when it may matter: it is slow.
#[must_use]
pub fn is_within(since: Time, within: Duration, now: Time) -> bool {
    end_of_span(since, within, Time(now.0.saturating_sub(1))).is_none()
}

/// When a span that began at `since` has lasted `after`, if that is no later than `until`. The calendar is asked only when
/// it may matter: it is slow, and most spans are far from their end.
#[must_use]
pub fn end_of_span(since: Time, after: Duration, until: Time) -> Option<Time> {
    let at_least = after.micros.saturating_add(i64::from(after.months) * 28 * DAY);
    if since.0.saturating_add(at_least) > until.0 {
        return None;
    }
    Some(since.plus(after)).filter(|&at| at <= until)
}

/// A span as people write it: whole months, and microseconds beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Duration {
    /// Calendar months (`6mo`, `1y` is twelve).
    pub months: i32,
    /// Microseconds (`7d`, `12h`, `30m`, `2w`).
    pub micros: i64,
}

impl Duration {
    /// A duration of whole days.
    #[must_use]
    pub const fn days(days: i64) -> Self {
        Self { months: 0, micros: days * DAY }
    }

    /// Length in days, a month counted as 365.25 / 12 days.
    #[must_use]
    pub fn in_days(self) -> f64 {
        f64::from(self.months) * 365.25 / 12.0 + self.micros as f64 / DAY as f64
    }
}

impl FromStr for Duration {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = || {
            Error::usage(format!("`{text}` is not a duration"))
                .hint("write a number and a unit: 12h, 7d, 2w, 6mo or 1y")
        };
        let text = text.trim();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let number: i64 = text[..digits].parse().map_err(|_| refuse())?;
        let micros = |unit: SignedDuration| {
            let unit = i64::try_from(unit.as_micros()).expect("a unit is at most a week");
            number.checked_mul(unit).map(|micros| Self { months: 0, micros })
        };
        let months = |each: i64| {
            number.checked_mul(each).and_then(|all| i32::try_from(all).ok()).map(|months| Self { months, micros: 0 })
        };
        let duration = match text[digits..].trim() {
            "s" => micros(SignedDuration::from_secs(1)),
            "m" | "min" => micros(SignedDuration::from_mins(1)),
            "h" => micros(SignedDuration::from_hours(1)),
            "d" => micros(SignedDuration::from_hours(24)),
            "w" => micros(SignedDuration::from_hours(24 * 7)),
            "mo" => months(1),
            "y" => months(12),
            _ => None,
        };
        duration.filter(|duration| *duration > Self::default()).ok_or_else(refuse)
    }
}

impl TryFrom<String> for Duration {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Duration> for String {
    fn from(duration: Duration) -> Self {
        duration.to_string()
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(i64, &str); 4] = [(DAY, "d"), (DAY / 24, "h"), (DAY / 24 / 60, "min"), (1_000_000, "s")];
        if self.months > 0 {
            return write!(f, "{}mo", self.months);
        }
        let (unit, name) = UNITS.into_iter().find(|(unit, _)| self.micros % unit == 0).unwrap_or((1_000_000, "s"));
        write!(f, "{}{name}", self.micros / unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Time {
        text.parse().expect("a time of the test")
    }

    #[test]
    fn the_end_of_data_is_named_by_their_last_event() {
        let end = time("2024-12-03T00:00:00.000001");
        assert_eq!(
            (end.at_last_event().to_string(), end.as_a_start()),
            ("2024-12-03".into(), "after 2024-12-03".into())
        );
        let told = time("2024-12-03T09:30:00");
        assert_eq!((told.at_last_event(), told.as_a_start()), (told, "at 2024-12-03T09:30:00".into()));
    }

    #[test]
    fn durations_read_as_people_write_them() {
        assert_eq!("7d".parse::<Duration>().unwrap(), Duration::days(7));
        assert_eq!("12h".parse::<Duration>().unwrap().micros, DAY / 2);
        assert_eq!("1y".parse::<Duration>().unwrap().months, 12);
        for wrong in ["", "d", "7", "7 parsecs", "-3d", "0d", "99999999999999999999d"] {
            assert!(wrong.parse::<Duration>().is_err(), "{wrong} was taken");
        }
        for text in ["7d", "12h", "6mo", "90min"] {
            assert_eq!(text.parse::<Duration>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn months_follow_the_calendar() {
        assert_eq!(time("2024-01-31").plus("1mo".parse().unwrap()), time("2024-02-29"));
        assert_eq!(time("2024-03-31").minus("1mo".parse().unwrap()), time("2024-02-29"));
        assert_eq!(time("2024-03-01").minus(Duration::days(1)).to_string(), "2024-02-29");
    }

    #[test]
    fn times_read_with_and_without_a_zone() {
        assert_eq!(time("1970-01-02"), Time(DAY));
        assert_eq!(time("1970-01-01T01:00:00+01:00"), Time(0));
        assert_eq!(time("2018-09-01T12:30:00").to_string(), "2018-09-01T12:30:00");
        assert!("soon".parse::<Time>().is_err());
    }
}
