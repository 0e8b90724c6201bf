//! From the global options to a checked project.

use std::path::{Path, PathBuf};

use super::Global;
use crate::error::{Error, Result};
use crate::pipeline::Project;
use crate::spec::{self, Shape, Spec};
use crate::store::{Fingerprint, Layout};

/// Reads the spec that the options name, and lays their overrides over it.
pub(super) fn open(global: &Global) -> Result<Project> {
    let spec = spec(&global.spec, global)?;
    let layout = layout(&spec.root, global);
    Ok(Project { spec_blake3: Fingerprint::of(&spec.file)?.blake3, layout, spec })
}

/// Reads the spec in a file or folder, and lays the options' overrides over it.
pub(super) fn spec(named: &Path, global: &Global) -> Result<Spec> {
    let file = file(named);
    if !file.is_file() {
        return Err(missing(&file));
    }
    if file.extension().is_none_or(|ending| ending != "toml") {
        return Err(Error::spec(format!("{} is not a spec: its name does not end in .toml", file.display()))
            .hint("name a clo.toml with --spec, or the folder that it lies in"));
    }
    overridden(spec::read(&file, &|name| std::env::var(name).ok())?, global)
}

/// The folders of a project that need not have a spec any more.
pub(super) fn folders(global: &Global) -> Layout {
    let file = file(&global.spec);
    layout(file.parent().unwrap_or(Path::new("")), global)
}

fn file(named: &Path) -> PathBuf {
    if named.is_dir() { named.join("clo.toml") } else { named.to_path_buf() }
}

fn layout(root: &Path, global: &Global) -> Layout {
    Layout { out: global.out.clone().unwrap_or_else(|| root.join("out")), models: root.join("models") }
}

fn overridden(mut spec: Spec, global: &Global) -> Result<Spec> {
    spec.seed = global.seed.unwrap_or(spec.seed);
    if let Some(end) = global.as_of {
        if spec.shape() == Shape::Snapshot {
            return Err(Error::usage("--as-of has no meaning for a snapshot, which has no times"));
        }
        spec.end = Some(end);
        spec.as_of = Some(end);
    }
    Ok(spec)
}

fn missing(file: &Path) -> Error {
    Error::spec(format!("there is no file {}", file.display()))
        .hint("name the project with --spec, or go to its folder")
        .hint("`clo simulate shop` makes one to try: a shop with its clo.toml")
}
