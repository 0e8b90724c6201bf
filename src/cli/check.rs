//! `clo check`.

use super::answer::Answer;
use super::table::{Align, Table};
use super::ui::Ui;
use super::{Global, phase, project};
use crate::error::Result;
use crate::pipeline::check::{Checked, check};
use crate::rate::grouped;

/// Check the spec against the data, and write nothing
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_: &Args, global: &Global, ui: &Ui) -> Result<Answer> {
    let project = project::open(global)?;
    let progress = ui.progress();
    progress.wait("reading the data");
    let checked = check(&project.spec)?;
    drop(progress);
    Answer::new("check", text(&checked), &checked)
}

fn text(checked: &Checked) -> String {
    let mut text = tables(checked);
    if !checked.events.is_empty() {
        text += &format!("\n{}", events(checked));
    }
    text += &format!("\n{}", phase::stages(&checked.lifecycle));
    if !checked.findings.is_empty() {
        text += &format!("\n{}", phase::findings(&checked.findings));
    }
    text
}

fn tables(checked: &Checked) -> String {
    let mut table =
        Table::new([("table", Align::Left), ("file", Align::Left), ("rows", Align::Right), ("rejected", Align::Right)]);
    for read in &checked.tables {
        table.row([read.table.clone(), read.path.clone(), grouped(read.rows), grouped(read.rejected)]);
    }
    table.render()
}

fn events(checked: &Checked) -> String {
    let mut table = Table::new([("event", Align::Left), ("rows", Align::Right)]);
    checked.events.iter().for_each(|(kind, &rows)| table.row([kind.clone(), grouped(rows)]));
    table.render()
}
