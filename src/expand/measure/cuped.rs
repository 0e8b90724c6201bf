//! CUPED: the part of an outcome that was foreseeable before the campaign, taken out of it.
//!
//! Deng, Xu, Kohavi and Walker, Improving the Sensitivity of Online Controlled Experiments by Utilizing Pre-Experiment Data, WSDM
//! 2013, section 3, with several covariates: with `θ` from the least squares of the outcome on the covariates over everybody,
//! both groups together,
//!
//! ```text
//! y′ = y − θ · (x − x̄)        lift′ = ȳ′₁ − ȳ′₀
//! ```
//!
//! As people were drawn at random, `x` differs between the groups by chance alone: `lift′` estimates the same lift, with the
//! variance that `x` explains gone. Only what was known before the campaign may be a covariate.

use serde::{Deserialize, Serialize};

use super::intervals::{Estimate, Moments, welch};

/// People per covariate, at the least: with fewer, chance is fitted.
const PEOPLE_PER_COVARIATE: usize = 50;
/// A covariate is dropped when those before it explain it up to this share of its variance.
const COLLINEAR: f64 = 1e-6;

/// Something known of each person before the campaign.
#[derive(Debug, Clone, PartialEq)]
pub struct Covariate {
    /// Its name.
    pub name: String,
    /// A value per person of the list; one that is not finite counts as the mean.
    pub values: Vec<f64>,
}

/// A lift with the foreseeable taken out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adjusted {
    /// The absolute lift.
    pub lift: Estimate,
    /// How much of the outcome's variance is gone, 0–1.
    pub variance_reduction: f64,
    /// What was taken out.
    pub covariates: Vec<String>,
}

/// The lift of `outcome` between `is_target` and the others, adjusted; `None` when there is nothing to adjust by.
pub(super) fn adjusted(outcome: &[f64], is_target: &[bool], covariates: &[Covariate]) -> Option<Adjusted> {
    let most = outcome.len() / PEOPLE_PER_COVARIATE;
    let centred: Vec<(&str, Vec<f64>)> = covariates.iter().filter_map(centred).take(most).collect();
    let mean = outcome.iter().sum::<f64>() / outcome.len().max(1) as f64;
    let mut rest: Vec<f64> = outcome.iter().map(|value| value - mean).collect();
    let before = squares(&rest);
    let mut used = Vec::new();
    // Gram and Schmidt: each covariate is freed of those before it, then the outcome of it. The same as least squares.
    let mut axes: Vec<Vec<f64>> = Vec::new();
    for (name, mut axis) in centred {
        let whole = squares(&axis);
        for earlier in &axes {
            free(&mut axis, earlier);
        }
        if squares(&axis) > COLLINEAR * whole {
            free(&mut rest, &axis);
            axes.push(axis);
            used.push(name.to_owned());
        }
    }
    let of = |wanted: bool| {
        let both = rest.iter().zip(is_target);
        Moments::of(both.filter(move |(_, is_target)| **is_target == wanted).map(|(value, _)| *value))
    };
    let (target, holdout) = (of(true)?, of(false)?);
    (!used.is_empty() && before > 0.0).then(|| Adjusted {
        lift: welch(target, holdout),
        variance_reduction: 1.0 - squares(&rest) / before,
        covariates: used,
    })
}

/// The values less their mean, gaps filled with it; `None` when they do not vary.
fn centred(covariate: &Covariate) -> Option<(&str, Vec<f64>)> {
    let finite = covariate.values.iter().copied().filter(|value| value.is_finite());
    let mean = finite.clone().sum::<f64>() / finite.count().max(1) as f64;
    let centre = |value: &f64| if value.is_finite() { value - mean } else { 0.0 };
    let centred: Vec<f64> = covariate.values.iter().map(centre).collect();
    (squares(&centred) > 0.0).then_some((covariate.name.as_str(), centred))
}

fn squares(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum()
}

/// Takes out of `values` what `axis` explains.
fn free(values: &mut [f64], axis: &[f64]) {
    let slope = values.iter().zip(axis).map(|(value, along)| value * along).sum::<f64>() / squares(axis);
    values.iter_mut().zip(axis).for_each(|(value, along)| *value -= slope * along);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_adjusted_lift_matches_least_squares_of_numpy_and_welch_of_scipy() {
        let rows: Vec<Vec<f64>> = include_str!("testdata/cuped.csv")
            .lines()
            .skip(1)
            .map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect())
            .collect();
        let column = |at: usize| rows.iter().map(|row| row[at]).collect::<Vec<f64>>();
        let is_target: Vec<bool> = rows.iter().map(|row| row[0] > 0.5).collect();
        // 60 people take one covariate; the same people thrice over take both, with the same moments but for the n − 1.
        let covariates = [("x1", 1), ("x2", 2)].map(|(name, at)| Covariate { name: name.into(), values: column(at) });
        let thrice = |values: &[f64]| [values, values, values].concat();
        let tripled = covariates.clone().map(|one| Covariate { values: thrice(&one.values), ..one });
        let targets = [&is_target[..], &is_target, &is_target].concat();
        let found = adjusted(&thrice(&column(3)), &targets, &tripled).unwrap();
        // make.py: 0.7009922353706192, variance less by 0.6622388569428435.
        assert!((found.lift.value - 0.700_992_235_370_619).abs() < 1e-9, "{}", found.lift.value);
        assert!((found.variance_reduction - 0.662_238_856_942_843).abs() < 1e-9);
        assert_eq!(found.covariates, ["x1", "x2"]);
        assert_eq!(adjusted(&column(3), &is_target, &covariates).unwrap().covariates, ["x1"]);
    }

    #[test]
    fn a_covariate_that_says_nothing_or_the_same_again_is_left_out() {
        let values: Vec<f64> = (0..200).map(f64::from).collect();
        let is_target: Vec<bool> = (0..200).map(|at| at % 2 == 0).collect();
        let named = |name: &str, values: Vec<f64>| Covariate { name: name.into(), values };
        let twice = values.iter().map(|value| 2.0 * value + 1.0).collect();
        let given = [
            named("constant", vec![3.0; 200]),
            named("a", values.clone()),
            named("again", twice),
            named("gap", vec![f64::NAN; 200]),
        ];
        let outcome: Vec<f64> = values.iter().map(|value| (value * 0.7).sin() + value).collect();
        assert_eq!(adjusted(&outcome, &is_target, &given).unwrap().covariates, ["a"]);
        assert_eq!(adjusted(&outcome, &is_target, &given[..1]), None);
    }
}
