//! `clo score`.

use std::path::PathBuf;

use super::Global;
use super::answer::Answer;
use super::table::printable;
use super::ui::Ui;
use crate::error::Result;
use crate::pipeline::score::{Done, Form, Format, Job, PIPE, score};
use crate::predict::drift::{Drift, Moved, Verdict};
use crate::predict::recent::Correction;
use crate::rate::grouped;

/// Score new data with a model, without a spec: one row per person of the input, in its order
///
/// The model knows what it needs: for a snapshot, a table with the columns that the people table had; for events, a file
/// with the columns person, time, event and the events' properties, and a people file if it uses attributes.
///
/// A snapshot is scored in bounded memory, however long it is, from file to file or from pipe to pipe. A long job that is broken
/// off goes on where it stopped when the same command is given again.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A version's folder, or models/<prediction>/current
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// The people of a snapshot, or the events: .csv, .parquet or .arrow; - reads a pipe
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// What the input is, when its name does not tell; a pipe is csv unless this says otherwise
    #[arg(long, value_name = "FORMAT")]
    input_format: Option<InputFormat>,
    /// Attributes of people, beside events: .csv, .parquet or .arrow
    #[arg(long, value_name = "FILE")]
    people: Option<PathBuf>,
    /// Where the scores go: .csv, .parquet or .arrow; - writes a pipe
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// How the scores are written, when the output's name does not tell; a pipe is csv unless this says otherwise
    #[arg(long, value_name = "FORMAT")]
    output_format: Option<OutputFormat>,
    /// How many reasons each person gets; without any, scoring is many times faster
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(0..=3))]
    reasons: u8,
    /// Write how far the people are from those of training (JSON): per feature and for the score
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Fail (exit code 5) when the stability index of the score or of a feature is so high and beyond chance; the scores are
    /// written all the same
    #[arg(long, value_name = "PSI", num_args = 0..=1, default_missing_value = "0.25", value_parser = index)]
    fail_on_drift: Option<f64>,
    /// A job of more rows keeps each so many that are done, and goes on after them when it is broken off
    #[arg(long, value_name = "ROWS", default_value_t = 1 << 20, value_parser = clap::value_parser!(u64).range(1..))]
    part_rows: u64,
    /// Recent outcomes, the newest last, which correct how high the propensities stand: an earlier output with a column `attained` (yes
    /// or no), or for a snapshot a table like the input with its outcomes
    #[arg(long, value_name = "FILE")]
    recent: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum InputFormat {
    Csv,
    Parquet,
    Arrow,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum OutputFormat {
    Csv,
    Parquet,
    Arrow,
    /// An Arrow IPC stream, in place of a file.
    ArrowStream,
}

pub(super) fn run(args: &Args, global: &Global, ui: &Ui) -> Result<Answer> {
    let job = Job {
        model: args.model.clone(),
        input: args.input.clone(),
        input_format: args.input_format.map(|format| match format {
            InputFormat::Csv => Format::Csv,
            InputFormat::Parquet => Format::Parquet,
            InputFormat::Arrow => Format::Ipc,
        }),
        people: args.people.clone(),
        as_of: global.as_of,
        output: args.output.clone(),
        output_format: args.output_format.map(|format| match format {
            OutputFormat::Csv => Form::Csv,
            OutputFormat::Parquet => Form::Parquet,
            OutputFormat::Arrow => Form::IpcFile,
            OutputFormat::ArrowStream => Form::IpcStream,
        }),
        n_reasons: usize::from(args.reasons),
        report: args.report.clone(),
        fail_on_drift: args.fail_on_drift,
        part_rows: args.part_rows,
        recent: args.recent.clone(),
    };
    let done = score(&job, &mut std::io::stdout())?;
    let answer = Answer::new("score", told(&done), &done)?;
    // The scores went to stdout: what there is to say must not stand among them.
    Ok(if job.output.as_os_str() == PIPE { ui.aside(&answer) } else { answer })
}

fn told(done: &Done) -> String {
    let mean = done.mean_propensity.map(|mean| format!(", mean propensity {mean:.4}")).unwrap_or_default();
    let [n_people, n_eligible] = [done.n_people, done.n_eligible].map(grouped);
    let as_of = done.as_of.as_ref().map(|at| format!(" as of {at}")).unwrap_or_default();
    let mut text =
        format!("{n_people} people, {n_eligible} of them eligible and scored{as_of}{mean}: {}\n", done.output);
    if done.n_resumed > 0 {
        text += &format!("an earlier job had done {} rows of them\n", grouped(done.n_resumed));
    }
    text += &done.correction.as_ref().map(corrected).unwrap_or_default();
    text += &done.moved.as_ref().map(|moved| format!("warning: {moved}\n")).unwrap_or_default();
    for (reason, &rows) in &done.rejected {
        text += &format!("warning: {} rows of the input were not used: {}\n", grouped(rows), printable(reason));
    }
    text + &done.drift.as_ref().map(drift).unwrap_or_default()
}

/// What a person should look at.
fn drift(drift: &Drift) -> String {
    const SHOWN: usize = 5;
    let line = |moved: &Moved| {
        let unseen =
            if moved.n_unseen > 0 { format!(", {} never seen", grouped(moved.n_unseen)) } else { String::new() };
        let name = printable(&moved.feature);
        format!("warning: `{name}` has {}: PSI {:.3}{unseen}\n", moved.verdict.word(), moved.psi)
    };
    let drifted =
        || std::iter::once(&drift.score).chain(&drift.features).filter(|moved| moved.verdict != Verdict::Stable);
    let mut text: String = drifted().take(SHOWN).map(line).collect();
    let more = drifted().count().saturating_sub(SHOWN);
    if more > 0 {
        text += &format!("warning: {more} more features have drifted\n");
    }
    let unseen = drift.features.iter().filter(|moved| moved.verdict == Verdict::Stable && moved.n_unseen > 0);
    for moved in unseen.take(SHOWN) {
        let (name, rows) = (printable(&moved.feature), grouped(moved.n_unseen));
        text += &format!("warning: {rows} rows have a value of `{name}` that training never saw\n");
    }
    text
}

fn index(text: &str) -> std::result::Result<f64, String> {
    let index: f64 = text.parse().map_err(|_| "a stability index is a number, e.g. 0.25".to_owned())?;
    if index.is_finite() && index > 0.0 { Ok(index) } else { Err("a stability index is above 0, e.g. 0.25".to_owned()) }
}

fn corrected(correction: &Correction) -> String {
    let Correction { outcomes, mean_before, mean_after, shift, found_from } = correction;
    format!(
        "recent outcomes: {outcomes}, mean propensity of these {mean_before:.4}, corrected {mean_after:.4} (log odds {shift:+.3}; a mean by {found_from})\n"
    )
}
