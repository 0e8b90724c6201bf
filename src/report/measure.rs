//! What a campaign changed, under its audience: the answer, both groups as expected and as they were, the lift by rank.

use askama::Template;

use crate::expand::measure::{Arm, Estimate, Measurement, Part};
use crate::report::svg::{self, Axis, Chart, Shape};
use crate::report::table::{Cell, Kind, Table};
use crate::report::workbook::Sheets;
use crate::report::{Figure, words};
use crate::time::Time;

/// What `clo measure` found of an audience.
#[derive(Template)]
#[template(path = "report/measure.html")]
pub(super) struct Measured {
    pub(super) sentence: String,
    /// When outcomes counted, where that is known.
    pub(super) span: Option<String>,
    /// What was expected of each group, and what came.
    came: Vec<String>,
    groups: Table,
    estimates: Table,
    /// How often these outcomes were looked at, when more than once.
    looks: String,
    warnings: Vec<String>,
    figures: Vec<Figure>,
    segments: Table,
}

/// The page's part, and its sheets; `i` tells audiences apart.
pub(super) fn measured(i: usize, measurement: &Measurement, sheets: &mut Sheets) -> Measured {
    let (groups, estimates) = (groups(measurement), estimates(measurement));
    let parts = parts("By part of the list", measurement.tiers.iter().chain(&measurement.segments));
    for (sheet, table) in [("Measured groups", &groups), ("Measured lift", &estimates), ("Measured parts", &parts)] {
        sheets.add(sheet, &table.of("Audience", &measurement.audience));
    }
    let n_looks = measurement.looks.len();
    Measured {
        sentence: measurement.verdict.sentence.clone(),
        span: measurement
            .since
            .as_ref()
            .zip(measurement.until.as_ref())
            .map(|(since, until)| format!("from {} until {}", day(since), day(until))),
        came: came(measurement),
        groups,
        estimates,
        looks: if n_looks > 1 { format!("This is look number {n_looks} at the outcomes.") } else { String::new() },
        warnings: measurement.warnings.clone(),
        figures: tiers(i, measurement).into_iter().collect(),
        segments: self::parts("By group of people", &measurement.segments),
    }
}

/// A time as people name it.
fn day(time: &str) -> String {
    time.parse::<Time>().map_or_else(|_| time.to_owned(), |time| time.at_last_event().to_string())
}

/// Expected against realised, in sentences.
fn came(measurement: &Measurement) -> Vec<String> {
    let groups = [("contacted", &measurement.target), ("held out", &measurement.holdout)];
    let sentence = |(name, arm): (&str, &Arm)| {
        let (people, converted) = (words::people(arm.rate.n_eligible), words::count(arm.rate.n_attained));
        let expected = arm.expected.zip(arm.expected_low).zip(arm.expected_high).map(|((value, low), high)| {
            let [value, low, high] = [value, low, high].map(|number| words::number(number, 0));
            format!("; {value} were expected to without contact ({low} to {high})")
        });
        format!("Of {people} {name}, {converted} converted{}.", expected.unwrap_or_default())
    };
    groups.map(sentence).into()
}

/// Expected against realised.
fn groups(measurement: &Measurement) -> Table {
    let columns = [
        ("Group", Kind::Text),
        ("Converted", Kind::Rate),
        ("How many", Kind::Count),
        ("Expected without contact", Kind::Interval(1)),
        ("Value per person", Kind::Number(2)),
    ];
    let mut table = Table::new("Expected against realised", &columns);
    for (name, arm) in [("contacted", &measurement.target), ("held out", &measurement.holdout)] {
        let Arm { rate, expected, expected_low, expected_high, value_per_person, .. } = arm;
        let expected = match (expected, expected_low, expected_high) {
            (Some(value), Some(low), Some(high)) => Cell::Interval { value: *value, low: *low, high: *high },
            _ => Cell::Missing,
        };
        let converted = Cell::count(rate.n_attained);
        table.push(vec![name.into(), Cell::Rate(*rate), converted, expected, (*value_per_person).into()]);
    }
    table
}

