//! The terms of a few rows at a time, feature by feature.
//!
//! Taking a feature over 64 rows before the next keeps its shape in registers and all that a Newton step needs of the rows
//! in the cache; nothing is stored for longer than its block.

use super::design::{Bound, BoundCells, Number};

/// Rows of a block.
pub const ROWS: usize = 64;
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
    first: usize,
    kind: Kind,
    /// The column of a level, or of the knot below, from `first` on.
    column: [u32; ROWS],
    /// The standardised value of a number.
    value: [f64; ROWS],
    /// How far a number has come from the knot below to the one above.
    share: [f64; ROWS],
    /// One over the distance of each knot to the next.
    steepness: Vec<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Line,
    BrokenLine,
    Level,
}

impl Block {
    /// A block for the terms of `bound`; it holds nothing yet.
    #[must_use]
    pub fn new(bound: &Bound<'_>) -> Self {
        let part = |feature, first, kind, knots: &[f64]| Part {
            feature,
            first,
            kind,
            column: [NONE; ROWS],
            value: [0.0; ROWS],
            share: [0.0; ROWS],
            steepness: knots.windows(2).map(|pair| 1.0 / (pair[1] - pair[0])).collect(),
        };
        let mut parts = Vec::new();
        for term in &bound.terms {
            match &term.cells {
                BoundCells::Number(_, number) => {
                    let kind = if number.knots.is_empty() { Kind::Line } else { Kind::BrokenLine };
                    parts.push(part(term.feature, term.first, kind, &number.knots));
                    if number.gap {
                        parts.push(part(term.feature, term.first + 1 + number.knots.len(), Kind::Level, &[]));
                    }
                }
                BoundCells::Category(..) => parts.push(part(term.feature, term.first, Kind::Level, &[])),
            }
        }
        Self { n_rows: 0, parts }
    }

    /// Takes in `rows`, at most [`ROWS`] of them.
    pub fn load(&mut self, bound: &Bound<'_>, rows: &[u32]) {
        self.n_rows = rows.len();
        let mut parts = self.parts.iter_mut();
        for term in &bound.terms {
            let Some(part) = parts.next() else { return };
            match &term.cells {
                BoundCells::Number(values, number) => {
                    part.numbers(values, number, rows);
                    if number.gap
                        && let Some(gaps) = parts.next()
                    {
                        for (column, &row) in gaps.column.iter_mut().zip(rows) {
                            *column = if values[row as usize].is_finite() { NONE } else { 0 };
                        }
                    }
                }
                BoundCells::Category(codes, columns) => {
                    for (column, &row) in part.column.iter_mut().zip(rows) {
                        *column = columns[(codes[row as usize] as usize).min(columns.len() - 1)];
                    }
                }
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

impl Part {
    fn numbers(&mut self, values: &[f32], number: &Number, rows: &[u32]) {
        let scale = 1.0 / number.deviation;
        let mut tamed = [0.0; ROWS];
        for (tamed, &row) in tamed.iter_mut().zip(rows) {
            *tamed = number.seen(values[row as usize]);
        }
        for (value, tamed) in self.value.iter_mut().zip(&tamed).take(rows.len()) {
            *value = (tamed - number.mean) * scale;
        }
        let [lowest, .., highest] = number.knots[..] else { return };
        self.column.fill(1);
        for &knot in &number.knots[1..number.knots.len() - 1] {
            for (column, value) in self.column.iter_mut().zip(&tamed) {
                *column += u32::from(*value >= knot);
            }
        }
        for ((share, value), &column) in self.share.iter_mut().zip(&tamed).zip(&self.column).take(rows.len()) {
            let below = column as usize - 1;
            *share = (value.clamp(lowest, highest) - number.knots[below]) * self.steepness[below];
        }
    }

    fn sums(&self, weights: &[f64], sums: &mut [f64]) {
        let weights = &weights[self.first..];
        for (at, sum) in sums.iter_mut().enumerate() {
            match self.kind {
                Kind::Line => *sum += weights[0] * self.value[at],
                Kind::BrokenLine => {
                    let (column, share) = (self.column[at] as usize, self.share[at]);
                    *sum += weights[0] * self.value[at] + weights[column] * (1.0 - share) + weights[column + 1] * share;
                }
                Kind::Level if self.column[at] != NONE => *sum += weights[self.column[at] as usize],
                Kind::Level => {}
            }
        }
    }

    fn gradient(&self, misses: &[f64], gradient: &mut [f64]) {
        let gradient = &mut gradient[self.first..];
        if self.kind != Kind::Level {
            gradient[0] += misses.iter().zip(&self.value).map(|(miss, value)| miss * value).sum::<f64>();
        }
        for (at, &miss) in misses.iter().enumerate() {
            match self.kind {
                Kind::Line => return,
                Kind::BrokenLine => {
                    let (column, share) = (self.column[at] as usize, self.share[at]);
                    gradient[column] += miss * (1.0 - share);
                    gradient[column + 1] += miss * share;
                }
                Kind::Level if self.column[at] != NONE => gradient[self.column[at] as usize] += miss,
                Kind::Level => {}
            }
        }
    }

    fn entries(&self, at: usize, mut put: impl FnMut(usize, f64)) {
        let column = self.first + self.column[at] as usize;
        match self.kind {
            Kind::Line => put(self.first, self.value[at]),
            Kind::BrokenLine => {
                put(self.first, self.value[at]);
                put(column, 1.0 - self.share[at]);
                put(column + 1, self.share[at]);
            }
            Kind::Level if self.column[at] != NONE => put(column, 1.0),
            Kind::Level => {}
        }
    }
}
