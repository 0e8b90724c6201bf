//! A table of the report: the same one goes on the page and into the workbook.

use askama::Template;

use crate::predict::evaluation::Measured;
use crate::rate::{Rate, grouped};
use crate::report::words;

/// Typed cells under typed columns.
#[derive(Template, Debug, Clone, Default, PartialEq)]
#[template(path = "report/table.html")]
pub(super) struct Table {
    /// What it shows, in a few words.
    pub(super) caption: String,
    /// Its columns; the first one names the row.
    pub(super) columns: Vec<Column>,
    /// As many cells in each row as there are columns.
    pub(super) rows: Vec<Vec<Cell>>,
}

/// A column: its title and how its cells are written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    /// Heading.
    pub(super) title: String,
    /// How cells are written.
    pub(super) kind: Kind,
}

/// How the cells of a column are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Words.
    Text,
    /// Whole numbers.
    Count,
    /// Numbers with so many decimals.
    Number(usize),
    /// Numbers with so many decimals and a bar for how far they are above a floor.
    Bar { decimals: usize, floor: u8 },
    /// Shares, 0–1, as percent.
    Share,
    /// A number with so many decimals and its interval.
    Interval(usize),
    /// A share, 0–1, and its interval, as percent.
    ShareInterval,
    /// A share with its counts and interval.
    Rate,
}

/// What stands in a table.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    /// Words, never a formula.
    Text(String),
    /// A number.
    Number(f64),
    /// A number and its 95 % interval.
    Interval { value: f64, low: f64, high: f64 },
    /// A rate with its counts.
    Rate(Rate),
    /// Nothing.
    Missing,
}

/// A cell as the page shows it.
pub(super) struct Shown {
    /// The text.
    pub(super) text: String,
    /// Right-aligned.
    pub(super) numeric: bool,
    /// Length of the bar, percent of the longest.
    pub(super) bar: Option<String>,
}

impl Table {
    /// An empty table with these columns.
    pub(super) fn new(caption: impl Into<String>, columns: &[(&str, Kind)]) -> Self {
        let columns = columns.iter().map(|&(title, kind)| Column { title: title.into(), kind }).collect();
        Self { caption: caption.into(), columns, rows: Vec::new() }
    }

    /// Adds a row.
    pub(super) fn push(&mut self, row: Vec<Cell>) {
        debug_assert_eq!(row.len(), self.columns.len(), "{}", self.caption);
        self.rows.push(row);
    }

    /// The first `n` rows.
    pub(super) fn head(&self, n: usize) -> Self {
        Self { rows: self.rows.iter().take(n).cloned().collect(), ..self.clone() }
    }

    /// The same table with a first column that says whose it is, so that several fit on one sheet.
    pub(super) fn of(&self, title: &str, name: &str) -> Self {
        let mut table = self.clone();
        table.columns.insert(0, Column { title: title.into(), kind: Kind::Text });
        for row in &mut table.rows {
            row.insert(0, Cell::from(name));
        }
        table
    }

    /// The rows as the page shows them.
    pub(super) fn shown(&self) -> Vec<Vec<Shown>> {
        let most: Vec<f64> = (0..self.columns.len()).map(|i| self.most(i)).collect();
        let show = |(i, cell): (usize, &Cell)| {
            let kind = self.columns[i].kind;
            let bar = match (kind, cell) {
                (Kind::Bar { floor, .. }, Cell::Number(value)) if most[i] > f64::from(floor) => {
                    let length = (value - f64::from(floor)) / (most[i] - f64::from(floor));
                    Some(format!("{:.1}", 100.0 * length.max(0.0)))
                }
                _ => None,
            };
            Shown { text: cell.text(kind), numeric: kind != Kind::Text, bar }
        };
        self.rows.iter().map(|row| row.iter().enumerate().map(show).collect()).collect()
    }

    /// Whether rows are named by whole phrases, which need room on a phone.
    pub(super) fn is_wordy(&self) -> bool {
        let is_long = |row: &Vec<Cell>| matches!(&row[0], Cell::Text(text) if text.chars().count() > 20);
        self.rows.iter().any(is_long)
    }

    /// Whether rows end with a sentence, which needs more room still.
    pub(super) fn ends_long(&self) -> bool {
        let is_long = |row: &Vec<Cell>| matches!(row.last(), Some(Cell::Text(text)) if text.chars().count() > 60);
        self.rows.iter().any(is_long)
    }

    fn most(&self, column: usize) -> f64 {
        let number = |row: &Vec<Cell>| if let Cell::Number(value) = row[column] { Some(value) } else { None };
        self.rows.iter().filter_map(number).filter(|value| value.is_finite()).fold(0.0, f64::max)
    }
}

impl Column {
    /// Right-aligned.
    pub(super) fn numeric(&self) -> bool {
        self.kind != Kind::Text
    }
}

impl Cell {
    #[expect(clippy::cast_precision_loss, reason = "counts of people fit a double's 53 bits")]
    pub(super) fn count(n: u64) -> Self {
        Self::Number(n as f64)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count column holds counts")]
    fn text(&self, kind: Kind) -> String {
        let one = |value: f64| match kind {
            Kind::Count if value.is_finite() && value >= 0.0 => grouped(value.round() as u64),
            Kind::Share | Kind::ShareInterval | Kind::Rate => words::percent(value),
            Kind::Number(decimals) | Kind::Bar { decimals, .. } | Kind::Interval(decimals) => {
                words::number(value, decimals)
            }
            Kind::Text | Kind::Count => words::number(value, 0),
        };
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(value) => one(*value),
            Self::Interval { value, low, high } if kind == Kind::ShareInterval => {
                format!("{} ({}–{})", one(*value), one(*low).trim_end_matches(" %"), one(*high).trim_end_matches(" %"))
            }
            Self::Interval { value, low, high } => format!("{} ({}–{})", one(*value), one(*low), one(*high)),
            Self::Rate(rate) if rate.n_eligible > 0 => rate.to_string(),
            Self::Rate(_) | Self::Missing => "–".into(),
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Option<f64>> for Cell {
    fn from(value: Option<f64>) -> Self {
        value.filter(|value| value.is_finite()).map_or(Self::Missing, Self::Number)
    }
}

impl From<Option<Measured>> for Cell {
    fn from(measured: Option<Measured>) -> Self {
        measured.map_or(Self::Missing, |m| Self::Interval { value: m.value, low: m.low, high: m.high })
    }
}
