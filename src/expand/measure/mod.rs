//! After the campaign: what reaching people changed, against those who were left alone at random.
//!
//! In: the list that went out with its groups ([`List`]), and what became of its people ([`Outcomes`]). Out: a [`Measurement`], the
//! contract of `measure.json`. Everybody counts in the group that they were drawn into, reached or not (intention to treat):
//! only that comparison is fair. [`intervals`] and [`cuped`] hold the formulas.
//!
//! - **Among the reached**: when a share `m` of the target group was reached and nobody of the holdout, the effect on the reached is
//!   the lift over `m` (Bloom 1984, Evaluation Review 8: 225–246). Where it is known who, its variance is that of
//!   `y − effect · reached` (the ratio's linearisation); where only `m` is told, the interval is that of the lift over `m`.
//! - **Sample ratio**: χ² of the sizes of the groups against the share that was to be held out; below 0.001 something other
//!   than chance put people into groups (Fabijan et al., KDD 2019), and no number here can be trusted.
//! - **Looks**: an interval that is looked at until it suits covers less than it says. [`Look`]s are kept; from the second on, only
//!   the always-valid interval is a fair one.

mod cells;
mod cuped;
mod intervals;
mod measurement;
mod outcomes;
mod parts;
mod verdict;

use std::path::Path;

pub use self::cuped::{Adjusted, Covariate};
pub use self::intervals::Estimate;
pub use self::measurement::{AmongReached, Arm, FileUsed, Look, Measurement, SampleRatio};
pub use self::outcomes::{Columns, Names, Outcomes, Span, Used, named, outcomes};
pub use self::parts::{Part, Segment};
pub use self::verdict::{Answer, Verdict};

use self::intervals::{Moments, always_valid, chi_square_tail, difference, relative, welch};
use super::chosen::Group;
use super::power::{Groups, Power, smallest_lift};
use crate::error::{Error, Result};
use crate::rate::{Rate, Z, grouped};
use crate::store;

/// The version of `measure.json` and of `looks.json`.
pub const FORMAT_VERSION: u32 = 1;
/// A sample ratio that chance gives less often than this is off.
const RATIO_IS_OFF: f64 = 0.001;
/// The rate of the holdout that is supposed when nobody said beforehand what to expect.
const SUPPOSED_RATE: f64 = 0.1;

/// The list that went out, best first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct List {
    /// Ids.
    pub person: Vec<String>,
    /// To be reached, or left alone.
    pub group: Vec<Group>,
    /// What was expected of each without contact; not finite where nothing was.
    pub propensity: Vec<f64>,
    /// The smallest tier that each is in, where the audience has tiers.
    pub tier: Vec<Option<String>>,
}

/// What a measurement goes by.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The audience's name.
    pub audience: &'a str,
    /// The list that went out.
    pub list: &'a List,
    /// What became of its people.
    pub outcomes: &'a Outcomes,
    /// The share that was to be held out, where it is known.
    pub holdout_share: Option<f64>,
    /// What was said before the campaign about the lift that it could show.
    pub power: Option<&'a Power>,
    /// What was known of people before the campaign.
    pub covariates: &'a [Covariate],
    /// Attributes to part people by.
    pub segments: &'a [Segment],
    /// Whom of the target group the campaign reached.
    pub reached: Reached<'a>,
    /// What the campaign cost, all in all.
    pub cost: Option<f64>,
    /// Whether the interval must hold for every look.
    pub sequential: bool,
}

/// Whom of the target group a campaign reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reached<'a> {
    /// It is not known, or all.
    Everyone,
    /// So large a share, above 0 and up to 1.
    Share(f64),
    /// Those who are marked, a mark per person of the list.
    People(&'a [bool]),
}

