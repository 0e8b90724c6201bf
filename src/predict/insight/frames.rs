//! `importance.parquet`, `dependence.parquet` and `interactions.parquet` of a prediction.

use std::path::Path;

use polars::prelude::{Column, DataFrame, IntoColumn as _, NamedFrom as _, Series};

use super::{Bin, Dependence, Insight};
use crate::discover::words::feature as in_words;
use crate::error::Result;
use crate::store;

impl Insight {
    /// Writes all three into the folder of the prediction.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        store::write_frame(&folder.join("importance.parquet"), &mut self.importance_frame()?)?;
        store::write_frame(&folder.join("dependence.parquet"), &mut self.dependence_frame()?)?;
        store::write_frame(&folder.join("interactions.parquet"), &mut self.interactions_frame()?)
    }

    /// `feature, in_words, mean_abs_contribution, gain_share, permutation, permutation_low, permutation_high, n`.
    ///
    /// # Errors
    /// When the columns differ in length, which they do not.
    pub fn importance_frame(&self) -> Result<DataFrame> {
        let of = &self.importance;
        let measured = of.iter().map(|one| one.permutation);
        let columns = vec![
            texts("feature", of.iter().map(|one| one.feature.clone())),
            texts("in_words", of.iter().map(|one| in_words(&one.feature))),
            numbers("mean_abs_contribution", of.iter().map(|one| Some(one.mean_abs_contribution))),
            numbers("gain_share", of.iter().map(|one| one.gain_share)),
            numbers("permutation", measured.clone().map(|measured| Some(measured?.value))),
            numbers("permutation_low", measured.clone().map(|measured| Some(measured?.low))),
            numbers("permutation_high", measured.clone().map(|measured| Some(measured?.high))),
            counts("n", measured.map(|measured| Some(measured?.n))),
        ];
        Ok(DataFrame::new(of.len(), columns)?)
    }

    /// `feature, part, from, to, n, contribution, low, high`: a row per part of a feature's range.
    ///
    /// # Errors
    /// As [`Insight::importance_frame`].
    pub fn dependence_frame(&self) -> Result<DataFrame> {
        let bins: Vec<(&Dependence, &Bin)> =
            self.dependence.iter().flat_map(|of| of.bins.iter().map(move |bin| (of, bin))).collect();
        let of = || bins.iter().map(|(_, bin)| *bin);
        let columns = vec![
            texts("feature", bins.iter().map(|(of, _)| of.feature.clone())),
            texts("part", of().map(|bin| bin.part.clone())),
            numbers("from", of().map(|bin| bin.range.map(|(low, _)| f64::from(low)))),
            numbers("to", of().map(|bin| bin.range.map(|(_, high)| f64::from(high)))),
            counts("n", of().map(|bin| Some(bin.n))),
            numbers("contribution", of().map(|bin| Some(bin.mean))),
            numbers("low", of().map(|bin| Some(bin.low))),
            numbers("high", of().map(|bin| Some(bin.high))),
        ];
        Ok(DataFrame::new(bins.len(), columns)?)
    }

    /// `feature, with, strength, n`: a row per pair.
    ///
    /// # Errors
    /// As [`Insight::importance_frame`].
    pub fn interactions_frame(&self) -> Result<DataFrame> {
        let of = &self.interactions;
        let columns = vec![
            texts("feature", of.iter().map(|pair| pair.feature.clone())),
            texts("with", of.iter().map(|pair| pair.with.clone())),
            numbers("strength", of.iter().map(|pair| Some(pair.strength))),
            counts("n", of.iter().map(|pair| Some(pair.n))),
        ];
        Ok(DataFrame::new(of.len(), columns)?)
    }
}

fn texts(name: &str, values: impl Iterator<Item = String>) -> Column {
    Series::new(name.into(), values.collect::<Vec<String>>()).into_column()
}

fn numbers(name: &str, values: impl Iterator<Item = Option<f64>>) -> Column {
    Series::new(name.into(), values.collect::<Vec<Option<f64>>>()).into_column()
}

fn counts(name: &str, values: impl Iterator<Item = Option<u64>>) -> Column {
    Series::new(name.into(), values.collect::<Vec<Option<u64>>>()).into_column()
}
