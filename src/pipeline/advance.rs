//! Does the stale units of a plan, one after the other, and notes each in the manifest when it is done: a killed run goes
//! on where it stopped.

use std::path::PathBuf;

use serde::Serialize;

use super::units::{Task, Unit};
use crate::error::Result;
use crate::store::leftovers::{self, Before};
use crate::store::{Layout, Manifest, manifest, models};

/// Whoever does the work of a unit.
pub trait Work {
    /// Does a task. `left` are the tasks that will follow: what none of them needs may be dropped. Returns the inputs
    /// that were read for it.
    ///
    /// # Errors
    /// When the task fails: the run ends, and what is done stays done.
    fn run(&mut self, task: Task, left: &[Task]) -> Result<Vec<manifest::Input>>;

    /// The files, or folders with all that is in them, where a task writes.
    fn places(&self, task: Task) -> Vec<PathBuf>;
}

/// What a run tells while it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// So many units are stale, of so many.
    Planned {
        /// Units that will be done.
        n_stale: usize,
        /// Units that were asked for.
        n_units: usize,
    },
    /// A unit begins.
    Started(&'a str),
    /// A unit is done.
    Finished(&'a str),
    /// Something that a person may want to know.
    Note(&'a str),
}

/// Whether a unit was done or was found fresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It was stale, and is done.
    Done,
    /// Nothing that it depends on has changed.
    Fresh,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The unit.
    pub unit: String,
    /// Whether it was done.
    pub state: State,
}

/// A plan, and the part of it that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// All units of the spec, each after those it needs.
    pub units: &'a [Unit],
    /// Which of them are asked for.
    pub wanted: &'a [bool],
    /// Do them all, stale or not.
    pub force: bool,
}

/// Does the stale units among those asked for.
///
/// # Errors
/// The first failure of a unit; those before it are done and recorded.
pub fn advance(
    request: Request<'_>,
    manifest: &mut Manifest,
    layout: &Layout,
    work: &mut dyn Work,
    listen: &mut dyn FnMut(Step<'_>),
) -> Result<Vec<Outcome>> {
    for gone in manifest.forget(|unit| request.units.iter().any(|known| known.name == unit)) {
        manifest.inputs.retain(|input| !reads(&gone, &input.name));
        listen(Step::Note(&format!("{gone} is no longer in the spec; its files stay, and are yours to delete")));
    }
    let asked: Vec<&Unit> =
        request.units.iter().zip(request.wanted).filter(|(_, asked)| **asked).map(|(u, _)| u).collect();
    let is_stale =
        |unit: &Unit| request.force || unit.is_always_stale || !manifest.is_fresh(&unit.name, &unit.key, layout);
    let stale: Vec<bool> = asked.iter().map(|unit| is_stale(unit)).collect();
    listen(Step::Planned { n_stale: stale.iter().filter(|stale| **stale).count(), n_units: asked.len() });
    let mut outcomes = Vec::with_capacity(asked.len());
    for (i, unit) in asked.iter().enumerate() {
        if stale[i] {
            let later = asked.iter().zip(&stale).skip(i + 1).filter(|(_, stale)| **stale);
            let left: Vec<Task> = later.map(|(unit, _)| unit.task).collect();
            listen(Step::Started(&unit.name));
            redo(unit, &left, manifest, layout, work)?;
            listen(Step::Finished(&unit.name));
        }
        outcomes.push(Outcome { unit: unit.name.clone(), state: if stale[i] { State::Done } else { State::Fresh } });
    }
    manifest.write(layout)?;
    Ok(outcomes)
}

fn redo(unit: &Unit, left: &[Task], manifest: &mut Manifest, layout: &Layout, work: &mut dyn Work) -> Result<()> {
    let before = Before::of(work.places(unit.task));
    let read = work.run(unit.task, left)?;
    let mut written = before.written();
    // Which version of a model is in use is a person's choice, not an artifact.
    written.retain(|path| path.file_name().is_none_or(|name| name != models::CURRENT));
    remove_outdated(&unit.name, &written, manifest, layout);
    manifest.record(&unit.name, &unit.key, &written, layout)?;
    note_inputs(&unit.name, read, manifest);
    manifest.write(layout)
}

/// Removes what the unit wrote in an earlier run and did not write now: the export to a destination that is no longer in
/// the spec holds people who may since have been suppressed. Versions of models stay.
fn remove_outdated(unit: &str, written: &[PathBuf], manifest: &Manifest, layout: &Layout) {
    let earlier = manifest.artifacts_of(unit).filter(|artifact| !artifact.path.starts_with("models/"));
    let outdated: Vec<PathBuf> =
        earlier.map(|artifact| layout.place(&artifact.path)).filter(|path| !written.contains(path)).collect();
    leftovers::remove(&outdated);
}

/// Replaces what the unit read in an earlier run by what it read now.
fn note_inputs(unit: &str, read: Vec<manifest::Input>, manifest: &mut Manifest) {
    manifest.inputs.retain(|input| !reads(unit, &input.name));
    manifest.inputs.extend(read);
    manifest.inputs.sort();
}

fn reads(unit: &str, input: &str) -> bool {
    match unit.split_once('/') {
        None => unit == "source" && input.starts_with("tables."),
        Some((phase, name)) => phase == "expand" && is_of_audience(input, name),
    }
}

/// Whether an audience reads the input: `audiences.NAME.suppress`, `audiences.NAME.seed`.
pub(super) fn is_of_audience(input: &str, audience: &str) -> bool {
    let of_audience = input.strip_prefix("audiences.").and_then(|rest| rest.rsplit_once('.'));
    of_audience.is_some_and(|(name, _)| name == audience)
}
