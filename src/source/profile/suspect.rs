//! What looks wrong in a column or a table: counted here, weighed and put into words by `discover`.
//!
//! A suspicion holds no personal data: how a text is written stands for the text, and where a value is named it is one
//! that many rows share.

use super::marks::Mark;
use super::reach::{Found, Verified};
use super::rows::Repeated;
use super::semantic::{Called, Semantic, called};
use super::shape::shape;
use super::shifted::Shifted;
use super::tally::{Numbers, Tally, Texts};
use super::{ColumnProfile, SHARED_BY};
use crate::source::contacts::email::{Domains, Verdict};
use crate::time::{DAY, Time};

/// Something that looks wrong in a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspicion {
    /// What kind of suspicion it is: a code of `issues.json`.
    pub code: &'static str,
    /// The table.
    pub table: String,
    /// The column, if one is at fault.
    pub column: Option<String>,
    /// How many rows.
    pub rows: u64,
    /// Of how many that were looked at.
    pub of: u64,
    /// Whether `rows` is an estimate from some of the rows.
    pub is_estimate: bool,
    /// Where to look.
    pub example: Option<String>,
    /// What the words need beside: a value that many rows share, what was meant.
    pub detail: String,
}

impl Suspicion {
    fn new(code: &'static str, profile: &ColumnProfile, rows: u64) -> Self {
        Self {
            code,
            table: profile.table.clone(),
            column: Some(profile.column.clone()),
            rows,
            of: profile.rows - profile.nulls,
            is_estimate: false,
            example: None,
            detail: String::new(),
        }
    }

    fn of_table(code: &'static str, table: &str, rows: u64, of: u64) -> Self {
        let (table, column) = (table.to_owned(), None);
        Self { code, table, column, rows, of, is_estimate: false, example: None, detail: String::new() }
    }

    fn like(mut self, first: Option<&(u64, String)>) -> Self {
        self.example = first.map(|(row, written)| format!("row {row}: {written}"));
        self
    }

