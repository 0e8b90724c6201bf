//! Events in time: which tables hold what people did and when, and through which ids it is theirs.
//!
//! What each of them says becomes a source by `happening`; who the people are by `attributes`.

use super::attributes::people_sources;
use super::draft::Draft;
use super::happening::Happening;
use super::links::Links;
use super::look::{Column, Seen};
use super::roles::{Sure, TimeForm, event_time_score, time_form};
use crate::error::Result;

/// Adds the sources of events and people to `draft`; false when no table tells what people did and when.
pub(super) fn sources(tables: &[Seen], links: &Links, draft: &mut Draft) -> Result<bool> {
    let Some((people, score)) = links.people(tables) else { return Ok(false) };
    let mut happenings = Vec::new();
    for (table, seen) in tables.iter().enumerate() {
        let Some(way) = links.way(tables, table, people) else { continue };
        let Some((time, form)) = event_time(seen) else { continue };
        happenings.push(Happening { table, seen, way, time, form });
    }
    // A row per person is who they are, unless nothing else tells what they did.
    let is_of_people = |it: &Happening<'_>| it.way.steps.is_empty() && links.is_key(it.way.person);
    if !happenings.iter().all(is_of_people) {
        happenings.retain(|it| !is_of_people(it));
    }
    // Purchases first: they have the first choice of names.
    happenings.sort_by_key(|it| std::cmp::Reverse(it.speaks_of_purchases()));
    if happenings.is_empty() {
        return Ok(false);
    }
    let sure = if score >= 12 {
        Sure::Certain
    } else if score >= 6 {
        Sure::Likely
    } else {
        Sure::Guess
    };
    let places: Vec<String> = links
        .columns(people)
        .map(|(table, column)| format!("{}.{}", tables[table].name, tables[table].columns[column].name))
        .collect();
    draft.notes.push(format!("people are known by {} ({})", places.join(", "), sure.word()));
    people_sources(tables, links, people, &happenings, draft)?;
    let mut names: Vec<String> = Vec::new();
    for happening in &happenings {
        happening.write(tables, links, &mut names, draft)?;
    }
    let unused: Vec<&str> = (0..tables.len())
        .filter(|table| links.way(tables, *table, people).is_none())
        .filter(|table| !happenings.iter().any(|it| it.way.steps.iter().any(|step| step.key.0 == *table)))
        .map(|table| tables[table].name.as_str())
        .collect();
    if !unused.is_empty() {
        draft.notes.push(format!(
            "not used: {}: no id in common with these people; if they are about other people, give them a project of their own",
            unused.join(", ")
        ));
    }
    Ok(true)
}

/// The column that says when a row happened: the best known, best named and, of equals, the earliest.
pub(super) fn event_time(seen: &Seen) -> Option<(&Column, TimeForm)> {
    let candidates = seen.columns.iter().filter_map(|column| {
        let score = event_time_score(column)?;
        let is_known = 2 * column.n_known >= seen.n_rows;
        (is_known).then_some((score, column.n_known, column))
    });
    let (_, _, best) =
        candidates.min_by_key(|(score, known, _)| (std::cmp::Reverse(*score), std::cmp::Reverse(*known)))?;
    Some((best, time_form(best)?))
}
