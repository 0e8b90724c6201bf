//! The few numbers of a run that a person wants to see first, read from its artifacts.

use serde::Serialize;

use super::{Phase, Project};
use crate::discover::{Enough, Findings, Leaks, Severity};
use crate::error::Result;
use crate::expand::{self, Exported};
use crate::map::{self, Lint};
use crate::predict::Evaluation;
use crate::predict::evaluation::Measured;
use crate::predict::uplift;
use crate::rate::Rate;
use crate::store::{models, read_frame, read_json};

/// What stands in the output folder, up to the phase that was asked for.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Summary {
    /// The project's name.
    pub project: String,
    /// Who stands where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<Lifecycle>,
    /// What is wrong with the data, the worst first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// What separates those who make a transition from those who do not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signals: Vec<Signals>,
    /// Which model was chosen, and what it is worth.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub predictions: Vec<Predicted>,
    /// Whom treatments change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uplifts: Vec<uplift::Evaluation>,
    /// Who is to be reached.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub audiences: Vec<Reached>,
    /// Where the page is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
}

/// Who stands where.
#[derive(Debug, Clone, Serialize)]
pub struct Lifecycle {
    /// The end of observation; none in a snapshot.
    pub end: Option<String>,
    /// How many people there are.
    pub n_people: u64,
    /// How many events there are.
    pub n_events: u64,
    /// The stages, in their order.
    pub stages: Vec<Stage>,
}

/// How many people a stage has.
#[derive(Debug, Clone, Serialize)]
pub struct Stage {
    /// Its name.
    pub stage: String,
    /// People who stand there at the end of observation.
    pub n_people_now: u64,
    /// People who have ever stood there.
    pub n_people_ever: u64,
}

/// Something about the data or the stages that a person should look at.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// `error`, `warning` or `info`.
    pub severity: Severity,
    /// What it is, in a word.
    pub code: String,
    /// The table and column, or the stage, that it is about.
    pub place: Option<String>,
    /// How many rows, of a finding in the data.
    pub rows: Option<u64>,
    /// What was found, of a finding in the stages; of one in the data, `advice` says it too.
    pub message: Option<String>,
    /// What to do.
    pub advice: String,
    /// Ids of a few people to look at: only where they are asked for, by `clo check`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<String>,
}

/// The strongest signals of a prediction.
#[derive(Debug, Clone, Serialize)]
pub struct Signals {
    /// The prediction.
    pub prediction: String,
    /// Feature, its AUC alone, and why it may be a leak.
    pub strongest: Vec<Signal>,
    /// The clearest signals, each in a sentence.
    pub told: Vec<String>,
    /// Features that look as if they knew the outcome, and what was done about each.
    pub leaks: Vec<String>,
    /// Whether there is enough data, and what would help.
    pub enough: Enough,
}

/// One feature, alone.
#[derive(Debug, Clone, Serialize)]
pub struct Signal {
    /// Its name.
    pub feature: String,
    /// Its AUC.
    pub auc: f64,
    /// Why it may hold what was not known before the cutoff.
    pub leak: Option<String>,
}

/// What a prediction came to.
#[derive(Debug, Clone, Serialize)]
pub struct Predicted {
    /// Its name.
    pub prediction: String,
    /// The version of its model in use.
    pub version: Option<String>,
    /// The estimator that was chosen.
    pub estimator: String,
    /// Why.
    pub chosen_because: String,
    /// Who attained on the test part.
    pub base_rate: Rate,
    /// AUC on the test part.
    pub roc_auc: Option<Measured>,
    /// Lift in the best tenth of the test part.
    pub lift_10: Option<Measured>,
    /// What to know before trusting the numbers.
    pub warnings: Vec<String>,
}

/// What an audience came to.
#[derive(Debug, Clone, Serialize)]
pub struct Reached {
    /// Its name.
    pub audience: String,
    /// People considered.
    pub n_candidates: u64,
    /// People who may be contacted.
    pub n_contactable: u64,
    /// People to contact.
    pub n_target: u64,
    /// People kept out at random.
    pub n_holdout: u64,
    /// Transitions expected among the people to contact, where a prediction tells.
    pub expected_conversions: Option<f64>,
    /// Lower end of its interval.
    pub expected_low: Option<f64>,
    /// Upper end of its interval.
    pub expected_high: Option<f64>,
    /// What the holdout can show.
    pub power: Option<expand::Power>,
    /// The files to upload.
    pub exports: Vec<Exported>,
    /// What to know before the list is used.
    pub warnings: Vec<String>,
    /// Where its files are.
    pub folder: String,
}

impl Summary {
    /// Reads what a phase, and for a report all phases, left.
    ///
    /// # Errors
    /// When an artifact is missing or damaged.
    pub fn read(project: &Project, phase: Phase) -> Result<Self> {
        let all = phase == Phase::Report;
        let mut summary = Self { project: project.spec.name.clone(), ..Self::default() };
        if all || phase == Phase::Map {
            summary.lifecycle = Some(Lifecycle::of(&read_json(&project.layout.file("map/lifecycle.json"))?));
        }
        if all || matches!(phase, Phase::Map | Phase::Discover) {
            summary.findings = findings(project)?;
        }
        if phase == Phase::Discover {
            summary.signals = each(project, |prediction| strongest(project, prediction))?;
        }
        if all || phase == Phase::Predict {
            summary.predictions = each(project, |prediction| predicted(project, prediction))?;
            summary.uplifts = uplifts(project)?;
        }
        if all || phase == Phase::Expand {
            summary.audiences = reached(project)?;
        }
        if all {
            summary.report = Some(project.layout.file("report.html").display().to_string());
        }
        Ok(summary)
    }
}

