//! `clo map`.

use super::answer::Answer;
use super::ui::Ui;
use super::{Global, phase};
use crate::error::Result;
use crate::pipeline::Phase;

/// Map the lifecycle: who stood in which stage when, and the transitions between stages
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    options: phase::Options,
}

pub(super) fn run(args: &Args, global: &Global, ui: &Ui) -> Result<Answer> {
    phase::run("map", Phase::Map, args.options, global, ui)
}
