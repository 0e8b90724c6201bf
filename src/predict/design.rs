//! From features to the terms of a linear model.
//!
//! In: numbers and categories with gaps. Out: for each row a few `(column, value)` pairs, everything else zero.
//!
//! - A **number** becomes its standardised value and, where the design bends, a broken line through up to nine knots at its
//!   quantiles (a linear B-spline: a value has weight in the two knots around it, and stays at the outer knots beyond them).
//!   A heavy upper tail is first tamed by `sign(x) ln(1 + |x|)`. A gap becomes the median, and is told by a column of its own. Counts and
//!   sums of events may stay at the ends of what nearly all rows had: they grow beyond it for no other reason than that time goes on.
//! - A **category** becomes a column per level; levels seen fewer than [`MIN_COUNT`] times share one; levels never seen, and
//!   gaps where they were rare, have none.
//! - What is constant becomes nothing.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::discover::table::NO_LEVEL;
use crate::discover::words::Meaning;
use crate::discover::{Cells, Column, Table};
use crate::error::{Error, Result};
use crate::spec::Direction;

/// A level, or a gap, has a column of its own from so many rows on.
pub const MIN_COUNT: usize = 10;
/// Rows that the shape of a number is taken from, at most.
const SHAPE_ROWS: usize = 20_000;
/// A number is tamed when its highest values lie so many quartile distances above the upper quartile …
const HEAVY_TAIL: f64 = 8.0;
/// … and it has more distinct values than this.
const FEW_VALUES: usize = 10;
/// Of a number that is kept within limits, this share of the values lies beyond each of them.
const BEYOND: f64 = 0.01;

/// How the features of a table become columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Design {
    /// One per feature, in the order of the table that the design was made from.
    pub terms: Vec<Term>,
    /// How many columns there are.
    pub n_columns: usize,
}

/// The columns of one feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Term {
    /// The feature.
    pub feature: String,
    /// Its first column.
    pub first: usize,
    /// What the columns hold.
    pub shape: Shape,
}

/// How a feature becomes columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// No columns: the feature is constant or missing.
    Nothing,
    /// `standardised value, knots…, gap`.
    Number(Number),
    /// `levels…, other`.
    Category(Category),
}

/// See [`Shape::Number`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Number {
    /// Whether `sign(x) ln(1 + |x|)` is taken first.
    pub tamed: bool,
    /// What a gap counts as, after taming.
    pub fill: f64,
    /// Mean, after taming and filling.
    pub mean: f64,
    /// Standard deviation, after taming and filling.
    pub deviation: f64,
    /// Knots after taming, ascending; none: the term is a straight line.
    pub knots: Vec<f64>,
    /// Whether a gap has a column.
    pub gap: bool,
    /// Smaller and larger values, after taming, count as these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<[f64; 2]>,
}

/// How numbers become lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lines {
    /// Parts of a broken line; 0: a straight one.
    pub knots: usize,
    /// Whether what people did counts within what nearly all rows had; the days that went by go on.
    pub limited: bool,
}

/// See [`Shape::Category`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Category {
    /// The levels with a column each, sorted.
    pub levels: Vec<String>,
    /// The rare levels, which share a column, sorted.
    pub rare: Vec<String>,
    /// Whether a gap has a column.
    pub gap: bool,
}

impl Design {
    /// The design for the features of `table`, its shapes taken from `rows`; lines bend as `lines` says, but for those that
    /// must be `monotone`.
    #[must_use]
    pub fn new(table: &Table, rows: &[u32], lines: Lines, monotone: &BTreeMap<String, Direction>) -> Self {
        let step = rows.len().div_ceil(SHAPE_ROWS).max(1);
        let sample: Vec<u32> = rows.iter().copied().step_by(step).collect();
        let shapes: Vec<Shape> = table
            .columns
            .par_iter()
            .map(|column| match &column.cells {
                Cells::Number(values) => {
                    let knots = if monotone.contains_key(&column.name) { 0 } else { lines.knots };
                    let limited = lines.limited && Meaning::of(&column.name).is_of_events();
                    number_shape(values, &sample, Lines { knots, limited })
                }
                Cells::Category { codes, levels } => category_shape(codes, levels, rows),
            })
            .collect();
        let term = |(column, shape): (&Column, Shape)| Term { feature: column.name.clone(), first: 0, shape };
        let mut design = Self { terms: table.columns.iter().zip(shapes).map(term).collect(), n_columns: 0 };
        design.number_columns();
        design
    }

    fn number_columns(&mut self) {
        self.n_columns = 0;
        for term in &mut self.terms {
            term.first = self.n_columns;
            self.n_columns += term.shape.width();
        }
    }

