//! Who is to be reached: `[[audiences]]`, `[[consent]]`, `[holdout]`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Share;
use crate::spec::{Destination, Method, SeedTime};

/// A list of people worth reaching.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::spec) struct Audience {
    /// The audience's name; a folder is named after it.
    pub(in crate::spec) name: String,
    /// The prediction that ranks it (default: the only one, unless a `seed` does).
    pub(in crate::spec) prediction: Option<String>,
    /// The uplift that ranks it, in place of a prediction: those whom its treatment changes most come first.
    pub(in crate::spec) uplift: Option<String>,
    /// The people whose likes are sought: SQL over `stage` and the attributes, the name of a stage, the path of a file of ids
    /// or contact data, or a table that says which of these it is.
    pub(in crate::spec) seed: Option<SeedUse>,
    /// Who is considered: SQL over `stage` and the attributes (default: everyone scored; with a `seed`, everyone outside it), or
    /// a table that names another source of people.
    pub(in crate::spec) candidates: Option<CandidatesUse>,
    /// How those who are like the seed are found (default: auto).
    pub(in crate::spec) method: Option<Method>,
    /// Features that likeness does not look at; `*` stands for anything: `["attr.survey_*"]`.
    #[serde(default)]
    pub(in crate::spec) exclude: Vec<String>,
    /// Features whose values set the seed apart, where nobody in it has some that many candidates have: by default such an
    /// attribute is taken for how the seed was gathered. `*` stands for anything: `["attr.landline"]`.
    #[serde(default)]
    pub(in crate::spec) trust: Vec<String>,
    /// How many people: a count, a share such as "10%", nested shares such as `{ tiers = ["1%", "5%"] }`, "max-profit" (with
    /// `cost` and `value`), or "similarity >= 0.6".
    pub(in crate::spec) size: Size,
    /// The share of the list that may change when it is made again: "20%". The size then holds, and `changes.parquet` says who
    /// came and who went, and why.
    pub(in crate::spec) max_turnover: Option<Share>,
    /// What reaching one person costs.
    pub(in crate::spec) cost: Option<f64>,
    /// What one transition is worth.
    pub(in crate::spec) value: Option<f64>,
    /// The share kept out at random, so that lift can be measured: "10%" or 0.1 (default: none).
    pub(in crate::spec) holdout: Option<Share>,
    /// Hold out exactly that share of each tenth of the list ("propensity") or of each value of an attribute (its name).
    pub(in crate::spec) stratify: Option<String>,
    /// The rate that is expected without contact, where no prediction tells it, as with a seed: "2%".
    pub(in crate::spec) expected_rate: Option<Share>,
    /// The lift that is hoped for, relative to the rate without contact: "20%". Told is whether the holdout can show it.
    pub(in crate::spec) expected_lift: Option<Share>,
    /// Files of people who must not be contacted.
    #[serde(default)]
    pub(in crate::spec) suppress: Vec<String>,
    /// SQL over the attributes: who has agreed to be contacted.
    pub(in crate::spec) consent: Option<String>,
    /// The purposes that people are contacted for: all [[consent]] rules of these hold.
    #[serde(default)]
    pub(in crate::spec) purposes: Vec<String>,
    /// Attributes that people of one household have in common, such as `["household_id"]` or `["last_name", "street", "zip"]`: only
    /// the best ranked of them is contacted; with `max_turnover`, whoever was on the list before.
    #[serde(default)]
    pub(in crate::spec) household: Vec<String>,
    /// Who was contacted so often is left alone: `{ event = "email_sent", times = 4, within = "30d" }`.
    pub(in crate::spec) cap: Option<Cap>,
    /// What people are left alone after, and for how long: `[{ after = "purchase", for = "14d" }]`.
    #[serde(default)]
    pub(in crate::spec) cool_down: Vec<CoolDown>,
    /// Audiences whose people are left out of this one, each declared before it.
    #[serde(default)]
    pub(in crate::spec) not_in: Vec<String>,
    /// Where the list goes (default: csv).
    pub(in crate::spec) export: Option<Vec<Destination>>,
    /// Salesforce: the id of the campaign that its people become members of.
    pub(in crate::spec) campaign: Option<String>,
    /// Salesforce: what a member of the campaign is at first (default: Sent).
    pub(in crate::spec) campaign_status: Option<String>,
    /// Google: whether the dots of gmail addresses stay before they are hashed, as an older copy of its rules has it (default: false).
    #[serde(default)]
    pub(in crate::spec) keep_gmail_dots: bool,
}

