//! Tests whose truth is planted: a treatment that changes some, all alike, or that was not given at random.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;

use super::*;
use crate::discover::{Cells, Column, Table};
use crate::error::Kind;
use crate::spec::{Estimator, Model};

/// How a test is planted.
#[derive(Debug, Clone, Copy)]
struct Planted {
    n: u32,
    /// What the treatment adds to those with `a` above 0, and to the others.
    lifts: [f64; 2],
    /// How much `a` draws people into the treatment.
    choosing: f64,
    /// Whether a column that was filled in after stands among the features.
    leaks: bool,
}

impl Planted {
    fn trial(self) -> Trial {
        let mut random = ChaCha8Rng::seed_from_u64(11);
        let mut chance = || random.random::<f64>();
        let (mut a, mut b, mut treated, mut outcome) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for _ in 0..self.n {
            let (first, second) = (chance() - 0.5, chance());
            let is_treated = chance() < 0.5 + self.choosing * first;
            let lift = if is_treated { self.lifts[usize::from(first <= 0.0)] } else { 0.0 };
            outcome.push(chance() < 0.1 + 0.1 * second + lift);
            treated.push(Some(is_treated));
            a.push(first as f32);
            b.push(second as f32);
        }
        let after =
            outcome.iter().map(|&outcome| if outcome { f32::from(u8::from(chance() < 0.3)) } else { 0.0 }).collect();
        let number = |name: &str, values| Column { name: name.into(), cells: Cells::Number(values) };
        let mut columns = vec![number("attr.a", a), number("attr.b", b)];
        columns.extend(self.leaks.then(|| number("attr.spend", after)));
        Trial {
            person: (0..self.n).map(|at| format!("p{at}")).collect(),
            treated,
            outcome,
            features: Table { columns, n_rows: self.n as usize },
        }
    }
}

const CHANGED: Planted = Planted { n: 6000, lifts: [0.2, 0.0], choosing: 0.0, leaks: false };

fn asked(halves: usize) -> Uplift {
    Uplift {
        name: "test".into(),
        treatment: "group = 'mail'".into(),
        control: "group = 'none'".into(),
        outcome: "responded".into(),
        after: Vec::new(),
        exclude: Vec::new(),
        learner: UpliftLearner::Auto,
        model: Model { estimator: Estimator::Logistic, ..Model::default() },
        halves,
    }
}

#[test]
fn every_learner_finds_those_whom_the_treatment_changes() {
    let trial = CHANGED.trial();
    let done = uplift(&trial, &asked(4), 7).unwrap();
    assert!(done.evaluation.beats_random, "{}", done.evaluation.sentence);
    for learner in &done.evaluation.learners {
        // 20 points for half of the people: the best 30 % have 20, all have 10, ± 2.6 and 1.0 (standard errors).
        assert!((learner.uplift_best[2].value - 0.2).abs() < 0.08, "{learner:?}");
        assert!((learner.uplift_best[9].value - 0.1).abs() < 0.03, "{learner:?}");
        assert!(learner.qini.low > 0.0, "{learner:?}");
        // g is 0.1 from the half on: ∫ g = 0.075 against 0.05.
        assert!((learner.area_over_random.unwrap().value - 0.5).abs() < 0.25, "{learner:?}");
    }
    let Cells::Number(a) = &trial.features.columns[0].cells else { unreachable!() };
    let mean = |wanted: bool| {
        let of: Vec<f64> =
            (0..a.len()).filter(|&at| (a[at] > 0.0) == wanted).map(|at| done.scores.uplift[at]).collect();
        of.iter().sum::<f64>() / of.len() as f64
    };
    assert!(mean(true) > 0.14 && mean(false) < 0.06, "{} {}", mean(true), mean(false));
}

#[test]
fn where_all_are_changed_alike_no_ranking_beats_random() {
    let done = uplift(&Planted { lifts: [0.1, 0.1], ..CHANGED }.trial(), &asked(2), 7).unwrap();
    assert!(
        !done.evaluation.beats_random && done.evaluation.sentence.starts_with("No ranking beats random beyond noise")
    );
    assert!((done.evaluation.effect.value - 0.1).abs() < 0.03);
}

#[test]
fn without_chance_in_it_there_is_no_answer() {
    let error = uplift(&Planted { choosing: 0.6, ..CHANGED }.trial(), &asked(2), 7).unwrap_err();
    assert_eq!(error.kind(), Kind::Quality);
    assert!(error.to_string().contains("was not given at random") && error.to_string().contains("`attr.a`"), "{error}");
    let error = uplift(&Planted { leaks: true, ..CHANGED }.trial(), &asked(2), 7).unwrap_err();
    assert_eq!(error.kind(), Kind::Quality);
    assert!(
        error.to_string().contains("feature `attr.spend` knows the outcome")
            && error.to_string().contains("add \"spend\""),
        "{error}"
    );
}

#[test]
fn a_group_in_which_nobody_responded_is_a_data_error() {
    let mut trial = CHANGED.trial();
    trial.outcome.iter_mut().zip(&trial.treated).for_each(|(outcome, treated)| *outcome &= *treated == Some(true));
    let error = uplift(&trial, &asked(2), 7).unwrap_err();
    assert_eq!(error.kind(), Kind::Data);
    assert!(error.to_string().contains("0 of 3,0") || error.to_string().contains("0 of 2,9"), "{error}");
}

#[test]
fn the_order_of_people_changes_nothing() {
    let trial = Planted { n: 1500, ..CHANGED }.trial();
    let turned = {
        let order: Vec<u32> = (0..1500).rev().collect();
        let pick = |at: &u32| *at as usize;
        Trial {
            person: order.iter().map(|at| trial.person[pick(at)].clone()).collect(),
            treated: order.iter().map(|at| trial.treated[pick(at)]).collect(),
            outcome: order.iter().map(|at| trial.outcome[pick(at)]).collect(),
            features: trial.features.take(&order),
        }
    };
    let (first, second) = (uplift(&trial, &asked(2), 7).unwrap(), uplift(&turned, &asked(2), 7).unwrap());
    let sorted = |scores: &Scores| {
        let mut pairs: Vec<(String, f64)> = scores.person.iter().cloned().zip(scores.uplift.iter().copied()).collect();
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        pairs
    };
    for (first, second) in sorted(&first.scores).iter().zip(sorted(&second.scores)) {
        assert!(first.0 == second.0 && (first.1 - second.1).abs() < 1e-9, "{first:?} {second:?}");
    }
    let area = |done: &Uplifted| done.evaluation.learners[0].auuc_over_random.value;
    assert!((area(&first) - area(&second)).abs() < 1e-9);
}

#[test]
fn the_interval_of_halves_by_hand() {
    // Mean 3, variance 2.5; t(4) = 2.776; √((1/5 + 1) 2.5) = √3.
    let found = interval(&[1.0, 2.0, 3.0, 4.0, 5.0], 10);
    assert!((found.value - 3.0).abs() < 1e-12 && (found.high - (3.0 + 2.776 * 3.0_f64.sqrt())).abs() < 1e-9);
    // scipy.stats.t.ppf(0.975, 12) and (0.975, 40)
    assert!((t_975(12) - 2.178_812_8).abs() < 1e-2 && (t_975(40) - 2.021_075_4).abs() < 1e-3);
}
