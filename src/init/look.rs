//! The files as they are: each a table, its columns with what is in them.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use polars::prelude::{Column as Series, DataFrame, DataType};

use crate::error::{Error, Result};
use crate::source::{self, Semantic};
use crate::spec::Table;

/// Words of file names that name no table.
const EMPTY_WORDS: [&str; 12] =
    ["dataset", "data", "export", "table", "file", "final", "master", "copy", "full", "new", "csv", "additional"];
/// Names that SQL keeps for itself.
const RESERVED: [&str; 40] = [
    "all",
    "and",
    "as",
    "asc",
    "between",
    "by",
    "case",
    "cast",
    "count",
    "cross",
    "date",
    "day",
    "desc",
    "distinct",
    "else",
    "end",
    "from",
    "full",
    "group",
    "having",
    "hour",
    "in",
    "interval",
    "is",
    "join",
    "left",
    "like",
    "limit",
    "month",
    "not",
    "null",
    "on",
    "or",
    "order",
    "select",
    "table",
    "time",
    "timestamp",
    "user",
    "year",
];

/// A table that was looked at.
pub(super) struct Seen {
    pub(super) name: String,
    pub(super) table: Table,
    pub(super) columns: Vec<Column>,
    pub(super) n_rows: usize,
    frame: DataFrame,
}

/// A column of it.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    /// The words of its name in lower case: `CustomerID` → customer, id.
    pub(super) words: Vec<String>,
    pub(super) values: Values,
    /// What it seems to mean.
    pub(super) semantic: Semantic,
    pub(super) n_known: usize,
    pub(super) n_distinct: usize,
    /// The most frequent values, up to a hundred, and how often each occurs.
    pub(super) top: Vec<(String, usize)>,
    /// Smallest and largest number.
    pub(super) range: Option<(f64, f64)>,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Values {
    Whole,
    Fractions,
    Text,
    Truth,
    Time,
    Nothing,
}

impl Seen {
    /// Looks at the file at `path`, which the spec in `folder` will call `told`, as the table `name`.
    pub(super) fn look(folder: &Path, path: &Path, told: &str, name: &str) -> Result<Self> {
        let mut table = source::sniff(path, told)?;
        let preview = match source::preview(folder, &table) {
            Err(error) if table.encoding.is_none() && error.message().contains("not UTF-8") => {
                table.encoding = Some("windows-1252".to_owned());
                source::preview(folder, &table)?
            }
            preview => preview?,
        };
        let frame = preview.frame;
        let columns = frame.columns().iter().zip(&preview.profiles);
        let columns =
            columns.map(|(column, profile)| Column::of(column, profile.semantic_type)).collect::<Result<Vec<_>>>()?;
        if columns.is_empty() {
            return Err(Error::data(format!("{told} has no columns that clo can read")));
        }
        Ok(Self { name: name.to_owned(), table, columns, n_rows: frame.height(), frame })
    }

    pub(super) fn column(&self, name: &str) -> &Column {
        self.columns.iter().find(|column| column.name == name).expect("columns are named as they were seen")
    }

    /// A column's values as texts.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<Option<String>>> {
        texts(self.frame.column(name)?)
    }

    /// A column's different values.
    pub(super) fn set(&self, name: &str) -> Result<HashSet<String>> {
        Ok(self.texts(name)?.into_iter().flatten().collect())
    }

    /// How many different combinations of values some columns have, over rows where all are known; and how many such rows.
    pub(super) fn combinations(&self, names: &[&str]) -> Result<(usize, usize)> {
        let columns = names.iter().map(|name| self.texts(name)).collect::<Result<Vec<_>>>()?;
        let mut seen: HashSet<Vec<&str>> = HashSet::new();
        let mut n_rows = 0;
        for row in 0..self.n_rows {
            let Some(key) = columns.iter().map(|column| column[row].as_deref()).collect::<Option<Vec<&str>>>() else {
                continue;
            };
            n_rows += 1;
            seen.insert(key);
        }
        Ok((seen.len(), n_rows))
    }

    /// Whether a column identifies the rows.
    pub(super) fn is_key(&self, name: &str) -> bool {
        let column = self.column(name);
        self.n_rows > 1 && column.n_known == self.n_rows && column.n_distinct == self.n_rows
    }
}

