//! Recent outcomes for `clo score`: read, and given to the model.
//!
//! Two forms of file. **Scored**: people that this model scored earlier with what became of them since, columns `propensity` and
//! `attained` (yes or no), such as an earlier output of `clo score` with one column more. **Raw**, for a snapshot: a table like the
//! input, with the columns that told the outcome in training; its rows are scored first. Rows stand in time order, the newest last.

use std::path::Path;

use polars::prelude::{DataFrame, DataType};

use super::score::{Job, score};
use crate::discover::Recipe;
use crate::error::{Error, Kind, Result};
use crate::map;
use crate::predict::Bundle;
use crate::predict::recent::{self, Correction};
use crate::source;
use crate::spec::Trigger;
use crate::store;

/// The columns of a scored file.
const SCORED: [&str; 2] = ["propensity", "attained"];

/// Moves the level of `bundle`, which `job` scores with, by the outcomes in `file`.
///
/// # Errors
/// When the file cannot be read, says no outcomes, or too few.
pub(super) fn correct(bundle: &mut Bundle, recipe: &Recipe, job: &Job, file: &Path) -> Result<Correction> {
    if !file.exists() {
        return Err(Error::data(format!("there is no file {}", file.display())).hint("check the path of --recent"));
    }
    let frame = source::one(file)?.frame;
    let shown = file.display().to_string();
    let named = |name: &&str| frame.column(name).is_ok();
    let (propensity, label): (Vec<f64>, Vec<bool>) = if SCORED.iter().all(named) {
        scored(&frame, &shown)?
    } else if recipe.snapshot {
        raw(&frame, recipe, job, file)?
    } else {
        return Err(Error::data(format!("{shown} has no columns `propensity` and `attained`"))
            .hint("take an earlier output of `clo score`, and add `attained`: whether each person made the transition within the horizon"));
    }
    .into_iter()
    .unzip();
    recent::correct(bundle, &propensity, &label).map_err(|error| error.context(shown))
}

/// Rows that have a propensity, and their outcomes.
fn scored(frame: &DataFrame, file: &str) -> Result<Vec<(f64, bool)>> {
    let attained = frame.column(SCORED[1])?.cast(&DataType::String)?;
    let read = |(row, (propensity, attained)): (usize, (Option<f64>, Option<&str>))| {
        let (propensity, attained) = propensity.zip(attained)?;
        let label = match attained.trim().to_lowercase().as_str() {
            "1" | "yes" | "y" | "true" | "t" => true,
            "0" | "no" | "n" | "false" | "f" => false,
            _ => {
                let message = format!("{file}, row {}: `attained` is neither yes nor no", row + 1);
                return Some(Err(Error::data(message).hint("write 1 and 0, yes and no, or true and false")));
            }
        };
        Some(Ok((propensity, label)))
    };
    propensities(frame)?.into_iter().zip(attained.str()?.iter()).enumerate().filter_map(read).collect()
}

fn propensities(frame: &DataFrame) -> Result<Vec<Option<f64>>> {
    Ok(frame.column(SCORED[0])?.cast(&DataType::Float64)?.f64()?.iter().collect())
}

/// Rows of people who could have made the transition, scored now, and whether they did.
fn raw(frame: &DataFrame, recipe: &Recipe, job: &Job, file: &Path) -> Result<Vec<(f64, bool)>> {
    let stages = stages(frame, recipe)?;
    let folder = tempfile::tempdir().map_err(|source| Error::io("make", &std::env::temp_dir(), &source))?;
    let output = folder.path().join("scores.parquet");
    let job = Job {
        input: file.to_owned(),
        input_format: None,
        output: output.clone(),
        output_format: None,
        n_reasons: 0,
        report: None,
        fail_on_drift: None,
        recent: None,
        ..job.clone()
    };
    score(&job, &mut std::io::sink())?;
    let propensity = propensities(&store::read_frame(&output)?)?;
    if propensity.len() != stages.len() {
        return Err(Error::data(format!(
            "{} has {} rows, of which {} can be scored",
            file.display(),
            stages.len(),
            propensity.len()
        ))
        .hint("take out the rows that cannot be read, or that name somebody twice"));
    }
    let wanted = |(stage, propensity): (Option<usize>, Option<f64>)| {
        let attained = recipe.to.contains(&stage?);
        Some((propensity?, attained)).filter(|_| attained || stage.is_some_and(|stage| recipe.from.contains(&stage)))
    };
    Ok(stages.into_iter().zip(propensity).filter_map(wanted).collect())
}

/// The stage of each row: the last one whose rule holds, else the one without a rule.
fn stages(frame: &DataFrame, recipe: &Recipe) -> Result<Vec<Option<usize>>> {
    let start = recipe.stages.iter().position(|stage| stage.enter.is_none());
    let mut stages = vec![start; frame.height()];
    for (position, stage) in recipe.stages.iter().enumerate() {
        let Some(Trigger::Event(rule)) = &stage.enter else { continue };
        let holds =
            map::rules::holds(rule, frame, &format!("the `when` of stage `{}`", stage.name)).map_err(|error| {
                error
                    .of_kind(Kind::Data)
                    .hint("--recent needs the columns that told the outcome, or `propensity` and `attained`")
            })?;
        stages.iter_mut().zip(holds).filter(|(_, holds)| *holds).for_each(|(stage, _)| *stage = Some(position));
    }
    Ok(stages)
}
