//! Which features go together: SHAP interaction values over a sample.
//!
//! The strength of a pair is the mean of `|Φᵢⱼ + Φⱼᵢ|` in log odds ([`crate::predict::shap`]): how far the two move a prediction
//! together beyond what each does alone. A linear model adds features up, and has none; of a blend, its trees have some.

use super::Sample;
use crate::error::Result;
use crate::predict::estimator::Fitted;
use crate::predict::shap::Explainer;

/// Rows that are looked at, at most …
const MOST_ROWS: usize = 400;
/// … and at least, however many leaves there are …
const LEAST_ROWS: usize = 40;
/// … so that rows × leaves stay near this.
const WORK: usize = 4_000_000;

/// Two features that go together.
#[derive(Debug, Clone, PartialEq)]
pub struct Interaction {
    /// The one that weighs more alone.
    pub feature: String,
    /// The other.
    pub with: String,
    /// Mean absolute interaction in log odds.
    pub strength: f64,
    /// On how many examples it was measured.
    pub n: u64,
}

/// All pairs of the features at these positions, the strongest first.
pub(super) fn interactions(sample: &Sample<'_>, features: &[usize]) -> Result<Vec<Interaction>> {
    let n_leaves = n_leaves(&sample.judged.model);
    if n_leaves == 0 || features.len() < 2 {
        return Ok(Vec::new());
    }
    let most = (WORK / n_leaves).clamp(LEAST_ROWS, MOST_ROWS);
    let step = sample.rows.len().div_ceil(most).max(1);
    let rows: Vec<u32> = sample.rows.iter().copied().step_by(step).collect();
    let n = features.len();
    let mut values = vec![0.0; rows.len() * n * n];
    add(&sample.judged.model, 1.0, sample, &rows, features, &mut values)?;
    let names = sample.judged.model.features();
    let mut found = Vec::new();
    for first in 0..n {
        for second in first + 1..n {
            let of = |matrix: &[f64]| (matrix[first * n + second] + matrix[second * n + first]).abs();
            let strength = values.chunks_exact(n * n).map(of).sum::<f64>() / rows.len().max(1) as f64;
            found.push(Interaction {
                feature: names[features[first]].to_owned(),
                with: names[features[second]].to_owned(),
                strength,
                n: rows.len() as u64,
            });
        }
    }
    found.retain(|pair| pair.strength > 0.0);
    found.sort_by(|a, b| b.strength.total_cmp(&a.strength));
    Ok(found)
}

fn n_leaves(model: &Fitted) -> usize {
    match model {
        Fitted::Linear(_) => 0,
        Fitted::Trees(trees) => Explainer::new(&trees.trees, trees.offset).n_leaves(),
        Fitted::Blend(blend) => blend.parts.iter().map(|part| n_leaves(&part.model)).sum(),
    }
}

fn add(
    model: &Fitted,
    weight: f64,
    sample: &Sample<'_>,
    rows: &[u32],
    features: &[usize],
    values: &mut [f64],
) -> Result<()> {
    match model {
        Fitted::Linear(_) => Ok(()),
        Fitted::Trees(trees) => {
            let found = trees.interactions(&sample.examples.features, rows, features)?;
            values.iter_mut().zip(found).for_each(|(sum, value)| *sum += weight * value);
            Ok(())
        }
        Fitted::Blend(blend) => blend
            .parts
            .iter()
            .try_for_each(|part| add(&part.model, weight * part.weight, sample, rows, features, values)),
    }
}