impl List {
    /// Reads an `audience.parquet`.
    ///
    /// # Errors
    /// When it is missing, or is none.
    pub fn read(path: &Path) -> Result<Self> {
        let frame = store::read_frame(path).map_err(|error| error.hint("name an audience.parquet, or its folder"))?;
        let column = |name: &str| {
            frame.column(name).map_err(|_| {
                Error::data(format!("{} has no column `{name}`", path.display())).hint("name an audience.parquet")
            })
        };
        let text = polars::prelude::DataType::String;
        let person = column("person")?.cast(&text)?;
        let group = column("group")?.cast(&text)?;
        let propensity = match frame.column("propensity") {
            Ok(column) => {
                column.cast(&polars::prelude::DataType::Float64)?.f64()?.iter().map(|p| p.unwrap_or(f64::NAN)).collect()
            }
            Err(_) => vec![f64::NAN; frame.height()],
        };
        let group: Option<Vec<Group>> = group.str()?.iter().map(|name| Group::of(name?)).collect();
        let person: Option<Vec<String>> = person.str()?.iter().map(|id| id.map(str::to_owned)).collect();
        let (Some(person), Some(group)) = (person, group) else {
            return Err(Error::data(format!("{} has people without id or group", path.display()))
                .hint("name an audience.parquet"));
        };
        let tier = match frame.column("tier") {
            Ok(column) => column.cast(&text)?.str()?.iter().map(|tier| tier.map(str::to_owned)).collect(),
            Err(_) => vec![None; frame.height()],
        };
        Ok(Self { person, group, propensity, tier })
    }

    fn is_target(&self) -> Vec<bool> {
        self.group.iter().map(|group| *group == Group::Target).collect()
    }
}

/// Measures what a campaign changed.
///
/// # Errors
/// When the list has no holdout, or nobody but it: then nothing can be compared.
pub fn measure(question: &Question<'_>) -> Result<Measurement> {
    let Question { list, outcomes, .. } = question;
    let is_target = list.is_target();
    let (target, holdout) = (arm(question, Group::Target), arm(question, Group::Holdout));
    if target.rate.n_eligible == 0 || holdout.rate.n_eligible == 0 {
        return Err(not_comparable(question.audience, holdout.rate.n_eligible == 0));
    }
    let lift = if question.sequential {
        always_valid(target.rate, holdout.rate, tau(question, target.rate, holdout.rate))
    } else {
        difference(target.rate, holdout.rate)
    };
    let converted: Vec<f64> = outcomes.converted.iter().map(|&converted| f64::from(u8::from(converted))).collect();
    let covariates = with_propensity(list, question.covariates);
    let adjusted = |outcome: &[f64]| cuped::adjusted(outcome, &is_target, &covariates);
    let incremental = lift.as_ref().map(|lift| lift.times(target.rate.n_eligible as f64));
    let sample_ratio = question.holdout_share.and_then(|planned| sample_ratio(planned, target.rate, holdout.rate));
    let verdict = Verdict::of(question, target.rate, holdout.rate, lift.as_ref());
    let mut measurement = Measurement {
        format_version: FORMAT_VERSION,
        audience: question.audience.to_owned(),
        file: FileUsed::default(),
        rows: outcomes.used.clone(),
        since: None,
        until: None,
        verdict,
        lift_relative: relative(target.rate, holdout.rate).filter(|_| !question.sequential),
        lift_adjusted: adjusted(&converted),
        value_lift: outcomes.value.as_ref().and_then(|value| means(value, &is_target)),
        value_lift_adjusted: outcomes.value.as_ref().and_then(|value| adjusted(value)),
        reached: lift.as_ref().and_then(|lift| among_reached(question, lift, &converted)),
        cost_per_incremental: incremental.as_ref().zip(question.cost).and_then(|(n, cost)| per_one(cost, n)),
        incremental,
        sample_ratio,
        tiers: parts::tiers(list, &outcomes.converted),
        segments: parts::segments(question.segments, list, &outcomes.converted),
        looks: Vec::new(),
        warnings: Vec::new(),
        lift,
        target,
        holdout,
    };
    measurement.warnings = warnings(question, &measurement);
    Ok(measurement)
}

/// The size of lifts for which the always-valid interval is made narrowest: the smallest that the groups show when all
/// outcomes are in. It is known before the first look, as it must be: it depends on the groups' sizes, not on outcomes.
fn tau(question: &Question<'_>, target: Rate, holdout: Rate) -> f64 {
    let groups = Groups { n_target: target.n_eligible as f64, n_holdout: holdout.n_eligible as f64 };
    let told = question.power.and_then(|power| power.smallest_lift);
    told.or_else(|| smallest_lift(SUPPOSED_RATE, groups)).unwrap_or(1.0)
}

