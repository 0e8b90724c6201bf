//! The work of a run, cut into units: each has a key, which holds all that its result depends on.
//!
//! ```text
//! source ─► map ─► discover/<prediction> ─► predict/<prediction> ─► expand/<audience> ─► report
//!        │    ├──────────────── an audience with a seed ────────────►
//!        │    └─► kpis ─► lifecycle (targets) ─────────────────────────────────────────────►
//!        └─► uplift/<uplift> ──────────────────────────────────────────────────────────────►
//! ```
//!
//! A unit whose key stands in the manifest, and whose artifacts are still as recorded, is not done again. A key is made of
//! clo's version, the parts of the spec that the unit reads, its input files' content, and the keys of the units it needs:
//! a change reaches just the units that depend on it.

use std::collections::BTreeMap;

use super::advance::is_of_audience;
use super::inputs::{self, InputFile};
use crate::spec::{Audience, Explained, Judging, Measures, Model, Prediction, Seed, Spec, Told};
use crate::store::{Key, manifest};

/// A phase that a command asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Phase 1.
    Map,
    /// Phase 2.
    Discover,
    /// Phase 3.
    Predict,
    /// Phase 4.
    Expand,
    /// The page and the workbook: all there is.
    Report,
}

/// What a unit does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Read the tables, profile them, list what is wrong with them.
    Source,
    /// Map the lifecycle: who stood in which stage when.
    Map,
    /// Count over the stage history.
    Kpis,
    /// Hold the KPIs to their targets.
    Lifecycle,
    /// Make the examples of the prediction at this position.
    Discover(usize),
    /// Learn the prediction at this position.
    Predict(usize),
    /// Learn the uplift at this position.
    Uplift(usize),
    /// Make the audience at this position.
    Expand(usize),
    /// Count whom the audiences have in common.
    Overlap,
    /// Write page and workbook.
    Report,
}

/// One unit of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Its name: `discover/second-purchase`.
    pub name: String,
    /// What it does.
    pub task: Task,
    /// All that its result depends on, as one hash.
    pub key: String,
    /// Positions of the units whose results it needs.
    pub needs: Vec<usize>,
    /// Whether an input may change unseen, so that it must be done every time.
    pub is_always_stale: bool,
}

/// The units of a spec over its input files, each after those it needs.
#[must_use]
pub fn units(spec: &Spec, inputs: &[InputFile]) -> Vec<Unit> {
    let mut plan = Plan { units: Vec::new() };
    let source = plan.add("source", Task::Source, source_key(spec, inputs), &[]);
    plan.units[source].is_always_stale = inputs.iter().any(|input| input.is_remote);
    let map = plan.add("map", Task::Map, Key::new("map").with("stages", &spec.stages), &[source]);
    let measures = Measures { targets: Vec::new(), ..spec.measures.clone() };
    let kpis = plan.add("kpis", Task::Kpis, Key::new("kpis").with("measures", &measures), &[map]);
    let targets = Key::new("lifecycle").with("targets", &spec.measures.targets);
    plan.add("lifecycle", Task::Lifecycle, targets, &[kpis]);
    let mut predicted = Vec::new();
    for (i, prediction) in spec.predictions.iter().enumerate() {
        let name = &prediction.name;
        let discover =
            plan.add(&format!("discover/{name}"), Task::Discover(i), examples_key(spec.seed, prediction), &[map]);
        let key = Key::new(name)
            .with("model", &prediction.model)
            .with("judging", &prediction.judging)
            .with("seed", &spec.seed);
        predicted.push(plan.add(&format!("predict/{name}"), Task::Predict(i), key, &[discover]));
    }
    let mut expanded: Vec<usize> = Vec::new();
    let mut uplifted = Vec::new();
    for (i, uplift) in spec.uplifts.iter().enumerate() {
        let key = Key::new(&uplift.name).with("uplift", uplift).with("seed", &spec.seed);
        uplifted.push(plan.add(&format!("uplift/{}", uplift.name), Task::Uplift(i), key, &[source]));
    }
    for (i, audience) in spec.audiences.iter().enumerate() {
        let ranking = spec.predictions.iter().position(|known| Some(&known.name) == audience.prediction.as_ref());
        let mut needs: Vec<usize> = ranking.map(|p| predicted[p]).into_iter().collect();
        let uplift = spec.uplifts.iter().position(|known| Some(&known.name) == audience.uplift.as_ref());
        needs.extend(uplift.map(|u| uplifted[u]));
        if audience.seed.is_some() {
            needs.push(map);
        }
        if audience.contacting.asks_events() {
            needs.push(map);
        }
        let is_left_out = |other: &&Audience| audience.contacting.not_in.contains(&other.name);
        needs.extend(
            spec.audiences[..i].iter().zip(&expanded).filter(|(other, _)| is_left_out(other)).map(|(_, &unit)| unit),
        );
        let key = audience_key(spec.seed, audience, inputs).with("holdout", &spec.holdout);
        let key = if audience.seed.is_some() { key.with("fairness", &spec.fairness) } else { key };
        expanded.push(plan.add(&format!("expand/{}", audience.name), Task::Expand(i), key, &needs));
    }
    if expanded.len() > 1 {
        plan.add("overlap", Task::Overlap, Key::new("overlap"), &expanded);
    }
    let all: Vec<usize> = (0..plan.units.len()).collect();
    let measured: Vec<_> =
        inputs.iter().filter(|input| input.name.starts_with(inputs::MEASURED)).map(InputFile::identity).collect();
    let key = Key::new("report").with("project", &spec.name).with("measured", &measured);
    plan.add("report", Task::Report, key, &all);
    plan.units
}

