//! The lifecycle table: for each stage who is there, what brings people in and out, from which sources, and its KPIs.
//!
//! KPIs of a stage, each absent where it is not defined:
//!
//! - `conversion`: people who ever moved from here to a stage declared later (silences apart), of those ever here;
//! - `won_back`, of a silence stage in place of it: people who ever moved on to a stage that is not silent;
//! - `attrition`: people who ever fell silent here, of those ever here; absent where no silence is waited for;
//! - `median_days`: median length of the stays that have ended;
//! - `order_value` and `revenue`: mean and sum, over the events of people while in the stage (the event that brought
//!   them here among them), of the first numeric property whose name says that it is money.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::history::{BY_SILENCE, BY_SPAN, BY_START, Stays};
use super::rules::columns_named;
use super::transitions::{median, n_people};
use crate::rate::Rate;
use crate::source::{Data, Values};
use crate::spec::{Rows, Rule, Shape, Spec};
use crate::time::Time;

/// What a property that holds money is called, the likeliest first.
const MONEY: [&str; 7] = ["revenue", "amount", "order_value", "value", "total", "price", "spend"];

/// How many people's money is summed at a time, always in the same order.
const CHUNK: usize = 4096;

/// `lifecycle.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lifecycle {
    /// Version of this format.
    pub format_version: u32,
    /// The end of observation, ISO 8601; empty in a snapshot.
    pub end: String,
    /// Everyone.
    pub n_people: u64,
    /// All events.
    pub n_events: u64,
    /// The stages, in the order of the spec.
    pub stages: Vec<StageRow>,
}

/// One stage of the lifecycle table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageRow {
    /// Its name.
    pub stage: String,
    /// People who stand here at the end.
    pub n_people_now: u64,
    /// People who ever stood here.
    pub n_people_ever: u64,
    /// What brings people here, as the spec says it; empty for the start stage.
    #[serde(default)]
    pub rule: String,
    /// What takes people out of it beside the rules of other stages, as the spec says it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exits: Vec<String>,
    /// Attributes that qualify for it: columns that its rule names.
    pub attributes: Vec<String>,
    /// Kinds of events that brought people here (`silence` among them), in the order of the kinds.
    pub entry_events: Vec<String>,
    /// Kinds of events that took people away.
    pub exit_events: Vec<String>,
    /// Tables that the entries are read from.
    pub sources: Vec<String>,
    /// Numbers.
    pub kpis: Vec<Kpi>,
}

/// One number of a stage. A share keeps its counts and its Wilson interval (95 %); a mean or a median says over how many
/// it was taken.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Kpi {
    /// `conversion`, `won_back`, `attrition`, `median_days`, `order_value`, `revenue`.
    pub name: String,
    /// The number.
    pub value: f64,
    /// `share`, `days`, or the property that was added up.
    pub unit: String,
    /// Of a share: how many did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_attained: Option<u64>,
    /// Of a share: how many could have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_eligible: Option<u64>,
    /// Lower end of the interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Upper end of the interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// Of anything else: how many stays or events it was taken over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<u64>,
}

/// What is counted of a stage.
#[derive(Debug, Clone, Default)]
struct Tally {
    n_now: usize,
    n_ever: usize,
    n_converted: usize,
    n_silent: usize,
    days: Vec<f64>,
    entries: BTreeSet<u16>,
    exits: BTreeSet<u16>,
}

/// The lifecycle table of a history.
#[must_use]
pub fn lifecycle(data: &Data, spec: &Spec, stays: &Stays) -> Lifecycle {
    let money = money(data, stays, spec.stages.len());
    let tallies = tallies(spec, stays);
    let stages = tallies.into_iter().enumerate().map(|(stage, tally)| {
        let sums = money.as_ref().map(|(property, sums)| (property.as_str(), sums[stage]));
        row(data, spec, stage, tally, sums)
    });
    Lifecycle {
        format_version: 1,
        end: if spec.shape() == Shape::Events { data.end.to_string() } else { String::new() },
        n_people: data.people.len() as u64,
        n_events: data.events.len() as u64,
        stages: stages.collect(),
    }
}

