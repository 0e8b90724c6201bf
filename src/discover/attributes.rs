//! Attributes as features: which columns of the people table serve, and their values as of a cutoff.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::{Column as Series, DataType, IdxCa, TimeUnit};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::table::{Cells, Column, NO_LEVEL};
use crate::error::{Error, Result};
use crate::map::rules::columns_named;
use crate::source::People;
use crate::time::{DAY, Time};

/// Levels of a category beyond this many, the rarest ones, are one level together.
const MOST_LEVELS: usize = 100;
/// The name of that level.
pub(super) const OTHER: &str = "(other)";
/// A column of texts with more distinct values than this share of its rows is an id or free text, not a category.
const ID_SHARE: f64 = 0.5;
/// Below this many rows a column is not called an id.
const FEW_ROWS: usize = 100;

/// An attribute row, if any was valid, and the cutoff.
type Row = (Option<u32>, Time);

/// An attribute that serves as a feature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// The column of the people table.
    pub column: String,
    /// What its values are.
    pub values: AttributeValues,
}

/// What the values of an attribute are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AttributeValues {
    /// A number.
    Number,
    /// A day or an instant: days before the cutoff.
    Date,
    /// One of these texts, sorted.
    Category(Vec<String>),
}

/// The columns that serve as features: not contact data, not named by a rule, neither constant nor an id.
#[must_use]
pub(super) fn of_people(people: &People, rules: &[&str]) -> Vec<Attribute> {
    let named: BTreeSet<String> = rules.iter().flat_map(|rule| columns_named(rule)).collect();
    let columns: Vec<&Series> = people.attributes.columns().iter().collect();
    columns
        .par_iter()
        .filter(|column| !named.contains(column.name().as_str()))
        .filter(|column| !people.contact.iter().any(|contact| contact == column.name().as_str()))
        .filter_map(|column| attribute(column))
        .collect()
}

fn attribute(column: &Series) -> Option<Attribute> {
    let named = |values| Some(Attribute { column: column.name().to_string(), values });
    let rows = column.len();
    match column.dtype() {
        DataType::Date | DataType::Datetime(..) => named(AttributeValues::Date),
        dtype if dtype.is_primitive_numeric() => {
            let distinct = column.n_unique().ok()?;
            let is_id = dtype.is_integer() && rows >= FEW_ROWS && distinct == rows;
            (distinct > 1 && !is_id).then(|| named(AttributeValues::Number)).flatten()
        }
        DataType::Boolean | DataType::String | DataType::Categorical(..) | DataType::Enum(..) => {
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            let texts = texts(column).ok()?;
            for text in texts.iter().flatten() {
                *counts.entry(text).or_default() += 1;
            }
            let present: usize = counts.values().sum();
            let is_id = present >= FEW_ROWS && counts.len() as f64 > ID_SHARE * present as f64;
            let varies = counts.len() > 1 || (counts.len() == 1 && present < rows);
            if !varies || is_id {
                return None;
            }
            named(AttributeValues::Category(frequent_levels(&counts)))
        }
        _ => None,
    }
}

/// All levels, or the most frequent ones and one for the rest.
fn frequent_levels(counts: &BTreeMap<&str, usize>) -> Vec<String> {
    let mut levels: Vec<(&str, usize)> = counts.iter().map(|(&level, &count)| (level, count)).collect();
    let more = levels.len() > MOST_LEVELS;
    levels.sort_by_key(|&(level, count)| (std::cmp::Reverse(count), level));
    levels.truncate(MOST_LEVELS);
    let mut levels: Vec<String> = levels.into_iter().map(|(level, _)| level.to_owned()).collect();
    if more && !levels.iter().any(|level| level == OTHER) {
        levels.push(OTHER.to_owned());
    }
    levels.sort_unstable();
    levels
}

fn texts(column: &Series) -> Result<Vec<Option<String>>> {
    let text = column.cast(&DataType::String)?;
    Ok(text.str()?.iter().map(|value| value.map(ToOwned::to_owned)).collect())
}

