//! Truth comes back: what clo finds in a simulated shop is what the simulator did.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use clo::predict::Evaluation;
use clo::simulate::{Settings, simulate};
use clo::store;
use polars::prelude::{DataFrame, DataType};

use crate::support::{code, folder, run, stderr};

/// Enough that the noise of the calibration, about 700 outcomes on validation, is well below what is asked.
const N_PEOPLE: usize = 40_000;
const PREDICTION: &str = "first-purchase";

/// A shop, with the latent traits among the attributes or without, after `clo run`.
fn shop(reveal_traits: bool) -> tempfile::TempDir {
    let project = folder();
    simulate(project.path(), &Settings { n_people: N_PEOPLE, seed: 11, reveal_traits }).unwrap();
    let output = run(&["run", "--quiet", "--spec", project.path().to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    project
}

static VISIBLE: LazyLock<tempfile::TempDir> = LazyLock::new(|| shop(false));
static REVEALED: LazyLock<tempfile::TempDir> = LazyLock::new(|| shop(true));

fn file(project: &Path, name: &str) -> PathBuf {
    project.join("out").join(name)
}

fn texts(frame: &DataFrame, column: &str) -> Vec<Option<String>> {
    let column = frame.column(column).unwrap().cast(&DataType::String).unwrap();
    column.str().unwrap().iter().map(|text| text.map(ToOwned::to_owned)).collect()
}

fn numbers(frame: &DataFrame, column: &str) -> Vec<Option<f64>> {
    frame.column(column).unwrap().cast(&DataType::Float64).unwrap().f64().unwrap().iter().collect()
}

fn instants(frame: &DataFrame, column: &str) -> Vec<Option<i64>> {
    frame.column(column).unwrap().cast(&DataType::Int64).unwrap().i64().unwrap().iter().collect()
}

#[test]
fn stage_history_equals_the_truth_exactly() {
    type Stay = (Option<String>, Option<i64>, Option<String>, Option<i64>, Option<String>);
    let stays = |path: &Path| -> BTreeSet<Stay> {
        let frame = store::read_frame(path).unwrap();
        let (person, stage, trigger) = (texts(&frame, "person"), texts(&frame, "stage"), texts(&frame, "trigger"));
        let (entered, left) = (instants(&frame, "entered_at"), instants(&frame, "left_at"));
        (0..frame.height())
            .map(|row| (person[row].clone(), entered[row], stage[row].clone(), left[row], trigger[row].clone()))
            .collect()
    };
    let truth = stays(&VISIBLE.path().join("truth_stage_history.parquet"));
    let mapped = stays(&file(VISIBLE.path(), "map/stage_history.parquet"));
    assert!(truth.len() > N_PEOPLE / 2);
    let missing: Vec<_> = truth.difference(&mapped).take(3).collect();
    let invented: Vec<_> = mapped.difference(&truth).take(3).collect();
    assert!(missing.is_empty() && invented.is_empty(), "missing {missing:?}, invented {invented:?}");
}

/// The true probability of each person at each cutoff.
fn truth(project: &Path) -> BTreeMap<(String, i64), f64> {
    let frame = store::read_frame(&project.join("truth.parquet")).unwrap();
    let (person, cutoff, probability) =
        (texts(&frame, "person"), instants(&frame, "cutoff"), numbers(&frame, PREDICTION));
    (0..frame.height()).filter_map(|row| Some(((person[row].clone()?, cutoff[row]?), probability[row]?))).collect()
}

#[test]
fn propensities_are_the_true_probabilities_decile_by_decile() {
    for project in [VISIBLE.path(), REVEALED.path()] {
        let truth = truth(project);
        let end = truth.keys().map(|(_, cutoff)| *cutoff).max().unwrap();
        let scores = store::read_frame(&file(project, &format!("predict/{PREDICTION}/scores.parquet"))).unwrap();
        let people = texts(&scores, "person").into_iter().map(Option::unwrap);
        let mut pairs: Vec<(f64, f64)> = people
            .zip(numbers(&scores, "propensity"))
            .map(|(person, propensity)| (propensity.unwrap(), truth[&(person, end)]))
            .collect();
        assert!(pairs.len() > N_PEOPLE / 4);
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (decile, part) in pairs.chunks(pairs.len().div_ceil(10)).enumerate() {
            let mean = |of: &dyn Fn(&(f64, f64)) -> f64| part.iter().map(of).sum::<f64>() / part.len() as f64;
            let (propensity, probability) = (mean(&|pair| pair.0), mean(&|pair| pair.1));
            assert!(
                (propensity - probability).abs() < 0.01,
                "decile {decile}: {propensity} predicted, {probability} true"
            );
        }
    }
}

/// Mann–Whitney over all pairs, ties half.
fn auc(mut ranked: Vec<(f64, bool)>) -> f64 {
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut wins) = (0.0, 0.0);
    for ties in ranked.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let attained = ties.iter().filter(|(_, label)| *label).count() as f64;
        let others = ties.len() as f64 - attained;
        wins += attained * (below + others / 2.0);
        below += others;
    }
    wins / (below * (ranked.len() as f64 - below))
}

/// The AUC of the true probability and of the chosen model, on the test cutoffs.
fn aucs(project: &Path) -> (f64, f64) {
    let truth = truth(project);
    let examples = store::read_frame(&file(project, &format!("discover/{PREDICTION}/examples.parquet"))).unwrap();
    let (person, cutoff) = (texts(&examples, "person"), instants(&examples, "cutoff"));
    let (split, label) = (texts(&examples, "split"), numbers(&examples, "label"));
    let of_truth = (0..examples.height())
        .filter(|&row| split[row].as_deref() == Some("test"))
        .map(|row| (truth[&(person[row].clone().unwrap(), cutoff[row].unwrap())], label[row] == Some(1.0)))
        .collect();
    let evaluation: Evaluation =
        store::read_json(&file(project, &format!("predict/{PREDICTION}/evaluation.json"))).unwrap();
    (auc(of_truth), evaluation.splits["test"].roc_auc.unwrap().value)
}

#[test]
fn with_the_latent_traits_the_model_ranks_as_the_truth_does() {
    let (of_truth, of_model) = aucs(REVEALED.path());
    assert!(of_model > of_truth - 0.01 && of_model < of_truth + 0.01, "{of_model} beside {of_truth}");
}

#[test]
fn without_them_it_stands_beside_the_truth_and_never_above_it() {
    let (of_truth, of_model) = aucs(VISIBLE.path());
    assert!(of_model > of_truth - 0.05 && of_model < of_truth + 0.01, "{of_model} beside {of_truth}");
}
