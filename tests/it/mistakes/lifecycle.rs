//! Stages that nobody reaches, and transitions that everybody makes or nobody, or that the data is too short to show.

use insta::assert_snapshot;

use super::{on, shop};

const CHAMPION: &str =
    "[[lifecycle.stages]]\nname = \"champion\"\nenter = \"event = 'purchase' AND nth >= 30\"\n\n[[predictions]]";

#[test]
fn a_stage_that_nobody_reaches_is_told() {
    assert_snapshot!(shop().spec("[[predictions]]", CHAMPION).said(), @r"
    exit 0
    warning: stage champion: Nobody ever reaches it: its rule never holds. Compare the rule with the values in the data.
    ");
}

#[test]
fn a_prediction_from_a_stage_that_nobody_reaches() {
    let from = shop()
        .spec("[[predictions]]", CHAMPION)
        .spec("from = [\"customer\"]\nto = [\"repeat\"]", "from = [\"champion\"]\nto = [\"repeat\"]");
    assert_snapshot!(from.said(), @r#"
    exit 4
    error: prediction `second`: nobody stood in champion at any cutoff
      ╭─[clo.toml:31:1]  from = ["champion"]
    help: see out/map/lint.json for stages that nobody reaches, or take more cutoffs
    "#);
}

#[test]
fn nobody_attained() {
    let once = shop().spec("nth >= 2", "nth >= 3");
    assert_snapshot!(once.said(), @r"
    exit 4
    error: prediction `second`: nobody attained, so there is nothing to learn (training: 0 attained, 680 did not; validation: 0 attained, 225 did not; test: 0 attained, 240 did not)
    help: lengthen the horizon, add cutoffs, or choose a stage that more people reach
    ");
}

#[test]
fn everybody_attained() {
    let twice = (0..240).flat_map(|person| {
        let first = person * 7 % 300;
        [first, first + 20].map(|day| format!("c{person:03},{},5", on(day)))
    });
    let lines: Vec<String> = ["customer,ordered_at,amount".to_owned()].into_iter().chain(twice).collect();
    assert_snapshot!(shop().file("data/orders.csv", lines.join("\n")).said(), @r"
    exit 4
    error: prediction `second`: everybody attained, so there is nothing to learn (training: 64 attained, 0 did not; validation: 14 attained, 0 did not; test: 14 attained, 0 did not)
    help: shorten the horizon, or choose a stage that fewer people reach
    ");
}

const SNAPSHOT: &str = r#"[project]
name = "bank"
seed = 7
[tables]
calls = "data/people.csv"
[people.called]
table = "calls"
person = "row"
[[lifecycle.stages]]
name = "prospect"
[[lifecycle.stages]]
name = "subscriber"
when = "age > 25"
[[predictions]]
name = "subscribe"
from = ["prospect"]
to = ["subscriber"]
"#;

#[test]
fn one_class_in_a_snapshot() {
    let snapshot = |rule| super::Shop { spec: SNAPSHOT.to_owned(), ..shop() }.spec("age > 25", rule);
    assert_snapshot!(snapshot("age > 100").said(), @r"
    exit 4
    error: prediction `subscribe`: nobody attained, so there is nothing to learn (training: 0 attained, 144 did not; validation: 0 attained, 48 did not; test: 0 attained, 48 did not)
    help: check the `when` rules of the stages: both kinds of people must be there
    ");
    assert_snapshot!(snapshot("age > 0").said(), @r"
    exit 4
    error: prediction `subscribe`: everybody attained, so there is nothing to learn (training: 144 attained, 0 did not; validation: 48 attained, 0 did not; test: 48 attained, 0 did not)
    help: check the `when` rules of the stages: both kinds of people must be there
    ");
    assert_snapshot!(snapshot("agee > 25").said(), @r#"
    exit 3
    error: the `when` of stage `subscriber` names `agee`, and there is no such column
      ╭─[clo.toml:13:1]  when = "agee > 25"
    help: did you mean `age`?
    help: there are `customer`, `city`, `age`, `opt_in`
    "#);
    assert_snapshot!(snapshot("city = 3").said(), @r#"
    exit 3
    error: the `when` of stage `subscriber` cannot be worked out: cannot compare string with numeric type (i32)
      ╭─[clo.toml:13:1]  when = "city = 3"
    help: compare texts with texts ('…') and numbers with numbers
    "#);
}

#[test]
fn an_unknown_kind_of_event() {
    assert_snapshot!(shop().spec("event = 'purchase'\"", "event = 'purchas'\"").said(), @r#"
    exit 3
    error: stage `customer` is entered by the event `purchas`, and there is no [events.purchas]
      ╭─[clo.toml:20:19]  enter = "event = 'purchas'"
    help: did you mean `purchase`?
    "#);
    let kinds = shop()
        .spec("time = \"ordered_at\"", "time = \"ordered_at\"\nevent = \"kind\"")
        .lines("data/orders.csv", |number, line| format!("{line},{}", if number == 0 { "kind" } else { "purchase" }));
    assert_snapshot!(kinds.spec("event = 'purchase'\"", "event = 'purchas'\"").said(), @r#"
    exit 3
    error: the `enter` rule of stage `customer` asks for event 'purchas', and no event is of that kind
      ╭─[clo.toml:21:1]  enter = "event = 'purchas'"
    help: did you mean 'purchase'?
    help: the events are `purchase`
    "#);
}

#[test]
fn a_horizon_longer_than_the_data() {
    assert_snapshot!(shop().spec("\"30d\"\ncutoffs", "\"2y\"\ncutoffs").said(), @r#"
    exit 4
    error: prediction `second`: the horizon of 24mo is longer than the data, which goes from 2024-01-01 to 2024-12-03
      ╭─[clo.toml:29:1]  horizon = "2y"
    help: shorten `horizon`, or bring a longer history
    "#);
}

#[test]
fn an_end_before_the_data() {
    assert_snapshot!(shop().spec("[[lifecycle.stages]]", "[lifecycle]\nend = \"2023-01-01\"\n\n[[lifecycle.stages]]").said(), @r#"
    exit 4
    error: all 360 events are at or after the end of observation, 2023-01-01
      ╭─[clo.toml:19:1]  end = "2023-01-01"
    help: `lifecycle.end` (or --as-of) says until when the data is complete; without it, that is the last event
    "#);
}

#[test]
fn no_event_after_the_first_cutoff() {
    assert_snapshot!(shop().spec("[[lifecycle.stages]]", "[lifecycle]\nend = \"2031-01-01\"\n\n[[lifecycle.stages]]").said(), @r#"
    exit 4
    error: prediction `second`: no event after the first cutoff, 2030-07-05: the observation is said to end at 2031-01-01, and the last event is of 2024-12-03
      ╭─[clo.toml:19:1]  end = "2031-01-01"
    help: set `lifecycle.end` (or --as-of) to where the data really ends, or leave it out
    "#);
}

#[test]
fn an_end_long_after_the_data() {
    let late = shop().spec("[[lifecycle.stages]]", "[lifecycle]\nend = \"2025-02-01\"\n\n[[lifecycle.stages]]");
    assert_snapshot!(late.command(&["map"]).said(), @r"
    exit 0
    warning: lifecycle.end: it lies 60 days after the last event: whoever moved since counts as if they had not; set it to where the data ends
    ");
    let late = shop().spec("[[lifecycle.stages]]", "[lifecycle]\nend = \"2025-02-01\"\n\n[[lifecycle.stages]]");
    assert_snapshot!(late.said(), @r"
    exit 4
    error: prediction `second`: too few examples of one outcome to learn from (training: 28 attained, 425 did not; validation: 1 attained, 120 did not; test: 0 attained, 120 did not)
    help: lengthen the horizon, add cutoffs, or choose a stage that more people reach
    help: nobody attained at the end: is `lifecycle.end` (or --as-of) after the data?
    ");
}
