//! Time handled as time: which exit people take from a stage, and when, while some of them are still there.
//!
//! In: [`Observation`]s, one per stay in a stage: how long it has lasted, and by which exit it ended; a stay that has not
//! ended is censored, not a failure. Out: for each exit the cumulative incidence, the probability that a stay has ended by
//! that exit within t, and of no exit, the probability that it still lasts; each with its variance and 95 % interval.
//!
//! The estimator is Aalen and Johansen's (1978) for competing exits. With `d_k` exits of kind k, d exits of any kind and Y
//! stays still watched at t, S(t) = Π (1 − d/Y) and `F_k(t)` = Σ S(t−) `d_k`/Y. Exits come before censorings of the same instant.
//!
//! The variance is the infinitesimal jackknife, the sum over people of their squared influence on the estimate, as in R's
//! `survival` 3 (Therneau, "Survival: the infinitesimal jackknife"). Where every person has one stay it is the
//! Greenwood-type estimator that Allignol, Schumacher and Beyersmann (2010) recommend over Aalen's; where people come back
//! to a stage, their stays are taken together, so that ten stays of one person do not count as ten people. The influence of
//! a stay is a closed form in sums up to its end, so that all of it costs one pass.
//!
//! Intervals are Wald intervals of log(−log F), which stay within 0 and 1 and hold their level in small groups (Choudhury
//! 2002). At 0 and 1, where they do not exist, Wilson's takes their place.

use std::ops::Range;

use rayon::prelude::*;

use crate::rate::{Rate, Z};
use crate::time::DAY;

/// How many observations are worked on at a time, always in the same order.
const CHUNK: usize = 1 << 14;

/// One stay in a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observation {
    /// Whose; the stays of a person stand side by side.
    pub person: u32,
    /// How long it lasted, or has lasted, in microseconds.
    pub micros: i64,
    /// How it ended; `None`: it has not.
    pub exit: Option<u16>,
}

/// What is known of an exit at some time after entry.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Time since entry, microseconds.
    pub micros: i64,
    /// The cumulative incidence.
    pub probability: f64,
    /// Its variance.
    pub variance: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Stays that have lasted longer and are still watched.
    pub n_at_risk: usize,
    /// Stays that have ended this way by then.
    pub n_events: usize,
}

/// The incidence of one exit over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// The exit; `None`: no exit, the stay lasts.
    pub exit: Option<u16>,
    /// In the order of time.
    pub points: Vec<Point>,
}

/// The cumulative incidences of a set of stays.
#[derive(Debug, Clone)]
pub struct Incidence {
    observations: Vec<Observation>,
    /// For each observation, how many times of exits are not after its end.
    places: Vec<u32>,
    /// The times at which somebody left, ascending.
    times: Vec<i64>,
    /// Sums up to each of these times. Position 0 stands before the first of them.
    sums: Sums,
    exits: Vec<Exit>,
    /// Durations of all observations, ascending.
    durations: Vec<i64>,
}

/// Sums over exits of any kind.
#[derive(Debug, Clone, Default)]
struct Sums {
    survival: Vec<f64>,
    /// Σ d / (Y (Y − d)).
    hazard: Vec<f64>,
    /// 1 / (Y − d) at each time.
    inverse: Vec<f64>,
    /// S(t−) / Y at each time.
    share: Vec<f64>,
    /// ∫ S up to each time, in microseconds.
    lasting: Vec<f64>,
    /// ∫ S Σ d / (Y (Y − d)) up to each time.
    weighted: Vec<f64>,
}

/// Sums over one kind of exit.
#[derive(Debug, Clone)]
struct Exit {
    code: u16,
    incidence: Vec<f64>,
    /// Σ S(t−) `d_k` / Y².
    at_risk: Vec<f64>,
    /// Σ Σ d / (Y (Y − d)), up to before t, d `F_k`(t).
    carried: Vec<f64>,
    n_events: Vec<u32>,
}

impl Incidence {
    /// Estimates the incidences of some stays.
    #[must_use]
    pub fn new(observations: Vec<Observation>) -> Self {
        let mut order: Vec<(i64, u32)> =
            observations.iter().zip(0..).map(|(observation, row): (_, u32)| (observation.micros, row)).collect();
        order.par_sort_unstable();
        let mut codes: Vec<u16> = observations.iter().filter_map(|observation| observation.exit).collect();
        codes.sort_unstable();
        codes.dedup();
        let mut estimate = Self {
            places: vec![0; observations.len()],
            times: Vec::new(),
            sums: Sums::start(),
            exits: codes.into_iter().map(Exit::start).collect(),
            durations: order.iter().map(|(micros, _)| *micros).collect(),
            observations,
        };
        let mut start = 0;
        while start < order.len() {
            let length = order[start..].iter().take_while(|(micros, _)| *micros == order[start].0).count();
            estimate.step(&order[start..start + length], order.len() - start);
            start += length;
        }
        estimate
    }

