//! Retention by month of entry: how many of the people who entered in a month are still there, and active, months later.
//!
//! In: the history and the events. Out: for each month of entry (the first stay) and each calendar month since, how many
//! had an event in that month (`active`), and how many stood in a stage that is not silent at its end (`in_stage`), of
//! all who entered in that month. Month 0 is that of entry: everyone is active in it. The last month is not complete unless
//! the end of observation is the first of a month; who has been silent in it may not be for long.

use polars::prelude::DataFrame;
use rayon::prelude::*;

use super::frames::Frame;
use super::groups::Months;
use super::history::Stays;
use super::transitions::n_people;
use crate::error::Result;
use crate::rate::Rate;
use crate::source::Data;
use crate::spec::{Rule, Spec};

/// How many people are counted at a time.
const CHUNK: usize = 1 << 14;

/// People who entered in one month, some months later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retained {
    /// The month of entry: `2017-03`.
    pub cohort: String,
    /// Calendar months since.
    pub months_since: usize,
    /// Who had an event in that month.
    pub active: Rate,
    /// Who stood in a stage that is not silent at its end.
    pub in_stage: Rate,
    /// Whether all of the month lies before the end of observation.
    pub is_complete: bool,
}

/// People of the cohorts at each month since; where silence begins.
struct Retention<'a> {
    data: &'a Data,
    stays: &'a Stays,
    months: &'a Months,
    silent: Vec<bool>,
}

/// The retention of every cohort.
pub(crate) fn retention(data: &Data, spec: &Spec, stays: &Stays, months: &Months) -> Vec<Retained> {
    let silent = spec.stages.iter().map(|stage| matches!(stage.rule, Rule::Silence(_))).collect();
    let retention = Retention { data, stays, months, silent };
    let n = months.len();
    let chunks: Vec<usize> = (0..n_people(stays)).step_by(CHUNK).collect();
    let parts: Vec<Vec<[u32; 2]>> =
        chunks.into_par_iter().map(|first| retention.count(first..(first + CHUNK).min(n_people(stays)))).collect();
    let mut total = vec![[0_usize; 2]; n * n];
    for part in parts {
        total.iter_mut().zip(part).for_each(|(sum, more)| {
            *sum = [sum[0] + more[0] as usize, sum[1] + more[1] as usize];
        });
    }
    let mut n_entered = vec![0; n];
    for entry in super::groups::entries(stays).into_iter().flatten() {
        n_entered[months.of(entry)] += 1;
    }
    let one = |cohort: usize| {
        let (total, n_entered) = (&total, &n_entered);
        (cohort..n).map(move |month| Retained {
            cohort: months.names[cohort].clone(),
            months_since: month - cohort,
            active: Rate::new(total[cohort * n + month][0], n_entered[cohort]),
            in_stage: Rate::new(total[cohort * n + month][1], n_entered[cohort]),
            is_complete: months.starts[month + 1] <= data.end.0,
        })
    };
    (0..n).filter(|&cohort| n_entered[cohort] > 0).flat_map(one).collect()
}

impl Retention<'_> {
    /// Active and in a stage: by month of entry, then month.
    fn count(&self, people: std::ops::Range<usize>) -> Vec<[u32; 2]> {
        let n = self.months.len();
        let mut counts = vec![[0; 2]; n * n];
        for person in people {
            let rows = self.stays.of(person);
            let Some(entry) = rows.clone().next().map(|row| self.stays.entered[row]) else { continue };
            let cohort = self.months.of(entry);
            let of_cohort = &mut counts[cohort * n..(cohort + 1) * n];
            self.count_active(person, entry, of_cohort);
            for row in rows {
                if self.silent[usize::from(self.stays.stage[row])] {
                    continue;
                }
                // At the end of a month: `entered < end <= left`.
                let from =
                    self.months.starts[1..].partition_point(|&start| self.until(start) <= self.stays.entered[row]);
                let to = self.months.starts[1..].partition_point(|&start| self.until(start) <= self.stays.left[row]);
                of_cohort[from.min(n)..to.min(n)].iter_mut().for_each(|count| count[1] += 1);
            }
        }
        counts
    }

    /// The end of a month, or of observation.
    fn until(&self, start: i64) -> i64 {
        start.min(self.data.end.0)
    }

    fn count_active(&self, person: usize, entry: i64, counts: &mut [[u32; 2]]) {
        let (mut month, mut counted) = (self.months.of(entry), usize::MAX);
        for event in self.data.events.of(person) {
            let time = self.data.events.time[event];
            if time < entry {
                continue;
            }
            if time >= self.data.end.0 {
                break;
            }
            while self.months.starts[month + 1] <= time {
                month += 1;
            }
            if month != counted {
                counts[month][0] += 1;
                counted = month;
            }
        }
    }
}

/// `map/retention.parquet`.
pub(crate) fn retention_frame(rows: &[Retained]) -> Result<DataFrame> {
    let share = |frame: Frame, name: &str, of: fn(&Retained) -> Rate| {
        frame
            .counts(name, rows.iter().map(|row| of(row).n_attained))
            .numbers(&format!("{name}_share"), rows.iter().map(|row| of(row).share()))
            .numbers(&format!("{name}_low"), rows.iter().map(|row| of(row).interval().map(|(low, _)| low)))
            .numbers(&format!("{name}_high"), rows.iter().map(|row| of(row).interval().map(|(_, high)| high)))
    };
    let frame = Frame::default()
        .texts("cohort", rows.iter().map(|row| Some(row.cohort.as_str())))
        .counts("months_since", rows.iter().map(|row| row.months_since as u64))
        .counts("people", rows.iter().map(|row| row.active.n_eligible));
    let frame = share(share(frame, "active", |row| row.active), "in_stage", |row| row.in_stage);
    frame.truths("complete", rows.iter().map(|row| row.is_complete)).finish()
}
