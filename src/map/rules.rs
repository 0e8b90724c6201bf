//! Rules: SQL conditions over the columns of a table, as people write them in `clo.toml`.
//!
//! In: a condition such as `event = 'purchase' AND nth >= 2` and a table. Out: for each row, whether it holds. A
//! condition that is NULL (a value that it needs is missing) does not hold. A condition looks at one row at a time:
//! aggregates and window functions are refused, because what they say would depend on who else is in the table.

use polars::prelude::{
    AggExpr, BooleanFunction, Column, DataFrame, DataType, Expr, FunctionExpr, IntoLazy as _, LiteralValue, Operator,
    PlSmallStr, PolarsError, PolarsResult, TimeUnit, lit,
};

use crate::error::{Error, Result, did_you_mean};
use crate::time::{DAY, Time};

/// How many columns an error lists at most.
const LISTED: usize = 24;

/// For each row of `frame`, whether the SQL condition holds; NULL counts as not. `what` says in messages whose
/// condition it is: "the `consent` of audience `x`".
///
/// # Errors
/// A spec error when the condition cannot be read, names a column that `frame` lacks, or is neither true nor false.
pub fn holds(rule: &str, frame: &DataFrame, what: &str) -> Result<Vec<bool>> {
    Condition::new(rule, what, frame)?.holds(frame)
}

/// The columns that a SQL condition names, sorted; none when it cannot be read.
#[must_use]
pub fn columns_named(rule: &str) -> Vec<String> {
    polars::sql::sql_expr(rule).map(|expr| columns_of(&expr)).unwrap_or_default()
}

/// A condition that was read and checked against the columns of a table.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    what: String,
    expr: Expr,
    columns: Vec<String>,
}

impl Condition {
    /// Reads `rule` and checks it against the columns of `frame`, of which no row is looked at.
    pub(crate) fn new(rule: &str, what: &str, frame: &DataFrame) -> Result<Self> {
        let expr = polars::sql::sql_expr(rule).map_err(|error| unreadable(rule, what, frame, &error))?;
        if expr.into_iter().any(looks_beyond_its_row) {
            return Err(Error::spec(format!("{what} looks beyond its row: {rule}"))
                .hint("a rule sees one row at a time; aggregate in the SQL of the source, then name that column"));
        }
        let columns = columns_of(&expr);
        let condition = Self { what: what.to_owned(), expr: read_times(expr, frame), columns };
        condition.check_columns(rule, frame)?;
        condition.check_type(frame)?;
        Ok(condition)
    }

    /// The columns it names, sorted.
    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// For each row, whether it holds.
    pub(crate) fn holds(&self, frame: &DataFrame) -> Result<Vec<bool>> {
        self.ask(&self.expr, frame)
    }

    /// For each row of a table that has only some of the columns: `false` where the condition cannot hold, whatever
    /// the columns that are not there say.
    pub(crate) fn may_hold(&self, frame: &DataFrame) -> Result<Vec<bool>> {
        self.may(&self.expr, frame)
    }

    /// Every text that is compared with the column, together with whether it stands in a list (`IN`).
    pub(crate) fn texts_compared_with(&self, column: &str) -> Vec<(Vec<String>, bool)> {
        self.expr.into_iter().filter_map(|node| texts_compared(node, column)).collect()
    }

    /// The columns that it names without asking whether they are missing (`IS NULL`, `COALESCE`): a row that lacks one of
    /// them cannot be judged by it.
    pub(crate) fn columns_that_must_be_known(&self) -> Vec<String> {
        let asked: Vec<String> =
            self.expr.into_iter().filter(|node| asks_whether_missing(node)).flat_map(columns_of).collect();
        self.columns.iter().filter(|name| !asked.contains(name)).cloned().collect()
    }

    fn may(&self, expr: &Expr, frame: &DataFrame) -> Result<Vec<bool>> {
        if columns_of(expr).iter().all(|name| frame.column(name).is_ok()) {
            return self.ask(expr, frame);
        }
        match expr {
            Expr::BinaryExpr { left, op: Operator::And | Operator::LogicalAnd, right } => {
                let (left, right) = (self.may(left, frame)?, self.may(right, frame)?);
                Ok(left.into_iter().zip(right).map(|(left, right)| left && right).collect())
            }
            Expr::BinaryExpr { left, op: Operator::Or | Operator::LogicalOr, right } => {
                let (left, right) = (self.may(left, frame)?, self.may(right, frame)?);
                Ok(left.into_iter().zip(right).map(|(left, right)| left || right).collect())
            }
            _ => Ok(vec![true; frame.height()]),
        }
    }

