//! When each kind of event happened, and the days on which it fell silent although it should not have.
//!
//! In: the events. Out: counts per day and kind, and the [`Gap`]s in them. "Nothing on a Sunday" is no gap for a shop that
//! is closed on Sundays, and five weeks without a newsletter none for one that is sent monthly. So a run of silent days
//! must pass two tests:
//!
//! 1. it is improbable: with λ the number of events expected on day d (mean of the eight weeks before or after the run,
//!    the smaller of the two, times the weekday's share) and φ their variance over their mean, a negative binomial day is
//!    silent with probability `φ^(−λ / (φ − 1))`, a Poisson day (φ = 1) with `e^(−λ)`; the product over the days is below
//!    10⁻⁶;
//! 2. it is unusual: more than three times as long as 95 % of the silences between two days with events, and at least
//!    two days on which something was expected.
//!
//! Days are of UTC.

use std::collections::BTreeMap;

use crate::source::Events;
use crate::time::{DAY, Time};

/// So many kinds are looked at, those with the most events.
const KINDS: usize = 100;
/// The level of a kind is that of so many days before and after.
const AROUND: usize = 56;
/// Days before or after that are enough to tell the level.
const ENOUGH: usize = 14;
/// Kinds of fewer events, or fewer days with events, have no rhythm to speak of.
const EVENTS: u64 = 50;
const ACTIVE_DAYS: usize = 14;
/// ln 10⁻⁶.
const IMPROBABLE: f64 = -13.8;

/// The days of a kind of event.
#[derive(Debug, Clone, PartialEq)]
pub struct Days {
    /// The kind.
    pub kind: String,
    /// The first day with an event, counted from 1970-01-01.
    pub first: i64,
    /// Events on each day from the first to the last one with an event.
    pub counts: Vec<u32>,
    /// The silences that should not be.
    pub gaps: Vec<Gap>,
}

/// A silence that should not be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gap {
    /// Its first day, counted from 1970-01-01.
    pub first: i64,
    /// Its last day.
    pub last: i64,
    /// How many events were to be expected in it.
    pub expected: f64,
    /// Whether nothing came after it.
    pub is_open: bool,
}

/// The calendar of each kind, in the order of the kinds.
#[must_use]
pub fn calendar(events: &Events) -> Vec<Days> {
    let mut spans: Vec<Option<(i64, i64, u64)>> = vec![None; events.kinds.len()];
    for (&kind, &time) in events.kind.iter().zip(&events.time) {
        let day = time.div_euclid(DAY);
        let span = spans[usize::from(kind)].get_or_insert((day, day, 0));
        *span = (span.0.min(day), span.1.max(day), span.2 + 1);
    }
    let mut most: Vec<u64> = spans.iter().flatten().map(|span| span.2).collect();
    most.sort_unstable_by(|a, b| b.cmp(a));
    let least = most.get(KINDS - 1).copied().unwrap_or_default();
    let size = |(first, last, n): (i64, i64, u64)| {
        if n >= least { usize::try_from(last - first + 1).unwrap_or_default() } else { 0 }
    };
    let mut counts: Vec<Vec<u32>> = spans.iter().map(|span| vec![0; span.map_or(0, size)]).collect();
    for (&kind, &time) in events.kind.iter().zip(&events.time) {
        let kind = usize::from(kind);
        let first = spans[kind].map_or(0, |span| span.0);
        let day = usize::try_from(time.div_euclid(DAY) - first).unwrap_or_default();
        if let Some(count) = counts[kind].get_mut(day) {
            *count += 1;
        }
    }
    let end = spans.iter().flatten().map(|span| span.1).max().unwrap_or_default();
    let days = events.kinds.iter().zip(spans).zip(counts).filter_map(|((kind, span), counts)| {
        let (first, ..) = span.filter(|_| !counts.is_empty())?;
        let gaps = gaps(first, &counts, end);
        Some(Days { kind: kind.clone(), first, counts, gaps })
    });
    days.collect()
}

