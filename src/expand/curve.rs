//! What other sizes of a list would bring: expected conversions, hidden members of the seed that it would reach, cost.
//!
//! In: the candidates who may be contacted, best first, with their propensities where a prediction gives them; the places of
//! hidden members among the candidates where there is a seed. Out: up to 100 sizes, in even steps up to everyone.
//!
//! - Conversions: Σ p, with the interval of [`Expectation`].
//! - Of a seed: members who were hidden from the model stand among the candidates somewhere; a list of the best 10 % would
//!   have reached those who stand in the best 10 %. Their share has Wilson's interval; divided by the size it is the lift over
//!   picking at random.

use polars::prelude::{Column, DataFrame, NamedFrom as _, Series};

use super::rank::Expectation;
use super::summary::Point;
use crate::error::Result;
use crate::rate::Rate;

/// Sizes, at most.
const POINTS: usize = 100;

/// What a curve is drawn from.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Curve<'a> {
    /// Scores of those who may be contacted, best first.
    pub score: &'a [f64],
    /// Their propensities.
    pub propensity: Option<&'a [f64]>,
    /// For each hidden member of the seed the share of the candidates who score lower.
    pub places: Option<&'a [f64]>,
    /// What reaching one person costs.
    pub cost: Option<f64>,
    /// What one transition is worth.
    pub value: Option<f64>,
}

impl Curve<'_> {
    /// The sizes, smallest first.
    pub(super) fn points(&self) -> Vec<Point> {
        let n = self.score.len();
        let n_points = n.min(POINTS);
        let (mut sum, mut done) = (Expectation::default(), 0);
        let mut points = Vec::with_capacity(n_points);
        for step in 1..=n_points {
            let n_people = (n * step).div_ceil(n_points);
            if let Some(propensity) = self.propensity {
                sum = propensity[done..n_people].iter().copied().fold(sum, Expectation::with);
            }
            done = n_people;
            points.push(self.point(n_people, self.propensity.map(|_| sum)));
        }
        points
    }

    fn point(&self, n_people: usize, expected: Option<Expectation>) -> Point {
        let share = n_people as f64 / self.score.len() as f64;
        let interval = expected.map(Expectation::interval);
        let cost = self.cost.map(|cost| cost * n_people as f64);
        let reached = self.places.map(|places| {
            // A member who stands above all but the best `share` of the candidates would have been on the list.
            let n = places.iter().filter(|&&place| place >= 1.0 - share).count();
            Rate::new(n, places.len())
        });
        let of_reached = reached.and_then(Rate::interval);
        Point {
            n_people: n_people as u64,
            share,
            score: self.score[n_people - 1],
            expected_conversions: expected.map(|expected| expected.conversions),
            expected_low: interval.map(|(low, _)| low),
            expected_high: interval.map(|(_, high)| high),
            expected_precision: expected.map(|expected| expected.conversions / n_people as f64),
            precision_low: interval.map(|(low, _)| low / n_people as f64),
            precision_high: interval.map(|(_, high)| high / n_people as f64),
            cost,
            expected_profit: self
                .value
                .zip(cost)
                .zip(expected)
                .map(|((value, cost), expected)| value * expected.conversions - cost),
            seed_reached: reached.and_then(Rate::share),
            seed_reached_low: of_reached.map(|(low, _)| low),
            seed_reached_high: of_reached.map(|(_, high)| high),
            seed_lift: reached.and_then(Rate::share).map(|reached| reached / share),
        }
    }
}

/// The table of `curve.parquet`.
pub(super) fn frame(points: &[Point]) -> Result<DataFrame> {
    let number = |name: &str, of: &dyn Fn(&Point) -> Option<f64>| -> Column {
        Series::new(name.into(), points.iter().map(of).collect::<Vec<_>>()).into()
    };
    let n_people: Vec<u64> = points.iter().map(|point| point.n_people).collect();
    let columns = vec![
        Series::new("n_people".into(), n_people).into(),
        number("share", &|point| Some(point.share)),
        number("score", &|point| Some(point.score)),
        number("expected_conversions", &|point| point.expected_conversions),
        number("expected_low", &|point| point.expected_low),
        number("expected_high", &|point| point.expected_high),
        number("expected_precision", &|point| point.expected_precision),
        number("precision_low", &|point| point.precision_low),
        number("precision_high", &|point| point.precision_high),
        number("cost", &|point| point.cost),
        number("expected_profit", &|point| point.expected_profit),
        number("seed_reached", &|point| point.seed_reached),
        number("seed_reached_low", &|point| point.seed_reached_low),
        number("seed_reached_high", &|point| point.seed_reached_high),
        number("seed_lift", &|point| point.seed_lift),
    ];
    Ok(DataFrame::new(points.len(), columns)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions_and_profit_by_hand() {
        let propensity = [0.5, 0.4, 0.3];
        let curve = Curve {
            score: &propensity,
            propensity: Some(&propensity),
            cost: Some(2.0),
            value: Some(10.0),
            places: None,
        };
        let profits: Vec<f64> = curve.points().iter().filter_map(|point| point.expected_profit).collect();
        assert!(profits.iter().zip([3.0, 5.0, 6.0]).all(|(a, b)| (a - b).abs() < 1e-12), "{profits:?}");
        assert!((curve.points()[1].expected_precision.unwrap() - 0.45).abs() < 1e-12);
        let many = vec![0.1; 1234];
        let many = Curve { score: &many, propensity: Some(&many), ..Curve::default() }.points();
        assert_eq!((many.len(), many[0].n_people, many[99].n_people), (100, 13, 1234));
        // Σ p (1 − p) = 1234 × 0.09, and 1.96 × its root is 20.66.
        assert!((many[99].expected_high.unwrap() - 123.4 - 20.655).abs() < 0.01, "{:?}", many[99]);
    }

    #[test]
    fn hidden_members_reached_by_hand() {
        // Four members: above 99 %, 95 %, 60 % and 10 % of the candidates. The best tenth holds two of them.
        let score: Vec<f64> = (0..100).rev().map(f64::from).collect();
        let curve = Curve { score: &score, places: Some(&[0.99, 0.95, 0.6, 0.1]), ..Curve::default() };
        let tenth = curve.points()[9];
        assert_eq!((tenth.n_people, tenth.seed_reached, tenth.score), (10, Some(0.5), 90.0));
        assert!((tenth.seed_lift.unwrap() - 5.0).abs() < 1e-12 && tenth.expected_conversions.is_none());
    }
}