/// Which units a phase takes: its own, and all that these need.
#[must_use]
pub fn wanted(units: &[Unit], phase: Phase) -> Vec<bool> {
    // What the data knows begins with the sources and who stands where, whether or not anything is predicted.
    let is_basis = |task: Task| phase == Phase::Discover && matches!(task, Task::Source | Task::Map);
    let is_own = |unit: &Unit| unit.task.phase() == phase || is_basis(unit.task);
    let mut wanted: Vec<bool> = units.iter().map(is_own).collect();
    for i in (0..units.len()).rev() {
        if wanted[i] {
            units[i].needs.iter().for_each(|&need| wanted[need] = true);
        }
    }
    wanted
}

impl Task {
    /// The phase whose command asks for it.
    #[must_use]
    pub fn phase(self) -> Phase {
        match self {
            Self::Source | Self::Map | Self::Kpis | Self::Lifecycle => Phase::Map,
            Self::Discover(_) => Phase::Discover,
            Self::Predict(_) | Self::Uplift(_) => Phase::Predict,
            Self::Expand(_) | Self::Overlap => Phase::Expand,
            Self::Report => Phase::Report,
        }
    }
}

struct Plan {
    units: Vec<Unit>,
}

impl Plan {
    fn add(&mut self, name: &str, task: Task, key: Key, needs: &[usize]) -> usize {
        let upstream: Vec<&str> = needs.iter().map(|&need| self.units[need].key.as_str()).collect();
        let key = key
            .with("clo", &env!("CARGO_PKG_VERSION"))
            .with("format", &manifest::FORMAT_VERSION)
            .with("needs", &upstream)
            .finish();
        let is_always_stale = needs.iter().any(|&need| self.units[need].is_always_stale);
        self.units.push(Unit { name: name.to_owned(), task, key, needs: needs.to_vec(), is_always_stale });
        self.units.len() - 1
    }
}

fn source_key(spec: &Spec, inputs: &[InputFile]) -> Key {
    let mut tables = spec.tables.clone();
    for table in tables.values_mut() {
        table.path.clear();
    }
    let files: Vec<_> =
        inputs.iter().filter(|input| input.name.starts_with("tables.")).map(InputFile::identity).collect();
    Key::new("source")
        .with("tables", &tables)
        .with("files", &files)
        .with("people", &spec.people)
        .with("events", &spec.events)
        .with("identity", &spec.identity)
        .with("end", &spec.end)
        .with("spend", &spec.measures.spend)
        .with("discover", &spec.discover)
        .with("as_of", &spec.as_of)
}

/// Everything of a prediction but its model and how it is judged, which the examples do not depend on.
fn examples_key(seed: u64, prediction: &Prediction) -> Key {
    // What could be changed of a person is asked of a model that stands.
    let explained = Explained { actionable: BTreeMap::new(), ..prediction.explained.clone() };
    let question = Prediction { model: Model::default(), judging: Judging::default(), explained, ..prediction.clone() };
    Key::new("discover").with("prediction", &question).with("seed", &seed)
}

fn audience_key(seed: u64, audience: &Audience, inputs: &[InputFile]) -> Key {
    let of_audience = inputs.iter().filter(|input| is_of_audience(&input.name, &audience.name));
    let files: Vec<_> = of_audience.map(InputFile::identity).collect();
    let mut rules = Audience { suppress: Vec::new(), ..audience.clone() };
    if let Some(Seed { told: Told::File(path), .. }) = &mut rules.seed {
        path.clear();
    }
    Key::new("expand").with("audience", &rules).with("files", &files).with("seed", &seed)
}
