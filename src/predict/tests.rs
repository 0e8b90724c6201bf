//! The contract that every estimator passes, and the whole phase on people whose truth is known.

use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::linear::logistic_regression::{
    LogisticRegression as SmartLogistic, LogisticRegressionParameters as SmartParameters,
};

use super::bayes::Bayes;
use super::blend::Blending;
use super::blocks::{Block, ROWS};
use super::boosting::{Boosting, Forest};
use super::correct::Corrected;
use super::design::{Design, Lines};
use super::estimator::{Data, Estimator, Fitted};
use super::logistic::Logistic;
use super::metrics::{Resampling, Scored, metrics};
use super::newton::{Iterate, Problem, logistic};
use super::{Bundle, Context, Predicted, predict, solver_linfa};
use crate::discover::table::NO_LEVEL;
use crate::discover::{Cells, Column, Examples, Split, Table};
use crate::map::Outcome;
use crate::spec::{Cutoffs, Estimator as Asked, Model, Prediction, Solver};
use crate::time::{DAY, Duration};

/// People with a number, a count with gaps, a category, and columns that say nothing; and their true chances.
pub(super) struct People {
    pub(super) table: Table,
    pub(super) label: Vec<bool>,
    chance: Vec<f64>,
    pub(super) key: Vec<u64>,
}

pub(super) fn people(n: usize, seed: u64) -> People {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut uniform = || f64::from(random.next_u32()) / f64::from(u32::MAX);
    let (mut number, mut count, mut code, mut noise) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut label, mut chance) = (Vec::new(), Vec::new());
    for _ in 0..n {
        let (x, events, level) = (4.0 * uniform() - 2.0, (1.0 / (uniform() + 0.02)).floor(), (uniform() * 3.0) as u32);
        let margin = -1.5 + x.abs() * 1.2 + 0.4 * events.ln() - if level == 2 { 1.0 } else { 0.0 };
        number.push(x as f32);
        count.push(if uniform() < 0.1 { f32::NAN } else { events as f32 });
        code.push(if uniform() < 0.05 { NO_LEVEL } else { level });
        noise.push(uniform() as f32);
        chance.push(logistic(margin));
        label.push(uniform() < logistic(margin));
    }
    let levels = ["ads", "email", "search"].map(str::to_owned).to_vec();
    let column = |name: &str, cells| Column { name: name.into(), cells };
    let columns = vec![
        column("attr.number", Cells::Number(number.clone())),
        column("visit.count.90d", Cells::Number(count)),
        column("attr.channel", Cells::Category { codes: code, levels }),
        column("attr.noise", Cells::Number(noise)),
        column("attr.same", Cells::Number(number)),
        column("attr.constant", Cells::Number(vec![3.0; n])),
        column("attr.missing", Cells::Number(vec![f32::NAN; n])),
        column("attr.nobody", Cells::Category { codes: vec![NO_LEVEL; n], levels: vec![] }),
    ];
    let key =
        (0..n).map(|row| u64::from_le_bytes(blake3::hash(&row.to_le_bytes()).as_bytes()[..8].try_into().unwrap()));
    People { table: Table { columns, n_rows: n }, label, chance, key: key.collect() }
}

