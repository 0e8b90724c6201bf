//! A table by itself, before there is a spec: all its rows in one frame, typed, and what each column seems to mean, for
//! whoever looks for ids, times, amounts and contact data.

use std::path::Path;

use polars::prelude::DataFrame;

use super::files::OpenTable;
use super::ledger::Ledger;
use super::profile::{ColumnProfile, ProfileGather};
use super::times::{by_format, compact, iso};
use crate::error::Result;
use crate::spec::Table;

/// A table's rows.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The rows that could be read; columns are integers, floats, booleans, texts, dates and datetimes.
    pub frame: DataFrame,
    /// Rows of the files, faulty ones among them.
    pub n_rows: u64,
    /// What the columns hold, in their order.
    pub profiles: Vec<ColumnProfile>,
}

/// Reads all of a table; relative paths start at `root`.
///
/// # Errors
/// When a file is not there or cannot be read as the table says.
pub fn preview(root: &Path, table: &Table) -> Result<Preview> {
    let open = OpenTable::open(root, "", table, &[])?;
    let names = open.header().names;
    let mut frame: Option<DataFrame> = None;
    let mut profile = ProfileGather::new("", open.n_rows(), None);
    open.read(&names, &mut Ledger::default(), &mut |batch, _| {
        profile.take(batch)?;
        match &mut frame {
            Some(frame) => drop(frame.vstack_mut(&batch.frame)?),
            None => frame = Some(batch.frame.clone()),
        }
        Ok(())
    })
    .map_err(|error| error.hint(format!("if {} is no table, leave it out", table.path)))?;
    let mut frame = frame.unwrap_or_default();
    frame.rechunk_mut_par();
    Ok(Preview { frame, n_rows: open.n_rows(), profiles: profile.finish().0 })
}

/// Whether a text is a time in a `strftime` format, or without one a time that cannot be mistaken.
#[must_use]
pub fn reads_as(format: Option<&str>, text: &str) -> bool {
    match format {
        Some(format) => by_format(format, text).is_some(),
        None => iso(text.as_bytes()).or_else(|| compact(text.as_bytes())).is_some(),
    }
}
