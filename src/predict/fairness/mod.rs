//! Whether groups of people fare alike: each metric apart, per group and audience size, never one sum.
//!
//! In: the test examples with their propensities and outcomes, and the attributes named as protected. Out, for each attribute:
//!
//! - per group at audiences of 1, 2, 5, 10, 20 and 50 % of the test ([`rates`]): selection rate and its ratio to the best group's,
//!   the rates of true and false positives, precision;
//! - per group its mean propensity against what was observed (calibration);
//! - how well each feature alone, and all together, tell the attribute ([`mod@proxies`]): leaving it out of a model does not keep a
//!   model from acting on it.
//!
//! These measures cannot all be equal at once where base rates differ (Kleinberg, Mullainathan and Raghavan 2016; Chouldechova 2017):
//! which of them matters is a decision of people. Findings are sentences, and none of them is a verdict.

pub mod groups;
pub mod proxies;
pub mod rates;
pub mod skew;

use polars::prelude::{DataFrame, IntoColumn as _, NamedFrom as _, Series};
use serde::{Deserialize, Serialize};

use self::groups::Groups;
use self::proxies::{Proxies, proxies};
use self::rates::{Group, of_groups};
use super::Tested;
use crate::discover::words::feature as in_words;
use crate::discover::{Examples, Table};
use crate::error::Result;

/// The version of `fairness.json`.
const FORMAT_VERSION: u32 = 1;

/// `fairness.json` of a prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fairness {
    /// Version of this format.
    pub format_version: u32,
    /// The prediction.
    pub prediction: String,
    /// Examples of the test part that all rates are counted on.
    pub n_examples: u64,
    /// A part for each protected attribute.
    pub attributes: Vec<OfAttribute>,
}

/// One protected attribute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OfAttribute {
    /// The attribute, a column of the people table.
    pub attribute: String,
    /// Whether the model learns from it.
    pub is_feature: bool,
    /// Its groups.
    pub groups: Vec<Group>,
    /// What else tells it.
    pub proxies: Proxies,
    /// What a reader should look at, each in a sentence.
    pub findings: Vec<String>,
}

/// How the groups of `protected` (a row per example) fare; `names` are the attributes, columns of the people table.
///
/// # Errors
/// When what all features tell together cannot be learned.
pub fn fairness(
    prediction: &str,
    examples: &Examples,
    protected: &Table,
    judged: &Tested,
    seed: u64,
) -> Result<Fairness> {
    let of = |column: &crate::discover::Column| {
        let groups = Groups::new(column);
        let rates = of_groups(&groups.take(&judged.rows), examples, judged);
        let proxies = proxies(examples, column, &groups, seed)?;
        let is_feature = examples.features.column(&column.name).is_some();
        let attribute = column.name.strip_prefix("attr.").unwrap_or(&column.name).to_owned();
        let mut findings = rates::findings(&attribute, &rates);
        findings.extend(proxies.findings(&attribute, is_feature));
        Ok(OfAttribute { attribute, is_feature, groups: rates, proxies, findings })
    };
    let attributes: Result<Vec<OfAttribute>> = protected.columns.iter().map(of).collect();
    Ok(Fairness {
        format_version: FORMAT_VERSION,
        prediction: prediction.to_owned(),
        n_examples: judged.rows.len() as u64,
        attributes: attributes?,
    })
}

impl Fairness {
    /// `fairness.parquet`: `attribute, group, size, metric, value, low, high, n_attained, n_eligible`, a row per metric; calibration and
    /// base rate of a group have no size.
    ///
    /// # Errors
    /// When the columns differ in length, which they do not.
    pub fn to_frame(&self) -> Result<DataFrame> {
        let mut lines = Vec::new();
        for of in &self.attributes {
            for group in &of.groups {
                lines.extend(group.lines().into_iter().map(|line| (of.attribute.as_str(), group.group.as_str(), line)));
            }
        }
        let text = |name: &str, of: &dyn Fn(usize) -> String| {
            let values: Vec<String> = (0..lines.len()).map(of).collect();
            Series::new(name.into(), values).into_column()
        };
        let number = |name: &str, of: &dyn Fn(&rates::Line) -> Option<f64>| {
            let values: Vec<Option<f64>> = lines.iter().map(|(_, _, line)| of(line)).collect();
            Series::new(name.into(), values).into_column()
        };
        let count = |name: &str, of: &dyn Fn(&rates::Line) -> u64| {
            let values: Vec<u64> = lines.iter().map(|(_, _, line)| of(line)).collect();
            Series::new(name.into(), values).into_column()
        };
        let columns = vec![
            text("attribute", &|at| lines[at].0.to_owned()),
            text("group", &|at| lines[at].1.to_owned()),
            number("size", &|line| line.size),
            text("metric", &|at| lines[at].2.metric.to_owned()),
            number("value", &|line| line.value),
            number("low", &|line| line.low),
            number("high", &|line| line.high),
            count("n_attained", &|line| line.n_attained),
            count("n_eligible", &|line| line.n_eligible),
        ];
        Ok(DataFrame::new(lines.len(), columns)?)
    }

    /// What the model card says of it.
    #[must_use]
    pub fn card(&self) -> String {
        let mut card = "\n## Groups\n\n".to_owned();
        for of in &self.attributes {
            let groups: Vec<&str> = of.groups.iter().map(|group| group.group.as_str()).collect();
            card += &format!("**{}** ({}), on {} test examples. ", of.attribute, groups.join(", "), self.n_examples);
            card +=
                if of.is_feature { "The model learns from it.\n\n" } else { "The model does not learn from it.\n\n" };
            for finding in &of.findings {
                card += &format!("- {finding}\n");
            }
            if of.findings.is_empty() {
                card += "- No difference between its groups stands out of the noise.\n";
            }
            card += "\n";
        }
        card + "Every rate with its counts: fairness.parquet.\n"
    }
}

/// `monthly charges` for `attr.MonthlyCharges`.
fn told(feature: &str) -> String {
    in_words(feature)
}

#[cfg(test)]
mod tests;
