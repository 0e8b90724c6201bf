//! What came after the instant that one goes back to (`--as-of`): events, rows of attributes, and people. A table without `valid_from` or
//! `known_at` names everybody who came later too.
//!
//! Known then is whom an event from before the instant names, or a row of a people table that tells since when it holds or was
//! known. The rows of all others go to the ledger, unless nothing came after the instant: then nobody came either.

use super::gather::{EventGather, PeopleGather};
use super::ledger::Ledger;
use crate::error::Result;

/// Why an event is not used that happened at or after the end.
pub(super) const PAST_THE_END: &str = "at or after lifecycle.end";
/// Why a row is not used that became known later.
pub(super) const NOT_YET_KNOWN: &str = "not yet known then";
/// Why a row of somebody is not used who is first heard of later.
const FIRST_LATER: &str = "not yet known then: this person is first heard of later";
/// Why a row of somebody is not used whom nothing dates.
pub(crate) const UNDATED: &str = "nothing says that this person was known then";

/// Whether a row is left out for this reason because one went back, which is what was asked for.
pub(crate) fn is_later(reason: &str) -> bool {
    [PAST_THE_END, NOT_YET_KNOWN, FIRST_LATER].contains(&reason)
}

/// Leaves out the people of whom nothing says that they were known; `person_of` tells whose each id is.
pub(crate) fn leave_out(
    people: &mut [PeopleGather<'_>],
    events: &[EventGather<'_>],
    person_of: &[u32],
    ledger: &mut Ledger,
) -> Result<()> {
    let (mut is_known, mut comes_later) = (vec![false; person_of.len()], vec![false; person_of.len()]);
    for events in events {
        events.mark(&mut is_known, person_of);
        events.mark_later(&mut comes_later, person_of);
    }
    for people in people.iter() {
        people.mark_dated((&mut is_known, &mut comes_later), person_of);
    }
    if !comes_later.contains(&true) {
        return Ok(());
    }
    let reason = |person: u32| match (is_known[person as usize], comes_later[person as usize]) {
        (true, _) => None,
        (false, true) => Some(FIRST_LATER),
        (false, false) => Some(UNDATED),
    };
    people.iter_mut().try_for_each(|people| people.leave_out(|code| reason(person_of[code as usize]), ledger))
}
