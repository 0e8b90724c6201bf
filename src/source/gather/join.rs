//! Attribute rows of several sources joined by person and time.

use std::collections::BTreeSet;

use polars::prelude::{Column, DataFrame, DataType, IdxCa, IdxSize, IntoColumn as _, NewChunkedArray as _, TimeUnit};

use crate::error::Result;

/// Attribute rows with the person and the time since when each holds, sorted by both, no two alike.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) keys: Vec<(u32, i64)>,
    pub(crate) attributes: DataFrame,
}

/// One row for every person and time that any part has. What a part says of it is its row of that person that holds then;
/// of columns with the same name the first part that has a value counts.
pub(crate) fn join(parts: Vec<Rows>) -> Result<Rows> {
    let keys: Vec<(u32, i64)> = {
        let all: BTreeSet<_> = parts.iter().flat_map(|part| part.keys.iter().copied()).collect();
        all.into_iter().collect()
    };
    let mut columns: Vec<Column> = Vec::new();
    for part in parts {
        let index = IdxCa::from_iter_options("row".into(), holding(&part.keys, &keys).into_iter());
        for column in part.attributes.columns() {
            let column = plain(column.take(&index)?)?;
            match columns.iter_mut().find(|known| known.name() == column.name()) {
                Some(known) => *known = coalesce(known, &column)?,
                None => columns.push(column),
            }
        }
    }
    Ok(Rows { attributes: DataFrame::new(keys.len(), columns)?, keys })
}

/// For each wanted person and time the row that holds then: the person's last one that began by then.
fn holding(keys: &[(u32, i64)], wanted: &[(u32, i64)]) -> Vec<Option<IdxSize>> {
    let mut next = 0;
    let row = |&(person, from): &(u32, i64)| {
        while next < keys.len() && keys[next] <= (person, from) {
            next += 1;
        }
        let row = next.checked_sub(1).filter(|&row| keys[row].0 == person)?;
        Some(IdxSize::try_from(row).expect("rows are counted in 32 bits"))
    };
    wanted.iter().map(row).collect()
}

/// Instants as microseconds of UTC: what comes after needs to know no zones.
fn plain(column: Column) -> Result<Column> {
    if !matches!(column.dtype(), DataType::Datetime(_, Some(_))) {
        return Ok(column);
    }
    let instants = column.datetime()?.physical().clone();
    Ok(instants.into_datetime(TimeUnit::Microseconds, None).into_column())
}

fn coalesce(first: &Column, second: &Column) -> Result<Column> {
    use DataType as D;
    if second.null_count() == second.len() {
        return Ok(first.clone());
    }
    if first.null_count() == first.len() {
        return Ok(second.clone());
    }
    let target = match (first.dtype(), second.dtype()) {
        (a, b) if a == b => a.clone(),
        (D::Int64, D::Float64) | (D::Float64, D::Int64) => D::Float64,
        (date @ D::Datetime(..), D::Date) | (D::Date, date @ D::Datetime(..)) => date.clone(),
        _ => D::String,
    };
    let (first, second) = (first.cast(&target)?, second.cast(&target)?);
    Ok(first.zip_with(&first.is_not_null(), &second)?)
}
