//! The charts of section 1: how people leave each stage over time, and who stands where.

use crate::report::measured::{Departure, Incidence, Measured, Occupation};
use crate::report::svg::{Axis, Chart};
use crate::report::table::{Cell, Kind, Table};
use crate::report::{Figure, words};
use crate::time::{DAY, Time};

/// How many colours the style sheet has for stages.
const N_COLOURS: usize = 6;

/// The colour of a stage.
pub(super) fn colour(stages: &[String], name: &str) -> String {
    let place = stages.iter().position(|stage| stage == name).unwrap_or_default();
    format!("s{}", place % N_COLOURS)
}

/// For each stage that people leave: when, and where to.
pub(super) fn departures(measured: &Measured, stages: &[String]) -> Vec<Figure> {
    let figure = |(i, stage): (usize, &String)| departure(i, stage, measured, stages);
    stages.iter().enumerate().filter_map(figure).collect()
}

fn departure(i: usize, stage: &str, measured: &Measured, stages: &[String]) -> Option<Figure> {
    let points: Vec<&Incidence> = measured.incidence.iter().filter(|point| point.stage == stage).collect();
    let times: Vec<&Departure> = measured.times.iter().filter(|row| row.by.is_none() && row.stage == stage).collect();
    let exits: Vec<&str> = times.iter().filter_map(|row| row.to.as_deref()).collect();
    if exits.is_empty() {
        return None;
    }
    let limit = limit(&points)?;
    let (unit, label) = match limit {
        days if days < 0.15 => (1_440.0, "minutes since entering the stage"),
        days if days < 3.0 => (24.0, "hours since entering the stage"),
        _ => (1.0, "days since entering the stage"),
    };
    let of = |to: &str| -> Vec<&Incidence> {
        points.iter().filter(|point| point.to.as_deref() == Some(to) && point.days <= limit).copied().collect()
    };
    let highs = exits.iter().flat_map(|to| of(to)).map(|point| point.high);
    let title = format!("From {stage}: where to, and when");
    let mut chart = Chart::new(
        format!("moves-{i}"),
        &title,
        "A line for each stage that people go on to: the share who have, by the time since they came. Shaded: the uncertainty.",
        Axis::holding(label, [0.0, limit * unit], words::tick),
        Axis::holding("have moved on", highs.chain([0.0]), words::percent_tick),
    );
    let mut ends = Vec::new();
    for to in &exits {
        let class = colour(stages, to);
        let line: Vec<_> = of(to).iter().map(|point| (point.days * unit, point.probability)).collect();
        let band: Vec<_> = of(to).iter().map(|point| (point.days * unit, point.low, point.high)).collect();
        chart.area(&format!("light {class}"), &band, "");
        chart.line(&class, &line);
        ends.extend(line.last().map(|&(x, y)| (x, y, *to)));
    }
    label_ends(&mut chart, ends);
    Some(Figure {
        caption: sentence(stage, &times),
        drawings: vec![("", chart.finish())],
        table: departure_table(&title, &times),
        title,
    })
}

/// Names beside the ends of lines, kept apart.
fn label_ends(chart: &mut Chart, mut ends: Vec<(f64, f64, &str)>) {
    ends.sort_by(|a, b| a.1.total_cmp(&b.1));
    let gap = chart.height() * 0.075;
    let mut last = f64::NEG_INFINITY;
    for (x, y, name) in ends {
        let y = y.max(last + gap);
        chart.words("end", (x, y), 5.0, name);
        last = y;
    }
}

/// How far the chart goes: until nearly all who leave have left, at most as far as it is known.
fn limit(points: &[&Incidence]) -> Option<f64> {
    let lasting = || points.iter().filter(|point| point.to.is_none());
    let end = lasting().next_back()?;
    let left = 0.98 * (1.0 - end.probability);
    let reached = lasting().find(|point| 1.0 - point.probability >= left)?.days;
    Some((reached * 1.25).clamp(end.days.min(0.02), end.days)).filter(|days| *days > 0.0)
}

fn sentence(stage: &str, times: &[&Departure]) -> String {
    let horizon = times.iter().find_map(|row| row.horizon_days).unwrap_or_default();
    let of_hundred = |share: f64| match 100.0 * share {
        n if n > 0.0 && n < 0.95 => "fewer than 1".to_owned(),
        n => words::number(n, 0),
    };
    let part = |row: &&&Departure| {
        let n = of_hundred(row.probability?);
        Some(match (&row.to, row.median_days) {
            (Some(to), Some(days)) => format!("{n} go to {to} (half of them within {})", words::span(days)),
            (Some(to), None) => format!("{n} go to {to}"),
            (None, _) => format!("{n} are still there"),
        })
    };
    let parts: Vec<String> = times.iter().filter_map(|row| part(&row)).collect();
    format!(
        "Of 100 who enter {stage}, within {}: {}. Those who came lately count for as long as they could be watched.",
        words::span(horizon),
        parts.join(", "),
    )
}

