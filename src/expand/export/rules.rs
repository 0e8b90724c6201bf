//! What a destination takes, as dated data: one TOML file each under `destinations/`.
//!
//! A file of rules names the pages it was read from and the day. No code knows a vendor: what a column holds is a
//! [`Field`], what is done to it a list of [`Step`]s, and what a cell may be a [`Grammar`].

use serde::Deserialize;

use crate::expand::contact::Role;
use crate::expand::hashes;
use crate::expand::normalise::{Step, is_email, is_uuid};
use crate::expand::phone::is_e164;
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
    /// Whether it shows advertisements: then the audience's name must not hint at anything delicate.
    #[serde(default)]
    pub is_ad_platform: bool,
    /// What to know before uploading, whatever the list.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Whether the first line names the columns.
    #[serde(default = "yes")]
    pub has_header: bool,
    /// Lines between the header and the people; `{audience}` stands for the audience's name.
    #[serde(default)]
    pub preamble: Vec<String>,
    /// How lines end.
    #[serde(default)]
    pub line_end: LineEnd,
    /// Headers that say who a person is, each list only as a whole. A row without any is rejected.
    pub match_keys: Vec<Vec<String>>,
    /// Headers that are of use only all together.
    #[serde(default)]
    pub together: Vec<Vec<String>>,
    /// Headers of which a row may fill one: the first that holds a value.
    #[serde(default)]
    pub exclusive: Vec<Vec<String>>,
    /// Rows below which the destination does not work well.
    pub advised_rows: Option<u64>,
    /// Rows of people that a file may hold.
    pub most_rows: Option<usize>,
    /// Bytes that a file may have.
    pub most_bytes: Option<usize>,
    /// The columns, in the file's order.
    pub columns: Vec<Column>,
}

impl Rules {
    /// Leaves the dots of gmail addresses where they are, and tells the reader of the manifest.
    pub(super) fn keep_gmail_dots(&mut self) {
        for column in self.columns.iter_mut().filter(|column| column.steps.contains(&Step::GmailDots)) {
            column.steps.retain(|step| *step != Step::GmailDots);
            self.notes.push(format!("{}: the dots of gmail addresses were kept.", column.header));
        }
    }
}

fn yes() -> bool {
    true
}

/// What ends a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum LineEnd {
    #[default]
    Crlf,
    Lf,
}

impl LineEnd {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Crlf => "\r\n",
            Self::Lf => "\n",
        }
    }
}

/// A column of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Column {
    pub header: String,
    /// What fills it.
    pub field: Field,
    /// The text of a constant column.
    #[serde(default)]
    pub constant: String,
    /// What is done to a value, in order.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// Whether the value is then hashed: SHA-256, no salt, lower-case hexadecimal.
    #[serde(default)]
    pub hash: bool,
    /// What a cell with data may hold.
    #[serde(default)]
    pub grammar: Grammar,
    /// How often the column may be repeated for several values.
    #[serde(default = "once")]
    pub at_most: usize,
    /// The bytes that a value may have, and the letters.
    pub most_bytes: Option<usize>,
    pub most_letters: Option<usize>,
}

fn once() -> usize {
    1
}

/// What fills a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum Field {
    /// The contact columns of a role.
    Contact(Role),
    /// Something that is known of everyone in an audience.
    Known(Known),
}

/// Something that is known of everyone in an audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Known {
    /// The person's id.
    Person,
    /// The person's id, or another id among the contact columns: the first of the column's grammar.
    Id,
    Rank,
    /// The score, at least 0: what a seed is weighted by.
    Value,
    /// The audience's name.
    Audience,
    /// The campaign that the spec names.
    Campaign,
    /// What a member of the campaign is at first.
    CampaignStatus,
    /// The same in every row.
    Constant,
}

/// A closed set of texts. None of them holds a quote or a line break, none but [`Grammar::Text`] a comma, and none is a formula.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Grammar {
    /// 64 lower-case hexadecimal digits, but not the hash of nothing.
    Sha256,
    /// Two letters, of one case.
    Country,
    /// Letters, digits, and blanks or hyphens between them.
    Zip,
    /// An e-mail address of letters, digits and the signs that need no quotes.
    Email,
    /// As [`Grammar::Email`], with nothing but ASCII before the `@`.
    EmailAscii,
    /// A telephone number with its plus sign.
    E164,
    /// Letters of any script, with blanks, hyphens, apostrophes, dots and the signs of titles between them.
    #[default]
    Words,
    /// As [`Grammar::Words`], with commas: such a cell stands in quotes.
    Text,
    /// An id: ASCII letters, digits and `_ . : @ -`.
    Id,
    /// A number with a decimal point.
    Number,
    /// The id of a Salesforce contact, lead or campaign: its prefix and 15 or 18 characters.
    SalesforceContact,
    SalesforceLead,
    SalesforceCampaign,
    /// An advertising id: a UUID.
    Device,
}

