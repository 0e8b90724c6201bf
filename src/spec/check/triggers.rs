//! What moves people: entry rules alone or several together, exits, re-entry.

use polars::prelude::Expr;

use super::super::written;
use super::super::{Cause, Exit, ReEntry, Rule, Shape, Stage, Trigger};
use super::stages::Draft;
use super::{Check, Sql, sql};
use crate::time::Duration;

/// Round and round in less than this many days is too fast to mean anything, and would fill the disk.
const SHORTEST_CIRCLE_DAYS: f64 = 1.0;

/// A piece of a stage's rule.
#[derive(Clone, Copy)]
struct Part<'p> {
    draft: &'p Draft,
    /// Where it is said.
    at: &'p str,
    /// The kinds of events, when the spec tells them all.
    kinds: Option<&'p [String]>,
}

impl Check<'_, '_> {
    pub(super) fn enter(&mut self, draft: &Draft, trigger: &written::Trigger, kinds: Option<&[String]>) -> Rule {
        let (at, name) = (draft.at("enter"), &draft.stage.name);
        if self.shape == Shape::Snapshot {
            self.fault(
                &at,
                format!("stage `{name}` is entered by events, and this spec has no [events.*]"),
                "in a snapshot, write when = \"…\" over the attributes; or declare the events",
            );
            return Rule::Start;
        }
        Rule::Enter(self.trigger(Part { draft, at: &at, kinds }, trigger))
    }

    /// The stage's exits, in the order of the file.
    pub(super) fn exits(&mut self, draft: &Draft, kinds: Option<&[String]>, names: &[&str]) -> Vec<Exit> {
        let at = draft.at("exit");
        let written: Vec<(String, &written::Exit)> = match &draft.stage.exit {
            None => return Vec::new(),
            Some(written::Exits::One(exit)) => vec![(at.clone(), exit)],
            Some(written::Exits::Several(exits)) => {
                exits.iter().enumerate().map(|(position, exit)| (format!("{at}[{position}]"), exit)).collect()
            }
        };
        let name = &draft.stage.name;
        if self.shape == Shape::Snapshot {
            self.fault(&at, format!("stage `{name}` has `exit`, and a snapshot knows no moves"), "leave `exit` out");
            return Vec::new();
        }
        written.into_iter().filter_map(|(at, exit)| self.exit(draft, &at, exit, kinds, names)).collect()
    }

    fn exit(
        &mut self,
        draft: &Draft,
        at: &str,
        exit: &written::Exit,
        kinds: Option<&[String]>,
        names: &[&str],
    ) -> Option<Exit> {
        let name = &draft.stage.name;
        let cause = match (&exit.on, &exit.after) {
            (Some(trigger), None) => {
                let at = format!("{at}.on");
                Some(Cause::On(self.trigger(Part { draft, at: &at, kinds }, trigger)))
            }
            (None, Some(after)) => self.faults.take(&format!("{at}.after"), "after", after.parse()).map(Cause::After),
            (given, _) => {
                let (says, hint) = match given {
                    Some(_) => ("both `on` and `after`", "make two exits of it: exit = [{ on = … }, { after = … }]"),
                    None => ("neither `on` nor `after`", "write on = \"event = '…'\", or after = \"30d\""),
                };
                self.fault(at, format!("the exit of stage `{name}` says {says}"), hint);
                None
            }
        };
        let at = format!("{at}.to");
        if exit.to == *name {
            self.fault(&at, format!("stage `{name}` has an exit to itself"), "name the stage that people go to");
            return None;
        }
        let to = self.positions(&at, &format!("the exit of stage `{name}`"), std::slice::from_ref(&exit.to), names);
        Some(Exit { cause: cause?, to: *to.first()? })
    }

    pub(super) fn re_entry(&mut self, draft: &Draft) -> ReEntry {
        let Some(text) = &draft.stage.re_entry else { return ReEntry::Always };
        let at = draft.at("re_entry");
        if self.shape == Shape::Snapshot {
            let message = format!("stage `{}` has `re_entry`, and a snapshot knows no moves", draft.stage.name);
            self.fault(&at, message, "leave `re_entry` out");
        }
        self.faults.take(&at, "re_entry", text.parse()).unwrap_or_default()
    }

    fn trigger(&mut self, part: Part<'_>, trigger: &written::Trigger) -> Trigger {
        match trigger {
            written::Trigger::Event(rule) => {
                self.event(part, rule);
                Trigger::Event(rule.clone())
            }
            written::Trigger::Joint(joint) => self.joint(part, joint),
        }
    }

    fn joint(&mut self, part: Part<'_>, joint: &written::Joint) -> Trigger {
        self.one_form(part, joint);
        let within = joint.within.as_deref().and_then(|within| {
            let at = format!("{}.within", part.at);
            self.faults.take(&at, "within", within.parse::<Duration>())
        });
        match joint {
            written::Joint { all: Some(all), .. } => Trigger::All { all: self.each(part, "all", all), within },
            written::Joint { any: Some(any), .. } => Trigger::Any { any: self.each(part, "any", any) },
            written::Joint { sequence: Some(sequence), .. } => {
                Trigger::Sequence { sequence: self.each(part, "sequence", sequence), within }
            }
            written::Joint { event, times, .. } => {
                let event = event.clone().unwrap_or_default();
                if joint.event.is_some() {
                    self.event(Part { at: &format!("{}.event", part.at), ..part }, &event);
                }
                Trigger::Times { event, times: times.and_then(|times| times.try_into().ok()).unwrap_or(2), within }
            }
        }
    }

