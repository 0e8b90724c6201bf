//! Two specs over the same tables: who would stand elsewhere, which transitions and KPIs would move. Nothing is written.
//!
//! People are compared by their ids, stages by their names: a stage that one spec does not have is a change like any other.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::inputs::{InputFile, inputs};
use crate::error::{Error, Result};
use crate::map::{self, Mapped};
use crate::rate::Rate;
use crate::source::{self, Data};
use crate::spec::Spec;

/// How many people are named as examples of a change.
const EXAMPLES: usize = 3;

/// What another spec would change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The project's name.
    pub project: String,
    /// The two files.
    pub specs: [String; 2],
    /// Everyone whom either spec knows.
    pub n_people: u64,
    /// People who would stand in another stage at the end.
    pub n_moved: u64,
    /// People who would stand where they do, with another history.
    pub n_other_history: u64,
    /// Who would change stage, the most first.
    pub moves: Vec<Move>,
    /// People in each stage, in the order of this spec, then the other's own.
    pub stages: Vec<StageChange>,
    /// Transitions that would differ.
    pub transitions: Vec<TransitionChange>,
    /// KPIs that would differ.
    pub kpis: Vec<KpiChange>,
}

/// People who would stand in another stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Move {
    /// Where they stand; none: in no stage.
    pub from: Option<String>,
    /// Where they would stand.
    pub to: Option<String>,
    /// How many.
    pub n_people: u64,
    /// Ids of a few of them.
    pub people: Vec<String>,
}

/// The people of a stage, here and there; none where a spec does not have the stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StageChange {
    /// Its name.
    pub stage: String,
    /// People at the end.
    pub n_people_now: [Option<u64>; 2],
    /// People who ever stood there.
    pub n_people_ever: [Option<u64>; 2],
}

/// A transition, here and there; none where it was never made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TransitionChange {
    /// The stage that is left.
    pub from: String,
    /// The stage that is entered.
    pub to: String,
    /// People who made it, of those who could have.
    pub people: [Option<Rate>; 2],
    /// By how much the share moves.
    pub change: f64,
    /// Median days.
    pub median_days: [Option<f64>; 2],
}

/// A KPI of a stage, here and there; none where it is not defined.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KpiChange {
    /// The stage.
    pub stage: String,
    /// The KPI.
    pub kpi: String,
    /// Its unit.
    pub unit: String,
    /// Its value.
    pub value: [Option<f64>; 2],
    /// By how much it moves, where it is defined in both.
    pub change: Option<f64>,
}

/// What is compared of a spec.
struct Side {
    ids: Vec<String>,
    mapped: Mapped,
    /// The names of the stages.
    stages: Vec<String>,
}

/// Compares what two specs make of the same tables.
///
/// # Errors
/// A spec error when their tables differ; what [`super::check::check`] would fail with for either of them.
pub fn diff(spec: &Spec, other: &Spec) -> Result<Difference> {
    same_tables(spec, other)?;
    let data = source::read(spec)?;
    let here = side(spec, &data)?;
    let reads_the_same = spec.people == other.people
        && spec.events == other.events
        && spec.identity == other.identity
        && (spec.end, spec.as_of) == (other.end, other.as_of);
    let there = if reads_the_same {
        side(other, &data)?
    } else {
        drop(data);
        side(other, &source::read(other)?)?
    };
    let (moves, [n_people, n_moved, n_other_history]) = moves(&here, &there);
    Ok(Difference {
        project: spec.name.clone(),
        specs: [spec, other].map(|spec| spec.file.display().to_string()),
        n_people,
        n_moved,
        n_other_history,
        moves,
        stages: stages(&here, &there),
        transitions: transitions(&here, &there),
        kpis: kpis(&here, &there),
    })
}

fn side(spec: &Spec, data: &Data) -> Result<Side> {
    Ok(Side {
        ids: data.people.ids.clone(),
        mapped: map::map(data, spec)?,
        stages: spec.stages.iter().map(|stage| stage.name.clone()).collect(),
    })
}

/// Refuses specs that read different tables: then not only the rules would differ.
fn same_tables(spec: &Spec, other: &Spec) -> Result<()> {
    let of_tables = |spec: &Spec| -> Vec<InputFile> {
        inputs(spec).into_iter().filter(|input| input.name.starts_with("tables.")).collect()
    };
    let (here, there) = (of_tables(spec), of_tables(other));
    let file = other.file.display();
    let names: BTreeSet<&String> = spec.tables.keys().chain(other.tables.keys()).collect();
    let fault = |name: &String| {
        let at = |message: String| Error::spec(message).at(other.excerpt(&format!("tables.{name}")));
        let (Some(mine), Some(yours)) = (spec.tables.get(name), other.tables.get(name)) else {
            return Some(at(format!("only one of the two specs has a table `{name}`")));
        };
        let key = format!("tables.{name}");
        let files = |inputs: &[InputFile]| -> Vec<_> {
            let own = inputs.iter().filter(|input| input.name == key);
            own.map(|input| (input.content.clone(), input.is_remote)).collect()
        };
        let without_path = |table: &crate::spec::Table| crate::spec::Table { path: String::new(), ..table.clone() };
        if without_path(mine) != without_path(yours) {
            return Some(at(format!("{file} reads table `{name}` in another way")));
        }
        let address = |table: &crate::spec::Table| table.path.contains("://").then(|| table.path.clone());
        let differs = files(&here) != files(&there) || address(mine) != address(yours);
        differs.then(|| at(format!("{file} reads other files as table `{name}`")))
    };
    let errors = names.into_iter().filter_map(fault).collect();
    let error = Error::all(errors);
    error
        .map_or(Ok(()), |error| Err(error.hint("a diff shows what rules change: both specs must read the same tables")))
}

