//! The scores that an audience is ranked by: a row per person who could make the transition now.

use std::path::Path;

use polars::prelude::{Column, DataFrame, DataType, StringChunked};

use super::texts::{Reasons, Texts};
use crate::error::{Error, Result};
use crate::store;

/// Who could make the transition now, how probable that is, and why: `predict/<prediction>/scores.parquet`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scores {
    /// Ids of people, each once.
    pub person: Texts,
    /// The stage each stands in.
    pub stage: Texts,
    /// Calibrated probability of the transition, 0–1.
    pub propensity: Vec<f64>,
    /// Rank among all who were scored, 0–100.
    pub percentile: Vec<f64>,
    /// Up to three reasons in words.
    pub reasons: Reasons,
}

impl Scores {
    /// Reads a scores file.
    ///
    /// # Errors
    /// When the file is missing, is not Parquet, or lacks a column.
    pub fn read(path: &Path) -> Result<Self> {
        let frame = store::read_frame(path)?;
        Self::of(&frame).map_err(|error| error.context(path.display()))
    }

    /// How many people were scored.
    #[must_use]
    pub fn len(&self) -> usize {
        self.person.len()
    }

    /// Whether nobody was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.person.is_empty()
    }

    fn of(frame: &DataFrame) -> Result<Self> {
        let [first, second, third] =
            [1, 2, 3].map(|nth| column(frame, &format!("reason_{nth}")).and_then(|column| texts(&column)));
        let (first, second, third) = (first?, second?, third?);
        let reasons = first.iter().zip(second.iter()).zip(third.iter()).map(|((a, b), c)| [a, b, c]).collect();
        Ok(Self {
            person: texts(&column(frame, "person")?)?.into(),
            stage: texts(&column(frame, "stage")?)?.into(),
            propensity: numbers(&column(frame, "propensity")?)?,
            percentile: numbers(&column(frame, "percentile")?)?,
            reasons,
        })
    }

    /// What the rest of the phase relies on: columns of one length, probabilities.
    pub(super) fn check(&self) -> Result<()> {
        let n = self.len();
        if [self.stage.len(), self.propensity.len(), self.percentile.len(), self.reasons.len()] != [n; 4] {
            return Err(Error::internal("the columns of the scores differ in length"));
        }
        if let Some(row) = self.propensity.iter().position(|propensity| !(0.0..=1.0).contains(propensity)) {
            return Err(Error::data(format!("the propensity in row {} of the scores is not a probability", row + 1))
                .hint("run `clo predict` again"));
        }
        Ok(())
    }
}

fn column(frame: &DataFrame, name: &str) -> Result<Column> {
    let found = frame.column(name).cloned();
    found.map_err(|_| Error::data(format!("there is no column `{name}`")).hint("run `clo predict` again"))
}

fn texts(column: &Column) -> Result<StringChunked> {
    Ok(column.cast(&DataType::String)?.str()?.clone())
}

fn numbers(column: &Column) -> Result<Vec<f64>> {
    let number = column.cast(&DataType::Float64)?;
    Ok(number.f64()?.iter().map(|value| value.unwrap_or(f64::NAN)).collect())
}

/// A column as texts in one piece, whole numbers without a fraction: what people see in it.
pub(super) fn as_text(column: &Column) -> Result<StringChunked> {
    let text = match column.dtype() {
        DataType::Float32 | DataType::Float64 => {
            let values = column.cast(&DataType::Float64)?;
            values
                .f64()?
                .iter()
                .map(|value| value.filter(|value| !value.is_nan()).map(|value| value.to_string()))
                .collect()
        }
        _ => column.cast(&DataType::String)?.str()?.clone(),
    };
    Ok(text.rechunk().into_owned())
}
