//! What the spec may ask of an estimator: directions, weights, a part of the rows, a search; and the sums behind them, by hand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::bayes::Bayes;
use super::boosting::Boosting;
use super::calibration::{Calibrator, LEAST_SLOPE};
use super::correct::Corrected;
use super::design::{Design, Lines};
use super::elastic::Elastic;
use super::encode::encode;
use super::estimator::{Data, Estimator, Fitted, Settings, Trial, Tuned, Window};
use super::judge::recalibrated_losses;
use super::last::held_out_calibrator;
use super::logistic::{LinearSettings, Logistic};
use super::newton::{Iterate, Problem, logistic};
use super::search::{Journal, Search};
use super::stacking::Stack;
use super::sums::log_loss;
use super::tests::{People, people};
use crate::discover::{Cells, Column, Table};
use crate::error::Result;
use crate::spec::{Budget, Direction};

fn windows(people: &People) -> Vec<Window> {
    let window = |fold: u64| {
        let (judge, fit) = people.rows().iter().partition(|&&row| people.key[row as usize] % 4 == fold);
        Window { fit, judge }
    };
    (0..4).map(window).collect()
}

fn fitted(estimator: &dyn Estimator, data: Data<'_>, people: &People) -> Fitted {
    let prepared = estimator.prepare(data, &people.rows()).unwrap();
    let tuned = prepared.tune(&windows(people)).unwrap();
    prepared.fit(&people.rows(), &tuned.settings).unwrap()
}

#[test]
fn a_feature_that_may_only_lower_the_score_does_not_raise_it() {
    let people = people(2_000, 21);
    let monotone = || BTreeMap::from([("visit.count.90d".to_owned(), Direction::Down)]);
    let estimators: [Box<dyn Estimator>; 2] = [
        Box::new(Logistic { monotone: monotone(), ..Logistic::default() }),
        Box::new(Boosting { monotone: monotone(), search: None }),
    ];
    for estimator in estimators {
        // In the data, more visits raise the score: the direction is against them.
        let model = fitted(&*estimator, people.data(), &people);
        let mut table = people.table.take(&[0; 60]);
        table.columns[1].cells = Cells::Number((0..60).map(|count| count as f32).collect());
        let margins = model.margins(&table, &(0..60).collect::<Vec<u32>>()).unwrap();
        assert!(margins.windows(2).all(|pair| pair[1] <= pair[0] + 1e-9), "{}: {margins:?}", estimator.name());
    }
}

#[test]
fn few_outcomes_say_more_than_the_base_rate_without_a_line_to_scale_them() {
    let fresh = people(4_000, 26);
    let rate = fresh.label.iter().filter(|&&label| label).count() as f64 / 4_000.0;
    let base: Vec<f64> = fresh.label.iter().map(|&label| log_loss(rate, label)).collect();
    let gain = |seed: u64| {
        let few = people(120, seed);
        let margins = fitted(&Logistic::default(), few.data(), &few).margins(&fresh.table, &fresh.rows()).unwrap();
        let of = |losses: &[f64]| losses.iter().zip(&base).map(|(loss, base)| base - loss).sum::<f64>() / 4_000.0;
        let plain = margins.iter().zip(&fresh.label).map(|(&margin, &label)| log_loss(logistic(margin), label));
        [of(&plain.collect::<Vec<f64>>()), of(&recalibrated_losses(&margins, &fresh.label, false))]
    };
    let gains: Vec<[f64; 2]> = (300..320).map(gain).collect();
    let [plain, scaled] = [0, 1].map(|at| gains.iter().map(|gain| gain[at]).sum::<f64>() / 20.0);
    // As it stands it must be worth more than half of what it would be at the best scale, which only fresh outcomes could tell.
    assert!(plain > 0.5 * scaled, "{plain} of {scaled}");
}

#[test]
fn a_row_of_weight_two_counts_like_two_rows() {
    let people = people(900, 22);
    let rows = people.rows();
    let design = Design::new(&people.table, &rows, Lines { knots: 4, limited: false }, &BTreeMap::new());
    let bound = design.bind(&people.table).unwrap();
    let twice: Vec<u32> = rows.iter().copied().chain(rows.iter().copied().filter(|row| row % 3 == 0)).collect();
    let label = |rows: &[u32]| rows.iter().map(|&row| people.label[row as usize]).collect::<Vec<bool>>();
    let weight: Vec<f64> = rows.iter().map(|row| if row % 3 == 0 { 2.0 } else { 1.0 }).collect();
    let solved = |rows: &[u32], weight: Option<&[f64]>| {
        let problem = Problem { bound: &bound, rows, kept: &[], label: &label(rows), weight };
        let mut iterate = Iterate::start(problem);
        iterate.solve(problem, 1.0, 1e-12).unwrap();
        iterate.weights
    };
    let (weighed, doubled) = (solved(&rows, Some(&weight)), solved(&twice, None));
    let furthest = weighed.iter().zip(&doubled).map(|(one, other)| (one - other).abs()).fold(0.0, f64::max);
    assert!(furthest < 1e-4, "{furthest}");
}

