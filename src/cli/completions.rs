//! `clo completions`.

use clap_complete::Shell;
use serde_json::json;

use super::answer::{Answer, FORMAT_VERSION};

/// Print a shell's completions: `clo completions bash > /etc/bash_completion.d/clo`
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which shell
    shell: Shell,
}

pub(super) fn run(args: &Args, program: &mut clap::Command) -> Answer {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, program, "clo", &mut script);
    let text = String::from_utf8_lossy(&script).into_owned();
    let json = json!({ "format_version": FORMAT_VERSION, "command": "completions", "script": text });
    Answer { text, json }
}
