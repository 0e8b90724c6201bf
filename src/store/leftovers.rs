//! What a unit of work wrote, and what it or a killed run left behind.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How the name of a file that is being written begins.
pub const PREFIX: &str = ".clo-";
/// How the name of a file that is being written ends.
pub const SUFFIX: &str = ".part";

/// Removes the half-written files that killed runs left under `folder`, and says how many there were. A file that
/// another program is writing at this moment is locked, and stays.
#[must_use]
pub fn sweep(folder: &Path) -> usize {
    files_under(folder).iter().filter(|path| is_part(path) && remove_if_abandoned(path)).count()
}

fn is_part(path: &Path) -> bool {
    path.file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX))
}

fn remove_if_abandoned(path: &Path) -> bool {
    let abandoned =
        fs::File::open(path).is_ok_and(|file| !matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock)));
    abandoned && fs::remove_file(path).is_ok()
}

/// Removes files and the folders that are empty without them. What cannot be removed stays: it harms nobody.
pub fn remove(files: &[PathBuf]) {
    for file in files {
        if fs::remove_file(file).is_ok() {
            let mut folder = file.parent();
            while let Some(empty) = folder.filter(|folder| fs::remove_dir(folder).is_ok()) {
                folder = empty.parent();
            }
        }
    }
}

/// The files of some places as they stood before a unit of work ran.
#[derive(Debug)]
pub struct Before {
    places: Vec<PathBuf>,
    found: BTreeMap<PathBuf, Mark>,
}

/// Tells a file from the one that replaces it: every write makes a new file and renames it into its place.
#[derive(Debug, PartialEq, Eq)]
struct Mark {
    modified: Option<SystemTime>,
    inode: u64,
}

impl Before {
    /// Looks at `places`: files, or folders with all that is in them.
    #[must_use]
    pub fn of(places: Vec<PathBuf>) -> Self {
        let found = look(&places);
        Self { places, found }
    }

    /// The files of the places that were written since, sorted.
    #[must_use]
    pub fn written(&self) -> Vec<PathBuf> {
        let now = look(&self.places);
        now.into_iter().filter(|(path, mark)| self.found.get(path) != Some(mark)).map(|(path, _)| path).collect()
    }
}

fn look(places: &[PathBuf]) -> BTreeMap<PathBuf, Mark> {
    let files = places.iter().flat_map(|place| files_under(place));
    files
        .filter(|path| !is_part(path))
        .filter_map(|path| Some((mark(&path)?, path)))
        .map(|(m, path)| (path, m))
        .collect()
}

fn mark(path: &Path) -> Option<Mark> {
    let found = path.metadata().ok()?;
    Some(Mark { modified: found.modified().ok(), inode: inode(&found) })
}

#[cfg(unix)]
fn inode(found: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(found)
}

#[cfg(not(unix))]
fn inode(_: &fs::Metadata) -> u64 {
    0
}

/// The files of a folder and the folders in it, sorted; a file is itself; what cannot be listed is empty.
fn files_under(place: &Path) -> Vec<PathBuf> {
    if place.is_file() {
        return vec![place.to_path_buf()];
    }
    let mut entries: Vec<PathBuf> =
        fs::read_dir(place).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    entries.iter().filter(|entry| !entry.is_symlink()).flat_map(|entry| files_under(entry)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::write_bytes;

    #[test]
    fn what_was_written_again_is_told_from_what_was_not() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = |name: &str| folder.path().join(name);
        write_bytes(&file("a/kept"), b"1").expect("written");
        write_bytes(&file("a/again"), b"1").expect("written");
        let before = Before::of(vec![file("a")]);
        write_bytes(&file("a/again"), b"1").expect("written");
        write_bytes(&file("a/b/new"), b"1").expect("written");
        assert_eq!(before.written(), [file("a/again"), file("a/b/new")]);
        remove(&[file("a/b/new")]);
        assert!(!file("a/b").exists() && file("a/kept").exists());
    }

    #[test]
    fn half_written_files_go_unless_they_are_being_written() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = |name: &str| folder.path().join(name);
        for name in ["a/.clo-dead.part", "a/.clo-alive.part", "a/clo.part"] {
            write_bytes(&file(name), b"1").expect("written");
        }
        let alive = fs::File::open(file("a/.clo-alive.part")).expect("opened");
        alive.lock().expect("locked");
        assert_eq!(sweep(folder.path()), 1);
        assert!(file("a/.clo-alive.part").exists() && file("a/clo.part").exists());
    }
}
