//! `clo measure`.

use std::path::PathBuf;

use super::answer::Answer;
use super::table::{Align, Table, printable};
use super::ui::{Ui, bold};
use super::{Global, project};
use crate::error::Result;
use crate::expand::measure::{self, Columns, Estimate, Measurement, Part};
use crate::pipeline::measure::Job;
use crate::rate::{Rate, grouped};
use crate::time::Time;

/// Measure a campaign: what became of those it was to reach, against those who were held out
///
/// The outcomes are a file with a row per person who converted, or per conversion: ids, e-mails or phones, and if there are such
/// columns `converted` (yes or no), `value` and `time`. Everybody counts in the group they were drawn into, reached or not.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The audience whose list went out
    #[arg(long, value_name = "NAME")]
    audience: String,
    /// What became of people: .csv, .parquet, .xlsx, .jsonl …
    #[arg(long, value_name = "FILE")]
    outcomes: PathBuf,
    /// The column of their ids [default: the one that means the most people of the list]
    #[arg(long, value_name = "COLUMN")]
    person: Option<String>,
    /// The column that says yes or no [default: `converted`; without one every row is a yes]
    #[arg(long, value_name = "COLUMN")]
    converted: Option<String>,
    /// The column of values [default: `value`]
    #[arg(long, value_name = "COLUMN")]
    value: Option<String>,
    /// The column of times [default: `time`]
    #[arg(long, value_name = "COLUMN")]
    time: Option<String>,
    /// How times are written, when it is in doubt: "%d.%m.%Y"
    #[arg(long, value_name = "FORMAT")]
    time_format: Option<String>,
    /// The audience.parquet that went out, or the copy of its folder, when the list was made again since
    #[arg(long, value_name = "PATH")]
    list: Option<PathBuf>,
    /// When the campaign started [default: when the list was made]
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    since: Option<Time>,
    /// When outcomes ceased to count [default: the prediction's horizon later]
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    until: Option<Time>,
    /// A file of those who were reached: then the lift among them is told, too
    #[arg(long, value_name = "FILE", conflicts_with = "match_rate")]
    matched: Option<PathBuf>,
    /// Or the share of them: 0.6 or 60%
    #[arg(long, value_name = "SHARE", value_parser = share)]
    match_rate: Option<f64>,
    /// What the campaign cost, all in all [default: the audience's `cost` for each person to be reached]
    #[arg(long, value_name = "MONEY", value_parser = money, allow_negative_numbers = true)]
    cost: Option<f64>,
    /// Part people by this attribute, too; may be given several times
    #[arg(long = "by", value_name = "ATTRIBUTE")]
    segments: Vec<String>,
    /// An interval that holds however often one looks
    #[arg(long)]
    sequential: bool,
}

pub(super) fn run(args: Args, global: &Global, ui: &Ui) -> Result<Answer> {
    let project = project::open(global)?;
    let job = Job {
        audience: args.audience,
        outcomes: args.outcomes,
        columns: Columns {
            person: args.person,
            converted: args.converted,
            value: args.value,
            time: args.time,
            time_format: args.time_format,
        },
        list: args.list,
        since: args.since,
        until: args.until,
        matched: args.matched,
        match_rate: args.match_rate,
        cost: args.cost,
        segments: args.segments,
        sequential: args.sequential,
    };
    let progress = ui.progress();
    progress.wait("measuring");
    let measured = crate::pipeline::measure::measure(&project, &job)?;
    drop(progress);
    let place = project.layout.measure(&measured.audience).join("measure.json");
    let text = format!("{}\nWritten: {}; `clo report` shows it on the page.\n", text(&measured), place.display());
    Answer::new("measure", text, &measured)
}

fn share(text: &str) -> std::result::Result<f64, String> {
    let number: Option<f64> = match text.trim().strip_suffix('%') {
        Some(percent) => percent.trim().parse().ok().map(|percent: f64| percent / 100.0),
        None => text.trim().parse().ok(),
    };
    number
        .filter(|share| *share > 0.0 && *share <= 1.0)
        .ok_or_else(|| "write a share above 0 and up to 1, such as 0.6 or 60%".to_owned())
}

fn money(text: &str) -> std::result::Result<f64, String> {
    let number: Option<f64> = text.trim().parse().ok();
    number
        .filter(|money| *money >= 0.0 && money.is_finite())
        .ok_or_else(|| "write a number from 0 on, such as 1200".to_owned())
}

