//! Contact data in the one form that a destination, or a comparison, wants.
//!
//! There is no common normaliser: the same person hashes differently per destination. So each destination lists
//! [`Step`]s in its data file, and this file holds the steps. A step that finds a value unfit says why, in words without
//! the value.

use serde::Deserialize;
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use super::phone::e164;
use crate::source::places;

/// One thing done to a value on its way to a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Step {
    Lower,
    NoSpace,
    NoPunctuation,
    /// `mrs. jane` → `jane`.
    NoTitle,
    /// `doe jr.` → `doe`.
    NoSuffix,
    /// Refuses what is not an address.
    Email,
    /// All dots before `@gmail.com` and `@googlemail.com` go.
    GmailDots,
    /// `jane+shop@…` → `jane@…`.
    NoTag,
    /// `jane.doe@…` → `janedoe@…`, whatever the domain.
    NoDots,
    /// `(800) 555-0100` of a person in the US → `+18005550100`.
    E164,
    Digits,
    /// ISO 3166-1 alpha-2, upper case.
    Country,
    /// Two letters in the US, elsewhere as it is.
    UsState,
    /// Five digits or ZIP+4 in the US, elsewhere letters and digits.
    Zip,
    /// The first five digits in the US, elsewhere as it is.
    UsZip5,
}

/// Why a value cannot be given to a destination.
pub(super) type Unfit = &'static str;

/// The value after all `steps`, of a person in `country` (alpha-2, lower case). Nothing at all stays nothing.
pub(super) fn apply(steps: &[Step], text: &str, country: Option<&str>) -> Result<Option<String>, Unfit> {
    let mut value = cleaned(text);
    for step in steps {
        if is_nothing(&value) {
            return Ok(None);
        }
        step.apply(&value, country)?.trim().clone_into(&mut value);
    }
    Ok(Some(value).filter(|value| !is_nothing(value)))
}

impl Step {
    fn apply(self, text: &str, country: Option<&str>) -> Result<String, Unfit> {
        Ok(match self {
            Self::Lower => text.to_lowercase(),
            Self::NoSpace => text.split_whitespace().collect(),
            Self::NoPunctuation => joined(text.replace(is_punctuation, "").split_whitespace()),
            Self::NoTitle => without_title(text),
            Self::NoSuffix => without_suffix(text),
            Self::Email if is_email(text) => text.to_owned(),
            Self::Email => return Err("the e-mail is not an address"),
            Self::GmailDots => without_gmail_dots(text),
            Self::NoTag => in_user(text, |user| user.split('+').next().unwrap_or(user).to_owned()),
            Self::NoDots => in_user(text, |user| user.replace('.', "")),
            Self::E164 => e164(text, country)?,
            Self::Digits => text.chars().filter(char::is_ascii_digit).collect(),
            Self::Country => places::country(text).ok_or("the country is not known")?.to_uppercase(),
            Self::UsState if country.is_none_or(|country| country == "us") => {
                places::us_state(text).map_or_else(|| text.to_owned(), str::to_owned)
            }
            Self::Zip => zip(text, country)?,
            Self::UsZip5 if country == Some("us") => text.chars().take(5).collect(),
            Self::UsState | Self::UsZip5 => text.to_owned(),
        })
    }
}

/// Composed (NFC), without characters that nobody sees, without blanks around it.
pub(super) fn cleaned(text: &str) -> String {
    if text.is_ascii() {
        return text.trim_matches(|c: char| c.is_whitespace() || c.is_control()).to_owned();
    }
    let seen = text.chars().filter(|&c| !is_invisible(c));
    let composed: String = if is_nfc(text) { seen.collect() } else { seen.nfc().collect() };
    composed.trim().to_owned()
}

/// As [`cleaned`], and wide, narrow and joined letters as plain ones (NFKC): for comparisons.
pub(super) fn folded(text: &str) -> String {
    let text = cleaned(text);
    if text.is_ascii() { text } else { text.nfkc().collect() }
}