    /// Takes the stays of one duration; `at_risk` have lasted as long or longer.
    fn step(&mut self, stays: &[(i64, u32)], at_risk: usize) {
        let mut ended = vec![0_u32; self.exits.len()];
        for (_, row) in stays {
            if let Some(code) = self.observations[*row as usize].exit {
                ended[self.position(code)] += 1;
            }
        }
        let n_ended: u32 = ended.iter().sum();
        if n_ended > 0 {
            let micros = stays[0].0;
            let passed = micros - self.times.last().copied().unwrap_or(0);
            self.times.push(micros);
            let (before, hazard) = self.sums.step(passed as f64, f64::from(n_ended), at_risk as f64);
            for (exit, ended) in self.exits.iter_mut().zip(ended) {
                exit.step(ended, before, hazard, at_risk as f64);
            }
        }
        let place = u32::try_from(self.times.len()).expect("stays are counted in 32 bits");
        for (_, row) in stays {
            self.places[*row as usize] = place;
        }
    }

    fn position(&self, code: u16) -> usize {
        self.exits.iter().position(|exit| exit.code == code).expect("every exit was listed")
    }

    /// How many stays there are.
    #[must_use]
    pub fn n_stays(&self) -> usize {
        self.observations.len()
    }

    /// The exits that somebody took, ascending.
    pub fn exits(&self) -> impl Iterator<Item = u16> + '_ {
        self.exits.iter().map(|exit| exit.code)
    }

    /// The times at which somebody left, microseconds, ascending.
    #[must_use]
    pub fn times(&self) -> &[i64] {
        &self.times
    }

    /// How many times of exits are not after `micros`.
    fn place(&self, micros: i64) -> usize {
        self.times.partition_point(|&time| time <= micros)
    }

    /// The probability that a stay has ended by `exit` (`None`: has not ended) within `micros`.
    #[must_use]
    pub fn probability(&self, exit: Option<u16>, micros: i64) -> f64 {
        let place = self.place(micros);
        match exit {
            None => self.sums.survival[place],
            Some(code) => self.exits.iter().find(|exit| exit.code == code).map_or(0.0, |exit| exit.incidence[place]),
        }
    }

    /// The curve of each exit, then that of no exit, at the given times (ascending).
    #[must_use]
    pub fn curves(&self, at: &[i64]) -> Vec<Curve> {
        let variances = self.variances(at);
        let codes = self.exits.iter().map(|exit| Some(exit.code)).chain([None]);
        let curve = |(exit, variances): (Option<u16>, Vec<f64>)| {
            let points = at.iter().zip(variances).map(|(&micros, variance)| self.point(exit, micros, variance));
            Curve { exit, points: points.collect() }
        };
        codes.zip(variances).map(curve).collect()
    }

    fn point(&self, exit: Option<u16>, micros: i64, variance: f64) -> Point {
        let place = self.place(micros);
        let n_events = |exit: &Exit| exit.n_events[place] as usize;
        let probability = self.probability(exit, micros);
        let (low, high) = interval(probability, variance, self.n_stays());
        Point {
            micros,
            probability,
            variance,
            low,
            high,
            n_at_risk: self.durations.len() - self.durations.partition_point(|&duration| duration <= micros),
            n_events: match exit {
                None => self.exits.iter().map(n_events).sum(),
                Some(code) => n_events(&self.exits[self.position(code)]),
            },
        }
    }

    /// The time by which `exit` has reached the probability; `None`: it never does.
    #[must_use]
    pub fn quantile(&self, exit: u16, probability: f64) -> Option<i64> {
        let exit = self.exits.iter().find(|other| other.code == exit)?;
        let place = exit.incidence.partition_point(|&reached| reached < probability * (1.0 - 1e-12));
        self.times.get(place.checked_sub(1)?).copied()
    }

    /// The time by which half of the stays have ended, and its interval: the times at which the interval of the share that
    /// lasts begins and ends to hold one half (Brookmeyer and Crowley 1982). `None`: later than anybody was watched.
    #[must_use]
    pub fn median_stay(&self) -> (Option<i64>, Option<i64>, Option<i64>) {
        let first = |is_past: &dyn Fn(usize) -> bool| {
            let (mut low, mut high) = (0, self.times.len());
            while low < high {
                let middle = usize::midpoint(low, high);
                if is_past(middle) { high = middle } else { low = middle + 1 }
            }
            self.times.get(low).copied()
        };
        let lasting = |place: usize| {
            let curves = self.curves(&self.times[place..=place]);
            curves[curves.len() - 1].points[0]
        };
        let median = first(&|place| self.sums.survival[place + 1] <= 0.5 + 1e-12);
        (median, first(&|place| lasting(place).low <= 0.5), first(&|place| lasting(place).high <= 0.5))
    }

    /// The mean length of a stay, of no stay more than `limit`, in microseconds: the area under the share that lasts
    /// (Irwin 1949). Beside it the influence of each observation on it.
    #[must_use]
    pub fn mean_stay(&self, limit: i64) -> (f64, Vec<f64>) {
        let up_to = |micros: i64| {
            let place = self.place(micros);
            let rest = (micros - if place == 0 { 0 } else { self.times[place - 1] }) as f64 * self.sums.survival[place];
            (self.sums.lasting[place] + rest, self.sums.weighted[place] + rest * self.sums.hazard[place])
        };
        let (mean, weighted) = up_to(limit);
        let influence = |(observation, &place): (&Observation, &u32)| {
            if observation.micros >= limit {
                return weighted;
            }
            let (lasted, before) = up_to(observation.micros);
            before - self.excess(observation, place as usize) * (mean - lasted)
        };
        (mean, self.observations.iter().zip(&self.places).map(influence).collect())
    }

    /// How much a stay, after its end, weighs on the share that lasts.
    fn excess(&self, observation: &Observation, place: usize) -> f64 {
        let ended = if observation.exit.is_some() { self.sums.inverse[place] } else { 0.0 };
        ended - self.sums.hazard[place]
    }

    /// The variances of each exit, then of none, at the given times.
    fn variances(&self, at: &[i64]) -> Vec<Vec<f64>> {
        let places: Vec<usize> = at.iter().map(|&micros| self.place(micros)).collect();
        let grid = Grid { at, places: &places, incidence: self };
        let parts: Vec<Vec<f64>> = self.chunks().into_par_iter().map(|rows| grid.squares(rows)).collect();
        let mut total = vec![0.0; (self.exits.len() + 1) * at.len()];
        for part in parts {
            total.iter_mut().zip(part).for_each(|(total, part)| *total += part);
        }
        total.chunks(at.len().max(1)).map(<[f64]>::to_vec).collect()
    }

    /// Rows of whole people, about [`CHUNK`] at a time.
    fn chunks(&self) -> Vec<Range<usize>> {
        let mut chunks = Vec::new();
        let mut start = 0;
        while start < self.observations.len() {
            let mut end = (start + CHUNK).min(self.observations.len());
            while end < self.observations.len() && self.observations[end].person == self.observations[end - 1].person {
                end += 1;
            }
            chunks.push(start..end);
            start = end;
        }
        chunks
    }
}

