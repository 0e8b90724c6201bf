//! The tables of an evaluation.

use std::fmt::Write as _;

use crate::predict::Evaluation;
use crate::predict::evaluation::Metrics;
use crate::report::table::{Cell, Kind, Table};
use crate::report::words;

pub(super) fn deciles(evaluation: &Evaluation) -> Table {
    let columns = [
        ("Tenth", Kind::Count),
        ("Predicted", Kind::Share),
        ("Happened (95 % interval)", Kind::Rate),
        ("Times the average", Kind::Interval(2)),
        ("Reached so far", Kind::Interval(3)),
    ];
    let mut table = Table::new("The people by tenths, best scores first (test data)", &columns);
    for decile in &evaluation.deciles {
        table.push(vec![
            Cell::Number(f64::from(decile.decile)),
            Cell::Number(decile.mean_propensity),
            Cell::Rate(decile.rate),
            decile.lift.into(),
            decile.capture.into(),
        ]);
    }
    table
}

pub(super) fn at_cutoffs(evaluation: &Evaluation) -> Table {
    let columns = [
        ("Cutoff", Kind::Text),
        ("Part", Kind::Text),
        ("Moved on (95 % interval)", Kind::Rate),
        ("AUC", Kind::Interval(3)),
        ("Lift, best tenth", Kind::Interval(2)),
    ];
    let mut table = Table::new("Performance cutoff by cutoff", &columns);
    for at in &evaluation.cutoffs {
        let Metrics { base_rate, roc_auc, lift_10, .. } = at.metrics;
        table.push(vec![
            at.cutoff.as_str().into(),
            at.split.as_str().into(),
            Cell::Rate(base_rate),
            roc_auc.into(),
            lift_10.into(),
        ]);
    }
    table
}

pub(super) fn importance(evaluation: &Evaluation) -> Table {
    let columns =
        [("What it looks at", Kind::Text), ("Weight", Kind::Bar { decimals: 3, floor: 0 }), ("Feature", Kind::Text)];
    let mut table = Table::new("Features by weight", &columns);
    for (feature, weight) in &evaluation.importance {
        table.push(vec![words::feature(feature).into(), Cell::Number(*weight), feature.as_str().into()]);
    }
    table
}

const METRICS: [(&str, Kind); 8] = [
    ("Moved on (95 % interval)", Kind::Rate),
    ("ROC AUC", Kind::Interval(3)),
    ("PR AUC", Kind::Interval(3)),
    ("Log loss", Kind::Interval(4)),
    ("Brier", Kind::Interval(4)),
    ("ECE", Kind::Interval(4)),
    ("Lift, best tenth", Kind::Interval(2)),
    ("Capture, best tenth", Kind::Interval(3)),
];

fn metric_cells(metrics: &Metrics) -> Vec<Cell> {
    let Metrics { base_rate, roc_auc, pr_auc, log_loss, brier, ece, lift_10, capture_10 } = *metrics;
    let measured = [roc_auc, pr_auc, log_loss, brier, ece, lift_10, capture_10];
    [Cell::Rate(base_rate)].into_iter().chain(measured.map(Cell::from)).collect()
}

/// A table whose first columns name the row and whose other columns are all metrics.
fn metric_table<'a>(
    caption: &str,
    names: &[&str],
    rows: impl IntoIterator<Item = (Vec<String>, &'a Metrics)>,
) -> Table {
    let columns: Vec<_> = names.iter().map(|&name| (name, Kind::Text)).chain(METRICS).collect();
    let mut table = Table::new(caption, &columns);
    for (names, metrics) in rows {
        table.push(names.into_iter().map(Cell::from).chain(metric_cells(metrics)).collect());
    }
    table
}

pub(super) fn metrics(evaluation: &Evaluation) -> Table {
    let parts = ["train", "validation", "test"].into_iter();
    let rows = parts.filter_map(|part| Some((vec![part.to_owned()], evaluation.splits.get(part)?)));
    metric_table("The chosen model on each part of the data, with 95 % intervals", &["Part"], rows)
}

/// The same for the page: a row per metric, with what it says.
pub(super) fn metrics_by_row(evaluation: &Evaluation) -> Table {
    const MEANING: [&str; 8] = [
        "how many attained at all",
        "ranking: 0.5 is chance, 1 perfect",
        "ranking of the few: the base rate is chance, 1 perfect",
        "error of the probabilities, nats; lower is better",
        "squared error of the probabilities; lower is better",
        "gap between predicted and observed rates; 0 is perfect",
        "rate of the best tenth over the base rate",
        "share of all who attained that stands in the best tenth",
    ];
    let whole = metrics(evaluation);
    let parts: Vec<Vec<String>> =
        whole.shown().into_iter().map(|row| row.into_iter().map(|cell| cell.text).collect()).collect();
    let mut columns = vec![("Metric", Kind::Text)];
    columns.extend(parts.iter().map(|part| (part[0].as_str(), Kind::Count)));
    columns.push(("What it says", Kind::Text));
    let mut table = Table::new(whole.caption.clone(), &columns);
    for (i, meaning) in (1..).zip(MEANING) {
        let name = whole.columns[i].title.replace(" (95 % interval)", "");
        let values = parts.iter().map(|part| Cell::from(part[i].as_str()));
        table.push([Cell::from(name)].into_iter().chain(values).chain([Cell::from(meaning)]).collect());
    }
    table
}

pub(super) fn segments(evaluation: &Evaluation) -> Table {
    let rows = evaluation
        .segments
        .iter()
        .map(|segment| (vec![words::feature(&segment.feature), segment.value.clone()], &segment.metrics));
    metric_table("Group by group on the test data", &["Group", "Value"], rows)
}

pub(super) fn candidates(evaluation: &Evaluation) -> Table {
    let columns = [
        ("Model", Kind::Text),
        ("Chosen", Kind::Text),
        ("AUC, validation", Kind::Interval(3)),
        ("Log loss, validation", Kind::Interval(4)),
        ("AUC, test (for the record)", Kind::Interval(3)),
        ("Parameters", Kind::Text),
    ];
    let mut table = Table::new("The models that were tried", &columns);
    for candidate in &evaluation.candidates {
        let mut parameters = String::new();
        for (name, value) in &candidate.parameters {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let _ = write!(parameters, "{}{name} {value}", if parameters.is_empty() { "" } else { ", " });
        }
        let chosen = if candidate.estimator == evaluation.estimator { "✓ chosen" } else { "–" };
        table.push(vec![
            candidate.estimator.as_str().into(),
            chosen.into(),
            candidate.validation.roc_auc.into(),
            candidate.validation.log_loss.into(),
            candidate.test.roc_auc.into(),
            parameters.into(),
        ]);
    }
    table
}