impl People {
    pub(super) fn data(&self) -> Data<'_> {
        Data { table: &self.table, label: &self.label, weight: None, key: &self.key, seed: 7, out_of_time: false }
    }

    pub(super) fn rows(&self) -> Vec<u32> {
        (0..self.table.n_rows as u32).collect()
    }

    /// A snapshot of them: a fifth test, a fifth validation.
    pub(super) fn snapshot(&self) -> Examples {
        let split = |row: usize| [Split::Test, Split::Validation, Split::Train, Split::Train, Split::Train][row % 5];
        let outcome = |&label: &bool| if label { Outcome::Attained } else { Outcome::Stayed };
        Examples {
            ids: (0..self.table.n_rows).map(|row| format!("p{row:05}")).collect(),
            person: self.rows(),
            cutoff: vec![0; self.table.n_rows],
            stage: vec![0; self.table.n_rows],
            stages: vec!["prospect".into(), "buyer".into()],
            split: (0..self.table.n_rows).map(split).collect(),
            outcome: self.label.iter().map(outcome).collect(),
            features: self.table.clone(),
            snapshot: true,
            order: None,
        }
    }

    /// The same people at seven cutoffs, the last of them now.
    pub(super) fn events(&self) -> Examples {
        let n = self.table.n_rows;
        let at = |row: usize| i64::try_from(row * 7 / n).unwrap();
        let split = |row: usize| match at(row) {
            0..4 => Split::Train,
            4 => Split::Validation,
            5 => Split::Test,
            _ => Split::Unused,
        };
        let mut examples = self.snapshot();
        examples.cutoff = (0..n).map(|row| at(row) * 30 * DAY).collect();
        examples.split = (0..n).map(split).collect();
        for row in 0..n {
            if at(row) == 6 {
                examples.outcome[row] = Outcome::Immature;
            }
        }
        examples.snapshot = false;
        examples
    }
}

fn estimators() -> Vec<Box<dyn Estimator>> {
    let logistic = |solver| Box::new(Logistic { solver, ..Logistic::default() });
    vec![
        logistic(Solver::Newton),
        logistic(Solver::Linfa),
        Box::new(Boosting::default()),
        Box::new(Forest::default()),
        Box::new(Bayes),
        Box::new(Blending { parts: vec![logistic(Solver::Newton), Box::new(Boosting::default())] }),
        Box::new(Corrected { inner: Box::new(Boosting::default()), negatives: 0.5, attained_weight: 1.0 }),
    ]
}

fn fit(estimator: &dyn Estimator, people: &People, rows: &[u32]) -> Fitted {
    let prepared = estimator.prepare(people.data(), rows).unwrap();
    let (judge, fit) = rows.iter().partition(|&&row| people.key[row as usize].is_multiple_of(4));
    let tuned = prepared.tune(&[super::estimator::Window { fit, judge }]).unwrap();
    prepared.fit(rows, &tuned.settings).unwrap()
}

fn auc(propensity: &[f64], label: &[bool]) -> super::evaluation::Measured {
    let person: Vec<u32> = (0..label.len() as u32).collect();
    metrics(Scored { propensity, label, person: &person }, Resampling { seed: 1, resamples: 200 }).roc_auc.unwrap()
}

pub(super) fn asked(estimator: Asked, horizon: Option<Duration>) -> (Prediction, Context) {
    let prediction = Prediction {
        horizon,
        cutoffs: Cutoffs { every: Duration::days(30), count: 6 },
        model: Model { estimator, ..Model::default() },
        ..Prediction::new("buy", vec![0], vec![1])
    };
    let context = Context {
        from: vec!["prospect".into()],
        to: vec!["buyer".into()],
        horizon: horizon.map(|horizon| horizon.to_string()),
        seed: 7,
        recipe: serde_json::json!({ "format_version": 1 }),
        warnings: vec![],
    };
    (prediction, context)
}

pub(super) fn predicted(examples: &Examples, estimator: Asked) -> Predicted {
    let horizon = (!examples.snapshot).then_some(Duration::days(30));
    let (prediction, context) = asked(estimator, horizon);
    predict(examples, &prediction, &context).unwrap()
}

