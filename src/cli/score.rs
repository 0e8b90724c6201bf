//! `clo score`.

use std::path::PathBuf;

use super::Global;
use super::answer::Answer;
use crate::error::Result;
use crate::pipeline::score::{Job, score};
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
}

pub(super) fn run(args: &Args, global: &Global) -> Result<Answer> {
    let Args { model, input, people, output } = args;
    let scored = score(&Job {
        model: model.clone(),
        input: input.clone(),
        people: people.clone(),
        as_of: global.as_of,
        output: output.clone(),
    })?;
    let mean = scored.mean_propensity.map(|mean| format!(", mean propensity {mean:.4}")).unwrap_or_default();
    let [n_people, n_eligible] = [scored.n_people, scored.n_eligible].map(|n| grouped(n as u64));
    let text = format!("{n_people} people, {n_eligible} of them eligible and scored{mean}: {}\n", scored.output);
    Answer::new("score", text, &scored)
}
