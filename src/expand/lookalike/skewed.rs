//! The groups of protected attributes in seed, candidates and audience: `fairness.json` and `fairness.parquet` of an audience.

use std::path::Path;

use polars::prelude::{DataFrame, IntoColumn as _, NamedFrom as _, Series};
use serde_json::json;

use super::super::chosen::Group;
use super::super::{Context, Expanded};
use super::members::Members;
use crate::discover;
use crate::error::Result;
use crate::predict::fairness::rates::{Ratio, Share};
use crate::predict::fairness::skew::{GroupSkew, skew};
use crate::source::Data;
use crate::spec::Shape;
use crate::store;
use crate::time::Time;

/// The version of `fairness.json`.
const FORMAT_VERSION: u32 = 1;

/// Counts the groups in `expanded`, as of the end; the audience are those to be reached. What stands out is a warning.
pub(super) fn look(expanded: &mut Expanded, members: &Members, data: &Data, context: &Context<'_>) -> Result<()> {
    let chosen = expanded.chosen.person.iter().zip(&expanded.chosen.group);
    let reached = chosen.filter(|(_, group)| **group == Group::Target).filter_map(|(id, _)| data.people.find(id));
    let reached: Vec<u32> =
        reached.map(|person| u32::try_from(person).expect("people are counted in 32 bits")).collect();
    let n = [members.seed.len(), members.candidates.len(), reached.len()];
    let at = if context.spec.shape() == Shape::Snapshot { Time::NEVER } else { context.end };
    let everyone = members.seed.iter().chain(&members.candidates).chain(&reached);
    let everyone: Vec<(u32, Time)> = everyone.map(|&person| (person, at)).collect();
    if let Some(table) = discover::protected_at(data, context.spec, &context.spec.fairness.protected, &everyone)? {
        expanded.skew = skew(&table, n);
        expanded.summary.warnings.extend(expanded.skew.iter().filter_map(|skew| skew.finding.clone()));
    }
    Ok(())
}

/// Writes what [`look`] counted, where it counted something.
pub(in super::super) fn write(folder: &Path, audience: &str, skew: &[GroupSkew]) -> Result<()> {
    if skew.is_empty() {
        return Ok(());
    }
    let document = json!({ "format_version": FORMAT_VERSION, "audience": audience, "groups": skew });
    store::write_json(&folder.join("fairness.json"), &document)?;
    store::write_frame(&folder.join("fairness.parquet"), &mut frame(skew)?)
}

/// `attribute, group, metric, value, low, high, n_attained, n_eligible`: a row per metric.
fn frame(skew: &[GroupSkew]) -> Result<DataFrame> {
    type Line<'a> = (&'a GroupSkew, &'static str, Option<Share>, Option<Ratio>);
    let lines: Vec<Line<'_>> = skew
        .iter()
        .flat_map(|of| {
            let share = |metric, share| (of, metric, Some(share), None);
            let ratio = |metric, ratio| (of, metric, None, ratio);
            [
                share("share_of_seed", of.seed),
                share("share_of_candidates", of.pool),
                share("share_of_audience", of.audience),
                ratio("seed_skew", of.seed_skew),
                ratio("audience_skew", of.audience_skew),
                ratio("amplification", of.amplification),
            ]
        })
        .collect();
    let text = |name: &str, of: &dyn Fn(&Line<'_>) -> String| {
        Series::new(name.into(), lines.iter().map(of).collect::<Vec<String>>()).into_column()
    };
    let number = |name: &str, of: &dyn Fn(&Line<'_>) -> Option<f64>| {
        Series::new(name.into(), lines.iter().map(of).collect::<Vec<Option<f64>>>()).into_column()
    };
    let count = |name: &str, of: &dyn Fn(&Share) -> u64| {
        let values: Vec<Option<u64>> = lines.iter().map(|(_, _, share, _)| share.as_ref().map(of)).collect();
        Series::new(name.into(), values).into_column()
    };
    let columns = vec![
        text("attribute", &|line| line.0.attribute.clone()),
        text("group", &|line| line.0.group.clone()),
        text("metric", &|line| line.1.to_owned()),
        number("value", &|line| line.2.map_or(line.3.map(|ratio| ratio.value), |share| share.share)),
        number("low", &|line| line.2.map_or(line.3.map(|ratio| ratio.low), |share| share.low)),
        number("high", &|line| line.2.map_or(line.3.map(|ratio| ratio.high), |share| share.high)),
        count("n_attained", &|share| share.rate.n_attained),
        count("n_eligible", &|share| share.rate.n_eligible),
    ];
    Ok(DataFrame::new(lines.len(), columns)?)
}
