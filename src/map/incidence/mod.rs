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

mod influence;
#[cfg(test)]
mod tests;

use std::ops::Range;

use rayon::prelude::*;

use self::influence::Grid;

use crate::rate::{Rate, Z};
use crate::time::DAY;

/// How many observations are worked on at a time, always in the same order.
const CHUNK: usize = 1 << 14;
/// How many times are looked at in one pass while a quantile's interval is sought.
const AT_ONCE: usize = 16;

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
    sums: Vec<Sum>,
    exits: Vec<Exit>,
    /// Durations of all observations, ascending.
    durations: Vec<i64>,
}

/// Sums over exits of any kind, up to a time.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    survival: f64,
    /// Σ d / (Y (Y − d)).
    hazard: f64,
    /// 1 / (Y − d) at this time.
    inverse: f64,
    /// S(t−) / Y at this time.
    share: f64,
    /// ∫ S, in microseconds.
    lasting: f64,
    /// ∫ S Σ d / (Y (Y − d)).
    weighted: f64,
}

/// One kind of exit.
#[derive(Debug, Clone)]
struct Exit {
    code: u16,
    /// As [`Incidence::sums`].
    sums: Vec<ExitSum>,
}

/// Sums over one kind of exit, up to a time.
#[derive(Debug, Clone, Copy, Default)]
struct ExitSum {
    incidence: f64,
    /// Σ S(t−) `d_k` / Y².
    at_risk: f64,
    /// Σ Σ d / (Y (Y − d)), up to before t, d `F_k`(t).
    carried: f64,
    n_events: u32,
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
            sums: vec![Sum { survival: 1.0, ..Sum::default() }],
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
            let (before, hazard) = self.add_sum(passed as f64, f64::from(n_ended), at_risk as f64);
            for (exit, ended) in self.exits.iter_mut().zip(ended) {
                exit.step(ended, before, hazard, at_risk as f64);
            }
        }
        let place = u32::try_from(self.times.len()).expect("stays are counted in 32 bits");
        for (_, row) in stays {
            self.places[*row as usize] = place;
        }
    }

    /// Takes `ended` exits of `at_risk` stays; returns what S and Σ d / (Y (Y − d)) were before.
    fn add_sum(&mut self, passed: f64, ended: f64, at_risk: f64) -> (f64, f64) {
        let Sum { survival: before, hazard, lasting, weighted, .. } = self.sums[self.sums.len() - 1];
        let left = at_risk - ended;
        let (inverse, more) = if left > 0.0 { (1.0 / left, ended / (at_risk * left)) } else { (0.0, 0.0) };
        self.sums.push(Sum {
            survival: before * left / at_risk,
            hazard: hazard + more,
            inverse,
            share: before / at_risk,
            lasting: lasting + before * passed,
            weighted: weighted + before * hazard * passed,
        });
        (before, hazard)
    }

    fn position(&self, code: u16) -> usize {
        self.exits.iter().position(|exit| exit.code == code).expect("every exit was listed")
    }

    /// How many stays there are.
    #[must_use]
    pub fn n_stays(&self) -> usize {
        self.observations.len()
    }

    /// The longest time that `n` stays (or all, if they are fewer) have lasted; `None` where there is none.
    #[must_use]
    pub fn lasted_by(&self, n: usize) -> Option<i64> {
        self.durations.get(self.durations.len().saturating_sub(n)).copied()
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
            None => self.sums[place].survival,
            Some(code) => {
                self.exits.iter().find(|exit| exit.code == code).map_or(0.0, |exit| exit.sums[place].incidence)
            }
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
        let n_events = |exit: &Exit| exit.sums[place].n_events as usize;
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
        let place = exit.sums.partition_point(|sum| sum.incidence < probability * (1.0 - 1e-12));
        self.times.get(place.checked_sub(1)?).copied()
    }

    /// The time by which half of the stays have ended; `None`: later than anybody was watched.
    #[must_use]
    pub fn median(&self) -> Option<i64> {
        let place = self.sums.partition_point(|sum| sum.survival > 0.5 + 1e-12);
        self.times.get(place.checked_sub(1)?).copied()
    }

    /// The time by which half of the stays have ended, and its interval: the times at which the interval of the share that
    /// lasts begins and ends to hold one half (Brookmeyer and Crowley 1982). `None`: later than anybody was watched.
    #[must_use]
    pub fn median_stay(&self) -> (Option<i64>, Option<i64>, Option<i64>) {
        let first = |is_past: &dyn Fn(&Point) -> bool| {
            let (mut low, mut high) = (0, self.times.len());
            while low < high {
                // Each look is a pass over all stays: some times at once save most of them.
                let step = (high - low).div_ceil(AT_ONCE);
                let places: Vec<usize> = (low..high).skip(step - 1).step_by(step).collect();
                let times: Vec<i64> = places.iter().map(|&place| self.times[place]).collect();
                let curves = self.curves(&times);
                let past = curves[curves.len() - 1].points.iter().position(is_past);
                let before = past.unwrap_or(places.len()).checked_sub(1);
                low = before.map_or(low, |before| places[before] + 1);
                high = past.map_or(high, |past| places[past]);
            }
            self.times.get(low).copied()
        };
        (self.median(), first(&|lasting| lasting.low <= 0.5), first(&|lasting| lasting.high <= 0.5))
    }

    /// The mean length of a stay, of no stay more than `limit`, in microseconds: the area under the share that lasts
    /// (Irwin 1949). Beside it the influence of each observation on it.
    #[must_use]
    pub fn mean_stay(&self, limit: i64) -> (f64, Vec<f64>) {
        let up_to = |micros: i64| {
            let place = self.place(micros);
            let rest = (micros - if place == 0 { 0 } else { self.times[place - 1] }) as f64 * self.sums[place].survival;
            (self.sums[place].lasting + rest, self.sums[place].weighted + rest * self.sums[place].hazard)
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
        let sum = &self.sums[place];
        if observation.exit.is_some() { sum.inverse - sum.hazard } else { -sum.hazard }
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

impl Exit {
    fn start(code: u16) -> Self {
        Self { code, sums: vec![ExitSum::default()] }
    }

    fn step(&mut self, ended: u32, survival: f64, hazard: f64, at_risk: f64) {
        let last = self.sums[self.sums.len() - 1];
        let more = survival * f64::from(ended) / at_risk;
        self.sums.push(ExitSum {
            incidence: last.incidence + more,
            at_risk: last.at_risk + more / at_risk,
            carried: last.carried + more * hazard,
            n_events: last.n_events + ended,
        });
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
