//! What a column may be: an id of people, a time and how it is written, an amount, the kind of an event.
//!
//! Names speak first and values confirm: a column is no id when it repeats too much, no time unless its values read as
//! times. Each guess says how sure it is.

use super::look::{Column, Seen, Values};
use crate::source::reads_as;

/// How sure a guess is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sure {
    Guess,
    Likely,
    Certain,
}

impl Sure {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Guess => "a guess",
            Self::Likely => "likely",
            Self::Certain => "sure",
        }
    }
}

const PEOPLE: [&str; 41] = [
    "customer",
    "cust",
    "user",
    "person",
    "people",
    "client",
    "member",
    "buyer",
    "visitor",
    "subscriber",
    "account",
    "consumer",
    "shopper",
    "patient",
    "player",
    "contact",
    "lead",
    "household",
    "guest",
    "passenger",
    "donor",
    "student",
    "policyholder",
    "cardholder",
    "borrower",
    "applicant",
    "profile",
    "party",
    "individual",
    "prospect",
    "recipient",
    "cookie",
    "rec",
    "respondent",
    "kunde",
    "kunden",
    "nutzer",
    "mitglied",
    "cliente",
    "usuario",
    "utilisateur",
];
const NUMBERING: [&str; 12] =
    ["id", "uid", "key", "no", "nr", "num", "number", "nummer", "code", "guid", "uuid", "hash"];
/// Ids of other things.
const THINGS: [&str; 34] = [
    "order",
    "invoice",
    "transaction",
    "product",
    "item",
    "session",
    "event",
    "offer",
    "campaign",
    "sku",
    "stock",
    "seller",
    "store",
    "review",
    "payment",
    "message",
    "page",
    "device",
    "zip",
    "postcode",
    "postal",
    "basket",
    "cart",
    "receipt",
    "category",
    "sdr",
    "sr",
    "landing",
    "ticket",
    "row",
    "street",
    "soc",
    "phone",
    "house",
];
/// A person has several of them.
pub(super) const BASKETS: [&str; 8] =
    ["order", "invoice", "transaction", "basket", "cart", "receipt", "checkout", "booking"];

/// How much a column looks like an id of people; 0 or less: not at all.
pub(super) fn person_score(seen: &Seen, column: &Column) -> i32 {
    let is_code = matches!(column.values, Values::Whole | Values::Text) && column.n_distinct > 1;
    if !is_code || time_form(column).is_some_and(|form| form.sure == Sure::Certain) {
        return 0;
    }
    let last = column.words.last().map_or("", String::as_str);
    let is_numbering = |word: &str| NUMBERING.contains(&word);
    let is_person = |word: &str| {
        PEOPLE.iter().any(|known| word == *known || word.strip_suffix('s') == Some(known))
            || PEOPLE.iter().any(|known| word.strip_prefix(known).is_some_and(is_numbering))
    };
    let speaks_of_person = column.words.iter().any(|word| is_person(word));
    let ends_in_id = is_numbering(last) || (last.ends_with("id") && is_person(last));
    let of_things = column.has(&THINGS) && !speaks_of_person;
    let is_email = column.has(&["email", "mail"]) && column.top.iter().all(|(text, _)| text.contains('@'));
    let by_name = match (speaks_of_person, ends_in_id) {
        _ if of_things => -10,
        (true, true) => 14,
        (true, false) if column.words.len() == 1 => 12,
        (true, false) => -1,
        (false, true) if column.words.len() == 1 => 7,
        (false, true) => 5,
        (false, false) if is_email => 6,
        (false, false) if column.words == ["rec"] => 4,
        (false, false) => 0,
    };
    // Of a file without names: the first column of codes, of which there are many and which come again.
    if column.is_nameless() {
        let is_first = seen.columns.first().is_some_and(|first| first.name == column.name);
        return i32::from(is_first && column.n_distinct > 20 && 10 * column.n_distinct > seen.n_rows) * 3;
    }
    let is_unique_kind = i32::from(column.has(&["unique", "master", "global"]));
    // Few values over many rows are a category, whatever the name.
    let is_few = column.n_distinct < 10 && seen.n_rows > 200;
    if is_few { 0 } else { by_name + is_unique_kind }
}

