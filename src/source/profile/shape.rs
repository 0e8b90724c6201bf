//! How texts are written, without what they say: `Jane.Doe@shop.com` is `Aaaa.Aaa@aaaa.aaa`.

use std::collections::BTreeMap;

use crate::source::intern::Interner;

/// Longer texts are cut.
const LENGTH: usize = 24;
/// So many different shapes are told apart; the others are counted together.
const SHAPES: usize = 1 << 10;
/// The shape of texts beyond those.
const OTHER: u32 = u32::MAX;

/// A text with `9` for a digit, `A` and `a` for letters, its other characters as they are.
pub(crate) fn shape(text: &str) -> String {
    let mut shape = String::with_capacity(LENGTH + 3);
    write(text, &mut shape);
    shape
}

fn write(text: &str, shape: &mut String) {
    shape.clear();
    if let Some(name) = well_known(text.as_bytes()) {
        shape.push_str(name);
        return;
    }
    let mut characters = text.chars();
    for character in characters.by_ref().take(LENGTH) {
        shape.push(match character {
            '0'..='9' => '9',
            'a'..='z' => 'a',
            'A'..='Z' => 'A',
            character if character.is_ascii() => character,
            character if character.is_numeric() => '9',
            character if character.is_uppercase() => 'A',
            character if character.is_alphabetic() => 'a',
            character => character,
        });
    }
    if characters.next().is_some() {
        shape.push('…');
    }
}

/// Ids that a program made: digits and letters in any order, which a shape would show as a thousand shapes.
fn well_known(text: &[u8]) -> Option<&'static str> {
    let is_hex = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_hexdigit);
    match text.len() {
        32 if is_hex(text) => Some("32 hex digits"),
        36 if text[8] == b'-' && text[13] == b'-' && text[18] == b'-' && text[23] == b'-' => {
            let parts = [0..8, 9..13, 14..18, 19..23, 24..36];
            parts.into_iter().all(|part| is_hex(&text[part])).then_some("UUID")
        }
        40 if is_hex(text) => Some("40 hex digits"),
        64 if is_hex(text) => Some("64 hex digits"),
        _ => None,
    }
}

/// The shapes of a column's texts and how many rows have each.
#[derive(Default)]
pub(super) struct Shapes {
    names: Interner,
    rows: Vec<u64>,
    written: String,
}

impl Shapes {
    /// The number of a text's shape.
    pub(super) fn of(&mut self, text: &str) -> u32 {
        write(text, &mut self.written);
        if self.names.len() >= SHAPES && self.names.find(&self.written).is_none() {
            return OTHER;
        }
        self.names.intern(&self.written)
    }

    /// Counts rows of a shape.
    pub(super) fn count(&mut self, shape: u32, rows: u64) {
        if shape == OTHER {
            return;
        }
        let at = shape as usize;
        self.rows.resize(self.rows.len().max(at + 1), 0);
        self.rows[at] += rows;
    }

    /// The most frequent shapes; of equal ones the first by name.
    pub(super) fn top(&self, most: usize) -> Vec<(String, u64)> {
        let named: BTreeMap<&str, u64> = (0..).zip(&self.rows).map(|(at, rows)| (self.names.text(at), *rows)).collect();
        let mut top: Vec<(String, u64)> = named.into_iter().map(|(name, rows)| (name.to_owned(), rows)).collect();
        top.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
        top.truncate(most);
        top
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_says_how_and_not_what() {
        for (text, written) in [
            ("Jane.Doe@shop.com", "Aaaa.Aaa@aaaa.aaa"),
            ("+49 151 23", "+99 999 99"),
            ("Zürich", "Aaaaaa"),
            ("5420aad7fec3549a85876ba1c529bd84", "32 hex digits"),
            ("123e4567-e89b-12d3-a456-426614174000", "UUID"),
            ("a text that is longer than a shape", "a aaaa aaaa aa aaaaaa aa…"),
        ] {
            assert_eq!(shape(text), written);
        }
    }
}
