//! Contact data in the one form that a destination, or a comparison, wants.
//!
//! There is no common normaliser: the same person hashes differently per destination. So each destination lists
//! [`Step`]s in its data file, and this file holds the steps. A step that finds a value unfit says why, in words without
//! the value.

use phonenumber::country::Id;
use phonenumber::{Mode, PhoneNumber};
use serde::Deserialize;
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use super::places;

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
        value = step.apply(&value, country)?.trim().to_owned();
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

/// The mailbox that an address leads to: what two addresses of one person have in common.
///
/// Lower case; the dots of gmail do not count, googlemail is gmail, iCloud's and Proton's domains are one each; a `+tag`
/// goes where the provider is known to deliver it to the same mailbox. `None` when the text is no address.
pub(super) fn mailbox(text: &str) -> Option<String> {
    let text = cleaned(text).nfkc().collect::<String>().to_lowercase();
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
    const TAGGED: [&str; 8] = [
        "gmail.com",
        "icloud.com",
        "proton.me",
        "outlook.com",
        "hotmail.com",
        "live.com",
        "fastmail.com",
        "yandex.com",
    ];
    let user = if TAGGED.contains(&domain) { user.split('+').next().unwrap_or(user) } else { user };
    let user = if domain == "gmail.com" { user.replace('.', "") } else { user.to_owned() };
    (!user.is_empty()).then(|| format!("{user}@{domain}"))
}

/// A telephone number as E.164: `+`, country code, digits; extensions are left out. A number without its country code
/// needs the country of the person.
pub(super) fn e164(text: &str, country: Option<&str>) -> Result<String, Unfit> {
    const UNFIT: Unfit = "the phone is not a number";
    let (number, is_international) = dialled(text);
    let country: Option<Id> = country.and_then(|country| country.to_uppercase().parse().ok());
    if !is_international && country.is_none() {
        return Err("the phone has no country code and the person no country");
    }
    let parsed = phonenumber::parse(country, &number).map_err(|_| UNFIT)?;
    let written = parsed.format().mode(Mode::E164).to_string();
    let told = is_international || phonenumber::is_valid(&parsed);
    if told && is_e164(&written) { Ok(written) } else { Err(UNFIT) }
}

/// The number in the forms that people dial: international digits, and the national ones with and without trunk prefix.
pub(super) fn dialled_forms(text: &str, country: Option<&str>) -> Option<[String; 3]> {
    let (number, is_international) = dialled(text);
    let country: Option<Id> = country.and_then(|country| country.to_uppercase().parse().ok());
    let parsed = phonenumber::parse(country, &number).ok()?;
    (is_international || phonenumber::is_valid(&parsed)).then(|| forms(&parsed))
}

/// As [`dialled_forms`], of digits that may be an international number without its plus sign, if there is such a number.
pub(super) fn dialled_forms_if_international(digits: &str) -> Option<[String; 3]> {
    let parsed = phonenumber::parse(None, format!("+{digits}")).ok()?;
    phonenumber::is_valid(&parsed).then(|| forms(&parsed))
}

fn forms(number: &PhoneNumber) -> [String; 3] {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let at_home = number.format().mode(Mode::National).to_string();
    let at_home = at_home.split(" ext").next().unwrap_or_default();
    [digits(&number.format().mode(Mode::E164).to_string()), number.national().value().to_string(), digits(at_home)]
}

/// The number without what spreadsheets and links put before it, `00` as `+`, and whether it starts with a country code.
pub(super) fn dialled(text: &str) -> (String, bool) {
    let text: String = cleaned(text).nfkc().collect();
    let text = text.trim_start_matches(['\'', '=', '"']).trim_start_matches("tel:").trim_matches('"').trim();
    match text.strip_prefix("00").filter(|rest| !rest.starts_with('0')) {
        Some(rest) => (format!("+{rest}"), true),
        None => (text.to_owned(), text.starts_with('+')),
    }
}

/// `^\+[1-9][0-9]{6,14}$`
pub(super) fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
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
