//! Who is in the seed, who is a candidate, and as of when each is looked at.
//!
//! In: the rules of an audience. Out: people as positions, sorted. A person of the seed is no candidate.
//!
//! Over events, the features of people who have reached the seed's stage are taken as of the beginning of the day on which
//! they entered it first: as of the end they would hold what came of it (who bought has purchases), and the model would
//! find who has bought in place of who will. What they are compared with are candidates at the same instants, drawn from
//! the days on which members entered, as far as the candidate was known then (incidence density sampling): so it is not
//! the calendar that tells the two apart. A seed that a rule or a file tells has no time of entry. It is taken as of the
//! end, as the candidates are, and a warning says what that means.

use polars::prelude::{Column, DataType, NamedFrom as _, Series};
use rayon::prelude::*;

use super::super::asked::Asked;
use super::super::contact::Contacts;
use super::super::summary::ListUsed;
use super::super::suppression::{Who, named_in};
use super::super::{Context, Known};
use crate::error::{Error, Kind, Result};
use crate::rate::grouped;
use crate::spec::{Audience, Seed, SeedTime, Told};
use crate::time::{DAY, Time};

/// The seed and the candidates of an audience.
#[derive(Debug)]
pub(super) struct Members {
    /// The seed: positions of people, sorted.
    pub seed: Vec<u32>,
    /// As of when each of the seed is looked at.
    pub seed_at: Vec<Time>,
    /// How much each of the seed counts; `None`: all the same.
    pub weight: Option<Vec<f64>>,
    /// The candidates: positions of people, sorted.
    pub candidates: Vec<u32>,
    /// People of the seed whom the rule for candidates would take too.
    pub n_both: usize,
    /// The file that tells the seed.
    pub list: Option<ListUsed>,
}

impl Members {
    /// # Errors
    /// An error of the spec when a rule cannot be asked; one of the data when the seed or the candidates are nobody.
    pub(super) fn of(audience: &Audience, seed: &Seed, known: &Known<'_>, context: &Context<'_>) -> Result<Self> {
        let everyone: Vec<u32> = (0..).take(known.data.people.len()).collect();
        let stage = stages(known, context);
        let ask = |rule: &str, key: &str| {
            let asked = Asked::new(&known.data.people, &everyone, context.end);
            let what = format!("{key} of audience `{}`", audience.name);
            asked.holds(rule, &what, stage.as_slice()).map_err(|error| error.at(context.place(audience, key)))
        };
        let mut list = None;
        let is_seed = match &seed.told {
            Told::Rule(rule) => ask(rule, "seed")?,
            Told::Source => vec![true; everyone.len()],
            Told::Stage(stage) => in_stage(*stage, seed.as_of, known, context),
            Told::File(path) => {
                let contacts = Contacts::of(&known.data.people)?;
                let who = Who::new(&known.data.people, &contacts, context.identities);
                let (is_named, used) = named_in(path, context.spec, &who).map_err(|error| {
                    error
                        .context(format!("the seed of audience `{}`", audience.name))
                        .at(context.place(audience, "seed"))
                })?;
                list = Some(used);
                is_named
            }
        };
        let is_seed = within(is_seed, seed.source.as_deref(), known);
        let is_wanted = match &audience.candidates.rule {
            Some(rule) => ask(rule, "candidates")?,
            None => vec![true; everyone.len()],
        };
        let is_wanted = within(is_wanted, audience.candidates.source.as_deref(), known);
        let picked = |wanted: &(dyn Fn(usize) -> bool + Sync)| -> Vec<u32> {
            everyone.par_iter().copied().filter(|&person| wanted(person as usize)).collect()
        };
        let members = picked(&|person| is_seed[person]);
        let candidates = picked(&|person| is_wanted[person] && !is_seed[person]);
        let is_told = audience.candidates.rule.is_some() || audience.candidates.source.is_some();
        let n_both = if is_told { members.iter().filter(|&&person| is_wanted[person as usize]).count() } else { 0 };
        let nobody = |what: &str, key: &str, advice: &str| {
            let message = format!("audience `{}`: {what}", audience.name);
            Err(Error::new(Kind::Data, message).hint(advice).at(context.place(audience, key)))
        };
        if members.is_empty() {
            return match &list {
                Some(ListUsed { path, n_entries: 0, .. }) => nobody(
                    &format!("its seed, {path}, has no entries"),
                    "seed",
                    "make the file again, or name another one",
                ),
                Some(ListUsed { path, n_entries, .. }) => nobody(
                    &format!(
                        "nobody is in the seed: none of the {} entries of {path} means anyone",
                        grouped(*n_entries)
                    ),
                    "seed",
                    "let the file hold ids, e-mails or phones as the people tables do",
                ),
                None => nobody("nobody is in the seed", "seed", "compare the rule with the values in the data"),
            };
        }
        if candidates.is_empty() {
            return nobody("there are no candidates beside the seed", "candidates", "widen the rule for candidates");
        }
        let weight =
            seed.weight.as_ref().map(|column| weights(column, &members, audience, known, context)).transpose()?;
        let seed_at = members.iter().map(|&person| looked_at(person, seed, known, context)).collect();
        Ok(Self { seed: members, seed_at, weight, candidates, n_both, list })
    }
}

