//! How long people stay in each stage, and where they go: incidence and quartiles of each exit, per stage, for everyone,
//! by month of entry and by group.
//!
//! A stay counts from its entry (the clock starts again with every stay) and is censored at the end of observation. Its
//! horizon is how far the data can be believed: the longest time that a tenth of the stays of a stage (but ten at least, or
//! half of fewer than twenty) began early enough to be watched for. What is told of "the" probability of a transition is its incidence at the horizon.

use rayon::prelude::*;

use super::frames::Frame;
use super::groups::{Grouping, Months};
use super::history::Stays;
use super::incidence::{Curve, Incidence, Observation, days};
use super::transitions::n_people;
use crate::error::Result;
use crate::spec::Spec;
use crate::time::{DAY, Time};

/// How many times a curve is told at, for everyone and for a group.
const N_TIMES: usize = 40;
const N_TIMES_OF_GROUP: usize = 12;
/// The fewest stays that must have been watched up to the horizon.
const N_WATCHED: usize = 10;

/// The stays in one stage.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sojourns {
    /// By person.
    pub(crate) observations: Vec<Observation>,
    /// When each began.
    pub(crate) entered: Vec<i64>,
}

/// What is known of the stays of a stage, or of a group of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Departures {
    /// The stage.
    pub stage: usize,
    /// By what the stays are told apart, and the value; `None`: all of them.
    pub group: Option<(String, String)>,
    /// How many stays there were.
    pub n_stays: usize,
    /// How many of them last.
    pub n_lasting: usize,
    /// The horizon, microseconds.
    pub horizon: i64,
    /// The curve of each exit, then that of none; the last point is at the horizon.
    pub curves: Vec<Curve>,
    /// For each exit the times by which a quarter, a half and three quarters of those who take it within the horizon have.
    pub quartiles: Vec<[Option<i64>; 3]>,
    /// For each exit the time by which half of all have taken it; `None`: they never do.
    pub halves: Vec<Option<i64>>,
    /// The time by which half of the stays have ended, and its interval.
    pub median: (Option<i64>, Option<i64>, Option<i64>),
}

/// The stays of every stage.
pub(crate) fn sojourns(stays: &Stays, n_stages: usize, end: Time) -> Vec<Sojourns> {
    let mut found = vec![Sojourns::default(); n_stages];
    for person in 0..n_people(stays) {
        let rows = stays.of(person);
        for row in rows.clone() {
            let lasts = stays.left[row] == Time::NEVER.0;
            let left = if lasts { end.0 } else { stays.left[row] };
            let exit = (row + 1 < rows.end && !lasts).then(|| stays.stage[row + 1]);
            let of = &mut found[usize::from(stays.stage[row])];
            of.entered.push(stays.entered[row]);
            let person = u32::try_from(person).expect("people are counted in 32 bits");
            of.observations.push(Observation { person, micros: left.saturating_sub(stays.entered[row]).max(0), exit });
        }
    }
    found
}

/// How people leave each stage: all of them, by month of entry, and by each grouping.
pub(crate) fn departures(sojourns: &[Sojourns], months: &Months, groupings: &[Grouping], end: Time) -> Vec<Departures> {
    let of_stage = |(stage, stays): (usize, &Sojourns)| {
        let mut found = vec![depart(stage, None, stays.clone(), end, N_TIMES)];
        let cohort: Vec<usize> = stays.entered.iter().map(|&entered| months.of(entered)).collect();
        found.extend(apart(stage, "cohort", &months.names, stays, &cohort, end));
        for grouping in groupings {
            let of = stays.observations.iter().map(|stay| usize::from(grouping.of[stay.person as usize]));
            found.extend(apart(stage, &grouping.name, &grouping.levels, stays, &of.collect::<Vec<_>>(), end));
        }
        found
    };
    let found: Vec<Vec<Departures>> = sojourns.par_iter().enumerate().map(of_stage).collect();
    found.into_iter().flatten().filter(|departures| departures.n_stays > 0).collect()
}

/// The stays of a stage, each level for itself.
fn apart(stage: usize, name: &str, levels: &[String], stays: &Sojourns, of: &[usize], end: Time) -> Vec<Departures> {
    let mut parts = vec![Sojourns::default(); levels.len()];
    for ((observation, entered), &level) in stays.observations.iter().zip(&stays.entered).zip(of) {
        parts[level].observations.push(*observation);
        parts[level].entered.push(*entered);
    }
    let one = |(stays, level): (Sojourns, &String)| {
        depart(stage, Some((name.to_owned(), level.clone())), stays, end, N_TIMES_OF_GROUP)
    };
    parts.into_par_iter().zip(levels).filter(|(stays, _)| !stays.entered.is_empty()).map(one).collect()
}

fn depart(stage: usize, group: Option<(String, String)>, stays: Sojourns, end: Time, n_times: usize) -> Departures {
    let horizon = horizon(&stays.entered, end);
    let n_lasting = stays.observations.iter().filter(|stay| stay.exit.is_none()).count();
    let incidence = Incidence::new(stays.observations);
    let exits: Vec<u16> = incidence.exits().collect();
    let quartiles = |&exit: &u16| {
        let all = incidence.probability(Some(exit), horizon);
        [0.25, 0.5, 0.75].map(|part| incidence.quantile(exit, part * all).filter(|_| all > 0.0))
    };
    Departures {
        stage,
        group,
        n_stays: incidence.n_stays(),
        n_lasting,
        horizon,
        quartiles: exits.iter().map(quartiles).collect(),
        halves: exits.iter().map(|&exit| incidence.quantile(exit, 0.5)).collect(),
        median: incidence.median_stay(),
        curves: incidence.curves(&told_at(&incidence, horizon, n_times)),
    }
}