    fn ask(&self, expr: &Expr, frame: &DataFrame) -> Result<Vec<bool>> {
        // The engine's message would show values of the data.
        let answer = evaluate(expr, frame).map_err(|_| {
            Error::data(format!("{} fails on a value of the data", self.what))
                .hint("write TRY_CAST for CAST: what cannot be converted is then NULL")
        })?;
        let mut holds: Vec<bool> = answer.bool()?.iter().map(|held| held == Some(true)).collect();
        if holds.len() != frame.height() {
            let constant = holds.first().copied().unwrap_or(false);
            holds = vec![constant; frame.height()];
        }
        Ok(holds)
    }

    fn check_columns(&self, rule: &str, frame: &DataFrame) -> Result<()> {
        let known: Vec<&str> = frame.get_column_names().into_iter().map(PlSmallStr::as_str).collect();
        let unknown = self.columns.iter().filter(|name| !known.contains(&name.as_str()));
        let errors = unknown.map(|name| self.unknown_column(name, rule, &known)).collect();
        Error::all(errors).map_or(Ok(()), Err)
    }

    fn unknown_column(&self, name: &str, rule: &str, known: &[&str]) -> Error {
        let mut error = Error::spec(format!("{} names `{name}`, and there is no such column", self.what));
        if let Some(meant) = did_you_mean(name, known.iter().copied()) {
            error = error.hint(format!("did you mean `{meant}`?"));
        }
        if rule.contains(&format!("\"{name}\"")) {
            error = error.hint(format!("double quotes name a column; a text stands in single quotes: '{name}'"));
        }
        error.hint(format!("there are {}", listed(known)))
    }

    fn check_type(&self, frame: &DataFrame) -> Result<()> {
        let answer = evaluate(&self.expr, &frame.clear()).map_err(|error| {
            Error::spec(format!("{} cannot be worked out: {}", self.what, plain(&error)))
                .hint("compare texts with texts ('…') and numbers with numbers")
        })?;
        if *answer.dtype() == DataType::Boolean {
            return Ok(());
        }
        let kind = match answer.dtype() {
            DataType::String => "a text",
            DataType::Null => "nothing",
            dtype if dtype.is_temporal() => "a time",
            dtype if dtype.is_numeric() => "a number",
            _ => "something else",
        };
        Err(Error::spec(format!("{} is not a condition: it gives {kind}, not true or false", self.what))
            .hint("compare it with something, as in amount > 0"))
    }
}

/// Names in back quotes, the first few of them.
pub(crate) fn listed(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(LISTED).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > LISTED { format!(" and {} more", names.len() - LISTED) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

fn evaluate(expr: &Expr, frame: &DataFrame) -> PolarsResult<Column> {
    let answer = frame.clone().lazy().select([expr.clone().alias("holds")]).collect()?;
    answer.column("holds").cloned()
}

/// The engine's message without its class and its advice for programmers.
fn plain(error: &PolarsError) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().trim().trim_end_matches(" as Expr").to_owned()
}

fn unreadable(rule: &str, what: &str, frame: &DataFrame, error: &PolarsError) -> Error {
    let error = Error::spec(format!("{what} cannot be read: {}", plain(error)));
    let needs_quotes = |name: &&PlSmallStr| {
        let is_word = name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
        !is_word && rule.contains(name.as_str()) && !rule.contains(&format!("\"{name}\""))
    };
    match frame.get_column_names().into_iter().find(needs_quotes) {
        Some(name) => error.hint(format!("this name must stand in double quotes: \"{name}\"")),
        None => error.hint("write a SQL condition, such as event = 'purchase' AND nth >= 2"),
    }
}

fn columns_of(expr: &Expr) -> Vec<String> {
    let names = expr.into_iter().filter_map(|node| match node {
        Expr::Column(name) => Some(name.to_string()),
        _ => None,
    });
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Whether the answer for a row depends on other rows. (The list of an `IN` is an imploded literal.)
fn looks_beyond_its_row(node: &Expr) -> bool {
    match node {
        Expr::Agg(AggExpr::Implode { input, .. }) => !matches!(**input, Expr::Literal(_)),
        Expr::Agg(_)
        | Expr::Len
        | Expr::Over { .. }
        | Expr::Sort { .. }
        | Expr::SortBy { .. }
        | Expr::Gather { .. }
        | Expr::Explode { .. }
        | Expr::Filter { .. }
        | Expr::Slice { .. }
        | Expr::Selector(_)
        | Expr::SubPlan(..) => true,
        _ => false,
    }
}

fn asks_whether_missing(node: &Expr) -> bool {
    matches!(
        node,
        Expr::Function {
            function: FunctionExpr::Boolean(BooleanFunction::IsNull | BooleanFunction::IsNotNull)
                | FunctionExpr::Coalesce,
            ..
        }
    )
}

fn texts_compared(node: &Expr, column: &str) -> Option<(Vec<String>, bool)> {
    let is_column = |expr: &Expr| matches!(expr, Expr::Column(name) if name.as_str() == column);
    match node {
        Expr::BinaryExpr { left, op: Operator::Eq | Operator::NotEq, right } => {
            let other = if is_column(left) { right } else { is_column(right).then_some(left)? };
            text(other).map(|text| (vec![text], false))
        }
        Expr::Function { input, function: FunctionExpr::Boolean(BooleanFunction::IsIn { .. }) }
            if input.first().is_some_and(is_column) =>
        {
            Some((input.iter().skip(1).flat_map(texts_of).collect(), true))
        }
        _ => None,
    }
}

fn text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Literal(value) => value.extract_str().map(str::to_owned),
        _ => None,
    }
}

