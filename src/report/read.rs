//! The results of the phases, as their files hold them. A phase that has not run is absent; a file that cannot be read
//! is an error. Whatever a file leaves out is absent too: the page shows what there is.

use std::path::Path;

use polars::prelude::{DataFrame, DataType};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::measured::{Measured, measured};
use crate::discover::{Enough, Leaks};
use crate::error::Result;
use crate::expand::measure::Measurement;
use crate::expand::{Power, SeedUsed};
use crate::predict::{Evaluation, uplift};
use crate::spec::Spec;
use crate::store::{self, Layout};

/// How many people of an audience the page names.
const N_SHOWN: usize = 10;

/// Everything the report shows.
pub(super) struct Results {
    pub(super) lifecycle: Option<Lifecycle>,
    pub(super) transitions: Vec<Transition>,
    pub(super) measured: Measured,
    pub(super) lint: Option<Findings>,
    pub(super) issues: Option<Findings>,
    /// What the tables hold, and where the lifecycle is read from.
    pub(super) data: super::data::Found,
    /// In the order of the spec's predictions.
    pub(super) signals: Vec<Option<Vec<Signal>>>,
    /// In the order of the spec's predictions.
    pub(super) leaks: Vec<Option<Leaks>>,
    /// In the order of the spec's predictions.
    pub(super) enough: Vec<Option<Enough>>,
    /// In the order of the spec's predictions.
    pub(super) evaluations: Vec<Option<Evaluation>>,
    /// What each model looks at, in the order of the spec's predictions.
    pub(super) explained: Vec<super::explained::Found>,
    /// Those of the spec's uplifts that have run.
    pub(super) uplifts: Vec<uplift::Evaluation>,
    /// In the order of the spec's audiences.
    pub(super) audiences: Vec<Option<Audience>>,
    /// What two audiences have in common.
    pub(super) shared: Vec<Shared>,
}

/// A row of `expand/overlap.parquet`.
pub(super) struct Shared {
    pub(super) audience: String,
    pub(super) other: String,
    pub(super) n_both: u64,
    pub(super) share_of_audience: Option<f64>,
    pub(super) share_of_other: Option<f64>,
}

/// `map/lifecycle.json`.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Lifecycle {
    pub(super) end: Option<String>,
    pub(super) n_people: u64,
    pub(super) n_events: u64,
    pub(super) stages: Vec<Stage>,
}

/// A stage of the lifecycle table.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Stage {
    #[serde(rename = "stage")]
    pub(super) name: String,
    pub(super) n_people_now: u64,
    pub(super) n_people_ever: u64,
    pub(super) attributes: Vec<String>,
    pub(super) entry_events: Vec<String>,
    pub(super) exit_events: Vec<String>,
    pub(super) sources: Vec<String>,
    pub(super) kpis: Vec<Kpi>,
}

/// A figure about a stage.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Kpi {
    pub(super) name: String,
    pub(super) value: Option<f64>,
    pub(super) unit: String,
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
    pub(super) n: Option<u64>,
    pub(super) n_attained: Option<u64>,
    pub(super) n_eligible: Option<u64>,
    pub(super) n_promoters: Option<u64>,
    pub(super) n_detractors: Option<u64>,
    pub(super) horizon_days: Option<f64>,
    pub(super) at_least: Option<f64>,
    pub(super) at_most: Option<f64>,
    pub(super) status: Option<String>,
}

/// A row of `map/transitions.parquet`.
pub(super) struct Transition {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) people: Option<f64>,
    pub(super) eligible: Option<f64>,
    pub(super) probability: Option<f64>,
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
    pub(super) median_days: Option<f64>,
    pub(super) horizon_days: Option<f64>,
}

/// `map/lint.json` and `discover/issues.json`.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Findings {
    pub(super) findings: Vec<Finding>,
}

/// Something that somebody should look at.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Finding {
    pub(super) code: Option<String>,
    pub(super) severity: Option<String>,
    pub(super) stage: Option<String>,
    pub(super) table: Option<String>,
    pub(super) column: Option<String>,
    pub(super) rows: Option<u64>,
    pub(super) message: Option<String>,
    pub(super) example: Option<String>,
    pub(super) advice: Option<String>,
    pub(super) people: Vec<String>,
}

/// A row of `discover/<prediction>/signals.parquet`.
pub(super) struct Signal {
    /// What it says in a sentence, and whether it is one of the clearest.
    pub(super) sentence: Option<String>,
    pub(super) is_told: bool,
    pub(super) lift: [Option<f64>; 3],
    pub(super) q_value: Option<f64>,
    pub(super) representative: Option<String>,
    pub(super) feature: String,
    pub(super) auc: Option<f64>,
    pub(super) information_value: Option<f64>,
    pub(super) stability: Option<f64>,
    pub(super) missing: Option<f64>,
    pub(super) leak: Option<String>,
}

/// An audience: its summary and its first people.
pub(super) struct Audience {
    pub(super) summary: Summary,
    pub(super) first: Vec<Member>,
    pub(super) measured: Option<Measurement>,
}

