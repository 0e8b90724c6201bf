//! `clo models`.

use std::path::Path;

use clap::Subcommand;
use serde::Serialize;
use serde_json::json;

use super::answer::Answer;
use super::table::{Align, Table, printable};
use super::{Global, exported, imported, numbers, project};
use crate::error::Result;
use crate::pipeline::gate::{Evidence, Verdict, gate};
use crate::pipeline::realised::{Scored, check};
use crate::pipeline::versions::{Difference, Version, difference, list, show};
use crate::predict::realised::{Group, Realised};
use crate::rate::grouped;
use crate::store::lock::{self, Lock};
use crate::store::moves::{self, Kind, Move};
use crate::store::{Layout, models};
use crate::time::Time;

/// List, compare, choose, and hand on the versions of models
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
    /// Put a version in use, if it is not worse than the one in use on the newest outcomes
    Promote(Promote),
    /// Put the version before the one in use back in use
    Rollback {
        /// The prediction
        prediction: String,
        /// Why, to be written down
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Compare what earlier runs predicted with what has come of people since, by tenth of the score and by month
    ///
    /// Each run over events keeps whom it scored and when, a run of each week for two years. Needs the spec and its data.
    Check {
        /// The prediction; default: all
        prediction: Option<String>,
        /// What `clo score` wrote, in place of what runs kept: files, each scored as of the day in its name
        /// (scores-2024-10-01.csv), or as of TIME when it is told so. What became of people in a snapshot its table says
        #[arg(long, value_name = "[TIME=]FILE", num_args = 1.., requires = "prediction", value_parser = scored)]
        scores: Vec<Scored>,
    },
    /// Compare two versions: settings, features, metrics on the same examples, scores
    Diff {
        /// The prediction
        prediction: String,
        /// A version: its name, v2, or current
        from: String,
        /// Another
        #[arg(default_value = models::CURRENT)]
        to: String,
    },
    /// Show who put which version in use, when and why
    History {
        /// The prediction
        prediction: String,
    },
    Export(exported::Args),
    Import(imported::Args),
}

#[derive(Debug, clap::Args)]
struct Named {
    /// The prediction
    prediction: String,
    /// The version: its name, v2, or current
    #[arg(default_value = models::CURRENT)]
    version: String,
}

