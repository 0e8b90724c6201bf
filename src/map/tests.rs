//! The state machine against histories worked out by hand, and against a slow one that lives through every day.

use polars::df;
use polars::prelude::DataFrame;
use proptest::prelude::*;

use super::testing::{data, silence, spec, stage, stage_from, start};
use super::{Stays, history};
use crate::source::{Data, Events, People};
use crate::spec::{Cause, Exit, ReEntry, Rule, Spec, Stage, Trigger};
use crate::time::{DAY, Duration};

/// A person's stays as (stage, day).
fn of(stays: &Stays, person: usize) -> Vec<(usize, i64)> {
    stays.of(person).map(|row| (usize::from(stays.stage[row]), stays.entered[row] / DAY)).collect()
}

fn walk(rows: &[(&str, i64, &str)], stages: Vec<Stage>) -> Vec<(usize, i64)> {
    of(&history(&data(rows, 100), &spec(stages)).unwrap(), 0)
}

fn shop() -> Vec<Stage> {
    vec![
        start("visitor"),
        stage("customer", "event = 'purchase'"),
        stage("repeat", "event = 'purchase' AND nth >= 2"),
        silence("lapsed", &[1, 2], 30),
    ]
}

#[test]
fn the_start_stage_lasts_until_an_event_enters_another() {
    assert_eq!(walk(&[("a", 1, "visit"), ("a", 3, "purchase")], shop())[..2], [(0, 1), (1, 3)]);
    assert_eq!(walk(&[("a", 80, "purchase")], shop()), [(1, 80)]);
    // Both on day 80: the visitor's stay would have no length.
    assert_eq!(walk(&[("a", 80, "visit"), ("a", 80, "purchase")], shop()), [(1, 80)]);
}

#[test]
fn silence_counts_from_the_last_event_that_enters_a_watched_stage() {
    // The visit on day 20 is not heard; the purchase on day 20 would be.
    assert_eq!(walk(&[("a", 0, "purchase"), ("a", 20, "visit")], shop()), [(1, 0), (3, 30)]);
    assert_eq!(walk(&[("a", 0, "purchase"), ("a", 20, "purchase")], shop()), [(1, 0), (2, 20), (3, 50)]);
    // The third purchase is no move, and yet it is heard.
    let three = [("a", 0, "purchase"), ("a", 20, "purchase"), ("a", 40, "purchase")];
    assert_eq!(walk(&three, shop()), [(1, 0), (2, 20), (3, 70)]);
    // Silence is over before the event of its last instant, which then brings the person back.
    assert_eq!(walk(&[("a", 0, "purchase"), ("a", 30, "purchase")], shop()), [(1, 0), (3, 30), (2, 30), (3, 60)]);
    // It would end at the end of observation, day 100: too late.
    assert_eq!(walk(&[("a", 70, "purchase")], shop()), [(1, 70)]);
    assert_eq!(walk(&[("a", 69, "purchase")], shop()), [(1, 69), (3, 99)]);
}

#[test]
fn two_events_of_one_instant_are_two_moves() {
    assert_eq!(walk(&[("a", 80, "purchase"), ("a", 80, "purchase")], shop()), [(1, 80), (2, 80)]);
}

#[test]
fn a_stage_with_from_is_entered_from_there_alone() {
    let stages = || {
        vec![
            stage("lead", "event = 'contact'"),
            stage_from("won", "event = 'deal'", &[0]),
            stage_from("lost", "event = 'stop'", &[1]),
        ]
    };
    let rows = [("a", 1, "deal"), ("a", 2, "contact"), ("a", 3, "stop"), ("a", 4, "deal"), ("a", 5, "contact")];
    assert_eq!(walk(&rows, stages()), [(0, 2), (1, 4)]);
}

fn trial(exits: Vec<Exit>, re_entry: ReEntry) -> Vec<Stage> {
    vec![
        start("visitor"),
        Stage { exits, re_entry, ..stage("trial", "event = 'try'") },
        Stage {
            exits: vec![Exit { cause: Cause::On("event = 'stop'".into()), to: 0 }],
            ..stage("paid", "event = 'pay'")
        },
    ]
}

fn on(rule: &str, to: usize) -> Exit {
    Exit { cause: Cause::On(rule.into()), to }
}

