//! What is learned from how many people: a scorecard of the signals, learned on growing shares of the training people.
//!
//! Measured on what came after training. The scorecard needs no fitting and ranks a little worse than the models of the predict
//! phase; its features are chosen on all of training, so that small shares look a little better than they are. What counts is
//! the slope at the end: whether more people would bring more.

use serde::{Deserialize, Serialize};

use crate::discover::signals::{Sample, Signal, scorecard};
use crate::discover::table::{Examples, Split};

const SHARES: [f64; 5] = [0.1, 0.25, 0.5, 0.75, 1.0];
/// A gain of less than this from doubling the people is none.
const GAIN: f64 = 0.005;

/// What is learned from how many.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// Signals that the scorecard adds up.
    pub n_features: u64,
    /// By growing share of the training people.
    pub points: Vec<Learned>,
    /// How much the last doubling of the people brought.
    pub gain: Option<f64>,
    /// What that means.
    pub verdict: String,
}

/// What a share of the training people teaches.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Learned {
    /// The share.
    pub share: f64,
    /// People learned from.
    pub people: u64,
    /// Examples of them that attained.
    pub outcomes: u64,
    /// AUC on what came after training.
    pub auc: f64,
    /// Its interval.
    pub auc_low: f64,
    /// Its interval.
    pub auc_high: f64,
}

/// The AUC of all of training, its standard error, and over how many attained and others it was measured.
pub(super) type Measured = (f64, f64, (u64, u64));

/// The learning curve.
pub(super) fn curve(examples: &Examples, signals: &[Signal]) -> (Curve, Option<Measured>) {
    let train = Sample::of(examples, &[Split::Train]);
    let later = Sample::of(examples, &[Split::Validation, Split::Test]);
    let card = scorecard::Scorecard::of(examples, signals, &train, &later);
    let mut curve = Curve { n_features: card.n_features() as u64, ..Curve::default() };
    let mut measured = None;
    for share in SHARES {
        let Some(learned) = card.learned(share).filter(|_| curve.n_features > 0) else { continue };
        let (auc_low, auc_high) = learned.ranked.interval();
        let (people, outcomes) = (learned.n_people as u64, learned.n_attained as u64);
        curve.points.push(Learned { share, people, outcomes, auc: learned.ranked.auc, auc_low, auc_high });
        let n_attained = later.rate().n_attained;
        measured = Some((learned.ranked.auc, learned.ranked.error, (n_attained, later.rate().n_eligible - n_attained)));
    }
    let from = |share: f64| curve.points.iter().find(|point| point.share >= share).map(|point| point.auc);
    curve.gain = from(1.0).zip(from(0.5)).map(|(whole, half)| whole - half);
    curve.verdict = match curve.gain {
        None => "nothing to learn from yet".into(),
        Some(gain) if gain > GAIN => {
            format!(
                "still rising: the last doubling of the people brought {gain:.3} of AUC, the next will bring about as much"
            )
        }
        Some(_) => "level: more people of the same kind bring little, other data about them may".into(),
    };
    (curve, measured)
}