    fn with(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Of one row in `every` to all of them.
    pub(super) fn scale(&mut self, every: u64) {
        self.rows *= every;
        self.is_estimate |= every > 1;
    }
}

/// What looks wrong in a column.
pub(super) fn of_column(profile: &ColumnProfile, tally: &mut Tally) -> Vec<Suspicion> {
    match tally {
        _ if profile.rows == profile.nulls => Vec::new(),
        Tally::Numbers(numbers) if matches!(profile.column_type.as_str(), "date" | "datetime") => {
            of_times(profile, numbers)
        }
        Tally::Numbers(numbers) => of_numbers(profile, numbers),
        Tally::Texts(texts) if profile.column_type == "text" => of_texts(profile, texts),
        Tally::Texts(_) => Vec::new(),
    }
}

/// Days that stand for "unknown" or "never".
const NO_DAYS: [&str; 6] = ["1970-01-01", "1900-01-01", "1899-12-30", "0001-01-01", "2099-12-31", "9999-12-31"];

fn of_times(profile: &ColumnProfile, numbers: &mut Numbers) -> Vec<Suspicion> {
    let mut found = Vec::new();
    for (value, n) in numbers.sorted() {
        let day = show_day(value);
        if n >= SHARED_BY && NO_DAYS.contains(&day.as_str()) && (value <= numbers.low || value >= numbers.high) {
            found.push(Suspicion::new("placeholder-value", profile, n).with(day));
        }
    }
    let bulk = numbers.quantiles(&[0.01, 0.99]);
    let [early, late] = bulk.as_slice() else { return found };
    let far = (0.5 * (late - early)).max(180.0 * DAY as f64);
    let n_far = numbers.n_outside(early - far, late + far).saturating_sub(found.iter().map(|found| found.rows).sum());
    if n_far > 0 && n_far * 200 < numbers.known && numbers.known >= 50 {
        let edge = if numbers.high > late + far { numbers.high } else { numbers.low };
        let detail = format!("{} to {}", show_day(*early), show_day(*late));
        let mut suspicion = Suspicion::new("times-far-off", profile, n_far).with(detail);
        suspicion.example = (!profile.semantic_type.is_personal()).then(|| show_day(edge));
        found.push(suspicion);
    }
    found
}

#[expect(clippy::cast_possible_truncation, reason = "it came from an integer")]
fn show_day(value: f64) -> String {
    Time((value as i64).div_euclid(DAY) * DAY).to_string().chars().take(10).collect()
}

fn of_numbers(profile: &ColumnProfile, numbers: &Numbers) -> Vec<Suspicion> {
    let mut found = Vec::new();
    let known = numbers.known;
    let is_measure = matches!(profile.semantic_type, Semantic::Amount | Semantic::Number);
    let placeholder = placeholder(numbers).filter(|_| is_measure);
    if let Some((value, n)) = placeholder {
        found.push(Suspicion::new("placeholder-value", profile, n).with(value.to_string()));
    }
    let n_negative = numbers.n_negative - placeholder.filter(|(value, _)| *value < 0.0).map_or(0, |(_, n)| n);
    let n_positive = known - numbers.n_negative - numbers.n_zero;
    if is_measure && n_negative > 0 && n_negative * 10 < known && n_positive * 5 > known * 4 {
        found.push(Suspicion::new("negative-values", profile, n_negative));
    }
    if profile.semantic_type == Semantic::Amount && numbers.n_zero > 0 && numbers.n_zero * 20 < known {
        found.push(Suspicion::new("zero-amounts", profile, numbers.n_zero));
    }
    let is_key = matches!(called(&profile.column), Called::Id | Called::Phone);
    if numbers.n_long >= 20 && numbers.n_rounded * 100 >= numbers.n_long * 99 && is_key {
        found.push(Suspicion::new("excel-round-trip", profile, numbers.n_rounded).with("digits"));
    }
    found.extend(lost_zeros(profile, numbers));
    found
}

/// A value that stands alone at an end of the others and is held by many rows: a mark for "unknown" or "never".
fn placeholder(numbers: &Numbers) -> Option<(f64, u64)> {
    let sorted = numbers.sorted();
    let n_least = (numbers.known / 200).max(20);
    if !numbers.values.is_exact() || sorted.len() < 8 {
        return None;
    }
    let (low, rest, high) = (sorted[0], &sorted[1..sorted.len() - 1], sorted[sorted.len() - 1]);
    let mut gaps: Vec<f64> = rest.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    gaps.sort_unstable_by(f64::total_cmp);
    let usual = gaps[gaps.len() / 2];
    let span = rest[rest.len() - 1].0 - rest[0].0;
    let is_alone =
        |gap: f64, n: u64, neighbour: u64| gap > 10.0 * usual && gap > 0.15 * span && n >= n_least && n > 5 * neighbour;
    let is_mark = |value: f64| [-1.0, -9.0, -99.0, -999.0, -9999.0].contains(&value);
    let last = rest[rest.len() - 1];
    if is_alone(high.0 - last.0, high.1, last.1) {
        Some(high)
    } else if (low.0 < 0.0 && rest[0].0 >= 0.0 && is_mark(low.0) && low.1 >= n_least)
        || (low.0 != 0.0 && is_alone(rest[0].0 - low.0, low.1, rest[0].1))
    {
        Some(low)
    } else {
        None
    }
}

/// Postcodes of as many digits, but for a few that have one less: those began with 0.
fn lost_zeros(profile: &ColumnProfile, numbers: &Numbers) -> Option<Suspicion> {
    if profile.semantic_type != Semantic::Postcode || !numbers.is_whole {
        return None;
    }
    let longest = (1..numbers.digits.len()).rev().find(|&length| numbers.digits[length] > 0)?;
    let (whole, short) = (numbers.digits[longest], numbers.digits[longest - 1]);
    let others = numbers.known - whole - short;
    let is_lost = longest >= 4 && short > 0 && short * 3 < whole && others * 50 < numbers.known;
    is_lost.then(|| Suspicion::new("leading-zeros-lost", profile, short).with(longest.to_string()))
}

fn of_texts(profile: &ColumnProfile, texts: &Texts) -> Vec<Suspicion> {
    let mut found = Vec::new();
    let suspect = |code, mark: Mark| {
        let rows = texts.rows(mark);
        (rows > 0).then(|| Suspicion::new(code, profile, rows).like(texts.first(mark)))
    };
    found.extend(suspect("mixed-encodings", Mark::Mojibake));
    found.extend(suspect("characters-lost", Mark::Lost));
    let is_label = !matches!(profile.semantic_type, Semantic::FreeText | Semantic::Address | Semantic::Name);
    if texts.rows(Mark::Range) > 0 && is_label {
        found.extend(suspect("excel-round-trip", Mark::MonthRange).map(|found| found.with("month")));
    }
    found.extend(suspect("excel-round-trip", Mark::Scientific).filter(|_| is_label).map(|found| found.with("digits")));
    found.extend(local_times(profile, texts));
    found.extend(numbers_as_text(profile, texts));
    match profile.semantic_type {
        Semantic::Email => found.extend(addresses(profile, texts)),
        Semantic::Category => {
            found.extend(no_value(profile, texts));
            found.extend(levels_alike(profile, texts));
        }
        _ => {}
    }
    if matches!(profile.semantic_type, Semantic::Email | Semantic::Name | Semantic::Id) {
        found.extend(suspect("test-accounts", Mark::Test));
    }
    found
}

fn local_times(profile: &ColumnProfile, texts: &Texts) -> Vec<Suspicion> {
    let (local, n_clear) = (texts.rows(Mark::LocalTime), texts.rows(Mark::Time));
    let first = texts.first(Mark::LocalTime);
    if profile.semantic_type != Semantic::Time || local == 0 {
        return Vec::new();
    }
    let mut found = Vec::new();
    if texts.rows(Mark::DayFirst) > 0 && texts.rows(Mark::MonthFirst) > 0 {
        let fewer = texts.rows(Mark::DayFirst).min(texts.rows(Mark::MonthFirst));
        found.push(Suspicion::new("mixed-date-orders", profile, fewer).like(first));
    } else if n_clear > 0 {
        found.push(Suspicion::new("mixed-date-forms", profile, local.min(n_clear)).like(first));
    } else {
        let code = if texts.rows(Mark::NoSeconds) == local { "spreadsheet-times" } else { "local-dates" };
        found.push(Suspicion::new(code, profile, local).like(first));
    }
    found
}

fn numbers_as_text(profile: &ColumnProfile, texts: &Texts) -> Option<Suspicion> {
    let known = texts.known;
    let (numbers, commas, money) = (texts.rows(Mark::Number), texts.rows(Mark::CommaNumber), texts.rows(Mark::Money));
    if !matches!(profile.semantic_type, Semantic::Number | Semantic::Amount) || numbers == known {
        return None;
    }
    if money * 2 > known {
        return Some(Suspicion::new("currency-in-numbers", profile, money).like(texts.first(Mark::Money)));
    }
    if commas * 10 > known {
        return Some(Suspicion::new("decimal-comma", profile, commas).like(texts.first(Mark::CommaNumber)));
    }
    let others = texts.values.slots().iter().filter(|slot| slot.what.marks & Mark::Number.bit() == 0);
    let commonest = others.max_by(|a, b| a.n.cmp(&b.n).then_with(|| b.what.text.cmp(&a.what.text)))?;
    let is_word = commonest.what.marks & Mark::NoValue.bit() != 0;
    let mut suspicion = Suspicion::new("numbers-as-text", profile, known - numbers);
    suspicion.example = Some(shape(&commonest.what.text));
    Some(if is_word { suspicion.with(&*commonest.what.text) } else { suspicion })
}

fn addresses(profile: &ColumnProfile, texts: &Texts) -> Vec<Suspicion> {
    let mut found = Vec::new();
    let n_bad = texts.known - texts.rows(Mark::Email);
    if n_bad > 0 {
        let other = texts.values.slots().iter().find(|slot| slot.what.marks & Mark::Email.bit() == 0);
        let mut suspicion = Suspicion::new("email-invalid", profile, n_bad).like(texts.first(Mark::EmailBad));
        suspicion.example = suspicion.example.or(other.map(|slot| shape(&slot.what.text)));
        found.push(suspicion);
    }
    for (code, mark) in
        [("email-typo", Mark::EmailTypo), ("email-role", Mark::EmailRole), ("email-disposable", Mark::EmailDisposable)]
    {
        let rows = texts.rows(mark);
        if rows > 0 {
            found.push(Suspicion::new(code, profile, rows).like(texts.first(mark)).with(meant(texts, mark)));
        }
    }
    found
}

/// The domains that were meant by mistyped ones.
fn meant(texts: &Texts, mark: Mark) -> String {
    if mark != Mark::EmailTypo {
        return String::new();
    }
    let mut domains = Domains::default();
    let slots = texts.values.slots().iter().filter(|slot| slot.what.marks & mark.bit() != 0);
    let meant: std::collections::BTreeSet<&str> = slots
        .filter_map(|slot| match domains.verify(&slot.what.text) {
            Verdict::Typo(meant) => Some(meant),
            _ => None,
        })
        .collect();
    meant.into_iter().take(3).collect::<Vec<_>>().join(", ")
}

fn no_value(profile: &ColumnProfile, texts: &Texts) -> Option<Suspicion> {
    let rows = texts.rows(Mark::NoValue);
    let words = texts.values.slots().iter().filter(|slot| slot.what.marks & Mark::NoValue.bit() != 0);
    let commonest = words.max_by(|a, b| a.n.cmp(&b.n).then_with(|| b.what.text.cmp(&a.what.text)))?;
    (rows > 0).then(|| Suspicion::new("no-value-words", profile, rows).with(&*commonest.what.text))
}

/// Texts that differ in capitals, blanks and marks between words alone.
fn levels_alike(profile: &ColumnProfile, texts: &Texts) -> Option<Suspicion> {
    if !texts.values.is_exact() {
        return None;
    }
    let mut groups: std::collections::BTreeMap<String, Vec<(u64, &str)>> = std::collections::BTreeMap::new();
    for slot in texts.values.slots() {
        let folded: String =
            slot.what.text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        if !folded.is_empty() && !folded.bytes().all(|byte| byte.is_ascii_digit()) {
            groups.entry(folded).or_default().push((slot.n, &slot.what.text));
        }
    }
    groups.retain(|_, levels| levels.len() > 1);
    let (mut rows, mut shown) = (0, None);
    for levels in groups.values_mut() {
        levels.sort_by(|a, b| b.cmp(a));
        rows += levels[1..].iter().map(|(n, _)| n).sum::<u64>();
        let pair = (levels[1].0 >= SHARED_BY).then(|| format!("`{}` and `{}`", levels[0].1, levels[1].1));
        shown = shown.or(pair);
    }
    (rows > 0).then(|| Suspicion { example: shown, ..Suspicion::new("levels-alike", profile, rows) })
}

/// Times without seconds, or dates with the day first, are what a spreadsheet leaves when it left other traces, too.
pub(super) fn corroborate(suspects: &mut [Suspicion]) {
    if !suspects.iter().any(|suspect| suspect.code == "excel-round-trip") {
        return;
    }
    for suspect in suspects.iter_mut().filter(|suspect| suspect.code == "spreadsheet-times") {
        (suspect.code, suspect.detail) = ("excel-round-trip", "seconds".to_owned());
    }
}

/// Repeated rows and ids. Rows that no id and no time tells apart may be equal by chance.
pub(super) fn of_rows(
    table: &str,
    repeated: Option<Repeated>,
    ids: Option<(String, Repeated)>,
    profiles: &[ColumnProfile],
) -> Vec<Suspicion> {
    let n_rows = profiles.first().map_or(0, |profile| profile.rows);
    let example = |found: &Repeated| Some(format!("rows {} and {}", found.example.0, found.example.1));
    let tells_apart =
        |profile: &ColumnProfile| matches!(profile.semantic_type, Semantic::Id | Semantic::Time | Semantic::Email);
    let by_chance = !profiles.iter().any(tells_apart);
    let n_repeated = repeated.as_ref().map_or(0, |found| found.n_rows);
    let mut found = Vec::new();
    if let Some(repeated) = repeated {
        let suspicion = Suspicion::of_table("rows-repeated", table, repeated.n_rows, n_rows);
        found.push(Suspicion { example: example(&repeated), ..suspicion }.with(if by_chance { "chance" } else { "" }));
    }
    for (column, repeated) in ids.into_iter().filter(|(_, found)| found.n_rows > n_repeated) {
        let suspicion = Suspicion::of_table("ids-repeated", table, repeated.n_rows, n_rows);
        found.push(Suspicion { column: Some(column), example: example(&repeated), ..suspicion });
    }
    found
}

/// Rows that moved to the side.
pub(super) fn of_shifted(table: &str, shifted: &Shifted, n_rows: u64) -> Option<Suspicion> {
    let (row, column) = shifted.first.clone()?;
    let suspicion = Suspicion::of_table("rows-shifted", table, shifted.n_rows, n_rows);
    Some(Suspicion { column: Some(column), example: Some(format!("row {row}")), ..suspicion })
}

/// Telephone numbers and postcodes that cannot work.
pub(super) fn of_reach(table: &str, columns: &[Verified], profiles: &[ColumnProfile]) -> Vec<Suspicion> {
    let mut found = Vec::new();
    for verified in columns {
        let profile = profiles.iter().find(|profile| profile.column == verified.column);
        let meaning = if verified.is_phone { Semantic::Phone } else { Semantic::Postcode };
        let Some(profile) = profile.filter(|profile| profile.semantic_type == meaning) else { continue };
        let mut push = |code, Found { n, first }: &Found| {
            if *n > 0 {
                let mut suspicion = Suspicion::new(code, profile, *n).like(first.as_ref());
                suspicion.scale(verified.every);
                table.clone_into(&mut suspicion.table);
                found.push(suspicion);
            }
        };
        push(if verified.is_phone { "phone-invalid" } else { "postcode-invalid" }, &verified.bad);
        push("phone-without-country", &verified.homeless);
        push("leading-zeros-lost", &verified.lost_zero);
    }
    found
}