/// The silences of a kind that began on day `first`; `end` is the last day with an event of any kind.
fn gaps(first: i64, counts: &[u32], end: i64) -> Vec<Gap> {
    let active = counts.iter().filter(|count| **count > 0).count();
    if active < ACTIVE_DAYS || counts.iter().map(|&count| u64::from(count)).sum::<u64>() < EVENTS {
        return Vec::new();
    }
    let weekdays = weekdays(first, counts);
    let share = |day: usize| weekdays[weekday(later(first, day))];
    let is_open = |day: &usize| share(*day) > 0.05;
    let mut runs: Vec<(usize, usize)> = silences(counts);
    let tail = usize::try_from(end - first + 1).unwrap_or_default();
    let mut usual: Vec<usize> = vec![0; active - 1 - runs.len()];
    usual.extend(runs.iter().map(|&(start, stop)| (start..stop).filter(is_open).count()));
    usual.sort_unstable();
    let usual = usual.get((usual.len() * 95 / 100).min(usual.len().saturating_sub(1))).copied().unwrap_or_default();
    if tail > counts.len() {
        runs.push((counts.len(), tail));
    }
    let gap = |(start, stop): (usize, usize)| {
        let n_open = (start..stop).filter(is_open).count();
        if n_open < 2 || n_open <= 3 * usual {
            return None;
        }
        let before = level(&share, counts, start.saturating_sub(AROUND)..start);
        let after = level(&share, counts, stop..(stop + AROUND).min(counts.len()));
        let (rate, dispersion) = match (before, after) {
            (Some(before), Some(after)) => (before.0.min(after.0), before.1.max(after.1)),
            (Some(only), None) => only,
            // A kind that has hardly begun has no rhythm yet.
            (None, _) => return None,
        };
        let expected: f64 = (start..stop).map(|day| rate * share(day)).sum();
        let per_event = if dispersion > 1.001 { dispersion.ln() / (dispersion - 1.0) } else { 1.0 };
        (-expected * per_event < IMPROBABLE).then(|| Gap {
            first: later(first, (start..stop).find(is_open).unwrap_or(start)),
            last: later(first, (start..stop).rfind(is_open).unwrap_or(stop - 1)),
            expected,
            is_open: stop > counts.len(),
        })
    };
    runs.into_iter().filter_map(gap).collect()
}

/// The runs of days without an event.
fn silences(counts: &[u32]) -> Vec<(usize, usize)> {
    let mut runs = Vec::new();
    let mut start = None;
    for (day, &count) in counts.iter().enumerate() {
        match (count, start) {
            (0, None) => start = Some(day),
            (1.., Some(begun)) => {
                runs.push((begun, day));
                start = None;
            }
            _ => {}
        }
    }
    runs
}

/// So many days after a day.
fn later(day: i64, days: usize) -> i64 {
    day + i64::try_from(days).expect("days of three centuries")
}

/// How busy each weekday is against the mean, Monday first.
fn weekdays(first: i64, counts: &[u32]) -> [f64; 7] {
    let (mut sums, mut days) = ([0.0; 7], [0.0; 7]);
    for (day, &count) in (first..).zip(counts) {
        sums[weekday(day)] += f64::from(count);
        days[weekday(day)] += 1.0;
    }
    let mean = sums.iter().sum::<f64>() / days.iter().sum::<f64>();
    if counts.len() < 28 || mean == 0.0 {
        return [1.0; 7];
    }
    std::array::from_fn(|weekday| sums[weekday] / days[weekday] / mean)
}

/// 1970-01-01 was a Thursday.
fn weekday(day: i64) -> usize {
    usize::try_from((day + 3).rem_euclid(7)).expect("a day of the week")
}

/// Events a day that is as busy as the mean would see, and the dispersion of the days around that.
fn level(share: &dyn Fn(usize) -> f64, counts: &[u32], days: std::ops::Range<usize>) -> Option<(f64, f64)> {
    if days.len() < ENOUGH {
        return None;
    }
    let rate = days.clone().map(|day| f64::from(counts[day])).sum::<f64>() / days.clone().map(share).sum::<f64>();
    let expected = days.map(|day| (f64::from(counts[day]), rate * share(day))).filter(|(_, expected)| *expected > 0.0);
    let squares: Vec<f64> = expected.map(|(count, expected)| (count - expected).powi(2) / expected).collect();
    let dispersion = squares.iter().sum::<f64>() / squares.len().max(1) as f64;
    rate.is_finite().then_some((rate, dispersion.max(1.0)))
}

/// A silence of one kind or of several at once.
pub(super) struct Silence<'d> {
    pub(super) kinds: Vec<&'d str>,
    pub(super) gap: Gap,
    /// Events of these kinds in all.
    pub(super) n_events: u64,
}