fn after(days: i64, to: usize) -> Exit {
    Exit { cause: Cause::After(Duration::days(days)), to }
}

#[test]
fn an_exit_takes_people_out_by_an_event_or_when_their_time_is_over() {
    let rows =
        [("a", 0, "visit"), ("a", 1, "try"), ("a", 20, "pay"), ("a", 30, "stop"), ("a", 40, "pay"), ("a", 41, "x")];
    assert_eq!(walk(&rows, trial(vec![], ReEntry::Always)), [(0, 0), (1, 1), (2, 20), (0, 30), (2, 40)]);
    let expires = walk(&rows, trial(vec![after(14, 0)], ReEntry::Always));
    assert_eq!(expires, [(0, 0), (1, 1), (0, 15), (2, 20), (0, 30), (2, 40)]);
    // The span is over before the event of its last instant; the exit wins over the rule of another stage.
    assert_eq!(walk(&rows, trial(vec![after(19, 0)], ReEntry::Always))[2..4], [(0, 20), (2, 20)]);
    assert_eq!(walk(&rows, trial(vec![on("event = 'pay'", 0)], ReEntry::Always))[2..], [(0, 20), (2, 40)]);
    // Of two exits that hold the first counts.
    let both = vec![on("event = 'pay' OR event = 'x'", 2), on("event = 'pay'", 0)];
    assert_eq!(walk(&rows, trial(both, ReEntry::Always))[2], (2, 20));
}

#[test]
fn a_stage_is_entered_again_when_it_may_be() {
    let rows = [
        ("a", 0, "visit"),
        ("a", 1, "try"),
        ("a", 5, "try"),
        ("a", 8, "try"),
        ("a", 30, "try"),
        ("z", 0, "pay"),
        ("z", 1, "stop"),
    ];
    let of = |re_entry| walk(&rows, trial(vec![after(3, 0)], re_entry));
    assert_eq!(of(ReEntry::Always), [(0, 0), (1, 1), (0, 4), (1, 5), (0, 8), (1, 8), (0, 11), (1, 30), (0, 33)]);
    assert_eq!(of(ReEntry::Never), [(0, 0), (1, 1), (0, 4)]);
    // Left on day 4: open again from day 8 on; left on day 11.
    assert_eq!(of(ReEntry::After(Duration::days(4))), [(0, 0), (1, 1), (0, 4), (1, 8), (0, 11), (1, 30), (0, 33)]);
}

#[test]
fn silence_waits_until_its_stage_is_open_again() {
    let stages =
        |re_entry| vec![stage("customer", "event = 'purchase'"), Stage { re_entry, ..silence("lapsed", &[0], 10) }];
    let rows = [("a", 0, "purchase"), ("a", 12, "purchase")];
    assert_eq!(walk(&rows, stages(ReEntry::Always)), [(0, 0), (1, 10), (0, 12), (1, 22)]);
    assert_eq!(walk(&rows, stages(ReEntry::Never)), [(0, 0), (1, 10), (0, 12)]);
    // Left on day 12, open again from day 52 on: the silence has lasted long enough by then.
    assert_eq!(walk(&rows, stages(ReEntry::After(Duration::days(40)))), [(0, 0), (1, 10), (0, 12), (1, 52)]);
}

#[test]
fn what_happens_at_or_after_the_end_is_left_out() {
    assert_eq!(walk(&[("a", 90, "visit"), ("a", 100, "purchase")], shop()), [(0, 90)]);
    assert_eq!(walk(&[("a", 100, "purchase")], shop()), []);
}

#[test]
fn people_without_events_start_when_the_data_do() {
    let mut data = data(&[("a", 5, "purchase")], 100);
    data.people.ids.push("b".into());
    data.people.offsets.push(0);
    data.events.offsets.push(1);
    assert_eq!(of(&history(&data, &spec(shop())).unwrap(), 1), [(0, 5)]);
    assert_eq!(of(&history(&data, &spec(shop()[1..3].to_vec())).unwrap(), 1), []);
}

/// One purchase each on days 0 and 10; people with attributes; `a`'s change on day 5.
fn with_attributes() -> Data {
    let mut data = data(&[("a", 0, "purchase"), ("a", 10, "purchase"), ("b", 0, "purchase"), ("c", 0, "visit")], 100);
    data.people.attributes =
        df!("tier" => ["basic", "gold", "gold"], "amount" => [0, 0, 0], "opt_in" => [None, Some(true), Some(false)])
            .unwrap();
    data.people.offsets = vec![0, 2, 3, 3];
    data.people.valid_from = Some(vec![i64::MIN, 5 * DAY, i64::MIN]);
    data
}

