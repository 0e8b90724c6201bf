//! KPIs held against their targets.
//!
//! In: the lifecycle table, the targets of the spec. A target is met when the whole interval keeps to it, missed when none of
//! it does; else it cannot be told yet. Nothing is counted here: another target costs no look at the data.

use super::lifecycle::{Kpi, Lifecycle};
use crate::spec::Target;

impl Lifecycle {
    /// Sets targets and statuses; a target whose KPI has no number gets one without.
    pub fn hold_to(&mut self, targets: &[Target]) {
        for target in targets {
            let kpis = &mut self.stages[target.stage].kpis;
            let place = kpis.iter().position(|kpi| kpi.name == target.kpi.name()).unwrap_or_else(|| {
                kpis.push(Kpi::of(target.kpi, ""));
                kpis.len() - 1
            });
            let kpi = &mut kpis[place];
            (kpi.at_least, kpi.at_most) = (target.at_least, target.at_most);
            kpi.status = Some(status(kpi).to_owned());
        }
    }
}

/// Whether the whole interval, or none of it, keeps to the target.
fn status(kpi: &Kpi) -> &'static str {
    let Some(value) = kpi.value else { return "cannot be told" };
    // A sum has no interval: it is what it is. An end that is not known may be anywhere.
    let is_sum = kpi.low.is_none() && kpi.high.is_none();
    let low = kpi.low.unwrap_or(if is_sum { value } else { f64::NEG_INFINITY });
    let high = kpi.high.unwrap_or(if is_sum { value } else { f64::INFINITY });
    let keeps = |from: f64, to: f64| {
        kpi.at_least.is_none_or(|least| from >= least) && kpi.at_most.is_none_or(|most| to <= most)
    };
    let breaks = kpi.at_least.is_some_and(|least| high < least) || kpi.at_most.is_some_and(|most| low > most);
    match (keeps(low, high), breaks) {
        (true, _) => "met",
        (_, true) => "missed",
        _ => "cannot be told",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::KpiName;

    #[test]
    fn a_target_is_met_or_missed_only_as_far_as_the_interval_tells() {
        let kpi = |low, high, at_least, at_most| Kpi {
            value: Some(0.5),
            low,
            high,
            at_least,
            at_most,
            ..Kpi::of(KpiName::Conversion, "share")
        };
        for (low, high, at_least, at_most, wanted) in [
            (Some(0.4), Some(0.6), Some(0.4), None, "met"),
            (Some(0.4), Some(0.6), Some(0.45), None, "cannot be told"),
            (Some(0.4), Some(0.6), Some(0.7), None, "missed"),
            (Some(0.4), Some(0.6), None, Some(0.3), "missed"),
            (Some(0.4), Some(0.6), Some(0.3), Some(0.7), "met"),
            (Some(0.4), None, None, Some(0.7), "cannot be told"),
            (None, None, Some(0.5), None, "met"),
        ] {
            assert_eq!(status(&kpi(low, high, at_least, at_most)), wanted);
        }
    }
}
