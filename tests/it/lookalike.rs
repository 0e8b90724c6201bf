//! Lookalikes from a table of people and nothing else: no lifecycle, no prediction, no events.

use std::collections::BTreeMap;
use std::path::Path;

use polars::prelude::DataFrame;

use crate::support::{code, folder, run, stderr, stdout, tree, write};

const SPEC: &str = r#"
[project]
name = "club"
seed = 7
[tables]
members = "members.csv"
[people.members]
table = "members"
person = "id"
[[audiences]]
name = "like-them"
seed = "is_seed = 1"
candidates = "is_seed = 0"
size = "100%"
"#;

/// Whether someone is a keen walker: told by boots and age, which are attributes, and by chance.
fn is_keen(at: u64) -> bool {
    let (boots, age) = (at % 5 < 2, 20 + at * 7 % 50);
    let chance = at * 2_654_435_761 % 1000;
    chance
        < if boots && age > 40 {
            700
        } else if boots || age > 55 {
            200
        } else {
            30
        }
}

/// 900 members, of whom every third keen one is in the seed.
fn members() -> Vec<String> {
    let line = |at: u64| {
        let in_seed = u8::from(is_keen(at) && (at / 3).is_multiple_of(3));
        let (boots, age, town) =
            (if at % 5 < 2 { "yes" } else { "no" }, 20 + at * 7 % 50, ["A", "B", "C"][(at % 3) as usize]);
        format!("m{at:04},{in_seed},{boots},{age},{town},m{at}@example.com")
    };
    (0..900).map(line).collect()
}

const HEADER: &str = "id,is_seed,boots,age,town,email";

fn project(folder: &Path, spec: &str, members: &[String]) {
    write(&folder.join("clo.toml"), spec);
    write(&folder.join("members.csv"), &[&[HEADER.to_owned()], members].concat().join("\n"));
}

fn ran(folder: &Path, arguments: &[&str]) -> String {
    let output = run(&[arguments, &["--spec", folder.to_str().unwrap()]].concat());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    format!("{}{}", stdout(&output), stderr(&output))
}

fn audience(folder: &Path) -> DataFrame {
    clo::store::read_frame(&folder.join("out/expand/like-them/audience.parquet")).unwrap()
}

/// The score of each person, and their order.
fn scores(folder: &Path) -> (BTreeMap<String, f64>, Vec<String>) {
    let frame = audience(folder);
    let person: Vec<String> =
        frame.column("person").unwrap().str().unwrap().iter().flatten().map(str::to_owned).collect();
    let score = frame.column("score").unwrap().f64().unwrap().iter().map(Option::unwrap);
    (person.iter().cloned().zip(score).collect(), person)
}

/// The share of pairs of a keen candidate and another in which the keen one scores higher.
fn auc(scores: &BTreeMap<String, f64>) -> f64 {
    let of = |wanted: bool| scores.iter().filter(move |(id, _)| is_keen(id[1..].parse().unwrap()) == wanted);
    let pairs = of(true).flat_map(|(_, keen)| of(false).map(move |(_, other)| f64::from(u8::from(keen > other))));
    let (sum, n) = pairs.fold((0.0, 0.0), |(sum, n), win| (sum + win, n + 1.0));
    sum / n
}

fn summary(folder: &Path) -> serde_json::Value {
    clo::store::read_json(&folder.join("out/expand/like-them/summary.json")).unwrap()
}

#[test]
fn a_table_of_people_and_a_seed_are_enough() {
    let folder = folder();
    project(folder.path(), SPEC, &members());
    ran(folder.path(), &["check"]);
    ran(folder.path(), &["expand"]);
    let (found, order) = scores(folder.path());
    let n_seed = members().iter().filter(|line| line.split(',').nth(1) == Some("1")).count();
    assert_eq!(found.len(), 900 - n_seed, "every candidate is listed");
    assert!(order.windows(2).all(|pair| found[&pair[0]] >= found[&pair[1]]), "best first");
    // The chances themselves reach .869 (counted by hand); 140 hidden keen ones give a standard error of .02.
    let auc = auc(&found);
    assert!(auc > 0.80, "{auc}");

    let frame = audience(folder.path());
    assert_eq!(frame.column("propensity").unwrap().null_count(), frame.height());
    assert!(frame.column("reason_1").unwrap().null_count() < frame.height() / 2);
    let summary = summary(folder.path());
    assert_eq!(summary["seed"]["n_members"], n_seed);
    assert_eq!(summary["seed"]["n_features"], 3, "neither id nor e-mail nor what the rules name");
    assert!(summary["prediction"].is_null() && summary["expected_conversions"].is_null());

    ran(folder.path(), &["run"]);
    assert!(folder.path().join("out/report.html").exists());
    assert!(ran(folder.path(), &["run"]).contains("Nothing to do"));
}

