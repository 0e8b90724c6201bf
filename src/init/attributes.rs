//! Who people are: tables with a row per person, attributes that an event table repeats in each row, and which columns may
//! serve as attributes and properties at all.

use super::draft::{Draft, toml};
use super::events::event_time;
use super::happening::Happening;
use super::links::Links;
use super::look::{Column, Seen, Values};
use super::query::time_toml;
use super::roles::{BASKETS, person_score, time_form};
use crate::error::Result;
use crate::source::is_contact_name;

/// Texts of more different values than this are no property worth a feature.
const MOST_LEVELS: usize = 60;
/// Words of columns that somebody filled in with the end in mind.
pub(super) const HINDSIGHT: [&str; 12] = [
    "cohort",
    "lifecycle",
    "segment",
    "label",
    "cluster",
    "tier",
    "churned",
    "status",
    "stage",
    "churn",
    "ltv",
    "group",
];

/// Words of times at which somebody was given a label.
const GIVEN: [&str; 8] = ["assigned", "assignment", "treated", "drawn", "labelled", "labeled", "segmented", "scored"];

/// People tables: those in which the person is a key, and attributes that an event table repeats in each row.
pub(super) fn people_sources(
    tables: &[Seen],
    links: &Links,
    people: usize,
    happenings: &[Happening<'_>],
    draft: &mut Draft,
) -> Result<()> {
    for (table, seen) in tables.iter().enumerate() {
        let of_people = (0..seen.columns.len()).find(|&column| links.space((table, column)) == Some(people));
        let Some(person) = of_people.map(|column| &seen.columns[column]) else { continue };
        let is_happening = happenings.iter().any(|it| it.table == table);
        let others: Vec<&Column> = seen.columns.iter().filter(|column| column.name != person.name).collect();
        if is_happening {
            let settled = settled(seen, person)?;
            let (honest, doubtful): (Vec<_>, Vec<_>) = settled.into_iter().partition(|column| !column.has(&HINDSIGHT));
            if !doubtful.is_empty() {
                let names: Vec<&str> = doubtful.iter().map(|column| column.name.as_str()).collect();
                draft.notes.push(format!(
                    "left out: {} of {}: the same in all rows of a person, so perhaps a label made with hindsight",
                    names.join(", "),
                    seen.name
                ));
            }
            if !honest.is_empty() {
                draft.sources.push(grouped_people(seen, person, &honest, "the same in all rows of a person (likely)"));
            }
        } else if seen.is_key(&person.name) && !others.is_empty() {
            let since = since(seen, &others, draft);
            draft.sources.push(format!(
                "# A row per person: attributes (sure). {}{since}",
                row_per_person(seen, person, &others)
            ));
        } else {
            let attributes: Vec<&Column> = others.into_iter().filter(|column| is_property(seen, column)).collect();
            if !attributes.is_empty() {
                draft.sources.push(grouped_people(
                    seen,
                    person,
                    &attributes,
                    "several rows per person: the first counts (likely)",
                ));
            }
        }
    }
    Ok(())
}

/// Since when rows hold that give people a label (the group of a test, a segment), which nobody had before; where no time says that it is
/// that of the label, a note asks.
fn since(seen: &Seen, others: &[&Column], draft: &mut Draft) -> String {
    let Some(label) = others.iter().find(|column| column.has(&HINDSIGHT)) else { return String::new() };
    let is_given = |time: &Column| time.n_known == seen.n_rows && time.has(&GIVEN);
    if let Some((time, form)) = event_time(seen).filter(|(time, _)| is_given(time)) {
        let told = time_toml(&form.reading, &time.name);
        return format!("\nvalid_from = {told}    # since when `{}` holds (likely)", label.name);
    }
    draft.notes.push(format!(
        "{} of {}: perhaps a label made with hindsight; if it was given later than a cutoff, exclude = [\"attr.{0}\"]",
        label.name, seen.name
    ));
    String::new()
}

/// The people table of a file with a row per person. Contact columns with names of their own are told by their values.
fn row_per_person(seen: &Seen, person: &Column, others: &[&Column]) -> String {
    let contact: Vec<String> =
        others.iter().filter(|column| column.is_contact()).map(|column| toml(&column.name)).collect();
    let is_told = others.iter().filter(|column| column.is_contact()).all(|column| is_contact_name(&column.name));
    let (said, contact) = if is_told {
        ("Contact columns are told by their names, or by `contact = [...]`.", String::new())
    } else {
        (
            "`contact` reaches people: never a feature, given to exports (likely).",
            format!("\ncontact = [{}]", contact.join(", ")),
        )
    };
    let table = toml(&seen.name);
    format!("{said}\n[people.{}]\ntable = {table}\nperson = {}{contact}", seen.name, toml(&person.name))
}

fn grouped_people(seen: &Seen, person: &Column, attributes: &[&Column], why: &str) -> String {
    let columns: Vec<String> = attributes.iter().map(|column| format!("FIRST({0}) AS {0}", column.sql())).collect();
    format!(
        "# Attributes of people: {why}.\n[people.{name}]\nsql = \"\"\"\nSELECT {person} AS person, {columns}\nFROM {name} WHERE {person} IS NOT NULL GROUP BY {person}\n\"\"\"",
        name = seen.name,
        person = person.sql(),
        columns = columns.join(", ")
    )
}

/// The categories that are the same in all rows of a person, of a table in which people repeat.
pub(super) fn settled<'a>(seen: &'a Seen, person: &Column) -> Result<Vec<&'a Column>> {
    let mut settled = Vec::new();
    if 2 * person.n_distinct > person.n_known {
        return Ok(settled);
    }
    for column in &seen.columns {
        let is_category =
            matches!(column.values, Values::Text | Values::Truth) && (2..=MOST_LEVELS).contains(&column.n_distinct);
        if !is_category || column.name == person.name {
            continue;
        }
        let (pairs, _) = seen.combinations(&[&person.name, &column.name])?;
        if pairs as f64 <= 1.02 * person.n_distinct as f64 {
            settled.push(column);
        }
    }
    Ok(settled)
}

/// Whether a column may serve as a property or an attribute: a number or a category, no id, no time, nothing that says who
/// somebody is.
pub(super) fn is_property(seen: &Seen, column: &Column) -> bool {
    let is_id = person_score(seen, column) > 4
        || column.semantic.is_personal()
        || column.words.last().is_some_and(|last| last.ends_with("id") || last == "key")
        || (column.has(&BASKETS) && column.n_distinct > MOST_LEVELS);
    let is_time = time_form(column).is_some();
    match column.values {
        _ if is_id || is_time || column.n_distinct < 2 => false,
        Values::Whole | Values::Fractions | Values::Truth => true,
        Values::Text => column.n_distinct <= MOST_LEVELS,
        Values::Time | Values::Nothing => false,
    }
}
