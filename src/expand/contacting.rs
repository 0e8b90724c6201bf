//! Who is left alone, beside those whom a suppression list means: no consent for the purpose in the person's region, contacted
//! often enough, a purchase or a complaint not long ago, another audience's, or of a household that is contacted already.
//!
//! In: candidates, best first, and the rules of the audience. Out: marks, one per candidate, and a reason in words for each rule.

use std::collections::HashSet;

use polars::prelude::StringChunked;
use rayon::prelude::*;

use super::Context;
use super::asked::Asked;
use super::normalise::{folded, is_nothing};
use super::scores::as_text;
use crate::error::{Error, Result, did_you_mean};
use crate::source::People;
use crate::spec::{Audience, Consent};
use crate::store::{self, Layout};
use crate::time::{Duration, Time};

/// An audience that was made before, and the ids of its people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub audience: String,
    /// Target and holdout.
    pub people: HashSet<String>,
}

impl Listed {
    /// Reads the `audience.parquet` of an audience.
    ///
    /// # Errors
    /// When it is missing or damaged.
    pub fn read(layout: &Layout, audience: &str) -> Result<Self> {
        let frame = store::read_frame(&layout.expand(audience).join("audience.parquet"))?;
        let people = frame.column("person")?.str()?.iter().flatten().map(str::to_owned).collect();
        Ok(Self { audience: audience.to_owned(), people })
    }
}

/// A rule of contacting: which of the people at these positions, best first, it leaves alone, and the reason in words.
pub(super) type Left = (String, Vec<bool>);

/// Whom the audience's rules leave alone, each for the first rule that does: `people` are positions, best first.
///
/// # Errors
/// An error of the spec when a rule asks for a column or a kind of event that is not there.
pub(super) fn left_alone(
    audience: &Audience,
    people: &People,
    candidates: &[u32],
    context: &Context<'_>,
) -> Result<Vec<Left>> {
    let rules = &audience.contacting;
    let asked = Asked::new(people, candidates, context.end);
    let mut left = Vec::new();
    for listed in context.listed {
        let is_there = candidates.par_iter().map(|&person| listed.people.contains(&people.ids[person as usize]));
        left.push((format!("in audience {}", listed.audience), is_there.collect()));
    }
    for consent in &rules.consents {
        left.push((format!("no consent for {}", consent.purpose), without(consent, &asked)?));
    }
    if let Some(cap) = &rules.cap {
        let often = recent(&cap.event, cap.within, context, candidates)
            .map_err(|error| error.at(context.place(audience, "cap")))?;
        let marks = often.into_iter().map(|n| n >= cap.times).collect();
        left.push((format!("{} {} times within {}", cap.event, cap.times, cap.within), marks));
    }
    for cool in &rules.cool_down {
        let lately = recent(&cool.after, cool.span, context, candidates)
            .map_err(|error| error.at(context.place(audience, "cool_down")))?;
        left.push((format!("{} within {}", cool.after, cool.span), lately.into_iter().map(|n| n > 0).collect()));
    }
    Ok(left)
}

/// Who has not agreed to what a rule needs, of those whom it is about or may be about.
fn without(consent: &Consent, asked: &Asked<'_>) -> Result<Vec<bool>> {
    let what = |key: &str| format!("`{key}` of [[consent]] for {}", consent.purpose);
    let has_agreed = asked.holds(&consent.needs, &what("needs"), &[])?;
    let Some(region) = &consent.region else { return Ok(has_agreed.into_iter().map(|agreed| !agreed).collect()) };
    let is_outside = asked.holds(&format!("NOT ({region})"), &what("region"), &[])?;
    Ok(has_agreed.into_iter().zip(is_outside).map(|(agreed, outside)| !agreed && !outside).collect())
}

/// How many events of a kind each person has in the span before the end.
fn recent(kind: &str, span: Duration, context: &Context<'_>, candidates: &[u32]) -> Result<Vec<u32>> {
    let events = context.events;
    let Some(code) = events.kinds.iter().position(|known| known == kind) else {
        let error = Error::spec(format!("no event is a `{kind}`"));
        let known = events.kinds.iter().map(String::as_str);
        return Err(match did_you_mean(kind, known) {
            Some(meant) => error.hint(format!("did you mean `{meant}`?")),
            None => error.hint(format!("there are: {}", events.kinds.join(", "))),
        });
    };
    let since = context.end.minus(span);
    let count = |&person: &u32| {
        let rows = events.of(person as usize);
        let times = &events.time[rows.clone()];
        let (from, to) = (
            rows.start + times.partition_point(|&time| time < since.0),
            rows.start + times.partition_point(|&time| time < context.end.0),
        );
        let of_kind = events.kind[from..to].iter().filter(|&&other| usize::from(other) == code).count();
        u32::try_from(of_kind).expect("events are counted in 32 bits")
    };
    Ok(candidates.par_iter().with_min_len(1024).map(count).collect())
}

/// Who shares all the household's columns with someone before them; who lacks one of them is a household of their own.
///
/// # Errors
/// An error of the spec when a column is not there.
pub(super) fn same_household(
    audience: &Audience,
    people: &People,
    candidates: &[u32],
    context: &Context<'_>,
) -> Result<Vec<bool>> {
    let columns: Result<Vec<StringChunked>> =
        audience.contacting.household.iter().map(|name| household_column(name, people)).collect();
    let columns = columns.map_err(|error| error.at(context.place(audience, "household")))?;
    let key = |&person: &u32| household(&columns, people.row(person as usize, Time::NEVER)?);
    let keys: Vec<Option<String>> = candidates.par_iter().with_min_len(1024).map(key).collect();
    let mut seen: HashSet<&str> = HashSet::with_capacity(keys.len());
    Ok(keys.iter().map(|key| key.as_deref().is_some_and(|key| !seen.insert(key))).collect())
}

fn household_column(name: &str, people: &People) -> Result<StringChunked> {
    if let Ok(column) = people.attributes.column(name) {
        return as_text(column);
    }
    let known = people.attributes.get_column_names().into_iter().map(polars::prelude::PlSmallStr::as_str);
    let error = Error::spec(format!("`household`: people have no column `{name}`"));
    Err(match did_you_mean(name, known) {
        Some(meant) => error.hint(format!("did you mean `{meant}`?")),
        None => error.hint("name columns of [people.*]"),
    })
}

/// What tells a household, in one form of writing; `None` where a part is missing.
fn household(columns: &[StringChunked], row: usize) -> Option<String> {
    let parts = columns.iter().map(|column| {
        let words = folded(column.get(row)?).to_lowercase();
        let word: String = words.chars().filter(|letter| letter.is_alphanumeric()).collect();
        (!word.is_empty() && !is_nothing(&words)).then_some(word)
    });
    Some(parts.collect::<Option<Vec<String>>>()?.join("\u{1f}")).filter(|key| !key.is_empty())
}