#[derive(Debug, clap::Args)]
struct Promote {
    #[command(flatten)]
    named: Named,
    /// Put it in use even if it is worse, or if nothing tells
    #[arg(long)]
    force: bool,
    /// Why, to be written down
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

pub(super) fn run(args: Args, global: &Global) -> Result<Answer> {
    let layout = project::folders(global);
    let folder = &layout.models;
    match args.command {
        Command::List => {
            let versions = list(folder)?;
            Answer::new("models list", listed(&versions), &json!({ "versions": versions }))
        }
        Command::Show(Named { prediction, version }) => {
            let shown = show(folder, &prediction, &version)?;
            Answer::new("models show", shown.card.clone(), &shown)
        }
        Command::Promote(args) => promote(&args, &layout),
        Command::Rollback { prediction, reason } => {
            models::in_use_and_older(folder, &prediction)?;
            let lock = locked(folder, &prediction, "rollback")?;
            let (from, to) = moves::rollback_target(folder, &prediction)?;
            let moved =
                Move { at: now(), kind: Kind::Rollback, from: Some(from), to, forced: false, reason, gate: None };
            done(&lock, "models rollback", folder, prediction, moved, None)
        }
        Command::Check { prediction, scores } => {
            let found = check(&project::open(global)?, prediction.as_deref(), &scores)?;
            let text = found.iter().map(came).collect::<Vec<_>>().join("\n");
            Answer::new("models check", text, &json!({ "predictions": found }))
        }
        Command::Diff { prediction, from, to } => {
            let difference = difference(&layout, &prediction, &from, &to)?;
            Answer::new("models diff", differing(&difference), &difference)
        }
        Command::History { prediction } => {
            models::in_use_and_older(folder, &prediction)?;
            let moves = moves::read(folder, &prediction)?;
            Answer::new("models history", told(&moves), &json!({ "prediction": prediction, "moves": moves }))
        }
        Command::Export(args) => exported::run(&args),
        Command::Import(args) => imported::run(&args, global),
    }
}

fn promote(Promote { named, force, reason }: &Promote, layout: &Layout) -> Result<Answer> {
    let Named { prediction, version } = named;
    let folder = &layout.models;
    let to = models::find(folder, prediction, version)?;
    let lock = locked(folder, prediction, "promote")?;
    let from = models::current(folder, prediction);
    if from.as_ref() == Some(&to) {
        let text = format!("{prediction} uses {to} already\n");
        return Answer::new("models promote", text, &Moved { prediction: prediction.clone(), from, to, verdict: None });
    }
    let verdict = match &from {
        Some(from) => Some(gate(layout, prediction, from, &to)?),
        None => None,
    };
    if let Some(verdict) = verdict.as_ref().filter(|verdict| !verdict.passed && !force) {
        return Err(verdict.refusal(prediction, &to));
    }
    let said = verdict.as_ref().map(|verdict| verdict.because.clone());
    let forced = verdict.as_ref().is_some_and(|verdict| !verdict.passed);
    let moved = Move { at: now(), kind: Kind::Promote, from, to, forced, reason: reason.clone(), gate: said };
    done(&lock, "models promote", folder, prediction.clone(), moved, verdict)
}

#[derive(Debug, Serialize)]
struct Moved {
    prediction: String,
    from: Option<String>,
    to: String,
    #[serde(flatten)]
    verdict: Option<Verdict>,
}

/// The models of a prediction, which nobody else may move between what is looked at and what is done.
fn locked(folder: &Path, prediction: &str, command: &str) -> Result<Lock> {
    lock::acquire(&folder.join(prediction), &format!("clo models {command}"))
}

fn done(
    _: &Lock,
    command: &str,
    folder: &Path,
    prediction: String,
    moved: Move,
    verdict: Option<Verdict>,
) -> Result<Answer> {
    moves::do_and_record(folder, &prediction, &moved)?;
    let Move { from, to, forced, gate, .. } = moved;
    let before = from.as_ref().map(|from| format!(", in place of {from}")).unwrap_or_default();
    let because = gate.map(|gate| format!(": {gate}")).unwrap_or_default();
    let forced = if forced { " by force" } else { "" };
    let text = format!("{prediction} now uses {to}{before}{forced}{because}\n");
    Answer::new(command, text, &Moved { prediction, from, to, verdict })
}

/// The clock: nothing but the program looks at it.
fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
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

/// A file of scores and the time it was scored as of, told before it or by its name.
fn scored(text: &str) -> std::result::Result<Scored, String> {
    let told = text.split_once('=').and_then(|(time, file)| Some((time.parse().ok()?, file)));
    if let Some((as_of, file)) = told {
        return Ok(Scored { as_of, file: file.into() });
    }
    let as_of = day_in(text).ok_or("its name holds no day that it was scored as of: say 2024-10-01=FILE")?;
    Ok(Scored { as_of, file: text.into() })
}

/// The last day that a path names, `2024-10-01` or `20241001`; not one that a time of day goes with.
fn day_in(path: &str) -> Option<Time> {
    let is_digit = |at: usize| path.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let day = |at: usize| {
        let end = [10, 8].map(|length| at + length).into_iter().find(|&end| path.get(at..end).is_some_and(is_a_day))?;
        let apart = !is_digit(end) && (at == 0 || !is_digit(at - 1));
        let timed = matches!(path.as_bytes().get(end), Some(b'T' | b't')) && is_digit(end + 1);
        if apart && !timed { path[at..end].parse().ok() } else { None }
    };
    (0..path.len()).rev().find_map(day)
}

fn is_a_day(text: &str) -> bool {
    let is_dash = |at: usize| text.len() == 10 && (at == 4 || at == 7);
    text.bytes().enumerate().all(|(at, byte)| if is_dash(at) { byte == b'-' } else { byte.is_ascii_digit() })
}

fn came(found: &Realised) -> String {
    let Realised { prediction, horizon, n_cutoffs, n_immature, matures, n_people, all, deciles, months, .. } = found;
    let waiting = matures.as_ref().map(|at| format!("the first of them can be looked at once the data reaches {at}"));
    let Some(all) = all else {
        return match waiting {
            None => format!("{prediction}: no scores are kept yet: each run keeps them\n"),
            Some(waiting) => format!("{prediction}: no scores are old enough yet: {waiting}\n"),
        };
    };
    let mut table =
        Table::new([("group", Align::Left), ("predicted", Align::Right), ("realised", Align::Left), ("", Align::Left)]);
    let mut rows = |kind: &str, groups: &[Group]| {
        for Group { group, predicted, realised, low, high, as_predicted, .. } in groups {
            let mark = if *as_predicted { "" } else { "not as predicted" };
            table.row([
                format!("{kind}{group}"),
                format!("{:.1} %", 100.0 * predicted),
                realised.within((*low, *high)),
                mark.to_owned(),
            ]);
        }
    };
    rows("", std::slice::from_ref(all));
    rows("tenth ", deciles);
    rows("", months);
    let [scores, people] = [all.realised.n_eligible, *n_people].map(grouped);
    let left_out = [
        (found.n_unknown, "of people whom the data does not know are left out"),
        (found.n_not_eligible, "of people who, by what is known now, stood elsewhere then are left out"),
    ];
    let left_out: String = left_out
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, why)| format!("warning: {} scores {why}\n", grouped(n)))
        .collect();
    let waiting = waiting
        .map_or_else(String::new, |waiting| format!("cutoffs whose horizon is not over: {n_immature}; {waiting}\n"));
    let until = horizon.as_ref().map_or_else(|| "until now".to_owned(), |horizon| format!("{horizon} later"));
    let table = table.render();
    format!(
        "{prediction}: {scores} scores of {people} people, cutoffs: {n_cutoffs}, {until}\n{table}{left_out}{waiting}"
    )
}

