//! The text of a source of events: a table as it stands, or SQL where it takes several tables or several rows.
//!
//! Joins keep every row: one that finds nobody is rejected with its place and reason, not lost.

use super::draft::toml;
use super::happening::Happening;
use super::look::{Column, Seen};
use super::roles::Reading;
use crate::map::is_money;

/// What goes into the events of a table.
pub(super) struct Parts<'a> {
    pub(super) name: &'a str,
    pub(super) person: &'a Column,
    /// The column that names the kind of each event.
    pub(super) kind: Option<&'a Column>,
    pub(super) properties: Vec<&'a Column>,
    pub(super) amount: Option<Amount<'a>>,
    pub(super) described: Vec<Described<'a>>,
}

impl<'a> Parts<'a> {
    /// The column that says what was paid, where the rows are purchases and nothing else.
    fn paid(&self) -> Option<&'a Column> {
        match self.amount {
            Some(Amount::Own(column)) if self.name == "purchase" && self.kind.is_none() => Some(column),
            _ => None,
        }
    }
}

/// Where the amount of an event is told.
pub(super) enum Amount<'a> {
    Own(&'a Column),
    Product(&'a Column, &'a Column),
    Joined { table: &'a str, key: &'a Column, theirs: &'a Column, column: &'a Column },
}

/// A table that describes a thing which events name by its id: what an offer was.
pub(super) struct Described<'a> {
    /// The column of the events that names the thing, as SQL takes it.
    pub(super) id: String,
    pub(super) table: &'a Seen,
    /// The column of `table` that holds the id.
    pub(super) key: usize,
    pub(super) properties: Vec<&'a Column>,
}

/// Several rows are one event.
pub(super) struct Lines<'a> {
    pub(super) basket: Option<&'a Column>,
}

