//! What an uplift came to: whether a ranking beats random, and by how much treating the best first gains.

use askama::Template;

use crate::predict::evaluation::Measured;
use crate::predict::uplift::{Evaluation, Learner};
use crate::report::svg::{Axis, Chart, Shape};
use crate::report::table::{Cell, Kind, Table};
use crate::report::workbook::Sheets;
use crate::report::{Figure, words};

/// An uplift on the page.
#[derive(Template)]
#[template(path = "report/uplift.html")]
pub(super) struct Uplift {
    pub(super) name: String,
    question: String,
    pub(super) sentence: String,
    effect: String,
    scheme: String,
    random: String,
    figures: Vec<Figure>,
    learners: Table,
}

/// The page's part, and its sheet; `i` tells uplifts apart.
pub(super) fn uplift(i: usize, evaluation: &Evaluation, sheets: &mut Sheets) -> Uplift {
    let learners = learners(evaluation);
    sheets.add("Uplift", &learners.of("Uplift", &evaluation.uplift));
    let told = evaluation.learners.iter().find(|learner| learner.learner == evaluation.learner);
    Uplift {
        name: evaluation.uplift.clone(),
        question: format!("Whom does the treatment ({}) change, against {}?", evaluation.treatment, evaluation.control),
        sentence: evaluation.sentence.clone(),
        effect: format!(
            "Of the treated {} responded, of the others {}.",
            evaluation.treated_rate, evaluation.control_rate
        ),
        scheme: evaluation.scheme.clone(),
        random: format!(
            "The treatment cannot be told from what was known before (AUC {}): it was given at random.",
            interval_text(&evaluation.treatment_auc, 3)
        ),
        figures: told.map(|learner| figure(i, learner)).into_iter().collect(),
        learners,
    }
}

fn interval_text(measured: &Measured, decimals: usize) -> String {
    let [value, low, high] = [measured.value, measured.low, measured.high].map(|value| words::number(value, decimals));
    format!("{value}, {low} to {high}")
}

fn interval(measured: &Measured, factor: f64) -> Cell {
    Cell::Interval { value: measured.value * factor, low: measured.low * factor, high: measured.high * factor }
}

fn learners(evaluation: &Evaluation) -> Table {
    let columns = [
        ("Learner", Kind::Text),
        ("Area over random", Kind::Interval(3)),
        ("Qini coefficient", Kind::Interval(4)),
        ("Uplift of the best 10 %, points", Kind::Interval(2)),
        ("Of the best 30 %", Kind::Interval(2)),
        ("Of all", Kind::Interval(2)),
    ];
    let mut table = Table::new("Each learner on people whom it had not seen", &columns);
    for learner in &evaluation.learners {
        let best =
            |tenth: usize| learner.uplift_best.get(tenth - 1).map_or(Cell::Missing, |best| interval(best, 100.0));
        table.push(vec![
            learner.learner.name().into(),
            learner.area_over_random.as_ref().map_or(Cell::Missing, |area| interval(area, 1.0)),
            interval(&learner.qini, 1.0),
            best(1),
            best(3),
            best(10),
        ]);
    }
    table
}

/// What treating the best share alone would gain, per 1,000 people.
fn figure(i: usize, learner: &Learner) -> Figure {
    let per_thousand = |tenth: usize, uplift: f64| 1000.0 * share(tenth) * uplift;
    let gains: Vec<(f64, f64, f64, f64)> = (1..)
        .zip(&learner.uplift_best)
        .map(|(tenth, best)| {
            let gain = |uplift: f64| per_thousand(tenth, uplift);
            (share(tenth), gain(best.value), gain(best.low), gain(best.high))
        })
        .collect();
    let title = "Whom to treat?";
    let ends = gains.iter().flat_map(|&(_, _, low, high)| [low, high]).chain([0.0]);
    let mut chart = Chart::new(
        format!("uplift-{i}"),
        title,
        "Responses gained by treating the best share alone; the dashed line is treating as many at random.",
        Axis::holding("share treated, best first", [0.0, 1.0], words::percent_tick),
        Axis::holding("gained of 1,000 people", ends, words::tick),
    );
    let start = [(0.0, 0.0, 0.0)];
    chart.band(&start.into_iter().chain(gains.iter().map(|&(x, _, low, high)| (x, low, high))).collect::<Vec<_>>());
    let all = gains.last().map_or(0.0, |&(_, gain, ..)| gain);
    chart.line("random", &[(0.0, 0.0), (1.0, all)]);
    chart.line(
        "model",
        &[(0.0, 0.0)].into_iter().chain(gains.iter().map(|&(x, gain, ..)| (x, gain))).collect::<Vec<_>>(),
    );
    let mut table = Table::new(
        "Gain by share treated",
        &[("Share treated", Kind::Share), ("Gained of 1,000 people", Kind::Interval(1))],
    );
    for &(x, gain, low, high) in &gains {
        chart.point(Shape::Square, x, gain, &format!("{}: {}", words::percent(x), words::number(gain, 1)));
        table.push(vec![Cell::Number(x), Cell::Interval { value: gain, low, high }]);
    }
    let caption = "How many of 1,000 people respond because of the treatment, when the best are treated first. Where the curve falls, the \
                   treatment does harm."
        .into();
    Figure { title: title.into(), caption, drawings: vec![("", chart.finish())], table }
}

fn share(tenth: usize) -> f64 {
    f64::from(u32::try_from(tenth).unwrap_or(10)) / 10.0
}