/// Adds this look to the earlier ones; a second one at other outcomes of the same list is warned of, unless it may be.
pub fn look(measurement: &mut Measurement, list_blake3: &str, earlier: Vec<Look>, sequential: bool) {
    let now = Look {
        list: list_blake3.to_owned(),
        outcomes: measurement.file.blake3.clone(),
        last: measurement.rows.last.clone(),
        lift: measurement.lift.clone(),
    };
    let is_other = |look: &Look| look.list != now.list || look.outcomes != now.outcomes;
    let mut looks: Vec<Look> = earlier.into_iter().filter(is_other).collect();
    let n_before = looks.iter().filter(|look| look.list == now.list).count();
    if n_before > 0 && !sequential {
        measurement.warnings.push(format!(
            "These outcomes were looked at {} before: an interval that is looked at again covers less than 95 %. \
             Measure with --sequential, whose interval holds for every look.",
            if n_before == 1 { "once".to_owned() } else { format!("{n_before} times") }
        ));
    }
    looks.push(now);
    measurement.looks = looks;
}

fn arm(question: &Question<'_>, group: Group) -> Arm {
    let Question { list, outcomes, .. } = question;
    let members = || (0..list.person.len()).filter(|&at| list.group[at] == group);
    let rate = Rate::new(members().filter(|&at| outcomes.converted[at]).count(), members().count());
    let (rate_low, rate_high) = rate.interval().unwrap_or((0.0, 1.0));
    let expected: f64 = members().map(|at| list.propensity[at]).sum();
    let spread: f64 = members().map(|at| list.propensity[at] * (1.0 - list.propensity[at])).sum();
    let known = |value: f64| Some(value).filter(|_| expected.is_finite());
    let half = Z * spread.sqrt();
    let value = outcomes.value.as_ref().map(|value| members().map(|at| value[at]).sum::<f64>());
    Arm {
        rate,
        rate_low,
        rate_high,
        expected: known(expected),
        expected_low: known((expected - half).max(0.0)),
        expected_high: known((expected + half).min(rate.n_eligible as f64)),
        value_per_person: value.map(|sum| sum / rate.n_eligible as f64).filter(|mean| mean.is_finite()),
    }
}

fn not_comparable(audience: &str, without_holdout: bool) -> Error {
    if without_holdout {
        Error::data(format!("nobody of audience `{audience}` was held out: there is nobody to compare with")).hint(
            "set holdout = \"10%\" on the audience before the next campaign; for this one nothing fair can be said",
        )
    } else {
        Error::data(format!("everybody of audience `{audience}` was held out: nobody was to be reached"))
            .hint("make `holdout` smaller before the next campaign")
    }
}

/// The covariates, the propensity before them: it is the best guess of all.
fn with_propensity(list: &List, covariates: &[Covariate]) -> Vec<Covariate> {
    let propensity = Covariate { name: "propensity".to_owned(), values: list.propensity.clone() };
    [propensity].into_iter().chain(covariates.iter().cloned()).collect()
}

/// The difference of two means.
fn means(values: &[f64], is_target: &[bool]) -> Option<Estimate> {
    let of = |wanted: bool| {
        let both = values.iter().zip(is_target);
        Moments::of(both.filter(move |(_, is_target)| **is_target == wanted).map(|(value, _)| *value))
    };
    Some(welch(of(true)?, of(false)?))
}

