//! Features of people by their events, by a recipe, without a spec: what a bundle needs before it can score. (The rows of a
//! snapshot are turned into features by [`super::rows`].)
//!
//! Events come in the canonical columns `person, time, event`, then properties; attributes, if the recipe looks at any, in a
//! people file with a column `person`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::attributes::AttributeValues;
use super::catalogue::{Feature, Recipe, StageRecipe};
use super::examples::eligible_at;
use super::table::Table;
use crate::error::{Error, Result};
use crate::map;
use crate::source::{self, Events, Rejected, Values};
use crate::spec::{
    ColumnType, EventSource, PeopleSource, Rows, Rule, Spec, Stage, Table as Told, TimeColumn, TimeReading,
};
use crate::time::Time;

/// The names that the input files get as tables.
const INPUT: &str = "input";
const PEOPLE: &str = "people";

/// New data to be scored.
#[derive(Debug, Clone, Copy)]
pub struct NewData<'a> {
    /// The events.
    pub input: &'a Path,
    /// The people table beside the events.
    pub people: Option<&'a Path>,
    /// The cutoff; default: just after the last event.
    pub as_of: Option<Time>,
}

/// People of new data and their features.
#[derive(Debug)]
pub struct ToScore {
    /// Everyone in the input, by id.
    pub person: Vec<String>,
    /// The row of `features` of each of them; `None`: not eligible (in none of the stages that the prediction starts from).
    pub row: Vec<Option<u32>>,
    /// The features of the eligible.
    pub features: Table,
    /// The cutoff.
    pub as_of: Time,
    /// How many rows were read.
    pub n_read: u64,
    /// Every row that was not used.
    pub rejected: Vec<Rejected>,
}

/// Reads new data and computes the features of a recipe.
///
/// # Errors
/// When the files cannot be read or lack a column that the recipe needs.
pub fn to_score(recipe: &Recipe, new: NewData<'_>) -> Result<ToScore> {
    let needs_people = recipe.features.iter().any(|feature| matches!(feature, Feature::Attribute(_)));
    if needs_people && new.people.is_none() {
        return Err(Error::usage("this model looks at attributes of people, and no people file is given")
            .hint("give it with --people FILE: a column `person`, and the attributes"));
    }
    let spec = spec(recipe, new)?;
    let mut data = source::read(&spec)?;
    check_properties(recipe, &data.events)?;
    data.events = std::mem::take(&mut data.events).ordered_by_kind(&recipe.kinds);
    let stays = map::history(&data, &spec)?;
    let (eligible, features) = eligible_at(recipe, &data, &stays, data.end)?;
    let mut row = vec![None; data.people.len()];
    for (place, &person) in (0..).zip(&eligible) {
        row[person as usize] = Some(place);
    }
    let n_read = data.inputs.iter().map(|input| input.rows).sum();
    Ok(ToScore { person: data.people.ids, row, features, as_of: data.end, n_read, rejected: data.rejected })
}

/// Every property that the recipe looks at must be a column, numbers where it takes sums, texts where it takes shares.
fn check_properties(recipe: &Recipe, events: &Events) -> Result<()> {
    let wanted = recipe.features.iter().filter_map(|feature| match feature {
        Feature::Aggregate { property, .. } => Some((property, true)),
        Feature::Distinct { property, .. } | Feature::Share { property, .. } => Some((property, false)),
        _ => None,
    });
    let wanted: BTreeSet<(&String, bool)> = wanted.collect();
    let fault = |(name, wants_numbers): (&String, bool)| {
        let Some(property) = events.properties.iter().find(|property| property.name == *name) else {
            return Some(format!("`{name}` is missing"));
        };
        let fits = match &property.values {
            Values::Number(values) => wants_numbers || values.iter().all(|value| value.is_nan()),
            Values::Category { levels, .. } => !wants_numbers || levels.is_empty(),
            Values::Time(_) => false,
        };
        let holds = if wants_numbers { "numbers" } else { "texts" };
        (!fits).then(|| format!("`{name}` should hold {holds}"))
    };
    let faults: Vec<String> = wanted.into_iter().filter_map(fault).collect();
    if faults.is_empty() {
        return Ok(());
    }
    Err(Error::data(format!("the events do not fit the model: {}", faults.join(", ")))
        .hint("bring the columns `person, time, event` and the properties that the model was trained on"))
}

