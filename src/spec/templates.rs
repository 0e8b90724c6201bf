//! The five lifecycles in common use, as stages with rules over conventional kinds of events.
//!
//! A template is a TOML file of stages. In its rules, `{purchase}` stands for "an event of the kind that is called
//! purchase here": `event = 'purchase'`, or `event = 'order'` with `events = { purchase = "order" }`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::written::{Stage, Trigger};

/// A lifecycle in common use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Template {
    /// From the first contact over the first purchase to people who bring others (events: purchase, referral).
    ReachAcquireDevelopRetainAdvocate,
    /// The buyer's journey (events: lead, purchase, referral).
    AwarenessConsiderationPurchaseRetentionAdvocacy,
    /// An account comes before the purchase (events: signup, purchase).
    ReachAcquireConvertRetainLoyal,
    /// Sales with leads (events: lead, purchase).
    ProspectLeadCustomerRetained,
    /// A service with a trial (events: trial, purchase); lapsed after 90 days without either.
    VisitorTrialActiveLapsed,
}

/// A stage of a template.
#[derive(Debug, Clone)]
pub(super) struct TemplateStage {
    /// The stage, its rule in SQL.
    pub(super) stage: Stage,
    /// The kind of event that enters it: its conventional name.
    pub(super) event: Option<String>,
}

#[derive(Deserialize)]
struct File {
    stages: Vec<Stage>,
}

impl Template {
    /// The stages, with the events called as `names` says.
    pub(super) fn stages(self, names: &BTreeMap<String, String>) -> Vec<TemplateStage> {
        let file: File = toml::from_str(self.text()).expect("the templates are tested");
        file.stages.into_iter().map(|stage| with_names(stage, names)).collect()
    }

    fn text(self) -> &'static str {
        match self {
            Self::ReachAcquireDevelopRetainAdvocate => {
                include_str!("templates/reach-acquire-develop-retain-advocate.toml")
            }
            Self::AwarenessConsiderationPurchaseRetentionAdvocacy => {
                include_str!("templates/awareness-consideration-purchase-retention-advocacy.toml")
            }
            Self::ReachAcquireConvertRetainLoyal => include_str!("templates/reach-acquire-convert-retain-loyal.toml"),
            Self::ProspectLeadCustomerRetained => include_str!("templates/prospect-lead-customer-retained.toml"),
            Self::VisitorTrialActiveLapsed => include_str!("templates/visitor-trial-active-lapsed.toml"),
        }
    }
}

/// Puts the event's name into the rule.
fn with_names(mut stage: Stage, names: &BTreeMap<String, String>) -> TemplateStage {
    let Some(Trigger::Event(rule)) = &mut stage.enter else { return TemplateStage { stage, event: None } };
    let slot = rule.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
    let Some(event) = slot.map(|(event, _)| event.to_owned()) else {
        return TemplateStage { stage, event: None };
    };
    let name = names.get(&event).unwrap_or(&event).replace('\'', "''");
    *rule = rule.replace(&format!("{{{event}}}"), &format!("event = '{name}'"));
    TemplateStage { stage, event: Some(event) }
}
