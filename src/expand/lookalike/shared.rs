//! Which attributes seed and candidates have in common: what only one of both has would tell them apart, and nothing else.
//!
//! Where the spec names the `[people.*]` that one of both comes from, likeness looks at the columns that both sides' sources
//! have; `shared` narrows that further, and a column that it names must be on both sides.

use std::collections::BTreeSet;

use super::super::place;
use crate::error::{Error, Kind, Result, did_you_mean};
use crate::map::rules::columns_named;
use crate::source::People;
use crate::spec::{Audience, Spec, Told};

/// The attributes of both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shared {
    /// The columns that likeness may look at; `None`: all.
    pub columns: Option<BTreeSet<String>>,
    /// Columns that only the seed's source has.
    pub only_seed: Vec<String>,
    /// Columns that only the candidates' source has.
    pub only_candidates: Vec<String>,
}

/// What the sides of an audience share.
///
/// # Errors
/// An error of the spec for each column of `shared` that one side does not have.
pub(super) fn shared(audience: &Audience, people: &People, spec: &Spec) -> Result<Shared> {
    let sides = [audience.seed.as_ref().and_then(|seed| seed.source.as_deref()), audience.candidates.source.as_deref()];
    let [of_seed, of_candidates] = sides.map(|source| columns(source, people));
    let errors = audience.candidates.shared.iter().flatten().filter_map(|column| {
        let side = match (of_seed.contains(column), of_candidates.contains(column)) {
            (true, true) => return None,
            (false, true) => "the seed does",
            (true, false) => "the candidates do",
            (false, false) => "seed and candidates do",
        };
        let message = format!("audience `{}`: {side} not have the shared column `{column}`", audience.name);
        let both = of_seed.intersection(&of_candidates).map(String::as_str);
        let near = did_you_mean(column, both.clone()).map(|near| format!("did you mean `{near}`?"));
        let all = || format!("both have {}", both.clone().collect::<Vec<_>>().join(", "));
        Some(Error::new(Kind::Spec, message).hint(near.unwrap_or_else(all)).at(place(spec, audience, "candidates")))
    });
    if let Some(error) = Error::all(errors.collect()) {
        return Err(error);
    }
    let both: BTreeSet<String> = of_seed.intersection(&of_candidates).cloned().collect();
    let columns = match &audience.candidates.shared {
        Some(shared) => Some(shared.iter().cloned().collect()),
        None => (sides != [None, None]).then(|| both.clone()),
    };
    Ok(Shared {
        columns,
        only_seed: of_seed.difference(&both).cloned().collect(),
        only_candidates: of_candidates.difference(&both).cloned().collect(),
    })
}

/// What the sides of an audience do not share, in words; nothing where they come from the same sources.
///
/// # Errors
/// As [`shared`].
pub fn not_shared(audience: &Audience, people: &People, spec: &Spec) -> Result<Vec<String>> {
    let Some(seed) = &audience.seed else { return Ok(Vec::new()) };
    let Shared { only_seed, only_candidates, .. } = shared(audience, people, spec)?;
    let of_seed = match &seed.told {
        Told::Rule(rule) => Some(rule),
        _ => None,
    };
    let rules = of_seed.into_iter().chain(&audience.candidates.rule);
    let named = rules.flat_map(|rule| columns_named(rule)).chain(seed.weight.clone());
    let unseen: Vec<String> = named.chain(people.contact.iter().cloned()).collect();
    let told = |side: &str, columns: &[String]| {
        let columns: Vec<&String> = columns.iter().filter(|column| !unseen.contains(column)).collect();
        (!columns.is_empty()).then(|| {
            let columns = columns.iter().map(|column| format!("`{column}`")).collect::<Vec<_>>().join(", ");
            format!("Only {side} {columns}; likeness cannot look at that. Bring it to both sides if it matters.")
        })
    };
    let sides = [told("the seed has", &only_seed), told("the candidates have", &only_candidates)];
    Ok(sides.into_iter().flatten().collect())
}

fn columns(source: Option<&str>, people: &People) -> BTreeSet<String> {
    match source.and_then(|name| people.source(name)) {
        Some(source) => source.columns.iter().cloned().collect(),
        None => people.attributes.get_column_names().into_iter().map(ToString::to_string).collect(),
    }
}