/// The silences of all kinds; those that overlap by more than half are one.
pub(super) fn silences_of(days: &[Days]) -> Vec<Silence<'_>> {
    let all = days.iter().flat_map(|days| days.gaps.iter().map(move |gap| (days, *gap)));
    let mut all: Vec<(&Days, Gap)> = all.collect();
    all.sort_by_key(|(_, gap)| (gap.first, gap.last));
    let mut silences: Vec<Silence<'_>> = Vec::new();
    for (days, gap) in all {
        let n_events = days.counts.iter().map(|&count| u64::from(count)).sum::<u64>();
        let overlap = |other: &Gap| other.last.min(gap.last) - other.first.max(gap.first) + 1;
        let shorter = |other: &Gap| (other.last - other.first).min(gap.last - gap.first) + 1;
        let same = silences.iter_mut().find(|silence| {
            let begin_together = (silence.gap.first - gap.first).abs() <= 7;
            silence.gap.is_open == gap.is_open
                && 2 * overlap(&silence.gap) > shorter(&silence.gap)
                && (begin_together || !gap.is_open)
        });
        match same {
            Some(same) => {
                same.kinds.push(&days.kind);
                same.gap.first = same.gap.first.min(gap.first);
                same.gap.last = same.gap.last.max(gap.last);
                same.gap.expected += gap.expected;
                same.n_events += n_events;
            }
            None => silences.push(Silence { kinds: vec![&days.kind], gap, n_events }),
        }
    }
    silences
}

/// Events by day, or by week from Monday when there is less than one a day; with the days of a silence at the end.
pub(super) fn rows(days: &Days) -> (i64, BTreeMap<i64, u64>) {
    let n_events: u64 = days.counts.iter().map(|&count| u64::from(count)).sum();
    let unit = if n_events < days.counts.len() as u64 { 7 } else { 1 };
    let mut rows = BTreeMap::new();
    let silent = days.gaps.last().filter(|gap| gap.is_open).map_or(0, |gap| gap.last - gap.first + 1);
    let silent = std::iter::repeat_n(&0, usize::try_from(silent).unwrap_or_default());
    for (day, &count) in (days.first..).zip(days.counts.iter().chain(silent)) {
        let start = if unit == 7 { day - (day + 3).rem_euclid(7) } else { day };
        *rows.entry(start).or_default() += u64::from(count);
    }
    (unit, rows)
}

/// A day as `2018-09-01`.
pub(super) fn shown(day: i64) -> String {
    Time(day * DAY).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2024-01-01, a Monday.
    const MONDAY: i64 = 19_723;

    fn found(counts: &[u32]) -> Vec<(i64, i64)> {
        let end = later(MONDAY, counts.len()) - 1;
        let last = counts.iter().rposition(|&count| count > 0).map_or(0, |last| last + 1);
        gaps(MONDAY, &counts[..last], end).iter().map(|gap| (gap.first - MONDAY, gap.last - MONDAY)).collect()
    }

    /// A count that wavers by a hash of the day.
    fn about(mean: u32, day: usize) -> u32 {
        mean - mean / 4 + u32::try_from(day * 7919 % 101).unwrap() * (mean / 2) / 100
    }

    #[test]
    fn a_shop_that_is_closed_on_sundays_has_no_gap_and_an_outage_is_one() {
        let open = |day: usize| if day % 7 == 6 { 0 } else { about(40, day) };
        let mut counts: Vec<u32> = (0..200).map(open).collect();
        assert_eq!(found(&counts), []);
        counts[100..104].fill(0);
        assert_eq!(found(&counts), [(100, 103)], "silent from day 100 to 103, none of them a Sunday but 104");
    }

    #[test]
    fn a_monthly_newsletter_is_silent_in_between_and_not_for_four_months() {
        let mut counts: Vec<u32> = (0..900).map(|day| if day % 30 == 0 { 5000 } else { 0 }).collect();
        assert_eq!(found(&counts), []);
        counts[301..420].fill(0);
        assert_eq!(found(&counts), [(301, 419)]);
    }

    #[test]
    fn rare_events_may_be_rare_by_chance() {
        let mut counts: Vec<u32> = (0..400).map(|day| u32::from(day * 7919 % 11 == 0)).collect();
        counts[200..230].fill(0);
        assert_eq!(found(&counts), [], "three expected, none came: e^-3 is not rare enough");
    }

    #[test]
    fn a_kind_that_stops_is_an_open_gap() {
        let counts: Vec<u32> = (0..200).map(|day| if day < 150 { about(20, day) } else { 0 }).collect();
        let gaps = gaps(MONDAY, &counts[..150], MONDAY + 199);
        assert_eq!((gaps.len(), gaps[0].is_open, gaps[0].first - MONDAY), (1, true, 150));
        assert!((gaps[0].expected - 1000.0).abs() < 100.0, "{}", gaps[0].expected);
    }
}
