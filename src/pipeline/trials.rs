//! The trials of a search of settings, kept in `trials.json` while they are made.
//!
//! In: where the file stands, and the key of the search (all that its trials depend on). A search that was cut short finds the
//! trials of the same key there, and with a budget of seconds how many are spent; those of another key are another search's. With
//! a budget of trials no clock is kept: the file is the same on any machine.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::predict::estimator::Trial;
use crate::predict::search::Journal;
use crate::spec::Budget;
use crate::store;

/// Version of the format of `trials.json`.
const FORMAT_VERSION: u32 = 1;

/// `trials.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    format_version: u32,
    /// All that the trials depend on, as one hash.
    key: String,
    /// Seconds on the clock so far, where they are what the search may spend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    /// In the order in which they were made.
    trials: Vec<Trial>,
}

/// A file of trials, and a clock that started with it.
pub(super) struct TrialFile {
    path: PathBuf,
    key: String,
    has_clock: bool,
    /// What a search that was cut short had taken …
    before: Duration,
    /// … and when this one went on from there.
    started: Instant,
    trials: Mutex<Vec<Trial>>,
}

impl TrialFile {
    pub(super) fn open(path: PathBuf, key: String, budget: Option<Budget>) -> Self {
        let kept = store::read_json::<Kept>(&path).ok();
        let known = kept.filter(|kept| kept.format_version == FORMAT_VERSION && kept.key == key);
        let seconds = known.as_ref().and_then(|kept| kept.seconds);
        let before = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or_default();
        let trials = Mutex::new(known.map_or_else(Vec::new, |kept| kept.trials));
        let has_clock = matches!(budget, Some(Budget::Seconds(_)));
        Self { path, key, has_clock, before, started: Instant::now(), trials }
    }

    /// Writes all trials of a finished run in place of what was kept on the way.
    pub(super) fn finish(&self, trials: &[Trial]) -> Result<()> {
        let seconds = self.has_clock.then(|| self.elapsed().as_secs_f64());
        let kept = Kept { format_version: FORMAT_VERSION, key: self.key.clone(), seconds, trials: trials.to_vec() };
        store::write_json(&self.path, &kept)
    }
}

impl Journal for TrialFile {
    fn recall(&self) -> Vec<Trial> {
        self.trials.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn record(&self, trials: &[Trial]) -> Result<()> {
        let mut all = self.trials.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend_from_slice(trials);
        self.finish(&all)
    }

    fn elapsed(&self) -> Duration {
        self.before + self.started.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predict::bayes::BayesSettings;
    use crate::predict::estimator::Settings;

    fn trial(number: usize) -> Trial {
        Trial {
            estimator: "bayes".into(),
            number,
            settings: Settings::Bayes(BayesSettings { knots: 8, smoothing: 1.0, slope: 0.5 }),
            n_windows: 4,
            row_share: 1.0,
            loss: 0.25,
        }
    }

    #[test]
    fn a_search_that_was_cut_short_goes_on_with_its_trials_and_its_clock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trials.json");
        let open = |key: &str, budget| TrialFile::open(path.clone(), key.into(), Some(budget));
        let first = open("a", Budget::Seconds(60));
        first.record(&[trial(0), trial(1)]).unwrap();
        std::thread::sleep(Duration::from_millis(20));
        first.record(&[trial(2)]).unwrap();
        drop(first);
        let second = open("a", Budget::Seconds(60));
        assert_eq!(second.recall(), [trial(0), trial(1), trial(2)]);
        assert!(second.elapsed() >= Duration::from_millis(20), "{:?}", second.elapsed());
        assert!(open("b", Budget::Seconds(60)).recall().is_empty(), "another search");
    }

    #[test]
    fn with_a_budget_of_trials_no_clock_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trials.json");
        TrialFile::open(path.clone(), "a".into(), Some(Budget::Trials(3))).record(&[trial(0)]).unwrap();
        let kept: serde_json::Value = store::read_json(&path).unwrap();
        assert_eq!(kept.get("seconds"), None);
        assert_eq!(kept["trials"].as_array().map(Vec::len), Some(1));
    }
}
