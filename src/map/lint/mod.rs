//! What looks wrong with a lifecycle, judged by the data: stages that nobody reaches or can leave, rules and exits that
//! catch nobody (here and in `moves`), rules that claim the same events and the same moves (`moves`), loops by silence
//! (`loops`), rules that the data cannot decide (`litmus`). Each finding names a few people, and says what to change.

mod litmus;
mod loops;
mod moves;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::claims::{Claims, EXAMPLES};
use super::history::Stays;
use super::machine::Machine;
use super::transitions::n_people;
use crate::rate::grouped;
use crate::source::{Data, UNDATED};
use crate::spec::{Rule, Shape, Spec};
use crate::time::Time;

/// `lint.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lint {
    /// Version of this format.
    pub format_version: u32,
    /// In the order of the stages.
    pub findings: Vec<Finding>,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Probably a mistake.
    Warning,
    /// Often as it should be; good to know.
    Info,
}

/// Something that a person should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was found: `stage-unreachable`, `stage-unreached`, `stage-empty`, `stage-final`, `rule-catches-nobody`,
    /// `exit-unused`, `rules-overlap`, `transition-claimed-twice`, `silence-circle`, `silence-loop`, `not-decidable`,
    /// `attribute-undated`, `kind-unknown`, `people-without-stage`, `people-undated`.
    pub code: String,
    /// How much it matters.
    pub severity: Severity,
    /// The stage it is about.
    pub stage: String,
    /// What was found, with counts.
    pub message: String,
    /// What to do about it.
    pub advice: String,
    /// Ids of a few people to look at.
    pub people: Vec<String>,
}

/// What lint looks at.
struct Linter<'a> {
    data: &'a Data,
    spec: &'a Spec,
    stays: &'a Stays,
    claims: &'a Claims,
    machine: Machine,
    /// For each stage, how many people ever stood in it and how many do now.
    counts: Vec<(usize, usize)>,
    /// Every move that was made, and whether its last trigger was time: from, to, by time; with how often.
    moves: BTreeMap<(u16, u16, bool), u64>,
    /// The stages that can be reached, as a mask.
    reachable: u32,
    findings: Vec<Finding>,
}

/// Looks over a history.
pub(crate) fn lint(data: &Data, spec: &Spec, stays: &Stays, claims: &Claims) -> Lint {
    let counts = counts(stays, spec.stages.len());
    let machine = Machine::new(data, spec);
    let (moves, reachable) = (moves::made(stays), moves::reachable(&machine));
    let mut linter = Linter { data, spec, stays, claims, machine, counts, moves, reachable, findings: Vec::new() };
    for stage in 0..spec.stages.len() {
        linter.known(stage);
        linter.decidable(stage);
        linter.reached(stage);
        linter.fulfilled(stage);
        linter.left(stage);
        linter.exits(stage);
        linter.apart(stage);
        linter.contested(stage);
        linter.silence_loop(stage);
        linter.circle(stage);
    }
    linter.without_stage();
    linter.undated();
    Lint { format_version: 1, findings: linter.findings }
}

