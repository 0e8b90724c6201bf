//! Nothing of what judges leaks into what is learned: encoding, tuning, choice, calibration and level stay inside the folds.

use std::collections::BTreeSet;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use super::scheme::Scheme;
use super::tests::{asked, people, predicted};
use crate::discover::{Cells, Column, Examples, Split, Table};
use crate::map::Outcome;
use crate::spec::{Estimator as Asked, Level};
use crate::time::{DAY, Duration};

/// People whose label has nothing to do with a category of hundreds of levels, which any encoding by the label would learn by heart.
fn many_levels(n: usize, seed: u64) -> Examples {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut examples = people(n, seed).snapshot();
    let codes = (0..n).map(|_| random.next_u32() % 400).collect();
    let levels = (0..400).map(|level| format!("level {level:03}")).collect();
    let noise = (0..n).map(|_| (random.next_u32() % 1000) as f32).collect();
    let columns = vec![
        Column { name: "attr.many".into(), cells: Cells::Category { codes, levels } },
        Column { name: "attr.noise".into(), cells: Cells::Number(noise) },
    ];
    examples.features = Table { columns, n_rows: n };
    examples.outcome =
        (0..n).map(|_| if random.next_u32().is_multiple_of(4) { Outcome::Attained } else { Outcome::Stayed }).collect();
    examples
}

#[test]
fn labels_that_nothing_tells_are_not_told_by_a_category_of_many_levels() {
    for estimator in [Asked::Logistic, Asked::Boosting, Asked::Bayes, Asked::Blend] {
        let mut outside = 0;
        for seed in 0..4 {
            let evaluation = predicted(&many_levels(3_000, 100 + seed), estimator).evaluation;
            for split in ["validation", "test"] {
                let auc = evaluation.splits[split].roc_auc.unwrap();
                outside += usize::from(auc.low > 0.5);
                assert!(auc.value < 0.56, "{estimator:?}, {split}: {auc:?}");
            }
        }
        // An interval of 95 % lies above one half once in forty times: three of eight would be no chance.
        assert!(outside < 3, "{estimator:?}: {outside} of 8 intervals lie above one half");
    }
}

#[test]
fn folds_never_part_a_person() {
    // Six people in a row are one person, at two cutoffs: too few to part by time.
    let mut examples = people(3_000, 21).events();
    let n = examples.len();
    examples.person = (0..n as u32).map(|row| row / 6).collect();
    examples.cutoff = (0..n).map(|row| if row % 2 == 0 { 0 } else { 30 * DAY }).collect();
    let split = |row: usize| [Split::Test, Split::Validation, Split::Train, Split::Train, Split::Train][row / 6 % 5];
    examples.split = (0..n).map(split).collect();
    let label: Vec<bool> = examples.outcome.iter().map(|outcome| outcome.label() == Some(true)).collect();
    let (person_key, _) = super::keys(&examples, 7);
    let (prediction, _) = asked(Asked::Auto, Some(Duration::days(30)));
    let scheme = Scheme::new(&examples, &prediction, &label, &person_key).unwrap();
    assert!(!scheme.out_of_time && scheme.windows.len() > 1);
    let people = |rows: &[u32]| rows.iter().map(|&row| examples.person[row as usize]).collect::<BTreeSet<u32>>();
    let test = people(&scheme.test);
    assert!(people(&scheme.fit).is_disjoint(&test) && !test.is_empty());
    for window in &scheme.windows {
        assert!(people(&window.fit).is_disjoint(&people(&window.judge)));
        assert!(people(&window.judge).is_disjoint(&test));
    }
}

#[test]
fn what_is_learned_from_was_over_before_what_it_is_judged_on_began() {
    let examples = people(3_000, 22).events();
    let label: Vec<bool> = examples.outcome.iter().map(|outcome| outcome.label() == Some(true)).collect();
    let (person_key, _) = super::keys(&examples, 7);
    let (prediction, _) = asked(Asked::Auto, Some(Duration::days(30)));
    let scheme = Scheme::new(&examples, &prediction, &label, &person_key).unwrap();
    assert!(scheme.out_of_time);
    let horizon = 30 * DAY;
    let cutoffs = |rows: &[u32]| rows.iter().map(|&row| examples.cutoff[row as usize]).collect::<Vec<i64>>();
    for window in &scheme.windows {
        assert!(cutoffs(&window.fit).iter().max().unwrap() + horizon <= *cutoffs(&window.judge).iter().min().unwrap());
    }
    assert!(cutoffs(&scheme.fit).iter().max().unwrap() + horizon <= *cutoffs(&scheme.test).iter().min().unwrap());
}

#[test]
fn outcomes_of_the_test_change_nothing_that_was_chosen_or_said_before_it() {
    for level in [Level::Auto, Level::Rate] {
        let examples = people(6_000, 23).events();
        let mut other = examples.clone();
        for row in 0..other.len() {
            if other.split[row] == Split::Test {
                let attained = other.outcome[row] == Outcome::Attained;
                other.outcome[row] = if attained { Outcome::Stayed } else { Outcome::Attained };
            }
        }
        let told = |examples: &Examples| {
            let (mut prediction, context) = asked(Asked::Auto, Some(Duration::days(30)));
            prediction.model.level = level;
            let evaluation = super::predict(examples, &prediction, &context).unwrap().evaluation;
            let mean = evaluation.splits["test"].mean_propensity.unwrap().value;
            (
                evaluation.estimator,
                evaluation.chosen_because,
                evaluation.calibration,
                mean,
                evaluation.splits["validation"].clone(),
            )
        };
        assert_eq!(told(&examples), told(&other));
    }
}
