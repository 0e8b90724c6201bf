//! A bundle on new data, without a spec: the batch job's door.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use polars::prelude::{Column, DataFrame};
use serde::Serialize;

use super::recent;
use crate::discover::{self, NewData, Recipe, ToScore};
use crate::error::{Error, Kind, Result};
use crate::predict::Bundle;
use crate::predict::bundle::Scored;
use crate::predict::recent::Correction;
use crate::source::Rejected;
use crate::store::{self, models};
use crate::time::Time;

/// What to score, with what, and where to write.
#[derive(Debug, Clone)]
pub struct Job {
    /// The bundle's folder, or a file that names it.
    pub model: PathBuf,
    /// The people table of a snapshot, or the events.
    pub input: PathBuf,
    /// The people table beside the events.
    pub people: Option<PathBuf>,
    /// The cutoff; what happened at or after it is not looked at.
    pub as_of: Option<Time>,
    /// Where the scores go: `.csv` or `.parquet`.
    pub output: PathBuf,
    /// Recent outcomes, by which the level of the propensities is corrected.
    pub recent: Option<PathBuf>,
}

/// What was scored.
#[derive(Debug, Clone, Serialize)]
pub struct Done {
    /// The bundle's folder.
    pub model: String,
    /// How many people the input holds.
    pub n_people: usize,
    /// How many of them could make the transition, and have a propensity.
    pub n_eligible: usize,
    /// The mean propensity of these.
    pub mean_propensity: Option<f64>,
    /// How many rows of the input were not used, by reason.
    pub rejected: BTreeMap<String, u64>,
    /// Where the scores are.
    pub output: String,
    /// What recent outcomes changed, where they were given.
    pub correction: Option<Correction>,
    /// What to know of the level of the propensities, where no recent outcomes were given.
    pub moved: Option<String>,
}

/// Scores every person of the input: a snapshot in the order of its rows, people known by their events by id. Who does not
/// stand in a stage that the transition starts from has no propensity, and the first reason says so.
///
/// # Errors
/// When the bundle or the input cannot be read or do not fit each other, or the output cannot be written.
pub fn score(job: &Job) -> Result<Done> {
    let form = Form::of(&job.output)?;
    let folder = models::resolve(&job.model)?;
    let mut bundle = Bundle::load(&folder)?;
    let new = NewData { input: &job.input, people: job.people.as_deref(), as_of: job.as_of };
    let recipe: Recipe = serde_json::from_value(bundle.recipe.clone())
        .map_err(|error| Error::data(format!("{}: the recipe is damaged: {error}", folder.display())))?;
    let correction = job.recent.as_ref().map(|file| recent::correct(&mut bundle, &recipe, job, file)).transpose()?;
    let to_score = discover::to_score(&recipe, new).map_err(without_spec)?;
    let scored = bundle.score(&to_score.features)?;
    let rows = Rows { people: &to_score, scored: &scored };
    match form {
        Form::Csv => write_csv(&job.output, &rows)?,
        Form::Parquet => store::write_frame(&job.output, &mut frame(&rows)?)?,
    }
    Ok(Done {
        model: folder.display().to_string(),
        n_people: to_score.person.len(),
        n_eligible: scored.propensity.len(),
        mean_propensity: mean(&scored.propensity),
        rejected: by_reason(&to_score.rejected),
        output: job.output.display().to_string(),
        moved: bundle.moved.filter(|_| correction.is_none()),
        correction,
    })
}

fn by_reason(rejected: &[Rejected]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for row in rejected {
        let place = row.column.as_ref().map(|column| format!("{column}: ")).unwrap_or_default();
        *counts.entry(format!("{place}{}", row.reason)).or_default() += 1;
    }
    counts
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

/// What the first reason says of people who could not make the transition.
const NOT_ELIGIBLE: &str = "not eligible: in no stage that the transition starts from";

/// The rows of the output: a person each.
struct Rows<'a> {
    people: &'a ToScore,
    scored: &'a Scored,
}

