//! Every candidate's score by the chosen method, a chunk at a time.

use super::bags::Sample;
use super::choose::{Choice, best};
use super::similarity::Similarity;
use super::ways::{Likeness as _, Lookalike, Scale, mean_of, places};
use super::{CHUNK, Drawn, View};
use crate::error::Result;
use crate::expand::Scores;
use crate::source::People;
use crate::spec::Method;

/// The propensities of people, as log odds.
pub(super) struct Propensity {
    /// By position among people; NaN where there is none.
    log_odds: Vec<f64>,
    mean: f64,
    deviation: f64,
}

impl Propensity {
    pub(super) fn of(scores: &Scores, people: &People) -> Result<Self> {
        scores.check()?;
        let mut log_odds = vec![f64::NAN; people.len()];
        for (id, propensity) in scores.person.iter().zip(&scores.propensity) {
            if let Some(person) = people.find(id) {
                let propensity = propensity.clamp(1e-9, 1.0 - 1e-9);
                log_odds[person] = libm::log(propensity / (1.0 - propensity));
            }
        }
        let known = || log_odds.iter().filter(|value| !value.is_nan());
        let n = (known().count() as f64).max(1.0);
        let mean = known().sum::<f64>() / n;
        let deviation = (known().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt().max(1e-12);
        Ok(Self { log_odds, mean, deviation })
    }

    fn standard(&self, person: u32) -> Option<f64> {
        Some((self.log_odds[person as usize] - self.mean) / self.deviation).filter(|value| !value.is_nan())
    }
}

/// Scores of candidates, a value each.
pub(super) struct Found {
    pub score: Vec<f64>,
    pub similarity: Option<Vec<f64>>,
}

/// What was learned, and which method ranks.
pub(super) struct Finder<'a> {
    lookalike: &'a Lookalike,
    similarity: Option<Similarity<'a>>,
    propensity: Option<Propensity>,
    n_seed: usize,
    scales: [Scale; 2],
    pub(super) method: Method,
}

impl<'a> Finder<'a> {
    pub(super) fn new(
        sample: &Sample,
        lookalike: &'a Lookalike,
        similarity: Option<Similarity<'a>>,
        propensity: Option<Propensity>,
    ) -> Self {
        let of_lookalike = Scale::of(lookalike.unseen(), sample);
        let of_similarity = similarity.as_ref().map_or(of_lookalike, |way| Scale::of(way.unseen(), sample));
        let scales = [of_lookalike, of_similarity];
        Self { lookalike, similarity, propensity, n_seed: sample.n_seed, scales, method: Method::Lookalike }
    }

    /// The method that finds hidden members best.
    pub(super) fn best(&self) -> Choice {
        let tried = [Method::Lookalike, Method::Similarity, Method::Blend];
        best(&tried.map(|method| (method, places(&self.unseen(method), self.n_seed))))
    }

    /// What the sample's rows get by a method from models that have not seen them, but for the propensity.
    pub(super) fn unseen(&self, method: Method) -> Vec<f64> {
        let of_lookalike = || Some(self.lookalike.unseen().to_vec());
        match method {
            Method::Similarity => self.unseen_similarity().unwrap_or_default(),
            Method::Blend => self.blend([of_lookalike(), self.unseen_similarity()]),
            _ => self.lookalike.unseen().to_vec(),
        }
    }

    /// The scores of all candidates; of those who were learned from, what models say who have not seen them.
    pub(super) fn all(&self, candidates: &[u32], drawn: &Drawn, view: &View<'_>) -> Result<Found> {
        let n = candidates.len();
        let with_similarity = self.similarity.is_some() && self.method != Method::Lookalike;
        let mut lookalike = Vec::with_capacity(n);
        let mut similarity = Vec::with_capacity(if with_similarity { n } else { 0 });
        for people in candidates.chunks(CHUNK) {
            let table = view.at_end(people)?;
            let all: Vec<u32> = (0..).take(people.len()).collect();
            lookalike.extend(self.lookalike.scores(&table, &all)?);
            if let Some(way) = self.similarity.as_ref().filter(|_| with_similarity) {
                similarity.extend(way.scores(&table, &all)?);
            }
        }
        for &(row, of_sample) in &drawn.rows {
            lookalike[row as usize] = self.lookalike.unseen()[of_sample as usize];
        }
        let similarity = Some(similarity).filter(|_| with_similarity);
        let score = match self.method {
            Method::Similarity => similarity.clone().unwrap_or_default(),
            Method::Blend => self.with_propensity(self.blend([Some(lookalike), similarity.clone()]), candidates),
            _ => lookalike,
        };
        Ok(Found { score, similarity })
    }

    fn unseen_similarity(&self) -> Option<Vec<f64>> {
        self.similarity.as_ref().map(|way| way.unseen().to_vec())
    }

    fn blend(&self, parts: [Option<Vec<f64>>; 2]) -> Vec<f64> {
        mean_of(parts.into_iter().zip(self.scales).filter_map(|(part, scale)| Some((part?, scale))))
    }

    /// The mean of likeness, two parts, and propensity, the third, where there is one.
    fn with_propensity(&self, mut likeness: Vec<f64>, candidates: &[u32]) -> Vec<f64> {
        let Some(propensity) = &self.propensity else { return likeness };
        for (score, &person) in likeness.iter_mut().zip(candidates) {
            if let Some(standard) = propensity.standard(person) {
                *score = (2.0 * *score + standard) / 3.0;
            }
        }
        likeness
    }
}
