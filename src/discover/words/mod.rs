//! Features in the words of people who run campaigns.
//!
//! A feature's name says what it is to those who know the grammar of the catalogue: `purchase.count.90d`. Here the same is
//! said to everyone, in three ways: what a feature is ([`feature`]: "number of purchase events in the last 90 days"), what a
//! value of it says of a person ([`Meaning`]: "3 purchases in the last 90 days"), and who the people in a part of its range
//! are ([`who`]: "people with 3 or more purchases in the last 90 days").

#![expect(clippy::float_cmp, reason = "one thing is told from several by its exact count")]

mod noun;
mod number;
mod range;

use std::borrow::Cow;

pub use noun::feature;
pub use range::{Region, who};

use super::attributes::OTHER;
use number::{counted, is_plural, never, no, one_of, plural, singular};

/// What a feature's name says, by the grammar of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Events of a kind in a window.
    Count {
        kind: String,
        window: String,
    },
    /// The same, less those in the window before.
    Trend {
        kind: String,
        span: String,
    },
    /// Sum, mean or largest of a property.
    Statistic {
        kind: String,
        property: String,
        statistic: &'static str,
        window: String,
    },
    /// Distinct values of a property.
    Distinct {
        property: String,
        window: String,
    },
    /// Share of a level.
    Share {
        kind: String,
        property: String,
        level: String,
    },
    DaysSinceFirst(String),
    DaysSinceLast(String),
    MeanGap(String),
    Stage,
    DaysInStage,
    StagesVisited,
    Tenure,
    /// An attribute that is a day before the cutoff.
    Date(String),
    /// An attribute, or a name that follows no grammar.
    Other(String),
}

impl Meaning {
    pub(crate) fn of(name: &str) -> Self {
        match name {
            "stage.current" => return Self::Stage,
            "stage.days_in" => return Self::DaysInStage,
            "stage.n_visited" => return Self::StagesVisited,
            "person.tenure_days" => return Self::Tenure,
            _ => {}
        }
        if let Some(attribute) = name.strip_prefix("attr.") {
            return Self::Other(words(attribute));
        }
        if let Some((left, level)) = name.split_once(".share.")
            && let Some((kind, property)) = left.rsplit_once('.')
        {
            return Self::Share { kind: words(kind), property: words(property), level: level.to_owned() };
        }
        if let Some(kind) = name.strip_suffix(".gap_days.mean") {
            return Self::MeanGap(words(kind));
        }
        let Some((left, last)) = name.rsplit_once('.') else { return Self::Other(words(name)) };
        match last {
            "days_since_first" => return Self::DaysSinceFirst(words(left)),
            "days_since_last" => return Self::DaysSinceLast(words(left)),
            _ => {}
        }
        let window = last.to_owned();
        if let Some(kind) = left.strip_suffix(".count.trend") {
            return Self::Trend { kind: words(kind), span: spelled(last) };
        }
        if let Some(kind) = left.strip_suffix(".count") {
            return Self::Count { kind: words(kind), window };
        }
        if let Some(property) = left.strip_suffix(".distinct") {
            return Self::Distinct { property: words(property.rsplit('.').next().unwrap_or(property)), window };
        }
        for (suffix, statistic) in [(".sum", "total"), (".mean", "average"), (".max", "largest")] {
            if let Some((kind, property)) = left.strip_suffix(suffix).and_then(|left| left.rsplit_once('.')) {
                return Self::Statistic { kind: words(kind), property: words(property), statistic, window };
            }
        }
        Self::Other(words(name))
    }

    /// What a feature is about, alike for features that say much the same: how often somebody bought in one window and in another.
    pub(crate) fn topic(&self, name: &str) -> String {
        match self {
            Self::Count { kind, .. } | Self::Trend { kind, .. } | Self::MeanGap(kind) => format!("how often {kind}"),
            Self::Statistic { kind, property, .. } => format!("how much {kind} {property}"),
            Self::Distinct { property, .. } => format!("how many {property}"),
            Self::Share { kind, property, .. } => format!("which {kind} {property}"),
            _ => name.to_owned(),
        }
    }

