//! `clo score` as a nightly job: large files, pipes, columns in another order, broken off, and data that has changed.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use clo::store;
use polars::prelude::{
    DataFrame, DataType, IntoColumn as _, IpcStreamReader, IpcStreamWriter, NamedFrom as _, SerReader as _,
    SerWriter as _, Series,
};
use serde_json::Value;

use crate::support::{LEAVING, clo, code, folder, run, stderr, stdout, write};

const PLANS: [&str; 3] = ["basic", "family", "plus"];

fn person(i: usize) -> (String, usize, &'static str) {
    (format!("c{i}"), 18 + (i * 7) % 60, PLANS[(i / 5) % 3])
}

/// A project with a model of 900 people, and its folder.
fn trained() -> tempfile::TempDir {
    let project = folder();
    let mut text = "id,age,plan,left\n".to_owned();
    for i in 0..900 {
        let (id, age, plan) = person(i);
        let left = (i * 31 + age * 3) % 97 < if plan == "basic" { 45 } else { 15 };
        writeln!(text, "{id},{age},{plan},{}", if left { "yes" } else { "no" }).unwrap();
    }
    write(&project.path().join("people.csv"), &text);
    write(&project.path().join("clo.toml"), LEAVING);
    let output = run(&["predict", "--spec", project.path().to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    project
}

fn arguments(project: &Path, input: &str, output: &str) -> Vec<String> {
    let model = project.join("models/leave/current").display().to_string();
    ["score", "--model", &model, "--input", input, "--output", output].map(str::to_owned).to_vec()
}

fn scored(project: &Path, input: &Path, output: &Path, more: &[&str]) -> Output {
    let fixed = arguments(project, input.to_str().unwrap(), output.to_str().unwrap());
    clo().args(fixed).args(more).output().unwrap()
}

/// The rows of a CSV, without its header.
fn people(n: std::ops::Range<usize>) -> String {
    n.map(person).map(|(id, age, plan)| format!("{id},{age},{plan}\n")).collect()
}

fn input(project: &Path, name: &str, text: &str) -> PathBuf {
    let path = project.join(name);
    write(&path, text);
    path
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}{}", stdout(output), stderr(output)))
}

#[test]
fn files_and_pipes_of_every_format_give_the_same_scores() {
    let project = trained();
    let at = |name: &str| project.path().join(name);
    let csv = input(project.path(), "new.csv", &format!("id,age,plan\n{}", people(0..50)));
    let expected = at("expected.csv");
    assert_eq!(code(&scored(project.path(), &csv, &expected, &[])), 0);
    let expected = std::fs::read_to_string(expected).unwrap();
    assert!(expected.starts_with("person,propensity,percentile,reason_1,reason_2,reason_3\nc0,0."), "{expected}");
    assert_eq!(expected.lines().count(), 51);

    let column = |text: fn(usize) -> String| (0..50).map(text).collect::<Vec<String>>();
    let columns = vec![
        Series::new("more".into(), vec![1_i32; 50]).into_column(),
        Series::new("plan".into(), column(|i| person(i).2.to_owned())).into_column(),
        Series::new("age".into(), (0_usize..50).map(|i| person(i).1 as f32).collect::<Vec<f32>>()).into_column(),
        Series::new("id".into(), column(|i| person(i).0)).into_column(),
    ];
    let mut frame = DataFrame::new(50, columns).unwrap();
    store::write_frame(&at("new.parquet"), &mut frame).unwrap();
    IpcStreamWriter::new(File::create(at("new.arrows")).unwrap()).finish(&mut frame).unwrap();
    for name in ["new.parquet", "new.arrows"] {
        let out = at("out.csv");
        let output = scored(project.path(), &at(name), &out, &[]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        assert_eq!(
            std::fs::read_to_string(out).unwrap(),
            expected,
            "{name}, in another order and with one more column"
        );
    }

    let piped = |from: &Path, more: &[&str]| {
        let mut command = clo();
        command.args(arguments(project.path(), "-", "-")).args(more).stdin(File::open(from).unwrap());
        let output = command.output().unwrap();
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        output
    };
    let output = piped(&csv, &[]);
    assert_eq!(stdout(&output), expected);
    assert!(stderr(&output).starts_with("50 people, 50 of them eligible and scored"), "{}", stderr(&output));
    assert_eq!(stdout(&piped(&at("new.arrows"), &["--input-format", "arrow"])), expected);

    let stream = piped(&csv, &["--output-format", "arrow", "--reasons", "1"]).stdout;
    let frame = IpcStreamReader::new(Cursor::new(stream)).finish().unwrap();
    assert_eq!(frame.shape(), (50, 4));
    assert_eq!(code(&scored(project.path(), &csv, &at("scores.arrow"), &["--reasons", "0"])), 0);
    let file = std::fs::read(at("scores.arrow")).unwrap();
    assert!(file.starts_with(b"ARROW1") && file.ends_with(b"ARROW1"));
    assert_eq!(clo::source::one(&at("scores.arrow")).unwrap().frame.shape(), (50, 3));
}

#[test]
fn a_schema_that_differs_is_refused_with_every_column_named() {
    let project = trained();
    let at = |name: &str| project.path().join(name);
    let faulty = input(project.path(), "faulty.csv", &format!("id,Age,tariff\n{}", people(0..5)));
    let output = scored(project.path(), &faulty, &at("out.csv"), &[]);
    let said = stderr(&output);
    assert_eq!(code(&output), 4, "{said}");
    assert!(said.contains("no column `age`, which the model needs") && said.contains("it has `Age`"), "{said}");
    assert!(said.contains("no column `plan`"), "{said}");
    assert!(!at("out.csv").exists());

    let days = Series::new("age".into(), vec![1_i32, 2]).into_column().cast(&DataType::Date).unwrap();
    let columns = vec![
        Series::new("id".into(), vec!["a", "b"]).into_column(),
        days,
        Series::new("plan".into(), vec!["basic", "plus"]).into_column(),
    ];
    store::write_frame(&at("days.parquet"), &mut DataFrame::new(2, columns).unwrap()).unwrap();
    let output = scored(project.path(), &at("days.parquet"), &at("out.csv"), &[]);
    assert_eq!(code(&output), 4);
    assert!(stderr(&output).contains("is of type date, where the model needs numbers"), "{}", stderr(&output));

    let text = format!("id,age,plan\n{}x,elderly,plus\n", people(0..5));
    let output = scored(project.path(), &input(project.path(), "text.csv", &text), &at("out.csv"), &[]);
    assert_eq!(code(&output), 4);
    let said = stderr(&output);
    assert!(said.contains("`age` holds something else in row 6, where the model needs numbers"), "{said}");
    assert!(!said.contains("elderly"), "a value may be personal: {said}");
}

#[test]
fn rows_that_cannot_be_used_are_counted_and_small_inputs_are_scored() {
    let project = trained();
    let out = project.path().join("out.csv");
    let text = format!("id,age,plan\n{}c3,20,plus\n,30,plus\nz,1\n", people(0..9));
    let output = scored(project.path(), &input(project.path(), "new.csv", &text), &out, &["--json"]);
    let said = json(&output);
    assert_eq!((said["n_people"].as_u64(), said["n_eligible"].as_u64()), (Some(9), Some(9)));
    let rejected = said["rejected"].as_object().unwrap();
    assert_eq!(rejected.len(), 3, "{rejected:?}");
    assert!(rejected.values().all(|rows| rows == 1), "{rejected:?}");
    assert_eq!(rejected["the same person again; the first row is used"], 1);

    let one = input(project.path(), "one.csv", &format!("id,age,plan\n{}", people(0..1)));
    assert_eq!(code(&scored(project.path(), &one, &out, &[])), 0);
    assert_eq!(std::fs::read_to_string(&out).unwrap().lines().count(), 2);
    let before = std::fs::read(&out).unwrap();
    for text in ["id,age,plan\n", ""] {
        let output = scored(project.path(), &input(project.path(), "empty.csv", text), &out, &[]);
        assert_eq!(code(&output), 4);
        assert!(stderr(&output).contains("has no rows"), "{}", stderr(&output));
    }
    assert_eq!(std::fs::read(&out).unwrap(), before, "what stood there still stands");
}

#[test]
fn people_who_are_not_those_of_training_are_told_of() {
    let project = trained();
    let at = |name: &str| project.path().join(name);
    let same = input(project.path(), "same.csv", &format!("id,age,plan\n{}", people(0..900)));
    let output = scored(project.path(), &same, &at("out.csv"), &["--fail-on-drift", "0.1", "--json"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let said = json(&output);
    assert_eq!(said["drift"]["n_drifted"], 0, "{said:#}");

    let older = |i| (format!("n{i}"), 50 + (i * 7) % 60, if i % 10 == 0 { "gold" } else { person(i).2 });
    let rows: String = (0..900).map(older).map(|(id, age, plan)| format!("{id},{age},{plan}\n")).collect();
    let other = input(project.path(), "other.csv", &format!("id,age,plan\n{rows}"));
    let report = at("drift.json");
    let more = ["--report", report.to_str().unwrap(), "--fail-on-drift"];
    let output = scored(project.path(), &other, &at("other-scores.csv"), &more);
    assert_eq!(code(&output), 5, "{}", stderr(&output));
    assert!(stderr(&output).contains("`attr.age` (PSI"), "{}", stderr(&output));
    assert_eq!(std::fs::read_to_string(at("other-scores.csv")).unwrap().lines().count(), 901);
    let drift: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    let of = |name: &str| {
        drift["features"].as_array().unwrap().iter().find(|moved| moved["feature"] == name).unwrap().clone()
    };
    assert_eq!(of("attr.age")["verdict"], "shifted");
    assert_eq!((of("attr.plan")["n_unseen"].as_u64(), of("attr.plan")["coverage"].as_f64()), (Some(90), Some(0.9)));
}

/// A job is killed after some of its parts; started again it goes on, and gives the bytes of one that was not.
#[test]
fn a_killed_job_goes_on_where_it_stopped() {
    const ROWS: usize = 1_200_000;
    let project = trained();
    let at = |name: &str| project.path().join(name);
    let mut text = String::with_capacity(ROWS * 20);
    text.push_str("id,age,plan\n");
    text.push_str(&people(0..ROWS));
    let new = input(project.path(), "new.csv", &text);
    let options = ["--part-rows", "60000", "--json"];
    let whole = scored(project.path(), &new, &at("whole.parquet"), &options);
    assert_eq!(code(&whole), 0, "{}", stderr(&whole));
    assert!(!at("whole.parquet.parts").exists());

    let fixed = arguments(project.path(), new.to_str().unwrap(), at("broken.parquet").to_str().unwrap());
    let mut job = clo().args(&fixed).args(options).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let second_part = at("broken.parquet.parts/00002.parquet");
    let mut waited = 0;
    while !second_part.exists() && job.try_wait().unwrap().is_none() && waited < 60_000 {
        std::thread::sleep(Duration::from_millis(2));
        waited += 2;
    }
    job.kill().unwrap();
    job.wait().unwrap();
    assert!(second_part.exists() && !at("broken.parquet").exists(), "it was not killed between two parts");

    let again = clo().args(&fixed).args(options).output().unwrap();
    assert_eq!(code(&again), 0, "{}", stderr(&again));
    let (mut whole, mut again) = (json(&whole), json(&again));
    assert!(again["n_resumed"].as_u64().unwrap() >= 120_000, "{again:#}");
    for said in [&mut whole, &mut again] {
        said["n_resumed"] = 0.into();
        said["output"] = "".into();
    }
    assert_eq!(whole, again, "counts, means and drift are those of all rows");
    assert!(std::fs::read(at("whole.parquet")).unwrap() == std::fs::read(at("broken.parquet")).unwrap());
    assert!(!at("broken.parquet.parts").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_and_a_closed_pipe() {
    let project = trained();
    let csv = input(project.path(), "new.csv", &format!("id,age,plan\n{}", people(0..200_000)));
    let to = |stdout: Stdio| {
        let mut command = clo();
        command.args(arguments(project.path(), csv.to_str().unwrap(), "-")).args(["--reasons", "0"]).stdout(stdout);
        command.stderr(Stdio::piped()).spawn().unwrap()
    };
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = to(full.into()).wait_with_output().unwrap();
    assert_eq!(code(&output), 4, "{}", stderr(&output));
    assert!(stderr(&output).contains("the disk is full"), "{}", stderr(&output));
    let mut closed = to(Stdio::piped());
    drop(closed.stdout.take());
    let output = closed.wait_with_output().unwrap();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
}
