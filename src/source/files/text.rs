//! Text files: columns parted by one byte (CSV, TSV) or by runs of blanks.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::bytes;
use super::raw::{Gather, RawBatch, Records};
use crate::error::{Error, Result};
use crate::spec::{Delimiter, Table};

/// A row of more lines is one whose quote was never closed: it would swallow the rest of the file.
const RECORD_LINES: u64 = 1000;

/// A text file and how its columns are parted and named.
#[derive(Debug)]
pub(crate) struct TextFile {
    path: PathBuf,
    shown: String,
    delimiter: Delimiter,
    /// Names told by the spec.
    columns: Option<Arc<[String]>>,
    has_header: bool,
    encoding: Option<String>,
}

impl TextFile {
    /// The file at `path`, to be read as `table` says.
    pub(crate) fn new(path: PathBuf, shown: &str, table: &Table) -> Self {
        let name = path.to_string_lossy().to_lowercase();
        let is_tabbed = [".tsv", ".tab", ".tsv.gz", ".tsv.zst"].iter().any(|end| name.ends_with(end));
        let usual = Delimiter::Byte(if is_tabbed { b'\t' } else { b',' });
        Self {
            path,
            shown: shown.to_owned(),
            delimiter: table.delimiter.unwrap_or(usual),
            columns: table.columns.clone().map(Into::into),
            has_header: table.header.unwrap_or(table.columns.is_none()),
            encoding: table.encoding.clone(),
        }
    }

    fn parse(&self, send: &SyncSender<RawBatch>) -> Result<()> {
        let reader = bytes::text(&self.path, self.encoding.as_deref())?;
        match self.delimiter {
            Delimiter::Byte(byte) => self.parse_delimited(byte, reader, send),
            Delimiter::Whitespace => self.parse_aligned(reader, send),
        }
    }

    fn parse_delimited(&self, delimiter: u8, reader: impl Read, send: &SyncSender<RawBatch>) -> Result<()> {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(1 << 18)
            .from_reader(reader);
        let mut rows = Rows::new(self, send);
        let mut record = csv::ByteRecord::new();
        let mut ends_open = None;
        while reader.read_byte_record(&mut record).map_err(|error| self.unreadable(&error))? {
            let first_line = record.position().map_or(0, csv::Position::line);
            if reader.position().line() - first_line > RECORD_LINES {
                let row = rows.gather.next_row();
                return Err(Error::data(format!(
                    "row {row} of {} does not end: it spans over {RECORD_LINES} lines",
                    self.shown
                ))
                .hint("a quote (\") is opened there and not closed: mend the row"));
            }
            let last = record.iter().next_back().unwrap_or_default();
            ends_open = last.contains(&b'\n').then(|| rows.gather.next_row());
            let ends = (0..record.len()).map(|field| record.range(field).expect("a field that is counted").end);
            if !rows.add(record.as_slice(), record.len(), ends)? {
                return Ok(());
            }
        }
        if let Some(row) = ends_open
            && self.has_odd_quotes()?
        {
            return Err(Error::data(format!(
                "row {row} of {} does not end: it takes in the rest of the file",
                self.shown
            ))
            .hint("a quote (\") is opened there and not closed: mend the row"));
        }
        rows.finish()
    }

    /// Whether one quote of the file is not closed.
    fn has_odd_quotes(&self) -> Result<bool> {
        let mut reader = BufReader::with_capacity(1 << 18, bytes::text(&self.path, self.encoding.as_deref())?);
        let mut is_odd = false;
        loop {
            let buffer = reader.fill_buf().map_err(|error| self.unreadable(&error))?;
            if buffer.is_empty() {
                return Ok(is_odd);
            }
            is_odd = buffer.iter().fold(is_odd, |is_odd, &byte| is_odd ^ (byte == b'"'));
            let length = buffer.len();
            reader.consume(length);
        }
    }

