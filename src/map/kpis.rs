//! The KPIs of each stage, with counts and interval; absent where a KPI is not defined.
//!
//! People who are still on the way are censored, not failures: the rates over time are cumulative incidences (see
//! [`super::incidence`]) at the stage's horizon, and their counts stand beside them.
//!
//! - `conversion`: a stay ends by moving to a stage declared later (silences apart); of a silence stage it is `won_back`:
//!   moving to a stage that is not silent. `n_attained` of `n_eligible`: people who ever did, of those ever here;
//! - `attrition`: a stay ends by falling silent, where silence is waited for;
//! - `median_days`: the time by which half of the stays have ended (Kaplan–Meier, interval of Brookmeyer and Crowley);
//! - `repeat_rate`: who ordered here orders again, wherever they stand then, since their first order here;
//! - `order_value`: mean amount of the orders made here; `purchase_frequency`: orders per person and year here; `revenue`:
//!   amount of the orders less refunds, a sum that has no interval, for nothing is estimated (see [`super::orders`]);
//! - `acquisition_cost`: what `[spend]` holds per person who first entered the stage since its first row. The money is
//!   known; the number of people is taken as a Poisson count (interval by Byar: Breslow and Day 1987, p. 69);
//! - `response_score`: promoters − detractors among the latest scores that people gave here, −1 to 1 (NPS / 100), with
//!   variance (p + d − (p − d)²) / n; its interval is the adjusted Wald one of Rocks (2016), which holds for few answers;
//! - `health`: of the people here now whose habit is known, who has been quiet no longer than usual (see [`super::health`]);
//! - `customer_value`: see [`super::value`].

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::health::{Rhythm, Status};
use super::history::Stays;
use super::incidence::{Incidence, Observation, days};
use super::lifecycle::Kpi;
use super::orders::{Measured, Ordered, Orders, no_number};
use super::sojourns::{Sojourns, horizon};
use super::transitions::n_people;
use super::value::Value;
use crate::error::Result;
use crate::rate::{Rate, Z};
use crate::source::{Data, Values};
use crate::spec::{KpiName, Rule, Score, Spec};

/// Exits as KPIs tell them apart.
const ON: u16 = 0;
const SILENT: u16 = 1;
const BACK: u16 = 2;

/// What KPIs are read from.
pub(crate) struct Sources<'a> {
    pub(crate) data: &'a Data,
    pub(crate) spec: &'a Spec,
    pub(crate) stays: &'a Stays,
    pub(crate) sojourns: &'a [Sojourns],
    pub(crate) orders: Option<&'a Orders<'a>>,
    pub(crate) health: &'a [Rhythm],
    pub(crate) values: &'a [Value],
}

/// The KPIs of every stage.
///
/// # Errors
/// A spec error when the score is no property that holds numbers.
pub(crate) fn kpis(sources: &Sources<'_>) -> Result<Vec<Vec<Kpi>>> {
    let Sources { data, spec, stays, .. } = sources;
    let n_stages = spec.stages.len();
    let ordered = sources.orders.map(|orders| orders.per_stage(data, stays, n_stages));
    let scores = match &spec.measures.score {
        Some(score) => Some(scores(data, spec, stays, score)?),
        None => None,
    };
    let of_stage = |stage: usize| {
        let mut kpis = sources.moves(stage);
        if let (Some(orders), Some(ordered)) = (sources.orders, &ordered) {
            kpis.extend(sources.repeat_rate(stage, orders));
            kpis.extend(of_orders(&ordered[stage], orders.property));
        }
        kpis.extend(sources.acquisition_cost(stage));
        kpis.extend(scores.as_ref().and_then(|scores| response_score(scores[stage])));
        kpis.extend(sources.health(stage));
        kpis.extend(sources.customer_value(stage));
        kpis
    };
    Ok((0..n_stages).map(of_stage).collect())
}