impl Attribute {
    /// The feature's values for the given attribute rows (`None`: the person has no row that was valid), each as of its cutoff.
    ///
    /// # Errors
    /// When the people table lacks the column, or holds texts where numbers were learned.
    pub fn column(&self, people: &People, rows: &[(Option<u32>, Time)]) -> Result<Column> {
        let source = people.attributes.column(&self.column).map_err(|_| {
            let known: Vec<&str> = people.attributes.columns().iter().map(|column| column.name().as_str()).collect();
            Error::data(format!("the people table has no column `{}`", self.column))
                .hint(format!("it has {}", known.join(", ")))
        })?;
        let few: Option<(Series, Vec<Row>)> = (rows.len() < source.len()).then(|| taken(source, rows)).transpose()?;
        let (source, rows) = few.as_ref().map_or((source, rows), |(source, rows)| (source, rows.as_slice()));
        let cells = match &self.values {
            AttributeValues::Number => Cells::Number(numbers(source, rows)?),
            AttributeValues::Date => Cells::Number(days_before(source, rows)?),
            AttributeValues::Category(levels) => {
                Cells::Category { codes: codes(source, levels, rows)?, levels: levels.clone() }
            }
        };
        Ok(Column { name: format!("attr.{}", self.column), cells })
    }
}

/// The cells of few rows out of many, and the rows as they are counted among these.
fn taken(source: &Series, rows: &[Row]) -> Result<(Series, Vec<Row>)> {
    let known: Vec<u32> = rows.iter().filter_map(|(row, _)| *row).collect();
    let mut next = 0..;
    let renumbered = rows.iter().map(|&(row, cutoff)| (row.and_then(|_| next.next()), cutoff)).collect();
    Ok((source.take(&IdxCa::from_vec("row".into(), known))?, renumbered))
}

#[expect(clippy::cast_possible_truncation, reason = "features are 32-bit floats")]
fn numbers(source: &Series, rows: &[(Option<u32>, Time)]) -> Result<Vec<f32>> {
    let values = source.cast(&DataType::Float64)?;
    if values.null_count() > source.null_count() {
        return Err(Error::data(format!("column `{}` holds texts where the model learned numbers", source.name())));
    }
    let values: Vec<f64> = values.f64()?.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
    Ok(rows.iter().map(|(row, _)| row.map_or(f32::NAN, |row| values[row as usize] as f32)).collect())
}

/// Days from the date to the cutoff; a date at or after the cutoff was not known and is missing.
#[expect(clippy::cast_possible_truncation, reason = "features are 32-bit floats")]
fn days_before(source: &Series, rows: &[(Option<u32>, Time)]) -> Result<Vec<f32>> {
    let instants = source.cast(&DataType::Datetime(TimeUnit::Microseconds, None))?.cast(&DataType::Int64)?;
    let instants: Vec<Option<i64>> = instants.i64()?.iter().collect();
    let days = |&(row, cutoff): &(Option<u32>, Time)| {
        let instant = row.and_then(|row| instants[row as usize]).filter(|&instant| instant < cutoff.0);
        instant.map_or(f32::NAN, |instant| ((cutoff.0.saturating_sub(instant)) as f64 / DAY as f64) as f32)
    };
    Ok(rows.iter().map(days).collect())
}

fn codes(source: &Series, levels: &[String], rows: &[(Option<u32>, Time)]) -> Result<Vec<u32>> {
    let find = |text: &str| levels.binary_search_by(|level| level.as_str().cmp(text));
    let other = find(OTHER).map_or(NO_LEVEL, position);
    let codes: Vec<u32> = texts(source)?
        .iter()
        .map(|text| text.as_deref().map_or(NO_LEVEL, |text| find(text).map_or(other, position)))
        .collect();
    Ok(rows.iter().map(|(row, _)| row.map_or(NO_LEVEL, |row| codes[row as usize])).collect())
}

fn position(level: usize) -> u32 {
    u32::try_from(level).expect("levels are counted in 32 bits")
}
