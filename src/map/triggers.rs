//! Which triggers fire at an event: rules over a single event are asked as they are ([`Masks`]), several together go
//! through each person's events once and remember when their parts last fired.
//!
//! In: the events of some people. Out: for each event a mask with a bit per trigger that fires. [`crate::spec::Trigger`]
//! says what each form means; `tests` reads the definitions literally and compares.

use std::collections::VecDeque;
use std::ops::Range;

use super::masks::{Asked, MAX_STAGES, Masks};
use crate::error::{Error, Result};
use crate::source::Data;
use crate::spec::{Cause, Rule, Spec, Trigger};
use crate::time::{Duration, Time, is_within};

/// What has never happened.
const NEVER: i64 = i64::MIN;

/// A trigger of a spec and its bit in the masks.
struct Told<'s> {
    bit: u32,
    stage: usize,
    trigger: &'s Trigger,
    what: String,
    at: String,
}

/// The triggers of a spec, ready to be asked about the events of some data.
#[derive(Debug)]
pub(crate) struct Triggers<'a> {
    data: &'a Data,
    single: Masks<'a>,
    joint: Vec<Joint<'a>>,
}

/// A trigger of several events.
#[derive(Debug)]
struct Joint<'a> {
    bit: u32,
    node: Node,
    parts: Masks<'a>,
    /// The stage it is about, and the SQL of each part.
    stage: usize,
    rules: Vec<String>,
}

/// What triggers say of the events of some people.
#[derive(Debug, Default)]
pub(crate) struct Fired {
    /// A mask per event, with a bit per trigger that fires.
    pub(crate) masks: Vec<u32>,
    /// For each trigger of several events, the parts that ever held.
    pub(crate) held: Vec<u32>,
}

impl<'a> Triggers<'a> {
    /// The `enter` rules: the bit of a trigger is the position of its stage.
    pub(crate) fn enter(data: &'a Data, spec: &Spec) -> Result<Self> {
        let told = spec.stages.iter().enumerate().filter_map(|(stage, what)| match &what.rule {
            Rule::Enter(trigger) => Some(Told {
                bit: 1 << stage,
                stage,
                trigger,
                what: format!("the `enter` rule of stage `{}`", what.name),
                at: format!("lifecycle.stages[{stage}].enter"),
            }),
            _ => None,
        });
        Self::new(data, spec, &told.collect::<Vec<_>>())
    }

    /// The exits by events: the bit of a trigger is its position among them, stage by stage.
    pub(crate) fn exit(data: &'a Data, spec: &Spec) -> Result<Self> {
        let mut told = Vec::new();
        for (stage, what) in spec.stages.iter().enumerate() {
            for (position, exit) in what.exits.iter().enumerate() {
                let Cause::On(trigger) = &exit.cause else { continue };
                // A stage's only exit may be written without a list.
                let listed = format!("lifecycle.stages[{stage}].exit[{position}].on");
                let alone = format!("lifecycle.stages[{stage}].exit.on");
                told.push(Told {
                    bit: 1_u32.checked_shl(u32::try_from(told.len()).unwrap_or(u32::MAX)).unwrap_or(0),
                    stage,
                    trigger,
                    what: format!("the exit of stage `{}`", what.name),
                    at: if spec.says(&alone) { alone } else { listed },
                });
            }
        }
        if told.len() > MAX_STAGES {
            return Err(Error::spec(format!(
                "a lifecycle has at most {MAX_STAGES} exits by events; this one has {}",
                told.len()
            ))
            .hint("put rules that lead to the same stage together: { any = […] }, or OR in the SQL"));
        }
        Self::new(data, spec, &told)
    }