#[test]
fn rules_see_properties_and_the_attributes_of_that_time() {
    let data = with_attributes();
    let entered = |rule: &str| {
        let stays = history(&data, &spec(vec![stage("x", rule)])).unwrap();
        (0..3).map(|person| of(&stays, person).first().map(|stay| stay.1)).collect::<Vec<_>>()
    };
    assert_eq!(entered("tier = 'gold'"), [Some(10), Some(0), None]);
    assert_eq!(entered("tier = 'gold' AND event = 'purchase' AND nth = 1"), [None, Some(0), None]);
    assert_eq!(entered("opt_in"), [Some(10), None, None]);
    // The property wins over the attribute; a visit has none.
    assert_eq!(entered("amount > 5"), [Some(0), Some(0), None]);
    assert_eq!(entered("amount IS NULL"), [None, None, Some(0)]);
    assert_eq!(entered("event = 'visit' OR amount * nth > 15"), [Some(10), None, Some(0)]);
}

#[test]
fn a_kind_that_is_not_there_is_refused_with_what_was_meant() {
    let data = data(&[("a", 0, "purchase"), ("a", 1, "visit")], 100);
    let ask = |rule: &str| history(&data, &spec(vec![stage("x", rule), stage("y", "evnt = 'visit'")]));
    let error = ask("event = 'purchse' AND nth > 1").unwrap_err();
    assert_eq!((error.exit_code(), error.also().len()), (3, 1));
    assert!(error.to_string().contains("mean 'purchase'?") && error.to_string().contains("mean `event`?"), "{error}");
    assert!(ask("event IN ('visits', 'views')").unwrap_err().to_string().contains("'visits'"));
}

#[test]
fn a_snapshot_takes_the_last_stage_whose_rule_holds() {
    let people = People {
        ids: ["a", "b", "c", "d"].map(str::to_owned).to_vec(),
        attributes: df!("y" => ["no", "yes", "yes", "no"], "calls" => [1, 2, 9, 9]).unwrap(),
        offsets: vec![0, 1, 2, 3, 4],
        valid_from: None,
        contact: Vec::new(),
        sources: Vec::new(),
        order: None,
    };
    let events = Events { offsets: vec![0; 5], ..Events::default() };
    let empty = data(&[], 0);
    let data = Data { people, events, ..empty };
    let when = |name: &str, rule: &str| Stage { rule: Rule::When(rule.into()), ..stage(name, "") };
    let stages = vec![start("prospect"), when("subscriber", "y = 'yes'"), when("fan", "calls > 5")];
    let spec = Spec { events: Vec::new(), ..spec(stages) };
    let mapped = super::map(&data, &spec).unwrap();
    assert_eq!(mapped.stays.stage, [0, 1, 2, 2]);
    assert!((0..4).all(|person| mapped.stays.at(person, data.end).is_some()));
    let overlap = &mapped.lint.findings[0];
    assert_eq!((overlap.code.as_str(), &overlap.people[..]), ("rules-overlap", &["c".to_owned()][..]));
    assert_eq!(mapped.measured.lifecycle.stages[1].attributes, ["y"]);
}

/// Every kind of rule at once; what the reference below knows by heart.
fn winding() -> Vec<Stage> {
    vec![
        start("visitor"),
        stage("lead", "event = 'a'"),
        stage("customer", "event = 'b'"),
        stage("repeat", "event = 'b' AND nth >= 3"),
        silence("dormant", &[1, 2], 7),
        stage_from("saved", "event = 'c'", &[4]),
        silence("lapsed", &[2, 3, 4, 5], 12),
    ]
}

/// The winding lifecycle, with a stage that several events together enter.
fn joint() -> Vec<Stage> {
    let twice = Trigger::Times { event: "event = 'a'".into(), times: 2, within: Some(Duration::days(5)) };
    let both = Trigger::All { all: vec![twice, "event = 'd'".into()], within: None };
    let mut stages = [winding(), guarded()[..2].to_vec()].concat();
    stages.push(Stage { from: vec![1, 2, 8], ..Stage::new("eager", Rule::Enter(both)) });
    stages.remove(7);
    stages[7].exits[1].to = 8;
    stages
}

