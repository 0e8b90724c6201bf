//! Moves: stages that can be reached at all, exits and parts of rules that catch nobody, moves that two rules claim.

use std::collections::BTreeMap;

use super::{Linter, Severity};
use crate::map::history::{BY_SILENCE, BY_SPAN, Stays};
use crate::map::machine::Machine;
use crate::map::transitions::n_people;
use crate::rate::grouped;
use crate::spec::Cause;

/// Every move that was made, with how often: from, to, whether time alone made it.
pub(super) fn made(stays: &Stays) -> BTreeMap<(u16, u16, bool), u64> {
    let mut moves = BTreeMap::new();
    for person in 0..n_people(stays) {
        for row in stays.of(person).skip(1) {
            let by_time = matches!(stays.trigger[row], BY_SILENCE | BY_SPAN);
            *moves.entry((stays.stage[row - 1], stays.stage[row], by_time)).or_default() += 1;
        }
    }
    moves
}

/// The stages that rules and exits lead to, from where people begin.
pub(super) fn reachable(machine: &Machine) -> u32 {
    let mut reached = machine.first();
    loop {
        let known = reached;
        for stage in (0..u32::BITS).filter(|stage| known & (1 << stage) != 0) {
            reached |= machine.by_event(stage as usize) | machine.by_time(stage as usize);
        }
        if reached == known {
            return reached;
        }
    }
}

