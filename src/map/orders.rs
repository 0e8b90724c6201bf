//! Orders: which events are orders, what they are worth, and what people ordered in each stage.
//!
//! The spec says so in `[lifecycle.orders]`. Else the amount is the first numeric property whose name says that it is
//! money, and orders are the kinds that carry it: those called purchase, order or sale, if there are any, else all.
//! An order belongs to the stage in which the person stood after it: the order that brings somebody into a stage is the first
//! one there.
//!
//! Means of orders are ratios of sums over people (amount by orders, orders by years), and so is their variance: orders of
//! one person are no independent draws (Cochran 1977, Sampling Techniques, 6.4).

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::history::Stays;
use super::transitions::n_people;
use crate::error::{Error, Result, did_you_mean};
use crate::rate::Z;
use crate::source::{Data, Values};
use crate::spec::Spec;
use crate::time::DAY;

/// What a property that holds money is called, the likeliest first.
const MONEY: [&str; 7] = ["revenue", "amount", "order_value", "value", "total", "price", "spend"];
/// What a kind of event that is an order is called.
const ORDERS: [&str; 4] = ["purchase", "order", "sale", "transaction"];
/// How many people are summed at a time, always in the same order.
const CHUNK: usize = 4096;
/// Microseconds in a year.
pub(crate) const YEAR: f64 = 365.25 * DAY as f64;

/// Which events are orders, and what they are worth.
#[derive(Debug, Clone)]
pub(crate) struct Orders<'a> {
    /// The property that holds the amount.
    pub(crate) property: &'a str,
    amounts: &'a [f64],
    /// For each kind: 1 an order, −1 a refund, 0 neither.
    signs: Vec<f64>,
}

/// What people ordered in a stage: sums over people.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Ordered {
    /// People with an order.
    pub(crate) n_people: u64,
    /// Orders.
    pub(crate) n: f64,
    /// Their amount.
    pub(crate) amount: f64,
    /// What was paid back.
    pub(crate) refunded: f64,
    /// Time spent in the stage, in years.
    pub(crate) years: f64,
    n_squared: f64,
    amount_squared: f64,
    years_squared: f64,
    amount_by_n: f64,
    n_by_years: f64,
}

/// A number with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// The number.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Whether a property is called as one that holds money is.
pub(crate) fn is_money(property: &str) -> bool {
    MONEY.contains(&property)
}

/// The orders of a spec; `None` when no property holds money.
///
/// # Errors
/// A spec error when it names a property that is not there or holds no numbers.
pub(crate) fn orders<'a>(data: &'a Data, spec: &Spec) -> Result<Option<Orders<'a>>> {
    let told = &spec.measures.orders;
    let numbers: BTreeMap<String, (&str, &[f64])> = numeric(data).collect();
    let found = match &told.amount {
        Some(name) => {
            Some(numeric(data).find(|(_, (own, _))| own == name).map(|(_, found)| found).ok_or_else(|| {
                no_number(data, "lifecycle.orders.amount", name).at(spec.excerpt("lifecycle.orders.amount"))
            })?)
        }
        None => MONEY.iter().find_map(|name| numbers.get(*name).copied()),
    };
    let Some((property, amounts)) = found else { return Ok(None) };
    let mut carries = vec![false; data.events.kinds.len()];
    for (kind, amount) in data.events.kind.iter().zip(amounts) {
        carries[usize::from(*kind)] |= !amount.is_nan();
    }
    let is_called = |kind: &String| ORDERS.iter().any(|word| kind.to_lowercase().contains(word));
    let some_are_called = data.events.kinds.iter().zip(&carries).any(|(kind, carries)| *carries && is_called(kind));
    let sign = |(kind, carries): (&String, &bool)| match &told.events {
        _ if told.refunds.contains(kind) => -1.0,
        Some(events) => f64::from(events.contains(kind)),
        None => f64::from(*carries && (is_called(kind) || !some_are_called)),
    };
    let signs = data.events.kinds.iter().zip(&carries).map(sign).collect();
    Ok(Some(Orders { property, amounts, signs }))
}

/// The numeric properties: their names in lower case, as they are, and their values.
fn numeric(data: &Data) -> impl Iterator<Item = (String, (&str, &[f64]))> {
    data.events.properties.iter().filter_map(|property| match &property.values {
        Values::Number(values) => Some((property.name.to_lowercase(), (property.name.as_str(), values.as_slice()))),
        _ => None,
    })
}

