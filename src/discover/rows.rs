//! Rows of a snapshot as features, chunk by chunk: what scoring needs of a table that is larger than memory.
//!
//! In: chunks of a table, as texts or typed, and the recipe, which says what each column must hold. Out: people and features of
//! the rows that can be used, and why the others cannot. A row says the same in whatever chunk it stands.

mod holds;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use polars::prelude::{Column as Series, DataType, StringChunked, StringChunkedBuilder, TimeUnit};

use super::catalogue::{Feature, Recipe};
use super::table::{Cells, Column, Table};
use crate::error::{Error, Result, did_you_mean};
use crate::source::{Chunk, Format, Kind, RawBatch, Stream, each_text, is_null, normalise_column, times};
use crate::spec::Table as Told;
use crate::time::Time;
use holds::{Holds, Values, typed_numbers};

/// Opens a snapshot's table to be read in one pass. A table without a header has the columns that the recipe's table had, with or
/// without its outcome.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn open_rows(path: &Path, format: Option<Format>, recipe: &Recipe) -> Result<Stream> {
    let told = recipe.table.clone().unwrap_or_default();
    let Some(columns) = &told.columns else { return Stream::open(path, format, &told) };
    let without = columns.iter().filter(|column| !recipe.outcome_columns.contains(column)).cloned().collect();
    let narrow = Told { columns: Some(without), ..told.clone() };
    let whole = Stream::open(path, format, &told)?;
    let mut fits = false;
    // The first chunk tells: a table of other columns has rows of another length.
    let _ = whole.is_file().then(|| {
        whole.read(&[], &mut |_, chunk| {
            fits = chunk.n_rows() > 0;
            Err(Error::internal("seen enough"))
        })
    });
    if fits { Ok(whole) } else { Stream::open(path, format, &narrow) }
}

/// Turns rows into people and features.
#[derive(Debug)]
pub(crate) struct RowEncoder {
    /// The column of the ids; absent: the row's number is the id.
    person: Option<String>,
    /// Whether all ids that are read from texts are numbers, and read as such: `12.0` is `12`.
    ids_are_numbers: bool,
    wanted: Vec<Wanted>,
    told: Told,
    end: Time,
}

/// A column that the recipe looks at.
#[derive(Debug)]
struct Wanted {
    /// Its name in the table.
    column: String,
    /// The feature's.
    name: String,
    holds: Holds,
}

/// Rows as people and features.
#[derive(Debug)]
pub(crate) struct EncodedRows {
    /// How many rows there were.
    pub(crate) n_read: u64,
    /// Ids of those that can be used.
    pub(crate) person: StringChunked,
    /// Their features, in the order of the recipe.
    pub(crate) features: Table,
    /// For each feature how many of them have a level that the recipe does not know.
    pub(crate) unseen: Vec<u64>,
    /// How many rows cannot be used, by reason.
    pub(crate) rejected: BTreeMap<String, u64>,
}

impl RowEncoder {
    /// An encoder of a snapshot's recipe; dates count as days before `end`.
    pub(crate) fn new(recipe: &Recipe, end: Option<Time>) -> Self {
        let wanted = recipe.features.iter().filter_map(|feature| match feature {
            Feature::Attribute(attribute) => Some(Wanted {
                column: attribute.column.clone(),
                name: format!("attr.{}", attribute.column),
                holds: Holds::of(&attribute.values),
            }),
            _ => None,
        });
        Self {
            person: recipe.person.clone(),
            ids_are_numbers: false,
            wanted: wanted.collect(),
            told: recipe.table.clone().unwrap_or_default(),
            end: end.unwrap_or(Time(0)),
        }
    }

    /// The names of the columns that are read.
    pub(crate) fn columns(&self) -> Vec<String> {
        let names: BTreeSet<&String> =
            self.person.iter().chain(self.wanted.iter().map(|wanted| &wanted.column)).collect();
        names.into_iter().cloned().collect()
    }