    /// Whether it counts or measures what somebody did, and is no time that went by.
    pub(crate) fn is_of_events(&self) -> bool {
        matches!(
            self,
            Self::Count { .. }
                | Self::Trend { .. }
                | Self::Statistic { .. }
                | Self::Distinct { .. }
                | Self::Share { .. }
                | Self::StagesVisited
        )
    }

    /// What a number says of a person; `n_events` is how many events of the kind that it is of they have, where that is known.
    pub(crate) fn number(&self, name: &str, value: f32, n_events: Option<f32>) -> String {
        let shown = amount(value);
        let none = value.is_nan();
        match self {
            Self::Count { kind, window } if none || value == 0.0 => match window.as_str() {
                "all" => never(kind),
                window => format!("{} in the last {}", no(kind), spelled(window)),
            },
            Self::Count { kind, window } => format!("{}{}", counted(value, kind), within(window)),
            Self::Trend { kind, span } if none || value == 0.0 => {
                format!("as many {} in the last {span} as in the {span} before", plural(kind))
            }
            Self::Trend { kind, span } => {
                let (n, more) = (amount(value.abs()), if value > 0.0 { "more" } else { "fewer" });
                let kind = if value.abs() == 1.0 { singular(kind) } else { plural(kind) };
                format!("{n} {more} {kind} in the last {span} than in the {span} before")
            }
            Self::Statistic { kind, property, statistic, window }
                if none || (*statistic == "total" && value == 0.0) =>
            {
                if window == "all" {
                    format!("no {kind} {property} yet")
                } else {
                    format!("no {kind} {property}{}", within(window))
                }
            }
            Self::Statistic { kind, property, statistic, window } if is_plural(property) => {
                let things = if value == 1.0 { one_of(property) } else { property.clone() };
                let per = match *statistic {
                    "average" => format!("{shown} {things} per {kind} on average"),
                    "largest" => format!("up to {shown} {things} per {kind}"),
                    _ => format!("{shown} {things} in {}", plural(kind)),
                };
                per + &within(window)
            }
            Self::Statistic { kind, property, statistic, window } => {
                let of = match *statistic {
                    "average" => format!("{property} of {shown} per {kind} on average"),
                    "largest" => format!("{property} of up to {shown} per {kind}"),
                    _ => format!("total {kind} {property} of {shown}"),
                };
                of + &within(window)
            }
            Self::Distinct { property, window } if none || value == 0.0 => format!("no {property}{}", within(window)),
            Self::Distinct { property, window } => {
                let different = if value == 1.0 { property.clone() } else { format!("different {}", plural(property)) };
                format!("{shown} {different}{}", within(window))
            }
            Self::Share { kind, property, level } if none => format!("no {kind} with {property} {level} yet"),
            Self::Share { kind, property, level } => share((kind, property, level), value, n_events),
            Self::DaysSinceFirst(kind) | Self::DaysSinceLast(kind) if none => never(kind),
            Self::DaysSinceFirst(kind) => format!("first {kind} {} ago", days(value)),
            Self::DaysSinceLast(kind) => format!("last {kind} {} ago", days(value)),
            Self::MeanGap(kind) if none => format!("not two {} yet", plural(kind)),
            Self::MeanGap(kind) => format!("{} between {} on average", days(value), plural(kind)),
            Self::DaysInStage => format!("{} in the present stage", days(value)),
            Self::StagesVisited => counted(value, "stage") + " so far",
            Self::Tenure if none => "not seen yet".into(),
            Self::Tenure => format!("known for {}", days(value)),
            Self::Stage => format!("{}: {shown}", words(name)),
            Self::Date(what) if !none => format!("{what}: {} ago", days(value)),
            Self::Date(what) => format!("{what}: not known"),
            Self::Other(what) if none => format!("{what}: not known"),
            Self::Other(what) => format!("{what}: {shown}"),
        }
    }

