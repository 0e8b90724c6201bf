//! Leaks are named: all that were planted, on simulated and on real data, and nothing honest.

use std::path::{Path, PathBuf};

use clo::discover::Leaks;
use clo::simulate::{Settings, planted, simulate, simulate_with_leaks};
use clo::store;

use crate::support::{clo, code, folder, run, said, stderr, stdout, write};

/// The features named as leaks, in the order of their names.
fn named(project: &Path, prediction: &str) -> Vec<String> {
    let leaks: Leaks = store::read_json(&project.join(format!("out/discover/{prediction}/leaks.json"))).unwrap();
    let mut names: Vec<String> = leaks.leaks.into_iter().map(|leak| leak.feature).collect();
    names.sort_unstable();
    names
}

#[test]
fn every_planted_leak_is_named_and_nothing_else() {
    let settings = Settings { n_people: 6000, seed: 3, reveal_traits: false };
    let (honest, leaking) = (folder(), folder());
    simulate(honest.path(), &settings).unwrap();
    simulate_with_leaks(leaking.path(), &settings).unwrap();
    for project in [honest.path(), leaking.path()] {
        let output = run(&["discover", "--quiet", "--spec", project.to_str().unwrap()]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        assert_eq!(named(project, "second-purchase"), [""; 0]);
    }
    let mut all = planted::NAMES.map(|name| format!("attr.{name}"));
    all.sort_unstable();
    assert_eq!(named(honest.path(), "first-purchase"), [""; 0]);
    assert_eq!(named(leaking.path(), "first-purchase"), all);
}

/// The folder of the real data sets, if it is there.
fn real_data() -> Option<PathBuf> {
    let folder = std::env::var_os("CLO_DATA").map(PathBuf::from).filter(|folder| folder.is_dir());
    if folder.is_none() {
        said("skipped: CLO_DATA names no folder");
    }
    folder
}

/// Runs the committed spec of a data set, changed by `change`, up to discover.
fn discovered(data: &Path, set: &str, change: impl Fn(String) -> String) -> tempfile::TempDir {
    let project = folder();
    let spec = Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(set).join("clo.toml");
    write(&project.path().join("clo.toml"), &change(std::fs::read_to_string(spec).unwrap()));
    let output = clo()
        .env("CLO_DATA", data)
        .args(["discover", "--quiet", "--spec", project.path().to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    project
}

#[test]
fn the_length_of_the_banks_calls_is_named_without_being_told() {
    let Some(data) = real_data() else { return };
    let project = discovered(&data, "bank-marketing", |spec| spec.replace("exclude = [\"attr.duration\"]", ""));
    assert_eq!(named(project.path(), "subscribe"), ["attr.duration"]);
    let shuffled = |spec: String| spec.replace("exclude = [\"attr.duration\"]", "").replace("order = \"row\"\n", "");
    assert_eq!(named(discovered(&data, "bank-marketing", shuffled).path(), "subscribe"), ["attr.duration"]);
}

#[test]
fn no_honest_feature_of_real_data_is_named() {
    let Some(data) = real_data() else { return };
    for (set, predictions) in [
        ("telco-churn", &["churn"][..]),
        ("cdnow", &["second-purchase"]),
        ("online-retail", &["second-purchase"]),
        ("ecom", &["first-purchase"]),
        ("olist", &["lead-to-won", "won-to-selling"]),
    ] {
        let project = discovered(&data, set, |spec| spec);
        for prediction in predictions {
            assert_eq!(named(project.path(), prediction), [""; 0], "{set}, {prediction}");
        }
    }
}

const CALLS: &str = r#"
[project]
name = "calls"
seed = 7
[tables]
calls = "calls.csv"
[people.called]
table = "calls"
person = "id"
[[lifecycle.stages]]
name = "prospect"
[[lifecycle.stages]]
name = "sold"
when = "sold = 'yes'"
[[predictions]]
name = "sale"
from = ["prospect"]
to = ["sold"]
model = { estimator = "logistic" }
"#;

/// 1,200 calls; who buys is told why, in a column that nobody else has a value in.
fn calls() -> String {
    // Knuth's multiplicative hash: neither region nor age tells much of who buys.
    let mixed = |i: usize, by: usize| (i * by % (1 << 32)) >> 16;
    let row = |i: usize| {
        let sold = mixed(i, 2_654_435_761) % 100 < if i.is_multiple_of(3) { 30 } else { 12 };
        let (yes, reason) = if sold { ("yes", ["price", "advice"][i % 2]) } else { ("no", "") };
        format!("k{i:04},{},{},{yes},{reason}\n", ["north", "south", "west"][i % 3], 20 + mixed(i, 2_246_822_519) % 50)
    };
    format!("id,region,age,sold,sale_reason\n{}", (0..1200).map(row).collect::<String>())
}

#[test]
fn a_certain_leak_is_kept_out_and_said_loudly() {
    let project = folder();
    write(&project.path().join("clo.toml"), CALLS);
    write(&project.path().join("calls.csv"), &calls());
    let path = project.path().to_str().unwrap();
    let discover = run(&["discover", "--spec", path]);
    let said = stdout(&discover);
    let warning =
        said.lines().find(|line| line.starts_with("warning: attr.sale_reason")).unwrap_or_else(|| panic!("{said}"));
    for words in ["knows the outcome and was kept out of training", "write trust = [\"attr.sale_reason\"]"] {
        assert!(warning.contains(words), "{warning}");
    }
    let predict = run(&["predict", "--spec", path]);
    assert!(stdout(&predict).contains("attr.sale_reason knows the outcome and was kept out"), "{}", stdout(&predict));
    let evaluation: clo::predict::Evaluation =
        store::read_json(&project.path().join("out/predict/sale/evaluation.json")).unwrap();
    assert!(evaluation.splits["test"].roc_auc.unwrap().value < 0.8);
    // Whoever is sure of it says so, and gets what was asked for.
    write(
        &project.path().join("clo.toml"),
        &CALLS.replace("to = [\"sold\"]", "to = [\"sold\"]\ntrust = [\"attr.sale_reason\"]"),
    );
    let trusted = run(&["predict", "--spec", path]);
    assert_eq!(code(&trusted), 0, "{}", stderr(&trusted));
    let evaluation: clo::predict::Evaluation =
        store::read_json(&project.path().join("out/predict/sale/evaluation.json")).unwrap();
    assert!(evaluation.splits["test"].roc_auc.unwrap().value > 0.95);
}
