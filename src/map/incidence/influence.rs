//! How much each person weighs on an incidence, and the variance that follows: the sum over people of their squared influence.
//!
//! While a stay lasts, its influence on a curve at t is that of everyone at risk; after its end it is `fixed − excess · F(t)`,
//! with both told by sums up to its end. So the squares of people with one stay need only be added up between the
//! times that are asked for; the stays of others are taken together, time by time.

use std::ops::Range;

use super::{Exit, Incidence};

/// Times at which the variance is wanted.
pub(super) struct Grid<'a> {
    pub(super) at: &'a [i64],
    pub(super) places: &'a [usize],
    pub(super) incidence: &'a Incidence,
}

/// The influence of one stay on a curve after its end: `fixed − excess · F(t)`.
#[derive(Debug, Clone, Copy)]
struct Influence {
    fixed: f64,
    excess: f64,
}

/// Sums over people with one stay, which end between two times of the grid.
#[derive(Debug, Clone, Copy, Default)]
struct Alone {
    n: f64,
    fixed: f64,
    both: f64,
    excess: f64,
}

impl Grid<'_> {
    /// Squared influences of the people in some rows, added up: for each exit, then for none, at each time.
    pub(super) fn squares(&self, rows: Range<usize>) -> Vec<f64> {
        let observations = &self.incidence.observations[rows.clone()];
        let n_curves = self.incidence.exits.len() + 1;
        let size = n_curves * self.at.len();
        let (mut squares, mut influence) = (vec![0.0; size], vec![0.0; size]);
        let mut alone = vec![Alone::default(); n_curves * (self.at.len() + 1)];
        let mut row = rows.start;
        for stays in observations.chunk_by(|a, b| a.person == b.person) {
            if stays.len() == 1 {
                self.add_alone(row, &mut alone);
            } else {
                influence.fill(0.0);
                (row..row + stays.len()).for_each(|row| self.add_influence(row, &mut influence));
                squares.iter_mut().zip(&influence).for_each(|(sum, influence)| *sum += influence * influence);
            }
            row += stays.len();
        }
        self.add_squares(&alone, &mut squares);
        squares
    }

    /// The influence of a stay on each curve after its end.
    fn after(&self, row: usize, mut each: impl FnMut(usize, Influence)) {
        let Incidence { observations, places, sums, exits, .. } = self.incidence;
        let (observation, place) = (&observations[row], places[row] as usize);
        let excess = self.incidence.excess(observation, place);
        let mut all = 0.0;
        for (curve, exit) in exits.iter().enumerate() {
            let own = if observation.exit == Some(exit.code) { sums[place].share } else { 0.0 };
            let sum = &exit.sums[place];
            let fixed = own - sum.at_risk + sum.carried + sum.incidence * excess;
            all += fixed;
            each(curve, Influence { fixed, excess });
        }
        each(exits.len(), Influence { fixed: all, excess });
    }

    /// F(t) of a curve, and the influence of a stay that lasts beyond t; of no exit: of all exits, whose sum it mirrors.
    fn at(&self, curve: usize, place: usize) -> (f64, f64) {
        let exits = &self.incidence.exits;
        let of = |exit: &Exit| {
            let sum = &exit.sums[place];
            (sum.incidence, sum.carried - sum.at_risk)
        };
        match exits.get(curve) {
            Some(exit) => of(exit),
            None => exits.iter().map(of).fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1)),
        }
    }

    /// Notes the only stay of a person where it ends.
    fn add_alone(&self, row: usize, alone: &mut [Alone]) {
        let n_buckets = self.at.len() + 1;
        let micros = self.incidence.observations[row].micros;
        let bucket = self.at.partition_point(|&at| at < micros);
        self.after(row, |curve, Influence { fixed, excess }| {
            let sum = &mut alone[curve * n_buckets + bucket];
            sum.n += 1.0;
            sum.fixed += fixed * fixed;
            sum.both += fixed * excess;
            sum.excess += excess * excess;
        });
    }

    /// Adds the squares of the people with one stay: of those whose stay has ended, and of those at risk.
    fn add_squares(&self, alone: &[Alone], squares: &mut [f64]) {
        let n_times = self.at.len();
        for (curve, buckets) in alone.chunks(n_times + 1).enumerate() {
            let mut ended = Alone::default();
            let mut n_lasting: f64 = buckets.iter().map(|bucket| bucket.n).sum();
            for (time, bucket) in buckets[..n_times].iter().enumerate() {
                ended.fixed += bucket.fixed;
                ended.both += bucket.both;
                ended.excess += bucket.excess;
                n_lasting -= bucket.n;
                let (reached, at_risk) = self.at(curve, self.places[time]);
                let of_ended = ended.fixed - 2.0 * reached * ended.both + reached * reached * ended.excess;
                squares[curve * n_times + time] += of_ended.max(0.0) + n_lasting * at_risk * at_risk;
            }
        }
    }

    /// Adds the influence of one of several stays of a person, at each time.
    fn add_influence(&self, row: usize, influence: &mut [f64]) {
        let n_times = self.at.len();
        let n_lasting = self.at.partition_point(|&micros| micros < self.incidence.observations[row].micros);
        self.after(row, |curve, Influence { fixed, excess }| {
            for (time, &place) in self.places.iter().enumerate() {
                let (reached, at_risk) = self.at(curve, place);
                influence[curve * n_times + time] += if time < n_lasting { at_risk } else { fixed - excess * reached };
            }
        });
    }
}
