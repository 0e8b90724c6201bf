//! What a destination takes, as dated data: one TOML file each under `destinations/`.

use serde::Deserialize;

use crate::expand::contact::Role;
use crate::expand::normalise::Step;
use crate::spec::Destination;

/// A destination's rules.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rules {
    /// The destination's name.
    #[cfg_attr(not(test), expect(dead_code, reason = "it tells readers of the file what they read; a test checks it"))]
    pub name: String,
    /// What its makers call it.
    pub title: String,
    /// The day the pages were read.
    pub read_on: String,
    pub pages: Vec<String>,
    /// What it has to be told about consent.
    pub consent: String,
    /// Headers that say who a person is, each list only as a whole. A row without any is rejected.
    pub match_keys: Vec<Vec<String>>,
    /// Headers that are of use only all together.
    pub together: Vec<Vec<String>>,
    /// Rows below which the destination does not work well.
    pub advised_rows: Option<u64>,
    /// The columns, in the file's order.
    pub columns: Vec<Column>,
}

/// A column of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Column {
    pub header: String,
    /// The role of the contact columns that fill it.
    pub field: Role,
    /// What is done to a value, in order.
    pub steps: Vec<Step>,
    /// Whether the value is then hashed: SHA-256, no salt, lower-case hexadecimal.
    pub hash: bool,
    /// What a cell may hold.
    pub grammar: Grammar,
    /// How often the column may be repeated for several values.
    pub at_most: usize,
}

/// A closed set of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Grammar {
    /// 64 lower-case hexadecimal digits, but not the hash of nothing.
    Sha256,
    /// Two capitals.
    Country,
    /// Letters, digits, and blanks or hyphens between them.
    Zip,
}

/// SHA-256 of nothing: it matches nobody, and everybody without a value has it.
pub(super) const HASH_OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

impl Grammar {
    pub(super) fn holds(self, cell: &str) -> bool {
        let bytes = cell.as_bytes();
        let all = |plain: fn(&u8) -> bool| bytes.iter().all(plain);
        match self {
            Self::Sha256 => {
                bytes.len() == 64 && all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) && cell != HASH_OF_NOTHING
            }
            Self::Country => bytes.len() == 2 && all(u8::is_ascii_uppercase),
            Self::Zip => {
                (2..=12).contains(&bytes.len())
                    && bytes[0].is_ascii_alphanumeric()
                    && all(|b| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'-'))
            }
        }
    }
}

/// The rules of a destination that has any.
pub(super) fn of(destination: Destination) -> Option<Rules> {
    let text = match destination {
        Destination::Csv | Destination::Xlsx => return None,
        Destination::GoogleCustomerMatch => include_str!("../destinations/google-customer-match.toml"),
        Destination::MetaCustomAudience => include_str!("../destinations/meta-custom-audience.toml"),
    };
    Some(toml::from_str(text).expect("a test reads every file of rules"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_rules_is_whole() {
        for destination in [Destination::GoogleCustomerMatch, Destination::MetaCustomAudience] {
            let rules = of(destination).expect("rules");
            assert_eq!(rules.name, destination.name());
            assert!(rules.read_on.parse::<jiff::civil::Date>().is_ok() && !rules.pages.is_empty());
            let headers: Vec<&str> = rules.columns.iter().map(|column| column.header.as_str()).collect();
            for header in rules.match_keys.iter().chain(&rules.together).flatten() {
                assert!(headers.contains(&header.as_str()), "{header}");
            }
            assert!(rules.columns.iter().all(|column| column.hash == (column.grammar == Grammar::Sha256)));
        }
    }
}
