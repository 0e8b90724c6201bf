//! The one place that writes files: each artifact is written beside its place, synced and renamed, so that a reader or
//! a killed run finds the old one or the new one, never half of one. After a power cut it may be the old one: the manifest, which
//! knows what each artifact holds, tells, and what no manifest vouches for is [`settle`]d.
//!
//! [`lock`] keeps two runs of one project apart, [`manifest`] remembers what was made from what, [`models`] keeps the
//! versions of each model, [`parts`] what was done of a table that takes long, and [`leftovers`] tells what a phase wrote and sweeps up what a killed run left.
#![expect(clippy::disallowed_methods, reason = "this is the one place that writes files")]

pub mod fingerprint;
pub mod leftovers;
pub mod lock;
pub mod manifest;
pub mod models;
pub mod moves;
pub mod parts;
mod rows;

pub use fingerprint::{Fingerprint, Key};
pub use manifest::Manifest;
pub use rows::{Form, RowWriter};

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use polars::prelude::{DataFrame, ParquetCompression, ParquetWriter, SerReader as _};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// Writes `path` whole or not at all; folders on the way are made.
///
/// # Errors
/// When the folder cannot be made or written (no permission, disk full): what stood there before still stands.
pub fn write_with(path: &Path, fill: impl FnOnce(&mut BufWriter<&File>) -> Result<()>) -> Result<()> {
    let fail = |source: std::io::Error| unwritable(path, &source);
    let folder = folder_of(path);
    fs::create_dir_all(folder).map_err(fail)?;
    let temporary = tempfile::Builder::new()
        .prefix(leftovers::PREFIX)
        .suffix(leftovers::SUFFIX)
        .tempfile_in(folder)
        .map_err(fail)?;
    // Tells a run that sweeps this folder that the file is being written. A file system without locks does without.
    let _ = temporary.as_file().try_lock();
    let mut writer = BufWriter::with_capacity(1 << 16, temporary.as_file());
    fill(&mut writer)?;
    writer.flush().map_err(fail)?;
    drop(writer);
    temporary.as_file().sync_all().map_err(fail)?;
    allow_reading(temporary.as_file()).map_err(fail)?;
    temporary.persist(path).map(|_| ()).map_err(|error| fail(error.error))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Waits until what was written into a folder stands there even after a power cut.
///
/// # Errors
/// When the folder cannot be synced.
pub fn settle(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|source| unwritable(folder, &source))
}

fn unwritable(path: &Path, source: &std::io::Error) -> Error {
    let error = Error::io("write", path, source);
    match path.ancestors().skip(1).find(|folder| folder.exists()) {
        Some(file) if !file.is_dir() => {
            let message = format!("cannot write {}: {} is a file, not a folder", path.display(), file.display());
            Error::data(message).hint("move that file away, or choose another folder with --out")
        }
        _ if path.is_dir() => error.hint("move that folder away, or choose another place with --out"),
        Some(folder) if source.kind() == std::io::ErrorKind::NotFound => {
            let message = format!("cannot write {}: {} takes no new folder", path.display(), folder.display());
            Error::data(message).hint("choose another folder with --out")
        }
        _ => error.hint("check the folder's permissions and the free space, or choose another with --out"),
    }
}

/// The system's reason within an error of the Parquet writer, which tells it as text only.
fn as_io(error: &polars::error::PolarsError) -> std::io::Error {
    use std::io::{Error, ErrorKind};
    let text = error.to_string();
    let told = text.to_lowercase();
    let known = [
        ("no space left", ErrorKind::StorageFull),
        ("storage full", ErrorKind::StorageFull),
        ("quota exceeded", ErrorKind::QuotaExceeded),
        ("too large", ErrorKind::FileTooLarge),
        ("broken pipe", ErrorKind::BrokenPipe),
    ];
    let kind = known.into_iter().find(|(words, _)| told.contains(words));
    kind.map_or_else(|| Error::other(text), |(_, kind)| Error::from(kind))
}

/// Temporary files are made for their owner alone; artifacts get the usual permissions.
#[cfg(unix)]
fn allow_reading(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn allow_reading(_: &File) -> std::io::Result<()> {
    Ok(())
}

/// Writes bytes.
///
/// # Errors
/// As [`write_with`].
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<()> {
    write_with(path, |writer| writer.write_all(bytes).map_err(|source| unwritable(path, &source)))
}

/// Writes a value as indented JSON with a newline at the end.
///
/// # Errors
/// As [`write_with`]; a value that JSON cannot hold is an internal error.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    write_bytes(path, &json(value).map_err(|error| error.context(path.display()))?)
}

/// A value as indented JSON with a newline at the end, as [`write_json`] writes it.
///
/// # Errors
/// A value that JSON cannot hold is an internal error.
pub fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(|error| Error::internal(error.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads a JSON artifact.
///
/// # Errors
/// When the file is missing or does not hold what it should.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes = fs::read(path).map_err(|source| Error::io("read", path, &source))?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Error::data(format!("{} is damaged: {error}", path.display())).hint("delete it and run the phase again")
    })
}