impl Linter<'_> {
    fn add(&mut self, code: &str, level: Severity, stage: usize, message: String, advice: &str, who: &[u32]) {
        self.findings.push(Finding {
            code: code.to_owned(),
            severity: level,
            stage: self.spec.stages[stage].name.clone(),
            message,
            advice: advice.to_owned(),
            people: who.iter().map(|&person| self.data.people.ids[person as usize].clone()).collect(),
        });
    }

    fn known(&mut self, stage: usize) {
        let claims = self.claims;
        for (_, kind) in claims.unknown_kinds.iter().filter(|(of, _)| *of == stage) {
            let message = format!("Its rule lists the event '{kind}', and no event is of that kind.");
            self.add("kind-unknown", Severity::Warning, stage, message, "Check the spelling, or drop it.", &[]);
        }
    }

    fn reached(&mut self, stage: usize) {
        let (n_ever, n_now) = self.counts[stage];
        if n_ever == 0 {
            let (code, message, advice) = self.why_unreached(stage);
            let who = self.claims.people(stage, stage).to_vec();
            self.add(code, Severity::Warning, stage, message, advice, &who);
        } else if n_now == 0 {
            let message = format!("Nobody stands here at the end; {} once did.", grouped(n_ever as u64));
            let advice = "A prediction from this stage has nobody to score. If people should be here, look at what takes \
                          them away.";
            let who = self.who_stood(stage);
            self.add("stage-empty", Severity::Warning, stage, message, advice, &who);
        }
    }

    fn why_unreached(&self, stage: usize) -> (&'static str, String, &'static str) {
        let n_claimed = self.claims.claimed[stage];
        if self.spec.shape() == Shape::Events && self.reachable & (1 << stage) == 0 {
            let message = "Nobody can reach it: no stage that people can be in leads here.".to_owned();
            let advice = "Name in `from` a stage that people are in when its rule holds, or let an exit lead here.";
            return ("stage-unreachable", message, advice);
        }
        let from = &self.spec.stages[stage].from;
        match self.spec.stages[stage].rule {
            Rule::Start => {
                let message = "Nobody ever starts here: the first event already takes everyone elsewhere.".to_owned();
                ("stage-unreached", message, "Drop it.")
            }
            Rule::Exits => {
                let message = "Nobody ever reaches it: no exit ever led here.".to_owned();
                ("stage-unreached", message, "Look at the exits that lead here.")
            }
            Rule::Silence(_) if !from.is_empty() && from.iter().all(|&stage| self.counts[stage].0 == 0) => {
                let message = "Nobody ever reaches it: nobody is ever in a stage from which it is reached.".to_owned();
                ("stage-unreached", message, "Look at the rules of the stages in `from`.")
            }
            Rule::Silence(after) => {
                let message = format!("Nobody ever stayed silent for {after}.");
                ("stage-unreached", message, "Shorten the silence, or end the observation later.")
            }
            _ if n_claimed == 0 => {
                let message = "Nobody ever reaches it: its rule never holds.".to_owned();
                ("rule-catches-nobody", message, "Compare the rule with the values in the data.")
            }
            _ => {
                let message = format!("Nobody ever reaches it, though its rule holds {} times.", grouped(n_claimed));
                let advice = "A stage declared later takes these, or `from` names stages that people are not in then.";
                ("stage-unreached", message, advice)
            }
        }
    }

    fn left(&mut self, stage: usize) {
        let (n_ever, _) = self.counts[stage];
        let machine = &self.machine;
        let can_be_left = (machine.by_event(stage) | machine.by_time(stage)) & !(1 << stage) != 0;
        if self.spec.shape() == Shape::Events && n_ever > 0 && !can_be_left {
            let message = "Nobody can leave it: no stage can be entered from here.".to_owned();
            let advice =
                "Fine for a last stage. To see who drops out, add a stage with `silence` and this one in `from`.";
            self.add("stage-final", Severity::Info, stage, message, advice, &[]);
        }
    }

    /// Whether the stage's rule claims what a later one's claims as well, unless the later one is a part of it (`nth >= 2`
    /// of the same events): there the narrower rule wins, as it should.
    fn apart(&mut self, stage: usize) {
        for other in stage + 1..self.spec.stages.len() {
            let n_both = self.claims.both(stage, other);
            if n_both == 0 || n_both == self.claims.claimed[other] {
                continue;
            }
            let rows = if self.spec.shape() == Shape::Events { "events" } else { "people" };
            #[expect(clippy::cast_precision_loss, reason = "counts of events fit a double's 53 bits")]
            let share = 100.0 * n_both as f64 / self.claims.claimed[stage] as f64;
            let message = format!(
                "{} of its {} {rows} ({share:.1} %) are claimed by `{}` as well, which claims {}.",
                grouped(n_both),
                grouped(self.claims.claimed[stage]),
                self.spec.stages[other].name,
                grouped(self.claims.claimed[other]),
            );
            let advice = "The stage declared later wins. If that is not what is meant, set the rules apart.";
            let who = self.claims.people(stage, other).to_vec();
            self.add("rules-overlap", Severity::Info, stage, message, advice, &who);
        }
    }

    /// People who are nowhere: told of the first stage, which could take them in.
    fn without_stage(&mut self) {
        let nowhere = |&person: &usize| self.stays.of(person).is_empty();
        let people: Vec<u32> = (0..n_people(self.stays)).filter(nowhere).map(position).collect();
        if !people.is_empty() && !self.spec.stages.is_empty() {
            let n = grouped(people.len() as u64);
            let message = format!("{n} of {} people never enter any stage.", grouped(n_people(self.stays) as u64));
            let advice = "They are in no prediction. A stage without a rule, declared first, takes everybody in.";
            let who = &people[..people.len().min(EXAMPLES)];
            self.add("people-without-stage", Severity::Info, 0, message, advice, who);
        }
    }

    /// People who were left out because nothing says that they were known at the instant that one went back to.
    fn undated(&mut self) {
        let n_rows = self.data.rejected.iter().filter(|row| row.reason == UNDATED).count();
        let Some(as_of) = self.spec.as_of.filter(|_| n_rows > 0 && !self.spec.stages.is_empty()) else { return };
        let message = format!(
            "{} rows of people are left out: they have no event, and nothing says whether they were known on {as_of}.",
            grouped(n_rows as u64)
        );
        let advice = "Tell since when rows of people hold or were known: `valid_from` or `known_at`.";
        self.add("people-undated", Severity::Warning, 0, message, advice, &[]);
    }

    fn who_stood(&self, stage: usize) -> Vec<u32> {
        let stood = |&person: &usize| self.stays.of(person).any(|row| usize::from(self.stays.stage[row]) == stage);
        (0..n_people(self.stays)).filter(stood).take(EXAMPLES).map(position).collect()
    }
}

