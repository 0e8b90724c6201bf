//! Examples: who was eligible at each cutoff, what was known of them then, and what became of them.

mod features;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use self::features::features;
use super::catalogue::{Feature, Recipe};
use super::splits;
use super::table::{Cells, Column, Examples, Split, Table};
use crate::error::{Error, Excerpt, Result};
use crate::map::{self, Outcome, Standing, Stays, outcome};
use crate::source::Data;
use crate::spec::{Prediction, Shape, Spec};
use crate::time::{DAY, Time};

/// People per unit of parallel work: about as many rows as fit a core's cache.
const PEOPLE_PER_CHUNK: usize = 1024;

/// One eligible person at one cutoff.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    person: u32,
    /// Position among the cutoffs.
    cutoff: u16,
    /// Where the person stood, as far as was known.
    standing: Standing,
    outcome: Outcome,
}

/// The examples of a prediction and the recipe of their features.
///
/// # Errors
/// When the data holds no example: nobody eligible at any cutoff, or no event after the first cutoff.
pub fn examples(data: &Data, stays: &Stays, spec: &Spec, prediction: &Prediction) -> Result<(Examples, Recipe)> {
    let (mut examples, mut recipe) = match spec.shape() {
        Shape::Events => of_events(data, stays, spec, prediction)?,
        Shape::Snapshot => of_snapshot(data, stays, spec, prediction)?,
    };
    drop_constant(&mut examples, &mut recipe);
    if recipe.features.is_empty() {
        return Err(Error::data(format!("prediction `{}` has no feature left", prediction.name))
            .hint("every column is constant, an id, contact data, named by a stage rule or excluded; give more columns or events"));
    }
    Ok((examples, recipe))
}

fn of_events(data: &Data, stays: &Stays, spec: &Spec, prediction: &Prediction) -> Result<(Examples, Recipe)> {
    let horizon = prediction.horizon.ok_or_else(|| Error::internal("a prediction over events has no horizon"))?;
    let mut cutoffs = cutoffs(data, spec, prediction)?;
    cutoffs.push(data.end);
    let beliefs = cutoffs.iter().map(|&at| map::beliefs(data, spec, at)).collect::<Result<_>>()?;
    let labelling = Labelling {
        data,
        stays,
        beliefs,
        prediction,
        horizon_ends: cutoffs.iter().map(|at| at.plus(horizon)).collect(),
        cutoffs,
    };
    let rows = labelling.rows();
    if !rows.iter().any(|row| row.outcome != Outcome::Immature) {
        return Err(nobody_eligible(spec, prediction));
    }
    let split_of = splits::out_of_time(&labelling.cutoffs[..labelling.cutoffs.len() - 1], horizon);
    let split = |row: &Row| match &split_of {
        Some(splits) => splits.get(usize::from(row.cutoff)).copied().unwrap_or(Split::Unused),
        None if row.outcome == Outcome::Immature => Split::Unused,
        None => splits::by_person(spec.seed, &data.people.ids[row.person as usize]),
    };
    let until = last_training_cutoff(&labelling.cutoffs, split_of.as_deref());
    let recipe = Recipe::of_events(data, spec, prediction, until);

    let (order, places) = cutoff_major(&rows, labelling.cutoffs.len());
    let features = features(&recipe, data, &labelling.cutoffs, &rows, &places)?;
    let by_row =
        |value: &dyn Fn(&Row) -> u16| order.iter().map(|&row| value(&rows[row as usize])).collect::<Vec<u16>>();
    let examples = Examples {
        ids: data.people.ids.clone(),
        person: order.iter().map(|&row| rows[row as usize].person).collect(),
        cutoff: order.iter().map(|&row| labelling.cutoffs[usize::from(rows[row as usize].cutoff)].0).collect(),
        stage: by_row(&|row| row.standing.stage),
        stages: spec.stages.iter().map(|stage| stage.name.clone()).collect(),
        split: order.iter().map(|&row| split(&rows[row as usize])).collect(),
        outcome: order.iter().map(|&row| rows[row as usize].outcome).collect(),
        features,
        snapshot: false,
        order: None,
    };
    Ok((examples, recipe))
}

