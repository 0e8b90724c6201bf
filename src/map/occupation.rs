//! Who stands in which stage, over the calendar and over the time since entry: of everyone, by month of entry, by group.
//!
//! Over the calendar: at the start of each week (of a history of more than two years: each month) and at the end, the people
//! in each stage just before that instant, of all who had entered by then. Over time since entry: d days after a person's
//! first entry, for d in even steps, of the people who entered at least d days before the end. As the end of observation is
//! the only censoring, these shares need no model: they estimate the occupation of the stages without assuming that the
//! past does not matter (as Aalen–Johansen would for occupation through several stages), and Wilson's interval holds.

use polars::prelude::DataFrame;

use super::frames::Frame;
use super::groups::{Grouping, Months};
use super::history::Stays;
use super::incidence::days;
use super::transitions::n_people;
use crate::error::Result;
use crate::rate::Rate;
use crate::spec::Spec;
use crate::time::{DAY, Time};

/// Histories up to so many weeks are told by the week.
const MAX_WEEKS: i64 = 105;
/// How many times since entry are told.
const N_SINCE_ENTRY: i64 = 60;

/// By what people are told apart, and the value; `None`: everyone.
type Group = Option<(String, String)>;

/// The people in a stage at some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occupation {
    /// When, on the calendar; `None`: counted from entry.
    pub at: Option<i64>,
    /// Time since entry, microseconds; `None`: on the calendar.
    pub since_entry: Option<i64>,
    /// By what people are told apart, and the value; `None`: everyone.
    pub group: Group,
    /// The stage.
    pub stage: usize,
    /// People in it, of those who can be.
    pub people: Rate,
}

/// The occupation of the stages.
pub(crate) fn occupation(
    stays: &Stays,
    entries: &[Option<i64>],
    months: &Months,
    groupings: &[Grouping],
    n_stages: usize,
    end: Time,
) -> Vec<Occupation> {
    let month = |entry: &Option<i64>| entry.map_or(0, |entry| u16::try_from(months.of(entry)).expect("few months"));
    let named = |by: &str, names: &[String]| -> Vec<Group> {
        names.iter().map(|name| Some((by.to_owned(), name.clone()))).collect()
    };
    let everyone = (vec![0_u16; n_people(stays)], vec![None]);
    let cohorts = (entries.iter().map(month).collect(), named("cohort", &months.names));
    let others = groupings.iter().map(|grouping| (grouping.of.clone(), named(&grouping.name, &grouping.levels)));
    let mut found = Vec::new();
    for (of, groups) in [everyone, cohorts].into_iter().chain(others) {
        found.extend(by_calendar(stays, entries, months, (&of, &groups), (n_stages, end)));
        found.extend(since_entry(stays, entries, (&of, &groups), n_stages, end));
    }
    found
}

/// Counts per stage at each of some points, from where they begin and end.
struct Counter {
    n_points: usize,
    changes: Vec<i64>,
}

impl Counter {
    fn new(n_points: usize, n_series: usize) -> Self {
        Self { n_points, changes: vec![0; (n_points + 1) * n_series] }
    }

    /// One more in a series, at the points `from..to`.
    fn add(&mut self, series: usize, from: usize, to: usize) {
        if from < to {
            let start = series * (self.n_points + 1);
            self.changes[start + from] += 1;
            self.changes[start + to.min(self.n_points)] -= 1;
        }
    }

    /// The count of a series at each point.
    fn counts(&self, series: usize) -> Vec<usize> {
        let start = series * (self.n_points + 1);
        let mut count = 0;
        let running = self.changes[start..start + self.n_points].iter().map(|change| {
            count += change;
            usize::try_from(count).expect("people enter before they leave")
        });
        running.collect()
    }
}

