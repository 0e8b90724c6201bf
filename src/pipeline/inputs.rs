//! The files that a spec names, and what they hold now.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::spec::{Spec, Told};
use crate::store::{Fingerprint, Layout, manifest};

/// A file that a unit of work reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFile {
    /// What reads it: `tables.orders`, `audiences.x.suppress`, `audiences.x.seed`.
    pub name: String,
    /// How the manifest names it.
    pub path: String,
    /// What it holds; `None` when it cannot be read (whoever reads it will say so) or lies on another machine.
    pub content: Option<Fingerprint>,
    /// Whether it lies on another machine, where it may change unseen.
    pub is_remote: bool,
}

impl InputFile {
    /// As the manifest records it.
    #[must_use]
    pub fn recorded(&self) -> Option<manifest::Input> {
        let Fingerprint { bytes, blake3 } = self.content.clone()?;
        Some(manifest::Input {
            name: self.name.clone(),
            path: self.path.clone(),
            bytes,
            blake3,
            rows: None,
            rejected: None,
        })
    }

    /// What the result of reading it depends on: the file's own name (its ending tells how to read it) and its content, not
    /// the folder it happens to lie in.
    pub(super) fn identity(&self) -> (&str, &str, Option<&Fingerprint>) {
        let file = self.path.rsplit('/').next().unwrap_or(&self.path);
        (&self.name, file, self.content.as_ref())
    }
}

/// Every input file of a spec: those of the tables, then seeds and suppression lists, each read once from start to end.
#[must_use]
pub fn inputs(spec: &Spec) -> Vec<InputFile> {
    let tables = spec.tables.iter().map(|(name, table)| (format!("tables.{name}"), &table.path));
    let suppressions = spec.audiences.iter().flat_map(|audience| {
        audience.suppress.iter().map(|path| (format!("audiences.{}.suppress", audience.name), path))
    });
    let seeds = spec.audiences.iter().filter_map(|audience| match audience.seed.as_ref().map(|seed| &seed.told) {
        Some(Told::File(path)) => Some((format!("audiences.{}.seed", audience.name), path)),
        _ => None,
    });
    let named: Vec<(String, PathBuf)> = tables
        .chain(seeds)
        .chain(suppressions)
        .flat_map(|(name, path)| files(path, &spec.root).into_iter().map(move |file| (name.clone(), file)))
        .collect();
    named.into_par_iter().map(|(name, path)| look(name, &path, &spec.root)).collect()
}

/// What the inputs of the report are called that `clo measure` wrote: this and the audience.
pub(super) const MEASURED: &str = "measured.";

/// What `clo measure` has written of the audiences of a spec: the report shows it.
#[must_use]
pub fn measured(spec: &Spec, layout: &Layout) -> Vec<InputFile> {
    let files = spec.audiences.iter().map(|audience| (audience, layout.measure(&audience.name).join("measure.json")));
    let there = files.filter(|(_, path)| path.exists());
    there.map(|(audience, path)| look(format!("{MEASURED}{}", audience.name), &path, &layout.out)).collect()
}

fn look(name: String, path: &Path, root: &Path) -> InputFile {
    let is_remote = is_remote(&path.to_string_lossy());
    let content = if is_remote { None } else { Fingerprint::of(path).ok() };
    // An address may hold a password.
    let path = if is_remote { "(remote)".to_owned() } else { manifest::shown(path, root) };
    InputFile { name, path, content, is_remote }
}

/// The files that a path names: itself, or those that match it, sorted.
fn files(path: &str, root: &Path) -> Vec<PathBuf> {
    if is_remote(path) {
        return vec![PathBuf::from(path)];
    }
    let whole = root.join(path);
    if whole.exists() || !path.contains(['*', '?', '[']) {
        return vec![whole];
    }
    let mut found: Vec<PathBuf> = glob::glob(&whole.to_string_lossy()).into_iter().flatten().flatten().collect();
    found.sort();
    if found.is_empty() { vec![whole] } else { found }
}

fn is_remote(path: &str) -> bool {
    path.contains("://")
}
