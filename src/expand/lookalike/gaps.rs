//! Values that many candidates have and nobody in the seed.
//!
//! A seed that was gathered in one region, or among the young, holds nobody from elsewhere. A model of it against all candidates
//! finds the region first and ranks by it, which tells how the seed was gathered and not who is like it. So bags draw their
//! candidates from where members are too, the common support of both (Heckman, Ichimura and Todd 1998): what the models find
//! there is what else sets the seed apart, and those who stand outside are ranked by that.
//!
//! Only attributes are taken so, but for those that the audience's `trust` names, and only values that are known: that nobody in
//! the seed has bought nothing, or that nothing is unknown of them, is about the people and not about how they were gathered.
//! Where hardly a candidate stands inside, as where each side has a value of its own, there is no ground to compare on, and the
//! feature is not looked at.

use super::bins::Bins;
use crate::discover::{Cells, Column, Table};

/// Share of the candidates beyond what chance leaves out of the seed, and members expected there, from which on a gap is told.
const GAP: (f64, f64) = (0.2, 15.0);
/// Candidates that bags draw from, at least.
const LEAST: usize = 100;

/// Values of a feature that nobody in the seed has.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Gap {
    pub feature: String,
    /// In words.
    pub values: Vec<String>,
    /// The share of the candidates who have them.
    pub share: f64,
    /// What learning makes of it.
    pub taken: Taken,
}

/// What learning makes of a gap.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Taken {
    /// For what sets the seed apart.
    AsItIs,
    /// For how the seed was gathered: bags do not draw these rows.
    SetAside(Vec<u32>),
    /// For nothing that seed and candidates could be compared in: the feature is not looked at.
    LeftOut,
}

/// The gaps of a seed, whose rows come first in `table`.
pub(super) fn gaps(table: &Table, n_seed: usize, is_attribute: &dyn Fn(&str) -> bool) -> Vec<Gap> {
    let (seed, candidates): (Vec<usize>, Vec<usize>) = (0..table.n_rows).partition(|&row| row < n_seed);
    let of_column = |column| gap(column, [&seed, &candidates], is_attribute);
    let mut gaps: Vec<Gap> = table.columns.iter().filter_map(of_column).collect();
    while support(&gaps, n_seed, table.n_rows).len() < LEAST {
        let set_aside = gaps.iter_mut().filter(|gap| matches!(gap.taken, Taken::SetAside(_)));
        let Some(largest) = set_aside.reduce(|a, b| if b.share > a.share { b } else { a }) else { break };
        largest.taken = Taken::LeftOut;
    }
    gaps
}

/// The rows of the candidates that no gap sets aside.
pub(super) fn support(gaps: &[Gap], n_seed: usize, n_rows: usize) -> Vec<u32> {
    let mut is_inside = vec![true; n_rows];
    for gap in gaps {
        if let Taken::SetAside(rows) = &gap.taken {
            for &row in rows {
                is_inside[row as usize] = false;
            }
        }
    }
    (0..).zip(is_inside).skip(n_seed).filter(|&(_, is_inside)| is_inside).map(|(row, _)| row).collect()
}

fn gap(column: &Column, [seed, candidates]: [&[usize]; 2], is_attribute: &dyn Fn(&str) -> bool) -> Option<Gap> {
    let cells = &column.cells;
    let bins = Bins::of(cells, candidates).cut_at(range(cells, seed, candidates));
    let (of_seed, of_candidates) = (bins.shares(cells, seed), bins.shares(cells, candidates));
    let n_seed = seed.len() as f64;
    // Of many small levels a random seed misses some: Σ p (1 − p)ⁿ of the candidates have such a one.
    let by_chance: f64 = of_candidates.iter().map(|&share| share * libm::pow(1.0 - share, n_seed)).sum();
    let share = |bins: &[usize]| bins.iter().map(|&bin| of_candidates[bin]).sum::<f64>();
    let is_gap = |bins: &[usize]| share(bins) - by_chance >= GAP.0 && share(bins) * n_seed >= GAP.1;
    let empty: Vec<usize> = (0..bins.len()).filter(|&bin| of_seed[bin] == 0.0 && of_candidates[bin] > 0.0).collect();
    if !is_gap(&empty) {
        return None;
    }
    let known: Vec<usize> = empty.iter().copied().filter(|&bin| !bins.is_missing(bin)).collect();
    let (empty, taken) = if is_attribute(&column.name) && is_gap(&known) {
        let rows =
            (0..).zip(0..seed.len() + candidates.len()).filter(|&(_, row)| known.contains(&bins.bin(cells, row)));
        let rows = rows.map(|(row, _)| row).collect();
        (known, Taken::SetAside(rows))
    } else {
        (empty, Taken::AsItIs)
    };
    Some(Gap { feature: column.name.clone(), values: bins.in_words(&empty), share: share(&empty), taken })
}

