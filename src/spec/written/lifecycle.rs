//! The stages that people pass, and what the map measures of them: `[lifecycle]`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Share;
use crate::spec::KpiName;
use crate::spec::templates::Template;

/// The stages that people pass.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::spec) struct Lifecycle {
    /// A lifecycle in common use: its name, or a table that fits it to the data.
    pub(in crate::spec) template: Option<TemplateUse>,
    /// The end of observation (default: the last event).
    pub(in crate::spec) end: Option<String>,
    /// The stages, in their order; beside a template they replace its stages of the same name or follow them.
    #[serde(default)]
    pub(in crate::spec) stages: Vec<Stage>,
    /// Attributes or event properties to tell people apart by in the map: `["channel", "state"]`. Of a property the
    /// person's first value counts.
    #[serde(default)]
    pub(in crate::spec) by: Vec<String>,
    /// The windows of funnels, after entry (default: 7d, 30d, 90d).
    pub(in crate::spec) windows: Option<Vec<String>>,
    /// What an order is and what it is worth (default: guessed by name).
    pub(in crate::spec) orders: Option<Orders>,
    /// How people score what they got: for the response score (NPS).
    pub(in crate::spec) score: Option<Score>,
    /// What the KPIs of stages should come to.
    #[serde(default)]
    pub(in crate::spec) targets: Vec<Target>,
}

/// What an order is and what it is worth.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::spec) struct Orders {
    /// The kinds of events that are orders (default: those that carry the amount, by name if some are called so).
    pub(in crate::spec) events: Option<Vec<String>>,
    /// The kinds of events whose amount is paid back.
    #[serde(default)]
    pub(in crate::spec) refunds: Vec<String>,
    /// The property that holds an order's amount (default: revenue, amount, value, total, price …).
    pub(in crate::spec) amount: Option<String>,
    /// The share of the amount that is profit, "40%" or 0.4: for customer value.
    pub(in crate::spec) margin: Option<Share>,
}

/// How people score what they got.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::spec) struct Score {
    /// The property that holds the score.
    pub(in crate::spec) property: String,
    /// The kind of event that carries it (default: any).
    pub(in crate::spec) event: Option<String>,
    /// Scores from here on are promoters' (9 of 10; 5 of 5).
    pub(in crate::spec) promoters: f64,
    /// Scores up to here are detractors' (6 of 10; 3 of 5).
    pub(in crate::spec) detractors: f64,
}

/// What a KPI of a stage should come to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::spec) struct Target {
    /// The stage.
    pub(in crate::spec) stage: String,
    /// The KPI.
    pub(in crate::spec) kpi: KpiName,
    /// The KPI should not be below.
    pub(in crate::spec) at_least: Option<f64>,
    /// The KPI should not be above.
    pub(in crate::spec) at_most: Option<f64>,
}

/// A lifecycle in common use: its name, or a table that fits it to the data.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::spec) enum TemplateUse {
    /// The template's name.
    Name(Template),
    /// The template, fitted to the data.
    Fitted(TemplateFitted),
}

/// A template, fitted to the data.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::spec) struct TemplateFitted {
    /// The template's name.
    pub(in crate::spec) name: Template,
    /// What the events that the template speaks of are called here: `{ purchase = "order" }`.
    #[serde(default)]
    pub(in crate::spec) events: BTreeMap<String, String>,
    /// Stages of the template to leave out.
    #[serde(default)]
    pub(in crate::spec) without: Vec<String>,
}

/// A stage. Without `enter`, `when` or `silence` it is where everybody starts.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::spec) struct Stage {
    /// The stage's name.
    pub(in crate::spec) name: String,
    /// An event for which this SQL holds brings people here (it sees `event`, `nth`, properties and attributes); or a table
    /// of several events together.
    pub(in crate::spec) enter: Option<Trigger>,
    /// Snapshots: SQL over the attributes; people for whom it holds are here.
    pub(in crate::spec) when: Option<String>,
    /// The stages people can come from (default: any earlier one).
    pub(in crate::spec) from: Option<Vec<String>>,
    /// Nothing that enters a `from` stage for this long brings people here: "180d".
    pub(in crate::spec) silence: Option<String>,
    /// What takes people out of it and where to, beside the rules of other stages: one, or a list.
    pub(in crate::spec) exit: Option<Exits>,
    /// Whether people who left it may come back: "always" (default), "never", or how long after they left: "90d".
    pub(in crate::spec) re_entry: Option<String>,
}

/// Events: SQL that holds for one, or a table of several together.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::spec) enum Trigger {
    /// SQL that holds for the event; it sees `event`, `nth`, properties and attributes.
    Event(String),
    /// Several events together.
    Joint(Joint),
}

/// Several events together: exactly one of `all`, `any`, `sequence` and `event` with `times`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::spec) struct Joint {
    /// All of these, in any order: `{ all = ["event = 'signup'", "event = 'purchase'"], within = "30d" }`.
    #[schemars(length(min = 2))]
    pub(in crate::spec) all: Option<Vec<Trigger>>,
    /// Any of these.
    #[schemars(length(min = 2))]
    pub(in crate::spec) any: Option<Vec<Trigger>>,
    /// These, one after the other.
    #[schemars(length(min = 2))]
    pub(in crate::spec) sequence: Option<Vec<Trigger>>,
    /// SQL that holds for an event which must happen several times: `{ event = "event = 'visit'", times = 3, within = "7d" }`.
    pub(in crate::spec) event: Option<String>,
    /// How many times.
    #[schemars(range(min = 2))]
    pub(in crate::spec) times: Option<u64>,
    /// The time from the first of the events to the last, at most (default: any).
    pub(in crate::spec) within: Option<String>,
}

/// What takes people out of a stage: one, or a list.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::spec) enum Exits {
    /// One: `{ on = "event = 'cancel'", to = "visitor" }`.
    One(Exit),
    /// Several; of those that hold at once the first counts.
    Several(Vec<Exit>),
}

/// What takes people out of a stage, and where to: `on` or `after`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::spec) struct Exit {
    /// SQL that holds for an event, or a table of several events together.
    pub(in crate::spec) on: Option<Trigger>,
    /// How long after they entered: "14d".
    pub(in crate::spec) after: Option<String>,
    /// The stage that they go to.
    pub(in crate::spec) to: String,
}
