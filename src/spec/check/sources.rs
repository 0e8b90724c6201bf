//! `[tables]`, `[people.*]` and `[events.*]`.

use std::collections::BTreeMap;

use super::super::written;
use super::super::{Delimiter, EventSource, Order, PeopleSource, Rows, Shape, Table};
use super::times::unmistakable;
use super::variables::{Unexpanded, expand};
use super::{Check, Sql, sql};

/// First words of feature names: an event kind of that name would make two features of one name.
const TAKEN_KINDS: [&str; 4] = ["event", "stage", "person", "attr"];

/// Addresses that are asked with a query.
const DATABASES: [&str; 3] = ["postgres://", "postgresql://", "sqlite://"];

impl Check<'_, '_> {
    pub(super) fn tables(&mut self, tables: BTreeMap<String, written::Table>) -> BTreeMap<String, Table> {
        tables
            .into_iter()
            .map(|(name, table)| {
                let table = self.table(&format!("tables.{name}"), table);
                (name, table)
            })
            .collect()
    }

    pub(super) fn people(&mut self, people: BTreeMap<String, written::People>) -> Vec<PeopleSource> {
        if self.shape == Shape::Snapshot && people.is_empty() && !self.faults.has_blanks_in("people") {
            self.fault(
                "people",
                "the spec has neither [people.*] nor [events.*]: there is nobody to look at",
                "say which table has a row per person ([people.NAME]) or a row per event ([events.NAME])",
            );
        }
        self.in_file_order("people", people)
            .into_iter()
            .map(|(name, people)| self.people_source(name, people))
            .collect()
    }

    pub(super) fn events(&mut self, events: BTreeMap<String, written::Events>) -> Vec<EventSource> {
        self.in_file_order("events", events).into_iter().map(|(name, events)| self.event_source(name, events)).collect()
    }

    fn table(&mut self, at: &str, table: written::Table) -> Table {
        let file = match table {
            written::Table::Path(path) => return Table { path: self.path(at, &path), ..Table::default() },
            written::Table::File(file) => *file,
        };
        let delimiter = file.delimiter.as_deref().and_then(|text| self.delimiter(&format!("{at}.delimiter"), text));
        let path = self.path(&format!("{at}.path"), &file.path);
        self.query(at, &path, file.query.as_deref());
        if let Some(columns) = &file.columns {
            self.columns(at, columns, &file);
        }
        if let Some(label) = &file.encoding
            && encoding_rs::Encoding::for_label(label.as_bytes()).is_none()
        {
            let known = ["utf-8", "utf-16le", "utf-16be", "latin1", "windows-1252"];
            self.unknown(
                &format!("{at}.encoding"),
                format!("`{label}` is not an encoding"),
                label,
                "common ones",
                &known,
            );
        }
        for (column, format) in &file.formats {
            self.format(&format!("{at}.formats.{column}"), format);
        }
        Table {
            path,
            delimiter,
            columns: file.columns,
            header: file.header,
            null_values: file.null_values,
            types: file.types,
            formats: file.formats,
            encoding: file.encoding,
            sheet: file.sheet,
            query: file.query,
            system: file.system,
        }
    }

    /// A path or an address, variables replaced.
    pub(super) fn path(&mut self, at: &str, text: &str) -> String {
        if text.trim().is_empty() {
            self.fault(at, "this path is empty", "name a file, a glob or an address");
        }
        match expand(text, self.variable) {
            Ok(path) => return path,
            Err(Unexpanded::Unset(name)) => self.fault(
                at,
                format!("the environment variable {name} is not set"),
                format!("set it ({name}=… clo …), or say what holds without it: ${{{name}:-data}}"),
            ),
            Err(Unexpanded::Malformed(part)) => self.fault(
                at,
                format!("`{part}` does not name an environment variable"),
                "write ${NAME} or ${NAME:-default}",
            ),
        }
        text.to_owned()
    }

