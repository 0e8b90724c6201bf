//! Small files of every format and quirk, and the real ones where they are at hand.

mod formats;
mod people;
mod quirks;
mod real;
mod tables;

use std::path::Path;

use super::identity::State;
use super::{Data, Values, read, read_unprofiled};
use crate::error::Error;
use crate::spec::{EventSource, Link, PeopleSource, Rows, Spec, Table, TimeColumn, TimeReading};

/// A folder with files, removed at the end of the test.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    #[expect(clippy::disallowed_methods, reason = "a test makes its own files")]
    fn with(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        self
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn spec(&self) -> Spec {
        spec(self.path())
    }
}

fn spec(root: &Path) -> Spec {
    Spec { root: root.to_owned(), file: "clo.toml".into(), name: "test".into(), seed: 7, ..Spec::default() }
}

fn table(path: &str) -> Table {
    Table { path: path.into(), ..Table::default() }
}

fn time(column: &str) -> TimeColumn {
    TimeColumn { column: column.into(), reading: TimeReading::Unmistakable, zone: None }
}

/// Events of the table `log`: columns `person` and `time`.
fn events(name: &str) -> EventSource {
    EventSource {
        name: name.into(),
        rows: Rows::Table("log".into()),
        person: "person".into(),
        time: time("time"),
        event: None,
        properties: None,
        known_at: None,
    }
}

/// People of the table `people`: a column `person`.
fn people(name: &str) -> PeopleSource {
    PeopleSource {
        name: name.into(),
        rows: Rows::Table("people".into()),
        person: Some("person".into()),
        order: None,
        valid_from: None,
        known_at: None,
        contact: Vec::new(),
    }
}

/// Two columns of a table that hold ids of one person, with the usual limits.
fn link(table: &str, columns: [&str; 2]) -> Link {
    Link { table: table.into(), columns: columns.map(str::to_owned), max_ids: 50, max_people: 5 }
}

/// What a log of that text holds, told how to read its table.
fn log(name: &str, bytes: impl AsRef<[u8]>, tell: impl FnOnce(&mut Table)) -> Result<Data, Error> {
    let folder = Folder::new().with(name, bytes);
    let mut spec = folder.spec();
    let mut log = table(name);
    tell(&mut log);
    spec.tables.insert("log".into(), log);
    spec.events.push(events("visit"));
    read(&spec)
}

/// Each event as `person time kind property=value …`, with missing values left out.
fn lines(data: &Data) -> Vec<String> {
    let events = &data.events;
    let line = |row: usize| {
        let person = &data.people.ids[events.person[row] as usize];
        let when = crate::time::Time(events.time[row]);
        let mut line = format!("{person} {when} {}", events.kinds[events.kind[row] as usize]);
        for property in &events.properties {
            let value = match &property.values {
                Values::Number(values) if values[row].is_nan() => continue,
                Values::Number(values) => values[row].to_string(),
                Values::Category { codes, levels } => match levels.get(codes[row] as usize) {
                    Some(level) => format!("{level:?}"),
                    None => continue,
                },
                Values::Time(values) if values[row] == i64::MIN => continue,
                Values::Time(values) => crate::time::Time(values[row]).to_string(),
            };
            line.push_str(&format!(" {}={value}", property.name));
        }
        line
    };
    (0..events.len()).map(line).collect()
}

/// Each rejection as `file:row column: reason`.
fn rejections(data: &Data) -> Vec<String> {
    let column = |column: &Option<String>| column.as_ref().map(|column| format!(" {column}")).unwrap_or_default();
    let line = |row: &super::Rejected| format!("{}:{}{}: {}", row.file, row.row, column(&row.column), row.reason);
    data.rejected.iter().map(line).collect()
}

/// An attribute of every person's last row, as text.
fn attribute(data: &Data, column: &str) -> Vec<String> {
    let column = data.people.attributes.column(column).expect("an attribute of the test");
    let mut texts = Vec::new();
    super::batch::each_text(column, |text| texts.push(text.unwrap_or("-").to_owned())).unwrap();
    texts
}
