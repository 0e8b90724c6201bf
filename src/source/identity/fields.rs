//! The compared columns of all records: each value plain and as a code, each column with the kind of its values.
//!
//! The kind is told by the spec or guessed from the column's name and all its values. A column that says nothing about who
//! somebody is (empty, constant, an amount, what other columns spell out already) is not compared.

use rayon::prelude::*;

use super::compare::Kind;
use super::pattern::MOST_COLUMNS;
use super::plain::{DateOrder, plain};
use crate::source::events::NO_LEVEL;
use crate::source::intern::Interner;

/// A column of all records as it was read.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) name: String,
    /// What the spec says that it holds.
    pub(crate) kind: Option<Kind>,
    pub(crate) texts: Interner,
    /// A code per record; [`NO_LEVEL`] is missing.
    pub(crate) codes: Vec<u32>,
}

/// A compared column.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    texts: Interner,
    /// A code per record; [`NO_LEVEL`] is missing.
    pub(crate) codes: Vec<u32>,
    /// How many records have each value.
    pub(crate) counts: Vec<u32>,
    /// How many records have any.
    pub(crate) n_present: usize,
}

impl Field {
    /// The plain text of a code.
    pub(crate) fn text(&self, code: u32) -> &str {
        self.texts.text(code)
    }

    /// The code of a plain text, if some record has it.
    pub(crate) fn code(&self, text: &str) -> Option<u32> {
        self.texts.find(text)
    }

    /// The plain text of a record's value.
    pub(crate) fn value(&self, record: usize) -> Option<&str> {
        Some(self.codes[record]).filter(|code| *code != NO_LEVEL).map(|code| self.text(code))
    }

    /// How many different values there are.
    pub(crate) fn n_values(&self) -> usize {
        self.texts.len()
    }
}

/// Words in a column's name that say what it holds, whatever language its table was made in knows the English ones.
const NAMED: [(&[&str], Kind); 5] = [
    (&["email", "mail"], Kind::Email),
    (&["phone", "mobile", "telephone", "tel", "cell", "msisdn", "fax"], Kind::Phone),
    (&["birth", "dob", "born", "birthday", "birthdate"], Kind::Date),
    (&["postcode", "postal", "zip", "zipcode", "post", "state", "country", "gender", "sex"], Kind::Code),
    (
        &["given", "surname", "first", "last", "family", "forename", "firstname", "lastname", "fname", "lname"],
        Kind::Name,
    ),
];

/// Of the values of a column so many must look alike to say what kind they are.
const MOST: f64 = 0.8;
/// Values of which so many different ones come on a record are rather one person's own.
const OWN: f64 = 0.3;
/// An id of fewer digits is a code.
const ID_LENGTH: f64 = 6.0;
/// A column of so few values that no name says to be of people does not tell them apart.
const FEW: usize = 12;
/// Longer texts are compared word by word.
const TEXT_LENGTH: f64 = 22.0;

/// The fields to compare, in the order of the columns. `table` says of each record which table it is from; `blocked` are plain
/// values that mean that none is known. Columns whose kind is not told may be left out.
pub(crate) fn fields(columns: Vec<Raw>, table: &[u16], blocked: &[String]) -> Vec<Field> {
    let read = |raw: Raw| {
        let told = raw.kind.is_some();
        let kind = raw.kind.or_else(|| guess(&raw))?;
        Some((told, field(raw, kind, table, blocked)))
    };
    // Those of most values first: none is left to be waited for at the end.
    let mut columns: Vec<(usize, Raw)> = columns.into_iter().enumerate().collect();
    columns.sort_by_key(|(_, column)| std::cmp::Reverse(column.texts.len()));
    let mut read: Vec<(usize, _)> =
        columns.into_par_iter().with_max_len(1).filter_map(|(at, raw)| Some((at, read(raw)?))).collect();
    read.sort_by_key(|(at, _)| *at);
    let read = read.into_iter().map(|(_, field)| field);
    let useless = |(told, field): &(bool, Field)| !told && field.n_values() < 2;
    let kept: Vec<(bool, Field)> = read.filter(|field| !useless(field)).collect();
    let spelt: Vec<bool> = kept.par_iter().map(|(told, field)| !told && is_spelt_out(field, &kept)).collect();
    let kept = kept.into_iter().zip(spelt).filter(|(_, spelt)| !spelt).map(|(field, _)| field).collect();
    most_telling(kept)
}

/// As many columns as a pattern holds: those that are told, then those whose values are shared least.
fn most_telling(mut fields: Vec<(bool, Field)>) -> Vec<Field> {
    let shared = |field: &Field| {
        let pairs: f64 = field.counts.iter().map(|&count| f64::from(count) * f64::from(count)).sum();
        pairs / (field.n_present as f64 * field.n_present as f64)
    };
    let mut order: Vec<usize> = (0..fields.len()).collect();
    order.sort_by(|&a, &b| {
        let told = fields[b].0.cmp(&fields[a].0);
        told.then(shared(&fields[a].1).total_cmp(&shared(&fields[b].1)))
    });
    let mut is_kept = vec![false; fields.len()];
    order.into_iter().take(MOST_COLUMNS).for_each(|at| is_kept[at] = true);
    let mut kept = is_kept.into_iter();
    fields.retain(|_| kept.next() == Some(true));
    fields.into_iter().map(|(_, field)| field).collect()
}

