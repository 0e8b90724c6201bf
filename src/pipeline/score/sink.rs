//! Where scores go: a file that is there whole or not at all, the program's output, or parts that are joined at the end.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use polars::prelude::DataFrame;

use super::facts::Facts;
use super::{Job, PIPE};
use crate::error::{Error, Result};
use crate::predict::Bundle;
use crate::source::Stream;
use crate::store::parts::{self, Parts};
use crate::store::{self, Fingerprint, Form, Key, RowWriter};

/// Who holds the lock of the parts.
const WHO: &str = "clo score";
/// A text of so many bytes may have more rows than a part.
const LARGE_TEXT: u64 = 1 << 26;

/// Rows with their scores, and what is known of them; or the word that no more come.
pub(super) enum Batch {
    Rows(DataFrame, Facts),
    End,
}

/// Where scores go, and how they are written.
pub(super) struct Place {
    /// `None`: the program's output.
    path: Option<PathBuf>,
    form: Form,
}

impl Place {
    pub(super) fn of(path: &Path, told: Option<Form>) -> Result<Self> {
        let is_pipe = path == Path::new(PIPE);
        let form = match path.extension().and_then(|ending| ending.to_str()) {
            Some("csv") => Some(Form::Csv),
            Some("parquet") => Some(Form::Parquet),
            Some("arrow" | "feather" | "ipc") => Some(Form::IpcFile),
            Some("arrows") => Some(Form::IpcStream),
            _ if is_pipe => Some(Form::Csv),
            _ => None,
        };
        let form = told.or(form).ok_or_else(|| {
            Error::usage(format!("{} is neither a .csv, a .parquet nor an .arrow file", path.display()))
                .hint("end the name of --output so, or tell --output-format")
        })?;
        match form {
            Form::Parquet if is_pipe => Err(Error::usage("Parquet cannot be written into a pipe")
                .hint("choose --output-format csv or arrow, or a file")),
            Form::IpcFile if is_pipe => Ok(Self { path: None, form: Form::IpcStream }),
            form => Ok(Self { path: (!is_pipe).then(|| path.to_owned()), form }),
        }
    }
}

/// A place that takes batches.
pub(super) struct Sink<'p> {
    place: &'p Place,
    /// What people call the input.
    input: String,
    parts: Option<Parts<Facts>>,
    part_rows: u64,
}

impl<'p> Sink<'p> {
    /// A place for rows that are made at once.
    pub(super) fn whole(place: &'p Place) -> Self {
        Self { place, input: "the input".to_owned(), parts: None, part_rows: u64::MAX }
    }

    /// A place for the rows of a stream; from file to file, if they are many, in parts that outlive the process.
    pub(super) fn open(job: &Job, place: &'p Place, stream: &Stream, bundle: &Bundle) -> Result<Self> {
        let whole = Self { input: stream.shown().to_owned(), ..Self::whole(place) };
        let (Some(output), true) = (&place.path, stream.is_file()) else { return Ok(whole) };
        let is_long = match stream.n_rows() {
            Some(rows) => rows > job.part_rows,
            None => job.input.metadata().is_ok_and(|file| file.len() > LARGE_TEXT.min(job.part_rows)),
        };
        if !is_long {
            parts::forget(output, WHO)?;
            return Ok(whole);
        }
        let key = Key::new("score")
            .with("program", &env!("CARGO_PKG_VERSION"))
            .with("model", &bundle.version()?)
            .with("input", &Fingerprint::of(&job.input)?)
            .with("as_of", &job.as_of)
            .with("rows", &(job.part_rows, job.n_reasons, job.input_format));
        let parts = Parts::open(output, &key.finish(), WHO)?;
        Ok(Self { parts: Some(parts), part_rows: job.part_rows, ..whole })
    }

    /// How many rows of the input are done.
    pub(super) fn n_done(&self) -> u64 {
        self.parts.iter().flat_map(Parts::done).map(|facts| facts.n_read).sum()
    }

