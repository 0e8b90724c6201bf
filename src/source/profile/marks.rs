//! What can be seen in one text without knowing its column: a number with a comma, a date of a spreadsheet, an address
//! that no mail reaches, letters of a wrong encoding.
//!
//! Each text gets a set of marks once, when it is first seen; how many rows bear each mark is counted with the values.

use encoding_rs::WINDOWS_1252;

use crate::source::contacts::email::{Domains, Verdict};
use crate::source::{kind, times};

/// A set of marks, a bit each.
pub(super) type Marks = u32;

/// Something that can be seen in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// A number.
    Number,
    /// A number whose fraction stands behind a comma: `12,50`, `1.234,5`.
    CommaNumber,
    /// A number with a currency sign: `€ 12.50`.
    Money,
    /// A date or time that cannot be mistaken: ISO 8601, `20170212`.
    Time,
    /// Day, month and year as people write them: `26-02-2018`, `2/26/18 7:58`.
    LocalTime,
    /// A local time of hours and minutes without seconds, as spreadsheets write it.
    NoSeconds,
    /// A local date that can only be day first.
    DayFirst,
    /// A local date that can only be month first.
    MonthFirst,
    /// A month and a number: what a spreadsheet makes of `5-20`.
    MonthRange,
    /// Two whole numbers from–to: `5-20`.
    Range,
    /// A long number that lost its digits: `1.23E+15`.
    Scientific,
    /// Holds an `@`.
    At,
    /// An e-mail address of a domain that may be there.
    Email,
    /// An e-mail address that is written wrongly, or whose domain cannot be.
    EmailBad,
    /// An e-mail address of a domain that is a slip of a well-known one.
    EmailTypo,
    /// An e-mail address of an office, not of a person.
    EmailRole,
    /// An e-mail address of a provider of throw-away addresses.
    EmailDisposable,
    /// A test account's name or address.
    Test,
    /// Digits and what people write between those of a telephone number.
    Phone,
    /// A web address.
    Url,
    /// UTF-8 that was read as another encoding: `Ã©`.
    Mojibake,
    /// A character that stands for one that was lost.
    Lost,
    /// A word for "no value".
    NoValue,
    /// Several words.
    Words,
    /// A country.
    Country,
    /// A currency's code.
    Currency,
    /// A word for yes or no.
    YesNo,
}

/// How many marks there are.
pub(super) const N_MARKS: usize = Mark::YesNo as usize + 1;

impl Mark {
    /// The set of this mark alone.
    pub(super) const fn bit(self) -> Marks {
        1 << self as u32
    }
}

/// Words for "no value" that a file may not have been told of.
const NO_VALUE: [&str; 15] = [
    "unknown",
    "n/a",
    "na",
    "n.a.",
    "null",
    "none",
    "nan",
    "nil",
    "-",
    "--",
    "?",
    "not available",
    "undefined",
    "missing",
    "#n/a",
];
const TEST_NAMES: [&str; 18] = [
    "test",
    "tester",
    "testing",
    "test user",
    "test account",
    "test test",
    "testuser",
    "testaccount",
    "asdf",
    "asdfasdf",
    "qwerty",
    "dummy",
    "foo",
    "foo bar",
    "foobar",
    "xxx",
    "do not use",
    "delete me",
];
const YES_NO: [&str; 10] = ["yes", "no", "true", "false", "y", "n", "t", "f", "0", "1"];
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
/// Of other languages, where they differ in their first three letters.
const OTHER_MONTHS: [&str; 17] = [
    "fev", "fév", "mär", "avr", "abr", "mai", "mag", "giu", "lug", "ago", "aou", "aoû", "set", "out", "okt", "dez",
    "dic",
];
/// ISO 4217 codes that are in wide use.
const CURRENCIES: &str = "AED ARS AUD BGN BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR ISK JPY KES \
    KRW MAD MXN MYR NGN NOK NZD PEN PHP PKR PLN RON RSD RUB SAR SEK SGD THB TRY TWD UAH USD UYU VND ZAR";

