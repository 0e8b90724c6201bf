//! Rows as they stand in a text: fields without a type yet.

use std::sync::Arc;

use crate::error::Result;
use crate::source::batch::RowNumbers;

/// So many rows or bytes make a batch.
const ROWS: usize = 1 << 16;
const BYTES: usize = 1 << 23;

/// A file that gives its rows as texts, as often as it is asked: once to tell the types, once to read the values.
pub(crate) trait Records: Sync {
    /// Gives all rows, batch by batch.
    fn scan(&self, each: &mut dyn FnMut(RawBatch) -> Result<()>) -> Result<()>;

    /// Whether a row may lack columns that others have (JSON).
    fn is_sparse(&self) -> bool {
        false
    }
}

/// Some rows of a text file.
#[derive(Debug)]
pub(crate) struct RawBatch {
    /// The columns found so far; a sparse file may find more later.
    pub(crate) names: Arc<[String]>,
    /// The rows' numbers in the file.
    pub(crate) rows: RowNumbers,
    /// Rows that are none: number and reason.
    pub(crate) faults: Vec<(u64, String)>,
    /// All fields, one after the other, and where each ends.
    text: String,
    ends: Vec<u32>,
    /// Whether a field's format calls it a text (JSON, Excel); empty where formats do not say.
    texts: Vec<bool>,
}

impl RawBatch {
    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        if self.names.is_empty() { 0 } else { self.ends.len() / self.names.len() }
    }

    /// How many rows were read, faulty ones among them.
    pub(crate) fn rows_read(&self) -> u64 {
        (self.len() + self.faults.len()) as u64
    }

    /// A field, trimmed.
    pub(crate) fn field(&self, row: usize, column: usize) -> &str {
        let at = row * self.names.len() + column;
        let start = if at == 0 { 0 } else { self.ends[at - 1] as usize };
        self.text[start..self.ends[at] as usize].trim_ascii()
    }

    /// Whether the format calls a field a text.
    pub(crate) fn is_text(&self, row: usize, column: usize) -> bool {
        self.texts.get(row * self.names.len() + column).copied().unwrap_or(false)
    }
}

/// Gathers rows into batches.
#[derive(Debug, Default)]
pub(crate) struct Gather {
    text: Vec<u8>,
    ends: Vec<u32>,
    texts: Vec<bool>,
    rows: Vec<u64>,
    faults: Vec<(u64, String)>,
    row: u64,
}

impl Gather {
    /// Adds the row's next field.
    pub(crate) fn field(&mut self, bytes: &[u8]) {
        self.text.extend_from_slice(bytes);
        self.end();
    }

    /// Adds the row's next field, of which the format says whether it is a text.
    pub(crate) fn told_field(&mut self, text: &str, is_text: bool) {
        self.texts.push(is_text);
        self.field(text.as_bytes());
    }

    /// Adds a row's fields at once: all bytes, and where each field ends in them.
    pub(crate) fn fields(&mut self, bytes: &[u8], ends: impl Iterator<Item = usize>) {
        let start = self.text.len();
        self.text.extend_from_slice(bytes);
        self.ends.extend(ends.map(|end| place(start + end)));
    }

    fn end(&mut self) {
        self.ends.push(place(self.text.len()));
    }

    /// Ends the row.
    pub(crate) fn row(&mut self) {
        self.row += 1;
        self.rows.push(self.row);
    }

    /// Notes that the next row is none.
    pub(crate) fn fault(&mut self, reason: String) {
        self.row += 1;
        self.faults.push((self.row, reason));
    }

    /// The number of the row that comes next.
    pub(crate) fn next_row(&self) -> u64 {
        self.row + 1
    }

    /// Whether it is time to hand over.
    pub(crate) fn is_full(&self) -> bool {
        self.rows.len() + self.faults.len() >= ROWS || self.text.len() >= BYTES
    }

    /// The batch gathered so far; the error is the row whose text is not UTF-8.
    pub(crate) fn take(&mut self, names: &Arc<[String]>) -> std::result::Result<RawBatch, u64> {
        let text = String::from_utf8(std::mem::take(&mut self.text)).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let field = self.ends.partition_point(|&end| end as usize <= at);
            self.rows.get(field / names.len().max(1)).copied().unwrap_or(self.row)
        })?;
        let rows = std::mem::take(&mut self.rows);
        let faults = std::mem::take(&mut self.faults);
        let rows = match rows.first() {
            Some(&first) if faults.is_empty() => RowNumbers::From(first),
            _ => RowNumbers::Listed(rows),
        };
        let (ends, texts) = (std::mem::take(&mut self.ends), std::mem::take(&mut self.texts));
        Ok(RawBatch { names: Arc::clone(names), rows, faults, text, ends, texts })
    }
}

fn place(at: usize) -> u32 {
    u32::try_from(at).expect("a batch is far smaller than 4 GB")
}
