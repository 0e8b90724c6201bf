//! Rows whose values moved a column to the side: a delimiter in a text that nobody put in quotes.
//!
//! Such a row makes a column of numbers one of texts. So only tables are searched in which a text column holds numbers,
//! times or addresses in nearly all rows: a row is shifted when two neighbours at least hold what the column beside them
//! should hold and not what they should.

use polars::prelude::{Column, DataFrame, DataType};

use crate::error::Result;
use crate::source::kind::Kind;

/// From so many rows it is learned what a column holds.
const LEARNED_FROM: usize = 1 << 13;
/// A column holds what this share of its values is.
const NEARLY_ALL: f64 = 0.9;
/// Columns with up to so many different texts hold those alone.
const LEVELS: usize = 40;

/// What a column holds, as far as it can be told from a value.
#[derive(Debug, Clone, PartialEq)]
enum Holds {
    Number,
    Time,
    Address,
    Levels(Vec<String>),
    Anything,
}

/// The shifted rows of a table so far.
#[derive(Default)]
pub(super) struct Shifted {
    columns: Vec<(String, Holds)>,
    /// Text columns that should hold something else.
    suspects: Vec<usize>,
    is_learned: bool,
    /// How many rows are shifted.
    pub(super) n_rows: u64,
    /// The first of them: its number, and the column where the shift begins.
    pub(super) first: Option<(u64, String)>,
}

impl Shifted {
    /// Looks at the next rows; `number` gives a row's number in the table.
    pub(super) fn take(&mut self, frame: &DataFrame, number: &(dyn Fn(usize) -> u64 + Sync)) -> Result<()> {
        if !self.is_learned {
            self.learn(frame)?;
        }
        if self.suspects.is_empty() {
            return Ok(());
        }
        let mut rows = std::collections::BTreeSet::new();
        for &at in &self.suspects {
            let texts = frame.columns()[at].str()?;
            let misfit =
                |(row, text): (usize, Option<&str>)| text.filter(|text| !self.columns[at].1.fits(text)).map(|_| row);
            rows.extend(texts.iter().enumerate().filter_map(misfit));
        }
        for row in rows {
            if let Some(at) = self.shift(frame, row)? {
                self.n_rows += 1;
                self.first.get_or_insert_with(|| (number(row), self.columns[at].0.clone()));
            }
        }
        Ok(())
    }

    fn learn(&mut self, frame: &DataFrame) -> Result<()> {
        self.is_learned = true;
        for (at, column) in frame.columns().iter().enumerate() {
            let holds = Holds::of(column)?;
            let is_text = column.dtype() == &DataType::String;
            if is_text && matches!(holds, Holds::Number | Holds::Time | Holds::Address) {
                self.suspects.push(at);
            }
            self.columns.push((column.name().to_string(), holds));
        }
        Ok(())
    }

    /// The column where the values of a row begin to stand to the side of their own.
    fn shift(&self, frame: &DataFrame, row: usize) -> Result<Option<usize>> {
        let texts: Vec<Option<String>> =
            frame.columns().iter().map(|column| text(column, row)).collect::<Result<_>>()?;
        let n = self.columns.len();
        let fits =
            |value: usize, column: usize| texts[value].as_deref().is_some_and(|text| self.columns[column].1.fits(text));
        let is_strict = |column: usize| matches!(self.columns[column].1, Holds::Number | Holds::Time | Holds::Address);
        let is_moved = |value: usize, from: usize| {
            texts[value].is_some()
                && self.columns[from].1 != Holds::Anything
                && fits(value, from)
                && !fits(value, value)
        };
        let run = |moved: &dyn Fn(usize) -> Option<usize>| {
            let sources: Vec<Option<usize>> = (0..n).map(moved).collect();
            let pair = |at: &usize| {
                let (a, b) = (sources[*at], sources[at + 1]);
                a.zip(b).is_some_and(|(a, b)| is_strict(a) || is_strict(b))
            };
            (0..n.saturating_sub(1)).find(pair)
        };
        let right = run(&|at| at.checked_sub(1).filter(|&from| is_moved(at, from)));
        Ok(right.or_else(|| run(&|at| Some(at + 1).filter(|&from| from < n && is_moved(at, from)))))
    }
}