fn texts_of(expr: &Expr) -> Vec<String> {
    let lists = expr.into_iter().filter_map(|node| match node {
        Expr::Literal(LiteralValue::Series(list)) => list.str().ok(),
        _ => None,
    });
    lists.flat_map(|list| list.iter().flatten().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Reads a text that is compared with a date or time column as a date or time: `signed_up >= '2018-01-01'`.
fn read_times(expr: Expr, frame: &DataFrame) -> Expr {
    expr.map_expr(|node| match node {
        Expr::BinaryExpr { left, op, right } => {
            let as_time = |column: &Expr, text: &Expr| instant(column, text, frame).map(std::sync::Arc::new);
            let (of_left, of_right) = (as_time(&right, &left), as_time(&left, &right));
            Expr::BinaryExpr { left: of_left.unwrap_or(left), op, right: of_right.unwrap_or(right) }
        }
        other => other,
    })
}

fn instant(column: &Expr, other: &Expr, frame: &DataFrame) -> Option<Expr> {
    let Expr::Column(name) = column else { return None };
    let dtype = frame.column(name).ok()?.dtype().clone();
    let at: Time = text(other)?.parse().ok()?;
    match dtype {
        DataType::Date if at.0.rem_euclid(DAY) == 0 => {
            let day = i32::try_from(at.0.div_euclid(DAY)).ok()?;
            Some(lit(day).cast(DataType::Date))
        }
        DataType::Date => Some(lit(at.0).cast(DataType::Datetime(TimeUnit::Microseconds, None))),
        DataType::Datetime(_, zone) => Some(lit(at.0).cast(DataType::Datetime(TimeUnit::Microseconds, zone))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use polars::df;
    use polars::prelude::{IntoColumn as _, NamedFrom as _};

    use super::*;

    fn frame() -> DataFrame {
        let mut frame = df!(
            "state" => [Some("SP"), Some("RJ"), None],
            "amount" => [Some(10.0), None, Some(5.0)],
            "opt_in" => [Some(true), Some(false), None],
            "Total Charges" => [1_i64, 20, 30],
        )
        .unwrap();
        let day = polars::prelude::Series::new("since".into(), [17_532_i32, 17_533, 17_534]);
        let _ = frame.with_column(day.cast(&DataType::Date).unwrap().into_column()).unwrap();
        frame
    }

    fn ask(rule: &str) -> Result<Vec<bool>> {
        holds(rule, &frame(), "the rule of the test")
    }

    #[test]
    fn a_condition_that_is_null_does_not_hold() {
        assert_eq!(ask("amount > 5").unwrap(), [true, false, false]);
        assert_eq!(ask("NOT opt_in").unwrap(), [false, true, false]);
        assert_eq!(ask("state <> 'SP'").unwrap(), [false, true, false]);
        assert_eq!(ask("state IS NULL OR amount = 10").unwrap(), [true, false, true]);
        assert_eq!(ask("\"Total Charges\" BETWEEN 10 AND 20").unwrap(), [false, true, false]);
        assert_eq!(ask("state IN ('SP', 'MG')").unwrap(), [true, false, false]);
        assert_eq!(ask("true").unwrap(), [true; 3]);
    }

    #[test]
    fn a_text_beside_a_date_is_read_as_a_date() {
        // 17,533 days after 1970-01-01 is 2018-01-02.
        assert_eq!(ask("since >= '2018-01-02'").unwrap(), [false, true, true]);
        assert_eq!(ask("'2018-01-02' > since").unwrap(), [true, false, false]);
    }

    #[test]
    fn a_wrong_rule_says_what_is_wrong_and_what_was_meant() {
        let unknown = ask("amout > 5").unwrap_err();
        assert_eq!(unknown.exit_code(), 3);
        assert!(unknown.to_string().contains("names `amout`") && unknown.to_string().contains("mean `amount`"));
        assert!(ask("state = \"SP\"").unwrap_err().to_string().contains("single quotes: 'SP'"));
        assert!(ask("amount + 1").unwrap_err().message().contains("not true or false"));
        assert!(ask("amount > AVG(amount)").unwrap_err().message().contains("beyond its row"));
        assert!(ask("amount >").unwrap_err().message().ends_with("cannot be read: unable to parse 'amount >'"));
        assert!(ask("Total Charges > 5").unwrap_err().to_string().contains("double quotes: \"Total Charges\""));
        assert!(ask("state > 5").unwrap_err().message().contains("the rule of the test"));
    }
}