fn by_calendar(
    stays: &Stays,
    entries: &[Option<i64>],
    months: &Months,
    (group_of, groups): (&[u16], &[Group]),
    (n_stages, end): (usize, Time),
) -> Vec<Occupation> {
    let at = calendar(months, stays.entered.iter().min().copied().unwrap_or(end.0), end);
    let mut counter = Counter::new(at.len(), groups.len() * (n_stages + 1));
    // A person is in a stage at t when `entered < t <= left`.
    let after = |micros: i64| at.partition_point(|&t| t <= micros);
    for (person, entry) in entries.iter().enumerate() {
        let Some(entry) = *entry else { continue };
        let series = usize::from(group_of[person]) * (n_stages + 1);
        counter.add(series + n_stages, after(entry), at.len());
        for row in stays.of(person) {
            let stage = usize::from(stays.stage[row]);
            counter.add(series + stage, after(stays.entered[row]), after(stays.left[row]));
        }
    }
    let mut found = Vec::new();
    for (place, group) in groups.iter().enumerate() {
        let series = place * (n_stages + 1);
        let all = counter.counts(series + n_stages);
        for stage in 0..n_stages {
            let counts = counter.counts(series + stage).into_iter().zip(&all).zip(&at);
            found.extend(counts.filter(|((_, all), _)| **all > 0).map(|((n, &all), &at)| Occupation {
                at: Some(at),
                since_entry: None,
                group: group.clone(),
                stage,
                people: Rate::new(n, all),
            }));
        }
    }
    found
}

/// Starts of weeks (Mondays) or months after the first entry, then the end.
fn calendar(months: &Months, first: i64, end: Time) -> Vec<i64> {
    /// 1970-01-05, a Monday.
    const MONDAY: i64 = 4 * DAY;
    let week = 7 * DAY;
    let start = MONDAY + (first - MONDAY).div_euclid(week) * week + week;
    let weeks = || (0..).map(|i| start + i * week).take_while(|&at| at < end.0);
    let mut at: Vec<i64> = if (end.0 - start) / week <= MAX_WEEKS {
        weeks().collect()
    } else {
        months.starts.iter().copied().filter(|&at| first < at && at < end.0).collect()
    };
    at.push(end.0);
    at
}

fn since_entry(
    stays: &Stays,
    entries: &[Option<i64>],
    (group_of, groups): (&[u16], &[Group]),
    n_stages: usize,
    end: Time,
) -> Vec<Occupation> {
    let longest = entries.iter().flatten().map(|&entry| end.0 - entry).max().unwrap_or(0);
    let step = (longest / DAY / N_SINCE_ENTRY + 1) * DAY;
    let step = if step > 7 * DAY { (step / DAY + 6) / 7 * 7 * DAY } else { step };
    let n_points = usize::try_from(longest / step + 1).expect("few points");
    let point =
        |since: i64| usize::try_from(since.div_euclid(step) + i64::from(since.rem_euclid(step) > 0)).unwrap_or(0);
    let mut counter = Counter::new(n_points, groups.len() * (n_stages + 1));
    for (person, entry) in entries.iter().enumerate() {
        let Some(entry) = *entry else { continue };
        let series = usize::from(group_of[person]) * (n_stages + 1);
        // Watched at d when `entry + d < end`; in a stage at d when `entered <= entry + d < left`.
        let n_watched = point(end.0 - entry);
        counter.add(series + n_stages, 0, n_watched);
        for row in stays.of(person) {
            let (from, to) = (stays.entered[row] - entry, stays.left[row].min(end.0) - entry);
            counter.add(series + usize::from(stays.stage[row]), point(from), point(to).min(n_watched));
        }
    }
    let mut found = Vec::new();
    for (place, group) in groups.iter().enumerate() {
        let series = place * (n_stages + 1);
        let watched = counter.counts(series + n_stages);
        for stage in 0..n_stages {
            let counts = counter.counts(series + stage).into_iter().zip(&watched).zip(0..);
            let told = counts.filter(|((_, watched), _)| **watched > 0);
            found.extend(told.map(|((n, &watched), i)| Occupation {
                at: None,
                since_entry: Some(i * step),
                group: group.clone(),
                stage,
                people: Rate::new(n, watched),
            }));
        }
    }
    found
}

/// `map/occupation.parquet`.
pub(crate) fn occupation_frame(rows: &[Occupation], spec: &Spec) -> Result<DataFrame> {
    Frame::default()
        .times("at", rows.iter().map(|row| row.at))?
        .numbers("days_since_entry", rows.iter().map(|row| row.since_entry.map(days)))
        .texts("by", rows.iter().map(|row| row.group.as_ref().map(|(by, _)| by.as_str())))
        .texts("value", rows.iter().map(|row| row.group.as_ref().map(|(_, value)| value.as_str())))
        .texts("stage", rows.iter().map(|row| Some(spec.stages[row.stage].name.as_str())))
        .rates(rows.iter().map(|row| row.people))
        .finish()
}
