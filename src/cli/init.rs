//! `clo init`.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::Global;
use super::answer::Answer;
use super::table::printable;
use super::ui::Ui;
use crate::error::{Error, Result};
use crate::init;
use crate::store;

/// Write a clo.toml: guessed from files with --from, else a template to fill in
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where it goes
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// The files to guess from: ids, times, events and likely stages
    #[arg(long, value_name = "FILE", num_args = 1..)]
    from: Vec<PathBuf>,
    /// The column that holds what is to be predicted, of files with a row per person; with =VALUE, the value that means yes
    #[arg(long, value_name = "COLUMN", requires = "from")]
    outcome: Option<String>,
    /// Replace a clo.toml that stands there
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &Args, _: &Global, ui: &Ui) -> Result<Answer> {
    let spec = args.folder.join("clo.toml");
    if spec.exists() && !args.force {
        return Err(Error::usage(format!("{} is there already", spec.display()))
            .hint("choose another folder, or replace it with --force"));
    }
    let (text, notes) = if args.from.is_empty() {
        (init::TEMPLATE.to_owned(), Vec::new())
    } else {
        let files = args.from.iter().map(|file| whole(file)).collect::<Result<Vec<_>>>()?;
        let folder = whole_folder(&args.folder)?;
        let project = folder.file_name().map_or_else(|| "project".into(), |name| name.to_string_lossy().into_owned());
        let progress = ui.progress();
        progress.wait("looking at the files");
        let guessed = init::guess(&folder, &project, &files, args.outcome.as_deref())?;
        drop(progress);
        (guessed.text, guessed.notes)
    };
    store::write_bytes(&spec, text.as_bytes())?;
    let found: String = notes.iter().map(|note| format!("- {}\n", printable(note))).collect();
    let shown = spec.display();
    let next = match (args.from.is_empty(), args.folder == Path::new(".")) {
        (true, _) => "Next: fill in what is yours, then clo check".to_owned(),
        (false, true) => "Next: look at it, then clo check, clo run".to_owned(),
        (false, false) => format!("Next: look at it, then clo run --spec {}", args.folder.display()),
    };
    let document = json!({ "spec": shown.to_string(), "guesses": notes });
    Answer::new("init", format!("Wrote {shown}\n{found}{next}\n"), &document)
}

/// A file's whole path.
fn whole(file: &Path) -> Result<PathBuf> {
    if !file.is_file() {
        let message = format!("there is no file {}", file.display());
        return Err(Error::data(message).hint("name files, not folders: clo init --from data/*.csv"));
    }
    file.canonicalize().map_err(|source| Error::io("read", file, &source))
}

/// A folder's whole path, also of one that is still to be made.
fn whole_folder(folder: &Path) -> Result<PathBuf> {
    if folder.exists() {
        return folder.canonicalize().map_err(|source| Error::io("read", folder, &source));
    }
    std::path::absolute(folder).map_err(|source| Error::io("make", folder, &source))
}
