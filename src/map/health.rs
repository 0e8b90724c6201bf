//! Health: how late each person is, against their own usual gap. An early sign of churn.
//!
//! A person's gaps are the days between the days on which they did anything; the usual gap is their median. Who has been
//! quiet for less than one and a half of their usual gaps is as usual, up to three gaps late, beyond that very late.
//! Fewer than two gaps tell no habit. The idea of holding each person to their own rhythm, and tripping over its breach, is
//! Novo's ("latency", Drilling Down, 2004); the two thresholds are conventions, and `gaps_missed` is there for others.

use polars::prelude::DataFrame;
use rayon::prelude::*;

use super::frames::Frame;
use super::history::Stays;
use crate::error::Result;
use crate::source::Data;
use crate::spec::Spec;
use crate::time::DAY;

/// Usual gaps after which somebody is late, and very late.
const LATE: f64 = 1.5;
const VERY_LATE: f64 = 3.0;
/// The fewest gaps that tell a habit.
const N_GAPS: usize = 2;

/// How late a person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Too few gaps to know.
    Unknown,
    /// Within one and a half usual gaps.
    Usual,
    /// Up to three.
    Late,
    /// Beyond.
    VeryLate,
}

impl Status {
    /// The words in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Usual => "as usual",
            Self::Late => "late",
            Self::VeryLate => "very late",
        }
    }
}

/// The rhythm of a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Rhythm {
    /// Who.
    pub person: u32,
    /// The stage they stand in at the end.
    pub stage: usize,
    /// Days on which they did anything.
    pub n_days: usize,
    /// Their last event, microseconds.
    pub last: i64,
    /// Days since.
    pub days_since: f64,
    /// The median of their gaps, in days.
    pub usual_gap_days: Option<f64>,
}

impl Rhythm {
    /// How many of their usual gaps they have been quiet for.
    #[must_use]
    pub fn gaps_missed(&self) -> Option<f64> {
        self.usual_gap_days.map(|gap| self.days_since / gap)
    }

    /// How late they are.
    #[must_use]
    pub fn status(&self) -> Status {
        match self.gaps_missed() {
            None => Status::Unknown,
            Some(gaps) if gaps < LATE => Status::Usual,
            Some(gaps) if gaps < VERY_LATE => Status::Late,
            Some(_) => Status::VeryLate,
        }
    }
}

/// The rhythm of everyone who stands in a stage and has an event.
pub(crate) fn health(data: &Data, stays: &Stays) -> Vec<Rhythm> {
    let rhythm = |person: usize| {
        let stage = usize::from(stays.stage[stays.of(person).next_back()?]);
        let events = data.events.of(person);
        let times = &data.events.time[events];
        let times = &times[..times.partition_point(|&time| time < data.end.0)];
        let last = *times.last()?;
        let mut days: Vec<i64> = times.iter().map(|time| time.div_euclid(DAY)).collect();
        days.dedup();
        let mut gaps: Vec<i64> = days.windows(2).map(|pair| pair[1] - pair[0]).collect();
        Some(Rhythm {
            person: u32::try_from(person).expect("people are counted in 32 bits"),
            stage,
            n_days: days.len(),
            last,
            days_since: (data.end.0 - last) as f64 / DAY as f64,
            usual_gap_days: (gaps.len() >= N_GAPS).then(|| middle(&mut gaps)),
        })
    };
    (0..data.people.len()).into_par_iter().filter_map(rhythm).collect()
}

/// The median of whole days.
fn middle(gaps: &mut [i64]) -> f64 {
    let is_odd = gaps.len() % 2 == 1;
    let (below, upper, _) = gaps.select_nth_unstable(gaps.len() / 2);
    let lower = below.iter().max().filter(|_| !is_odd).unwrap_or(&*upper);
    f64::midpoint(*lower as f64, *upper as f64)
}

/// `map/health.parquet`.
pub(crate) fn health_frame(rows: &[Rhythm], data: &Data, spec: &Spec) -> Result<DataFrame> {
    let stage = |row: &Rhythm| Some(u32::try_from(row.stage).expect("there are at most 32 stages"));
    Frame::default()
        .looked_up("person", data.people.ids.iter().map(String::as_str), rows.iter().map(|row| Some(row.person)))?
        .looked_up("stage", spec.stages.iter().map(|stage| stage.name.as_str()), rows.iter().map(stage))?
        .counts("active_days", rows.iter().map(|row| row.n_days as u64))
        .times("last_event_at", rows.iter().map(|row| Some(row.last)))?
        .numbers("days_since_last", rows.iter().map(|row| Some(row.days_since)))
        .numbers("usual_gap_days", rows.iter().map(|row| row.usual_gap_days))
        .numbers("gaps_missed", rows.iter().map(Rhythm::gaps_missed))
        .texts("status", rows.iter().map(|row| Some(row.status().name())))
        .finish()
}