#[test]
fn odds_are_put_right_after_sampling_and_weighing() {
    let people = people(6_000, 23);
    let weight: Vec<f64> = people.label.iter().map(|&label| if label { 3.0 } else { 1.0 }).collect();
    let base = people.label.iter().filter(|&&label| label).count() as f64 / people.label.len() as f64;
    let mean = |corrected: Corrected, data: Data<'_>| {
        let margins = fitted(&corrected, data, &people).margins(&people.table, &people.rows()).unwrap();
        margins.iter().map(|&margin| logistic(margin)).sum::<f64>() / margins.len() as f64
    };
    let inner = || Box::new(Logistic::default());
    let sampled = mean(Corrected { inner: inner(), negatives: 0.3, attained_weight: 1.0 }, people.data());
    let weighed = Data { weight: Some(&weight), ..people.data() };
    let weighed = mean(Corrected { inner: inner(), negatives: 1.0, attained_weight: 3.0 }, weighed);
    // Two standard errors of the base rate of 6,000.
    let noise = 2.0 * (base * (1.0 - base) / 6_000.0).sqrt();
    assert!((sampled - base).abs() < noise && (weighed - base).abs() < noise, "{sampled}, {weighed}, {base}");
}

#[test]
fn an_elastic_net_meets_the_conditions_of_its_optimum() {
    let people = people(1_500, 24);
    let rows = people.rows();
    let design = Design::new(&people.table, &rows, Lines { knots: 8, limited: false }, &BTreeMap::new());
    let bound = design.bind(&people.table).unwrap();
    let problem = Problem { bound: &bound, rows: &rows, kept: &[], label: &people.label, weight: None };
    let mut iterate = Iterate::start(problem);
    iterate.solve_elastic(problem, Elastic { penalty: 20.0, share: 0.8 }, 1e-12);
    let slopes = problem.descent(&iterate.weights, 0.2 * 20.0).gradient;
    let columns = design.n_columns;
    assert!(iterate.weights[..columns].contains(&0.0), "nothing is left out");
    for (at, (weight, slope)) in iterate.weights.iter().zip(&slopes).enumerate() {
        // The slope of the rest must be what the absolute value pushes back with.
        let off = match (at < columns, *weight == 0.0) {
            (false, _) => slope.abs(),
            (true, true) => (slope.abs() - 16.0).max(0.0),
            (true, false) => (slope + 16.0 * weight.signum()).abs(),
        };
        assert!(off < 0.02, "column {at}: weight {weight}, slope {slope}");
    }
}

#[test]
fn the_standard_error_of_log_odds_is_that_of_a_table_of_four_fields() {
    // 30 of 100 and 60 of 120 attained: the textbook's √(1/30 + 1/70 + 1/60 + 1/60).
    let fields = [(0.0, true, 30), (0.0, false, 70), (1.0, true, 60), (1.0, false, 60)];
    let rows = fields.iter().flat_map(|&(value, label, n)| std::iter::repeat_n((value, label), n));
    let (values, label): (Vec<f32>, Vec<bool>) = rows.unzip();
    let table = Table {
        n_rows: values.len(),
        columns: vec![Column { name: "attr.x".into(), cells: Cells::Number(values.clone()) }],
    };
    let key: Vec<u64> = (0..220).collect();
    let data = Data { table: &table, label: &label, weight: None, key: &key, seed: 1, out_of_time: false };
    let rows: Vec<u32> = (0..220).collect();
    let settings = Settings::Linear(LinearSettings { penalty: 1e-9, absolute_share: 0.0, knots: 0 });
    let Fitted::Linear(model) =
        Logistic::default().prepare(data, &rows).unwrap().fit_to_keep(&rows, &settings).unwrap()
    else {
        panic!("a linear model")
    };
    let share = 120.0_f64 / 220.0;
    let deviation = (share * (1.0 - share)).sqrt();
    let expected = (1.0 / 30.0 + 1.0 / 70.0 + 2.0 / 60.0_f64).sqrt();
    let slope = model.weights[0] / deviation;
    assert!((slope - (70.0_f64 / 30.0).ln()).abs() < 1e-4, "{slope}");
    assert!((model.standard_errors[0] / deviation - expected).abs() < 1e-4, "{:?}", model.standard_errors);
    assert_eq!(model.coefficients()[0].part, "per standard deviation");
}

