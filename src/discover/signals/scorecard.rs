//! What the features say together, cheaply: a scorecard.
//!
//! Each feature adds the weight of evidence of the bin that its value falls in (Good 1950; naive Bayes over bins), one feature
//! of each redundancy group, so that nothing is counted twice. It needs no fitting, and ranks a little worse than the models of the
//! predict phase: good to compare with ([`super::leak`]), and for the shape of a learning curve, not for its height.

use super::bins::{Bins, by_class, weights_of_evidence};
use super::rank::{Ranked, ranked};
use super::{FALSE_SHARE, Sample, Signal};
use crate::discover::table::Examples;

/// A scorecard adds up the strongest so many.
const MOST_FEATURES: usize = 30;

/// A feature in bins over a sample.
pub(super) struct Binned {
    pub(super) bins: Vec<u32>,
    pub(super) n_bins: usize,
}

/// How the features rank the sample together: each half of the people by the weights that the other half gives.
pub(super) fn together<'a>(features: impl Iterator<Item = &'a Binned>, sample: &Sample) -> Option<Ranked> {
    let mut score = vec![0.0; sample.rows.len()];
    for feature in features {
        let weights = [0, 1].map(|half| weights(feature, sample, |person| person % 2 == half));
        for (place, score) in score.iter_mut().enumerate() {
            *score += weights[1 - sample.person[place] as usize % 2][feature.bins[place] as usize];
        }
    }
    ranked(&score, &sample.labels, &sample.person)
}

/// The weights of evidence that some people of a sample give.
fn weights(feature: &Binned, sample: &Sample, is_taken: impl Fn(u32) -> bool) -> Vec<f64> {
    let places: Vec<usize> = (0..sample.rows.len()).filter(|&place| is_taken(sample.person[place])).collect();
    let bins: Vec<u32> = places.iter().map(|&place| feature.bins[place]).collect();
    let labels: Vec<bool> = places.iter().map(|&place| sample.labels[place]).collect();
    weights_of_evidence(&by_class(&bins, &labels, feature.n_bins))
}

/// A scorecard of the signals, to be learned on a share of the training people and measured on what came later.
pub(in crate::discover) struct Scorecard<'a> {
    train: &'a Sample,
    later: &'a Sample,
    /// Each feature in the same bins over training, and over what came later.
    features: Vec<(Binned, Binned)>,
}

/// What a share of the training people teaches.
pub(in crate::discover) struct Learned {
    pub(in crate::discover) n_people: usize,
    pub(in crate::discover) n_attained: usize,
    pub(in crate::discover) ranked: Ranked,
}

impl<'a> Scorecard<'a> {
    /// The strongest signals that are no leak, no chance, and not said by another.
    pub(in crate::discover) fn of(
        examples: &Examples,
        signals: &[Signal],
        train: &'a Sample,
        later: &'a Sample,
    ) -> Self {
        let is_taken = |signal: &&Signal| {
            signal.leak.is_none()
                && signal.representative == signal.feature
                && signal.q_value.is_some_and(|q| q < FALSE_SHARE)
        };
        let columns = signals.iter().filter(is_taken).filter_map(|signal| examples.features.column(&signal.feature));
        let features = columns.take(MOST_FEATURES).map(|column| {
            let bins = Bins::of(&column.cells, train);
            let over = |sample: &Sample| Binned { bins: bins.each(&column.cells, &sample.rows), n_bins: bins.n };
            (over(train), over(later))
        });
        Self { features: features.collect(), train, later }
    }

    pub(in crate::discover) fn n_features(&self) -> usize {
        self.features.len()
    }

    /// Learned on a share of the people, who are taken as by chance.
    pub(in crate::discover) fn learned(&self, share: f64) -> Option<Learned> {
        let is_taken =
            |person: u32| f64::from(person.wrapping_mul(2_654_435_761)) < share * f64::from(u32::MAX) || share >= 1.0;
        let mut score = vec![0.0; self.later.rows.len()];
        for (train, later) in &self.features {
            let weights = weights(train, self.train, is_taken);
            score.iter_mut().zip(&later.bins).for_each(|(score, &bin)| *score += weights[bin as usize]);
        }
        let n_people = (0..self.train.n_people).filter(|&person| u32::try_from(person).is_ok_and(is_taken)).count();
        let labels = self.train.labels.iter().zip(&self.train.person);
        let n_attained = labels.filter(|(label, person)| **label && is_taken(**person)).count();
        let ranked = ranked(&score, &self.later.labels, &self.later.person)?;
        Some(Learned { n_people, n_attained, ranked })
    }
}
