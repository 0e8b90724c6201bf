//! What became of an audience, in numbers: the contract of `summary.json`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::power::Power;
use crate::error::Result;
use crate::store;

/// The version of `summary.json`.
pub(super) const FORMAT_VERSION: u32 = 1;

/// An audience in numbers. Every candidate is chosen or counted once in `dropped`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Version of this format.
    pub format_version: u32,
    /// The audience's name.
    pub audience: String,
    /// The prediction that ranks it; none where likeness to a seed or an uplift does alone.
    pub prediction: Option<String>,
    /// The uplift that ranks it.
    #[serde(default)]
    pub uplift: Option<String>,
    /// The stages people are taken from.
    pub from: Vec<String>,
    /// The stages that count as attained.
    pub to: Vec<String>,
    /// The span in which the transition counts; absent in a snapshot.
    pub horizon: Option<String>,
    /// People who were scored and match the rule for candidates.
    pub n_candidates: u64,
    /// Candidates who were not chosen, by the first reason that held: `suppressed`, `no consent`, `duplicate contact`,
    /// `same contact as the seed`, `not similar enough`, `below size`.
    pub dropped: BTreeMap<String, u64>,
    /// Candidates left after suppression, consent and deduplication.
    pub n_contactable: u64,
    /// The best-ranked of them, as many as the size says: target and holdout.
    pub n_chosen: u64,
    /// Chosen people to be reached.
    pub n_target: u64,
    /// Chosen people kept out at random.
    pub n_holdout: u64,
    /// Those of them who are kept out of every audience.
    #[serde(default)]
    pub n_universal: u64,
    /// The share of people who are kept out, 0–1: what the spec asks for, of which `n_holdout` is a draw.
    #[serde(default)]
    pub holdout_share: f64,
    /// What a holdout of this size can show; absent without one.
    #[serde(default)]
    pub power: Option<Power>,
    /// The end of observation when the list was made; absent in a snapshot.
    #[serde(default)]
    pub as_of: Option<String>,
    /// How many of the chosen are expected to make the transition: the sum of their propensities, where a prediction gives them.
    pub expected_conversions: Option<f64>,
    /// Lower end of its 95 % interval (normal approximation of the Poisson binomial; it holds as far as the propensities do).
    pub expected_low: Option<f64>,
    /// Upper end of the interval.
    pub expected_high: Option<f64>,
    /// Mean propensity of all who could be contacted: what a random choice would give.
    pub base_rate_expected: Option<f64>,
    /// What other sizes would give, smallest first, at most 100.
    pub curve: Vec<Point>,
    /// The seed, where candidates are ranked by their likeness to one.
    #[serde(default)]
    pub seed: Option<SeedUsed>,
    /// The suppression lists that were read.
    pub suppression: Vec<ListUsed>,
    /// What a reader should know before using the list.
    pub warnings: Vec<String>,
    /// The files written, by destination.
    pub exports: Vec<Exported>,
}

/// The best-ranked `n_people`, and what is expected of them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// How many people.
    pub n_people: u64,
    /// Their share of all who could be contacted, 0–1.
    pub share: f64,
    /// The lowest score among them.
    #[serde(default)]
    pub score: f64,
    /// Sum of their propensities, where a prediction gives them.
    pub expected_conversions: Option<f64>,
    /// Lower end of its 95 % interval.
    pub expected_low: Option<f64>,
    /// Upper end of the interval.
    pub expected_high: Option<f64>,
    /// Expected conversions per person.
    pub expected_precision: Option<f64>,
    /// Lower end of its 95 % interval.
    #[serde(default)]
    pub precision_low: Option<f64>,
    /// Upper end of the interval.
    #[serde(default)]
    pub precision_high: Option<f64>,
    /// The cost of reaching everyone, where the audience says what one costs.
    #[serde(default)]
    pub cost: Option<f64>,
    /// Value of the conversions less that cost, where the audience says both.
    pub expected_profit: Option<f64>,
    /// The share of hidden members of the seed who would be among them, where there is a seed.
    #[serde(default)]
    pub seed_reached: Option<f64>,
    /// Lower end of its 95 % interval.
    #[serde(default)]
    pub seed_reached_low: Option<f64>,
    /// Upper end of the interval.
    #[serde(default)]
    pub seed_reached_high: Option<f64>,
    /// That share over the share of the candidates: how many times better than picking at random.
    #[serde(default)]
    pub seed_lift: Option<f64>,
}

