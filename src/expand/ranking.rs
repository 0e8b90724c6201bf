//! Who is considered for an audience, and what they are ranked by.

use std::fmt;

use polars::prelude::{Column, NamedFrom as _, Series};
use rayon::prelude::*;

use super::asked::Asked;
use super::texts::{Reasons, Texts};
use super::{Context, Scores};
use crate::error::{Error, Result};
use crate::predict::uplift;
use crate::source::People;
use crate::spec::{Audience, Spec};

/// The reasons of the rows at these places.
pub type Explain<'a> = Box<dyn Fn(&[u32]) -> Result<Reasons> + Sync + 'a>;

/// The candidates of an audience, a row each: who they are, and what they are ranked by.
pub struct Ranking<'a> {
    /// Positions among people, each once.
    pub person: Vec<u32>,
    /// What they are ranked by: the greater, the better.
    pub score: Vec<f64>,
    /// Calibrated probability of the transition, 0–1, where a prediction gives it.
    pub propensity: Option<Vec<f64>>,
    /// Nearness to the seed, 0–1, where the audience has one.
    pub similarity: Option<Vec<f64>>,
    /// The seed: positions of people, sorted; nobody where there is none.
    pub seed: Vec<u32>,
    /// For each hidden member of the seed the share of the candidates who score lower.
    pub places: Option<Vec<f64>>,
    /// Why the rows at these places stand where they stand; asked of the chosen only.
    pub reasons: Explain<'a>,
}

impl<'a> Ranking<'a> {
    /// Those among everyone scored whom an audience considers, ranked by their propensities.
    ///
    /// Without a rule for candidates, everyone scored is one who has not attained the transition already. The rule may ask
    /// about `stage`, `propensity` and attributes.
    ///
    /// # Errors
    /// An error of the spec when the rule cannot be asked, one of the data when the scores are damaged or of other people.
    pub fn of_scores(audience: &Audience, scores: &'a Scores, people: &People, context: &Context<'_>) -> Result<Self> {
        scores.check()?;
        let person = positions(&scores.person, people)?;
        let rows = candidates(audience, scores, &Asked::new(people, &person, context.end), context.spec)
            .map_err(|error| error.at(context.place(audience, "candidates")))?;
        let propensity: Vec<f64> = rows.iter().map(|&row| scores.propensity[row as usize]).collect();
        let person = rows.iter().map(|&row| person[row as usize]).collect();
        let reasons = move |at: &[u32]| Ok(scores.reasons.take(at.iter().map(|&at| rows[at as usize])));
        Ok(Self {
            person,
            score: propensity.clone(),
            propensity: Some(propensity),
            similarity: None,
            seed: Vec::new(),
            places: None,
            reasons: Box::new(reasons),
        })
    }

    /// Those among everyone scored by an uplift whom an audience considers, those first whom its treatment changes most.
    ///
    /// The rule for candidates may ask about `uplift` (`uplift > 0`: nobody whom the treatment drives away) and attributes.
    ///
    /// # Errors
    /// As [`Ranking::of_scores`].
    pub fn of_uplift(
        audience: &Audience,
        scores: &uplift::Scores,
        people: &People,
        context: &Context<'_>,
    ) -> Result<Self> {
        let person = positions(&scores.person.iter().map(String::as_str).collect(), people)?;
        let asked = Asked::new(people, &person, context.end);
        let known: [Column; 1] = [Series::new("uplift".into(), &scores.uplift).into()];
        let holds = match &audience.candidates.rule {
            Some(rule) => asked
                .holds(rule, &format!("candidates of audience `{}`", audience.name), &known)
                .map_err(|error| error.at(context.place(audience, "candidates")))?,
            None => vec![true; person.len()],
        };
        let rows: Vec<usize> = (0..person.len()).filter(|&row| holds[row]).collect();
        Ok(Self {
            person: rows.iter().map(|&row| person[row]).collect(),
            score: rows.iter().map(|&row| scores.uplift[row]).collect(),
            propensity: None,
            similarity: None,
            seed: Vec::new(),
            places: None,
            reasons: Box::new(|at| Ok(Reasons::none(at.len()))),
        })
    }