impl Grammar {
    pub(super) fn holds(self, cell: &str) -> bool {
        let bytes = cell.as_bytes();
        let all = |plain: fn(&u8) -> bool| bytes.iter().all(plain);
        match self {
            Self::Sha256 => {
                bytes.len() == 64 && all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) && cell != hashes::OF_NOTHING
            }
            Self::Country => bytes.len() == 2 && (all(u8::is_ascii_uppercase) || all(u8::is_ascii_lowercase)),
            Self::Zip => {
                (2..=12).contains(&bytes.len())
                    && bytes[0].is_ascii_alphanumeric()
                    && all(|b| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'-'))
            }
            Self::Email => is_plain_email(cell),
            Self::EmailAscii => is_plain_email(cell) && cell.rsplit_once('@').is_some_and(|(user, _)| user.is_ascii()),
            Self::E164 => is_e164(cell),
            Self::Words => is_words(cell, " '’-_.&/()"),
            Self::Text => is_words(cell, " '’-_.&/(),"),
            Self::Id => {
                (1..=255).contains(&bytes.len())
                    && bytes[0].is_ascii_alphanumeric()
                    && all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':' | b'@' | b'-'))
            }
            Self::Number => {
                !bytes.is_empty() && cell.parse::<f64>().is_ok_and(|number| number >= 0.0 && number.is_finite())
            }
            Self::SalesforceContact => is_salesforce(cell, "003"),
            Self::SalesforceLead => is_salesforce(cell, "00Q"),
            Self::SalesforceCampaign => is_salesforce(cell, "701"),
            Self::Device => is_uuid(bytes),
        }
    }
}

impl Grammar {
    /// Whether it holds ids of Salesforce.
    pub(super) fn is_salesforce(self) -> bool {
        matches!(self, Self::SalesforceContact | Self::SalesforceLead | Self::SalesforceCampaign)
    }
}

/// Letters and digits of any script, with these signs behind the first.
fn is_words(cell: &str, signs: &str) -> bool {
    cell.starts_with(char::is_alphanumeric)
        && cell.chars().all(|c| c.is_alphanumeric() || is_mark(c) || signs.contains(c))
}

/// An address that stands in a CSV file and in a spreadsheet as it is.
fn is_plain_email(cell: &str) -> bool {
    is_email(cell)
        && cell.starts_with(|c: char| c.is_alphanumeric() || c == '_')
        && cell.chars().all(|c| c.is_alphanumeric() || is_mark(c) || "@._+-!#$%&'*/=?^{|}~".contains(c))
}

/// A combining mark, as many scripts write their vowels.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{dff}' | '\u{e31}'..='\u{e4e}')
}

/// A Salesforce id in its long form, which is the same in any case: a letter more for each five, of which the bits tell what is
/// upper case. <https://help.salesforce.com>: 000385585
pub(super) fn long_id(id: &str) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    if id.len() != 15 {
        return id.to_owned();
    }
    let bits = |five: &[u8]| (0..5).map(|at| usize::from(five[at].is_ascii_uppercase()) << at).sum::<usize>();
    let more = id.as_bytes().chunks(5).map(|five| char::from(LETTERS[bits(five)]));
    id.chars().chain(more).collect()
}

