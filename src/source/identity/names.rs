//! What a person is called: the id they had before, else the first of their ids.
//!
//! People keep their id when new ids join them. When two known people turn out to be one, the id of more rows stays; when one falls
//! apart, it stays with the row that bears it. An id that stands in the data is never the name of somebody else.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::clusters::Groups;
use crate::source::events::NO_LEVEL;

/// What is known of every id, by its code.
pub(super) struct Ids<'i> {
    /// Which id comes first: of a link's first column, of the first people table, by its text.
    pub(super) precedence: &'i [(u8, u16, u32)],
    /// Whom the id was before; [`NO_LEVEL`]: it is new.
    pub(super) before: &'i [u32],
    /// Whether the id is in the data.
    pub(super) is_present: &'i [bool],
}

/// The person of each id.
pub(super) fn name(groups: &mut Groups, ids: &Ids<'_>) -> Vec<u32> {
    let n = u32::try_from(ids.before.len()).expect("codes are 32 bits");
    // The members of groups, each with its root.
    let mut members: Vec<(u32, u32)> = Vec::new();
    let mut person: Vec<u32> = (0..n).collect();
    for id in 0..n {
        let root = groups.root(id);
        let before = ids.before[id as usize];
        // Of those who are alone, only who is still called after an id that is gone.
        if !groups.is_alone(root) || before != NO_LEVEL && !ids.is_present[before as usize] {
            members.push((root, id));
        }
    }
    let precedence = |id: u32| ids.precedence[id as usize];
    members.par_sort_unstable_by_key(|&(root, id)| (root, precedence(id)));
    let mut all: Vec<&[(u32, u32)]> = members.chunk_by(|a, b| a.0 == b.0).collect();
    all.par_sort_unstable_by_key(|members| (std::cmp::Reverse(members.len()), precedence(members[0].1)));
    let mut is_taken = vec![false; ids.before.len()];
    for members in all {
        let name = known(members, groups, ids, &is_taken).unwrap_or(members[0].1);
        is_taken[name as usize] = true;
        for &(_, id) in members {
            person[id as usize] = name;
        }
    }
    person
}

/// The id that most of the members had before and that is still theirs to have.
fn known(members: &[(u32, u32)], groups: &mut Groups, ids: &Ids<'_>, is_taken: &[bool]) -> Option<u32> {
    let own = members[0].0;
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for &(_, id) in members {
        let before = ids.before[id as usize];
        if before != NO_LEVEL {
            *counts.entry(before).or_default() += 1;
        }
    }
    let mut is_theirs = |name: u32| {
        if ids.is_present[name as usize] { groups.root(name) == own } else { !is_taken[name as usize] }
    };
    let theirs: Vec<(u32, usize)> = counts.into_iter().filter(|(name, _)| is_theirs(*name)).collect();
    let better = |&(name, count): &(u32, usize)| (std::cmp::Reverse(count), ids.precedence[name as usize]);
    theirs.into_iter().min_by_key(better).map(|(name, _)| name)
}
