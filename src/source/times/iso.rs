//! ISO 8601 by hand: columns of ten million times are read in this form.

use crate::time::DAY;

/// How a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A day.
    Date,
    /// A date and time without a zone.
    Naive,
    /// An instant.
    Zoned,
}

const HOUR: i64 = DAY / 24;
const MINUTE: i64 = HOUR / 60;
const SECOND: i64 = MINUTE / 60;

/// `2017-02-12`, `2017/02/12`, `2017-02-12T10:30`, `2017-02-12 10:30:00.5`, each with `Z`, `UTC` or `+01:00` behind the
/// time: microseconds since the epoch, on the calendar and clock as written unless there is a zone.
pub(crate) fn iso(text: &[u8]) -> Option<(i64, Form)> {
    let [y1, y2, y3, y4, mark @ (b'-' | b'/'), m1, m2, mark2, d1, d2, rest @ ..] = text else { return None };
    if mark != mark2 {
        return None;
    }
    let days = days(two(*y1, *y2)? * 100 + two(*y3, *y4)?, two(*m1, *m2)?, two(*d1, *d2)?)?;
    match rest {
        [] => Some((days * DAY, Form::Date)),
        [b' ' | b'T' | b't', clock @ ..] => clock_and_zone(days * DAY, clock),
        _ => None,
    }
}

/// `20170212`.
pub(crate) fn compact(text: &[u8]) -> Option<(i64, Form)> {
    let [y1, y2, y3, y4, m1, m2, d1, d2] = text else { return None };
    let year = two(*y1, *y2)? * 100 + two(*y3, *y4)?;
    let days = days(year, two(*m1, *m2)?, two(*d1, *d2)?).filter(|_| (1900..=2200).contains(&year))?;
    Some((days * DAY, Form::Date))
}

fn clock_and_zone(midnight: i64, clock: &[u8]) -> Option<(i64, Form)> {
    let [h1, h2, b':', m1, m2, rest @ ..] = clock else { return None };
    let (hour, minute) = (two(*h1, *h2).filter(|hour| *hour < 24)?, two(*m1, *m2).filter(|minute| *minute < 60)?);
    let mut at = midnight + hour * HOUR + minute * MINUTE;
    let mut rest = rest;
    if let [b':', s1, s2, after @ ..] = rest {
        at += two(*s1, *s2).filter(|second| *second < 60)? * SECOND;
        rest = after;
        if let [b'.' | b',', fraction @ ..] = rest {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 || digits > 9 {
                return None;
            }
            at += micros(&fraction[..digits]);
            rest = &fraction[digits..];
        }
    }
    if rest.is_empty() {
        return Some((at, Form::Naive));
    }
    Some((at - offset(rest)?, Form::Zoned))
}

/// The first six digits after the point.
fn micros(digits: &[u8]) -> i64 {
    (0..6).fold(0, |micros, at| micros * 10 + digits.get(at).map_or(0, |digit| i64::from(digit - b'0')))
}

/// `Z`, ` UTC`, `+01`, `+0100`, `-01:00`.
fn offset(text: &[u8]) -> Option<i64> {
    let text = text.strip_prefix(b" ").unwrap_or(text);
    if matches!(text, b"Z" | b"z" | b"UTC") {
        return Some(0);
    }
    let (sign, digits) = match text {
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits {
        [h1, h2] => (two(*h1, *h2)?, 0),
        [h1, h2, m1, m2] | [h1, h2, b':', m1, m2] => (two(*h1, *h2)?, two(*m1, *m2)?),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then_some(sign * (hours * HOUR + minutes * MINUTE))
}

fn two(tens: u8, ones: u8) -> Option<i64> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

/// Days since 1970-01-01 of the Gregorian calendar; `None` for a day that it does not have. The count is Howard Hinnant's
/// `days_from_civil`: years begin in March, so that the leap day is their last.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    const LENGTHS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *LENGTHS.get(usize::try_from(month - 1).ok()?)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if !(1..=length + i64::from(leap && month == 2)).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}