    fn new(data: &'a Data, spec: &Spec, told: &[Told<'_>]) -> Result<Self> {
        let mut errors = Vec::new();
        let single: Vec<Asked<'_>> = told.iter().filter_map(Told::single).collect();
        let single = Masks::new(data, spec, &single).map_err(|error| errors.push(error)).ok();
        let several = told.iter().filter(|told| told.single().is_none());
        let joint = several.filter_map(|told| Joint::new(data, spec, told).map_err(|error| errors.push(error)).ok());
        let joint: Vec<Joint<'_>> = joint.collect();
        match (Error::all(errors), single) {
            (None, Some(single)) => Ok(Self { data, single, joint }),
            (Some(error), _) => Err(error),
            (None, None) => unreachable!("what is missing was told"),
        }
    }

    /// What fires at each event of some people who stand side by side.
    ///
    /// # Errors
    /// A data error when a rule fails on a value.
    pub(crate) fn of(&self, people: Range<usize>) -> Result<Fired> {
        let mut masks = self.single.of(people.clone())?;
        let mut held = Vec::with_capacity(self.joint.len());
        for joint in &self.joint {
            held.push(joint.mark(self.data, people.clone(), &mut masks)?);
        }
        Ok(Fired { masks, held })
    }

    /// The rules behind the masks.
    pub(crate) fn rules(&self) -> impl Iterator<Item = &Masks<'a>> {
        std::iter::once(&self.single).chain(self.joint.iter().map(|joint| &joint.parts))
    }

    /// The parts of triggers of several events that no event ever fulfilled, with their stage; `held` says which did.
    pub(crate) fn unfulfilled(&self, held: &[u32]) -> Vec<(usize, String)> {
        let of_joint = |(joint, held): (&Joint<'_>, &u32)| -> Vec<(usize, String)> {
            let idle = joint.rules.iter().enumerate().filter(|(part, _)| held & (1 << part) == 0);
            idle.map(|(_, rule)| (joint.stage, rule.clone())).collect()
        };
        self.joint.iter().zip(held).flat_map(of_joint).collect()
    }
}

impl<'s> Told<'s> {
    /// The trigger as a rule over single events, if it is one.
    fn single(&self) -> Option<Asked<'s>> {
        let Trigger::Event(rule) = self.trigger else { return None };
        Some(Asked { bit: self.bit, stage: self.stage, rule, what: self.what.clone(), at: self.at.clone() })
    }
}

impl<'a> Joint<'a> {
    fn new(data: &'a Data, spec: &Spec, told: &Told<'_>) -> Result<Self> {
        let conditions = told.trigger.conditions();
        if conditions.len() > MAX_STAGES {
            return Err(Error::spec(format!(
                "{} has {} conditions, and at most {MAX_STAGES} fit",
                told.what,
                conditions.len()
            ))
            .hint("put some of them into one with OR")
            .at(spec.excerpt(&told.at)));
        }
        let asked = conditions.iter().enumerate().map(|(part, (path, rule))| Asked {
            bit: 1 << part,
            stage: told.stage,
            rule,
            what: told.what.clone(),
            at: format!("{}{path}", told.at),
        });
        Ok(Self {
            bit: told.bit,
            node: Node::of(told.trigger, &mut 0),
            parts: Masks::new(data, spec, &asked.collect::<Vec<_>>())?,
            stage: told.stage,
            rules: conditions.iter().map(|(_, rule)| (*rule).to_owned()).collect(),
        })
    }

    /// Adds its bit to the masks of the events at which it fires; returns the parts that ever held.
    fn mark(&self, data: &Data, people: Range<usize>, masks: &mut [u32]) -> Result<u32> {
        let parts = self.parts.of(people.clone())?;
        let first = data.events.offsets[people.start] as usize;
        let mut node = self.node.clone();
        for person in people {
            node.forget();
            for row in data.events.of(person) {
                let part = parts[row - first];
                // Nothing fires, and nothing is remembered, where no part holds.
                if part != 0 && node.fires(data.events.time[row], part) {
                    masks[row - first] |= self.bit;
                }
            }
        }
        Ok(parts.iter().fold(0, |held, part| held | part))
    }
}

