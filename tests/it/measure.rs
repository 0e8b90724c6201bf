//! After the campaign: what became of people goes in, what the campaign changed comes out, and goes round again.

use std::collections::BTreeMap;
use std::path::Path;

use clo::expand::measure::{Answer, Measurement};
use clo::{source, store};
use polars::prelude::DataType;
use serde_json::Value;

use crate::support::{code, folder, run, shop, stderr, stdout, write};

/// A simulated shop whose list has a holdout, after `clo run`; `more` keys on its first audience.
fn campaign(more: &str) -> (tempfile::TempDir, String) {
    let project = folder();
    let place = project.path().join("shop");
    let at = place.to_str().unwrap();
    assert_eq!(code(&run(&["simulate", at, "--people", "1500", "--seed", "3", "--quiet"])), 0);
    let spec = std::fs::read_to_string(place.join("clo.toml")).unwrap();
    let (before, after) = spec.split_once("[[audiences]]\n").unwrap();
    let audience = after.split("[[audiences]]").next().unwrap();
    let prediction = audience.lines().find(|line| line.starts_with("prediction")).unwrap();
    let audience = format!("name = \"spring\"\n{prediction}\nsize = \"100%\"\n{more}\n");
    std::fs::write(place.join("clo.toml"), format!("{before}[[audiences]]\n{audience}")).unwrap();
    done(&["run", "--quiet", "--spec", at]);
    (project, at.to_owned())
}

fn done(words: &[&str]) -> String {
    let output = run(words);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    stdout(&output)
}

/// The people of the list and their groups, best first.
fn groups(shop: &str) -> Vec<(String, String)> {
    let frame = store::read_frame(&Path::new(shop).join("out/expand/spring/audience.parquet")).unwrap();
    let text = |name: &str| {
        let column = frame.column(name).unwrap().cast(&DataType::String).unwrap();
        column.str().unwrap().iter().map(|text| text.unwrap().to_owned()).collect::<Vec<String>>()
    };
    text("person").into_iter().zip(text("group")).collect()
}

#[test]
fn a_campaign_is_measured_shown_and_remembered() {
    let (_project, shop) = campaign("holdout = \"30%\"\nexpected_lift = \"50%\"");
    let list = groups(&shop);
    // Every second person of the target group buys, every tenth of the holdout; names are written as people write them.
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let mut lines = vec!["who;bought;worth".to_owned()];
    for (person, group) in &list {
        let n = counts.entry(group).or_default();
        *n += 1;
        let buys = n.is_multiple_of(if group == "target" { 2 } else { 10 });
        lines.push(format!(" {person} ;{};{}", if buys { "Yes" } else { "no" }, if buys { "19.90" } else { "" }));
    }
    lines.push("a stranger;yes;5".to_owned());
    let outcomes = Path::new(&shop).join("won.csv");
    write(&outcomes, &lines.join("\n"));
    let words = ["measure", "--spec", &shop, "--audience", "spring", "--outcomes", outcomes.to_str().unwrap()];
    let more = ["--converted", "bought", "--value", "worth", "--cost", "100", "--by", "channel"];
    let words = [&words[..], &more].concat();
    let said = done(&words);
    assert!(said.starts_with("The campaign lifted conversion by "), "{said}");
    let path = Path::new(&shop).join("out/measure/spring/measure.json");
    let measured: Measurement = store::read_json(&path).unwrap();
    assert_eq!(measured.verdict.answer, Answer::Lift);
    assert_eq!(measured.target.rate.n_eligible, counts["target"]);
    assert_eq!(measured.holdout.rate.n_attained, counts["holdout"] / 10);
    assert_eq!((measured.rows.n_elsewhere, measured.rows.person_column.as_str()), (1, "who"));
    assert!(measured.target.expected.unwrap() > 0.0 && measured.value_lift.unwrap().value > 0.0);
    assert!(measured.lift_adjusted.unwrap().covariates.len() > 1, "features known before the campaign are covariates");
    assert!(!measured.sample_ratio.unwrap().is_off);
    // The page shows it once it is made again, and only it is.
    let told: Value = serde_json::from_str(&done(&["run", "--json", "--quiet", "--spec", &shop])).unwrap();
    let redone: Vec<&str> = told["units"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|unit| unit["state"] == "done")
        .map(|unit| unit["unit"].as_str().unwrap())
        .collect();
    assert_eq!(redone, ["report"]);
    let page = std::fs::read_to_string(Path::new(&shop).join("out/report.html")).unwrap();
    assert!(page.contains("What the campaign changed") && page.contains("The campaign lifted conversion by"));
    // The same file again is no other look; another one is.
    assert!(!done(&words).contains("looked at"));
    lines.pop();
    write(&outcomes, &lines.join("\n"));
    assert!(done(&words).contains("warning: These outcomes were looked at once before"));
    let sequential = done(&[&words[..], &["--sequential"]].concat());
    assert!(sequential.contains("always valid") && !sequential.contains("looked at"), "{sequential}");
}