    pub(crate) fn level(&self, name: &str, level: Option<&str>) -> String {
        let what = match self {
            Self::Stage => Cow::Borrowed("stage"),
            Self::Other(what) => Cow::Borrowed(what.as_str()),
            _ => Cow::Owned(words(name)),
        };
        format!("{what}: {}", level_name(level))
    }
}

/// `email_opt_in` → `email opt in`, `MonthlyCharges` → `monthly charges`, `n_lines` → `lines`.
fn words(name: &str) -> String {
    uncameled(name.strip_prefix("n_").unwrap_or(name)).replace(['_', '.', '-'], " ").trim().to_owned()
}

/// `MonthlyCharges` → `monthly charges`; `StreamingTV` → `streaming TV`; `Country` → `country`; `GDP` stays as it is.
fn uncameled(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let is_capitalised = letters.first().is_some_and(|first| first.is_uppercase())
        && letters.len() > 1
        && letters[1..].iter().all(|letter| !letter.is_uppercase());
    if is_capitalised {
        return name.to_lowercase();
    }
    let mut text = String::with_capacity(name.len() + 4);
    let is_hump = |at: usize| at > 0 && letters[at].is_uppercase() && letters[at - 1].is_lowercase();
    if !(0..letters.len()).any(is_hump) {
        return name.to_owned();
    }
    for (at, &letter) in letters.iter().enumerate() {
        if is_hump(at) {
            text.push(' ');
        }
        let in_capitals = letters.get(at + 1).is_none_or(|next| !next.is_lowercase()) && letter.is_uppercase();
        if in_capitals { text.push(letter) } else { text.extend(letter.to_lowercase()) }
    }
    text
}

/// What a value of a category is called.
fn level_name(level: Option<&str>) -> &str {
    match level {
        None => "not known",
        Some(OTHER) => "one of the rarer",
        Some("true" | "True" | "TRUE") => "yes",
        Some("false" | "False" | "FALSE") => "no",
        Some(level) => level,
    }
}

/// `46 % of visits with channel mail`. All or nothing is no percentage: who has one event of a kind, as everybody may, has no shares.
fn share((kind, property, level): (&str, &str, &str), share: f32, n_events: Option<f32>) -> String {
    let several = n_events.is_some_and(|n| n > 1.0);
    if share > 0.0 && share < 1.0 {
        let percent = amount((share * 100.0).round().clamp(1.0, 99.0));
        return format!("{percent} % of {} with {property} {level}", plural(kind));
    }
    match (share > 0.0, several) {
        (true, true) => format!("all {} with {property} {level}", plural(kind)),
        (false, true) => format!("no {} with {property} {level}", singular(kind)),
        (true, false) => format!("{kind} {property}: {level}"),
        (false, false) => format!("{kind} {property}: not {level}"),
    }
}

/// ` in the last 90 days`, or ` so far`.
fn within(window: &str) -> String {
    if window == "all" { " so far".into() } else { format!(" in the last {}", spelled(window)) }
}

/// `90d` → `90 days`.
fn spelled(window: &str) -> String {
    let digits = window.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = window.split_at(digits);
    let unit = match unit {
        "s" => "second",
        "min" | "m" => "minute",
        "h" => "hour",
        "d" => "day",
        "w" => "week",
        "mo" => "month",
        "y" => "year",
        _ => return window.to_owned(),
    };
    if number == "1" { unit.to_owned() } else { format!("{number} {unit}s") }
}

fn days(value: f32) -> String {
    if value < 1.0 {
        return "less than a day".into();
    }
    let whole = value.round();
    if whole == 1.0 { "1 day".into() } else { format!("{} days", amount(whole)) }
}

