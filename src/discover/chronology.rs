//! What is wrong with when things happened: silences, times far from all others, events of people who were not born yet,
//! events that were loaded twice.

use polars::prelude::{Column, DataType};

use super::calendar::{Days, shown, silences_of};
use super::findings::{Finding, Severity};
use crate::error::Result;
use crate::rate::grouped;
use crate::source::{Data, Events, Semantic, Values};
use crate::spec::{Rows, Spec};
use crate::time::DAY;

/// A silence that takes this share of a kind's events with it matters.
const MATTERS: f64 = 0.01;

/// Everything of this file.
pub(super) fn chronology(data: &Data, spec: &Spec, days: &[Days]) -> Result<Vec<Finding>> {
    let mut findings = silences(days);
    findings.extend(far_off(spec, days));
    findings.extend(repeated(data, spec));
    findings.extend(before_birth(data)?);
    Ok(findings)
}

fn silences(days: &[Days]) -> Vec<Finding> {
    let finding = |silence: super::calendar::Silence<'_>| {
        let gap = silence.gap;
        let kinds = match silence.kinds.as_slice() {
            kinds if kinds.len() == days.len() && kinds.len() > 1 => "event of any kind".to_owned(),
            [.., last] if silence.kinds.len() > 3 => {
                format!("{}, … {last} ({} kinds)", silence.kinds[0], silence.kinds.len())
            }
            kinds => kinds.join(", "),
        };
        let lost = gap.expected / silence.n_events.max(1) as f64;
        let length = gap.last - gap.first + 1;
        let (from, to, expected) = (shown(gap.first), shown(gap.last), gap.expected);
        let (code, advice) = if gap.is_open {
            (
                "tracking-stopped",
                format!(
                    "no {kinds} since {from}, though about {expected:.0} were to be expected by {to}: has its tracking ended, or the export? Who acted since then seems silent"
                ),
            )
        } else {
            (
                "tracking-gap",
                format!(
                    "no {kinds} from {from} to {to} ({length} days), where about {expected:.0} were to be expected: was it closed, or was tracking down? Silence then says nothing about people"
                ),
            )
        };
        Finding {
            severity: if lost >= MATTERS || gap.is_open { Severity::Warning } else { Severity::Info },
            code: code.into(),
            table: "events".into(),
            column: None,
            rows: 0,
            example: None,
            advice,
        }
    };
    silences_of(days).into_iter().map(finding).collect()
}