/// A trigger and what it remembers of one person's events so far.
#[derive(Debug, Clone)]
enum Node {
    /// A part: its bit.
    Event(u32),
    /// When each last fired.
    All {
        of: Vec<Node>,
        last: Vec<i64>,
        within: Option<Duration>,
    },
    Any {
        of: Vec<Node>,
    },
    /// For the first so many in order, when the latest of those that happened began.
    Sequence {
        of: Vec<Node>,
        began: Vec<i64>,
        within: Option<Duration>,
    },
    /// When it last fired, as often as it has to.
    Times {
        event: u32,
        times: usize,
        last: VecDeque<i64>,
        within: Option<Duration>,
    },
}

impl Node {
    /// The parts are numbered in the order of [`Trigger::conditions`].
    fn of(trigger: &Trigger, next: &mut u32) -> Self {
        let mut each =
            |triggers: &[Trigger]| triggers.iter().map(|trigger| Self::of(trigger, next)).collect::<Vec<_>>();
        match trigger {
            Trigger::All { all, within } => Self::All { of: each(all), last: vec![NEVER; all.len()], within: *within },
            Trigger::Any { any } => Self::Any { of: each(any) },
            Trigger::Sequence { sequence, within } => {
                Self::Sequence { of: each(sequence), began: vec![NEVER; sequence.len()], within: *within }
            }
            Trigger::Event(_) => Self::Event(part(next)),
            Trigger::Times { times, within, .. } => {
                Self::Times { event: part(next), times: *times, last: VecDeque::with_capacity(*times), within: *within }
            }
        }
    }

    /// Begins with the next person.
    fn forget(&mut self) {
        match self {
            Self::Event(_) => {}
            Self::Any { of } => of.iter_mut().for_each(Self::forget),
            Self::All { of, last: times, .. } | Self::Sequence { of, began: times, .. } => {
                of.iter_mut().for_each(Self::forget);
                times.fill(NEVER);
            }
            Self::Times { last, .. } => last.clear(),
        }
    }

    /// Whether it fires at an event, of whose parts some hold.
    fn fires(&mut self, time: i64, held: u32) -> bool {
        match self {
            Self::Event(bit) => held & *bit != 0,
            // Each must be told of the event, also after the first that fires.
            Self::Any { of } => of.iter_mut().fold(false, |any, node| node.fires(time, held) | any),
            Self::All { of, last, within } => {
                let mut any = false;
                for (node, last) in of.iter_mut().zip(last.iter_mut()) {
                    if node.fires(time, held) {
                        (any, *last) = (true, time);
                    }
                }
                any && last.iter().all(|&last| happened_within(last, *within, time))
            }
            Self::Sequence { of, began, within } => {
                let fires: Vec<bool> = of.iter_mut().map(|node| node.fires(time, held)).collect();
                let end = of.len() - 1;
                let complete = fires[end] && happened_within(began[end - 1], *within, time);
                // From the last to the first: an event must not serve two of them.
                for position in (1..end).rev().filter(|&position| fires[position]) {
                    began[position] = began[position].max(began[position - 1]);
                }
                if fires[0] {
                    began[0] = time;
                }
                complete
            }
            Self::Times { event, times, last, within } => {
                if held & *event == 0 {
                    return false;
                }
                if last.len() == *times {
                    last.pop_front();
                }
                last.push_back(time);
                last.len() == *times && happened_within(last[0], *within, time)
            }
        }
    }
}

fn part(next: &mut u32) -> u32 {
    *next += 1;
    1 << (*next - 1)
}

/// Whether something happened, and no longer ago than `within`.
fn happened_within(at: i64, within: Option<Duration>, now: i64) -> bool {
    at != NEVER && within.is_none_or(|within| is_within(Time(at), within, Time(now)))
}

#[cfg(test)]
mod tests;
