//! The state machine that takes one person through the stages, event by event.
//!
//! At an event, the first exit of the stage whose rule holds moves the person; else the last declared stage whose rule
//! claims the event and that can be entered from here. One event makes one move at most. Between events time does: the
//! silence or span that is over first. A stage that may not be entered again (yet) is passed over.

use super::claims::Claims;
use super::history::{BY_SILENCE, BY_SPAN, BY_START, Stays};
use crate::source::Data;
use crate::spec::{Cause, ReEntry, Rule, Spec, Stage};
use crate::time::{Duration, Time, end_of_span};

/// The stages of a spec, ready to walk through.
#[derive(Debug)]
pub(crate) struct Machine {
    start: Option<u16>,
    /// When people without events enter the start stage.
    beginning: i64,
    /// The end of observation: nothing happens at or after it.
    end: i64,
    /// The stages that can be entered from no stage.
    enterable_first: u32,
    /// The stages that can be entered from each stage.
    enterable: Vec<u32>,
    silences: Vec<Silence>,
    /// The stages in which some silence is waited for, and whose events end it.
    watched: u32,
    /// Where each exit by events leads; in the order of its bits.
    exits: Vec<u16>,
    /// The exits by events of each stage.
    exits_of: Vec<u32>,
    spans: Vec<Span>,
    re_entry: Vec<ReEntry>,
    /// The stages that may not always be entered again.
    guarded: u32,
}

/// A stage that is entered when nothing happens for long.
#[derive(Debug)]
struct Silence {
    stage: u16,
    from: u32,
    after: Duration,
}

/// A stage that is left when one has been in it for long.
#[derive(Debug)]
struct Span {
    stage: u16,
    to: u16,
    after: Duration,
}

/// One person's events, in order, and what triggers say of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heard<'a> {
    /// When.
    pub(crate) times: &'a [i64],
    /// What.
    pub(crate) kinds: &'a [u16],
    /// The stages that claim each.
    pub(crate) enters: &'a [u32],
    /// The exits by events that hold for each; empty when there are none.
    pub(crate) exits: &'a [u32],
}

/// Where one person stands.
struct Walk<'a> {
    machine: &'a Machine,
    stays: &'a mut Stays,
    /// The person's first row in `stays`.
    first: usize,
    /// For each silence, when an event last ended it.
    heard: Vec<i64>,
}

impl Machine {
    pub(crate) fn new(data: &Data, spec: &Spec) -> Self {
        let stages = &spec.stages;
        let silences: Vec<Silence> = (0_u16..)
            .zip(stages)
            .filter_map(|(stage, what)| match what.rule {
                Rule::Silence(after) => Some(Silence { stage, from: bits(&what.from), after }),
                _ => None,
            })
            .collect();
        let enters = |stage: &&usize| matches!(stages[**stage].rule, Rule::Enter(_));
        let first = |stage: &&usize| stages[**stage].from.is_empty();
        let all: Vec<usize> = (0..stages.len()).collect();
        let from = |from| {
            let targets = all.iter().filter(enters).filter(|to| may_enter(stages, from, **to));
            bits(&targets.copied().collect::<Vec<_>>())
        };
        let guarded: Vec<usize> =
            all.iter().copied().filter(|&stage| stages[stage].re_entry != ReEntry::Always).collect();
        let (exits, exits_of) = exits(stages);
        Self {
            start: (0_u16..).zip(stages).find(|(_, stage)| stage.rule == Rule::Start).map(|(stage, _)| stage),
            beginning: data.events.time.iter().min().copied().unwrap_or(i64::MIN),
            end: data.end.0,
            enterable_first: bits(&all.iter().filter(enters).filter(first).copied().collect::<Vec<_>>()),
            enterable: all.iter().map(|&stage| from(stage)).collect(),
            watched: silences.iter().fold(0, |watched, silence| watched | silence.from),
            silences,
            exits,
            exits_of,
            spans: spans(stages),
            re_entry: stages.iter().map(|stage| stage.re_entry).collect(),
            guarded: bits(&guarded),
        }
    }

    /// The stages that can be entered from a stage by an event.
    pub(crate) fn by_event(&self, stage: usize) -> u32 {
        let exits = self.exits.iter().enumerate().filter(|(exit, _)| self.exits_of[stage] & (1 << exit) != 0);
        exits.fold(self.enterable[stage], |stages, (_, to)| stages | 1 << to)
    }

