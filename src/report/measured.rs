//! What the map measured, as its tables hold it. A table that is not there has no rows.

use polars::prelude::DataFrame;

use super::read::{frame, numbers, texts};
use crate::error::Result;
use crate::store::Layout;
use crate::time::DAY;

/// The tables of the map that the page shows.
#[derive(Default)]
pub(super) struct Measured {
    pub(super) incidence: Vec<Incidence>,
    pub(super) times: Vec<Departure>,
    pub(super) occupation: Vec<Occupation>,
    pub(super) funnel: Vec<Step>,
    pub(super) retention: Vec<Retained>,
    pub(super) journeys: Vec<Journey>,
    pub(super) stalls: Vec<Stall>,
    pub(super) values: Vec<Value>,
}

/// A row of `map/incidence.parquet` that is about everyone.
pub(super) struct Incidence {
    pub(super) stage: String,
    /// `None`: still in the stage.
    pub(super) to: Option<String>,
    pub(super) days: f64,
    pub(super) probability: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// A row of `map/times.parquet`.
pub(super) struct Departure {
    pub(super) stage: String,
    pub(super) to: Option<String>,
    pub(super) by: Option<String>,
    pub(super) value: Option<String>,
    pub(super) stays: Option<f64>,
    pub(super) horizon_days: Option<f64>,
    pub(super) probability: Option<f64>,
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
    pub(super) quarter_days: Option<f64>,
    pub(super) median_days: Option<f64>,
    pub(super) three_quarters_days: Option<f64>,
}

/// A row of `map/occupation.parquet` that is about everyone.
pub(super) struct Occupation {
    /// Days since 1970 on the calendar; `None`: counted from entry.
    pub(super) at: Option<f64>,
    pub(super) since_entry: Option<f64>,
    pub(super) stage: String,
    pub(super) people: f64,
    pub(super) eligible: f64,
}

/// A row of `map/funnel.parquet`.
pub(super) struct Step {
    pub(super) from: Option<String>,
    pub(super) kind: String,
    pub(super) to: String,
    pub(super) window_days: Option<f64>,
    pub(super) people: f64,
    pub(super) eligible: f64,
}

/// A row of `map/retention.parquet`.
pub(super) struct Retained {
    pub(super) cohort: String,
    pub(super) months_since: usize,
    pub(super) people: f64,
    pub(super) active: Option<f64>,
    pub(super) in_stage: Option<f64>,
    pub(super) is_complete: bool,
}

/// A row of `map/journeys.parquet`.
pub(super) struct Journey {
    pub(super) kind: String,
    pub(super) stage: Option<String>,
    pub(super) path: String,
    pub(super) people: f64,
    pub(super) eligible: f64,
}

/// A row of `map/stalls.parquet`.
pub(super) struct Stall {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) window_days: Option<f64>,
    pub(super) stalled: f64,
    pub(super) watched: f64,
    pub(super) median_days: Option<f64>,
    pub(super) ninth_decile_days: Option<f64>,
}

/// A row of `map/value.parquet`.
pub(super) struct Value {
    pub(super) stage: String,
    pub(super) by: Option<String>,
    pub(super) of: Option<String>,
    pub(super) people: Option<f64>,
    pub(super) revenue_per_year: Option<f64>,
    pub(super) margin: Option<f64>,
    pub(super) years: Option<f64>,
    pub(super) horizon_days: Option<f64>,
    pub(super) years_if_constant: Option<f64>,
    pub(super) acquisition_cost: Option<f64>,
    pub(super) worth: Option<f64>,
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
}

/// Reads the tables.
pub(super) fn measured(layout: &Layout) -> Result<Measured> {
    let table = |name: &str| frame(&layout.file(format!("map/{name}.parquet")));
    let rows = |name: &str| -> Result<DataFrame> { Ok(table(name)?.unwrap_or_default()) };
    Ok(Measured {
        incidence: incidence(&rows("incidence")?)?,
        times: times(&rows("times")?)?,
        occupation: occupation(&rows("occupation")?)?,
        funnel: funnel(&rows("funnel")?)?,
        retention: retention(&rows("retention")?)?,
        journeys: journeys(&rows("journeys")?)?,
        stalls: stalls(&rows("stalls")?)?,
        values: values(&rows("value")?)?,
    })
}

/// A column of names that must be there.
fn names(frame: &DataFrame, column: &str) -> Result<Vec<String>> {
    Ok(texts(frame, column)?.into_iter().map(Option::unwrap_or_default).collect())
}

/// A column of counts that must be there.
fn counts(frame: &DataFrame, column: &str) -> Result<Vec<f64>> {
    Ok(numbers(frame, column)?.into_iter().map(Option::unwrap_or_default).collect())
}

fn incidence(frame: &DataFrame) -> Result<Vec<Incidence>> {
    let (stage, to, by) = (names(frame, "stage")?, texts(frame, "to")?, texts(frame, "by")?);
    let (days, probability) = (counts(frame, "days")?, counts(frame, "probability")?);
    let (low, high) = (counts(frame, "probability_low")?, counts(frame, "probability_high")?);
    let row = |i: usize| Incidence {
        stage: stage[i].clone(),
        to: to[i].clone(),
        days: days[i],
        probability: probability[i],
        low: low[i],
        high: high[i],
    };
    Ok((0..frame.height()).filter(|&i| by[i].is_none()).map(row).collect())
}

