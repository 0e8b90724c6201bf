//! Several events together, exits and re-entry: what is right, and what is said of the rest.

use insta::assert_snapshot;

use super::super::{Cause, Exit, ReEntry, Rule, Trigger};
use super::{BANK, SHOP, read, spec};
use crate::time::Duration;

/// The shop with more keys in its stage `customer`, whose rule is `enter`.
fn customer(enter: &str, more: &str) -> String {
    let stage = "name = \"customer\"\nenter = \"event = 'purchase'\"";
    assert!(SHOP.contains(stage), "the sample has a customer");
    SHOP.replacen(stage, &format!("name = \"customer\"\nenter = {enter}\n{more}"), 1)
}

fn said(text: &str) -> String {
    read(text).map_or_else(|error| error.to_string(), |_| "nothing".to_owned())
}

#[test]
fn several_events_together_read_as_they_are_written() {
    let rule = |enter: &str| spec(&customer(enter, "")).stages[1].rule.clone();
    let all = Trigger::All {
        all: vec!["event = 'contact'".into(), "event = 'purchase'".into()],
        within: Some(Duration::days(30)),
    };
    let written = "{ all = [\"event = 'contact'\", \"event = 'purchase'\"], within = \"30d\" }";
    assert_eq!(rule(written), Rule::Enter(all.clone()));
    let times = Trigger::Times { event: "event = 'contact'".into(), times: 3, within: None };
    assert_eq!(rule("{ event = \"event = 'contact'\", times = 3 }"), Rule::Enter(times));
    let either = Trigger::Any { any: vec!["event = 'purchase'".into(), all] };
    assert_eq!(rule(&format!("{{ any = [\"event = 'purchase'\", {written}] }}")), Rule::Enter(either));
}

#[test]
fn exits_and_re_entry_read_as_they_are_written() {
    let stage = |more: &str| spec(&customer("\"event = 'purchase'\"", more)).stages[1].clone();
    let on = Exit { cause: Cause::On("event = 'contact'".into()), to: 0 };
    assert_eq!(stage("exit = { on = \"event = 'contact'\", to = \"lead\" }").exits, std::slice::from_ref(&on));
    let both = stage(
        "exit = [{ on = \"event = 'contact'\", to = \"lead\" }, { after = \"2w\", to = \"lapsed\" }]\nre_entry = \"90d\"",
    );
    assert_eq!(both.exits, [on, Exit { cause: Cause::After(Duration::days(14)), to: 3 }]);
    assert_eq!(both.re_entry, ReEntry::After(Duration::days(90)));
    assert_eq!(stage("re_entry = \"never\"").re_entry, ReEntry::Never);
}

#[test]
fn a_stage_without_a_rule_that_exits_lead_to_is_no_second_start() {
    let text = customer("\"event = 'purchase'\"", "exit = { after = \"2w\", to = \"idle\" }").replacen(
        "[[lifecycle.stages]]\nname = \"lapsed\"",
        "[[lifecycle.stages]]\nname = \"idle\"\n[[lifecycle.stages]]\nname = \"lapsed\"",
        1,
    );
    assert_eq!(spec(&text).stages[3].rule, Rule::Exits);
}

