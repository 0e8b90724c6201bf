//! Parquet files, some row groups at a time and only the columns that are wanted.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;

use polars::prelude::{DataFrame, ParquetReader, SerReader as _};

use crate::error::{Error, Result};
use crate::source::kind::{self, Kind};

/// Row groups are gathered or parted into batches of about this many rows.
const ROWS: usize = 1 << 19;

/// A Parquet file.
#[derive(Debug)]
pub(crate) struct ParquetFile {
    path: PathBuf,
    shown: String,
    /// Its columns; `None`: of a type that clo does not read.
    pub(crate) columns: Vec<(String, Option<Kind>)>,
    /// How many rows it has.
    pub(crate) n_rows: u64,
    /// First row and number of rows of each batch.
    slices: Vec<(usize, usize)>,
}

impl ParquetFile {
    /// Reads the file's description.
    pub(crate) fn open(path: &Path, shown: &str) -> Result<Self> {
        Self::open_in(path, shown, ROWS)
    }

    /// As [`ParquetFile::open`], for batches of about so many rows.
    pub(crate) fn open_in(path: &Path, shown: &str, rows: usize) -> Result<Self> {
        let mut reader = ParquetReader::new(file(path)?);
        let columns = kind::of_arrow(&reader.schema().map_err(|_| damaged(shown))?.clone());
        let metadata = reader.get_metadata().map_err(|_| damaged(shown))?;
        #[expect(clippy::redundant_closure_for_method_calls, reason = "polars does not export the type's name")]
        let slices = slices(metadata.row_groups.iter().map(|group| group.num_rows()), rows);
        Ok(Self { path: path.to_owned(), shown: shown.to_owned(), columns, n_rows: metadata.num_rows as u64, slices })
    }

    /// Gives the wanted columns batch by batch, with the number of the first row. One thread unpacks the next batch while
    /// the caller works on the one before.
    pub(crate) fn scan(&self, wanted: &[String], each: &mut dyn FnMut(u64, DataFrame) -> Result<()>) -> Result<()> {
        self.scan_from(0, wanted, each)
    }

    /// As [`ParquetFile::scan`], without the batches that lie within the first `done` rows.
    pub(crate) fn scan_from(
        &self,
        done: u64,
        wanted: &[String],
        each: &mut dyn FnMut(u64, DataFrame) -> Result<()>,
    ) -> Result<()> {
        std::thread::scope(|scope| {
            let (send, receive) = sync_channel(0);
            let unpacker = scope.spawn(move || -> Result<()> {
                for &(first, length) in self.slices.iter().filter(|(first, length)| (first + length) as u64 > done) {
                    let frame = self.read(wanted, (first, length))?;
                    if send.send((first as u64 + 1, frame)).is_err() {
                        break;
                    }
                }
                Ok(())
            });
            let taken = receive.into_iter().try_for_each(|(first, frame)| each(first, frame));
            let read = unpacker.join().unwrap_or_else(|_| Err(Error::internal("the reader of a Parquet file failed")));
            taken.and(read)
        })
    }

    fn read(&self, wanted: &[String], slice: (usize, usize)) -> Result<DataFrame> {
        ParquetReader::new(file(&self.path)?)
            .with_columns(Some(wanted.to_vec()))
            .with_slice(Some(slice))
            .finish()
            .map_err(|_| damaged(&self.shown))
    }
}

/// The error for what begins like a Parquet file and does not go on like one.
fn damaged(shown: &str) -> Error {
    Error::data(format!("{shown} is a damaged Parquet file, or one that is cut off"))
        .hint("fetch or export the file again")
}

fn file(path: &Path) -> Result<File> {
    File::open(path).map_err(|source| Error::io("read", path, &source))
}

/// Slices that do not part a row group unless it is large: each slice of a group has to unpack it from its start.
fn slices(groups: impl Iterator<Item = usize>, target: usize) -> Vec<(usize, usize)> {
    let mut slices: Vec<(usize, usize)> = Vec::new();
    let mut start = 0;
    for rows in groups {
        match slices.last_mut() {
            Some((_, length)) if *length + rows <= target => *length += rows,
            _ => {
                let parts = rows.div_ceil(2 * target).max(1);
                let bounds = |part: usize| start + rows * part / parts;
                slices.extend((0..parts).map(|part| (bounds(part), bounds(part + 1) - bounds(part))));
            }
        }
        start += rows;
    }
    slices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_cover_all_rows_and_respect_row_groups() {
        assert_eq!(slices([100, 200].into_iter(), ROWS), [(0, 300)]);
        assert_eq!(slices([1_000_000, 1_000_000].into_iter(), ROWS), [(0, 1_000_000), (1_000_000, 1_000_000)]);
        let parts = slices(std::iter::once(10_000_000), ROWS);
        assert_eq!(parts.iter().map(|part| part.1).sum::<usize>(), 10_000_000);
        assert!(parts.iter().all(|part| part.1 <= 2 * ROWS));
    }
}
