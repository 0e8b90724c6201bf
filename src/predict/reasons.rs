//! Why a person's propensity is above the average, in words a marketer reads.
//!
//! In: how much each feature moved a person's margin, and the feature's value. Out: up to three phrases, the strongest
//! first, made from the feature's name by the grammar of the catalogue: `purchase.count.90d` = 3 reads "3 purchases in the
//! last 90 days". Features that pulled the propensity down are no reasons to reach somebody.

use rayon::prelude::*;

use super::estimator::{Contributions, Fitted};
use crate::discover::table::NO_LEVEL;
use crate::discover::words::Meaning;
use crate::discover::{Cells, Table};
use crate::error::Result;

/// Reasons per person.
pub const REASONS: usize = 3;
/// A smaller push than this, in log odds, is no reason.
const LEAST_PUSH: f64 = 1e-3;
/// Rows explained at a time.
const CHUNK: usize = 16_384;

/// Up to three reasons for each of `rows`, the strongest first; `dates` names the attributes that are days before the cutoff.
///
/// # Errors
/// When the table does not fit the model.
pub fn reasons(
    model: &Fitted,
    table: &Table,
    rows: &[u32],
    dates: &[String],
) -> Result<Vec<[Option<String>; REASONS]>> {
    of_contributions(&model.features(), &|rows| model.contributions(table, rows), table, rows, dates)
}

/// As [`reasons`], from whatever tells how much each of `features` moved rows of `table`.
///
/// # Errors
/// When the contributions cannot be told.
pub fn of_contributions(
    features: &[&str],
    contributions: &dyn Fn(&[u32]) -> Result<Contributions>,
    table: &Table,
    rows: &[u32],
    dates: &[String],
) -> Result<Vec<[Option<String>; REASONS]>> {
    let phrases: Vec<Phrase> = features.iter().map(|feature| Phrase::of(feature, table, dates)).collect();
    let mut reasons = Vec::with_capacity(rows.len());
    for rows in rows.chunks(CHUNK) {
        let contributions = contributions(rows)?;
        let told = |(pushes, &row): (&[f64], &u32)| {
            strongest(pushes).map(|feature| feature.and_then(|feature| phrases[feature].told(row as usize)))
        };
        reasons.par_extend(contributions.values.par_chunks(features.len().max(1)).zip(rows).map(told));
    }
    Ok(reasons)
}

/// The features that pushed up the most, the strongest first; of equal pushes the first feature.
fn strongest(pushes: &[f64]) -> [Option<usize>; REASONS] {
    let mut best = [None; REASONS];
    for (feature, &push) in pushes.iter().enumerate() {
        if push < LEAST_PUSH {
            continue;
        }
        let place = best.iter().position(|other: &Option<usize>| other.is_none_or(|other| push > pushes[other]));
        if let Some(place) = place {
            best[place..].rotate_right(1);
            best[place] = Some(feature);
        }
    }
    best
}

/// What a feature says about a person.
struct Phrase<'a> {
    name: &'a str,
    meaning: Meaning,
    cells: Option<&'a Cells>,
}

impl<'a> Phrase<'a> {
    fn of(feature: &'a str, table: &'a Table, dates: &[String]) -> Self {
        let meaning = match Meaning::of(feature) {
            Meaning::Other(what) if dates.iter().any(|date| date == feature) => Meaning::Date(what),
            meaning => meaning,
        };
        Self { name: feature, meaning, cells: table.column(feature).map(|column| &column.cells) }
    }

    fn told(&self, row: usize) -> Option<String> {
        match self.cells? {
            Cells::Number(values) => Some(self.meaning.number(self.name, values[row])),
            Cells::Category { codes, levels } => {
                let level = if codes[row] == NO_LEVEL { None } else { levels.get(codes[row] as usize) };
                Some(self.meaning.level(self.name, level.map(String::as_str)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_strongest_pushes_up_are_the_reasons() {
        assert_eq!(strongest(&[0.1, -3.0, 0.5, 0.2, 0.5]), [Some(2), Some(4), Some(3)]);
        assert_eq!(strongest(&[-1.0, 0.4, 0.0]), [Some(1), None, None]);
    }
}
