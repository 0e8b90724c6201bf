//! The bundle: all that scoring needs, as data.
//!
//! One JSON file: what is predicted, the features it needs, the fitted model, the calibration, and the scores that a
//! percentile is read from. Floats are written so that they come back to the bit. Loading runs nothing, looks at no other
//! file, and checks every length, index and number before it trusts them; a bundle either loads whole or says why not.
//!
//! Format 3 is sealed ([`super::sealed`]): a file that is not to the byte what was written does not load. Format 2 is the same
//! without the seal, and is still read. Golden bundles of every format (`tests/golden`) hold later versions to what they say.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::band::Band;
use super::calibration::Calibrator;
use super::drift::Sketches;
use super::estimator::{Fitted, Settings};
use super::reasons::{self, REASONS};
use super::sealed;
use super::trees::Feature;
use crate::discover::{Cells, Table};
use crate::error::{Error, Result, did_you_mean};
use crate::store;

/// The version of the format that this program writes.
pub const FORMAT_VERSION: u32 = 3;
/// The version before it, which had no seal.
const UNSEALED: u32 = 2;
/// Parts between the reference scores of the percentiles.
const PERCENTILE_PARTS: usize = 1000;
/// Features a bundle may name at most.
const MOST_FEATURES: usize = 100_000;

/// A model with everything that scoring needs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bundle {
    /// Version of this format.
    pub format_version: u32,
    /// The prediction's name.
    pub prediction: String,
    /// Names of the stages people are taken from.
    pub from: Vec<String>,
    /// Names of the stages that count as attained.
    pub to: Vec<String>,
    /// The horizon as written, absent in a snapshot.
    pub horizon: Option<String>,
    /// `logistic`, `boosting` …
    pub estimator: String,
    /// What the model was fitted with.
    pub settings: Settings,
    /// What it was fitted on.
    pub trained_on: TrainedOn,
    /// The features that scoring needs.
    pub features: Vec<Feature>,
    /// From features to a margin.
    pub model: Fitted,
    /// From a margin to a probability.
    pub calibration: Calibrator,
    /// Propensities of the people scored at training, from the least to the greatest, evenly spaced by rank.
    pub percentiles: Vec<f64>,
    /// How sure propensities are, where the spec asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<Band>,
    /// What to know of their level, when the rate of outcomes moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<String>,
    /// What features and scores looked like at training, absent in models that older versions made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sketches: Option<Sketches>,
    /// How the features are computed from raw data: for `discover`, carried as it is.
    pub recipe: serde_json::Value,
    /// For each feature the first that says the same, a position among them: reasons do not tell one thing twice. Empty in bundles
    /// of before there were any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub same: Vec<u32>,
}

/// Facts about the training data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainedOn {
    /// Examples of the final fit.
    pub n_examples: u64,
    /// Those who attained among them.
    pub n_attained: u64,
    /// The first and the last cutoff of the final fit, absent in a snapshot.
    pub cutoffs: Option<(String, String)>,
    /// Every random choice derived from it.
    pub seed: u64,
}

/// The scores of a table's rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scored {
    /// Probability of the transition.
    pub propensity: Vec<f64>,
    /// Where the score stands among the scores of training time, 0–100, 100 best.
    pub percentile: Vec<f64>,
    /// Why, the strongest first; empty where nobody asked.
    pub reasons: Vec<[Option<String>; REASONS]>,
    /// The lower and the upper end of each propensity, if the model tells them.
    pub ends: Option<Vec<(f64, f64)>>,
}

/// What is read first, of whatever format.
#[derive(Deserialize)]
struct Format {
    format_version: u32,
    checksum: Option<serde::de::IgnoredAny>,
}

