//! Everyone who was scored, and who of them a rule is about.

use polars::prelude::{Column, DataFrame, IdxCa, NamedFrom as _, PlSmallStr, Series};
use rayon::prelude::*;

use super::Scores;
use super::rule::Condition;
use crate::error::Result;
use crate::source::People;
use crate::spec::{Audience, Spec};
use crate::time::Time;

/// Everyone who was scored, with where they stand in the people table.
pub(super) struct Pool<'a> {
    scores: &'a Scores,
    people: &'a People,
    /// Position among people.
    pub person: Vec<Option<u32>>,
    /// The attribute row that held at the end.
    pub attributes: Vec<Option<usize>>,
}

impl<'a> Pool<'a> {
    pub(super) fn new(scores: &'a Scores, people: &'a People, end: Time) -> Self {
        let found: Vec<Option<usize>> = scores.person.par_iter().map(|id| people.find(id)).collect();
        let attributes = found.par_iter().map(|person| person.and_then(|person| people.row(person, end))).collect();
        let position = |person: usize| u32::try_from(person).expect("people are counted in 32 bits");
        Self { scores, people, person: found.into_iter().map(|person| person.map(position)).collect(), attributes }
    }

    /// The rows of the scores that the audience considers.
    pub(super) fn candidates(&self, audience: &Audience, spec: &Spec) -> Result<Vec<u32>> {
        let everyone: Vec<u32> = (0..u32::try_from(self.scores.len()).expect("rows are counted in 32 bits")).collect();
        let Some(rule) = &audience.candidates else {
            let attained = attained(audience, spec);
            let is_open = |row: &u32| !attained.contains(&self.scores.stage[*row as usize].as_str());
            return Ok(everyone.into_iter().filter(is_open).collect());
        };
        let condition = Condition::new(rule, format!("candidates of audience `{}`", audience.name))?;
        let holds = self.ask(&condition, &everyone, &["stage", "propensity"])?;
        Ok(everyone.into_iter().zip(holds).filter_map(|(row, holds)| holds.then_some(row)).collect())
    }

    /// Which of `rows` have agreed to be contacted.
    pub(super) fn consenting(&self, audience: &Audience, rows: &[u32]) -> Result<Vec<bool>> {
        let Some(rule) = &audience.consent else { return Ok(vec![true; rows.len()]) };
        let condition = Condition::new(rule, format!("consent of audience `{}`", audience.name))?;
        self.ask(&condition, rows, &[])
    }

    /// Asks a condition about attributes and the columns of scores that are named; the latter win over attributes.
    fn ask(&self, condition: &Condition, rows: &[u32], of_scores: &[&str]) -> Result<Vec<bool>> {
        let attributes = self.people.attributes.get_column_names().into_iter().map(PlSmallStr::as_str);
        let known = of_scores.iter().copied().chain(attributes.filter(|name| !of_scores.contains(name)));
        let asked = condition.columns(&known.collect::<Vec<_>>())?;
        let at: IdxCa = rows.iter().map(|&row| self.attributes[row as usize].map(index)).collect();
        let mut columns = vec![self.stage(rows), self.propensity(rows)];
        columns.retain(|column| of_scores.contains(&column.name().as_str()));
        for name in asked.into_iter().filter(|name| !of_scores.contains(name)) {
            columns.push(self.people.attributes.column(name)?.take(&at)?);
        }
        if columns.is_empty() {
            columns.push(self.propensity(rows));
        }
        condition.holds(DataFrame::new(rows.len(), columns)?)
    }

    fn stage(&self, rows: &[u32]) -> Column {
        let stages: Vec<&str> = rows.iter().map(|&row| self.scores.stage[row as usize].as_str()).collect();
        Series::new("stage".into(), stages).into()
    }

    fn propensity(&self, rows: &[u32]) -> Column {
        let propensities: Vec<f64> = rows.iter().map(|&row| self.scores.propensity[row as usize]).collect();
        Series::new("propensity".into(), propensities).into()
    }
}

fn index(row: usize) -> u32 {
    u32::try_from(row).expect("attribute rows are counted in 32 bits")
}

/// The stages in which the transition is made already.
fn attained<'a>(audience: &Audience, spec: &'a Spec) -> Vec<&'a str> {
    let to = spec.prediction(&audience.prediction).map_or(&[][..], |prediction| &prediction.to);
    to.iter().map(|&stage| spec.stages[stage].name.as_str()).collect()
}