fn told(moves: &[Move]) -> String {
    if moves.is_empty() {
        return "No version was put in use by hand: each run puts what it trained in use.\n".to_owned();
    }
    let mut table = Table::new([
        ("when", Align::Left),
        ("what", Align::Left),
        ("from", Align::Left),
        ("to", Align::Left),
        ("why", Align::Left),
    ]);
    for one in moves {
        let what = match (one.kind, one.forced) {
            (Kind::Promote, false) => "promoted",
            (Kind::Promote, true) => "promoted by force",
            (Kind::Rollback, _) => "rolled back",
        };
        let why = one.reason.as_deref().map_or_else(String::new, printable);
        let from = one.from.clone().unwrap_or_default();
        table.row([one.at.clone(), what.to_owned(), from, one.to.clone(), why]);
    }
    table.render()
}

fn differing(difference: &Difference) -> String {
    let Difference { prediction, from, to, metrics, .. } = difference;
    let columns = || [("", Align::Left), ("from", Align::Left), ("to", Align::Left)];
    let mut table = Table::new(columns());
    table.row(["version".to_owned(), from.clone(), to.clone()]);
    for (name, [from, to]) in &difference.settings {
        table.row([name.clone(), from.to_string(), to.to_string()].map(|cell| printable(&cell)));
    }
    let mut text = format!("{prediction}\n{}", table.render());
    for (what, names) in [("only before", &difference.features_removed), ("only now", &difference.features_added)] {
        if !names.is_empty() {
            text += &format!("features {what}: {}\n", printable(&names.join(", ")));
        }
    }
    let mut table = Table::new(columns());
    for (name, [from, to]) in metrics {
        table.row([name.clone(), numbers::measured(from.as_ref(), 4), numbers::measured(to.as_ref(), 4)]);
    }
    text += &format!("\neach on its own test part\n{}\n", table.render());
    text += &match &difference.on_the_same {
        Some(evidence) => on_the_same(evidence),
        None => "no example whose outcome is known of which both have an honest score\n".to_owned(),
    };
    if let Some(shift) = &difference.scores {
        text += &format!(
            "\nscores of the {} people eligible now: mean {:.4} to {:.4}, changed by {:.4} on average, rank correlation {}, {:.0} % of the best tenth kept\n",
            grouped(shift.n as u64),
            shift.mean[0],
            shift.mean[1],
            shift.mean_change,
            shift.rank_correlation.map_or_else(|| "–".to_owned(), |rank| format!("{rank:.3}")),
            100.0 * shift.best_tenth_kept
        );
    }
    text
}

fn on_the_same(evidence: &Evidence) -> String {
    let mut table = Table::new([
        ("metric", Align::Left),
        ("from", Align::Right),
        ("to", Align::Right),
        ("difference, 95 % interval", Align::Left),
    ]);
    for (name, compared) in &evidence.metrics {
        let Some(compared) = compared else { continue };
        let of = compared.difference;
        let difference = format!("{:+.4} ({:+.4} to {:+.4})", of.value, of.low, of.high);
        table.row([(*name).to_owned(), format!("{:.4}", compared.from), format!("{:.4}", compared.to), difference]);
    }
    let span =
        evidence.cutoffs.as_ref().map_or_else(String::new, |[first, last]| format!(", cutoffs {first} to {last}"));
    let [n, attained] = [evidence.n, evidence.n_attained].map(|n| grouped(n as u64));
    format!("on the same {n} examples, {attained} attained{span}; paired bootstrap over people\n{}", table.render())
}
