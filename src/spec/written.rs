//! `clo.toml` as it is written: what serde reads and the JSON Schema describes.
//!
//! The doc comments here are the descriptions that an editor shows: they speak to the person who writes the file.

mod audiences;
mod lifecycle;
mod predictions;
mod sources;

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use schemars::{JsonSchema, Schema};
use serde::Deserialize;
use serde_json::Value;

pub(super) use self::audiences::{
    Audience, CandidatesUse, Cap, Consent, CoolDown, Holdout, SeedForm, SeedUse, Size, Tiers,
};
pub(super) use self::lifecycle::{
    Exit, Exits, Joint, Lifecycle, Orders, Score, Stage, Target, TemplateFitted, TemplateUse, Trigger,
};
pub(super) use self::predictions::{Actionable, AttainedWeight, Change, Cutoffs, Model, Prediction, Search, Uplift};
pub(super) use self::sources::{Events, File, Identity, Link, Match, People, Spend, Table, Time, Unit};
use super::FailOn;

/// A clo project: where the data is, which stages people pass, what to predict and whom to reach.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "clo.toml")]
pub(super) struct Written {
    /// The project's name and its seed.
    pub(super) project: Project,
    /// The raw files, each under a name: `orders = "data/orders.csv"`.
    pub(super) tables: BTreeMap<String, Table>,
    /// Where people and their attributes come from: one row per person.
    #[serde(default)]
    pub(super) people: BTreeMap<String, People>,
    /// What people did or received: one row per event. Leave out for a snapshot, a table of people without times.
    #[serde(default)]
    pub(super) events: BTreeMap<String, Events>,
    /// Which ids are the same person.
    #[serde(default)]
    pub(super) identity: Identity,
    /// The stages that people pass, as [[lifecycle.stages]] or from a `template`. Leave out where audiences are looked for by
    /// their likeness to a seed alone, and for [[uplifts]].
    pub(super) lifecycle: Option<Lifecycle>,
    /// How the data is looked at.
    #[serde(default)]
    pub(super) discover: Discover,
    /// What is to be predicted.
    #[serde(default)]
    pub(super) predictions: Vec<Prediction>,
    /// What people must have agreed to, by purpose and region; an audience says which purposes are its own.
    #[serde(default)]
    pub(super) consent: Vec<Consent>,
    /// Who is to be reached.
    #[serde(default)]
    pub(super) audiences: Vec<Audience>,
    /// What was spent to win people: acquisition cost and customer value come from it.
    pub(super) spend: Option<Spend>,
    /// What the holdouts of all audiences have in common.
    #[serde(default)]
    pub(super) holdout: Holdout,
    /// Whom a treatment changes, learned from a test in which it was given at random.
    #[serde(default)]
    pub(super) uplifts: Vec<Uplift>,
    /// Whether groups of people fare alike.
    #[serde(default)]
    pub(super) fairness: Fairness,
}

/// Whether groups of people fare alike: told per group, for every prediction and every audience with a seed.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Fairness {
    /// Attributes that make the groups, columns of the people table: `["sex", "age"]`. Numbers are cut into bands.
    #[serde(default)]
    pub(super) protected: Vec<String>,
    /// Whether models may learn from these attributes themselves (default true); others that tell them are named as proxies.
    pub(super) learn_from: Option<bool>,
}

/// The project.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Project {
    /// The project's name, for the report.
    pub(super) name: String,
    /// Every random choice derives from it (default 0).
    pub(super) seed: Option<u64>,
}

/// How the data is looked at.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Discover {
    /// A run ends with exit code 5, before anything is built on the data, when a data issue is as grave as this.
    pub(super) fail_on: Option<FailOn>,
    /// Where telephone numbers and postcodes are from when no country stands beside them: "DE", "Brazil".
    pub(super) country: Option<String>,
}

/// A share: "10%" or 0.1.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Share {
    /// 0 to 1.
    Number(f64),
    /// "10%".
    Text(String),
}

/// The JSON Schema of the written form.
pub(super) fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().with_transform(without_null);
    settings.into_generator().into_root_schema_for::<Written>().to_value()
}

/// TOML has no null: what is optional is left out. `anyOf` of one is that one.
fn without_null(schema: &mut Schema) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if schema.get("default") == Some(&Value::Null) {
        schema.remove("default");
    }
    if let Some(Value::Array(forms)) = schema.get_mut("anyOf") {
        forms.retain(|form| form["type"] != "null");
        if let [Value::Object(only)] = forms.as_slice() {
            let only = only.clone();
            schema.remove("anyOf");
            for (key, value) in only {
                if schema.get(&key).is_none() {
                    schema.insert(key, value);
                }
            }
        }
    }
    transform_subschemas(&mut without_null, schema);
}