fn departure_table(title: &str, times: &[&Departure]) -> Table {
    let columns = [
        ("To", Kind::Text),
        ("Stays", Kind::Count),
        ("Probability (95 % interval)", Kind::ShareInterval),
        ("Within days", Kind::Number(0)),
        ("A quarter by day", Kind::Number(1)),
        ("Half by day", Kind::Number(1)),
        ("Three quarters by day", Kind::Number(1)),
    ];
    let mut table = Table::new(title, &columns);
    for row in times {
        table.push(vec![
            row.to.as_deref().unwrap_or("(still there)").into(),
            row.stays.into(),
            interval(row.probability, row.low, row.high),
            row.horizon_days.into(),
            row.quarter_days.into(),
            row.median_days.into(),
            row.three_quarters_days.into(),
        ]);
    }
    table
}

pub(super) fn interval(value: Option<f64>, low: Option<f64>, high: Option<f64>) -> Cell {
    match (value, low, high) {
        (Some(value), Some(low), Some(high)) => Cell::Interval { value, low, high },
        (value, ..) => value.into(),
    }
}

/// How the groups of `lifecycle.by` move, one table for each attribute.
pub(super) fn by_group(measured: &Measured) -> Vec<Table> {
    let mut names: Vec<&str> = Vec::new();
    for by in measured.times.iter().filter_map(|row| row.by.as_deref()) {
        if by != "cohort" && !names.contains(&by) {
            names.push(by);
        }
    }
    names.into_iter().map(|name| group_table(name, measured)).collect()
}

fn group_table(name: &str, measured: &Measured) -> Table {
    let columns = [
        (name, Kind::Text),
        ("From", Kind::Text),
        ("To", Kind::Text),
        ("Stays", Kind::Count),
        ("Probability (95 % interval)", Kind::ShareInterval),
        ("Within days", Kind::Number(0)),
        ("Half of them within", Kind::Text),
    ];
    let mut table = Table::new(format!("Moves by {name}"), &columns);
    let mut rows: Vec<&Departure> =
        measured.times.iter().filter(|row| row.by.as_deref() == Some(name) && row.to.is_some()).collect();
    rows.sort_by(|a, b| (&a.stage, &a.to).cmp(&(&b.stage, &b.to)));
    for row in rows {
        table.push(vec![
            row.value.as_deref().unwrap_or_default().into(),
            row.stage.as_str().into(),
            row.to.as_deref().unwrap_or_default().into(),
            row.stays.into(),
            interval(row.probability, row.low, row.high),
            row.horizon_days.into(),
            row.median_days.map_or(Cell::Missing, |days| words::span(days).into()),
        ]);
    }
    table
}

/// Who stands where over the calendar, and over the time since entry.
pub(super) fn occupation(measured: &Measured, stages: &[String]) -> Vec<Figure> {
    [over_time(measured, stages), since_entry(measured, stages)].into_iter().flatten().collect()
}

fn over_time(measured: &Measured, stages: &[String]) -> Option<Figure> {
    let rows: Vec<&Occupation> = measured.occupation.iter().filter(|row| row.at.is_some()).collect();
    let at: Vec<f64> = of_stage(&rows, stages.first()?).filter_map(|row| row.at).collect();
    let (first, last) = (*at.first()?, *at.last().filter(|_| at.len() > 1)?);
    let people = |row: &Occupation| row.people;
    let layers = layers(&rows, stages, |row| row.at, people);
    let highs = layers.last()?.iter().map(|layer| layer.2);
    let title = "People in each stage, over time";
    let ticks = (0..4).map(|i| first + (last - first) * (f64::from(i) + 0.5) / 4.0);
    let x = Axis { label: "date", low: first, high: last, ticks: ticks.map(|days| (days, month(days))).collect() };
    let y = Axis::holding("people", highs.chain([0.0]), words::tick);
    let chart = stacked("occupation", title, stages, (x, y), &layers);
    let mut table = Table::new(title, &dated_columns(stages));
    for (i, &days) in at.iter().enumerate() {
        let counts = layers.iter().map(|layer| Cell::from(layer.get(i).map(|&(_, low, high)| high - low)));
        table.push([Cell::from(date(days))].into_iter().chain(counts).collect());
    }
    Some(Figure {
        title: title.into(),
        caption: "Everyone who has entered by then, each in the stage they stood in at that time.".into(),
        drawings: vec![("", chart)],
        table,
    })
}

