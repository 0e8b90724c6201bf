//! Bundles with random edits: refused each time, and never a panic, even when the seal was put right. `benches/mutate` does the
//! same a hundred thousand times, and measures memory.

use clo::predict::bundle::FORMAT_VERSION;
use clo::predict::{Bundle, sealed};

use super::golden::{bundles, rows};

#[path = "../../benches/mutate/edits.rs"]
pub(crate) mod edits;

/// Edits of each bundle, each with a seal that is broken and one that was put right.
const N_EDITS: usize = 400;

#[test]
fn an_edited_bundle_is_refused_and_never_panics() {
    let folder = format!("tests/golden/format-{FORMAT_VERSION}");
    let table = rows(&folder);
    let mut edits = edits::Edits::new(5);
    for (name, file) in bundles(&folder) {
        let plain = serde_json::to_vec(&Bundle::from_bytes(&file).unwrap()).unwrap();
        for _ in 0..N_EDITS {
            let edited = edits.edited(&file);
            if edited != file {
                let error = Bundle::from_bytes(&edited).expect_err("an edit is noticed");
                assert_eq!(error.exit_code(), 4, "{name}: {error}");
            }
            let edited = edits.edited(&plain);
            if let Ok(bundle) = Bundle::from_bytes(&sealed::seal(FORMAT_VERSION, &edited).unwrap_or(edited)) {
                drop(bundle.score(&table));
            }
        }
    }
}