impl Rows<'_> {
    /// A value of each person's score; `None` for those who have none.
    fn numbers<'s>(&'s self, values: &'s [f64]) -> impl Iterator<Item = Option<f64>> + 's {
        self.people.row.iter().map(|row| row.map(|row| values[row as usize]))
    }

    /// The interval of the propensity of the person at a place.
    fn ends(&self, place: usize) -> Option<(f64, f64)> {
        let row = self.people.row[place]?;
        Some(self.scored.ends.as_ref()?[row as usize])
    }

    fn reasons(&self, which: usize) -> impl Iterator<Item = Option<&str>> {
        self.people.row.iter().map(move |row| match row {
            Some(row) => self.scored.reasons[*row as usize][which].as_deref(),
            None => (which == 0).then_some(NOT_ELIGIBLE),
        })
    }
}

enum Form {
    Csv,
    Parquet,
}

impl Form {
    fn of(path: &Path) -> Result<Self> {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("csv") => Ok(Self::Csv),
            Some("parquet") => Ok(Self::Parquet),
            _ => Err(Error::usage(format!("{} is neither a .csv nor a .parquet file", path.display()))
                .hint("end the name of --output with .csv or .parquet")),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of people fit a double's 53 bits")]
fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Columns that a model with intervals adds.
const ENDS: [&str; 2] = ["propensity_low", "propensity_high"];
const COLUMNS: [&str; 6] = ["person", "propensity", "percentile", "reason_1", "reason_2", "reason_3"];

fn write_csv(path: &Path, rows: &Rows<'_>) -> Result<()> {
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    let scores = rows.numbers(&rows.scored.propensity).zip(rows.numbers(&rows.scored.percentile));
    let reasons = rows.reasons(0).zip(rows.reasons(1)).zip(rows.reasons(2));
    store::write_with(path, |file| {
        let fail = |error: csv::Error| Error::data(format!("cannot write {}: {error}", path.display()));
        let mut writer = csv::Writer::from_writer(file);
        let has_ends = rows.scored.ends.is_some();
        let ends = if has_ends { ENDS.as_slice() } else { &[] };
        writer.write_record(COLUMNS.iter().chain(ends)).map_err(fail)?;
        for (place, ((person, (propensity, percentile)), ((first, second), third))) in
            rows.people.person.iter().zip(scores).zip(reasons).enumerate()
        {
            let (propensity, percentile) = (number(propensity), number(percentile));
            let [first, second, third] = [first, second, third].map(Option::unwrap_or_default);
            let mut record = vec![person.as_str(), &propensity, &percentile, first, second, third];
            let (low, high) =
                rows.ends(place).map(|(low, high)| (low.to_string(), high.to_string())).unwrap_or_default();
            if has_ends {
                record.extend([low.as_str(), high.as_str()]);
            }
            writer.write_record(record).map_err(fail)?;
        }
        writer.flush().map_err(|source| Error::io("write", path, &source))
    })
}

fn frame(rows: &Rows<'_>) -> Result<DataFrame> {
    let number = |values| rows.numbers(values).collect::<Vec<Option<f64>>>();
    let reasons = |which| rows.reasons(which).collect::<Vec<Option<&str>>>();
    let mut columns = vec![
        Column::new(COLUMNS[0].into(), &rows.people.person),
        Column::new(COLUMNS[1].into(), number(&rows.scored.propensity)),
        Column::new(COLUMNS[2].into(), number(&rows.scored.percentile)),
        Column::new(COLUMNS[3].into(), reasons(0)),
        Column::new(COLUMNS[4].into(), reasons(1)),
        Column::new(COLUMNS[5].into(), reasons(2)),
    ];
    if rows.scored.ends.is_some() {
        let ends = |which: fn((f64, f64)) -> f64| {
            (0..rows.people.row.len()).map(|place| rows.ends(place).map(which)).collect::<Vec<Option<f64>>>()
        };
        columns.push(Column::new(ENDS[0].into(), ends(|(low, _)| low)));
        columns.push(Column::new(ENDS[1].into(), ends(|(_, high)| high)));
    }
    Ok(DataFrame::new(rows.people.person.len(), columns)?)
}
