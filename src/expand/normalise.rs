//! Contact data in the one form that a destination, or a comparison, wants.
//!
//! There is no common normaliser: the same person hashes differently per destination. So each destination lists
//! [`Step`]s in its data file, and this file holds the steps. A step that finds a value unfit says why, in words without
//! the value.

use std::borrow::Cow;

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
    /// An advertising id, lower case; the one of zeros alone means that its owner wants no advertising.
    Device,
    /// `@Jane` → `jane`.
    Handle,
    /// `m` or `f`.
    Gender,
    /// `1990-05-17` → `1990`.
    BirthYear,
}

/// Why a value cannot be given to a destination.
pub(super) type Unfit = &'static str;

/// Puts into `value` what `text` is after all `steps`, of a person in `country` (alpha-2, lower case), and says whether that is
/// anything: nothing at all stays nothing. Most steps change the value where it stands, as ten million people have many.
pub(super) fn apply(steps: &[Step], text: &str, country: Option<&str>, value: &mut String) -> Result<bool, Unfit> {
    value.clear();
    value.push_str(&cleaned(text));
    for step in steps {
        if is_nothing(value) {
            return Ok(false);
        }
        step.apply(value, country)?;
        trim(value);
    }
    Ok(!is_nothing(value))
}

impl Step {
    fn apply(self, value: &mut String, country: Option<&str>) -> Result<(), Unfit> {
        match self {
            Self::Lower if value.is_ascii() => value.make_ascii_lowercase(),
            Self::Lower => *value = value.to_lowercase(),
            Self::NoSpace => value.retain(|c| !c.is_whitespace()),
            Self::NoPunctuation => *value = joined(value.replace(is_punctuation, "").split_whitespace()),
            Self::NoTitle => *value = without_title(value),
            Self::NoSuffix => *value = without_suffix(value),
            Self::Email if is_email(value) => {}
            Self::Email => return Err("the e-mail is not an address"),
            // Google's own two domains and no other: `j.doe@gmailx.com` keeps its dot.
            Self::GmailDots if value.ends_with("@gmail.com") || value.ends_with("@googlemail.com") => no_dots(value),
            Self::NoTag => no_tag(value),
            Self::NoDots => no_dots(value),
            Self::E164 => *value = e164(value, country)?,
            Self::Digits => value.retain(|c| c.is_ascii_digit()),
            Self::Country => *value = places::country(value).ok_or("the country is not known")?.to_uppercase(),
            Self::UsState if country.is_none_or(|country| country == "us") => {
                if let Some(state) = places::us_state(value) {
                    state.clone_into(value);
                }
            }
            Self::Zip => *value = zip(value, country)?,
            Self::UsZip5 if country == Some("us") => {
                value.truncate(value.char_indices().nth(5).map_or(value.len(), |(end, _)| end));
            }
            Self::Device => *value = device(value).ok_or("the device is not an advertising id")?,
            Self::Handle => *value = handle(value).ok_or("the handle is not one")?,
            Self::Gender => *value = gender(value).ok_or("the gender is neither m nor f")?.to_owned(),
            Self::BirthYear => *value = birth_year(value).ok_or("the day of birth is not YYYY-MM-DD")?,
            Self::GmailDots | Self::UsState | Self::UsZip5 => {}
        }
        Ok(())
    }
}

fn trim(value: &mut String) {
    value.truncate(value.trim_end().len());
    value.drain(..value.len() - value.trim_start().len());
}

/// Composed (NFC), without characters that nobody sees, without blanks around it; a blank of another kind is a blank.
pub(super) fn cleaned(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return text.trim_matches(|c: char| c.is_whitespace() || c.is_control()).into();
    }
    let seen = text.chars().filter(|&c| !is_invisible(c)).map(|c| if c.is_whitespace() { ' ' } else { c });
    let mut composed: String = if is_nfc(text) { seen.collect() } else { seen.nfc().collect() };
    trim(&mut composed);
    composed.into()
}

/// As [`cleaned`], and wide, narrow and joined letters as plain ones (NFKC): for comparisons.
pub(super) fn folded(text: &str) -> Cow<'_, str> {
    let text = cleaned(text);
    if text.is_ascii() { text } else { text.nfkc().collect() }
}