    /// Looks at the ids of a file before its rows are scored; the rows that name somebody again.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn look_at_ids(&mut self, stream: &Stream) -> Result<Vec<u64>> {
        let Some(person) = self.person.clone() else { return Ok(Vec::new()) };
        let ids = super::repeats::Ids { stream, person: &person, null_values: &self.told.null_values };
        if stream.columns().is_none() {
            self.ids_are_numbers = ids.are_numbers()?;
        }
        ids.repeated(&|chunk| self.ids(chunk, 1))
    }

    /// Refuses a table whose columns are not those that the recipe needs: every fault is named.
    ///
    /// # Errors
    /// When a column is missing or of another type.
    pub(crate) fn check(&self, holder: &str, columns: &[(String, Option<Kind>)]) -> Result<()> {
        let names = || columns.iter().map(|(name, _)| name.as_str());
        let find = |name: &str| columns.iter().find(|(known, _)| known == name);
        let absent = |name: &str| {
            let fault = Error::data(format!("{holder} has no column `{name}`, which the model needs"));
            match did_you_mean(name, names()) {
                Some(near) if near.eq_ignore_ascii_case(name) => {
                    fault.hint(format!("it has `{near}`: names of columns must be the same to the letter"))
                }
                Some(near) => fault.hint(format!("is it `{near}`?")),
                None => fault,
            }
        };
        let of_person = self.person.iter().filter(|name| find(name).is_none()).map(|name| absent(name));
        let of_features = self.wanted.iter().filter_map(|wanted| {
            let Some((name, kind)) = find(&wanted.column) else { return Some(absent(&wanted.column)) };
            let Some(kind) = kind else {
                return Some(Error::data(format!("column `{name}` of {holder} is of a type that clo does not read")));
            };
            (!wanted.holds.takes(*kind)).then(|| {
                let (found, needed) = (kind.name(), wanted.holds.name());
                Error::data(format!("column `{name}` of {holder} is of type {found}, where the model needs {needed}"))
            })
        });
        let faults: Vec<Error> = of_person.chain(of_features).collect();
        let known = names().take(30).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        Error::all(faults).map_or(Ok(()), |error| Err(error.hint(format!("{holder} has {known}"))))
    }

    /// As [`RowEncoder::check`], for a text: its values are looked at one by one.
    ///
    /// # Errors
    /// When a column is missing.
    pub(crate) fn check_names(&self, holder: &str, names: &[String]) -> Result<()> {
        let columns: Vec<(String, Option<Kind>)> = names.iter().map(|name| (name.clone(), Some(Kind::Text))).collect();
        self.check(holder, &columns)
    }

    /// Whether the ids stand in a column.
    pub(crate) fn has_ids(&self) -> bool {
        self.person.is_some()
    }

    /// The ids of a chunk's rows, of which the first has the number `first`.
    pub(crate) fn ids(&self, chunk: &Chunk, first: u64) -> Result<StringChunked> {
        let n_rows = chunk.n_rows();
        let mut ids = StringChunkedBuilder::new("person".into(), n_rows);
        let mut push = |id: Option<&str>| ids.append_option(id);
        match (&self.person, chunk) {
            (None, Chunk::Text(raw)) => {
                (0..n_rows).for_each(|row| push(Some(&raw.rows.get(row).to_string())));
            }
            (None, Chunk::Typed(_)) => (first..).take(n_rows).for_each(|row| push(Some(&row.to_string()))),
            (Some(name), Chunk::Text(raw)) => {
                let at = raw.names.iter().position(|known| known == name);
                for row in 0..n_rows {
                    let text = at.map_or("", |at| raw.field(row, at));
                    let text = Some(text).filter(|text| !is_null(text, &self.told.null_values));
                    match text.filter(|_| self.ids_are_numbers).and_then(|text| text.parse::<f64>().ok()) {
                        Some(number) => push(Some(&number.to_string())),
                        None => push(text),
                    }
                }
            }
            (Some(name), Chunk::Typed(frame)) => each_text(&normalise_column(frame.column(name)?, name)?, push)?,
        }
        Ok(ids.finish())
    }

    /// People and features of a chunk; `repeated` are the numbers of its rows that name somebody again.
    ///
    /// # Errors
    /// When values are not what the recipe says: each such column is named, with its first such row.
    pub(crate) fn encode(&self, chunk: &Chunk, first: u64, repeated: &[u64]) -> Result<EncodedRows> {
        let ids = self.ids(chunk, first)?;
        let mut encoded = EncodedRows {
            n_read: chunk.n_read(),
            person: ids.clone(),
            features: Table { columns: Vec::with_capacity(self.wanted.len()), n_rows: chunk.n_rows() },
            unseen: Vec::with_capacity(self.wanted.len()),
            rejected: BTreeMap::new(),
        };
        let mut unusable: BTreeSet<u32> = BTreeSet::new();
        let mut reject = |row: usize, reason: String| {
            if unusable.insert(u32::try_from(row).expect("rows of a chunk are few")) {
                *encoded.rejected.entry(reason).or_default() += 1;
            }
        };
        for (row, id) in ids.iter().enumerate() {
            if id.is_none() {
                reject(row, format!("{}: no person", self.person.as_deref().unwrap_or_default()));
            } else if !repeated.is_empty() && repeated.binary_search(&chunk.number(row, first)).is_ok() {
                reject(row, "the same person again; the first row is used".to_owned());
            }
        }
        let mut faults = Vec::new();
        for wanted in &self.wanted {
            let mut found = Values::default();
            let cells = match chunk {
                Chunk::Text(raw) => self.of_text(wanted, raw, &mut found)?,
                Chunk::Typed(frame) => self.of_series(wanted, frame.column(&wanted.column)?, &mut found)?,
            };
            let told = self.told.types.contains_key(&wanted.column) || self.told.formats.contains_key(&wanted.column);
            match found.unfit.first() {
                Some(_) if told => {
                    let reason = format!("{}: not of the told type", wanted.column);
                    found.unfit.iter().for_each(|&row| reject(row, reason.clone()));
                }
                Some(&row) => faults.push(wanted.unfit(chunk.number(row, first))),
                None => {}
            }
            encoded.unseen.push(found.n_unseen);
            encoded.features.columns.push(Column { name: wanted.name.clone(), cells });
        }
        if let Chunk::Text(raw) = chunk {
            for (_, reason) in &raw.faults {
                *encoded.rejected.entry(reason.clone()).or_default() += 1;
            }
        }
        if let Some(error) = Error::all(faults) {
            return Err(error.hint("the model was trained on columns of the same names with values of these types"));
        }
        Ok(if unusable.is_empty() { encoded } else { encoded.without(&unusable) })
    }

    fn of_text(&self, wanted: &Wanted, raw: &RawBatch, found: &mut Values) -> Result<Cells> {
        let at =
            raw.names.iter().position(|name| *name == wanted.column).ok_or_else(|| {
                Error::internal(format!("column `{}` has gone while the file was read", wanted.column))
            })?;
        let format = self.told.formats.get(&wanted.column);
        let texts = (0..raw.len()).map(|row| {
            let text = raw.field(row, at);
            (!is_null(text, &self.told.null_values)).then_some(text)
        });
        Ok(match &wanted.holds {
            Holds::Number => Cells::Number(found.numbers(texts)),
            Holds::Date => {
                let instant = |text: &str| match format {
                    Some(format) => times::by_format(format, text),
                    None => times::iso(text.as_bytes()).or_else(|| times::compact(text.as_bytes())),
                };
                Cells::Number(found.days(texts.map(|text| text.map(|text| instant(text).map(|(at, _)| at))), self.end))
            }
            Holds::Category(levels) => Cells::Category {
                codes: texts.map(|text| levels.code(text, found)).collect(),
                levels: levels.texts.clone(),
            },
        })
    }

    fn of_series(&self, wanted: &Wanted, column: &Series, found: &mut Values) -> Result<Cells> {
        let texts = |column: &Series| column.cast(&DataType::String);
        let is_text = matches!(column.dtype(), DataType::String);
        Ok(match &wanted.holds {
            Holds::Number if is_text => {
                let known = column.str()?.iter().map(|text| text.map(str::trim).filter(|text| !text.is_empty()));
                Cells::Number(found.numbers(known))
            }
            Holds::Number => Cells::Number(typed_numbers(column)?),
            Holds::Date if is_text => {
                let instant = |text: &str| times::iso(text.trim().as_bytes()).map(|(at, _)| at);
                Cells::Number(found.days(column.str()?.iter().map(|text| text.map(instant)), self.end))
            }
            Holds::Date => {
                let instants =
                    column.cast(&DataType::Datetime(TimeUnit::Microseconds, None))?.cast(&DataType::Int64)?;
                Cells::Number(found.days(instants.i64()?.iter().map(|instant| instant.map(Some)), self.end))
            }
            Holds::Category(levels) => {
                let column = if is_text { column.clone() } else { texts(&normalise_column(column, &wanted.column)?)? };
                let codes = column.str()?.iter().map(|text| levels.code(text, found)).collect();
                Cells::Category { codes, levels: levels.texts.clone() }
            }
        })
    }
}

impl EncodedRows {
    fn without(self, rows: &BTreeSet<u32>) -> Self {
        let n_rows = u32::try_from(self.features.n_rows).expect("rows of a chunk are few");
        let kept: Vec<u32> = (0..n_rows).filter(|row| !rows.contains(row)).collect();
        let person = kept.iter().map(|&row| self.person.get(row as usize)).collect::<StringChunked>();
        Self { person: person.with_name("person".into()), features: self.features.take(&kept), ..self }
    }
}

impl Wanted {
    fn unfit(&self, row: u64) -> Error {
        let (column, needed) = (&self.column, self.holds.name());
        Error::data(format!("column `{column}` holds something else in row {row}, where the model needs {needed}"))
    }
}