fn position(person: usize) -> u32 {
    u32::try_from(person).expect("people are counted in 32 bits")
}

/// For each stage, how many people ever stood in it and how many do now.
fn counts(stays: &Stays, n_stages: usize) -> Vec<(usize, usize)> {
    let mut counts = vec![(0, 0); n_stages];
    for person in 0..n_people(stays) {
        let mut ever = 0_u32;
        for row in stays.of(person) {
            let stage = usize::from(stays.stage[row]);
            ever |= 1 << stage;
            counts[stage].1 += usize::from(stays.left[row] == Time::NEVER.0);
        }
        counts.iter_mut().enumerate().for_each(|(stage, count)| count.0 += (ever >> stage & 1) as usize);
    }
    counts
}

#[cfg(test)]
mod tests {
    use crate::map::testing::{data, spec, stage};

    #[test]
    fn findings_name_the_stage_the_count_and_people_to_look_at() {
        let rows = [("a", 0, "visit"), ("a", 1, "purchase"), ("b", 2, "visit"), ("b", 2, "purchase")];
        let data = data(&rows, 100);
        let spec = spec(vec![
            stage("visitor", "event = 'visit'"),
            stage("customer", "event = 'purchase'"),
            stage("champion", "event = 'purchase' AND nth >= 9"),
        ]);
        let mapped = crate::map::map(&data, &spec).unwrap();
        let found: Vec<_> = mapped
            .lint
            .findings
            .iter()
            .map(|finding| (finding.code.as_str(), finding.stage.as_str(), finding.people.join(" ")))
            .collect();
        // At day 2 b's purchase comes before b's visit (kinds are in the order of the spec), so that b never visits.
        assert_eq!(
            found,
            [("stage-empty", "visitor", "a".to_owned()), ("rule-catches-nobody", "champion", String::new()),]
        );
    }
}
