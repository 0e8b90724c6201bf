//! Arrow IPC, the file (Feather 2) and the stream, record batch by record batch and only the columns that are wanted.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use polars::prelude::{ArrowSchema, DataFrame};
use polars_arrow::io::ipc::read::{
    FileReader, StreamReader, StreamState, get_row_count_from_blocks, read_file_metadata, read_stream_metadata,
};

use super::bytes;
use crate::error::{Error, Result};
use crate::source::kind::{self, Kind};

/// What an IPC file starts with; a stream does not.
pub(crate) const MAGIC: &[u8] = b"ARROW1";
/// What a stream starts with, since 2019.
pub(crate) const STREAM_MAGIC: &[u8] = &[0xFF, 0xFF, 0xFF, 0xFF];

/// An IPC file that can be read as often as it is asked.
#[derive(Debug)]
pub(crate) struct IpcFile {
    path: PathBuf,
    shown: String,
    /// Its columns; `None`: of a type that clo does not read.
    pub(crate) columns: Vec<(String, Option<Kind>)>,
    /// How many rows it has.
    pub(crate) n_rows: u64,
}

impl IpcFile {
    /// Reads the file's description; the rows of a stream are counted by reading it.
    pub(crate) fn open(path: &Path, shown: &str) -> Result<Self> {
        let reader = IpcReader::open(path, shown)?;
        let columns = reader.columns.clone();
        let n_rows = if let Some(rows) = reader.n_rows {
            rows
        } else {
            let first: Vec<String> = columns.iter().take(1).map(|(name, _)| name.clone()).collect();
            let mut rows = 0;
            reader.scan(&first, &mut |_, frame| {
                rows += frame.height() as u64;
                Ok(())
            })?;
            rows
        };
        Ok(Self { path: path.to_owned(), shown: shown.to_owned(), columns, n_rows })
    }

    /// Gives the wanted columns batch by batch, with the number of the first row.
    pub(crate) fn scan(&self, wanted: &[String], each: &mut dyn FnMut(u64, DataFrame) -> Result<()>) -> Result<()> {
        IpcReader::open(&self.path, &self.shown)?.scan(wanted, each)
    }
}

/// An IPC file or stream, opened: it is read once.
pub(crate) struct IpcReader {
    shown: String,
    /// Its columns; `None`: of a type that clo does not read.
    pub(crate) columns: Vec<(String, Option<Kind>)>,
    /// How many rows it has; a stream does not say.
    pub(crate) n_rows: Option<u64>,
    schema: ArrowSchema,
    form: Form,
}

enum Form {
    File(BufReader<File>),
    Stream(Box<Forward>, polars_arrow::io::ipc::read::StreamMetadata),
}

impl IpcReader {
    /// Reads the description; `-` is the program's input.
    pub(crate) fn open(path: &Path, shown: &str) -> Result<Self> {
        let damaged = |_| damaged(shown);
        let (schema, n_rows, form) = if path != Path::new(bytes::STDIN) && bytes::head(path)?.starts_with(MAGIC) {
            let mut file = BufReader::new(File::open(path).map_err(|source| Error::io("read", path, &source))?);
            let metadata = read_file_metadata(&mut file).map_err(damaged)?;
            let rows = get_row_count_from_blocks(&mut file, &metadata.blocks).map_err(damaged)?;
            ((*metadata.schema).clone(), u64::try_from(rows).ok(), Form::File(file))
        } else {
            let mut reader = Box::new(Forward { reader: bytes::open(path)?, at: 0 });
            let metadata = read_stream_metadata(&mut *reader).map_err(damaged)?;
            (metadata.schema.clone(), None, Form::Stream(reader, metadata))
        };
        Ok(Self { shown: shown.to_owned(), columns: kind::of_arrow(&schema), n_rows, schema, form })
    }

    /// Gives the wanted columns batch by batch, with the number of the first row.
    pub(crate) fn scan(self, wanted: &[String], each: &mut dyn FnMut(u64, DataFrame) -> Result<()>) -> Result<()> {
        let Self { shown, schema, form, .. } = self;
        let places =
            schema.iter_names().enumerate().filter(|(_, name)| wanted.iter().any(|want| want == name.as_str()));
        let projection = Some(places.map(|(place, _)| place).collect::<Vec<usize>>());
        let mut row = 1;
        let mut give = |batch: polars_arrow::record_batch::RecordBatch| {
            let frame = DataFrame::from(batch);
            let first = row;
            row += frame.height() as u64;
            if frame.height() == 0 { Ok(()) } else { each(first, frame) }
        };
        match form {
            Form::File(mut file) => {
                let metadata = read_file_metadata(&mut file).map_err(|_| damaged(&shown))?;
                for batch in FileReader::new(file, metadata, projection, None) {
                    give(batch.map_err(|_| damaged(&shown))?)?;
                }
            }
            Form::Stream(reader, metadata) => {
                for state in StreamReader::new(*reader, metadata, projection) {
                    match state.map_err(|_| damaged(&shown))? {
                        StreamState::Some(batch) => give(batch)?,
                        // The writer is gone without a last word: whether it was done nobody knows.
                        StreamState::Waiting => break,
                    }
                }
            }
        }
        Ok(())
    }
}

/// The error for what begins like Arrow IPC and does not go on like it.
fn damaged(shown: &str) -> Error {
    Error::data(format!("{shown} is not Arrow IPC (a file or a stream), or it is damaged or cut off"))
        .hint("write it again: pyarrow.feather.write_feather, or a RecordBatchStreamWriter")
}

/// A reader that can only go forward, as one that can be told where: skipping is reading.
struct Forward {
    reader: Box<dyn Read + Send>,
    at: u64,
}

impl Read for Forward {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer)?;
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for Forward {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let distance = match to {
            SeekFrom::Current(distance) => u64::try_from(distance).ok(),
            SeekFrom::Start(place) => place.checked_sub(self.at),
            SeekFrom::End(_) => None,
        };
        let distance = distance.ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported))?;
        let skipped = io::copy(&mut self.by_ref().take(distance), &mut io::sink())?;
        if skipped < distance { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(self.at) }
    }
}