    /// Leaves out the candidates who are not wanted.
    pub(super) fn keep(&mut self, is_wanted: &(dyn Fn(u32) -> bool + Sync)) {
        let rows: Vec<u32> = (0..).take(self.len()).collect();
        let rows: Vec<u32> = rows.into_par_iter().filter(|&row| is_wanted(self.person[row as usize])).collect();
        self.score = taken(&self.score, &rows);
        self.propensity = self.propensity.as_deref().map(|of| taken(of, &rows));
        self.similarity = self.similarity.as_deref().map(|of| taken(of, &rows));
        self.person = rows.iter().map(|&row| self.person[row as usize]).collect();
        let told = std::mem::replace(&mut self.reasons, Box::new(|_| Ok(Reasons::default())));
        self.reasons = Box::new(move |at| told(&at.iter().map(|&at| rows[at as usize]).collect::<Vec<_>>()));
    }

    /// How many candidates there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.person.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.person.is_empty()
    }
}

impl fmt::Debug for Ranking<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Ranking").field("n_candidates", &self.len()).finish_non_exhaustive()
    }
}

fn taken(of: &[f64], rows: &[u32]) -> Vec<f64> {
    rows.iter().map(|&row| of[row as usize]).collect()
}

/// Where people stand among all, each once.
///
/// # Errors
/// An error of the data when somebody is not there, or there twice.
fn positions(ids: &Texts, people: &People) -> Result<Vec<u32>> {
    const CHUNK: usize = 1 << 14;
    let of_chunk = |start: usize| {
        // Who was scored stands in the order of ids, so that the next one is mostly the next one there.
        let mut next = 0;
        (start..ids.len().min(start + CHUNK)).map(move |row| {
            let is_next = people.ids.get(next).is_some_and(|id| id == &ids[row]);
            let found = if is_next { Some(next) } else { people.find(&ids[row]) };
            next = found? + 1;
            found.map(position)
        })
    };
    let starts: Vec<usize> = (0..ids.len()).step_by(CHUNK).collect();
    let found: Vec<Option<u32>> = starts.into_par_iter().flat_map_iter(of_chunk).collect();
    let mut is_seen = vec![false; people.len()];
    let unknown =
        || Error::data("the scores are of people whom no table names any more").hint("run `clo predict` again");
    let once = |(row, person): (usize, Option<u32>)| {
        let person = person.ok_or_else(unknown)?;
        if std::mem::replace(&mut is_seen[person as usize], true) {
            let message = format!("the person in row {} of the scores was scored before", row + 1);
            return Err(Error::data(message).hint("run `clo predict` again"));
        }
        Ok(person)
    };
    found.into_iter().enumerate().map(once).collect()
}

fn position(person: usize) -> u32 {
    u32::try_from(person).expect("people are counted in 32 bits")
}

/// The rows of the scores that the audience considers.
fn candidates(audience: &Audience, scores: &Scores, asked: &Asked<'_>, spec: &Spec) -> Result<Vec<u32>> {
    let everyone = 0..position(scores.len());
    let Some(rule) = &audience.candidates.rule else {
        let attained = attained(audience, spec);
        return Ok(everyone.filter(|row| !attained.contains(&&scores.stage[*row as usize])).collect());
    };
    let known: [Column; 2] =
        [scores.stage.column("stage"), Series::new("propensity".into(), &scores.propensity).into()];
    let holds = asked.holds(rule, &format!("candidates of audience `{}`", audience.name), &known)?;
    Ok(everyone.zip(holds).filter_map(|(row, holds)| holds.then_some(row)).collect())
}

/// The stages in which the transition is made already.
fn attained<'a>(audience: &Audience, spec: &'a Spec) -> Vec<&'a str> {
    let to = spec.ranking(audience).map_or(&[][..], |prediction| &prediction.to);
    to.iter().map(|&stage| spec.stages[stage].name.as_str()).collect()
}