    /// The stages that can be entered from a stage by time alone.
    pub(crate) fn by_time(&self, stage: usize) -> u32 {
        let silences = self.silences.iter().filter(|silence| silence.from & (1 << stage) != 0);
        let spans = self.spans.iter().filter(|span| usize::from(span.stage) == stage);
        let to = silences.map(|silence| silence.stage).chain(spans.map(|span| span.to));
        to.fold(0, |stages, to| stages | 1 << to) & !(1 << stage)
    }

    /// The stages that a person can be in first.
    pub(crate) fn first(&self) -> u32 {
        self.start.map_or(self.enterable_first, |start| 1 << start)
    }

    /// Writes the stays of one person.
    pub(crate) fn walk(&self, person: usize, heard: Heard<'_>, stays: &mut Stays, claims: &mut Claims) {
        let first = stays.len();
        let mut walk = Walk { machine: self, stays, first, heard: vec![i64::MIN; self.silences.len()] };
        let known = heard.times.partition_point(|&time| time < self.end);
        let first = heard.times.first().copied().unwrap_or(self.beginning);
        if let Some(start) = self.start.filter(|_| first < self.end) {
            walk.enter(start, first, BY_START);
        }
        for row in 0..known {
            walk.pass_time(heard.times[row]);
            let exits = heard.exits.get(row).copied().unwrap_or(0);
            walk.hear(person, heard.times[row], heard.kinds[row], heard.enters[row], exits, claims);
        }
        walk.pass_time(self.end - 1);
        stays.next_person();
    }
}

/// Where the exits by events lead, in the order of their bits, and which of them are each stage's.
fn exits(stages: &[Stage]) -> (Vec<u16>, Vec<u32>) {
    let mut exits = Vec::new();
    let mut of_stages = Vec::with_capacity(stages.len());
    for stage in stages {
        let mut own = 0;
        for exit in stage.exits.iter().filter(|exit| matches!(exit.cause, Cause::On(_))) {
            own |= 1 << exits.len();
            exits.push(position(exit.to));
        }
        of_stages.push(own);
    }
    (exits, of_stages)
}

fn spans(stages: &[Stage]) -> Vec<Span> {
    let of_stage = |(stage, what): (u16, &Stage)| -> Vec<Span> {
        let span = |exit: &crate::spec::Exit| match exit.cause {
            Cause::After(after) => Some(Span { stage, to: position(exit.to), after }),
            Cause::On(_) => None,
        };
        what.exits.iter().filter_map(span).collect()
    };
    (0_u16..).zip(stages).flat_map(of_stage).collect()
}

