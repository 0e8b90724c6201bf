//! Slips after a campaign: `clo measure` with the wrong audience, file, column or time, and tests that are none.

use insta::assert_snapshot;

use super::{Shop, shop};

/// A shop whose list has a holdout, and a file of outcomes.
fn campaign() -> Shop {
    let outcomes = "customer,time,amount,note\nc001,2026-01-05,12.5,ok\nc005,2026-01-06,7,ok\n";
    shop().spec("size = 5", "size = \"100%\"\nholdout = \"40%\"").file("won.csv", outcomes)
}

fn measured(campaign: &Shop, more: &[&str]) -> String {
    let words = ["measure", "--quiet", "--audience", "best", "--outcomes", "won.csv", "--until", "2027-01-01"];
    campaign.said_after_a_run(&[&words, more].concat())
}

#[test]
fn an_audience_or_a_list_that_is_not_there() {
    let said = campaign().command(&["measure", "--audience", "bset", "--outcomes", "won.csv"]).said();
    assert_snapshot!(said, @r"
    exit 2
    error: --audience: the spec has no audience `bset`
    help: did you mean `best`?
    ");
    let said = campaign().command(&["measure", "--audience", "best", "--outcomes", "won.csv"]).said();
    assert_snapshot!(said, @r"
    exit 4
    error: there is no list out/expand/best/audience.parquet
    help: `clo expand` makes the list of the audience; keep a copy of its folder when it goes out
    ");
}

#[test]
fn a_list_without_a_holdout() {
    let none = campaign().spec("holdout = \"40%\"", "holdout = 0");
    assert_snapshot!(measured(&none, &[]), @r#"
    exit 4
    error: nobody of audience `best` was held out: there is nobody to compare with
    help: set holdout = "10%" on the audience before the next campaign; for this one nothing fair can be said
    "#);
}

#[test]
fn outcomes_that_are_not_there_or_mean_nobody() {
    let said = campaign().said_after_a_run(&["measure", "--audience", "best", "--outcomes", "wno.csv"]);
    assert_snapshot!(said, @r"
    exit 4
    error: there is no file wno.csv
    help: check the path of --outcomes
    ");
    let strangers = campaign().file("won.csv", "customer,time\nx1,2026-01-05\nx2,2026-01-06\n");
    assert_snapshot!(measured(&strangers, &[]), @r"
    exit 4
    error: none of the 2 rows of won.csv means one of the list's 119 people, in any column
    help: name the column that holds their ids, e-mails or phones with --person; there are: customer, time
    help: if the list was made again since it went out, name the audience.parquet that went out with --list
    ");
}

#[test]
fn outcomes_from_before_the_campaign() {
    let early = campaign().file("won.csv", "customer,time\nc001,2024-01-05\nc005,2024-02-06\n");
    assert_snapshot!(measured(&early, &[]), @r"
    exit 4
    error: every row of won.csv about the list's people is from before the campaign, which starts after 2024-12-03, the last of them of 2024-02-06
    help: say when it went out with --since, or bring outcomes from after it
    help: the campaign starts when the list was made; if that was made again since, name the one that went out with --list
    ");
    let some = campaign().file("won.csv", "customer,time\nc001,2024-01-05\nc005,2026-12-30\n");
    assert_snapshot!(measured(&some, &[]), @r"
    exit 0
    warning: 1 row of the outcomes are from before the campaign and do not count.
    ");
}

#[test]
fn columns_that_are_not_there_or_hold_something_else() {
    assert_snapshot!(measured(&campaign(), &["--value", "amuont"]), @r"
    exit 2
    error: --value: there is no column `amuont`
    help: did you mean `amount`?
    ");
    assert_snapshot!(measured(&campaign(), &["--value", "note"]), @r"
    exit 4
    error: won.csv, column `note` does not hold numbers
    help: a value is a number, such as 12.50; nothing counts as 0
    ");
    assert_snapshot!(measured(&campaign(), &["--converted", "note"]), @r"
    exit 4
    error: won.csv, row 1: `note` is neither yes nor no
    help: write 1 and 0, yes and no, or true and false; or name another column with --converted
    ");
    assert_snapshot!(measured(&campaign(), &["--time", "note"]), @r"
    exit 4
    error: won.csv, column `note`: 2 of 2 values are no time
    help: write times as 2018-12-31 or 2018-12-31T23:59, or tell their form with --time-format; or name another column with --time
    ");
    assert_snapshot!(measured(&campaign(), &["--by", "ctiy"]), @r"
    exit 2
    error: --by: people have no attribute `ctiy`
    help: did you mean `city`?
    ");
}

#[test]
fn numbers_that_make_no_sense() {
    assert_snapshot!(measured(&campaign(), &["--match-rate", "60"]), @r"
    exit 2
    error: invalid value '60' for '--match-rate <SHARE>': write a share above 0 and up to 1, such as 0.6 or 60%

    For more information, try '--help'.
    ");
    assert_snapshot!(measured(&campaign(), &["--since", "2028-01-01"]), @r"
    exit 2
    error: the campaign ends at 2027-01-01, and starts at 2028-01-01
    help: let --until be after --since
    ");
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
    assert!(spec != UPLIFT, "the spec does not say {right}");
    shop().spec("[[audiences]]", &format!("{spec}\n[[audiences]]")).command(&["predict", "--quiet"]).said()
}

#[test]
fn groups_that_are_none() {
    assert_snapshot!(test("'Bonn'", "'Rome'"), @r#"
    exit 4
    error: uplift `mail`: nobody is in `control` (city = 'Rome')
      ╭─[clo.toml:37:1]  control = "city = 'Rome'"
    help: look how the groups are written in the data; without both there is nothing to compare
    "#);
    assert_snapshot!(test("city = 'Bonn'", "age > 30"), @r#"
    exit 3
    error: uplift `mail`: `treatment` and `control` both hold for 62 people
      ╭─[clo.toml:37:1]  control = "age > 30"
    help: write them so that nobody is in both groups
    "#);
    assert_snapshot!(test("age > 40", "age > 68"), @r"
    exit 4
    error: uplift `mail`: too few people to learn from: 1 of 80 of the treated responded, 2 of 80 of the control group; 30 who did and 30 who did not are needed in each
    help: check the rules; else wait for more people, or take an outcome that more of them have
    ");
}

#[test]
fn rules_of_a_test_with_slips() {
    assert_snapshot!(test("age > 40", "ages > 40"), @r#"
    exit 3
    error: `outcome` of uplift `mail` names `ages`, and there is no such column
      ╭─[clo.toml:38:1]  outcome = "ages > 40"
    help: did you mean `age`?
    help: there are `city`, `age`, `opt_in`
    "#);
    assert_snapshot!(test("outcome", "after = [\"opt_inn\"]\noutcome"), @r#"
    exit 3
    error: `after` of uplift `mail` names `opt_inn`, and there is no such column
      ╭─[clo.toml:38:1]  after = ["opt_inn"]
    help: did you mean `opt_in`?
    "#);
    assert_snapshot!(test("'Bonn'", "'Bonn"), @r#"
    exit 3
    error: this SQL does not parse: Unterminated string literal
      ╭─[clo.toml:37:19]  control = "city = 'Bonn"
    help: texts stand in single quotes ('yes'), columns that are no plain word in double quotes ("Total Charges")
    "#);
}

#[test]
fn an_audience_that_an_uplift_cannot_rank() {
    let audience = |line: &str| {
        let spec = format!("{UPLIFT}\n[[audiences]]");
        shop().spec("[[audiences]]", &spec).spec("prediction = \"second\"\nsize", &format!("{line}\nsize")).said()
    };
    assert_snapshot!(audience("uplift = \"mial\""), @r#"
    exit 3
    error: audience `best`: there is no uplift `mial`
      ╭─[clo.toml:42:1]  uplift = "mial"
    help: did you mean `mail`?
    "#);
    assert_snapshot!(audience("prediction = \"second\"\nuplift = \"mail\""), @r#"
    exit 3
    error: audience `best` is ranked by an uplift and by something else
      ╭─[clo.toml:43:1]  uplift = "mail"
    help: keep one of `uplift`, `prediction` and `seed`
    "#);
}