fn row(data: &Data, spec: &Spec, stage: usize, mut tally: Tally, money: Option<(&str, (f64, u64))>) -> StageRow {
    let silent = |other: usize| matches!(spec.stages[other].rule, Rule::Silence(_));
    let waits = (0..spec.stages.len()).any(|other| silent(other) && spec.stages[other].from.contains(&stage));
    let goes_on = (stage + 1..spec.stages.len()).any(|other| !silent(other));
    let mut kpis = Vec::new();
    if silent(stage) || goes_on {
        let name = if silent(stage) { "won_back" } else { "conversion" };
        kpis.extend(share(name, Rate::new(tally.n_converted, tally.n_ever)));
    }
    if waits {
        kpis.extend(share("attrition", Rate::new(tally.n_silent, tally.n_ever)));
    }
    let n_ended = tally.days.len() as u64;
    kpis.extend(median(&mut tally.days).map(|days| number("median_days", days, "days", n_ended)));
    if let Some((property, (sum, n))) = money.filter(|(_, (_, n))| *n > 0) {
        #[expect(clippy::cast_precision_loss, reason = "counts of events fit a double's 53 bits")]
        kpis.push(number("order_value", sum / n as f64, property, n));
        kpis.push(number("revenue", sum, property, n));
    }
    let attributes = attributes(data, &spec.stages[stage].rule);
    StageRow {
        stage: spec.stages[stage].name.clone(),
        n_people_now: tally.n_now as u64,
        n_people_ever: tally.n_ever as u64,
        rule: spec.stages[stage].rule.text(),
        exits: exits(spec, stage),
        entry_events: names(data, &tally.entries),
        exit_events: names(data, &tally.exits),
        sources: sources(data, spec, &tally.entries, !attributes.is_empty()),
        attributes,
        kpis,
    }
}

/// What takes people out of a stage: `on event = 'cancel' to visitor`.
fn exits(spec: &Spec, stage: usize) -> Vec<String> {
    let exits = spec.stages[stage].exits.iter();
    exits.map(|exit| format!("{} to {}", exit.cause, spec.stages[exit.to].name)).collect()
}

fn share(name: &str, rate: Rate) -> Option<Kpi> {
    let (low, high) = rate.interval()?;
    Some(Kpi {
        name: name.into(),
        value: rate.share()?,
        unit: "share".into(),
        n_attained: Some(rate.n_attained),
        n_eligible: Some(rate.n_eligible),
        low: Some(low),
        high: Some(high),
        n: None,
    })
}

fn number(name: &str, value: f64, unit: &str, n: u64) -> Kpi {
    Kpi { name: name.into(), value, unit: unit.into(), n: Some(n), ..Kpi::default() }
}

fn tallies(spec: &Spec, stays: &Stays) -> Vec<Tally> {
    let silent = |stage: usize| matches!(spec.stages[stage].rule, Rule::Silence(_));
    let mut tallies = vec![Tally::default(); spec.stages.len()];
    for person in 0..n_people(stays) {
        let (mut ever, mut converted, mut fell_silent) = (0_u32, 0_u32, 0_u32);
        for row in stays.of(person) {
            let stage = usize::from(stays.stage[row]);
            ever |= 1 << stage;
            tallies[stage].entries.insert(stays.trigger[row]);
            if stays.left[row] == Time::NEVER.0 {
                tallies[stage].n_now += 1;
                continue;
            }
            let next = usize::from(stays.stage[row + 1]);
            tallies[stage].exits.insert(stays.trigger[row + 1]);
            tallies[stage].days.push(Time(stays.left[row]).days_since(Time(stays.entered[row])));
            if silent(next) {
                fell_silent |= 1 << stage;
            } else if next > stage || silent(stage) {
                converted |= 1 << stage;
            }
        }
        for (stage, tally) in tallies.iter_mut().enumerate() {
            tally.n_ever += (ever >> stage & 1) as usize;
            tally.n_converted += (converted >> stage & 1) as usize;
            tally.n_silent += (fell_silent >> stage & 1) as usize;
        }
    }
    tallies
}

fn names(data: &Data, triggers: &BTreeSet<u16>) -> Vec<String> {
    let name = |trigger: &u16| match *trigger {
        BY_START => None,
        BY_SILENCE => Some("silence".to_owned()),
        BY_SPAN => Some("span".to_owned()),
        kind => Some(data.events.kinds[usize::from(kind)].clone()),
    };
    triggers.iter().filter_map(name).collect()
}

/// The attributes that a stage's rule names.
fn attributes(data: &Data, rule: &Rule) -> Vec<String> {
    let is_property = |name: &str| {
        matches!(name, "event" | "nth") || data.events.properties.iter().any(|property| property.name == name)
    };
    let is_attribute = |name: &String| !is_property(name) && data.people.attributes.column(name).is_ok();
    let named: BTreeSet<String> = rule.conditions().into_iter().flat_map(columns_named).collect();
    named.into_iter().filter(is_attribute).collect()
}

/// The tables that entries come from: of the events that brought people in, and of the people when attributes decide.
fn sources(data: &Data, spec: &Spec, entries: &BTreeSet<u16>, by_attributes: bool) -> Vec<String> {
    let mut sources = BTreeSet::new();
    for kind in names(data, entries) {
        let own = spec.events.iter().filter(|source| source.event.is_none() && source.name == kind);
        let shared = spec.events.iter().filter(|source| source.event.is_some());
        let own: Vec<_> = own.collect();
        let from = if own.is_empty() && kind != "silence" { shared.collect() } else { own };
        sources.extend(from.into_iter().flat_map(|source| tables(spec, &source.rows, &source.name)));
    }
    if by_attributes {
        sources.extend(spec.people.iter().flat_map(|source| tables(spec, &source.rows, &source.name)));
    }
    sources.into_iter().collect()
}

