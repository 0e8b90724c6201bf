//! The most frequent journeys, loops folded.
//!
//! Three kinds of paths are counted, each person once: `stages`, all stages a person passed; `first_events`, how the events
//! of a person begin; `into_stage`, the events that led to the first entry of a stage, up to the one that did it. What
//! happens several times in a row is folded into `a ×n`, and so are loops of two and three: `(a → b) ×n`. Paths
//! are cut to a few steps: whole journeys are nearly all different, and tell nothing.

use polars::prelude::DataFrame;
use rayon::prelude::*;

use super::frames::Frame;
use super::history::Stays;
use super::transitions::n_people;
use crate::error::Result;
use crate::rate::Rate;
use crate::source::Data;
use crate::spec::Spec;

/// The most steps of a path of stages, of the first events, and of the events before a stage.
const N_STEPS: usize = 8;
const N_FIRST: usize = 3;
const N_BEFORE: usize = 3;
/// How many events are looked at to find them.
const N_EVENTS: usize = 64;
/// How many paths of each kind are told.
const N_PATHS: usize = 50;

/// A step: what, plus one, in the low 16 bits; whether it is repeated; how many steps before and with it are a loop.
type Token = u32;
const REPEATED: Token = 1 << 16;
const LOOP: u32 = 18;
/// The path goes on.
const MORE: Token = u32::MAX;
/// A path; 0 where there is no more step.
type Steps = [Token; N_STEPS + 1];

/// What a path is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// All stages of a person.
    Stages,
    /// A person's first events.
    FirstEvents,
    /// The events that led into a stage.
    IntoStage(usize),
}

/// A path, and how many went it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journey {
    /// What it is of.
    pub kind: Kind,
    /// `a → b ×n → c`.
    pub path: String,
    /// Who went it, of all who have a path of that kind.
    pub people: Rate,
}

/// The most frequent journeys of each kind.
pub(crate) fn journeys(data: &Data, spec: &Spec, stays: &Stays) -> Vec<Journey> {
    let stages: Vec<&str> = spec.stages.iter().map(|stage| stage.name.as_str()).collect();
    let kinds: Vec<&str> = data.events.kinds.iter().map(String::as_str).collect();
    let mut found = frequent(Kind::Stages, &stages, stays, &|person| {
        let rows = stays.of(person);
        (!rows.is_empty()).then(|| first(&fold(stays.stage[rows].iter().copied(), N_STEPS), N_STEPS))
    });
    found.extend(frequent(Kind::FirstEvents, &kinds, stays, &|person| {
        let events = data.events.of(person);
        let n_known = data.events.time[events.clone()].partition_point(|&time| time < data.end.0);
        let known = events.start..events.start + n_known;
        (!known.is_empty())
            .then(|| first(&fold(data.events.kind[known].iter().copied().take(N_EVENTS), N_FIRST), N_FIRST))
    }));
    for stage in 0..stages.len() {
        found.extend(frequent(Kind::IntoStage(stage), &kinds, stays, &|person| before(data, stays, person, stage)));
    }
    found
}

/// The last events before a person's first entry of a stage, with the one that made it.
fn before(data: &Data, stays: &Stays, person: usize, stage: usize) -> Option<Steps> {
    let row = stays.of(person).find(|&row| usize::from(stays.stage[row]) == stage)?;
    let trigger = stays.trigger[row];
    if usize::from(trigger) >= data.events.kinds.len() {
        return None;
    }
    let events = data.events.of(person);
    let start = events.start + data.events.time[events.clone()].partition_point(|&time| time < stays.entered[row]);
    let entering = (start..events.end).find(|&event| data.events.kind[event] == trigger)?;
    let from = events.start.max((entering + 1).saturating_sub(N_EVENTS));
    let folded = fold(data.events.kind[from..=entering].iter().copied(), N_EVENTS);
    let start = folded.len().saturating_sub(N_BEFORE);
    Some(first(&folded[loop_across(&folded, start).unwrap_or(start)..], N_STEPS))
}

/// Counts each person's path; the most frequent first, then by its steps.
fn frequent(kind: Kind, names: &[&str], stays: &Stays, path: &(dyn Fn(usize) -> Option<Steps> + Sync)) -> Vec<Journey> {
    let mut paths: Vec<Steps> = (0..n_people(stays)).into_par_iter().filter_map(path).collect();
    paths.par_sort_unstable();
    let mut counted: Vec<(usize, Steps)> = paths.chunk_by(|a, b| a == b).map(|same| (same.len(), same[0])).collect();
    counted.sort_by_key(|&(n, steps)| (std::cmp::Reverse(n), steps));
    counted.truncate(N_PATHS);
    let journey =
        |(n, steps): (usize, Steps)| Journey { kind, path: written(&steps, names), people: Rate::new(n, paths.len()) };
    counted.into_iter().map(journey).collect()
}

