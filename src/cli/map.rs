//! `clo map`.

use std::path::PathBuf;

use super::answer::Answer;
use super::table::{Align, Table, printable};
use super::ui::Ui;
use super::{Global, phase, project};
use crate::error::Result;
use crate::pipeline::Phase;
use crate::pipeline::diff::{Difference, KpiChange, StageChange, TransitionChange, diff};
use crate::rate::grouped;

/// Map the lifecycle: who stood in which stage when, and the transitions between stages
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    options: phase::Options,
    /// Write nothing: show what another spec over the same tables would change, who, which transitions and KPIs
    #[arg(long, value_name = "OTHER.toml")]
    diff: Option<PathBuf>,
}

pub(super) fn run(args: &Args, global: &Global, ui: &Ui) -> Result<Answer> {
    let Some(other) = &args.diff else { return phase::run("map", Phase::Map, args.options, global, ui) };
    let project = project::open(global)?;
    let other = project::spec(other, global)?;
    let progress = ui.progress();
    progress.wait("mapping with both specs");
    let difference = diff(&project.spec, &other)?;
    drop(progress);
    Answer::new("map", text(&difference), &difference)
}

fn text(difference: &Difference) -> String {
    let Difference { n_people, n_moved, n_other_history, specs, .. } = difference;
    #[expect(clippy::cast_precision_loss, reason = "counts of people fit a double's 53 bits")]
    let share = 100.0 * *n_moved as f64 / (*n_people).max(1) as f64;
    let mut text = format!(
        "With {} in place of {}: {} of {} people ({share:.1} %) would stand elsewhere, {} more would have another history.\n",
        printable(&specs[1]),
        printable(&specs[0]),
        grouped(*n_moved),
        grouped(*n_people),
        grouped(*n_other_history),
    );
    let parts = [
        (!difference.moves.is_empty(), moves(difference)),
        (true, stages(&difference.stages)),
        (!difference.transitions.is_empty(), transitions(&difference.transitions)),
        (!difference.kpis.is_empty(), kpis(&difference.kpis)),
    ];
    for (_, part) in parts.iter().filter(|(is_there, _)| *is_there) {
        text += &format!("\n{part}");
    }
    text
}

fn moves(difference: &Difference) -> String {
    let mut table =
        Table::new([("people", Align::Right), ("from", Align::Left), ("to", Align::Left), ("see", Align::Left)]);
    let named = |stage: &Option<String>| stage.clone().unwrap_or_else(|| "(no stage)".to_owned());
    for change in &difference.moves {
        table.row([grouped(change.n_people), named(&change.from), named(&change.to), change.people.join(", ")]);
    }
    table.render()
}

fn stages(stages: &[StageChange]) -> String {
    let mut table = Table::new([
        ("stage", Align::Left),
        ("people now", Align::Right),
        ("then", Align::Right),
        ("ever", Align::Right),
        ("then", Align::Right),
    ]);
    let count = |n: Option<u64>| n.map_or_else(|| "-".to_owned(), grouped);
    for StageChange { stage, n_people_now: [now, now_then], n_people_ever: [ever, ever_then] } in stages {
        table.row([stage.clone(), count(*now), count(*now_then), count(*ever), count(*ever_then)]);
    }
    table.render()
}

fn transitions(transitions: &[TransitionChange]) -> String {
    let mut table = Table::new([
        ("transition", Align::Left),
        ("now", Align::Left),
        ("then", Align::Left),
        ("change", Align::Right),
        ("median days", Align::Right),
        ("then", Align::Right),
    ]);
    for change in transitions {
        let [now, then] = change.people.map(|rate| rate.map_or_else(|| "-".to_owned(), |rate| rate.to_string()));
        let [days, days_then] = change.median_days.map(number);
        let points = format!("{:+.1} points", 100.0 * change.change);
        table.row([format!("{} → {}", change.from, change.to), now, then, points, days, days_then]);
    }
    table.render()
}

fn kpis(kpis: &[KpiChange]) -> String {
    let mut table = Table::new([
        ("stage", Align::Left),
        ("KPI", Align::Left),
        ("now", Align::Right),
        ("then", Align::Right),
        ("change", Align::Right),
    ]);
    for kpi in kpis {
        let is_share = kpi.unit == "share";
        let shown = |value: Option<f64>| match value {
            Some(share) if is_share => format!("{:.1} %", 100.0 * share),
            other => number(other),
        };
        let change = match kpi.change {
            Some(change) if is_share => format!("{:+.1} points", 100.0 * change),
            Some(change) => format!("{change:+.1}"),
            None => String::new(),
        };
        let [now, then] = kpi.value.map(shown);
        table.row([kpi.stage.clone(), kpi.kpi.clone(), now, then, change]);
    }
    table.render()
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1}"))
}
