//! The written form to the checked one: what names refer to, what contradicts what, what texts mean.
//!
//! Every check notes its fault and goes on with a stand-in, so that all faults are found in one go; a [`Spec`] made of
//! stand-ins never leaves [`super::parse`].

mod audiences;
mod contacting;
mod explained;
mod identity;
mod measures;
mod models;
mod predictions;
mod seeds;
mod sources;
mod stages;
mod times;
mod triggers;
mod uplifts;
mod variables;

use std::path::Path;

use polars::prelude::Expr;

use self::seeds::Known;
use super::faults::Faults;
use super::fit::listed;
use super::sql::{self, Misread};
use super::written::{self, Written};
use super::{Discover, Shape, Spec};
use crate::error::{Error, did_you_mean};
use crate::time::Time;

/// Checks what was written in the file at `path`; faults are noted.
pub(super) fn check(
    mut written: Written,
    path: &Path,
    variable: &dyn Fn(&str) -> Option<String>,
    faults: &mut Faults<'_>,
) -> Spec {
    let measures = measures::Written::take(&mut written);
    let no_events = written.events.is_empty() && !faults.has_blanks_in("events");
    let shape = if no_events { Shape::Snapshot } else { Shape::Events };
    let table_names: Vec<String> = written.tables.keys().cloned().collect();
    let table_names: Vec<&str> = table_names.iter().map(String::as_str).collect();
    let mut check = Check { faults, variable, shape, table_names: &table_names };
    let name = check.name("project.name", written.project.name);
    let tables = check.tables(written.tables);
    let people = check.people(written.people);
    let events = check.events(written.events);
    let identity = check.identity(written.identity, &people);
    let lifecycle =
        check.lifecycle(written.lifecycle, &written.predictions, &written.audiences, !written.uplifts.is_empty());
    let end = lifecycle.end.as_deref().and_then(|end| {
        let end: crate::error::Result<Time> = end.parse();
        check.faults.take("lifecycle.end", "end", end)
    });
    let written::Discover { fail_on, country } = written.discover;
    let discover = Discover { fail_on, country };
    let (stages, stage_paths) = check.stages(lifecycle, &events);
    let measures = check.measures(measures, &stages, &events);
    let mut predictions = check.predictions(written.predictions, &stages);
    let uplifts = check.uplifts(written.uplifts);
    let consents = check.consents(written.consent);
    let known = Known {
        people: &people,
        stages: &stages,
        predictions: &predictions,
        uplifts: &uplifts,
        has_universal_holdout: written.holdout.universal.is_some(),
    };
    let mut audiences = check.audiences(written.audiences, &consents, known);
    let fairness = check.fairness(written.fairness, &mut predictions, &mut audiences);
    let holdout = check.holdouts(written.holdout);
    Spec {
        root: path.parent().map(Path::to_path_buf).unwrap_or_default(),
        file: path.to_path_buf(),
        name,
        seed: written.project.seed.unwrap_or_default(),
        tables,
        people,
        events,
        identity,
        end,
        as_of: None,
        keeps_undated: false,
        stages,
        discover,
        predictions,
        audiences,
        measures,
        holdout,
        uplifts,
        fairness,
        places: faults.places().of_stages(&stage_paths),
    }
}

/// What checks need to know and where they note faults.
struct Check<'c, 'p> {
    faults: &'c mut Faults<'p>,
    variable: &'c dyn Fn(&str) -> Option<String>,
    shape: Shape,
    table_names: &'c [&'c str],
}

impl Check<'_, '_> {
    fn fault(&mut self, at: &str, message: impl Into<String>, hint: impl Into<String>) {
        self.faults.add(at, Error::spec(message).hint(hint));
    }

    /// A name that is not empty.
    fn name(&mut self, at: &str, name: String) -> String {
        if name.trim().is_empty() {
            self.fault(at, "this name is empty", "give it a name in words, such as \"second-purchase\"");
        }
        name
    }

    /// A name that a folder can bear.
    fn folder(&mut self, at: &str, name: String) -> String {
        let name = self.name(at, name);
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !name.trim().is_empty() && (name.starts_with('.') || !name.chars().all(fits)) {
            self.fault(
                at,
                format!("`{name}` cannot be the name of a folder, and one is named after it"),
                "use letters, digits, `-`, `_` and `.` only",
            );
        }
        name
    }

    /// Notes the second of two things of one name.
    fn once<'n>(&mut self, at: &str, what: &str, name: &str, before: impl IntoIterator<Item = &'n str>) {
        if before.into_iter().any(|other| other.eq_ignore_ascii_case(name)) && !name.is_empty() {
            self.fault(at, format!("there are two {what}s named `{name}`"), "give each a name of its own");
        }
    }

    /// Notes a name that nothing bears.
    fn unknown(&mut self, at: &str, message: String, found: &str, what: &str, known: &[&str]) {
        self.fault(at, message, meant(found, what, known));
    }

    /// Notes a name in a piece of SQL that nothing bears.
    fn unknown_in(&mut self, sql: Sql<'_>, message: String, found: &str, what: &str, known: &[&str]) {
        self.fault_in(sql, found, message, meant(found, what, known));
    }

    /// A fault of a word in a piece of SQL.
    fn fault_in(&mut self, Sql { at, text }: Sql<'_>, word: &str, message: impl Into<String>, hint: impl Into<String>) {
        let (line, column) = sql::place_of(text, word).unwrap_or((1, 1));
        let excerpt = self.faults.places().excerpt_within(at, text, line, column);
        self.faults.add_at(at, Error::spec(message).hint(hint), excerpt);
    }

    /// A SQL expression over rows; `None` and a fault when it does not parse.
    fn rule(&mut self, sql: Sql<'_>) -> Option<Expr> {
        match sql::rule(sql.text) {
            Ok(rule) => Some(rule),
            Err(misread) => {
                self.misread(sql, &misread);
                None
            }
        }
    }

    fn misread(&mut self, Sql { at, text }: Sql<'_>, misread: &Misread) {
        let places = self.faults.places();
        let error = Error::spec(format!("this SQL does not parse: {}", misread.why)).hint(
            "texts stand in single quotes ('yes'), columns that are no plain word in double quotes (\"Total Charges\")",
        );
        let within = misread.at.map(|(line, column)| places.excerpt_within(at, text, line, column));
        self.faults.add_at(at, error, within.unwrap_or_else(|| places.excerpt(at)));
    }

    /// Notes where a rule compares `column` with a name in double quotes, which SQL takes for a column.
    fn double_quotes(&mut self, sql: Sql<'_>, rule: &Expr, column: &str) {
        for other in sql::columns_compared_with(rule, column) {
            let message = format!("`{column} = \"{other}\"` compares two columns: double quotes are for column names");
            self.fault_in(sql, other, message, format!("write {column} = '{other}'"));
        }
    }
}

/// A piece of SQL and the path where it is said.
#[derive(Clone, Copy)]
struct Sql<'s> {
    at: &'s str,
    text: &'s str,
}

/// What was meant by a name that nothing bears.
fn meant(found: &str, what: &str, known: &[&str]) -> String {
    match (did_you_mean(found, known.iter().copied()), known) {
        (_, []) => format!("this spec has no {what}"),
        (Some(meant), _) => format!("did you mean `{meant}`?"),
        (None, [only]) => format!("there is only `{only}`"),
        (None, _) => format!("the {what} are {}", listed(known.iter().copied(), "`", "and")),
    }
}
