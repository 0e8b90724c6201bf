//! Section 3: what each model is worth, first in a sentence, then in charts, then in figures for data scientists.

use std::fmt::Write as _;

use crate::predict::Evaluation;
use crate::predict::evaluation::{Decile, Metrics};
use crate::report::read::Results;
use crate::report::svg::{self, Axis, Chart, Shape};
use crate::report::table::{Cell, Kind, Table};
use crate::report::workbook::Sheets;
use crate::report::{Figure, words};
use crate::spec;

/// Features shown on the page; the workbook has all.
const N_FEATURES: usize = 12;
/// Groups of people shown on the page; the workbook has all.
const N_SEGMENTS: usize = 30;

/// What the section shows.
pub(super) struct Section {
    pub(super) predictions: Vec<Prediction>,
}

/// A prediction: its question, and its results when there are any.
pub(super) struct Prediction {
    pub(super) name: String,
    pub(super) question: String,
    pub(super) results: Option<Worth>,
}

/// What a model is worth.
pub(super) struct Worth {
    pub(super) headline: Option<Headline>,
    /// What its AUC means.
    pub(super) ranking: Option<String>,
    pub(super) warnings: Vec<String>,
    pub(super) figures: Vec<Figure>,
    pub(super) importance: Table,
    pub(super) estimator: String,
    pub(super) chosen_because: String,
    pub(super) how: Vec<(&'static str, String)>,
    pub(super) candidates: Table,
    pub(super) metrics: Table,
    pub(super) segments: Table,
}

/// The result in people rather than percent.
pub(super) struct Headline {
    pub(super) of: String,
    pub(super) best: String,
    pub(super) range: String,
    pub(super) random: String,
    pub(super) goal: String,
    /// A hundred dots for the best tenth and at random, when a hundred people are enough to see a difference.
    pub(super) dots: Option<(String, String)>,
}

impl Section {
    /// Whether a model was evaluated yet.
    pub(super) fn ran(&self) -> bool {
        self.predictions.iter().any(|prediction| prediction.results.is_some())
    }

