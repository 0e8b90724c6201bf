//! Learning from other odds than those of the population, and putting them right.
//!
//! When only a share `s` of those who did not attain is learned from, and those who attained count `w` times, the odds that a
//! model learns are `w / s` times the true ones, whatever the features (King and Zeng 2001, prior correction). So every margin
//! is moved by `ln s − ln w`: exactly right for a model that holds the truth, and what stays for the others is calibrated on
//! whole, unweighted windows like anything else.

use super::estimator::{Data, Estimator, Fitted, Prepared, Settings, Tuned, Window};
use crate::error::Result;

/// An estimator that learns from a part of those who did not attain, or counts those who did more often.
pub struct Corrected {
    /// What learns.
    pub inner: Box<dyn Estimator>,
    /// Share of those who did not attain that is learned from, above 0, at most 1.
    pub negatives: f64,
    /// How often those who attained count, as the weights of the data have it.
    pub attained_weight: f64,
}

impl Estimator for Corrected {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn prepare<'a>(&'a self, data: Data<'a>, rows: &[u32]) -> Result<Box<dyn Prepared + 'a>> {
        let inner = self.inner.prepare(data, &self.sampled(data, rows))?;
        Ok(Box::new(PreparedCorrected { inner, data, asked: self }))
    }
}

impl Corrected {
    /// All who attained, and of the others those whose key falls into the share: the same ones in every part.
    fn sampled(&self, data: Data<'_>, rows: &[u32]) -> Vec<u32> {
        let kept = |row: u32| {
            let place = (data.key[row as usize].rotate_left(23) >> 11) as f64 / (1_u64 << 53) as f64;
            data.label[row as usize] || place < self.negatives
        };
        rows.iter().copied().filter(|&row| kept(row)).collect()
    }

    /// What is added to each margin.
    fn correction(&self) -> f64 {
        libm::log(self.negatives) - libm::log(self.attained_weight)
    }
}

struct PreparedCorrected<'a> {
    inner: Box<dyn Prepared + 'a>,
    data: Data<'a>,
    asked: &'a Corrected,
}

impl Prepared for PreparedCorrected<'_> {
    fn tune(&self, windows: &[Window]) -> Result<Tuned> {
        let sampled =
            |window: &Window| Window { fit: self.asked.sampled(self.data, &window.fit), judge: window.judge.clone() };
        let windows: Vec<Window> = windows.iter().map(sampled).collect();
        let mut tuned = self.inner.tune(&windows)?;
        tuned.margins.iter_mut().flatten().for_each(|margin| *margin += self.asked.correction());
        Ok(tuned)
    }

    fn fit(&self, rows: &[u32], settings: &Settings) -> Result<Fitted> {
        let rows = self.asked.sampled(self.data, rows);
        Ok(self.inner.fit(&rows, settings)?.moved(self.asked.correction()))
    }

    fn fit_to_keep(&self, rows: &[u32], settings: &Settings) -> Result<Fitted> {
        let rows = self.asked.sampled(self.data, rows);
        Ok(self.inner.fit_to_keep(&rows, settings)?.moved(self.asked.correction()))
    }
}
