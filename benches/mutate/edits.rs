//! Random edits of a JSON file, as accidents and malice make them: bytes, cuts, numbers that do not fit, keys that are missing or
//! there twice, and nesting without end.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// What numbers, and anything else, are replaced by.
const WORDS: [&str; 24] = [
    "0",
    "-1",
    "1",
    "2",
    "3",
    "7",
    "255",
    "65536",
    "2147483647",
    "-2147483648",
    "4294967295",
    "4294967296",
    "18446744073709551616",
    "1e38",
    "-1e38",
    "1e308",
    "-1e308",
    "1e-320",
    "1e999",
    "NaN",
    "null",
    "true",
    "\"x\"",
    "[]",
];

/// A stream of random edits: the same seed makes the same ones.
pub(crate) struct Edits {
    random: ChaCha8Rng,
}

impl Edits {
    /// The stream of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self { random: ChaCha8Rng::seed_from_u64(seed) }
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.random.next_u64() % u64::try_from(n.max(1)).unwrap()).unwrap()
    }

    /// The file with one to three edits.
    pub(crate) fn edited(&mut self, file: &[u8]) -> Vec<u8> {
        let mut edited = file.to_vec();
        for _ in 0..=self.below(3) {
            self.edit(&mut edited);
        }
        edited
    }

    fn edit(&mut self, file: &mut Vec<u8>) {
        let at = self.below(file.len());
        let Some(byte) = file.get_mut(at) else { return };
        match self.below(13) {
            0 => *byte ^= 1 << self.below(8),
            1 => *byte = b"0123456789-e.,[]{}:\"\\"[self.below(21)],
            2 => file.truncate(at),
            3 => drop(file.remove(at)),
            4 => self.nest(file, at),
            5 => self.repeat(file, at),
            6 => self.key(file, at),
            7 => self.swap(file, at),
            _ => self.number(file, at),
        }
    }

    /// Replaces the next number.
    fn number(&mut self, file: &mut Vec<u8>, at: usize) {
        let Some(span) = number_from(file, at) else { return };
        let word =
            if self.below(4) == 0 { self.below(1000).to_string() } else { WORDS[self.below(WORDS.len())].to_owned() };
        file.splice(span, word.bytes());
    }

    /// Puts one number in the place of another: links between nodes that lead elsewhere, or round in circles.
    fn swap(&mut self, file: &mut Vec<u8>, at: usize) {
        let from = self.below(file.len());
        let (Some(from), Some(to)) = (number_from(file, from), number_from(file, at)) else { return };
        let other = file[from].to_vec();
        file.splice(to, other);
    }

    /// Opens lists or objects that nobody closes, or closes them all.
    fn nest(&mut self, file: &mut Vec<u8>, at: usize) {
        let depth = 1 << self.below(14);
        let (open, close) = if self.below(2) == 0 { ("[", "]") } else { ("{\"blend\":{\"parts\":[", "]}}") };
        let close = if self.below(2) == 0 { close } else { "" };
        file.splice(at..at, (open.repeat(depth) + &close.repeat(depth)).into_bytes());
    }

    /// Says a stretch again, perhaps many times.
    fn repeat(&mut self, file: &mut Vec<u8>, at: usize) {
        let end = (at + 1 + self.below(40)).min(file.len());
        let times = 1 << self.below(8);
        let stretch = file[at..end].repeat(times);
        file.splice(at..at, stretch);
    }

    /// Renames the next key, or gives it the name of another.
    fn key(&mut self, file: &mut Vec<u8>, at: usize) {
        let from = self.below(file.len());
        let (Some(here), Some(there)) = (key_from(file, at), key_from(file, from)) else { return };
        let name = if self.below(2) == 0 { b"other".to_vec() } else { file[there].to_vec() };
        file.splice(here, name);
    }
}

fn number_from(file: &[u8], at: usize) -> Option<std::ops::Range<usize>> {
    let starts = |at: usize| {
        (file[at].is_ascii_digit() || file[at] == b'-')
            && at.checked_sub(1).is_none_or(|before| b"[,:".contains(&file[before]))
    };
    let start = (at..file.len()).find(|&at| starts(at))?;
    let end = (start..file.len()).find(|&at| b",]}".contains(&file[at])).unwrap_or(file.len());
    Some(start..end)
}

fn key_from(file: &[u8], at: usize) -> Option<std::ops::Range<usize>> {
    let end = (at..file.len()).find(|&at| file[at..].starts_with(b"\":"))?;
    let start = (0..end).rev().find(|&at| file[at] == b'"')? + 1;
    Some(start..end)
}
