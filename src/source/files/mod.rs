//! The files of a table, whatever their format, as one stream of typed batches.
//!
//! Text-like formats (CSV, blank-aligned text, JSON, workbooks) are scanned twice: once to tell each column's type from
//! all its values, once to read them. Parquet and Arrow IPC know their types. [`Stream`] reads a table once, for whoever knows
//! what its columns must hold.

#![expect(clippy::disallowed_methods, reason = "this is where files are read")]

mod bytes;
mod excel;
mod ipc;
mod json;
mod parquet;
mod paths;
mod raw;
mod sniff;
mod stream;
mod text;
mod typed;

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use polars::prelude::DataFrame;
use rayon::prelude::*;

use self::ipc::IpcFile;
use self::parquet::ParquetFile;
pub(crate) use self::raw::RawBatch;
use self::raw::Records;
pub use self::sniff::sniff;
pub use self::stream::Format;
pub(crate) use self::stream::{Chunk, Stream};
pub(crate) use self::typed::is_null;
use super::Input;
use super::batch::{Batch, Header, RowNumbers, normalise};
use super::kind::Kind;
use super::ledger::Ledger;
use crate::error::{Error, Result, did_you_mean};
use crate::spec::Table;

/// A table, opened: its columns and their types are known.
pub(crate) struct OpenTable<'s> {
    table: &'s Table,
    name: &'s str,
    files: Vec<OpenFile>,
    columns: Vec<Column>,
    /// Columns of a type that clo does not read.
    unread: Vec<String>,
    /// The files' BLAKE3, made while the files are read.
    hashes: JoinHandle<Result<Vec<String>>>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Column {
    /// Its name.
    pub(crate) name: String,
    /// Its type, as told or as found in all values.
    pub(crate) kind: Kind,
    /// The format of its times, if told.
    format: Option<String>,
    /// Whether its type was told: then values that do not fit reject their row.
    told: bool,
}

struct OpenFile {
    /// As the spec names it.
    shown: String,
    path: PathBuf,
    rows: u64,
    content: Content,
}

enum Content {
    Parquet(ParquetFile),
    Ipc(IpcFile),
    Records(Box<dyn Records>),
}

impl<'s> OpenTable<'s> {
    /// Finds the table's files and tells the types of its columns. Columns in `as_text` are read as text whatever they
    /// look like: somebody has told the format of their times.
    pub(crate) fn open(root: &Path, name: &'s str, table: &'s Table, as_text: &[String]) -> Result<Self> {
        let mut files = Vec::new();
        for (shown, path) in paths::files(root, &table.path)? {
            files.push(OpenFile { content: content(&path, &shown, table)?, shown, path, rows: 0 });
        }
        let paths: Vec<PathBuf> = files.iter().map(|file| file.path.clone()).collect();
        let hashes = std::thread::spawn(move || paths.iter().map(|path| bytes::blake3(path)).collect());
        let mut open = Self { table, name, files, columns: Vec::new(), unread: Vec::new(), hashes };
        open.find_columns()?;
        open.tell_types(as_text)?;
        if open.n_rows() == 0 {
            return Err(Error::data(format!("{} has no rows", table.path))
                .hint("a table needs at least one row below its header"));
        }
        Ok(open)
    }

    /// How many rows there are, the faulty ones among them.
    pub(crate) fn n_rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// The names of the columns, for those who look for some.
    pub(crate) fn header(&self) -> Header {
        let names = self.columns.iter().map(|column| column.name.clone()).collect();
        Header { holder: self.table.path.clone(), names, unread: self.unread.clone() }
    }

