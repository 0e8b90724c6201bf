//! Whether a telephone number can be dialled, by libphonenumber's numbering plans.

use phonenumber::country::Id;
use phonenumber::metadata::DATABASE;

/// What a number seems to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A number of its country's plan.
    Fine,
    /// None that can be dialled.
    Bad,
    /// It has no country code, and no country stands beside it: it cannot be told.
    Homeless,
}

/// Loads the plans, which are otherwise loaded when the first number is verified.
pub(crate) fn load_plans() {
    let _ = DATABASE.by_id("US");
}

/// What a number is, dialled in `country` (alpha-2, lower case).
pub(crate) fn verify(text: &str, country: Option<&str>) -> Verdict {
    let text = text.trim_start_matches('\'').trim();
    let text = text.strip_suffix(".0").unwrap_or(text);
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let is_one_digit = digits.bytes().all(|digit| Some(digit) == digits.bytes().next());
    if digits.len() < 5 || is_one_digit || text.chars().filter(|c| c.is_alphabetic()).count() > 3 {
        return Verdict::Bad;
    }
    let abroad = text.strip_prefix("00").map(|rest| format!("+{rest}"));
    let number = abroad.as_deref().unwrap_or(text);
    let told = |is_valid: bool| if is_valid { Verdict::Fine } else { Verdict::Bad };
    if number.starts_with('+') {
        return told(phonenumber::parse(None, number).is_ok_and(|number| phonenumber::is_valid(&number)));
    }
    let Some(country) = country.and_then(|country| country.to_uppercase().parse::<Id>().ok()) else {
        return Verdict::Homeless;
    };
    let is_valid =
        |number: &str| phonenumber::parse(Some(country), number).is_ok_and(|number| phonenumber::is_valid(&number));
    let code = DATABASE.by_id(country.as_ref()).map(phonenumber::Metadata::country_code);
    told(
        is_valid(number)
            || code.is_some_and(|code| is_valid(&format!("+{code} {number}")) || is_valid(&format!("+{digits}"))),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_held_against_their_countrys_plan() {
        for (text, country, verdict) in [
            ("+49 1512 3456789", None, Verdict::Fine),
            ("0049 1512 3456789", None, Verdict::Fine),
            ("(11) 91234-5678", Some("br"), Verdict::Fine),
            ("020 7946 0958", Some("gb"), Verdict::Fine),
            ("020 7946 0958", None, Verdict::Homeless),
            ("+49 12", None, Verdict::Bad),
            ("+1 555", Some("us"), Verdict::Bad),
            ("0000000000", Some("de"), Verdict::Bad),
            ("call me", Some("us"), Verdict::Bad),
            ("12345", Some("us"), Verdict::Bad),
        ] {
            assert_eq!(verify(text, country), verdict, "{text}");
        }
    }
}
