//! Who the people in a part of a feature's range are: "people with 3 or more purchases in the last 90 days".

use super::number::{counted, plural, singular};
use super::{Meaning, amount, days, feature, spelled, within};
use crate::discover::table::{Cells, NO_LEVEL};

/// A part of a feature's range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Region {
    /// No value.
    Missing,
    /// Any value.
    Known,
    /// So much or more.
    AtLeast(f32),
    /// Less than so much.
    Below(f32),
    /// From the first up to, and without, the second.
    Between(f32, f32),
    /// The category at this position.
    Level(u32),
}

impl Region {
    /// Whether a row's value lies in it.
    #[must_use]
    pub fn holds(self, cells: &Cells, row: usize) -> bool {
        match (self, cells) {
            (Self::Missing, Cells::Number(values)) => values[row].is_nan(),
            (Self::Missing, Cells::Category { codes, .. }) => codes[row] == NO_LEVEL,
            (Self::Known, _) => !Self::Missing.holds(cells, row),
            (Self::AtLeast(low), Cells::Number(values)) => values[row] >= low,
            (Self::Below(high), Cells::Number(values)) => values[row] < high,
            (Self::Between(low, high), Cells::Number(values)) => (low..high).contains(&values[row]),
            (Self::Level(level), Cells::Category { codes, .. }) => codes[row] == level,
            _ => false,
        }
    }

    /// The part in figures: `≥ 3`, `2 – 5`, `yes`.
    #[must_use]
    pub fn shown(self, cells: &Cells) -> String {
        match self {
            Self::Missing => "not known".into(),
            Self::Known => "known".into(),
            Self::AtLeast(low) => format!("≥ {}", amount(low)),
            Self::Below(high) => format!("< {}", amount(high)),
            Self::Between(low, high) => format!("{} to below {}", amount(low), amount(high)),
            Self::Level(level) => level_name(cells, level).to_owned(),
        }
    }
}

/// Who the people are whose value of the feature `name` lies in `region`; `is_date` tells an attribute that is a day before
/// the cutoff.
#[must_use]
pub fn who(name: &str, cells: &Cells, region: Region, is_date: bool) -> String {
    let meaning = match Meaning::of(name) {
        Meaning::Other(what) if is_date => Meaning::Date(what),
        meaning => meaning,
    };
    match region {
        Region::Level(level) => format!("people whose {} is {}", noun(name), level_name(cells, level)),
        Region::Missing => has_value(name, &meaning, "without"),
        Region::Known => has_value(name, &meaning, "with"),
        Region::AtLeast(low) => numbers(name, &meaning, Some(low), None),
        Region::Below(high) => numbers(name, &meaning, None, Some(high)),
        Region::Between(low, high) => numbers(name, &meaning, Some(low), Some(high)),
    }
}

fn level_name(cells: &Cells, level: u32) -> &str {
    let Cells::Category { levels, .. } = cells else { return "" };
    super::level_name(levels.get(level as usize).map(String::as_str))
}

/// People `with` or `without` what the feature needs to have a value.
fn has_value(name: &str, meaning: &Meaning, with: &str) -> String {
    match meaning {
        Meaning::DaysSinceFirst(kind) | Meaning::DaysSinceLast(kind) => format!("people {with} any {kind} so far"),
        Meaning::MeanGap(kind) => format!("people {with} two {}", plural(kind)),
        Meaning::Statistic { kind, property, window, .. } => {
            format!("people {with} any {kind} {property}{}", within(window))
        }
        Meaning::Share { kind, property, .. } => format!("people {with} any {kind} {property}"),
        _ if with == "with" => format!("people whose {} is known", noun(name)),
        _ => format!("people whose {} is not known", noun(name)),
    }
}

fn numbers(name: &str, meaning: &Meaning, low: Option<f32>, high: Option<f32>) -> String {
    match meaning {
        Meaning::Count { kind, window } => format!("people with {}{}", so_many(kind, low, high), within(window)),
        Meaning::Distinct { property, window } => {
            let some = |what: &str| so_many(what, low, high);
            let many = if low.is_none_or(|low| low <= 1.0) && high.is_some_and(|high| high <= 2.0) {
                some(property)
            } else {
                some(&format!("different {property}"))
            };
            format!("people with {many}{}", within(window))
        }
        Meaning::DaysSinceFirst(kind) => format!("people whose first {kind} was {} ago", span(low, high)),
        Meaning::DaysSinceLast(kind) => format!("people whose last {kind} was {} ago", span(low, high)),
        Meaning::Date(what) => {
            let what = what.strip_suffix(" at").unwrap_or(what);
            format!("people whose date “{what}” lies {} back", span(low, high))
        }
        Meaning::Tenure => format!("people known for {}", span(low, high)),
        Meaning::DaysInStage => format!("people who have been in their stage for {}", span(low, high)),
        Meaning::Trend { kind, span } if (low, high) == (None, Some(0.0)) => {
            format!("people with fewer {} than in the {span} before", last(kind, span))
        }
        Meaning::Trend { kind, span } if low.is_some_and(|low| low > 0.0 && low <= 1.0) && high.is_none() => {
            format!("people with more {} than in the {span} before", last(kind, span))
        }
        Meaning::Trend { kind, span } => {
            format!("people whose {} changed by {} against the {span} before", last(kind, span), between(low, high))
        }
        Meaning::Share { kind, property, level } if low.is_some_and(|low| low >= 1.0) => {
            format!("people whose {} all have {property} {level}", plural(kind))
        }
        Meaning::Share { kind, property, level } if low.is_none() && high.is_some_and(|high| high >= 1.0) => {
            format!("people whose {} do not all have {property} {level}", plural(kind))
        }
        Meaning::Share { kind, property, level } => {
            let percent = |share: f32| (share * 100.0).round();
            let share = between(low.map(percent), high.map(percent));
            format!("people whose {} have {property} {level} in {share} percent", plural(kind))
        }
        _ => format!("people whose {} is {}", noun(name), between(low, high)),
    }
}

