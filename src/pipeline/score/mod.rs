//! A bundle on new data, without a spec: the batch job's door.
//!
//! A snapshot goes through in batches: one thread reads, all others turn rows into features and scores ([`stream`]), one writes
//! ([`sink`]); memory does not grow with the file. Events are read whole, for a person's may stand anywhere; their people are
//! scored in batches like those of a snapshot. A long job keeps what is done in parts beside its output and, broken off, goes on
//! from there.

mod facts;
mod sink;
mod stream;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

pub use crate::source::Format;
pub use crate::store::Form;

use super::recent;
use crate::discover::{self, NewData, Recipe, RowEncoder};
use crate::error::{Error, Kind, Result};
use crate::predict::Bundle;
use crate::predict::drift::{Drift, Sketches};
use crate::predict::recent::Correction;
use crate::store::{self, models};
use crate::time::Time;
use facts::Facts;
use sink::{Place, Sink};
use stream::Scorer;

/// The path that means the program's input, or its output.
pub const PIPE: &str = "-";

/// What to score, with what, and where to write.
#[derive(Debug, Clone)]
pub struct Job {
    /// The bundle's folder, or a file that names it.
    pub model: PathBuf,
    /// The people table of a snapshot, or the events; [`PIPE`]: the program's input, for a snapshot.
    pub input: PathBuf,
    /// What the input is, when its name does not tell.
    pub input_format: Option<Format>,
    /// The people table beside the events.
    pub people: Option<PathBuf>,
    /// The cutoff; what happened at or after it is not looked at.
    pub as_of: Option<Time>,
    /// Where the scores go; [`PIPE`]: the program's output.
    pub output: PathBuf,
    /// How they are written, when its name does not tell.
    pub output_format: Option<Form>,
    /// Reasons per person, 0–3.
    pub n_reasons: usize,
    /// Where the drift report goes, if anywhere.
    pub report: Option<PathBuf>,
    /// The stability index from which on a feature or the score that drifted fails the job.
    pub fail_on_drift: Option<f64>,
    /// Rows of a part: a job of more keeps its parts until it is done.
    pub part_rows: u64,
    /// Recent outcomes, by which the level of the propensities is corrected.
    pub recent: Option<PathBuf>,
}

/// What was scored.
#[derive(Debug, Clone, Serialize)]
pub struct Done {
    /// The bundle's folder.
    pub model: String,
    /// The cutoff: what happened at or after it was not looked at. Absent for a snapshot, which has no times.
    pub as_of: Option<String>,
    /// How many people the input holds.
    pub n_people: u64,
    /// How many of them could make the transition, and have a propensity.
    pub n_eligible: u64,
    /// The mean propensity of these.
    pub mean_propensity: Option<f64>,
    /// How many rows of the input were not used, by reason.
    pub rejected: BTreeMap<String, u64>,
    /// Rows that an earlier job, broken off, had done.
    pub n_resumed: u64,
    /// Where the scores are.
    pub output: String,
    /// How far the people are from those of training; absent for a model that carries no sketches.
    pub drift: Option<Drift>,
    /// What recent outcomes changed, where they were given.
    pub correction: Option<Correction>,
    /// What to know of the level of the propensities, where no recent outcomes were given.
    pub moved: Option<String>,
}

