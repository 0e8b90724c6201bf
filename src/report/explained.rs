//! What a model looks at, in words and charts: what the values of features do, which go together, how groups of people fare.

use std::path::Path;

use askama::Template;
use polars::prelude::DataFrame;

use super::read::{frame, json, numbers, texts};
use super::svg::{self, Axis, Chart, Shape};
use super::table::{Cell, Kind, Table};
use super::workbook::Sheets;
use super::{Figure, words};
use crate::error::Result;
use crate::predict::fairness::rates::{Ratio, Share};
use crate::predict::fairness::{Fairness, OfAttribute};

/// Features whose chart is on the page.
const CHARTS: usize = 4;
/// Pairs that are told of, and how strong the weakest of them is beside the strongest.
const PAIRS: (usize, f64) = (3, 0.3);
/// The audience size of the page's table of groups.
const SIZE: f64 = 0.1;
/// Proxies shown on the page.
const PROXIES: usize = 8;

/// What the files of a prediction hold.
#[derive(Default)]
pub(super) struct Found {
    importance: Option<DataFrame>,
    dependence: Option<DataFrame>,
    interactions: Option<DataFrame>,
    fairness: Option<Fairness>,
}

/// A part of the section of a prediction.
#[derive(Template, Default)]
#[template(path = "report/explained.html")]
pub(super) struct Explained {
    figures: Vec<Figure>,
    /// Which features go together, a sentence each.
    together: Vec<String>,
    importance: Table,
    groups: Vec<Group>,
}

/// How the groups of an attribute fare.
struct Group {
    attribute: String,
    findings: Vec<String>,
    table: Table,
    proxies: Table,
}

impl Found {
    /// Reads what there is in the folder of a prediction.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        Ok(Self {
            importance: frame(&folder.join("importance.parquet"))?,
            dependence: frame(&folder.join("dependence.parquet"))?,
            interactions: frame(&folder.join("interactions.parquet"))?,
            fairness: json(&folder.join("fairness.json"))?,
        })
    }
}

/// The part of prediction `i`, and its sheets.
pub(super) fn explained(i: usize, prediction: &str, found: &Found, sheets: &mut Sheets) -> Explained {
    let importance = found.importance.as_ref().and_then(|frame| importance(frame).ok()).unwrap_or_default();
    let dependence = found.dependence.as_ref().and_then(|frame| dependence(frame).ok()).unwrap_or_default();
    let pairs = found.interactions.as_ref().and_then(|frame| pairs(frame).ok()).unwrap_or_default();
    let attributes = found.fairness.as_ref().map(|fairness| fairness.attributes.as_slice()).unwrap_or_default();
    let add = |sheets: &mut Sheets, sheet: &'static str, table: &Table| {
        if !table.rows.is_empty() {
            sheets.add(sheet, &table.of("Prediction", prediction));
        }
    };
    add(sheets, "Weights", &importance);
    for of in &dependence {
        add(sheets, "Dependence", &of.table().of("What", &words::feature(&of.feature)));
    }
    for attribute in attributes {
        add(sheets, "Groups", &all_sizes(attribute).of("Attribute", &attribute.attribute));
    }
    Explained {
        figures: dependence.iter().take(CHARTS).enumerate().map(|(place, of)| of.figure(i, place)).collect(),
        together: together(&pairs),
        importance,
        groups: attributes.iter().map(group).collect(),
    }
}

fn importance(frame: &DataFrame) -> Result<Table> {
    let columns = [
        ("What it looks at", Kind::Text),
        ("Contribution", Kind::Bar { decimals: 3, floor: 0 }),
        ("Gain", Kind::Share),
        ("Shuffled", Kind::Interval(4)),
        ("Feature", Kind::Text),
    ];
    let mut table = Table::new("Features, weighed in three ways", &columns);
    let (features, in_words) = (texts(frame, "feature")?, texts(frame, "in_words")?);
    let [weight, gain] = [numbers(frame, "mean_abs_contribution")?, numbers(frame, "gain_share")?];
    let [value, low, high] =
        [numbers(frame, "permutation")?, numbers(frame, "permutation_low")?, numbers(frame, "permutation_high")?];
    let number = |value: Option<f64>| value.map_or(Cell::Missing, Cell::Number);
    for row in (0..frame.height()).filter(|&row| weight[row].is_some_and(|weight| weight > 0.0)) {
        let shuffled = match (value[row], low[row], high[row]) {
            (Some(value), Some(low), Some(high)) => Cell::Interval { value, low, high },
            _ => Cell::Missing,
        };
        let text = |text: &Option<String>| Cell::from(text.clone().unwrap_or_default().as_str());
        table.push(vec![text(&in_words[row]), number(weight[row]), number(gain[row]), shuffled, text(&features[row])]);
    }
    Ok(table)
}

