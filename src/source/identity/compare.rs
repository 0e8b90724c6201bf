//! How alike two values are, in a few levels: from "differs" to "same".
//!
//! Both values have been made plain before ([`super::plain`]). A level is a small number; the last level of a kind is equality. What a
//! level is worth is not said here: it is learned from the data ([`super::em`]).

use rapidfuzz::distance::{jaro_winkler, osa};

pub(crate) use crate::spec::Comparison as Kind;

/// Levels are told apart in three bits; the last one means that a value is missing.
pub(crate) const MISSING: u8 = 7;
/// The level of two texts that stand in each other's column.
pub(crate) const SWAPPED: u8 = 1;

/// Winkler's similarity of names that are the same but for a slip: the levels that Splink's comparison of names has too.
const NEARLY: f64 = 0.92;
const LIKE: f64 = 0.85;
const SOMEWHAT: f64 = 0.7;

impl Kind {
    /// The levels in words, the lowest first.
    pub(crate) fn levels(self) -> &'static [&'static str] {
        match self {
            Self::Name | Self::Text => &["differs", "swapped", "somewhat alike", "alike", "nearly the same", "same"],
            Self::Date => &["differs", "same year", "two parts of three the same", "one slip", "same"],
            Self::Code => &["differs", "same beginning", "one slip", "same"],
            Self::Id | Self::Phone => &["differs", "two slips", "one slip", "same"],
            Self::Email => &["differs", "alike", "same before the @", "one slip", "same"],
        }
    }

    /// The level of equality.
    pub(crate) fn same(self) -> u8 {
        u8::try_from(self.levels().len() - 1).expect("a handful of levels")
    }

    /// Whether a value may stand in the column of another of this kind.
    pub(crate) fn swaps(self) -> bool {
        matches!(self, Self::Name | Self::Text)
    }

    /// The level of two values that are not equal.
    pub(crate) fn compare(self, a: &str, b: &str) -> u8 {
        match self {
            Self::Name => by_similarity(similarity(a, b)),
            Self::Text => by_similarity(similarity(a, b).max(words_similarity(a, b))),
            Self::Date => date(a, b),
            Self::Code => code(a, b),
            Self::Id | Self::Phone => 3 - edits(a, b, 2).min(3),
            Self::Email => email(a, b),
        }
    }
}

fn by_similarity(similarity: f64) -> u8 {
    let levels = [(NEARLY, 4), (LIKE, 3), (SOMEWHAT, 2)];
    levels.iter().find(|(least, _)| similarity >= *least).map_or(0, |(_, level)| *level)
}

/// Jaro–Winkler; 0 below what any level asks.
fn similarity(a: &str, b: &str) -> f64 {
    let arguments = jaro_winkler::Args::default().score_cutoff(SOMEWHAT);
    let similarity = if a.is_ascii() && b.is_ascii() {
        jaro_winkler::similarity_with_args(a.bytes(), b.bytes(), &arguments)
    } else {
        jaro_winkler::similarity_with_args(a.chars(), b.chars(), &arguments)
    };
    similarity.unwrap_or(0.0)
}

/// The similarity of the same words in alphabetical order.
fn words_similarity(a: &str, b: &str) -> f64 {
    let several = |text: &str| text.contains(' ');
    if !several(a) || !several(b) { 0.0 } else { similarity(&sorted_words(a), &sorted_words(b)) }
}

fn sorted_words(text: &str) -> String {
    let mut words: Vec<&str> = text.split(' ').collect();
    words.sort_unstable();
    words.join(" ")
}

/// Insertions, deletions, replacements and exchanges of neighbours between two texts; above `most`: `most + 1`.
fn edits(a: &str, b: &str, most: u8) -> u8 {
    let arguments = osa::Args::default().score_cutoff(usize::from(most));
    let edits = if a.is_ascii() && b.is_ascii() {
        osa::distance_with_args(a.bytes(), b.bytes(), &arguments)
    } else {
        osa::distance_with_args(a.chars(), b.chars(), &arguments)
    };
    edits.map_or(most + 1, |edits| u8::try_from(edits).expect("at most `most`"))
}

