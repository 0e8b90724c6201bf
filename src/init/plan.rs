//! How a transition is to be predicted: a horizon from the times that it took, and cutoffs so that training, validation and
//! test each see some outcomes.

use super::draft::toml;
use super::lifecycle::Stage;
use crate::map::{Outcome, Stays, outcome};
use crate::source::Data;
use crate::time::{Duration, Time};

/// Durations that people speak of, in days.
pub(super) const ROUND_DAYS: [i64; 14] = [1, 2, 3, 5, 7, 14, 30, 60, 90, 120, 180, 270, 365, 730];
/// Fewer outcomes than this teach nothing.
pub(super) const LEAST_OUTCOMES: usize = 40;
/// Enough of them for intervals that say something.
const ENOUGH_OUTCOMES: usize = 300;

/// A transition over the stays of everybody.
pub(super) struct Asked<'a> {
    pub(super) data: &'a Data,
    pub(super) stays: &'a Stays,
}

/// How a prediction is to be learned.
pub(super) struct Plan {
    from: Vec<usize>,
    to: usize,
    pub(super) horizon: Duration,
    every: Duration,
    pub(super) count: usize,
    pub(super) n_attained: usize,
    /// Half of the transitions took no longer, in days.
    median_days: f64,
}

impl Asked<'_> {
    /// The shortest horizon that half of the transitions need and that gives enough outcomes; else the one that gives most.
    pub(super) fn plan(&self, from: &[usize], to: usize) -> Option<Plan> {
        let median_days = self.median_days(from, to)?;
        let span = span(self.data)?;
        let shortest = ROUND_DAYS.into_iter().find(|&days| days as f64 >= median_days.min(span / 8.0))?;
        let horizons = ROUND_DAYS.into_iter().filter(|&days| days >= shortest && days as f64 <= (span / 5.0).max(1.0));
        let mut plans: Vec<Plan> = horizons.filter_map(|days| self.with(from, to, days, span, median_days)).collect();
        plans.retain(|plan| plan.n_attained >= LEAST_OUTCOMES);
        let enough = plans.iter().position(|plan| plan.n_attained >= ENOUGH_OUTCOMES);
        let most = (0..plans.len()).max_by_key(|&at| plans[at].n_attained);
        enough.or(most).map(|at| plans.swap_remove(at))
    }

    fn with(&self, from: &[usize], to: usize, days: i64, span: f64, median_days: f64) -> Option<Plan> {
        let room = 0.8 * span - days as f64;
        let every = if room / days as f64 >= 9.0 {
            days
        } else {
            ROUND_DAYS.into_iter().rev().find(|&every| room / every as f64 >= 9.0 && every <= days)?
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
        let count = ((room / every as f64).floor() as usize + 1).min(18);
        let (horizon, every) = (Duration::days(days), Duration::days(every));
        let mut cutoffs = Vec::new();
        let mut at = self.data.end.minus(horizon);
        for _ in 0..count {
            cutoffs.push(at);
            at = at.minus(every);
        }
        let attained: Vec<usize> = cutoffs.iter().map(|&cutoff| self.attained(from, to, cutoff, horizon)).collect();
        let n_newest = attained.iter().take(count.div_ceil(6)).sum::<usize>();
        let plan =
            Plan { from: from.to_vec(), to, horizon, every, count, n_attained: attained.iter().sum(), median_days };
        (n_newest >= 5).then_some(plan)
    }

    fn attained(&self, from: &[usize], to: usize, cutoff: Time, horizon: Duration) -> usize {
        let Self { data, stays } = self;
        let is_attained = |&person: &usize| {
            let Some(stay) = stays.at(person, cutoff) else { return false };
            from.contains(&usize::from(stays.stage[stay]))
                && outcome(stays, person, cutoff, cutoff.plus(horizon), data.end, from, &[to]) == Outcome::Attained
        };
        (0..data.people.len()).filter(is_attained).count()
    }

    /// The median of the days from entering `from` to entering `to`, over all who did; people who start in a stage that has
    /// no rule start with their first event.
    fn median_days(&self, from: &[usize], to: usize) -> Option<f64> {
        let Self { data, stays } = self;
        let mut days = Vec::new();
        for person in 0..data.people.len() {
            let rows = stays.of(person);
            let first = data.events.of(person).next().map(|row| data.events.time[row]);
            let mut since: Option<i64> = None;
            for row in rows {
                let stage = usize::from(stays.stage[row]);
                if stage == to {
                    days.extend(since.map(|since| Time(stays.entered[row]).days_since(Time(since))));
                }
                let entered = stays.entered[row].max(first.unwrap_or(i64::MIN));
                since = from.contains(&stage).then(|| since.unwrap_or(entered));
            }
        }
        days.retain(|days| days.is_finite());
        days.sort_unstable_by(f64::total_cmp);
        days.get(days.len() / 2).copied()
    }
}

impl Plan {
    pub(super) fn written(&self, name: &str, stages: &[Stage]) -> String {
        let from: Vec<String> = self.from.iter().map(|&stage| toml(&stages[stage].name)).collect();
        format!(
            "# Of the people in {0} at a cutoff, who reaches {1} within {2}? Half of those who did took up to {3:.0} days; {4} did within\n# the horizon after one of these cutoffs (a guess: choose the horizon that your campaign needs).\n[[predictions]]\nname = {5}\nfrom = [{0}]\nto = [{1}]\nhorizon = \"{2}\"\ncutoffs = {{ every = \"{6}\", count = {7} }}",
            from.join(", "),
            toml(&stages[self.to].name),
            self.horizon,
            self.median_days.ceil(),
            self.n_attained,
            toml(name),
            self.every,
            self.count
        )
    }
}

/// Days from the first event to the end.
pub(super) fn span(data: &Data) -> Option<f64> {
    let first = *data.events.time.iter().min()?;
    Some(data.end.days_since(Time(first)))
}