/// Leaves those who come from a source of people, where one is named.
fn within(mut marked: Vec<bool>, source: Option<&str>, known: &Known<'_>) -> Vec<bool> {
    let Some(source) = source.and_then(|name| known.data.people.source(name)) else { return marked };
    let mut comes_from = vec![false; marked.len()];
    source.people.iter().for_each(|&person| comes_from[person as usize] = true);
    marked.iter_mut().zip(comes_from).for_each(|(marked, comes)| *marked &= comes);
    marked
}

/// The stage of everyone as of the end, where the spec has stages.
fn stages(known: &Known<'_>, context: &Context<'_>) -> Option<Column> {
    if context.spec.stages.is_empty() {
        return None;
    }
    let name = |person: usize| {
        let stay = known.stays.at(person, Time::NEVER)?;
        Some(context.spec.stages[usize::from(known.stays.stage[stay])].name.as_str())
    };
    let names: Vec<Option<&str>> = (0..known.data.people.len()).into_par_iter().map(name).collect();
    Some(Series::new("stage".into(), names).into())
}

/// Who stands in a stage at the end, or has ever entered it.
fn in_stage(stage: usize, as_of: SeedTime, known: &Known<'_>, context: &Context<'_>) -> Vec<bool> {
    let stays = known.stays;
    let is_there = |stay: usize| usize::from(stays.stage[stay]) == stage && stays.entered[stay] < context.end.0;
    let holds = |person: usize| match as_of {
        SeedTime::Entry => stays.of(person).any(is_there),
        SeedTime::End => stays.of(person).next_back().is_some_and(is_there),
    };
    (0..known.data.people.len()).into_par_iter().map(holds).collect()
}

fn looked_at(person: u32, seed: &Seed, known: &Known<'_>, context: &Context<'_>) -> Time {
    let Told::Stage(stage) = seed.told else { return context.end };
    if seed.as_of == SeedTime::End {
        return context.end;
    }
    let mut stays = known.stays.of(person as usize);
    let entered =
        stays.find(|&stay| usize::from(known.stays.stage[stay]) == stage).map(|stay| known.stays.entered[stay]);
    entered.map_or(context.end, |entered| Time(entered - entered.rem_euclid(DAY)))
}

/// What each member counts. Nobody counts less than nothing; a value that is missing is one.
fn weights(
    column: &str,
    members: &[u32],
    audience: &Audience,
    known: &Known<'_>,
    context: &Context<'_>,
) -> Result<Vec<f64>> {
    let people = &known.data.people;
    let fault = |message: String, advice: &str| {
        Error::new(Kind::Spec, format!("audience `{}`: {message}", audience.name))
            .hint(advice)
            .at(context.place(audience, "seed"))
    };
    let attribute = people.attributes.column(column).map_err(|_| {
        fault(format!("the seed's `weight` is no attribute: `{column}`"), "name a column of the people table")
    })?;
    let values = attribute.cast(&DataType::Float64)?;
    if values.null_count() > attribute.null_count() {
        return Err(fault(format!("the seed's `weight`, `{column}`, holds texts"), "name a column of numbers"));
    }
    let values = values.f64()?;
    let weight = |&person: &u32| {
        let row = people.row(person as usize, context.end);
        row.and_then(|row| values.get(row)).filter(|value| value.is_finite()).map_or(0.0, |value| value.max(0.0))
    };
    let weights: Vec<f64> = members.iter().map(weight).collect();
    if weights.iter().all(|&weight| weight == 0.0) {
        return Err(fault(format!("nobody of the seed has a `{column}` above 0"), "leave `weight` out"));
    }
    Ok(weights)
}