    /// Gives all rows, batch by batch, in the `wanted` columns; faulty rows go to the ledger.
    pub(crate) fn read(
        &self,
        wanted: &[String],
        ledger: &mut Ledger,
        each: &mut dyn FnMut(&Batch, &mut Ledger) -> Result<()>,
    ) -> Result<()> {
        let columns: Vec<Column> =
            self.columns.iter().filter(|column| wanted.contains(&column.name)).cloned().collect();
        // Before there is a spec, a table has no name.
        let name = if self.name.is_empty() { self.table.path.clone() } else { format!("tables.{}", self.name) };
        let source = ledger.source(&name);
        let mut base = 0;
        for file in &self.files {
            let place = ledger.place(&file.shown);
            match &file.content {
                Content::Records(records) => records.scan(&mut |raw| {
                    for (row, reason) in &raw.faults {
                        ledger.reject(source, (place, *row), None, reason);
                    }
                    let typed = typed::frame(&raw, &columns, &self.table.null_values)?;
                    for fault in &typed.faults {
                        ledger.reject(source, (place, raw.rows.get(fault.row)), Some(fault.column), &fault.reason);
                    }
                    let rows = raw.rows;
                    let batch = Batch { frame: typed.frame, place, rows, base };
                    each(&if typed.faults.is_empty() { batch } else { batch.keep(&typed.keep)? }, ledger)
                })?,
                Content::Parquet(_) | Content::Ipc(_) => {
                    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
                    let mut take = |first, frame: DataFrame| {
                        let frame = fit(normalise(&frame, &file.shown)?, &columns)?;
                        each(&Batch { frame, place, rows: RowNumbers::From(first), base }, ledger)
                    };
                    match &file.content {
                        Content::Parquet(parquet) => parquet.scan(&names, &mut take)?,
                        Content::Ipc(ipc) => ipc.scan(&names, &mut take)?,
                        Content::Records(_) => {}
                    }
                }
            }
            base += file.rows;
        }
        ledger.check(source, self.n_rows())
    }

    /// The files, for the manifest.
    pub(crate) fn inputs(self) -> Result<Vec<Input>> {
        let hashes = self.hashes.join().unwrap_or_else(|_| Err(Error::internal("hashing a file failed")))?;
        let input = |(file, blake3): (OpenFile, String)| {
            let metadata = std::fs::metadata(&file.path).map_err(|source| Error::io("read", &file.path, &source))?;
            let (table, bytes, rows) = (self.name.to_owned(), metadata.len(), file.rows);
            Ok(Input { table, path: file.shown, bytes, blake3, rows, rejected: 0 })
        };
        self.files.into_iter().zip(hashes).map(input).collect()
    }

    fn find_columns(&mut self) -> Result<()> {
        let mut found: Vec<(String, Kind)> = Vec::new();
        let mut strict: Option<Vec<String>> = None;
        for file in &mut self.files {
            let mut typed = |n_rows: u64, columns: &[(String, Option<Kind>)]| {
                file.rows = n_rows;
                self.unread.extend(columns.iter().filter(|(_, kind)| kind.is_none()).map(|(name, _)| name.clone()));
                readable(columns)
            };
            let columns = match &file.content {
                Content::Parquet(parquet) => typed(parquet.n_rows, &parquet.columns),
                Content::Ipc(ipc) => typed(ipc.n_rows, &ipc.columns),
                Content::Records(records) => {
                    let (rows, columns) = survey(records.as_ref(), &self.table.null_values)?;
                    file.rows = rows;
                    columns
                }
            };
            let sparse = matches!(&file.content, Content::Records(records) if records.is_sparse());
            let names: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
            match &strict {
                Some(first) if !sparse => same_columns(&file.shown, &names, first, &self.table.path)?,
                _ => strict = Some(names),
            }
            for (name, kind) in columns {
                match found.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, known)) => *known = known.join(kind),
                    None => found.push((name, kind)),
                }
            }
        }
        let column = |(name, kind)| Column { name, kind, format: None, told: false };
        self.columns = found.into_iter().map(column).collect();
        Ok(())
    }

    fn tell_types(&mut self, as_text: &[String]) -> Result<()> {
        let header = self.header();
        let told = self.table.types.keys().chain(self.table.formats.keys());
        told.into_iter().try_for_each(|name| header.require(name))?;
        let is_typed = |file: &OpenFile| !matches!(file.content, Content::Records(_));
        if self.files.iter().all(is_typed) {
            return Ok(());
        }
        for column in &mut self.columns {
            let kind = self.table.types.get(&column.name).map(|told| Kind::from(*told));
            let format = self.table.formats.get(&column.name).cloned();
            if kind.is_some() || format.is_some() {
                let usual = if format.as_deref().is_some_and(has_clock) { Kind::Datetime } else { Kind::Date };
                column.kind = kind.filter(|kind| format.is_none() || *kind == Kind::Date).unwrap_or(usual);
                (column.format, column.told) = (format, true);
            } else if as_text.contains(&column.name) {
                column.kind = Kind::Text;
            }
        }
        Ok(())
    }
}

