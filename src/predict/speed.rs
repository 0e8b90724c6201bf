//! How fast, on a table made up for it; run by name (`--ignored`).

use std::time::Instant;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use super::{Context, predict};
use crate::discover::{Cells, Column, Examples, Split, Table};
use crate::map::Outcome;
use crate::spec::{Estimator, Model, Prediction};
use crate::time::{DAY, Duration};

/// `n` examples at 12 cutoffs and one now, with `width` features of counts, spans and gaps.
fn made_up(n: usize, width: usize) -> Examples {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut uniform = move || f64::from(random.next_u32()) / f64::from(u32::MAX);
    let traits: Vec<f64> = (0..n).map(|_| uniform() + uniform() + uniform() - 1.5).collect();
    let columns = (0..width)
        .map(|at| {
            let values = traits.iter().map(|&level| match at % 4 {
                0 => ((2.0 * level + 3.0 * uniform()).exp() * 0.2).floor() as f32,
                1 if uniform() < 0.3 => f32::NAN,
                1 => (100.0 * uniform() * (-level).exp()) as f32,
                2 => (10.0 * uniform() - 5.0).round() as f32,
                _ => (level * 0.3 + uniform()) as f32,
            });
            Column { name: format!("kind{at}.count.30d"), cells: Cells::Number(values.collect()) }
        })
        .collect();
    let cutoff = |row: usize| i64::try_from(row * 13 / n).unwrap();
    let split = |row: usize| match cutoff(row) {
        0..8 => Split::Train,
        8..10 => Split::Validation,
        10..12 => Split::Test,
        _ => Split::Unused,
    };
    let outcome = |row: usize| {
        let chance = 1.0 / (1.0 + (3.0 - 1.5 * traits[row] - (traits[row] * 2.0).sin()).exp());
        if cutoff(row) == 12 {
            Outcome::Immature
        } else if (row as f64 * 0.618_033_988_7).fract() < chance {
            Outcome::Attained
        } else {
            Outcome::Stayed
        }
    };
    let n_people = n / 3;
    Examples {
        ids: (0..n_people).map(|person| format!("{person:08}")).collect(),
        person: (0..n).map(|row| (row % n_people) as u32).collect(),
        cutoff: (0..n).map(|row| cutoff(row) * 30 * DAY).collect(),
        stage: vec![0; n],
        stages: vec!["visitor".into(), "customer".into()],
        split: (0..n).map(split).collect(),
        outcome: (0..n).map(outcome).collect(),
        features: Table { columns, n_rows: n },
        snapshot: false,
        order: None,
    }
}

#[test]
#[ignore = "takes a minute"]
fn of_a_large_table() {
    let examples = made_up(557_000, 104);
    let context = Context {
        from: vec![],
        to: vec![],
        horizon: Some("30d".into()),
        seed: 7,
        recipe: serde_json::Value::Null,
        warnings: vec![],
    };
    for estimator in [Estimator::Boosting, Estimator::Auto] {
        let prediction = Prediction {
            horizon: Some(Duration::days(30)),
            model: Model { estimator, ..Model::default() },
            ..Prediction::new("p", vec![0], vec![1])
        };
        let start = Instant::now();
        let predicted = predict(&examples, &prediction, &context).unwrap();
        println!("{estimator:?} {:.2} s", start.elapsed().as_secs_f64());
        println!("{} {:?}", predicted.evaluation.chosen_because, predicted.bundle.settings);
        println!("{:?}", predicted.evaluation.splits["test"]);
        println!("{:?} {:?}", predicted.scores.reasons[0], predicted.evaluation.calibration);
        let start = Instant::now();
        let bytes = predicted.bundle.to_bytes().unwrap();
        println!("{} bytes, written in {:.2} s", bytes.len(), start.elapsed().as_secs_f64());
    }
}
