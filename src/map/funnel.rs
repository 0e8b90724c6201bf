//! The funnel: of the people who entered the lifecycle, or a stage, how many reached each step within each window.
//!
//! A step is a stage (its first entry) or a kind of event (its first event). A window counts from the first entry of the
//! stage it starts in; people who entered less than a window before the end are not counted, whether they reached the step
//! or not: everyone counted had the same time. "Ever" has no window and counts everyone: it favours people of long ago.

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
const CHUNK: usize = 1 << 14;
/// Of a spec with more kinds of events, the commonest are told.
const N_KINDS: usize = 40;

/// What is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// A stage.
    Stage(usize),
    /// A kind of event.
    Event(u16),
}

/// How many reach a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The stage that the window starts in; `None`: the lifecycle, whichever stage was the first.
    pub from: Option<usize>,
    /// What is reached.
    pub to: Target,
    /// Within what time; `None`: ever.
    pub window: Option<Duration>,
    /// People who reached it, of those who were watched for the window.
    pub people: Rate,
}

/// What is counted at a time, and the counts' places.
struct Funnel<'a> {
    data: &'a Data,
    stays: &'a Stays,
    n_stages: usize,
    /// The windows, then "ever".
    windows: Vec<Option<Duration>>,
    /// The kinds of events that are told.
    kinds: Vec<u16>,
}

/// How many reach each stage, and each kind of event, from entry and from each stage.
pub(crate) fn funnel(data: &Data, spec: &Spec, stays: &Stays) -> Vec<Step> {
    let windows = spec.measures.windows.iter().copied().map(Some).chain([None]).collect();
    let funnel = Funnel { data, stays, n_stages: spec.stages.len(), windows, kinds: kinds(data) };
    let people: Vec<usize> = (0..n_people(stays)).step_by(CHUNK).collect();
    let parts: Vec<Vec<(u32, u32)>> =
        people.into_par_iter().map(|first| funnel.count(first..(first + CHUNK).min(n_people(stays)))).collect();
    let mut total = vec![(0_usize, 0_usize); funnel.size()];
    for part in parts {
        total.iter_mut().zip(part).for_each(|(sum, (reached, watched))| {
            *sum = (sum.0 + reached as usize, sum.1 + watched as usize);
        });
    }
    funnel.steps(spec, &total)
}

/// The commonest kinds, in their order.
fn kinds(data: &Data) -> Vec<u16> {
    let mut n_events = vec![0_usize; data.events.kinds.len()];
    data.events.kind.iter().for_each(|&kind| n_events[usize::from(kind)] += 1);
    let mut kinds: Vec<u16> = (0..).zip(&data.events.kinds).map(|(kind, _)| kind).collect();
    kinds.sort_by_key(|&kind| std::cmp::Reverse(n_events[usize::from(kind)]));
    kinds.truncate(N_KINDS);
    kinds.sort_unstable();
    kinds
}

impl Funnel<'_> {
    /// Starts: entry, then the stages.
    fn size(&self) -> usize {
        (self.n_stages + 1) * (self.n_stages + self.kinds.len()) * self.windows.len()
    }

    fn place(&self, start: usize, target: usize, window: usize) -> usize {
        (start * (self.n_stages + self.kinds.len()) + target) * self.windows.len() + window
    }

    /// Reached and watched, at each place.
    fn count(&self, people: std::ops::Range<usize>) -> Vec<(u32, u32)> {
        let mut counts = vec![(0, 0); self.size()];
        let n_targets = self.n_stages + self.kinds.len();
        let mut first = vec![i64::MAX; n_targets];
        let mut target_of_kind = vec![None; self.data.events.kinds.len()];
        for (place, &kind) in self.kinds.iter().enumerate() {
            target_of_kind[usize::from(kind)] = Some(self.n_stages + place);
        }
        for person in people {
            let rows = self.stays.of(person);
            let Some(entry) = rows.clone().next().map(|row| self.stays.entered[row]) else { continue };
            first.fill(i64::MAX);
            for row in rows {
                let at = &mut first[usize::from(self.stays.stage[row])];
                *at = (*at).min(self.stays.entered[row]);
            }
            for event in self.data.events.of(person) {
                let time = self.data.events.time[event];
                if let Some(target) = target_of_kind[usize::from(self.data.events.kind[event])]
                    && first[target] == i64::MAX
                    && time >= entry
                    && time < self.data.end.0
                {
                    first[target] = time;
                }
            }
            self.add(entry, &first, &mut counts);
        }
        counts
    }

    fn add(&self, entry: i64, first: &[i64], counts: &mut [(u32, u32)]) {
        for start in 0..=self.n_stages {
            let begun = if start == 0 { entry } else { first[start - 1] };
            if begun == i64::MAX {
                continue;
            }
            for (window, length) in self.windows.iter().enumerate() {
                let until = length.map_or(self.data.end.0, |length| Time(begun).plus(length).0);
                if until > self.data.end.0 {
                    continue;
                }
                // Events are told from entry only.
                let n_targets = if start == 0 { first.len() } else { self.n_stages };
                for (target, &at) in first[..n_targets].iter().enumerate() {
                    let count = &mut counts[self.place(start, target, window)];
                    count.1 += 1;
                    count.0 += u32::from(at != i64::MAX && begun <= at && at < until);
                }
            }
        }
    }

    fn steps(&self, spec: &Spec, counts: &[(usize, usize)]) -> Vec<Step> {
        let silent = |stage: usize| matches!(spec.stages[stage].rule, Rule::Silence(_));
        let mut steps = Vec::new();
        for start in 0..=self.n_stages {
            let n_targets = if start == 0 { self.n_stages + self.kinds.len() } else { self.n_stages };
            for target in 0..n_targets {
                if start == target + 1 || (start > 0 && silent(start - 1) && silent(target)) {
                    continue;
                }
                for (window, &length) in self.windows.iter().enumerate() {
                    let (reached, watched) = counts[self.place(start, target, window)];
                    let to = target
                        .checked_sub(self.n_stages)
                        .map_or(Target::Stage(target), |kind| Target::Event(self.kinds[kind]));
                    let people = Rate::new(reached, watched);
                    steps.push(Step { from: start.checked_sub(1), to, window: length, people });
                }
            }
        }
        steps
    }
}

/// `map/funnel.parquet`.
pub(crate) fn funnel_frame(steps: &[Step], data: &Data, spec: &Spec) -> Result<DataFrame> {
    let name = |stage: usize| spec.stages[stage].name.as_str();
    Frame::default()
        .texts("from", steps.iter().map(|step| step.from.map(name)))
        .texts(
            "kind",
            steps.iter().map(|step| Some(if matches!(step.to, Target::Stage(_)) { "stage" } else { "event" })),
        )
        .texts(
            "to",
            steps.iter().map(|step| {
                Some(match step.to {
                    Target::Stage(stage) => name(stage),
                    Target::Event(kind) => data.events.kinds[usize::from(kind)].as_str(),
                })
            }),
        )
        .numbers("window_days", steps.iter().map(|step| step.window.map(Duration::in_days)))
        .rates(steps.iter().map(|step| step.people))
        .finish()
}