    fn parse_aligned(&self, reader: impl Read, send: &SyncSender<RawBatch>) -> Result<()> {
        let mut reader = BufReader::with_capacity(1 << 18, reader);
        let mut rows = Rows::new(self, send);
        let (mut line, mut packed, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            line.clear();
            if reader.read_until(b'\n', &mut line).map_err(|error| self.unreadable(&error))? == 0 {
                return rows.finish();
            }
            packed.clear();
            ends.clear();
            for field in line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty()) {
                packed.extend_from_slice(field);
                ends.push(packed.len());
            }
            if !ends.is_empty() && !rows.add(&packed, ends.len(), ends.iter().copied())? {
                return Ok(());
            }
        }
    }

    fn unreadable(&self, error: &dyn std::fmt::Display) -> Error {
        let text = error.to_string();
        let reason = text.split(" (os error").next().unwrap_or(&text);
        Error::data(format!("cannot read {} to its end: {reason}", self.shown))
            .hint("the file seems cut off or damaged: fetch or export it again")
    }

    /// Names from the header line: trimmed; one without a name gets its number.
    fn header(&self, bytes: &[u8], ends: impl Iterator<Item = usize>) -> Result<Arc<[String]>> {
        let text = std::str::from_utf8(bytes).map_err(|_| bytes::not_utf8(&self.shown, 0))?;
        let mut start = 0;
        let mut names: Vec<String> = Vec::new();
        for end in ends {
            let name = text[start..end].trim();
            names.push(if name.is_empty() { format!("column_{}", names.len() + 1) } else { name.to_owned() });
            start = end;
        }
        if let Some(double) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
            return Err(Error::data(format!("{} has two columns `{}`", self.shown, double.1))
                .hint("name the columns yourself: columns = [...] with header = true"));
        }
        Ok(names.into())
    }
}

impl Records for TextFile {
    /// One thread parts the text into fields while the caller works on the batch before.
    fn scan(&self, each: &mut dyn FnMut(RawBatch) -> Result<()>) -> Result<()> {
        std::thread::scope(|scope| {
            let (send, receive): (_, Receiver<RawBatch>) = sync_channel(2);
            let parser = scope.spawn(move || self.parse(&send));
            let taken = receive.into_iter().try_for_each(each);
            let parsed = parser.join().unwrap_or_else(|_| Err(Error::internal("the reader of a text file failed")));
            taken.and(parsed)
        })
    }
}

/// Rows on their way to whoever reads the file.
struct Rows<'f> {
    file: &'f TextFile,
    send: &'f SyncSender<RawBatch>,
    names: Option<Arc<[String]>>,
    has_header: bool,
    gather: Gather,
}

impl<'f> Rows<'f> {
    fn new(file: &'f TextFile, send: &'f SyncSender<RawBatch>) -> Self {
        Self { file, send, names: None, has_header: file.has_header, gather: Gather::default() }
    }

    /// Adds a record; false: nobody listens any more.
    fn add(&mut self, bytes: &[u8], n_fields: usize, ends: impl Iterator<Item = usize>) -> Result<bool> {
        let Some(names) = &self.names else { return self.first(bytes, n_fields, ends) };
        if n_fields == names.len() {
            self.gather.fields(bytes, ends);
            self.gather.row();
        } else {
            let n_lines = bytes.split(|&byte| byte == b'\n').count();
            let over = if n_lines > 1 { format!(" (over {n_lines} lines: is a quote open?)") } else { String::new() };
            let fields = if n_fields == 1 { "1 field".to_owned() } else { format!("{n_fields} fields") };
            self.gather.fault(format!("{fields} where there are {} columns{over}", names.len()));
        }
        if self.gather.is_full() { self.hand_over() } else { Ok(true) }
    }

    /// The first record names the columns, or counts them.
    fn first(&mut self, bytes: &[u8], n_fields: usize, ends: impl Iterator<Item = usize>) -> Result<bool> {
        let names = match (&self.file.columns, self.has_header) {
            (Some(columns), _) => self.told(columns, n_fields)?,
            (None, true) => return self.file.header(bytes, ends).map(|names| self.names.insert(names)).map(|_| true),
            (None, false) => (1..=n_fields).map(|number| format!("column_{number}")).collect(),
        };
        self.names = Some(names);
        if self.has_header { Ok(true) } else { self.add(bytes, n_fields, ends) }
    }

    fn told(&self, columns: &Arc<[String]>, n_fields: usize) -> Result<Arc<[String]>> {
        if columns.len() == n_fields {
            return Ok(Arc::clone(columns));
        }
        let (file, told) = (&self.file.shown, columns.len());
        Err(Error::data(format!("{file} has {n_fields} fields in its first line, and `columns` names {told}"))
            .hint("check `columns` and `delimiter` of the table"))
    }

    fn hand_over(&mut self) -> Result<bool> {
        let names = self.names.clone().unwrap_or_default();
        let batch = self.gather.take(&names).map_err(|row| bytes::not_utf8(&self.file.shown, row))?;
        Ok(self.send.send(batch).is_ok())
    }

    /// Hands over the rest, be it only the names.
    fn finish(mut self) -> Result<()> {
        self.hand_over().map(|_| ())
    }
}
