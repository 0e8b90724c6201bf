//! `clo run`.

use super::answer::Answer;
use super::ui::Ui;
use super::{Global, phase};
use crate::error::Result;
use crate::pipeline::Phase;

/// Do it all: map, discover, predict, expand, report
///
/// What nothing has changed for is left as it is; what has changed, and what depends on it, is done again.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    options: phase::Options,
}

pub(super) fn run(args: &Args, global: &Global, ui: &Ui) -> Result<Answer> {
    phase::run("run", Phase::Report, args.options, global, ui)
}
