//! `clo init`: specs guessed from files run unedited, and mistakes end with words that help.

use std::path::{Path, PathBuf};

use clo::simulate::{Settings, simulate};
use insta::assert_snapshot;

use crate::support::{clo, code, folder, run, said, stderr, stdout, write};

fn init(folder: &Path, arguments: &[&str]) -> std::process::Output {
    clo().current_dir(folder).arg("init").args(arguments).output().unwrap()
}

/// Guesses from files and runs the guess as it is.
fn runs(files: &[PathBuf]) -> (tempfile::TempDir, String) {
    let project = folder();
    let path = project.path().to_str().unwrap().to_owned();
    let mut arguments = vec!["init", &path, "--from"];
    arguments.extend(files.iter().map(|file| file.to_str().unwrap()));
    let output = run(&arguments);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let ran = run(&["discover", "--quiet", "--spec", &path]);
    let spec = std::fs::read_to_string(project.path().join("clo.toml")).unwrap();
    assert_eq!(code(&ran), 0, "{}\n{spec}", stderr(&ran));
    (project, spec)
}

#[test]
fn the_simulated_shop_runs_from_its_files_alone() {
    let shop = folder();
    simulate(shop.path(), &Settings { n_people: 1500, seed: 5, reveal_traits: false }).unwrap();
    let file = |name: &str| shop.path().join("data").join(name);
    let files = [
        "people.csv",
        "visits.csv.gz",
        "emails.jsonl",
        "carts.csv",
        "purchases.parquet",
        "unsubscribed.csv",
        "campaign.csv",
    ];
    let (_, spec) = runs(&files.map(file));
    for line in [
        "person = \"person_id\"",
        "[events.purchase]",
        "event = \"event\"",
        "delimiter = \";\"",
        "[[predictions]]",
        "consent = \"email_opt_in = true\"",
        "valid_from = \"assigned_at\"    # since when `group` holds (likely)",
    ] {
        assert!(spec.contains(line), "no {line} in\n{spec}");
    }
    assert!(spec.contains("\nsuppress = ["), "{spec}");
}

#[test]
fn a_snapshot_without_a_header_in_an_old_encoding_runs() {
    let files = folder();
    let row = |i: usize| {
        let yes = u8::from(i * 7919 % 100 < 15);
        format!("{}|caf\u{e9}{}|{}|{yes}\n", i % 7, i % 4, i * 31 % 50)
    };
    let text: String = (0..600).map(row).collect();
    let old: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    std::fs::write(files.path().join("old.txt"), old).unwrap();
    let (_, spec) = runs(&[files.path().join("old.txt")]);
    for line in ["delimiter = \"|\"", "header = false", "encoding = \"windows-1252\"", "when = \"column_4 = 1\""] {
        assert!(spec.contains(line), "no {line} in\n{spec}");
    }
}

/// 300 people, none of whose columns says by its name that it is what somebody wants to predict.
fn survey() -> String {
    let answer = |i: usize, of: &str| of.split('/').nth(i).unwrap().to_owned();
    let row = |i: usize| {
        let mixed = i * 7919 % 1000;
        let insured = answer(usize::from(mixed < 400 + i % 5 * 80), "no/yes");
        format!("{},{insured},{},{}\n", 20 + i % 5 * 10, answer(mixed % 3, "good/fair/poor"), answer(i % 2, "f/m"))
    };
    format!("years,insurance,health,gender\n{}", (0..300).map(row).collect::<String>())
}

