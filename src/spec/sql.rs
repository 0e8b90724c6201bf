//! What can be told of SQL before there is data: whether it parses, which tables it reads, what it compares.

use polars::error::PolarsError;
use polars::prelude::{Expr, Operator};
use polars::sql::{extract_table_identifiers, sql_expr};

/// Why a piece of SQL was not understood, and where in it (line and column from 1), if that is known.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misread {
    pub(super) why: String,
    pub(super) at: Option<(usize, usize)>,
}

/// A rule: a SQL expression.
pub(super) fn rule(text: &str) -> Result<Expr, Misread> {
    if text.trim().is_empty() {
        return Err(Misread { why: "it is empty".to_owned(), at: None });
    }
    sql_expr(text).map_err(|error| {
        // polars does not say why an expression does not parse; as a query's column, on a line of its own, it does
        match extract_table_identifiers(&format!("SELECT\n{text}"), false, true) {
            Ok(_) => Misread { why: reason(&error), at: None },
            Err(detail) => {
                let Misread { why, at } = located(&reason(&detail));
                Misread { why, at: at.map(|(line, column)| (line.saturating_sub(1).max(1), column)) }
            }
        }
    })
}

/// The tables that a query reads; those that its own `WITH` defines may be among them.
pub(super) fn tables(query: &str) -> Result<Vec<String>, Misread> {
    if query.trim().is_empty() {
        return Err(Misread { why: "it is empty".to_owned(), at: None });
    }
    extract_table_identifiers(query, false, true).map_err(|error| located(&reason(&error)))
}

/// The texts that `column` is compared with: `column = 'text'`, `<>`.
pub(super) fn texts_compared_with<'e>(rule: &'e Expr, column: &str) -> Vec<&'e str> {
    comparisons(rule, column)
        .filter_map(|other| match other {
            Expr::Literal(value) => value.extract_str(),
            _ => None,
        })
        .collect()
}

/// The text of a rule that says no more than `column = 'text'`.
pub(super) fn only_text<'e>(rule: &'e Expr, column: &str) -> Option<&'e str> {
    let Expr::BinaryExpr { op: Operator::Eq, .. } = rule else { return None };
    texts_compared_with(rule, column).first().copied().filter(|_| rule.into_iter().count() == 3)
}

/// The columns that `column` is compared with: `column = "text"`, where single quotes were meant.
pub(super) fn columns_compared_with<'e>(rule: &'e Expr, column: &str) -> Vec<&'e str> {
    comparisons(rule, column)
        .filter_map(|other| match other {
            Expr::Column(name) => Some(name.as_str()),
            _ => None,
        })
        .collect()
}

fn comparisons<'e>(rule: &'e Expr, column: &str) -> impl Iterator<Item = &'e Expr> {
    let is_column = move |expr: &Expr| matches!(expr, Expr::Column(name) if name.as_str() == column);
    rule.into_iter().filter_map(move |node| match node {
        Expr::BinaryExpr { left, op: Operator::Eq | Operator::NotEq, right } => {
            if is_column(left) {
                Some(right.as_ref())
            } else {
                is_column(right).then_some(left.as_ref())
            }
        }
        _ => None,
    })
}

fn reason(error: &PolarsError) -> String {
    match error {
        PolarsError::SQLInterface(text) | PolarsError::SQLSyntax(text) => text.to_string(),
        other => other.to_string(),
    }
}

/// Parts `sql parser error: Expected: …, found: … at Line: 1, Column: 5`.
fn located(reason: &str) -> Misread {
    let reason = reason.strip_prefix("sql parser error: ").unwrap_or(reason);
    let parted = reason.rsplit_once(" at Line: ").and_then(|(why, at)| {
        let (line, column) = at.split_once(", Column: ")?;
        Some((why, (line.parse().ok()?, column.parse().ok()?)))
    });
    let (why, at) = parted.map_or((reason, None), |(why, at)| (why, Some(at)));
    let why =
        why.replace("Expected: ", "expected ").replace("found: EOF", "found its end").replace("found: ", "found ");
    Misread { why, at }
}

/// Where a whole word of a text begins, line and column from 1.
pub(super) fn place_of(text: &str, word: &str) -> Option<(usize, usize)> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut at = text
        .match_indices(word)
        .map(|(at, _)| at)
        .filter(|at| !text[..*at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part));
    let before = &text[..at.next()?];
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    Some((before.matches('\n').count() + 1, before[line_start..].chars().count() + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misread_says_where() {
        assert_eq!(rule("a = 'x' AND\n) = 2").unwrap_err().at, Some((2, 1)));
        assert_eq!(rule("a = = 2").unwrap_err().at, Some((1, 5)));
        assert!(rule("").is_err() && rule("a; b").is_err() && rule("SELECT a").is_err());
    }

    #[test]
    fn rules_of_all_kinds_parse() {
        for text in [
            "event = 'purchase' AND nth >= 2",
            "\"Total Charges\" > 10 AND email_opt_in = true",
            "state IN ('SP', 'RJ') OR city LIKE 'a%' OR plan IS NOT NULL",
            "pdays BETWEEN 3 AND 20 AND NOT blocked",
            "email_opt_in",
        ] {
            assert!(rule(text).is_ok(), "{text}: {:?}", rule(text));
        }
    }

    #[test]
    fn a_query_names_its_tables() {
        let query = "SELECT * FROM a JOIN \"b c\" x ON a.k = x.k WHERE k IN (SELECT k FROM d)";
        assert_eq!(tables(query).unwrap(), ["a", "b c", "d"]);
        assert_eq!(place_of("SELECT ab\nFROM a", "a"), Some((2, 6)));
    }
}
