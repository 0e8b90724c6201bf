//! `clo schema`.

use super::answer::Answer;
use crate::spec;

/// Print the JSON Schema of clo.toml, for editors that complete and check it
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_: &Args) -> Answer {
    let schema = spec::schema();
    Answer { text: format!("{schema:#}\n"), json: schema }
}