    /// Takes the lines out that go against their direction under `weights`; whether there were any.
    pub(super) fn drop_wrong_way(&mut self, monotone: &BTreeMap<String, Direction>, weights: &[f64]) -> bool {
        let mut dropped = false;
        for term in &mut self.terms {
            let (Shape::Number(_), Some(direction)) = (&term.shape, monotone.get(&term.feature)) else { continue };
            let wrong = match direction {
                Direction::Up => weights[term.first] < 0.0,
                Direction::Down => weights[term.first] > 0.0,
            };
            if wrong {
                term.shape = Shape::Nothing;
                dropped = true;
            }
        }
        if dropped {
            self.number_columns();
        }
        dropped
    }

    /// The design, tied to the columns of `table` by name.
    ///
    /// # Errors
    /// When the table lacks a feature or holds it in another form.
    pub fn bind<'a>(&'a self, table: &'a Table) -> Result<Bound<'a>> {
        let present = self.terms.iter().enumerate().filter(|(_, term)| term.shape != Shape::Nothing);
        let terms: Result<Vec<BoundTerm>> = present.map(|(feature, term)| bind_term(feature, term, table)).collect();
        Ok(Bound { terms: terms?, n_columns: self.n_columns })
    }

    /// Whether every column stands where the terms say, and every number is finite.
    pub(super) fn check(&self) -> Result<()> {
        let mut next = 0;
        for term in &self.terms {
            let sound = match &term.shape {
                Shape::Nothing => true,
                Shape::Number(number) => number.is_sound(),
                Shape::Category(category) => category.is_sound(),
            };
            if term.first != next || !sound {
                return Err(Error::data(format!("the terms of feature `{}` are damaged", term.feature)));
            }
            next += term.shape.width();
        }
        if next == self.n_columns { Ok(()) } else { Err(Error::data("the columns of the design are damaged")) }
    }
}

impl Shape {
    /// How many columns the feature takes.
    #[must_use]
    pub fn width(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Number(number) => 1 + number.knots.len() + usize::from(number.gap),
            Self::Category(category) => {
                category.levels.len() + usize::from(!category.rare.is_empty()) + usize::from(category.gap)
            }
        }
    }
}

impl Number {
    /// A value as the line sees it: filled, tamed, within the limits.
    pub(super) fn seen(&self, value: f32) -> f64 {
        let tamed = if value.is_finite() { tame(value, self.tamed) } else { self.fill };
        self.limits.map_or(tamed, |[low, high]| tamed.clamp(low, high))
    }

    fn is_sound(&self) -> bool {
        let finite = [self.fill, self.mean, self.deviation].iter().chain(&self.knots).all(|value| value.is_finite());
        let limited = self.limits.is_none_or(|[low, high]| low.is_finite() && high.is_finite() && low < high);
        finite
            && limited
            && self.deviation > 0.0
            && self.knots.windows(2).all(|pair| pair[0] < pair[1])
            && self.knots.len() != 1
    }
}

/// A design tied to the columns of a table.
#[derive(Debug)]
pub struct Bound<'a> {
    pub(super) terms: Vec<BoundTerm<'a>>,
    /// How many columns there are.
    pub n_columns: usize,
}

#[derive(Debug)]
pub(super) struct BoundTerm<'a> {
    /// The position of the feature among the terms of the design.
    pub(super) feature: usize,
    pub(super) first: usize,
    pub(super) cells: BoundCells<'a>,
}

#[derive(Debug)]
pub(super) enum BoundCells<'a> {
    Number(&'a [f32], &'a Number),
    /// Codes, and the column of each level of this table (`u32::MAX`: none), the last for a gap.
    Category(&'a [u32], Vec<u32>),
}

fn bind_term<'a>(feature: usize, term: &'a Term, table: &'a Table) -> Result<BoundTerm<'a>> {
    let absent = || Error::data(format!("the data has no feature `{}`", term.feature));
    let cells = match (&table.column(&term.feature).ok_or_else(absent)?.cells, &term.shape) {
        (Cells::Number(values), Shape::Number(number)) => BoundCells::Number(values, number),
        (Cells::Category { codes, levels }, Shape::Category(category)) => {
            BoundCells::Category(codes, category.columns_of(levels))
        }
        _ => return Err(Error::data(format!("feature `{}` is not of the kind it was trained as", term.feature))),
    };
    Ok(BoundTerm { feature, first: term.first, cells })
}

impl Category {
    /// For each level of a table, and at last for a gap, the column it takes.
    fn columns_of(&self, levels: &[String]) -> Vec<u32> {
        let column = |at: usize| u32::try_from(at).expect("columns are counted in 32 bits");
        let shared = self.levels.len();
        let of_level = |level: &String| match (self.levels.binary_search(level), self.rare.binary_search(level)) {
            (Ok(at), _) => column(at),
            (_, Ok(_)) => column(shared),
            _ => u32::MAX,
        };
        let of_gap = if self.gap { column(shared + usize::from(!self.rare.is_empty())) } else { u32::MAX };
        levels.iter().map(of_level).chain([of_gap]).collect()
    }

