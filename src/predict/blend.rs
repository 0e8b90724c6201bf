//! A blend: the margins of several models, weighed and added.
//!
//! The weights are found on the judged rows of the windows ([`super::stacking`]); a model that adds nothing is left out. The
//! margins on which the blend itself is judged come from weights that have not seen the example. Contributions add up as the
//! margins do.

use serde::{Deserialize, Serialize};

use super::estimator::{Contributions, Data, Estimator, Fitted, Prepared, Settings, Tuned, Window};
use super::stacking::{FOLDS, MOST_PARTS, Stack, fold_of};
use crate::discover::Table;
use crate::error::{Error, Result};

/// Several estimators, as the spec names them together.
pub struct Blending {
    /// What is blended.
    pub parts: Vec<Box<dyn Estimator>>,
}

/// What a blend is fitted with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlendSettings {
    /// What is added to the weighed margins.
    pub intercept: f64,
    /// The parts that have weight.
    pub parts: Vec<PartSettings>,
}

/// One part of a blend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartSettings {
    /// The name of its estimator.
    pub estimator: String,
    /// How much it counts.
    pub weight: f64,
    /// Its own settings.
    pub settings: Settings,
}

/// `margin = intercept + Σ weight × margin of a part`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Blend {
    /// What is added.
    pub intercept: f64,
    /// The models, none of them a blend; all on the same features in the same order.
    pub parts: Vec<Part>,
}

/// A model of a blend.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Part {
    /// `logistic`, `boosting` …
    pub estimator: String,
    /// How much its margin counts.
    pub weight: f64,
    /// The model.
    pub model: Fitted,
}

impl Blend {
    /// The blend that `settings` say, of models that are fitted already.
    pub(super) fn of(settings: &Settings, fitted: impl Fn(&str) -> Option<Fitted>) -> Self {
        let Settings::Blend(settings) = settings else { return Self { intercept: 0.0, parts: Vec::new() } };
        let part = |part: &PartSettings| {
            let model = fitted(&part.estimator)?;
            Some(Part { estimator: part.estimator.clone(), weight: part.weight, model })
        };
        Self { intercept: settings.intercept, parts: settings.parts.iter().filter_map(part).collect() }
    }

    /// See [`Fitted::features`].
    #[must_use]
    pub fn features(&self) -> Vec<&str> {
        self.parts.first().map_or_else(Vec::new, |part| part.model.features())
    }

    /// See [`Fitted::margins`].
    ///
    /// # Errors
    /// When the table lacks a feature or holds it in another form.
    pub fn margins(&self, table: &Table, rows: &[u32]) -> Result<Vec<f64>> {
        let mut sums = vec![self.intercept; rows.len()];
        for part in &self.parts {
            let margins = part.model.margins(table, rows)?;
            sums.iter_mut().zip(margins).for_each(|(sum, margin)| *sum += part.weight * margin);
        }
        Ok(sums)
    }

    /// See [`Fitted::contributions`].
    ///
    /// # Errors
    /// As [`Blend::margins`].
    pub fn contributions(&self, table: &Table, rows: &[u32]) -> Result<Contributions> {
        let mut sum = Contributions { values: vec![0.0; rows.len() * self.features().len()], average: self.intercept };
        for part in &self.parts {
            let of_part = part.model.contributions(table, rows)?;
            sum.average += part.weight * of_part.average;
            sum.values.iter_mut().zip(of_part.values).for_each(|(sum, value)| *sum += part.weight * value);
        }
        Ok(sum)
    }

    /// See [`Fitted::check`].
    ///
    /// # Errors
    /// When a part is damaged, or the parts do not fit together.
    pub fn check(&self) -> Result<()> {
        let features = self.features();
        let numbers = self.parts.iter().map(|part| part.weight).chain([self.intercept]);
        let fits = |part: &Part| !matches!(part.model, Fitted::Blend(_)) && part.model.features() == features;
        let sound = numbers.into_iter().all(f64::is_finite)
            && (1..=MOST_PARTS).contains(&self.parts.len())
            && self.parts.iter().all(fits);
        if !sound {
            return Err(Error::data("the parts of the blend are damaged"));
        }
        self.parts.iter().try_for_each(|part| part.model.check())
    }
}