/// Reads a text.
///
/// # Errors
/// When the file is missing or is not text.
pub fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|source| Error::io("read", path, &source))
}

/// Opens an artifact to be read line by line.
///
/// # Errors
/// The system's reason.
pub fn open(path: &Path) -> std::io::Result<BufReader<File>> {
    File::open(path).map(BufReader::new)
}

/// Reads a file that is no artifact, e.g. a suppression list; the caller says what its absence means.
///
/// # Errors
/// The system's reason.
pub fn read_bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    fs::read(path)
}

/// Removes whatever stands in a folder under other names than `names`. A folder that is not there is left so.
///
/// # Errors
/// When something cannot be removed.
pub fn keep_only(folder: &Path, names: &[&str]) -> Result<()> {
    let fail = |source: std::io::Error| Error::io("clear", folder, &source);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(fail)?,
    };
    for entry in entries {
        let entry = entry.map_err(fail)?;
        if names.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        let is_folder = entry.file_type().map_err(fail)?.is_dir();
        if is_folder { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) }.map_err(fail)?;
    }
    Ok(())
}

/// Writes a table as Parquet: snappy (a third of zstd's time), row groups of 256 Ki rows, the same bytes for the same table.
///
/// # Errors
/// As [`write_with`].
pub fn write_frame(path: &Path, frame: &mut DataFrame) -> Result<()> {
    write_with(path, |writer| fill_frame(writer, frame).map_err(|error| unwritable(path, &error)))
}

/// Fills a file that is being written with a table, as [`write_frame`] does.
///
/// # Errors
/// The system's reason.
pub fn fill_frame(writer: impl Write, frame: &mut DataFrame) -> std::io::Result<()> {
    ParquetWriter::new(writer)
        .with_compression(ParquetCompression::Snappy)
        .with_row_group_size(Some(1 << 18))
        .finish(frame)
        .map(|_| ())
        .map_err(|error| as_io(&error))
}

/// Reads a Parquet artifact.
///
/// # Errors
/// When the file is missing or is not Parquet.
pub fn read_frame(path: &Path) -> Result<DataFrame> {
    let file = File::open(path).map_err(|source| Error::io("read", path, &source))?;
    polars::prelude::ParquetReader::new(file)
        .finish()
        .map_err(|error| Error::data(format!("{} is damaged: {error}", path.display())))
}

/// Reads the first rows of a Parquet artifact.
///
/// # Errors
/// As [`read_frame`].
pub fn read_rows(path: &Path, n: usize) -> Result<DataFrame> {
    let file = File::open(path).map_err(|source| Error::io("read", path, &source))?;
    polars::prelude::ParquetReader::new(file)
        .with_slice(Some((0, n)))
        .finish()
        .map_err(|error| Error::data(format!("{} is damaged: {error}", path.display())))
}

/// The folders and files of a project, as the contract names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// `out/` beside `clo.toml`, or what `--out` says.
    pub out: PathBuf,
    /// `models/` beside `clo.toml`.
    pub models: PathBuf,
}

impl Layout {
    /// A file under `out/`.
    #[must_use]
    pub fn file(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.out.join(relative)
    }

    /// `out/discover/<prediction>/`.
    #[must_use]
    pub fn discover(&self, prediction: &str) -> PathBuf {
        self.out.join("discover").join(prediction)
    }

    /// `out/predict/<prediction>/`.
    #[must_use]
    pub fn predict(&self, prediction: &str) -> PathBuf {
        self.out.join("predict").join(prediction)
    }

    /// `out/expand/<audience>/`.
    #[must_use]
    pub fn expand(&self, audience: &str) -> PathBuf {
        self.out.join("expand").join(audience)
    }

    /// `out/uplift/<uplift>/`.
    #[must_use]
    pub fn uplift(&self, uplift: &str) -> PathBuf {
        self.out.join("uplift").join(uplift)
    }

    /// `out/measure/<audience>/`.
    #[must_use]
    pub fn measure(&self, audience: &str) -> PathBuf {
        self.out.join("measure").join(audience)
    }

    /// The file that the manifest calls `relative`: under `out/`, or under `models/` when it starts so.
    #[must_use]
    pub fn place(&self, relative: &str) -> PathBuf {
        relative.strip_prefix("models/").map_or_else(|| self.out.join(relative), |rest| self.models.join(rest))
    }

    /// What the manifest calls a file: its path under `out/`, or `models/` and its path there; `None` for any other.
    #[must_use]
    pub fn relative(&self, path: &Path) -> Option<String> {
        let joined = |rest: &Path| rest.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/");
        let model = path.strip_prefix(&self.models).map(|rest| format!("models/{}", joined(rest)));
        model.or_else(|_| path.strip_prefix(&self.out).map(joined)).ok()
    }
}
