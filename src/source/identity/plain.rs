//! Values made plain before they are compared: case, accents, punctuation and the way a date is written do not count.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::compare::Kind;

/// The last digits of a telephone number: what follows country and trunk prefixes, in most countries.
const PHONE_DIGITS: usize = 9;

/// The value of a column of that kind in plain form; empty when nothing is left.
pub(crate) fn plain(kind: Kind, order: DateOrder, text: &str) -> String {
    match kind {
        Kind::Name | Kind::Text | Kind::Code => words(text),
        Kind::Date => date(order, text).unwrap_or_else(|| digits(text)),
        Kind::Id => folded(text).filter(char::is_ascii_alphanumeric).collect(),
        Kind::Email => text.trim().to_lowercase(),
        Kind::Phone => {
            let digits = digits(text);
            digits[digits.len().saturating_sub(PHONE_DIGITS)..].to_owned()
        }
    }
}

/// In lower case without accents.
fn folded(text: &str) -> impl Iterator<Item = char> + '_ {
    text.nfkd().filter(|sign| !is_combining_mark(*sign)).flat_map(char::to_lowercase)
}

/// Words of letters and digits, one blank between two.
fn words(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    let mut push = |sign: char| match sign {
        '\'' | '’' | '`' | '.' => {}
        sign if sign.is_alphanumeric() => words.push(sign),
        _ if words.is_empty() || words.ends_with(' ') => {}
        _ => words.push(' '),
    };
    if text.is_ascii() {
        text.bytes().for_each(|byte| push(char::from(byte.to_ascii_lowercase())));
    } else {
        folded(text).for_each(push);
    }
    words.truncate(words.trim_end().len());
    words
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// In which order a column writes year, month and day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum DateOrder {
    /// 1980-12-31
    #[default]
    Ymd,
    /// 31.12.1980
    Dmy,
    /// 12/31/1980
    Mdy,
}

impl DateOrder {
    /// The order in which most of the texts are days, and the share that is; each text with how often it stands there.
    pub(crate) fn of<'t>(texts: &(impl Iterator<Item = (&'t str, u32)> + Clone)) -> (Self, f64) {
        let share = |order: Self| {
            let (mut n, mut n_days) = (0.0, 0.0);
            for (text, count) in texts.clone() {
                n += f64::from(count);
                n_days += if date(order, text).is_some() { f64::from(count) } else { 0.0 };
            }
            if n > 0.0 { n_days / n } else { 0.0 }
        };
        let mut best = (Self::Ymd, share(Self::Ymd));
        for order in [Self::Dmy, Self::Mdy] {
            let share = share(order);
            if share > best.1 {
                best = (order, share);
            }
        }
        best
    }
}

/// `yyyymmdd` of a day that there is between 1850 and 2100, else nothing. What follows the day, such as a time, does not count.
fn date(order: DateOrder, text: &str) -> Option<String> {
    let text = text.trim();
    let day = text.split(['T', ' ']).next().filter(|day| day.len() >= 8).unwrap_or(text);
    let parts: Vec<&str> = day.split(|sign: char| !sign.is_ascii_digit()).filter(|part| !part.is_empty()).collect();
    let (year, month, day) = match (order, parts.as_slice()) {
        (DateOrder::Ymd, [whole]) if whole.len() == 8 => (&whole[..4], &whole[4..6], &whole[6..]),
        (DateOrder::Dmy, [whole]) if whole.len() == 8 => (&whole[4..], &whole[2..4], &whole[..2]),
        (DateOrder::Mdy, [whole]) if whole.len() == 8 => (&whole[4..], &whole[..2], &whole[2..4]),
        (DateOrder::Ymd, [year, month, day])
        | (DateOrder::Dmy, [day, month, year])
        | (DateOrder::Mdy, [month, day, year]) => (*year, *month, *day),
        _ => return None,
    };
    if year.len() != 4 || month.len() > 2 || day.len() > 2 {
        return None;
    }
    let (year, month, day): (i16, i8, i8) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    let day = jiff::civil::Date::new(year, month, day).ok().filter(|_| (1850..=2100).contains(&year))?;
    Some(day.strftime("%Y%m%d").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_of_writing_does_not_count() {
        let plain = |kind, text| plain(kind, DateOrder::Dmy, text);
        assert_eq!(plain(Kind::Name, "  O'Brien-Müller "), "obrien muller");
        assert_eq!(plain(Kind::Text, "12, High  St."), "12 high st");
        assert_eq!(plain(Kind::Phone, "+49 (0)170 123-4567"), "701234567");
        assert_eq!(plain(Kind::Phone, "0170 1234567"), "701234567");
        assert_eq!(plain(Kind::Date, "1.2.1980"), "19800201");
        assert_eq!(plain(Kind::Date, "31022-1980"), "310221980");
        assert_eq!(plain(Kind::Id, "AB 12-34"), "ab1234");
        assert_eq!(plain(Kind::Name, " - "), "");
    }

    #[test]
    fn the_order_of_dates_is_found() {
        let order = |texts: &[&str]| DateOrder::of(&texts.iter().map(|text| (*text, 1)));
        assert_eq!(order(&["19801231", "19790102"]), (DateOrder::Ymd, 1.0));
        assert_eq!(order(&["31/12/1980", "01/02/1979"]), (DateOrder::Dmy, 1.0));
        assert_eq!(order(&["12/31/1980", "01/02/1979"]), (DateOrder::Mdy, 1.0));
        assert_eq!(order(&["1980-12-31 00:00:00", "x"]), (DateOrder::Ymd, 0.5));
    }
}