impl Bundle {
    /// The bundle as the bytes of `model.json`.
    ///
    /// # Errors
    /// When a number is not finite: JSON has no word for it.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(self).map_err(|error| Error::internal(format!("the bundle: {error}")))?;
        bytes.push(b'\n');
        sealed::seal(FORMAT_VERSION, &bytes)
    }

    /// A bundle out of the bytes of `model.json`, checked.
    ///
    /// # Errors
    /// When the bytes are not a sound bundle of this format.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let refuse = |why: &dyn std::fmt::Display| {
            Error::data(format!("this is not a sound model: {why}")).hint("train it again with `clo predict`")
        };
        if !sealed::is_whole(FORMAT_VERSION, bytes) {
            let format: Format = serde_json::from_slice(bytes).map_err(|error| refuse(&error))?;
            match format.format_version {
                FORMAT_VERSION => {
                    return Err(refuse(&"its checksum does not fit what is in it: the file was changed or cut"));
                }
                UNSEALED if format.checksum.is_none() => {}
                UNSEALED => return Err(refuse(&"format 2 has no checksum")),
                other => {
                    let what =
                        format!("the model is of format {other}, this program reads {UNSEALED} and {FORMAT_VERSION}");
                    return Err(Error::data(what).hint("score it with the program that made it, or train it again"));
                }
            }
        }
        let mut bundle: Self = serde_json::from_slice(bytes).map_err(|error| refuse(&error))?;
        bundle.format_version = FORMAT_VERSION;
        bundle.check().map_err(|error| refuse(&error.message()))?;
        Ok(bundle)
    }

    /// Writes `model.json` into `folder`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, folder: &Path) -> Result<()> {
        store::write_bytes(&folder.join(store::models::MODEL), &self.to_bytes()?)
    }

    /// Reads `model.json` of `folder`.
    ///
    /// # Errors
    /// When it is missing or not a sound bundle.
    pub fn load(folder: &Path) -> Result<Self> {
        let path = folder.join(store::models::MODEL);
        let bytes = store::read_bytes(&path).map_err(|source| Error::io("read", &path, &source))?;
        Self::from_bytes(&bytes).map_err(|error| error.context(path.display()))
    }

    /// The version of this model: the start of the hash of its bytes.
    ///
    /// # Errors
    /// As [`Bundle::to_bytes`].
    pub fn version(&self) -> Result<String> {
        Ok(blake3::hash(&self.to_bytes()?).to_hex()[..12].to_owned())
    }

    /// Scores every row of a table. Columns are found by name; more than the model needs do no harm, and a level that
    /// training never saw counts as missing.
    ///
    /// # Errors
    /// When the table lacks a feature or holds it in another form: all of them are named.
    pub fn score(&self, table: &Table) -> Result<Scored> {
        self.score_with(table, REASONS)
    }

    /// As [`Bundle::score`], with so many reasons at most: none are quick.
    ///
    /// # Errors
    /// As [`Bundle::score`].
    pub fn score_with(&self, table: &Table, n_reasons: usize) -> Result<Scored> {
        self.check_schema(table)?;
        let rows: Vec<u32> = (0..u32::try_from(table.n_rows).expect("rows are counted in 32 bits")).collect();
        let propensity = self.propensities(table, &rows)?;
        let percentile = propensity.iter().map(|&propensity| self.percentile(propensity)).collect();
        let reasons = match n_reasons {
            0 => Vec::new(),
            _ => reasons::reasons(&self.model, table, &rows, &self.dates(), &self.same)?,
        };
        let ends = self.ends(table, &rows)?;
        Ok(Scored { propensity, percentile, reasons, ends })
    }

    /// The calibrated probabilities of `rows`.
    ///
    /// # Errors
    /// When the table lacks a feature or holds it in another form.
    pub fn propensities(&self, table: &Table, rows: &[u32]) -> Result<Vec<f64>> {
        let margins = self.model.margins(table, rows)?;
        Ok(margins.into_iter().map(|margin| self.calibration.probability(margin)).collect())
    }

    /// The lower and the upper end of the propensity of each of `rows`, if the model tells them.
    ///
    /// # Errors
    /// As [`Bundle::propensities`].
    pub fn ends(&self, table: &Table, rows: &[u32]) -> Result<Option<Vec<(f64, f64)>>> {
        let Some(band) = &self.band else { return Ok(None) };
        let margins = self.model.margins(table, rows)?;
        Ok(Some(margins.into_iter().map(|margin| band.ends(margin, self.calibration.log_odds(margin))).collect()))
    }

    /// The share of training time's scores below `propensity`, equal ones counting half, 0–100.
    #[must_use]
    pub fn percentile(&self, propensity: f64) -> f64 {
        let below = self.percentiles.partition_point(|&other| other < propensity);
        let equal = match self.percentiles.get(below) {
            Some(&other) if other == propensity => {
                self.percentiles[below..].partition_point(|&other| other <= propensity)
            }
            _ => 0,
        };
        50.0 * (2 * below + equal) as f64 / self.percentiles.len() as f64
    }

    /// The names of the attributes that are days before the cutoff, as the recipe says.
    #[must_use]
    pub fn dates(&self) -> Vec<String> {
        dates(&self.recipe)
    }

    fn check_schema(&self, table: &Table) -> Result<()> {
        let mut faults = Vec::new();
        for feature in &self.features {
            let column = table.column(&feature.name);
            match (column.map(|column| &column.cells), &feature.levels) {
                (None, _) => {
                    let fault =
                        Error::data(format!("the data has no column `{}`, which the model needs", feature.name));
                    let known = table.columns.iter().map(|column| column.name.as_str());
                    faults.push(match did_you_mean(&feature.name, known) {
                        Some(meant) => fault.hint(format!("is it `{meant}`?")),
                        None => fault,
                    });
                }
                (Some(Cells::Number(_)), None) | (Some(Cells::Category { .. }), Some(_)) => {}
                (Some(_), levels) => {
                    let wanted = if levels.is_some() { "a category" } else { "a number" };
                    faults.push(Error::data(format!("column `{}` is not {wanted}, as the model needs", feature.name)));
                }
            }
        }
        Error::all(faults).map_or(Ok(()), Err)
    }

    fn check(&self) -> Result<()> {
        let damaged = |what: &str| Err(Error::data(format!("{what} are damaged")));
        let mut names: Vec<&str> = self.features.iter().map(|feature| feature.name.as_str()).collect();
        if names.is_empty() || names.len() > MOST_FEATURES || names != self.model.features() {
            return damaged("its features");
        }
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return damaged("its features");
        }
        let in_range = self.percentiles.iter().all(|value| (0.0..=1.0).contains(value));
        let ascending = self.percentiles.windows(2).all(|pair| pair[0] <= pair[1]);
        if self.percentiles.is_empty() || !in_range || !ascending {
            return damaged("its percentiles");
        }
        self.band.as_ref().map_or(Ok(()), Band::check)?;
        let earlier = |(own, &same): (usize, &u32)| same as usize <= own;
        if !(self.same.is_empty() || self.same.len() == names.len() && self.same.iter().enumerate().all(earlier)) {
            return damaged("its groups of features");
        }
        if self.sketches.as_ref().is_some_and(|sketches| !sketches.is_sound(&self.features)) {
            return damaged("its sketches");
        }
        self.calibration.check()?;
        self.model.check()
    }
}

/// The reference scores of a bundle's percentiles.
#[must_use]
pub(super) fn percentile_reference(propensity: &[f64]) -> Vec<f64> {
    let mut sorted = propensity.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return vec![0.5] };
    if last <= PERCENTILE_PARTS {
        return sorted;
    }
    (0..=PERCENTILE_PARTS).map(|part| sorted[part * last / PERCENTILE_PARTS]).collect()
}

/// The names of the attributes that are days before the cutoff.
#[must_use]
pub(super) fn dates(recipe: &serde_json::Value) -> Vec<String> {
    let features = recipe.get("features").and_then(|features| features.as_array());
    let is_date =
        |feature: &&serde_json::Value| feature.get("values").and_then(|values| values.as_str()) == Some("date");
    let name = |feature: &serde_json::Value| Some(format!("attr.{}", feature.get("column")?.as_str()?));
    features.into_iter().flatten().filter(is_date).filter_map(name).collect()
}
