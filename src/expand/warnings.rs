//! Lists that are empty, shorter or longer than was meant, or that nothing will be learned from.

use super::{Chosen, Counts, Group};
use crate::rate::{grouped, tallied};
use crate::spec::{Audience, Size};

/// What a person should know before the list is used.
pub(super) fn of(audience: &Audience, has_universal: bool, counts: &Counts, chosen: &Chosen) -> Vec<String> {
    let mut warnings = Vec::new();
    for list in &counts.lists {
        if list.n_entries == 0 {
            warnings.push(format!("Suppression list {} is empty. If it should not be, make it again.", list.path));
        } else if list.n_people == 0 {
            warnings.push(format!(
                "None of the {} entries of suppression list {} means a candidate. Check that it holds ids, e-mails or \
                 phones as the people table does.",
                list.n_entries, list.path
            ));
        }
    }
    if chosen.is_empty() {
        let why = match (counts.n_candidates, counts.n_contactable, audience.size) {
            (0, ..) => "no one matches the rule for candidates",
            (_, 0, _) => &format!("no candidate may be contacted ({})", tallied(&counts.dropped)),
            (_, _, Size::MaxProfit { .. }) => "no one's propensity times the value exceeds the cost",
            _ => "the size is 0",
        };
        warnings.push(format!("The audience is empty: {why}."));
    }
    if let (Size::Count(wanted), true) = (audience.size, !chosen.is_empty())
        && chosen.len() < wanted
    {
        warnings.push(format!(
            "Only {} people may be contacted, fewer than the {} of `size`: the list holds them all.",
            grouped(chosen.len() as u64),
            grouped(wanted as u64)
        ));
    }
    if let (Size::Similarity(least), true) = (audience.size, !chosen.is_empty())
        && chosen.len() == counts.n_contactable
    {
        warnings.push(format!(
            "Everybody's similarity is {least} or more, so that `size` leaves nobody out: column `similarity` of audience.parquet tells what is much."
        ));
    }
    if (audience.holdout > 0.0 || has_universal) && !chosen.is_empty() && chosen.n_in(Group::Holdout) == 0 {
        warnings.push("Nobody is in the holdout: the list is too short to measure its lift.".to_owned());
    }
    warnings
}
