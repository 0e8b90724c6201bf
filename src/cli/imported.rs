//! `clo models import`.

use std::path::PathBuf;

use serde_json::json;

use super::Global;
use super::answer::Answer;
use super::project;
use crate::error::{Error, Result};
use crate::predict::import::{Named, card, import};
use crate::store::{self, models};

/// Take over a model of XGBoost (JSON) or LightGBM (text), for `clo score`
///
/// Its features are columns of the table that is scored, by name. It is put in use if no version is in use yet.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file: model.json of XGBoost, or model.txt of LightGBM
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// The prediction that it becomes a version of
    #[arg(long)]
    name: String,
    /// The column of the person's id in tables to be scored [default: the row's number]
    #[arg(long, value_name = "COLUMN")]
    person: Option<String>,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<Answer> {
    let folder = project::folders(global).models;
    let plain = |name: &str| !name.is_empty() && name.chars().all(|each| each.is_alphanumeric() || "-_".contains(each));
    if !plain(&args.name) {
        return Err(Error::usage(format!("`{}` cannot name a prediction", args.name)).hint("letters, digits, - and _"));
    }
    let bytes = store::read_bytes(&args.from).map_err(|source| Error::io("read", &args.from, &source))?;
    let named = Named { prediction: &args.name, person: args.person.as_deref() };
    let bundle = import(&bytes, &named).map_err(|error| error.context(args.from.display()))?;
    let file = args.from.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let card = card(&bundle, &file).into_bytes();
    let version = models::keep(&folder, &args.name, &bundle.to_bytes()?, &[("card.md", card)])?;
    let in_use = models::current(&folder, &args.name);
    if in_use.is_none() {
        models::promote(&folder, &args.name, &version)?;
    }
    let place = folder.join(&args.name).join(&version).display().to_string();
    let used = match &in_use {
        None => "in use".to_owned(),
        Some(other) => format!("kept; {other} is in use"),
    };
    let text = format!("{} of {}, {} features, {used}: {place}\n", bundle.estimator, args.name, bundle.features.len());
    Answer::new("models import", text, &json!({ "prediction": args.name, "version": version, "path": place }))
}
