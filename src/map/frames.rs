//! Rows to tables: a column at a time.

use polars::prelude::{
    Column, DataFrame, DataType, IdxCa, IntoColumn as _, IntoSeries as _, NamedFrom as _, NewChunkedArray as _, Series,
    StringChunked, TimeUnit,
};

use crate::error::Result;
use crate::rate::Rate;

/// A table that columns are added to; all of one length.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    columns: Vec<Column>,
}

impl Frame {
    /// Texts; `None` is null.
    pub(crate) fn texts<'a>(self, name: &str, texts: impl Iterator<Item = Option<&'a str>>) -> Self {
        let texts: StringChunked = texts.collect();
        self.push(texts.into_series().with_name(name.into()).into_column())
    }

    /// Texts of which many are the same: positions in `levels`.
    pub(crate) fn looked_up<'a>(
        self,
        name: &str,
        levels: impl Iterator<Item = &'a str>,
        rows: impl Iterator<Item = Option<u32>>,
    ) -> Result<Self> {
        let levels: StringChunked = levels.map(Some).collect();
        let rows = IdxCa::from_iter_options(name.into(), rows);
        let column = levels.into_series().into_column().take(&rows)?;
        Ok(self.push(column.with_name(name.into())))
    }

    /// Numbers; `None` is null.
    pub(crate) fn numbers(self, name: &str, numbers: impl Iterator<Item = Option<f64>>) -> Self {
        let numbers: Vec<Option<f64>> = numbers.collect();
        self.push(Series::new(name.into(), numbers).into_column())
    }

    /// Counts.
    pub(crate) fn counts(self, name: &str, counts: impl Iterator<Item = u64>) -> Self {
        let counts: Vec<u64> = counts.collect();
        self.push(Series::new(name.into(), counts).into_column())
    }

    /// Instants, microseconds; `None` is null.
    pub(crate) fn times(self, name: &str, micros: impl Iterator<Item = Option<i64>>) -> Result<Self> {
        let micros: Vec<Option<i64>> = micros.collect();
        let times = Series::new(name.into(), micros).cast(&DataType::Datetime(TimeUnit::Microseconds, None))?;
        Ok(self.push(times.into_column()))
    }

    /// Truths.
    pub(crate) fn truths(self, name: &str, truths: impl Iterator<Item = bool>) -> Self {
        let truths: Vec<bool> = truths.collect();
        self.push(Series::new(name.into(), truths).into_column())
    }

    /// Shares with their counts and intervals, in columns `people`, `eligible`, `share`, `share_low` and `share_high`.
    pub(crate) fn rates(self, rates: impl Iterator<Item = Rate> + Clone) -> Self {
        self.counts("people", rates.clone().map(|rate| rate.n_attained))
            .counts("eligible", rates.clone().map(|rate| rate.n_eligible))
            .numbers("share", rates.clone().map(Rate::share))
            .numbers("share_low", rates.clone().map(|rate| rate.interval().map(|(low, _)| low)))
            .numbers("share_high", rates.map(|rate| rate.interval().map(|(_, high)| high)))
    }

    /// The table.
    pub(crate) fn finish(self) -> Result<DataFrame> {
        let height = self.columns.first().map_or(0, Column::len);
        Ok(DataFrame::new(height, self.columns)?)
    }

    fn push(mut self, column: Column) -> Self {
        self.columns.push(column);
        self
    }
}
