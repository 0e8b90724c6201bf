//! What came and what went since the last export: what a destination that keeps a list has to be told.
//!
//! The file of the last export is the memory: it is read before the new one takes its place. A row that is new or changed is
//! added (an import of it makes or mends one entry); a row whose key columns stand in no new row is removed. Without a last
//! export, or when it had other columns or was changed by somebody, the full file is to be uploaded, and no delta is written.

use std::collections::HashSet;
use std::path::Path;

use super::{Held, Manifest};
use crate::store;

/// The lines of the last export, in their order.
pub(super) struct Previous(Option<Vec<String>>);

/// What changed since the last export.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Since {
    pub added: Vec<String>,
    pub removed: Vec<String>,
}

impl Previous {
    /// Reads the last export of a folder, if it has the same `head` and is as its manifest says.
    pub(super) fn read(folder: &Path, head: &[String], warnings: &mut Vec<String>) -> Self {
        let Ok(manifest) = store::read_json::<Manifest>(&folder.join("manifest.json")) else { return Self(None) };
        let mut lines = Vec::new();
        for file in manifest.files.iter().filter(|file| file.held == Held::Full) {
            let text = store::read_text(&folder.join(&file.path)).unwrap_or_default();
            if blake3::hash(text.as_bytes()).to_hex().as_str() != file.blake3 {
                warnings.push(format!("{} is not as it was written: upload the full file this time.", file.path));
                return Self(None);
            }
            let mut rows = text.lines();
            if !head.iter().all(|line| rows.next() == Some(line)) {
                return Self(None);
            }
            lines.extend(rows.map(str::to_owned));
        }
        lines.sort_unstable();
        Self(Some(lines))
    }
}

/// What changed from the previous lines to `lines`, both sorted; `key_columns` tell who a line is.
pub(super) fn since(previous: &Previous, lines: &[String], key_columns: &[usize]) -> Option<Since> {
    let before = previous.0.as_ref()?;
    let new = |line: &&String| before.binary_search(line).is_err();
    let gone = |line: &&String| lines.binary_search(line).is_err();
    let added: Vec<String> = lines.iter().filter(new).cloned().collect();
    // Only who is among the changed can still be there under a line of another text.
    let changed: HashSet<Vec<&str>> = added.iter().map(|line| key(line, key_columns)).collect();
    let removed =
        before.iter().filter(gone).filter(|line| !changed.contains(&key(line, key_columns))).cloned().collect();
    Some(Since { added, removed })
}

/// The cells of the key columns: the grammars of cells hold no comma.
fn key<'l>(line: &'l str, key_columns: &[usize]) -> Vec<&'l str> {
    let cells: Vec<&str> = line.split(',').collect();
    key_columns.iter().filter_map(|&column| cells.get(column).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_changed_and_went() {
        let lines = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        let before = Previous(Some(lines(&["a,1", "b,1", "c,1"])));
        let since = since(&before, &lines(&["a,1", "b,2", "d,1"]), &[0]).unwrap();
        assert_eq!((since.added, since.removed), (lines(&["b,2", "d,1"]), lines(&["c,1"])));
        assert_eq!(super::since(&Previous(None), &lines(&["a,1"]), &[0]), None);
    }
}
