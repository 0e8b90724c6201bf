//! On people whose truth is known: a number that counts by its distance from zero, a count, a channel, and noise.

use super::insight;
use crate::discover::Examples;
use crate::predict::estimator::{Estimator, Window};
use crate::predict::tests::{People, people};
use crate::predict::{Tested, blend::Blending, boosting::Boosting, calibration::Calibrator, logistic::Logistic};

fn judged(people: &People, estimator: &dyn Estimator) -> (Examples, Tested) {
    let rows = people.rows();
    let prepared = estimator.prepare(people.data(), &rows).unwrap();
    let (judge, fit) = rows.iter().partition(|&&row| row % 4 == 0);
    let settings = prepared.tune(&[Window { fit, judge }]).unwrap().settings;
    let model = prepared.fit(&rows, &settings).unwrap();
    (people.snapshot(), Tested { propensity: vec![0.0; rows.len()], rows, model, calibration: Calibrator::Identity })
}

#[test]
fn what_counts_weighs_and_what_says_nothing_does_not() {
    let people = people(3_000, 41);
    let (examples, judged) = judged(&people, &Boosting::default());
    let insight = insight(&examples, &judged, 7).unwrap();
    let place = |name: &str| insight.importance.iter().position(|one| one.feature == name).unwrap();
    let of = |name: &str| &insight.importance[place(name)];
    assert!(place("visit.count.90d") < place("attr.noise"));
    let count = of("visit.count.90d").permutation.unwrap();
    assert!(count.low > 0.0, "shuffling what counts makes it worse: {count:?}");
    let gains: f64 = insight.importance.iter().map(|one| one.gain_share.unwrap()).sum();
    assert!((gains - 1.0).abs() < 1e-9);
    // `attr.number` and its twin share the weight of |x|: low in the middle, high at either end.
    let dependence =
        insight.dependence.iter().find(|of| of.feature == "attr.number" || of.feature == "attr.same").unwrap();
    let means: Vec<f64> = dependence.bins.iter().map(|bin| bin.mean).collect();
    let (first, middle, last) = (means[0], means[means.len() / 2], means[means.len() - 1]);
    assert!(first > middle && last > middle, "{means:?}");
    let n: u64 = dependence.bins.iter().map(|bin| bin.n).sum();
    assert_eq!(n, 3_000);
}

#[test]
fn a_sum_of_terms_has_no_interactions_and_a_blend_those_of_its_trees() {
    let people = people(2_000, 42);
    let (examples, linear) = judged(&people, &Logistic::default());
    assert!(insight(&examples, &linear, 7).unwrap().interactions.is_empty());
    let parts: Vec<Box<dyn Estimator>> = vec![Box::new(Logistic::default()), Box::new(Boosting::default())];
    let (examples, blend) = judged(&people, &Blending { parts });
    let found = insight(&examples, &blend, 7).unwrap().interactions;
    assert!(found.windows(2).all(|pair| pair[0].strength >= pair[1].strength));
    assert!(found.iter().all(|pair| pair.feature != pair.with && pair.n > 0));
}
