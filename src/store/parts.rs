//! A table so long in the making that it is kept in parts: when the work is broken off, it goes on where it stopped.
//!
//! Beside the output stands a folder `<output>.parts` with a Parquet file for each part that is done, and a manifest: the key of
//! all that the rows depend on, and for each part what its maker noted. The folder is locked while somebody works in it, and
//! goes when the output stands. Parts of another key are not used.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{lock, read_json, write_json};
use crate::error::{Error, Result};

const MANIFEST: &str = "manifest.json";
const FORMAT_VERSION: u32 = 1;

/// The parts of an output that are done.
#[derive(Debug)]
pub struct Parts<N> {
    folder: PathBuf,
    done: Done<N>,
    lock: lock::Lock,
}

#[derive(Debug, Serialize, Deserialize)]
struct Done<N> {
    format_version: u32,
    /// What the parts depend on.
    key: String,
    /// What was noted of each.
    parts: Vec<N>,
}

impl<N: Serialize + DeserializeOwned> Parts<N> {
    /// The parts of `output` that were made under `key`: none, when none or others are there.
    ///
    /// # Errors
    /// [`crate::error::Kind::Busy`] when another process makes the same output; a data error when the folder cannot be made.
    pub fn open(output: &Path, key: &str, who: &str) -> Result<Self> {
        let folder = folder_of(output);
        let lock = lock::acquire(&folder, who)?;
        let kept: Option<Done<N>> = read_json(&folder.join(MANIFEST)).ok();
        let mut done = kept
            .filter(|kept| kept.key == key && kept.format_version == FORMAT_VERSION)
            .unwrap_or_else(|| Done { format_version: FORMAT_VERSION, key: key.to_owned(), parts: Vec::new() });
        let standing = (0..done.parts.len()).take_while(|&part| file(&folder, part).is_file()).count();
        done.parts.truncate(standing);
        Ok(Self { folder, done, lock })
    }

    /// What was noted of the parts that are done.
    #[must_use]
    pub fn done(&self) -> &[N] {
        &self.done.parts
    }

    /// The files of the parts that are done, in order.
    pub fn files(&self) -> impl Iterator<Item = PathBuf> {
        (0..self.done.parts.len()).map(|part| file(&self.folder, part))
    }

    /// Where the next part is to be written.
    #[must_use]
    pub fn next_file(&self) -> PathBuf {
        file(&self.folder, self.done.parts.len())
    }

    /// Notes that the next part is written.
    ///
    /// # Errors
    /// When the manifest cannot be written.
    pub fn push(&mut self, note: N) -> Result<()> {
        self.done.parts.push(note);
        write_json(&self.folder.join(MANIFEST), &self.done)
    }

    /// Removes the parts: the output stands.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub fn remove(self) -> Result<()> {
        let Self { folder, lock, .. } = self;
        drop(lock);
        super::settle(super::folder_of(&folder))?;
        fs::remove_dir_all(&folder).map_err(|source| Error::io("remove", &folder, &source))
    }
}

/// Removes the parts of an output that nobody will go on with, if there are any.
///
/// # Errors
/// When they cannot be removed, or somebody works on them.
pub fn forget(output: &Path, who: &str) -> Result<()> {
    let folder = folder_of(output);
    if !folder.join(MANIFEST).is_file() {
        return Ok(());
    }
    drop(lock::acquire(&folder, who)?);
    match fs::remove_dir_all(&folder) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", &folder, &source)),
        _ => Ok(()),
    }
}

fn folder_of(output: &Path) -> PathBuf {
    let name = output.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    output.with_file_name(format!("{name}.parts"))
}

fn file(folder: &Path, part: usize) -> PathBuf {
    folder.join(format!("{part:05}.parquet"))
}
