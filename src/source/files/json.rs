//! JSON: an array of objects, or one object per line. A nested field is a column named by its path (`address.city`), a
//! list is its values parted by commas, or JSON again when it holds lists or objects.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use super::bytes;
use super::raw::{Gather, RawBatch, Records};
use crate::error::{Error, Result};

const ROWS: usize = 1 << 14;

/// A JSON file.
#[derive(Debug)]
pub(crate) struct JsonFile {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// As the spec names it.
    pub(crate) shown: String,
    /// The encoding, if told.
    pub(crate) encoding: Option<String>,
}

impl Records for JsonFile {
    fn is_sparse(&self) -> bool {
        true
    }

    fn scan(&self, each: &mut dyn FnMut(RawBatch) -> Result<()>) -> Result<()> {
        let reader = bytes::text(&self.path, self.encoding.as_deref())?;
        let mut reader = BufReader::with_capacity(1 << 18, reader);
        let mut objects = Objects::new(self);
        if self.first_byte(&mut reader)? == Some(b'[') {
            self.array(reader, &mut objects, each)?;
        } else {
            self.lines(reader, &mut objects, each)?;
        }
        objects.hand_over(each)
    }
}

impl JsonFile {
    fn first_byte(&self, reader: &mut impl BufRead) -> Result<Option<u8>> {
        loop {
            let buffer = reader.fill_buf().map_err(|source| Error::io("read", &self.path, &source))?;
            if buffer.is_empty() {
                return Ok(None);
            }
            let blanks = buffer.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            if let Some(first) = buffer.get(blanks) {
                return Ok(Some(*first));
            }
            reader.consume(blanks);
        }
    }

    fn array(
        &self,
        mut reader: impl Read,
        objects: &mut Objects<'_>,
        each: &mut dyn FnMut(RawBatch) -> Result<()>,
    ) -> Result<()> {
        let mut text = Vec::new();
        reader.read_to_end(&mut text).map_err(|source| Error::io("read", &self.path, &source))?;
        let text = String::from_utf8(text).map_err(|_| bytes::not_utf8(&self.shown, 1))?;
        let values: Vec<Value> = serde_json::from_str(&text).map_err(|error| {
            Error::data(format!("{} is not JSON: {}", self.shown, place(&error)))
                .hint("it must be an array of objects, or one object per line")
        })?;
        values.into_iter().try_for_each(|value| objects.add(Ok(value), each))
    }

    fn lines(
        &self,
        mut reader: impl BufRead,
        objects: &mut Objects<'_>,
        each: &mut dyn FnMut(RawBatch) -> Result<()>,
    ) -> Result<()> {
        let mut line = Vec::new();
        loop {
            line.clear();
            if reader.read_until(b'\n', &mut line).map_err(|source| Error::io("read", &self.path, &source))? == 0 {
                return Ok(());
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            let text = std::str::from_utf8(&line).map_err(|_| bytes::not_utf8(&self.shown, objects.n_rows + 1))?;
            objects.add(serde_json::from_str(text).map_err(|_| "the line is not JSON"), each)?;
        }
    }
}

/// Where the fault is, without the words of the file.
fn place(error: &serde_json::Error) -> String {
    format!("line {}, column {}", error.line(), error.column())
}

/// Objects on their way: the columns found so far, and the rows since the last batch.
struct Objects<'f> {
    file: &'f JsonFile,
    names: Vec<String>,
    positions: BTreeMap<String, usize>,
    rows: Vec<std::result::Result<Vec<Cell>, &'static str>>,
    n_rows: u64,
    gather: Gather,
}

struct Cell {
    column: usize,
    text: String,
    is_text: bool,
}

impl<'f> Objects<'f> {
    fn new(file: &'f JsonFile) -> Self {
        Self {
            file,
            names: Vec::new(),
            positions: BTreeMap::new(),
            rows: Vec::new(),
            n_rows: 0,
            gather: Gather::default(),
        }
    }

    fn add(
        &mut self,
        value: std::result::Result<Value, &'static str>,
        each: &mut dyn FnMut(RawBatch) -> Result<()>,
    ) -> Result<()> {
        let row = match value {
            Ok(Value::Object(object)) => {
                let mut cells = Vec::with_capacity(object.len());
                object.into_iter().for_each(|(name, value)| self.flatten(name, value, &mut cells));
                Ok(cells)
            }
            Ok(_) => Err("not a JSON object"),
            Err(reason) => Err(reason),
        };
        self.rows.push(row);
        self.n_rows += 1;
        if self.rows.len() >= ROWS { self.hand_over(each) } else { Ok(()) }
    }

    fn flatten(&mut self, path: String, value: Value, cells: &mut Vec<Cell>) {
        let (text, is_text) = match value {
            Value::Object(object) => {
                object.into_iter().for_each(|(name, value)| self.flatten(format!("{path}.{name}"), value, cells));
                return;
            }
            Value::Null => (String::new(), false),
            Value::String(text) => (text, true),
            Value::Array(values) => (join(&values), true),
            scalar => (scalar.to_string(), false),
        };
        let next = self.names.len();
        let column = *self.positions.entry(path).or_insert_with_key(|path| {
            self.names.push(path.clone());
            next
        });
        cells.push(Cell { column, text, is_text });
    }

    fn hand_over(&mut self, each: &mut dyn FnMut(RawBatch) -> Result<()>) -> Result<()> {
        let names: Arc<[String]> = self.names.clone().into();
        for row in self.rows.drain(..) {
            let mut cells = match row {
                Ok(cells) => cells,
                Err(reason) => {
                    self.gather.fault(reason.to_owned());
                    continue;
                }
            };
            cells.sort_by_key(|cell| cell.column);
            let mut cells = cells.into_iter().peekable();
            for column in 0..names.len() {
                match cells.next_if(|cell| cell.column == column) {
                    Some(cell) => self.gather.told_field(&cell.text, cell.is_text),
                    None => self.gather.told_field("", false),
                }
                while cells.next_if(|cell| cell.column == column).is_some() {}
            }
            self.gather.row();
        }
        each(self.gather.take(&names).map_err(|row| bytes::not_utf8(&self.file.shown, row))?)
    }
}

/// `["a", "b"]` as `a,b`; lists of anything else as JSON.
fn join(values: &[Value]) -> String {
    let scalars: Option<Vec<String>> = values
        .iter()
        .map(|value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Array(_) | Value::Object(_) => None,
            scalar => Some(scalar.to_string()),
        })
        .collect();
    scalars.map_or_else(|| Value::from(values).to_string(), |scalars| scalars.join(","))
}
