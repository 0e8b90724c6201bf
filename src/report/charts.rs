//! The charts of an evaluation: what each tenth is worth, how many are reached, whether the percentages hold, and
//! whether it all lasts from cutoff to cutoff.

use crate::predict::Evaluation;
use crate::predict::evaluation::Decile;
use crate::report::svg::{self, Axis, Chart, Shape};
use crate::report::{Figure, metrics, words};

fn tenth(i: u8) -> String {
    match i {
        1 => "best tenth".into(),
        10 => "last tenth".into(),
        i => format!("tenth {i}"),
    }
}

pub(super) fn lift(i: usize, evaluation: &Evaluation, base: Option<f64>) -> Option<Figure> {
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
        table: metrics::deciles(evaluation),
    })
}

pub(super) fn gain(i: usize, evaluation: &Evaluation) -> Option<Figure> {
    let deciles = &evaluation.deciles;
    let at = |decile: &Decile| Some((f64::from(decile.decile) / 10.0, decile.capture?));
    let measured: Vec<_> = deciles.iter().filter_map(at).collect();
    let half = measured.iter().find(|(x, _)| *x >= 0.3)?;
    let title = "How many you reach by contacting a part";
    let mut chart = Chart::new(
        format!("gain-{i}"),
        title,
        "The share of those who move on against the share of people contacted; the dashed line is picking at random.",
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
        table: metrics::deciles(evaluation),
    })
}

pub(super) fn calibration(i: usize, evaluation: &Evaluation) -> Option<Figure> {
    let deciles = &evaluation.deciles;
    if deciles.is_empty() {
        return None;
    }
    let values = || deciles.iter().flat_map(|decile| [decile.mean_propensity, decile.rate_high, 0.0]);
    let title = "Do the percentages hold?";
    let mut chart = Chart::new(
        format!("calibration-{i}"),
        title,
        "A point for each tenth of the people: predicted against happened; on the dashed line both agree.",
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
        table: metrics::deciles(evaluation),
    })
}

/// Circle, diamond or square for train, validation and test.
fn shape(split: &str) -> Shape {
    match split {
        "test" => Shape::Square,
        "validation" => Shape::Diamond,
        _ => Shape::Circle,
    }
}

pub(super) fn cutoffs(i: usize, evaluation: &Evaluation) -> Option<Figure> {
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
        "The AUC at each cutoff with its interval; circles are training, diamonds validation, squares test data.",
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
        table: metrics::at_cutoffs(evaluation),
    })
}

/// The months of the dates when they tell them apart: they leave room on the axis.
fn months(dates: &[String]) -> Vec<String> {
    let months: Vec<String> = dates.iter().map(|date| date.chars().take(7).collect()).collect();
    if months.windows(2).all(|pair| pair[0] != pair[1]) { months } else { dates.to_vec() }
}
