//! Features of new data by a recipe, without a spec: what a bundle needs before it can score.
//!
//! A snapshot is read as the people table was that the recipe was made on; its outcome columns may be missing. Events come in
//! the canonical columns `person, time, event`, then properties; attributes, if the recipe looks at any, in a people file with
//! a column `person`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::attributes::AttributeValues;
use super::catalogue::{Feature, Recipe, StageRecipe};
use super::examples::{attribute_table, eligible_at};
use super::table::Table;
use crate::error::{Error, Result};
use crate::map;
use crate::source::{self, Data, Events, Rejected, Values};
use crate::spec::{
    ColumnType, EventSource, Order, PeopleSource, Places, Rows, Rule, Spec, Stage, Table as Told, TimeColumn,
    TimeReading,
};
use crate::time::Time;

/// The names that the input files get as tables.
const INPUT: &str = "input";
const PEOPLE: &str = "people";

/// New data to be scored.
#[derive(Debug, Clone, Copy)]
pub struct NewData<'a> {
    /// A snapshot's table, or the events.
    pub input: &'a Path,
    /// The people table beside the events.
    pub people: Option<&'a Path>,
    /// The cutoff; default: just after the last event.
    pub as_of: Option<Time>,
}

/// People of new data and their features.
#[derive(Debug)]
pub struct ToScore {
    /// Everyone in the input: in a snapshot in the order of its rows, else by id.
    pub person: Vec<String>,
    /// The row of `features` of each of them; `None`: not eligible (in none of the stages that the prediction starts from).
    pub row: Vec<Option<u32>>,
    /// The features of the eligible.
    pub features: Table,
    /// Every row that was not used.
    pub rejected: Vec<Rejected>,
}

/// Reads new data and computes the features of a recipe.
///
/// # Errors
/// When the files cannot be read or lack a column that the recipe needs.
pub fn to_score(recipe: &Recipe, new: NewData<'_>) -> Result<ToScore> {
    if recipe.snapshot { of_snapshot(recipe, new) } else { of_events(recipe, new) }
}

fn of_snapshot(recipe: &Recipe, new: NewData<'_>) -> Result<ToScore> {
    let told = recipe.table.clone().unwrap_or_default();
    let narrow =
        Told { columns: told.columns.as_ref().map(|all| without(all, &recipe.outcome_columns)), ..told.clone() };
    let data = match read(recipe, new, told) {
        Err(_) if narrow.columns.is_some() => read(recipe, new, narrow)?,
        result => result?,
    };
    let people = data.people.order.clone().unwrap_or_else(|| all_people(&data));
    Ok(ToScore {
        person: people.iter().map(|&person| data.people.ids[person as usize].clone()).collect(),
        row: (0..).map(Some).take(people.len()).collect(),
        features: attribute_table(recipe, &data, &people)?,
        rejected: data.rejected,
    })
}

fn without(columns: &[String], left_out: &[String]) -> Vec<String> {
    columns.iter().filter(|column| !left_out.contains(column)).cloned().collect()
}

fn of_events(recipe: &Recipe, new: NewData<'_>) -> Result<ToScore> {
    let needs_people = recipe.features.iter().any(|feature| matches!(feature, Feature::Attribute(_)));
    if needs_people && new.people.is_none() {
        return Err(Error::usage("this model looks at attributes of people, and no people file is given")
            .hint("give it with --people FILE: a column `person`, and the attributes"));
    }
    let mut data = read(recipe, new, Told::default())?;
    check_properties(recipe, &data.events)?;
    data.events = std::mem::take(&mut data.events).ordered_by_kind(&recipe.kinds);
    let stays = map::history(&data, &spec(recipe, new, Told::default())?)?;
    let (eligible, features) = eligible_at(recipe, &data, &stays, data.end)?;
    let mut row = vec![None; data.people.len()];
    for (place, &person) in (0..).zip(&eligible) {
        row[person as usize] = Some(place);
    }
    Ok(ToScore { person: data.people.ids, row, features, rejected: data.rejected })
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

fn all_people(data: &Data) -> Vec<u32> {
    (0..).take(data.people.len()).collect()
}

fn read(recipe: &Recipe, new: NewData<'_>, told: Told) -> Result<Data> {
    source::read(&spec(recipe, new, told)?)
}

/// A spec that reads the new data as the recipe needs it.
fn spec(recipe: &Recipe, new: NewData<'_>, told: Told) -> Result<Spec> {
    let path =
        |path: &Path| path.to_str().map(ToOwned::to_owned).ok_or_else(|| Error::usage("a file's name is not UTF-8"));
    let mut tables = BTreeMap::new();
    let types = |mut told: Told| {
        told.types.extend(text_columns(recipe).map(|column| (column, ColumnType::Str)));
        told
    };
    let (mut people, mut events) = (Vec::new(), Vec::new());
    if recipe.snapshot {
        tables.insert(INPUT.to_owned(), types(Told { path: path(new.input)?, ..told }));
        people.push(people_source(INPUT, recipe.person.clone(), Some(Order::Row)));
    } else {
        tables.insert(INPUT.to_owned(), Told { path: path(new.input)?, ..told });
        events.push(event_source());
        if let Some(file) = new.people {
            tables.insert(PEOPLE.to_owned(), types(Told { path: path(file)?, ..Told::default() }));
            people.push(people_source(PEOPLE, Some("person".to_owned()), None));
        }
    }
    Ok(Spec {
        root: ".".into(),
        file: "the model's recipe".into(),
        name: "score".to_owned(),
        seed: 0,
        tables,
        people,
        events,
        identity: crate::spec::IdentityRules::default(),
        end: new.as_of,
        as_of: new.as_of,
        stages: (0..recipe.stages.len()).map(|position| stage(position, recipe)).collect::<Result<_>>()?,
        predictions: Vec::new(),
        discover: crate::spec::Discover::default(),
        audiences: Vec::new(),
        measures: crate::spec::Measures::default(),
        holdout: crate::spec::Holdout::default(),
        uplifts: Vec::new(),
        fairness: crate::spec::Fairness::default(),
        places: Places::default(),
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

fn people_source(table: &str, person: Option<String>, order: Option<Order>) -> PeopleSource {
    PeopleSource {
        name: table.to_owned(),
        rows: Rows::Table(table.to_owned()),
        person,
        order,
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