/// `expand/<audience>/summary.json`.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Summary {
    pub(super) prediction: Option<String>,
    pub(super) uplift: Option<String>,
    pub(super) from: Vec<String>,
    pub(super) to: Vec<String>,
    pub(super) horizon: Option<String>,
    pub(super) n_candidates: u64,
    /// In the order of the file.
    pub(super) dropped: serde_json::Map<String, serde_json::Value>,
    pub(super) n_contactable: u64,
    pub(super) n_chosen: u64,
    pub(super) n_target: u64,
    pub(super) n_holdout: u64,
    pub(super) power: Option<Power>,
    pub(super) expected_conversions: Option<f64>,
    pub(super) expected_low: Option<f64>,
    pub(super) expected_high: Option<f64>,
    /// The share of all who may be contacted that is expected to convert.
    pub(super) base_rate_expected: Option<f64>,
    pub(super) curve: Vec<Size>,
    pub(super) seed: Option<SeedUsed>,
    pub(super) warnings: Vec<String>,
    pub(super) exports: Vec<Export>,
}

/// A size the audience could have.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Size {
    pub(super) n_people: u64,
    pub(super) share: Option<f64>,
    pub(super) expected_conversions: Option<f64>,
    pub(super) expected_low: Option<f64>,
    pub(super) expected_high: Option<f64>,
    pub(super) expected_precision: Option<f64>,
    pub(super) expected_profit: Option<f64>,
    pub(super) cost: Option<f64>,
    pub(super) seed_reached: Option<f64>,
    pub(super) seed_reached_low: Option<f64>,
    pub(super) seed_reached_high: Option<f64>,
    pub(super) seed_lift: Option<f64>,
}

/// A file to upload.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Export {
    pub(super) destination: String,
    pub(super) path: String,
    pub(super) kept: u64,
    pub(super) rejected: serde_json::Map<String, serde_json::Value>,
}

/// A row of `expand/<audience>/audience.parquet`.
pub(super) struct Member {
    pub(super) rank: Option<f64>,
    pub(super) person: String,
    pub(super) score: Option<f64>,
    pub(super) propensity: Option<f64>,
    pub(super) group: String,
    pub(super) reasons: Vec<String>,
}

/// Reads what the phases wrote.
pub(super) fn results(spec: &Spec, layout: &Layout) -> Result<Results> {
    let (predictions, audiences) = (spec.predictions.iter(), spec.audiences.iter());
    let signals_of = |name: &str| signals(&layout.discover(name).join("signals.parquet"));
    let leaks_of = |name: &str| json(&layout.discover(name).join("leaks.json"));
    let enough_of = |name: &str| json(&layout.discover(name).join("enough.json"));
    let evaluation_of = |name: &str| json(&layout.predict(name).join("evaluation.json"));
    Ok(Results {
        lifecycle: json(&layout.file("map/lifecycle.json"))?,
        transitions: transitions(&layout.file("map/transitions.parquet"))?,
        measured: measured(layout)?,
        lint: json(&layout.file("map/lint.json"))?,
        issues: json(&layout.file("discover/issues.json"))?,
        data: super::data::Found::read(layout)?,
        signals: predictions.clone().map(|prediction| signals_of(&prediction.name)).collect::<Result<_>>()?,
        leaks: predictions.clone().map(|prediction| leaks_of(&prediction.name)).collect::<Result<_>>()?,
        enough: predictions.clone().map(|prediction| enough_of(&prediction.name)).collect::<Result<_>>()?,
        explained: predictions
            .clone()
            .map(|prediction| super::explained::Found::read(&layout.predict(&prediction.name)))
            .collect::<Result<_>>()?,
        evaluations: predictions.map(|prediction| evaluation_of(&prediction.name)).collect::<Result<_>>()?,
        uplifts: uplifts(spec, layout)?,
        audiences: audiences.map(|audience| self::audience(layout, &audience.name)).collect::<Result<_>>()?,
        shared: if spec.audiences.len() > 1 { shared(&layout.file("expand/overlap.parquet"))? } else { Vec::new() },
    })
}

pub(super) fn json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    if path.exists() { store::read_json(path).map(Some) } else { Ok(None) }
}

pub(super) fn frame(path: &Path) -> Result<Option<DataFrame>> {
    if path.exists() { store::read_frame(path).map(Some) } else { Ok(None) }
}

pub(super) fn numbers(frame: &DataFrame, column: &str) -> Result<Vec<Option<f64>>> {
    let Ok(column) = frame.column(column) else { return Ok(vec![None; frame.height()]) };
    let column = column.cast(&DataType::Float64)?;
    Ok(column.f64()?.iter().map(|value| value.filter(|value| value.is_finite())).collect())
}

pub(super) fn texts(frame: &DataFrame, column: &str) -> Result<Vec<Option<String>>> {
    let Ok(column) = frame.column(column) else { return Ok(vec![None; frame.height()]) };
    let column = column.cast(&DataType::String)?;
    Ok(column.str()?.iter().map(|text| text.map(str::to_owned)).collect())
}

