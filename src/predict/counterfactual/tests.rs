//! On a linear model whose answer is known, and trees whose cells can be counted.

use std::collections::BTreeMap;

use super::super::estimator::{Fitted, Window};
use super::super::tests::{People, people};
use super::super::{boosting::Boosting, calibration::Calibrator, logistic::Logistic};
use super::*;
use crate::predict::estimator::Estimator;

fn fitted(people: &People, estimator: &dyn Estimator) -> Fitted {
    let rows = people.rows();
    let prepared = estimator.prepare(people.data(), &rows).unwrap();
    let (judge, fit) = rows.iter().partition(|&&row| row % 4 == 0);
    let settings = prepared.tune(&[Window { fit, judge }]).unwrap().settings;
    prepared.fit(&rows, &settings).unwrap()
}

fn free() -> Actionable {
    Actionable { direction: None, step: None, to: Vec::new(), cost: 1.0 }
}

#[test]
fn no_cheaper_value_of_one_feature_reaches_the_goal() {
    let people = people(1_500, 31);
    for estimator in [&Logistic::default() as &dyn Estimator, &Boosting::default()] {
        let model = fitted(&people, estimator);
        let scorer = Scorer { model: &model, calibration: &Calibrator::Identity };
        let actionable =
            BTreeMap::from([("visit.count.90d".to_owned(), Actionable { direction: Some(Direction::Up), ..free() })]);
        let propensities = scorer.propensities(&people.table, &people.rows()).unwrap();
        let Cells::Number(counts) = &people.table.columns[1].cells else { panic!() };
        let row = (0..1500).find(|&row| propensities[row] < 0.2 && counts[row] <= 2.0).unwrap();
        let goal = propensities[row] + 0.1;
        let found = counterfactual(scorer, &people.table, row as u32, &actionable, goal).unwrap();
        assert!(found.reached && found.is_smallest && found.propensity >= goal, "{found:?}");
        let Value::Number(to) = found.changes[0].to else { panic!() };
        // Every value that somebody has between now and there stays below the goal.
        let mut between: Vec<f32> =
            counts.iter().copied().filter(|&value| value > counts[row] && f64::from(value) < to).collect();
        between.sort_unstable_by(f32::total_cmp);
        between.dedup();
        let mut table = people.table.take(&vec![row as u32; between.len()]);
        table.columns[1].cells = Cells::Number(between.clone());
        let rows: Vec<u32> = (0..between.len() as u32).collect();
        // Of a linear model the hundredths of the people are tried: a value may lie between two of them.
        if estimator.name() == "boosting" {
            assert!(scorer.propensities(&table, &rows).unwrap().iter().all(|&propensity| propensity < goal));
        }
    }
}

#[test]
fn what_cannot_be_reached_is_said() {
    let people = people(1_500, 32);
    let model = fitted(&people, &Logistic::default());
    let scorer = Scorer { model: &model, calibration: &Calibrator::Identity };
    let actionable = BTreeMap::from([("attr.noise".to_owned(), free())]);
    let found = counterfactual(scorer, &people.table, 0, &actionable, 0.999).unwrap();
    assert!(!found.reached && !found.is_smallest);
    assert!(found.propensity < 0.999);
    let unknown = BTreeMap::from([("attr.noize".to_owned(), free())]);
    let error = counterfactual(scorer, &people.table, 0, &unknown, 0.9).unwrap_err();
    assert!(error.hints().iter().any(|hint| hint.contains("attr.noise")), "{error:?}");
    let level = BTreeMap::from([("attr.channel".to_owned(), Actionable { to: vec!["emial".into()], ..free() })]);
    let error = counterfactual(scorer, &people.table, 0, &level, 0.9).unwrap_err();
    assert!(error.hints().iter().any(|hint| hint.contains("email")), "{error:?}");
}