/// What the values of one feature do.
struct Dependence {
    feature: String,
    bins: Vec<Bin>,
}

struct Bin {
    part: String,
    n: f64,
    mean: f64,
    low: f64,
    high: f64,
    is_number: bool,
}

fn dependence(frame: &DataFrame) -> Result<Vec<Dependence>> {
    let (features, parts) = (texts(frame, "feature")?, texts(frame, "part")?);
    let [from, n, mean] = [numbers(frame, "from")?, numbers(frame, "n")?, numbers(frame, "contribution")?];
    let [low, high] = [numbers(frame, "low")?, numbers(frame, "high")?];
    let mut found: Vec<Dependence> = Vec::new();
    for row in 0..frame.height() {
        let (Some(feature), Some(part), Some(mean)) = (&features[row], &parts[row], mean[row]) else { continue };
        if found.last().is_none_or(|last| last.feature != *feature) {
            found.push(Dependence { feature: feature.clone(), bins: Vec::new() });
        }
        let bin = Bin {
            part: part.clone(),
            n: n[row].unwrap_or(0.0),
            mean,
            low: low[row].unwrap_or(mean),
            high: high[row].unwrap_or(mean),
            is_number: from[row].is_some(),
        };
        found.last_mut().expect("one was just pushed").bins.push(bin);
    }
    Ok(found)
}

impl Dependence {
    fn table(&self) -> Table {
        let columns = [("Value", Kind::Text), ("Examples", Kind::Number(0)), ("Moves the log odds", Kind::Interval(3))];
        let mut table = Table::new("Mean contribution by value", &columns);
        for bin in &self.bins {
            let moved = Cell::Interval { value: bin.mean, low: bin.low, high: bin.high };
            table.push(vec![bin.part.as_str().into(), Cell::Number(bin.n), moved]);
        }
        table
    }

    fn figure(&self, i: usize, place: usize) -> Figure {
        let what = words::feature(&self.feature);
        let title = format!("What {what} does");
        let names: Vec<String> = self.bins.iter().map(|bin| short(&bin.part)).collect();
        let ends = self.bins.iter().flat_map(|bin| [bin.low, bin.high]).chain([0.0]);
        let most = if names.iter().any(|name| name.chars().count() > 6) { 4 } else { 10 };
        let mut chart = Chart::new(
            format!("dependence-{i}-{place}"),
            &title,
            "A point for each part of the range: how far it moves the log odds on average; the dashed line is no move.",
            Axis::places("value", &names, most),
            Axis::holding("moves the log odds by", ends, words::tick),
        );
        chart.line("random", &[(-0.5, 0.0), (svg::place(names.len()) - 0.5, 0.0)]);
        let line: Vec<(f64, f64)> = self
            .bins
            .iter()
            .enumerate()
            .filter(|(_, bin)| bin.is_number)
            .map(|(at, bin)| (svg::place(at), bin.mean))
            .collect();
        if line.len() > 1 {
            chart.line("", &line);
        }
        for (at, bin) in self.bins.iter().enumerate() {
            let x = svg::place(at);
            chart.whisker(x, bin.low, bin.high);
            let tip = format!("{}: {} on average, {} examples", bin.part, signed(bin.mean), words::number(bin.n, 0));
            chart.point(Shape::Circle, x, bin.mean, &tip);
        }
        Figure { title, caption: self.sentence(), drawings: vec![("", chart.finish())], table: self.table() }
    }

    /// Where the model sees most and least chance. Odds are what log odds are made of: e to the contribution times them.
    fn sentence(&self) -> String {
        let by = |a: &&Bin, b: &&Bin| a.mean.total_cmp(&b.mean);
        let (Some(best), Some(worst)) = (self.bins.iter().max_by(by), self.bins.iter().min_by(by)) else {
            return String::new();
        };
        let times = |bin: &Bin| words::number(libm::exp(bin.mean), 2);
        format!(
            "At {} the model multiplies the odds of the average person by {} on average, at {} by {}. Below the dashed line a value speaks against it.",
            best.part,
            times(best),
            worst.part,
            times(worst)
        )
    }
}

