//! Which rows of a file name somebody whom an earlier row names already: found before the rows are scored, in bounded memory.
//!
//! Ids that rise from row to row (shorter ones first, then by letters: counted ids, sorted ones) need no memory at all. Others
//! are compared by 64-bit hashes, a part of all hashes in each pass over the column of ids.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use polars::prelude::StringChunked;
use rayon::prelude::*;

use crate::error::Result;
use crate::source::{Chunk, Kind, Stream, is_null, number_kind};

/// Hashes kept at a time: 16 bytes each.
const AT_A_TIME: u64 = 1 << 24;

/// The column of ids of a file.
pub(super) struct Ids<'a> {
    pub(super) stream: &'a Stream,
    pub(super) person: &'a str,
    pub(super) null_values: &'a [String],
}

impl Ids<'_> {
    fn each(&self, take: &mut dyn FnMut(u64, &Chunk) -> Result<()>) -> Result<()> {
        self.stream.read(&[self.person.to_owned()], &mut |first, chunk| take(first, &chunk))
    }

    /// Whether all texts are numbers, and one of them is not whole as it is written: a run would read them as numbers.
    pub(super) fn are_numbers(&self) -> Result<bool> {
        let (mut all, mut some) = (true, false);
        self.each(&mut |_, chunk| {
            let Chunk::Text(raw) = chunk else { return Ok(()) };
            let Some(at) = raw.names.iter().position(|name| name == self.person) else { return Ok(()) };
            let mut kinds =
                (0..raw.len()).map(|row| raw.field(row, at)).filter(|text| !is_null(text, self.null_values));
            all = all
                && kinds.all(|text| {
                    let kind = number_kind(text.as_bytes());
                    some |= kind == Some(Kind::Float);
                    kind.is_some()
                });
            Ok(())
        })?;
        Ok(all && some)
    }

    /// The numbers of the rows that name somebody again, ascending.
    pub(super) fn repeated(&self, ids: &dyn Fn(&Chunk) -> Result<StringChunked>) -> Result<Vec<u64>> {
        let (mut rising, mut n_rows, mut last) = (true, 0, String::new());
        self.each(&mut |_, chunk| {
            n_rows += chunk.n_rows() as u64;
            if rising {
                for id in ids(chunk)?.iter().flatten() {
                    rising = rising && (last.len(), last.as_str()) < (id.len(), id);
                    last.clear();
                    last.push_str(id);
                }
            }
            Ok(())
        })?;
        if rising {
            return Ok(Vec::new());
        }
        let n_passes = n_rows.div_ceil(AT_A_TIME);
        let mut repeated = Vec::new();
        for pass in 0..n_passes {
            let mut seen: Vec<(u64, u64)> = Vec::new();
            self.each(&mut |first, chunk| {
                for (row, id) in ids(chunk)?.iter().enumerate() {
                    let hash = id.map(hash).filter(|hash| hash % n_passes == pass);
                    seen.extend(hash.map(|hash| (hash, chunk.number(row, first))));
                }
                Ok(())
            })?;
            seen.par_sort_unstable();
            repeated.extend(seen.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| pair[1].1));
        }
        repeated.sort_unstable();
        Ok(repeated)
    }
}

/// A hash of an id, good enough that two of a hundred million do not meet.
pub(crate) fn hash(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}
