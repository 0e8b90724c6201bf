//! Texts as numbers: each distinct text gets the next code, so that columns of texts are columns of `u32`.
//!
//! An open-addressing table of 24-byte slots. A text of up to 15 bytes (most ids, every level) *is* its slot: finding it
//! touches one place in memory. A longer one keeps a 64-bit hash there and is compared with the text itself.

/// Distinct texts, numbered in the order in which they came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interner {
    slots: Vec<Slot>,
    text: String,
    /// Where each text ends in `text`.
    ends: Vec<usize>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    key: Key,
    code: u32,
}

/// Two words: the text itself and its length, or a hash and a mark that says so.
type Key = [u64; 2];

/// No text has this key: an empty slot.
const EMPTY: Key = [u64::MAX, u64::MAX];
/// The last byte of a long text's key; a short one has its length there.
const LONG: u64 = 0xFE << 56;

impl Interner {
    /// How many texts there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The code of a text, a new one if it was not seen before.
    pub(crate) fn intern(&mut self, text: &str) -> u32 {
        if self.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let key = key(text.as_bytes());
        let at = self.place(key, text);
        if self.slots[at].key == EMPTY {
            let code = u32::try_from(self.len()).expect("fewer than 2^32 different texts");
            self.slots[at] = Slot { key, code };
            self.text.push_str(text);
            self.ends.push(self.text.len());
        }
        self.slots[at].code
    }

    /// The code of a text that was seen before.
    pub(crate) fn find(&self, text: &str) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        let slot = &self.slots[self.place(key(text.as_bytes()), text)];
        (slot.key != EMPTY).then_some(slot.code)
    }

    /// The text of a code.
    pub(crate) fn text(&self, code: u32) -> &str {
        let code = code as usize;
        let start = if code == 0 { 0 } else { self.ends[code - 1] };
        &self.text[start..self.ends[code]]
    }

    /// A hash of a text, the same in every run and on every machine.
    pub(crate) fn hash(text: &str) -> u64 {
        hash(text.as_bytes())
    }

    /// The slot that holds the text, or the empty one where it belongs.
    fn place(&self, key: Key, text: &str) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = spread(key) & mask;
        loop {
            let slot = &self.slots[at];
            let here = slot.key == key && (key[1] >> 56 != LONG >> 56 || self.text(slot.code) == text);
            if here || slot.key == EMPTY {
                return at;
            }
            at = (at + 1) & mask;
        }
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(16);
        let old = std::mem::replace(&mut self.slots, vec![Slot { key: EMPTY, code: 0 }; size]);
        for slot in old.into_iter().filter(|slot| slot.key != EMPTY) {
            let mut at = spread(slot.key) & (size - 1);
            while self.slots[at].key != EMPTY {
                at = (at + 1) & (size - 1);
            }
            self.slots[at] = slot;
        }
    }
}

fn key(text: &[u8]) -> Key {
    if text.len() > 15 {
        return [hash(text), LONG | text.len() as u64 & (LONG - 1) & 0xFF_FFFF];
    }
    let length = (text.len() as u64) << 56;
    match text.split_first_chunk() {
        Some((first, rest)) => [u64::from_le_bytes(*first), short(rest) | length],
        None => [short(text), length],
    }
}

/// Up to seven bytes as a word, the rest of it zero. Two reads that overlap are faster than a copy of some length.
fn short(bytes: &[u8]) -> u64 {
    let n = bytes.len();
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let [first, last] = [first, last].map(|four| u64::from(u32::from_le_bytes(*four)));
        first | last << (8 * (n - 4))
    } else if n > 0 {
        let byte = |at: usize| u64::from(bytes[at]) << (8 * at);
        byte(0) | byte(n / 2) | byte(n - 1)
    } else {
        0
    }
}

/// A hash of a text, the same on every machine.
pub(crate) fn hash(text: &[u8]) -> u64 {
    let add = |hash: u64, word: u64| fold(hash ^ 0x9E37_79B9_7F4A_7C15, word ^ 0xD6E8_FEB8_6659_FD93);
    let (words, rest) = text.as_chunks();
    let hash = words.iter().fold(text.len() as u64, |hash, word| add(hash, u64::from_le_bytes(*word)));
    if rest.is_empty() { hash } else { add(hash, short(rest)) }
}

/// The product of two words, its halves mixed.
#[expect(clippy::cast_possible_truncation, reason = "the halves of the product are what is wanted")]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[expect(clippy::cast_possible_truncation, reason = "a place in the table, masked by its size")]
fn spread(key: Key) -> usize {
    fold(key[0] ^ 0xA076_1D64_78BD_642F, key[1] ^ 0xE703_7ED1_A0B4_28DB) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_bytes_are_a_word() {
        let bytes = [1, 2, 3, 4, 5, 6, 7, 0];
        for n in 0..8 {
            assert_eq!(short(&bytes[..n]), u64::from_le_bytes(bytes) & ((1 << (8 * n)) - 1));
        }
    }

    #[test]
    fn equal_texts_share_a_code_and_different_ones_do_not() {
        let mut texts = Interner::default();
        let all: Vec<String> = (0..5000)
            .flat_map(|n| {
                [n.to_string(), format!("p{n:014}"), format!("{n:032x}"), format!("é{n}"), "x".repeat(n % 40)]
            })
            .collect();
        let codes: Vec<u32> = all.iter().map(|text| texts.intern(text)).collect();
        for (text, code) in all.iter().zip(&codes) {
            assert_eq!(texts.text(*code), text);
            assert_eq!(texts.intern(text), *code);
        }
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(texts.len(), distinct.len());
    }
}
