//! A test in which a treatment was given at random: who got it, who responded, and what was known of everybody before.
//!
//! In: the people table and an `[[uplifts]]` of the spec. Out: a [`Trial`]. Columns that its rules name, and those that it says were
//! filled in after, are no features.

use polars::prelude::{DataFrame, IdxCa, PlSmallStr};

use super::attributes;
use super::catalogue::excluded;
use super::table::{Column, Table};
use crate::error::{Error, Excerpt, Result};
use crate::map::rules;
use crate::rate::grouped;
use crate::source::Data;
use crate::spec::{Spec, Uplift};
use crate::time::Time;

/// Everybody with attributes, a row each, by id.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Ids.
    pub person: Vec<String>,
    /// Whether they were treated; `None`: they were in neither group.
    pub treated: Vec<Option<bool>>,
    /// Whether they responded; says nothing of those in neither group.
    pub outcome: Vec<bool>,
    /// What was known of them before.
    pub features: Table,
}

/// The test that an `[[uplifts]]` speaks of.
///
/// # Errors
/// When a rule cannot be read or names a column that is not there, when people are in both groups, or when nothing is left to
/// learn from.
pub fn trial(data: &Data, spec: &Spec, uplift: &Uplift) -> Result<Trial> {
    let people: Vec<(usize, u32)> = (0..data.people.len())
        .filter_map(|person| {
            let row = data.people.row(person, Time::NEVER)?;
            Some((person, u32::try_from(row).expect("attribute rows are counted in 32 bits")))
        })
        .collect();
    let at: IdxCa = people.iter().map(|&(_, row)| Some(row)).collect();
    let columns: Result<Vec<_>> = data.people.attributes.columns().iter().map(|column| Ok(column.take(&at)?)).collect();
    let frame = DataFrame::new(people.len(), columns?)?;
    let ask = |key: &str, rule: &str| {
        let what = format!("`{key}` of uplift `{}`", uplift.name);
        rules::holds(rule, &frame, &what).map_err(|error| error.at(place(spec, uplift, key)))
    };
    let (treatment, control) = (ask("treatment", &uplift.treatment)?, ask("control", &uplift.control)?);
    let outcome = ask("outcome", &uplift.outcome)?;
    check_after(&frame, spec, uplift)?;
    let n_both = treatment.iter().zip(&control).filter(|(treated, control)| **treated && **control).count();
    if n_both > 0 {
        let n_both = grouped(n_both as u64);
        return Err(Error::spec(format!(
            "uplift `{}`: `treatment` and `control` both hold for {n_both} people",
            uplift.name
        ))
        .hint("write them so that nobody is in both groups")
        .at(place(spec, uplift, "control")));
    }
    let group = |(treated, control): (&bool, &bool)| (*treated || *control).then_some(*treated);
    let trial = Trial {
        person: people.iter().map(|&(person, _)| data.people.ids[person].clone()).collect(),
        treated: treatment.iter().zip(&control).map(group).collect(),
        outcome,
        features: features(data, uplift, &people)?,
    };
    trial.check(spec, uplift)?;
    Ok(trial)
}

impl Trial {
    fn check(&self, spec: &Spec, uplift: &Uplift) -> Result<()> {
        if self.features.columns.is_empty() {
            return Err(Error::data(format!("uplift `{}` has no feature left", uplift.name))
                .hint("every column is constant, an id, contact data, named by a rule, in `after` or excluded"));
        }
        for (key, rule, wanted) in [("treatment", &uplift.treatment, true), ("control", &uplift.control, false)] {
            if !self.treated.contains(&Some(wanted)) {
                return Err(Error::data(format!("uplift `{}`: nobody is in `{key}` ({rule})", uplift.name))
                    .hint("look how the groups are written in the data; without both there is nothing to compare")
                    .at(place(spec, uplift, key)));
            }
        }
        Ok(())
    }
}

fn features(data: &Data, uplift: &Uplift, people: &[(usize, u32)]) -> Result<Table> {
    let rules = [uplift.treatment.as_str(), &uplift.control, &uplift.outcome];
    let rows: Vec<(Option<u32>, Time)> = people.iter().map(|&(_, row)| (Some(row), data.end)).collect();
    let serving = attributes::of_people(&data.people, &rules).into_iter().filter(|attribute| {
        let name = format!("attr.{}", attribute.column);
        !uplift.after.contains(&attribute.column) && !excluded(&name, &uplift.exclude)
    });
    let columns: Result<Vec<Column>> = serving.map(|attribute| attribute.column(&data.people, &rows)).collect();
    Ok(Table { columns: columns?, n_rows: people.len() })
}

/// A column of `after` that is not there would be a feature under its right name.
fn check_after(frame: &DataFrame, spec: &Spec, uplift: &Uplift) -> Result<()> {
    let known: Vec<&str> = frame.get_column_names().into_iter().map(PlSmallStr::as_str).collect();
    let unknown = uplift.after.iter().filter(|name| !known.contains(&name.as_str()));
    let error =
        |name: &String| {
            let error =
                Error::spec(format!("`after` of uplift `{}` names `{name}`, and there is no such column", uplift.name));
            let meant = crate::error::did_you_mean(name, known.iter().copied());
            error
                .hint(meant.map_or_else(
                    || format!("there are: {}", known.join(", ")),
                    |meant| format!("did you mean `{meant}`?"),
                ))
                .at(place(spec, uplift, "after"))
        };
    Error::all(unknown.map(error).collect()).map_or(Ok(()), Err)
}

/// The line of the spec that says `key` of an uplift.
fn place(spec: &Spec, uplift: &Uplift, key: &str) -> Option<Excerpt> {
    let position = spec.uplifts.iter().position(|known| known.name == uplift.name)?;
    spec.excerpt(&format!("uplifts[{position}].{key}"))
}