impl Walk<'_> {
    fn stage(&self) -> Option<u16> {
        (self.stays.len() > self.first).then(|| self.stays.stage[self.stays.len() - 1])
    }

    /// Takes in an event: perhaps a move, perhaps the end of a silence.
    fn hear(&mut self, person: usize, time: i64, kind: u16, enters: u32, exits: u32, claims: &mut Claims) {
        let stage = self.stage();
        let machine = self.machine;
        let enterable = stage.map_or(machine.enterable_first, |stage| machine.enterable[usize::from(stage)]);
        let mut claimed = enters & enterable;
        if claimed & machine.guarded != 0 {
            claimed = self.without_barred(claimed, time);
        }
        let left = match stage {
            Some(stage) if exits & machine.exits_of[usize::from(stage)] != 0 => {
                self.exit(exits & machine.exits_of[usize::from(stage)], time)
            }
            _ => None,
        };
        if claimed.count_ones() + u32::from(left.is_some()) > 1
            && let Some(stage) = stage
        {
            claims.contest(person, stage, left, claimed);
        }
        let entered = claimed.checked_ilog2().map(|last| u16::try_from(last).expect("there are at most 32 stages"));
        if let Some(to) = left.or(entered).filter(|to| stage != Some(*to)) {
            self.enter(to, time, kind);
        }
        if enters & machine.watched != 0 {
            for (heard, silence) in self.heard.iter_mut().zip(&machine.silences) {
                if enters & silence.from != 0 {
                    *heard = time;
                }
            }
        }
    }

    /// Where the first of some exits that is open leads.
    fn exit(&self, mut exits: u32, time: i64) -> Option<u16> {
        while exits != 0 {
            let to = self.machine.exits[exits.trailing_zeros() as usize];
            if self.opens(to).is_some_and(|opens| opens <= time) {
                return Some(to);
            }
            exits &= exits - 1;
        }
        None
    }

    /// Those of some stages that may be entered now.
    fn without_barred(&self, stages: u32, time: i64) -> u32 {
        let mut guarded = stages & self.machine.guarded;
        let mut open = stages;
        while guarded != 0 {
            let stage = guarded.trailing_zeros();
            guarded &= guarded - 1;
            let opens = self.opens(u16::try_from(stage).expect("there are at most 32 stages"));
            if opens.is_none_or(|opens| opens > time) {
                open &= !(1 << stage);
            }
        }
        open
    }

    /// From when on a stage may be entered; `None`: never again.
    fn opens(&self, stage: u16) -> Option<i64> {
        let re_entry = self.machine.re_entry[usize::from(stage)];
        if re_entry == ReEntry::Always {
            return Some(i64::MIN);
        }
        let mut before = (self.first..self.stays.len()).rev();
        match (before.find(|&row| self.stays.stage[row] == stage), re_entry) {
            (None, _) => Some(i64::MIN),
            (Some(row), ReEntry::After(after)) => Some(Time(self.stays.left[row]).plus(after).0),
            (Some(_), _) => None,
        }
    }

    /// Makes the moves that time alone makes, until `until` and that instant included, the earliest first.
    fn pass_time(&mut self, until: i64) {
        while let Some((at, stage, trigger)) = self.next_by_time(until.min(self.machine.end - 1)) {
            self.enter(stage, at, trigger);
        }
    }

    /// The stage that time leads to first, and when; of several at one instant first the spans, in their order, then the
    /// silence that was declared last.
    fn next_by_time(&self, until: i64) -> Option<(i64, u16, u16)> {
        let stage = self.stage()?;
        let entered = self.stays.entered[self.stays.len() - 1];
        let due = |since: i64, after: Duration, to: u16| {
            let over = end_of_span(Time(since), after, Time(until))?.0;
            Some(over.max(self.opens(to)?)).filter(|&at| at <= until)
        };
        let span = self.machine.spans.iter().filter(|span| span.stage == stage);
        let span = span.filter_map(|span| Some((due(entered, span.after, span.to)?, span.to)));
        let span = span.min_by_key(|&(at, _)| at);
        let silence = self.heard.iter().zip(&self.machine.silences).filter_map(|(&heard, silence)| {
            let waits = silence.from & (1 << stage) != 0 && silence.stage != stage;
            let at = waits.then(|| due(entered.max(heard), silence.after, silence.stage))??;
            Some((at, silence.stage))
        });
        let silence = silence.min_by_key(|&(at, stage)| (at, std::cmp::Reverse(stage)));
        match (span, silence) {
            (Some((at, to)), None) => Some((at, to, BY_SPAN)),
            (Some((at, to)), Some((silent, _))) if at <= silent => Some((at, to, BY_SPAN)),
            (_, silence) => silence.map(|(at, to)| (at, to, BY_SILENCE)),
        }
    }

    fn enter(&mut self, stage: u16, at: i64, trigger: u16) {
        let last = self.stays.len();
        if last > self.first {
            if self.stays.trigger[last - 1] == BY_START && self.stays.entered[last - 1] == at {
                self.stays.stage[last - 1] = stage;
                self.stays.trigger[last - 1] = trigger;
                return;
            }
            self.stays.left[last - 1] = at;
        }
        self.stays.enter(stage, at, trigger);
    }
}

/// Whether an event can bring a person from one stage to another: where `to` names stages, from those; else from the
/// stages declared before it, and back from a silence to any stage that is not before those that fell silent.
fn may_enter(stages: &[Stage], from: usize, to: usize) -> bool {
    if !stages[to].from.is_empty() {
        return stages[to].from.contains(&from);
    }
    let back = matches!(stages[from].rule, Rule::Silence(_))
        && stages[from].from.iter().min().is_some_and(|&earliest| to >= earliest);
    from < to || back
}

fn bits(stages: &[usize]) -> u32 {
    stages.iter().fold(0, |bits, stage| bits | 1 << stage)
}

fn position(stage: usize) -> u16 {
    u16::try_from(stage).expect("there are at most 32 stages")
}
