//! People who stand in their table twice, are not the events' people, or must not be contacted.

use insta::assert_snapshot;

use super::{people, shop};

#[test]
fn a_person_twice_is_rejected_and_told() {
    let mut rows = people();
    rows.push(rows[3].clone());
    assert_snapshot!(shop().file("data/people.csv", rows.join("\n")).said(), @r"
    exit 0
    warning: data/people.csv, column customer: 1 row is not used, row 241: the same person again, with the same attributes (see discover/rejected.parquet)
    ");
}

#[test]
fn people_again_and_again() {
    let rows = people();
    let moved = rows[1..].iter().map(|row| row.replace("Ulm", "Bonn"));
    let rows: Vec<String> = rows.iter().cloned().chain(moved).collect();
    assert_snapshot!(shop().file("data/people.csv", rows.join("\n")).said(), @r#"
    exit 4
    error: people.buyers: 80 of 480 rows name a person again, with other attributes
      ╭─[clo.toml:9:9]  [people.buyers]
    help: if attributes change in time, tell since when a row holds: valid_from = "column"
    help: or make one row per person: sql = "SELECT id AS person, MAX(x) AS x FROM table GROUP BY id"
    "#);
}

#[test]
fn ids_that_are_not_those_of_the_events() {
    let other =
        shop().lines(
            "data/people.csv",
            |number, line| if number == 0 { line.to_owned() } else { line.replacen('c', "DE-00", 1) },
        );
    assert_snapshot!(other.said(), @r#"
    exit 4
    error: nobody in the people tables has an event: the ids there and in the events are not the same
      ╭─[clo.toml:11:1]  person = "customer"
    help: ids of people look like `AA-99999`, those of events like `a999` (9: a digit, a: a letter)
    help: name other columns in `person`, write the ids alike with sql = "SELECT … AS person", or join them with [[identity.links]]
    "#);
}

#[test]
fn a_suppression_list_that_is_missing() {
    assert_snapshot!(shop().spec("data/no.csv", "data/nobody.csv").said(), @r#"
    exit 6
    error: audience `best` is not exported: suppression list data/nobody.csv: it cannot be read: it is not there
      ╭─[clo.toml:37:1]  suppress = ["data/nobody.csv"]
    help: put the file there, or mend its path in clo.toml; to leave it out, take it out there
    "#);
}

#[test]
fn a_suppression_list_that_is_not_understood() {
    assert_snapshot!(shop().file("data/no.csv", "date,why\n2024-01-01,c003 asked\n").said(), @r#"
    exit 6
    error: audience `best` is not exported: suppression list data/no.csv: none of its 2 columns says whom it means
      ╭─[clo.toml:37:1]  suppress = ["data/no.csv"]
    help: keep one column, or name the telling one `person`, `email` or `phone` in a header line
    "#);
    assert_snapshot!(shop().file("data/no.csv", (0..=255).collect::<Vec<u8>>()).said(), @r#"
    exit 6
    error: audience `best` is not exported: suppression list data/no.csv: it is not a text file
      ╭─[clo.toml:37:1]  suppress = ["data/no.csv"]
    help: save the list as a text file (CSV, UTF-8), one id, e-mail or phone a line
    "#);
}

#[test]
fn a_suppression_list_of_nobody_is_told() {
    assert_snapshot!(shop().file("data/no.csv", "customer\n").said(), @r"
    exit 0
    warning: best: Suppression list data/no.csv is empty. If it should not be, make it again.
    ");
    assert_snapshot!(shop().file("data/no.csv", "customer\nzzz\n").said(), @r"
    exit 0
    warning: best: None of the 1 entries of suppression list data/no.csv means a candidate. Check that it holds ids, e-mails or phones as the people table does.
    ");
}

#[test]
fn a_consent_column_that_is_missing() {
    assert_snapshot!(shop().spec("opt_in = true", "email_opt_in = true").said(), @r#"
    exit 3
    error: consent of audience `best` names `email_opt_in`, and there is no such column
      ╭─[clo.toml:38:1]  consent = "email_opt_in = true"
    help: there are `city`, `age`, `opt_in`
    "#);
}

#[test]
fn a_consent_rule_that_compares_a_truth_with_a_text() {
    assert_snapshot!(shop().spec("opt_in = true", "opt_in = 'yes'").said(), @r"
    exit 0
    warning: best: The audience is empty: no candidate may be contacted (no consent: 119, suppressed: 1).
    ");
}
