//! Numbers whose unit changed: cents became euros, grams became kilograms.
//!
//! The values of a kind's property are put in order of time and cut into chunks. The unit changed when the chunks' median
//! logarithms stand at two levels a power of ten apart, each in one stretch of time or with the odd one in between, and
//! the whole distributions agree once one of them is moved by that power. A level that grows slowly passes through what
//! lies between, and is none.

use super::findings::{Finding, Severity};
use crate::rate::grouped;
use crate::source::{Data, Events, Values};
use crate::time::Time;

/// Values are taken from about so many events.
const SAMPLE: usize = 100_000;
/// Fewer say nothing.
const FEW: usize = 400;
const CHUNKS: usize = 40;
/// How far a median of logarithms may lie from its level, and quantiles from each other (a factor of 1.8 and 1.4).
const NEAR: f64 = 0.25;
const ALIKE: f64 = 0.15;

/// The properties of events whose unit changed.
pub(super) fn unit_changes(data: &Data) -> Vec<Finding> {
    let events = &data.events;
    let mut findings = Vec::new();
    for ((kind, rows), every) in events.kinds.iter().zip(sampled(events)).zip(every(events)) {
        for property in &events.properties {
            let Values::Number(values) = &property.values else { continue };
            let change = change(events, values, rows.iter().copied());
            findings.extend(change.map(|change| finding(kind, &property.name, &change, every)));
        }
    }
    findings
}

/// Of each kind, one event in how many is looked at.
fn every(events: &Events) -> Vec<usize> {
    let mut counts = vec![0_usize; events.kinds.len()];
    events.kind.iter().for_each(|&kind| counts[usize::from(kind)] += 1);
    counts.into_iter().map(|count| count.div_ceil(SAMPLE).max(1)).collect()
}

/// Those events of each kind.
fn sampled(events: &Events) -> Vec<Vec<usize>> {
    let every = every(events);
    let mut seen = vec![0_usize; every.len()];
    let mut rows = vec![Vec::new(); every.len()];
    for (row, &kind) in events.kind.iter().enumerate() {
        let kind = usize::from(kind);
        if seen[kind].is_multiple_of(every[kind]) {
            rows[kind].push(row);
        }
        seen[kind] += 1;
    }
    rows
}

/// A change of unit.
#[derive(Debug, PartialEq)]
struct Change {
    /// The odd values are so many powers of ten away from the others.
    power: i32,
    /// How many there are, and their first and last instant.
    n: usize,
    from: i64,
    to: i64,
    /// Whether they go on to the end.
    is_open: bool,
}