/// How the values of a column are times.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TimeForm {
    pub(super) reading: Reading,
    pub(super) sure: Sure,
}

/// How times are written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reading {
    /// So that they cannot be mistaken.
    Plain,
    /// In a format; whether the day and the month could be the other way round.
    Format(&'static str, bool),
    /// Seconds, milliseconds … since 1970.
    Since1970(&'static str),
    /// Units since an unknown start.
    Counter(&'static str),
}

const FORMATS: [&str; 24] = [
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%d-%m-%Y %H:%M:%S",
    "%d-%m-%Y %H:%M",
    "%d-%m-%Y",
    "%m-%d-%Y %H:%M",
    "%m-%d-%Y",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
    "%d/%m/%y %H:%M",
    "%m/%d/%y %H:%M",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d %b %Y",
    "%b %d, %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
];
/// Words in the names of times, and how much each says that it is the time at which its row happened. From 4 on they say nothing else.
const TIME_WORDS: [(&str, i32); 23] = [
    ("timestamp", 5),
    ("datetime", 5),
    ("time", 4),
    ("date", 4),
    ("at", 4),
    ("on", 4),
    ("ts", 4),
    ("invoicedate", 4),
    ("orderdate", 4),
    ("unix", 4),
    ("unixtime", 4),
    ("epoch", 4),
    ("datum", 4),
    ("zeit", 4),
    ("fecha", 4),
    ("created", 3),
    ("creation", 3),
    ("received", 3),
    ("occurred", 3),
    ("day", 2),
    ("hour", 2),
    ("hours", 2),
    ("when", 2),
];
/// So many of the values must read as times: impossible dates happen.
const READ: f64 = 0.95;

fn time_word(word: &str) -> Option<i32> {
    TIME_WORDS.iter().find(|(known, _)| word == *known).map(|(_, score)| *score)
}

/// The words of a time's name that say what happened: offer, received, of `offer_received_time`.
pub(super) fn what_happened(column: &Column) -> Vec<&str> {
    let is_bare = |word: &str| time_word(word).is_some_and(|score| score >= 4) || ["utc", "local"].contains(&word);
    column.words.iter().map(String::as_str).filter(|word| !is_bare(word)).collect()
}

/// How the values of a column are times, if they are.
pub(super) fn time_form(column: &Column) -> Option<TimeForm> {
    let is_named = column.words.iter().any(|word| time_word(word).is_some());
    match column.values {
        Values::Time => Some(TimeForm { reading: Reading::Plain, sure: Sure::Certain }),
        Values::Text => text_form(column),
        Values::Whole => number_form(column, is_named),
        _ => None,
    }
}

fn text_form(column: &Column) -> Option<TimeForm> {
    let sample: Vec<&str> = column.top.iter().map(|(text, _)| text.as_str()).collect();
    let share = |format: Option<&str>| {
        sample.iter().filter(|text| reads_as(format, text)).count() as f64 / (sample.len() as f64).max(1.0)
    };
    if share(None) >= READ {
        return Some(TimeForm { reading: Reading::Plain, sure: Sure::Certain });
    }
    let fits: Vec<&'static str> = FORMATS.into_iter().filter(|format| share(Some(format)) >= READ).collect();
    let format = *fits.first()?;
    let swapped = |other: &&&str| other.replace("%d", "%") == format.replace("%m", "%") || other.len() == format.len();
    let is_doubtful = fits.iter().skip(1).any(|other| swapped(&other));
    let sure = if is_doubtful { Sure::Guess } else { Sure::Certain };
    Some(TimeForm { reading: Reading::Format(format, is_doubtful), sure })
}

fn number_form(column: &Column, is_named: bool) -> Option<TimeForm> {
    let (low, high) = column.range?;
    let form = |reading, sure| Some(TimeForm { reading, sure });
    if (19_000_101.0..22_001_231.0).contains(&low)
        && high < 22_001_232.0
        && column.top.iter().all(|(text, _)| reads_as(None, text))
    {
        return form(Reading::Plain, Sure::Certain);
    }
    if !is_named {
        return None;
    }
    match (low, high) {
        (low, high) if low >= 3e8 && high < 4.2e9 => form(Reading::Since1970("seconds"), Sure::Likely),
        (low, high) if low >= 3e11 && high < 4.2e12 => form(Reading::Since1970("milliseconds"), Sure::Likely),
        (low, high) if low >= 3e14 && high < 4.2e15 => form(Reading::Since1970("microseconds"), Sure::Likely),
        (low, high)
            if low >= -1.0
                && (2.0..100_000.0).contains(&high)
                && column.has(&["time", "hour", "hours", "ts", "timestamp"]) =>
        {
            form(Reading::Counter("hours"), Sure::Guess)
        }
        (low, high)
            if low >= -1.0 && (2.0..40_000.0).contains(&high) && column.has(&["day"]) && column.n_distinct > 31 =>
        {
            form(Reading::Counter("days"), Sure::Guess)
        }
        _ => None,
    }
}

/// How much a column looks like the time at which a row happened; `None`: not at all.
pub(super) fn event_time_score(column: &Column) -> Option<i32> {
    let form = time_form(column)?;
    if column.has(&["birth", "born", "dob", "birthday", "birthdate"]) {
        return None;
    }
    let word_score = |word: &str| match word {
        "purchase" | "purchased" | "ordered" | "visited" | "event" | "order" => 2,
        "estimated" | "expected" | "limit" | "deadline" | "due" | "expiry" | "expires" | "valid" | "until"
        | "renewal" => -8,
        "updated" | "modified" | "loaded" | "ingested" | "exported" => -6,
        _ => time_word(word).unwrap_or(0),
    };
    let by_name: i32 = column.words.iter().map(|word| word_score(word)).sum();
    let by_form = match form.reading {
        Reading::Plain | Reading::Format(..) => 3,
        Reading::Since1970(_) => 2,
        Reading::Counter(_) => 0,
    };
    Some(by_name + by_form).filter(|score| *score > 0)
}

/// How much a number looks like an amount of money; 0: not at all.
pub(super) fn amount_score(column: &Column) -> i32 {
    if !column.is_number() || column.n_distinct < 3 {
        return 0;
    }
    // Of a file without names: what is written in cents.
    if column.is_nameless() {
        let has_cents = |text: &str| text.split_once('.').is_none_or(|(_, cents)| cents.len() <= 2);
        let is_money = column.values == Values::Fractions
            && column.range.is_some_and(|(low, _)| low >= 0.0)
            && column.top.iter().all(|(text, _)| has_cents(text));
        return i32::from(is_money) * 4;
    }
    let word_score = |word: &str| match word {
        "amount" | "revenue" | "betrag" | "umsatz" | "montant" | "importe" => 6,
        "total" | "spend" | "spent" | "gmv" | "sales" => 5,
        "value" | "price" | "paid" | "payment" | "dollar" | "dollars" | "usd" | "eur" | "turnover" => 4,
        "freight" | "shipping" | "tax" | "discount" | "cost" => -3,
        "id" | "number" | "sequential" | "installments" | "count" | "score" | "unit" => -4,
        _ => 0,
    };
    column.words.iter().map(|word| word_score(word)).sum::<i32>().max(0)
}

pub(super) fn is_quantity(column: &Column) -> bool {
    column.is_number() && column.has(&["quantity", "qty", "units", "pieces", "items"])
}

pub(super) fn is_unit_price(column: &Column) -> bool {
    column.is_number() && column.has(&["price", "unitprice"])
}

/// The column that names the kind of each event.
pub(super) fn kind_column(seen: &Seen) -> Option<(&Column, Sure)> {
    let score = |column: &&Column| {
        let is_category = column.values == Values::Text && (2..=60).contains(&column.n_distinct);
        let by_name = match column.words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["event"] | ["event", "type" | "name" | "kind"] => 9,
            ["action" | "activity" | "aktion" | "ereignis" | "evento"] | ["action" | "activity", "type" | "name"] => 8,
            ["type" | "kind" | "behavior" | "behaviour" | "touchpoint" | "interaction", ..] => 5,
            _ => 0,
        };
        if is_category && column.n_known == seen.n_rows { by_name } else { 0 }
    };
    let best = seen.columns.iter().filter(|column| score(column) > 0).max_by_key(|column| score(column))?;
    Some((best, if score(&best) >= 8 { Sure::Certain } else { Sure::Likely }))
}
