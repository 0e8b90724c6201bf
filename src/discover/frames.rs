//! Examples as a Parquet table and back: `person, cutoff, split, outcome, label`, then a column per feature.

use std::path::Path;

use polars::prelude::{
    Column as Series, DataFrame, DataType, Float32Chunked, Int8Chunked, Int64Chunked, IntoColumn as _,
    NewChunkedArray as _, StringChunked, TimeUnit, UInt32Chunked,
};
use rayon::prelude::*;

use super::catalogue::Recipe;
use super::table::{Cells, Column, Examples, NO_LEVEL, Split, Table};
use crate::error::{Error, Result};
use crate::map::Outcome;
use crate::store;

/// The columns that are not features.
const LEADING: [&str; 5] = ["person", "cutoff", "split", "outcome", "label"];
/// The stage is always written, feature or not: scores name it.
const STAGE: &str = "stage.current";
/// The rank in time of a row, in a snapshot whose rows stand in time.
const ORDER: &str = "order";

const SPLITS: [(Split, Option<&str>); 4] = [
    (Split::Train, Some("train")),
    (Split::Validation, Some("validation")),
    (Split::Test, Some("test")),
    (Split::Unused, None),
];
const OUTCOMES: [(Outcome, &str); 4] = [
    (Outcome::Attained, "attained"),
    (Outcome::Stayed, "stayed"),
    (Outcome::Attrited, "attrited"),
    (Outcome::Immature, "immature"),
];

/// Writes examples as Parquet and the recipe of their features beside them.
///
/// # Errors
/// When the files cannot be written.
pub fn write_examples(folder: &Path, examples: &Examples, recipe: &Recipe) -> Result<()> {
    store::write_json(&folder.join("recipe.json"), recipe)?;
    store::write_frame(&folder.join("examples.parquet"), &mut frame(examples)?)
}

/// Reads what [`write_examples`] wrote.
///
/// # Errors
/// When a file is missing or damaged.
pub fn read_examples(folder: &Path) -> Result<(Examples, Recipe)> {
    let recipe: Recipe = store::read_json(&folder.join("recipe.json"))?;
    let path = folder.join("examples.parquet");
    let frame = store::read_frame(&path)?;
    let examples = read_frame(&frame, &recipe)
        .map_err(|error| error.context(path.display()).hint("delete it and run `clo discover` again"))?;
    Ok((examples, recipe))
}

fn frame(examples: &Examples) -> Result<DataFrame> {
    let n_rows = examples.len();
    let person = StringChunked::from_iter_values(
        "person".into(),
        examples.person.iter().map(|&person| examples.ids[person as usize].as_str()),
    );
    let cutoff = Int64Chunked::from_slice("cutoff".into(), &examples.cutoff)
        .into_datetime(TimeUnit::Microseconds, None)
        .into_column();
    let split_name = |split: &Split| SPLITS.iter().find(|(known, _)| known == split).and_then(|(_, name)| *name);
    let outcome_name = |outcome: &Outcome| OUTCOMES.iter().find(|(known, _)| known == outcome).map(|(_, name)| *name);
    let label = |outcome: &Outcome| outcome.label().map(i8::from);
    let mut columns: Vec<Series> = vec![
        person.into_column(),
        cutoff,
        StringChunked::from_iter_options("split".into(), examples.split.iter().map(split_name)).into_column(),
        StringChunked::from_iter_options("outcome".into(), examples.outcome.iter().map(outcome_name)).into_column(),
        Int8Chunked::from_iter_options("label".into(), examples.outcome.iter().map(label)).into_column(),
    ];
    if !examples.snapshot && examples.features.column(STAGE).is_none() {
        let names = examples.stage.iter().map(|&stage| examples.stages[usize::from(stage)].as_str());
        columns.push(StringChunked::from_iter_values(STAGE.into(), names).into_column());
    }
    if let Some(order) = &examples.order {
        columns.push(UInt32Chunked::from_slice(ORDER.into(), order).into_column());
    }
    columns.par_extend(examples.features.columns.par_iter().map(series));
    Ok(DataFrame::new(n_rows, columns)?)
}

/// A feature as a column of a table.
pub(super) fn series(column: &Column) -> Series {
    let name = column.name.as_str().into();
    match &column.cells {
        Cells::Number(values) => {
            let values = values.iter().map(|value| (!value.is_nan()).then_some(*value));
            Float32Chunked::from_iter_options(name, values).into_column()
        }
        Cells::Category { codes, levels } => {
            let texts = codes.iter().map(|&code| levels.get(code as usize).map(String::as_str));
            StringChunked::from_iter_options(name, texts).into_column()
        }
    }
}

