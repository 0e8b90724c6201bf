//! Where people stall: the stages and events after which nothing follows, and how long one waits.
//!
//! A stay, or an event, has stalled when nothing followed it within the window: no move to another stage (falling silent is
//! none), no further event of the person. Only stages that somebody leaves otherwise are told, silent ones are not. Only what began a window before the end is counted. Waits are those that have ended:
//! from an event to the person's next; medians and ninth deciles of stays are in `times.parquet`, where stays that last count.

use polars::prelude::DataFrame;
use rayon::prelude::*;

use super::frames::Frame;
use super::history::Stays;
use super::transitions::n_people;
use crate::error::Result;
use crate::rate::Rate;
use crate::source::Data;
use crate::spec::{Rule, Spec};
use crate::time::{Duration, Time};

/// How many people are counted at a time.
const CHUNK: usize = 1 << 13;
/// Waits are held in seconds.
const SECOND: i64 = 1_000_000;
/// The window when the spec names none.
const WINDOW: Duration = Duration::days(90);

/// A stage or a kind of event, and how often nothing followed.
#[derive(Debug, Clone, PartialEq)]
pub struct Stall {
    /// The stage's position, when it is one.
    pub stage: Option<usize>,
    /// The kind of event, when it is one.
    pub kind: Option<u16>,
    /// How often nothing followed within the window.
    pub stalled: Rate,
    /// The window.
    pub window: Duration,
    /// People whose last stay or event it is.
    pub n_last: u64,
    /// Median wait of those that ended, in days.
    pub median_days: Option<f64>,
    /// Nine of ten waits that ended were not longer.
    pub ninth_decile_days: Option<f64>,
}

/// What is counted of a stage or a kind of event.
#[derive(Debug, Clone, Default)]
struct Tally {
    n_watched: usize,
    n_stalled: usize,
    n_last: u64,
    waits: Vec<u32>,
}

/// Where people stall: stages, then kinds of events.
pub(crate) fn stalls(data: &Data, spec: &Spec, stays: &Stays) -> Vec<Stall> {
    let window = spec.measures.windows.last().copied().unwrap_or(WINDOW);
    let chunks: Vec<usize> = (0..n_people(stays)).step_by(CHUNK).collect();
    let silent = |stage: u16| matches!(spec.stages[usize::from(stage)].rule, Rule::Silence(_));
    let people = |first: usize| first..(first + CHUNK).min(n_people(stays));
    let count = |first: usize| {
        let (mut stages, mut kinds) =
            (vec![Tally::default(); spec.stages.len()], vec![Tally::default(); data.events.kinds.len()]);
        for person in people(first) {
            let rows = stays.of(person);
            let moves_on = |row: usize| row + 1 < rows.end && !silent(stays.stage[row + 1]);
            let next = |row: usize| if moves_on(row) { stays.left[row] } else { Time::NEVER.0 };
            let stay = |row: usize| (stays.stage[row], stays.entered[row], next(row));
            let here = rows.clone().filter(|&row| !silent(stays.stage[row]));
            add(here.map(stay), (data.end, window), &mut stages);
            let events = data.events.of(person);
            let n_known = data.events.time[events.clone()].partition_point(|&time| time < data.end.0);
            let known = events.start..events.start + n_known;
            let next = |row: usize| if row + 1 < known.end { data.events.time[row + 1] } else { Time::NEVER.0 };
            let event = |row: usize| (data.events.kind[row], data.events.time[row], next(row));
            add(known.clone().map(event), (data.end, window), &mut kinds);
        }
        (stages, kinds)
    };
    let parts: Vec<(Vec<Tally>, Vec<Tally>)> = chunks.into_par_iter().map(count).collect();
    let (mut stages, mut kinds) =
        (vec![Tally::default(); spec.stages.len()], vec![Tally::default(); data.events.kinds.len()]);
    for (more_stages, more_kinds) in parts {
        stages.iter_mut().zip(more_stages).for_each(|(tally, more)| tally.add(more));
        kinds.iter_mut().zip(more_kinds).for_each(|(tally, more)| tally.add(more));
    }
    let stages = stages.into_iter().enumerate().map(|(stage, tally)| tally.stall(Some(stage), None, window));
    let kinds = (0..).zip(kinds).map(|(kind, tally)| tally.stall(None, Some(kind), window));
    let is_told = |stall: &Stall| stall.median_days.is_some() || (stall.kind.is_some() && stall.n_last > 0);
    stages.chain(kinds).filter(is_told).collect()
}

/// Counts the stays or events of one person: what, when it began, when the next thing came.
fn add(things: impl Iterator<Item = (u16, i64, i64)>, (end, window): (Time, Duration), tallies: &mut [Tally]) {
    for (what, begun, next) in things {
        let tally = &mut tallies[usize::from(what)];
        let until = Time(begun).plus(window);
        if until <= end {
            tally.n_watched += 1;
            tally.n_stalled += usize::from(next > until.0);
        }
        if next == Time::NEVER.0 {
            tally.n_last += 1;
        } else {
            tally.waits.push(u32::try_from((next - begun) / SECOND).unwrap_or(u32::MAX));
        }
    }
}

impl Tally {
    fn add(&mut self, more: Self) {
        self.n_watched += more.n_watched;
        self.n_stalled += more.n_stalled;
        self.n_last += more.n_last;
        self.waits.extend(more.waits);
    }

    fn stall(mut self, stage: Option<usize>, kind: Option<u16>, window: Duration) -> Stall {
        let mut quantile = |share: f64| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
            let place = ((self.waits.len() as f64 * share).ceil() as usize).checked_sub(1)?;
            let (_, wait, _) = self.waits.select_nth_unstable(place);
            Some(f64::from(*wait) / 86_400.0)
        };
        Stall {
            stage,
            kind,
            stalled: Rate::new(self.n_stalled, self.n_watched),
            window,
            n_last: self.n_last,
            median_days: quantile(0.5),
            ninth_decile_days: quantile(0.9),
        }
    }
}

/// `map/stalls.parquet`.
pub(crate) fn stalls_frame(rows: &[Stall], data: &Data, spec: &Spec) -> Result<DataFrame> {
    let name = |row: &Stall| match (row.stage, row.kind) {
        (Some(stage), _) => Some(spec.stages[stage].name.as_str().to_owned()),
        (None, kind) => kind.map(|kind| data.events.kinds[usize::from(kind)].clone()),
    };
    let names: Vec<Option<String>> = rows.iter().map(name).collect();
    Frame::default()
        .texts("kind", rows.iter().map(|row| Some(if row.stage.is_some() { "stage" } else { "event" })))
        .texts("name", names.iter().map(Option::as_deref))
        .numbers("window_days", rows.iter().map(|row| Some(row.window.in_days())))
        .counts("stalled", rows.iter().map(|row| row.stalled.n_attained))
        .counts("watched", rows.iter().map(|row| row.stalled.n_eligible))
        .numbers("share", rows.iter().map(|row| row.stalled.share()))
        .numbers("share_low", rows.iter().map(|row| row.stalled.interval().map(|(low, _)| low)))
        .numbers("share_high", rows.iter().map(|row| row.stalled.interval().map(|(_, high)| high)))
        .counts("last", rows.iter().map(|row| row.n_last))
        .numbers("median_wait_days", rows.iter().map(|row| row.median_days))
        .numbers("ninth_decile_wait_days", rows.iter().map(|row| row.ninth_decile_days))
        .finish()
}