fn since_entry(measured: &Measured, stages: &[String]) -> Option<Figure> {
    let rows: Vec<&Occupation> = measured.occupation.iter().filter(|row| row.since_entry.is_some()).collect();
    // The last points rest on few people.
    let most = rows.iter().map(|row| row.eligible).fold(0.0, f64::max);
    let rows: Vec<&Occupation> = rows.into_iter().filter(|row| row.eligible >= 0.1 * most).collect();
    let days: Vec<f64> = of_stage(&rows, stages.first()?).filter_map(|row| row.since_entry).collect();
    let last = *days.last().filter(|_| days.len() > 1)?;
    let share = |row: &Occupation| row.people / row.eligible;
    let layers = layers(&rows, stages, |row| row.since_entry, share);
    let title = "Where people stand, by the time since they came";
    let x = Axis::holding("days since they entered the lifecycle", [0.0, last], words::tick);
    let y = Axis::holding("of the people", [0.0, 1.0], words::percent_tick);
    let chart = stacked("since-entry", title, stages, (x, y), &layers);
    let mut columns = vec![("Days since entry".to_owned(), Kind::Number(0)), ("People watched".into(), Kind::Count)];
    columns.extend(stages.iter().map(|stage| (stage.clone(), Kind::Share)));
    let columns: Vec<(&str, Kind)> = columns.iter().map(|(title, kind)| (title.as_str(), *kind)).collect();
    let mut table = Table::new(title, &columns);
    let watched: Vec<f64> = of_stage(&rows, stages.first()?).map(|row| row.eligible).collect();
    for (i, &days) in days.iter().enumerate() {
        let shares = layers.iter().map(|layer| Cell::from(layer.get(i).map(|&(_, low, high)| high - low)));
        table.push([Cell::Number(days), Cell::Number(watched[i])].into_iter().chain(shares).collect());
    }
    Some(Figure {
        title: title.into(),
        caption: "Of the people who came at least so many days before the end of the data; shown as far as a tenth of them did."
            .into(),
        drawings: vec![("", chart)],
        table,
    })
}

fn of_stage<'a>(rows: &'a [&Occupation], stage: &'a str) -> impl Iterator<Item = &'a Occupation> {
    rows.iter().filter(move |row| row.stage == stage).copied()
}

/// For each stage its layer of a stack: x, from, to.
fn layers(
    rows: &[&Occupation],
    stages: &[String],
    x: fn(&Occupation) -> Option<f64>,
    size: impl Fn(&Occupation) -> f64,
) -> Vec<Vec<(f64, f64, f64)>> {
    let mut tops: Vec<f64> = Vec::new();
    let layer = |stage: &String| {
        let own: Vec<&Occupation> = of_stage(rows, stage).collect();
        tops.resize(own.len().max(tops.len()), 0.0);
        let one = |(row, top): (&&Occupation, &mut f64)| {
            let low = *top;
            *top += size(row);
            (x(row).unwrap_or_default(), low, *top)
        };
        own.iter().zip(&mut tops).map(one).collect()
    };
    stages.iter().map(layer).collect()
}

/// How much of the width a name takes.
const NAME_WIDTH: f64 = 0.2;

fn stacked(id: &str, title: &str, stages: &[String], (x, y): (Axis, Axis), layers: &[Vec<(f64, f64, f64)>]) -> String {
    let room = 0.07 * (y.high - y.low);
    let (first, last) = (x.low, x.high);
    let description = "A layer for each stage, as thick as it has people; the table beside has the numbers.";
    let mut chart = Chart::new(id, title, description, x, y);
    for (stage, layer) in stages.iter().zip(layers) {
        chart.area(&colour(stages, stage), layer, stage);
    }
    let mut named: Vec<(f64, f64)> = Vec::new();
    for (stage, layer) in stages.iter().zip(layers) {
        let along = |x: f64| (x - first) / (last - first);
        let mut inner: Vec<(f64, f64, f64)> = layer.iter().copied().filter(|at| at.2 - at.1 > room).collect();
        inner.retain(|at| (0.15..=0.85).contains(&along(at.0)));
        inner.sort_by(|a, b| (b.2 - b.1).total_cmp(&(a.2 - a.1)));
        // Where it is thickest, unless another name stands there.
        let is_free = |&(x, low, high): &(f64, f64, f64)| {
            let apart = |other: &(f64, f64)| {
                let beside = (along(x) - along(other.0)).abs() > NAME_WIDTH;
                beside || (f64::midpoint(low, high) - other.1).abs() > 1.5 * room
            };
            named.iter().all(apart)
        };
        if let Some(&(x, low, high)) = inner.iter().find(|at| is_free(at)) {
            chart.words("middle", (x, f64::midpoint(low, high)), -4.0, stage);
            named.push((x, f64::midpoint(low, high)));
        }
    }
    chart.finish()
}

fn dated_columns(stages: &[String]) -> Vec<(&str, Kind)> {
    [("Date", Kind::Text)].into_iter().chain(stages.iter().map(|stage| (stage.as_str(), Kind::Count))).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "days of a calendar")]
fn date(days: f64) -> String {
    Time((days * DAY as f64) as i64).to_string().chars().take(10).collect()
}

fn month(days: f64) -> String {
    date(days).chars().take(7).collect()
}