impl Sums {
    fn start() -> Self {
        let nothing = || vec![0.0];
        Self {
            survival: vec![1.0],
            hazard: nothing(),
            inverse: nothing(),
            share: nothing(),
            lasting: nothing(),
            weighted: nothing(),
        }
    }

    /// Takes `ended` exits of `at_risk` stays; returns what S and Σ d / (Y (Y − d)) were before.
    fn step(&mut self, passed: f64, ended: f64, at_risk: f64) -> (f64, f64) {
        let last = self.survival.len() - 1;
        let (before, hazard) = (self.survival[last], self.hazard[last]);
        let left = at_risk - ended;
        self.lasting.push(self.lasting[last] + before * passed);
        self.weighted.push(self.weighted[last] + before * hazard * passed);
        self.survival.push(before * left / at_risk);
        self.hazard.push(hazard + if left > 0.0 { ended / (at_risk * left) } else { 0.0 });
        self.inverse.push(if left > 0.0 { 1.0 / left } else { 0.0 });
        self.share.push(before / at_risk);
        (before, hazard)
    }
}

impl Exit {
    fn start(code: u16) -> Self {
        Self { code, incidence: vec![0.0], at_risk: vec![0.0], carried: vec![0.0], n_events: vec![0] }
    }

    fn step(&mut self, ended: u32, survival: f64, hazard: f64, at_risk: f64) {
        let last = self.incidence.len() - 1;
        let more = survival * f64::from(ended) / at_risk;
        self.incidence.push(self.incidence[last] + more);
        self.at_risk.push(self.at_risk[last] + more / at_risk);
        self.carried.push(self.carried[last] + more * hazard);
        self.n_events.push(self.n_events[last] + ended);
    }
}