fn times(frame: &DataFrame) -> Result<Vec<Departure>> {
    let (stage, to) = (names(frame, "stage")?, texts(frame, "to")?);
    let (by, value) = (texts(frame, "by")?, texts(frame, "value")?);
    let (stays, horizon_days) = (numbers(frame, "stays")?, numbers(frame, "horizon_days")?);
    let (probability, low) = (numbers(frame, "probability")?, numbers(frame, "probability_low")?);
    let (high, quarter_days) = (numbers(frame, "probability_high")?, numbers(frame, "quarter_days")?);
    let (median_days, three) = (numbers(frame, "median_days")?, numbers(frame, "three_quarters_days")?);
    let row = |i: usize| Departure {
        stage: stage[i].clone(),
        to: to[i].clone(),
        by: by[i].clone(),
        value: value[i].clone(),
        stays: stays[i],
        horizon_days: horizon_days[i],
        probability: probability[i],
        low: low[i],
        high: high[i],
        quarter_days: quarter_days[i],
        median_days: median_days[i],
        three_quarters_days: three[i],
    };
    Ok((0..frame.height()).map(row).collect())
}

fn occupation(frame: &DataFrame) -> Result<Vec<Occupation>> {
    let (at, since_entry) = (numbers(frame, "at")?, numbers(frame, "days_since_entry")?);
    let (by, stage) = (texts(frame, "by")?, names(frame, "stage")?);
    let (people, eligible) = (counts(frame, "people")?, counts(frame, "eligible")?);
    let row = |i: usize| Occupation {
        at: at[i].map(|micros| micros / DAY as f64),
        since_entry: since_entry[i],
        stage: stage[i].clone(),
        people: people[i],
        eligible: eligible[i],
    };
    Ok((0..frame.height()).filter(|&i| by[i].is_none()).map(row).collect())
}

fn funnel(frame: &DataFrame) -> Result<Vec<Step>> {
    let (from, kind, to) = (texts(frame, "from")?, names(frame, "kind")?, names(frame, "to")?);
    let window_days = numbers(frame, "window_days")?;
    let (people, eligible) = (counts(frame, "people")?, counts(frame, "eligible")?);
    let row = |i: usize| Step {
        from: from[i].clone(),
        kind: kind[i].clone(),
        to: to[i].clone(),
        window_days: window_days[i],
        people: people[i],
        eligible: eligible[i],
    };
    Ok((0..frame.height()).map(row).collect())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "months are counted")]
fn retention(frame: &DataFrame) -> Result<Vec<Retained>> {
    let (cohort, months_since) = (names(frame, "cohort")?, counts(frame, "months_since")?);
    let (people, complete) = (counts(frame, "people")?, counts(frame, "complete")?);
    let (active, in_stage) = (numbers(frame, "active_share")?, numbers(frame, "in_stage_share")?);
    let row = |i: usize| Retained {
        cohort: cohort[i].clone(),
        months_since: months_since[i] as usize,
        people: people[i],
        active: active[i],
        in_stage: in_stage[i],
        is_complete: complete[i] > 0.0,
    };
    Ok((0..frame.height()).map(row).collect())
}

fn journeys(frame: &DataFrame) -> Result<Vec<Journey>> {
    let (kind, stage, path) = (names(frame, "kind")?, texts(frame, "stage")?, names(frame, "path")?);
    let (people, eligible) = (counts(frame, "people")?, counts(frame, "eligible")?);
    let row = |i: usize| Journey {
        kind: kind[i].clone(),
        stage: stage[i].clone(),
        path: path[i].clone(),
        people: people[i],
        eligible: eligible[i],
    };
    Ok((0..frame.height()).map(row).collect())
}

fn stalls(frame: &DataFrame) -> Result<Vec<Stall>> {
    let (kind, name, window_days) = (names(frame, "kind")?, names(frame, "name")?, numbers(frame, "window_days")?);
    let (stalled, watched) = (counts(frame, "stalled")?, counts(frame, "watched")?);
    let (median_days, ninth) = (numbers(frame, "median_wait_days")?, numbers(frame, "ninth_decile_wait_days")?);
    let row = |i: usize| Stall {
        kind: kind[i].clone(),
        name: name[i].clone(),
        window_days: window_days[i],
        stalled: stalled[i],
        watched: watched[i],
        median_days: median_days[i],
        ninth_decile_days: ninth[i],
    };
    Ok((0..frame.height()).map(row).collect())
}

fn values(frame: &DataFrame) -> Result<Vec<Value>> {
    let (stage, by, of) = (names(frame, "stage")?, texts(frame, "by")?, texts(frame, "value_of")?);
    let (people, revenue_per_year) = (numbers(frame, "people")?, numbers(frame, "revenue_per_year")?);
    let (margin, years) = (numbers(frame, "margin")?, numbers(frame, "years")?);
    let (horizon_days, constant) = (numbers(frame, "horizon_days")?, numbers(frame, "years_if_constant")?);
    let (cost, worth) = (numbers(frame, "acquisition_cost")?, numbers(frame, "customer_value")?);
    let (low, high) = (numbers(frame, "customer_value_low")?, numbers(frame, "customer_value_high")?);
    let row = |i: usize| Value {
        stage: stage[i].clone(),
        by: by[i].clone(),
        of: of[i].clone(),
        people: people[i],
        revenue_per_year: revenue_per_year[i],
        margin: margin[i],
        years: years[i],
        horizon_days: horizon_days[i],
        years_if_constant: constant[i],
        acquisition_cost: cost[i],
        worth: worth[i],
        low: low[i],
        high: high[i],
    };
    Ok((0..frame.height()).map(row).collect())
}
