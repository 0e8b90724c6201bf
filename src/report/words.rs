//! Numbers and names in the words of people who run campaigns.
//!
//! Shares are 0–1 going in and percent coming out. What a feature is called stands in [`crate::discover::words`].

pub(super) use crate::discover::words::feature;
use crate::rate::grouped;

/// A count with a comma between thousands.
pub(super) fn count(n: u64) -> String {
    grouped(n)
}

/// `1 person`, `2,000 people`.
pub(super) fn people(n: u64) -> String {
    if n == 1 { "1 person".into() } else { format!("{} people", grouped(n)) }
}

/// A number with `decimals` places, a comma between thousands and a real minus sign; "–" for what is not a number.
pub(super) fn number(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return "–".into();
    }
    let text = format!("{:.decimals$}", value.abs());
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let whole = whole.parse().map_or_else(|_| whole.to_string(), grouped);
    let is_zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    format!("{}{whole}{rest}", if value < 0.0 && !is_zero { "−" } else { "" })
}

/// A share as percent: one decimal, two below one percent.
pub(super) fn percent(share: f64) -> String {
    let decimals = if share != 0.0 && share.abs() < 0.01 { 2 } else { 1 };
    format!("{} %", number(100.0 * share, decimals))
}

/// A share as percent for the ticks of an axis: no more decimals than it needs.
pub(super) fn percent_tick(share: f64) -> String {
    format!("{} %", tick(100.0 * share))
}

/// A number for the ticks of an axis: no more decimals than it needs, thousands as `k`.
pub(super) fn tick(value: f64) -> String {
    if value.abs() >= 10_000.0 {
        return format!("{}k", tick(value / 1000.0));
    }
    let decimals =
        (0..4).find(|&places| (value * 10f64.powi(places) - (value * 10f64.powi(places)).round()).abs() < 1e-6);
    number(value, usize::try_from(decimals.unwrap_or(4)).unwrap_or(4))
}

/// `90d` → `90 days`; what is not a duration stays as it is.
pub(super) fn duration(text: &str) -> String {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let unit = match text[digits..].trim() {
        "s" => "second",
        "m" | "min" => "minute",
        "h" => "hour",
        "d" => "day",
        "w" => "week",
        "mo" => "month",
        "y" => "year",
        _ => return text.into(),
    };
    match &text[..digits] {
        "" => text.into(),
        "1" => format!("1 {unit}"),
        many => format!("{many} {unit}s"),
    }
}

/// A span of so many days in the unit that suits it: `12 minutes`, `3 days`, `2.4 years`.
pub(super) fn span(days: f64) -> String {
    let (value, unit) = match days {
        days if days < 1.0 / 24.0 => ((days * 1_440.0).max(1.0), "minute"),
        days if days < 2.0 => (days * 24.0, "hour"),
        days if days < 730.0 => (days, "day"),
        days => (days / 365.25, "year"),
    };
    let decimals = usize::from(unit == "year" || (value < 10.0 && value.fract() > 0.05 && value.fract() < 0.95));
    let text = number(value, decimals);
    format!("{text} {unit}{}", if text == "1" { "" } else { "s" })
}

/// `a`, `a or b`, `a, b or c`.
pub(super) fn any_of(names: &[String]) -> String {
    match names {
        [] => "another stage".into(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// The smallest round number of people of whom at least two would do it at this rate.
pub(super) fn of_how_many(share: f64) -> u32 {
    [100, 1_000, 10_000].into_iter().find(|&n| share * f64::from(n) >= 2.0).unwrap_or(100_000)
}

/// How strong a signal is by its information value (Siddiqi 2006, Credit Risk Scorecards, p. 81).
pub(super) fn strength(information_value: f64) -> &'static str {
    match information_value {
        value if value < 0.02 => "none",
        value if value < 0.1 => "weak",
        value if value < 0.3 => "medium",
        value if value < 0.5 => "strong",
        _ => "very strong",
    }
}

/// How far a feature's values moved over time, by its population stability index (same source, p. 137).
pub(super) fn stability(psi: f64) -> &'static str {
    match psi {
        value if value < 0.1 => "steady",
        value if value < 0.25 => "moves a little",
        _ => "moves a lot",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(number(-1_234.56, 1), "−1,234.6");
        assert_eq!(number(-0.001, 1), "0.0");
        assert_eq!(percent(0.0042), "0.42 %");
        assert_eq!(percent(0.123), "12.3 %");
        assert_eq!((tick(0.25), tick(12_000.0), percent_tick(0.05)), ("0.25".into(), "12k".into(), "5 %".into()));
        assert_eq!((of_how_many(0.08), of_how_many(0.004)), (100, 1_000));
        assert_eq!((span(0.02), span(1.0), span(1.5)), ("29 minutes".into(), "24 hours".into(), "36 hours".into()));
        assert_eq!((span(2.04), span(180.0), span(1_000.0)), ("2 days".into(), "180 days".into(), "2.7 years".into()));
        assert_eq!(any_of(&["a".into(), "b".into(), "c".into()]), "a, b or c");
    }
}
