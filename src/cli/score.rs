//! `clo score`.

use std::path::PathBuf;

use super::Global;
use super::answer::Answer;
use super::table::printable;
use crate::error::Result;
use crate::pipeline::score::{Job, score};
use crate::predict::recent::Correction;
use crate::rate::grouped;

/// Score new data with a model, without a spec: one row per person of the input, in its order
///
/// The model knows what it needs: for a snapshot, a table with the columns that the people table had; for events, a file
/// with the columns person, time, event and the events' properties, and a people file if it uses attributes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A version's folder, or models/<prediction>/current
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// The people of a snapshot, or the events: .csv or .parquet
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// Attributes of people, beside events: .csv or .parquet
    #[arg(long, value_name = "FILE")]
    people: Option<PathBuf>,
    /// Where the scores go: .csv or .parquet
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// Recent outcomes, the newest last, which correct how high the propensities stand: an earlier output with a column `attained` (yes
    /// or no), or for a snapshot a table like the input with its outcomes
    #[arg(long, value_name = "FILE")]
    recent: Option<PathBuf>,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<Answer> {
    let Args { model, input, people, output, recent } = args;
    let scored = score(&Job {
        model: model.clone(),
        input: input.clone(),
        people: people.clone(),
        as_of: global.as_of,
        output: output.clone(),
        recent: recent.clone(),
    })?;
    let mean = scored.mean_propensity.map(|mean| format!(", mean propensity {mean:.4}")).unwrap_or_default();
    let [n_people, n_eligible] = [scored.n_people, scored.n_eligible].map(|n| grouped(n as u64));
    let mut text = format!("{n_people} people, {n_eligible} of them eligible and scored{mean}: {}\n", scored.output);
    if let Some(correction) = &scored.correction {
        text += &corrected(correction);
    }
    if let Some(moved) = &scored.moved {
        text += &format!("warning: {moved}\n");
    }
    for (reason, &rows) in &scored.rejected {
        text += &format!("warning: {} rows of the input were not used: {}\n", grouped(rows), printable(reason));
    }
    Answer::new("score", text, &scored)
}

fn corrected(correction: &Correction) -> String {
    let Correction { outcomes, mean_before, mean_after, slope, shift, found_from } = correction;
    format!(
        "recent outcomes: {outcomes}, mean propensity of these {mean_before:.4}, corrected {mean_after:.4} (log odds × {slope:.3} {shift:+.3}; found from: {found_from})\n"
    )
}
