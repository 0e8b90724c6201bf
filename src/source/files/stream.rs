//! One table in one pass, in bounded memory: what a batch job reads. Types are not told from all values, as for a run: whoever
//! reads knows what each column must hold.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use polars::prelude::DataFrame;

use super::bytes;
use super::ipc::{IpcFile, IpcReader};
use super::parquet::ParquetFile;
use super::raw::{RawBatch, Records};
use super::text::TextFile;
use crate::error::Result;
use crate::source::kind::Kind;
use crate::spec::Table;

/// Rows of a chunk of a typed file; texts come in chunks of their own.
const ROWS: usize = 1 << 16;

/// Some rows of a table, one after the other.
pub(crate) enum Chunk {
    /// Fields of text.
    Text(RawBatch),
    /// Typed columns.
    Typed(DataFrame),
}

impl Chunk {
    /// How many rows there are.
    pub(crate) fn n_rows(&self) -> usize {
        match self {
            Self::Text(raw) => raw.len(),
            Self::Typed(frame) => frame.height(),
        }
    }

    /// How many rows were read, faulty ones among them.
    pub(crate) fn n_read(&self) -> u64 {
        match self {
            Self::Text(raw) => raw.rows_read(),
            Self::Typed(frame) => frame.height() as u64,
        }
    }

    /// The number of a row in the file, where the chunk's first has the number `first`.
    pub(crate) fn number(&self, row: usize, first: u64) -> u64 {
        match self {
            Self::Text(raw) => raw.rows.get(row),
            Self::Typed(_) => first + row as u64,
        }
    }
}

/// What a table is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Text whose columns are parted by a byte.
    Csv,
    /// Parquet.
    Parquet,
    /// Arrow IPC, a file or a stream.
    Ipc,
}

/// A table that is read from start to end, perhaps more than once.
pub(crate) struct Stream {
    path: PathBuf,
    shown: String,
    content: Content,
}

enum Content {
    Parquet(ParquetFile),
    Ipc(IpcFile),
    Records(Box<dyn Records>),
    /// The program's input: read once.
    Once(Box<Mutex<Option<IpcReader>>>, Vec<(String, Option<Kind>)>),
}

impl Stream {
    /// Opens a file, or `-`, the program's input, which is CSV unless it is told to be Arrow IPC.
    pub(crate) fn open(path: &Path, format: Option<Format>, table: &Table) -> Result<Self> {
        let is_input = path == Path::new(bytes::STDIN);
        let shown = if is_input { "the input".to_owned() } else { path.display().to_string() };
        let text = || Content::Records(Box::new(TextFile::new(path.to_owned(), &shown, table)));
        let content = match format {
            Some(Format::Ipc) if is_input => {
                let reader = IpcReader::open(path, &shown)?;
                let columns = reader.columns.clone();
                Content::Once(Box::new(Mutex::new(Some(reader))), columns)
            }
            _ if is_input => text(),
            Some(Format::Csv) => text(),
            Some(Format::Ipc) => Content::Ipc(IpcFile::open(path, &shown)?),
            Some(Format::Parquet) => Content::Parquet(ParquetFile::open_in(path, &shown, 2 * ROWS)?),
            None => match super::content(path, &shown, table)? {
                super::Content::Parquet(_) => Content::Parquet(ParquetFile::open_in(path, &shown, 2 * ROWS)?),
                super::Content::Ipc(file) => Content::Ipc(file),
                super::Content::Records(records) => Content::Records(records),
            },
        };
        Ok(Self { path: path.to_owned(), shown, content })
    }

    /// What people call it.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// Whether it can be read again.
    pub(crate) fn is_file(&self) -> bool {
        self.path != Path::new(bytes::STDIN)
    }

    /// The columns and their kinds, where the file tells; `None`: the text has to be read.
    pub(crate) fn columns(&self) -> Option<&[(String, Option<Kind>)]> {
        match &self.content {
            Content::Parquet(file) => Some(&file.columns),
            Content::Ipc(file) => Some(&file.columns),
            Content::Once(_, columns) => Some(columns),
            Content::Records(_) => None,
        }
    }

    /// How many rows there are, where the file tells.
    pub(crate) fn n_rows(&self) -> Option<u64> {
        match &self.content {
            Content::Parquet(file) => Some(file.n_rows),
            Content::Ipc(file) => Some(file.n_rows),
            Content::Once(..) | Content::Records(_) => None,
        }
    }

    /// Gives all rows chunk by chunk, typed ones in the `wanted` columns, with the number of the row that comes first. The same
    /// file comes in the same chunks each time.
    pub(crate) fn read(&self, wanted: &[String], each: &mut dyn FnMut(u64, Chunk) -> Result<()>) -> Result<()> {
        self.read_from(0, wanted, each)
    }

    /// As [`Stream::read`], without the chunks that lie within the first `done` rows.
    pub(crate) fn read_from(
        &self,
        done: u64,
        wanted: &[String],
        each: &mut dyn FnMut(u64, Chunk) -> Result<()>,
    ) -> Result<()> {
        let mut each = |first: u64, chunk: Chunk| if first > done { each(first, chunk) } else { Ok(()) };
        let mut typed = |first: u64, frame: DataFrame| {
            (0..frame.height()).step_by(ROWS).try_for_each(|at| {
                let part = frame.slice(i64::try_from(at).expect("rows of a batch are few"), ROWS);
                each(first + at as u64, Chunk::Typed(part))
            })
        };
        match &self.content {
            Content::Parquet(file) => file.scan_from(done, wanted, &mut typed),
            Content::Ipc(file) => file.scan(wanted, &mut typed),
            Content::Once(reader, _) => {
                let reader = reader.lock().ok().and_then(|mut reader| reader.take());
                reader.map_or(Ok(()), |reader| reader.scan(wanted, &mut typed))
            }
            Content::Records(records) => {
                let mut row = 1;
                records.scan(&mut |raw| {
                    let first = row;
                    row += raw.rows_read();
                    each(first, Chunk::Text(raw))
                })
            }
        }
    }
}