/// Words that people and programs write where there is no value.
pub(super) fn is_nothing(text: &str) -> bool {
    const NOTHING: [&str; 9] = ["", "-", "na", "n/a", "nan", "none", "null", "nil", "unknown"];
    text.len() <= 7 && NOTHING.iter().any(|nothing| nothing.eq_ignore_ascii_case(text))
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

/// `jane.doe@…` → `janedoe@…`
fn no_dots(email: &mut String) {
    let n_user = email.rfind('@').unwrap_or_default();
    let mut at = 0;
    email.retain(|c| {
        at += c.len_utf8();
        c != '.' || at > n_user
    });
}

/// `jane+shop@…` → `jane@…`
fn no_tag(email: &mut String) {
    if let Some(n_user) = email.rfind('@')
        && let Some(tag) = email[..n_user].find('+')
    {
        email.drain(tag..n_user);
    }
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
    let mut address: String = text.trim_start_matches("mailto:").into();
    address.retain(|c| !c.is_whitespace());
    let address = address.trim_matches(|c: char| matches!(c, '\'' | '"' | ',' | ';' | '.'));
    if !is_email(address) {
        return None;
    }
    let (user, domain) = address.rsplit_once('@')?;
    let domain = match domain {
        "googlemail.com" => "gmail.com",
        "me.com" | "mac.com" => "icloud.com",
        "protonmail.com" | "pm.me" => "proton.me",
        other => other,
    };
    let user = if TAGGED.contains(&domain) { user.split('+').next().unwrap_or(user) } else { user };
    let mut mailbox = String::with_capacity(user.len() + domain.len() + 1);
    mailbox.extend(user.chars().filter(|&c| c != '.' || domain != "gmail.com"));
    if mailbox.is_empty() {
        return None;
    }
    mailbox.push('@');
    mailbox.push_str(domain);
    Some(mailbox)
}

fn device(text: &str) -> Option<String> {
    is_uuid(text.as_bytes()).then(|| text.to_ascii_lowercase())
}

/// Groups of 8, 4, 4, 4 and 12 hexadecimal digits, not all of them zero.
pub(super) fn is_uuid(bytes: &[u8]) -> bool {
    let is_dash = |at: usize| matches!(at, 8 | 13 | 18 | 23);
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, byte)| if is_dash(at) { *byte == b'-' } else { byte.is_ascii_hexdigit() })
        && bytes.iter().any(|byte| !matches!(byte, b'0' | b'-'))
}

fn handle(text: &str) -> Option<String> {
    let name = text.strip_prefix('@').unwrap_or(text);
    let is_name =
        (1..=15).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then(|| name.to_ascii_lowercase())
}

fn gender(text: &str) -> Option<&'static str> {
    match text.to_lowercase().as_str() {
        "m" | "male" | "man" => Some("m"),
        "f" | "female" | "w" | "woman" => Some("f"),
        _ => None,
    }
}

fn birth_year(text: &str) -> Option<String> {
    let day: jiff::civil::Date = text.get(..10)?.parse().ok()?;
    (day.year() >= 1900).then(|| day.year().to_string())
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

    fn applied(steps: &[Step], text: &str, country: Option<&str>) -> Result<Option<String>, Unfit> {
        let mut value = String::new();
        apply(steps, text, country, &mut value).map(|is_there| is_there.then_some(value))
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
            assert_eq!(applied(&steps, text, None).unwrap().as_deref(), Some(wanted));
        }
        assert_eq!(applied(&first, " \u{200b}\u{feff} ", None), Ok(None));
        assert_eq!(applied(&first, "...", None), Ok(None));
    }

    #[test]
    fn postcodes_and_states_follow_their_country() {
        let zip = |text, country| applied(&[Step::Zip], text, country);
        assert_eq!(zip("2139", Some("us")), Ok(Some("02139".to_owned())));
        assert_eq!(zip("943035300", Some("us")), Ok(Some("94303-5300".to_owned())));
        assert_eq!(zip("WC2H  8LG", Some("gb")), Ok(Some("WC2H 8LG".to_owned())));
        assert!(zip("=1+1", None).is_err() && zip("94303-53", Some("us")).is_err());
        // Segment's connector never finds states of two words: its keys have no blank, its lookups have one.
        let state = [Step::Lower, Step::UsState, Step::NoPunctuation, Step::NoSpace];
        assert_eq!(applied(&state, "New York", Some("us")), Ok(Some("ny".to_owned())));
        assert_eq!(applied(&state, "São Paulo", Some("br")), Ok(Some("sãopaulo".to_owned())));
    }
}
