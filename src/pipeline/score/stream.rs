//! Rows through a model: read, scored and written at the same time, in the order of the input.

use std::collections::HashSet;
use std::io::Write;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use polars::prelude::{DataFrame, IntoColumn as _, NamedFrom as _, Series, StringChunked};
use rayon::prelude::*;

use super::facts::Facts;
use super::sink::{Batch, Sink};
use crate::discover::{EncodedRows, RowEncoder, Table, ToScore, id_hash};
use crate::error::{Error, Result};
use crate::predict::Bundle;
use crate::predict::drift::Tally;
use crate::source::{Chunk, Stream};

/// Chunks that are scored at the same time: the order in which they are written does not depend on how many.
const AT_A_TIME: usize = 8;
/// People scored at a time, where all are known at once.
const PEOPLE: usize = 1 << 16;
/// What the first reason says of people who could not make the transition.
const NOT_ELIGIBLE: &str = "not eligible: in no stage that the transition starts from";

/// A chunk of the input on its way.
struct Read {
    /// The number of its first row.
    first: u64,
    chunk: Chunk,
    /// Its rows that name somebody again.
    repeated: Vec<u64>,
}

/// A bundle, and what is wanted of it.
pub(super) struct Scorer<'b> {
    pub(super) bundle: &'b Bundle,
    n_reasons: usize,
}

impl<'b> Scorer<'b> {
    pub(super) fn new(bundle: &'b Bundle, n_reasons: usize) -> Self {
        Self { bundle, n_reasons }
    }

    /// Scores the rows of a stream; `repeated` are those of a file that name somebody again.
    pub(super) fn stream(
        &self,
        stream: &Stream,
        encoder: &RowEncoder,
        repeated: &[u64],
        sink: &mut Sink<'_>,
        pipe: &mut (dyn Write + Send),
    ) -> Result<Facts> {
        let done = sink.n_done();
        std::thread::scope(|scope| {
            let (send, chunks) = sync_channel(AT_A_TIME);
            let reader = scope.spawn(move || read(stream, encoder, repeated, done, &send));
            let (send, batches) = sync_channel(AT_A_TIME);
            let writer = scope.spawn(move || sink.take(&mut batches.into_iter(), pipe));
            let scored = self.all(&chunks, encoder, &send);
            drop((chunks, send));
            let read = reader.join().unwrap_or_else(|_| Err(Error::internal("reading the input failed")));
            let written = writer.join().unwrap_or_else(|_| Err(Error::internal("writing the scores failed")));
            // What was read says why there was nothing to score, and a writer that had to stop why nobody listened.
            read.and(scored).and(written)
        })
    }

    /// Scores chunks as they come, some at a time; the end is told only when all went well. When nobody takes the scores any
    /// more, the writer says why.
    fn all(&self, chunks: &Receiver<Result<Read>>, encoder: &RowEncoder, send: &SyncSender<Batch>) -> Result<()> {
        loop {
            let wave: Vec<Read> = chunks.iter().take(AT_A_TIME).collect::<Result<_>>()?;
            let is_last = wave.len() < AT_A_TIME;
            let batches: Vec<Result<Batch>> = wave.par_iter().map(|read| self.chunk(read, encoder)).collect();
            for batch in batches {
                if send.send(batch?).is_err() {
                    return Ok(());
                }
            }
            if is_last {
                let _ = send.send(Batch::End);
                return Ok(());
            }
        }
    }

    fn chunk(&self, read: &Read, encoder: &RowEncoder) -> Result<Batch> {
        let EncodedRows { n_read, person, features, unseen, rejected } =
            encoder.encode(&read.chunk, read.first, &read.repeated)?;
        let scores = self.scores(&features, &unseen)?;
        let facts = Facts { n_read, n_people: person.len() as u64, rejected, ..scores.facts };
        let places: Vec<Option<u32>> = (0..).map(Some).take(person.len()).collect();
        Ok(Batch::Rows(self.rows(person, &places, scores.scored)?, facts))
    }

    /// Scores people who are all known.
    pub(super) fn people(&self, people: &ToScore, sink: &mut Sink<'_>, pipe: &mut (dyn Write + Send)) -> Result<Facts> {
        std::thread::scope(|scope| {
            let (send, batches) = sync_channel(AT_A_TIME);
            let writer = scope.spawn(move || sink.take(&mut batches.into_iter(), pipe));
            let places: Vec<usize> = (0..people.person.len()).step_by(PEOPLE).collect();
            let scored: Result<()> = places.chunks(AT_A_TIME).try_for_each(|starts| {
                let batches: Result<Vec<Batch>> =
                    starts.par_iter().map(|&start| self.some_people(people, start)).collect();
                // When nobody takes the scores any more, the writer says why.
                batches.map(|batches| _ = batches.into_iter().all(|batch| send.send(batch).is_ok()))
            });
            if scored.is_ok() {
                let _ = send.send(Batch::End);
            }
            drop(send);
            let written = writer.join().unwrap_or_else(|_| Err(Error::internal("writing the scores failed")));
            scored.and(written)
        })
    }