/// No property of that name holds numbers.
pub(crate) fn no_number(data: &Data, key: &str, name: &str) -> Error {
    let known: Vec<&str> = numeric(data).map(|(_, (name, _))| name).collect();
    let error = Error::spec(format!("`{key}` names `{name}`, and no event has such a property that holds numbers"));
    match did_you_mean(name, known.iter().copied()) {
        Some(meant) => error.hint(format!("did you mean `{meant}`?")),
        None if known.is_empty() => error.hint("no property holds numbers; look at `properties` of the [events.*]"),
        None => error.hint(format!("numbers stand in {}", known.join(", "))),
    }
}

impl Orders<'_> {
    /// Whether the event is an order, and its amount: negative for a refund, 0 where none is told. `None`: neither.
    pub(crate) fn of(&self, kind: u16, event: usize) -> Option<(bool, f64)> {
        let sign = self.signs[usize::from(kind)];
        let amount = self.amounts[event];
        (sign != 0.0).then(|| (sign > 0.0, if amount.is_nan() { 0.0 } else { sign * amount }))
    }

    /// What people ordered in each stage.
    pub(crate) fn per_stage(&self, data: &Data, stays: &Stays, n_stages: usize) -> Vec<Ordered> {
        let people: Vec<usize> = (0..n_people(stays)).step_by(CHUNK).collect();
        let sum = |&first: &usize| {
            let mut sums = vec![Ordered::default(); n_stages];
            let mut own = vec![Ordered::default(); n_stages];
            for person in first..(first + CHUNK).min(n_people(stays)) {
                own.fill(Ordered::default());
                self.add(data, stays, person, &mut own);
                sums.iter_mut().zip(&own).for_each(|(sum, own)| sum.add_person(own));
            }
            sums
        };
        let parts: Vec<Vec<Ordered>> = people.par_iter().map(sum).collect();
        let mut sums = vec![Ordered::default(); n_stages];
        for part in parts {
            sums.iter_mut().zip(&part).for_each(|(sum, more)| sum.add(more));
        }
        sums
    }

    /// What one person ordered in each stage.
    fn add(&self, data: &Data, stays: &Stays, person: usize, own: &mut [Ordered]) {
        let rows = stays.of(person);
        for row in rows.clone() {
            let years = (stays.left[row].min(data.end.0) - stays.entered[row]) as f64 / YEAR;
            own[usize::from(stays.stage[row])].years += years;
        }
        let mut stay = rows.start;
        for event in data.events.of(person) {
            let time = data.events.time[event];
            while stay + 1 < rows.end && stays.entered[stay + 1] <= time {
                stay += 1;
            }
            let inside = stay < rows.end && stays.entered[stay] <= time && time < data.end.0;
            let Some((is_order, amount)) = self.of(data.events.kind[event], event).filter(|_| inside) else { continue };
            let own = &mut own[usize::from(stays.stage[stay])];
            if is_order {
                own.n += 1.0;
                own.amount += amount;
            } else {
                own.refunded -= amount;
            }
        }
    }
}

impl Ordered {
    fn add_person(&mut self, own: &Self) {
        self.add(&Self {
            n_people: u64::from(own.n > 0.0),
            n_squared: own.n * own.n,
            amount_squared: own.amount * own.amount,
            years_squared: own.years * own.years,
            amount_by_n: own.amount * own.n,
            n_by_years: own.n * own.years,
            ..*own
        });
    }

    fn add(&mut self, more: &Self) {
        self.n_people += more.n_people;
        self.n += more.n;
        self.amount += more.amount;
        self.refunded += more.refunded;
        self.years += more.years;
        self.n_squared += more.n_squared;
        self.amount_squared += more.amount_squared;
        self.years_squared += more.years_squared;
        self.amount_by_n += more.amount_by_n;
        self.n_by_years += more.n_by_years;
    }

    /// The mean amount of an order.
    pub(crate) fn order_value(&self) -> Option<Measured> {
        ratio((self.amount, self.n), (self.amount_squared, self.amount_by_n, self.n_squared))
    }

    /// Orders per person and year in the stage.
    pub(crate) fn frequency(&self) -> Option<Measured> {
        ratio((self.n, self.years), (self.n_squared, self.n_by_years, self.years_squared))
    }
}

/// Σa / Σb over people, with its 95 % interval; squares are Σa², Σab and Σb².
fn ratio((a, b): (f64, f64), (aa, ab, bb): (f64, f64, f64)) -> Option<Measured> {
    let value = (b > 0.0).then(|| a / b)?;
    let variance = (aa - 2.0 * value * ab + value * value * bb).max(0.0) / (b * b);
    Some(Measured::around(value, variance))
}

impl Measured {
    /// A value with the 95 % interval of its variance.
    pub(crate) fn around(value: f64, variance: f64) -> Self {
        let half = Z * variance.max(0.0).sqrt();
        Self { value, low: value - half, high: value + half }
    }
}