/// Who would stand elsewhere; with how many people there are, how many of them would stand elsewhere, and how many would
/// stand where they do by another way.
fn moves(here: &Side, there: &Side) -> (Vec<Move>, [u64; 3]) {
    /// Where people stand, here and there.
    type Pair<'s> = (Option<&'s str>, Option<&'s str>);
    let mut found: BTreeMap<Pair<'_>, (u64, Vec<String>)> = BTreeMap::new();
    let (mut n_people, mut n_moved, mut n_other_history) = (0, 0, 0);
    let ids: BTreeSet<&String> = here.ids.iter().chain(&there.ids).collect();
    for id in ids {
        n_people += 1;
        let (before, after) = (here.history(id), there.history(id));
        let [from, to] = [&before, &after].map(|history| history.last().map(|stay| stay.0));
        if from == to {
            n_other_history += u64::from(before != after);
            continue;
        }
        n_moved += 1;
        let (count, people) = found.entry((from, to)).or_default();
        *count += 1;
        if people.len() < EXAMPLES {
            people.push(id.clone());
        }
    }
    let mut moves: Vec<Move> = found
        .into_iter()
        .map(|((from, to), (n_people, people))| Move {
            from: from.map(ToOwned::to_owned),
            to: to.map(ToOwned::to_owned),
            n_people,
            people,
        })
        .collect();
    moves.sort_by_key(|change| std::cmp::Reverse(change.n_people));
    (moves, [n_people, n_moved, n_other_history])
}

impl Side {
    /// A person's stages and when they were entered.
    fn history(&self, id: &str) -> Vec<(&str, i64)> {
        let Ok(person) = self.ids.binary_search_by(|known| known.as_str().cmp(id)) else { return Vec::new() };
        let stays = &self.mapped.stays;
        stays.of(person).map(|row| (self.stages[usize::from(stays.stage[row])].as_str(), stays.entered[row])).collect()
    }

    fn row(&self, stage: &str) -> Option<&map::lifecycle::StageRow> {
        self.mapped.measured.lifecycle.stages.iter().find(|row| row.stage == stage)
    }
}

/// The names of all stages: this spec's, then the other's own.
fn names<'s>(here: &'s Side, there: &'s Side) -> Vec<&'s String> {
    let own = there.stages.iter().filter(|name| !here.stages.contains(name));
    here.stages.iter().chain(own).collect()
}

fn stages(here: &Side, there: &Side) -> Vec<StageChange> {
    let change = |name: &String| {
        let rows = [here.row(name), there.row(name)];
        StageChange {
            stage: name.clone(),
            n_people_now: rows.map(|row| row.map(|row| row.n_people_now)),
            n_people_ever: rows.map(|row| row.map(|row| row.n_people_ever)),
        }
    };
    names(here, there).into_iter().map(change).collect()
}

fn transitions(here: &Side, there: &Side) -> Vec<TransitionChange> {
    /// Who made it, and its median days, here and there.
    type Both = [Option<(Rate, Option<f64>)>; 2];
    let mut pairs: BTreeMap<(&str, &str), Both> = BTreeMap::new();
    for (place, side) in [here, there].into_iter().enumerate() {
        for seen in &side.mapped.measured.transitions {
            let pair = (side.stages[seen.from].as_str(), side.stages[seen.to].as_str());
            pairs.entry(pair).or_default()[place] = Some((seen.people, seen.median_days));
        }
    }
    let share = |seen: Option<(Rate, Option<f64>)>| seen.and_then(|(rate, _)| rate.share()).unwrap_or(0.0);
    let changed = pairs.into_iter().filter(|(_, [before, after])| before != after);
    changed
        .map(|((from, to), both)| TransitionChange {
            from: from.to_owned(),
            to: to.to_owned(),
            people: both.map(|seen| seen.map(|(rate, _)| rate)),
            change: share(both[1]) - share(both[0]),
            median_days: both.map(|seen| seen.and_then(|(_, days)| days)),
        })
        .collect()
}

fn kpis(here: &Side, there: &Side) -> Vec<KpiChange> {
    let mut changes = Vec::new();
    for stage in names(here, there) {
        let both =
            [here.row(stage), there.row(stage)].map(|row| row.map(|row| row.kpis.as_slice()).unwrap_or_default());
        let mut seen: Vec<&str> = Vec::new();
        for kpi in both.iter().copied().flatten() {
            if seen.contains(&kpi.name.as_str()) {
                continue;
            }
            seen.push(&kpi.name);
            let found = both.map(|kpis| kpis.iter().find(|other| other.name == kpi.name));
            if found[0] == found[1] {
                continue;
            }
            let value = found.map(|kpi| kpi.and_then(|kpi| kpi.value));
            changes.push(KpiChange {
                stage: stage.clone(),
                kpi: kpi.name.clone(),
                unit: kpi.unit.clone(),
                value,
                change: value[0].zip(value[1]).map(|(before, after)| after - before),
            });
        }
    }
    changes
}