/// The cutoffs that have a label, ascending: the last is one horizon before the end.
fn cutoffs(data: &Data, spec: &Spec, prediction: &Prediction) -> Result<Vec<Time>> {
    let horizon = prediction.horizon.expect("checked by the caller");
    let last_event = data.events.time.iter().max().copied();
    let first_event = data.events.time.iter().min().copied();
    let (Some(first_event), Some(last_event)) = (first_event, last_event) else {
        return Err(Error::data("there is no event at all").hint("check the [events.*] tables and what was rejected"));
    };
    let mut at = data.end.minus(horizon);
    let mut cutoffs = Vec::new();
    while cutoffs.len() < prediction.cutoffs.count && at.0 > first_event {
        cutoffs.push(at);
        at = at.minus(prediction.cutoffs.every);
    }
    cutoffs.reverse();
    let Some(&first) = cutoffs.first() else {
        return Err(Error::data(format!(
            "prediction `{}`: the horizon of {horizon} is longer than the data, which goes from {} to {}",
            prediction.name,
            day(first_event),
            day(last_event)
        ))
        .hint("shorten `horizon`, or bring a longer history")
        .at(place(spec, prediction, "horizon")));
    };
    if last_event < first.0 {
        return Err(Error::data(format!(
            "prediction `{}`: no event after the first cutoff, {}: the observation is said to end at {}, and the last event is of {}",
            prediction.name,
            day(first.0),
            day(data.end.0),
            day(last_event)
        ))
        .hint("set `lifecycle.end` (or --as-of) to where the data really ends, or leave it out")
        .at(spec.excerpt("lifecycle.end")));
    }
    Ok(cutoffs)
}

/// The line of the spec that says `key` of a prediction.
fn place(spec: &Spec, prediction: &Prediction, key: &str) -> Option<Excerpt> {
    let position = spec.predictions.iter().position(|known| known.name == prediction.name)?;
    spec.excerpt(&format!("predictions[{position}].{key}"))
}

/// The day of an instant: what a message needs of it.
fn day(instant: i64) -> Time {
    Time(instant - instant.rem_euclid(DAY))
}

fn nobody_eligible(spec: &Spec, prediction: &Prediction) -> Error {
    let from: Vec<&str> = prediction.from.iter().map(|&stage| spec.stages[stage].name.as_str()).collect();
    Error::data(format!("prediction `{}`: nobody stood in {} at any cutoff", prediction.name, from.join(" or ")))
        .hint("see out/map/lint.json for stages that nobody reaches, or take more cutoffs")
        .at(place(spec, prediction, "from"))
}

/// Features may be chosen by what happened before this instant.
fn last_training_cutoff(cutoffs: &[Time], splits: Option<&[Split]>) -> Time {
    let last = splits.and_then(|splits| splits.iter().rposition(|split| *split == Split::Train));
    cutoffs[last.unwrap_or(cutoffs.len().saturating_sub(2))]
}

struct Labelling<'a> {
    data: &'a Data,
    stays: &'a Stays,
    /// At each cutoff, where people were believed to stand of whom more became known later.
    beliefs: Vec<BTreeMap<u32, Option<Standing>>>,
    prediction: &'a Prediction,
    cutoffs: Vec<Time>,
    horizon_ends: Vec<Time>,
}