/// What a feature is, without the words that a sentence has already.
fn noun(name: &str) -> String {
    if name == "stage.current" { "stage".into() } else { feature(name).replace(['.', '-'], " ") }
}

fn last(kind: &str, span: &str) -> String {
    format!("{} in the last {span}", plural(kind))
}

/// `3 or more purchases`, `no purchase`, `2 to 4 purchases`. Counts are whole: below 3 is 2 at most.
fn so_many(what: &str, low: Option<f32>, high: Option<f32>) -> String {
    let most = high.map(|high| high.ceil() - 1.0);
    match (low.map(f32::ceil).filter(|low| *low > 0.0), most) {
        (_, Some(most)) if most <= 0.0 => format!("no {}", singular(what)),
        (Some(low), Some(most)) if low == most => counted(low, what),
        (Some(low), Some(most)) => format!("{} to {} {}", amount(low), amount(most), plural(what)),
        (Some(low), None) => format!("{} or more {}", amount(low), plural(what)),
        (None, Some(1.0)) => format!("at most 1 {}", singular(what)),
        (None, Some(most)) => format!("at most {} {}", amount(most), plural(what)),
        (None, None) => format!("any number of {}", plural(what)),
    }
}

/// `7 days or more`, `less than 7 days`, `7 to 30 days`.
fn span(low: Option<f32>, high: Option<f32>) -> String {
    match (low, high) {
        (Some(low), Some(high)) if days(low) == days(high) => format!("about {}", days(low)),
        (Some(low), Some(high)) => format!("{} to {}", amount(low.round()), days(high)),
        (Some(low), None) => format!("{} or more", days(low)),
        (None, Some(high)) if high.round() <= 1.0 => "less than a day".into(),
        (None, Some(high)) => format!("less than {}", days(high)),
        (None, None) => spelled("any"),
    }
}

/// `3 or more`, `less than 3`, `3 to 5`.
fn between(low: Option<f32>, high: Option<f32>) -> String {
    match (low, high) {
        (Some(low), Some(high)) => format!("{} to {}", amount(low), amount(high)),
        (Some(low), None) => format!("{} or more", amount(low)),
        (None, Some(high)) => format!("less than {}", amount(high)),
        (None, None) => "anything".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_named_by_what_they_did() {
        let numbers = Cells::Number(Vec::new());
        for (name, region, words) in [
            ("email_opened.count.30d", Region::AtLeast(3.0), "people with 3 or more emails opened in the last 30 days"),
            ("visit.count.7d", Region::Below(1.0), "people with no visit in the last 7 days"),
            ("visit.count.all", Region::Between(2.0, 5.0), "people with 2 to 4 visits so far"),
            ("visit.days_since_last", Region::Below(6.7), "people whose last visit was less than 7 days ago"),
            ("visit.days_since_last", Region::Missing, "people without any visit so far"),
            ("visit.days_since_first", Region::Known, "people with any visit so far"),
            ("contact.origin.share.social", Region::AtLeast(1.0), "people whose contacts all have origin social"),
            ("won.lead_type.share.shop", Region::Below(1.0), "people whose won events do not all have lead type shop"),
            ("visit.page.distinct.7d", Region::Below(1.0), "people with no page in the last 7 days"),
            (
                "visit.page.distinct.7d",
                Region::AtLeast(2.0),
                "people with 2 or more different pages in the last 7 days",
            ),
            (
                "visit.count.trend.7d",
                Region::Below(0.0),
                "people with fewer visits in the last 7 days than in the 7 days before",
            ),
            ("person.tenure_days", Region::AtLeast(90.0), "people known for 90 days or more"),
            ("attr.monthly_charges", Region::AtLeast(70.5), "people whose monthly charges is 70.5 or more"),
            (
                "purchase.amount.sum.90d",
                Region::Below(20.0),
                "people whose total amount of purchase events in the last 90 days is less than 20",
            ),
        ] {
            assert_eq!(who(name, &numbers, region, false), words);
        }
        let answers = Cells::Category { codes: Vec::new(), levels: vec!["false".into(), "true".into()] };
        assert_eq!(who("attr.email_opt_in", &answers, Region::Level(1), false), "people whose email opt in is yes");
        assert_eq!(
            who("attr.signed_up_at", &numbers, Region::AtLeast(30.0), true),
            "people whose date “signed up” lies 30 days or more back"
        );
    }
}