#[test]
fn rules_that_do_not_say_one_thing() {
    assert_snapshot!(said(&customer("{ all = [\"event = 'contact'\"] }", "")), @r#"
    error: `all` takes at least 2 values, not 1
      ╭─[shop/clo.toml:48:11]  enter = { all = ["event = 'contact'"] }
    "#);
    assert_snapshot!(said(&customer("{ within = \"3d\" }", "")), @r#"
    error: stage `customer`: this does not say which events
      ╭─[shop/clo.toml:48:1]  enter = { within = "3d" }
    help: write all = […], any = […], sequence = […], or event = "…" with times = 3
    "#);
    assert_snapshot!(said(&customer("{ event = \"event = 'contact'\" }", "")), @r#"
    error: stage `customer`: `event` without `times`
      ╭─[shop/clo.toml:48:11]  enter = { event = "event = 'contact'" }
    help: add times = 3; or, for a single event, write the SQL alone: enter = "event = '…'"
    "#);
    let two =
        "{ any = [\"event = 'contact'\", \"true\"], all = [\"event = 'log'\", \"true\"], times = 2, within = \"x\" }";
    assert_snapshot!(said(&customer(two, "")), @r#"
    error: stage `customer`: `all` and `any` are two rules in one
      ╭─[shop/clo.toml:48:11]  enter = { any = ["event = 'contact'", "true"], all = ["event = 'log'", "true"], times = 2, within = "x" }
    help: keep one, or put one into the other: all = [{ any = … }, …]

    error: stage `customer`: `times` counts a single kind of event, and there is no `event`
      ╭─[shop/clo.toml:48:81]  enter = { any = ["event = 'contact'", "true"], all = ["event = 'log'", "true"], times = 2, within = "x" }
    help: write { event = "event = '…'", times = 3 }

    error: `within`: `x` is not a duration
      ╭─[shop/clo.toml:48:92]  enter = { any = ["event = 'contact'", "true"], all = ["event = 'log'", "true"], times = 2, within = "x" }
    help: write a number and a unit: 12h, 7d, 2w, 6mo or 1y
    "#);
    let any = said(&customer("{ any = [\"event = 'contact'\", \"amount >\"], within = \"3d\" }", ""));
    for fault in ["this SQL does not parse", "so there is nothing for `within` to bound"] {
        assert!(any.contains(fault), "{any}");
    }
    let unknown = said(&customer("{ al = [\"event = 'contact'\", \"true\"] }", ""));
    assert!(unknown.contains("did you mean `all`?") && !unknown.contains("which events"), "{unknown}");
}

#[test]
fn exits_that_lead_nowhere() {
    let exit = |exit: &str| said(&customer("\"event = 'purchase'\"", exit));
    assert_snapshot!(exit("exit = { to = \"customer\" }\nre_entry = \"sometimes\""), @r#"
    error: the exit of stage `customer` says neither `on` nor `after`
      ╭─[shop/clo.toml:49:1]  exit = { to = "customer" }
    help: write on = "event = '…'", or after = "30d"

    error: stage `customer` has an exit to itself
      ╭─[shop/clo.toml:49:10]  exit = { to = "customer" }
    help: name the stage that people go to

    error: `re_entry`: "sometimes" does not say when a stage may be entered again
      ╭─[shop/clo.toml:50:1]  re_entry = "sometimes"
    help: write "always", "never", or how long after it was left: "90d"
    "#);
    assert_snapshot!(exit("exit = [{ on = \"true\", after = \"3d\", to = \"lead\" }, { after = \"3 d.\", to = \"leads\" }]"), @r#"
    error: the exit of stage `customer` says both `on` and `after`
      ╭─[shop/clo.toml:49:9]  exit = [{ on = "true", after = "3d", to = "lead" }, { after = "3 d.", to = "leads" }]
    help: make two exits of it: exit = [{ on = … }, { after = … }]

    error: `after`: `3 d.` is not a duration
      ╭─[shop/clo.toml:49:55]  exit = [{ on = "true", after = "3d", to = "lead" }, { after = "3 d.", to = "leads" }]
    help: write a number and a unit: 12h, 7d, 2w, 6mo or 1y

    error: the exit of stage `customer`: there is no stage `leads`
      ╭─[shop/clo.toml:49:71]  exit = [{ on = "true", after = "3d", to = "lead" }, { after = "3 d.", to = "leads" }]
    help: did you mean `lead`?
    "#);
    let round =
        SHOP.replacen("silence = \"180d\"", "silence = \"6h\"\nexit = { after = \"6h\", to = \"customer\" }", 1);
    assert_snapshot!(said(&round), @r#"
    error: time alone takes people from stage `customer` back to it, several times a day
      ╭─[shop/clo.toml:46:1]  [[lifecycle.stages]]
    help: lengthen `silence` or `after`, or let an event lead out of one of the stages
    "#);
    let snapshot =
        BANK.replacen("when = \"y = 'yes'\"", "when = \"y = 'yes'\"\nexit = { after = \"3d\", to = \"prospect\" }", 1);
    assert!(said(&snapshot).contains("has `exit`, and a snapshot knows no moves"), "{}", said(&snapshot));
}