#[test]
fn outcomes_may_name_people_by_their_e_mail_address() {
    let (_project, shop) = campaign("holdout = \"30%\"");
    let people = source::one(&Path::new(&shop).join("data/people.csv")).unwrap().frame;
    let emails = people.column("email").unwrap().str().unwrap();
    let some: Vec<String> = emails.iter().flatten().take(400).map(str::to_uppercase).collect();
    let outcomes = Path::new(&shop).join("won.csv");
    write(&outcomes, &format!("address\n{}\n", some.join("\n")));
    done(&["measure", "--spec", &shop, "--audience", "spring", "--outcomes", outcomes.to_str().unwrap()]);
    let measured: Measurement = store::read_json(&Path::new(&shop).join("out/measure/spring/measure.json")).unwrap();
    assert!(measured.rows.n_counted > 10, "{:?}", measured.rows);
}

#[test]
fn national_numbers_mean_people_and_those_reached_may_be_named_otherwise() {
    let (_project, shop) = campaign("holdout = \"30%\"\ncost = 2");
    let people = source::one(&Path::new(&shop).join("data/people.csv")).unwrap().frame;
    let column = |name: &str| {
        let texts = people.column(name).unwrap().cast(&DataType::String).unwrap();
        texts.str().unwrap().iter().flatten().map(str::to_owned).collect::<Vec<_>>()
    };
    let list = groups(&shop);
    let target: Vec<&str> =
        list.iter().filter(|(_, group)| group == "target").map(|(person, _)| person.as_str()).collect();
    let file = |name: &str, lines: &[String]| {
        let path = Path::new(&shop).join(name);
        write(&path, &lines.join("\n"));
        path.to_str().unwrap().to_owned()
    };
    let ids: Vec<String> = ["id".to_owned()].into_iter().chain(target.iter().map(ToString::to_string)).collect();
    let won = file("won.csv", &ids[..target.len() / 2]);
    let emails = file("reached.csv", &[vec!["mail".to_owned()], column("email")].concat());
    // A copy of the folder that went out stands for its list.
    let kept = Path::new(&shop).join("out/expand/spring");
    let words = ["measure", "--spec", &shop, "--audience", "spring", "--list", kept.to_str().unwrap(), "--outcomes"];
    let said = done(&[&words[..], &[&won, "--matched", &emails]].concat());
    assert!(
        said.contains(" % reached") && said.contains("ids in column `id`, each says yes, none has a time"),
        "{said}"
    );
    let path = Path::new(&shop).join("out/measure/spring/measure.json");
    let cost =
        |measured: Measurement| measured.cost_per_incremental.unwrap().value * measured.incremental.unwrap().value;
    let spent = cost(store::read_json(&path).unwrap());
    assert!((spent - 2.0 * target.len() as f64).abs() < 1e-6, "what the audience says of one: {spent}");
    let at_home = |phone: String| phone.replace("+49", "0").replace("0049", "0");
    let phones: Vec<String> = column("phone").into_iter().map(at_home).collect();
    let phones = file("phones.csv", &[vec!["phone".to_owned()], phones].concat());
    done(&[&words[..], &[&phones]].concat());
    let measured: Measurement = store::read_json(&path).unwrap();
    assert!(measured.rows.n_counted > list.len() as u64 / 2, "{:?}", measured.rows);
}

#[test]
fn a_stratified_holdout_is_exact_and_stays_when_all_is_done_again() {
    let (_project, shop) = campaign("holdout = \"20%\"\nstratify = \"propensity\"");
    let first = groups(&shop);
    for tenth in 0..10 {
        let part = &first[(tenth * first.len()).div_ceil(10)..((tenth + 1) * first.len()).div_ceil(10)];
        let held = part.iter().filter(|(_, group)| group == "holdout").count();
        assert!((held as f64 - 0.2 * part.len() as f64).abs() <= 0.5, "tenth {tenth}: {held} of {}", part.len());
    }
    // Another seed would draw anew: those who were drawn before stay.
    done(&["run", "--quiet", "--force", "--seed", "99", "--spec", &shop]);
    let later: BTreeMap<String, String> = groups(&shop).into_iter().collect();
    assert!(first.iter().all(|(person, group)| later.get(person).is_none_or(|later| later == group)));
}

#[test]
fn measured_outcomes_are_events_of_the_next_run() {
    let project = folder();
    shop(project.path());
    let at = project.path().to_str().unwrap();
    let stage_of = |person: &str| {
        done(&["map", "--quiet", "--spec", at]);
        let frame = store::read_frame(&project.path().join("out/map/stage_history.parquet")).unwrap();
        let text = |name: &str| frame.column(name).unwrap().cast(&DataType::String).unwrap();
        let (people, stages) = (text("person"), text("stage"));
        let mut rows = people.str().unwrap().iter().zip(stages.str().unwrap().iter());
        rows.rfind(|(who, _)| *who == Some(person)).and_then(|(_, stage)| stage.map(str::to_owned))
    };
    assert_eq!(stage_of("ben").as_deref(), Some("customer"));
    write(&project.path().join("won.csv"), "person,time,value\nben,2024-02-20,12.5\n");
    let spec = std::fs::read_to_string(project.path().join("clo.toml")).unwrap();
    let spec = spec
        .replace("orders = \"orders.csv\"", "orders = \"orders.csv\"\nwon = \"won.csv\"")
        .replace(
            "[[lifecycle.stages]]\nname = \"customer\"",
            "[events.won]\nsql = \"SELECT person, time, 'purchase' AS event, value FROM won\"\nevent = \"event\"\n[[lifecycle.stages]]\nname = \"customer\"",
        );
    write(&project.path().join("clo.toml"), &spec);
    assert_eq!(stage_of("ben").as_deref(), Some("repeat"));
}
