//! All that is counted over the stage history, and the files it is written to.
//!
//! Over events in time: how people leave each stage ([`super::sojourns`]), who stands where ([`super::occupation`]), the
//! [`super::funnel`], [`super::retention`], [`super::journeys`], [`super::stalls`], [`super::health`], and what customers are
//! worth ([`super::value`]). A snapshot knows no times, and has none of it.

use rayon::prelude::*;

use super::funnel::{Step, funnel, funnel_frame};
use super::groups::{Months, entries, groupings};
use super::health::{Rhythm, health, health_frame};
use super::history::Stays;
use super::journeys::{Journey, journeys, journeys_frame};
use super::kpis::{Sources, kpis};
use super::lifecycle::Kpi;
use super::occupation::{Occupation, occupation, occupation_frame};
use super::orders::orders;
use super::retention::{Retained, retention, retention_frame};
use super::sojourns::{Departures, departures, incidence_frame, sojourns, times_frame};
use super::stalls::{Stall, stalls, stalls_frame};
use super::value::{Value, value_frame, values};
use crate::error::Result;
use crate::source::Data;
use crate::spec::{Shape, Spec};
use crate::store::{Layout, write_frame};

/// The tables that are written under `map/`.
pub(crate) const TABLES: [&str; 9] =
    ["incidence", "times", "occupation", "funnel", "retention", "journeys", "stalls", "health", "value"];

/// What was counted over the stage history.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Statistics {
    /// How people leave each stage.
    pub departures: Vec<Departures>,
    /// Who stands in which stage.
    pub occupation: Vec<Occupation>,
    /// How many reach each step within each window.
    pub funnel: Vec<Step>,
    /// Who is still there, by month of entry.
    pub retention: Vec<Retained>,
    /// The most frequent paths.
    pub journeys: Vec<Journey>,
    /// After what nothing follows.
    pub stalls: Vec<Stall>,
    /// How late each person is.
    pub health: Vec<Rhythm>,
    /// What customers are worth.
    pub values: Vec<Value>,
    /// The KPIs of each stage.
    pub kpis: Vec<Vec<Kpi>>,
}

impl Statistics {
    /// Counts.
    ///
    /// # Errors
    /// A spec error when `[lifecycle]` names an attribute or a property that is not there.
    pub fn new(data: &Data, spec: &Spec, stays: &Stays) -> Result<Self> {
        let n_stages = spec.stages.len();
        if is_without_time(spec) {
            return Ok(Self { kpis: vec![Vec::new(); n_stages], ..Self::default() });
        }
        let groupings = groupings(data, spec)?;
        let orders = orders(data, spec)?;
        let months = Months::new(stays, data.end);
        let entries = entries(stays);
        let sojourns = sojourns(stays, n_stages, data.end);
        let health = health(data, stays);
        let values = match &orders {
            Some(orders) => values(data, spec, stays, orders, &months, &groupings),
            None => Vec::new(),
        };
        let sources = Sources {
            data,
            spec,
            stays,
            sojourns: &sojourns,
            orders: orders.as_ref(),
            health: &health,
            values: &values,
        };
        // Each counts in parallel, but not from beginning to end: two of them at a time leave no core idle.
        let (kpis, (departures, occupation)) = rayon::join(
            || kpis(&sources),
            || {
                rayon::join(
                    || departures(&sojourns, &months, &groupings, data.end),
                    || occupation(stays, &entries, &months, &groupings, n_stages, data.end),
                )
            },
        );
        let ((funnel, retention), (journeys, stalls)) = rayon::join(
            || rayon::join(|| funnel(data, spec, stays), || retention(data, spec, stays, &months)),
            || rayon::join(|| journeys(data, spec, stays), || stalls(data, spec, stays)),
        );
        Ok(Self { departures, occupation, funnel, retention, journeys, stalls, health, values, kpis: kpis? })
    }

    /// Writes the tables of events in time under `map/`; of a snapshot, nothing.
    pub(crate) fn write(&self, data: &Data, spec: &Spec, layout: &Layout) -> Result<()> {
        if is_without_time(spec) {
            return Ok(());
        }
        let tables = [
            incidence_frame(&self.departures, spec)?,
            times_frame(&self.departures, spec)?,
            occupation_frame(&self.occupation, spec)?,
            funnel_frame(&self.funnel, data, spec)?,
            retention_frame(&self.retention)?,
            journeys_frame(&self.journeys, spec)?,
            stalls_frame(&self.stalls, data, spec)?,
            health_frame(&self.health, data, spec)?,
            value_frame(&self.values, spec)?,
        ];
        let write = |(name, mut table)| write_frame(&layout.file(format!("map/{name}.parquet")), &mut table);
        let written: Vec<Result<()>> = TABLES.into_par_iter().zip(tables).map(write).collect();
        written.into_iter().collect()
    }
}

