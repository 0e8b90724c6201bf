//! Telephone numbers: what was dialled, and the number that it means.
//!
//! `phonenumber` (libphonenumber's rules and data in Rust) knows the numbering plans; it is preferred to `rlibphonenumber`,
//! whose build compiles a protobuf compiler first. What it makes of a text passes through [`Dialled`] alone, so that a
//! number which an export can write is one that a suppression list can stop. Digits alone are read by [`plan`], fast.

mod plan;

pub(super) use self::plan::at_home;

use phonenumber::country::Id;
use phonenumber::metadata::DATABASE;
use phonenumber::{Mode, PhoneNumber};
use rayon::prelude::*;

use super::normalise::{Unfit, folded};

/// Fewer digits reach nobody from outside a town.
const DIGITS: std::ops::RangeInclusive<usize> = 5..=20;

/// A text that could be a telephone number.
#[derive(Debug)]
pub(super) struct Dialled {
    /// As it would be dialled, `+` before a country code.
    number: String,
    /// Its digits.
    pub digits: String,
    /// Whether it begins with its country code.
    pub is_international: bool,
}

impl Dialled {
    /// Digits and what stands between them; `None` when the text is something else.
    pub(super) fn of(text: &str) -> Option<Self> {
        let text = folded(text);
        let text = text.trim_start_matches(['\'', '=', '"']).trim_start_matches("tel:").trim_matches('"').trim();
        // A number that a program has read as one ends with its fraction.
        let whole = text.strip_suffix(".0").filter(|whole| whole.bytes().all(|byte| byte.is_ascii_digit()));
        let text = whole.unwrap_or(text);
        let mut digits = String::with_capacity(text.len());
        digits.extend(text.chars().filter(char::is_ascii_digit));
        let is_one_digit = digits.bytes().all(|byte| byte == digits.as_bytes()[0]);
        if !DIGITS.contains(&digits.len()) || is_one_digit || !text.chars().all(is_dialable) {
            return None;
        }
        // What parts the digits of a number means nothing; `phonenumber` takes `+49151-…` for a country of its own.
        let is_parted = |c: char| matches!(c, ' ' | '(' | ')' | '-' | '.' | '/');
        let has_letters = text.chars().any(char::is_alphabetic);
        let mut number = String::with_capacity(text.len());
        number.extend(text.chars().filter(|&c| has_letters || !is_parted(c)));
        if number.strip_prefix("00").is_some_and(|rest| !rest.starts_with('0')) {
            number.replace_range(..2, "+");
        }
        let is_international = number.starts_with('+');
        Some(Self { number, digits, is_international })
    }

    /// The number that this means, dialled in `country` (alpha-2, lower case); see [`reading`].
    fn meant(&self, country: Option<&str>) -> Option<PhoneNumber> {
        let abroad = || phonenumber::parse(None, format!("+{}", self.bare())).ok();
        if self.is_international {
            return abroad();
        }
        let country: Id = country?.to_uppercase().parse().ok()?;
        let code = DATABASE.by_id(country.as_ref())?.country_code();
        let valid = |number: PhoneNumber| Some(number).filter(phonenumber::is_valid);
        let national = phonenumber::parse(Some(country), format!("+{code} {}", self.number)).ok().and_then(valid);
        let is_mobile = |number: &PhoneNumber| {
            let national = number.national().value().to_string();
            plan::Number { code: number.country().code(), national }.is_mobile()
        };
        let with_code = || abroad().filter(|number| number.country().code() == code).and_then(valid);
        reading(national, with_code, is_mobile)
            .or_else(|| phonenumber::parse(Some(country), &self.number).ok().and_then(valid))
    }

    /// Whether there are but digits and what parts them, so that [`plan`] can read it.
    fn is_plain(&self) -> bool {
        self.bare().bytes().all(|byte| byte.is_ascii_digit())
    }

    /// The number without its plus sign.
    fn bare(&self) -> &str {
        self.number.strip_prefix('+').unwrap_or(&self.number)
    }

    /// As [`Self::meant`], of a plain text.
    fn meant_by_plan(&self, country: Option<&str>) -> Option<plan::Number> {
        if self.is_international {
            return plan::international(self.bare(), None);
        }
        let country = country?;
        let code = plan::code(country)?;
        let valid = |number: plan::Number| Some(number).filter(plan::Number::is_valid);
        let national = plan::international(&format!("{code}{}", self.bare()), Some(country)).and_then(valid);
        let with_code = || plan::international(self.bare(), None).filter(|number| number.code == code).and_then(valid);
        reading(national, with_code, plan::Number::is_mobile)
            .or_else(|| plan::within(self.bare(), country).and_then(valid))
    }

    /// The forms in which the number is dialled: international digits, national ones without and with trunk prefix.
    pub(super) fn forms(&self, country: Option<&str>) -> Option<[String; 3]> {
        self.meant(country).map(|number| forms(&number))
    }

    /// As [`Self::forms`], of digits that may be an international number without its plus sign, if there is such a one.
    pub(super) fn forms_if_international(&self) -> Option<[String; 3]> {
        let number = phonenumber::parse(None, format!("+{}", self.digits)).ok()?;
        phonenumber::is_valid(&number).then(|| forms(&number))
    }
}

/// Which number digits mean that are no international number by their looks: the national reading comes first, as a number whose
/// first digits happen to be the country's code is not an international one. But where lengths vary, as in Germany, a mobile
/// number with its country code and without a plus sign, 4915…, may pass for one of a landline, (0491) 5…: it is a mobile number.
fn reading<N>(national: Option<N>, with_code: impl Fn() -> Option<N>, is_mobile: impl Fn(&N) -> bool) -> Option<N> {
    match national {
        Some(national) if !is_mobile(&national) => with_code().filter(is_mobile).or(Some(national)),
        national => national,
    }
}

