//! `[spend]`: what was spent to win people, when, and on which channel.

use polars::prelude::DataType;

use super::batch::{Batch, Header, each_text};
use super::ledger::Ledger;
use super::times::{self, Clock};
use crate::error::{Error, Result};
use crate::spec;

/// What was spent: a row per payment, in the order of the table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Spend {
    /// When, microseconds.
    pub time: Vec<i64>,
    /// How much.
    pub amount: Vec<f64>,
    /// On which channel; `None`: not told.
    pub channel: Vec<Option<String>>,
}

/// Checks that the columns are there; the error's key says which line of the spec names the missing one.
pub(crate) fn begin(spec: &spec::Spend, header: &Header) -> std::result::Result<(), (String, Error)> {
    let told = [("time", Some(&spec.time.column)), ("amount", Some(&spec.amount)), ("channel", spec.channel.as_ref())];
    told.into_iter().try_for_each(|(key, column)| match column {
        Some(column) => header.require(column).map_err(|error| (format!("spend.{key}"), error)),
        None => Ok(()),
    })
}

/// The rows that can be used; the others go to the ledger.
pub(crate) fn take(spec: &spec::Spend, batch: &Batch, ledger: &mut Ledger) -> Result<Spend> {
    let source = ledger.source("spend");
    let times = Clock::new(&spec.time)?.read(batch.column(&spec.time.column)?)?;
    let amounts = batch.column(&spec.amount)?.cast(&DataType::Float64)?;
    let mut channels = vec![None; times.len()];
    if let Some(column) = &spec.channel {
        let mut row = 0;
        each_text(batch.column(column)?, |text| {
            channels[row] = text.map(str::to_owned);
            row += 1;
        })?;
    }
    let mut spend = Spend::default();
    for (row, ((time, amount), channel)) in times.iter().zip(amounts.f64()?.iter()).zip(channels).enumerate() {
        if let Some(reason) = times::fault(*time, &spec.time) {
            ledger.reject(source, batch.at(row), Some(&spec.time.column), reason);
        } else if let Some(amount) = amount.filter(|amount| amount.is_finite()) {
            spend.time.push(*time);
            spend.amount.push(amount);
            spend.channel.push(channel);
        } else {
            ledger.reject(source, batch.at(row), Some(&spec.amount), "the amount is no number");
        }
    }
    ledger.check(source, times.len() as u64)?;
    Ok(spend)
}