/// The longest time that a tenth of the stays (but [`N_WATCHED`] at least, or half of them) began early enough to be watched for.
pub(crate) fn horizon(entered: &[i64], end: Time) -> i64 {
    let mut watched: Vec<i64> = entered.iter().map(|&entered| end.0.saturating_sub(entered).max(0)).collect();
    if watched.is_empty() {
        return 0;
    }
    let n = watched.len().div_ceil(10).max(N_WATCHED.min(watched.len().div_ceil(2)));
    let place = watched.len() - n;
    *watched.select_nth_unstable(place).1
}

/// The times that a curve is told at: even steps of whole days up to the horizon, and as many steps of exits.
fn told_at(incidence: &Incidence, horizon: i64, n: usize) -> Vec<i64> {
    let step = (horizon / DAY / i64::try_from(n).expect("few times") + 1) * DAY;
    let times = &incidence.times()[..incidence.times().partition_point(|&time| time <= horizon)];
    let every = times.len().div_ceil(n).max(1);
    let mut at: Vec<i64> = (0..=horizon / step).map(|i| i * step).collect();
    at.extend(times.iter().skip(every - 1).step_by(every));
    at.push(horizon);
    at.sort_unstable();
    at.dedup();
    at
}

/// `map/incidence.parquet`: the curves.
pub(crate) fn incidence_frame(departures: &[Departures], spec: &Spec) -> Result<polars::prelude::DataFrame> {
    let rows = || {
        departures.iter().flat_map(|of| {
            of.curves.iter().flat_map(move |curve| curve.points.iter().map(move |point| (of, curve.exit, point)))
        })
    };
    let name = |stage: usize| spec.stages[stage].name.as_str();
    Frame::default()
        .texts("stage", rows().map(|(of, ..)| Some(name(of.stage))))
        .texts("to", rows().map(|(_, exit, _)| exit.map(|exit| name(usize::from(exit)))))
        .texts("by", rows().map(|(of, ..)| of.group.as_ref().map(|(by, _)| by.as_str())))
        .texts("value", rows().map(|(of, ..)| of.group.as_ref().map(|(_, value)| value.as_str())))
        .numbers("days", rows().map(|(.., point)| Some(days(point.micros))))
        .numbers("probability", rows().map(|(.., point)| Some(point.probability)))
        .numbers("probability_low", rows().map(|(.., point)| Some(point.low)))
        .numbers("probability_high", rows().map(|(.., point)| Some(point.high)))
        .numbers("variance", rows().map(|(.., point)| Some(point.variance)))
        .counts("at_risk", rows().map(|(.., point)| point.n_at_risk as u64))
        .counts("events", rows().map(|(.., point)| point.n_events as u64))
        .finish()
}

/// `map/times.parquet`: for each exit its probability within the horizon, and the quartiles of the time to it.
pub(crate) fn times_frame(departures: &[Departures], spec: &Spec) -> Result<polars::prelude::DataFrame> {
    let rows =
        || departures.iter().flat_map(|of| (0..of.curves.len()).map(move |curve| (of, &of.curves[curve], curve)));
    let name = |stage: usize| spec.stages[stage].name.as_str();
    let last = |curve: &Curve| curve.points[curve.points.len() - 1];
    let quartile = |of: &Departures, curve: usize, i: usize| match of.quartiles.get(curve) {
        Some(quartiles) => quartiles[i].map(days),
        None if i == 1 => of.median.0.map(days),
        None => None,
    };
    Frame::default()
        .texts("stage", rows().map(|(of, ..)| Some(name(of.stage))))
        .texts("to", rows().map(|(_, curve, _)| curve.exit.map(|exit| name(usize::from(exit)))))
        .texts("by", rows().map(|(of, ..)| of.group.as_ref().map(|(by, _)| by.as_str())))
        .texts("value", rows().map(|(of, ..)| of.group.as_ref().map(|(_, value)| value.as_str())))
        .counts("stays", rows().map(|(of, ..)| of.n_stays as u64))
        .counts("lasting", rows().map(|(of, ..)| of.n_lasting as u64))
        .counts("events", rows().map(|(_, curve, _)| last(curve).n_events as u64))
        .numbers("horizon_days", rows().map(|(of, ..)| Some(days(of.horizon))))
        .numbers("probability", rows().map(|(_, curve, _)| Some(last(curve).probability)))
        .numbers("probability_low", rows().map(|(_, curve, _)| Some(last(curve).low)))
        .numbers("probability_high", rows().map(|(_, curve, _)| Some(last(curve).high)))
        .numbers("quarter_days", rows().map(|(of, _, i)| quartile(of, i, 0)))
        .numbers("median_days", rows().map(|(of, _, i)| quartile(of, i, 1)))
        .numbers("three_quarters_days", rows().map(|(of, _, i)| quartile(of, i, 2)))
        .numbers("half_of_all_days", rows().map(|(of, _, i)| of.halves.get(i).copied().flatten().map(days)))
        .finish()
}
