//! Simple customer value: profit per customer and year × average years as a customer − acquisition cost.
//!
//! Told for each stage that events enter, of the people who ever entered it, by month of that entry and by group, beside its
//! ingredients:
//!
//! - a life as a customer begins with the first entry of the stage and ends where the person first falls silent after it; it is
//!   censored at the end of observation;
//! - revenue per year = Σ amounts / Σ years of those lives, refunds taken off; profit = revenue × `margin`;
//! - average years = the area under the Kaplan–Meier curve of the lives up to the horizon (the longest time that a tenth of the
//!   people could be watched for). It is no forecast: years beyond the horizon are not in it. `years_if_constant`, Σ years
//!   / number of ends, is the usual forecast, true if people leave at one rate for ever;
//! - acquisition cost = what `[spend]` holds / people who entered the stage since its first row, of the month or channel.
//!
//! The interval comes from each person's influence on both factors together, for who lives longer also spends otherwise;
//! the cost is taken as known. A life is valued as customers average: probabilistic models of value are another matter.

use polars::prelude::DataFrame;
use rayon::prelude::*;

use super::frames::Frame;
use super::groups::{Grouping, Months};
use super::history::Stays;
use super::incidence::{Incidence, Observation, days};
use super::orders::{Measured, Orders, YEAR};
use super::sojourns::horizon;
use super::transitions::n_people;
use crate::error::Result;
use crate::source::{Data, Spend};
use crate::spec::{Rule, Spec};
use crate::time::Time;

/// What customers are worth, and what it is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// The stage they entered.
    pub stage: usize,
    /// By what people are told apart, and the value; `None`: all of them.
    pub group: Option<(String, String)>,
    /// How many people.
    pub n_people: usize,
    /// How many of them fell silent.
    pub n_ended: usize,
    /// Amount of their orders, less refunds.
    pub revenue: f64,
    /// Years as customers, all together, until they fell silent or the end of observation.
    pub years_watched: f64,
    /// The share of revenue that is profit; `None`: not told.
    pub margin: Option<f64>,
    /// Average years as a customer, up to the horizon.
    pub years: f64,
    /// How far the average looks, microseconds.
    pub horizon: i64,
    /// Years if people left at one rate for ever; `None`: nobody left.
    pub years_if_constant: Option<f64>,
    /// What it cost to win one; `None`: not told.
    pub acquisition_cost: Option<f64>,
    /// The value, and its interval; `None` without a margin.
    pub value: Option<Measured>,
}

/// One life as a customer.
#[derive(Debug, Clone, Copy)]
struct Life {
    person: u32,
    begun: i64,
    micros: i64,
    ended: bool,
    amount: f64,
}

/// What customers are worth, per stage, month of entry and group. Empty without orders.
pub(crate) fn values(
    data: &Data,
    spec: &Spec,
    stays: &Stays,
    orders: &Orders<'_>,
    months: &Months,
    groupings: &[Grouping],
) -> Vec<Value> {
    let mut found = Vec::new();
    let entered = |stage: &usize| matches!(spec.stages[*stage].rule, Rule::Enter(_) | Rule::Exits);
    for stage in (0..spec.stages.len()).filter(entered) {
        let lives = lives(data, spec, stays, orders, stage);
        let cost = Cost { spend: data.spend.as_ref().filter(|_| is_bought(spec, stage)), lives: &lives, end: data.end };
        let own =
            |group, lives: Vec<Life>, cost| value(stage, group, &lives, spec.measures.orders.margin, cost, data.end);
        if lives.iter().all(|life| life.amount == 0.0) {
            continue;
        }
        found.push(own(None, lives.clone(), cost.of(&|_, _| true, &|_| true)));
        for (month, name) in months.names.iter().enumerate() {
            let of_month = |begun: i64| months.of(begun) == month;
            let lives: Vec<Life> = lives.iter().filter(|life| of_month(life.begun)).copied().collect();
            let cost = cost.of(&|time, _| of_month(time), &|life| of_month(life.begun));
            if !lives.is_empty() {
                found.push(own(Some(("cohort".to_owned(), name.clone())), lives, cost));
            }
        }
        for grouping in groupings {
            let is_channel =
                spec.measures.spend.as_ref().and_then(|spend| spend.channel.as_ref()) == Some(&grouping.name);
            for (level, name) in grouping.levels.iter().enumerate() {
                let of_level = |life: &Life| usize::from(grouping.of[life.person as usize]) == level;
                let lives: Vec<Life> = lives.iter().filter(|life| of_level(life)).copied().collect();
                let cost = is_channel.then(|| cost.of(&|_, channel| channel == Some(name), &of_level)).flatten();
                if !lives.is_empty() {
                    found.push(own(Some((grouping.name.clone(), name.clone())), lives, cost));
                }
            }
        }
    }
    found
}

fn is_bought(spec: &Spec, stage: usize) -> bool {
    spec.measures.spend.as_ref().is_some_and(|spend| spend.stage == stage)
}

/// What it costs to win people.
struct Cost<'a> {
    spend: Option<&'a Spend>,
    lives: &'a [Life],
    end: Time,
}

