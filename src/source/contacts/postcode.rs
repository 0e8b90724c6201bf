//! Whether a postcode is written as its country writes them. Whether there is such a place is another question.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::source::profile::shape;

/// The forms of each country.
static FORMS: LazyLock<HashMap<&str, Vec<&str>>> = LazyLock::new(|| {
    let lines = include_str!("postcodes.csv").lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once(','))
        .map(|(country, forms)| (country, forms.split(',').collect()))
        .collect()
});

/// What a postcode seems to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Written as its country writes them, or a country whose forms are not known.
    Fine,
    /// One digit too few, and its country's postcodes may begin with 0: a program took it for a number.
    LostZero,
    /// Written otherwise.
    Bad,
}

/// What a postcode of `country` (alpha-2, lower case) is.
pub(crate) fn verify(text: &str, country: &str) -> Verdict {
    let Some(forms) = FORMS.get(country) else { return Verdict::Fine };
    let text = text.strip_suffix(".0").unwrap_or(text);
    let named = text.split_once('-').filter(|(lead, _)| lead.bytes().all(|byte| byte.is_ascii_alphabetic()));
    // D-12345 names the country first.
    let text = named.map_or(text, |(_, code)| code);
    let written = shape(text).to_uppercase();
    if forms.contains(&written.as_str())
        || named.is_some_and(|(lead, _)| forms.contains(&shape_after(lead, &written).as_str()))
    {
        return Verdict::Fine;
    }
    let is_digits = written.bytes().all(|byte| byte == b'9');
    let has_lost =
        is_digits && forms.iter().any(|form| form.len() == written.len() + 1 && form.bytes().all(|byte| byte == b'9'));
    if has_lost { Verdict::LostZero } else { Verdict::Bad }
}

/// The shape of a postcode with its leading letters.
fn shape_after(lead: &str, written: &str) -> String {
    format!("{}-{written}", "A".repeat(lead.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postcodes_are_held_against_their_countrys_forms() {
        for (text, country, verdict) in [
            ("10115", "de", Verdict::Fine),
            ("D-10115", "de", Verdict::Fine),
            ("1067", "de", Verdict::LostZero),
            ("1067", "at", Verdict::Fine),
            ("SW1A 1AA", "gb", Verdict::Fine),
            ("sw1a1aa", "gb", Verdict::Fine),
            ("12345", "gb", Verdict::Bad),
            ("01310-100", "br", Verdict::Fine),
            ("1310100", "br", Verdict::LostZero),
            ("02139-4307", "us", Verdict::Fine),
            ("2139", "us", Verdict::LostZero),
            ("2139.0", "us", Verdict::LostZero),
            ("LV-1010", "lv", Verdict::Fine),
            ("1012 AB", "nl", Verdict::Fine),
            ("none", "nl", Verdict::Bad),
            ("anything", "aq", Verdict::Fine),
        ] {
            assert_eq!(verify(text, country), verdict, "{text}");
        }
    }
}
