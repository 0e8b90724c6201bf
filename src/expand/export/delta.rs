//! What came and what went since the last export: what a destination that keeps a list has to be told.
//!
//! The file of the last export is the memory: it is read, line by line, while the new one is written, and both are in the order
//! of their text. A row that is new or changed is added (an import of it makes or mends one entry); a row whose key columns
//! stand in no new row is removed. Without a last export, or when it had other columns or was changed by somebody, the full
//! file is to be uploaded, and no delta is written.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::io::{self, BufRead as _};
use std::iter::Peekable;
use std::path::Path;

use super::form::{Form, cells};
use super::{Held, Manifest};
use crate::error::{Error, Result};
use crate::store;

/// Lines in the order of their text.
type Lines = Box<dyn Iterator<Item = io::Result<String>>>;

/// What changed since the last export, told while the new lines pass.
pub(super) struct Since {
    before: Peekable<Lines>,
    key_columns: Vec<usize>,
    added: Vec<String>,
    /// The keys of those who were added: only among them can somebody still be there under a line of another text.
    changed: HashSet<Vec<String>>,
    gone: Vec<String>,
}

impl Since {
    /// Opens the last export of a folder, if it has the head of `form` and is as its manifest says. Its files stay open while new
    /// ones take their places.
    pub(super) fn open(folder: &Path, form: &Form<'_>, warnings: &mut Vec<String>) -> Option<Self> {
        let manifest = store::read_json::<Manifest>(&folder.join("manifest.json")).ok()?;
        let head = form.head();
        let mut all: Vec<Lines> = Vec::new();
        for file in manifest.files.iter().filter(|file| file.held == Held::Full) {
            let path = folder.join(&file.path);
            let written = store::Fingerprint { bytes: file.bytes, blake3: file.blake3.clone() };
            if !written.still_holds(&path) {
                warnings.push(format!("{} is not as it was written: upload the full file this time.", file.path));
                return None;
            }
            let mut lines = store::open(&path).ok()?.lines();
            if !head.iter().all(|line| lines.next().is_some_and(|found| found.is_ok_and(|found| found == *line))) {
                return None;
            }
            all.push(Box::new(lines));
        }
        Some(Self::of(Box::new(all.into_iter().flatten()), form.key_columns()))
    }

    fn of(before: Lines, key_columns: Vec<usize>) -> Self {
        Self { before: before.peekable(), key_columns, added: Vec::new(), changed: HashSet::new(), gone: Vec::new() }
    }

    /// Takes the next line of the new export.
    pub(super) fn pass(&mut self, line: &str) -> io::Result<()> {
        loop {
            let order = match self.before.peek() {
                None => Ordering::Greater,
                Some(Ok(before)) => before.as_str().cmp(line),
                Some(Err(_)) => Ordering::Less,
            };
            match order {
                Ordering::Less => self.gone.extend(self.before.next().transpose()?),
                Ordering::Equal => return self.before.next().transpose().map(|_| ()),
                Ordering::Greater => {
                    self.changed.insert(key(line, &self.key_columns));
                    self.added.push(line.to_owned());
                    return Ok(());
                }
            }
        }
    }

    /// Who was added, and who was removed, in the order of their lines.
    pub(super) fn finish(mut self, folder: &Path) -> Result<(Vec<String>, Vec<String>)> {
        let rest: io::Result<Vec<String>> = self.before.collect();
        self.gone.extend(rest.map_err(|error| Error::io("read", folder, &error))?);
        self.gone.retain(|line| !self.changed.contains(&key(line, &self.key_columns)));
        Ok((self.added, self.gone))
    }
}

/// The cells of the key columns.
fn key(line: &str, key_columns: &[usize]) -> Vec<String> {
    let cells: Vec<&str> = cells(line).collect();
    key_columns.iter().filter_map(|&column| cells.get(column).map(|&cell| cell.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_changed_and_went() {
        let lines = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        let mut since = Since::of(Box::new(lines(&["a,1", "b,1", "c,1", "e,1"]).into_iter().map(Ok)), vec![0]);
        for line in ["a,1", "b,2", "d,1"] {
            since.pass(line).unwrap();
        }
        let found = since.finish(Path::new("")).unwrap();
        assert_eq!(found, (lines(&["b,2", "d,1"]), lines(&["c,1", "e,1"])));
    }
}