impl Labelling<'_> {
    /// Everyone eligible at every cutoff, by person, then cutoff.
    fn rows(&self) -> Vec<Row> {
        let n_people = self.data.people.len();
        let starts: Vec<usize> = (0..n_people).step_by(PEOPLE_PER_CHUNK).collect();
        let of_chunk = |&start: &usize| {
            let people = start..(start + PEOPLE_PER_CHUNK).min(n_people);
            people
                .flat_map(|person| (0..self.cutoffs.len()).filter_map(move |cutoff| self.row(person, cutoff)))
                .collect::<Vec<Row>>()
        };
        starts.par_iter().flat_map_iter(of_chunk).collect()
    }

    fn row(&self, person: usize, position: usize) -> Option<Row> {
        let cutoff = self.cutoffs[position];
        let number = u32::try_from(person).expect("people are counted in 32 bits");
        let belief = self.beliefs[position].get(&number);
        let standing = belief.map_or_else(|| Standing::at(self.stays, person, cutoff), |belief| *belief)?;
        if !self.prediction.from.contains(&usize::from(standing.stage)) {
            return None;
        }
        Some(Row {
            person: number,
            cutoff: u16::try_from(position).expect("cutoffs are counted in 16 bits"),
            standing,
            outcome: self.outcome(person, position),
        })
    }

    /// What became of a person who was believed to stand in a `from` stage. Who had left it before the cutoff, without
    /// anybody knowing, did not make the transition within the horizon.
    fn outcome(&self, person: usize, position: usize) -> Outcome {
        let Prediction { from, to, .. } = self.prediction;
        let (cutoff, horizon_end) = (self.cutoffs[position], self.horizon_ends[position]);
        let outcome = outcome(self.stays, person, cutoff, horizon_end, self.data.end, from, to);
        let stood = self.stays.at(person, cutoff).map(|stay| usize::from(self.stays.stage[stay]));
        let was_there = stood.is_some_and(|stage| from.contains(&stage));
        if was_there || outcome == Outcome::Immature { outcome } else { Outcome::Attrited }
    }
}

/// Rows by cutoff, then person: which row stands at each place, and at which place each row stands.
fn cutoff_major(rows: &[Row], n_cutoffs: usize) -> (Vec<u32>, Vec<u32>) {
    let mut next = vec![0_u32; n_cutoffs + 1];
    for row in rows {
        next[usize::from(row.cutoff) + 1] += 1;
    }
    for cutoff in 0..n_cutoffs {
        next[cutoff + 1] += next[cutoff];
    }
    let mut order = vec![0; rows.len()];
    let mut places = vec![0; rows.len()];
    for (position, row) in rows.iter().enumerate() {
        let place = &mut next[usize::from(row.cutoff)];
        places[position] = *place;
        order[*place as usize] = u32::try_from(position).expect("rows are counted in 32 bits");
        *place += 1;
    }
    (order, places)
}

fn of_snapshot(data: &Data, stays: &Stays, spec: &Spec, prediction: &Prediction) -> Result<(Examples, Recipe)> {
    let recipe = Recipe::of_snapshot(data, spec, prediction);
    let stage_of = |person: usize| stays.of(person).next().map(|row| stays.stage[row]);
    let wanted = |person: &usize| {
        stage_of(*person).is_some_and(|stage| {
            prediction.from.contains(&usize::from(stage)) || prediction.to.contains(&usize::from(stage))
        })
    };
    let people: Vec<u32> = (0..data.people.len())
        .filter(wanted)
        .map(|person| u32::try_from(person).expect("people are counted in 32 bits"))
        .collect();
    if people.is_empty() {
        return Err(nobody_eligible(spec, prediction));
    }
    let stage: Vec<u16> = people.iter().filter_map(|&person| stage_of(person as usize)).collect();
    let attained = |stage: &u16| prediction.to.contains(&usize::from(*stage));
    let outcome: Vec<Outcome> =
        stage.iter().map(|stage| if attained(stage) { Outcome::Attained } else { Outcome::Stayed }).collect();
    let split = splits::of_snapshot(spec.seed, &data.people, &people, &outcome);
    let examples = Examples {
        ids: data.people.ids.clone(),
        cutoff: vec![data.end.0; people.len()],
        stage,
        stages: spec.stages.iter().map(|stage| stage.name.clone()).collect(),
        split,
        outcome,
        features: attribute_table(&recipe, data, &people)?,
        snapshot: true,
        order: data.people.order.as_ref().map(|order| ranks(order, &people)),
        person: people,
    };
    Ok((examples, recipe))
}

/// The rank in time of each of `people`, who all stand in `order`.
fn ranks(order: &[u32], people: &[u32]) -> Vec<u32> {
    let mut rank = vec![u32::MAX; order.iter().chain(people).max().map_or(0, |&last| last as usize + 1)];
    (0..).zip(order).for_each(|(position, &person)| rank[person as usize] = position);
    people.iter().map(|&person| rank[person as usize]).collect()
}

