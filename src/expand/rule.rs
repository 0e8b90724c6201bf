//! SQL conditions over people.

use std::collections::BTreeSet;

use polars::prelude::{Column, DataFrame, DataType, Expr, IntoLazy as _};
use polars::sql::sql_expr;

use crate::error::{Error, Kind, Result, did_you_mean};

/// A condition that stands in `clo.toml`, not yet asked of anyone.
pub(super) struct Condition {
    /// What the condition is for, for messages: ``consent of audience `x` ``.
    what: String,
    rule: String,
    expression: Expr,
    columns: BTreeSet<String>,
}

impl Condition {
    pub(super) fn new(rule: &str, what: String) -> Result<Self> {
        let expression = sql_expr(rule).map_err(|error| {
            Error::new(Kind::Spec, format!("{what}: `{rule}` is not SQL: {}", without_values(&error)))
                .hint("write a condition such as: state = 'SP' AND age >= 18")
        })?;
        let columns = expression.clone().meta().root_names().into_iter().map(|name| name.to_string()).collect();
        Ok(Self { what, rule: rule.to_owned(), expression, columns })
    }

    /// The columns that the condition asks about, all of which are among `known`.
    ///
    /// # Errors
    /// One error for each column that is not there.
    pub(super) fn columns(&self, known: &[&str]) -> Result<Vec<&str>> {
        let unknown = self.columns.iter().filter(|name| !known.contains(&name.as_str()));
        let errors = unknown.map(|name| self.unknown(name, known)).collect();
        Error::all(errors).map_or_else(|| Ok(self.columns.iter().map(String::as_str).collect()), Err)
    }

    /// For which rows the condition holds; where it is unknown (NULL) it does not.
    pub(super) fn holds(&self, frame: DataFrame) -> Result<Vec<bool>> {
        let answer = frame.lazy().with_column(self.expression.clone().alias(ANSWER)).collect();
        let answer = answer.map_err(|error| {
            Error::new(
                Kind::Spec,
                format!("{}: `{}` cannot be asked: {}", self.what, self.rule, without_values(&error)),
            )
            .hint("compare texts with texts ('yes') and numbers with numbers (1)")
        })?;
        let answer: &Column = answer.column(ANSWER)?;
        match answer.dtype() {
            DataType::Boolean => Ok(answer.bool()?.iter().map(|holds| holds == Some(true)).collect()),
            DataType::Null => Ok(vec![false; answer.len()]),
            other => {
                Err(Error::new(Kind::Spec, format!("{}: `{}` is a {other}, not a condition", self.what, self.rule))
                    .hint("compare it with something, e.g. age >= 18"))
            }
        }
    }

    fn unknown(&self, name: &str, known: &[&str]) -> Error {
        let error = Error::new(Kind::Spec, format!("{}: there is no column `{name}` to ask about", self.what));
        let error = match did_you_mean(name, known.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error,
        };
        error.hint(format!("there are: {}", known.join(", ")))
    }
}

/// No column of anyone's data is called so.
const ANSWER: &str = "\u{1}holds";

/// The first line of an error of polars, cut before it quotes values of people.
fn without_values(error: &polars::error::PolarsError) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.split(" values: [").next().unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use polars::prelude::df;

    use super::*;

    fn ask(rule: &str) -> Result<Vec<bool>> {
        let frame = df!("stage" => ["lead", "customer", "lead"], "age" => [Some(17.0), None, Some(40.0)],
            "Total Charges" => [1, 20, 30])?;
        let condition = Condition::new(rule, "candidates of audience `x`".into())?;
        condition.columns(&["stage", "age", "Total Charges"])?;
        condition.holds(frame)
    }

    #[test]
    fn unknown_is_not_true() {
        assert_eq!(ask("age >= 18").unwrap(), [false, false, true]);
        assert_eq!(ask("NOT (age >= 18)").unwrap(), [true, false, false]);
        assert_eq!(ask("\"Total Charges\" > 10 AND stage IN ('lead', 'customer')").unwrap(), [false, true, true]);
        assert_eq!(ask("TRUE").unwrap(), [true; 3]);
        assert_eq!(ask("NULL").unwrap(), [false; 3]);
    }

    #[test]
    fn a_mistaken_rule_says_what_there_is() {
        let error = ask("stagee = 'lead' AND agee > 3").unwrap_err();
        let text = error.to_string();
        assert_eq!(error.kind(), Kind::Spec);
        assert!(text.contains("did you mean `stage`?") && text.contains("did you mean `age`?"), "{text}");
        assert!(text.contains("there are: stage, age, Total Charges"), "{text}");
        for wrong in ["age >=", "age + 1", "age = 'yes'", "stage = 3"] {
            assert_eq!(ask(wrong).expect_err(wrong).kind(), Kind::Spec);
        }
    }
}