    fn is_sound(&self) -> bool {
        let sorted = |levels: &[String]| levels.windows(2).all(|pair| pair[0] < pair[1]);
        sorted(&self.levels) && sorted(&self.rare)
    }
}

/// In single precision, which is what the values have, and most of them are zero.
fn tame(value: f32, tamed: bool) -> f64 {
    if tamed && value != 0.0 { f64::from(libm::log1pf(value.abs()).copysign(value)) } else { f64::from(value) }
}

fn number_shape(values: &[f32], rows: &[u32], lines: Lines) -> Shape {
    let mut known: Vec<f32> = rows.iter().map(|&row| values[row as usize]).filter(|value| value.is_finite()).collect();
    let n_gaps = rows.len() - known.len();
    known.sort_unstable_by(f32::total_cmp);
    let gap = n_gaps >= MIN_COUNT;
    let (Some(&lowest), Some(&highest)) = (known.first(), known.last()) else { return Shape::Nothing };
    if lowest == highest && !gap {
        return Shape::Nothing;
    }
    let tamed = heavy_tailed(&known);
    let mut known: Vec<f64> = known.into_iter().map(|value| tame(value, tamed)).collect();
    let limits = if lines.limited { limits(&known) } else { None };
    if let Some([low, high]) = limits {
        for value in &mut known {
            *value = value.clamp(low, high);
        }
    }
    let fill = known[known.len() / 2];
    let n = rows.len() as f64;
    let mean = (known.iter().sum::<f64>() + n_gaps as f64 * fill) / n;
    let squares = known.iter().map(|value| (value - mean).powi(2)).sum::<f64>() + n_gaps as f64 * (fill - mean).powi(2);
    let deviation = (squares / n).sqrt();
    let deviation = if deviation > 1e-12 { deviation } else { 1.0 };
    Shape::Number(Number { tamed, fill, mean, deviation, knots: knots(&known, lines.knots), gap, limits })
}

/// The ends of what nearly all of sorted values are, or of all where these are one; none where all are one.
fn limits(sorted: &[f64]) -> Option<[f64; 2]> {
    let last = sorted.len() - 1;
    let beyond = (BEYOND * last as f64) as usize;
    let ends = [beyond, 0].map(|beyond| [sorted[beyond], sorted[last - beyond]]);
    ends.into_iter().find(|[low, high]| low < high)
}

/// Whether the highest of sorted values lie far above the quartiles.
fn heavy_tailed(sorted: &[f32]) -> bool {
    let mut distinct = sorted.chunk_by(|a, b| a == b);
    if distinct.by_ref().take(FEW_VALUES + 1).count() <= FEW_VALUES {
        return false;
    }
    let at = |share: f64| f64::from(sorted[(share * (sorted.len() - 1) as f64) as usize]);
    let (low, high) = (at(0.25), at(0.75));
    let spread = (high - low).max((at(0.9) - at(0.1)) / 2.0).max(1e-9 * (high.abs() + 1.0));
    at(0.995) - high > HEAVY_TAIL * spread
}

/// Up to `n` + 1 knots at the quantiles of sorted values; all values, when they are few; none for two values or fewer.
fn knots(sorted: &[f64], n: usize) -> Vec<f64> {
    let mut distinct: Vec<f64> = Vec::new();
    for &value in sorted {
        if distinct.last() != Some(&value) {
            distinct.push(value);
        }
        if distinct.len() > n + 1 {
            break;
        }
    }
    if n == 0 || distinct.len() <= 2 {
        return Vec::new();
    }
    if distinct.len() > n + 1 {
        distinct = (0..=n).map(|part| sorted[part * (sorted.len() - 1) / n]).collect();
        distinct.dedup();
    }
    if distinct.len() > 2 { distinct } else { Vec::new() }
}

fn category_shape(codes: &[u32], levels: &[String], rows: &[u32]) -> Shape {
    let mut counts = vec![0_usize; levels.len() + 1];
    for &row in rows {
        let code = codes[row as usize];
        counts[if code == NO_LEVEL { levels.len() } else { code as usize }] += 1;
    }
    let gap = counts[levels.len()] >= MIN_COUNT;
    let of_count = |wanted: std::ops::Range<usize>| {
        let counted = levels.iter().zip(&counts).filter(|(_, count)| wanted.contains(count));
        let mut found: Vec<String> = counted.map(|(level, _)| level.clone()).collect();
        found.sort_unstable();
        found
    };
    let category = Category { levels: of_count(MIN_COUNT..usize::MAX), rare: of_count(1..MIN_COUNT), gap };
    let shape = Shape::Category(category);
    if shape.width() < 2 { Shape::Nothing } else { shape }
}