/// Events far after, or far before, all others. A single one at the end moves the end of observation with it.
fn far_off(spec: &Spec, days: &[Days]) -> Vec<Finding> {
    let counts =
        || days.iter().flat_map(|days| (days.first..).zip(&days.counts).map(|(day, &count)| (day, u64::from(count))));
    let n_events: u64 = counts().map(|(_, count)| count).sum();
    let mut by_day: Vec<(i64, u64)> = counts().filter(|(_, count)| *count > 0).collect();
    by_day.sort_unstable();
    if n_events < 200 {
        return Vec::new();
    }
    let at = |share: f64| {
        let mut before = 0;
        by_day
            .iter()
            .find(|(_, count)| {
                before += count;
                before as f64 >= share * n_events as f64
            })
            .map_or(0, |(day, _)| *day)
    };
    let (early, late) = (at(0.005), at(0.995));
    let far = ((late - early) / 2).max(180);
    let outside = |is_outside: &dyn Fn(i64) -> bool| {
        by_day.iter().filter(|(day, _)| is_outside(*day)).map(|(_, count)| count).sum::<u64>()
    };
    let (n_after, n_before) = (outside(&|day| day > late + far), outside(&|day| day < early - far));
    let bulk = format!("nearly all are from {} to {}", shown(early), shown(late));
    let finding = |severity, code: &str, rows: u64, example: i64, advice: String| {
        (rows > 0).then(|| Finding {
            severity,
            code: code.into(),
            table: "events".into(),
            column: None,
            rows,
            example: Some(shown(example)),
            advice,
        })
    };
    let (first, last) = by_day.first().zip(by_day.last()).map_or((0, 0), |(first, last)| (first.0, last.0));
    let n = |rows: u64| if rows == 1 { "1 event lies".to_owned() } else { format!("{} events lie", grouped(rows)) };
    let moved = if spec.end.is_none() { Severity::Error } else { Severity::Warning };
    let ends = if spec.end.is_none() {
        "; the last of them is taken for the end of observation, so that everybody before seems silent: set lifecycle.end, or"
    } else {
        ":"
    };
    [
        finding(moved, "future-times", n_after, last, format!("{} far in the future ({bulk}){ends} leave them out in sql", n(n_after))),
        finding(
            Severity::Warning,
            "ancient-times",
            n_before,
            first,
            format!("{} long before the others ({bulk}): a mark for \"unknown\", or a slip; who has one seems to be an old customer: leave them out in sql", n(n_before)),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Events of a table too large to compare its rows: those equal to the one before in person, time, kind and properties.
fn repeated(data: &Data, spec: &Spec) -> Option<Finding> {
    let is_large = |table: &String| {
        data.profiles.iter().any(|profile| profile.table == *table && profile.rows_sampled < profile.rows)
    };
    let source = spec.events.iter().find_map(|source| match &source.rows {
        Rows::Table(table) => is_large(table).then_some(table),
        Rows::Sql(_) => None,
    })?;
    let events = &data.events;
    let n = (1..events.len()).filter(|&row| is_same(events, row)).count() as u64;
    (n > 0).then(|| Finding {
        severity: Severity::Warning,
        code: "rows-repeated".into(),
        table: source.clone(),
        column: None,
        rows: n,
        example: None,
        advice: format!(
            "{} events equal the one before in person, time, kind and properties: if a file was loaded twice, counts and sums are too high; drop them with sql = \"SELECT DISTINCT …\"",
            grouped(n)
        ),
    })
}

fn is_same(events: &Events, row: usize) -> bool {
    let before = row - 1;
    let is_same_value = |values: &Values| match values {
        Values::Number(values) => values[row].to_bits() == values[before].to_bits(),
        Values::Category { codes, .. } => codes[row] == codes[before],
        Values::Time(values) => values[row] == values[before],
    };
    events.person[row] == events.person[before]
        && events.time[row] == events.time[before]
        && events.kind[row] == events.kind[before]
        && events.properties.iter().all(|property| is_same_value(&property.values))
}

/// Words of columns that say when somebody was born or became a member.
const BIRTH: [&str; 4] = ["birth", "born", "dob", "birthday"];
const BEGIN: [&str; 10] =
    ["became", "created", "enrolled", "joined", "member", "onboarded", "registered", "registration", "signup", "since"];

/// Events of people before an attribute that says when they began.
fn before_birth(data: &Data) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for column in data.people.attributes.columns() {
        let name = column.name().to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
        let is_time = data
            .profiles
            .iter()
            .any(|profile| profile.column == column.name().as_str() && profile.semantic_type == Semantic::Time);
        if !is_time || !(has(&BIRTH) || has(&BEGIN)) {
            continue;
        }
        findings.extend(before(data, column.name(), &days_of(column)?, has(&BIRTH)));
    }
    Ok(findings)
}

fn before(data: &Data, column: &str, begins: &[Option<i64>], is_birth: bool) -> Option<Finding> {
    let (mut n_events, mut n_people, mut n_known) = (0_u64, 0_u64, 0_u64);
    for person in 0..data.people.len() {
        let rows = data.people.offsets[person] as usize..data.people.offsets[person + 1] as usize;
        let Some(begin) = begins[rows].iter().flatten().min() else { continue };
        let n = data.events.of(person).filter(|&row| data.events.time[row].div_euclid(DAY) < *begin).count() as u64;
        n_known += u64::from(!data.events.of(person).is_empty());
        n_events += n;
        n_people += u64::from(n > 0);
    }
    let is_usual = !is_birth && n_people * 5 > n_known;
    let advice = if is_usual {
        format!(
            "{} of {} people have events before it: it is no beginning, so do not take it for how long people have been there",
            grouped(n_people),
            grouped(n_known)
        )
    } else {
        format!(
            "{} events of {} people lie before it: a wrong date, two people under one id, or events that were moved from an older system",
            grouped(n_events),
            grouped(n_people)
        )
    };
    (n_events > 0).then(|| Finding {
        severity: if is_usual { Severity::Info } else { Severity::Warning },
        code: "events-before-birth".into(),
        table: "people".into(),
        column: Some(column.to_owned()),
        rows: n_events,
        example: None,
        advice,
    })
}

/// The days of a column of times, or of days written as `20170212`.
fn days_of(column: &Column) -> Result<Vec<Option<i64>>> {
    Ok(match column.dtype() {
        DataType::Date => column.date()?.physical().iter().map(|day| day.map(i64::from)).collect(),
        DataType::Datetime(..) => {
            column.datetime()?.physical().iter().map(|at| at.map(|at| at.div_euclid(DAY))).collect()
        }
        _ => {
            let texts = column.cast(&DataType::String)?;
            texts.str()?.iter().map(|text| text.and_then(day)).collect()
        }
    })
}

/// `20170212` and `2017-02-12` as a day from 1970-01-01.
fn day(text: &str) -> Option<i64> {
    let digits: String = text.trim_end_matches(".0").chars().filter(|c| *c != '-').take(8).collect();
    let part = |from: usize, to: usize| digits.get(from..to)?.parse::<i8>().ok();
    let year = digits.get(..4)?.parse().ok()?;
    let date = jiff::civil::Date::new(year, part(4, 6)?, part(6, 8)?).ok()?;
    let epoch = jiff::civil::date(1970, 1, 1);
    Some(i64::from((date - epoch).get_days()))
}
