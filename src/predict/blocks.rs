//! The terms of a few rows at a time, feature by feature.
//!
//! Taking a feature over 64 rows before the next keeps its shape in registers and all that a Newton step needs of the rows
//! in the cache. The blocks of few rows are kept from step to step; of many, nothing is stored for longer than its block.

use rayon::prelude::*;

use super::design::{Bound, BoundCells, Number};

/// Rows of a block.
pub const ROWS: usize = 64;
/// Blocks are kept where they hold no more cells than this (16 bytes each): to load a cell costs as much as all else that a step
/// does with it.
const KEPT_CELLS: usize = 4_000_000;
/// No column.
const NONE: u32 = u32::MAX;

/// The terms of up to [`ROWS`] rows.
#[derive(Debug)]
pub struct Block {
    n_rows: usize,
    parts: Vec<Part>,
}

/// What one feature, or its gaps, put into a block.
#[derive(Debug)]
struct Part {
    feature: usize,
    /// Its first column.
    first: usize,
    cells: PartCells,
}

/// The cells of a part, one per row.
#[derive(Debug)]
enum PartCells {
    /// Standardised values.
    Line(Vec<f64>),
    BrokenLine(BrokenLine),
    /// The column of a level, from the first of the part on.
    Level(Vec<u32>),
}

#[derive(Debug)]
struct BrokenLine {
    /// Standardised values.
    value: Vec<f64>,
    /// The column of the knot below, from the first of the part on.
    column: Vec<u32>,
    /// How far the value has come from the knot below to the one above.
    share: Vec<f64>,
    /// One over the distance of each knot to the next.
    steepness: Vec<f64>,
}

impl Block {
    /// A block for the terms of `bound`; it holds nothing yet.
    #[must_use]
    pub fn new(bound: &Bound<'_>) -> Self {
        let level = || PartCells::Level(vec![NONE; ROWS]);
        let mut parts = Vec::new();
        for term in &bound.terms {
            let mut part = |first, cells| parts.push(Part { feature: term.feature, first, cells });
            match &term.cells {
                BoundCells::Number(_, number) => {
                    part(term.first, PartCells::of_number(number));
                    if number.gap {
                        part(term.first + 1 + number.knots.len(), level());
                    }
                }
                BoundCells::Category(..) => part(term.first, level()),
            }
        }
        Self { n_rows: 0, parts }
    }

    /// The blocks of all `rows`, [`ROWS`] each; none where they are too many to keep.
    #[must_use]
    pub fn kept(bound: &Bound<'_>, rows: &[u32]) -> Vec<Self> {
        if rows.len() * bound.terms.len() > KEPT_CELLS {
            return Vec::new();
        }
        let loaded = |rows: &[u32]| {
            let mut block = Self::new(bound);
            block.load(bound, rows);
            block
        };
        rows.par_chunks(ROWS).map(loaded).collect()
    }

    /// Takes in `rows`, at most [`ROWS`] of them.
    pub fn load(&mut self, bound: &Bound<'_>, rows: &[u32]) {
        self.n_rows = rows.len();
        let mut parts = self.parts.iter_mut().map(|part| &mut part.cells);
        for term in &bound.terms {
            match (&term.cells, parts.next()) {
                (BoundCells::Number(values, number), Some(cells)) => {
                    cells.take_numbers(values, number, rows);
                    if number.gap
                        && let Some(PartCells::Level(gaps)) = parts.next()
                    {
                        for (column, &row) in gaps.iter_mut().zip(rows) {
                            *column = if values[row as usize].is_finite() { NONE } else { 0 };
                        }
                    }
                }
                (BoundCells::Category(codes, columns), Some(PartCells::Level(column))) => {
                    for (column, &row) in column.iter_mut().zip(rows) {
                        *column = columns[(codes[row as usize] as usize).min(columns.len() - 1)];
                    }
                }
                _ => {}
            }
        }
    }

    /// Adds `Σ weight × value` of each row.
    pub fn add_margins(&self, weights: &[f64], margins: &mut [f64]) {
        for part in &self.parts {
            part.sums(weights, &mut margins[..self.n_rows]);
        }
    }

    /// Adds `Σ weight × value` of each feature: `put(row, feature, sum)`.
    pub fn sums_by_feature(&self, weights: &[f64], mut put: impl FnMut(usize, usize, f64)) {
        for part in &self.parts {
            let mut sums = [0.0; ROWS];
            part.sums(weights, &mut sums[..self.n_rows]);
            sums[..self.n_rows].iter().enumerate().for_each(|(row, &sum)| put(row, part.feature, sum));
        }
    }

