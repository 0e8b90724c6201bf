//! Least squares with a penalty, for targets that are not yes or no: the second stage of the X-learner.
//!
//! `min Σ (y − b − w·x)² + λ |w|²` over the columns of a [`Design`], by the normal equations.

use faer::Side;
use faer::linalg::solvers::Solve as _;

use crate::discover::Table;
use crate::error::{Error, Result};
use crate::predict::design::{Bound, BoundCells, Design, Lines};

/// The penalty: as if so many rows more said that each column says nothing. On small data what it shrinks is noise; on large
/// data it is nothing (the area over random of Hillstrom's e-mail moves by 0.002 from 1 to 1,000).
const PENALTY: f64 = 100.0;

/// A weighted sum of the columns of a design.
#[derive(Debug, Clone)]
pub(super) struct Ridge {
    design: Design,
    weights: Vec<f64>,
    intercept: f64,
}

impl Ridge {
    /// The least squares of `target`, a value per row of `rows`.
    pub(super) fn fit(table: &Table, rows: &[u32], target: &[f64]) -> Result<Self> {
        let design = Design::new(table, rows, Lines::default(), &std::collections::BTreeMap::new());
        let width = design.n_columns;
        let bound = design.bind(table)?;
        let mean = target.iter().sum::<f64>() / target.len().max(1) as f64;
        let centre = centre(&bound, rows);
        let mut squares = faer::Mat::<f64>::zeros(width, width);
        let mut moments = faer::Mat::<f64>::zeros(width, 1);
        let mut cells = vec![0.0; width];
        for (&row, target) in rows.iter().zip(target) {
            fill(&bound, row, &mut cells);
            cells.iter_mut().zip(&centre).for_each(|(cell, centre)| *cell -= centre);
            for i in 0..width {
                moments[(i, 0)] += cells[i] * (target - mean);
                for j in 0..=i {
                    squares[(i, j)] += cells[i] * cells[j];
                }
            }
        }
        for i in 0..width {
            squares[(i, i)] += PENALTY;
        }
        let solved = squares.llt(Side::Lower).map_err(|_| Error::internal("least squares have no solution"))?;
        let solution = solved.solve(&moments);
        let weights: Vec<f64> = (0..width).map(|column| solution[(column, 0)]).collect();
        let intercept = mean - weights.iter().zip(&centre).map(|(weight, centre)| weight * centre).sum::<f64>();
        Ok(Self { design, weights, intercept })
    }

    /// The value that each of `rows` is expected to have.
    pub(super) fn values(&self, table: &Table, rows: &[u32]) -> Result<Vec<f64>> {
        let bound = self.design.bind(table)?;
        let mut cells = vec![0.0; self.weights.len()];
        let value = |&row: &u32| {
            fill(&bound, row, &mut cells);
            self.intercept + self.weights.iter().zip(&cells).map(|(weight, cell)| weight * cell).sum::<f64>()
        };
        Ok(rows.iter().map(value).collect())
    }
}

fn centre(bound: &Bound<'_>, rows: &[u32]) -> Vec<f64> {
    let (mut sums, mut cells) = (vec![0.0; bound.n_columns], vec![0.0; bound.n_columns]);
    for &row in rows {
        fill(bound, row, &mut cells);
        sums.iter_mut().zip(&cells).for_each(|(sum, cell)| *sum += cell);
    }
    sums.iter().map(|sum| sum / rows.len().max(1) as f64).collect()
}

/// The columns of a row of a design without knots.
fn fill(bound: &Bound<'_>, row: u32, cells: &mut [f64]) {
    cells.fill(0.0);
    for term in &bound.terms {
        match &term.cells {
            BoundCells::Number(values, number) => {
                let value = values[row as usize];
                let known = value.is_finite();
                cells[term.first] = (number.seen(value) - number.mean) / number.deviation;
                if number.gap && !known {
                    cells[term.first + 1] = 1.0;
                }
            }
            BoundCells::Category(codes, columns) => {
                let code = (codes[row as usize] as usize).min(columns.len() - 1);
                if columns[code] != u32::MAX {
                    cells[term.first + columns[code] as usize] = 1.0;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::{Cells, Column};

    #[test]
    fn a_line_is_found_again() {
        let x: Vec<f32> = (0..20_000_u16).map(|row| f32::from(row % 101)).collect();
        let target: Vec<f64> = x.iter().map(|&x| 0.5 - 0.02 * f64::from(x)).collect();
        let table = Table { n_rows: x.len(), columns: vec![Column { name: "x".into(), cells: Cells::Number(x) }] };
        let rows: Vec<u32> = (0..20_000).collect();
        let ridge = Ridge::fit(&table, &rows, &target).unwrap();
        for (found, wanted) in ridge.values(&table, &rows).unwrap().iter().zip(&target) {
            // 100 rows more of 20,000 that say nothing: half a per cent of a range of 2.
            assert!((found - wanted).abs() < 0.006, "{found} {wanted}");
        }
    }
}
