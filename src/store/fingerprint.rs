//! What a file holds and what a unit of work depends on, each as one BLAKE3 hash.

use std::fmt::Debug;
use std::fs::File;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Size and content of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Size in bytes.
    pub bytes: u64,
    /// BLAKE3 of the bytes, hex.
    pub blake3: String,
}

impl Fingerprint {
    /// The fingerprint of a file, read once from start to end.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn of(path: &Path) -> Result<Self> {
        let fail = |source: std::io::Error| Error::io("read", path, &source);
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(File::open(path).map_err(fail)?).map_err(fail)?;
        Ok(Self { bytes: hasher.count(), blake3: hasher.finalize().to_hex().to_string() })
    }

    /// Whether a file still holds this; a missing or unreadable one does not.
    #[must_use]
    pub fn still_holds(&self, path: &Path) -> bool {
        let as_long = path.metadata().is_ok_and(|found| found.is_file() && found.len() == self.bytes);
        as_long && Self::of(path).is_ok_and(|found| found == *self)
    }
}

/// BLAKE3 of bytes, hex.
#[must_use]
pub fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// Gathers all that a unit of work depends on into one hash. Each part goes in with its name and length, so that no two
/// lists of parts give the same key.
#[derive(Debug)]
pub struct Key(blake3::Hasher);

impl Key {
    /// A key of what `name` depends on.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(blake3::Hasher::new()).with("name", &name)
    }

    /// Adds a part: its name, and its value as `Debug` shows it (floats to the last bit, maps in order).
    #[must_use]
    pub fn with(mut self, name: &str, value: &dyn Debug) -> Self {
        for text in [name, &format!("{value:?}")] {
            self.0.update(&(text.len() as u64).to_le_bytes());
            self.0.update(text.as_bytes());
        }
        self
    }

    /// The hash, hex.
    #[must_use]
    pub fn finish(&self) -> String {
        self.0.finalize().to_hex().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        let one = Key::new("map").with("a", &"b").with("c", &"d").finish();
        let other = Key::new("map").with("a", &"bc").with("", &"d").finish();
        assert_ne!(one, other);
        assert_eq!(one, Key::new("map").with("a", &"b").with("c", &"d").finish());
    }

    #[test]
    fn a_fingerprint_is_blake3_of_the_bytes() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        crate::store::write_bytes(file.path(), b"abc").expect("written");
        let found = Fingerprint::of(file.path()).expect("read");
        // From the BLAKE3 paper's reference implementation: b3sum of "abc".
        assert_eq!(found.blake3, "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85");
        assert_eq!(found.bytes, 3);
        assert!(found.still_holds(file.path()));
        crate::store::write_bytes(file.path(), b"abd").expect("written");
        assert!(!found.still_holds(file.path()));
    }
}