#[test]
fn every_estimator_keeps_the_contract() {
    let people = people(3_000, 1);
    let (learned, held_out): (Vec<u32>, Vec<u32>) = people.rows().into_iter().partition(|row| row % 3 != 0);
    for estimator in estimators() {
        let name = estimator.name();
        let fitted = fit(&*estimator, &people, &learned);
        let margins = fitted.margins(&people.table, &held_out).unwrap();
        assert!(margins.iter().all(|margin| margin.is_finite()), "{name}: a margin is not finite");

        let again = fit(&*estimator, &people, &learned).margins(&people.table, &held_out).unwrap();
        assert_eq!(margins, again, "{name}: another fit is another model");
        let turned: Vec<u32> = learned.iter().rev().copied().collect();
        let turned = fit(&*estimator, &people, &turned).margins(&people.table, &held_out).unwrap();
        let furthest = margins.iter().zip(&turned).map(|(one, other)| (one - other).abs()).fold(0.0, f64::max);
        assert!(furthest < 1e-9, "{name}: the order of rows matters: {furthest}");

        let propensity: Vec<f64> = margins.iter().map(|&margin| logistic(margin)).collect();
        let label = people.data().labels(&held_out);
        let base = label.iter().filter(|&&label| label).count() as f64 / label.len() as f64;
        let person = held_out.as_slice();
        let of = |propensity: &[f64]| {
            metrics(Scored { propensity, label: &label, person }, Resampling { seed: 1, resamples: 0 })
                .log_loss
                .unwrap()
        };
        assert!(of(&propensity).value < of(&vec![base; label.len()]).value, "{name} does not beat the base rate");

        let parts = fitted.contributions(&people.table, &held_out).unwrap();
        for (row, margin) in parts.values.chunks(fitted.features().len()).zip(&margins) {
            let sum = parts.average + row.iter().sum::<f64>();
            assert!((sum - margin).abs() < 1e-4, "{name}: contributions sum to {sum}, not {margin}");
        }
    }
}

#[test]
fn the_order_of_the_table_changes_no_score() {
    let people = people(2_000, 2);
    let order: Vec<u32> = people.rows().into_iter().rev().collect();
    let turned = People {
        table: people.table.take(&order),
        label: order.iter().map(|&row| people.label[row as usize]).collect(),
        chance: Vec::new(),
        key: order.iter().map(|&row| people.key[row as usize]).collect(),
    };
    for estimator in estimators() {
        let one = fit(&*estimator, &people, &people.rows()).margins(&people.table, &people.rows()).unwrap();
        let other = fit(&*estimator, &turned, &turned.rows()).margins(&turned.table, &order).unwrap();
        let furthest = one.iter().zip(&other).map(|(one, other)| (one - other).abs()).fold(0.0, f64::max);
        assert!(furthest < 1e-9, "{}: the order of the table matters: {furthest}", estimator.name());
    }
}

#[test]
fn a_bundle_that_was_saved_and_loaded_scores_to_the_bit() {
    let people = people(2_000, 3);
    let folder = tempfile::tempdir().unwrap();
    for estimator in [Asked::Bayes, Asked::Logistic, Asked::Boosting, Asked::Forest, Asked::Blend] {
        let bundle = predicted(&people.snapshot(), estimator).bundle;
        bundle.save(folder.path()).unwrap();
        let loaded = Bundle::load(folder.path()).unwrap();
        assert_eq!(loaded.to_bytes().unwrap(), bundle.to_bytes().unwrap());
        assert_eq!(loaded.score(&people.table).unwrap(), bundle.score(&people.table).unwrap());
    }
}

#[test]
fn one_and_two_threads_give_the_same_bytes() {
    let people = people(6_000, 4);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let predicted = predicted(&people.events(), Asked::Auto);
            let evaluation = serde_json::to_string(&predicted.evaluation).unwrap();
            (predicted.bundle.to_bytes().unwrap(), evaluation, predicted.scores)
        })
    };
    assert!(run(1) == run(2));
}

