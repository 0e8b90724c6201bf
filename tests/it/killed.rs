//! Killed at a random moment: every artifact is the old one or the new one, and the next run needs no cleaning.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{clo, code, folder, run, stderr, tree};

/// How often: a few times in every test run, `CLO_KILLS=200` when it matters.
fn n_kills() -> u64 {
    std::env::var("CLO_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(10)
}

#[test]
fn a_killed_run_leaves_old_or_new_and_the_next_goes_on() {
    let (seven, took) = reference("7");
    let (eight, _) = reference("8");
    let project = shop();
    for kill in 0..n_kills() {
        let seed = if kill % 2 == 0 { "7" } else { "8" };
        let mut child = clo()
            .args(["run", "--quiet", "--seed", seed, "--spec", project.path().to_str().unwrap()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(took.mul_f64(scattered(kill)));
        child.kill().unwrap();
        child.wait().unwrap();
        for (path, found) in artifacts(project.path()) {
            let known = [&seven, &eight].iter().any(|reference| reference.get(&path) == Some(&found));
            assert!(known, "{} is neither the old nor the new one after kill {kill}", path.display());
        }
    }
    let last = run(&["run", "--seed", "7", "--spec", project.path().to_str().unwrap()]);
    assert_eq!(code(&last), 0, "{}", stderr(&last));
    let found = artifacts(project.path());
    for (path, expected) in &seven {
        assert!(found.get(path) == Some(expected), "{} differs after the last run", path.display());
    }
    let half: Vec<_> =
        tree(project.path()).into_keys().filter(|path| path.to_string_lossy().contains(".part")).collect();
    assert!(half.is_empty(), "{half:?}");
}

#[test]
fn a_killed_search_goes_on_from_its_trials() {
    let whole = searching_shop();
    predict(whole.path());
    let expected = trials(whole.path()).unwrap();

    let project = searching_shop();
    let mut child = clo()
        .args(["predict", "--quiet", "--spec", project.path().to_str().unwrap()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while trials(project.path()).is_none() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // A trial that is made again would not have this mark.
    let mut kept = trials(project.path()).unwrap();
    let marked = serde_json::json!(kept["trials"][0]["loss"].as_f64().unwrap() + 1e-9);
    kept["trials"][0]["loss"] = marked.clone();
    std::fs::write(project.path().join(TRIALS), kept.to_string()).unwrap();

    predict(project.path());
    let mut found = trials(project.path()).unwrap();
    assert_eq!(found["trials"][0]["loss"], marked, "what was kept was tried again");
    found["trials"][0]["loss"] = expected["trials"][0]["loss"].clone();
    assert_eq!(found, expected);
}

/// Where the trials of the shop's first prediction are kept.
const TRIALS: &str = "out/predict/first-purchase/trials.json";

fn searching_shop() -> tempfile::TempDir {
    let project = shop();
    let path = project.path().join("clo.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let to = "to = [\"customer\"]\n";
    assert!(text.contains(to));
    let model = "model = { estimator = \"boosting\", search = { trials = 12 } }\n";
    std::fs::write(path, text.replacen(to, &format!("{to}{model}"), 1)).unwrap();
    project
}

fn predict(project: &Path) {
    let output = run(&["predict", "--quiet", "--spec", project.to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
}

fn trials(project: &Path) -> Option<serde_json::Value> {
    serde_json::from_slice(&std::fs::read(project.join(TRIALS)).ok()?).ok()
}

fn shop() -> tempfile::TempDir {
    let project = folder();
    let made = run(&["simulate", project.path().join("shop").to_str().unwrap(), "--people", "400", "--seed", "3"]);
    assert_eq!(code(&made), 0, "{}", stderr(&made));
    for entry in std::fs::read_dir(project.path().join("shop")).unwrap() {
        let entry = entry.unwrap();
        std::fs::rename(entry.path(), project.path().join(entry.file_name())).unwrap();
    }
    project
}

fn reference(seed: &str) -> (BTreeMap<PathBuf, Vec<u8>>, Duration) {
    let project = shop();
    let since = Instant::now();
    let output = run(&["run", "--seed", seed, "--spec", project.path().to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    (artifacts(project.path()), since.elapsed())
}

/// What a run makes. A model's number depends on how many there were before it, its hash does not. The manifest and
/// `current` say which of the two it is, the report names what stands there when it is written, and `added` and `removed` tell
/// what changed since the list before.
fn artifacts(project: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for part in ["out", "models"] {
        for (path, content) in tree(&project.join(part)) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let of_both = ["manifest.json", "current", "added.csv", "removed.csv"].contains(&name.as_str());
            if !name.starts_with(".clo") && !of_both {
                let plain: PathBuf = path.iter().map(|part| unnumbered(&part.to_string_lossy())).collect();
                all.insert(Path::new(part).join(plain), content);
            }
        }
    }
    all
}

fn unnumbered(name: &str) -> String {
    match name.strip_prefix('v').and_then(|rest| rest.split_once('-')) {
        Some((number, hash)) if number.bytes().all(|byte| byte.is_ascii_digit()) => format!("v-{hash}"),
        _ => name.to_owned(),
    }
}

/// A number in [0, 1) that looks random, the same in every run (the golden ratio's multiples).
fn scattered(n: u64) -> f64 {
    (f64::from(u32::try_from(n).unwrap()) * 0.618_033_988_749_895).fract()
}
