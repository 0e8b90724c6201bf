//! Same input, same bytes: whole trees of files, for 1 and 2 threads and for two runs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clo::simulate::{Settings, simulate};

use crate::support::{code, folder, run, stderr, stdout, tree};

fn results(threads: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let project = folder();
    simulate(project.path(), &Settings { n_people: 3_000, seed: 5, reveal_traits: false }).unwrap();
    let output = run(&["run", "--threads", threads, "--spec", project.path().to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    tree(project.path())
}

#[test]
fn one_and_two_threads_and_two_runs_write_the_same_trees() {
    let one = results("1");
    assert!(one.keys().any(|path| path.ends_with("out/report.html")), "{:?}", one.keys());
    assert!(one.keys().any(|path| path.ends_with("model.json")));
    for other in [results("2"), results("2")] {
        assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
        for (path, content) in &one {
            assert!(other[path] == *content, "{} differs", path.display());
        }
    }
}

#[test]
fn a_second_run_does_nothing_and_says_so() {
    let project = folder();
    simulate(project.path(), &Settings { n_people: 1_500, seed: 5, reveal_traits: false }).unwrap();
    let spec = project.path().to_str().unwrap();
    assert_eq!(code(&run(&["run", "--spec", spec])), 0);
    let before = tree(project.path());
    let again = run(&["run", "--spec", spec]);
    assert_eq!(code(&again), 0);
    assert!(tree(project.path()) == before);
    let said = format!("{}{}", stdout(&again), stderr(&again));
    assert!(said.contains("nothing"), "{said}");
}
