//! Makes the golden bundles of the format that is written now: one small bundle per estimator, each with another calibration,
//! and what they say of a few rows, to the bit. `tests/it/golden.rs` holds later versions to them. Run once per format:
//! `cargo test --release --lib golden -- --ignored`.

use std::path::Path;

use super::bayes::Bayes;
use super::blend::{Blend, Part};
use super::boosting::{Boosting, Forest};
use super::bundle::{FORMAT_VERSION, TrainedOn};
use super::calibration::{Beta, Calibrator, Isotonic, Platt};
use super::drift::Sketches;
use super::estimator::{Estimator, Fitted, Settings, Window};
use super::logistic::Logistic;
use super::tests::{People, people};
use super::{Bundle, bundle, trees};
use crate::discover::{Cells, Table};
use crate::store;

fn small(settings: Settings) -> Settings {
    match settings {
        Settings::Trees(trees) => {
            let parallel_trees = trees.parallel_trees.min(4);
            let rounds = trees.rounds.min(5);
            Settings::Trees(trees::TreeSettings { rounds, parallel_trees, leaves: 6, depth: 3, bags: 1, ..trees })
        }
        other => other,
    }
}

fn fitted(estimator: &dyn Estimator, people: &People) -> (Settings, Fitted) {
    let rows = people.rows();
    let prepared = estimator.prepare(people.data(), &rows).unwrap();
    let (judge, fit) = rows.iter().partition(|&&row| row % 4 == 0);
    let settings = small(prepared.tune(&[Window { fit, judge }]).unwrap().settings);
    let model = prepared.fit(&rows, &settings).unwrap();
    (settings, model)
}

/// A bundle per estimator.
pub(super) fn bundles(people: &People) -> Vec<(&'static str, Bundle)> {
    let line = Calibrator::Platt(Platt { slope: 0.9, intercept: 0.1 });
    let steps = Isotonic { margins: vec![-2.0, 0.0, 1.5], log_odds: vec![-2.5, -0.25, 1.0] };
    let ends = Calibrator::Beta(Beta { high: 0.8, low: 1.1, intercept: -0.05 });
    let logistic = fitted(&Logistic::default(), people);
    let boosting = fitted(&Boosting::default(), people);
    let forest = fitted(&Forest::default(), people);
    let part =
        |estimator: &str, weight, model: &Fitted| Part { estimator: estimator.into(), weight, model: model.clone() };
    let blend = Fitted::Blend(Blend {
        intercept: -0.125,
        parts: vec![
            part("logistic", 0.6, &logistic.1),
            part("boosting", 0.3, &boosting.1),
            part("forest", 0.1, &forest.1),
        ],
    });
    let bayes = fitted(&Bayes, people);
    vec![
        ("logistic", logistic, line.clone()),
        ("boosting", boosting, Calibrator::Identity),
        ("forest", forest, Calibrator::Isotonic(steps)),
        ("bayes", bayes.clone(), ends),
        ("blend", (bayes.0, blend), line),
    ]
    .into_iter()
    .map(|(name, (settings, model), calibration)| (name, bundle(name, settings, model, calibration, people)))
    .collect()
}

fn bundle(name: &str, settings: Settings, model: Fitted, calibration: Calibrator, people: &People) -> Bundle {
    let margins = model.margins(&people.table, &people.rows()).unwrap();
    let propensity: Vec<f64> = margins.into_iter().step_by(40).map(|margin| calibration.probability(margin)).collect();
    let features = trees::features_of(&people.table);
    let sketches = (name == "boosting").then(|| Sketches::new(&features, &people.table, &people.rows(), &propensity));
    Bundle {
        format_version: FORMAT_VERSION,
        prediction: "buy".into(),
        from: vec!["prospect".into()],
        to: vec!["buyer".into()],
        horizon: Some("30d".into()),
        estimator: name.into(),
        settings,
        trained_on: TrainedOn { n_examples: 400, n_attained: 100, cutoffs: None, seed: 7 },
        features,
        model,
        calibration,
        percentiles: bundle::percentile_reference(&propensity),
        band: None,
        moved: None,
        sketches,
        same: Vec::new(),
        recipe: serde_json::json!({ "format_version": 1 }),
    }
}

/// A few rows as JSON: the values of each feature by its name, gaps as null.
fn written(table: &Table) -> serde_json::Value {
    let cells = |cells: &Cells| -> serde_json::Value {
        match cells {
            Cells::Number(values) => values.iter().map(|value| value.is_finite().then_some(*value)).collect(),
            Cells::Category { codes, levels } => codes.iter().map(|&code| levels.get(code as usize).cloned()).collect(),
        }
    };
    table.columns.iter().map(|column| (column.name.clone(), cells(&column.cells))).collect()
}

/// Sixteen of the people, and a level that nobody has.
fn rows(people: &People) -> Table {
    let mut table = people.table.take(&(0..16).collect::<Vec<u32>>());
    for column in &mut table.columns {
        if let Cells::Category { codes, levels } = &mut column.cells
            && let Some(first) = codes.first_mut()
        {
            *first = u32::try_from(levels.len()).unwrap();
            levels.push("zzz".into());
        }
    }
    table
}

#[test]
#[ignore = "writes the golden bundles of a new format"]
fn write_golden_bundles() {
    let people = people(400, 21);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/format-{FORMAT_VERSION}"));
    let rows = rows(&people);
    store::write_json(&folder.join("rows.json"), &written(&rows)).unwrap();
    for (name, bundle) in bundles(&people) {
        let bits = |scored: f64| format!("{:016x}\n", scored.to_bits());
        let scores: String = bundle.score(&rows).unwrap().propensity.into_iter().map(bits).collect();
        store::write_bytes(&folder.join(format!("{name}.json")), &bundle.to_bytes().unwrap()).unwrap();
        store::write_bytes(&folder.join(format!("{name}.scores")), scores.as_bytes()).unwrap();
    }
}