/// Words that people and programs write where there is no value.
pub(super) fn is_nothing(text: &str) -> bool {
    const NOTHING: [&str; 9] = ["", "-", "na", "n/a", "nan", "none", "null", "nil", "unknown"];
    text.len() <= 7 && NOTHING.contains(&text.to_ascii_lowercase().as_str())
}

fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{feff}')
}

fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation()
        || matches!(c, '¡' | '«' | '´' | '·' | '»' | '¿' | '\u{2010}'..='\u{205e}' | '\u{3001}'..='\u{3003}')
}

fn joined<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(" ")
}

fn without_title(text: &str) -> String {
    const TITLES: [&str; 9] = ["mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "dame"];
    let is_title = |word: &&str| TITLES.contains(&word.trim_end_matches('.').to_lowercase().as_str());
    let rest = joined(text.split_whitespace().skip_while(is_title));
    if rest.is_empty() { text.to_owned() } else { rest }
}

fn without_suffix(text: &str) -> String {
    const SUFFIXES: [&str; 8] = ["jr", "sr", "ii", "iii", "iv", "phd", "md", "esq"];
    let is_suffix = |word: &str| SUFFIXES.contains(&word.replace(['.', ','], "").to_lowercase().as_str());
    let mut words: Vec<&str> = text.split_whitespace().collect();
    while words.len() > 1 && words.last().is_some_and(|word| is_suffix(word)) {
        words.pop();
    }
    words.join(" ").trim_end_matches(',').to_owned()
}

/// One `@`, something before it, a domain with a dot after it, and nothing that an address cannot hold.
pub(super) fn is_email(text: &str) -> bool {
    let Some((user, domain)) = text.rsplit_once('@') else { return false };
    let plain =
        |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '"' | '(' | ')' | ',' | ';' | '<' | '>' | '@');
    let labelled = domain.contains('.') && domain.split('.').all(|label| !label.is_empty());
    !user.is_empty() && labelled && text.len() <= 254 && user.chars().all(plain) && domain.chars().all(plain)
}

/// Google's own two domains and no other: `j.doe@gmailx.com` keeps its dot.
fn without_gmail_dots(email: &str) -> String {
    match email.rsplit_once('@') {
        Some((user, domain @ ("gmail.com" | "googlemail.com"))) => format!("{}@{domain}", user.replace('.', "")),
        _ => email.to_owned(),
    }
}

/// An address with its user's part changed.
fn in_user(email: &str, change: impl Fn(&str) -> String) -> String {
    email.rsplit_once('@').map_or_else(|| email.to_owned(), |(user, domain)| format!("{}@{domain}", change(user)))
}

/// Providers that deliver `user+anything` to `user`.
const TAGGED: [&str; 8] =
    ["gmail.com", "icloud.com", "proton.me", "outlook.com", "hotmail.com", "live.com", "fastmail.com", "yandex.com"];

/// The mailbox that an address leads to: what two addresses of one person have in common.
///
/// Lower case; the dots of gmail do not count, googlemail is gmail, iCloud's and Proton's domains are one each; a `+tag`
/// goes where the provider is known to deliver it to the same mailbox. `None` when the text is no address.
pub(super) fn mailbox(text: &str) -> Option<String> {
    if !text.contains(['@', '＠']) {
        return None;
    }
    let text = folded(text).to_lowercase();
    let text = text.rsplit_once('<').map_or(text.as_str(), |(_, address)| address.trim_end_matches('>'));
    let text: String = text.trim_start_matches("mailto:").split_whitespace().collect();
    let text = text.trim_matches(|c: char| matches!(c, '\'' | '"' | ',' | ';' | '.'));
    if !is_email(text) {
        return None;
    }
    let (user, domain) = text.rsplit_once('@')?;
    let domain = match domain {
        "googlemail.com" => "gmail.com",
        "me.com" | "mac.com" => "icloud.com",
        "protonmail.com" | "pm.me" => "proton.me",
        other => other,
    };
    let user = if TAGGED.contains(&domain) { user.split('+').next().unwrap_or(user) } else { user };
    let user = if domain == "gmail.com" { user.replace('.', "") } else { user.to_owned() };
    (!user.is_empty()).then(|| format!("{user}@{domain}"))
}

