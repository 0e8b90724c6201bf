//! What came of people whom `clo score` scored, from the files that it wrote.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Output;

use crate::support::{LEAVING, SHOP, code, folder, run, stderr, stdout, write};

/// A hundred people buy in January, every fifth of them again on 10 February; the data goes on until June.
fn shop(folder: &Path) {
    let mut orders = "customer,ordered_at\nlast,2024-06-01\n".to_owned();
    for person in 0..100 {
        writeln!(orders, "c{person},2024-01-{:02}", 1 + person % 28).unwrap();
        if person % 5 == 0 {
            writeln!(orders, "c{person},2024-02-10").unwrap();
        }
    }
    write(&folder.join("clo.toml"), SHOP);
    write(&folder.join("orders.csv"), &orders);
    write(&folder.join("no.csv"), "person\n");
}

/// As `clo score` writes it: whoever buys again was given `high`, everybody else 0.1; somebody was not eligible.
fn scores(file: &Path, high: f64) {
    let mut text = "person,propensity,percentile,reason_1\nc_none,,,not eligible\n".to_owned();
    for person in 0..100 {
        let propensity = if person % 5 == 0 { high } else { 0.1 };
        writeln!(text, "c{person},{propensity},50,").unwrap();
    }
    write(file, &text);
}

fn check(project: &Path, files: &[String]) -> Output {
    let fixed = ["models", "check", "second", "--spec", project.to_str().unwrap(), "--scores"];
    run(&fixed.into_iter().chain(files.iter().map(String::as_str)).collect::<Vec<_>>())
}

#[test]
fn realised_rates_of_files_of_scores_are_those_counted_by_hand() {
    let project = folder();
    let at = |name: &str| project.path().join(name).to_str().unwrap().to_owned();
    shop(project.path());
    let files = ["nights/2024-02-05/scores.csv", "scores-20240206.csv", "scores.csv", "scores-2024-05-20.csv"].map(at);
    for file in &files {
        scores(Path::new(file), 0.6);
    }
    let [first, second, third, young] = files;
    let all = [first.clone(), second, format!("2024-03-01T12:00:00={third}"), young];
    let output = check(project.path(), &all);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    // Two nights before 10 February: each promised (20 · 0.6 + 80 · 0.1) / 100 = 20 %, and 20 of 100 came, whom the first two tenths
    // hold. On 1 March those 20 had moved on. The interval of the two nights is Wilson's of 20 of 100. In all, people who came have 2 of
    // 2 scores, others 0 of 3: with r = 40 / 280 the design effect is (20 · (2 − 2r)² + 80 · (3r)²) / (280 · r · (1 − r)) = 2.143, and the
    // interval that of 280 / 2.143 scores by `proportion_confint(method="wilson")` of statsmodels.
    let said = stdout(&output);
    for expected in [
        "second: 280 scores of 100 people, cutoffs: 3, 30d later",
        "all          17.1 %  14.3 % (40 of 280; 9.3–21.3)",
        "tenth 2      45.7 %  71.4 % (20 of 28; 50.4–86.0)   not as predicted",
        "2024-02      20.0 %  20.0 % (40 of 200; 13.3–28.9)",
        "2024-03      10.0 %  0.0 % (0 of 80; 0.0–4.6)",
        "warning: 20 scores of people who, by what is known now, stood elsewhere then",
        "cutoffs whose horizon is not over: 1; the first of them can be looked at once the data reaches 2024-06-19",
    ] {
        assert!(said.contains(expected), "{expected} is not in\n{said}");
    }
    assert!(!project.path().join("out").exists(), "what is asked of files changes nothing");
}

#[test]
fn what_became_of_people_in_a_snapshot_its_table_says() {
    let project = folder();
    let path = project.path();
    let table = "id,age,plan,noise,left\na,30,x,1,yes\nb,40,x,2,no\nc,50,y,3,yes\nd,60,y,4,no\n";
    write(&path.join("people.csv"), table);
    write(&path.join("clo.toml"), LEAVING);
    let file = path.join("scores-2024-02-05.csv");
    write(&file, "person,propensity\na,0.6\nb,0.2\nc,0.4\nz,0.3\n");
    let spec = path.to_str().unwrap();
    let check = || run(&["models", "check", "leave", "--spec", spec, "--scores", file.to_str().unwrap()]);
    let said = stdout(&check());
    for expected in [
        "leave: 3 scores of 3 people, cutoffs: 1, until now",
        "all         40.0 %  66.7 % (2 of 3; 20.8–93.9)",
        "2024-02     40.0 %  66.7 % (2 of 3; 20.8–93.9)",
        "warning: 1 scores of people whom the data does not know are left out",
    ] {
        assert!(said.contains(expected), "{expected} is not in\n{said}");
    }
    write(&path.join("clo.toml"), &LEAVING.replace("person = \"id\"", "person = \"row\""));
    let rows = check();
    assert_eq!(code(&rows), 2, "{}", stdout(&rows));
    assert!(stderr(&rows).contains("people are known by their row"), "{}", stderr(&rows));
    let kept = run(&["models", "check", "--spec", spec]);
    assert_eq!(code(&kept), 2, "{}", stdout(&kept));
    assert!(stderr(&kept).contains("no run of it keeps scores"), "{}", stderr(&kept));
}

#[test]
fn what_is_no_file_of_such_scores_is_refused() {
    let project = folder();
    shop(project.path());
    let at = |name: &str, text: &str| {
        let file = project.path().join(name);
        write(&file, text);
        file.to_str().unwrap().to_owned()
    };
    let good = at("scores-2024-02-05.csv", "person,propensity\nc1,0.5\n");
    let same = at("again-2024-02-05.csv", "person,propensity\nc1,0.4\n");
    let orders = project.path().join("orders.csv").to_str().unwrap().to_owned();
    let cases = [
        (vec!["2024-02-05=nowhere.csv".to_owned()], 4, "there is no file nowhere.csv"),
        (vec![orders.clone()], 2, "its name holds no day that it was scored as of"),
        (vec![format!("2024-02-05={orders}")], 4, "does not hold scores: it has no column `person`"),
        (vec![at("a-2024-02-05.csv", "person,propensity\nc1,7\n")], 4, "a propensity of 7 is no probability"),
        (vec![at("b-2024-02-05.csv", "person,propensity\nc1,\n")], 4, "nobody in these files has a propensity"),
        (vec![at("c-2024-02-05.csv", "person,propensity\nx1,0.5\nx2,0.5\n")], 4, "none of the 2 people scored is in"),
        (vec![format!("2023-12-01={good}")], 4, "stood in customer then"),
        (vec![good.clone(), same], 4, "somebody was scored twice as of 2024-02-05"),
    ];
    for (files, expected, said) in cases {
        let output = check(project.path(), &files);
        assert_eq!(code(&output), expected, "{files:?}: {}", stdout(&output));
        assert!(stderr(&output).contains(said), "{files:?}: {}", stderr(&output));
    }
    let young = check(project.path(), &[good.replace("02-05", "05-20").replace("scores", "young")]);
    assert_eq!(code(&young), 4, "{}", stdout(&young));
    let young = check(project.path(), &[format!("2024-05-20={good}")]);
    assert_eq!(code(&young), 0, "{}", stderr(&young));
    assert!(stdout(&young).contains("no scores are old enough yet"), "{}", stdout(&young));
}
