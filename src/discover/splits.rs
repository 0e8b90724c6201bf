//! Which examples serve training, validation and test.
//!
//! Out of time: the last sixth of the cutoffs is the test, as many before them validation, the rest training. A cutoff
//! whose label window `[cutoff, cutoff + horizon)` reaches past the first cutoff of the next part serves none: what is
//! learned from was over before what it is judged on began.

use super::table::Split;
use crate::map::Outcome;
use crate::source::People;
use crate::time::{Duration, Time};

/// The share of a snapshot that is the test, and again the share that is validation.
const PARTS: usize = 5;

/// The split of each cutoff (ascending), or `None` when there are too few to part them by time.
pub(super) fn out_of_time(cutoffs: &[Time], horizon: Duration) -> Option<Vec<Split>> {
    let most = cutoffs.len().div_ceil(6);
    (1..=most).rev().find_map(|n| part(cutoffs, horizon, n))
}

fn part(cutoffs: &[Time], horizon: Duration, n: usize) -> Option<Vec<Split>> {
    let mut splits = vec![Split::Unused; cutoffs.len()];
    let first_test = cutoffs.len().checked_sub(n)?;
    splits[first_test..].fill(Split::Test);
    let over_before = |instant: Time| cutoffs.iter().take_while(|cutoff| cutoff.plus(horizon) <= instant).count();
    let end_validation = over_before(cutoffs[first_test]);
    let first_validation = end_validation.checked_sub(n)?;
    splits[first_validation..end_validation].fill(Split::Validation);
    let end_training = over_before(cutoffs[first_validation]);
    splits[..end_training].fill(Split::Train);
    (end_training >= n).then_some(splits)
}

/// When cutoffs are too few: by the hash of the person, a fifth test, a fifth validation.
pub(super) fn by_person(seed: u64, id: &str) -> Split {
    match hash(seed, id) % PARTS as u64 {
        0 => Split::Test,
        1 => Split::Validation,
        _ => Split::Train,
    }
}

/// A snapshot: in time order the last fifth is the test and the fifth of the rest before it validation; without an order,
/// a fifth each of those who attained and of those who did not, by hash of the person.
pub(super) fn of_snapshot(seed: u64, people: &People, rows: &[u32], outcome: &[Outcome]) -> Vec<Split> {
    let mut splits = vec![Split::Train; rows.len()];
    if let Some(order) = &people.order {
        let mut rank = vec![0_usize; people.len()];
        order.iter().enumerate().for_each(|(position, &person)| rank[person as usize] = position);
        let mut by_time: Vec<usize> = (0..rows.len()).collect();
        by_time.sort_by_key(|&row| rank[rows[row] as usize]);
        let first_test = rows.len() - rows.len() / PARTS;
        let first_validation = first_test - first_test / PARTS;
        by_time[first_validation..first_test].iter().for_each(|&row| splits[row] = Split::Validation);
        by_time[first_test..].iter().for_each(|&row| splits[row] = Split::Test);
        return splits;
    }
    for class in [Outcome::Attained, Outcome::Stayed] {
        let mut members: Vec<usize> = (0..rows.len()).filter(|&row| outcome[row] == class).collect();
        members.sort_by_cached_key(|&row| (hash(seed, &people.ids[rows[row] as usize]), row));
        let part = members.len() / PARTS;
        members[..part].iter().for_each(|&row| splits[row] = Split::Test);
        members[part..2 * part].iter().for_each(|&row| splits[row] = Split::Validation);
    }
    splits
}

fn hash(seed: u64, id: &str) -> u64 {
    let digest = blake3::Hasher::new().update(b"split").update(&seed.to_le_bytes()).update(id.as_bytes()).finalize();
    u64::from_le_bytes(digest.as_bytes()[..8].try_into().expect("a digest has 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn monthly(n: i64) -> Vec<Time> {
        (0..n).map(|i| Time(0).plus(Duration::days(30 * i))).collect()
    }

    #[test]
    fn label_windows_of_a_part_end_before_the_next_part_begins() {
        use Split::{Test, Train, Unused, Validation};
        let splits = out_of_time(&monthly(12), Duration::days(30)).unwrap();
        assert_eq!(splits, [vec![Train; 8], vec![Validation; 2], vec![Test; 2]].concat());
        let splits = out_of_time(&monthly(12), Duration::days(60)).unwrap();
        assert_eq!(splits, [vec![Train; 6], vec![Unused], vec![Validation; 2], vec![Unused], vec![Test; 2]].concat());
    }

    #[test]
    fn too_few_cutoffs_are_not_parted_by_time() {
        assert_eq!(out_of_time(&monthly(2), Duration::days(30)), None);
        assert_eq!(out_of_time(&monthly(12), Duration::days(300)), None);
        assert!(out_of_time(&monthly(3), Duration::days(30)).is_some());
    }
}