impl Column {
    fn of(series: &Series, semantic: Semantic) -> Result<Self> {
        let texts = texts(series)?;
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for text in texts.iter().flatten() {
            *counts.entry(text).or_default() += 1;
        }
        let (n_known, n_distinct) = (counts.values().sum(), counts.len());
        let range = (series.dtype().is_primitive_numeric() && n_known > 0).then(|| {
            let numbers = counts.keys().filter_map(|text| text.parse::<f64>().ok());
            numbers.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), n| (low.min(n), high.max(n)))
        });
        let values = match series.dtype() {
            _ if n_known == 0 => Values::Nothing,
            DataType::Int64 => Values::Whole,
            DataType::Float64 if counts.keys().all(|text| !text.contains(['.', 'e', 'E'])) => Values::Whole,
            DataType::Float64 => Values::Fractions,
            DataType::Boolean => Values::Truth,
            DataType::Date | DataType::Datetime(..) => Values::Time,
            _ => Values::Text,
        };
        let mut top: Vec<(String, usize)> = counts.iter().map(|(text, count)| ((*text).to_owned(), *count)).collect();
        top.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        top.truncate(100);
        let name = series.name().to_string();
        Ok(Self { words: words(&name), name, values, semantic, n_known, n_distinct, top, range })
    }

    pub(super) fn has(&self, words: &[&str]) -> bool {
        self.words.iter().any(|word| words.contains(&word.as_str()))
    }

    /// The name as SQL takes it.
    pub(super) fn sql(&self) -> String {
        quoted(&self.name)
    }

    /// Whether its file has no line of names: it is called by its place, `column_3`.
    pub(super) fn is_nameless(&self) -> bool {
        matches!(self.words.as_slice(), [column, _] if column == "column")
    }

    /// Whether it reaches a person, by its name and its values together.
    pub(super) fn is_contact(&self) -> bool {
        use Semantic::{Address, Email, Name, Phone, Postcode};
        matches!(self.semantic, Email | Phone | Postcode | Name | Address)
    }

    pub(super) fn is_number(&self) -> bool {
        matches!(self.values, Values::Whole | Values::Fractions)
    }
}

/// Texts, whole floats without their `.0`, blank ones as nothing.
fn texts(series: &Series) -> Result<Vec<Option<String>>> {
    let is_float = matches!(series.dtype(), DataType::Float64);
    let texts = series.cast(&DataType::String)?;
    let clean = |text: &str| {
        let text = text.trim();
        let text = if is_float { text.strip_suffix(".0").unwrap_or(text) } else { text };
        (!text.is_empty() && text != "NaN").then(|| text.to_owned())
    };
    Ok(texts.str()?.iter().map(|text| text.and_then(clean)).collect())
}

/// A name as SQL takes it.
pub(super) fn quoted(name: &str) -> String {
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.chars().next().is_some_and(|first| first.is_ascii_alphabetic())
        && !RESERVED.contains(&name.to_ascii_lowercase().as_str());
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// The words of a name in lower case: `CustomerID`, `customer_id`, `customer.id` → customer, id.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for character in name.chars() {
        let begins = !character.is_alphanumeric() || (character.is_uppercase() && was_lower);
        if begins && words.last().is_some_and(|last| !last.is_empty()) {
            words.push(String::new());
        }
        was_lower = character.is_lowercase() || character.is_numeric();
        if character.is_alphanumeric() {
            words.last_mut().expect("there is one").extend(character.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A short name for each file: its own words, without those that most files share or that name nothing.
pub(super) fn table_names(files: &[String]) -> Vec<String> {
    let stems: Vec<Vec<String>> = files.iter().map(|file| words(stem(file))).collect();
    let n_with = |word: &String| stems.iter().filter(|stem| stem.contains(word)).count();
    let is_shared = |word: &String| files.len() > 2 && 10 * n_with(word) >= 6 * files.len();
    let mut taken = BTreeSet::new();
    let mut names = Vec::with_capacity(files.len());
    for stem in &stems {
        let telling: Vec<&str> = stem
            .iter()
            .filter(|word| !EMPTY_WORDS.contains(&word.as_str()) && !is_shared(word))
            .filter(|word| !word.bytes().all(|byte| byte.is_ascii_digit()))
            .map(String::as_str)
            .collect();
        let mut name = if telling.is_empty() { stem.join("_") } else { telling.join("_") };
        if !name.starts_with(|first: char| first.is_ascii_alphabetic()) || RESERVED.contains(&name.as_str()) {
            name = format!("t_{name}");
        }
        name.retain(|c| c.is_ascii_alphanumeric() || c == '_');
        let mut unique = name.clone();
        let mut number = 2;
        while !taken.insert(unique.clone()) {
            unique = format!("{name}_{number}");
            number += 1;
        }
        names.push(unique);
    }
    names
}

/// A file's name without folder and endings.
pub(super) fn stem(file: &str) -> &str {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    name.split('.').find(|part| !part.is_empty()).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_named_after_their_files() {
        let names = |files: &[&str]| table_names(&files.iter().map(|&file| file.to_owned()).collect::<Vec<_>>());
        assert_eq!(
            names(&[
                "a/olist_orders_dataset.csv",
                "olist_closed_deals_dataset.csv",
                "olist_customers_dataset.csv",
                "translation.csv"
            ]),
            ["orders", "closed_deals", "customers", "translation"]
        );
        assert_eq!(names(&["online-retail.csv.gz"]), ["online_retail"]);
        assert_eq!(names(&["2024.csv", "order.csv"]), ["t_2024", "t_order"]);
    }

    #[test]
    fn names_fall_into_words() {
        assert_eq!(words("CustomerID"), ["customer", "id"]);
        assert_eq!(words("order_purchase_timestamp"), ["order", "purchase", "timestamp"]);
        assert_eq!(
            (quoted("Total Charges"), quoted("date"), quoted("amount")),
            ("\"Total Charges\"".into(), "\"date\"".into(), "amount".into())
        );
    }
}
