//! What is kept from run to run, so that people keep their ids: `models/identity/`.
//!
//! ```text
//! ids.parquet       id, person: who every id was
//! records.parquet   source, id, fingerprint: the rows that were compared, as a hash of what was compared
//! edges.parquet     source, id, other_source, other_id, weight, pattern: pairs that may be one person
//! log.parquet       run, change, id, from, to, why: every merge and split so far
//! match.json        what the comparisons are worth, and the hash of records and edges that belong to it
//! ```
//!
//! Without these files everything is worked out anew. Records and edges that do not belong to `match.json` (a run was killed between
//! two files) are not used; who was who still is.

use std::path::Path;

use polars::prelude::{
    ChunkedArray, DataFrame, DataType, IntoColumn as _, NewChunkedArray as _, PolarsNumericType, StringChunked,
};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::compare::Kind;
use super::em::Learned;
use crate::error::{Error, Result};
use crate::store::{self, Fingerprint};

const FORMAT_VERSION: u32 = 1;

/// What was kept by the last run.
#[derive(Debug, Default)]
pub struct State {
    pub(super) header: Header,
    pub(super) ids: DataFrame,
    pub(super) records: DataFrame,
    pub(super) edges: DataFrame,
    pub(super) log: DataFrame,
}

/// `match.json`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) format_version: u32,
    /// Runs in which somebody became somebody else.
    pub(super) run: u32,
    pub(super) basis: Option<Basis>,
    pub(super) records: Option<Fingerprint>,
    pub(super) edges: Option<Fingerprint>,
}

/// What comparisons are worth, and of which records that was learned.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Basis {
    /// The rules of the spec as a hash.
    pub(super) rules: String,
    pub(super) n_records: usize,
    pub(super) columns: Vec<(String, Kind)>,
    pub(super) learned: Learned,
}

impl State {
    /// What stands in a folder; nothing if there is none.
    ///
    /// # Errors
    /// When a file there cannot be read or is damaged.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = |name: &str| folder.join(name);
        if !path("match.json").is_file() {
            return Ok(Self::default());
        }
        let mut header: Header = store::read_json(&path("match.json")).map_err(|error| mended(error, folder))?;
        let frame = |name: &str| store::read_frame(&path(name)).map_err(|error| mended(error, folder));
        let (ids, log) = (frame("ids.parquet")?, frame("log.parquet")?);
        let belongs =
            |name: &str, kept: &Option<Fingerprint>| kept.as_ref().is_some_and(|kept| kept.still_holds(&path(name)));
        let is_whole = header.format_version == FORMAT_VERSION
            && belongs("records.parquet", &header.records)
            && belongs("edges.parquet", &header.edges);
        if !is_whole {
            header.basis = None;
            return Ok(Self { header, ids, log, ..Self::default() });
        }
        let (records, edges) = rayon::join(|| frame("records.parquet"), || frame("edges.parquet"));
        Ok(Self { header, ids, log, records: records?, edges: edges? })
    }

    /// Writes it.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&mut self, folder: &Path) -> Result<()> {
        let path = |name: &str| folder.join(name);
        let Self { records, edges, ids, log, .. } = &mut *self;
        let files =
            [("records.parquet", records), ("edges.parquet", edges), ("ids.parquet", ids), ("log.parquet", log)];
        let written: Vec<Result<()>> =
            files.into_par_iter().map(|(name, frame)| store::write_frame(&path(name), frame)).collect();
        written.into_iter().collect::<Result<()>>()?;
        self.header.format_version = FORMAT_VERSION;
        self.header.records = Some(Fingerprint::of(&path("records.parquet"))?);
        self.header.edges = Some(Fingerprint::of(&path("edges.parquet"))?);
        store::write_json(&path("match.json"), &self.header)?;
        store::settle(folder)
    }
}

fn mended(error: Error, folder: &Path) -> Error {
    error.hint(format!(
        "{} keeps who was who from run to run: put it back from a copy, or remove the folder and let people get new ids",
        folder.display()
    ))
}

/// The texts of a column; empty where a frame has none.
pub(super) fn texts<'f>(frame: &'f DataFrame, name: &str) -> Result<Vec<Option<&'f str>>> {
    if frame.width() == 0 {
        return Ok(Vec::new());
    }
    Ok(frame.column(name)?.str()?.iter().collect())
}

/// The numbers of a column; empty where a frame has none.
pub(super) fn numbers<T: PolarsNumericType>(frame: &DataFrame, name: &str) -> Result<Vec<T::Native>> {
    if frame.width() == 0 {
        return Ok(Vec::new());
    }
    let column = frame.column(name)?.as_materialized_series();
    let values: &ChunkedArray<T> = column.unpack()?;
    Ok(values.iter().flatten().collect())
}

/// A column of texts.
pub(super) fn text_column<'t>(name: &str, texts: impl Iterator<Item = &'t str>) -> polars::prelude::Column {
    StringChunked::from_iter_values(name.into(), texts).into_column()
}

/// A column of numbers.
pub(super) fn number_column<T: PolarsNumericType>(
    name: &str,
    numbers: impl Iterator<Item = T::Native>,
) -> polars::prelude::Column
where
    ChunkedArray<T>: polars::prelude::NewChunkedArray<T, T::Native> + polars::prelude::IntoSeries,
{
    ChunkedArray::<T>::from_iter_values(name.into(), numbers).into_column()
}

/// The log so far and what this run adds.
pub(super) fn longer(log: &DataFrame, more: DataFrame) -> Result<DataFrame> {
    if log.width() == 0 {
        return Ok(more);
    }
    let mut all = log.clone();
    all.vstack_mut(&more)?;
    all.rechunk_mut();
    debug_assert_eq!(all.column("run")?.dtype(), &DataType::UInt32, "a run is a small number");
    Ok(all)
}