/// Scores every person of the input: a snapshot in the order of its rows, people known by their events by id. Who does not
/// stand in a stage that the transition starts from has no propensity, and the first reason says so. `pipe` is where scores for
/// [`PIPE`] go.
///
/// # Errors
/// When the bundle or the input cannot be read or do not fit each other, or the output cannot be written;
/// [`Kind::Quality`] when the people have drifted as far as the job forbids: the scores stand.
pub fn score(job: &Job, pipe: &mut (dyn Write + Send)) -> Result<Done> {
    let place = Place::of(&job.output, job.output_format)?;
    let folder = models::resolve(&job.model)?;
    let mut bundle = Bundle::load(&folder)?;
    if job.fail_on_drift.is_some() && bundle.sketches.is_none() {
        return Err(Error::data("the model carries no sketches of its training, and drift cannot be told")
            .hint("train it again with `clo predict`, or leave --fail-on-drift out"));
    }
    let recipe: Recipe = serde_json::from_value(bundle.recipe.clone())
        .map_err(|error| Error::data(format!("{}: the recipe is damaged: {error}", folder.display())))?;
    let correction = job.recent.as_ref().map(|file| recent::correct(&mut bundle, &recipe, job, file)).transpose()?;
    let scorer = Scorer::new(&bundle, job.n_reasons);
    let (facts, n_resumed, as_of) = if recipe.snapshot {
        let (facts, n_resumed) = snapshot(job, &recipe, &scorer, &place, pipe)?;
        (facts, n_resumed, None)
    } else {
        let (facts, as_of) = events(job, &recipe, &scorer, &place, pipe)?;
        (facts, 0, Some(as_of.to_string()))
    };
    let drift = facts.tally.as_ref().zip(bundle.sketches.as_ref());
    let drift = drift.map(|(tally, sketches)| Drift::new(sketches, &bundle.features, tally));
    if let (Some(report), Some(drift)) = (&job.report, &drift) {
        store::write_json(report, drift)?;
    }
    if let (Some(most), Some(drift)) = (job.fail_on_drift, &drift) {
        refuse_drift(drift, most)?;
    }
    Ok(Done {
        model: folder.display().to_string(),
        as_of,
        n_people: facts.n_people,
        n_eligible: facts.n_eligible,
        mean_propensity: facts.mean_propensity(),
        rejected: facts.rejected,
        n_resumed,
        output: job.output.display().to_string(),
        drift,
        moved: bundle.moved.filter(|_| correction.is_none()),
        correction,
    })
}

fn snapshot(
    job: &Job,
    recipe: &Recipe,
    scorer: &Scorer<'_>,
    place: &Place,
    pipe: &mut (dyn Write + Send),
) -> Result<(Facts, u64)> {
    if job.people.is_some() {
        return Err(Error::usage("this model looks at no events: --people has nothing to add")
            .hint("give the table of people as --input"));
    }
    let stream = discover::open_rows(&job.input, job.input_format, recipe)?;
    let mut encoder = RowEncoder::new(recipe, job.as_of);
    if let Some(columns) = stream.columns() {
        encoder.check(stream.shown(), columns)?;
    }
    let repeated = if stream.is_file() { encoder.look_at_ids(&stream)? } else { Vec::new() };
    let mut sink = Sink::open(job, place, &stream, scorer.bundle)?;
    let done = sink.n_done();
    let facts = scorer.stream(&stream, &encoder, &repeated, &mut sink, pipe)?;
    Ok((facts, done))
}

fn events(
    job: &Job,
    recipe: &Recipe,
    scorer: &Scorer<'_>,
    place: &Place,
    pipe: &mut (dyn Write + Send),
) -> Result<(Facts, Time)> {
    if job.input == Path::new(PIPE) || job.people.as_deref() == Some(Path::new(PIPE)) {
        return Err(Error::usage(
            "this model looks at events, and a person's may stand anywhere: it cannot read a pipe",
        )
        .hint("write the events into a file, and name it with --input"));
    }
    let new = NewData { input: &job.input, people: job.people.as_deref(), as_of: job.as_of };
    let people = discover::to_score(recipe, new).map_err(without_spec)?;
    let facts = scorer.people(&people, &mut Sink::whole(place), pipe)?;
    Ok((facts, people.as_of))
}

/// There is no spec at this door: a column that is not there is missing in the data.
fn without_spec(error: Error) -> Error {
    match error.kind() {
        Kind::Spec => error
            .of_kind(Kind::Data)
            .hint("a model reads events from the columns person, time, event and their properties, people from person and attributes"),
        _ => error,
    }
}

fn refuse_drift(drift: &Drift, most: f64) -> Result<()> {
    let beyond: Vec<String> =
        drift.beyond(most).map(|moved| format!("`{}` (PSI {:.3})", moved.feature, moved.psi)).collect();
    if beyond.is_empty() {
        return Ok(());
    }
    let shown = beyond.iter().take(10).cloned().collect::<Vec<_>>().join(", ");
    let more = if beyond.len() > 10 { format!(" and {} more", beyond.len() - 10) } else { String::new() };
    let error = Error::new(Kind::Quality, format!("these people are not those of training: {shown}{more}"));
    Err(error.hint("the scores were written; look at the drift report, and train the model again on newer data"))
}

/// The sketches of a bundle, where it carries some.
fn sketches(bundle: &Bundle) -> Option<&Sketches> {
    bundle.sketches.as_ref()
}
