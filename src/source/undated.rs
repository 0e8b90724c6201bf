//! People of whom nothing says that they were known then: when one goes back to an instant, a table without `valid_from` or `known_at`
//! still names everybody who came later.
//!
//! Known then is whom an event from before the instant names, or a row of a people table that tells since when it holds or was
//! known. The rows of all others go to the ledger.

use super::gather::{EventGather, PeopleGather};
use super::ledger::Ledger;
use crate::error::Result;

/// Why a row of somebody is not used who is first heard of later.
const CAME_LATER: &str = "not yet known then: this person is first heard of later";
/// Why a row of somebody is not used whom nothing dates.
pub(crate) const UNDATED: &str = "nothing says that this person was known then";

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
    people.iter().for_each(|people| people.mark_dated((&mut is_known, &mut comes_later), person_of));
    let reason = |person: u32| match (is_known[person as usize], comes_later[person as usize]) {
        (true, _) => None,
        (false, true) => Some(CAME_LATER),
        (false, false) => Some(UNDATED),
    };
    people.iter_mut().try_for_each(|people| people.leave_out(|code| reason(person_of[code as usize]), ledger))
}