fn finding(kind: &str, property: &str, change: &Change, every: usize) -> Finding {
    let day = |instant: i64| Time(instant).to_string().chars().take(10).collect::<String>();
    let (from, to) = (day(change.from), day(change.to));
    let span = if change.is_open { format!("since {from}") } else { format!("from {from} to {to}") };
    let factor = grouped(10_u64.pow(change.power.unsigned_abs()));
    let (way, undo) = if change.power > 0 { ("more", "divide") } else { ("less", "multiply") };
    let rows = (change.n * every) as u64;
    Finding {
        severity: Severity::Error,
        code: "unit-change".into(),
        table: format!("events.{kind}"),
        column: Some(property.to_owned()),
        rows,
        example: Some(from.clone()),
        advice: format!(
            "{span} its values are {factor} times {way} than otherwise ({}{} rows): the unit changed; {undo} them by {factor} in sql (CASE WHEN time >= '{from}' …)",
            if every > 1 { "about " } else { "" },
            grouped(rows)
        ),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a few powers of ten")]
fn change(events: &Events, values: &[f64], rows: impl Iterator<Item = usize>) -> Option<Change> {
    let positive = rows.filter(|&row| values[row].abs() > 0.0 && values[row].is_finite());
    let mut points: Vec<(i64, f64)> = positive.map(|row| (events.time[row], values[row].abs().log10())).collect();
    if points.len() < FEW {
        return None;
    }
    points.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.total_cmp(&b.1)));
    let chunks: Vec<&[(i64, f64)]> = points.chunks(points.len().div_ceil(CHUNKS)).collect();
    let medians: Vec<f64> = chunks.iter().map(|chunk| quantile(&mut logs(chunk), 0.5)).collect();
    let level = quantile(&mut medians.clone(), 0.5);
    let powers: Vec<i32> = medians.iter().map(|median| (median - level).round() as i32).collect();
    let fits = |(median, power): (&f64, &i32)| (median - level - f64::from(*power)).abs() < NEAR;
    // A chunk in which the change falls may lie between.
    let n_between = medians.iter().zip(&powers).filter(|pair| !fits(*pair)).count();
    let odd: Vec<usize> =
        (0..chunks.len()).filter(|&at| powers[at] != 0 && fits((&medians[at], &powers[at]))).collect();
    let (first, last) = (*odd.first()?, *odd.last()?);
    let power = powers[first];
    if n_between > 2 || odd.len() != last - first + 1 || odd.iter().any(|&at| powers[at] != power) {
        return None;
    }
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    for (at, chunk) in chunks.iter().enumerate() {
        if (first..=last).contains(&at) {
            inside.extend(logs(chunk));
        } else if powers[at] == 0 {
            outside.extend(logs(chunk));
        }
    }
    let is_alike = |rank: f64| {
        (quantile(&mut inside.clone(), rank) - quantile(&mut outside.clone(), rank) - f64::from(power)).abs() < ALIKE
    };
    if outside.is_empty() || ![0.1, 0.25, 0.5, 0.75, 0.9].into_iter().all(is_alike) {
        return None;
    }
    let is_open = last + 1 == chunks.len();
    // Seen from the end, what came before a lasting change is no odder than what came after: tell of the later part.
    if first == 0 && !is_open {
        let from = chunks[last + 1][0].0;
        return Some(Change {
            power: -power,
            n: points.len() - inside.len(),
            from,
            to: points[points.len() - 1].0,
            is_open: true,
        });
    }
    Some(Change {
        power,
        n: inside.len(),
        from: chunks[first][0].0,
        to: chunks[last][chunks[last].len() - 1].0,
        is_open,
    })
}

fn logs(chunk: &[(i64, f64)]) -> Vec<f64> {
    chunk.iter().map(|point| point.1).collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
fn quantile(values: &mut [f64], rank: f64) -> f64 {
    let at = ((values.len() - 1) as f64 * rank).round() as usize;
    *values.select_nth_unstable_by(at, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thousand amounts between 5 and 50, one a day; `unit` gives the factor of a day.
    fn found(unit: impl Fn(usize) -> f64) -> Option<(i32, i64, bool)> {
        let n = 1000_usize;
        let values: Vec<f64> = (0..n).map(|day| (5.0 + (day * 7919 % 450) as f64 / 10.0) * unit(day)).collect();
        let time = (0..1000).collect();
        let events = Events { time, ..Events::default() };
        change(&events, &values, 0..n).map(|change| (change.power, change.from, change.is_open))
    }

    #[test]
    fn a_unit_that_changes_is_found_with_its_time() {
        assert_eq!(found(|_| 1.0), None);
        assert_eq!(found(|day| if day >= 600 { 100.0 } else { 1.0 }), Some((2, 600, true)));
        assert_eq!(found(|day| if day >= 300 { 0.001 } else { 1.0 }), Some((-3, 300, true)));
        assert_eq!(found(|day| if (400..500).contains(&day) { 10.0 } else { 1.0 }), Some((1, 400, false)));
    }

    #[test]
    fn growth_and_other_factors_are_no_change_of_unit() {
        assert_eq!(found(|day| 10_f64.powf(day as f64 / 500.0)), None);
        assert_eq!(found(|day| if day >= 600 { 3.0 } else { 1.0 }), None);
    }
}