/// What can be seen in a trimmed text; `domains` remembers what was found of those seen before.
pub(super) fn marks(text: &str, domains: &mut Domains) -> Marks {
    let bytes = text.as_bytes();
    let mut marks = 0;
    let mut mark = |mark: Mark, is: bool| marks |= if is { mark.bit() } else { 0 };
    let first = bytes.first().copied().unwrap_or_default();
    if first.is_ascii_digit() || matches!(first, b'-' | b'.' | b'+' | b'(' | b'\'') {
        let is_number = kind::number(bytes).is_some();
        mark(Mark::Number, is_number);
        mark(Mark::Time, times::iso(bytes).is_some() || times::compact(bytes).is_some());
        mark(Mark::CommaNumber, !is_number && is_comma_number(bytes));
        mark(Mark::Scientific, is_scientific(text));
        mark(Mark::Range, is_range(text));
        mark(Mark::Phone, is_phone(bytes));
        if let Some(local) = local_time(text) {
            mark(Mark::LocalTime, true);
            mark(Mark::NoSeconds, local.has_minutes && !local.has_seconds);
            mark(Mark::DayFirst, local.first > 12);
            mark(Mark::MonthFirst, local.second > 12);
        }
    }
    if text.len() <= 12 {
        mark(Mark::MonthRange, is_month_range(text));
        mark(Mark::YesNo, is_one_of(text, &YES_NO));
        mark(Mark::Currency, text.len() == 3 && CURRENCIES.split_ascii_whitespace().any(|code| code == text));
    }
    if text.len() <= 40 {
        mark(Mark::NoValue, is_one_of(text, &NO_VALUE));
        mark(Mark::Country, !first.is_ascii_digit() && crate::source::places::country(text).is_some());
        mark(Mark::Test, is_test_name(text));
        mark(Mark::Money, is_money(text));
    }
    if !text.is_ascii() {
        mark(Mark::Lost, text.contains('\u{fffd}'));
        mark(Mark::Mojibake, is_mojibake(text));
    }
    mark(Mark::Url, ["http://", "https://", "www."].iter().any(|start| text.starts_with(start)));
    mark(Mark::Words, text.split_ascii_whitespace().nth(3).is_some());
    if bytes.contains(&b'@') {
        mark(Mark::At, true);
        if !text.contains(' ') {
            let verdict = domains.verify(text);
            mark(Mark::Email, verdict.can_work());
            mark(Mark::EmailBad, matches!(verdict, Verdict::Malformed | Verdict::NoSuchDomain));
            mark(Mark::EmailTypo, matches!(verdict, Verdict::Typo(_)));
            mark(Mark::EmailRole, verdict == Verdict::Role);
            mark(Mark::EmailDisposable, verdict == Verdict::Disposable);
            mark(Mark::Test, verdict == Verdict::Test);
        }
    }
    marks
}

fn is_one_of(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn is_test_name(text: &str) -> bool {
    let start = |word: &str| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    is_one_of(text, &TEST_NAMES) || start("test_") || start("test-") || start("test ")
}

/// `12,5`, `1.234,50`, `1 234,50`; not `1,234`, which English writes for a thousand.
fn is_comma_number(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let Some(comma) = bytes.iter().position(|&byte| byte == b',') else { return false };
    let (whole, fraction) = (&bytes[..comma], &bytes[comma + 1..]);
    let is_fraction = !fraction.is_empty() && fraction.iter().all(u8::is_ascii_digit);
    let is_whole = !whole.is_empty() && whole.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b' '));
    is_fraction && is_whole && (fraction.len() != 3 || whole.contains(&b'.') || whole == b"0")
}

/// A currency sign or code beside a number.
fn is_money(text: &str) -> bool {
    const SIGNS: [&str; 10] = ["$", "€", "£", "¥", "R$", "kr", "zł", "EUR", "USD", "GBP"];
    let is_amount = |rest: &str| {
        let rest = rest.trim();
        rest.starts_with(|c: char| c.is_ascii_digit() || c == '-')
            && rest.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',' | b'-' | b' '))
    };
    SIGNS.iter().any(|sign| text.strip_prefix(sign).or_else(|| text.strip_suffix(sign)).is_some_and(is_amount))
}

/// `1.23E+15` as a spreadsheet shows a number of twelve digits and more: at most six digits are left.
fn is_scientific(text: &str) -> bool {
    let Some((digits, exponent)) = text.split_once("E+") else { return false };
    let exponent: u32 = exponent.parse().unwrap_or_default();
    (11..40).contains(&exponent)
        && digits.len() <= 7
        && digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','))
}

