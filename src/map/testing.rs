//! People, events and specs small enough to write down in a test.

use polars::prelude::DataFrame;

use crate::source::{Data, Events, People, Property, Values};
use crate::spec::{EventSource, Rows, Rule, Spec, Stage, TimeColumn, TimeReading};
use crate::time::{DAY, Duration, Time};

/// Data from rows in any order: who, on which day, what. Kinds are sorted by name. Every purchase is of 10.
#[expect(clippy::cast_possible_truncation, reason = "a test has few people and kinds")]
pub(crate) fn data(rows: &[(&str, i64, &str)], end: i64) -> Data {
    let sorted = |mut names: Vec<String>| {
        names.sort_unstable();
        names.dedup();
        names
    };
    let ids = sorted(rows.iter().map(|row| row.0.to_owned()).collect());
    let kinds = sorted(rows.iter().map(|row| row.2.to_owned()).collect());
    let position = |names: &[String], name: &str| names.iter().position(|other| other == name).expect("it is there");
    let mut rows: Vec<(u32, i64, u16)> =
        rows.iter().map(|row| (position(&ids, row.0) as u32, row.1 * DAY, position(&kinds, row.2) as u16)).collect();
    rows.sort_unstable();
    let offsets = (0..=ids.len()).map(|person| rows.partition_point(|row| (row.0 as usize) < person) as u32);
    let amount = |row: &(u32, i64, u16)| if kinds[row.2 as usize] == "purchase" { 10.0 } else { f64::NAN };
    let events = Events {
        person: rows.iter().map(|row| row.0).collect(),
        time: rows.iter().map(|row| row.1).collect(),
        known_at: None,
        kind: rows.iter().map(|row| row.2).collect(),
        properties: vec![Property { name: "amount".into(), values: Values::Number(rows.iter().map(amount).collect()) }],
        offsets: offsets.collect(),
        kinds,
    };
    let people = People {
        attributes: DataFrame::empty(),
        offsets: vec![0; ids.len() + 1],
        valid_from: None,
        contact: Vec::new(),
        sources: Vec::new(),
        order: None,
        ids,
    };
    let end = Time(end * DAY);
    Data {
        people,
        events,
        spend: None,
        end,
        inputs: Vec::new(),
        rejected: Vec::new(),
        identities: Vec::new(),
        resolved: crate::source::identity::Resolved::default(),
        profiles: Vec::new(),
        suspicions: Vec::new(),
    }
}

/// A spec over events of a table `orders`.
pub(crate) fn spec(stages: Vec<Stage>) -> Spec {
    let time = TimeColumn { column: "time".into(), reading: TimeReading::Unmistakable, zone: None };
    let source = EventSource {
        name: "purchase".into(),
        rows: Rows::Table("orders".into()),
        person: "person".into(),
        time,
        event: None,
        properties: None,
        known_at: None,
    };
    Spec {
        root: ".".into(),
        file: "clo.toml".into(),
        name: "test".into(),
        seed: 7,
        events: vec![source],
        stages,
        ..Spec::default()
    }
}

/// A stage that an event enters.
pub(crate) fn stage(name: &str, enter: &str) -> Stage {
    Stage::new(name, Rule::Enter(enter.into()))
}

/// A stage that an event enters from some others.
pub(crate) fn stage_from(name: &str, enter: &str, from: &[usize]) -> Stage {
    Stage { from: from.to_vec(), ..stage(name, enter) }
}

/// A stage that silence of some days enters.
pub(crate) fn silence(name: &str, from: &[usize], days: i64) -> Stage {
    Stage { from: from.to_vec(), ..Stage::new(name, Rule::Silence(Duration::days(days))) }
}

/// Where everybody starts.
pub(crate) fn start(name: &str) -> Stage {
    Stage::new(name, Rule::Start)
}