#[test]
fn the_order_of_rows_and_the_number_of_threads_change_nothing() {
    let (first, turned) = (folder(), folder());
    project(first.path(), SPEC, &members());
    ran(first.path(), &["run", "--threads", "1"]);
    project(turned.path(), SPEC, &members());
    ran(turned.path(), &["run", "--threads", "2"]);
    assert!(tree(&first.path().join("out")) == tree(&turned.path().join("out")), "1 and 2 threads");

    let mut backwards = members();
    backwards.reverse();
    project(turned.path(), SPEC, &backwards);
    ran(turned.path(), &["expand"]);
    assert!(audience(first.path()).equals_missing(&audience(turned.path())));
}

#[test]
fn a_file_of_ids_or_of_contacts_names_a_seed_too() {
    let by_rule = folder();
    project(by_rule.path(), SPEC, &members());
    ran(by_rule.path(), &["expand"]);
    let seed: Vec<String> = members().into_iter().filter(|line| line.split(',').nth(1) == Some("1")).collect();
    let id = |line: &String| line.split(',').next().unwrap().to_owned();
    let email = |line: &String| line.split(',').next_back().unwrap().to_uppercase();
    let lists = [seed.iter().map(id).collect::<Vec<_>>(), seed.iter().map(email).collect()];
    for list in lists {
        let by_file = folder();
        let spec = SPEC.replace("seed = \"is_seed = 1\"", "seed = \"best.csv\"");
        project(by_file.path(), &spec, &members());
        write(&by_file.path().join("best.csv"), &list.join("\n"));
        ran(by_file.path(), &["expand"]);
        assert_eq!(scores(by_file.path()).0, scores(by_rule.path()).0);
        write(&by_file.path().join("best.csv"), &list[..list.len() / 2].join("\n"));
        assert!(ran(by_file.path(), &["expand"]).contains("Done"), "another file is another seed");
    }
}

#[test]
fn each_method_ranks_everybody() {
    let folder = folder();
    for method in ["lookalike", "similarity", "blend"] {
        project(folder.path(), &format!("{SPEC}method = \"{method}\"\n"), &members());
        ran(folder.path(), &["expand"]);
        let auc = auc(&scores(folder.path()).0);
        assert!(auc > 0.75, "{method}: {auc}");
        assert_eq!(summary(folder.path())["seed"]["method"], method);
    }
}

#[test]
fn a_seed_of_nobody_and_a_mistaken_one_say_so() {
    let folder = folder();
    let said = |from: &str, to: &str| {
        project(folder.path(), &SPEC.replace(from, to), &members());
        let output = run(&["expand", "--spec", folder.path().to_str().unwrap()]);
        (code(&output), stderr(&output))
    };
    let (nobody, words) = said("is_seed = 1", "is_seed = 2");
    assert!(nobody == 4 && words.contains("nobody is in the seed"), "{words}");
    let (unknown, words) = said("is_seed = 1", "is_sed = 1");
    assert!(unknown == 3 && words.contains("did you mean `is_seed`?"), "{words}");
    let (missing, words) = said("seed = \"is_seed = 1\"", "seed = \"gone.csv\"");
    assert!(missing == 4 && words.contains("gone.csv") && words.contains("put the file there"), "{words}");
    let (no_seed, words) = said("seed = \"is_seed = 1\"", "");
    assert!(no_seed == 3 && words.contains("neither which prediction nor which seed"), "{words}");
}
