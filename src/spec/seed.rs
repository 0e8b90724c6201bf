//! Seeds: the people whose likes an audience seeks, those among whom they are sought, and how.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The people whose likes are sought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    /// The source of people they come from, by its name; `None`: any.
    pub source: Option<String>,
    /// How they are told.
    pub told: Told,
    /// An attribute that says how much each counts; `None`: all the same.
    pub weight: Option<String>,
    /// As of when their features are taken; always the end in a snapshot.
    pub as_of: SeedTime,
}

/// How the members of a seed are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// By where they come from.
    Source,
    /// They have reached the stage at this position.
    Stage(usize),
    /// A SQL condition over `stage` and the attributes holds.
    Rule(String),
    /// A file names them, by id or by contact data.
    File(String),
}

/// As of when the features of a seed's members are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SeedTime {
    /// As of the day on which each entered the stage: what came of it is not known yet.
    Entry,
    /// As of the end of observation, as the candidates' are.
    End,
}

/// Who is considered for an audience.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Candidates {
    /// The source of people they come from, by its name; `None`: any.
    pub source: Option<String>,
    /// A SQL condition over `stage` and the attributes that holds for them; `None`: no more is asked.
    pub rule: Option<String>,
    /// The columns that likeness may look at; `None`: all that seed and candidates have.
    pub shared: Option<Vec<String>>,
}

/// How those who are like a seed are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Whichever finds hidden members of the seed best.
    #[default]
    Auto,
    /// By the prediction's model: no likeness, the transition itself.
    Propensity,
    /// Positive-unlabelled learning: models of seed against resampled candidates.
    Lookalike,
    /// Nearness to the seed in the space that boosted trees learn.
    Similarity,
    /// The mean of the others.
    Blend,
}

impl Method {
    /// The word in `clo.toml`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Propensity => "propensity",
            Self::Lookalike => "lookalike",
            Self::Similarity => "similarity",
            Self::Blend => "blend",
        }
    }
}