impl Sources<'_> {
    fn is_silent(&self, stage: usize) -> bool {
        matches!(self.spec.stages[stage].rule, Rule::Silence(_))
    }

    /// Conversion or won back, attrition, and the median stay.
    fn moves(&self, stage: usize) -> Vec<Kpi> {
        let stages = &self.spec.stages;
        let way = |to: u16| {
            let to = usize::from(to);
            match (self.is_silent(stage), self.is_silent(to)) {
                (true, false) => ON,
                (_, true) => SILENT,
                (false, false) if to > stage => ON,
                (false, false) => BACK,
            }
        };
        let stays = &self.sojourns[stage];
        if stays.observations.is_empty() {
            return Vec::new();
        }
        let by_way = |stay: &Observation| Observation { exit: stay.exit.map(way), ..*stay };
        let ways: Vec<Observation> = stays.observations.iter().map(by_way).collect();
        let (n_on, n_silent, n_ever) = people(&ways);
        let horizon = horizon(&stays.entered, self.data.end);
        let incidence = Incidence::new(ways);
        let waits = (0..stages.len()).any(|other| self.is_silent(other) && stages[other].from.contains(&stage));
        let goes_on = (stage + 1..stages.len()).any(|other| !self.is_silent(other));
        let mut kpis = Vec::new();
        let name = if self.is_silent(stage) { KpiName::WonBack } else { KpiName::Conversion };
        if self.is_silent(stage) || goes_on {
            kpis.push(over_time(name, &incidence, ON, horizon, Rate::new(n_on, n_ever)));
        }
        if waits && !self.is_silent(stage) {
            kpis.push(over_time(KpiName::Attrition, &incidence, SILENT, horizon, Rate::new(n_silent, n_ever)));
        }
        let (median, low, high) = incidence.median_stay();
        kpis.extend(median.map(|median| Kpi {
            value: Some(days(median)),
            low: low.map(days),
            high: high.map(days),
            n: Some(incidence.n_stays() as u64),
            ..Kpi::of(KpiName::MedianDays, "days")
        }));
        kpis
    }

    /// Of the people who ordered here, who orders again since.
    fn repeat_rate(&self, stage: usize, orders: &Orders<'_>) -> Option<Kpi> {
        let (data, end) = (self.data, self.data.end.0);
        let life = |person: usize| {
            let of_stage = |row: &usize| usize::from(self.stays.stage[*row]) == stage;
            let stays: Vec<usize> = self.stays.of(person).filter(of_stage).collect();
            let entry = *stays.first()?;
            let is_order = |event: &usize| {
                let is_order = orders.of(data.events.kind[*event], *event).is_some_and(|(is_order, _)| is_order);
                is_order && data.events.time[*event] < end
            };
            let events = data.events.of(person);
            let since = events.start
                + data.events.time[events.clone()].partition_point(|&time| time < self.stays.entered[entry]);
            let is_here =
                |time: i64| stays.iter().any(|&row| self.stays.entered[row] <= time && time < self.stays.left[row]);
            let mut ordered = (since..events.end).filter(is_order).map(|event| data.events.time[event]);
            let first = ordered.find(|&time| is_here(time))?;
            let next = ordered.next();
            let micros = next.unwrap_or(end) - first;
            let person = u32::try_from(person).expect("people are counted in 32 bits");
            Some((first, Observation { person, micros, exit: next.map(|_| ON) }))
        };
        let (entered, lives): (Vec<i64>, Vec<Observation>) =
            (0..n_people(self.stays)).into_par_iter().filter_map(life).unzip();
        let rate = Rate::new(lives.iter().filter(|life| life.exit.is_some()).count(), lives.len());
        let horizon = horizon(&entered, self.data.end);
        (!lives.is_empty()).then(|| over_time(KpiName::RepeatRate, &Incidence::new(lives), ON, horizon, rate))
    }

    /// What it cost to bring a person here.
    fn acquisition_cost(&self, stage: usize) -> Option<Kpi> {
        self.spec.measures.spend.as_ref().filter(|spend| spend.stage == stage)?;
        let spend = self.data.spend.as_ref()?;
        let since = *spend.time.iter().min()?;
        let first = |person: usize| {
            let row = self.stays.of(person).find(|&row| usize::from(self.stays.stage[row]) == stage)?;
            Some(self.stays.entered[row])
        };
        let n = (0..n_people(self.stays)).filter_map(first).filter(|&entered| entered >= since).count();
        let rows = spend.time.iter().zip(&spend.amount).filter(|(time, _)| **time < self.data.end.0);
        let paid: f64 = rows.map(|(_, amount)| amount).sum();
        let (fewest, most) = byar(n as f64);
        (n > 0).then(|| Kpi {
            value: Some(paid / n as f64),
            low: Some(paid / most),
            high: (fewest > 0.0).then(|| paid / fewest),
            n: Some(n as u64),
            ..Kpi::of(KpiName::AcquisitionCost, "money per person")
        })
    }

    /// Of the people here now whose habit is known, who is no later than usual.
    fn health(&self, stage: usize) -> Option<Kpi> {
        let known = || {
            let here = self.health.iter().filter(|rhythm| rhythm.stage == stage);
            here.map(Rhythm::status).filter(|status| *status != Status::Unknown)
        };
        let rate = Rate::new(known().filter(|status| *status == Status::Usual).count(), known().count());
        let (low, high) = rate.interval().filter(|_| !self.is_silent(stage))?;
        Some(Kpi {
            value: rate.share(),
            n_attained: Some(rate.n_attained),
            n_eligible: Some(rate.n_eligible),
            low: Some(low),
            high: Some(high),
            ..Kpi::of(KpiName::Health, "share")
        })
    }

    fn customer_value(&self, stage: usize) -> Option<Kpi> {
        let of = self.values.iter().find(|value| value.stage == stage && value.group.is_none())?;
        let horizon_days = Some(days(of.horizon));
        Some(Kpi {
            horizon_days,
            ..measured(KpiName::CustomerValue, of.value?, "money per person", of.n_people as u64)
        })
    }
}

