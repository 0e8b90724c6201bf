//! `signals.parquet`, a row per feature, and `bins.parquet`, a row per bin of a feature.

use std::path::Path;

use polars::prelude::{
    Column as Series, DataFrame, Float64Chunked, IntoColumn as _, NewChunkedArray as _, StringChunked, UInt64Chunked,
};

use super::{Best, Signal};
use crate::error::Result;
use crate::store;

/// Writes the signals of a prediction into its folder.
///
/// # Errors
/// When a file cannot be written.
pub fn write_signals(folder: &Path, signals: &[Signal]) -> Result<()> {
    store::write_frame(&folder.join("signals.parquet"), &mut signals_frame(signals)?)?;
    store::write_frame(&folder.join("bins.parquet"), &mut bins_frame(signals)?)
}

fn signals_frame(signals: &[Signal]) -> Result<DataFrame> {
    let number = |name: &str, of: &dyn Fn(&Signal) -> Option<f64>| {
        Float64Chunked::from_iter_options(name.into(), signals.iter().map(of)).into_column()
    };
    let text = |name: &str, of: &dyn Fn(&Signal) -> Option<&str>| {
        StringChunked::from_iter_options(name.into(), signals.iter().map(of)).into_column()
    };
    let count = |name: &str, of: &dyn Fn(&Best) -> u64| {
        let counts = signals.iter().map(|signal| signal.best.as_ref().map(of));
        UInt64Chunked::from_iter_options(name.into(), counts).into_column()
    };
    let lift = |signal: &Signal| signal.best.as_ref().and_then(|best| best.contrast.lift);
    let columns: Vec<Series> = vec![
        text("feature", &|signal| Some(&signal.feature)),
        number("auc", &|signal| signal.auc),
        number("auc_low", &|signal| signal.auc_interval.map(|(low, _)| low)),
        number("auc_high", &|signal| signal.auc_interval.map(|(_, high)| high)),
        number("p_value", &|signal| signal.p_value),
        number("q_value", &|signal| signal.q_value),
        number("information_value", &|signal| signal.information_value),
        number("stability", &|signal| signal.stability),
        number("stability_worst", &|signal| signal.stability_worst),
        number("missing", &|signal| Some(signal.missing)),
        text("leak", &|signal| signal.leak.as_ref().map(|leak| leak.why.as_str())),
        text("leak_grade", &|signal| signal.leak.as_ref().map(|leak| leak.grade.name())),
        text("representative", &|signal| Some(&signal.representative)),
        text("best_range", &|signal| signal.best.as_ref().map(|best| best.range.as_str())),
        count("best_attained", &|best| best.contrast.inside.n_attained),
        count("best_eligible", &|best| best.contrast.inside.n_eligible),
        number("best_rate_low", &|signal| signal.best.as_ref().map(|best| best.contrast.inside_interval.0)),
        number("best_rate_high", &|signal| signal.best.as_ref().map(|best| best.contrast.inside_interval.1)),
        count("rest_attained", &|best| best.contrast.outside.n_attained),
        count("rest_eligible", &|best| best.contrast.outside.n_eligible),
        number("lift", &|signal| lift(signal).map(|lift| lift.0)),
        number("lift_low", &|signal| lift(signal).map(|lift| lift.1)),
        number("lift_high", &|signal| lift(signal).map(|lift| lift.2)),
        text("sentence", &|signal| signal.best.as_ref().map(|best| best.sentence.as_str())),
        polars::prelude::BooleanChunked::from_iter_values("told".into(), signals.iter().map(Signal::is_told))
            .into_column(),
    ];
    Ok(DataFrame::new(signals.len(), columns)?)
}

fn bins_frame(signals: &[Signal]) -> Result<DataFrame> {
    let rows: Vec<(&str, &str, crate::rate::Rate)> = signals
        .iter()
        .flat_map(|signal| signal.bins.iter().map(|(range, rate)| (signal.feature.as_str(), range.as_str(), *rate)))
        .collect();
    let end = |name: &str, of: fn((f64, f64)) -> f64| {
        let ends = rows.iter().map(|(.., rate)| rate.interval().map(of));
        Float64Chunked::from_iter_options(name.into(), ends).into_column()
    };
    let columns = vec![
        StringChunked::from_iter_values("feature".into(), rows.iter().map(|row| row.0)).into_column(),
        StringChunked::from_iter_values("range".into(), rows.iter().map(|row| row.1)).into_column(),
        UInt64Chunked::from_iter_values("attained".into(), rows.iter().map(|row| row.2.n_attained)).into_column(),
        UInt64Chunked::from_iter_values("eligible".into(), rows.iter().map(|row| row.2.n_eligible)).into_column(),
        end("rate_low", |ends| ends.0),
        end("rate_high", |ends| ends.1),
    ];
    Ok(DataFrame::new(rows.len(), columns)?)
}