    /// Each prediction in a sentence: whose it is, and what it says.
    pub(super) fn short(&self) -> Vec<(String, String)> {
        let sentence = |prediction: &Prediction| {
            let headline = prediction.results.as_ref()?.headline.as_ref()?;
            Some((prediction.name.clone(), headline.sentence()))
        };
        self.predictions.iter().filter_map(sentence).collect()
    }
}

impl Headline {
    fn sentence(&self) -> String {
        let Self { of, best, random, goal, .. } = self;
        format!("Of {of} people picked from the top tenth, about {best} will {goal}; picked at random, {random} would.")
    }
}

/// What a prediction asks.
pub(super) fn question(spec: &spec::Spec, prediction: &spec::Prediction) -> String {
    let names = |stages: &[usize]| {
        stages.iter().filter_map(|&i| spec.stages.get(i)).map(|stage| stage.name.clone()).collect::<Vec<_>>()
    };
    let horizon = prediction.horizon.map(|horizon| horizon.to_string());
    format!(
        "Who of the people in the stage {} will {}?",
        words::any_of(&names(&prediction.from)),
        goal(&names(&prediction.to), horizon.as_deref())
    )
}

/// `reach repeat within 90 days`.
pub(super) fn goal(to: &[String], horizon: Option<&str>) -> String {
    let within = horizon.map(|horizon| format!(" within {}", words::duration(horizon))).unwrap_or_default();
    format!("reach {}{within}", words::any_of(to))
}

/// The section, and its sheets.
pub(super) fn section(spec: &spec::Spec, results: &Results, sheets: &mut Sheets) -> Section {
    let one = |(i, (prediction, evaluation)): (usize, (&spec::Prediction, &Option<Evaluation>))| Prediction {
        name: prediction.name.clone(),
        question: question(spec, prediction),
        results: evaluation.as_ref().map(|evaluation| worth(i, evaluation, sheets)),
    };
    Section { predictions: spec.predictions.iter().zip(&results.evaluations).enumerate().map(one).collect() }
}

fn worth(i: usize, evaluation: &Evaluation, sheets: &mut Sheets) -> Worth {
    let base = base_rate(evaluation);
    let figures = [lift(i, evaluation, base), gain(i, evaluation), calibration(i, evaluation), cutoffs(i, evaluation)];
    let (candidates, segments) = (candidates(evaluation), segments(evaluation));
    let importance = importance(evaluation);
    for (sheet, table) in [
        ("Metrics", &metrics(evaluation)),
        ("Deciles", &deciles(evaluation)),
        ("Cutoffs", &at_cutoffs(evaluation)),
        ("Importance", &importance),
        ("Candidates", &candidates),
        ("Segments", &segments),
    ] {
        sheets.add(sheet, &table.of("Prediction", &evaluation.prediction));
    }
    Worth {
        headline: headline(i, evaluation, base),
        ranking: ranking(evaluation),
        warnings: evaluation.warnings.clone(),
        figures: figures.into_iter().flatten().collect(),
        importance: importance.head(N_FEATURES),
        estimator: evaluation.estimator.clone(),
        chosen_because: evaluation.chosen_because.clone(),
        how: how(evaluation),
        candidates,
        metrics: metrics_by_row(evaluation),
        segments: segments.head(N_SEGMENTS),
    }
}

/// The share that attains among the examples the model was judged on.
fn base_rate(evaluation: &Evaluation) -> Option<f64> {
    evaluation.splits.get("test")?.base_rate.share()
}

fn headline(i: usize, evaluation: &Evaluation, base: Option<f64>) -> Option<Headline> {
    let (base, best) = (base?, evaluation.deciles.first()?);
    let share = best.rate.share()?;
    let of = words::of_how_many(base);
    let people = |share: f64| words::number(share * f64::from(of), 0);
    let dots = (of == 100).then(|| {
        let dots =
            |which: &str, share: f64, title: &str| svg::dots(&format!("dots-{which}-{i}"), hundred(share), title);
        let best_title = format!("{} of 100 people picked from the top tenth", hundred(share));
        (
            dots("best", share, &best_title),
            dots("random", base, &format!("{} of 100 people picked at random", hundred(base))),
        )
    });
    Some(Headline {
        of: words::number(f64::from(of), 0),
        best: people(share),
        range: format!("{} to {}", people(best.rate_low), people(best.rate_high)),
        random: people(base),
        goal: goal(&evaluation.to, evaluation.horizon.as_deref()),
        dots,
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a hundred is 0 to 100")]
fn hundred(share: f64) -> u32 {
    (100.0 * share).round().clamp(0.0, 100.0) as u32
}

fn ranking(evaluation: &Evaluation) -> Option<String> {
    let auc = evaluation.splits.get("test")?.roc_auc?;
    let cases = |share: f64| words::number(100.0 * share, 0);
    Some(format!(
        "Shown someone who moved on and someone who did not, the model ranks the right one higher in {} of 100 cases \
         ({} to {}; a coin would in 50). Data scientists call this an AUC of {}.",
        cases(auc.value),
        cases(auc.low),
        cases(auc.high),
        words::number(auc.value, 3),
    ))
}

fn how(evaluation: &Evaluation) -> Vec<(&'static str, String)> {
    let outcomes: Vec<String> =
        evaluation.outcomes.iter().map(|(outcome, &n)| format!("{} {outcome}", words::count(n))).collect();
    let mut how = vec![("Validation", evaluation.validation_scheme.clone())];
    how.push(("Calibration", evaluation.calibration.clone()));
    how.push(("Features", evaluation.n_features.to_string()));
    how.push(("Examples", outcomes.join(", ")));
    how.retain(|(_, text)| !text.is_empty());
    how
}

fn tenth(i: u8) -> String {
    match i {
        1 => "best tenth".into(),
        10 => "last tenth".into(),
        i => format!("tenth {i}"),
    }
}

fn lift(i: usize, evaluation: &Evaluation, base: Option<f64>) -> Option<Figure> {
    let deciles = &evaluation.deciles;
    let base = base.filter(|_| !deciles.is_empty())?;
    let names: Vec<String> = deciles.iter().map(|decile| decile.decile.to_string()).collect();
    let highs = deciles.iter().map(|decile| decile.rate_high);
    let title = "People who moved on, by tenth";
    let mut chart = Chart::new(
        format!("lift-{i}"),
        title,
        "A bar for each tenth of the people, best scores first; a dashed line at the rate of everyone.",
        Axis::places("tenth of the people, best scores first", &names, 10),
        Axis::holding("moved on", highs.chain([0.0, base]), words::percent_tick),
    );
    for (place, decile) in deciles.iter().enumerate() {
        let x = svg::place(place);
        chart.bar(
            "",
            x,
            0.72,
            decile.rate.share().unwrap_or(0.0),
            &format!("{}: {}", tenth(decile.decile), decile.rate),
        );
        chart.whisker(x, decile.rate_low, decile.rate_high);
    }
    chart.line("random", &[(-0.5, base), (svg::place(deciles.len()) - 0.5, base)]);
    chart.words("end", (svg::place(deciles.len()) - 0.5, base), 5.0, &format!("everyone: {}", words::percent(base)));
    let times = deciles.first().and_then(|decile| decile.lift).map(|lift| {
        format!(
            " The best tenth moves on {} times as often as everyone ({} to {}).",
            words::number(lift.value, 1),
            words::number(lift.low, 1),
            words::number(lift.high, 1),
        )
    });
    let caption = format!(
        "All people, ranked by the model, in ten equal groups: how many of each really moved on.{}",
        times.unwrap_or_default(),
    );
    Some(Figure {
        title: title.into(),
        caption,
        drawings: vec![("", chart.finish())],
        table: self::deciles(evaluation),
    })
}

fn gain(i: usize, evaluation: &Evaluation) -> Option<Figure> {
    let deciles = &evaluation.deciles;
    let at = |decile: &Decile| Some((f64::from(decile.decile) / 10.0, decile.capture?));
    let measured: Vec<_> = deciles.iter().filter_map(at).collect();
    let half = measured.iter().find(|(x, _)| *x >= 0.3)?;
    let title = "How many you reach by contacting a part";
    let mut chart = Chart::new(
        format!("gain-{i}"),
        title,
        "A curve of the share of those who move on against the share of people contacted; the dashed line is picking at random.",
        Axis::holding("people contacted, best scores first", [0.0, 1.0], words::percent_tick),
        Axis::holding("reached of those who move on", [0.0, 1.0], words::percent_tick),
    );
    let start = [(0.0, 0.0, 0.0)].into_iter();
    chart.band(&start.chain(measured.iter().map(|(x, m)| (*x, m.low, m.high))).collect::<Vec<_>>());
    chart.line("random", &[(0.0, 0.0), (1.0, 1.0)]);
    chart.words("start", (0.62, 0.54), 0.0, "at random");
    let curve: Vec<_> = [(0.0, 0.0)].into_iter().chain(measured.iter().map(|(x, m)| (*x, m.value))).collect();
    chart.line("model", &curve);
    for (x, m) in &measured {
        let tip = format!("contacting {} reaches {} of those who move on", words::percent(*x), words::percent(m.value));
        chart.point(Shape::Circle, *x, m.value, &tip);
    }
    let caption = format!(
        "Contact the best {} of the people and you reach {} of all who move on. Shaded: the uncertainty.",
        words::percent_tick(half.0),
        words::percent(half.1.value),
    );
    Some(Figure {
        title: title.into(),
        caption,
        drawings: vec![("", chart.finish())],
        table: self::deciles(evaluation),
    })
}

fn calibration(i: usize, evaluation: &Evaluation) -> Option<Figure> {
    let deciles = &evaluation.deciles;
    if deciles.is_empty() {
        return None;
    }
    let values = || deciles.iter().flat_map(|decile| [decile.mean_propensity, decile.rate_high, 0.0]);
    let title = "Do the percentages hold?";
    let mut chart = Chart::new(
        format!("calibration-{i}"),
        title,
        "A point for each tenth of the people: what the model predicted against what happened; on the dashed line both agree.",
        Axis::holding("predicted", values(), words::percent_tick),
        Axis::holding("happened", values(), words::percent_tick),
    );
    let high = Axis::holding("", values(), words::percent_tick).high;
    chart.line("random", &[(0.0, 0.0), (high, high)]);
    for decile in deciles {
        let share = decile.rate.share().unwrap_or(0.0);
        chart.whisker(decile.mean_propensity, decile.rate_low, decile.rate_high);
        let tip = format!(
            "{}: predicted {}, happened {}",
            tenth(decile.decile),
            words::percent(decile.mean_propensity),
            decile.rate
        );
        chart.point(Shape::Circle, decile.mean_propensity, share, &tip);
    }
    let caption =
        "When the model says 20 of 100, do 20 of 100 move on? On the dashed line: yes. Above it more moved on than \
         predicted, below it fewer."
            .into();
    Some(Figure {
        title: title.into(),
        caption,
        drawings: vec![("", chart.finish())],
        table: self::deciles(evaluation),
    })
}

fn deciles(evaluation: &Evaluation) -> Table {
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

/// Circle, diamond or square for train, validation and test.
fn shape(split: &str) -> Shape {
    match split {
        "test" => Shape::Square,
        "validation" => Shape::Diamond,
        _ => Shape::Circle,
    }
}

fn cutoffs(i: usize, evaluation: &Evaluation) -> Option<Figure> {
    let measured: Vec<_> = evaluation.cutoffs.iter().filter(|at| at.metrics.base_rate.n_eligible > 0).collect();
    if measured.len() < 2 {
        return None;
    }
    let dates: Vec<String> = measured.iter().map(|at| at.cutoff.chars().take(10).collect()).collect();
    let places = months(&dates);
    let aucs = || measured.iter().filter_map(|at| at.metrics.roc_auc);
    let mut ranks = Chart::new(
        format!("cutoffs-{i}"),
        "How well the model ranks, cutoff by cutoff",
        "The AUC of the model at each cutoff with its interval; circles are training, diamonds validation, squares test data.",
        Axis::places("cutoff", &places, 4),
        Axis::holding("AUC", aucs().flat_map(|auc| [auc.low, auc.high]).chain([0.5]), words::tick),
    );
    let mut rates = Chart::new(
        format!("rates-{i}"),
        "How many moved on, cutoff by cutoff",
        "The share of people who moved on within the horizon after each cutoff, with its interval.",
        Axis::places("cutoff", &places, 4),
        Axis::holding(
            "moved on",
            measured.iter().filter_map(|at| at.metrics.base_rate.interval()).map(|(_, high)| high).chain([0.0]),
            words::percent_tick,
        ),
    );
    ranks.line("random", &[(-0.5, 0.5), (svg::place(dates.len()) - 0.5, 0.5)]);
    ranks.words("start", (-0.4, 0.5), 5.0, "a coin");
    for (place, at) in measured.iter().enumerate() {
        let (x, shape) = (svg::place(place), shape(&at.split));
        if let Some(auc) = at.metrics.roc_auc {
            ranks.whisker(x, auc.low, auc.high);
            ranks.point(
                shape,
                x,
                auc.value,
                &format!("{} ({}): AUC {}", dates[place], at.split, words::number(auc.value, 3)),
            );
        }
        if let (Some(share), Some((low, high))) = (at.metrics.base_rate.share(), at.metrics.base_rate.interval()) {
            rates.whisker(x, low, high);
            rates.point(shape, x, share, &format!("{} ({}): {}", dates[place], at.split, at.metrics.base_rate));
        }
    }
    Some(Figure {
        title: "Does it hold over time?".into(),
        caption: "First how well the model ranks, then how many moved on at all, at each date it was asked. Circles: the \
                  model learned from these; diamonds: it was chosen on these; squares: it was judged on these, unseen before."
            .into(),
        drawings: vec![("", ranks.finish()), ("", rates.finish())],
        table: at_cutoffs(evaluation),
    })
}

/// The months of the dates when they tell them apart: they leave room on the axis.
fn months(dates: &[String]) -> Vec<String> {
    let months: Vec<String> = dates.iter().map(|date| date.chars().take(7).collect()).collect();
    if months.windows(2).all(|pair| pair[0] != pair[1]) { months } else { dates.to_vec() }
}

fn at_cutoffs(evaluation: &Evaluation) -> Table {
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

fn importance(evaluation: &Evaluation) -> Table {
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

fn metrics(evaluation: &Evaluation) -> Table {
    let parts = ["train", "validation", "test"].into_iter();
    let rows = parts.filter_map(|part| Some((vec![part.to_owned()], evaluation.splits.get(part)?)));
    metric_table("The chosen model on each part of the data, with 95 % intervals", &["Part"], rows)
}

/// The same for the page: a row per metric, with what it says.
fn metrics_by_row(evaluation: &Evaluation) -> Table {
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

fn segments(evaluation: &Evaluation) -> Table {
    let rows = evaluation
        .segments
        .iter()
        .map(|segment| (vec![words::feature(&segment.feature), segment.value.clone()], &segment.metrics));
    metric_table("Group by group on the test data", &["Group", "Value"], rows)
}

fn candidates(evaluation: &Evaluation) -> Table {
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
