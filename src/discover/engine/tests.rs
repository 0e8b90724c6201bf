//! The engine against a naive reading of the definitions, and: nothing from after the cutoff.

use proptest::prelude::*;

use super::*;
use crate::discover::catalogue::Feature;
use crate::source::{Events, Property, Values};
use crate::time::Duration;

const KINDS: [&str; 2] = ["visit", "purchase"];

/// One event as the tests write it: hour, kind, amount, product, hours until it was known.
type Row = (i64, usize, Option<f64>, Option<u32>, i64);

const HOUR: i64 = DAY / 24;

fn table(mut rows: Vec<Row>) -> Events {
    rows.sort_by_key(|row| (row.0, row.1));
    let known: Vec<i64> = rows.iter().map(|row| (row.0 + row.4) * HOUR).collect();
    Events {
        person: vec![0; rows.len()],
        time: rows.iter().map(|row| row.0 * HOUR).collect(),
        known_at: known.iter().zip(&rows).any(|(known, row)| *known != row.0 * HOUR).then_some(known),
        kind: rows.iter().map(|row| u16::try_from(row.1).unwrap()).collect(),
        kinds: KINDS.map(str::to_owned).to_vec(),
        properties: vec![
            Property {
                name: "amount".into(),
                values: Values::Number(rows.iter().map(|row| row.2.unwrap_or(f64::NAN)).collect()),
            },
            Property {
                name: "product".into(),
                values: Values::Category {
                    codes: rows.iter().map(|row| row.3.unwrap_or(NO_LEVEL)).collect(),
                    levels: ["a", "b", "c"].map(str::to_owned).to_vec(),
                },
            },
        ],
        offsets: vec![0, u32::try_from(rows.len()).unwrap()],
    }
}

fn features() -> Vec<Feature> {
    let week = Some(Window(Duration::days(7)));
    let kind = || Some("purchase".to_owned());
    let mut features = Vec::new();
    for window in [week, None] {
        features.push(Feature::Count { kind: None, window });
        features.push(Feature::Count { kind: kind(), window });
        features.push(Feature::Distinct { kind: None, property: "product".into(), window });
        for statistic in [Statistic::Sum, Statistic::Mean, Statistic::Max] {
            features.push(Feature::Aggregate { kind: "purchase".into(), property: "amount".into(), statistic, window });
        }
    }
    features.push(Feature::Trend { kind: kind(), window: Window(Duration::days(7)) });
    features.push(Feature::Share { kind: kind(), property: "product".into(), level: "b".into() });
    features.push(Feature::DaysSinceFirst { kind: "purchase".into() });
    features.push(Feature::DaysSinceLast { kind: None });
    features.push(Feature::MeanGap { kind: kind() });
    features.push(Feature::Tenure);
    features
}

fn computed(events: &Events, cutoffs: &[i64]) -> Vec<Vec<f32>> {
    let (plan, _) = Plan::compile(&features(), events);
    let mut found = Vec::new();
    Totals::new(&plan).walk(0, cutoffs, |_, values| found.push(values.to_vec()));
    found
}