#[test]
fn an_outcome_that_is_named_is_taken_and_one_that_is_not_is_asked_for() {
    let project = folder();
    write(&project.path().join("survey.csv"), &survey());
    let init = |arguments: &[&str]| init(project.path(), &[&["--force", "--from", "survey.csv"], arguments].concat());
    assert_snapshot!(stdout(&init(&[])), @r"
    Wrote ./clo.toml
    - no times and nothing that looks like an outcome: people alone, nothing to predict yet; if one of insurance is what you want to predict, say so: --outcome COLUMN
    Next: look at it, then clo check, clo run
    ");
    assert_snapshot!(stdout(&init(&["--outcome", "insurance"])), @r"
    Wrote ./clo.toml
    - the outcome: insurance = 'yes', 56.0 % of the rows (sure)
    Next: look at it, then clo check, clo run
    ");
    let predicted = clo().current_dir(project.path()).args(["predict", "--quiet"]).output().unwrap();
    assert_eq!(code(&predicted), 0, "{}", stderr(&predicted));
    assert_eq!(code(&init(&["--outcome", "health=poor"])), 0);
    for (outcome, said) in [
        ("insurence", "did you mean `insurance`?"),
        ("health", "it holds good, fair, poor: say --outcome \"health=VALUE\""),
        ("health=bad", "no row has the value bad in `health`"),
    ] {
        let refused = init(&["--outcome", outcome]);
        assert_eq!(code(&refused), 2);
        assert!(stderr(&refused).contains(said), "{}", stderr(&refused));
    }
}

#[test]
fn a_value_that_speaks_of_an_outcome_is_one() {
    let files = folder();
    let status = |i: usize| ["Churned", "Stayed", "Stayed", "Joined"][i * 7919 % 97 % 4];
    let rows: String = (0..400).map(|i| format!("c{i},{},{}\n", i % 37, status(i))).collect();
    write(&files.path().join("people.csv"), &format!("customer_id,months,status\n{rows}"));
    let (_, spec) = runs(&[files.path().join("people.csv")]);
    assert!(spec.contains("when = \"status = 'Churned'\""), "{spec}");
}

/// A file: its name, its line of names, if any, how many rows it has, and a row by its number.
type Made<'a> = (&'a str, &'a str, usize, &'a dyn Fn(usize) -> String);

/// Writes files, and gives the spec guessed from them all, which ran.
fn guessed(files: &[Made<'_>]) -> String {
    let project = folder();
    let made = files.iter().map(|(name, header, n_rows, row)| {
        let rows: String = (0..*n_rows).map(|i| format!("{}\n", row(i))).collect();
        let header = if header.is_empty() { String::new() } else { format!("{header}\n") };
        write(&project.path().join(name), &format!("{header}{rows}"));
        project.path().join(name)
    });
    runs(&made.collect::<Vec<_>>()).1
}

#[test]
fn a_status_in_a_register_is_asked_about() {
    let day = |i: usize| format!("2024-{:02}-{:02}", i / 28 % 12 + 1, i % 28 + 1);
    let people = |i: usize| format!("c{i},{},{}", day(i), ["new", "good", "lost"][i % 3]);
    let orders = |i: usize| format!("c{},{},{}", i * 7919 % 300, day(i * 31), 10 + i % 50);
    let spec = guessed(&[
        ("customers.csv", "customer_id,created_at,status", 300, &people),
        ("orders.csv", "customer_id,ordered_at,amount", 900, &orders),
    ]);
    assert!(spec.contains("# - status of customers: perhaps a label made with hindsight"), "{spec}");
    assert!(!spec.contains("valid_from"), "when somebody came says nothing about the status:\n{spec}");
}

/// A code of a kind, as long as those that other systems give.
fn code_of(kind: &str, i: usize) -> String {
    format!("{kind}{:08x}", i * 2_654_435_761 % 0xffff_fffb)
}

#[test]
fn a_funnel_names_what_was_won_and_joins_what_describes_it() {
    let day = |i: usize| format!("2024-{:02}-{:02}", i / 28 % 12 + 1, i % 28 + 1);
    let leads = |i: usize| format!("{},{},{}", code_of("l", i), day(i), ["web", "fair"][i % 2]);
    let deals = |i: usize| format!("{},{},{},{}", code_of("l", 3 * i), code_of("s", i), day(3 * i + 9), 100 + i % 37);
    let sellers = |i: usize| format!("{},{}", code_of("s", i), ["north", "south", "west"][i % 3]);
    let stock = |i: usize| format!("{},{}", code_of("w", i), i % 5);
    let spec = guessed(&[
        ("leads.csv", "lead_id,first_contact_date,origin", 900, &leads),
        ("deals.csv", "lead_id,seller_id,won_date,monthly_revenue", 290, &deals),
        ("sellers.csv", "seller_id,seller_state", 290, &sellers),
        ("stock.csv", "warehouse_id,shelves", 20, &stock),
    ]);
    for line in [
        "# What `seller_id` is, sellers tells.\n[events.won]",
        "LEFT JOIN sellers d0 ON t0.seller_id = d0.seller_id",
        "enter = \"event = 'won'\"",
        "from = [\"first_contact\"]\nto = [\"won\"]",
        "# - not used: stock: no id in common with these people",
    ] {
        assert!(spec.contains(line), "no {line} in\n{spec}");
    }
    assert!(!spec.contains("name = \"visitor\""), "nobody starts there:\n{spec}");
}

#[test]
fn what_is_known_only_with_the_outcome_is_left_out_and_a_test_is_told() {
    let row = |i: usize| {
        let visit = usize::from(i * 7919 % 100 < 40);
        let bought = usize::from(i * 7919 % 100 < 10);
        let mail = ["Mens E-Mail", "Womens E-Mail", "No E-Mail"][i % 3];
        format!("{},{},{mail},{visit},{bought},{}", i % 12, i * 31 % 400, bought * (20 + i % 30))
    };
    let spec = guessed(&[("mails.csv", "recency,history,segment,visit,conversion,spend", 900, &row)]);
    for line in [
        "when = \"conversion = 1\"",
        "exclude = [\"attr.visit\", \"attr.spend\"]",
        "# `segment` looks like a test: 'No E-Mail' was left alone.",
        "# after = [\"visit\", \"spend\"]",
    ] {
        assert!(spec.contains(line), "no {line} in\n{spec}");
    }
    // What is commented out is a spec too.
    let (before, test) = spec.split_once("this learns whom it changes.\n").unwrap();
    let (test, after) = test.split_once("\n\n").unwrap();
    let whole = format!("{before}\n{}\n\n{after}", test.replace("# ", ""));
    assert_eq!(clo::spec::parse(&whole, Path::new("clo.toml"), &|_| None).unwrap().uplifts.len(), 1);
}

#[test]
fn purchases_without_a_line_of_names_have_amounts() {
    let row = |i: usize| {
        format!(
            "{:05} 2023{:02}{:02} {:>2} {:>7.2}",
            i * 7919 % 120,
            i / 28 % 12 + 1,
            i % 28 + 1,
            i % 4 + 1,
            i as f64 * 1.37 % 90.0
        )
    };
    let spec = guessed(&[("sales_log.txt", "", 900, &row)]);
    for line in ["[events.purchase]", "column_4 AS amount", "column_4 is taken for an amount of money (a guess)"] {
        assert!(spec.contains(line), "no {line} in\n{spec}");
    }
}

#[test]
fn people_alone_are_looked_at_for_who_is_who() {
    let row = |i: usize| {
        let name = ["Ada", "Ben", "Cleo", "Dan", "Eve"][i % 5];
        format!("r{i},{name},{}son,{} High Street,{:05}", ["Ander", "Ols", "Peter"][i % 3], i % 97, 10_000 + i * 37)
    };
    let spec = guessed(&[("register.csv", "rec_id,given_name,surname,address,postcode", 300, &row)]);
    assert!(spec.contains("\n[identity.match]\n"), "{spec}");
}

#[test]
fn logs_as_shops_write_them_are_read_as_events() {
    let files = folder();
    let who = |i: usize| i * 7919 % 60;
    let kind = |i: usize, names: [&'static str; 2]| names[usize::from(i * 31 % 100 < 25)];
    let german = |i: usize| {
        format!(
            "{};{:02}.{:02}.2023 1{}:00;{}\n",
            who(i),
            i % 28 + 1,
            i / 28 % 12 + 1,
            i % 10,
            kind(i, ["Besuch", "Kauf"])
        )
    };
    let unix = |i: usize| format!("u{},{},{}\n", who(i), 1_672_531_200 + i * 30_011, kind(i, ["view", "purchase"]));
    let file = |name: &str, header: &str, row: &dyn Fn(usize) -> String| {
        let path = files.path().join(name);
        write(&path, &format!("{header}\n{}", (0..900).map(row).collect::<String>()));
        runs(&[path]).1
    };
    let lines = [
        (file("log.csv", "Kundennummer;Datum;Aktion", &german), "person = \"Kundennummer\""),
        (file("clicks.csv", "uid,unix,action", &unix), "time = { column = \"unix\", unit = \"seconds\" }"),
    ];
    for (spec, line) in lines {
        assert!(spec.contains(line) && spec.contains("[[predictions]]"), "no {line} in\n{spec}");
    }
}

#[test]
fn the_real_data_sets_run_from_their_files_alone() {
    let Some(data) = std::env::var_os("CLO_DATA").map(PathBuf::from).filter(|folder| folder.is_dir()) else {
        said("skipped: CLO_DATA names no folder");
        return;
    };
    for files in [
        &["cdnow/CDNOW_sample.txt"][..],
        &["ecom/ecom.csv.gz"],
        &["telco-churn/telco.csv"],
        &["coil2000/ticdata2000.txt"],
        &["febrl/dataset1.csv"],
        &["olist/excel-damaged/closed_deals.csv", "olist/excel-damaged/marketing_qualified_leads.csv"],
    ] {
        runs(&files.iter().map(|file| data.join(file)).collect::<Vec<_>>());
    }
}

#[test]
fn a_project_that_is_there_is_never_overwritten() {
    let project = folder();
    write(&project.path().join("clo.toml"), "mine");
    let refused = init(project.path(), &[]);
    assert_eq!(code(&refused), 2);
    assert_snapshot!(stderr(&refused), @r"
    error: ./clo.toml is there already
    help: choose another folder, or replace it with --force
    ");
    assert_eq!(std::fs::read_to_string(project.path().join("clo.toml")).unwrap(), "mine");
    assert_eq!(code(&init(project.path(), &["--force"])), 0);
}

#[test]
fn the_template_is_a_spec() {
    let project = folder();
    let made = init(project.path(), &[]);
    assert_snapshot!(stdout(&made), @r"
    Wrote ./clo.toml
    Next: fill in what is yours, then clo check
    ");
    write(&project.path().join("orders.csv"), "customer_id,ordered_at\na,2024-01-01\nb,2024-03-01\n");
    let checked = clo().current_dir(project.path()).arg("check").output().unwrap();
    assert_eq!(code(&checked), 0, "{}", stderr(&checked));
}

#[test]
fn a_file_that_is_not_there() {
    let project = folder();
    let output = init(project.path(), &["--from", "orders.csv"]);
    assert_eq!(code(&output), 4);
    assert_snapshot!(stderr(&output), @r"
    error: there is no file orders.csv
    help: name files, not folders: clo init --from data/*.csv
    ");
    assert!(!project.path().join("clo.toml").exists());
}

#[test]
fn a_file_that_holds_nothing() {
    let project = folder();
    write(&project.path().join("orders.csv"), "customer,at\n");
    let output = init(project.path(), &["--from", "orders.csv"]);
    assert_eq!(code(&output), 4);
    assert_snapshot!(stderr(&output), @r"
    error: orders.csv has no rows
    help: a table needs at least one row below its header
    ");
}