fn zip(text: &str, country: Option<&str>) -> Result<String, Unfit> {
    const UNFIT: Unfit = "the postcode is not one";
    let text = joined(text.split_whitespace());
    let digits = |part: &str, n: usize| part.len() == n && part.bytes().all(|byte| byte.is_ascii_digit());
    if country == Some("us") {
        let (five, four) = text.split_once('-').map_or((text.as_str(), None), |(five, four)| (five, Some(four)));
        // A postcode read as a number has lost its zeros: 2139 was 02139.
        let five = if (3..5).contains(&five.len()) { format!("{five:0>5}") } else { five.to_owned() };
        return match four {
            None if digits(&five, 5) => Ok(five),
            None if digits(&five, 9) => Ok(format!("{}-{}", &five[..5], &five[5..])),
            Some(four) if digits(&five, 5) && digits(four, 4) => Ok(format!("{five}-{four}")),
            _ => Err(UNFIT),
        };
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'-');
    let fits = (2..=12).contains(&text.len()) && text.bytes().all(plain) && text.as_bytes()[0].is_ascii_alphanumeric();
    if fits { Ok(text) } else { Err(UNFIT) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_has_many_addresses() {
        for text in [
            "Jane.Doe@gmail.com",
            " janedoe+shop@googlemail.com ",
            "Jane <j.a.n.e.d.o.e@GMAIL.com>",
            "mailto:janedoe@gmail.com",
        ] {
            assert_eq!(mailbox(text).as_deref(), Some("janedoe@gmail.com"), "{text}");
        }
        assert_eq!(mailbox("Jane.Doe+x@gmailx.com").as_deref(), Some("jane.doe+x@gmailx.com"));
        assert_eq!(mailbox("ｊane@ｅxample.com").as_deref(), Some("jane@example.com"));
        for text in ["", "jane", "jane@", "@x.co", "jane@localhost", "a b", "jane@x..co"] {
            assert_eq!(mailbox(text), None, "{text}");
        }
    }

    #[test]
    fn names_lose_titles_and_punctuation_but_not_letters() {
        let first = [Step::Lower, Step::NoTitle, Step::NoPunctuation];
        let last = [Step::Lower, Step::NoSuffix, Step::NoPunctuation];
        for (steps, text, wanted) in [
            (first, " Mrs. Zoë ", "zoë"),
            (first, "Zoe\u{308}", "zoë"),
            (last, "Pérez", "pérez"),
            (last, "O'Brien, Jr.", "obrien"),
            (last, "Smith-Jones", "smithjones"),
        ] {
            assert_eq!(apply(&steps, text, None).unwrap().as_deref(), Some(wanted));
        }
        assert_eq!(apply(&first, " \u{200b}\u{feff} ", None), Ok(None));
        assert_eq!(apply(&first, "...", None), Ok(None));
    }

    #[test]
    fn postcodes_and_states_follow_their_country() {
        let zip = |text, country| apply(&[Step::Zip], text, country);
        assert_eq!(zip("2139", Some("us")), Ok(Some("02139".to_owned())));
        assert_eq!(zip("943035300", Some("us")), Ok(Some("94303-5300".to_owned())));
        assert_eq!(zip("WC2H  8LG", Some("gb")), Ok(Some("WC2H 8LG".to_owned())));
        assert!(zip("=1+1", None).is_err() && zip("94303-53", Some("us")).is_err());
        // Segment's connector never finds states of two words: its keys have no blank, its lookups have one.
        let state = [Step::Lower, Step::UsState, Step::NoPunctuation, Step::NoSpace];
        assert_eq!(apply(&state, "New York", Some("us")), Ok(Some("ny".to_owned())));
        assert_eq!(apply(&state, "São Paulo", Some("br")), Ok(Some("sãopaulo".to_owned())));
    }
}
