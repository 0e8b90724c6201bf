//! Slips after a campaign: `clo measure` with the wrong audience, file, column or time, and tests that are none.

use insta::assert_snapshot;

use super::{Shop, shop};

/// A shop whose list has a holdout, and a file of outcomes.
fn campaign() -> Shop {
    let outcomes = "customer,time,amount,note\nc001,2026-01-05,12.5,ok\nc002,2026-01-06,7,ok\n";
    shop().spec("size = 5", "size = \"100%\"\nholdout = \"40%\"").file("won.csv", outcomes)
}

fn measured(campaign: &Shop, more: &[&str]) -> String {
    let words = ["measure", "--quiet", "--audience", "best", "--outcomes", "won.csv", "--until", "2027-01-01"];
    campaign.said_after_a_run(&[&words, more].concat())
}

#[test]
fn an_audience_that_is_not_there() {
    let said = campaign().said_after_a_run(&["measure", "--audience", "bset", "--outcomes", "won.csv"]);
    assert_snapshot!(said, @"");
}

#[test]
fn a_list_that_was_never_made_or_has_no_holdout() {
    let said = campaign().command(&["measure", "--audience", "best", "--outcomes", "won.csv"]).said();
    assert_snapshot!(said, @"");
    let none = campaign().spec("holdout = \"40%\"", "holdout = 0");
    assert_snapshot!(measured(&none, &[]), @"");
}

#[test]
fn outcomes_that_are_not_there_or_mean_nobody() {
    let said = campaign().said_after_a_run(&["measure", "--audience", "best", "--outcomes", "wno.csv"]);
    assert_snapshot!(said, @"");
    let strangers = campaign().file("won.csv", "customer,time\nx1,2026-01-05\nx2,2026-01-06\n");
    assert_snapshot!(measured(&strangers, &[]), @"");
}

#[test]
fn outcomes_from_before_the_campaign() {
    let early = campaign().file("won.csv", "customer,time\nc001,2024-01-05\nc002,2024-02-06\n");
    assert_snapshot!(measured(&early, &[]), @"");
    let some = campaign().file("won.csv", "customer,time\nc001,2024-01-05\nc002,2026-02-06\n");
    assert_snapshot!(measured(&some, &[]), @"");
}

#[test]
fn columns_that_are_not_there_or_hold_something_else() {
    assert_snapshot!(measured(&campaign(), &["--value", "amuont"]), @"");
    assert_snapshot!(measured(&campaign(), &["--value", "note"]), @"");
    assert_snapshot!(measured(&campaign(), &["--converted", "note"]), @"");
    assert_snapshot!(measured(&campaign(), &["--time", "note"]), @"");
    assert_snapshot!(measured(&campaign(), &["--by", "ctiy"]), @"");
}

#[test]
fn numbers_that_make_no_sense() {
    assert_snapshot!(measured(&campaign(), &["--match-rate", "60"]), @"");
    assert_snapshot!(measured(&campaign(), &["--since", "2028-01-01"]), @"");
}

const UPLIFT: &str = r#"
[[uplifts]]
name = "mail"
treatment = "city = 'Ulm'"
control = "city = 'Bonn'"
outcome = "age > 40"
"#;

fn test(right: &str, wrong: &str) -> String {
    let spec = UPLIFT.replace(right, wrong);
    assert!(right.is_empty() || spec != UPLIFT, "the spec does not say {right}");
    shop().spec("[[audiences]]", &format!("{spec}\n[[audiences]]")).command(&["predict", "--quiet"]).said()
}

#[test]
fn a_test_that_is_none() {
    assert_snapshot!(test("'Bonn'", "'Rome'"), @"");
    assert_snapshot!(test("city = 'Bonn'", "age > 30"), @"");
    assert_snapshot!(test("age > 40", "ages > 40"), @"");
    assert_snapshot!(test("age > 40", "age > 68"), @"");
    assert_snapshot!(test("outcome", "after = [\"opt_inn\"]\noutcome"), @"");
    assert_snapshot!(test("'Bonn'", "'Bonn"), @"");
}
