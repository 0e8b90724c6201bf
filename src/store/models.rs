//! The versions of each model: `models/<prediction>/<version>/…`, and `current`, a text file that names one.
//!
//! A version is called `v<number>-<hash>`: the number counts up, the hash is the start of `model.json`'s BLAKE3. The same
//! model is thus the same version, however often and wherever it is made. `model.json` is written last: a folder without
//! one is not a version.

use std::fs;
use std::path::{Path, PathBuf};

use super::{fingerprint, settle, write_bytes};
use crate::error::{Error, Result, did_you_mean};

/// The file that makes a folder a version.
pub const MODEL: &str = "model.json";
/// The file of what the judged fit said of the test part.
pub const JUDGED: &str = "judged.parquet";
/// The file that names the version in use.
pub const CURRENT: &str = "current";

/// Writes a version: `model` as `model.json`, and the other files by name. Returns the version's name.
///
/// # Errors
/// When a file cannot be written.
pub fn keep(models: &Path, prediction: &str, model: &[u8], others: &[(&str, Vec<u8>)]) -> Result<String> {
    let version = version_of(models, prediction, model);
    let folder = models.join(prediction).join(&version);
    for (name, bytes) in others {
        write_bytes(&folder.join(name), bytes)?;
    }
    write_bytes(&folder.join(MODEL), model)?;
    settle(&folder)?;
    Ok(version)
}

/// The name that [`keep`] gives to a model: that of the version that already holds it, else the next one.
#[must_use]
pub fn version_of(models: &Path, prediction: &str, model: &[u8]) -> String {
    let hash = &fingerprint::hash(model)[..8];
    let folders = folders_in(&models.join(prediction));
    let numbered: Vec<(u64, &String)> = folders.iter().filter_map(|name| Some((number(name)?, name))).collect();
    let standing = numbered.iter().find(|(_, name)| name.ends_with(&format!("-{hash}")));
    let next = numbered.iter().map(|(number, _)| number + 1).max().unwrap_or(1);
    standing.map_or_else(|| format!("v{next}-{hash}"), |(_, name)| (*name).clone())
}

/// The predictions that have a model, sorted.
#[must_use]
pub fn predictions(models: &Path) -> Vec<String> {
    folders_in(models).into_iter().filter(|prediction| !versions(models, prediction).is_empty()).collect()
}

/// The versions of a prediction's model, oldest first.
#[must_use]
pub fn versions(models: &Path, prediction: &str) -> Vec<String> {
    let folder = models.join(prediction);
    let mut versions: Vec<(u64, String)> = folders_in(&folder)
        .into_iter()
        .filter(|name| folder.join(name).join(MODEL).is_file())
        .map(|name| (number(&name).unwrap_or(0), name))
        .collect();
    versions.sort();
    versions.into_iter().map(|(_, name)| name).collect()
}

/// The version in use, if one is.
#[must_use]
pub fn current(models: &Path, prediction: &str) -> Option<String> {
    let named = fs::read_to_string(models.join(prediction).join(CURRENT)).ok()?;
    Some(named.trim().to_owned()).filter(|version| !version.is_empty())
}

/// Puts a version in use.
///
/// # Errors
/// When there is no such version, or `current` cannot be written.
pub fn promote(models: &Path, prediction: &str, version: &str) -> Result<()> {
    let version = find(models, prediction, version)?;
    let folder = models.join(prediction);
    write_bytes(&folder.join(CURRENT), format!("{version}\n").as_bytes())?;
    settle(&folder)
}

/// The version in use, and the one before it by number, if there is one.
///
/// # Errors
/// When no version is in use.
pub fn in_use_and_older(models: &Path, prediction: &str) -> Result<(String, Option<String>)> {
    let from = current(models, prediction).ok_or_else(|| nothing_of(models, prediction))?;
    let versions = versions(models, prediction);
    let place = versions.iter().position(|version| *version == from);
    let older = place.and_then(|place| place.checked_sub(1)).map(|before| versions[before].clone());
    Ok((from, older))
}

/// The error of going back from a version that nothing stands before.
pub(super) fn nothing_older(prediction: &str, from: &str) -> Error {
    Error::usage(format!("no version of `{prediction}` is older than {from}"))
        .hint(format!("clo models list shows the versions; clo models promote {prediction} VERSION names one"))
}