/// People who ever went on, who ever fell silent, and all.
fn people(ways: &[Observation]) -> (usize, usize, usize) {
    let (mut n_on, mut n_silent, mut n) = (0, 0, 0);
    for stays in ways.chunk_by(|a, b| a.person == b.person) {
        n += 1;
        n_on += usize::from(stays.iter().any(|stay| stay.exit == Some(ON)));
        n_silent += usize::from(stays.iter().any(|stay| stay.exit == Some(SILENT)));
    }
    (n_on, n_silent, n)
}

fn over_time(name: KpiName, incidence: &Incidence, exit: u16, horizon: i64, counts: Rate) -> Kpi {
    let curves = incidence.curves(&[horizon]);
    let point = curves.iter().find(|curve| curve.exit == Some(exit)).map(|curve| curve.points[0]);
    let (low, high) = point.map(|point| (point.low, point.high)).or_else(|| counts.interval()).unwrap_or((0.0, 1.0));
    Kpi {
        value: Some(point.map_or(0.0, |point| point.probability)),
        n_attained: Some(counts.n_attained),
        n_eligible: Some(counts.n_eligible),
        low: Some(low),
        high: Some(high),
        horizon_days: Some(days(horizon)),
        ..Kpi::of(name, "share")
    }
}

fn measured(name: KpiName, measured: Measured, unit: &str, n: u64) -> Kpi {
    Kpi {
        value: Some(measured.value),
        low: Some(measured.low),
        high: Some(measured.high),
        n: Some(n),
        ..Kpi::of(name, unit)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "orders are counted")]
fn of_orders(ordered: &Ordered, property: &str) -> Vec<Kpi> {
    let n = ordered.n as u64;
    let revenue = ordered.amount - ordered.refunded;
    let revenue = Kpi { value: Some(revenue), n: Some(n), ..Kpi::of(KpiName::Revenue, property) };
    let value = ordered.order_value().map(|value| measured(KpiName::OrderValue, value, property, n));
    let frequency = ordered
        .frequency()
        .map(|value| measured(KpiName::PurchaseFrequency, value, "orders per person and year", ordered.n_people));
    let of_orders = value.into_iter().chain(frequency).filter(|_| n > 0);
    of_orders.chain([revenue].into_iter().filter(|revenue| revenue.value != Some(0.0))).collect()
}

