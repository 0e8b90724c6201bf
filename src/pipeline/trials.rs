//! The trials of a search of settings, kept in `trials.json` while they are made.
//!
//! In: where the file stands, and the key of the search (all that its trials depend on). A search that was cut short finds the
//! trials of the same key there; those of another key are another search's.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::predict::estimator::Trial;
use crate::predict::search::Journal;
use crate::store;

/// Version of the format of `trials.json`.
const FORMAT_VERSION: u32 = 1;

/// `trials.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    format_version: u32,
    /// All that the trials depend on, as one hash.
    key: String,
    /// In the order in which they were made.
    trials: Vec<Trial>,
}

/// A file of trials, and a clock that started with it.
pub(super) struct TrialFile {
    path: PathBuf,
    key: String,
    started: Instant,
    trials: Mutex<Vec<Trial>>,
}

impl TrialFile {
    pub(super) fn open(path: PathBuf, key: String) -> Self {
        let kept = store::read_json::<Kept>(&path).ok();
        let known = kept.filter(|kept| kept.format_version == FORMAT_VERSION && kept.key == key);
        let trials = Mutex::new(known.map_or_else(Vec::new, |kept| kept.trials));
        Self { path, key, started: Instant::now(), trials }
    }

    /// Writes all trials of a finished run in place of what was kept on the way.
    pub(super) fn finish(&self, trials: &[Trial]) -> Result<()> {
        let kept = Kept { format_version: FORMAT_VERSION, key: self.key.clone(), trials: trials.to_vec() };
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
        self.started.elapsed()
    }
}