/// A number as people write it: whole, or with two digits at most after the point.
fn amount(value: f32) -> String {
    let rounded = (f64::from(value) * 100.0).round() / 100.0;
    if rounded.abs() >= 1000.0 { format!("{}", rounded.round()) } else { format!("{rounded}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_read_as_a_marketer_says_them() {
        let told = |name: &str, value: f32| Meaning::of(name).number(name, value, None);
        assert_eq!(told("purchase.count.90d", 3.0), "3 purchases in the last 90 days");
        assert_eq!(told("purchase.count.all", 0.0), "no purchase yet");
        assert_eq!(told("visit.days_since_last", 4.2), "last visit 4 days ago");
        assert_eq!(told("visit.days_since_last", f32::NAN), "no visit yet");
        assert_eq!(told("email_open.count.7d", 1.0), "1 email open in the last 7 days");
        assert_eq!(told("email_sent.count.7d", 3.0), "3 emails sent in the last 7 days");
        assert_eq!(
            told("visit.count.trend.30d", -2.0),
            "2 fewer visits in the last 30 days than in the 30 days before"
        );
        assert_eq!(told("purchase.amount.sum.365d", 1234.56), "total purchase amount of 1235 in the last 365 days");
        assert_eq!(told("purchase.amount.mean.90d", f32::NAN), "no purchase amount in the last 90 days");
        assert_eq!(told("visit.pages.mean.7d", 2.5), "2.5 pages per visit on average in the last 7 days");
        assert_eq!(told("purchase.n_pieces.sum.all", 40.0), "40 pieces in purchases so far");
        assert_eq!(told("purchase.installments.max.all", 1.0), "up to 1 installment per purchase so far");
        assert_eq!(told("attr.Country", 1.0), "country: 1");
        assert_eq!(told("cart.value.max.all", 40.0), "value of up to 40 per cart so far");
        assert_eq!(told("visit.channel.share.e.mail", 0.456), "46 % of visits with channel e.mail");
        assert_eq!(told("visit.channel.share.mail", 0.999), "99 % of visits with channel mail");
        let share = |value, n| Meaning::of("won.lead_type.share.shop").number("", value, n);
        assert_eq!(share(1.0, None), "won lead type: shop");
        assert_eq!(share(0.0, Some(1.0)), "won lead type: not shop");
        assert_eq!(share(1.0, Some(2.0)), "all won events with lead type shop");
        assert_eq!(share(0.0, Some(3.0)), "no won event with lead type shop");
        assert_eq!(told("won.count.all", 0.0), "not won yet");
        assert_eq!(told("won.days_since_last", f32::NAN), "not won yet");
        assert_eq!(told("contacted.count.7d", 1.0), "1 contacted event in the last 7 days");
        assert_eq!(told("add_to_cart.gap_days.mean", 3.0), "3 days between add to cart events on average");
        assert_eq!(told("feed.count.7d", 2.0), "2 feeds in the last 7 days");
        assert_eq!(told("shipping_details.count.7d", 2.0), "2 shipping details in the last 7 days");
        assert_eq!(told("purchase.cds.sum.90d", 0.0), "no purchase cds in the last 90 days");
        assert_eq!(told("purchase.category.distinct.all", 4.0), "4 different categories so far");
        assert_eq!(told("purchase.gap_days.mean", 12.0), "12 days between purchases on average");
        assert_eq!(told("person.tenure_days", 0.3), "known for less than a day");
        assert_eq!(told("attr.monthly_charges", 53.85), "monthly charges: 53.85");
        assert_eq!(told("attr.MonthlyCharges", 53.85), "monthly charges: 53.85");
        assert_eq!(told("attr.StreamingTV", 1.0), "streaming TV: 1");
        assert_eq!(told("attr.GDP", 1.0), "GDP: 1");
        let level = |name: &str, level| Meaning::of(name).level(name, level);
        assert_eq!(level("attr.email_opt_in", Some("true")), "email opt in: yes");
        assert_eq!(level("stage.current", Some("lead")), "stage: lead");
        assert_eq!(level("attr.job", None), "job: not known");
        assert_eq!(level("attr.town", Some("(other)")), "town: one of the rarer");
    }
}
