//! What the way of a model said of its test part: an honest score for each of the newest outcomes it was judged on.
//!
//! The model that is kept has seen every outcome, the test's too. What can be held against another model's scores on the same
//! examples are therefore the scores of the fit that was judged. They are kept with the version, people as hashes.

use std::collections::BTreeMap;

use polars::prelude::{Column, DataFrame, DataType};

use crate::discover::Examples;
use crate::error::{Error, Result};

/// Examples with an outcome, and what was said of them before it was known: equal lengths.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Judged {
    /// A hash of the person, the same in every run.
    pub person: Vec<u64>,
    /// The cutoff, microseconds; 0 in a snapshot.
    pub cutoff: Vec<i64>,
    /// Whether they attained.
    pub label: Vec<bool>,
    /// What the judged fit said.
    pub propensity: Vec<f64>,
}

/// The hash by which [`Judged`] knows a person.
#[must_use]
pub fn person_hash(id: &str) -> u64 {
    let digest = blake3::Hasher::new().update(b"judged").update(id.as_bytes()).finalize();
    u64::from_le_bytes(digest.as_bytes()[..8].try_into().expect("a digest has 32 bytes"))
}

impl Judged {
    /// `rows` of the examples with their propensities.
    #[must_use]
    pub fn new(examples: &Examples, rows: &[u32], label: &[bool], propensity: Vec<f64>) -> Self {
        let id = |&row: &u32| person_hash(&examples.ids[examples.person[row as usize] as usize]);
        Self {
            person: rows.iter().map(id).collect(),
            cutoff: rows.iter().map(|&row| if examples.snapshot { 0 } else { examples.cutoff[row as usize] }).collect(),
            label: rows.iter().map(|&row| label[row as usize]).collect(),
            propensity,
        }
    }

    /// Outcome and propensity by person and cutoff.
    #[must_use]
    pub fn by_example(&self) -> BTreeMap<(u64, i64), (bool, f64)> {
        let examples = self.person.iter().copied().zip(self.cutoff.iter().copied());
        examples.zip(self.label.iter().copied().zip(self.propensity.iter().copied())).collect()
    }

    /// `judged.parquet`: `person, cutoff, label, propensity`.
    ///
    /// # Errors
    /// When the columns differ in length, which they do not.
    pub fn to_frame(&self) -> Result<DataFrame> {
        let columns = vec![
            Column::new("person".into(), &self.person),
            Column::new("cutoff".into(), &self.cutoff),
            Column::new("label".into(), &self.label),
            Column::new("propensity".into(), &self.propensity),
        ];
        Ok(DataFrame::new(self.person.len(), columns)?)
    }

    /// What [`Judged::to_frame`] made.
    ///
    /// # Errors
    /// When a column is missing or holds gaps.
    pub fn from_frame(frame: &DataFrame) -> Result<Self> {
        let gaps = || Error::data("the judged examples have gaps");
        let column = |name: &str, wanted: DataType| -> Result<Column> { Ok(frame.column(name)?.cast(&wanted)?) };
        let (person, cutoff) = (column("person", DataType::UInt64)?, column("cutoff", DataType::Int64)?);
        let (label, propensity) = (column("label", DataType::Boolean)?, column("propensity", DataType::Float64)?);
        Ok(Self {
            person: person.u64()?.iter().collect::<Option<_>>().ok_or_else(gaps)?,
            cutoff: cutoff.i64()?.iter().collect::<Option<_>>().ok_or_else(gaps)?,
            label: label.bool()?.iter().collect::<Option<_>>().ok_or_else(gaps)?,
            propensity: propensity.f64()?.iter().collect::<Option<_>>().ok_or_else(gaps)?,
        })
    }
}
