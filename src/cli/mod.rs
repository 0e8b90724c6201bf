//! The program: one command a file, each an `Args` and a `run` that reads its arguments, calls the library and returns an
//! [`Answer`]. Only this module knows a terminal, a clock and the environment.

#![expect(clippy::disallowed_methods, reason = "the program is where the environment is read")]

mod answer;
mod check;
mod completions;
mod discover;
mod expand;
mod explain;
mod exported;
mod imported;
mod init;
mod map;
mod measure;
mod models;
mod numbers;
mod phase;
mod predict;
mod process;
mod project;
mod report;
mod run;
mod schema;
mod score;
mod simulate;
mod table;
mod ui;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::error::{Error, Result};
use crate::time::Time;
use answer::Answer;
use ui::Ui;

/// From raw customer data to lists of people worth reaching.
///
/// clo maps the customer lifecycle, discovers what the data knows about it, predicts who will move from one stage to the
/// next, and expands to the people worth reaching. All of it is described in one file, clo.toml.
#[derive(Debug, Parser)]
#[command(name = "clo", version, propagate_version = true, disable_help_subcommand = true, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command understands.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
#[command(next_help_heading = "Global options")]
struct Global {
    /// The project: clo.toml, or the folder that holds it
    #[arg(long, global = true, value_name = "FILE", default_value = "clo.toml")]
    spec: PathBuf,
    /// Where results go [default: out/ beside clo.toml]
    #[arg(long, global = true, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How many threads work [default: one per core]; results do not depend on it
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// The seed of every random choice, in place of the spec's
    #[arg(long, global = true, value_name = "N")]
    seed: Option<u64>,
    /// Go back to this time: what happened at or after it, or was known only then, is not looked at
    #[arg(long, global = true, value_name = "TIME", value_parser = time)]
    as_of: Option<Time>,
    /// Write the result as one JSON document
    #[arg(long, global = true)]
    json: bool,
    /// Say nothing but results and errors
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Say more: what is done, and how long it took
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    verbose: bool,
    /// Show no progress bar
    #[arg(long, global = true)]
    no_progress: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Args),
    Run(run::Args),
    Check(check::Args),
    Map(map::Args),
    Discover(discover::Args),
    Predict(predict::Args),
    Expand(expand::Args),
    Explain(explain::Args),
    Report(report::Args),
    Score(score::Args),
    Measure(measure::Args),
    Models(models::Args),
    Simulate(simulate::Args),
    Schema(schema::Args),
    Completions(completions::Args),
}

/// The whole program.
#[must_use]
pub fn main() -> ExitCode {
    process::tame_panics();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(refusal) => return ui::refuse(&refusal),
    };
    let ui = Ui::new(&cli.global);
    let result = process::with_threads(cli.global.threads).and_then(|()| process::guarded(|| run_command(cli, &ui)));
    match result {
        Ok(answer) => ui.give(&answer),
        Err(error) => ui.fail(&error),
    }
}

fn run_command(cli: Cli, ui: &Ui) -> Result<Answer> {
    let Cli { global, command } = cli;
    match command {
        Command::Init(args) => init::run(&args, &global, ui),
        Command::Run(args) => run::run(&args, &global, ui),
        Command::Check(args) => check::run(&args, &global, ui),
        Command::Map(args) => map::run(&args, &global, ui),
        Command::Discover(args) => discover::run(&args, &global, ui),
        Command::Predict(args) => predict::run(&args, &global, ui),
        Command::Expand(args) => expand::run(&args, &global, ui),
        Command::Explain(args) => explain::run(args, &global, ui),
        Command::Report(args) => report::run(&args, &global, ui),
        Command::Score(args) => score::run(&args, &global, ui),
        Command::Measure(args) => measure::run(args, &global, ui),
        Command::Models(args) => models::run(args, &global),
        Command::Simulate(args) => simulate::run(&args, &global),
        Command::Schema(args) => Ok(schema::run(&args)),
        Command::Completions(args) => Ok(completions::run(&args, &mut Cli::command())),
    }
}

fn time(text: &str) -> std::result::Result<Time, String> {
    text.parse().map_err(|error: Error| format!("{}; {}", error.message(), error.hints().join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
