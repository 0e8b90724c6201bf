//! Queries over the declared tables.

use std::collections::BTreeMap;

use polars::prelude::{DataFrame, DataType, IntoLazy as _, SortMultipleOptions, TimeUnit};
use polars::sql::{SQLContext, extract_table_identifiers};

use super::batch::normalise;
use crate::error::{Error, Result, did_you_mean};

/// The declared tables that a query names.
pub(crate) fn tables<'t>(query: &str, declared: impl Iterator<Item = &'t String> + Clone) -> Result<Vec<&'t str>> {
    let named = extract_table_identifiers(query, false, true).map_err(|error| refuse(&error, &BTreeMap::new()))?;
    if let Some(unknown) =
        named.iter().find(|name| !declared.clone().any(|known| known == *name) && !is_own(query, name))
    {
        let error = Error::spec(format!("the query names the table `{unknown}`, which `[tables]` does not"));
        let near = did_you_mean(unknown, declared.clone().map(String::as_str));
        let names = declared.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let error = near.map_or(error.clone(), |near| error.hint(format!("did you mean `{near}`?")));
        return Err(error.hint(format!("the tables are {names}")));
    }
    Ok(declared.filter(|name| named.contains(name)).map(String::as_str).collect())
}

/// Whether a query makes the table itself: `WITH name AS (…)`.
fn is_own(query: &str, name: &str) -> bool {
    let words: Vec<String> = query
        .split(|character: char| character.is_whitespace() || "(),".contains(character))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let name = name.to_lowercase();
    words.first().is_some_and(|word| word == "with") && words.windows(2).any(|pair| pair[0] == name && pair[1] == "as")
}

/// The query's result. Its rows come in an order that does not depend on how the work was parted: the one that the query
/// tells, else sorted by all columns.
pub(crate) fn run(query: &str, tables: &BTreeMap<String, DataFrame>) -> Result<DataFrame> {
    let mut context = SQLContext::new();
    for (name, frame) in tables {
        context.register(name, plain(frame)?.lazy());
    }
    let result =
        context.execute(query).and_then(polars::prelude::LazyFrame::collect).map_err(|error| refuse(&error, tables))?;
    let result = normalise(&result, "the query's result")?;
    if is_ordered(query) || result.width() == 0 {
        return Ok(result);
    }
    let columns = result.get_column_names_owned();
    Ok(result.sort(columns, SortMultipleOptions::default().with_nulls_last(true))?)
}

/// Whether the query says in which order its rows come.
fn is_ordered(query: &str) -> bool {
    let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
    let last = words.windows(2).rposition(|pair| pair[0] == "order" && pair[1].starts_with("by"));
    last.is_some_and(|at| !words[at..].join(" ").contains(')'))
}

/// Instants as microseconds of UTC: SQL compares and casts them without knowing zones.
fn plain(frame: &DataFrame) -> Result<DataFrame> {
    let mut frame = frame.clone();
    for column in frame.clone().columns() {
        if matches!(column.dtype(), DataType::Datetime(_, Some(_))) {
            let instants = column.datetime()?.physical().clone().into_datetime(TimeUnit::Microseconds, None);
            frame.with_column(polars::prelude::IntoColumn::into_column(instants))?;
        }
    }
    Ok(frame)
}

/// A query's fault in the words of a spec's fault, with the columns that there are.
fn refuse(error: &polars::error::PolarsError, tables: &BTreeMap<String, DataFrame>) -> Error {
    let text = error.to_string();
    // What follows these words are values of the data, or the whole plan.
    let message = ["\n\nResolved plan", " out of ", " values: "]
        .iter()
        .fold(text.as_str(), |text, words| text.split_once(words).map_or(text, |(message, _)| message));
    let message = message.trim().replace('\n', " ");
    let unknown = message.split_once("unable to find column \"").and_then(|(_, rest)| rest.split_once('"'));
    let mut fault = match unknown {
        Some((name, _)) => unknown_column(name, tables),
        None => Error::spec(format!("the query does not run: {message}")),
    };
    for (name, frame) in tables {
        let columns = frame.get_column_names().iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        fault = fault.hint(format!("`{name}` has {columns}"));
    }
    fault
}

fn unknown_column(name: &str, tables: &BTreeMap<String, DataFrame>) -> Error {
    let known = tables.values().flat_map(DataFrame::get_column_names).map(polars::prelude::PlSmallStr::as_str);
    let error = Error::spec(format!("the query names `{name}`, and there is no such column"));
    match did_you_mean(name, known) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::Column;

    use super::*;

    #[test]
    fn a_query_names_its_tables_and_a_wrong_name_is_refused() {
        let declared = ["orders".to_owned(), "payments".to_owned(), "other".to_owned()];
        let join = "SELECT o.id FROM orders o JOIN payments p ON o.id = p.id";
        assert_eq!(tables(join, declared.iter()).unwrap(), ["orders", "payments"]);
        let with = "WITH firsts AS (SELECT * FROM orders) SELECT * FROM firsts";
        assert_eq!(tables(with, declared.iter()).unwrap(), ["orders"]);
        let error = tables("SELECT * FROM order", declared.iter()).unwrap_err();
        assert_eq!(error.exit_code(), 3, "{error}");
        let error = tables("SELECT * FROM payment", declared.iter()).unwrap_err();
        assert_eq!(error.hints()[0], "did you mean `payments`?");
    }

    #[test]
    fn a_wrong_column_is_an_error_that_lists_the_columns() {
        let frame =
            DataFrame::new(2, vec![Column::new("a".into(), [2, 1]), Column::new("b".into(), ["x", "y"])]).unwrap();
        let tables = BTreeMap::from([("t".to_owned(), frame)]);
        let error = run("SELECT c FROM t", &tables).unwrap_err();
        assert_eq!(error.message(), "the query names `c`, and there is no such column");
        assert_eq!((error.exit_code(), error.hints()), (3, ["`t` has `a`, `b`".to_owned()].as_slice()));
        let sorted = run("SELECT a, b FROM t", &tables).unwrap();
        assert_eq!(sorted.column("b").unwrap().str().unwrap().get(0), Some("y"));
        let as_told = run("SELECT a, b FROM t ORDER BY b", &tables).unwrap();
        assert_eq!(as_told.column("b").unwrap().str().unwrap().get(0), Some("x"));
    }
}