/// The first steps; that more follow is noted. A loop is not cut: it goes in whole or not at all.
fn first(tokens: &[Token], n: usize) -> Steps {
    let kept = if tokens.len() <= n { tokens.len() } else { loop_across(tokens, n).unwrap_or(n) };
    let mut steps = [0; N_STEPS + 1];
    steps[..kept].copy_from_slice(&tokens[..kept]);
    if kept < tokens.len() {
        steps[kept] = MORE;
    }
    steps
}

/// Where the loop begins that stands on both sides of a place, if there is one.
fn loop_across(tokens: &[Token], place: usize) -> Option<usize> {
    let ends = place..tokens.len().min(place + 2);
    let begins = ends.filter_map(|end| (end + 1).checked_sub((tokens[end] >> LOOP) as usize));
    begins.into_iter().find(|&begin| begin < place)
}

/// Steps with repetitions and loops folded: the first `n`, and, if there are more, the two that tell whether a loop goes on.
fn fold(steps: impl Iterator<Item = u16>, n: usize) -> Vec<Token> {
    let mut runs: Vec<Token> = Vec::new();
    for step in steps {
        let token = u32::from(step) + 1;
        match runs.last_mut() {
            Some(last) if *last & 0xffff == token => *last |= REPEATED,
            _ => runs.push(token),
        }
    }
    let mut folded = Vec::with_capacity(runs.len().min(n + 4));
    let mut at = 0;
    while at < runs.len() && folded.len() < n + 2 {
        let (length, n) = [2, 3].map(|length| (length, times(&runs[at..], length))).into_iter().fold(
            (1, 1),
            |best: (usize, usize), found| if found.0 * found.1 > best.0 * best.1 && found.1 > 1 { found } else { best },
        );
        let repeated = |place: usize| (0..n).fold(0, |token, i| token | runs[at + i * length + place]);
        folded.extend((0..length).map(repeated));
        if length > 1 {
            *folded.last_mut().expect("a loop has steps") |= u32::try_from(length).expect("short") << LOOP;
        }
        at += length * n;
    }
    folded
}

/// How often the first `length` steps come in a row.
fn times(runs: &[Token], length: usize) -> usize {
    let same = |part: &[Token]| part.iter().zip(runs).all(|(a, b)| a & 0xffff == b & 0xffff);
    runs.chunks_exact(length).take_while(|part| same(part)).count()
}

fn written(steps: &Steps, names: &[&str]) -> String {
    let mut parts: Vec<String> = Vec::new();
    for &token in steps.iter().take_while(|&&token| token != 0) {
        if token == MORE {
            parts.push("…".into());
            break;
        }
        let name = names[(token & 0xffff) as usize - 1];
        parts.push(if token & REPEATED == 0 { name.to_owned() } else { format!("{name} ×n") });
        let length = (token >> LOOP) as usize;
        if length > 1 {
            let of_loop = parts.split_off(parts.len() - length);
            parts.push(format!("({}) ×n", of_loop.join(" → ")));
        }
    }
    parts.join(" → ")
}

/// `map/journeys.parquet`.
pub(crate) fn journeys_frame(journeys: &[Journey], spec: &Spec) -> Result<DataFrame> {
    let kind = |journey: &Journey| match journey.kind {
        Kind::Stages => "stages",
        Kind::FirstEvents => "first_events",
        Kind::IntoStage(_) => "into_stage",
    };
    let stage = |journey: &Journey| match journey.kind {
        Kind::IntoStage(stage) => Some(stage),
        _ => None,
    };
    Frame::default()
        .texts("kind", journeys.iter().map(|journey| Some(kind(journey))))
        .texts("stage", journeys.iter().map(|journey| stage(journey).map(|stage| spec.stages[stage].name.as_str())))
        .texts("path", journeys.iter().map(|journey| Some(journey.path.as_str())))
        .rates(journeys.iter().map(|journey| journey.people))
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(steps: &str) -> String {
        let names = ["a", "b", "c", "d"];
        let steps = steps.bytes().map(|letter| u16::from(letter - b'a'));
        written(&first(&fold(steps, N_STEPS), N_STEPS), &names)
    }

    #[test]
    fn loops_are_folded() {
        for (steps, path) in [
            ("abc", "a → b → c"),
            ("aaab", "a ×n → b"),
            ("ababab", "(a → b) ×n"),
            ("ababac", "(a → b) ×n → a → c"),
            ("aabab", "(a ×n → b) ×n"),
            ("abcabcd", "(a → b → c) ×n → d"),
            ("abdacdabdacd", "a → b → d → a → c → d → a → b → …"),
            ("dabcdabcabca", "d → a → b → c → d → (a → b → c) ×n"),
        ] {
            let found = folded(steps);
            assert!(found.starts_with(path.trim_end_matches('…')), "{steps}: {found}");
        }
        // A loop that would be cut is left out whole.
        assert_eq!(folded("abcdacbdada"), "a → b → c → d → a → c → b → …");
    }
}