/// A trial that ends by itself, by a word or by a purchase; customers who may leave, and dormancy that comes but once.
fn guarded() -> Vec<Stage> {
    let on = |rule: &str, to| Exit { cause: Cause::On(rule.into()), to };
    let after = |days, to| Exit { cause: Cause::After(Duration::days(days)), to };
    vec![
        start("visitor"),
        Stage {
            exits: vec![on("event = 'c'", 0), after(9, 3)],
            re_entry: ReEntry::After(Duration::days(20)),
            ..stage("trial", "event = 'a'")
        },
        Stage { exits: vec![on("event = 'd'", 0), on("event = 'c'", 3)], ..stage("customer", "event = 'b'") },
        Stage { exits: vec![after(15, 0)], ..Stage::new("expired", Rule::Exits) },
        Stage { re_entry: ReEntry::Never, ..silence("dormant", &[2], 7) },
        stage_from("saved", "event = 'c'", &[4]),
    ]
}

/// What the rules of a lifecycle say, by heart.
struct Reference {
    /// The stages that claim an event: its kind, and how many of the kind there were.
    claims: fn(&str, usize) -> Vec<usize>,
    may: fn(usize, usize) -> bool,
    /// Stage, from, days.
    silences: &'static [(usize, &'static [usize], i64)],
    /// From, kind, to.
    exits: &'static [(usize, &'static str, usize)],
    /// From, days, to.
    spans: &'static [(usize, i64, usize)],
    /// Stage, and days until it may be entered again; none: never.
    re_entry: &'static [(usize, Option<i64>)],
}

const WINDING: Reference = Reference {
    claims: |kind, nth| match kind {
        "a" => vec![1],
        "b" if nth >= 3 => vec![2, 3],
        "b" => vec![2],
        "c" => vec![5],
        _ => vec![],
    },
    may: |from, to| match to {
        5 => from == 4,
        _ => from < to || from == 4 && to >= 1 || from == 6 && to >= 2,
    },
    silences: &[(4, &[1, 2], 7), (6, &[2, 3, 4, 5], 12)],
    exits: &[],
    spans: &[],
    re_entry: &[],
};

const GUARDED: Reference = Reference {
    claims: |kind, _| match kind {
        "a" => vec![1],
        "b" => vec![2],
        "c" => vec![5],
        _ => vec![],
    },
    may: |from, to| match to {
        5 => from == 4,
        _ => from < to || from == 4 && to >= 2,
    },
    silences: &[(4, &[2], 7)],
    exits: &[(1, "c", 0), (2, "d", 0), (2, "c", 3)],
    spans: &[(1, 9, 3), (3, 15, 0)],
    re_entry: &[(1, Some(20)), (4, None)],
};

/// Lives through a person's days one by one, asking at each what the brief of a stage says, and remembering nothing.
fn day_by_day(reference: &Reference, events: &[(i64, &str)], end: i64) -> Vec<(usize, i64)> {
    let claims = |upto: usize| {
        let nth = events[..=upto].iter().filter(|event| event.1 == events[upto].1).count();
        (reference.claims)(events[upto].1, nth)
    };
    let mut path: Vec<(usize, i64)> = Vec::new();
    let is_open = |path: &[(usize, i64)], to: usize, day: i64| {
        let left = (1..path.len()).rev().find(|&next| path[next - 1].0 == to).map(|next| path[next].1);
        let wait = reference.re_entry.iter().find(|(stage, _)| *stage == to).map(|(_, days)| *days);
        match (left, wait) {
            (Some(left), Some(Some(days))) => left + days <= day,
            (Some(_), Some(None)) => false,
            _ => true,
        }
    };
    for day in 0..end {
        if let Some(&(stage, entered)) = path.last() {
            let heard = |from: &[usize]| {
                let matters = |row: &usize| events[*row].0 < day && claims(*row).iter().any(|s| from.contains(s));
                (0..events.len()).filter(matters).map(|row| events[row].0).max().unwrap_or(entered).max(entered)
            };
            let over = |(from, days, to): &&(usize, i64, usize)| {
                *from == stage && entered + days <= day && is_open(&path, *to, day)
            };
            let silent = |(to, from, days): &&(usize, &[usize], i64)| {
                from.contains(&stage) && heard(from) + days <= day && is_open(&path, *to, day)
            };
            let span = reference.spans.iter().find(over).map(|span| span.2);
            let silence = reference.silences.iter().rfind(silent).map(|silence| silence.0);
            if let Some(to) = span.or(silence) {
                path.push((to, day));
            }
        }
        for row in (0..events.len()).filter(|&row| events[row].0 == day) {
            if path.is_empty() {
                path.push((0, day));
            }
            let (stage, entered) = path[path.len() - 1];
            let out = |exit: &&(usize, &str, usize)| {
                exit.0 == stage && exit.1 == events[row].1 && is_open(&path, exit.2, day)
            };
            let exit = reference.exits.iter().find(out).map(|exit| exit.2);
            let claimed = claims(row).into_iter().rfind(|&to| (reference.may)(stage, to) && is_open(&path, to, day));
            if let Some(to) = exit.or(claimed) {
                if path.len() == 1 && stage == 0 && entered == day {
                    path.pop();
                }
                path.push((to, day));
            }
        }
    }
    path
}

