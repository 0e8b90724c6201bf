//! Nothing from after the cutoff: events at and after it are changed, added and deleted in the raw files, and no feature moves.

use std::collections::BTreeMap;
use std::path::Path;

use clo::store;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::{code, folder, run, stderr, write};

const SPEC: &str = r#"
[project]
name = "leaks"
seed = 1
[tables]
log = "log.csv"
[events.log]
table = "log"
person = "person"
time = "time"
event = "event"
known_at = "loaded"
[lifecycle]
end = "2024-07-01"
[[lifecycle.stages]]
name = "visitor"
enter = "event = 'visit'"
[[lifecycle.stages]]
name = "buyer"
enter = "event = 'buy'"
[[lifecycle.stages]]
name = "gone"
from = ["visitor", "buyer"]
silence = "100d"
[[predictions]]
name = "buys"
from = ["visitor"]
to = ["buyer"]
horizon = "30d"
cutoffs = { every = "30d", count = 4 }
"#;

/// The last cutoff that has a label: `end` less the horizon. Day 0 is 2024-01-01.
const LAST_CUTOFF_DAY: i64 = 152;
const LAST_CUTOFF: &str = "2024-06-01";

/// Person, hour within the span, whether a purchase, amount, channel.
type Row = (u8, i64, bool, u16, u8);

fn any_row(days: std::ops::Range<i64>) -> impl Strategy<Value = Row> {
    (0_u8..12, days.start * 24..days.end * 24, prop::bool::weighted(0.2), 1_u16..999, 0_u8..3)
}

/// The log, of which some rows were loaded only on the day of the last cutoff.
fn csv(rows: &[Row], late: &[Row]) -> String {
    let start: clo::time::Time = "2024-01-01".parse().unwrap();
    let line = |(person, hour, buys, amount, channel): &Row, loaded: &str| {
        let time = clo::time::Time(start.0 + hour * 3_600_000_000).civil().unwrap();
        let event = if *buys { "buy" } else { "visit" };
        format!("p{person},{time},{event},{amount},c{channel},{loaded}\n")
    };
    // Someone of each kind in every month, so that the question can be asked at all.
    let fixed: String = (0..5)
        .map(|month| {
            format!(
                "v{month},2024-0{}-02,visit,1,c0,2024-0{0}-02\nb{month},2024-0{0}-03,buy,2,c1,2024-0{0}-03\n",
                month + 1
            )
        })
        .collect();
    let known: String = rows.iter().map(|row| line(row, "")).collect();
    let late: String = late.iter().map(|row| line(row, LAST_CUTOFF)).collect();
    format!("person,time,event,amount,channel,loaded\n{fixed}{known}{late}")
}

/// Every feature of every example up to the last labelled cutoff, as text, by person and cutoff.
fn features(folder: &Path, rows: &[Row], late: &[Row]) -> BTreeMap<(String, String), Vec<String>> {
    write(&folder.join("clo.toml"), SPEC);
    write(&folder.join("log.csv"), &csv(rows, late));
    let output = run(&["discover", "--quiet", "--spec", folder.to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let frame = store::read_frame(&folder.join("out/discover/buys/examples.parquet")).unwrap();
    let text = |column: usize, row: usize| frame.columns()[column].get(row).unwrap().to_string();
    let first_feature = 5;
    (0..frame.height())
        .filter(|&row| !text(3, row).contains("immature"))
        .map(|row| {
            let values = (first_feature..frame.width())
                .map(|column| format!("{}={}", frame.columns()[column].name(), text(column, row)));
            ((text(0, row), text(1, row)), values.collect())
        })
        .collect()
}

#[test]
fn events_at_and_after_the_cutoff_change_no_feature() {
    let before = prop::collection::vec(any_row(0..LAST_CUTOFF_DAY), 5..40);
    let after = || prop::collection::vec(any_row(LAST_CUTOFF_DAY..182), 0..15);
    let mut runner = TestRunner::new(Config { cases: 12, failure_persistence: None, ..Config::default() });
    runner
        .run(&(before, after(), after()), |(before, one, other)| {
            let project = folder();
            let of = |late: &[Row]| features(project.path(), &[before.as_slice(), late].concat(), &[]);
            let (one, other) = (of(&one), of(&other));
            prop_assert!(!one.is_empty());
            prop_assert_eq!(one, other);
            Ok(())
        })
        .unwrap();
}

#[test]
fn what_became_known_only_at_the_cutoff_changes_neither_features_nor_who_is_eligible() {
    let before = prop::collection::vec(any_row(0..LAST_CUTOFF_DAY), 5..40);
    let late = || prop::collection::vec(any_row(0..LAST_CUTOFF_DAY), 0..15);
    let mut runner = TestRunner::new(Config { cases: 12, failure_persistence: None, ..Config::default() });
    runner
        .run(&(before, late(), late()), |(before, one, other)| {
            let project = folder();
            let of = |late: &[Row]| features(project.path(), &before, late);
            let (one, other) = (of(&one), of(&other));
            prop_assert!(!one.is_empty());
            prop_assert_eq!(one, other);
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_value_that_is_first_seen_after_the_cutoff_adds_no_feature() {
    let project = folder();
    let before = [(1, 24, false, 7, 0), (2, 48, false, 8, 1)];
    let new_channel = [(3, LAST_CUTOFF_DAY * 24, false, 9, 2)];
    let of = |rows: &[Row]| features(project.path(), rows, &[]);
    assert_eq!(of(&before), of(&[before.as_slice(), &new_channel].concat()));
}