/// The full name of a version, told by its name, its number (`v2`) or `current`.
///
/// # Errors
/// When there is none such.
pub fn find(models: &Path, prediction: &str, version: &str) -> Result<String> {
    let versions = versions(models, prediction);
    if versions.is_empty() {
        return Err(nothing_of(models, prediction));
    }
    let wanted = if version == CURRENT { current(models, prediction) } else { Some(version.to_owned()) };
    let wanted = wanted.ok_or_else(|| nothing_of(models, prediction))?;
    let is_it = |name: &&String| **name == wanted || name.split('-').next() == Some(&wanted);
    versions.iter().find(is_it).cloned().ok_or_else(|| {
        Error::usage(format!("`{prediction}` has no version `{wanted}`"))
            .hint(format!("it has {}", versions.join(", ")))
    })
}

/// The folder of a bundle, told by the folder itself, by `…/current`, or by the prediction's folder.
///
/// # Errors
/// When there is no bundle.
pub fn resolve(path: &Path) -> Result<PathBuf> {
    let refuse = || {
        Error::data(format!("there is no model in {}", path.display()))
            .hint("name a version's folder, or models/<prediction>/current; clo models list shows what there is")
    };
    if path.join(MODEL).is_file() {
        return Ok(path.to_path_buf());
    }
    let pointer = if path.is_file() { path.to_path_buf() } else { path.join(CURRENT) };
    let version = fs::read_to_string(&pointer).map_err(|_| refuse())?;
    let version = version.trim();
    // A pointer names a folder beside it, nothing else: what it holds is data that anyone may have written.
    let plain = Path::new(version).components().count() == 1 && !version.starts_with('.') && !version.is_empty();
    let folder = pointer.parent().filter(|_| plain).map(|folder| folder.join(version));
    folder.filter(|folder| folder.join(MODEL).is_file()).ok_or_else(refuse)
}

/// The files that stand in a folder among the models, by name.
#[must_use]
pub fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let shown = |path: &PathBuf| !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let mut files: Vec<PathBuf> = entries.filter(|path| path.is_file()).filter(shown).collect();
    files.sort();
    files
}

/// Removes a file among the models; one that cannot be removed stays, until it is tried again.
pub fn remove(file: &Path) {
    let _ = fs::remove_file(file);
}

fn nothing_of(models: &Path, prediction: &str) -> Error {
    let known = predictions(models);
    let error = Error::usage(format!("there is no model of `{prediction}` in {}", models.display()));
    match did_you_mean(prediction, known.iter().map(String::as_str)) {
        Some(meant) => error.hint(format!("did you mean `{meant}`?")),
        None if known.is_empty() => error.hint("clo predict makes one"),
        None => error.hint(format!("there are models of {}", known.join(", "))),
    }
}

fn number(version: &str) -> Option<u64> {
    version.strip_prefix('v')?.split('-').next()?.parse().ok()
}

fn folders_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_one_version_and_versions_count_up() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let models = folder.path();
        let first = keep(models, "p", b"{1}", &[("card.md", b"one".to_vec())]).expect("kept");
        promote(models, "p", &first).expect("promoted");
        let second = keep(models, "p", b"{2}", &[]).expect("kept");
        promote(models, "p", "v2").expect("promoted");
        assert_eq!(keep(models, "p", b"{1}", &[]).expect("kept"), first);
        assert!(first.starts_with("v1-") && second.starts_with("v2-"));
        assert_eq!(versions(models, "p"), [first.clone(), second.clone()]);

        assert_eq!(resolve(&models.join("p/current")).expect("found"), models.join("p").join(&second));
        assert_eq!(in_use_and_older(models, "p").expect("in use"), (second, Some(first.clone())));
        promote(models, "p", &first).expect("promoted");
        assert_eq!(resolve(&models.join("p")).expect("found"), models.join("p").join(&first));
        assert_eq!(in_use_and_older(models, "p").expect("in use"), (first, None));
        assert_eq!(find(models, "q", "v1").expect_err("no such prediction").hints(), ["there are models of p"]);
    }

    #[test]
    fn a_pointer_cannot_lead_out_of_its_folder() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        write_bytes(&folder.path().join("secret/model.json"), b"{}").expect("written");
        write_bytes(&folder.path().join("p/current"), b"../secret").expect("written");
        assert_eq!(resolve(&folder.path().join("p/current")).expect_err("refused").exit_code(), 4);
    }
}
