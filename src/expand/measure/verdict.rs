//! The answer of a measurement: a lift, a harm, or too small to tell, and then how many people more would.

use serde::{Deserialize, Serialize};

use super::Question;
use super::intervals::Estimate;
use crate::expand::power::{n_needed, whole};
use crate::rate::{Rate, grouped};

/// What a campaign did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The whole interval of the lift lies above zero.
    Lift,
    /// The whole interval lies below zero.
    Harm,
    /// The interval holds zero.
    TooSmallToTell,
}

/// The answer in a word and in a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// In a word.
    pub answer: Answer,
    /// In a sentence.
    pub sentence: String,
    /// People, target and holdout together, who would have been needed beyond those of the list to show the lift that was
    /// wanted in 80 of 100 campaigns; absent when the answer is known or the list was large enough for it.
    pub n_more: Option<u64>,
}

impl Verdict {
    pub(super) fn of(question: &Question<'_>, target: Rate, holdout: Rate, lift: Option<&Estimate>) -> Self {
        let sign = lift.and_then(Estimate::sign);
        let n = (target.n_eligible + holdout.n_eligible) as f64;
        let points = lift.map(points).unwrap_or_default();
        let (answer, head) = match sign {
            Some(true) => (Answer::Lift, format!("The campaign lifted conversion by {points}.")),
            Some(false) => (Answer::Harm, format!("The campaign lowered conversion by {points}.")),
            None => (Answer::TooSmallToTell, format!("Too small to tell: the lift is {points}.")),
        };
        let (wanted, because) = wanted(question, holdout);
        let base_rate = holdout.share().filter(|share| *share > 0.0).or(question.power.map(|power| power.base_rate));
        let needed = base_rate.zip(wanted).map(|(base, wanted)| {
            n_needed(base, wanted.min(1.0 - base), holdout.n_eligible as f64 / target.n_eligible as f64)
        });
        let n_more = needed.filter(|needed| sign.is_none() && *needed > n).map(|needed| whole(needed - n));
        let tail = match (sign, n_more, wanted) {
            (None, Some(n_more), Some(wanted)) => format!(
                " To show a lift of {:.2} points ({because}), {} more people are needed.",
                100.0 * wanted,
                grouped(n_more)
            ),
            (None, None, Some(wanted)) if needed.is_some() => format!(
                " The list was large enough to show a lift of {:.2} points ({because}): what there is is probably smaller.",
                100.0 * wanted
            ),
            (None, ..) => {
                " Nobody of the holdout converted, so that nothing says how many people are needed.".to_owned()
            }
            _ => String::new(),
        };
        Self { answer, sentence: head + &tail, n_more }
    }
}

/// The lift that was wanted before the campaign; else a tenth of the holdout's rate.
fn wanted<'a>(question: &Question<'a>, holdout: Rate) -> (Option<f64>, &'a str) {
    match question.power {
        Some(power) => (Some(power.wanted_lift), power.wanted_because.as_str()),
        None => (holdout.share().map(|share| 0.1 * share).filter(|lift| *lift > 0.0), "a tenth of the holdout's rate"),
    }
}

/// `1.20 points (0.31 to 2.09)`.
fn points(lift: &Estimate) -> String {
    let end = |end: Option<f64>| end.map_or("unbounded".to_owned(), |end| format!("{:.2}", 100.0 * end));
    let value = if lift.sign() == Some(false) { -lift.value } else { lift.value };
    let (low, high) = match lift.sign() {
        Some(false) => (lift.high.map(|end| -end), lift.low.map(|end| -end)),
        _ => (lift.low, lift.high),
    };
    format!("{:.2} points ({} to {}; 95 %)", 100.0 * value, end(low), end(high))
}