/// Each feature by its definition, looking at every event.
fn naive(events: &Events, feature: &Feature, cutoff: i64) -> f64 {
    let is = |kind: &Option<String>, row: usize| {
        kind.as_ref().is_none_or(|kind| events.kinds[usize::from(events.kind[row])] == *kind)
    };
    let within = |window: &Option<Window>, scale: i64, row: usize| {
        window.is_none_or(|window| events.time[row] >= cutoff - scale * window.0.micros)
    };
    let visible: Vec<usize> = (0..events.len()).filter(|&row| events.known(row).0 < cutoff).collect();
    let rows = |kind: &Option<String>, window: &Option<Window>, scale: i64| -> Vec<usize> {
        visible.iter().copied().filter(|&row| is(kind, row) && within(window, scale, row)).collect()
    };
    let (Values::Number(amounts), Values::Category { codes, .. }) =
        (&events.properties[0].values, &events.properties[1].values)
    else {
        unreachable!("the columns of `table`")
    };
    let days = |a: i64, b: i64| (b - a) as f64 / DAY as f64;
    match feature {
        Feature::Count { kind, window } => rows(kind, window, 1).len() as f64,
        Feature::Trend { kind, window } => {
            let (one, two) = (rows(kind, &Some(*window), 1).len(), rows(kind, &Some(*window), 2).len());
            one as f64 - (two - one) as f64
        }
        Feature::Aggregate { kind, statistic, window, .. } => {
            let values = rows(&Some(kind.clone()), window, 1).into_iter().map(|row| amounts[row]);
            let values: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
            match statistic {
                Statistic::Sum => values.iter().sum(),
                Statistic::Mean => values.iter().sum::<f64>() / values.len() as f64,
                Statistic::Max => values.iter().copied().fold(f64::NAN, f64::max),
            }
        }
        Feature::Distinct { kind, window, .. } => {
            let mut seen: Vec<u32> = rows(kind, window, 1).into_iter().map(|row| codes[row]).collect();
            seen.retain(|&code| code != NO_LEVEL);
            seen.sort_unstable();
            seen.dedup();
            seen.len() as f64
        }
        Feature::Share { kind, .. } => {
            let carried: Vec<u32> = rows(kind, &None, 1).into_iter().map(|row| codes[row]).collect();
            let carried: Vec<u32> = carried.into_iter().filter(|&code| code != NO_LEVEL).collect();
            carried.iter().filter(|&&code| code == 1).count() as f64 / carried.len() as f64
        }
        Feature::DaysSinceFirst { kind } => {
            let times = rows(&Some(kind.clone()), &None, 1).into_iter().map(|row| events.time[row]);
            times.min().map_or(f64::NAN, |first| days(first, cutoff))
        }
        Feature::DaysSinceLast { kind } => {
            let times = rows(kind, &None, 1).into_iter().map(|row| events.time[row]);
            times.max().map_or(f64::NAN, |last| days(last, cutoff))
        }
        Feature::MeanGap { kind } => {
            let mut times: Vec<i64> = rows(kind, &None, 1).into_iter().map(|row| events.time[row]).collect();
            times.sort_unstable();
            let gaps: Vec<f64> = times.windows(2).map(|pair| days(pair[0], pair[1])).collect();
            gaps.iter().sum::<f64>() / gaps.len() as f64
        }
        Feature::Tenure => {
            visible.iter().map(|&row| events.time[row]).min().map_or(f64::NAN, |first| days(first, cutoff))
        }
        other => unreachable!("{other:?} is not of events"),
    }
}

fn same(found: f32, expected: f64) -> bool {
    (found.is_nan() && expected.is_nan()) || (f64::from(found) - expected).abs() <= 1e-5 * expected.abs().max(1.0)
}

fn any_row() -> impl Strategy<Value = Row> {
    let amount = proptest::option::of((1_i32..5000).prop_map(|cents| f64::from(cents) / 100.0));
    let delay = prop_oneof![4 => Just(0_i64), 1 => 0_i64..400];
    (0_i64..1000, 0_usize..2, amount, proptest::option::of(0_u32..3), delay)
}

proptest! {
    #[test]
    fn features_are_what_their_definitions_say(
        rows in proptest::collection::vec(any_row(), 0..40),
        mut cutoffs in proptest::collection::vec(0_i64..1100, 1..6),
    ) {
        cutoffs.sort_unstable();
        let cutoffs: Vec<i64> = cutoffs.into_iter().map(|hour| hour * HOUR).collect();
        let events = table(rows);
        for (values, &cutoff) in computed(&events, &cutoffs).iter().zip(&cutoffs) {
            for (feature, &found) in features().iter().zip(values) {
                let expected = naive(&events, feature, cutoff);
                prop_assert!(same(found, expected), "{} at {cutoff}: {found} is not {expected}", feature.name());
            }
        }
    }

    #[test]
    fn nothing_from_after_the_cutoff(
        before in proptest::collection::vec(any_row(), 0..30),
        after in proptest::collection::vec(any_row(), 0..10),
        other in proptest::collection::vec(any_row(), 0..10),
        earlier in 0_i64..499,
    ) {
        let cutoff = 500;
        let before: Vec<Row> = before.into_iter().map(|mut row| { row.0 %= cutoff; row }).collect();
        let late = |rows: Vec<Row>| rows.into_iter().map(move |mut row| { row.0 = row.0 % 300 + cutoff; row });
        let one = table(before.iter().copied().chain(late(after)).collect());
        let two = table(before.iter().copied().chain(late(other)).collect());
        let cutoffs = [earlier * HOUR, cutoff * HOUR];
        let bits = |events: &Events, cutoffs: &[i64]| -> Vec<Vec<u32>> {
            computed(events, cutoffs).iter().map(|row| row.iter().map(|value| value.to_bits()).collect()).collect()
        };
        prop_assert_eq!(bits(&one, &cutoffs), bits(&two, &cutoffs));
        // Nor does it matter which other cutoffs are asked for.
        prop_assert_eq!(&bits(&one, &cutoffs)[1], &bits(&one, &cutoffs[1..])[0]);
    }
}
