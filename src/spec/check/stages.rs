//! `[lifecycle]`: a template's stages and the file's own, their rules and where they can be entered from.

use std::collections::BTreeMap;

use super::super::written;
use super::super::{EventSource, Rule, Shape, Stage};
use super::{Check, Sql};
use crate::error::Error;

/// Where a template's stages are said.
const TEMPLATE: &str = "lifecycle.template";

/// A stage before its rule is checked.
pub(super) struct Draft {
    pub(super) stage: written::Stage,
    /// The path where it is said.
    pub(super) at: String,
    /// The conventional kind of event that enters a template's stage.
    pub(super) event: Option<String>,
}

impl Draft {
    fn is_from_template(&self) -> bool {
        self.at == TEMPLATE
    }

    fn has_no_rule(&self) -> bool {
        self.stage.enter.is_none() && self.stage.when.is_none() && self.stage.silence.is_none()
    }

    pub(super) fn at(&self, key: &str) -> String {
        if self.is_from_template() { self.at.clone() } else { format!("{}.{key}", self.at) }
    }
}

impl Check<'_, '_> {
    /// The stages, and the path where each is said.
    pub(super) fn stages(
        &mut self,
        lifecycle: written::Lifecycle,
        events: &[EventSource],
    ) -> (Vec<Stage>, Vec<String>) {
        let drafts = self.drafts(lifecycle);
        let kinds = self.kinds(events);
        let names: Vec<&str> = drafts.iter().map(|draft| draft.stage.name.as_str()).collect();
        let mut stages = Vec::new();
        for draft in &drafts {
            let rule = self.stage_rule(draft, kinds.as_deref());
            let from = self.stage_from(draft, &rule, &names);
            let exits = self.exits(draft, kinds.as_deref(), &names);
            let re_entry = self.re_entry(draft);
            stages.push(Stage { from, exits, re_entry, ..Stage::new(draft.stage.name.clone(), rule) });
        }
        for position in 0..stages.len() {
            let leads_here = stages.iter().any(|stage| stage.exits.iter().any(|exit| exit.to == position));
            if drafts[position].has_no_rule() {
                stages[position].rule = Rule::unsaid(position, leads_here);
            }
        }
        self.one_start(&drafts, &stages);
        self.circles_of_time(&drafts, &stages);
        (stages, drafts.into_iter().map(|draft| draft.at).collect())
    }

    /// The lifecycle as it is written. Only uplifts and audiences that are ranked by likeness to a seed can do without stages.
    pub(super) fn lifecycle(
        &mut self,
        written: Option<written::Lifecycle>,
        predictions: &[written::Prediction],
        audiences: &[written::Audience],
        has_uplifts: bool,
    ) -> written::Lifecycle {
        let nothing_else = audiences.is_empty() && !has_uplifts;
        let needs_stages = !predictions.is_empty()
            || nothing_else
            || audiences.iter().any(|audience| audience.seed.is_none() && audience.uplift.is_none());
        let is_said = written.is_some();
        let lifecycle = written.unwrap_or_default();
        let none = lifecycle.template.is_none() && lifecycle.stages.is_empty();
        if none && needs_stages && !self.faults.has_blanks_in("lifecycle") {
            let message = if is_said { "[lifecycle] has no stages" } else { "the spec has no section [lifecycle]" };
            self.fault(
                "lifecycle",
                message,
                "add [[lifecycle.stages]] with names and rules, or template = \"prospect-lead-customer-retained\"",
            );
        }
        lifecycle
    }

    /// A template's stages, replaced and followed by the file's own.
    fn drafts(&mut self, lifecycle: written::Lifecycle) -> Vec<Draft> {
        let mut drafts = lifecycle.template.map_or_else(Vec::new, |template| self.template(template));
        let n_template = drafts.len();
        for (position, stage) in lifecycle.stages.into_iter().enumerate() {
            let at = format!("lifecycle.stages[{position}]");
            self.name(&format!("{at}.name"), stage.name.clone());
            let own = drafts[n_template..].iter().map(|draft: &Draft| draft.stage.name.as_str());
            self.once(&format!("{at}.name"), "stage", &stage.name, own);
            let replaced = drafts[..n_template].iter().position(|draft| draft.stage.name == stage.name);
            let draft = Draft { stage, at, event: None };
            match replaced {
                Some(replaced) => drafts[replaced] = draft,
                None => drafts.push(draft),
            }
        }
        drafts
    }

    fn template(&mut self, template: written::TemplateUse) -> Vec<Draft> {
        let fitted = match template {
            written::TemplateUse::Fitted(fitted) => fitted,
            written::TemplateUse::Name(name) => {
                written::TemplateFitted { name, events: BTreeMap::new(), without: Vec::new() }
            }
        };
        if self.shape == Shape::Snapshot {
            let error = Error::spec("the stages of a template are entered by events, and this spec has no [events.*]")
                .hint("write [[lifecycle.stages]] with `when` rules over the attributes");
            self.faults.add_and_blank(TEMPLATE, error);
            return Vec::new();
        }
        let stages = fitted.name.stages(&fitted.events);
        let names: Vec<&str> = stages.iter().map(|stage| stage.stage.name.as_str()).collect();
        for (position, name) in fitted.without.iter().enumerate().filter(|(_, name)| !names.contains(&name.as_str())) {
            let message = format!("the template has no stage `{name}`");
            self.unknown(&format!("{TEMPLATE}.without[{position}]"), message, name, "stages", &names);
        }
        let mut kinds: Vec<&str> = stages.iter().filter_map(|stage| stage.event.as_deref()).collect();
        kinds.dedup();
        for name in fitted.events.keys().filter(|name| !kinds.contains(&name.as_str())) {
            let message = format!("the template does not speak of an event `{name}`");
            self.unknown(&format!("{TEMPLATE}.events.{name}"), message, name, "events it speaks of", &kinds);
        }
        let kept = stages.iter().filter(|stage| !fitted.without.contains(&stage.stage.name));
        kept.cloned()
            .map(|mut kept| {
                if let Some(from) = &mut kept.stage.from {
                    from.retain(|name| !fitted.without.contains(name));
                }
                Draft { stage: kept.stage, at: TEMPLATE.to_owned(), event: kept.event }
            })
            .collect()
    }

