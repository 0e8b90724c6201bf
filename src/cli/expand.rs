//! `clo expand`.

use super::answer::Answer;
use super::ui::Ui;
use super::{Global, phase};
use crate::error::Result;
use crate::pipeline::Phase;

/// Expand to the people worth reaching: ranked, suppressed, consented lists with a holdout
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    options: phase::Options,
}

pub(super) fn run(args: &Args, global: &Global, ui: &Ui) -> Result<Answer> {
    phase::run("expand", Phase::Expand, args.options, global, ui)
}