impl Estimator for Blending {
    fn name(&self) -> &'static str {
        "blend"
    }

    fn prepare<'a>(&'a self, data: Data<'a>, rows: &[u32]) -> Result<Box<dyn Prepared + 'a>> {
        let parts: Result<Vec<_>> =
            self.parts.iter().map(|part| Ok((part.name(), part.prepare(data, rows)?))).collect();
        Ok(Box::new(PreparedBlend { data, parts: parts? }))
    }
}

struct PreparedBlend<'a> {
    data: Data<'a>,
    parts: Vec<(&'static str, Box<dyn Prepared + 'a>)>,
}

impl Prepared for PreparedBlend<'_> {
    fn tune(&self, windows: &[Window]) -> Result<Tuned> {
        let tuned: Result<Vec<(&str, Tuned)>> =
            self.parts.iter().map(|(name, part)| Ok((*name, part.tune(windows)?))).collect();
        let tuned = tuned?;
        let parts: Vec<(&str, &Settings, &[Vec<f64>])> =
            tuned.iter().map(|(name, tuned)| (*name, &tuned.settings, tuned.margins.as_slice())).collect();
        let blend = blended(&parts, self.data, windows);
        Ok(Tuned { trials: tuned.into_iter().flat_map(|(_, tuned)| tuned.trials).collect(), ..blend })
    }

    fn fit(&self, rows: &[u32], settings: &Settings) -> Result<Fitted> {
        self.fitted(settings, |part, settings| part.fit(rows, settings))
    }

    fn fit_to_keep(&self, rows: &[u32], settings: &Settings) -> Result<Fitted> {
        self.fitted(settings, |part, settings| part.fit_to_keep(rows, settings))
    }
}

impl PreparedBlend<'_> {
    fn fitted(&self, settings: &Settings, fit: impl Fn(&dyn Prepared, &Settings) -> Result<Fitted>) -> Result<Fitted> {
        let Settings::Blend(settings) = settings else {
            return Err(Error::internal("a blend was given the settings of one model"));
        };
        let fit = |part: &PartSettings| {
            let prepared = self.parts.iter().find(|(name, _)| *name == part.estimator);
            let (_, prepared) = prepared.ok_or_else(|| Error::internal("a part of the blend was never prepared"))?;
            let model = fit(&**prepared, &part.settings)?;
            Ok(Part { estimator: part.estimator.clone(), weight: part.weight, model })
        };
        let parts: Result<_> = settings.parts.iter().map(fit).collect();
        Ok(Fitted::Blend(Blend { intercept: settings.intercept, parts: parts? }))
    }
}

/// The blend of tuned parts (name, settings, margins per window): its settings, and its honest margins.
pub(super) fn blended(parts: &[(&str, &Settings, &[Vec<f64>])], data: Data<'_>, windows: &[Window]) -> Tuned {
    let margins: Vec<&[Vec<f64>]> = parts.iter().map(|(_, _, margins)| *margins).collect();
    let stack = Stack::new(&margins, data, windows);
    let all = stack.best(None);
    let mut blend: Vec<Vec<f64>> = windows.iter().map(|window| vec![0.0; window.judge.len()]).collect();
    for fold in 0..FOLDS {
        let solved = stack.best(Some(fold));
        for (window, blend) in blend.iter_mut().enumerate() {
            for (at, margin) in blend.iter_mut().enumerate() {
                if fold_of(data.key[windows[window].judge[at] as usize]) == fold {
                    let weighed = solved.weights.iter().zip(&margins);
                    *margin = solved.level + weighed.map(|(weight, margins)| weight * margins[window][at]).sum::<f64>();
                }
            }
        }
    }
    let part = |((estimator, settings, _), &weight): (&(&str, &Settings, _), &f64)| {
        (weight > 0.0).then(|| PartSettings {
            estimator: (*estimator).to_owned(),
            weight,
            settings: (*settings).clone(),
        })
    };
    let kept = parts.iter().zip(&all.weights).filter_map(part).collect();
    Tuned {
        settings: Settings::Blend(BlendSettings { intercept: all.level, parts: kept }),
        margins: blend,
        trials: Vec::new(),
    }
}