    /// Adds `Σ miss × value` of each column.
    pub fn add_gradient(&self, misses: &[f64], gradient: &mut [f64]) {
        for part in &self.parts {
            part.gradient(&misses[..self.n_rows], gradient);
        }
    }

    /// Adds the values of each row to its line of `width` cells.
    pub fn fill(&self, lines: &mut [f64], width: usize) {
        for part in &self.parts {
            for (row, line) in lines.chunks_exact_mut(width).take(self.n_rows).enumerate() {
                part.entries(row, |column, value| line[column] += value);
            }
        }
    }
}

impl PartCells {
    fn of_number(number: &Number) -> Self {
        let value = vec![0.0; ROWS];
        if number.knots.is_empty() {
            return Self::Line(value);
        }
        let steepness = number.knots.windows(2).map(|pair| 1.0 / (pair[1] - pair[0])).collect();
        Self::BrokenLine(BrokenLine { value, column: vec![1; ROWS], share: vec![0.0; ROWS], steepness })
    }

    fn take_numbers(&mut self, values: &[f32], number: &Number, rows: &[u32]) {
        let mut seen = [0.0; ROWS];
        for (seen, &row) in seen.iter_mut().zip(rows) {
            *seen = number.seen(values[row as usize]);
        }
        let value = match self {
            Self::Line(value) | Self::BrokenLine(BrokenLine { value, .. }) => value,
            Self::Level(_) => return,
        };
        let scale = 1.0 / number.deviation;
        for (value, seen) in value.iter_mut().zip(&seen) {
            *value = (seen - number.mean) * scale;
        }
        if let Self::BrokenLine(line) = self {
            line.bend(&seen, &number.knots);
        }
    }
}

impl BrokenLine {
    fn bend(&mut self, seen: &[f64; ROWS], knots: &[f64]) {
        let [lowest, inner @ .., highest] = knots else { return };
        self.column.fill(1);
        for knot in inner {
            for (column, seen) in self.column.iter_mut().zip(seen) {
                *column += u32::from(seen >= knot);
            }
        }
        for ((share, seen), &column) in self.share.iter_mut().zip(seen).zip(&self.column) {
            let below = column as usize - 1;
            *share = (seen.clamp(*lowest, *highest) - knots[below]) * self.steepness[below];
        }
    }

    /// The first of two columns, and how much of a row lies in the second.
    fn between(&self, at: usize) -> (usize, f64) {
        (self.column[at] as usize, self.share[at])
    }
}

impl Part {
    fn sums(&self, weights: &[f64], sums: &mut [f64]) {
        let weights = &weights[self.first..];
        match &self.cells {
            PartCells::Line(values) => {
                sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += weights[0] * value);
            }
            PartCells::BrokenLine(line) => {
                for (at, sum) in sums.iter_mut().enumerate() {
                    let (column, share) = line.between(at);
                    *sum += weights[0] * line.value[at] + weights[column] * (1.0 - share) + weights[column + 1] * share;
                }
            }
            PartCells::Level(columns) => {
                for (sum, &column) in sums.iter_mut().zip(columns).filter(|(_, column)| **column != NONE) {
                    *sum += weights[column as usize];
                }
            }
        }
    }

    fn gradient(&self, misses: &[f64], gradient: &mut [f64]) {
        let gradient = &mut gradient[self.first..];
        if let PartCells::Line(values) | PartCells::BrokenLine(BrokenLine { value: values, .. }) = &self.cells {
            gradient[0] += misses.iter().zip(values).map(|(miss, value)| miss * value).sum::<f64>();
        }
        match &self.cells {
            PartCells::Line(_) => {}
            PartCells::BrokenLine(line) => {
                for (at, &miss) in misses.iter().enumerate() {
                    let (column, share) = line.between(at);
                    gradient[column] += miss * (1.0 - share);
                    gradient[column + 1] += miss * share;
                }
            }
            PartCells::Level(columns) => {
                for (&miss, &column) in misses.iter().zip(columns).filter(|(_, column)| **column != NONE) {
                    gradient[column as usize] += miss;
                }
            }
        }
    }

    fn entries(&self, at: usize, mut put: impl FnMut(usize, f64)) {
        match &self.cells {
            PartCells::Line(values) => put(self.first, values[at]),
            PartCells::BrokenLine(line) => {
                let (column, share) = line.between(at);
                put(self.first, line.value[at]);
                put(self.first + column, 1.0 - share);
                put(self.first + column + 1, share);
            }
            PartCells::Level(columns) if columns[at] != NONE => put(self.first + columns[at] as usize, 1.0),
            PartCells::Level(_) => {}
        }
    }
}
