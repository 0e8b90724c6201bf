//! What a campaign changed, in numbers: the contract of `measure.json`.

use serde::{Deserialize, Serialize};

use super::{Adjusted, Estimate, Part, Used, Verdict};
use crate::rate::Rate;

/// `measure.json`: what a campaign changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Version of this format.
    pub format_version: u32,
    /// The audience.
    pub audience: String,
    /// The file of outcomes, by its name and content; filled by whoever read it.
    pub file: FileUsed,
    /// Its rows.
    pub rows: Used,
    /// When the campaign started, as far as that is known; filled by whoever knows.
    #[serde(default)]
    pub since: Option<String>,
    /// When outcomes ceased to count.
    #[serde(default)]
    pub until: Option<String>,
    /// The answer in a word and a sentence.
    pub verdict: Verdict,
    /// The two groups.
    pub target: Arm,
    /// Those left alone.
    pub holdout: Arm,
    /// Rate of the target group less that of the holdout: the lift in points. Newcombe's interval, or the always-valid one.
    pub lift: Option<Estimate>,
    /// Rate of the target group over that of the holdout, less one; absent when nobody of the holdout converted.
    pub lift_relative: Option<Estimate>,
    /// The lift with the foreseeable taken out (CUPED).
    pub lift_adjusted: Option<Adjusted>,
    /// Mean value per person of the target group less that of the holdout (Welch), when the outcomes have values.
    pub value_lift: Option<Estimate>,
    /// The same with the foreseeable taken out.
    pub value_lift_adjusted: Option<Adjusted>,
    /// The lift among those who were reached, when not all were.
    pub reached: Option<AmongReached>,
    /// Conversions that there would not have been without the campaign: the lift times the people of the target group.
    pub incremental: Option<Estimate>,
    /// What one of them cost; an end that is absent is unbounded.
    pub cost_per_incremental: Option<Estimate>,
    /// Whether the groups are of the sizes that were planned.
    pub sample_ratio: Option<SampleRatio>,
    /// By the tiers of the list, or by fifths of it, best first.
    pub tiers: Vec<Part>,
    /// By the attributes that were asked for.
    pub segments: Vec<Part>,
    /// Every look at this list's outcomes, this one last; filled by whoever keeps them.
    pub looks: Vec<Look>,
    /// What a reader should know before trusting the numbers.
    pub warnings: Vec<String>,
}

/// A file that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileUsed {
    /// Its name.
    pub path: String,
    /// BLAKE3 of its bytes, hex.
    pub blake3: String,
}

/// A group: what was expected of it without contact, and what it did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Arm {
    /// Who converted, of how many.
    pub rate: Rate,
    /// Ends of its Wilson interval.
    pub rate_low: f64,
    /// See `rate_low`.
    pub rate_high: f64,
    /// How many were expected to without contact: the sum of propensities.
    pub expected: Option<f64>,
    /// Ends of its interval (normal approximation of the Poisson binomial).
    pub expected_low: Option<f64>,
    /// See `expected_low`.
    pub expected_high: Option<f64>,
    /// Mean value per person.
    pub value_per_person: Option<f64>,
}

/// The lift among those who were reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AmongReached {
    /// Share of the target group that was reached, 0–1.
    pub match_rate: f64,
    /// How that is known: `told`, or `counted`.
    pub how: String,
    /// The lift in points.
    pub lift: Estimate,
}

/// Sizes of the groups against the plan.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SampleRatio {
    /// Share of people that was to be held out.
    pub planned: f64,
    /// Share that was.
    pub found: f64,
    /// How often chance alone gives a difference so large.
    pub p_value: f64,
    /// Whether that is too seldom to believe.
    pub is_off: bool,
}

/// A look at the outcomes of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// BLAKE3 of the list, hex.
    pub list: String,
    /// BLAKE3 of the outcomes, hex.
    pub outcomes: String,
    /// The last time in the outcomes, when they have times.
    pub last: Option<String>,
    /// What the look saw.
    pub lift: Option<Estimate>,
}
