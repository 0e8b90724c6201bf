//! A list made again: how much of it may change, who came and who went, and why.
//!
//! Scores drift from run to run, and with them the end of a list: people who are hardly told apart would come and go, and a
//! campaign over weeks would reach each a little. With `max_turnover` the size holds and the list keeps as many of those
//! who were on it as it must: of those whom the new ranking would drop, the best-ranked stay, and the last of the new ones
//! wait. Of a mailbox or a household that several share, whoever was on the list stays. Who may no longer be contacted always
//! goes, and counts as change.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use polars::prelude::{Column, DataFrame, NamedFrom as _, Series};

use super::texts::Texts;
use crate::error::Result;
use crate::source::People;
use crate::store;

/// A list as it was made before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Previous {
    /// Ids of the people on it.
    pub person: Vec<String>,
}

impl Previous {
    /// The list that stands in an audience's folder; none when there is none that can be read.
    ///
    /// # Errors
    /// When its column of people is not one of texts.
    pub fn read(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join("audience.parquet");
        let Ok(frame) = store::read_frame(&path) else { return Ok(None) };
        let Ok(person) = frame.column("person") else { return Ok(None) };
        Ok(Some(Self { person: person.str()?.iter().flatten().map(str::to_owned).collect() }))
    }
}

/// Someone who came or went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Their id.
    pub person: String,
    /// Whether they are on the list now.
    pub entered: bool,
    /// Why.
    pub reason: String,
}

/// What `mark` says of candidates, if those who were on the list came before all others.
///
/// # Errors
/// Those of `mark`.
pub(super) fn listed_first<T: Copy>(
    candidates: &[T],
    was_listed: &[bool],
    mark: impl FnOnce(&[T]) -> Result<Vec<bool>>,
) -> Result<Vec<bool>> {
    if !was_listed.contains(&true) {
        return mark(candidates);
    }
    let (listed, others): (Vec<usize>, Vec<usize>) = (0..candidates.len()).partition(|&at| was_listed[at]);
    let order = [listed, others].concat();
    let marks = mark(&order.iter().map(|&at| candidates[at]).collect::<Vec<T>>())?;
    let mut is_marked = vec![false; candidates.len()];
    order.into_iter().zip(marks).for_each(|(at, mark)| is_marked[at] = mark);
    Ok(is_marked)
}

/// The rows that are taken: `n` of the ranked `rows`, of which at most the share `max_turnover` of those who were on the list
/// before makes place for others; best first.
pub(super) fn taken(
    rows: &[u32],
    n: usize,
    was_listed: &dyn Fn(u32) -> bool,
    n_before: usize,
    max_turnover: f64,
) -> Vec<u32> {
    let n = n.min(rows.len());
    let (ahead, behind) = rows.split_at(n);
    let stays: Vec<u32> = behind.iter().copied().filter(|&row| was_listed(row)).collect();
    let n_still = rows.iter().filter(|&&row| was_listed(row)).count();
    let n_gone = n_before - n_still;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count of people")]
    let may_leave = ((max_turnover * n_before as f64).floor() as usize).saturating_sub(n_gone);
    // A smaller list cannot keep them all, whatever turnover is allowed.
    let n_new = ahead.iter().filter(|&&row| !was_listed(row)).count();
    let n_kept = stays.len().saturating_sub(may_leave).min(n_new);
    let kept: HashSet<u32> = stays.into_iter().take(n_kept).collect();
    let waiting: HashSet<u32> = ahead.iter().rev().copied().filter(|&row| !was_listed(row)).take(n_kept).collect();
    rows.iter()
        .enumerate()
        .filter(|(at, row)| (*at < n && !waiting.contains(row)) || kept.contains(row))
        .map(|(_, &row)| row)
        .collect()
}

/// Who came and who went, by person. `dropped` says of candidates who are not on the list why.
pub(super) fn changes(
    previous: &Previous,
    now: &Texts,
    dropped: &BTreeMap<&str, &str>,
    people: &People,
) -> Vec<Change> {
    let before: HashSet<&str> = previous.person.iter().map(String::as_str).collect();
    let listed: HashSet<&str> = now.iter().collect();
    let why_gone = |person: &str| match dropped.get(person) {
        Some(&reason) => reason,
        None if people.find(person).is_none() => "no longer in the data",
        None => "no longer a candidate",
    };
    let gone = previous.person.iter().filter(|person| !listed.contains(person.as_str())).map(|person| Change {
        person: person.clone(),
        entered: false,
        reason: why_gone(person).to_owned(),
    });
    let n_gone = previous.person.iter().filter(|person| !listed.contains(person.as_str())).count();
    let new: Vec<&str> = now.iter().filter(|person| !before.contains(person)).collect();
    // The best-ranked of the new take the places of those who left; the others came because the list grew.
    let came = new.iter().enumerate().map(|(at, person)| Change {
        person: (*person).to_owned(),
        entered: true,
        reason: if at < n_gone { "ranks above someone who left" } else { "the list grew" }.to_owned(),
    });
    let mut changes: Vec<Change> = gone.chain(came).collect();
    changes.sort_by(|a, b| (a.entered, &a.person).cmp(&(b.entered, &b.person)));
    changes
}

/// The table of `changes.parquet`.
pub(super) fn frame(changes: &[Change]) -> Result<DataFrame> {
    let text = |name: &str, of: &dyn Fn(&Change) -> String| -> Column {
        Series::new(name.into(), changes.iter().map(of).collect::<Vec<_>>()).into()
    };
    let columns = vec![
        text("person", &|change| change.person.clone()),
        text("change", &|change| if change.entered { "entered" } else { "left" }.to_owned()),
        text("reason", &|change| change.reason.clone()),
    ];
    Ok(DataFrame::new(changes.len(), columns)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_best_ranked_of_those_who_would_leave_stay() {
        // Before: 5, 6, 7, 8. Now 0 to 3 would take all places; half of the list may change.
        let rows: Vec<u32> = (0..9).collect();
        let was_listed = |row: u32| row >= 5;
        assert_eq!(taken(&rows, 4, &was_listed, 4, 0.5), [0, 1, 5, 6]);
        assert_eq!(taken(&rows, 4, &was_listed, 4, 1.0), [0, 1, 2, 3]);
        assert_eq!(taken(&rows, 4, &was_listed, 4, 0.0), [5, 6, 7, 8]);
        // One of five who were listed is gone: that is the change that 25 % allow.
        assert_eq!(taken(&rows, 4, &was_listed, 5, 0.25), [5, 6, 7, 8]);
        // A list of two keeps two.
        assert_eq!(taken(&rows, 2, &was_listed, 4, 0.0), [5, 6]);
    }

    proptest! {
        #[test]
        fn the_size_holds_and_turnover_is_bounded(listed in prop::collection::btree_set(0..200_u32, 1..80), n in 1..100_usize, share in 0.0..1.0_f64) {
            let rows: Vec<u32> = (0..200).collect();
            let found = taken(&rows, n, &|row| listed.contains(&row), listed.len(), share);
            prop_assert_eq!(found.len(), n);
            prop_assert!(found.windows(2).all(|pair| pair[0] < pair[1]));
            let n_left = listed.iter().filter(|row| !found.contains(row)).count();
            let by_size = listed.len().saturating_sub(n);
            prop_assert!(n_left as f64 <= (share * listed.len() as f64).floor().max(by_size as f64), "{} left", n_left);
        }
    }
}