/// What a column holds; `None`: nothing to tell people apart by.
fn guess(raw: &Raw) -> Option<Kind> {
    let n_values = raw.texts.len();
    if n_values < 2 {
        return None;
    }
    // By records: a mistyped value is one among many of its kind, though there are as many of them as of the right ones.
    let mut counts = vec![0_u32; n_values];
    raw.codes.iter().filter(|code| **code != NO_LEVEL).for_each(|&code| counts[code as usize] += 1);
    let n_present = f64::from(counts.iter().sum::<u32>());
    let texts = || (0..).zip(&counts).map(|(code, count)| (raw.texts.text(code), *count));
    let share = |is: &dyn Fn(&str) -> bool| {
        texts().filter(|(text, _)| is(text)).map(|(_, count)| f64::from(count)).sum::<f64>() / n_present
    };
    let mean = |of: &dyn Fn(&str) -> usize| {
        texts().map(|(text, count)| of(text) as f64 * f64::from(count)).sum::<f64>() / n_present
    };
    let different = n_values as f64 / n_present;
    if share(&|text| text.contains('@')) > MOST {
        return Some(Kind::Email);
    }
    let named = named(&raw.name);
    if named.is_none_or(|kind| kind == Kind::Date) && DateOrder::of(&texts()).1 > MOST {
        return Some(Kind::Date);
    }
    if let Some(kind) = named.filter(|kind| *kind != Kind::Email && *kind != Kind::Date) {
        return Some(kind);
    }
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    let is_number = |text: &str| digits(text) * 3 >= text.len() * 2;
    if share(&is_number) > MOST {
        let long = mean(&|text| text.len()) >= ID_LENGTH;
        return Some(if long && different > OWN { Kind::Id } else { Kind::Code });
    }
    let no_blank = share(&|text| !text.contains(' ')) > 0.99;
    if no_blank && different > OWN && share(&|text| digits(text) > 0) > MOST && mean(&|text| text.len()) >= ID_LENGTH {
        return Some(Kind::Id);
    }
    // Plans, states of an account: what somebody has, not who they are.
    if n_values <= FEW {
        return None;
    }
    Some(if mean(&|text| text.len()) > TEXT_LENGTH { Kind::Text } else { Kind::Name })
}

/// Whether a column's name says that it tells people apart.
pub(crate) fn is_telling(column: &str) -> bool {
    named(column).is_some()
}

fn named(column: &str) -> Option<Kind> {
    let lower = column.to_lowercase();
    let words: Vec<&str> = lower.split(|sign: char| !sign.is_alphanumeric()).collect();
    let says = |names: &[&str]| names.iter().any(|name| words.contains(name));
    NAMED.iter().find(|(names, _)| says(names)).map(|(_, kind)| *kind)
}

fn field(raw: Raw, kind: Kind, table: &[u16], blocked: &[String]) -> Field {
    let n_tables = table.iter().max().map_or(1, |last| usize::from(*last) + 1);
    let orders: Vec<DateOrder> = (0..n_tables).map(|number| order(&raw, kind, table, number)).collect();
    let mut texts = Interner::default();
    let mut counts: Vec<u32> = Vec::new();
    let mut known = vec![vec![None; raw.texts.len()]; if kind == Kind::Date { n_tables } else { 1 }];
    let mut codes = Vec::with_capacity(raw.codes.len());
    for (&code, &table) in raw.codes.iter().zip(table) {
        if code == NO_LEVEL {
            codes.push(NO_LEVEL);
            continue;
        }
        let n_known = known.len() - 1;
        let slot = &mut known[usize::from(table).min(n_known)][code as usize];
        let code = *slot.get_or_insert_with(|| {
            let text = plain(kind, orders[usize::from(table)], raw.texts.text(code));
            let means_none = text.is_empty() || blocked.contains(&text);
            if means_none { NO_LEVEL } else { texts.intern(&text) }
        });
        if code != NO_LEVEL {
            counts.resize(counts.len().max(code as usize + 1), 0);
            counts[code as usize] += 1;
        }
        codes.push(code);
    }
    let n_present = codes.iter().filter(|code| **code != NO_LEVEL).count();
    Field { name: raw.name, kind, texts, codes, counts, n_present }
}

/// In which order a table writes the days of a column.
fn order(raw: &Raw, kind: Kind, table: &[u16], number: usize) -> DateOrder {
    if kind != Kind::Date {
        return DateOrder::default();
    }
    let here = raw.codes.iter().zip(table).filter(|(code, table)| usize::from(**table) == number && **code != NO_LEVEL);
    let mut codes: Vec<u32> = here.map(|(code, _)| *code).collect();
    codes.sort_unstable();
    let counted = codes.chunk_by(|a, b| a == b);
    DateOrder::of(&counted.map(|same| (raw.texts.text(same[0]), u32::try_from(same.len()).unwrap_or(u32::MAX)))).0
}

/// Whether a field mostly repeats what shorter ones say, as a full name does.
fn is_spelt_out(field: &Field, all: &[(bool, Field)]) -> bool {
    const LOOKED_AT: usize = 1000;
    if !field.kind.swaps() {
        return false;
    }
    let (mut n_seen, mut n_spelt) = (0, 0);
    for record in 0..field.codes.len() {
        let Some(text) = field.value(record) else { continue };
        let words: Vec<&str> = text.split(' ').collect();
        let others = all.iter().filter(|(_, other)| other.name != field.name && other.kind.swaps());
        let parts: Vec<&str> =
            others.filter_map(|(_, other)| other.value(record)).filter(|part| part.len() < text.len()).collect();
        let is_said = |word: &&&str| parts.iter().any(|part| part.split(' ').any(|other| other == **word));
        n_spelt += usize::from(words.len() > 1 && words.iter().filter(is_said).count() == words.len());
        n_seen += 1;
        if n_seen == LOOKED_AT {
            break;
        }
    }
    n_seen > 0 && n_spelt as f64 > 0.7 * n_seen as f64
}