impl Happening<'_> {
    /// The block `[events.NAME]`.
    pub(super) fn block(&self, tables: &[Seen], parts: &Parts<'_>, lines: Option<&Lines<'_>>) -> String {
        let is_named_anew = match parts.amount {
            Some(Amount::Joined { .. }) => true,
            _ => parts.paid().is_some_and(|column| !is_money(&column.name)),
        };
        let is_joined = !self.way.steps.is_empty() || !parts.described.is_empty() || is_named_anew;
        match lines {
            Some(lines) => self.grouped(tables, parts, lines),
            None if is_joined => self.joined(tables, parts),
            None => self.direct(parts),
        }
    }

    fn direct(&self, parts: &Parts<'_>) -> String {
        let listed: Vec<String> = parts.properties.iter().map(|column| toml(&column.name)).collect();
        let kind = parts.kind.map(|kind| format!("event = {}\n", toml(&kind.name))).unwrap_or_default();
        format!(
            "[events.{}]\ntable = {}\nperson = {}\ntime = {}\n{kind}properties = [{}]",
            parts.name,
            toml(&self.seen.name),
            toml(&parts.person.name),
            self.time_toml(&self.time.name),
            listed.join(", ")
        )
    }

    /// A query over the tables on the way to the person, and over those that describe what the events name.
    fn joined(&self, tables: &[Seen], parts: &Parts<'_>) -> String {
        let mut columns =
            vec![format!("{} AS person", self.who(parts.person)), format!("t0.{} AS time", self.time.sql())];
        columns.extend(parts.kind.map(|kind| format!("t0.{} AS event", kind.sql())));
        let paid = parts.paid();
        columns.extend(paid.map(|column| format!("t0.{} AS amount", column.sql())));
        if let Some(Amount::Joined { .. }) = parts.amount {
            columns.push("a.amount AS amount".into());
        }
        let others = parts.properties.iter().filter(|column| paid.is_none_or(|paid| paid.name != column.name));
        columns.extend(others.map(|column| format!("t0.{0} AS {0}", column.sql())));
        let mut from = self.from(tables);
        if let Some(Amount::Joined { table, key, theirs, column }) = &parts.amount {
            from += &format!(
                "\nLEFT JOIN (SELECT {theirs} AS basket, SUM({}) AS amount FROM {table} GROUP BY {theirs}) a ON t0.{} = a.basket",
                column.sql(),
                key.sql(),
                theirs = theirs.sql()
            );
        }
        for (place, described) in parts.described.iter().enumerate() {
            let Described { id, table, key, properties } = described;
            from += &format!("\nLEFT JOIN {} d{place} ON t0.{id} = d{place}.{}", table.name, table.columns[*key].sql());
            columns.extend(properties.iter().map(|column| format!("d{place}.{0} AS {0}", column.sql())));
        }
        let kind = if parts.kind.is_some() { "\nevent = \"event\"" } else { "" };
        let told = |it: &Described<'_>| format!("# What `{}` is, {} tells.\n", it.id, it.table.name);
        format!(
            "{}[events.{}]\nsql = \"\"\"\n{}\nFROM {from}\n\"\"\"\ntime = {}{kind}",
            parts.described.iter().map(told).collect::<String>(),
            parts.name,
            select(&columns),
            self.time_toml("time")
        )
    }

    /// One event out of the lines of a basket.
    fn grouped(&self, tables: &[Seen], parts: &Parts<'_>, lines: &Lines<'_>) -> String {
        let who = self.who(parts.person);
        let when = format!("t0.{}", self.time.sql());
        let mut by = vec![who.clone(), when.clone()];
        by.extend(lines.basket.map(|basket| format!("t0.{}", basket.sql())));
        let mut columns = vec![format!("{who} AS person"), format!("{when} AS time")];
        let mut conditions = Vec::new();
        let mut why = Vec::new();
        if parts.person.n_known < tables[self.way.person.0].n_rows {
            conditions.push(format!("{who} IS NOT NULL"));
            why.push(format!("rows without {} are nobody's", parts.person.name));
        }
        let mut positive = |column: &Column| {
            if column.range.is_some_and(|(low, _)| low < 0.0) {
                conditions.push(format!("t0.{} > 0", column.sql()));
                why.push(format!("a negative {} looks like a return: left out", column.name));
            }
        };
        match parts.amount {
            Some(Amount::Own(column)) => {
                positive(column);
                columns.push(format!("SUM(t0.{}) AS amount", column.sql()));
            }
            Some(Amount::Product(quantity, price)) => {
                positive(quantity);
                columns.push(format!("SUM(t0.{} * t0.{}) AS amount", quantity.sql(), price.sql()));
                columns.push(format!("SUM(t0.{}) AS pieces", quantity.sql()));
            }
            _ => {}
        }
        columns.push(format!("COUNT({when}) AS n_lines"));
        let filter =
            if conditions.is_empty() { String::new() } else { format!("\nWHERE {}", conditions.join(" AND ")) };
        let what = lines.basket.map_or_else(|| "person and time".to_owned(), |basket| basket.name.clone());
        why.insert(0, format!("several rows of one {what} are one event, so that `nth` counts events"));
        format!(
            "# {}.\n[events.{}]\nsql = \"\"\"\n{}\nFROM {}{filter}\nGROUP BY {}\n\"\"\"\ntime = {}",
            why.join("; "),
            parts.name,
            select(&columns),
            self.from(tables),
            by.join(", "),
            self.time_toml("time")
        )
    }

    /// The block of a later step, whose time stands in the same row: `never` says that a negative number means that it was not
    /// reached, in place of nothing.
    pub(super) fn reached(&self, tables: &[Seen], person: &Column, name: &str, never: bool) -> String {
        let time = self.time.sql();
        let condition = if never { "t0.{time} >= 0" } else { "t0.{time} IS NOT NULL" };
        format!(
            "[events.{name}]\nsql = \"\"\"\nSELECT {} AS person, t0.{time} AS time\nFROM {}\nWHERE {}\n\"\"\"\ntime = {}",
            self.who(person),
            self.from(tables),
            condition.replace("{time}", &time),
            self.time_toml("time")
        )
    }

    /// The tables from this one to the person: `t0`, `t1` …
    fn from(&self, tables: &[Seen]) -> String {
        let mut from = format!("{} t0", self.seen.name);
        for (place, step) in self.way.steps.iter().enumerate() {
            let (left, right) = (&tables[step.from.0].columns[step.from.1], &tables[step.key.0].columns[step.key.1]);
            let (table, next) = (&tables[step.key.0].name, place + 1);
            from += &format!("\nLEFT JOIN {table} t{next} ON t{place}.{} = t{next}.{}", left.sql(), right.sql());
        }
        from
    }

    /// The person, in the last table of the way.
    fn who(&self, person: &Column) -> String {
        format!("t{}.{}", self.way.steps.len(), person.sql())
    }

    fn time_toml(&self, column: &str) -> String {
        time_toml(&self.form.reading, column)
    }
}

/// A column of times and how they are written.
pub(super) fn time_toml(reading: &Reading, column: &str) -> String {
    let column = toml(column);
    match reading {
        Reading::Plain => column,
        Reading::Format(format, _) => format!("{{ column = {column}, format = {} }}", toml(format)),
        Reading::Since1970(unit) => format!("{{ column = {column}, unit = \"{unit}\" }}"),
        Reading::Counter(unit) => format!("{{ column = {column}, unit = \"{unit}\", origin = \"2020-01-01\" }}"),
    }
}

/// The columns of a query, in lines that a person can read.
fn select(columns: &[String]) -> String {
    const WIDE: usize = 110;
    let mut lines = vec!["SELECT".to_owned()];
    for (place, column) in columns.iter().enumerate() {
        if lines.last().is_some_and(|line| line.len() + column.len() > WIDE) {
            lines.push("      ".to_owned());
        }
        let line = lines.last_mut().expect("there is one");
        *line += &format!(" {column}{}", if place + 1 < columns.len() { "," } else { "" });
    }
    lines.join("\n")
}
