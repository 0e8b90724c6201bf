//! The attributes whose groups are compared: their values for people at instants, whether or not they are features.
//!
//! A date counts as the years since then, so that a date of birth makes groups by age.

use std::path::{Path, PathBuf};

use polars::prelude::{DataFrame, Int64Chunked, IntoColumn as _, NewChunkedArray as _, StringChunked, TimeUnit};

use super::attributes::{self, Attribute, AttributeValues};
use super::frames::{read_columns, series};
use super::table::{Cells, Column, Examples, Table};
use crate::error::{Error, Result, did_you_mean};
use crate::source::{Data, People};
use crate::spec::Spec;
use crate::store;
use crate::time::Time;

/// Days of a year, on average.
const YEAR: f32 = 365.25;

/// The protected attributes of a prediction's examples, a row each; `None` when it names none.
///
/// # Errors
/// When an attribute is not a column of the people table, or no two people differ in it.
pub fn protected(data: &Data, spec: &Spec, names: &[String], examples: &Examples) -> Result<Option<Table>> {
    let at: Vec<(u32, Time)> =
        examples.person.iter().copied().zip(examples.cutoff.iter().map(|&at| Time(at))).collect();
    let at = at.into_iter().map(|(person, at)| (person, if examples.snapshot { Time::NEVER } else { at }));
    protected_at(data, spec, names, &at.collect::<Vec<_>>())
}

/// The protected attributes of people, each as of an instant.
///
/// # Errors
/// As [`protected`].
pub fn protected_at(data: &Data, spec: &Spec, names: &[String], at: &[(u32, Time)]) -> Result<Option<Table>> {
    if names.is_empty() {
        return Ok(None);
    }
    let known = attributes::of_people(&data.people, &[]);
    let valid: Vec<(Option<u32>, Time)> = at
        .iter()
        .map(|&(person, at)| {
            let row = data.people.row(person as usize, at);
            (row.map(|row| u32::try_from(row).expect("people are counted in 32 bits")), at)
        })
        .collect();
    let column = |name: &String| {
        let attribute = named(name, &known, &data.people, spec)?;
        let column = attribute.column(&data.people, &valid)?;
        Ok(if attribute.values == AttributeValues::Date { in_years(column) } else { column })
    };
    let columns: Result<Vec<Column>> = names.iter().map(column).collect();
    Ok(Some(Table { columns: columns?, n_rows: at.len() }))
}

fn named<'a>(name: &str, known: &'a [Attribute], people: &People, spec: &Spec) -> Result<&'a Attribute> {
    if let Some(attribute) = known.iter().find(|attribute| attribute.column == name) {
        return Ok(attribute);
    }
    let columns: Vec<&str> = people.attributes.columns().iter().map(|column| column.name().as_str()).collect();
    let error = if columns.contains(&name) {
        Error::data(format!("`protected`: the attribute `{name}` makes no groups")).hint(
            "it is the same for everyone, or another for each, or contact data: name one that groups people share",
        )
    } else {
        let error = Error::data(format!("`protected`: the people table has no column `{name}`"));
        match did_you_mean(name, columns.iter().copied()) {
            Some(meant) => error.hint(format!("is it `{meant}`?")),
            None => error.hint(format!("it has {}", columns.join(", "))),
        }
    };
    Err(error.at(spec.excerpt("fairness.protected")))
}

fn in_years(column: Column) -> Column {
    let cells = match column.cells {
        Cells::Number(days) => Cells::Number(days.into_iter().map(|days| (days / YEAR).floor()).collect()),
        cells @ Cells::Category { .. } => cells,
    };
    Column { cells, ..column }
}

fn file(folder: &Path) -> PathBuf {
    folder.join("protected.parquet")
}

/// Writes the protected attributes of examples beside them: `person, cutoff`, then a column each.
///
/// # Errors
/// When the file cannot be written.
pub fn write_protected(folder: &Path, examples: &Examples, protected: &Table) -> Result<()> {
    let ids = examples.person.iter().map(|&person| examples.ids[person as usize].as_str());
    let mut columns = vec![
        StringChunked::from_iter_values("person".into(), ids).into_column(),
        Int64Chunked::from_slice("cutoff".into(), &examples.cutoff)
            .into_datetime(TimeUnit::Microseconds, None)
            .into_column(),
    ];
    columns.extend(protected.columns.iter().map(series));
    store::write_frame(&file(folder), &mut DataFrame::new(examples.len(), columns)?)
}

/// Reads what [`write_protected`] wrote: the attributes in these columns of the people table.
///
/// # Errors
/// When the file is missing or damaged.
pub fn read_protected(folder: &Path, names: &[String]) -> Result<Option<Table>> {
    if names.is_empty() {
        return Ok(None);
    }
    let frame = store::read_frame(&file(folder))?;
    let names: Vec<String> = names.iter().map(|name| format!("attr.{name}")).collect();
    Ok(Some(Table { columns: read_columns(&frame, &names)?, n_rows: frame.height() }))
}