/// What people must have agreed to for a purpose.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::spec) struct Consent {
    /// What they are contacted for, or through: "email", "ads".
    pub(in crate::spec) purpose: String,
    /// SQL over the attributes: whom the rule is about, and whom it cannot tell (default: everyone).
    pub(in crate::spec) region: Option<String>,
    /// SQL over the attributes: what must hold, such as `email_opt_in = true`.
    pub(in crate::spec) needs: String,
}

/// So many events of a kind in a span before the end are enough.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::spec) struct Cap {
    /// The kind of event that contacting a person leaves.
    pub(in crate::spec) event: String,
    /// Who has so many of them is left alone.
    #[schemars(range(min = 1))]
    pub(in crate::spec) times: u32,
    /// How long before the end they count: "30d".
    pub(in crate::spec) within: String,
}

/// People are left alone for so long after an event.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::spec) struct CoolDown {
    /// The kind of event: "purchase", "complaint".
    pub(in crate::spec) after: String,
    /// For how long: "14d".
    #[serde(rename = "for")]
    pub(in crate::spec) span: String,
}

/// What the holdouts of all audiences have in common.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::spec) struct Holdout {
    /// The share of everybody who is kept out of every audience: "5%" or 0.05 (default: none).
    pub(in crate::spec) universal: Option<Share>,
    /// A word that people are drawn by, in place of the seed: keep it, and the seed may change while campaigns run.
    pub(in crate::spec) salt: Option<String>,
}

/// Whose likes are sought.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::spec) enum SeedUse {
    /// SQL over `stage` and the attributes, the name of a stage, or the path of a file.
    Text(String),
    /// One of these, by name, and what goes with it.
    Form(SeedForm),
}

/// Whose likes are sought, and what goes with it: one of `stage`, `where` and `file`, or `table` with or without `where`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::spec) struct SeedForm {
    /// The stage whose people they are.
    pub(in crate::spec) stage: Option<String>,
    /// SQL over `stage` and the attributes for which they are told.
    #[serde(rename = "where")]
    pub(in crate::spec) rule: Option<String>,
    /// A file of their ids or contact data.
    pub(in crate::spec) file: Option<String>,
    /// The `[people.NAME]` they come from, by its name or by that of its table.
    pub(in crate::spec) table: Option<String>,
    /// An attribute that says how much each of them counts, such as what they are worth.
    pub(in crate::spec) weight: Option<String>,
    /// Over events: as of when their features are taken (default: as of the day on which they entered the stage, where a stage is the seed).
    pub(in crate::spec) as_of: Option<SeedTime>,
}

/// Who is considered.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::spec) enum CandidatesUse {
    /// SQL over `stage` and the attributes.
    Text(String),
    /// A source of people, and SQL over it.
    Form(CandidatesForm),
}

/// A source of people, and SQL over it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::spec) struct CandidatesForm {
    /// The `[people.NAME]` they come from, by its name or by that of its table.
    pub(in crate::spec) table: Option<String>,
    /// SQL over `stage` and the attributes.
    #[serde(rename = "where")]
    pub(in crate::spec) rule: Option<String>,
    /// The columns that seed and candidates share and that likeness may look at (default: all that both have).
    pub(in crate::spec) shared: Option<Vec<String>>,
}

/// How many: a count, a share such as "10%", nested shares, "max-profit", or "similarity >= 0.6".
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::spec) enum Size {
    /// Nested shares.
    Tiers(Tiers),
    /// So many.
    Count(#[schemars(range(min = 1))] u64),
    /// "10%", "500", "max-profit" or "similarity >= 0.6".
    Text(String),
}

/// Nested shares: the best 1 % are also among the best 5 %.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::spec) struct Tiers {
    /// Shares, ascending: `["1%", "5%", "10%"]`. The last is the size of the list.
    pub(in crate::spec) tiers: Vec<String>,
}