/// The 95 % limits of a Poisson count.
fn byar(n: f64) -> (f64, f64) {
    let limit = |n: f64, z: f64| n * (1.0 - 1.0 / (9.0 * n) + z / (3.0 * n.sqrt())).powi(3);
    (if n > 0.0 { limit(n, -Z).max(0.0) } else { 0.0 }, limit(n + 1.0, Z))
}

/// Promoters, detractors and all who answered in each stage, each person by their latest answer there.
fn scores(data: &Data, spec: &Spec, stays: &Stays, score: &Score) -> Result<Vec<[u64; 3]>> {
    let property = data.events.properties.iter().find(|property| property.name == score.property);
    let Some(Values::Number(values)) = property.map(|property| &property.values) else {
        let key = "lifecycle.score.property";
        return Err(no_number(data, key, &score.property).at(spec.excerpt(key)));
    };
    let kind = score.event.as_ref().map(|name| data.events.kind(name));
    let mut counts = vec![[0; 3]; spec.stages.len()];
    for person in 0..n_people(stays) {
        let rows = stays.of(person);
        let mut latest: BTreeMap<u16, f64> = BTreeMap::new();
        let mut stay = rows.start;
        for event in data.events.of(person) {
            let time = data.events.time[event];
            while stay + 1 < rows.end && stays.entered[stay + 1] <= time {
                stay += 1;
            }
            let inside = stay < rows.end && stays.entered[stay] <= time && time < data.end.0;
            let counts = kind.is_none_or(|kind| kind == Some(data.events.kind[event]));
            if inside && counts && !values[event].is_nan() {
                latest.insert(stays.stage[stay], values[event]);
            }
        }
        for (stage, value) in latest {
            let counts = &mut counts[usize::from(stage)];
            counts[0] += u64::from(value >= score.promoters);
            counts[1] += u64::from(value <= score.detractors);
            counts[2] += 1;
        }
    }
    Ok(counts)
}

/// Promoters less detractors.
fn response_score([promoters, detractors, n]: [u64; 3]) -> Option<Kpi> {
    let of = |promoters: f64, detractors: f64, n: f64| {
        let score = (promoters - detractors) / n;
        (score, ((promoters + detractors) / n - score * score) / n)
    };
    let (score, variance) = of(promoters as f64, detractors as f64, n as f64);
    // Three answers more, three quarters of one for either side.
    let (middle, spread) = of(promoters as f64 + 0.75, detractors as f64 + 0.75, n as f64 + 3.0);
    let half = Z * spread.sqrt();
    (n > 0).then(|| Kpi {
        value: Some(score),
        low: Some((middle - half).max(-1.0)),
        high: Some((middle + half).min(1.0)),
        n: Some(n),
        n_promoters: Some(promoters),
        n_detractors: Some(detractors),
        variance: Some(variance),
        ..Kpi::of(KpiName::ResponseScore, "promoters − detractors")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_response_score_and_its_variance_by_hand() {
        // 50 promoters, 20 detractors of 100: 0.3, variance (0.7 − 0.09) / 100.
        let kpi = response_score([50, 20, 100]).unwrap();
        assert!((kpi.value.unwrap() - 0.3).abs() < 1e-12 && (kpi.variance.unwrap() - 0.0061).abs() < 1e-12);
        assert!(kpi.low.unwrap() < 0.3 && 0.3 < kpi.high.unwrap());
        assert_eq!(response_score([0, 0, 0]), None);
        // Three promoters and nobody else: not certain.
        assert!(response_score([3, 0, 3]).unwrap().low.unwrap() < 0.5);
    }

    #[test]
    fn poisson_limits_match_a_table() {
        // Exact 95 % limits of a count of 10: 4.795–18.39 (Breslow and Day 1987, table 2.10).
        let (low, high) = byar(10.0);
        assert!((low - 4.795).abs() < 0.01 && (high - 18.39).abs() < 0.01, "{low} {high}");
    }
}
