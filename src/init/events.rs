//! Events in time: which tables hold what people did and when, and through which ids it is theirs.
//!
//! What each of them says becomes a source by `happening`; who the people are by `attributes`.

use super::attributes::people_sources;
use super::draft::{Draft, toml};
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
    tell_unread(tables, links, draft);
    Ok(true)
}

/// Says of each table that no source reads why not.
fn tell_unread(tables: &[Seen], links: &Links, draft: &mut Draft) {
    let reads = |source: &str, name: &str| {
        [format!("FROM {name} "), format!("JOIN {name} "), format!("\ntable = {}\n", toml(name))]
            .iter()
            .any(|reading| source.contains(reading))
    };
    let is_read = |table: usize| draft.sources.iter().any(|source| reads(source, &tables[table].name));
    let (read, unread): (Vec<usize>, Vec<usize>) = (0..tables.len()).partition(|&table| is_read(table));
    let mut notes = Vec::new();
    let mut apart = Vec::new();
    for &table in &unread {
        let name = &tables[table].name;
        let linked = (0..tables[table].columns.len()).find_map(|column| {
            let space = links.space((table, column))?;
            let others = links.columns(space).filter(|(other, _)| read.contains(other));
            let (other, _) = others.max_by_key(|place| (links.is_key(*place), std::cmp::Reverse(*place)))?;
            Some((&tables[table].columns[column].name, &tables[other].name))
        });
        match linked {
            Some((id, other)) => notes.push(format!(
                "not used: {name}: it has no time of its own, but {id} leads to {other}: join it in the sql of that event if it matters"
            )),
            None => apart.push(name.as_str()),
        }
    }
    if !apart.is_empty() {
        notes.push(format!(
            "not used: {}: no id in common with these people; if they are about other people, give them a project of their own",
            apart.join(", ")
        ));
    }
    draft.notes.extend(notes);
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
