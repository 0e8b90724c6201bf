//! The signals of tables whose relation to the outcome is known.

use super::*;
use crate::discover::catalogue::StageRecipe;
use crate::discover::{Attribute, Table};
use crate::map::Outcome;

fn recipe(names: &[&str]) -> Recipe {
    let stage = |name: &str| StageRecipe {
        name: name.into(),
        enter: None,
        silence: None,
        from: Vec::new(),
        exits: Vec::new(),
        re_entry: crate::spec::ReEntry::default(),
    };
    let attribute = |name: &&str| {
        Feature::Attribute(Attribute {
            column: name.trim_start_matches("attr.").into(),
            values: AttributeValues::Number,
        })
    };
    Recipe {
        format_version: 1,
        snapshot: true,
        person: None,
        table: None,
        outcome_columns: Vec::new(),
        kinds: Vec::new(),
        features: names.iter().map(attribute).collect(),
        stages: vec![stage("lead"), stage("customer")],
        from: vec![0],
        to: vec![1],
    }
}

/// Examples of as many people; every third is of the test.
fn examples(columns: Vec<(&str, Cells)>, labels: &[bool]) -> Examples {
    let n = labels.len();
    let columns = columns.into_iter().map(|(name, cells)| Column { name: name.into(), cells });
    Examples {
        person: (0..u32::try_from(n).unwrap()).collect(),
        cutoff: vec![0; n],
        split: (0..n).map(|row| if row % 3 == 2 { Split::Test } else { Split::Train }).collect(),
        outcome: labels.iter().map(|&label| if label { Outcome::Attained } else { Outcome::Stayed }).collect(),
        features: Table { columns: columns.collect(), n_rows: n },
        ..Examples::default()
    }
}

fn numbers(of: impl Fn(usize) -> f32, n: usize) -> Cells {
    Cells::Number((0..n).map(of).collect())
}

/// A number between 0 and 1 that looks random.
fn noise(row: usize, stream: u64) -> f32 {
    let digest = blake3::hash(&[row.to_le_bytes(), stream.to_le_bytes()].concat());
    f32::from(u16::from_le_bytes([digest.as_bytes()[0], digest.as_bytes()[1]])) / 65_536.0
}

/// A number about 0 that looks normal, moved up where `moved`.
fn bell(row: usize, stream: u64, moved: bool, by: f32) -> f32 {
    let sum: f32 = (0..12).map(|part| noise(row, 100 * stream + part)).sum();
    sum - 6.0 + if moved { by } else { 0.0 }
}

const N: usize = 3000;

fn labels() -> Vec<bool> {
    (0..N).map(|row| noise(row, 0) < 0.1).collect()
}

fn told<'a>(signals: &'a [Signal], name: &str) -> &'a Signal {
    signals.iter().find(|signal| signal.feature == name).unwrap()
}

#[test]
fn a_sentence_tells_who_attains_more_often() {
    // Three visits or more: 30 % attain, of the others 5 %.
    let visits = |row: usize| (noise(row, 1) * 6.0).floor();
    let labels: Vec<bool> = (0..N).map(|row| noise(row, 0) < if visits(row) >= 3.0 { 0.3 } else { 0.05 }).collect();
    let columns = vec![
        ("visit.count.30d", numbers(visits, N)),
        ("visit.count.90d", numbers(|row| visits(row) + 0.2 * noise(row, 2), N)),
        ("attr.height", numbers(|row| noise(row, 3), N)),
    ];
    let signals = signals(&examples(columns, &labels), &recipe(&[]));
    let (visits, height) = (told(&signals, "visit.count.30d"), told(&signals, "attr.height"));
    let best = visits.best.as_ref().unwrap();
    assert_eq!(best.who, "people with 3 or more visits in the last 30 days");
    assert!(
        best.sentence.starts_with("People with 3 or more visits in the last 30 days move to customer "),
        "{best:?}"
    );
    let (lift, low, high) = best.contrast.lift.unwrap();
    assert!(low < 6.0 && 6.0 < high && lift > 3.0, "{best:?}");
    assert!(visits.q_value.unwrap() < 1e-6 && visits.is_told());
    assert!(!height.is_told(), "{height:?}");
    assert_eq!(told(&signals, "visit.count.90d").representative, signals[0].feature);
}

#[test]
fn what_is_filled_in_by_the_outcome_is_certain() {
    let labels = labels();
    let yes = |row: usize| labels[row];
    let columns = vec![
        // Filled in for two of three converters, and for nobody else.
        ("attr.cancel_reason", numbers(|row| if yes(row) && noise(row, 1) < 0.67 { 1.0 } else { f32::NAN }, N)),
        // The outcome by another name, with slips.
        ("attr.flag", numbers(|row| f32::from(u8::from(yes(row) != (noise(row, 2) < 0.003))), N)),
        // An id that converters were given first.
        ("attr.account_no", numbers(|row| row as f32 + if yes(row) { 0.0 } else { 50_000.0 }, N)),
        ("attr.age", numbers(|row| bell(row, 4, yes(row), 0.8), N)),
    ];
    let signals = signals(&examples(columns, &labels), &recipe(&[]));
    for name in ["attr.cancel_reason", "attr.flag", "attr.account_no"] {
        let leak = told(&signals, name).leak.as_ref().unwrap_or_else(|| panic!("{name} is not named"));
        assert_eq!(leak.grade, Grade::Certain, "{name}: {}", leak.why);
    }
    assert_eq!(told(&signals, "attr.age").leak, None);
}

