//! Which column may be the outcome, and which of its values means that it came.
//!
//! By name (churn, converted, response), by a value that speaks (Churned, of Churned, Stayed and Joined), by place (the last column),
//! and never what people are (gender, age). Or somebody names it.

use super::look::{Column, Seen, Values, words};
use super::roles::Sure;
use crate::error::{Error, Result};

/// A column of two values that may be the outcome, the value that means yes, and how sure that is.
pub(super) struct Target<'a> {
    pub(super) column: &'a Column,
    pub(super) yes: String,
    pub(super) share: f64,
    pub(super) sure: Sure,
}

const YES: [&str; 6] = ["yes", "y", "true", "t", "1", "ja"];
const NO: [&str; 6] = ["no", "n", "false", "f", "0", "nein"];

/// The likeliest outcome of a table with a row per person.
pub(super) fn target(seen: &Seen) -> Option<Target<'_>> {
    let n_columns = seen.columns.len();
    let n_binary = seen.columns.iter().filter(|column| yes(column).is_some()).count();
    let scored = seen.columns.iter().enumerate().filter_map(|(place, column)| {
        let (yes, is_answer) = yes(column)?;
        let by_level = speaking_level(column).map_or(0, |_| 6);
        let by_name = column.words.iter().map(|word| outcome_score(word)).max().unwrap_or(0).max(by_level)
            + if column.has(&["previous", "prev", "prior", "last", "opt", "consent"]) { -8 } else { 0 }
            + if column.has(&TRAITS) { -8 } else { 0 };
        let is_only = i32::from(n_binary == 1) * 2;
        let score = by_name + if place + 1 == n_columns { 3 } else { 0 } + is_only + if is_answer { 0 } else { -2 };
        Some((score, std::cmp::Reverse(place), column, yes))
    });
    let (score, _, column, yes) = scored.max_by_key(|(score, place, ..)| (*score, *place))?;
    let count = column.top.iter().find(|(value, _)| *value == yes).map_or(0, |(_, count)| *count);
    let sure = match score {
        11.. => Sure::Certain,
        5..11 => Sure::Likely,
        3..5 => Sure::Guess,
        _ => return None,
    };
    Some(Target { column, yes, share: count as f64 / column.n_known as f64, sure })
}

impl<'a> Target<'a> {
    /// The outcome that somebody named: `value` means yes; absent, what seems to.
    pub(super) fn told(column: &'a Column, value: Option<&str>) -> Result<Self> {
        let values = || column.top.iter().take(12).map(|(value, _)| value.as_str()).collect::<Vec<_>>().join(", ");
        let name = &column.name;
        let yes = match value {
            Some(value) => value.to_owned(),
            None => yes(column).map(|(yes, _)| yes).ok_or_else(|| {
                Error::usage(format!("which value of `{name}` means that the outcome came is not clear"))
                    .hint(format!("it holds {}: say --outcome \"{name}=VALUE\"", values()))
            })?,
        };
        let Some((_, count)) = column.top.iter().find(|(known, _)| *known == yes) else {
            return Err(Error::usage(format!("no row has the value {yes} in `{name}`, which --outcome names"))
                .hint(format!("it holds {}", values())));
        };
        Ok(Self { column, share: *count as f64 / column.n_known as f64, yes, sure: Sure::Certain })
    }
}

/// What people are, which no campaign moves.
const TRAITS: [&str; 12] =
    ["gender", "sex", "male", "female", "race", "white", "black", "hispanic", "ethnicity", "married", "marital", "age"];

/// Whether a column has two values and could be the outcome, whatever its name.
pub(super) fn may_be_outcome(column: &Column) -> bool {
    yes(column).is_some() && !column.has(&TRAITS)
}

/// Whether a column's name says that it holds an outcome, of whatever kind.
pub(super) fn speaks_of_outcome(column: &Column) -> bool {
    column.words.iter().any(|word| outcome_score(word) >= 5)
}

/// The one value of a few that speaks of an outcome: Churned, of Churned, Stayed and Joined.
fn speaking_level(column: &Column) -> Option<&String> {
    const SPEAKS: i32 = 8;
    if column.values != Values::Text || !(2..=6).contains(&column.n_distinct) {
        return None;
    }
    let speaks = |text: &str| words(text).iter().any(|word| word.len() > 1 && outcome_score(word) >= SPEAKS);
    let mut speaking = column.top.iter().map(|(text, _)| text).filter(|text| speaks(text));
    speaking.next().filter(|_| speaking.next().is_none())
}

/// The value of a column that means yes, and whether it is an answer (yes, 1, true, churned) or just the rarer one of two.
fn yes(column: &Column) -> Option<(String, bool)> {
    if column.n_known < 10 {
        return None;
    }
    if let Some(level) = speaking_level(column) {
        return Some((level.clone(), true));
    }
    let [(one, n_one), (other, n_other)] = column.top.as_slice() else { return None };
    let is = |list: &[&str], text: &str| list.contains(&text.to_lowercase().as_str());
    if is(&YES, one) && is(&NO, other) {
        return Some((one.clone(), true));
    }
    if is(&YES, other) && is(&NO, one) {
        return Some((other.clone(), true));
    }
    Some((if n_one <= n_other { one.clone() } else { other.clone() }, false))
}

fn outcome_score(word: &str) -> i32 {
    const OUTCOMES: [(&str, i32); 37] = [
        ("churn", 10),
        ("attrition", 10),
        ("exited", 10),
        ("target", 10),
        ("conver", 10),
        ("label", 8),
        ("y", 9),
        ("respon", 8),
        ("subscri", 7),
        ("purchas", 8),
        ("bought", 8),
        ("buy", 6),
        ("outcome", 6),
        ("class", 6),
        ("survived", 8),
        ("retained", 8),
        ("renew", 8),
        ("cancel", 8),
        ("won", 6),
        ("default", 5),
        ("defaulted", 8),
        ("fraud", 8),
        ("left", 7),
        ("deposit", 6),
        ("click", 7),
        ("visit", 5),
        ("accepted", 8),
        ("sold", 7),
        ("success", 7),
        ("attrited", 10),
        ("death", 8),
        ("died", 8),
        ("spam", 8),
        ("approved", 8),
        ("callback", 7),
        ("gekauft", 8),
        ("kündig", 10),
    ];
    let fits = |(known, _): &&(&str, i32)| word == *known || (known.len() >= 5 && word.starts_with(known));
    OUTCOMES.iter().filter(fits).map(|(_, score)| *score).max().unwrap_or(0)
}