/// Times at which the variance is wanted.
struct Grid<'a> {
    at: &'a [i64],
    places: &'a [usize],
    incidence: &'a Incidence,
}

impl Grid<'_> {
    /// Squared influences of the people in some rows, added up: for each exit, then for none, at each time.
    fn squares(&self, rows: Range<usize>) -> Vec<f64> {
        let size = (self.incidence.exits.len() + 1) * self.at.len();
        let (mut squares, mut influence) = (vec![0.0; size], vec![0.0; size]);
        let mut row = rows.start;
        while row < rows.end {
            let person = self.incidence.observations[row].person;
            influence.fill(0.0);
            while row < rows.end && self.incidence.observations[row].person == person {
                self.add_influence(row, &mut influence);
                row += 1;
            }
            squares.iter_mut().zip(&influence).for_each(|(sum, influence)| *sum += influence * influence);
        }
        squares
    }

    /// Adds the influence of one stay. While it lasts it only weighs on those at risk; after its end its own exit counts, and
    /// its absence from those at risk.
    fn add_influence(&self, row: usize, influence: &mut [f64]) {
        let Incidence { observations, places, sums, exits, .. } = self.incidence;
        let (observation, place) = (&observations[row], places[row] as usize);
        let n_times = self.at.len();
        let n_lasting = self.at.partition_point(|&micros| micros < observation.micros);
        let excess = self.incidence.excess(observation, place);
        let (curves, lasts) = influence.split_at_mut(exits.len() * n_times);
        for (exit, curve) in exits.iter().zip(curves.chunks_mut(n_times.max(1))) {
            let own = if observation.exit == Some(exit.code) { sums.share[place] } else { 0.0 };
            let fixed = own - exit.at_risk[place] + exit.carried[place] + exit.incidence[place] * excess;
            for (time, &at) in self.places.iter().enumerate() {
                let one = if time < n_lasting {
                    exit.carried[at] - exit.at_risk[at]
                } else {
                    fixed - exit.incidence[at] * excess
                };
                curve[time] += one;
                lasts[time] -= one;
            }
        }
    }
}

/// The 95 % interval of a cumulative incidence by log(−log); at 0 and 1 Wilson's of `n`.
#[must_use]
pub fn interval(probability: f64, variance: f64, n: usize) -> (f64, f64) {
    const EDGE: f64 = 1e-12;
    if probability <= EDGE || probability >= 1.0 - EDGE {
        let n_attained = if probability <= EDGE { 0 } else { n };
        return Rate::new(n_attained, n).interval().unwrap_or((0.0, 1.0));
    }
    let half = Z * variance.max(0.0).sqrt() / (probability * -probability.ln());
    (probability.powf(half.exp()), probability.powf((-half).exp()))
}