/// One slip: a digit, two neighbours, or day and month exchanged.
fn date(a: &str, b: &str) -> u8 {
    if a.len() != 8 || b.len() != 8 || !a.is_ascii() || !b.is_ascii() {
        return if edits(a, b, 1) == 1 { 3 } else { 0 };
    }
    let parts = |text: &'_ str| [text[..4].to_owned(), text[4..6].to_owned(), text[6..].to_owned()];
    let ([year, month, day], [other_year, other_month, other_day]) = (parts(a), parts(b));
    let same_year = year == other_year;
    let n_same = u8::from(same_year) + u8::from(month == other_month) + u8::from(day == other_day);
    if edits(a, b, 1) == 1 || same_year && month == other_day && day == other_month {
        3
    } else if n_same == 2 {
        2
    } else {
        u8::from(same_year)
    }
}

/// Short codes have no slips: every other state would be one.
fn code(a: &str, b: &str) -> u8 {
    const SHORT: usize = 3;
    if a.len().max(b.len()) > SHORT && edits(a, b, 1) == 1 {
        return 2;
    }
    if a.len().max(b.len()) <= SHORT {
        // Exchanged or one off, where both have as many signs: "nsw" and "nws", "17" and "71".
        let exchanged = a.len() == b.len() && a.len() > 1 && sorted_signs(a) == sorted_signs(b);
        return if exchanged { 2 } else { u8::from(a.len() > 1 && b.len() > 1 && edits(a, b, 1) == 1) };
    }
    let half = a.chars().count().min(b.chars().count()).div_ceil(2);
    u8::from(half > 1 && a.chars().take(half).eq(b.chars().take(half)))
}

fn sorted_signs(text: &str) -> Vec<char> {
    let mut signs: Vec<char> = text.chars().collect();
    signs.sort_unstable();
    signs
}

fn email(a: &str, b: &str) -> u8 {
    let name = |address: &'_ str| address.split('@').next().unwrap_or_default().to_owned();
    if edits(a, b, 1) == 1 {
        3
    } else if name(a) == name(b) {
        2
    } else {
        u8::from(similarity(&name(a), &name(b)) >= NEARLY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_what_a_reader_would_say() {
        let cases = [
            (Kind::Name, "martha", "marhta", "nearly the same"),
            (Kind::Name, "dwayne", "duane", "somewhat alike"),
            (Kind::Name, "jones", "smith", "differs"),
            (Kind::Text, "12 high street", "high street 12", "nearly the same"),
            (Kind::Date, "19800102", "19800201", "one slip"),
            (Kind::Date, "19801231", "19821231", "one slip"),
            (Kind::Date, "19801231", "19791231", "two parts of three the same"),
            (Kind::Date, "19801231", "19800603", "same year"),
            (Kind::Date, "19801231", "19790603", "differs"),
            (Kind::Code, "2000", "2001", "one slip"),
            (Kind::Code, "nsw", "nws", "one slip"),
            (Kind::Code, "nsw", "vic", "differs"),
            (Kind::Code, "sw1a 1aa", "sw1a 2bb", "same beginning"),
            (Kind::Id, "6988048", "6988084", "one slip"),
            (Kind::Id, "6988048", "6987049", "two slips"),
            (Kind::Id, "6988048", "1234567", "differs"),
            (Kind::Email, "jo@a.de", "jo@b.com", "same before the @"),
        ];
        for (kind, a, b, expected) in cases {
            assert_eq!(kind.levels()[usize::from(kind.compare(a, b))], expected, "{a} {b}");
            assert_eq!(kind.compare(a, b), kind.compare(b, a), "{a} {b}");
        }
    }
}