#[test]
fn truth_comes_back() {
    let people = people(12_000, 5);
    let examples = people.events();
    for estimator in [Asked::Logistic, Asked::Boosting] {
        let predicted = predicted(&examples, estimator);
        let now = examples.eligible_now();
        let chance: Vec<f64> = now.iter().map(|&row| people.chance[row as usize]).collect();
        let label = people.data().labels(&now);
        // Ranking by the true chances is the best there is; gaps in the count hide a part of the truth.
        let (ours, best) = (auc(&predicted.scores.propensity, &label), auc(&chance, &label));
        assert!(ours.value > best.value - 0.015, "{estimator:?}: AUC {ours:?}, the truth has {best:?}");
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        assert!((mean(&predicted.scores.propensity) - mean(&chance)).abs() < 0.03);
        assert_eq!(predicted.scores.person.len(), now.len());
        assert!(predicted.scores.reasons.iter().any(|reasons| reasons[0].is_some()));
        assert!((mean(&predicted.scores.percentile) - 50.0).abs() < 1e-6);
        let splits: Vec<&str> = predicted.evaluation.cutoffs.iter().map(|cutoff| cutoff.split.as_str()).collect();
        assert_eq!(splits, ["train", "train", "train", "train", "validation", "test"]);
    }
}

#[test]
fn shuffled_labels_give_an_auc_of_one_half() {
    let mut people = people(4_000, 6);
    let mut random = ChaCha8Rng::seed_from_u64(8);
    for row in (1..people.label.len()).rev() {
        people.label.swap(row, (random.next_u32() as usize) % (row + 1));
    }
    for estimator in [Asked::Bayes, Asked::Logistic, Asked::Boosting, Asked::Forest, Asked::Blend] {
        let evaluation = predicted(&people.snapshot(), estimator).evaluation;
        let auc = evaluation.splits["test"].roc_auc.unwrap();
        assert!(auc.low < 0.5 && auc.high > 0.5, "{estimator:?}: {auc:?}");
        assert!(evaluation.warnings.iter().any(|warning| warning.contains("chance")), "{:?}", evaluation.warnings);
    }
}

#[test]
fn one_class_is_a_data_error_that_counts_and_advises() {
    let mut examples = people(300, 9).events();
    examples.outcome.iter_mut().for_each(|outcome| *outcome = Outcome::Stayed);
    let (prediction, context) = asked(Asked::Auto, Some(Duration::days(30)));
    let error = predict(&examples, &prediction, &context).unwrap_err();
    assert_eq!(error.exit_code(), 4);
    assert!(error.message().contains("nobody attained") && error.message().contains("training: 0 attained"), "{error}");
    assert!(error.hints()[0].contains("lengthen the horizon"));
}

#[test]
fn an_ordered_snapshot_is_judged_by_what_came_later() {
    let people = people(2_000, 10);
    let mut examples = people.snapshot();
    let n = people.table.n_rows;
    examples.order = Some((0..n as u32).collect());
    let split = |row: usize| match row * 25 / n {
        0..16 => Split::Train,
        16..20 => Split::Validation,
        _ => Split::Test,
    };
    examples.split = (0..n).map(split).collect();
    let evaluation = predicted(&examples, Asked::Auto).evaluation;
    assert!(evaluation.validation_scheme.starts_with("In time order"), "{}", evaluation.validation_scheme);
    assert_eq!(evaluation.candidates.len(), 3);
    assert_eq!(evaluation.splits["validation"].base_rate.n_eligible, 320);
    assert!(evaluation.validation_scheme.contains("cut into 2 parts"), "{}", evaluation.validation_scheme);
}

#[test]
fn a_table_that_lacks_a_column_is_refused_by_name() {
    let people = people(1_000, 11);
    let bundle = predicted(&people.snapshot(), Asked::Logistic).bundle;
    let mut table = people.table.clone();
    table.columns.remove(1);
    table.columns[0].name = "attr.nummber".into();
    let error = bundle.score(&table).unwrap_err().to_string();
    assert!(error.contains("`visit.count.90d`") && error.contains("is it `attr.nummber`?"), "{error}");
}

