//! One run at a time: the lock of an output folder.
//!
//! The lock is the operating system's lock on `out/.clo.lock`. It goes when the process does, killed or not, so that no
//! stale lock is ever left; the file itself stays, empty while nobody works.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use crate::error::{Error, Kind, Result};

/// The lock's file, in the output folder.
pub const FILE: &str = ".clo.lock";

/// An output folder that no other run may write while this lives.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// Locks `out` (and makes it, if need be) for `who`, e.g. `clo run`. Does not wait.
///
/// # Errors
/// [`Kind::Busy`] when another run holds it; a data error when the folder cannot be made or written.
pub fn acquire(out: &Path, who: &str) -> Result<Lock> {
    let path = out.join(FILE);
    let fail = |source: std::io::Error| super::unwritable(&path, &source);
    fs::create_dir_all(out).map_err(fail)?;
    let mut file = File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(fail)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0).map_err(fail)?;
            write!(file, "{who}, process {}", std::process::id()).map_err(fail)?;
            Ok(Lock { file })
        }
        Err(fs::TryLockError::WouldBlock) => Err(busy(out, &mut file)),
        Err(fs::TryLockError::Error(source)) => Err(fail(source)),
    }
}

fn busy(out: &Path, file: &mut File) -> Error {
    let mut holder = String::new();
    let known = file.rewind().and_then(|()| file.read_to_string(&mut holder)).is_ok() && !holder.is_empty();
    let holder = if known { holder } else { "another run of clo".to_owned() };
    Error::new(Kind::Busy, format!("{} is in use by {holder}", out.display()))
        .hint("wait until it has ended, or choose another folder with --out")
}

impl Drop for Lock {
    /// Empties the file, so that the folder looks the same after every run; closing it gives the lock back.
    fn drop(&mut self) {
        let _ = self.file.set_len(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_holds_the_folder_and_the_third_gets_it() {
        let out = tempfile::tempdir().expect("a temporary folder");
        let first = acquire(out.path(), "clo run").expect("the first gets it");
        let second = acquire(out.path(), "clo map").expect_err("the second does not");
        assert_eq!(second.exit_code(), 7);
        assert!(second.message().ends_with(&format!("is in use by clo run, process {}", std::process::id())));
        drop(first);
        acquire(out.path(), "clo map").expect("the third gets it");
        assert_eq!(fs::read(out.path().join(FILE)).expect("read"), b"");
    }
}