/// The features of these names.
pub(super) fn read_columns(frame: &DataFrame, names: &[String]) -> Result<Vec<Column>> {
    names.par_iter().map(|name| cells(frame, name)).collect()
}

fn read_frame(frame: &DataFrame, recipe: &Recipe) -> Result<Examples> {
    let leading = |name: &str| frame.column(name).map_err(|_| Error::data(format!("no column `{name}`")));
    for name in LEADING {
        leading(name)?;
    }
    let persons = leading("person")?.str()?;
    let mut ids: Vec<String> = persons.iter().flatten().map(ToOwned::to_owned).collect();
    ids.sort_unstable();
    ids.dedup();
    let position = |id: &str| ids.binary_search_by(|other| other.as_str().cmp(id)).map_or(u32::MAX, index);
    let person: Vec<u32> = persons.iter().map(|id| id.map_or(u32::MAX, position)).collect();
    let cutoff: Vec<i64> =
        leading("cutoff")?.cast(&DataType::Int64)?.i64()?.iter().map(Option::unwrap_or_default).collect();
    let split = leading("split")?
        .str()?
        .iter()
        .map(|name| SPLITS.iter().find(|(_, known)| *known == name).map(|(split, _)| *split));
    let outcome = leading("outcome")?
        .str()?
        .iter()
        .map(|name| OUTCOMES.iter().find(|(_, known)| Some(*known) == name).map(|(outcome, _)| *outcome));
    let (split, outcome): (Option<Vec<Split>>, Option<Vec<Outcome>>) = (split.collect(), outcome.collect());
    let (Some(split), Some(outcome)) = (split, outcome) else {
        return Err(Error::data("a split or an outcome has no known name"));
    };
    let columns = read_columns(frame, &recipe.names())?;
    let stages: Vec<String> = recipe.stages.iter().map(|stage| stage.name.clone()).collect();
    let stage = if recipe.snapshot {
        snapshot_stages(recipe, &outcome)
    } else {
        let names = leading(STAGE)?.str()?;
        let position =
            |name: Option<&str>| stages.iter().position(|stage| Some(stage.as_str()) == name).unwrap_or_default();
        names.iter().map(|name| u16::try_from(position(name)).expect("stages are few")).collect()
    };
    Ok(Examples {
        ids,
        person,
        cutoff,
        stage,
        stages,
        split,
        outcome,
        features: Table { columns, n_rows: frame.height() },
        snapshot: recipe.snapshot,
        order: order(frame)?,
    })
}

fn order(frame: &DataFrame) -> Result<Option<Vec<u32>>> {
    let Ok(column) = frame.column(ORDER) else { return Ok(None) };
    Ok(Some(column.u32()?.iter().map(Option::unwrap_or_default).collect()))
}

/// The first of the stages that the outcome names.
fn snapshot_stages(recipe: &Recipe, outcome: &[Outcome]) -> Vec<u16> {
    let first = |stages: &[usize]| u16::try_from(stages.first().copied().unwrap_or_default()).expect("stages are few");
    let (from, to) = (first(&recipe.from), first(&recipe.to));
    outcome.iter().map(|outcome| if *outcome == Outcome::Attained { to } else { from }).collect()
}

fn cells(frame: &DataFrame, name: &str) -> Result<Column> {
    let series = frame.column(name).map_err(|_| Error::data(format!("no column `{name}`")))?;
    let cells = match series.dtype() {
        DataType::Float32 => Cells::Number(series.f32()?.iter().map(|value| value.unwrap_or(f32::NAN)).collect()),
        DataType::String => {
            let texts = series.str()?;
            let mut levels: Vec<&str> = texts.iter().flatten().collect();
            levels.sort_unstable();
            levels.dedup();
            let code = |text: &str| levels.binary_search(&text).map_or(NO_LEVEL, index);
            let codes = texts.iter().map(|text| text.map_or(NO_LEVEL, code)).collect();
            Cells::Category { codes, levels: levels.iter().map(|&level| level.to_owned()).collect() }
        }
        other => return Err(Error::data(format!("column `{name}` is {other}, neither a number nor text"))),
    };
    Ok(Column { name: name.to_owned(), cells })
}

fn index(position: usize) -> u32 {
    u32::try_from(position).expect("rows are counted in 32 bits")
}