    /// Takes all batches; what is known of all rows, those done before among them.
    pub(super) fn take(
        &mut self,
        batches: &mut dyn Iterator<Item = Batch>,
        pipe: &mut (dyn Write + Send),
    ) -> Result<Facts> {
        let form = self.place.form;
        if let Some(mut parts) = self.parts.take() {
            return self.in_parts(&mut parts, batches).and_then(|facts| parts.remove().map(|()| facts));
        }
        let input = &self.input;
        let mut facts = Facts::default();
        if let Some(path) = &self.place.path {
            store::write_with(path, |file| {
                fill(form, file, batches, &mut facts, u64::MAX).map_err(|failure| failure.of(path))?;
                facts.check(input)
            })?;
            return Ok(facts);
        }
        match fill(form, BufWriter::new(pipe), batches, &mut facts, u64::MAX) {
            // Whoever read the scores has seen enough.
            Err(Failure::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => {}
            filled => drop(filled.map_err(|failure| failure.of(Path::new("the output")))?),
        }
        facts.check(input).map(|()| facts)
    }

    fn in_parts(&self, parts: &mut Parts<Facts>, batches: &mut dyn Iterator<Item = Batch>) -> Result<Facts> {
        let mut ended = false;
        while !ended {
            let (file, mut facts) = (parts.next_file(), Facts::default());
            store::write_with(&file, |writer| {
                let filled = fill(Form::Parquet, writer, batches, &mut facts, self.part_rows);
                ended = filled.map_err(|failure| failure.of(&file))?;
                Ok(())
            })?;
            if facts.n_read > 0 {
                parts.push(facts)?;
            }
        }
        let mut facts = Facts::default();
        parts.done().iter().for_each(|part| facts.join(part.clone()));
        facts.check(&self.input)?;
        let path = self.place.path.as_ref().expect("parts are kept for a file");
        let mut files = parts.files();
        let mut rows = std::iter::from_fn(|| files.next()).map(|file| store::read_frame(&file));
        store::write_with(path, |file| {
            let fail = |error: io::Error| Error::io("write", path, &error);
            let mut writer: Option<RowWriter<_>> = None;
            let mut file = Some(file);
            rows.try_for_each(|rows| {
                let rows = rows?;
                if let (None, Some(file)) = (&writer, file.take()) {
                    writer = Some(RowWriter::new(self.place.form, rows.schema(), file).map_err(fail)?);
                }
                writer.as_mut().map_or(Ok(()), |writer| writer.write(rows).map_err(fail))
            })?;
            writer.map_or(Ok(()), |writer| writer.finish().map_err(fail))
        })?;
        Ok(facts)
    }
}

/// Why a writer stopped.
enum Failure {
    Io(io::Error),
    /// Those who make the rows have failed: they say why.
    BrokenOff,
}

impl Failure {
    fn of(self, path: &Path) -> Error {
        match self {
            Self::Io(error) => Error::io("write", path, &error)
                .hint("check the free space and the permissions; a long job goes on where it stopped when it is started again"),
            Self::BrokenOff => Error::internal("the scores were broken off"),
        }
    }
}

/// Writes batches until they end or are `most` rows of input; whether they have ended.
fn fill(
    form: Form,
    writer: impl Write,
    batches: &mut dyn Iterator<Item = Batch>,
    facts: &mut Facts,
    most: u64,
) -> std::result::Result<bool, Failure> {
    let mut writer = Some(writer);
    let mut rows_writer = None;
    let mut ended = false;
    while facts.n_read < most {
        match batches.next() {
            None => return Err(Failure::BrokenOff),
            Some(Batch::End) => {
                ended = true;
                break;
            }
            Some(Batch::Rows(rows, of_rows)) => {
                facts.join(of_rows);
                if let Some(writer) = writer.take() {
                    rows_writer = Some(RowWriter::new(form, rows.schema(), writer).map_err(Failure::Io)?);
                }
                rows_writer.as_mut().map_or(Ok(()), |writer| writer.write(rows)).map_err(Failure::Io)?;
            }
        }
    }
    rows_writer.map_or(Ok(()), RowWriter::finish).map_err(Failure::Io)?;
    Ok(ended)
}
