//! The map on files: rows in any order and in any number of files give one history, `--as-of` goes back to what was known,
//! and a diff shows what other rules would change.

use std::path::Path;

use clo::map::{Mapped, map};
use clo::{source, spec, store};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::{code, folder, run, stderr, stdout, tree, write};

const SPEC: &str = r#"
[project]
name = "log"
seed = 1
[tables]
log = "log*.csv"
[events.log]
table = "log"
person = "person"
time = "time"
event = "event"
known_at = "loaded"
[lifecycle]
end = "2024-07-01"
[[lifecycle.stages]]
name = "visitor"
[[lifecycle.stages]]
name = "trial"
enter = { all = ["event = 'visit'", "event = 'signup'"], within = "60d" }
exit = [{ on = "event = 'cancel'", to = "visitor" }, { after = "30d", to = "expired" }]
re_entry = "10d"
[[lifecycle.stages]]
name = "customer"
enter = { sequence = ["event = 'signup'", "event = 'buy'"] }
[[lifecycle.stages]]
name = "fan"
from = ["customer"]
enter = { event = "event = 'buy' AND amount > 20", times = 3, within = "90d" }
[[lifecycle.stages]]
name = "expired"
[[lifecycle.stages]]
name = "lapsed"
from = ["customer", "fan"]
silence = "45d"
re_entry = "never"
"#;