#[test]
fn what_grows_with_time_alone_stays_at_the_end_of_what_was_seen() {
    // Visits so far, 0 to 9 and once 50: the more, the likelier. Then somebody comes with 1,000.
    let visits = |row: usize| if row == 0 { 50.0 } else { (row % 10) as f32 };
    let values: Vec<f32> = (0..1000).map(visits).chain([9.0, 1000.0]).collect();
    let label: Vec<bool> = (0..1002).map(|row| row * 7919 % 100 < 5 * (row % 10) + 10).collect();
    let column = Column { name: "visit.count.all".into(), cells: Cells::Number(values) };
    let table = Table { n_rows: 1002, columns: vec![column] };
    let key: Vec<u64> = (0..1002).collect();
    let data = Data { table: &table, label: &label, weight: None, key: &key, seed: 1, out_of_time: true };
    let rows: Vec<u32> = (0..1000).collect();
    for knots in [0, 8] {
        let settings = Settings::Linear(LinearSettings { penalty: 1.0, absolute_share: 0.0, knots });
        let margins = |limited: bool| {
            let model = Logistic { limited, ..Logistic::default() }.prepare(data, &rows).unwrap().fit(&rows, &settings);
            model.unwrap().margins(&table, &[1, 1000, 1001]).unwrap()
        };
        let (limited, free) = (margins(true), margins(false));
        assert!(limited[0] < limited[1] && limited[1] == limited[2], "{limited:?}");
        assert!(free[1] < free[2], "{free:?}");
    }
    let mut days = table.clone();
    days.columns[0].name = "visit.days_since_last".into();
    let data = Data { table: &days, ..data };
    let settings = Settings::Linear(LinearSettings { penalty: 1.0, absolute_share: 0.0, knots: 0 });
    let model = Logistic { limited: true, ..Logistic::default() }.prepare(data, &rows).unwrap().fit(&rows, &settings);
    let margins = model.unwrap().margins(&days, &[1000, 1001]).unwrap();
    assert!(margins[0] < margins[1], "the days that went by go on: {margins:?}");
}

/// Four people of the level `a`, three of whom attained; six of `b`, one of whom did.
fn two_levels() -> (Table, Vec<bool>) {
    let codes = vec![0, 0, 0, 0, 1, 1, 1, 1, 1, 1];
    let cells = Cells::Category { codes, levels: vec!["a".into(), "b".into()] };
    let label = vec![true, true, true, false, true, false, false, false, false, false];
    (Table { columns: vec![Column { name: "attr.level".into(), cells }], n_rows: 10 }, label)
}

#[test]
fn levels_count_as_their_smoothed_log_odds() {
    let (table, label) = two_levels();
    let key: Vec<u64> = (0..10).map(|row| row << 20).collect();
    let data = Data { table: &table, label: &label, weight: None, key: &key, seed: 1, out_of_time: false };
    let levels = vec!["a".to_owned(), "b".to_owned()];
    let encoded = encode(data, &[Some(&levels)], &(0..10).collect::<Vec<u32>>());
    // Base rate 4.5 / 11, ten examples of it added to each level.
    let base: f64 = 4.5 / 11.0;
    let number = |attained: f64, others: f64| ((attained + 10.0 * base) / (others + 10.0 * (1.0 - base))).ln() as f32;
    assert_eq!(encoded[0].codes, [number(3.0, 1.0), number(1.0, 5.0), number(0.0, 0.0)]);
    assert!(encoded[0].learned.is_some(), "small levels must not see their own labels");
}

#[test]
fn naive_bayes_adds_up_evidence_by_hand() {
    let (mut table, label) = two_levels();
    // Ten times as many people, so that the levels are not rare.
    table = table.take(&(0..100).map(|row| row % 10).collect::<Vec<u32>>());
    let label: Vec<bool> = (0..100).map(|row| label[row % 10]).collect();
    let key: Vec<u64> = (0..100).collect();
    let data = Data { table: &table, label: &label, weight: None, key: &key, seed: 1, out_of_time: false };
    let rows: Vec<u32> = (0..100).collect();
    let settings = super::bayes::BayesSettings { knots: 8, smoothing: 1.0, slope: 1.0 };
    let model = Bayes.prepare(data, &rows).unwrap().fit(&rows, &Settings::Bayes(settings)).unwrap();
    let margins = model.margins(&table, &[0, 4]).unwrap();
    let base = (40.5_f64 / 60.5).ln();
    let evidence = |attained: f64, others: f64| (((attained + 1.0) / 42.0) / ((others + 1.0) / 62.0)).ln();
    assert!((margins[0] - base - evidence(30.0, 10.0)).abs() < 1e-9, "{margins:?}");
    assert!((margins[1] - base - evidence(10.0, 50.0)).abs() < 1e-9, "{margins:?}");
}

