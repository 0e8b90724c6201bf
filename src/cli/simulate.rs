//! `clo simulate`.

use std::path::PathBuf;

use serde_json::json;

use super::Global;
use super::answer::Answer;
use super::table::{Align, Table};
use crate::error::Result;
use crate::rate::grouped;
use crate::simulate::{Settings, simulate, simulate_with_leaks};

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
    /// Add columns that know what became of people, to see how they are found
    #[arg(long)]
    leaks: bool,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<Answer> {
    let defaults = Settings::default();
    let settings = Settings {
        n_people: args.people,
        seed: global.seed.unwrap_or(defaults.seed),
        reveal_traits: args.reveal_traits,
    };
    let make = if args.leaks { simulate_with_leaks } else { simulate };
    let made = make(&args.folder, &settings)?;
    let mut table = Table::new([("file", Align::Left), ("rows", Align::Right)]);
    made.files.iter().for_each(|file| table.row([file.path.clone(), grouped(file.rows)]));
    let spec = made.spec.display();
    let n_people = grouped(made.n_people as u64);
    let text = format!("A shop that {n_people} people know\n{}\nNext: clo run --spec {spec}\n", table.render());
    let files: Vec<_> = made.files.iter().map(|file| json!({ "path": file.path, "rows": file.rows })).collect();
    let document =
        json!({ "spec": spec.to_string(), "n_people": made.n_people, "seed": settings.seed, "files": files });
    Answer::new("simulate", text, &document)
}