impl Linter<'_> {
    /// Parts of a rule of several events that no event fulfils.
    pub(super) fn fulfilled(&mut self, stage: usize) {
        let claims = self.claims;
        for (_, rule) in claims.unfulfilled.iter().filter(|(of, _)| *of == stage) {
            let message = format!("No event ever fulfils a part of its rule: {rule}.");
            let advice = "Compare it with the values in the data, or leave the part out.";
            self.add("rule-catches-nobody", Severity::Warning, stage, message, advice, &[]);
        }
    }

    /// Exits that took nobody out.
    pub(super) fn exits(&mut self, stage: usize) {
        let spec = self.spec;
        let n_before = spec.stages[..stage].iter().flat_map(|stage| &stage.exits);
        let mut bit = n_before.filter(|exit| matches!(exit.cause, Cause::On(_))).count();
        for exit in &spec.stages[stage].exits {
            let by_time = matches!(exit.cause, Cause::After(_));
            let held = by_time || self.claims.exits_held & (1 << bit) != 0;
            bit += usize::from(!by_time);
            let [from, to] = [stage, exit.to].map(|stage| u16::try_from(stage).expect("there are at most 32 stages"));
            if self.moves.contains_key(&(from, to, by_time)) || self.counts[stage].0 == 0 {
                continue;
            }
            let to = &spec.stages[exit.to].name;
            let why = match (held, by_time) {
                (false, _) => "its rule never holds",
                (true, true) => "nobody stays that long, or may not go there again",
                (true, false) => "its rule holds only for people who are elsewhere then, or may not go there again",
            };
            let message = format!("Its exit to `{to}` {} takes nobody out: {why}.", exit.cause);
            self.add("exit-unused", Severity::Warning, stage, message, "Change the exit, or drop it.", &[]);
        }
    }

    /// Moves out of the stage that two rules claim, unless one claims only what the other does: then the narrower one wins,
    /// as it should.
    pub(super) fn contested(&mut self, stage: usize) {
        let (claims, spec) = (self.claims, self.spec);
        for (contest, count, people) in claims.contested().filter(|(contest, ..)| usize::from(contest.from) == stage) {
            let [won, lost] = [contest.won, contest.lost].map(usize::from);
            let is_part = !contest.by_exit && claims.both(lost, won) == claims.claimed[won];
            if is_part {
                continue;
            }
            let (to, other) = (&spec.stages[won].name, &spec.stages[lost].name);
            let by = if contest.by_exit { "an exit of this stage" } else { "the rule of that stage" };
            let times = if count == 1 { "Once".to_owned() } else { format!("{} times", grouped(count)) };
            let message = format!(
                "{times} people went from here to `{to}`, by {by}, at an event that the rule of `{other}` claims as well."
            );
            let advice = if contest.by_exit {
                "The exit wins. If that is not what is meant, set its rule and that of the other stage apart."
            } else {
                "The stage declared later wins. If that is not what is meant, set the rules apart."
            };
            self.add("transition-claimed-twice", Severity::Warning, stage, message, advice, people);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::map::testing::{data, spec, stage, stage_from, start};
    use crate::spec::{Cause, Exit, Rule, Stage, Trigger};
    use crate::time::Duration;

    /// Code, stage and people of the findings that are warnings.
    fn found(rows: &[(&str, i64, &str)], stages: Vec<Stage>) -> Vec<(String, String, String)> {
        let mapped = crate::map::map(&data(rows, 100), &spec(stages)).unwrap();
        let warnings = mapped.lint.findings.into_iter().filter(|found| found.severity == super::Severity::Warning);
        warnings.map(|found| (found.code, found.stage, found.people.join(" "))).collect()
    }

    fn told(code: &str, stage: &str, people: &str) -> (String, String, String) {
        (code.to_owned(), stage.to_owned(), people.to_owned())
    }

    fn exit(cause: Cause, to: usize) -> Exit {
        Exit { cause, to }
    }

    const ROWS: [(&str, i64, &str); 5] =
        [("p", 0, "visit"), ("p", 1, "buy"), ("p", 2, "stop"), ("q", 0, "buy"), ("q", 5, "visit")];

    #[test]
    fn stages_out_of_reach_and_exits_that_take_nobody_out() {
        let all = Trigger::All { all: vec!["event = 'buy'".into(), "event = 'stop' AND nth > 5".into()], within: None };
        let stages = vec![
            start("visitor"),
            Stage {
                exits: vec![
                    exit(Cause::On("event = 'stop'".into()), 0),
                    exit(Cause::On("event = 'stop' AND nth > 1".into()), 0),
                    exit(Cause::On("event = 'visit' AND nth > 1".into()), 2),
                    exit(Cause::After(Duration::days(200)), 2),
                ],
                ..stage("customer", "event = 'buy'")
            },
            Stage { from: vec![1], ..Stage::new("both", Rule::Enter(all)) },
            stage_from("island", "event = 'stop'", &[3]),
        ];
        // The exit to `customer`'s own start is used by p; whoever could use the others is elsewhere, or there is nobody.
        let found = found(&ROWS, stages);
        assert_eq!(
            found,
            [
                told("exit-unused", "customer", ""),
                told("exit-unused", "customer", ""),
                told("rule-catches-nobody", "both", ""),
                told("rule-catches-nobody", "both", ""),
                told("stage-unreachable", "island", "p"),
            ]
        );
    }

    #[test]
    fn a_silence_that_nobody_can_fall_into_is_not_told_to_be_shortened() {
        let stages = vec![
            start("visitor"),
            stage("customer", "event = 'buy'"),
            stage("regular", "event = 'buy' AND nth > 9"),
            Stage { from: vec![2], ..Stage::new("gone", Rule::Silence(Duration::days(5))) },
            Stage { from: vec![1], ..Stage::new("lapsed", Rule::Silence(Duration::days(500))) },
        ];
        let mapped = crate::map::map(&data(&ROWS, 100), &spec(stages)).unwrap();
        let advice = |stage: &str| {
            let found = mapped.lint.findings.iter().find(|found| found.stage == stage).unwrap();
            (found.code.as_str(), found.advice.as_str())
        };
        assert_eq!(advice("gone"), ("stage-unreached", "Look at the rules of the stages in `from`."));
        assert!(advice("lapsed").1.starts_with("Shorten the silence"), "{:?}", advice("lapsed"));
    }

    #[test]
    fn a_move_that_an_exit_and_a_rule_claim_is_told_with_who_made_it() {
        let stages = vec![
            start("visitor"),
            Stage { exits: vec![exit(Cause::On("event = 'stop'".into()), 0)], ..stage("customer", "event = 'buy'") },
            stage("lost", "event = 'stop'"),
        ];
        let found = found(&ROWS, stages);
        assert!(found.contains(&told("transition-claimed-twice", "customer", "p")), "{found:?}");
        let narrower =
            vec![start("visitor"), stage("customer", "event = 'buy'"), stage("first", "event = 'buy' AND nth = 1")];
        let found = super::tests::found(&ROWS, narrower);
        assert!(!found.iter().any(|found| found.0 == "transition-claimed-twice"), "{found:?}");
        let crossing = vec![
            start("visitor"),
            stage("customer", "event IN ('buy', 'visit')"),
            stage("lost", "event IN ('stop', 'buy')"),
        ];
        let found = super::tests::found(&ROWS, crossing);
        assert!(found.contains(&told("transition-claimed-twice", "visitor", "q")), "{found:?}");
    }
}