/// A seed, and how its likes were found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeedUsed {
    /// The method that ranks.
    pub method: String,
    /// Why it is this one.
    pub chosen_because: String,
    /// Over events, as of when members are looked at: `entry` or `end`.
    pub as_of: Option<String>,
    /// People in the seed.
    pub n_members: u64,
    /// Of these, how many the rule for candidates would take too; they are no candidates.
    pub n_also_candidates: u64,
    /// The file that names them, where one does.
    pub list: Option<ListUsed>,
    /// Features that likeness looks at.
    pub n_features: u64,
    /// How well members are found who were hidden from the model.
    pub hidden: Option<Hidden>,
    /// What to look at before the list is used.
    #[serde(default)]
    pub findings: Vec<SeedFinding>,
    /// In what the seed differs most from the candidates.
    #[serde(default)]
    pub skew: Vec<Skew>,
    /// The parts that a mixed seed falls into; none where it is of one kind.
    #[serde(default)]
    pub sub_seeds: Vec<SubSeed>,
}

/// Something about a seed that a person should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeedFinding {
    /// `too-small`, `entries-unknown`, `also-candidates`, `one-sided`, `told-by-one`, `contaminated`, `mixed`.
    pub code: String,
    /// What was found, with counts, and what to do about it.
    pub message: String,
    /// Whether the list should not be used before it was looked at.
    pub grave: bool,
}

/// How a seed differs from the candidates in one feature, and what the list makes of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Skew {
    /// The feature.
    pub feature: String,
    /// Half the sum of the differences of all shares, 0–1: the share of the seed that would have to be others.
    pub distance: f64,
    /// The value in which both differ most.
    pub value: String,
    /// Its share of the seed.
    pub seed_share: f64,
    /// Its share of the candidates, as of when the seed is looked at.
    pub candidate_share: f64,
    /// Its share of the chosen, as of the end.
    pub chosen_share: f64,
    /// How many times as far as the seed the chosen differ from the candidates, these two as of the end; above 1 the list exaggerates.
    pub amplification: f64,
}

/// A part of a seed that is unlike the rest of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubSeed {
    /// Its number, as in the column `sub_seed` of `seed.parquet`.
    pub sub_seed: u32,
    /// How many members.
    pub n_members: u64,
    /// What tells it from the rest.
    pub told_by: Vec<String>,
}

/// Hidden members of a seed against the candidates, by models that have not seen either.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Hidden {
    /// The share of pairs in which the hidden member scores above the candidate. Some candidates belong to the seed by right:
    /// the true value is higher.
    pub roc_auc: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// Members that were hidden, each in turn.
    pub n_members: u64,
}

/// A suppression list that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListUsed {
    /// The path as the spec names it.
    pub path: String,
    /// BLAKE3 of its bytes, hex.
    pub blake3: String,
    /// Its rows.
    pub n_entries: u64,
    /// Candidates whom it means.
    pub n_people: u64,
}

/// What one destination got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exported {
    /// The destination's name.
    pub destination: String,
    /// The file, relative to the audience's folder.
    pub path: String,
    /// People in it.
    pub kept: u64,
    /// People of the target group who are not in it, by reason.
    pub rejected: BTreeMap<String, u64>,
}

impl Summary {
    /// Reads the `summary.json` of an audience's folder.
    ///
    /// # Errors
    /// When it is missing or damaged.
    pub fn read(folder: &Path) -> Result<Self> {
        store::read_json(&folder.join("summary.json"))
    }
}