/// A spec that reads the new data as the recipe needs it.
fn spec(recipe: &Recipe, new: NewData<'_>) -> Result<Spec> {
    let path =
        |path: &Path| path.to_str().map(ToOwned::to_owned).ok_or_else(|| Error::usage("a file's name is not UTF-8"));
    let mut tables = BTreeMap::new();
    tables.insert(INPUT.to_owned(), Told { path: path(new.input)?, ..Told::default() });
    let mut people = Vec::new();
    if let Some(file) = new.people {
        let types = text_columns(recipe).map(|column| (column, ColumnType::Str)).collect();
        tables.insert(PEOPLE.to_owned(), Told { path: path(file)?, types, ..Told::default() });
        people.push(people_source());
    }
    Ok(Spec {
        root: ".".into(),
        file: "the model's recipe".into(),
        name: "score".to_owned(),
        seed: 0,
        tables,
        people,
        events: vec![event_source()],
        end: new.as_of,
        as_of: new.as_of,
        keeps_undated: true,
        stages: (0..recipe.stages.len()).map(|position| stage(position, recipe)).collect::<Result<_>>()?,
        ..Spec::default()
    })
}

/// Categories that were texts, whatever the new file would make of them. (Booleans are left to be read as such.)
fn text_columns(recipe: &Recipe) -> impl Iterator<Item = String> {
    recipe.features.iter().filter_map(|feature| match feature {
        Feature::Attribute(attribute) => match &attribute.values {
            AttributeValues::Category(levels) if levels.iter().any(|level| level != "true" && level != "false") => {
                Some(attribute.column.clone())
            }
            _ => None,
        },
        _ => None,
    })
}

fn people_source() -> PeopleSource {
    PeopleSource {
        name: PEOPLE.to_owned(),
        rows: Rows::Table(PEOPLE.to_owned()),
        person: Some("person".to_owned()),
        order: None,
        valid_from: None,
        known_at: None,
        contact: Vec::new(),
    }
}

fn event_source() -> EventSource {
    EventSource {
        name: "event".to_owned(),
        rows: Rows::Table(INPUT.to_owned()),
        person: "person".to_owned(),
        time: TimeColumn { column: "time".to_owned(), reading: TimeReading::Unmistakable, zone: None },
        event: Some("event".to_owned()),
        properties: None,
        known_at: None,
    }
}

/// The stage in a position of the recipe.
fn stage(position: usize, recipe: &Recipe) -> Result<Stage> {
    let StageRecipe { name, enter, silence, from, exits, re_entry } = &recipe.stages[position];
    let n_stages = recipe.stages.len();
    let damaged = |what: String| Error::data(format!("the model's recipe is damaged: {what}"));
    let leads_to = exits.iter().map(|exit| &exit.to);
    if let Some(nowhere) = from.iter().chain(leads_to).find(|&&stage| stage >= n_stages) {
        return Err(damaged(format!("stage {nowhere} of {n_stages}")));
    }
    let rule = match (enter, silence) {
        (Some(trigger), _) => Rule::Enter(trigger.clone()),
        (None, Some(silence)) => {
            Rule::Silence(silence.parse().map_err(|_| damaged(format!("`{silence}` is not a duration")))?)
        }
        (None, None) => {
            let leads_here = |stage: &StageRecipe| stage.exits.iter().any(|exit| exit.to == position);
            Rule::unsaid(position, recipe.stages.iter().any(leads_here))
        }
    };
    Ok(Stage { from: from.clone(), exits: exits.clone(), re_entry: *re_entry, ..Stage::new(name.clone(), rule) })
}