#[test]
fn a_level_never_seen_counts_as_missing() {
    let people = people(1_000, 12);
    for estimator in [Asked::Logistic, Asked::Boosting] {
        let bundle = predicted(&people.snapshot(), estimator).bundle;
        let with = |codes: Vec<u32>, levels: &[&str]| {
            let mut table = people.table.clone();
            let levels = levels.iter().map(|&level| level.to_owned()).collect();
            table.columns[2].cells = Cells::Category { codes, levels };
            bundle.score(&table).unwrap().propensity
        };
        let n = people.table.n_rows;
        let (unseen, missing) = (with(vec![0; n], &["fax"]), with(vec![NO_LEVEL; n], &[]));
        if estimator == Asked::Boosting {
            assert_eq!(unseen, missing);
        }
        // The order of the levels in the new table does not matter: they are known by their text.
        let as_is = bundle.score(&people.table).unwrap().propensity;
        let Cells::Category { codes, .. } = &people.table.columns[2].cells else { panic!("a category") };
        let turned = codes.iter().map(|&code| if code == NO_LEVEL { code } else { 2 - code }).collect();
        assert_eq!(with(turned, &["search", "email", "ads"]), as_is);
    }
}

#[test]
fn damaged_bundles_are_refused_and_never_panic() {
    let people = people(600, 13);
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for estimator in [Asked::Logistic, Asked::Boosting] {
        let bundle = predicted(&people.snapshot(), estimator).bundle;
        let bytes = bundle.to_bytes().unwrap();
        let table = people.table.take(&[0, 1, 2]);
        for _ in 0..400 {
            let mut damaged = bytes.clone();
            let at = random.next_u32() as usize % damaged.len();
            match random.next_u32() % 3 {
                0 => damaged[at] = b"0123456789-e.,[]{}\""[random.next_u32() as usize % 19],
                1 => damaged.truncate(at),
                _ => {
                    damaged.remove(at);
                }
            }
            // What is still a bundle must score without a panic; what is not must say so.
            match Bundle::from_bytes(&damaged) {
                Ok(bundle) => drop(bundle.score(&table)),
                Err(error) => assert_eq!(error.exit_code(), 4),
            }
        }
    }
}

#[test]
fn newton_finds_the_optimum_that_linfa_and_smartcore_find() {
    let people = people(2_000, 14);
    let rows = people.rows();
    let penalty = 3.0;
    for knots in [0, 8] {
        let design = Design::new(&people.table, &rows, Lines { knots, limited: false }, &BTreeMap::new());
        let bound = design.bind(&people.table).unwrap();
        let problem = Problem { bound: &bound, rows: &rows, kept: &[], label: &people.label, weight: None };
        let mut iterate = Iterate::start(problem);
        let start = iterate.weights.clone();
        iterate.solve(problem, penalty, 1e-10).unwrap();
        let loss = |weights: &[f64]| problem.loss(weights, penalty) / rows.len() as f64;
        let ours = loss(&iterate.weights);

        let linfa = loss(&solver_linfa::solve(problem, penalty, &start).expect("linfa converges here"));
        assert!((ours - linfa).abs() < 1e-5, "{knots} knots: {ours} here, {linfa} by linfa");

        let mut cells = vec![0.0; rows.len() * design.n_columns];
        let mut block = Block::new(&bound);
        for (lines, rows) in cells.chunks_mut(ROWS * design.n_columns).zip(rows.chunks(ROWS)) {
            block.load(&bound, rows);
            block.fill(lines, design.n_columns);
        }
        let lines: Vec<Vec<f64>> = cells.chunks(design.n_columns).map(<[f64]>::to_vec).collect();
        let matrix = DenseMatrix::from_2d_vec(&lines).unwrap();
        let labels: Vec<i32> = people.label.iter().map(|&label| i32::from(label)).collect();
        let smart = SmartLogistic::fit(&matrix, &labels, SmartParameters::default().with_alpha(penalty)).unwrap();
        let mut weights: Vec<f64> = smart.coefficients().iter().copied().collect();
        weights.extend(smart.intercept().iter().copied());
        let smart = loss(&weights);
        assert!((ours - smart).abs() < 1e-5, "{knots} knots: {ours} here, {smart} by smartcore");
        assert!(ours <= linfa + 1e-9 && ours <= smart + 1e-9);
    }
}