    fn delimiter(&mut self, at: &str, text: &str) -> Option<Delimiter> {
        match (text, text.as_bytes()) {
            ("whitespace", _) => return Some(Delimiter::Whitespace),
            ("tab", _) => return Some(Delimiter::Byte(b'\t')),
            (_, [byte]) if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | b'"') => {
                return Some(Delimiter::Byte(*byte));
            }
            _ => {}
        }
        self.fault(
            at,
            format!("`delimiter` cannot be \"{}\"", text.escape_debug()),
            "write one character such as \";\", or \"tab\", or \"whitespace\" for runs of blanks",
        );
        None
    }

    fn query(&mut self, at: &str, path: &str, query: Option<&str>) {
        let database = DATABASES.iter().any(|scheme| path.starts_with(scheme));
        match (database, query) {
            (true, None) => self.fault(at, "a database address needs a `query`", "add query = \"SELECT … FROM …\""),
            (false, Some(_)) => self.fault(
                &format!("{at}.query"),
                "`query` is for database addresses, and this path is a file",
                "to choose from a file, write `sql` in [people.*] or [events.*]",
            ),
            _ => {}
        }
    }

    fn columns(&mut self, at: &str, columns: &[String], file: &written::File) {
        for (position, column) in columns.iter().enumerate() {
            let before = columns[..position].iter().map(String::as_str);
            self.once(&format!("{at}.columns[{position}]"), "column", column, before);
        }
        let known: Vec<&str> = columns.iter().map(String::as_str).collect();
        let told =
            file.types.keys().map(|name| ("types", name)).chain(file.formats.keys().map(|name| ("formats", name)));
        for (key, name) in told.filter(|(_, name)| !columns.contains(name)) {
            self.unknown(&format!("{at}.{key}.{name}"), format!("`columns` has no `{name}`"), name, "columns", &known);
        }
    }

    fn people_source(&mut self, name: String, people: written::People) -> PeopleSource {
        let at = format!("people.{name}");
        let rows = self.rows(&at, people.table, people.sql);
        let person = Some(self.column(&at, "person", people.person, &rows)).filter(|column| column != "row");
        if self.shape == Shape::Events {
            self.only_snapshots(&at, person.is_none(), people.order.is_some());
        } else if people.known_at.is_some() {
            self.fault(
                &format!("{at}.known_at"),
                "`known_at` says when a row became known, and a snapshot knows no times",
                "leave it out",
            );
        } else if people.valid_from.is_some() {
            self.fault(
                &format!("{at}.valid_from"),
                "`valid_from` says when attributes change, and a snapshot knows no times",
                "leave it out, or declare the [events.*] that make this a spec of events in time",
            );
        }
        PeopleSource {
            rows,
            person,
            order: people.order.map(|order| if order == "row" { Order::Row } else { Order::Column(order) }),
            valid_from: people.valid_from.map(|time| self.time(&format!("{at}.valid_from"), time)),
            known_at: people.known_at.map(|time| self.time(&format!("{at}.known_at"), time)),
            contact: people.contact,
            name,
        }
    }

    fn only_snapshots(&mut self, at: &str, person_is_row: bool, has_order: bool) {
        if person_is_row {
            self.fault(
                &format!("{at}.person"),
                "person = \"row\" numbers the rows of a snapshot; the events could not be matched with such numbers",
                "name the column that holds the same ids as the events",
            );
        }
        if has_order {
            self.fault(
                &format!("{at}.order"),
                "`order` is for snapshots: here events say when things happened",
                "leave it out",
            );
        }
    }

    fn event_source(&mut self, name: String, events: written::Events) -> EventSource {
        let at = format!("events.{name}");
        if TAKEN_KINDS.contains(&name.as_str()) && events.event.is_none() {
            self.fault(
                &at,
                format!("a kind of event cannot be called `{name}`: features of clo's own begin with that word"),
                format!("give it another name, such as [events.{name}s]"),
            );
        }
        let rows = self.rows(&at, events.table, events.sql);
        let person = self.column(&at, "person", events.person, &rows);
        let time = match events.time {
            Some(time) => self.time(&format!("{at}.time"), time),
            None => unmistakable(self.column(&at, "time", None, &rows)),
        };
        EventSource {
            rows,
            person,
            time,
            event: events.event,
            properties: events.properties,
            known_at: events.known_at.map(|time| self.time(&format!("{at}.known_at"), time)),
            name,
        }
    }

    /// Exactly one of a table and a query.
    pub(super) fn rows(&mut self, at: &str, table: Option<String>, sql: Option<String>) -> Rows {
        match (table, sql) {
            (Some(table), None) => {
                self.known_table(&format!("{at}.table"), &table);
                Rows::Table(table)
            }
            (None, Some(sql)) => {
                self.known_tables(&format!("{at}.sql"), &sql);
                Rows::Sql(sql)
            }
            (Some(table), Some(_)) => {
                self.fault(
                    &format!("{at}.sql"),
                    format!("[{at}] has both `table` and `sql`"),
                    "keep one: `table` takes all rows of a table, `sql` joins and derives",
                );
                Rows::Table(table)
            }
            (None, None) => {
                if !self.faults.has_blanks_in(at) {
                    self.fault(
                        at,
                        format!("[{at}] does not say where its rows come from"),
                        "add table = \"…\" (a name of [tables]) or sql = \"SELECT … FROM …\"",
                    );
                }
                Rows::Table(String::new())
            }
        }
    }

    pub(super) fn known_table(&mut self, at: &str, table: &str) {
        if self.is_table(table) {
            return;
        }
        self.unknown(at, format!("[tables] has no `{table}`"), table, "tables", self.table_names);
    }

    /// Whether there is such a table, as far as can be told.
    fn is_table(&self, table: &str) -> bool {
        self.table_names.contains(&table) || self.faults.has_blanks_in("tables")
    }

    fn known_tables(&mut self, at: &str, query: &str) {
        let tables = match sql::tables(query) {
            Ok(tables) => tables,
            Err(misread) => return self.misread(Sql { at, text: query }, &misread),
        };
        // what WITH defines is listed too: those names are not followed
        if query.to_ascii_lowercase().split(|c: char| !c.is_alphanumeric()).any(|word| word == "with") {
            return;
        }
        for table in &tables {
            if self.is_table(table) {
                continue;
            }
            let message = format!("[tables] has no `{table}`");
            self.unknown_in(Sql { at, text: query }, message, table, "tables", self.table_names);
        }
    }

    /// The column that `key` names. A query may leave it out and call its column so.
    pub(super) fn column(&mut self, at: &str, key: &str, named: Option<String>, rows: &Rows) -> String {
        let place = format!("{at}.{key}");
        if let (None, Rows::Table(_)) = (&named, rows) {
            let what = match key {
                "time" => "when things happened",
                "amount" => "what was spent",
                _ => "the person's id",
            };
            let message = format!("[{at}] does not say which column holds {what}");
            self.fault(&place, message, format!("add {key} = \"…\", a column of the table"));
        }
        let column = named.unwrap_or_else(|| key.to_owned());
        if column.trim().is_empty() {
            self.fault(&place, format!("`{key}` is empty"), "name a column");
        }
        column
    }

    /// The tables under `section`, in the order of the file.
    fn in_file_order<T>(&self, section: &str, tables: BTreeMap<String, T>) -> Vec<(String, T)> {
        let mut tables: Vec<_> = tables.into_iter().collect();
        tables.sort_by_key(|(name, _)| self.faults.places().key(&format!("{section}.{name}")));
        tables
    }
}