fn text(measured: &Measurement) -> String {
    let mut parts = vec![format!("{}\n", bold(&measured.verdict.sentence)), groups(measured), figures(measured)];
    if !measured.tiers.is_empty() {
        parts.push(self::parts(&measured.tiers));
    }
    if !measured.segments.is_empty() {
        parts.push(self::parts(&measured.segments));
        parts.push(
            "Of twenty parts one shows a lift by chance: take a part for a question, not for an answer.\n".to_owned(),
        );
    }
    let rows = &measured.rows;
    let said = rows
        .converted_column
        .as_ref()
        .map_or_else(|| "each says yes".to_owned(), |column| format!("yes or no in column `{}`", printable(column)));
    let when = rows.time_column.as_ref().map_or_else(
        || "none has a time, so all count".to_owned(),
        |column| format!("times in column `{}`", printable(column)),
    );
    parts.push(format!(
        "{} of outcomes: {} count, {} are about others; ids in column `{}`, {said}, {when}\n",
        measure::rows(rows.n_rows),
        grouped(rows.n_counted),
        grouped(rows.n_elsewhere),
        printable(&rows.person_column)
    ));
    parts.extend(measured.warnings.iter().map(|warning| format!("warning: {}\n", printable(warning))));
    parts.join("\n")
}

fn groups(measured: &Measurement) -> String {
    let mut table = Table::new([
        ("group", Align::Left),
        ("converted", Align::Left),
        ("expected without contact", Align::Left),
        ("value per person", Align::Right),
    ]);
    for (name, arm) in [("target", &measured.target), ("holdout", &measured.holdout)] {
        let expected = arm.expected.zip(arm.expected_low).zip(arm.expected_high);
        let expected = expected.map(|((n, low), high)| format!("{n:.1} ({low:.1}–{high:.1})"));
        let value = arm.value_per_person.map(|value| format!("{value:.2}"));
        table.row([name.to_owned(), arm.rate.to_string(), or_dash(expected), or_dash(value)]);
    }
    table.render()
}

fn figures(measured: &Measurement) -> String {
    let mut table = Table::new([("", Align::Left), ("estimate (95 %)", Align::Left), ("interval", Align::Left)]);
    let mut row = |name: String, estimate: Option<&Estimate>, factor: f64, unit: &str, decimals: usize| {
        if let Some(estimate) = estimate {
            table.row([name, shown(&estimate.times(factor), unit, decimals), estimate.method.clone()]);
        }
    };
    row("lift".to_owned(), measured.lift.as_ref(), 100.0, " points", 2);
    row("relative lift".to_owned(), measured.lift_relative.as_ref(), 100.0, " %", 1);
    if let Some(adjusted) = &measured.lift_adjusted {
        row(cuped("lift", adjusted.variance_reduction), Some(&adjusted.lift), 100.0, " points", 2);
    }
    if let Some(reached) = &measured.reached {
        let name = format!("lift among the {:.1} % reached", 100.0 * reached.match_rate);
        row(name, Some(&reached.lift), 100.0, " points", 2);
    }
    row("value per person".to_owned(), measured.value_lift.as_ref(), 1.0, "", 3);
    if let Some(adjusted) = &measured.value_lift_adjusted {
        row(cuped("value", adjusted.variance_reduction), Some(&adjusted.lift), 1.0, "", 3);
    }
    row("incremental conversions".to_owned(), measured.incremental.as_ref(), 1.0, "", 1);
    row("cost of one of them".to_owned(), measured.cost_per_incremental.as_ref(), 1.0, "", 2);
    table.render()
}

fn cuped(what: &str, variance_reduction: f64) -> String {
    format!("{what}, CUPED (variance −{:.1} %)", 100.0 * variance_reduction)
}

fn parts(parts: &[Part]) -> String {
    let mut table = Table::new([
        ("by", Align::Left),
        ("part", Align::Left),
        ("target", Align::Left),
        ("holdout", Align::Left),
        ("lift", Align::Left),
    ]);
    for part in parts {
        let lift = part.lift.as_ref().map(|lift| shown(&lift.times(100.0), " points", 2));
        let rate = |rate: Rate| rate.to_string();
        table.row([part.by.clone(), part.part.clone(), rate(part.target), rate(part.holdout), or_dash(lift)]);
    }
    table.render()
}

fn shown(estimate: &Estimate, unit: &str, decimals: usize) -> String {
    let end = |end: Option<f64>| end.map_or_else(|| "∞".to_owned(), |end| format!("{end:.decimals$}"));
    format!("{:.decimals$}{unit} ({} to {})", estimate.value, end(estimate.low), end(estimate.high))
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "–".to_owned())
}