/// Microseconds as days.
pub(crate) fn days(micros: i64) -> f64 {
    micros as f64 / DAY as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observations(stays: &[(u32, i64, Option<u16>)]) -> Vec<Observation> {
        stays.iter().map(|&(person, micros, exit)| Observation { person, micros, exit }).collect()
    }

    /// `testdata/mgus2.csv`, months as microseconds, with so many stays in a row to a person.
    fn mgus2(per_person: u32) -> Incidence {
        let rows = include_str!("testdata/mgus2.csv").lines().skip(1).zip(0_u32..);
        let row = |(line, row): (&str, u32)| {
            let (months, exit) = line.split_once(',').unwrap();
            let exit = Some(exit.parse().unwrap()).filter(|&exit| exit > 0);
            Observation { person: row / per_person, micros: months.parse().unwrap(), exit }
        };
        Incidence::new(rows.map(row).collect())
    }

    #[test]
    fn the_incidences_match_r_survival_on_mgus2() {
        let curves = |per_person| mgus2(per_person).curves(&[12, 30, 60, 120, 180, 240, 299]);
        let (alone, in_threes) = (curves(1), curves(3));
        for (at, line) in include_str!("testdata/mgus2_incidence.csv").lines().skip(1).enumerate() {
            let wanted: Vec<f64> = line.split(',').map(|number| number.trim().parse().unwrap()).collect();
            // The file has no exit first, the curves last.
            for (curve, column) in [(2, 1), (0, 2), (1, 3)] {
                let close = |found: f64, wanted: f64| (found - wanted).abs() < 1e-9;
                let (point, clustered) = (alone[curve].points[at], in_threes[curve].points[at]);
                assert!(close(point.probability, wanted[column]), "{point:?} {line}");
                assert!(close(point.variance.sqrt(), wanted[column + 3]), "{point:?} {line}");
                assert!(close(clustered.variance.sqrt(), wanted[column + 6]), "{clustered:?} {line}");
            }
        }
    }

    #[test]
    fn the_median_and_the_mean_stay_match_r_survival_on_mgus2() {
        // summary(survfit(Surv(months, exit > 0) ~ 1, conf.type = "log-log"), rmean = 240): median 94 (88–100),
        // mean 110.588899420, se 2.347828545
        let incidence = mgus2(1);
        assert_eq!(incidence.median_stay(), (Some(94), Some(88), Some(100)));
        let (mean, influence) = incidence.mean_stay(240);
        assert!((mean - 110.588_899_420).abs() < 1e-8, "{mean}");
        let se = influence.iter().map(|influence| influence * influence).sum::<f64>().sqrt();
        assert!((se - 2.347_828_545).abs() < 2e-3, "{se}");
    }

    #[test]
    fn five_stays_worked_by_hand() {
        // Left by 0 after 1, by 1 after 2, watched until 2, left by 0 after 3, watched until 4.
        // S: 4/5, 4/5·3/4 = 3/5, 3/5·1/2 = 3/10. F0: 1/5, then 1/5 + 3/5·1/2 = 1/2. F1: 4/5·1/4 = 1/5.
        let stays = [(0, 1, Some(0)), (1, 2, Some(1)), (2, 2, None), (3, 3, Some(0)), (4, 4, None)];
        let incidence = Incidence::new(observations(&stays));
        let at = |exit, micros| incidence.probability(exit, micros);
        for (found, wanted) in [
            (at(Some(0), 0), 0.0),
            (at(Some(0), 2), 0.2),
            (at(Some(0), 9), 0.5),
            (at(Some(1), 9), 0.2),
            (at(None, 2), 0.6),
            (at(None, 3), 0.3),
        ] {
            assert!((found - wanted).abs() < 1e-12, "{found} {wanted}");
        }
        assert_eq!(incidence.quantile(0, 0.2), Some(1));
        assert_eq!(incidence.quantile(0, 0.21), Some(3));
        assert_eq!(incidence.quantile(0, 0.51), None);
        // Half of the stays have ended after 3; area under S up to 4: 1 + 0.8 + 0.6 + 0.3.
        assert_eq!(incidence.median_stay().0, Some(3));
        assert!((incidence.mean_stay(4).0 - 2.7).abs() < 1e-12);
    }

    #[test]
    fn without_censoring_the_variance_is_the_binomial_one() {
        let stays: Vec<_> = (0..10).map(|i| (i, i64::from(i), Some(u16::from(i >= 3)))).collect();
        let point = Incidence::new(observations(&stays)).curves(&[100])[0].points[0];
        assert!((point.probability - 0.3).abs() < 1e-12 && (point.variance - 0.3 * 0.7 / 10.0).abs() < 1e-12);
        assert!(point.low < 0.3 && 0.3 < point.high);
    }

    #[test]
    fn twice_the_same_stays_of_the_same_people_tell_no_more() {
        let one: Vec<_> = (0..20).map(|i| (i, i64::from(i * 7 % 13), Some(u16::from(i % 3 == 0)))).collect();
        let two: Vec<_> = one.iter().flat_map(|&stay| [stay, stay]).collect();
        let variance = |stays: &[_]| Incidence::new(observations(stays)).curves(&[6])[0].points[0].variance;
        assert!((variance(&one) - variance(&two)).abs() < 1e-12);
    }

    #[test]
    fn nobody_is_no_fault() {
        let incidence = Incidence::new(Vec::new());
        assert_eq!(incidence.median_stay(), (None, None, None));
        let curves = incidence.curves(&[5]);
        assert!((curves[0].points[0].probability - 1.0).abs() < 1e-12 && curves.len() == 1);
    }
}