fn transitions(path: &Path) -> Result<Vec<Transition>> {
    let Some(frame) = frame(path)? else { return Ok(Vec::new()) };
    let (from, to) = (texts(&frame, "from")?, texts(&frame, "to")?);
    let (people, eligible) = (numbers(&frame, "people")?, numbers(&frame, "eligible")?);
    let (probability, low) = (numbers(&frame, "probability")?, numbers(&frame, "probability_low")?);
    let (high, median_days) = (numbers(&frame, "probability_high")?, numbers(&frame, "median_days")?);
    let horizon_days = numbers(&frame, "horizon_days")?;
    let row = |i: usize| Transition {
        from: from[i].clone().unwrap_or_default(),
        to: to[i].clone().unwrap_or_default(),
        people: people[i],
        eligible: eligible[i],
        probability: probability[i],
        low: low[i],
        high: high[i],
        median_days: median_days[i],
        horizon_days: horizon_days[i],
    };
    Ok((0..frame.height()).map(row).collect())
}

fn signals(path: &Path) -> Result<Option<Vec<Signal>>> {
    let Some(frame) = frame(path)? else { return Ok(None) };
    let (feature, leak) = (texts(&frame, "feature")?, texts(&frame, "leak")?);
    let (auc, information_value) = (numbers(&frame, "auc")?, numbers(&frame, "information_value")?);
    let (stability, missing) = (numbers(&frame, "stability")?, numbers(&frame, "missing")?);
    let (sentence, representative) = (texts(&frame, "sentence")?, texts(&frame, "representative")?);
    let (is_told, q_value) = (texts(&frame, "told")?, numbers(&frame, "q_value")?);
    let lifts = [numbers(&frame, "lift")?, numbers(&frame, "lift_low")?, numbers(&frame, "lift_high")?];
    let row = |i: usize| Signal {
        sentence: sentence[i].clone(),
        is_told: is_told[i].as_deref() == Some("true"),
        lift: [lifts[0][i], lifts[1][i], lifts[2][i]],
        q_value: q_value[i],
        representative: representative[i].clone(),
        feature: feature[i].clone().unwrap_or_default(),
        auc: auc[i],
        information_value: information_value[i],
        stability: stability[i],
        missing: missing[i],
        leak: leak[i].clone(),
    };
    let mut rows: Vec<Signal> = (0..frame.height()).map(row).collect();
    let strength = |signal: &Signal| signal.auc.map_or(0.0, |auc| (auc - 0.5).abs());
    rows.sort_by(|a, b| strength(b).total_cmp(&strength(a)).then_with(|| a.feature.cmp(&b.feature)));
    Ok(Some(rows))
}

fn uplifts(spec: &Spec, layout: &Layout) -> Result<Vec<uplift::Evaluation>> {
    let read = |uplift: &crate::spec::Uplift| json(&layout.uplift(&uplift.name).join("evaluation.json")).transpose();
    spec.uplifts.iter().filter_map(read).collect()
}

fn audience(layout: &Layout, name: &str) -> Result<Option<Audience>> {
    let folder = layout.expand(name);
    let Some(summary) = json(&folder.join("summary.json"))? else { return Ok(None) };
    let list = folder.join("audience.parquet");
    let first = if list.exists() { members(&store::read_rows(&list, N_SHOWN)?)? } else { Vec::new() };
    let measured = json(&layout.measure(name).join("measure.json"))?;
    Ok(Some(Audience { summary, first, measured }))
}

fn shared(path: &Path) -> Result<Vec<Shared>> {
    let Some(frame) = frame(path)? else { return Ok(Vec::new()) };
    let (audience, other) = (texts(&frame, "audience")?, texts(&frame, "other")?);
    let n_both = frame.column("n_both")?.u64()?.clone();
    let (of_audience, of_other) = (numbers(&frame, "share_of_audience")?, numbers(&frame, "share_of_other")?);
    let row = |i: usize| Shared {
        audience: audience[i].clone().unwrap_or_default(),
        other: other[i].clone().unwrap_or_default(),
        n_both: n_both.get(i).unwrap_or_default(),
        share_of_audience: of_audience[i],
        share_of_other: of_other[i],
    };
    Ok((0..frame.height()).map(row).collect())
}

/// The people of a list, which stand in it by rank.
fn members(frame: &DataFrame) -> Result<Vec<Member>> {
    let rank = numbers(frame, "rank")?;
    let (person, group) = (texts(frame, "person")?, texts(frame, "group")?);
    let (score, propensity) = (numbers(frame, "score")?, numbers(frame, "propensity")?);
    let reasons = [texts(frame, "reason_1")?, texts(frame, "reason_2")?, texts(frame, "reason_3")?];
    let row = |i: usize| Member {
        rank: rank[i],
        person: person[i].clone().unwrap_or_default(),
        score: score[i],
        propensity: propensity[i],
        group: group[i].clone().unwrap_or_default(),
        reasons: reasons.iter().filter_map(|reason| reason[i].clone()).filter(|reason| !reason.is_empty()).collect(),
    };
    Ok((0..frame.height()).map(row).collect())
}