fn is_range(text: &str) -> bool {
    let is_small = |part: &str| (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('-').is_some_and(|(low, high)| is_small(low) && is_small(high.trim_end_matches('+')))
}

/// `May-20`, `20-May`, `Jan/05`, `05. Mai`.
fn is_month_range(text: &str) -> bool {
    let Some((a, b)) = text.split_once(['-', '/', '.', ' ']) else { return false };
    let (a, b) = (a.trim(), b.trim());
    let is_number = |part: &str| matches!(part.len(), 1 | 2 | 4) && part.bytes().all(|byte| byte.is_ascii_digit());
    (is_month(a) && is_number(b)) || (is_number(a) && is_month(b))
}

fn is_month(text: &str) -> bool {
    let text = text.trim_end_matches('.').to_lowercase();
    (3..=4).contains(&text.chars().count()) && MONTHS.iter().chain(&OTHER_MONTHS).any(|month| text.starts_with(month))
}

/// Seven to twenty characters, at least seven digits, and what people write between them.
fn is_phone(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"'").unwrap_or(bytes);
    let n_digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    (7..=15).contains(&n_digits)
        && bytes.len() <= 24
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b' ' | b'-' | b'(' | b')' | b'/' | b'.'))
}

struct LocalTime {
    first: u8,
    second: u8,
    has_minutes: bool,
    has_seconds: bool,
}

fn local_time(text: &str) -> Option<LocalTime> {
    let (first, second, ..) = times::day_and_month(text)?;
    let colons = text.bytes().filter(|&byte| byte == b':').count();
    Some(LocalTime { first, second, has_minutes: colons > 0, has_seconds: colons > 1 })
}

/// Whether the text is UTF-8 that was read as Windows-1252: its characters are the bytes of other ones.
fn is_mojibake(text: &str) -> bool {
    let Some(start) = text.find(['Ã', 'Â', 'â', 'Å', 'Ð', 'Ñ', 'ð']) else {
        return false;
    };
    let part: String = text[start..].chars().take_while(|c| !c.is_ascii()).collect();
    let (bytes, _, is_lost) = WINDOWS_1252.encode(&part);
    !is_lost && bytes.len() > 1 && std::str::from_utf8(&bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(text: &str, mark: Mark) -> bool {
        marks(text, &mut Domains::default()) & mark.bit() != 0
    }

    #[test]
    fn what_a_spreadsheet_damaged_is_seen() {
        for text in ["May-20", "20-May", "5-Jan", "Jan-05", "mai/20", "20. Mai"] {
            assert!(has(text, Mark::MonthRange), "{text}");
        }
        for text in ["5-20", "Mayor-20", "march", "May", "200+", "mar-a"] {
            assert!(!has(text, Mark::MonthRange), "{text}");
        }
        assert!(has("5-20", Mark::Range) && has("200-1000", Mark::Range) && !has("2018-02-01", Mark::Range));
        assert!(has("1.23457E+15", Mark::Scientific) && !has("1.5E+3", Mark::Scientific));
        assert!(has("26-02-2018 19:58", Mark::NoSeconds) && has("26-02-2018 19:58", Mark::DayFirst));
        assert!(has("2/26/2018 19:58:01", Mark::MonthFirst) && !has("2/26/2018 19:58:01", Mark::NoSeconds));
    }

    #[test]
    fn numbers_and_money_in_other_clothes_are_seen() {
        for text in ["12,5", "1.234,50", "-0,123"] {
            assert!(has(text, Mark::CommaNumber), "{text}");
        }
        assert!(!has("1,234", Mark::CommaNumber) && !has("12.5", Mark::CommaNumber));
        assert!(has("€ 12.50", Mark::Money) && has("12,50 €", Mark::Money) && has("$5", Mark::Money));
        assert!(!has("$ - free", Mark::Money) && !has("2) $100 - $200", Mark::Money));
        assert!(has("EUR", Mark::Currency) && !has("ABC", Mark::Currency));
    }

    #[test]
    fn wrong_encodings_are_seen_and_right_letters_are_not() {
        for text in ["JosÃ©", "itâ€™s", "SÃ£o Paulo", "MÃ¼ller"] {
            assert!(has(text, Mark::Mojibake), "{text}");
        }
        for text in ["José", "SÃO PAULO", "São", "Ñandú", "âme", "naïve café", "Åse", "ÂME"] {
            assert!(!has(text, Mark::Mojibake), "{text}");
        }
        assert!(has("Jos\u{fffd}", Mark::Lost));
    }

    #[test]
    fn test_accounts_are_seen_and_tested_people_are_not() {
        for text in ["Test", "test_12", "asdf", "test@shop.com", "jane@example.com"] {
            assert!(has(text, Mark::Test), "{text}");
        }
        for text in ["Testa", "Contest", "Attest Ltd", "jane@contest.com"] {
            assert!(!has(text, Mark::Test), "{text}");
        }
    }
}
