//! Counted by hand, and against fairlearn.

use super::groups::Groups;
use super::rates::{findings, of_groups};
use super::skew::skew;
use crate::discover::{Cells, Column, Examples, Split, Table};
use crate::map::Outcome;
use crate::predict::Tested;
use crate::predict::blend::Blend;
use crate::predict::calibration::Calibrator;
use crate::predict::estimator::Fitted;

/// Examples of `label`, one per person at one cutoff, all in the test.
fn examples(label: &[bool]) -> Examples {
    let n = label.len();
    let outcome = |&label: &bool| if label { Outcome::Attained } else { Outcome::Stayed };
    Examples {
        ids: (0..n).map(|person| format!("{person:04}")).collect(),
        person: (0..).take(n).collect(),
        cutoff: vec![0; n],
        stage: vec![0; n],
        stages: vec!["a".into()],
        split: vec![Split::Test; n],
        outcome: label.iter().map(outcome).collect(),
        features: Table { columns: Vec::new(), n_rows: n },
        snapshot: true,
        order: None,
    }
}

fn judged(propensity: &[f64]) -> Tested {
    Tested {
        rows: (0..).take(propensity.len()).collect(),
        propensity: propensity.to_vec(),
        model: Fitted::Blend(Blend { intercept: 0.0, parts: Vec::new() }),
        calibration: Calibrator::Identity,
    }
}

#[test]
fn rates_of_groups_are_those_counted_by_hand() {
    // Forty of a, of whom the first ten attained; sixty of b, of whom the first twenty did. Propensities: the best ten are 6 of a (4
    // of them attained) and 4 of b (all attained).
    let group: Vec<u16> = (0..100).map(|row| u16::from(row >= 40)).collect();
    let label: Vec<bool> = (0..100).map(|row| row < 10 || (40..60).contains(&row)).collect();
    let best = [0, 1, 2, 3, 38, 39, 40, 41, 42, 43];
    let propensity: Vec<f64> = (0..100).map(|row| if best.contains(&row) { 0.9 } else { 0.1 }).collect();
    let groups = Groups { names: vec!["a".into(), "b".into()], of: group };
    let rates = of_groups(&groups, &examples(&label), &judged(&propensity));
    let at = |group: usize| rates[group].sizes.iter().find(|at| (at.size - 0.1).abs() < 1e-12).unwrap();
    let counts = |share: super::rates::Share| (share.rate.n_attained, share.rate.n_eligible);
    assert_eq!(counts(at(0).selection_rate), (6, 40));
    assert_eq!(counts(at(1).selection_rate), (4, 60));
    assert_eq!(counts(at(0).true_positive_rate), (4, 10));
    assert_eq!(counts(at(1).true_positive_rate), (4, 20));
    assert_eq!(counts(at(0).false_positive_rate), (2, 30));
    assert_eq!(counts(at(1).false_positive_rate), (0, 40));
    assert_eq!(counts(at(0).precision), (4, 6));
    assert_eq!(counts(at(1).precision), (4, 4));
    let ratio = at(1).selection_ratio.unwrap();
    assert!((ratio.value - (4.0 / 60.0) / (6.0 / 40.0)).abs() < 1e-12);
    // Katz: ln(4/9) ± 1.96 · √(1/4 − 1/60 + 1/6 − 1/40).
    let half = 1.959_963_984_540_054 * (1.0_f64 / 4.0 - 1.0 / 60.0 + 1.0 / 6.0 - 1.0 / 40.0).sqrt();
    assert!((ratio.high - (4.0 / 9.0) * half.exp()).abs() < 1e-12);
    assert!((at(0).selection_ratio.unwrap().value - 1.0).abs() < 1e-12);
    assert!((rates[0].mean_propensity.unwrap() - (6.0 * 0.9 + 34.0 * 0.1) / 40.0).abs() < 1e-12);
    assert_eq!(counts(rates[1].observed), (20, 60));
}

#[test]
fn a_group_that_is_never_chosen_is_spoken_of() {
    let n = 1000;
    let group: Vec<u16> = (0..n).map(|row| u16::from(row % 2 == 0)).collect();
    let label: Vec<bool> = (0..n).map(|row| row % 5 == 0).collect();
    let propensity: Vec<f64> = (0..n).map(|row| if row % 2 == 0 { 0.1 } else { 0.3 }).collect();
    let groups = Groups { names: vec!["men".into(), "women".into()], of: group };
    let rates = of_groups(&groups, &examples(&label), &judged(&propensity));
    let findings = findings("sex", &rates).join("\n");
    assert!(findings.contains("0.00 times as many of sex women as of sex men"), "{findings}");
    assert!(findings.contains("Of those who do move, the best tenth reaches 0.0 % (0 of 100"), "{findings}");
    assert!(findings.contains("The propensities of sex men are above what came true: 30.0 % on average"), "{findings}");
}

#[test]
fn an_audience_that_is_more_skewed_than_its_seed_is_spoken_of() {
    // Of seed, pool and audience 60, 50 and 90 % are women.
    let parts = [(1000, 600), (4000, 2000), (1000, 900)];
    let codes = parts.iter().flat_map(|&(n, women)| (0..n).map(move |row| u32::from(row < women))).collect();
    let levels = vec!["men".to_owned(), "women".to_owned()];
    let column = Column { name: "attr.sex".into(), cells: Cells::Category { codes, levels } };
    let found = skew(&Table { columns: vec![column], n_rows: 6000 }, [1000, 4000, 1000]);
    let women = &found[1];
    assert!((women.seed_skew.unwrap().value - 1.2).abs() < 1e-12);
    assert!((women.audience_skew.unwrap().value - 1.8).abs() < 1e-12);
    assert!((women.amplification.unwrap().value - 1.5).abs() < 1e-12);
    assert!(women.finding.as_ref().unwrap().contains("1.50 times the seed's share"));
    assert!(found[0].finding.is_some(), "men are as much too few");
}