fn rows() -> impl Strategy<Value = Vec<(&'static str, i64, &'static str)>> {
    let row = (prop::sample::select(vec!["p", "q", "r"]), 0_i64..60, prop::sample::select(vec!["a", "b", "c", "d"]));
    // One event of each kind, so that no rule names a kind that is not there.
    prop::collection::vec(row, 0..40).prop_map(|mut rows| {
        rows.extend([("z", 0, "a"), ("z", 0, "b"), ("z", 0, "c"), ("z", 0, "d")]);
        rows
    })
}

proptest! {
    #[test]
    fn the_machine_does_what_living_day_by_day_does(rows in rows(), guard in any::<bool>()) {
        let data = data(&rows, 50);
        let (stages, reference) = if guard { (guarded(), GUARDED) } else { (winding(), WINDING) };
        let stays = history(&data, &spec(stages)).unwrap();
        for person in 0..data.people.len() {
            let mut events: Vec<(i64, &str)> =
                rows.iter().filter(|row| row.0 == data.people.ids[person]).map(|row| (row.1, row.2)).collect();
            events.sort_unstable();
            events.retain(|event| event.0 < 50);
            prop_assert_eq!(of(&stays, person), day_by_day(&reference, &events, 50), "{:?}", events);
        }
    }

    #[test]
    fn a_person_is_in_exactly_one_stage_at_any_time(rows in rows(), guard in any::<bool>()) {
        let data = data(&rows, 50);
        let stays = history(&data, &spec(if guard { guarded() } else { winding() })).unwrap();
        for person in 0..data.people.len() {
            let person_rows = stays.of(person);
            if person_rows.is_empty() { continue; }
            for row in person_rows.clone().skip(1) {
                prop_assert_eq!(stays.left[row - 1], stays.entered[row]);
                prop_assert!(stays.entered[row - 1] <= stays.entered[row]);
                prop_assert_ne!(stays.stage[row - 1], stays.stage[row]);
            }
            prop_assert_eq!(stays.left[person_rows.end - 1], i64::MAX);
        }
    }

    #[test]
    fn how_people_are_parted_for_the_threads_does_not_matter(rows in rows(), size in 1_usize..60) {
        let (data, spec) = (data(&rows, 50), spec(joint()));
        let (stays, claims) = super::history::walk_events(&data, &spec, size).unwrap();
        let (whole, claimed) = super::history::walk_events(&data, &spec, usize::MAX).unwrap();
        prop_assert_eq!(stays, whole);
        prop_assert_eq!(claims, claimed);
    }

    #[test]
    fn the_order_of_input_rows_does_not_matter(
        (rows, shuffled) in rows().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle()))
    ) {
        let spec = spec(joint());
        prop_assert_eq!(super::map(&data(&rows, 50), &spec).unwrap(), super::map(&data(&shuffled, 50), &spec).unwrap());
    }
}

#[test]
fn no_attributes_are_no_obstacle() {
    let mut data = data(&[("a", 0, "purchase")], 100);
    data.people.attributes = DataFrame::empty();
    assert_eq!(of(&history(&data, &spec(shop())).unwrap(), 0)[0], (1, 0));
}