/// The telephone numbers of a column, eight bytes each: the digits as a number, or one of [`Self::WHY_NOT`].
#[derive(Debug, Clone)]
pub(super) struct Numbers(Vec<u64>);

impl Numbers {
    /// Why there is no number, by what stands in its place: no number is as small.
    const WHY_NOT: [Unfit; 2] = [NO_NUMBER, NO_COUNTRY];

    /// Reads `n` rows; `of` tells the text of a row and its country.
    pub(super) fn read<'t>(n: usize, of: impl Fn(usize) -> (&'t str, Option<&'t str>) + Sync) -> Self {
        let read = |row: usize| {
            let (text, country) = of(row);
            match e164(text, country) {
                Ok(number) => number[1..].parse().expect("E.164 has at most fifteen digits"),
                Err(why) => Self::WHY_NOT.iter().position(|known| *known == why).unwrap_or_default() as u64,
            }
        };
        Self((0..n).into_par_iter().with_min_len(1024).map(read).collect())
    }

    /// The number of a row as E.164.
    pub(super) fn get(&self, row: usize) -> Result<String, Unfit> {
        let Some(&number) = self.0.get(row) else { return Err(NO_NUMBER) };
        match usize::try_from(number).ok().and_then(|at| Self::WHY_NOT.get(at)) {
            Some(why) => Err(why),
            None => Ok(format!("+{number}")),
        }
    }
}

const NO_NUMBER: Unfit = "the phone is not a number";
const NO_COUNTRY: Unfit = "the phone has no country code and the person no country";

/// A telephone number as E.164: `+`, country code, digits; extensions are left out. A number without its country code
/// needs the country of the person.
pub(super) fn e164(text: &str, country: Option<&str>) -> Result<String, Unfit> {
    let dialled = Dialled::of(text).ok_or(NO_NUMBER)?;
    if !dialled.is_international && country.is_none() {
        return Err(NO_COUNTRY);
    }
    let written = if dialled.is_plain() {
        dialled.meant_by_plan(country).map(|number| number.to_string())
    } else {
        dialled.meant(country).map(|number| number.format().mode(Mode::E164).to_string())
    };
    written.filter(|written| is_e164(written)).ok_or(NO_NUMBER)
}

/// `^\+[1-9][0-9]{6,14}$`
pub(super) fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Digits, what people put between them, and the letters of `ext` and `x`.
fn is_dialable(c: char) -> bool {
    c.is_ascii_digit()
        || c.is_whitespace()
        || matches!(c, '+' | '(' | ')' | '-' | '.' | '/' | '#' | '\u{2010}'..='\u{2013}')
        || matches!(c.to_ascii_lowercase(), 'e' | 'x' | 't' | 'n')
}

fn forms(number: &PhoneNumber) -> [String; 3] {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let at_home = number.format().mode(Mode::National).to_string();
    let at_home = at_home.split(" ext").next().unwrap_or_default();
    [digits(&number.format().mode(Mode::E164).to_string()), number.national().value().to_string(), digits(at_home)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::expand::normalise::{Step, apply, mailbox};

    #[test]
    fn phones_of_many_countries_become_e164() {
        for (text, country, wanted) in [
            ("(800) 555-0100", Some("us"), "+18005550100"),
            ("(800)555-0100", Some("us"), "+18005550100"),
            ("1-800-555-0100 x12", Some("us"), "+18005550100"),
            ("18005550100", Some("us"), "+18005550100"),
            ("tel:+1-800-555-0100", None, "+18005550100"),
            ("'+18005550100", None, "+18005550100"),
            ("020 7946 0958", Some("gb"), "+442079460958"),
            ("+44 (0)20 7946 0958", None, "+442079460958"),
            ("0049 1512 3456789", None, "+4915123456789"),
            ("8 912 345-67-89", Some("ru"), "+79123456789"),
            ("06 20 123 4567", Some("hu"), "+36201234567"),
            ("06 1234 5678", Some("it"), "+390612345678"),
            ("(11) 91234-5678", Some("br"), "+5511912345678"),
            ("+49151-2345678", None, "+491512345678"),
            // International without the plus sign, though (0491) 5… could be dialled too; a landline stays one.
            ("4915112345678", Some("de"), "+4915112345678"),
            ("49 170 1234567", Some("de"), "+491701234567"),
            ("436641234567", Some("at"), "+436641234567"),
            ("0491 92345", Some("de"), "+4949192345"),
            ("49192345", Some("de"), "+4949192345"),
            // Begins with its own country code; Segment's connector leaves it without.
            ("91234 56789", Some("in"), "+919123456789"),
            ("211234", Some("fo"), "+298211234"),
        ] {
            assert_eq!(e164(text, country).as_deref(), Ok(wanted), "{text}");
        }
        for (text, country) in [
            ("(800) 555-0100", None),
            ("123", Some("us")),
            ("1-800-FLOWERS", Some("us")),
            ("call me", Some("us")),
            ("0000000", Some("de")),
        ] {
            assert!(e164(text, country).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "\\PC{0,40}", digits in "[-+()0-9 ./extXT#;=*,]{0,30}") {
            for text in [&text, &digits] {
                for country in [None, Some("us"), Some("it"), Some("ar")] {
                    if let Ok(number) = e164(text, country) {
                        prop_assert!(is_e164(&number));
                    }
                    if let Some(dialled) = Dialled::of(text) {
                        dialled.forms(country);
                        dialled.forms_if_international();
                    }
                }
                mailbox(text);
                for step in [Step::NoTitle, Step::NoSuffix, Step::Zip, Step::UsZip5, Step::GmailDots] {
                    let _ = apply(&[step], text, Some("us"), &mut String::new());
                }
            }
        }
    }
}