#[test]
fn a_number_that_decides_by_degrees_is_no_certain_leak() {
    // As a balance decides a default: of the lowest half nobody, of the highest hundredth nearly everybody.
    let balance = |row: usize| bell(row, 1, false, 0.0);
    let of_balance = |slope: f32, at: f32| -> Vec<bool> {
        (0..N).map(|row| noise(row, 2) < 1.0 / (1.0 + (-slope * (balance(row) - at)).exp())).collect()
    };
    for (slope, at, named) in [(4.0, 1.8, true), (3.0, 0.5, false)] {
        let labels = of_balance(slope, at);
        let refund = |row: usize| if labels[row] { 1.0 + noise(row, 3) } else { 0.0 };
        let columns = vec![
            ("attr.balance", numbers(balance, N)),
            ("attr.paid_back", numbers(refund, N)),
            ("attr.age", numbers(|row| noise(row, 4), N)),
        ];
        let signals = signals(&examples(columns, &labels), &recipe(&[]));
        let (honest, filled_in) = (told(&signals, "attr.balance"), told(&signals, "attr.paid_back"));
        assert!(honest.auc.unwrap() > 0.9, "{honest:?}");
        let grade = honest.leak.as_ref().map(|leak| leak.grade);
        assert_eq!(grade, named.then_some(Grade::Suspected), "{:?} {:?}", honest.auc, honest.leak);
        assert_eq!(filled_in.leak.as_ref().unwrap().grade, Grade::Certain);
    }
}

#[test]
fn a_small_part_in_which_everybody_attains_is_no_certain_leak() {
    // One in fifty holds four products, and all of them leave; of the others one in five.
    let products = |row: usize| u32::from(noise(row, 1) < 0.02);
    let labels: Vec<bool> = (0..N).map(|row| products(row) == 1 || noise(row, 0) < 0.2).collect();
    let cells = |levels: &[&str], code: &dyn Fn(usize) -> u32| Cells::Category {
        codes: (0..N).map(code).collect(),
        levels: levels.iter().map(|&level| level.to_owned()).collect(),
    };
    let reason = |row: usize| if labels[row] { 1 + u32::from(noise(row, 2) < 0.5) } else { 0 };
    let columns = vec![
        ("attr.products", cells(&["one", "four"], &products)),
        ("attr.why", cells(&["none", "price", "service"], &reason)),
        ("attr.age", numbers(|row| noise(row, 3), N)),
    ];
    let signals = signals(&examples(columns, &labels), &recipe(&[]));
    assert_eq!(told(&signals, "attr.products").leak.as_ref().unwrap().grade, Grade::Suspected);
    assert_eq!(told(&signals, "attr.why").leak.as_ref().unwrap().grade, Grade::Certain);
}

#[test]
fn a_field_that_the_checkout_asked_for_is_suspected() {
    // Those who attain later have it too; who never does, never gives it.
    let labels = labels();
    let given = |row: usize| labels[row] || noise(row, 1) < 0.4;
    let columns = vec![
        ("attr.profession", numbers(|row| if given(row) { (noise(row, 2) * 5.0).floor() } else { f32::NAN }, N)),
        ("attr.age", numbers(|row| noise(row, 3), N)),
    ];
    let signals = signals(&examples(columns, &labels), &recipe(&[]));
    assert!(told(&signals, "attr.profession").leak.is_some());
    assert_eq!(told(&signals, "attr.age").leak, None);
}

#[test]
fn the_length_of_the_call_that_sold_is_named_and_a_strong_honest_feature_is_not() {
    let labels = labels();
    let call = |row: usize| {
        let seconds = 60.0 + 500.0 * noise(row, 1) * noise(row, 2);
        if labels[row] { seconds + 200.0 + 300.0 * noise(row, 3) } else { seconds * noise(row, 4) }
    };
    let honest = |row: usize| bell(row, 5, labels[row], 1.3);
    let columns = vec![
        ("attr.call_duration", numbers(call, N)),
        ("attr.balance", numbers(honest, N)),
        ("attr.age", numbers(|row| bell(row, 6, labels[row], 0.9), N)),
        ("attr.income", numbers(|row| bell(row, 7, labels[row], 0.9), N)),
    ];
    let signals = signals(&examples(columns, &labels), &recipe(&[]));
    assert!(told(&signals, "attr.balance").auc.unwrap() > 0.8);
    let named: Vec<&str> = signals.iter().filter(|s| s.leak.is_some()).map(|s| s.feature.as_str()).collect();
    assert_eq!(named, ["attr.call_duration"]);
}

#[test]
fn of_features_that_say_nothing_hardly_one_is_called_a_signal() {
    let labels = labels();
    let names: Vec<String> = (0..200).map(|feature| format!("attr.f{feature}")).collect();
    let columns = (10..).zip(&names).map(|(stream, name)| (name.as_str(), numbers(|row| noise(row, stream), N)));
    let signals = signals(&examples(columns.collect(), &labels), &recipe(&[]));
    let below = |of: fn(&Signal) -> Option<f64>| signals.iter().filter(|s| of(s).is_some_and(|p| p < 0.05)).count();
    assert!((2..=20).contains(&below(|signal| signal.p_value)), "{}", below(|signal| signal.p_value));
    assert_eq!(below(|signal| signal.q_value), 0);
}

#[test]
fn the_words_of_a_name_are_found() {
    let outcome = vec!["churned".to_owned()];
    assert_eq!(leak::telling_word("attr.ChurnReason", &outcome), Some("churn".into()));
    assert_eq!(leak::telling_word("attr.call_duration_s", &[]), Some("duration".into()));
    assert_eq!(leak::telling_word("attr.last_call_duration", &[]), None);
    assert_eq!(leak::telling_word("attr.Contract", &outcome), None);
    assert_eq!(leak::telling_word("attr.poutcome", &[]), None);
}
