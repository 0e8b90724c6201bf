//! `parquet`, `sqlite`, `postgres`: a plain table that any program reads, a reverse-ETL tool among them.
//!
//! The table `clo_audience` holds no contact data: a person's id, score, decile (1 the best), rank, reasons, the model, when they
//! were scored (none in a snapshot) and until when that holds. Parquet adds the contact columns, as `csv` has them. The script for PostgreSQL replaces
//! the audience's rows in one transaction: `psql DATABASE -f FILE`.

use std::io::Write;
use std::path::Path;

use polars::prelude::{Column, DataFrame, NamedFrom as _, Series};
use rusqlite::{Connection, MAIN_DB, params};

use super::{Held, Manifest, contact_values, file, targets};
use crate::error::{Error, Result};
use crate::expand::Expanded;
use crate::spec::Destination;
use crate::store;

pub(super) fn write(expanded: &Expanded, destination: Destination, folder: &Path, stem: &str) -> Result<Manifest> {
    let mut manifest = Manifest::new(expanded, destination);
    let rows: Vec<usize> = targets(expanded).collect();
    let written = match destination {
        Destination::Parquet => {
            let mut frame = frame(expanded, &rows)?;
            file(folder, &format!("{stem}.parquet"), Held::Full, rows.len(), |writer| {
                store::fill_frame(writer, &mut frame)
            })
        }
        Destination::Sqlite => {
            let bytes = database(expanded, &rows)
                .map_err(|error| Error::internal(format!("cannot make {stem}.sqlite: {error}")))?;
            file(folder, &format!("{stem}.sqlite"), Held::Full, rows.len(), |writer| writer.write_all(&bytes))
        }
        _ => file(folder, &format!("{stem}.sql"), Held::Full, rows.len(), |writer| script(expanded, &rows, writer)),
    }?;
    manifest.kept = rows.len() as u64;
    manifest.files.push(written);
    Ok(manifest)
}

const CREATE: &str = "CREATE TABLE IF NOT EXISTS clo_audience (
  audience TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  score DOUBLE PRECISION NOT NULL,
  decile INTEGER NOT NULL,
  rank INTEGER NOT NULL,
  reason_1 TEXT,
  reason_2 TEXT,
  reason_3 TEXT,
  model_id TEXT,
  scored_at TEXT,
  valid_until TEXT,
  PRIMARY KEY (audience, customer_id)
)";

/// The tenth of the chosen that a rank falls into, 1 the best.
fn decile(rank: u32, n_chosen: usize) -> u64 {
    u64::from(rank - 1) * 10 / n_chosen.max(1) as u64 + 1
}

fn frame(expanded: &Expanded, rows: &[usize]) -> Result<DataFrame> {
    let chosen = &expanded.chosen;
    let numbers = |of: &dyn Fn(usize) -> f64| rows.iter().map(|&row| of(row)).collect::<Vec<f64>>();
    let ranks: Vec<u32> = rows.iter().map(|&row| chosen.rank[row]).collect();
    let deciles: Vec<u64> = ranks.iter().map(|&rank| decile(rank, chosen.len())).collect();
    let propensity = |row: usize| chosen.propensity.as_ref().map(|of| of[row]);
    let propensities: Vec<Option<f64>> = rows.iter().map(|&row| propensity(row)).collect();
    let people: Vec<&str> = rows.iter().map(|&row| &chosen.person[row]).collect();
    let mut columns: Vec<Column> = vec![
        Series::new("person".into(), people).into(),
        Series::new("rank".into(), ranks).into(),
        Series::new("score".into(), numbers(&|row| chosen.score[row])).into(),
        Series::new("propensity".into(), propensities).into(),
        Series::new("decile".into(), deciles).into(),
    ];
    let number = |&row: &usize| u32::try_from(row).expect("rows are counted in 32 bits");
    let reasons = chosen.reasons.take(rows.iter().map(number));
    columns.extend((0..3).map(|nth| reasons.column(nth)));
    let taken: Vec<Vec<String>> = rows.iter().map(|&row| contact_values(expanded, row).collect()).collect();
    for (at, contact) in expanded.contacts.columns.iter().enumerate() {
        // A contact column may be called as one of ours is.
        let is_taken = columns.iter().any(|column| column.name().as_str() == contact.name);
        let name = if is_taken { format!("contact.{}", contact.name) } else { contact.name.clone() };
        let values: Vec<Option<&str>> =
            taken.iter().map(|values| Some(values[at].as_str()).filter(|value| !value.is_empty())).collect();
        columns.push(Series::new(name.into(), values).into());
    }
    Ok(DataFrame::new(rows.len(), columns)?)
}