fn estimates(measurement: &Measurement) -> Table {
    let columns = [("Figure", Kind::Text), ("Estimate (95 %)", Kind::Text), ("Interval by", Kind::Text)];
    let mut table = Table::new("The lift in figures", &columns);
    let mut row = |name: String, estimate: Option<&Estimate>, factor: f64, unit: &str, decimals: usize| {
        if let Some(estimate) = estimate {
            let text = shown(&estimate.times(factor), unit, decimals);
            table.push(vec![name.into(), text.into(), estimate.method.as_str().into()]);
        }
    };
    row("lift".into(), measurement.lift.as_ref(), 100.0, " points", 2);
    row("relative lift".into(), measurement.lift_relative.as_ref(), 100.0, " %", 1);
    if let Some(adjusted) = &measurement.lift_adjusted {
        row("lift, the foreseeable taken out (CUPED)".into(), Some(&adjusted.lift), 100.0, " points", 2);
    }
    if let Some(reached) = &measurement.reached {
        let name = format!("lift among the {} reached", words::percent(reached.match_rate));
        row(name, Some(&reached.lift), 100.0, " points", 2);
    }
    row("value per person".into(), measurement.value_lift.as_ref(), 1.0, "", 2);
    if let Some(adjusted) = &measurement.value_lift_adjusted {
        row("value, the foreseeable taken out (CUPED)".into(), Some(&adjusted.lift), 1.0, "", 2);
    }
    row("conversions that would not have been".into(), measurement.incremental.as_ref(), 1.0, "", 1);
    row("cost of one of them".into(), measurement.cost_per_incremental.as_ref(), 1.0, "", 2);
    table
}

/// `1.20 points (0.31 to 2.09)`.
fn shown(estimate: &Estimate, unit: &str, decimals: usize) -> String {
    let end = |end: Option<f64>| end.map_or_else(|| "no end".to_owned(), |end| words::number(end, decimals));
    let value = words::number(estimate.value, decimals);
    format!("{value}{unit} ({} to {})", end(estimate.low), end(estimate.high))
}

fn parts<'p>(caption: &str, parts: impl IntoIterator<Item = &'p Part>) -> Table {
    let columns = [
        ("By", Kind::Text),
        ("Part", Kind::Text),
        ("Contacted", Kind::Rate),
        ("Held out", Kind::Rate),
        ("Lift in points", Kind::Text),
    ];
    let mut table = Table::new(caption, &columns);
    for part in parts {
        let lift = part.lift.as_ref().map_or(Cell::Missing, |lift| shown(&lift.times(100.0), "", 2).into());
        table.push(vec![
            part.by.as_str().into(),
            part.part.as_str().into(),
            Cell::Rate(part.target),
            Cell::Rate(part.holdout),
            lift,
        ]);
    }
    table
}

/// The lift of each fifth of the list.
fn tiers(i: usize, measurement: &Measurement) -> Option<Figure> {
    let told: Vec<(&Part, &Estimate)> =
        measurement.tiers.iter().filter_map(|part| Some((part, part.lift.as_ref()?))).collect();
    if told.is_empty() {
        return None;
    }
    let names: Vec<String> = told.iter().map(|(part, _)| part.part.clone()).collect();
    let ends = told.iter().flat_map(|(_, lift)| [lift.low, lift.high]).flatten();
    let title = "Where in the list was the lift?";
    let mut chart = Chart::new(
        format!("measured-{i}"),
        title,
        "A point for the lift of each fifth of the list, best first, with its interval; a dashed line at no lift.",
        Axis::places("part of the list, best first", &names, 5),
        Axis::holding("lift", ends.chain([0.0]), words::percent_tick),
    );
    chart.line("random", &[(-0.5, 0.0), (svg::place(told.len()) - 0.5, 0.0)]);
    for (place, (part, lift)) in told.iter().enumerate() {
        let x = svg::place(place);
        if let (Some(low), Some(high)) = (lift.low, lift.high) {
            chart.whisker(x, low, high);
        }
        let tip = format!("{}: {}", part.part, shown(&lift.times(100.0), " points", 2));
        chart.point(Shape::Square, x, lift.value, &tip);
    }
    let caption = "The share of the contacted who converted less that of the people held out, by rank on the list. An interval that \
                   crosses the dashed line may be chance."
        .into();
    let table = parts("By rank", told.into_iter().map(|(part, _)| part));
    Some(Figure { title: title.into(), caption, drawings: vec![("", chart.finish())], table })
}
