//! The chosen people, and the group each is in.

use polars::prelude::{Column, DataFrame, DataType, NamedFrom as _, Series};

use super::rank::n_chosen;
use super::texts::{Reasons, Texts};
use super::{Earlier, Ranking};
use crate::error::Result;
use crate::source::People;
use crate::spec::Size;

/// The chosen people, column by column, best first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chosen {
    /// Ids.
    pub person: Texts,
    /// 1 is the best.
    pub rank: Vec<u32>,
    /// What they are ranked by.
    pub score: Vec<f64>,
    /// Calibrated probability of the transition, where a prediction gives it.
    pub propensity: Option<Vec<f64>>,
    /// Nearness to the seed, where the audience has one.
    pub similarity: Option<Vec<f64>>,
    /// To be reached, or kept out.
    pub group: Vec<Group>,
    /// The nested shares of the audience, such as `5%`, where it has tiers …
    pub tiers: Vec<String>,
    /// … and the place of the smallest of them that holds each.
    pub tier: Vec<Option<u8>>,
    /// Up to three reasons in words.
    pub reasons: Reasons,
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
        group: impl FnOnce(&Texts) -> Vec<Group>,
    ) -> Result<Self> {
        let id = |&row: &u32| people.ids[ranking.person[row as usize] as usize].as_str();
        let person: Texts = rows.iter().map(id).collect();
        let taken = |of: &Option<Vec<f64>>| {
            of.as_ref().map(|of| rows.iter().map(|&row| of[row as usize]).collect::<Vec<f64>>())
        };
        Ok(Self {
            rank: (1..=u32::try_from(rows.len()).expect("rows are counted in 32 bits")).collect(),
            score: rows.iter().map(|&row| ranking.score[row as usize]).collect(),
            propensity: taken(&ranking.propensity),
            similarity: taken(&ranking.similarity),
            group: group(&person),
            tiers: Vec::new(),
            tier: vec![None; rows.len()],
            reasons: (ranking.reasons)(rows)?,
            person,
        })
    }

    /// Puts each into the smallest of nested shares of `n` candidates that holds them.
    pub(super) fn fill_tiers(&mut self, tiers: &[f64], n: usize) {
        let ends: Vec<usize> = tiers.iter().map(|&share| n_chosen(Size::Share(share), n, None)).collect();
        let tier = |rank: &u32| ends.iter().position(|&end| *rank as usize <= end);
        let number = |at: usize| u8::try_from(at).expect("the tiers of an audience are at most a hundred");
        self.tier = self.rank.iter().map(|rank| tier(rank).map(number)).collect();
        // Two decimals are more than anybody writes; trailing zeros are not shown.
        self.tiers = tiers.iter().map(|share| format!("{}%", (share * 10_000.0).round() / 100.0)).collect();
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
        groups.extend(self.person.iter().map(str::to_owned).zip(self.group.iter().copied()));
        groups
    }

    /// The table of `audience.parquet`.
    pub(super) fn frame(&self) -> Result<DataFrame> {
        let known = |name: &str, values: Option<&[f64]>| match values {
            Some(values) => Series::new(name.into(), values).into(),
            None => Column::full_null(name.into(), self.len(), &DataType::Float64),
        };
        let groups: Vec<&str> = self.group.iter().map(|group| group.name()).collect();
        let mut columns: Vec<Column> = vec![
            self.person.column("person"),
            Series::new("rank".into(), &self.rank).into(),
            Series::new("score".into(), &self.score).into(),
            known("propensity", self.propensity.as_deref()),
            known("similarity", self.similarity.as_deref()),
            Series::new("group".into(), groups).into(),
        ];
        columns.extend((0..3).map(|nth| self.reasons.column(nth)));
        let tier = |at: &Option<u8>| at.map(|at| self.tiers[usize::from(at)].as_str());
        columns.push(Series::new("tier".into(), self.tier.iter().map(tier).collect::<Vec<_>>()).into());
        Ok(DataFrame::new(self.len(), columns)?)
    }
}