#[test]
fn a_model_that_says_nothing_gets_no_weight() {
    let people = people(3_000, 25);
    let windows = windows(&people);
    let of = |margin: &dyn Fn(u32) -> f64| -> Vec<Vec<f64>> {
        windows.iter().map(|window| window.judge.iter().map(|&row| margin(row)).collect()).collect()
    };
    let Cells::Number(number) = &people.table.columns[0].cells else { panic!("a number") };
    let says = of(&|row| -1.0 + 1.2 * f64::from(number[row as usize].abs()));
    let noise = of(&|row| 20.0 * ((people.key[row as usize] >> 11) as f64 / (1_u64 << 53) as f64 - 0.5));
    let weighed = Stack::new(&[&says, &noise], people.data(), &windows).best(None);
    assert!(weighed.weights[0] > 0.5 && weighed.weights[1] == 0.0, "{weighed:?}");
}

#[test]
fn weights_are_found_where_all_margins_lie_far_from_what_came() {
    let people = people(3_000, 25);
    let windows = windows(&people);
    let drifted: Vec<Vec<f64>> = windows
        .iter()
        .map(|window| window.judge.iter().map(|&row| if people.label[row as usize] { -29.5 } else { -30.0 }).collect())
        .collect();
    let weighed = Stack::new(&[&drifted], people.data(), &windows).best(None);
    // A level that brings log odds of about −30 back to those of the rate.
    let brought_back = weighed.level - 30.0 * weighed.weights[0];
    assert!(weighed.weights[0] > 1.0 && brought_back.abs() < 10.0, "{weighed:?}");
}

#[test]
fn scores_that_pointed_the_wrong_way_say_next_to_nothing() {
    let people = people(3_000, 25);
    let data = Data { out_of_time: true, ..people.data() };
    let windows = windows(&people);
    let wrong = |row: &u32| if people.label[*row as usize] { -1.0 } else { 1.0 };
    let margins: Vec<Vec<f64>> = windows.iter().map(|window| window.judge.iter().map(wrong).collect()).collect();
    for n in [1, windows.len()] {
        let calibrator = held_out_calibrator((&windows[..n], &margins[..n]), data, &people.key);
        assert!(matches!(calibrator, Calibrator::Platt(platt) if platt.slope == LEAST_SLOPE), "{calibrator:?}");
        let judged: Vec<u32> = windows[..n].iter().flat_map(|window| window.judge.iter().copied()).collect();
        let n_attained = judged.iter().filter(|&&row| people.label[row as usize]).count() as f64;
        let said: f64 = margins[..n].concat().iter().map(|&margin| calibrator.probability(margin)).sum();
        assert!((said / n_attained - 1.0).abs() < 0.01, "{said} of {n_attained}");
    }
}

/// A journal in memory.
#[derive(Default)]
struct Memory(Mutex<Vec<Trial>>);

impl Journal for Memory {
    fn recall(&self) -> Vec<Trial> {
        self.0.lock().unwrap().clone()
    }

    fn record(&self, trials: &[Trial]) -> Result<()> {
        self.0.lock().unwrap().extend_from_slice(trials);
        Ok(())
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs(1)
    }
}

#[test]
fn a_search_keeps_every_trial_and_goes_on_from_there() {
    let people = people(900, 26);
    let search = |budget, journal: &Arc<Memory>| -> Tuned {
        let search = Some(Search { budget, journal: journal.clone() });
        let boosting = Boosting { monotone: BTreeMap::new(), search };
        boosting.prepare(people.data(), &people.rows()).unwrap().tune(&windows(&people)).unwrap()
    };
    let journal = Arc::new(Memory::default());
    let found = search(Budget::Trials(9), &journal);
    let kept = journal.recall();
    // Nine draws on one window, three of them on two, one on all four.
    assert_eq!(
        kept.iter().map(|trial| trial.n_windows).collect::<Vec<_>>(),
        [vec![1; 9], vec![2; 3], vec![4]].concat()
    );
    assert_eq!(found.trials, kept);

    // The second half is lost: it is made again, and the end is the same.
    let half = Arc::new(Memory(Mutex::new(kept[..6].to_vec())));
    assert_eq!(search(Budget::Trials(9), &half), found);
    assert_eq!(half.recall().len(), kept.len());
    // All of it is known: nothing is judged but the margins of the best.
    let whole = Arc::new(Memory(Mutex::new(kept.clone())));
    assert_eq!(search(Budget::Trials(9), &whole).settings, found.settings);
    assert_eq!(whole.recall().len(), kept.len());
    // Its time is over after one bracket.
    assert_eq!(search(Budget::Seconds(1), &Arc::new(Memory::default())).trials[0], found.trials[0]);
}
