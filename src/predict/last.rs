//! The fit that is kept, once the test has been judged.

use super::band::{Band, HeldOut};
use super::calibration::{Calibrator, LEAST_SLOPE, Platt};
use super::choose::Tried;
use super::estimator::{Data, Estimator, Fitted, Settings, Window};
use super::evaluation::LearningCurve;
use super::judge::tempered;
use super::learning;
use super::level::{Mixture, Past};
use super::scheme::Scheme;
use super::stacking::Stack;
use crate::discover::Examples;
use crate::error::Result;
use crate::spec::{Level, Prediction};

/// What is kept.
pub(super) struct Kept {
    pub(super) settings: Settings,
    pub(super) model: Fitted,
    pub(super) calibration: Calibrator,
    pub(super) band: Option<Band>,
    pub(super) moved: Option<String>,
}

/// The fit that is kept: to every example whose outcome is known.
pub(super) struct Last<'a> {
    pub(super) examples: &'a Examples,
    pub(super) prediction: &'a Prediction,
    pub(super) scheme: &'a Scheme,
    pub(super) data: Data<'a>,
    pub(super) person_key: &'a [u64],
    /// What the estimator was found to need …
    pub(super) found: &'a Tried,
    /// … and how its margins are calibrated.
    pub(super) held_out: &'a Calibrator,
}

impl Last<'_> {
    /// The settings, the model and its calibration, and how sure that is. Out of time, settings and calibration are found once more on the newest
    /// windows, where the world may have become another; in folds all is alike, and what was found serves.
    pub(super) fn fit(&self, estimator: &dyn Estimator, find_again: bool) -> Result<Kept> {
        let (scheme, data) = (self.scheme, self.data);
        let prepared = estimator.prepare(data, &scheme.all)?;
        let (windows, n_covering) = &scheme.newest_windows;
        let (settings, held_out, judged, margins) = if find_again && !windows.is_empty() {
            let tuned = prepared.tune(windows)?;
            let covering = (&windows[..*n_covering], &tuned.margins[..*n_covering]);
            let calibrator = held_out_calibrator(covering, data, self.person_key);
            (tuned.settings, calibrator, judged_by(covering.0), covering.1.concat())
        } else {
            let judged = judged_by(&scheme.windows[..scheme.n_covering]);
            (self.found.settings.clone(), self.held_out.clone(), judged, self.found.margins.clone())
        };
        let model = prepared.fit_to_keep(&scheme.all, &settings)?;
        let past = Past::new(self.examples, data, &scheme.all, self.prediction.horizon);
        let found = Found { estimator, settings: &settings, shape: &held_out };
        let level = found.level(past.as_ref(), self.prediction)?;
        let band = self.prediction.model.uncertainty.then(|| {
            let person: Vec<u32> = judged.iter().map(|&row| self.examples.person[row as usize]).collect();
            let labels = data.labels(&judged);
            Band::new(HeldOut { margins: &margins, labels: &labels, person: &person }, &held_out, level.error)
        });
        let Some(past) = past else {
            return Ok(Kept { settings, model, calibration: held_out, band, moved: None });
        };
        // In a snapshot everybody's outcome is known, and those who will be scored are most like the newest.
        let scored = if self.examples.snapshot { Vec::new() } else { self.examples.eligible_now() };
        let calibration = past.at_level(&model, &held_out, &level, &scored)?;
        Ok(Kept { settings, model, calibration, band, moved: past.moved() })
    }
}

/// An estimator, its settings and the shape of its calibration.
pub(super) struct Found<'a> {
    pub(super) estimator: &'a dyn Estimator,
    pub(super) settings: &'a Settings,
    pub(super) shape: &'a Calibrator,
}

impl Found<'_> {
    /// Which outcomes set the level: what the spec says, or each way by how near it came in the past.
    pub(super) fn level(&self, past: Option<&Past<'_>>, prediction: &Prediction) -> Result<Mixture> {
        let said = prediction.model.level;
        match past {
            Some(past) if said == Level::Auto || prediction.model.uncertainty => {
                past.mixture(self.estimator, self.settings, self.shape, said)
            }
            _ => Ok(Mixture::of(said)),
        }
    }

    /// What parts of the examples would have taught, if that is asked for or costs little.
    pub(super) fn learning_curve(
        &self,
        prediction: &Prediction,
        data: Data<'_>,
        scheme: &Scheme,
        (person_key, examples): (&[u64], &Examples),
        seed: u64,
    ) -> Result<Option<LearningCurve>> {
        if !prediction.model.learning_curve.unwrap_or(scheme.fit.len() <= learning::CHEAP) {
            return Ok(None);
        }
        let person: Vec<u32> = scheme.test.iter().map(|&row| examples.person[row as usize]).collect();
        let (fit, test) = (scheme.fit.as_slice(), scheme.test.as_slice());
        let (prepared, settings) = (self.estimator.prepare(data, fit)?, self.settings);
        let prepared = &*prepared;
        learning::Learner { data, prepared, settings, fit, person_key, test, person: &person, seed }.curve()
    }
}

/// The rows that windows judge, window after window.
pub(super) fn judged_by(windows: &[Window]) -> Vec<u32> {
    windows.iter().flat_map(|window| window.judge.iter().copied()).collect()
}

/// The calibration that held-out margins (windows, and margins for each) tell. What was held out in time tells less of what comes: a
/// slope of at most 1 is what holds of the shape within windows, whose levels move for other reasons than the scores (the level is
/// set later). Richer maps, and slopes that make scores surer than they were, follow what was true of one time only.
pub(super) fn held_out_calibrator(
    (windows, margins): (&[Window], &[Vec<f64>]),
    data: Data<'_>,
    person_key: &[u64],
) -> Calibrator {
    let judged = judged_by(windows);
    if tempered(data, windows) {
        return Calibrator::Platt(Platt::tempered(&margins.concat(), &data.labels(&judged)));
    }
    if data.out_of_time {
        let weighed = Stack::new(&[margins], data, windows).without_negatives(None);
        let (slope, intercept) = weighed.map_or((0.0, 0.0), |weighed| (weighed.weights[0], weighed.level));
        let line = if (LEAST_SLOPE..=1.0).contains(&slope) {
            Platt { slope, intercept }
        } else {
            Platt::of_slope(slope.clamp(LEAST_SLOPE, 1.0), &margins.concat(), &data.labels(&judged))
        };
        return Calibrator::Platt(line);
    }
    let key: Vec<u64> = judged.iter().map(|&row| person_key[row as usize]).collect();
    Calibrator::choose(&margins.concat(), &data.labels(&judged), &key)
}
