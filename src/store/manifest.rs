//! `out/manifest.json`: what was made, from what, by which unit of work. No clock, no absolute path, nobody's data.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Fingerprint, Layout, read_json, write_json};
use crate::error::{Error, Result};

/// Version of the manifest's form, and of what units of work write: a change of either makes every unit stale.
pub const FORMAT_VERSION: u32 = 1;

/// `out/manifest.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this format.
    pub format_version: u32,
    /// Version of clo that wrote it.
    pub clo_version: String,
    /// The project's name.
    pub project: String,
    /// BLAKE3 of `clo.toml`, hex.
    pub spec_blake3: String,
    /// The seed that every random choice derived from.
    pub seed: u64,
    /// The end of observation, where the spec or `--as-of` tells it.
    pub end: Option<String>,
    /// Every input, sorted.
    pub inputs: Vec<Input>,
    /// The units of work that are done: what each depended on, as one hash.
    pub units: BTreeMap<String, String>,
    /// Every artifact, sorted by path.
    pub artifacts: Vec<Artifact>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Input {
    /// What read it: `tables.orders`, `audiences.x.suppress`.
    pub name: String,
    /// Its path, relative to `clo.toml` if it lies beside or below it, else its name.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// BLAKE3 of the bytes, hex.
    pub blake3: String,
    /// Rows read, the rejected ones among them.
    pub rows: Option<u64>,
    /// Rows rejected.
    pub rejected: Option<u64>,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// Its path relative to `out/`, or from `models/` on.
    pub path: String,
    /// The unit of work that wrote it.
    pub unit: String,
    /// Size and content.
    #[serde(flatten)]
    pub content: Fingerprint,
}

impl Manifest {
    /// The manifest of an output folder. A missing one is empty, and so is one that cannot be understood: everything is
    /// then done again.
    #[must_use]
    pub fn read(layout: &Layout) -> Self {
        let found: Option<Self> = read_json(&path(layout)).ok();
        found.filter(|found| found.format_version == FORMAT_VERSION).unwrap_or_default()
    }

    /// Writes the manifest, unless it already says the same.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, layout: &Layout) -> Result<()> {
        let standing: Option<Self> = read_json(&path(layout)).ok();
        if standing.as_ref() == Some(self) { Ok(()) } else { write_json(&path(layout), self) }
    }

    /// Whether a unit was done from the same, and all it wrote is still there.
    #[must_use]
    pub fn is_fresh(&self, unit: &str, key: &str, layout: &Layout) -> bool {
        let same = self.units.get(unit).is_some_and(|done| done == key);
        same && self
            .artifacts
            .par_iter()
            .filter(|artifact| artifact.unit == unit)
            .all(|artifact| artifact.content.still_holds(&layout.place(&artifact.path)))
    }

    /// What a unit wrote when it was last done.
    pub fn artifacts_of(&self, unit: &str) -> impl Iterator<Item = &Artifact> {
        self.artifacts.iter().filter(move |artifact| artifact.unit == unit)
    }

    /// Notes that a unit is done and what it wrote.
    ///
    /// # Errors
    /// When one of the files cannot be read, or lies neither under `out/` nor under `models/`.
    pub fn record(&mut self, unit: &str, key: &str, written: &[PathBuf], layout: &Layout) -> Result<()> {
        let artifact = |path: &PathBuf| -> Result<Artifact> {
            let relative = layout.relative(path);
            let relative = relative.ok_or_else(|| Error::internal(format!("{} is no artifact", path.display())))?;
            Ok(Artifact { path: relative, unit: unit.to_owned(), content: Fingerprint::of(path)? })
        };
        let made = written.par_iter().map(artifact).collect::<Result<Vec<_>>>()?;
        self.artifacts.retain(|artifact| artifact.unit != unit && made.iter().all(|new| new.path != artifact.path));
        self.artifacts.extend(made);
        self.artifacts.sort_by(|a, b| a.path.cmp(&b.path));
        self.units.insert(unit.to_owned(), key.to_owned());
        Ok(())
    }

    /// Forgets the units that `known` does not know, and returns their names.
    pub fn forget(&mut self, known: impl Fn(&str) -> bool) -> Vec<String> {
        let gone: Vec<String> = self.units.keys().filter(|unit| !known(unit)).cloned().collect();
        self.units.retain(|unit, _| known(unit));
        self.artifacts.retain(|artifact| known(&artifact.unit));
        gone
    }
}

/// Where the manifest of an output folder stands.
#[must_use]
pub fn path(layout: &Layout) -> PathBuf {
    layout.file("manifest.json")
}

/// How the manifest names an input: relative to `root` if it lies there, else by its file name, for an absolute path says
/// more of a machine than of the data.
#[must_use]
pub fn shown(path: &Path, root: &Path) -> String {
    let inside = path.strip_prefix(root).unwrap_or(path);
    let shown = Some(inside).filter(|path| path.is_relative());
    let parts = |path: &Path| path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/");
    shown.map_or_else(|| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(), parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::write_bytes;

    #[test]
    fn a_unit_is_fresh_until_its_key_or_a_file_of_it_changes() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let layout = Layout { out: folder.path().join("out"), models: folder.path().join("models") };
        let files = [layout.file("map/a.json"), layout.models.join("p/v1/model.json")];
        for file in &files {
            write_bytes(file, b"1").expect("written");
        }
        let mut manifest = Manifest { format_version: FORMAT_VERSION, ..Manifest::default() };
        manifest.record("map", "key", &files, &layout).expect("recorded");
        manifest.write(&layout).expect("written");

        let manifest = Manifest::read(&layout);
        assert_eq!(
            manifest.artifacts.iter().map(|a| a.path.as_str()).collect::<Vec<_>>(),
            ["map/a.json", "models/p/v1/model.json"]
        );
        assert!(manifest.is_fresh("map", "key", &layout));
        assert!(!manifest.is_fresh("map", "other", &layout));
        assert!(!manifest.is_fresh("source", "key", &layout));
        write_bytes(&files[1], b"2").expect("written");
        assert!(!manifest.is_fresh("map", "key", &layout));
    }

    #[test]
    fn no_absolute_path_is_shown() {
        assert_eq!(shown(Path::new("/a/b/data/x.csv"), Path::new("/a/b")), "data/x.csv");
        assert_eq!(shown(Path::new("/c/x.csv"), Path::new("/a/b")), "x.csv");
        assert_eq!(shown(Path::new("data/x.csv"), Path::new("")), "data/x.csv");
        assert_eq!(shown(Path::new("shop/data/x.csv"), Path::new("shop")), "data/x.csv");
        assert_eq!(shown(Path::new("/c/x.csv"), Path::new("")), "x.csv");
    }
}