impl Holds {
    fn of(column: &Column) -> Result<Self> {
        Ok(match column.dtype() {
            DataType::Int64 | DataType::Float64 => Self::Number,
            DataType::Date | DataType::Datetime(..) => Self::Time,
            DataType::String => Self::of_texts(column.str()?.iter().take(LEARNED_FROM).flatten().map(str::trim)),
            _ => Self::Levels(vec!["true".into(), "false".into()]),
        })
    }

    fn of_texts<'t>(texts: impl Iterator<Item = &'t str>) -> Self {
        let mut counts = [0_u64; 3];
        let mut levels = std::collections::BTreeMap::new();
        let mut n = 0_u64;
        for text in texts.filter(|text| !text.is_empty()) {
            n += 1;
            for (count, holds) in counts.iter_mut().zip([Self::Number, Self::Time, Self::Address]) {
                *count += u64::from(holds.fits(text));
            }
            if levels.len() <= LEVELS {
                *levels.entry(text).or_insert(0_u64) += 1;
            }
        }
        let is_nearly_all = |count: u64| n >= 20 && count as f64 >= NEARLY_ALL * n as f64;
        match counts {
            [numbers, ..] if is_nearly_all(numbers) => Self::Number,
            [_, times, _] if is_nearly_all(times) => Self::Time,
            [.., addresses] if is_nearly_all(addresses) => Self::Address,
            // A level that hardly any row holds may have come from the side.
            _ if levels.len() <= LEVELS && n >= 20 => {
                let common = levels.into_iter().filter(|(_, count)| *count * 200 >= n);
                Self::Levels(common.map(|(level, _)| level.to_owned()).collect())
            }
            _ => Self::Anything,
        }
    }

    fn fits(&self, text: &str) -> bool {
        let text = text.trim();
        match self {
            Self::Number => matches!(Kind::of(text), Kind::Integer | Kind::Float),
            Self::Time => matches!(Kind::of_time(text), Kind::Date | Kind::Datetime | Kind::Zoned),
            Self::Address => text.contains('@'),
            Self::Levels(levels) => levels.iter().any(|level| level == text),
            Self::Anything => true,
        }
    }
}

fn text(column: &Column, row: usize) -> Result<Option<String>> {
    let mut text = None;
    crate::source::batch::each_text(&column.slice(i64::try_from(row).unwrap_or_default(), 1), |value| {
        text = value.map(str::to_owned);
    })?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(shifted: bool) -> DataFrame {
        let mut rows: Vec<[String; 4]> = (0..100)
            .map(|row| {
                [
                    format!("p{row}"),
                    ["gold", "silver"][row % 2].into(),
                    row.to_string(),
                    format!("2024-01-{:02}", row % 28 + 1),
                ]
            })
            .collect();
        if shifted {
            // `Doe, Jane` without quotes: everything behind moves to the right.
            rows[41] = ["p41".into(), "Jane".into(), "gold".into(), "41".into()];
        }
        let column = |at: usize| {
            Column::new(
                ["name", "tier", "points", "since"][at].into(),
                rows.iter().map(|row| row[at].as_str()).collect::<Vec<_>>(),
            )
        };
        DataFrame::new(100, (0..4).map(column).collect()).unwrap()
    }

    #[test]
    fn a_row_that_moved_to_the_side_is_found() {
        let found = |frame: &DataFrame| {
            let mut shifted = Shifted::default();
            shifted.take(frame, &|row| row as u64 + 1).unwrap();
            (shifted.n_rows, shifted.first)
        };
        assert_eq!(found(&table(true)), (1, Some((42, "points".into()))));
        assert_eq!(found(&table(false)), (0, None));
    }
}