/// <https://help.salesforce.com>: three characters tell the kind of record, 15 or 18 are the whole id.
fn is_salesforce(cell: &str, prefix: &str) -> bool {
    cell.starts_with(prefix) && matches!(cell.len(), 15 | 18) && cell.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The rules of a destination that has any.
pub(super) fn of(destination: Destination) -> Option<Rules> {
    let text = match destination {
        Destination::Csv | Destination::Xlsx | Destination::Parquet | Destination::Sqlite | Destination::Postgres => {
            return None;
        }
        Destination::HashedCsv => include_str!("../destinations/hashed-csv.toml"),
        Destination::GoogleMobileDevices => include_str!("../destinations/google-mobile-devices.toml"),
        Destination::GoogleCustomerMatch => include_str!("../destinations/google-customer-match.toml"),
        Destination::MetaCustomAudience => include_str!("../destinations/meta-custom-audience.toml"),
        Destination::MetaValueBasedSeed => include_str!("../destinations/meta-value-based-seed.toml"),
        Destination::LinkedinMatchedAudience => include_str!("../destinations/linkedin-matched-audience.toml"),
        Destination::TiktokCustomAudience => include_str!("../destinations/tiktok-custom-audience.toml"),
        Destination::MicrosoftCustomerMatch => include_str!("../destinations/microsoft-customer-match.toml"),
        Destination::XCustomAudience => include_str!("../destinations/x-custom-audience.toml"),
        Destination::SalesforceCampaignMembers => include_str!("../destinations/salesforce-campaign-members.toml"),
        Destination::Hubspot => include_str!("../destinations/hubspot.toml"),
        Destination::Mailchimp => include_str!("../destinations/mailchimp.toml"),
        Destination::Klaviyo => include_str!("../destinations/klaviyo.toml"),
        Destination::Braze => include_str!("../destinations/braze.toml"),
    };
    Some(toml::from_str(text).expect("a test reads every file of rules"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_rules_is_whole() {
        let ruled = Destination::ALL.into_iter().filter_map(|destination| Some((destination, of(destination)?)));
        let mut n_ruled = 0;
        for (destination, rules) in ruled {
            n_ruled += 1;
            let name = destination.name();
            assert_eq!(rules.name, name);
            assert!(rules.read_on.parse::<jiff::civil::Date>().is_ok() && !rules.pages.is_empty(), "{name}");
            let headers: Vec<&str> = rules.columns.iter().map(|column| column.header.as_str()).collect();
            for header in rules.match_keys.iter().chain(&rules.together).chain(&rules.exclusive).flatten() {
                assert!(headers.contains(&header.as_str()), "{name}: {header}");
            }
            for column in &rules.columns {
                assert_eq!(column.hash, column.grammar == Grammar::Sha256, "{name}: {}", column.header);
                let is_constant = column.field == Field::Known(Known::Constant);
                assert!(is_constant || column.constant.is_empty(), "{name}: {}", column.header);
            }
        }
        assert_eq!(n_ruled, 14);
    }

    #[test]
    fn a_short_salesforce_id_and_its_long_form_are_one() {
        // The example of knowledge article 000385585's algorithm, by hand: only the last five are upper case, all of them.
        assert_eq!(long_id("0035g00000ABCDE"), "0035g00000ABCDEAA5");
        assert_eq!(long_id("0035g00000ABCDEAA5"), "0035g00000ABCDEAA5");
    }

    #[test]
    fn no_grammar_holds_what_a_file_or_a_spreadsheet_would_misread() {
        let all = [
            Grammar::Sha256,
            Grammar::Country,
            Grammar::Zip,
            Grammar::Email,
            Grammar::EmailAscii,
            Grammar::Words,
            Grammar::Text,
            Grammar::Id,
            Grammar::Number,
            Grammar::SalesforceContact,
            Grammar::Device,
        ];
        for cell in ["", "=1+1", "-2", "@sum", ",a", "a\"b", "a\nb", "\ta", "+x@y.co", "=x@y.co", "<b>a</b>"] {
            for grammar in all {
                assert!(!grammar.holds(cell), "{grammar:?} {cell}");
            }
        }
        for (grammar, cell) in [
            (Grammar::Email, "zoë+shop@exämple.com"),
            (Grammar::EmailAscii, "zoe@exämple.com"),
            (Grammar::Words, "Anne-Marie O’Neil, Jr".trim_end_matches(", Jr")),
            (Grammar::Text, "Doe, Jr."),
            (Grammar::Id, "mql-17"),
            (Grammar::Number, "0.25"),
            (Grammar::SalesforceContact, "0035g00000ABCDEAA1"),
            (Grammar::Device, "4b61639e-47cc-4056-a16a-c8217e029462"),
        ] {
            assert!(grammar.holds(cell), "{grammar:?} {cell}");
        }
        assert!(all.into_iter().all(|grammar| grammar.holds("a,b") == (grammar == Grammar::Text)));
        assert!(!Grammar::EmailAscii.holds("zoë@example.com"));
        assert!(!Grammar::Device.holds("00000000-0000-0000-0000-000000000000"));
        assert!(!Grammar::SalesforceLead.holds("0035g00000ABCDEAA1"));
    }
}
