//! The chosen people, and the group each is in.

use polars::prelude::{Column, DataFrame, NamedFrom as _, Series};

use super::{Earlier, Ranking, Reasons};
use crate::error::Result;
use crate::source::People;

/// The chosen people, column by column, best first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chosen {
    /// Ids.
    pub person: Vec<String>,
    /// 1 is the best.
    pub rank: Vec<u32>,
    /// What they are ranked by.
    pub score: Vec<f64>,
    /// Calibrated probability of the transition, where a prediction gives it.
    pub propensity: Vec<Option<f64>>,
    /// Nearness to the seed, where the audience has one.
    pub similarity: Vec<Option<f64>>,
    /// To be reached, or kept out.
    pub group: Vec<Group>,
    /// Up to three reasons in words.
    pub reasons: Vec<Reasons>,
}

/// Whether a chosen person is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// To be reached.
    Target,
    /// Kept out at random, to compare with.
    Holdout,
}

impl Group {
    /// The group that `audience.parquet` calls so.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        [Self::Target, Self::Holdout].into_iter().find(|group| group.name() == name)
    }

    /// The word in `audience.parquet`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Holdout => "holdout",
        }
    }
}

impl Chosen {
    /// The rows of a ranking, best first; `group` puts them into groups.
    pub(super) fn of(
        rows: &[u32],
        ranking: &Ranking<'_>,
        people: &People,
        group: impl FnOnce(&[String]) -> Vec<Group>,
    ) -> Result<Self> {
        let id = |&row: &u32| people.ids[ranking.person[row as usize] as usize].clone();
        let person: Vec<String> = rows.iter().map(id).collect();
        let taken = |of: &Option<Vec<f64>>| rows.iter().map(|&row| of.as_ref().map(|of| of[row as usize])).collect();
        Ok(Self {
            rank: (1..=u32::try_from(rows.len()).expect("rows are counted in 32 bits")).collect(),
            score: rows.iter().map(|&row| ranking.score[row as usize]).collect(),
            propensity: taken(&ranking.propensity),
            similarity: taken(&ranking.similarity),
            group: group(&person),
            reasons: (ranking.reasons)(rows)?,
            person,
        })
    }

    /// How many people.
    #[must_use]
    pub fn len(&self) -> usize {
        self.person.len()
    }

    /// Whether nobody was chosen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.person.is_empty()
    }

    /// How many of a group.
    pub(super) fn n_in(&self, group: Group) -> usize {
        self.group.iter().filter(|&&other| other == group).count()
    }

    /// The groups of `earlier`, and those of the chosen.
    pub(super) fn remembered(&self, earlier: &Earlier) -> Earlier {
        let mut groups = earlier.clone();
        groups.extend(self.person.iter().cloned().zip(self.group.iter().copied()));
        groups
    }

    /// The table of `audience.parquet`.
    pub(super) fn frame(&self) -> Result<DataFrame> {
        let groups: Vec<&str> = self.group.iter().map(|group| group.name()).collect();
        let mut columns: Vec<Column> = vec![
            Series::new("person".into(), &self.person).into(),
            Series::new("rank".into(), &self.rank).into(),
            Series::new("score".into(), &self.score).into(),
            Series::new("propensity".into(), &self.propensity).into(),
            Series::new("similarity".into(), &self.similarity).into(),
            Series::new("group".into(), groups).into(),
        ];
        for nth in 0..3 {
            let reasons: Vec<Option<&str>> = self.reasons.iter().map(|reasons| reasons[nth].as_deref()).collect();
            columns.push(Series::new(format!("reason_{}", nth + 1).into(), reasons).into());
        }
        Ok(DataFrame::new(self.len(), columns)?)
    }
}
