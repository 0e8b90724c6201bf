//! `clo simulate`.

use std::path::PathBuf;

use super::Global;
use super::answer::Answer;
use crate::error::Result;

/// Make a shop whose truth is known: raw files, a clo.toml that works on them, and truth.parquet
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where it goes
    #[arg(value_name = "DIR", default_value = "shop")]
    folder: PathBuf,
    /// How many people the shop knows
    #[arg(long, value_name = "N", default_value_t = 5000)]
    people: usize,
    /// Show the latent traits as attributes, to learn what a perfect model could know
    #[arg(long)]
    reveal_traits: bool,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<Answer> {
    let _ = (args, global);
    Err(crate::error::Error::internal("simulate is not built yet"))
}