/// A database in memory, as the bytes of its file: the same rows give the same bytes.
fn database(expanded: &Expanded, rows: &[usize]) -> rusqlite::Result<Vec<u8>> {
    let mut connection = Connection::open_in_memory()?;
    let transaction = connection.transaction()?;
    transaction.execute(CREATE, [])?;
    {
        let mut insert =
            transaction.prepare("INSERT INTO clo_audience VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")?;
        let (chosen, stamp) = (&expanded.chosen, &expanded.stamp);
        let (scored_at, valid_until) = (&expanded.summary.as_of, stamp.valid_until.map(|until| until.to_string()));
        for &row in rows {
            let [first, second, third] = chosen.reasons.of(row);
            let (rank, score) = (chosen.rank[row], chosen.score[row]);
            let decile = i64::try_from(decile(rank, chosen.len())).expect("it is at most ten");
            insert.execute(params![
                expanded.summary.audience,
                &chosen.person[row],
                score,
                decile,
                rank,
                first,
                second,
                third,
                stamp.model,
                scored_at,
                valid_until
            ])?;
        }
    }
    transaction.commit()?;
    Ok(connection.serialize(MAIN_DB)?.to_vec())
}

/// The rows in the text form of `COPY`.
fn script(expanded: &Expanded, rows: &[usize], writer: &mut dyn Write) -> std::io::Result<()> {
    let (chosen, stamp, audience) = (&expanded.chosen, &expanded.stamp, &expanded.summary.audience);
    let valid_until = stamp.valid_until.map(|until| until.to_string());
    let quoted = audience.replace('\'', "''");
    // psql goes on after a mistake unless it is told not to, and reads files in the encoding of whoever calls it.
    write!(writer, "\\set ON_ERROR_STOP on\nSET client_encoding = 'UTF8';\nBEGIN;\n{CREATE};\n")?;
    write!(writer, "DELETE FROM clo_audience WHERE audience = '{quoted}';\nCOPY clo_audience FROM stdin;\n")?;
    for &row in rows {
        let [first, second, third] = chosen.reasons.of(row);
        let (rank, score) = (chosen.rank[row].to_string(), chosen.score[row].to_string());
        let decile = decile(chosen.rank[row], chosen.len()).to_string();
        let known = [audience.as_str(), &chosen.person[row], &score, &decile, &rank].map(Some);
        let scored_at = expanded.summary.as_of.as_deref();
        let others = [first, second, third, stamp.model.as_deref(), scored_at, valid_until.as_deref()];
        let cells: Vec<String> = known.into_iter().chain(others).map(copied).collect();
        writeln!(writer, "{}", cells.join("\t"))?;
    }
    write!(writer, "\\.\nCOMMIT;\n")
}

/// A value as `COPY` reads it: `\N` is none, and what would end a value is escaped.
fn copied(value: Option<&str>) -> String {
    let Some(value) = value else { return "\\N".to_owned() };
    value.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r").replace('\0', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deciles_are_tenths_of_the_chosen() {
        assert_eq!([1, 10, 11, 100].map(|rank| decile(rank, 100)), [1, 1, 2, 10]);
        assert_eq!([1, 2, 3].map(|rank| decile(rank, 3)), [1, 4, 7]);
    }

    #[test]
    fn a_value_cannot_end_its_row() {
        assert_eq!(copied(Some("a\tb\\.\n")), "a\\tb\\\\.\\n");
        assert_eq!(copied(None), "\\N");
    }
}
