//! `clo report`.

use super::answer::Answer;
use super::ui::Ui;
use super::{Global, phase};
use crate::error::Result;
use crate::pipeline::Phase;

/// Write the report: one page that opens offline, and a workbook
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    options: phase::Options,
}

pub(super) fn run(args: &Args, global: &Global, ui: &Ui) -> Result<Answer> {
    phase::run("report", Phase::Report, args.options, global, ui)
}
