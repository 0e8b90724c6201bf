//! The groups that a protected attribute makes: its levels, or bands of its numbers.
//!
//! Few distinct numbers are groups themselves. More are cut at the fifths of the people, at round values where the bands are wide.
//! Who has no value is a group of their own; the rarest of very many levels are one together.

use crate::discover::table::NO_LEVEL;
use crate::discover::{Cells, Column};

/// Up to so many distinct numbers are groups themselves.
const FEW_VALUES: usize = 6;
/// Bands of other numbers.
const BANDS: usize = 5;
/// Bands at least this wide are cut at multiples of five.
const WIDE: f32 = 8.0;
/// Levels that are groups of their own, at most.
const MOST_LEVELS: usize = 12;

/// What the group is called whose people have no value …
pub(super) const MISSING: &str = "(missing)";
/// … and that of the rarest levels.
const OTHERS: &str = "(others)";

/// Names of groups, and which of them each row belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// Their names, in order: bands ascending, levels by name; those without a value at last.
    pub names: Vec<String>,
    /// A position in `names` for each row.
    pub of: Vec<u16>,
}

impl Groups {
    /// The groups of a column.
    #[must_use]
    pub fn new(column: &Column) -> Self {
        let groups = match &column.cells {
            Cells::Number(values) => of_numbers(values),
            Cells::Category { codes, levels } => of_levels(codes, levels),
        };
        groups.without_empty()
    }

    /// The groups of some rows.
    #[must_use]
    pub fn take(&self, rows: &[u32]) -> Self {
        Self { names: self.names.clone(), of: rows.iter().map(|&row| self.of[row as usize]).collect() }
    }

    fn without_empty(self) -> Self {
        let mut n = vec![0_usize; self.names.len()];
        for &group in &self.of {
            n[usize::from(group)] += 1;
        }
        let mut place = vec![0_u16; n.len()];
        let mut names = Vec::new();
        for ((name, n), place) in self.names.into_iter().zip(n).zip(&mut place) {
            if n > 0 {
                *place = group(names.len());
                names.push(name);
            }
        }
        Self { names, of: self.of.into_iter().map(|group| place[usize::from(group)]).collect() }
    }
}

fn group(position: usize) -> u16 {
    u16::try_from(position).expect("groups are few")
}

fn of_numbers(values: &[f32]) -> Groups {
    let mut sorted: Vec<f32> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_unstable_by(f32::total_cmp);
    let mut distinct = sorted.clone();
    distinct.dedup();
    if distinct.len() <= FEW_VALUES {
        let names = distinct.iter().map(ToString::to_string).chain([MISSING.to_owned()]).collect();
        let of = |value: &f32| {
            let place = distinct.partition_point(|known| known < value);
            group(if value.is_finite() { place } else { distinct.len() })
        };
        return Groups { of: values.iter().map(of).collect(), names };
    }
    let edges = edges(&sorted);
    let whole = sorted.iter().all(|value| value.fract() == 0.0);
    let names = names(&edges, whole).into_iter().chain([MISSING.to_owned()]).collect();
    let of = |value: &f32| {
        let band = edges.partition_point(|edge| edge <= value);
        group(if value.is_finite() { band } else { edges.len() + 1 })
    };
    Groups { of: values.iter().map(of).collect(), names }
}

/// The fifths of sorted values, ascending and different.
fn edges(sorted: &[f32]) -> Vec<f32> {
    let at = |part: usize| sorted[part * (sorted.len() - 1) / BANDS];
    let width = (at(BANDS - 1) - at(1)) / (BANDS - 2) as f32;
    let whole = sorted.iter().all(|value| value.fract() == 0.0);
    let round = |edge: f32| match width {
        width if width >= WIDE => (edge / 5.0).round() * 5.0,
        _ if whole => edge.round(),
        _ => edge,
    };
    let mut edges: Vec<f32> = (1..BANDS).map(at).map(round).filter(|&edge| edge > sorted[0]).collect();
    edges.dedup();
    edges
}

fn names(edges: &[f32], whole: bool) -> Vec<String> {
    let Some((first, last)) = edges.first().zip(edges.last()) else { return vec!["all".to_owned()] };
    let between = |pair: &[f32]| match whole {
        true if pair[1] - pair[0] <= 1.0 => pair[0].to_string(),
        true => format!("{} to {}", pair[0], pair[1] - 1.0),
        false => format!("{} up to {}", pair[0], pair[1]),
    };
    let mut names = vec![format!("under {first}")];
    names.extend(edges.windows(2).map(between));
    names.push(format!("{last} and over"));
    names
}

fn of_levels(codes: &[u32], levels: &[String]) -> Groups {
    let mut n = vec![0_usize; levels.len()];
    for &code in codes.iter().filter(|&&code| code != NO_LEVEL) {
        n[code as usize] += 1;
    }
    let mut by_size: Vec<usize> = (0..levels.len()).collect();
    by_size.sort_by_key(|&level| (std::cmp::Reverse(n[level]), level));
    let n_own = if levels.len() > MOST_LEVELS { MOST_LEVELS - 1 } else { levels.len() };
    let mut own = by_size[..n_own].to_vec();
    own.sort_unstable_by(|&a, &b| levels[a].cmp(&levels[b]));
    let names = own.iter().map(|&level| levels[level].clone()).chain([OTHERS.to_owned(), MISSING.to_owned()]).collect();
    let place: Vec<u16> =
        (0..levels.len()).map(|level| group(own.iter().position(|&known| known == level).unwrap_or(n_own))).collect();
    let of = |&code: &u32| if code == NO_LEVEL { group(n_own + 1) } else { place[code as usize] };
    Groups { of: codes.iter().map(of).collect(), names }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(values: &[f32]) -> Groups {
        Groups::new(&Column { name: "n".into(), cells: Cells::Number(values.to_vec()) })
    }

    #[test]
    fn few_numbers_are_groups_and_many_are_cut_at_round_values() {
        let groups = numbers(&[1.0, 0.0, f32::NAN, 1.0]);
        assert_eq!(groups, Groups { names: ["0", "1", MISSING].map(Into::into).to_vec(), of: vec![1, 0, 2, 1] });
        let ages: Vec<f32> = (20..=80).map(|age| age as f32).collect();
        let groups = numbers(&ages);
        assert_eq!(groups.names, ["under 30", "30 to 44", "45 to 54", "55 to 69", "70 and over"]);
        assert_eq!(groups.of[10], 1, "30 is in 30 to 44");
        assert_eq!(groups.of[9], 0);
    }

    #[test]
    fn levels_are_groups_and_the_rarest_of_many_are_one() {
        let levels: Vec<String> = (0..20).map(|level| format!("l{level:02}")).collect();
        let codes: Vec<u32> = (0..20).flat_map(|level| vec![level; 40 - level as usize]).chain([NO_LEVEL]).collect();
        let groups = Groups::new(&Column { name: "c".into(), cells: Cells::Category { codes, levels } });
        assert_eq!(groups.names.len(), 13);
        assert_eq!(groups.names[10..], ["l10", OTHERS, MISSING]);
    }
}
