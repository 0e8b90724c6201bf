//! Workbooks: one sheet, whose first row that holds anything names the columns.

use std::path::PathBuf;
use std::sync::Arc;

use calamine::{Data, Range, Reader as _, open_workbook_auto};

use super::raw::{Gather, RawBatch, Records};
use crate::error::{Error, Result, did_you_mean};
use crate::spec::Table;

/// A sheet of a workbook (`.xlsx`, `.xls`, `.ods`).
#[derive(Debug)]
pub(crate) struct Workbook {
    path: PathBuf,
    shown: String,
    sheet: Option<String>,
    columns: Option<Vec<String>>,
    has_header: bool,
}

impl Workbook {
    /// The workbook at `path`, to be read as `table` says.
    pub(crate) fn new(path: PathBuf, shown: &str, table: &Table) -> Self {
        let has_header = table.header.unwrap_or(table.columns.is_none());
        Self { path, shown: shown.to_owned(), sheet: table.sheet.clone(), columns: table.columns.clone(), has_header }
    }

    fn cells(&self) -> Result<Range<Data>> {
        let fail = |_: calamine::Error| {
            Error::data(format!("{} is not a workbook, or a damaged one", self.shown))
                .hint("open it in a spreadsheet program and save it again, as .xlsx or as CSV")
        };
        let mut workbook = open_workbook_auto(&self.path).map_err(fail)?;
        let names = workbook.sheet_names();
        let sheet = match &self.sheet {
            Some(sheet) if names.contains(sheet) => sheet,
            Some(sheet) => return Err(self.no_sheet(sheet, &names)),
            None => names.first().ok_or_else(|| self.empty())?,
        };
        workbook.worksheet_range(sheet).map_err(fail)
    }

    fn no_sheet(&self, sheet: &str, names: &[String]) -> Error {
        let error = Error::spec(format!("{} has no sheet `{sheet}`", self.shown));
        let near = did_you_mean(sheet, names.iter().map(String::as_str));
        let error = near.map_or(error.clone(), |near| error.hint(format!("did you mean `{near}`?")));
        error.hint(format!("it has {}", names.join(", ")))
    }

    fn empty(&self) -> Error {
        Error::data(format!("{} holds nothing", self.shown)).hint("a table needs a header line and at least one row")
    }

    fn names(&self, first: &[Data]) -> Arc<[String]> {
        if let Some(columns) = &self.columns {
            return columns.clone().into();
        }
        let name = |(at, cell): (usize, &Data)| {
            let text = cell_text(cell).0;
            if self.has_header && !text.trim().is_empty() {
                text.trim().to_owned()
            } else {
                format!("column_{}", at + 1)
            }
        };
        first.iter().enumerate().map(name).collect()
    }
}

impl Records for Workbook {
    fn scan(&self, each: &mut dyn FnMut(RawBatch) -> Result<()>) -> Result<()> {
        let cells = self.cells()?;
        let first = cells.rows().position(|row| !is_blank(row)).ok_or_else(|| self.empty())?;
        let names = self.names(cells.rows().nth(first).unwrap_or_default());
        let mut gather = Gather::default();
        for row in cells.rows().skip(first + usize::from(self.has_header)).filter(|row| !is_blank(row)) {
            if row.len() == names.len() {
                for cell in row {
                    let (text, is_text) = cell_text(cell);
                    gather.told_field(&text, is_text);
                }
                gather.row();
            } else {
                gather.fault(format!("{} fields where there are {} columns", row.len(), names.len()));
            }
            if gather.is_full() {
                each(gather.take(&names).expect("a cell is UTF-8"))?;
            }
        }
        each(gather.take(&names).expect("a cell is UTF-8"))
    }
}

fn is_blank(row: &[Data]) -> bool {
    row.iter().all(|cell| matches!(cell, Data::Empty))
}

/// The text of a cell, and whether the workbook calls it one. All numbers of a workbook are floats; a fault such as `#N/A`
/// is no value.
fn cell_text(cell: &Data) -> (String, bool) {
    match cell {
        Data::String(text) => (text.clone(), true),
        Data::Int(number) => (number.to_string(), false),
        Data::Float(number) => (number.to_string(), false),
        Data::Bool(truth) => (truth.to_string(), false),
        Data::DateTimeIso(text) | Data::DurationIso(text) => (text.clone(), false),
        Data::DateTime(at) if at.is_datetime() => {
            let (year, month, day, hour, minute, second, milli) = at.to_ymd_hms_milli();
            let date = format!("{year:04}-{month:02}-{day:02}");
            let is_midnight = (hour, minute, second, milli) == (0, 0, 0, 0);
            let text = format!("{date} {hour:02}:{minute:02}:{second:02}.{milli:03}");
            (if is_midnight { date } else { text }, false)
        }
        Data::DateTime(span) => (span.as_f64().to_string(), false),
        // Empty cells, and faults.
        _ => (String::new(), false),
    }
}
