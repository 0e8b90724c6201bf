//! Tables that are written batch by batch, because they are larger than memory: Parquet, CSV, Arrow IPC.

use std::io::{self, Write};
use std::sync::Arc;

use polars::io::parquet::write::BatchedWriter as ParquetBatches;
use polars::prelude::{
    AnyValue, CompatLevel, DataFrame, ParquetCompression, ParquetWriter, PlSmallStr, Schema, SchemaExt as _,
};
use polars_arrow::io::ipc::write::{FileWriter, StreamWriter, WriteOptions};

use super::as_io;

/// Memory is mapped as it is only without compression.
const UNCOMPRESSED: WriteOptions = WriteOptions { compression: None };
/// Rows of a row group, or a record batch: a batch waits for others until they are so many.
const GROUP: usize = 1 << 18;

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Text, columns parted by commas.
    Csv,
    /// Parquet, snappy.
    Parquet,
    /// An Arrow IPC file (Feather 2).
    IpcFile,
    /// An Arrow IPC stream.
    IpcStream,
}

/// Writes rows as they come; nothing is whole before [`RowWriter::finish`].
pub struct RowWriter<W: Write> {
    sink: Sink<W>,
    /// Rows that wait for a group.
    waiting: Option<DataFrame>,
}

enum Sink<W: Write> {
    Csv(Box<csv::Writer<W>>),
    Parquet(Box<ParquetBatches<W>>),
    IpcFile(Box<FileWriter<W>>),
    IpcStream(Box<StreamWriter<W>>),
}

impl<W: Write> RowWriter<W> {
    /// A writer of tables with that schema.
    ///
    /// # Errors
    /// The system's reason.
    pub fn new(form: Form, schema: &Schema, writer: W) -> io::Result<Self> {
        let failed = |error: polars::error::PolarsError| as_io(&error);
        let sink = match form {
            Form::Csv => {
                let mut writer = csv::Writer::from_writer(writer);
                writer.write_record(schema.iter_names().map(PlSmallStr::as_str)).map_err(of_csv)?;
                Sink::Csv(Box::new(writer))
            }
            Form::Parquet => {
                let writer = ParquetWriter::new(writer).with_compression(ParquetCompression::Snappy);
                Sink::Parquet(Box::new(writer.batched(schema).map_err(failed)?))
            }
            Form::IpcFile => {
                let schema = Arc::new(schema.to_arrow(CompatLevel::oldest()));
                let mut writer = FileWriter::new(writer, schema, None, UNCOMPRESSED);
                writer.start().map_err(failed)?;
                Sink::IpcFile(Box::new(writer))
            }
            Form::IpcStream => {
                let mut writer = StreamWriter::new(writer, UNCOMPRESSED);
                writer.start(&schema.to_arrow(CompatLevel::oldest()), None).map_err(failed)?;
                Sink::IpcStream(Box::new(writer))
            }
        };
        Ok(Self { sink, waiting: None })
    }

    /// Adds rows.
    ///
    /// # Errors
    /// The system's reason.
    pub fn write(&mut self, rows: DataFrame) -> io::Result<()> {
        // Whoever reads text, or follows a stream, wants rows as they are made.
        if matches!(self.sink, Sink::Csv(_) | Sink::IpcStream(_)) {
            return self.put(&rows);
        }
        match &mut self.waiting {
            None => self.waiting = Some(rows),
            Some(waiting) => {
                waiting.vstack_mut(&rows).map_err(|error| as_io(&error))?;
            }
        }
        if self.waiting.as_ref().is_some_and(|waiting| waiting.height() >= GROUP) { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        let Some(mut rows) = self.waiting.take() else { return Ok(()) };
        rows.rechunk_mut();
        self.put(&rows)
    }

    fn put(&mut self, rows: &DataFrame) -> io::Result<()> {
        match &mut self.sink {
            Sink::Csv(writer) => write_csv(writer, rows),
            Sink::Parquet(writer) => writer.write_batch(rows).map_err(|error| as_io(&error)),
            Sink::IpcFile(writer) => {
                let mut batches = rows.iter_chunks(CompatLevel::oldest(), false);
                batches.try_for_each(|batch| writer.write(&batch, None)).map_err(|error| as_io(&error))
            }
            Sink::IpcStream(writer) => {
                let mut batches = rows.iter_chunks(CompatLevel::oldest(), false);
                batches.try_for_each(|batch| writer.write(&batch, None)).map_err(|error| as_io(&error))
            }
        }
    }

    /// Writes what waits, and the end.
    ///
    /// # Errors
    /// The system's reason.
    pub fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        match self.sink {
            Sink::Csv(mut writer) => writer.flush(),
            Sink::Parquet(writer) => writer.finish().map(|_| ()).map_err(|error| as_io(&error)),
            Sink::IpcFile(mut writer) => writer.finish().map_err(|error| as_io(&error)),
            Sink::IpcStream(mut writer) => writer.finish().map_err(|error| as_io(&error)),
        }
    }
}

/// Numbers as Rust shows them: the shortest text that reads back to the same bits.
fn write_csv(writer: &mut csv::Writer<impl Write>, rows: &DataFrame) -> io::Result<()> {
    let mut cells: Vec<_> = rows.columns().iter().map(|column| column.as_materialized_series().iter()).collect();
    for _ in 0..rows.height() {
        for cell in &mut cells {
            let written = match cell.next() {
                Some(AnyValue::String(text)) => writer.write_field(text),
                Some(AnyValue::Float64(number)) => writer.write_field(number.to_string()),
                None | Some(AnyValue::Null) => writer.write_field(""),
                Some(other) => writer.write_field(other.to_string()),
            };
            written.map_err(of_csv)?;
        }
        writer.write_record(None::<&[u8]>).map_err(of_csv)?;
    }
    Ok(())
}

/// The system's reason within an error of the CSV writer, which wraps it.
fn of_csv(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(source) => source,
        other => io::Error::other(format!("{other:?}")),
    }
}
