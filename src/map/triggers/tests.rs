//! Several events together, against their definitions read literally, and by hand.

use proptest::prelude::*;

use super::*;
use crate::map::testing::{data, spec, stage};
use crate::spec::Stage;
use crate::time::DAY;

const KINDS: [&str; 3] = ["a", "b", "c"];

/// The definitions, read literally: whether a trigger fires at the event in position `at`.
fn fires(trigger: &Trigger, events: &[(i64, &str)], at: usize) -> bool {
    let near = |position: usize, within: &Option<Duration>| {
        within.is_none_or(|within| Time(events[position].0 * DAY).plus(within).0 >= events[at].0 * DAY)
    };
    let holds = |rule: &str, position: usize| rule == format!("event = '{}'", events[position].1);
    match trigger {
        Trigger::Event(rule) => holds(rule, at),
        Trigger::Any { any } => any.iter().any(|trigger| fires(trigger, events, at)),
        Trigger::All { all, within } => {
            let before = |trigger| (0..=at).any(|position| near(position, within) && fires(trigger, events, position));
            all.iter().any(|trigger| fires(trigger, events, at)) && all.iter().all(before)
        }
        Trigger::Sequence { sequence, within } => {
            // Every choice of earlier events, one for each but the last.
            let mut ends: Vec<Vec<usize>> = vec![Vec::new()];
            for trigger in &sequence[..sequence.len() - 1] {
                let longer = |chosen: &Vec<usize>| {
                    let after = chosen.last().map_or(0, |last| last + 1);
                    let next = (after..at).filter(|&position| fires(trigger, events, position));
                    next.map(|position| [chosen.as_slice(), &[position]].concat()).collect::<Vec<_>>()
                };
                ends = ends.iter().flat_map(longer).collect();
            }
            let last = sequence.last().unwrap();
            fires(last, events, at) && ends.iter().any(|chosen| near(chosen[0], within))
        }
        Trigger::Times { event, times, within } => {
            let n = (0..=at).filter(|&position| holds(event, position) && near(position, within)).count();
            holds(event, at) && n >= *times
        }
    }
}

fn any_span() -> impl Strategy<Value = Option<Duration>> {
    prop::option::of(prop_oneof![(1_i64..9).prop_map(Duration::days), Just(Duration { months: 1, micros: 0 }),])
}

fn any_trigger() -> impl Strategy<Value = Trigger> {
    let rule = || prop::sample::select(KINDS.to_vec()).prop_map(|kind| format!("event = '{kind}'"));
    let leaf = prop_oneof![
        3 => rule().prop_map(Trigger::Event),
        1 => (rule(), 2_usize..4, any_span())
            .prop_map(|(event, times, within)| Trigger::Times { event, times, within }),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        let several = || prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            (several(), any_span()).prop_map(|(all, within)| Trigger::All { all, within }),
            several().prop_map(|any| Trigger::Any { any }),
            (several(), any_span()).prop_map(|(sequence, within)| Trigger::Sequence { sequence, within }),
        ]
    })
}

proptest! {
    #[test]
    fn several_events_together_mean_what_the_definitions_say(
        trigger in any_trigger(),
        rows in prop::collection::vec((prop::sample::select(vec!["p", "q"]), 0_i64..70, prop::sample::select(KINDS.to_vec())), 0..24),
    ) {
        // One event of each kind, so that no rule names a kind that is not there.
        let rows = [rows, vec![("z", 0, "a"), ("z", 1, "b"), ("z", 2, "c")]].concat();
        let data = data(&rows, 100);
        let spec = spec(vec![Stage::new("x", Rule::Enter(trigger.clone()))]);
        let fired = Triggers::enter(&data, &spec).unwrap().of(0..data.people.len()).unwrap();
        for person in 0..data.people.len() {
            let of = data.events.of(person);
            let events: Vec<(i64, &str)> = of.clone()
                .map(|row| (data.events.time[row] / DAY, data.events.kinds[usize::from(data.events.kind[row])].as_str()))
                .collect();
            for (at, row) in of.enumerate() {
                prop_assert_eq!(fired.masks[row] == 1, fires(&trigger, &events, at), "{} at event {} of {:?}", trigger, at, events);
            }
        }
    }
}

/// The days on which a trigger fires, of one person's events.
fn days(trigger: Trigger, rows: &[(&str, i64, &str)]) -> Vec<i64> {
    let data = data(rows, 100);
    let spec = spec(vec![Stage { rule: Rule::Enter(trigger), ..stage("x", "") }]);
    let fired = Triggers::enter(&data, &spec).unwrap().of(0..1).unwrap();
    (0..data.events.len()).filter(|&row| fired.masks[row] != 0).map(|row| data.events.time[row] / DAY).collect()
}

#[test]
fn a_small_shop_by_hand() {
    let rows = [("p", 0, "a"), ("p", 3, "b"), ("p", 10, "a"), ("p", 13, "b"), ("p", 14, "a"), ("p", 16, "a")];
    let [a, b] = ["event = 'a'", "event = 'b'"].map(Trigger::from);
    let within = |days| Some(Duration::days(days));
    let all = |days| Trigger::All { all: vec![a.clone(), b.clone()], within: days };
    assert_eq!(days(all(None), &rows), [3, 10, 13, 14, 16]);
    // On day 10 the last b is 7 days ago, and both ends count.
    assert_eq!(days(all(within(7)), &rows), [3, 10, 13, 14, 16]);
    assert_eq!(days(all(within(3)), &rows), [3, 13, 14, 16]);
    let sequence = |days| Trigger::Sequence { sequence: vec![a.clone(), b.clone()], within: days };
    assert_eq!(days(sequence(within(3)), &rows), [3, 13]);
    assert_eq!(days(sequence(within(2)), &rows), Vec::<i64>::new());
    let twice = Trigger::Sequence { sequence: vec![b.clone(), a.clone(), a.clone()], within: None };
    assert_eq!(days(twice, &rows), [14, 16]);
    let three = Trigger::Times { event: "event = 'a'".into(), times: 3, within: within(7) };
    assert_eq!(days(three, &rows), [16]);
}

#[test]
fn an_attribute_and_an_event_together_are_one_rule() {
    let mut data = data(&[("p", 0, "a"), ("q", 0, "a"), ("p", 1, "b"), ("q", 2, "b")], 100);
    data.people.attributes = polars::df!("tier" => ["gold", "basic"]).unwrap();
    data.people.offsets = vec![0, 1, 2];
    let gold = Trigger::All { all: vec!["event = 'a'".into(), "event = 'b' AND tier = 'gold'".into()], within: None };
    let spec = spec(vec![Stage::new("x", Rule::Enter(gold))]);
    assert_eq!(Triggers::enter(&data, &spec).unwrap().of(0..2).unwrap().masks, [0, 1, 0, 0]);
}

#[test]
fn a_part_that_no_event_fulfils_is_told() {
    let data = data(&[("p", 0, "a"), ("p", 1, "b")], 100);
    let never = Trigger::All { all: vec!["event = 'a'".into(), "event = 'b' AND nth > 1".into()], within: None };
    let spec = spec(vec![Stage::new("x", Rule::Enter(never))]);
    let triggers = Triggers::enter(&data, &spec).unwrap();
    let held = triggers.of(0..1).unwrap().held;
    assert_eq!(triggers.unfulfilled(&held), [(0, "event = 'b' AND nth > 1".to_owned())]);
}
