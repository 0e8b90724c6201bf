//! The lifecycle table: for each stage who is there, what brings people in and out, from which sources, and its KPIs.
//!
//! What each KPI is stands in [`super::kpis`]; they are held to their targets by [`super::targets`].

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::history::{BY_SILENCE, BY_SPAN, BY_START, Stays};
use super::rules::columns_named;
use super::transitions::n_people;
use crate::source::Data;
use crate::spec::{KpiName, Rows, Rule, Shape, Spec};
use crate::time::Time;

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

/// One number of a stage, with its interval (95 %), its target and whether that is met.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Kpi {
    /// A name of [`KpiName`]: `conversion`, `median_days`, `order_value` …
    pub name: String,
    /// The number; `None`: there is nothing to measure it on.
    pub value: Option<f64>,
    /// `share`, `days`, or the property that was added up.
    pub unit: String,
    /// Of a share: how many people did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_attained: Option<u64>,
    /// Of a share: how many people could have, those still on the way among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_eligible: Option<u64>,
    /// Lower end of the interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Upper end of the interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// Of anything else: how many stays, orders or people it was taken over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<u64>,
    /// Of a share over time: within how many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub horizon_days: Option<f64>,
    /// Of a response score: how many promote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_promoters: Option<u64>,
    /// How many detract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_detractors: Option<u64>,
    /// Its variance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variance: Option<f64>,
    /// The target: not below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// The target: not above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
    /// Whether the target is `met`, `missed`, or `cannot be told`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

impl Kpi {
    /// A KPI without a number.
    #[must_use]
    pub fn of(name: KpiName, unit: &str) -> Self {
        Self { name: name.name().to_owned(), unit: unit.to_owned(), ..Self::default() }
    }
}

/// What is counted of a stage.
#[derive(Debug, Clone, Default)]
struct Tally {
    n_now: usize,
    n_ever: usize,
    entries: BTreeSet<u16>,
    exits: BTreeSet<u16>,
}

/// The lifecycle table of a history; `kpis` are those of each stage, or none.
#[must_use]
pub fn lifecycle(data: &Data, spec: &Spec, stays: &Stays, kpis: &[Vec<Kpi>]) -> Lifecycle {
    let tallies = tallies(stays, spec.stages.len());
    let kpis = |stage: usize| kpis.get(stage).cloned().unwrap_or_default();
    let stages = tallies.iter().enumerate().map(|(stage, tally)| row(data, spec, stage, tally, kpis(stage)));
    Lifecycle {
        format_version: 1,
        end: if spec.shape() == Shape::Events { data.end.to_string() } else { String::new() },
        n_people: data.people.len() as u64,
        n_events: data.events.len() as u64,
        stages: stages.collect(),
    }
}

fn row(data: &Data, spec: &Spec, stage: usize, tally: &Tally, kpis: Vec<Kpi>) -> StageRow {
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

fn tallies(stays: &Stays, n_stages: usize) -> Vec<Tally> {
    let mut tallies = vec![Tally::default(); n_stages];
    for person in 0..n_people(stays) {
        let mut ever = 0_u32;
        for row in stays.of(person) {
            let stage = usize::from(stays.stage[row]);
            tallies[stage].n_ever += usize::from(ever >> stage & 1 == 0);
            ever |= 1 << stage;
            tallies[stage].entries.insert(stays.trigger[row]);
            if stays.left[row] == Time::NEVER.0 {
                tallies[stage].n_now += 1;
            } else {
                tallies[stage].exits.insert(stays.trigger[row + 1]);
            }
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
        let kpis = crate::map::Statistics::new(&data, &spec, &stays).unwrap().kpis;
        let table = lifecycle(&data, &spec, &stays, &kpis);
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
        // Stays of 10 and 30 days in customer, and one that has lasted 10: half of those watched longer are left after 30.
        assert!((kpi(0, "median_days").unwrap().value.unwrap() - 30.0).abs() < 1e-9);
        // One of three goes on after 10 days; whoever is left after that falls silent.
        assert!((kpi(0, "conversion").unwrap().value.unwrap() - 1.0 / 3.0).abs() < 1e-9);
        assert_eq!((kpi(1, "conversion"), kpi(2, "median_days")), (None, None));
        assert_eq!(kpi(2, "won_back").unwrap().n_attained, Some(0));
    }
}
