//! Telephone numbers and postcodes, held against the rules of their country: the one that stands beside them in the
//! same table, else the one that the spec tells.
//!
//! A number costs microseconds to verify, so only some rows are looked at, spread over the table, and beside each other; postcodes
//! all.

use polars::prelude::{Column, DataFrame, DataType};
use rayon::prelude::*;

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

/// What a value is.
#[derive(Debug, Clone, Copy)]
enum Verdict {
    Fine,
    Bad,
    Homeless,
    LostZero,
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
        let columns: Vec<Verified> = columns.iter().filter_map(verified).collect();
        if columns.iter().any(|verified| verified.is_phone) {
            // It takes a while, and what comes before the numbers need not wait for it.
            rayon::spawn(phone::load_plans);
        }
        Self {
            columns,
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
            let mut phones: Vec<(u64, Option<&str>, String)> = Vec::new();
            each_text(frame.column(&verified.column)?, |text| {
                let number = number(row);
                let country = countries.as_ref().and_then(|countries| countries[row]).or(told);
                row += 1;
                let Some(text) = text else { return };
                if !verified.is_phone {
                    verified.note(of_postcode(text, country), text, number);
                } else if number.is_multiple_of(self.every) {
                    phones.push((number, country, text.to_owned()));
                }
            })?;
            let verdicts: Vec<Verdict> = phones.par_iter().map(|(_, country, text)| of_phone(text, *country)).collect();
            for ((number, _, text), verdict) in phones.iter().zip(verdicts) {
                verified.note(Some(verdict), text, *number);
            }
        }
        Ok(())
    }

    /// What was found.
    pub(super) fn finish(self) -> Vec<Verified> {
        self.columns
    }
}

impl Verified {
    /// Counts a value; `None`: it cannot be held against anything.
    fn note(&mut self, verdict: Option<Verdict>, text: &str, number: u64) {
        let Some(verdict) = verdict else { return };
        self.n += 1;
        let found = match verdict {
            Verdict::Fine => return,
            Verdict::Bad => &mut self.bad,
            Verdict::Homeless => &mut self.homeless,
            Verdict::LostZero => &mut self.lost_zero,
        };
        found.n += 1;
        found.first.get_or_insert_with(|| (number, shape(text)));
    }
}

fn of_phone(text: &str, country: Option<&str>) -> Verdict {
    match phone::verify(text, country) {
        phone::Verdict::Fine => Verdict::Fine,
        phone::Verdict::Bad => Verdict::Bad,
        phone::Verdict::Homeless => Verdict::Homeless,
    }
}

fn of_postcode(text: &str, country: Option<&str>) -> Option<Verdict> {
    Some(match postcode::verify(text, country?) {
        postcode::Verdict::Fine => Verdict::Fine,
        postcode::Verdict::Bad => Verdict::Bad,
        postcode::Verdict::LostZero => Verdict::LostZero,
    })
}
