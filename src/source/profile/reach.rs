//! Telephone numbers and postcodes, held against the rules of their country: the one that stands beside them in the
//! same table, else the one that the spec tells.
//!
//! A number costs microseconds to verify, so only some rows are looked at, spread over the table; postcodes all.

use polars::prelude::{Column, DataFrame, DataType};

use super::semantic::{Called, called};
use super::shape::shape;
use crate::error::Result;
use crate::source::batch::each_text;
use crate::source::contacts::{phone, postcode};
use crate::source::places;

/// About so many numbers of a column are verified.
const VERIFIED: u64 = 4096;

/// What was found so far in the contact columns of a table.
pub(super) struct Reach {
    columns: Vec<Verified>,
    country: Option<String>,
    told: Option<String>,
    every: u64,
}

/// A column of telephone numbers or postcodes.
#[derive(Debug, Clone)]
pub(super) struct Verified {
    pub(super) column: String,
    pub(super) is_phone: bool,
    /// Values looked at.
    pub(super) n: u64,
    /// One in so many was looked at.
    pub(super) every: u64,
    /// Values that cannot work; telephone numbers of no known country; postcodes that lost a zero.
    pub(super) bad: Found,
    pub(super) homeless: Found,
    pub(super) lost_zero: Found,
}

/// How many, and the first: its row and how it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) n: u64,
    pub(super) first: Option<(u64, String)>,
}

impl Reach {
    /// Columns of a table of so many rows, in the country that the spec tells.
    pub(super) fn new(columns: &[Column], n_rows: u64, told: Option<&str>) -> Self {
        let country = columns
            .iter()
            .find(|column| called(column.name()) == Called::Country && column.dtype() == &DataType::String);
        let every = (n_rows / VERIFIED).max(1);
        let verified = |column: &Column| {
            let is_phone = match called(column.name()) {
                Called::Phone => true,
                Called::Postcode => false,
                _ => return None,
            };
            let is_read = matches!(column.dtype(), DataType::String | DataType::Int64 | DataType::Float64);
            is_read.then(|| Verified {
                column: column.name().to_string(),
                is_phone,
                n: 0,
                every: if is_phone { every } else { 1 },
                bad: Found::default(),
                homeless: Found::default(),
                lost_zero: Found::default(),
            })
        };
        Self {
            columns: columns.iter().filter_map(verified).collect(),
            country: country.map(|column| column.name().to_string()),
            told: told.map(str::to_lowercase),
            every,
        }
    }

    /// Looks at the next rows; `number` gives a row's number in the table.
    pub(super) fn take(&mut self, frame: &DataFrame, number: &(dyn Fn(usize) -> u64 + Sync)) -> Result<()> {
        if self.columns.is_empty() {
            return Ok(());
        }
        let told = self.told.as_deref();
        let countries: Option<Vec<Option<&'static str>>> = match &self.country {
            Some(name) => Some(frame.column(name)?.str()?.iter().map(|text| text.and_then(places::country)).collect()),
            None => None,
        };
        for verified in &mut self.columns {
            let mut row = 0;
            let every = if verified.is_phone { self.every } else { 1 };
            each_text(frame.column(&verified.column)?, |text| {
                let number = number(row);
                let beside = countries.as_ref().and_then(|countries| countries[row]);
                row += 1;
                if let Some(text) = text.filter(|_| number.is_multiple_of(every)) {
                    verified.verify(text, beside.or(told), number);
                }
            })?;
        }
        Ok(())
    }

    /// What was found.
    pub(super) fn finish(self) -> Vec<Verified> {
        self.columns
    }
}

impl Verified {
    fn verify(&mut self, text: &str, country: Option<&str>, number: u64) {
        let found = if self.is_phone {
            match phone::verify(text, country) {
                phone::Verdict::Fine => None,
                phone::Verdict::Bad => Some(&mut self.bad),
                phone::Verdict::Homeless => Some(&mut self.homeless),
            }
        } else {
            let Some(country) = country else { return };
            match postcode::verify(text, country) {
                postcode::Verdict::Fine => None,
                postcode::Verdict::Bad => Some(&mut self.bad),
                postcode::Verdict::LostZero => Some(&mut self.lost_zero),
            }
        };
        self.n += 1;
        if let Some(found) = found {
            found.n += 1;
            found.first.get_or_insert_with(|| (number, shape(text)));
        }
    }
}