/// The features of a snapshot: attributes as of the end.
///
/// # Errors
/// When the people table lacks a column that the recipe names.
pub(super) fn attribute_table(recipe: &Recipe, data: &Data, people: &[u32]) -> Result<Table> {
    let valid: Vec<(Option<u32>, Time)> = people
        .iter()
        .map(|&person| {
            let row = data.people.row(person as usize, Time::NEVER);
            (row.map(|row| u32::try_from(row).expect("people are counted in 32 bits")), data.end)
        })
        .collect();
    let attributes = recipe.features.iter().filter_map(|feature| match feature {
        Feature::Attribute(attribute) => Some(attribute),
        _ => None,
    });
    let columns: Result<Vec<Column>> = attributes.map(|attribute| attribute.column(&data.people, &valid)).collect();
    Ok(Table { columns: columns?, n_rows: people.len() })
}

/// The features of everyone eligible at one instant, for scoring with a recipe.
///
/// # Errors
/// When an attribute that the recipe names is not there.
pub fn eligible_at(recipe: &Recipe, data: &Data, stays: &Stays, cutoff: Time) -> Result<(Vec<u32>, Table)> {
    let from: BTreeSet<usize> = recipe.from.iter().copied().collect();
    let row = |person: usize| {
        let stay = stays.at(person, cutoff).filter(|&stay| from.contains(&usize::from(stays.stage[stay])))?;
        let standing = Standing::of_stay(stays, person, stay);
        let person = u32::try_from(person).expect("people are counted in 32 bits");
        Some(Row { person, cutoff: 0, standing, outcome: Outcome::Immature })
    };
    let rows: Vec<Row> = (0..data.people.len()).filter_map(row).collect();
    let people = rows.iter().map(|row| row.person).collect();
    if rows.is_empty() {
        return Ok((people, Table::default()));
    }
    let places: Vec<u32> = (0..).take(rows.len()).collect();
    Ok((people, features(recipe, data, &[cutoff], &rows, &places)?))
}

/// The features of people over events, each as of an instant: a row each, in the given order.
///
/// # Errors
/// When an attribute that the recipe names is not there.
pub(super) fn features_at(recipe: &Recipe, data: &Data, stays: &Stays, at: &[(u32, Time)]) -> Result<Table> {
    if at.is_empty() {
        return Ok(Table::default());
    }
    let mut cutoffs: Vec<Time> = at.iter().map(|&(_, cutoff)| cutoff).collect();
    cutoffs.sort_unstable();
    cutoffs.dedup();
    let mut places: Vec<u32> = (0..).take(at.len()).collect();
    places.sort_by_key(|&place| at[place as usize]);
    let row = |&place: &u32| {
        let (person, cutoff) = at[place as usize];
        let position = cutoffs.binary_search(&cutoff).expect("it was just taken from these rows");
        let cutoff = u16::try_from(position).expect("instants are few");
        let first = stays.of(person as usize).next();
        // Who is in no stage has no features of stages: any standing will do.
        let nowhere = Standing { stage: 0, entered: at[place as usize].1.0, n_stays: 0 };
        let standing = first.map_or(nowhere, |stay| Standing::of_stay(stays, person as usize, stay));
        Row { person, cutoff, standing, outcome: Outcome::Immature }
    };
    let rows: Vec<Row> = places.iter().map(row).collect();
    features(recipe, data, &cutoffs, &rows, &places)
}

/// Takes out the features that say the same of every example that is learned from; of a snapshot, of every example: what
/// varies in its newest rows alone is learned from by the model that is kept.
fn drop_constant(examples: &mut Examples, recipe: &mut Recipe) {
    let is_used = |&row: &usize| examples.snapshot || examples.split[row] == Split::Train;
    let used: Vec<usize> = (0..examples.len()).filter(is_used).collect();
    let varies: Vec<bool> = examples.features.columns.par_iter().map(|column| varies(&column.cells, &used)).collect();
    let mut keep = varies.iter();
    examples.features.columns.retain(|_| *keep.next().expect("one per column"));
    let mut keep = varies.iter();
    recipe.features.retain(|_| *keep.next().expect("one per feature"));
}

fn varies(cells: &Cells, rows: &[usize]) -> bool {
    match cells {
        Cells::Number(values) => rows.windows(2).any(|pair| values[pair[0]].to_bits() != values[pair[1]].to_bits()),
        Cells::Category { codes, .. } => rows.windows(2).any(|pair| codes[pair[0]] != codes[pair[1]]),
    }
}