/// The least of the seed's numbers, and the least of the candidates' above all of the seed's.
fn range(cells: &Cells, seed: &[usize], candidates: &[usize]) -> Vec<f32> {
    let Cells::Number(values) = cells else { return Vec::new() };
    let known = |rows: &[usize]| rows.iter().map(|&row| values[row]).filter(|value| value.is_finite()).collect();
    let (of_seed, of_candidates): (Vec<f32>, Vec<f32>) = (known(seed), known(candidates));
    let most = of_seed.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let above = of_candidates.into_iter().filter(|&value| value > most).reduce(f32::min);
    of_seed.into_iter().reduce(f32::min).into_iter().chain(above).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hundred members, then a thousand candidates: a number that members have up to 9 and candidates up to 19, a region that
    /// is north for members and north or south, and half unknown, for candidates, and a shop of hundreds.
    fn table() -> Table {
        let rows = || 0..1100_usize;
        let number = |value: &dyn Fn(usize) -> f32| Cells::Number(rows().map(value).collect());
        let is_seed = |row: usize| row < 100;
        let category = |names: &[&str], code: &dyn Fn(usize) -> u32| Cells::Category {
            codes: rows().map(code).collect(),
            levels: names.iter().map(ToString::to_string).collect(),
        };
        let shops: Vec<String> = (0..300).map(|shop| format!("{shop:03}")).collect();
        let shops: Vec<&str> = shops.iter().map(String::as_str).collect();
        let columns = [
            ("attr.age", number(&|row| (row % if is_seed(row) { 10 } else { 20 }) as f32)),
            ("attr.region", category(&["north", "south"], &|row| u32::from(!is_seed(row) && row % 3 > 0))),
            ("attr.shop", category(&shops, &|row| u32::try_from(row * 7 % 300).unwrap())),
            ("visits", number(&|row| (row % 2 + usize::from(is_seed(row)) * 2) as f32)),
        ];
        let columns = columns.map(|(name, cells)| Column { name: name.to_owned(), cells });
        Table { columns: columns.into(), n_rows: 1100 }
    }

    fn found(table: &Table) -> Vec<Gap> {
        gaps(table, 100, &|name| name.starts_with("attr."))
    }

    #[test]
    fn bags_draw_from_where_members_are() {
        let table = table();
        let gaps = found(&table);
        let told: Vec<(&str, String)> = gaps.iter().map(|gap| (gap.feature.as_str(), gap.values.join(", "))).collect();
        // A random seed of a hundred misses two thirds of the shops too.
        let values = |text: &str| text.to_owned();
        let wanted =
            [("attr.age", values("10 or more")), ("attr.region", values("south")), ("visits", values("0 to below 2"))];
        assert_eq!(told, wanted);
        assert!((gaps[0].share - 0.5).abs() < 1e-12);
        let inside = support(&gaps, 100, 1100);
        let wanted: Vec<u32> = (100..1100).filter(|row| row % 20 < 10 && row % 3 == 0).collect();
        assert_eq!(inside, wanted);
        assert_eq!(gaps[2].taken, Taken::AsItIs, "what people did is about them");
    }

    #[test]
    fn a_feature_in_which_no_candidate_is_as_members_are_is_not_looked_at() {
        let mut table = table();
        table.columns.truncate(2);
        let Cells::Category { codes, .. } = &mut table.columns[1].cells else { panic!("region is a category") };
        codes[100..].fill(1);
        let gaps = found(&table);
        assert_eq!(gaps[1].taken, Taken::LeftOut);
        assert_eq!(support(&gaps, 100, 1100).len(), 500, "those of the seed's age");
    }
}
