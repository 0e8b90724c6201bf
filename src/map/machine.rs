//! The state machine that takes one person through the stages, event by event.

use super::history::{BY_SILENCE, BY_START, Stays};
use crate::source::Data;
use crate::spec::{Rule, Spec, Stage};
use crate::time::{DAY, Duration, Time};

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
}

/// A stage that is entered when nothing happens for long.
#[derive(Debug)]
struct Silence {
    stage: u16,
    from: u32,
    after: Duration,
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
        let silences: Vec<Silence> = (0_u16..)
            .zip(&spec.stages)
            .filter_map(|(stage, what)| match what.rule {
                Rule::Silence(after) => Some(Silence { stage, from: bits(&what.from), after }),
                _ => None,
            })
            .collect();
        let stages = &spec.stages;
        let enters = |stage: &&usize| matches!(stages[**stage].rule, Rule::Enter(_));
        let first = |stage: &&usize| stages[**stage].from.is_empty();
        let all: Vec<usize> = (0..stages.len()).collect();
        let from = |from| {
            let targets = all.iter().filter(enters).filter(|to| may_enter(stages, from, **to));
            bits(&targets.copied().collect::<Vec<_>>())
        };
        Self {
            start: (0_u16..).zip(stages).find(|(_, stage)| stage.rule == Rule::Start).map(|(stage, _)| stage),
            beginning: data.events.time.iter().min().copied().unwrap_or(i64::MIN),
            end: data.end.0,
            enterable_first: bits(&all.iter().filter(enters).filter(first).copied().collect::<Vec<_>>()),
            enterable: all.iter().map(|&stage| from(stage)).collect(),
            watched: silences.iter().fold(0, |watched, silence| watched | silence.from),
            silences,
        }
    }

    /// Whether any event or silence can end a stay in the stage.
    pub(crate) fn can_be_left(&self, stage: usize) -> bool {
        self.enterable[stage] & !(1 << stage) != 0 || self.can_fall_silent(stage)
    }

    /// Whether a silence can end a stay in the stage.
    pub(crate) fn can_fall_silent(&self, stage: usize) -> bool {
        self.silences.iter().any(|silence| silence.from & (1 << stage) != 0 && usize::from(silence.stage) != stage)
    }

    /// Writes the stays of one person, whose events are given in order with the stages that claim them.
    pub(crate) fn walk(&self, times: &[i64], kinds: &[u16], masks: &[u32], stays: &mut Stays) {
        let first = stays.len();
        let mut walk = Walk { machine: self, stays, first, heard: vec![i64::MIN; self.silences.len()] };
        let known = times.partition_point(|&time| time < self.end);
        let first = times.first().copied().unwrap_or(self.beginning);
        if let Some(start) = self.start.filter(|_| first < self.end) {
            walk.enter(start, first, BY_START);
        }
        for row in 0..known {
            walk.fall_silent(times[row]);
            walk.hear(times[row], kinds[row], masks[row]);
        }
        walk.fall_silent(self.end - 1);
        stays.next_person();
    }
}

impl Walk<'_> {
    fn stage(&self) -> Option<u16> {
        (self.stays.len() > self.first).then(|| self.stays.stage[self.stays.len() - 1])
    }

    /// Takes in an event: perhaps a move, perhaps the end of a silence.
    fn hear(&mut self, time: i64, kind: u16, mask: u32) {
        let stage = self.stage();
        let enterable = stage.map_or(self.machine.enterable_first, |stage| self.machine.enterable[usize::from(stage)]);
        if let Some(last) = (mask & enterable).checked_ilog2() {
            let last = u16::try_from(last).expect("there are at most 32 stages");
            if stage != Some(last) {
                self.enter(last, time, kind);
            }
        }
        if mask & self.machine.watched != 0 {
            for (heard, silence) in self.heard.iter_mut().zip(&self.machine.silences) {
                if mask & silence.from != 0 {
                    *heard = time;
                }
            }
        }
    }

    /// Enters the silence stages whose time comes no later than `until`, the earliest first.
    fn fall_silent(&mut self, until: i64) {
        while let Some((at, stage)) = self.silence(until.min(self.machine.end - 1)) {
            self.enter(stage, at, BY_SILENCE);
        }
    }

    /// The silence stage that is entered first, and when; of several at one instant the last declared.
    fn silence(&self, until: i64) -> Option<(i64, u16)> {
        let stage = self.stage()?;
        let entered = self.stays.entered[self.stays.len() - 1];
        let due = self.heard.iter().zip(&self.machine.silences).filter_map(|(&heard, silence)| {
            let waits = silence.from & (1 << stage) != 0 && silence.stage != stage;
            let at = waits.then(|| end_of_silence(entered.max(heard), silence.after, until))??;
            Some((at, silence.stage))
        });
        due.min_by_key(|&(at, stage)| (at, std::cmp::Reverse(stage)))
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

/// When a silence that began at `since` has lasted `after`, if that is no later than `until`. The calendar is asked only
/// when it may matter: it is slow, and most events come long before.
fn end_of_silence(since: i64, after: Duration, until: i64) -> Option<i64> {
    let at_least = after.micros.saturating_add(i64::from(after.months) * 28 * DAY);
    if since.saturating_add(at_least) > until {
        return None;
    }
    Some(Time(since).plus(after).0).filter(|&at| at <= until)
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
