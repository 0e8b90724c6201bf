//! `clo predict`.

use super::answer::Answer;
use super::ui::Ui;
use super::{Global, phase};
use crate::error::Result;
use crate::pipeline::Phase;

/// Predict who will make each transition: a model, its honest evaluation, scores with reasons
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    options: phase::Options,
}

pub(super) fn run(args: &Args, global: &Global, ui: &Ui) -> Result<Answer> {
    phase::run("predict", Phase::Predict, args.options, global, ui)
}