/// Person, day, kind, amount, days until the row was loaded.
type Row = (u8, i64, &'static str, u8, i64);

fn any_row() -> impl Strategy<Value = Row> {
    let kind = prop::sample::select(vec!["visit", "signup", "buy", "cancel"]);
    (0_u8..6, 0_i64..170, kind, 0_u8..60, prop_oneof![3 => Just(0_i64), 1 => 1_i64..40])
}

fn line(&(person, day, kind, amount, delay): &Row) -> String {
    let start: clo::time::Time = "2024-01-01".parse().unwrap();
    let at = |day: i64| clo::time::Time(start.0 + day * clo::time::DAY);
    format!("p{person},{},{kind},{amount},{}\n", at(day), at(day + delay))
}

const HEAD: &str = "person,time,event,amount,loaded\n";
/// One event of each kind, so that no rule names a kind that is not there.
const FIXED: &str = "z,2024-01-01,visit,1,2024-01-01\nz,2024-01-01,signup,1,2024-01-01\nz,2024-01-02,buy,1,2024-01-02\nz,2024-01-03,cancel,1,2024-01-03\n";

fn mapped(folder: &Path) -> (Vec<String>, Mapped) {
    let spec = spec::read(&folder.join("clo.toml"), &|_| None).unwrap();
    let data = source::read(&spec).unwrap();
    let mapped = map(&data, &spec).unwrap();
    (data.people.ids, mapped)
}

#[test]
fn the_order_of_rows_and_how_they_are_parted_into_files_change_nothing() {
    let rows = prop::collection::vec(any_row(), 1..60);
    let cases = rows.prop_flat_map(|rows| {
        let n = rows.len();
        (Just(rows.clone()), Just(rows).prop_shuffle(), 0..=n)
    });
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let text = |rows: &[Row]| rows.iter().map(line).collect::<String>();
    let outcome = runner.run(&cases, |(rows, shuffled, cut)| {
        let [one, two] = [folder(), folder()];
        for place in [&one, &two] {
            write(&place.path().join("clo.toml"), SPEC);
        }
        write(&one.path().join("log.csv"), &format!("{HEAD}{FIXED}{}", text(&rows)));
        write(&two.path().join("log-1.csv"), &format!("{HEAD}{}", text(&shuffled[..cut])));
        write(&two.path().join("log-2.csv"), &format!("{HEAD}{}{FIXED}", text(&shuffled[cut..])));
        prop_assert_eq!(mapped(one.path()), mapped(two.path()));
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn as_of_is_the_map_of_the_files_as_they_were_then() {
    let rows: Vec<Row> = (0..150_u8)
        .map(|n| {
            let kind = ["visit", "signup", "buy", "cancel", "buy"][usize::from(n % 5)];
            (n % 7, i64::from(n) * 37 % 170, kind, n % 60, if n % 3 == 0 { i64::from(n % 40) } else { 0 })
        })
        .collect();
    // Day 100 is 2024-04-10.
    let then: Vec<Row> = rows.iter().filter(|row| row.1 + row.4 < 100).copied().collect();
    assert!(then.len() < rows.iter().filter(|row| row.1 < 100).count(), "some rows came late");
    let history = |rows: &[Row]| {
        let place = folder();
        write(&place.path().join("clo.toml"), SPEC);
        write(&place.path().join("log.csv"), &format!("{HEAD}{FIXED}{}", rows.iter().map(line).collect::<String>()));
        let spec = place.path().to_str().unwrap();
        let output = run(&["map", "--quiet", "--as-of", "2024-04-10", "--spec", spec]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let mut files = tree(&place.path().join("out/map"));
        files.remove(Path::new("summary.json"));
        files
    };
    assert_eq!(history(&rows), history(&then));
}

#[test]
fn attributes_count_from_when_they_are_known() {
    let place = folder();
    write(&place.path().join("clo.toml"), &SHOP_WITH_TIERS.replace("KNOWN", "known_at = \"loaded\"\n"));
    write(&place.path().join("orders.csv"), "person,time\na,2024-01-05\na,2024-02-05\nb,2024-01-06\n");
    write(
        &place.path().join("tiers.csv"),
        "person,since,loaded,tier\na,2024-01-01,2024-01-20,gold\na,2024-03-01,2024-03-01,basic\nb,2024-01-01,,gold\n",
    );
    let gold = |arguments: &[&str]| {
        let spec = place.path().to_str().unwrap();
        let output = run(&[&["map", "--quiet", "--spec", spec][..], arguments].concat());
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let frame = store::read_frame(&place.path().join("out/map/stage_history.parquet")).unwrap();
        let text = |column: &str, row: usize| frame.column(column).unwrap().get(row).unwrap().to_string();
        (0..frame.height())
            .filter(|&row| text("stage", row).contains("gold"))
            .map(|row| format!("{} {}", text("person", row).replace('"', ""), text("entered_at", row)))
            .collect::<Vec<_>>()
    };
    // a's tier was loaded between the two orders.
    assert_eq!(gold(&[]), ["a 2024-02-05 00:00:00", "b 2024-01-06 00:00:00"]);
    assert_eq!(gold(&["--as-of", "2024-01-15"]), ["b 2024-01-06 00:00:00"]);
}

#[test]
fn as_of_holds_nobody_who_came_later_though_no_table_says_since_when_it_holds() {
    let place = folder();
    write(&place.path().join("clo.toml"), SHOP_WITH_REGISTERS);
    write(&place.path().join("orders.csv"), "person,time\na,2024-01-05\nb,2024-03-06\n");
    write(&place.path().join("register.csv"), "person,town\na,Rome\nb,Oslo\nc,Bern\nd,Bonn\ne,Kyiv\n");
    write(&place.path().join("members.csv"), "person,since\nd,2024-01-01\ne,2024-02-20\n");
    let stands = |arguments: &[&str]| {
        let spec = place.path().to_str().unwrap();
        let output = run(&[&["map", "--quiet", "--spec", spec][..], arguments].concat());
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let out = place.path().join("out");
        let text = |frame: &polars::prelude::DataFrame, column: &str, row: usize| {
            frame.column(column).unwrap().get(row).unwrap().to_string().replace('"', "")
        };
        let history = store::read_frame(&out.join("map/stage_history.parquet")).unwrap();
        let stays = (0..history.height())
            .map(|row| format!("{} {}", text(&history, "person", row), text(&history, "stage", row)));
        let rejected = store::read_frame(&out.join("discover/rejected.parquet")).unwrap();
        let rows = (0..rejected.height()).map(|row| text(&rejected, "reason", row));
        let lint = std::fs::read_to_string(out.join("map/lint.json")).unwrap();
        let issues: serde_json::Value = store::read_json(&out.join("discover/issues.json")).unwrap();
        let warned = issues["findings"].as_array().unwrap().iter().filter(|found| found["severity"] == "warning");
        let warned: Vec<String> = warned.map(|found| found["advice"].to_string()).collect();
        (stays.collect::<Vec<_>>(), rows.collect::<Vec<_>>(), (lint.contains("people-undated"), warned))
    };
    let (stays, rejected, (is_told, warned)) = stands(&[]);
    assert_eq!(stays, ["a customer", "b customer", "c visitor", "d visitor", "e visitor"]);
    assert!(rejected.is_empty() && warned.is_empty() && !is_told, "{rejected:?} {warned:?}");
    // A nightly run names its day: nothing came after it.
    assert_eq!(stands(&["--as-of", "2024-03-07"]).0, stays);
    // b bought later, c never did anything, d was a member by then and e was not.
    let (stays, rejected, (is_told, warned)) = stands(&["--as-of", "2024-02-01"]);
    assert_eq!(stays, ["a customer", "d visitor"]);
    assert_eq!(
        rejected,
        [
            "not yet known then",
            "at or after lifecycle.end",
            "not yet known then: this person is first heard of later",
            "nothing says that this person was known then",
            "not yet known then: this person is first heard of later",
        ]
    );
    assert!(is_told, "lint says that a row is of somebody whom nothing dates");
    assert!(warned.len() == 1 && warned[0].contains("nothing says"), "going back is what was asked for: {warned:?}");
}

const SHOP_WITH_REGISTERS: &str = r#"
[project]
name = "registers"
[tables]
orders = "orders.csv"
register = "register.csv"
members = "members.csv"
[people.register]
table = "register"
person = "person"
[people.members]
table = "members"
person = "person"
valid_from = "since"
[events.purchase]
table = "orders"
person = "person"
time = "time"
[[lifecycle.stages]]
name = "visitor"
[[lifecycle.stages]]
name = "customer"
enter = "event = 'purchase'"
"#;

const SHOP_WITH_TIERS: &str = r#"
[project]
name = "tiers"
[tables]
orders = "orders.csv"
tiers = "tiers.csv"
[people.tiers]
table = "tiers"
person = "person"
valid_from = "since"
KNOWN
[events.purchase]
table = "orders"
person = "person"
time = "time"
[[lifecycle.stages]]
name = "customer"
enter = "event = 'purchase'"
[[lifecycle.stages]]
name = "gold"
enter = "event = 'purchase' AND tier = 'gold'"
"#;

const RULES: &str = r#"
[[lifecycle.stages]]
name = "customer"
enter = "event = 'purchase'"
[[lifecycle.stages]]
name = "repeat"
enter = "event = 'purchase' AND nth >= 2"
"#;

fn two_specs(folder: &Path) -> String {
    let before = "[project]\nname = \"shop\"\n[tables]\norders = \"orders.csv\"\n[events.purchase]\ntable = \"orders\"\nperson = \"customer\"\ntime = \"ordered_at\"\n";
    write(&folder.join("clo.toml"), &format!("{before}{RULES}"));
    let soon = "enter = { event = \"event = 'purchase'\", times = 2, within = \"30d\" }";
    let other = RULES.replace("enter = \"event = 'purchase' AND nth >= 2\"", soon);
    write(&folder.join("other.toml"), &format!("{before}{other}"));
    write(
        &folder.join("orders.csv"),
        "customer,ordered_at\nanna,2024-01-05\nanna,2024-01-20\nben,2024-01-07\nben,2024-03-07\ncleo,2024-02-01\n",
    );
    folder.to_str().unwrap().to_owned()
}

#[test]
fn a_diff_says_who_would_stand_elsewhere_and_writes_nothing() {
    let place = folder();
    let spec = two_specs(place.path());
    let other = place.path().join("other.toml");
    let output = run(&["map", "--quiet", "--json", "--spec", &spec, "--diff", other.to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&said["n_people"], &said["n_moved"], &said["n_other_history"]), (&3.into(), &1.into(), &0.into()));
    let moved = serde_json::json!([{ "from": "repeat", "to": "customer", "n_people": 1, "people": ["ben"] }]);
    assert_eq!(said["moves"], moved);
    assert_eq!(said["stages"][1]["n_people_now"], serde_json::json!([2, 1]));
    assert_eq!(said["transitions"][0]["people"][0]["n_attained"], 2);
    let text = run(&["map", "--quiet", "--spec", &spec, "--diff", other.to_str().unwrap()]);
    let first = stdout(&text).lines().next().unwrap().to_owned();
    assert!(
        first.ends_with("1 of 3 people (33.3 %) would stand elsewhere, 0 more would have another history."),
        "{first}"
    );
    assert!(!place.path().join("out").exists(), "a diff writes nothing");
}

#[test]
fn a_diff_over_other_tables_is_refused() {
    let place = folder();
    let spec = two_specs(place.path());
    let other = place.path().join("other.toml");
    let refused = |with: &str, says: &str| {
        let text = std::fs::read_to_string(place.path().join("clo.toml")).unwrap();
        write(&other, &text.replace("orders = \"orders.csv\"", with));
        let output = run(&["map", "--quiet", "--spec", &spec, "--diff", other.to_str().unwrap()]);
        assert_eq!(code(&output), 3, "{}", stderr(&output));
        assert!(stderr(&output).contains(says), "{}", stderr(&output));
    };
    write(&place.path().join("more.csv"), "customer,ordered_at\nanna,2024-01-05\n");
    refused("orders = \"more.csv\"", "reads other files as table `orders`");
    refused("orders = { path = \"orders.csv\", delimiter = \";\" }", "reads table `orders` in another way");
    refused("orders = \"orders.csv\"\nmore = \"more.csv\"", "only one of the two specs has a table `more`");
    let output = run(&["map", "--spec", &spec, "--diff", "nowhere.toml"]);
    assert_eq!(code(&output), 3);
    assert!(stderr(&output).contains("there is no file nowhere.toml"), "{}", stderr(&output));
}