    /// The kinds of events, when the spec tells them all: no table names its kinds by a column.
    pub(super) fn kinds(&self, events: &[EventSource]) -> Option<Vec<String>> {
        let told = events.iter().all(|source| source.event.is_none()) && !self.faults.has_blanks_in("events");
        told.then(|| events.iter().map(|source| source.name.clone()).collect())
    }

    fn stage_rule(&mut self, draft: &Draft, kinds: Option<&[String]>) -> Rule {
        let stage = &draft.stage;
        let is_given =
            [("enter", stage.enter.is_some()), ("when", stage.when.is_some()), ("silence", stage.silence.is_some())];
        let given: Vec<&str> = is_given.into_iter().filter_map(|(key, given)| given.then_some(key)).collect();
        if let [key, second, ..] = given[..] {
            self.fault(
                &draft.at(second),
                format!("stage `{}` has both `{key}` and `{second}`", stage.name),
                "one rule brings people into a stage: keep one, or make two stages",
            );
        }
        match (&stage.enter, &stage.when, &stage.silence) {
            (Some(trigger), ..) => self.enter(draft, trigger, kinds),
            (None, Some(rule), _) => {
                self.when(draft, rule);
                Rule::When(rule.clone())
            }
            (None, None, Some(silence)) => self.silence(draft, silence),
            (None, None, None) => Rule::Start,
        }
    }

    fn when(&mut self, draft: &Draft, text: &str) {
        let at = draft.at("when");
        if self.shape == Shape::Events {
            return self.fault(
                &at,
                format!("stage `{}` has `when`, which is for snapshots; this spec has [events.*]", draft.stage.name),
                "write enter = \"…\": the event that brings people here, with what must hold for it",
            );
        }
        self.rule(Sql { at: &at, text });
    }

    fn silence(&mut self, draft: &Draft, text: &str) -> Rule {
        let (at, name) = (draft.at("silence"), &draft.stage.name);
        if self.shape == Shape::Snapshot {
            self.fault(
                &at,
                format!("stage `{name}` is entered by silence, and a snapshot knows no times"),
                "write when = \"…\" over the attributes",
            );
        }
        if draft.stage.from.as_ref().is_none_or(Vec::is_empty) {
            self.fault(
                &at,
                format!("stage `{name}` is entered by silence, and does not say from where"),
                "add from = [\"…\"]: the stages that people fall silent in",
            );
        }
        self.faults.take(&at, "silence", text.parse()).map_or(Rule::Start, Rule::Silence)
    }

    fn stage_from(&mut self, draft: &Draft, rule: &Rule, names: &[&str]) -> Vec<usize> {
        let Some(from) = &draft.stage.from else { return Vec::new() };
        let (at, name) = (draft.at("from"), &draft.stage.name);
        if draft.has_no_rule() || matches!(rule, Rule::When(_)) {
            let (what, hint) = match rule {
                Rule::When(_) => ("qualifies by attributes", "a snapshot knows no moves: leave `from` out"),
                _ => (
                    "has no rule, so it is where everybody starts",
                    "add a rule (`enter` or `silence`), or leave `from` out",
                ),
            };
            self.fault(&at, format!("stage `{name}` has `from`, but {what}"), hint);
        }
        if from.contains(name) {
            self.fault(&at, format!("stage `{name}` cannot be entered from itself"), "take it out of `from`");
        }
        self.positions(&at, &format!("stage `{name}`"), from, names)
    }

    /// The positions of stages; `whose` names them in messages.
    pub(super) fn positions(&mut self, at: &str, whose: &str, wanted: &[String], names: &[&str]) -> Vec<usize> {
        let mut positions = Vec::new();
        for name in wanted {
            match names.iter().position(|known| known == name) {
                Some(position) if !positions.contains(&position) => positions.push(position),
                Some(_) => self.fault(at, format!("{whose} names `{name}` twice"), "once is enough"),
                None if self.faults.has_blanks_in("lifecycle") => {}
                None => {
                    let mut names = names.to_vec();
                    names.dedup();
                    self.unknown(at, format!("{whose}: there is no stage `{name}`"), name, "stages", &names);
                }
            }
        }
        positions
    }

    fn one_start(&mut self, drafts: &[Draft], stages: &[Stage]) {
        let starts = |(draft, stage): &(&Draft, &Stage)| draft.has_no_rule() && stage.rule == Rule::Start;
        let mut starts = drafts.iter().zip(stages).filter(starts);
        let Some((_, first)) = starts.next() else { return };
        for (draft, second) in starts {
            if self.faults.has_blanks_in(&draft.at) {
                continue;
            }
            let (first, second) = (&first.name, &second.name);
            self.fault(
                &draft.at,
                format!("stages `{first}` and `{second}` both have no rule, and everybody can start in one only"),
                format!("say what brings people into `{second}`: enter (snapshots: when) or silence"),
            );
        }
    }
}
