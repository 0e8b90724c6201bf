//! One file as it stands: a table that no `[tables]` names, such as the outcomes of a campaign.

use std::path::Path;

use polars::prelude::{Column, DataFrame};

use super::Input;
use super::files::OpenTable;
use super::ledger::Ledger;
use super::times::{self, Clock};
use crate::error::{Error, Result};
use crate::spec::{Delimiter, Table, TimeColumn, TimeReading};
use crate::time::Time;

/// A file that was read whole.
#[derive(Debug)]
pub struct OneTable {
    /// Its rows, every column in the type that holds all its values.
    pub frame: DataFrame,
    /// The file; `rejected` counts the rows that are not in `frame`.
    pub input: Input,
}

/// Reads a file in any form that a table of the spec may have, its form told by name and content.
///
/// # Errors
/// When it cannot be read, or over half of its rows are faulty.
pub fn one(path: &Path) -> Result<OneTable> {
    let shown = path.display().to_string();
    let table = Table { path: shown.clone(), ..Table::default() };
    let mut open = OpenTable::open(Path::new(""), "file", &table, &[])?;
    let parted = Table { delimiter: delimiter(&open.header().names), ..table.clone() };
    if parted.delimiter.is_some() {
        open = OpenTable::open(Path::new(""), "file", &parted, &[])?;
    }
    let columns = open.header().names;
    let mut ledger = Ledger::default();
    let mut frame: Option<DataFrame> = None;
    open.read(&columns, &mut ledger, &mut |batch, _| {
        match &mut frame {
            Some(frame) => frame.vstack_mut(&batch.frame).map(|_| ())?,
            None => frame = Some(batch.frame.clone()),
        }
        Ok(())
    })?;
    let mut inputs = open.inputs()?;
    ledger.close(&mut inputs);
    let input = inputs.into_iter().next().ok_or_else(|| Error::internal("a file that was read is gone"))?;
    let frame = frame.ok_or_else(|| Error::data(format!("{shown} has no rows")))?;
    Ok(OneTable { frame, input })
}

/// What parts the columns of a file that seems to have a single one: nobody has told it, as a spec would.
fn delimiter(columns: &[String]) -> Option<Delimiter> {
    let [only] = columns else { return None };
    let parts = |byte: &u8| only.as_bytes().contains(byte);
    [b';', b'\t', b'|'].into_iter().find(parts).map(Delimiter::Byte)
}

/// The instants in a column, written in `format` or so that they cannot be mistaken; `None` where there is none.
///
/// # Errors
/// When the column holds something else than times.
pub fn instants(column: &Column, format: Option<&str>) -> Result<Vec<Option<Time>>> {
    let reading = format.map_or(TimeReading::Unmistakable, |format| TimeReading::Format(format.to_owned()));
    let told = TimeColumn { column: column.name().to_string(), reading, zone: None };
    let read = Clock::new(&told)?.read(column)?;
    Ok(read.into_iter().map(|instant| times::fault(instant, &told).is_none().then_some(Time(instant))).collect())
}
