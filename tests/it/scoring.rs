//! `clo score` needs no spec, and says what the run said.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use clo::simulate::{Settings, simulate};
use clo::source::{Data, Values};
use clo::{source, spec, store};
use polars::prelude::DataType;

use crate::support::{LEAVING, code, folder, run, stderr, stdout, write};

/// Propensities as text, by person.
fn propensities(path: &Path) -> BTreeMap<String, String> {
    let frame = store::read_frame(path).unwrap();
    let text = |name: &str| frame.column(name).unwrap().cast(&DataType::String).unwrap();
    let (person, propensity) = (text("person"), text("propensity"));
    let pairs = person.str().unwrap().iter().zip(propensity.str().unwrap().iter());
    pairs.filter_map(|(person, propensity)| Some((person?.to_owned(), propensity?.to_owned()))).collect()
}

fn score(project: &Path, prediction: &str, more: &[&str]) -> BTreeMap<String, String> {
    let model = project.join("models").join(prediction).join("current");
    let out = project.join("scores.parquet");
    let fixed = ["score", "--model", model.to_str().unwrap(), "--output", out.to_str().unwrap()];
    let output = run(&[&fixed, more].concat());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    propensities(&out)
}

#[test]
fn a_snapshot_scores_as_in_the_run_without_its_outcome() {
    let project = folder();
    let row = |i: usize| {
        let (age, plan) = (18 + (i * 7) % 60, ["basic", "plus", "family"][i % 3]);
        let left = (i * 31 + age * 3) % 97 < if plan == "basic" { 45 } else { 15 };
        (format!("c{i};{age};{plan}"), if left { "yes" } else { "no" })
    };
    let table = |with_outcome: bool| {
        let mut text = format!("id;age;plan{}\n", if with_outcome { ";left" } else { "" });
        for (row, left) in (0..900).map(row) {
            let outcome = if with_outcome { format!(";{left}") } else { String::new() };
            writeln!(text, "{row}{outcome}").unwrap();
        }
        text
    };
    write(&project.path().join("people.csv"), &table(true));
    write(&project.path().join("new.csv"), &table(false));
    write(
        &project.path().join("clo.toml"),
        r#"
        [project]
        name = "snapshot"
        [tables]
        people = { path = "people.csv", delimiter = ";" }
        [people.all]
        table = "people"
        person = "id"
        [[lifecycle.stages]]
        name = "active"
        [[lifecycle.stages]]
        name = "gone"
        when = "\"left\" = 'yes'"
        [[predictions]]
        name = "leave"
        from = ["active"]
        to = ["gone"]
        "#,
    );
    let output = run(&["predict", "--spec", project.path().to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let said = propensities(&project.path().join("out/predict/leave/scores.parquet"));
    assert_eq!(said.len(), 900);
    let new = project.path().join("new.csv");
    assert_eq!(score(project.path(), "leave", &["--input", new.to_str().unwrap()]), said);
}

#[test]
fn recent_outcomes_put_the_level_right() {
    let project = folder();
    let path = project.path();
    // Among those of later years three times as many leave as of training, at every age.
    let row = |i: usize, share: usize| {
        let age = 18 + (i * 7) % 60;
        let left = (i * 7919) % 1000 < (share * (20 + age)) / 10;
        format!("c{i},{age},{}\n", if left { "yes" } else { "no" })
    };
    let table = |rows: std::ops::Range<usize>, share: usize| {
        "id,age,left\n".to_owned() + &rows.map(|i| row(i, share)).collect::<String>()
    };
    write(&path.join("people.csv"), &table(0..2_000, 15));
    write(&path.join("recent.csv"), &table(2_000..2_600, 45));
    write(&path.join("new.csv"), &table(3_000..4_000, 45));
    write(&path.join("clo.toml"), LEAVING);
    let trained = run(&["predict", "--spec", path.to_str().unwrap()]);
    assert_eq!(code(&trained), 0, "{}", stderr(&trained));
    let attained = table(3_000..4_000, 45).matches(",yes").count() as f64 / 1_000.0;
    let [new, recent] = ["new.csv", "recent.csv"].map(|file| path.join(file).to_str().unwrap().to_owned());
    let mean = |more: &[&str]| {
        let scores = score(path, "leave", &[&["--input", &new], more].concat());
        scores.values().map(|propensity| propensity.parse::<f64>().unwrap()).sum::<f64>() / scores.len() as f64
    };
    let (before, after) = (mean(&[]), mean(&["--recent", &recent]));
    assert!(before < 0.5 * attained, "{before} of {attained}");
    assert!((after / attained - 1.0).abs() < 0.2, "{after} of {attained}");
}

/// The events of a project in the canonical columns, and its people.
fn canonical(data: &Data) -> (String, String) {
    let names: Vec<&str> = data.events.properties.iter().map(|property| property.name.as_str()).collect();
    let mut events = format!("person,time,event,{}\n", names.join(","));
    for row in 0..data.events.len() {
        let time = clo::time::Time(data.events.time[row]).civil().unwrap();
        let (person, kind) = (data.events.person[row] as usize, usize::from(data.events.kind[row]));
        write!(events, "{},{time},{}", data.people.ids[person], data.events.kinds[kind]).unwrap();
        for property in &data.events.properties {
            let value = match &property.values {
                Values::Number(values) if !values[row].is_nan() => values[row].to_string(),
                Values::Category { codes, levels } => levels.get(codes[row] as usize).cloned().unwrap_or_default(),
                _ => String::new(),
            };
            write!(events, ",{value}").unwrap();
        }
        events.push('\n');
    }
    let attributes = data.people.attributes.columns();
    let texts: Vec<_> = attributes.iter().map(|column| column.cast(&DataType::String).unwrap()).collect();
    let names: Vec<&str> = attributes.iter().map(|column| column.name().as_str()).collect();
    let mut people = format!("person,{}\n", names.join(","));
    for (person, id) in data.people.ids.iter().enumerate() {
        let Some(row) = data.people.row(person, clo::time::Time::NEVER) else { continue };
        let cells = texts.iter().map(|column| column.str().unwrap().get(row).unwrap_or_default().replace(',', " "));
        writeln!(people, "{id},{}", cells.collect::<Vec<_>>().join(",")).unwrap();
    }
    (events, people)
}

#[test]
fn events_score_as_in_the_run() {
    let project = folder();
    simulate(project.path(), &Settings { n_people: 2_000, seed: 4, reveal_traits: false }).unwrap();
    let file = project.path().join("clo.toml");
    let output = run(&["predict", "--spec", file.to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let (events, people) = canonical(&source::read(&spec::read(&file, &|_| None).unwrap()).unwrap());
    let (events_file, people_file) = (project.path().join("events.csv"), project.path().join("everybody.csv"));
    write(&events_file, &events);
    write(&people_file, &people);
    let said = propensities(&project.path().join("out/predict/first-purchase/scores.parquet"));
    let input =
        ["--input", events_file.to_str().unwrap(), "--people", people_file.to_str().unwrap(), "--as-of", "2024-10-01"];
    assert!(said.len() > 100);
    assert_eq!(score(project.path(), "first-purchase", &input), said);

    let (last, night) = (input.len() - 1, project.path().join("2024-08-01.csv"));
    let model = project.path().join("models/first-purchase/current");
    let door = ["score", "--model", model.to_str().unwrap(), "--output", night.to_str().unwrap()];
    let scored = run(&[&door, &input[..last], &["2024-08-01"]].concat());
    assert_eq!(code(&scored), 0, "{}", stderr(&scored));
    let told = stdout(&scored);
    let (n_eligible, rest) = told.split_once(" of them eligible and scored").unwrap();
    let n_eligible = n_eligible.rsplit_once(' ').unwrap().1;
    assert!(rest.starts_with(" as of 2024-08-01"), "{rest}");
    let spec = file.to_str().unwrap();
    let came = run(&["models", "check", "first-purchase", "--spec", spec, "--scores", night.to_str().unwrap()]);
    let expected = format!("{n_eligible} scores of {n_eligible} people, cutoffs: 1, 30d later");
    assert!(stdout(&came).contains(&expected), "{expected}: {}{}", stdout(&came), stderr(&came));
}