impl Cost<'_> {
    /// Of some payments, for some people; `None` when nothing is told or nobody was won.
    fn of(&self, payment: &dyn Fn(i64, Option<&String>) -> bool, person: &dyn Fn(&Life) -> bool) -> Option<f64> {
        let spend = self.spend?;
        let since = *spend.time.iter().min()?;
        let rows = spend.time.iter().zip(&spend.amount).zip(&spend.channel);
        let paid = rows.filter(|((time, _), channel)| **time < self.end.0 && payment(**time, channel.as_ref()));
        let paid: f64 = paid.map(|((_, amount), _)| amount).sum();
        let n = self.lives.iter().filter(|life| life.begun >= since && person(life)).count();
        (n > 0).then(|| paid / n as f64)
    }
}

/// The lives as customers of all who ever entered a stage.
fn lives(data: &Data, spec: &Spec, stays: &Stays, orders: &Orders<'_>, stage: usize) -> Vec<Life> {
    let silent = |row: &usize| matches!(spec.stages[usize::from(stays.stage[*row])].rule, Rule::Silence(_));
    let life = |person: usize| {
        let rows = stays.of(person);
        let first = rows.clone().find(|&row| usize::from(stays.stage[row]) == stage)?;
        let begun = stays.entered[first];
        let ended = (first..rows.end).find(silent).map(|row| stays.entered[row]);
        let until = ended.unwrap_or(data.end.0);
        let events = data.events.of(person);
        let times = &data.events.time[events.clone()];
        let from = events.start + times.partition_point(|&time| time < begun);
        let to = events.start + times.partition_point(|&time| time < until);
        let amount = |event: usize| orders.of(data.events.kind[event], event).map(|(_, amount)| amount);
        Some(Life {
            person: u32::try_from(person).expect("people are counted in 32 bits"),
            begun,
            micros: until - begun,
            ended: ended.is_some(),
            amount: (from..to).filter_map(amount).sum(),
        })
    };
    (0..n_people(stays)).into_par_iter().filter_map(life).collect()
}

fn value(
    stage: usize,
    group: Option<(String, String)>,
    lives: &[Life],
    margin: Option<f64>,
    acquisition_cost: Option<f64>,
    end: Time,
) -> Value {
    let begun: Vec<i64> = lives.iter().map(|life| life.begun).collect();
    let horizon = horizon(&begun, end);
    let observation =
        |life: &Life| Observation { person: life.person, micros: life.micros, exit: life.ended.then_some(0) };
    let (mean, influences) = Incidence::new(lives.iter().map(observation).collect()).mean_stay(horizon);
    let n_ended = lives.iter().filter(|life| life.ended).count();
    let revenue: f64 = lives.iter().map(|life| life.amount).sum();
    let years_watched = lives.iter().map(|life| life.micros as f64).sum::<f64>() / YEAR;
    let years = mean / YEAR;
    let worth = margin.filter(|_| years_watched > 0.0).map(|margin| {
        let per_year = revenue / years_watched;
        let influence = |(life, influence): (&Life, f64)| {
            let of_rate = (life.amount - per_year * life.micros as f64 / YEAR) / years_watched;
            margin * (years * of_rate + per_year * influence / YEAR)
        };
        let variance = lives.iter().zip(influences).map(influence).map(|one| one * one).sum();
        Measured::around(margin * per_year * years - acquisition_cost.unwrap_or(0.0), variance)
    });
    Value {
        stage,
        group,
        n_people: lives.len(),
        n_ended,
        revenue,
        years_watched,
        margin,
        years,
        horizon,
        years_if_constant: (n_ended > 0).then(|| years_watched / n_ended as f64),
        acquisition_cost,
        value: worth,
    }
}

impl Value {
    /// Revenue of a customer and year.
    #[must_use]
    pub fn revenue_per_year(&self) -> Option<f64> {
        (self.years_watched > 0.0).then(|| self.revenue / self.years_watched)
    }
}

/// `map/value.parquet`.
pub(crate) fn value_frame(rows: &[Value], spec: &Spec) -> Result<DataFrame> {
    let numbers = |of: fn(&Value) -> Option<f64>| rows.iter().map(of);
    Frame::default()
        .texts("stage", rows.iter().map(|row| Some(spec.stages[row.stage].name.as_str())))
        .texts("by", rows.iter().map(|row| row.group.as_ref().map(|(by, _)| by.as_str())))
        .texts("value_of", rows.iter().map(|row| row.group.as_ref().map(|(_, value)| value.as_str())))
        .counts("people", rows.iter().map(|row| row.n_people as u64))
        .counts("ended", rows.iter().map(|row| row.n_ended as u64))
        .numbers("revenue", numbers(|row| Some(row.revenue)))
        .numbers("years_watched", numbers(|row| Some(row.years_watched)))
        .numbers("revenue_per_year", numbers(Value::revenue_per_year))
        .numbers("margin", numbers(|row| row.margin))
        .numbers("profit_per_year", numbers(|row| Some(row.revenue_per_year()? * row.margin?)))
        .numbers("years", numbers(|row| Some(row.years)))
        .numbers("horizon_days", numbers(|row| Some(days(row.horizon))))
        .numbers("years_if_constant", numbers(|row| row.years_if_constant))
        .numbers("acquisition_cost", numbers(|row| row.acquisition_cost))
        .numbers("customer_value", numbers(|row| row.value.map(|value| value.value)))
        .numbers("customer_value_low", numbers(|row| row.value.map(|value| value.low)))
        .numbers("customer_value_high", numbers(|row| row.value.map(|value| value.high)))
        .finish()
}