fn among_reached(question: &Question<'_>, lift: &Estimate, converted: &[f64]) -> Option<AmongReached> {
    let list = question.list;
    match question.reached {
        Reached::Everyone => None,
        Reached::Share(share) => {
            Some(AmongReached { match_rate: share, how: "told".to_owned(), lift: lift.times(1.0 / share) })
        }
        Reached::People(is_reached) => {
            let of = |group: Group| (0..list.person.len()).filter(move |&at| list.group[at] == group);
            let n_target = of(Group::Target).count() as f64;
            let share = of(Group::Target).filter(|&at| is_reached[at]).count() as f64 / n_target;
            if share == 0.0 {
                return None;
            }
            let effect = lift.value / share;
            let rest = |at: usize| converted[at] - if is_reached[at] { effect } else { 0.0 };
            let target = Moments::of(of(Group::Target).map(rest))?;
            let holdout = Moments::of(of(Group::Holdout).map(|at| converted[at]))?;
            let mut among = welch(target, holdout);
            let half = among.high.zip(among.low).map_or(0.0, |(high, low)| 0.5 * (high - low)) / share;
            among = Estimate::new(effect, (effect - half, effect + half), "linearised ratio");
            let among = if question.sequential { lift.times(1.0 / share) } else { among };
            Some(AmongReached { match_rate: share, how: "counted".to_owned(), lift: among })
        }
    }
}

/// What one of `n` cost: unbounded where the interval of `n` holds zero.
fn per_one(cost: f64, n: &Estimate) -> Option<Estimate> {
    let of = |end: Option<f64>| end.filter(|end| *end > 0.0).map(|end| cost / end);
    let value = Some(cost / n.value).filter(|_| n.value > 0.0)?;
    Some(Estimate { value, low: of(n.high), high: of(n.low), method: n.method.clone() })
}

fn sample_ratio(planned: f64, target: Rate, holdout: Rate) -> Option<SampleRatio> {
    let n = (target.n_eligible + holdout.n_eligible) as f64;
    let held = holdout.n_eligible as f64;
    if !(planned > 0.0 && planned < 1.0) {
        return None;
    }
    let chi_square = (held - n * planned).powi(2) / (n * planned * (1.0 - planned));
    let p_value = chi_square_tail(chi_square);
    Some(SampleRatio { planned, found: held / n, p_value, is_off: p_value < RATIO_IS_OFF })
}

fn warnings(question: &Question<'_>, measured: &Measurement) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(ratio) = measured.sample_ratio.filter(|ratio| ratio.is_off) {
        warnings.push(format!(
            "{:.2} % of the list were held out where {:.2} % were to be (chance gives that once in {} times): something other than \
             chance put people into groups. Find out what before you believe any number here.",
            100.0 * ratio.found,
            100.0 * ratio.planned,
            grouped(super::power::whole(1.0 / ratio.p_value.max(1e-9)))
        ));
    }
    if let Reached::People(is_reached) = question.reached {
        let groups = question.list.group.iter().zip(is_reached);
        let n_held = groups.filter(|(group, reached)| **group == Group::Holdout && **reached).count();
        if n_held > 0 {
            warnings.push(format!(
                "{} of the holdout were reached all the same: the lift is that of a smaller difference, and too small.",
                people(n_held as u64)
            ));
        }
        if measured.reached.is_none() {
            warnings.push("Nobody of the target group was reached: there is no effect to measure.".to_owned());
        }
    }
    if question.sequential {
        warnings.push(
            "Only the interval of the lift, and what is counted from it, holds for every look: those of values, of CUPED and of parts are for one."
                .to_owned(),
        );
    }
    let n_converted = measured.target.rate.n_attained + measured.holdout.rate.n_attained;
    if measured.rows.converted_column.is_none() && n_converted == question.list.person.len() as u64 {
        warnings.push(
            "Everybody on the list converted, as every row says yes. If a column tells who did, name it with --converted."
                .to_owned(),
        );
    }
    if measured.rows.n_before > 0 {
        warnings.push(format!(
            "{} of the outcomes are from before the campaign and do not count.",
            rows(measured.rows.n_before)
        ));
    }
    if measured.rows.n_after > 0 {
        warnings.push(format!(
            "{} of the outcomes are from after the horizon and do not count.",
            rows(measured.rows.n_after)
        ));
    }
    warnings
}

/// `1 row`, `2 rows`.
#[must_use]
pub fn rows(n: u64) -> String {
    if n == 1 { "1 row".to_owned() } else { format!("{} rows", grouped(n)) }
}

fn people(n: u64) -> String {
    if n == 1 { "1 person".to_owned() } else { format!("{} people", grouped(n)) }
}

#[cfg(test)]
mod tests;
