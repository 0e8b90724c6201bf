//! The tables of the report as a workbook: a sheet each, typed cells, no cell a formula.

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet, XlsxError};

use crate::error::{Error, Result};
use crate::report::table::{Cell, Column, Kind, Table};

/// What Excel takes in one cell, in UTF-16 units.
const LONGEST_TEXT: usize = 32_767;
/// Rows of a sheet below its heading.
const N_ROWS: usize = 1_048_575;
/// Widest column, pixels.
const WIDEST: u32 = 420;

/// Sheets in the order they were first named.
#[derive(Default)]
pub(super) struct Sheets(Vec<(&'static str, Table)>);

impl Sheets {
    /// Adds a table under a sheet's name; one with the same name gets its rows.
    pub(super) fn add(&mut self, name: &'static str, table: &Table) {
        if table.rows.is_empty() {
            return;
        }
        match self.0.iter_mut().find(|(sheet, _)| *sheet == name) {
            Some((_, sheet)) => sheet.rows.extend(table.rows.iter().cloned()),
            None => self.0.push((name, table.clone())),
        }
    }

    /// The bytes of the workbook: the same for the same tables.
    pub(super) fn workbook(&self) -> Result<Vec<u8>> {
        self.fill().map_err(|error| Error::internal(format!("the workbook cannot be made: {error}")))
    }

    fn fill(&self) -> std::result::Result<Vec<u8>, XlsxError> {
        let mut workbook = Workbook::new();
        let made = ExcelDateTime::from_ymd(2020, 1, 1)?;
        workbook.set_properties(&DocProperties::new().set_creation_datetime(&made));
        for (name, table) in &self.0 {
            fill(workbook.add_worksheet().set_name(*name)?, table)?;
        }
        if self.0.is_empty() {
            let sheet = workbook.add_worksheet().set_name("Report")?;
            sheet.write_string(0, 0, "No phase has run yet.")?;
        }
        workbook.save_to_buffer()
    }
}

fn fill(sheet: &mut Worksheet, table: &Table) -> std::result::Result<(), XlsxError> {
    let heading = Format::new().set_bold().set_text_wrap().set_align(FormatAlign::Top);
    let titles: Vec<String> = table.columns.iter().flat_map(titles).collect();
    for (column, title) in (0u16..).zip(&titles) {
        sheet.write_string_with_format(0, column, title, &heading)?;
    }
    let formats: Vec<Format> = table.columns.iter().map(|column| format(column.kind)).collect();
    let counts = Format::new().set_num_format("#,##0");
    for (row, cells) in (1u32..).zip(table.rows.iter().take(N_ROWS)) {
        let mut at = 0u16;
        for ((cell, column), format) in cells.iter().zip(&table.columns).zip(&formats) {
            for (i, value) in (0u16..).zip(values(cell, column.kind)) {
                match value {
                    Value::Text(text) => sheet.write_string(row, at + i, shortened(text))?,
                    Value::Number(number) if i < 3 => sheet.write_number_with_format(row, at + i, number, format)?,
                    Value::Number(number) => sheet.write_number_with_format(row, at + i, number, &counts)?,
                    Value::Nothing => sheet,
                };
            }
            at += u16::try_from(titles_of(column.kind)).unwrap_or(1);
        }
    }
    let last_row = u32::try_from(table.rows.len().min(N_ROWS)).unwrap_or(u32::MAX);
    let last_column = u16::try_from(titles.len().saturating_sub(1)).unwrap_or(u16::MAX);
    sheet.autofilter(0, 0, last_row, last_column)?;
    sheet.set_freeze_panes(1, 0)?;
    sheet.set_autofit_max_width(WIDEST).autofit();
    Ok(())
}

/// How many columns of the sheet a column of the table takes.
fn titles_of(kind: Kind) -> usize {
    match kind {
        Kind::Interval(_) | Kind::ShareInterval => 3,
        Kind::Rate => 5,
        _ => 1,
    }
}

fn titles(column: &Column) -> Vec<String> {
    let title = column.title.replace(" (95 % interval)", "");
    let parts = ["", ", low", ", high", ", people", ", of people"];
    let order = parts.into_iter().take(titles_of(column.kind));
    order.map(|part| format!("{title}{part}")).collect()
}

fn format(kind: Kind) -> Format {
    let decimals = |places: usize| if places == 0 { "#,##0".into() } else { format!("#,##0.{}", "0".repeat(places)) };
    match kind {
        Kind::Text => Format::new(),
        Kind::Count => Format::new().set_num_format("#,##0"),
        Kind::Number(places) | Kind::Bar { decimals: places, .. } | Kind::Interval(places) => {
            Format::new().set_num_format(decimals(places))
        }
        Kind::Share | Kind::ShareInterval | Kind::Rate => Format::new().set_num_format("0.00%"),
    }
}

enum Value<'a> {
    Text(&'a str),
    Number(f64),
    Nothing,
}

/// The values of a cell, one for each of its columns on the sheet.
#[expect(clippy::cast_precision_loss, reason = "counts of people fit a double's 53 bits")]
fn values(cell: &Cell, kind: Kind) -> Vec<Value<'_>> {
    let number = |value: f64| if value.is_finite() { Value::Number(value) } else { Value::Nothing };
    match cell {
        Cell::Text(text) => vec![Value::Text(text)],
        Cell::Number(value) => vec![number(*value)],
        Cell::Interval { value, low, high } => [*value, *low, *high].map(number).into(),
        Cell::Rate(rate) => {
            let (low, high) = rate.interval().unwrap_or((f64::NAN, f64::NAN));
            let share = rate.share().unwrap_or(f64::NAN);
            [share, low, high, rate.n_attained as f64, rate.n_eligible as f64].map(number).into()
        }
        Cell::Missing => (0..titles_of(kind)).map(|_| Value::Nothing).collect(),
    }
}

/// The text, cut where Excel would refuse it.
fn shortened(text: &str) -> String {
    let mut units = 0;
    let fits = |character: &char| {
        units += character.len_utf16();
        units <= LONGEST_TEXT
    };
    text.chars().take_while(fits).collect()
}
