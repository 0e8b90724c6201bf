//! The tables of an evaluation.

use std::fmt::Write as _;

use crate::predict::Evaluation;
use crate::predict::evaluation::{Holds, Metrics};
use crate::rate::Rate;
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
        ("Predicted on average", Kind::ShareInterval),
        ("Do the percentages hold?", Kind::Text),
        ("AUC", Kind::Interval(3)),
        ("Lift, best tenth", Kind::Interval(2)),
    ];
    let mut table = Table::new("Performance cutoff by cutoff", &columns);
    for at in &evaluation.cutoffs {
        let Metrics { base_rate, roc_auc, lift_10, mean_propensity, .. } = at.metrics;
        table.push(vec![
            at.cutoff.as_str().into(),
            at.split.as_str().into(),
            Cell::Rate(base_rate),
            mean_propensity.into(),
            holds(at.holds).into(),
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

/// Whether the percentages of a group hold, in words.
fn holds(holds: Holds) -> &'static str {
    match holds {
        Holds::Yes => "yes",
        Holds::TooLow => "too low",
        Holds::TooHigh => "too high",
        Holds::TooFew => "too few to tell",
    }
}

const METRICS: [(&str, Kind); 15] = [
    ("Moved on (95 % interval)", Kind::Rate),
    ("ROC AUC", Kind::Interval(3)),
    ("PR AUC", Kind::Interval(3)),
    ("KS", Kind::Interval(3)),
    ("Log loss", Kind::Interval(4)),
    ("Brier", Kind::Interval(4)),
    ("– reliability", Kind::Interval(5)),
    ("– resolution", Kind::Interval(5)),
    ("– uncertainty", Kind::Interval(4)),
    ("– within bins", Kind::Interval(5)),
    ("Predicted on average", Kind::ShareInterval),
    ("ECE", Kind::Interval(4)),
    ("ECE by chance alone", Kind::Number(4)),
    ("Lift, best tenth", Kind::Interval(2)),
    ("Capture, best tenth", Kind::Interval(3)),
];

fn metric_cells(metrics: &Metrics) -> Vec<Cell> {
    let Metrics { roc_auc, pr_auc, ks, log_loss, brier, .. } = *metrics;
    let parts = [metrics.reliability, metrics.resolution, metrics.uncertainty, metrics.within_bins];
    let mut cells = vec![Cell::Rate(metrics.base_rate)];
    cells.extend([roc_auc, pr_auc, ks, log_loss, brier].into_iter().chain(parts).map(Cell::from));
    cells.extend([metrics.mean_propensity, metrics.ece].map(Cell::from));
    cells.push(metrics.ece_by_chance.into());
    cells.extend([metrics.lift_10, metrics.capture_10].map(Cell::from));
    cells
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
    const MEANING: [&str; 15] = [
        "how many attained at all",
        "ranking: 0.5 is chance, 1 perfect",
        "ranking of the few: the base rate is chance, 1 perfect",
        "most that the two kinds of people stand apart: 0 is chance, 1 perfect",
        "error of the probabilities, nats; lower is better",
        "squared error of the probabilities; lower is better: the sum of the next four, the second taken off",
        "how far predicted and observed rates of tenths are apart; 0 is perfect",
        "how far the rates of tenths are apart from the average; higher is better",
        "what saying the average of everyone would cost",
        "what the order within tenths adds or takes",
        "should be how many attained",
        "gap between predicted and observed rates; read it beside the next one",
        "the gap that true probabilities would show on so few people",
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
        .map(|one| (vec![words::feature(&one.feature), one.value.clone(), holds(one.holds).to_owned()], &one.metrics));
    metric_table("Group by group on the test data", &["Group", "Value", "Do the percentages hold?"], rows)
}

/// The groups as the page shows them: a few numbers each.
pub(super) fn segments_in_short(evaluation: &Evaluation) -> Table {
    let columns = [
        ("Group", Kind::Text),
        ("Value", Kind::Text),
        ("Moved on (95 % interval)", Kind::Rate),
        ("Predicted on average", Kind::ShareInterval),
        ("Do the percentages hold?", Kind::Text),
        ("ROC AUC", Kind::Interval(3)),
        ("Lift, best tenth", Kind::Interval(2)),
    ];
    let mut table = Table::new("Group by group on the test data", &columns);
    for one in &evaluation.segments {
        let Metrics { base_rate, mean_propensity, roc_auc, lift_10, .. } = one.metrics;
        let rate = if one.holds == Holds::TooFew { counts(base_rate) } else { Cell::Rate(base_rate) };
        table.push(vec![
            words::feature(&one.feature).into(),
            one.value.as_str().into(),
            rate,
            mean_propensity.into(),
            holds(one.holds).into(),
            roc_auc.into(),
            lift_10.into(),
        ]);
    }
    table
}

/// What lists of every size hold and bring.
pub(super) fn sizes(evaluation: &Evaluation) -> Table {
    let mut columns = vec![
        ("Best of all people", Kind::Share),
        ("People", Kind::Count),
        ("Times the average", Kind::Interval(2)),
        ("Reached of those who move on", Kind::ShareInterval),
    ];
    if evaluation.profit.is_some() {
        columns.push(("Profit per 1,000 people of all", Kind::Interval(0)));
    }
    let mut table = Table::new("Lists of every size, best scores first (test data)", &columns);
    for size in &evaluation.sizes {
        let mut cells = vec![Cell::Number(size.share), Cell::count(size.n), size.lift.into(), size.capture.into()];
        if evaluation.profit.is_some() {
            cells.push(size.profit.into());
        }
        table.push(cells);
    }
    table
}

/// What parts of the examples would have taught.
pub(super) fn learning(evaluation: &Evaluation) -> Table {
    let columns = [
        ("Learned from", Kind::Share),
        ("Examples that moved on", Kind::Rate),
        ("AUC", Kind::Interval(3)),
        ("Log loss, recalibrated", Kind::Interval(4)),
    ];
    let mut table = Table::new("The model, had it learned from fewer people (test data)", &columns);
    for point in evaluation.learning.iter().flat_map(|learning| &learning.points) {
        let cells =
            vec![Cell::Number(point.share), Cell::Rate(point.base_rate), point.roc_auc.into(), point.log_loss.into()];
        table.push(cells);
    }
    table
}

/// Counts without a share: too few for one.
fn counts(rate: Rate) -> Cell {
    Cell::Text(format!("{} of {}", words::count(rate.n_attained), words::count(rate.n_eligible)))
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