    fn each(&mut self, part: Part<'_>, key: &str, triggers: &[written::Trigger]) -> Vec<Trigger> {
        let each = triggers.iter().enumerate();
        each.map(|(i, trigger)| self.trigger(Part { at: &format!("{}.{key}[{i}]", part.at), ..part }, trigger))
            .collect()
    }

    /// Notes a table that says more than one way of being together, or none, or half of one.
    fn one_form(&mut self, part: Part<'_>, joint: &written::Joint) {
        let Part { draft, at, .. } = part;
        if self.faults.has_blanks_in(at) {
            return;
        }
        let name = &draft.stage.name;
        let forms = [
            ("all", joint.all.is_some()),
            ("any", joint.any.is_some()),
            ("sequence", joint.sequence.is_some()),
            ("event", joint.event.is_some()),
        ];
        let given: Vec<&str> = forms.into_iter().filter_map(|(key, given)| given.then_some(key)).collect();
        match given[..] {
            [] => self.fault(
                at,
                format!("stage `{name}`: this does not say which events"),
                "write all = […], any = […], sequence = […], or event = \"…\" with times = 3",
            ),
            [one, other, ..] => self.fault(
                &format!("{at}.{other}"),
                format!("stage `{name}`: `{one}` and `{other}` are two rules in one"),
                format!("keep one, or put one into the other: {one} = [{{ {other} = … }}, …]"),
            ),
            ["event"] if joint.times.is_none() => self.fault(
                &format!("{at}.event"),
                format!("stage `{name}`: `event` without `times`"),
                "add times = 3; or, for a single event, write the SQL alone: enter = \"event = '…'\"",
            ),
            ["any"] if joint.within.is_some() => self.fault(
                &format!("{at}.within"),
                format!("stage `{name}`: any one event is enough, so there is nothing for `within` to bound"),
                "leave `within` out, or write all = […]",
            ),
            [_] => {}
        }
        if joint.times.is_some() && !given.contains(&"event") && !given.is_empty() {
            self.fault(
                &format!("{at}.times"),
                format!("stage `{name}`: `times` counts a single kind of event, and there is no `event`"),
                "write { event = \"event = '…'\", times = 3 }",
            );
        }
    }

    /// The SQL of an event.
    fn event(&mut self, part: Part<'_>, text: &str) {
        let Part { draft, at, kinds } = part;
        let name = &draft.stage.name;
        let sql = Sql { at, text };
        let Some(rule) = self.rule(sql) else { return };
        self.double_quotes(sql, &rule, "event");
        let Some(kinds) = kinds else { return };
        let known: Vec<&str> = kinds.iter().map(String::as_str).collect();
        if let Expr::Column(kind) = &rule
            && known.contains(&kind.as_str())
        {
            let message = format!("stage `{name}`: `{kind}` alone is the name of a column, not a rule");
            let key = if at == draft.at("enter") { "enter = " } else { "" };
            self.fault(at, message, format!("write {key}\"event = '{kind}'\""));
        }
        let verb = if at.starts_with(&draft.at("exit")) && draft.at != at { "left" } else { "entered" };
        for kind in sql::texts_compared_with(&rule, "event").into_iter().filter(|kind| !known.contains(kind)) {
            let moved = format!("`{name}` is {verb} by the event `{kind}`, and there is no [events.{kind}]");
            match &draft.event {
                None => self.unknown_in(sql, format!("stage {moved}"), kind, "events", &known),
                Some(event) => self.fault(
                    at,
                    format!("the template's stage {moved}"),
                    format!(
                        "say what it is called here: template = {{ name = …, events = {{ {event} = \"…\" }} }}; \
                         or leave the stage out: without = [\"{name}\"]; \
                         or give it a rule of your own in [[lifecycle.stages]]"
                    ),
                ),
            }
        }
    }

    /// Notes stages that lead to each other by time alone, faster than once a day.
    pub(super) fn circles_of_time(&mut self, drafts: &[Draft], stages: &[Stage]) {
        let n = stages.len();
        let mut days = vec![f64::INFINITY; n * n];
        for (position, stage) in stages.iter().enumerate() {
            if let Rule::Silence(after) = stage.rule {
                for &from in &stage.from {
                    days[from * n + position] = days[from * n + position].min(after.in_days());
                }
            }
            for exit in &stage.exits {
                if let Cause::After(after) = exit.cause {
                    days[position * n + exit.to] = days[position * n + exit.to].min(after.in_days());
                }
            }
        }
        // Floyd and Warshall: the shortest way from each stage to each.
        for by in 0..n {
            for from in 0..n {
                for to in 0..n {
                    days[from * n + to] = days[from * n + to].min(days[from * n + by] + days[by * n + to]);
                }
            }
        }
        if let Some(stage) = (0..n).find(|stage| days[stage * n + stage] < SHORTEST_CIRCLE_DAYS) {
            self.fault(
                &drafts[stage].at,
                format!("time alone takes people from stage `{}` back to it, several times a day", stages[stage].name),
                "lengthen `silence` or `after`, or let an event lead out of one of the stages",
            );
        }
    }
}
