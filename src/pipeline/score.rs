//! A bundle on new data, without a spec: the batch job's door.

use std::path::{Path, PathBuf};

use polars::prelude::{Column, DataFrame};
use serde::Serialize;

use super::doors::{self, Scores};
use crate::error::{Error, Result};
use crate::store::{self, models};
use crate::time::Time;

/// What to score, with what, and where to write.
#[derive(Debug, Clone)]
pub struct Job {
    /// The bundle's folder, or a file that names it.
    pub model: PathBuf,
    /// The people table of a snapshot, or the events.
    pub input: PathBuf,
    /// The people table beside the events.
    pub people: Option<PathBuf>,
    /// The cutoff; what happened at or after it is not looked at.
    pub as_of: Option<Time>,
    /// Where the scores go: `.csv` or `.parquet`.
    pub output: PathBuf,
}

/// What was scored.
#[derive(Debug, Clone, Serialize)]
pub struct Scored {
    /// The bundle's folder.
    pub model: String,
    /// How many people were scored.
    pub n_people: usize,
    /// Their mean propensity.
    pub mean_propensity: Option<f64>,
    /// Where the scores are.
    pub output: String,
}

/// Scores every person of the input, in its order.
///
/// # Errors
/// When the bundle or the input cannot be read or do not fit each other, or the output cannot be written.
pub fn score(job: &Job) -> Result<Scored> {
    let form = Form::of(&job.output)?;
    let folder = models::resolve(&job.model)?;
    let scores = doors::score(&folder, &job.input, job.people.as_deref(), job.as_of)?;
    match form {
        Form::Csv => write_csv(&job.output, &scores)?,
        Form::Parquet => store::write_frame(&job.output, &mut frame(&scores)?)?,
    }
    Ok(Scored {
        model: folder.display().to_string(),
        n_people: scores.person.len(),
        mean_propensity: mean(&scores.propensity),
        output: job.output.display().to_string(),
    })
}

enum Form {
    Csv,
    Parquet,
}

impl Form {
    fn of(path: &Path) -> Result<Self> {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("csv") => Ok(Self::Csv),
            Some("parquet") => Ok(Self::Parquet),
            _ => Err(Error::usage(format!("{} is neither a .csv nor a .parquet file", path.display()))
                .hint("end the name of --output with .csv or .parquet")),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of people fit a double's 53 bits")]
fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

const COLUMNS: [&str; 6] = ["person", "propensity", "percentile", "reason_1", "reason_2", "reason_3"];

fn write_csv(path: &Path, scores: &Scores) -> Result<()> {
    store::write_with(path, |file| {
        let fail = |error: csv::Error| Error::data(format!("cannot write {}: {error}", path.display()));
        let mut writer = csv::Writer::from_writer(file);
        writer.write_record(COLUMNS).map_err(fail)?;
        for (row, person) in scores.person.iter().enumerate() {
            let (propensity, percentile) = (scores.propensity[row].to_string(), scores.percentile[row].to_string());
            let [first, second, third] = &scores.reasons[row];
            writer.write_record([person, &propensity, &percentile, first, second, third]).map_err(fail)?;
        }
        writer.flush().map_err(|source| Error::io("write", path, &source))
    })
}

fn frame(scores: &Scores) -> Result<DataFrame> {
    let reason = |which: usize| -> Vec<Option<&str>> {
        scores.reasons.iter().map(|reasons| Some(reasons[which].as_str()).filter(|text| !text.is_empty())).collect()
    };
    Ok(DataFrame::new(
        scores.person.len(),
        vec![
            Column::new(COLUMNS[0].into(), &scores.person),
            Column::new(COLUMNS[1].into(), &scores.propensity),
            Column::new(COLUMNS[2].into(), &scores.percentile),
            Column::new(COLUMNS[3].into(), reason(0)),
            Column::new(COLUMNS[4].into(), reason(1)),
            Column::new(COLUMNS[5].into(), reason(2)),
        ],
    )?)
}
