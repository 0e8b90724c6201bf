//! `clo models`.

use clap::Subcommand;
use serde::Serialize;
use serde_json::json;

use super::answer::Answer;
use super::table::{Align, Table};
use super::{Global, numbers, project};
use crate::error::Result;
use crate::pipeline::realised::check;
use crate::pipeline::versions::{Difference, Version, difference, list, show};
use crate::predict::realised::{Group, Realised};
use crate::rate::grouped;
use crate::store::models;

/// List, compare and choose the versions of models
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List every version of every model; a star marks the one in use
    List,
    /// Show a version's card
    Show(Named),
    /// Put a version in use
    Promote(Named),
    /// Put the version before the one in use back in use
    Rollback {
        /// The prediction
        prediction: String,
    },
    /// Compare what earlier runs predicted with what has come of people since, by tenth of the score and by month
    ///
    /// Each run over events keeps whom it scored and when. Needs the spec and its data.
    Check {
        /// The prediction; default: all
        prediction: Option<String>,
    },
    /// Compare two versions on the test part of each
    Diff {
        /// The prediction
        prediction: String,
        /// A version: its name, v2, or current
        from: String,
        /// Another
        #[arg(default_value = models::CURRENT)]
        to: String,
    },
}

#[derive(Debug, clap::Args)]
struct Named {
    /// The prediction
    prediction: String,
    /// The version: its name, v2, or current
    #[arg(default_value = models::CURRENT)]
    version: String,
}

pub(super) fn run(args: Args, global: &Global) -> Result<Answer> {
    let folder = project::folders(global).models;
    match args.command {
        Command::List => {
            let versions = list(&folder)?;
            Answer::new("models list", listed(&versions), &json!({ "versions": versions }))
        }
        Command::Show(Named { prediction, version }) => {
            let shown = show(&folder, &prediction, &version)?;
            Answer::new("models show", shown.card.clone(), &shown)
        }
        Command::Promote(Named { prediction, version }) => {
            let from = models::current(&folder, &prediction);
            let to = models::find(&folder, &prediction, &version)?;
            models::promote(&folder, &prediction, &to)?;
            moved("models promote", &Moved { prediction, from, to })
        }
        Command::Rollback { prediction } => {
            let (from, to) = models::rollback(&folder, &prediction)?;
            moved("models rollback", &Moved { prediction, from: Some(from), to })
        }
        Command::Check { prediction } => {
            let found = check(&project::open(global)?, prediction.as_deref())?;
            let text = found.iter().map(came).collect::<Vec<_>>().join("\n");
            Answer::new("models check", text, &json!({ "predictions": found }))
        }
        Command::Diff { prediction, from, to } => {
            let difference = difference(&folder, &prediction, &from, &to)?;
            Answer::new("models diff", differing(&difference), &difference)
        }
    }
}

#[derive(Debug, Serialize)]
struct Moved {
    prediction: String,
    from: Option<String>,
    to: String,
}

fn moved(command: &str, moved: &Moved) -> Result<Answer> {
    let before = moved.from.as_ref().map(|from| format!(", in place of {from}")).unwrap_or_default();
    let text = format!("{} now uses {}{before}\n", moved.prediction, moved.to);
    Answer::new(command, text, moved)
}

fn listed(versions: &[Version]) -> String {
    if versions.is_empty() {
        return "No models yet: clo predict makes them.\n".to_owned();
    }
    let mut table = Table::new([
        ("prediction", Align::Left),
        ("", Align::Left),
        ("version", Align::Left),
        ("model", Align::Left),
        ("test AUC", Align::Left),
    ]);
    for version in versions {
        let mark = if version.is_current { "*" } else { "" };
        let auc = numbers::measured(version.roc_auc.as_ref(), 3);
        let estimator = version.estimator.clone();
        table.row([version.prediction.clone(), mark.to_owned(), version.version.clone(), estimator, auc]);
    }
    table.render()
}

fn came(found: &Realised) -> String {
    let Realised { prediction, horizon, n_cutoffs, n_immature, all, deciles, months, .. } = found;
    let Some(all) = all else {
        return format!("{prediction}: no scores of an earlier run are {horizon} old yet ({n_immature} are kept)\n");
    };
    let mut table =
        Table::new([("group", Align::Left), ("predicted", Align::Right), ("realised", Align::Left), ("", Align::Left)]);
    let mut rows = |kind: &str, groups: &[Group]| {
        for Group { group, predicted, realised, as_predicted, .. } in groups {
            let mark = if *as_predicted { "" } else { "not as predicted" };
            table.row([
                format!("{kind}{group}"),
                format!("{:.1} %", 100.0 * predicted),
                realised.to_string(),
                mark.to_owned(),
            ]);
        }
    };
    rows("", std::slice::from_ref(all));
    rows("tenth ", deciles);
    rows("", months);
    let people = grouped(all.realised.n_eligible);
    format!("{prediction}: {people} people scored at {n_cutoffs} cutoffs, {horizon} later\n{}", table.render())
}

fn differing(difference: &Difference) -> String {
    let Difference { prediction, from, to, metrics } = difference;
    let mut table = Table::new([("metric", Align::Left), ("from", Align::Left), ("to", Align::Left)]);
    table.row(["version".to_owned(), from.clone(), to.clone()]);
    for (name, [from, to]) in metrics {
        table.row([name.clone(), numbers::measured(from.as_ref(), 4), numbers::measured(to.as_ref(), 4)]);
    }
    format!("{prediction}, each on its own test part\n{}", table.render())
}