/// The tables of `[tables]` that rows come from; the source's own name when a query shows none.
fn tables(spec: &Spec, rows: &Rows, source: &str) -> Vec<String> {
    match rows {
        Rows::Table(table) => vec![table.clone()],
        Rows::Sql(query) => {
            let words: BTreeSet<&str> =
                query.split(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != '-').collect();
            let named: Vec<String> =
                spec.tables.keys().filter(|table| words.contains(table.as_str())).cloned().collect();
            if named.is_empty() { vec![source.to_owned()] } else { named }
        }
    }
}

/// The property that holds money, with its sum and number of values per stage.
fn money(data: &Data, stays: &Stays, n_stages: usize) -> Option<(String, Vec<(f64, u64)>)> {
    let properties: BTreeMap<String, usize> =
        data.events.properties.iter().enumerate().map(|(i, property)| (property.name.to_lowercase(), i)).collect();
    let property = &data.events.properties[*MONEY.iter().find_map(|name| properties.get(*name))?];
    let Values::Number(values) = &property.values else { return None };
    let people: Vec<usize> = (0..n_people(stays)).step_by(CHUNK).collect();
    let sum = |&first: &usize| {
        let mut sums = vec![(0.0, 0_u64); n_stages];
        for person in first..(first + CHUNK).min(n_people(stays)) {
            add_money(data, values, stays, person, &mut sums);
        }
        sums
    };
    let parts: Vec<Vec<(f64, u64)>> = people.par_iter().map(sum).collect();
    let mut sums = vec![(0.0, 0); n_stages];
    for part in parts {
        sums.iter_mut().zip(part).for_each(|(sum, more)| *sum = (sum.0 + more.0, sum.1 + more.1));
    }
    Some((property.name.clone(), sums))
}

fn add_money(data: &Data, values: &[f64], stays: &Stays, person: usize, sums: &mut [(f64, u64)]) {
    let rows = stays.of(person);
    let mut stay = rows.start;
    for event in data.events.of(person) {
        let time = data.events.time[event];
        while stay + 1 < rows.end && stays.entered[stay + 1] <= time {
            stay += 1;
        }
        let inside = stay < rows.end && stays.entered[stay] <= time && time < data.end.0;
        if inside && !values[event].is_nan() {
            let sum = &mut sums[usize::from(stays.stage[stay])];
            *sum = (sum.0 + values[event], sum.1 + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::testing::{data, silence, spec, stage};

    #[test]
    fn a_small_shop_counted_by_hand() {
        // a: customer day 0, repeat day 10, silent from day 40. b: customer day 0, silent from day 30. c: customer day 90.
        let rows = [
            ("a", 0, "purchase"),
            ("a", 10, "purchase"),
            ("b", 0, "purchase"),
            ("c", 90, "purchase"),
            ("c", 91, "visit"),
        ];
        let data = data(&rows, 100);
        let spec = spec(vec![
            stage("customer", "event = 'purchase'"),
            stage("repeat", "event = 'purchase' AND nth >= 2"),
            silence("lapsed", &[0, 1], 30),
        ]);
        let stays = crate::map::history(&data, &spec).unwrap();
        let table = lifecycle(&data, &spec, &stays);
        let counts: Vec<_> = table.stages.iter().map(|row| (row.n_people_now, row.n_people_ever)).collect();
        assert_eq!(counts, [(1, 3), (0, 1), (2, 2)]);
        let customer = &table.stages[0];
        assert_eq!(
            (&customer.entry_events[..], &customer.exit_events[..]),
            (&["purchase".to_owned()][..], &["purchase".to_owned(), "silence".to_owned()][..])
        );
        assert_eq!(customer.sources, ["orders"]);
        let kpi = |stage: usize, name: &str| table.stages[stage].kpis.iter().find(|kpi| kpi.name == name).cloned();
        let conversion = kpi(0, "conversion").unwrap();
        assert_eq!((conversion.n_attained, conversion.n_eligible), (Some(1), Some(3)));
        assert_eq!(kpi(0, "attrition").unwrap().n_attained, Some(1));
        // Stays of 10 and 30 days in customer.
        assert!((kpi(0, "median_days").unwrap().value - 20.0).abs() < 1e-9);
        assert_eq!((kpi(1, "conversion"), kpi(2, "median_days")), (None, None));
        assert_eq!(kpi(2, "won_back").unwrap().n_attained, Some(0));
    }
}
