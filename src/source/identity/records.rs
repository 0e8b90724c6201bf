//! The rows of people tables that are compared: one per id and table, and the columns that they have in common.

use polars::prelude::{Column, DataType};
use rayon::prelude::*;

use super::fields::{Raw, is_telling};
use crate::error::{Error, Result, did_you_mean};
use crate::source::batch::each_text;
use crate::source::events::NO_LEVEL;
use crate::source::gather::PeopleGather;
use crate::source::intern::Interner;
use crate::spec::Matching;

/// Records in the order of their table and id.
#[derive(Debug)]
pub(super) struct Records {
    /// The people source of each, by its place in the spec.
    pub(super) source: Vec<u16>,
    /// The id of each, as a code.
    pub(super) id: Vec<u32>,
    /// The row of each in its source.
    row: Vec<u32>,
}

/// Names of the same thing in different tables.
const SAME: [&[&str]; 6] = [
    &["given_name", "first_name", "firstname", "fname", "forename", "givenname", "vorname"],
    &["surname", "last_name", "lastname", "lname", "family_name", "familyname", "nachname"],
    &["date_of_birth", "dob", "birth_date", "birthdate", "birthday", "born", "dateofbirth"],
    &["postcode", "post_code", "postal_code", "zip", "zip_code", "zipcode"],
    &["email", "e_mail", "email_address", "mail"],
    &["phone", "phone_number", "telephone", "telephone_number", "mobile", "mobile_number"],
];

impl Records {
    /// The first row of every id of every source that is compared. `rank` is the order of ids.
    pub(super) fn new(people: &[PeopleGather<'_>], matching: &Matching, rank: &[u32]) -> Self {
        let mut records: Vec<(u16, u32, u32, u32)> = Vec::new();
        for (number, source) in (0_u16..).zip(people) {
            if matching.people.is_empty() || matching.people.contains(&source.spec.name) {
                let rows = source.ids().iter().zip(0..);
                records.extend(rows.map(|(&id, row)| (number, rank[id as usize], row, id)));
            }
        }
        records.par_sort_unstable();
        records.dedup_by_key(|record| (record.0, record.3));
        Self {
            source: records.iter().map(|record| record.0).collect(),
            id: records.iter().map(|record| record.3).collect(),
            row: records.iter().map(|record| record.2).collect(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.id.len()
    }

    /// The columns to compare.
    pub(super) fn columns(&self, people: &[PeopleGather<'_>], matching: &Matching) -> Result<Vec<Raw>> {
        let compared: Vec<usize> = {
            let mut sources: Vec<usize> = self.source.iter().map(|source| usize::from(*source)).collect();
            sources.dedup();
            sources
        };
        let mut names: Vec<&str> = Vec::new();
        for &source in &compared {
            for name in people[source].attribute_names() {
                if !names.iter().any(|known| is_same(known, name)) {
                    names.push(name);
                }
            }
        }
        let has = |source: &usize, name: &str| find(&people[*source], name).is_some();
        let told = |name: &&str| matching.compare.iter().find(|(told, _)| is_same(told, name)).map(|(_, kind)| *kind);
        let is_there = |told: &str| names.iter().any(|name| is_same(name, told));
        if let Some(unknown) = matching.compare.keys().find(|told| !is_there(told)) {
            let error = Error::spec(format!("identity.match.compare: no people table has a column `{unknown}`"));
            let near = did_you_mean(unknown, names.iter().copied());
            return Err(error.hint(
                near.map_or_else(
                    || format!("they have {}", names.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                ),
            ));
        }
        let wanted: Vec<(&str, _)> = names.iter().map(|name| (*name, told(name))).collect();
        let wanted = wanted.into_iter().filter(|(name, kind)| {
            let shared = compared.len() == 1 || compared.iter().filter(|source| has(source, name)).count() > 1;
            kind.is_some() || matching.compare.is_empty() && shared
        });
        let wanted: Vec<_> = wanted.collect();
        wanted
            .into_par_iter()
            .map(|(name, kind)| self.column(people, name, kind))
            .filter_map(Result::transpose)
            .collect()
    }

    /// A column of all records; `None` when its type says that it tells nobody apart.
    fn column(&self, people: &[PeopleGather<'_>], name: &str, kind: Option<super::Kind>) -> Result<Option<Raw>> {
        let mut texts = Interner::default();
        let mut codes = vec![NO_LEVEL; self.len()];
        let mut start = 0;
        for of_source in self.source.chunk_by(|a, b| a == b) {
            let range = start..start + of_source.len();
            start = range.end;
            let Some(column) = find(&people[usize::from(of_source[0])], name) else { continue };
            if kind.is_none() && !may_tell(column, name) {
                return Ok(None);
            }
            let mut by_row = Vec::with_capacity(column.len());
            each_text(column, |text| by_row.push(text.map_or(NO_LEVEL, |text| texts.intern(text))))?;
            for (code, row) in codes[range.clone()].iter_mut().zip(&self.row[range]) {
                *code = by_row[*row as usize];
            }
        }
        Ok(Some(Raw { name: name.to_owned(), kind, texts, codes }))
    }
}

/// Amounts, instants and truths say little of who somebody is, unless the column's name says that they do.
fn may_tell(column: &Column, name: &str) -> bool {
    !matches!(column.dtype(), DataType::Float64 | DataType::Boolean | DataType::Datetime(..)) || is_telling(name)
}

fn find<'p>(people: &'p PeopleGather<'_>, name: &str) -> Option<&'p Column> {
    people.attribute(name).or_else(|| {
        let other = people.attribute_names().find(|other| is_same(other, name))?;
        people.attribute(other)
    })
}

fn is_same(a: &str, b: &str) -> bool {
    let alias = |name: &str| {
        let name = name.to_lowercase().replace(['-', ' '], "_");
        SAME.iter().position(|names| names.contains(&name.as_str()))
    };
    a == b || alias(a).is_some_and(|group| alias(b) == Some(group))
}