impl Lifecycle {
    /// The lifecycle table without its KPIs.
    #[must_use]
    pub fn of(map::Lifecycle { end, n_people, n_events, stages, .. }: &map::Lifecycle) -> Self {
        let stages = stages.iter().map(|row| Stage {
            stage: row.stage.clone(),
            n_people_now: row.n_people_now,
            n_people_ever: row.n_people_ever,
        });
        let end = Some(end.clone()).filter(|end| !end.is_empty());
        Self { end, n_people: *n_people, n_events: *n_events, stages: stages.collect() }
    }
}

impl Finding {
    /// What was found in the lifecycle and in the data, the gravest first, with people to look at.
    #[must_use]
    pub fn all(lint: &Lint, issues: &Findings) -> Vec<Self> {
        let of_map = lint.findings.iter().map(|finding| Self {
            severity: match finding.severity {
                map::lint::Severity::Warning => Severity::Warning,
                map::lint::Severity::Info => Severity::Info,
            },
            code: finding.code.clone(),
            place: (!finding.stage.is_empty()).then(|| format!("stage {}", finding.stage)),
            rows: None,
            message: Some(finding.message.clone()),
            advice: finding.advice.clone(),
            people: finding.people.clone(),
        });
        let of_data = issues.findings.iter().map(|finding| Self {
            severity: finding.severity,
            code: finding.code.clone(),
            place: Some(
                finding
                    .column
                    .as_ref()
                    .map_or_else(|| finding.table.clone(), |column| format!("{}, column {column}", finding.table)),
            ),
            rows: Some(finding.rows),
            message: None,
            advice: finding.advice.clone(),
            people: Vec::new(),
        });
        let mut all: Vec<Self> = of_map.chain(of_data).collect();
        all.sort_by_key(|finding| finding.severity);
        all
    }
}

fn each<T>(project: &Project, read: impl Fn(&str) -> Result<T>) -> Result<Vec<T>> {
    project.spec.predictions.iter().map(|prediction| read(&prediction.name)).collect()
}

fn findings(project: &Project) -> Result<Vec<Finding>> {
    let lint: Lint = read_json(&project.layout.file("map/lint.json"))?;
    let issues: Findings = read_json(&project.layout.file("discover/issues.json"))?;
    let mut findings = Finding::all(&lint, &issues);
    // The result of a run may go anywhere; who it is about stands in lint.json.
    for finding in &mut findings {
        finding.people.clear();
    }
    Ok(findings)
}

fn strongest(project: &Project, prediction: &str) -> Result<Signals> {
    let folder = project.layout.discover(prediction);
    let frame = read_frame(&folder.join("signals.parquet"))?;
    let column = |name: &str| frame.column(name).map_err(crate::error::Error::from);
    let (features, aucs, leaks) = (column("feature")?.str()?, column("auc")?.cast(&FLOAT)?, column("leak")?.str()?);
    let (sentences, are_told) = (column("sentence")?.str()?, column("told")?.bool()?);
    let told = sentences.iter().zip(are_told.iter()).filter(|(_, is_told)| *is_told == Some(true));
    let told = told.filter_map(|(sentence, _)| sentence.map(str::to_owned)).take(N_SIGNALS).collect();
    let mut signals: Vec<Signal> = aucs
        .f64()?
        .iter()
        .enumerate()
        .filter_map(|(row, auc)| {
            let leak = leaks.get(row).map(str::to_owned);
            Some(Signal { feature: features.get(row)?.to_owned(), auc: auc?, leak })
        })
        .collect();
    signals.sort_by(|a, b| (b.auc - 0.5).abs().total_cmp(&(a.auc - 0.5).abs()).then(a.feature.cmp(&b.feature)));
    signals.truncate(N_SIGNALS);
    let leaks: Leaks = read_json(&folder.join("leaks.json"))?;
    Ok(Signals {
        prediction: prediction.to_owned(),
        strongest: signals,
        told,
        leaks: leaks.warnings(),
        enough: read_json(&folder.join("enough.json"))?,
    })
}

const FLOAT: polars::prelude::DataType = polars::prelude::DataType::Float64;
/// How many signals fit a glance.
const N_SIGNALS: usize = 5;

fn predicted(project: &Project, prediction: &str) -> Result<Predicted> {
    let evaluation: Evaluation = read_json(&project.layout.predict(prediction).join("evaluation.json"))?;
    let test = evaluation.splits.get("test").cloned().unwrap_or_default();
    Ok(Predicted {
        prediction: prediction.to_owned(),
        version: models::current(&project.layout.models, prediction),
        estimator: evaluation.estimator,
        chosen_because: evaluation.chosen_because,
        base_rate: test.base_rate,
        roc_auc: test.roc_auc,
        lift_10: test.lift_10,
        warnings: evaluation.warnings,
    })
}

fn uplifts(project: &Project) -> Result<Vec<uplift::Evaluation>> {
    let read = |uplift: &crate::spec::Uplift| read_json(&project.layout.uplift(&uplift.name).join("evaluation.json"));
    project.spec.uplifts.iter().map(read).collect()
}

fn reached(project: &Project) -> Result<Vec<Reached>> {
    let read = |audience: &crate::spec::Audience| -> Result<Reached> {
        let folder = project.layout.expand(&audience.name);
        let found = expand::Summary::read(&folder)?;
        Ok(Reached {
            audience: found.audience,
            n_candidates: found.n_candidates,
            n_contactable: found.n_contactable,
            n_target: found.n_target,
            n_holdout: found.n_holdout,
            expected_conversions: found.expected_conversions,
            expected_low: found.expected_low,
            expected_high: found.expected_high,
            power: found.power,
            exports: found.exports,
            warnings: found.warnings,
            folder: folder.display().to_string(),
        })
    };
    project.spec.audiences.iter().map(read).collect()
}
