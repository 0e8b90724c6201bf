//! Models of XGBoost and LightGBM say here what they say there; what is damaged, or no answer to yes or no, is refused.

use std::path::{Path, PathBuf};

use clo::discover::{Cells, Column, Table};
use clo::predict::import::{Named, import};

use crate::mutations::edits::Edits;
use crate::support::{code, folder, run, stderr};

const NAMED: Named<'_> = Named { prediction: "buy", person: None };
const LEVELS: [&str; 4] = ["ads", "email", "fax", "search"];

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/foreign").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(file(name)).unwrap()
}

/// `number,count,level,xgboost,lightgbm`: rows, and what xgboost 3.2.0 and lightgbm 4.7.0 say of them (`foreign.py`).
fn rows() -> (Table, [Vec<f64>; 2]) {
    let text = std::fs::read_to_string(file("foreign.csv")).unwrap();
    let cells: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let number = |at: usize| Cells::Number(cells.iter().map(|row| row[at].parse().unwrap_or(f32::NAN)).collect());
    let code =
        |text: &str| LEVELS.iter().position(|level| *level == text).map_or(u32::MAX, |at| u32::try_from(at).unwrap());
    let levels = LEVELS.map(str::to_owned).to_vec();
    let column = |name: &str, cells| Column { name: name.into(), cells };
    let columns = vec![
        column("attr.number", number(0)),
        column("attr.count", number(1)),
        column("attr.level", Cells::Category { codes: cells.iter().map(|row| code(row[2])).collect(), levels }),
    ];
    let said = |at: usize| cells.iter().map(|row| row[at].parse().unwrap()).collect();
    (Table { columns, n_rows: cells.len() }, [said(3), said(4)])
}

#[test]
fn imported_models_say_what_xgboost_and_lightgbm_say() {
    let (table, expected) = rows();
    for (name, expected) in ["xgboost.json", "lightgbm.txt"].into_iter().zip(expected) {
        let bundle = import(&bytes(name), &NAMED).unwrap();
        let scored = bundle.score(&table).unwrap().propensity;
        let furthest = scored.iter().zip(&expected).map(|(one, other)| (one - other).abs()).fold(0.0, f64::max);
        assert!(furthest < 1e-6, "{name}: {furthest}");
    }
}

#[test]
fn an_imported_model_scores_a_file() {
    let project = folder();
    let (at, output) = (project.path().to_str().unwrap(), project.path().join("scores.csv"));
    for (name, which) in [("xgboost.json", 3), ("lightgbm.txt", 4)] {
        let foreign = file(name);
        let prediction = name.split('.').next().unwrap();
        let done = run(&["models", "import", "--from", foreign.to_str().unwrap(), "--name", prediction, "--spec", at]);
        assert_eq!(code(&done), 0, "{}", stderr(&done));
        let model = project.path().join("models").join(prediction).join("current");
        let input = file("foreign.csv");
        let [model, input, output_at] = [&model, &input, &output].map(|path| path.to_str().unwrap());
        let done = run(&["score", "--model", model, "--input", input, "--output", output_at]);
        assert_eq!(code(&done), 0, "{}", stderr(&done));
        let (scores, expected) = (std::fs::read_to_string(&output).unwrap(), std::fs::read_to_string(input).unwrap());
        let mut n = 0;
        for (scored, expected) in scores.lines().skip(1).zip(expected.lines().skip(1)) {
            let cell = |line: &str, at: usize| line.split(',').nth(at).unwrap().parse::<f64>().unwrap();
            assert!((cell(scored, 1) - cell(expected, which)).abs() < 1e-6, "{name}: {scored}, {expected}");
            n += 1;
        }
        assert_eq!(n, 60);
    }
    let done = run(&["models", "list", "--spec", at]);
    assert_eq!(code(&done), 0, "{}", stderr(&done));
}

#[test]
fn what_is_no_sound_binary_model_is_refused() {
    let replaced = |name: &str, from: &str, to: &str| String::from_utf8(bytes(name)).unwrap().replace(from, to);
    for (document, said) in [
        (replaced("xgboost.json", "binary:logistic", "reg:squarederror"), "reg:squarederror"),
        (replaced("lightgbm.txt", "objective=binary", "objective=regression"), "regression"),
        (replaced("lightgbm.txt", "sigmoid:1", "sigmoid:2"), "sigmoid"),
        ("{\"trees\": []}".to_owned(), "neither"),
    ] {
        let error = import(document.as_bytes(), &NAMED).unwrap_err();
        assert!(error.exit_code() == 4 && error.to_string().contains(said), "{error}");
    }
    let table = rows().0;
    let mut edits = Edits::new(9);
    for name in ["xgboost.json", "lightgbm.txt"] {
        let whole = bytes(name);
        for _ in 0..1_000 {
            // Neither format has a seal: an edit is refused, or makes another sound model.
            if let Ok(bundle) = import(&edits.edited(&whole), &NAMED) {
                drop(bundle.score(&table));
            }
        }
    }
}