    fn some_people(&self, people: &ToScore, start: usize) -> Result<Batch> {
        let end = (start + PEOPLE).min(people.person.len());
        let rows = &people.row[start..end];
        let eligible: Vec<u32> = rows.iter().flatten().copied().collect();
        let mut next = 0..;
        let places: Vec<Option<u32>> = rows.iter().map(|row| row.and_then(|_| next.next())).collect();
        let scores = self.scores(&people.features.take(&eligible), &[])?;
        let person: StringChunked = people.person[start..end].iter().map(|id| Some(id.as_str())).collect();
        let of_input = if start == 0 { of_input(people) } else { Facts::default() };
        let facts = Facts {
            n_people: places.len() as u64,
            n_read: of_input.n_read,
            rejected: of_input.rejected,
            ..scores.facts
        };
        Ok(Batch::Rows(self.rows(person, &places, scores.scored)?, facts))
    }

    fn scores(&self, features: &Table, unseen: &[u64]) -> Result<Scores> {
        let scored = if features.n_rows == 0 {
            crate::predict::bundle::Scored::default()
        } else {
            self.bundle.score_with(features, self.n_reasons)?
        };
        let tally = super::sketches(self.bundle).map(|sketches| {
            let mut tally = Tally::new(sketches);
            if features.n_rows > 0 {
                tally.add_features(sketches, &self.bundle.features, features, unseen);
            }
            tally.add_scores(sketches, &scored.propensity);
            tally
        });
        let facts = Facts {
            n_eligible: scored.propensity.len() as u64,
            sum: scored.propensity.iter().sum(),
            tally,
            ..Facts::default()
        };
        Ok(Scores { scored, facts })
    }

    /// `person, propensity, percentile, reason_1 …`; a place is where a person's score stands, if they have one.
    fn rows(
        &self,
        person: StringChunked,
        places: &[Option<u32>],
        mut scored: crate::predict::bundle::Scored,
    ) -> Result<DataFrame> {
        let of_places = |values: &[f64]| -> Vec<Option<f64>> {
            places.iter().map(|place| place.map(|place| values[place as usize])).collect()
        };
        let (propensity, percentile) = (of_places(&scored.propensity), of_places(&scored.percentile));
        let mut columns = vec![
            person.with_name("person".into()).into_column(),
            Series::new("propensity".into(), propensity).into_column(),
            Series::new("percentile".into(), percentile).into_column(),
        ];
        for which in 0..self.n_reasons {
            let reasons: StringChunked = places
                .iter()
                .map(|place| match place {
                    Some(place) => scored.reasons[*place as usize][which].take(),
                    None => (which == 0).then(|| NOT_ELIGIBLE.to_owned()),
                })
                .collect();
            columns.push(reasons.with_name(format!("reason_{}", which + 1).into()).into_column());
        }
        if let Some(ends) = &scored.ends {
            let (low, high): (Vec<f64>, Vec<f64>) = ends.iter().copied().unzip();
            columns.push(Series::new("propensity_low".into(), of_places(&low)).into_column());
            columns.push(Series::new("propensity_high".into(), of_places(&high)).into_column());
        } else if self.bundle.band.is_some() {
            columns.push(Series::new("propensity_low".into(), vec![None::<f64>; places.len()]).into_column());
            columns.push(Series::new("propensity_high".into(), vec![None::<f64>; places.len()]).into_column());
        }
        Ok(DataFrame::new(places.len(), columns)?)
    }
}

struct Scores {
    scored: crate::predict::bundle::Scored,
    facts: Facts,
}

/// What reading the whole input has told.
fn of_input(people: &ToScore) -> Facts {
    let mut facts = Facts { n_read: people.n_read, ..Facts::default() };
    for row in &people.rejected {
        let place = row.column.as_ref().map(|column| format!("{column}: ")).unwrap_or_default();
        *facts.rejected.entry(format!("{place}{}", row.reason)).or_default() += 1;
    }
    facts
}

/// Reads the chunks after the first `done` rows. What a pipe gives is read once: there, who was named before is remembered.
fn read(
    stream: &Stream,
    encoder: &RowEncoder,
    repeated: &[u64],
    done: u64,
    send: &SyncSender<Result<Read>>,
) -> Result<()> {
    let mut checked = stream.columns().is_some();
    let mut seen: HashSet<u64> = HashSet::new();
    let mut listening = true;
    let result = stream.read_from(done, &encoder.columns(), &mut |first, chunk| {
        if chunk.n_read() == 0 {
            return Ok(());
        }
        if !checked && let Chunk::Text(raw) = &chunk {
            encoder.check_names(stream.shown(), &raw.names)?;
            checked = true;
        }
        let repeated = if stream.is_file() {
            let end = first + chunk.n_read();
            let range = repeated.partition_point(|&row| row < first)..repeated.partition_point(|&row| row < end);
            repeated[range].to_vec()
        } else if encoder.has_ids() {
            let ids = encoder.ids(&chunk, first)?;
            let again = ids.iter().enumerate().filter(|(_, id)| id.is_some_and(|id| !seen.insert(id_hash(id))));
            again.map(|(row, _)| chunk.number(row, first)).collect()
        } else {
            Vec::new()
        };
        listening = send.send(Ok(Read { first, chunk, repeated })).is_ok();
        // Nobody listens: an error that is not told ends the reading.
        if listening { Ok(()) } else { Err(Error::internal("nobody takes the rows")) }
    });
    match result {
        Err(error) if listening => {
            // Whoever scores must not take what came so far for all.
            let _ = send.send(Err(Error::internal("the input was broken off")));
            Err(error)
        }
        _ => Ok(()),
    }
}
