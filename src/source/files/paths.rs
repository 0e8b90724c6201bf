//! Which files a table is: a path or a glob, and what to say when there is none.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result, did_you_mean};

/// The files of a table, sorted by path: as the spec names them, and where they are.
pub(crate) fn files(root: &Path, told: &str) -> Result<Vec<(String, PathBuf)>> {
    if let Some((scheme, _)) = told.split_once("://") {
        return Err(Error::spec(format!("`{scheme}://` addresses cannot be read: this version reads files"))
            .hint("export the table to Parquet or CSV and name that file"));
    }
    let path = root.join(told);
    if path.exists() || !told.contains(['*', '?', '[']) {
        usable(&path, told)?;
        return Ok(vec![(told.to_owned(), path)]);
    }
    let pattern = path.to_str().ok_or_else(|| Error::spec(format!("`{told}` is not UTF-8")))?;
    let found = glob::glob(pattern).map_err(|error| Error::spec(format!("`{told}` is not a pattern: {error}")))?;
    let mut files: Vec<PathBuf> = found.filter_map(std::result::Result::ok).filter(|path| path.is_file()).collect();
    files.sort();
    if files.is_empty() {
        return Err(Error::data(format!("no file matches `{told}`"))
            .hint("check the pattern; * stands for any characters of a name"));
    }
    let shown = |path: &Path| path.strip_prefix(root).unwrap_or(path).display().to_string();
    files.iter().try_for_each(|path| usable(path, &shown(path)))?;
    Ok(files.into_iter().map(|path| (shown(&path), path)).collect())
}

/// Refuses what is not there, a folder, an empty file and one that must not be read.
fn usable(path: &Path, told: &str) -> Result<()> {
    let Ok(metadata) = fs::metadata(path) else { return Err(missing(path, told)) };
    if metadata.is_dir() {
        return Err(Error::data(format!("{told} is a folder")).hint(format!("name its files: \"{told}/*.csv\"")));
    }
    File::open(path).map_err(|source| {
        Error::data(format!("cannot read {told}: {source}"))
            .hint("ask for the right to read it, or check the file's permissions")
    })?;
    if metadata.len() == 0 {
        return Err(Error::data(format!("{told} is empty")).hint("a table needs a header line and at least one row"));
    }
    Ok(())
}

fn missing(path: &Path, told: &str) -> Error {
    let error = Error::data(format!("there is no file {told}"));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return error.hint(format!("there is no folder {} either; relative paths start at clo.toml", folder.display()));
    }
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(std::result::Result::ok);
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    let wanted = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    match did_you_mean(wanted, names.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean `{}`?", Path::new(told).with_file_name(near).display())),
        None => error.hint("check the path; relative paths start at clo.toml"),
    }
}
