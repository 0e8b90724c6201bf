//! `[identity]`: which ids are one person.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[identity]`: which ids are one person.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IdentityRules {
    /// Pairs of columns whose ids are one person.
    pub links: Vec<Link>,
    /// Contact columns; ids that share a value are one person.
    pub contacts: Vec<ContactLink>,
    /// Ids and contact data that mean nobody, in lower case.
    pub blocked: Vec<String>,
    /// Find rows of one person by likeness.
    pub matching: Option<Matching>,
    /// Pairs of ids that are one person.
    pub always: Vec<[String; 2]>,
    /// Pairs of ids that are two people.
    pub never: Vec<[String; 2]>,
}

impl IdentityRules {
    /// Whether an id may become another.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.links.is_empty() && self.contacts.is_empty() && self.matching.is_none() && self.always.is_empty()
    }
}

/// Two columns of a table whose values are ids of the same person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The table of `[tables]`.
    pub table: String,
    /// The two columns.
    pub columns: [String; 2],
    /// An id of the first column with more ids of the second links nobody.
    pub max_ids: usize,
    /// An id of the second column with more ids of the first links nobody.
    pub max_people: usize,
}

/// A contact column of people tables; ids that share a value are one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactLink {
    /// The column.
    pub column: String,
    /// Names of the people sources; empty: all that have the column.
    pub people: Vec<String>,
    /// A value that more ids share links nobody.
    pub max_ids: usize,
}

/// `[identity.match]`: how rows of one person are found by likeness.
#[derive(Debug, Clone, PartialEq)]
pub struct Matching {
    /// Names of the people sources; empty: all.
    pub people: Vec<String>,
    /// The columns to compare and what they hold; empty: guessed.
    pub compare: BTreeMap<String, Comparison>,
    /// From this probability on two rows are one person, 0–1.
    pub threshold: f64,
    /// Whether a table holds each person once.
    pub one_to_one: bool,
    /// The most ids of one person.
    pub max_ids: usize,
}

/// What a compared column holds, which says how its values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Comparison {
    /// Names of people and places: few words, typed by ear.
    Name,
    /// Longer texts such as addresses.
    Text,
    /// Days, such as the date of birth.
    Date,
    /// Postcodes, house numbers, categories.
    Code,
    /// Numbers of cards, insurance, tax: one person's own.
    Id,
    /// E-mail addresses.
    Email,
    /// Telephone numbers.
    Phone,
}