/// Whether there are no stages that people pass in time.
fn is_without_time(spec: &Spec) -> bool {
    spec.shape() == Shape::Snapshot || spec.stages.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::funnel::Target;
    use crate::map::health::Status;
    use crate::map::testing::{data, silence, spec, stage};
    use crate::rate::Rate;
    use crate::source::{Data, Spend};
    use crate::time::{DAY, Duration, Time};

    /// a buys on days 0, 10 and 30 and lapses on 60; b buys on 5 and lapses on 35; c buys on 95; the end is day 100.
    fn shop() -> (Data, Spec) {
        let rows = [("a", 0), ("a", 10), ("a", 30), ("b", 5), ("c", 95)].map(|(who, day)| (who, day, "purchase"));
        let mut data = data(&rows, 100);
        data.spend = Some(Spend { time: vec![0], amount: vec![30.0], channel: vec![None] });
        let mut spec = spec(vec![
            stage("customer", "event = 'purchase'"),
            stage("repeat", "event = 'purchase' AND nth >= 2"),
            silence("lapsed", &[0, 1], 30),
        ]);
        spec.measures.windows = vec![Duration::days(30)];
        spec.measures.orders.margin = Some(0.5);
        spec.measures.spend = Some(crate::spec::Spend {
            sql: String::new(),
            time: spec.events[0].time.clone(),
            amount: "amount".into(),
            stage: 0,
            channel: None,
        });
        (data, spec)
    }

    fn statistics() -> Statistics {
        let (data, spec) = shop();
        let stays = crate::map::history(&data, &spec).unwrap();
        Statistics::new(&data, &spec, &stays).unwrap()
    }

    fn near(found: f64, wanted: f64) -> bool {
        (found - wanted).abs() < 1e-9
    }

    #[test]
    fn the_funnel_counts_only_who_was_watched_for_the_window() {
        let steps = statistics().funnel;
        let of = |from, to, window| {
            let is_it = |step: &&Step| step.from == from && step.to == to && step.window.is_some() == window;
            steps.iter().find(is_it).unwrap().people
        };
        assert_eq!(of(None, Target::Stage(1), true), Rate::new(1, 2));
        assert_eq!(of(None, Target::Stage(1), false), Rate::new(1, 3));
        // b lapses exactly 30 days after entry: not within.
        assert_eq!(of(None, Target::Stage(2), true), Rate::new(0, 2));
        assert_eq!(of(None, Target::Event(0), true), Rate::new(2, 2));
        assert_eq!(of(Some(1), Target::Stage(2), false), Rate::new(1, 1));
    }

    #[test]
    fn retention_counts_by_calendar_month() {
        // Day 0 is 1970-01-01, day 100 is 1970-04-11.
        let rows = statistics().retention;
        let told: Vec<_> = rows
            .iter()
            .map(|row| {
                let counts = (row.active.n_attained, row.in_stage.n_attained, row.active.n_eligible);
                (row.cohort.as_str(), row.months_since, counts, row.is_complete)
            })
            .collect();
        let wanted = [
            ("1970-01", 0, (2, 2, 2), true),
            ("1970-01", 1, (0, 1, 2), true),
            ("1970-01", 2, (0, 0, 2), true),
            ("1970-01", 3, (0, 0, 2), false),
            ("1970-04", 0, (1, 1, 1), false),
        ];
        assert_eq!(told, wanted);
    }

    #[test]
    fn everyone_is_in_one_stage_at_any_time() {
        let rows = statistics().occupation;
        let at = |day: i64, stage| {
            let is_it = |row: &&Occupation| row.at == Some(day * DAY) && row.stage == stage;
            rows.iter().find(is_it).unwrap().people
        };
        assert_eq!((at(4, 0), at(4, 1)), (Rate::new(1, 1), Rate::new(0, 1)));
        assert_eq!((at(100, 0), at(100, 1), at(100, 2)), (Rate::new(1, 3), Rate::new(0, 3), Rate::new(2, 3)));
        let of_april = rows.iter().filter(|row| row.group == Some(("cohort".into(), "1970-04".into())));
        let of_april: Vec<_> = of_april.filter(|row| row.at.is_some()).map(|row| (row.stage, row.people)).collect();
        let wanted = [(0, Rate::new(1, 1)), (1, Rate::new(0, 1)), (2, Rate::new(0, 1))];
        assert_eq!(of_april, wanted, "c came on day 95 and is a customer at the end");
        let since = |day: i64, stage| {
            let is_it = |row: &&Occupation| row.since_entry == Some(day * DAY) && row.stage == stage;
            rows.iter().find(is_it).unwrap().people
        };
        assert_eq!((since(0, 0), since(6, 0)), (Rate::new(3, 3), Rate::new(2, 2)));
        assert_eq!((since(10, 0), since(10, 1)), (Rate::new(1, 2), Rate::new(1, 2)));
    }

    #[test]
    fn stalls_and_rhythms_by_hand() {
        let Statistics { stalls, health, journeys, .. } = statistics();
        let purchase = stalls.iter().find(|stall| stall.kind == Some(0)).unwrap();
        assert_eq!((purchase.stalled, purchase.n_last), (Rate::new(2, 4), 3));
        assert_eq!(purchase.median_days, Some(10.0));
        assert_eq!((health[0].usual_gap_days, health[0].days_since), (Some(15.0), 70.0));
        assert_eq!((health[0].status(), health[1].status()), (Status::VeryLate, Status::Unknown));
        let paths: Vec<&str> = journeys.iter().take(3).map(|journey| journey.path.as_str()).collect();
        assert_eq!(paths, ["customer", "customer → repeat → lapsed", "customer → lapsed"]);
    }

    #[test]
    fn orders_cost_and_value_by_hand() {
        let Statistics { kpis, values, .. } = statistics();
        let kpi = |stage: usize, name: &str| kpis[stage].iter().find(|kpi| kpi.name == name).unwrap();
        let value = |stage, name| kpi(stage, name).value.unwrap();
        assert!(near(value(0, "order_value"), 10.0) && near(value(0, "revenue"), 30.0));
        assert!(near(value(1, "revenue"), 20.0));
        // 10, 30 and 5 days as a customer, 50 as repeat.
        assert!(near(value(0, "purchase_frequency"), 3.0 / (45.0 / 365.25)));
        assert!(near(value(1, "purchase_frequency"), 2.0 / (50.0 / 365.25)));
        let repeat = kpi(0, "repeat_rate");
        assert_eq!((repeat.n_attained, repeat.n_eligible), (Some(1), Some(3)));
        // Of a and b, watched longer than 10 days, and c, watched for 5: half of two have bought again.
        assert!(near(repeat.value.unwrap(), 0.5));
        assert!(near(value(0, "acquisition_cost"), 10.0));
        // Lives of 60, 30 and (so far) 5 days; half end after 30 days, the rest after 60: 45 on average.
        let of = values.iter().find(|value| value.stage == 0 && value.group.is_none()).unwrap();
        assert!(near(of.years, 45.0 / 365.25) && near(of.years_watched, 95.0 / 365.25) && near(of.revenue, 50.0));
        assert!(near(of.value.unwrap().value, 0.5 * 50.0 * 45.0 / 95.0 - 10.0));
        assert!(near(value(0, "customer_value"), of.value.unwrap().value));
    }

    #[test]
    fn an_attribute_without_classes_is_refused() {
        let (data, mut spec) = shop();
        let stays = crate::map::history(&data, &spec).unwrap();
        for (name, said) in [("amount", "not classes"), ("amont", "did you mean `amount`?")] {
            spec.measures.by = vec![name.into()];
            let error = Statistics::new(&data, &spec, &stays).unwrap_err();
            assert!(format!("{error} {:?}", error.hints()).contains(said), "{error}");
        }
    }

    #[test]
    fn what_comes_after_the_end_is_not_counted() {
        let (mut data, spec) = shop();
        data.end = Time(20 * DAY);
        let stays = crate::map::history(&data, &spec).unwrap();
        let found = Statistics::new(&data, &spec, &stays).unwrap();
        let n_active: u64 = found.retention.iter().map(|row| row.active.n_attained).sum();
        assert_eq!((n_active, found.health.len(), found.stalls[0].stalled.n_eligible), (2, 2, 0));
    }
}