/// A name that fits under an axis.
fn short(part: &str) -> String {
    const MOST: usize = 14;
    if part.chars().count() <= MOST {
        return part.to_owned();
    }
    part.chars().take(MOST - 1).chain(['…']).collect()
}

fn signed(value: f64) -> String {
    format!("{}{}", if value < 0.0 { "−" } else { "+" }, words::number(value.abs(), 3))
}

fn pairs(frame: &DataFrame) -> Result<Vec<(String, String, f64)>> {
    let (features, with) = (texts(frame, "feature")?, texts(frame, "with")?);
    let strength = numbers(frame, "strength")?;
    let row = |row: usize| Some((features[row].clone()?, with[row].clone()?, strength[row]?));
    Ok((0..frame.height()).filter_map(row).collect())
}

fn together(pairs: &[(String, String, f64)]) -> Vec<String> {
    let (most, least) = PAIRS;
    let strongest = pairs.first().map_or(0.0, |(.., strength)| *strength);
    let told = pairs.iter().take(most).filter(|(.., strength)| *strength >= least * strongest);
    told.map(|(feature, with, strength)| {
        format!(
            "What {} says depends on {}: together they move the log odds by {} more or less than each alone.",
            words::feature(feature),
            words::feature(with),
            words::number(*strength, 3)
        )
    })
    .collect()
}

fn group(of: &OfAttribute) -> Group {
    let columns = [
        ("Group", Kind::Text),
        ("Moved on (95 % interval)", Kind::Rate),
        ("Mean propensity", Kind::Share),
        ("Selected", Kind::Rate),
        ("Ratio to the most selected", Kind::Interval(2)),
        ("Reached", Kind::Rate),
        ("Bothered", Kind::Rate),
        ("Right among the selected", Kind::Rate),
    ];
    let mut table = Table::new(format!("Groups by {}, an audience of the best tenth", of.attribute), &columns);
    for group in &of.groups {
        let Some(at) = group.sizes.iter().find(|at| (at.size - SIZE).abs() < 1e-12) else { continue };
        table.push(vec![
            group.group.as_str().into(),
            Cell::Rate(group.observed.rate),
            group.mean_propensity.map_or(Cell::Missing, Cell::Number),
            Cell::Rate(at.selection_rate.rate),
            ratio(at.selection_ratio),
            Cell::Rate(at.true_positive_rate.rate),
            Cell::Rate(at.false_positive_rate.rate),
            Cell::Rate(at.precision.rate),
        ]);
    }
    Group { attribute: of.attribute.clone(), findings: of.findings.clone(), table, proxies: proxies(of).head(PROXIES) }
}

fn ratio(ratio: Option<Ratio>) -> Cell {
    ratio.map_or(Cell::Missing, |Ratio { value, low, high }| Cell::Interval { value, low, high })
}

fn all_sizes(of: &OfAttribute) -> Table {
    let columns = [
        ("Group", Kind::Text),
        ("Audience", Kind::Share),
        ("Selected", Kind::Rate),
        ("Ratio to the most selected", Kind::Interval(2)),
        ("Reached", Kind::Rate),
        ("Bothered", Kind::Rate),
        ("Right among the selected", Kind::Rate),
    ];
    let mut table = Table::new("Groups at each audience size", &columns);
    let rate = |share: Share| Cell::Rate(share.rate);
    for group in &of.groups {
        for at in &group.sizes {
            table.push(vec![
                group.group.as_str().into(),
                Cell::Number(at.size),
                rate(at.selection_rate),
                ratio(at.selection_ratio),
                rate(at.true_positive_rate),
                rate(at.false_positive_rate),
                rate(at.precision),
            ]);
        }
    }
    table
}

fn proxies(of: &OfAttribute) -> Table {
    let columns =
        [("What tells it", Kind::Text), ("Group", Kind::Text), ("AUC", Kind::Interval(3)), ("R²", Kind::Number(3))];
    let mut table = Table::new("0.5 tells nothing, 1 everything", &columns);
    for together in &of.proxies.together {
        let auc = Cell::Interval { value: together.auc, low: together.low, high: together.high };
        table.push(vec!["all other features together".into(), together.group.as_str().into(), auc, Cell::Missing]);
    }
    for proxy in &of.proxies.features {
        let auc = Cell::Interval { value: proxy.auc, low: proxy.low, high: proxy.high };
        let r2 = proxy.r2.map_or(Cell::Missing, Cell::Number);
        table.push(vec![words::feature(&proxy.feature).into(), proxy.group.as_str().into(), auc, r2]);
    }
    table
}