fn content(path: &Path, shown: &str, table: &Table) -> Result<Content> {
    let name = path.to_string_lossy().to_lowercase();
    let plain = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    let ends = |endings: &[&str]| endings.iter().any(|end| plain.ends_with(end));
    let head = bytes::head(path)?;
    if head.starts_with(b"PAR1") {
        return ParquetFile::open(path, shown).map(Content::Parquet);
    }
    if head.starts_with(ipc::MAGIC) || (head.starts_with(ipc::STREAM_MAGIC) && ends(&[".arrow", ".arrows", ".ipc"])) {
        return IpcFile::open(path, shown).map(Content::Ipc);
    }
    if ends(&[".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"]) {
        return Ok(Content::Records(Box::new(excel::Workbook::new(path.to_owned(), shown, table))));
    }
    if ends(&[".json", ".jsonl", ".ndjson"]) {
        let file = json::JsonFile { path: path.to_owned(), shown: shown.to_owned(), encoding: table.encoding.clone() };
        return Ok(Content::Records(Box::new(file)));
    }
    if ends(&[".parquet", ".pq"]) {
        return Err(Error::data(format!("{shown} is not a Parquet file"))
            .hint("if it is text, let its name end in .csv or .jsonl; else export it again"));
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
        return Err(Error::data(format!("{shown} is a workbook or an archive, not a text"))
            .hint("if it is a workbook, let its name end in .xlsx or .xls"));
    }
    Ok(Content::Records(Box::new(text::TextFile::new(path.to_owned(), shown, table))))
}

/// The Parquet columns of a type that clo reads.
fn readable(columns: &[(String, Option<Kind>)]) -> Vec<(String, Kind)> {
    columns.iter().filter_map(|(name, kind)| kind.map(|kind| (name.clone(), kind))).collect()
}

/// Rows and columns of a text-like file; each column's kind holds all its values.
fn survey(records: &dyn Records, null_values: &[String]) -> Result<(u64, Vec<(String, Kind)>)> {
    let mut rows = 0;
    let mut columns: Vec<(String, Kind)> = Vec::new();
    records.scan(&mut |raw| {
        rows += raw.rows_read();
        columns.extend(raw.names.iter().skip(columns.len()).map(|name| (name.clone(), Kind::Empty)));
        columns.par_iter_mut().enumerate().for_each(|(at, (_, kind))| *kind = widen(*kind, &raw, at, null_values));
        Ok(())
    })?;
    Ok((rows, columns))
}

fn widen(mut kind: Kind, raw: &RawBatch, column: usize, null_values: &[String]) -> Kind {
    for row in 0..raw.len() {
        if kind == Kind::Text {
            break;
        }
        let text = raw.field(row, column);
        if !typed::is_null(text, null_values) {
            kind = kind.join(if raw.is_text(row, column) { Kind::of_time(text) } else { Kind::of(text) });
        }
    }
    kind
}

fn same_columns(file: &str, names: &[String], first: &[String], pattern: &str) -> Result<()> {
    let Some(at) = (0..names.len().max(first.len())).find(|&at| names.get(at) != first.get(at)) else { return Ok(()) };
    let none = "nothing".to_owned();
    let (here, there) = (names.get(at).unwrap_or(&none), first.get(at).unwrap_or(&none));
    let message =
        format!("{file} has `{here}` as column {}, where the first file of `{pattern}` has `{there}`", at + 1);
    let error = Error::data(message).hint("all files of a table must have the same columns: make two tables of them");
    let near = did_you_mean(here, first.iter().map(String::as_str)).filter(|near| near != here);
    Err(near.map_or(error.clone(), |near| error.hint(format!("is `{here}` the same as `{near}`?"))))
}

/// Columns in the types that hold all files.
fn fit(mut frame: DataFrame, columns: &[Column]) -> Result<DataFrame> {
    for column in columns {
        let found = frame.column(&column.name)?;
        if *found.dtype() != column.kind.dtype() {
            let cast = found.cast(&column.kind.dtype())?;
            frame.with_column(cast)?;
        }
    }
    Ok(frame)
}

/// Whether a `strftime` format has a time of day.
fn has_clock(format: &str) -> bool {
    ["%H", "%I", "%T", "%R", "%k", "%l", "%s", "%c", "%X"].iter().any(|mark| format.contains(mark))
}
