//! Which method ranks: what the spec names, else the one that finds hidden members best.
//!
//! Each method has scored every member by models that had not seen that member. The simplest is kept unless another places
//! the same members higher among the candidates beyond noise (95 % interval of the paired difference). Propensities are
//! not judged so, for their model has seen the members; but where the seed is the very stage that the prediction predicts, its
//! model learned the same from all who made the transition and all who did not, and ranks.

use crate::rate::Z;
use crate::spec::{Audience, Method, Spec, Told};

/// A method, and why it ranks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub method: Method,
    pub because: String,
}

/// What the spec says of the method, if that settles it.
pub(super) fn settled(audience: &Audience, spec: &Spec) -> Option<Choice> {
    if audience.method != Method::Auto {
        let because = format!("The spec says method = \"{}\".", audience.method.name());
        return Some(Choice { method: audience.method, because });
    }
    let prediction = spec.ranking(audience)?;
    let Some(Told::Stage(stage)) = audience.seed.as_ref().map(|seed| &seed.told) else { return None };
    prediction.to.contains(stage).then(|| Choice {
        method: Method::Propensity,
        because: format!(
            "The seed is the stage that prediction `{}` predicts, and its model has learned from all who reached it and all who did not.",
            prediction.name
        ),
    })
}

/// The method that finds hidden members best. Each of `tried` comes with the places that it gives to the same members, the one
/// that is kept unless another is better first.
pub(super) fn best(tried: &[(Method, Vec<f64>)]) -> Choice {
    let mut kept = 0;
    for at in 1..tried.len() {
        let (mean, error) = gain(&tried[kept].1, &tried[at].1);
        if mean > Z * error {
            kept = at;
        }
    }
    let told: Vec<String> =
        tried.iter().map(|(method, places)| format!("{} {:.3}", method.name(), mean(places.iter().copied()))).collect();
    let name = tried[kept].0.name();
    let verdict = if kept == 0 {
        format!("No method finds hidden members better than {name} beyond noise")
    } else {
        format!("{name} finds hidden members better than {} beyond noise", tried[0].0.name())
    };
    Choice { method: tried[kept].0, because: format!("{verdict} (AUC against the candidates: {}).", told.join(", ")) }
}

/// How much higher the same members are placed by `other` on average, and the standard error of that.
pub(super) fn gain(first: &[f64], other: &[f64]) -> (f64, f64) {
    let differences: Vec<f64> = first.iter().zip(other).map(|(first, other)| other - first).collect();
    let n = differences.len() as f64;
    let middle = mean(differences.iter().copied());
    let variance = differences.iter().map(|difference| (difference - middle).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    (middle, (variance / n).sqrt())
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    values.sum::<f64>() / n
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_way_is_taken_when_it_gains_beyond_noise() {
        // Ten members, each placed 0.1 higher but for a spread of 0.05 (standard error 0.0167, t ≈ 6).
        let first = vec![0.5; 10];
        let other: Vec<f64> = (0..10).map(|at| if at % 2 == 0 { 0.55 } else { 0.65 }).collect();
        let (mean, error) = gain(&first, &other);
        assert!((mean - 0.1).abs() < 1e-12 && (error - 0.0167).abs() < 1e-4, "{mean} {error}");
        let within_noise = vec![0.4, 0.6, 0.4, 0.6, 0.4, 0.6, 0.4, 0.6, 0.4, 0.7];
        let taken = |other| best(&[(Method::Lookalike, first.clone()), (Method::Similarity, other)]).method;
        assert_eq!([taken(other), taken(within_noise)], [Method::Similarity, Method::Lookalike]);
    }
}
