//! The results of a campaign against its holdout: what `clo measure` does.
//!
//! The list is the one that `clo expand` wrote, with its `summary.json` beside it, or a kept copy of that folder. The campaign
//! starts when the list was made and ends with the prediction's horizon, unless told otherwise. Written are
//! `out/measure/<audience>/measure.json` and `looks.json`, which remembers every look.

use std::path::{Path, PathBuf};

use polars::prelude::PlSmallStr;
use serde::{Deserialize, Serialize};

use super::{Project, phases};
use crate::discover::{self, Cells};
use crate::error::{Error, Result, did_you_mean};
use crate::expand::Summary;
use crate::expand::measure::{
    self, Columns, Covariate, FORMAT_VERSION, FileUsed, List, Look, Measurement, Names, Outcomes, Question, Reached,
    Segment, Span,
};
use crate::source::{self, Data, Identity, OneTable};
use crate::spec::Audience;
use crate::store::{self, Fingerprint, lock};
use crate::time::{Duration, Time};

/// Covariates beside the propensity, at most: the strongest signals of the prediction.
const MOST_COVARIATES: usize = 20;

/// What to measure, and with what.
#[derive(Debug, Clone, Default)]
pub struct Job {
    /// The audience's name.
    pub audience: String,
    /// What became of people.
    pub outcomes: PathBuf,
    /// Which of its columns hold what.
    pub columns: Columns,
    /// The `audience.parquet` that went out; default: the one in the output folder.
    pub list: Option<PathBuf>,
    /// When the campaign started; default: when the list was made.
    pub since: Option<Time>,
    /// When it ended; default: one horizon later.
    pub until: Option<Time>,
    /// The people who were reached.
    pub matched: Option<PathBuf>,
    /// Or the share of them, above 0 and up to 1.
    pub match_rate: Option<f64>,
    /// What the campaign cost.
    pub cost: Option<f64>,
    /// Attributes to part people by.
    pub segments: Vec<String>,
    /// Whether the interval must hold for every look.
    pub sequential: bool,
}

/// `looks.json`.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Looks {
    format_version: u32,
    looks: Vec<Look>,
}

/// Measures a campaign, and writes what it came to.
///
/// # Errors
/// When the audience, its list or its holdout is not there, or a file cannot be read or means nobody.
pub fn measure(project: &Project, job: &Job) -> Result<Measurement> {
    let audience = audience(project, &job.audience)?;
    let campaign = Campaign::open(project, audience, job)?;
    let file = open(&job.outcomes, "--outcomes")?;
    let matched = job.matched.as_ref().map(|path| open(path, "--matched")).transpose()?;
    let people = People::read(project, job, &campaign.list, &file, matched.as_ref())?;
    let shown = job.outcomes.display().to_string();
    let list = (&campaign.list, &people.names);
    let outcomes = measure::outcomes((&file.frame, &shown), &job.columns, list, campaign.span)?;
    let named = |(file, path): (&OneTable, &PathBuf)| measure::named((&file.frame, &path.display().to_string()), list);
    let matched = matched.as_ref().zip(job.matched.as_ref()).map(named).transpose()?;
    let reached = match (&matched, job.match_rate) {
        (Some(people), _) => Reached::People(people),
        (None, Some(share)) => Reached::Share(share),
        (None, None) => Reached::Everyone,
    };
    let covariates = covariates(project, audience, &campaign)?;
    let summary = campaign.summary.as_ref();
    let mut measurement = measure::measure(&Question {
        audience: &audience.name,
        list: &campaign.list,
        outcomes: &outcomes,
        holdout_share: summary.map(|summary| summary.holdout_share),
        power: summary.and_then(|summary| summary.power.as_ref()),
        covariates: &covariates,
        segments: &people.segments,
        reached,
        cost: job.cost.or_else(|| cost(audience, &campaign.list)),
        sequential: job.sequential,
    })?;
    measurement.warnings.extend(still_running(&outcomes, campaign.span));
    measurement.since = campaign.span.start.map(|start| start.to_string());
    measurement.until = campaign.span.end.map(|end| end.to_string());
    measurement.file = FileUsed { path: shown, blake3: file.input.blake3 };
    keep(project, &campaign.list_blake3, job.sequential, measurement)
}

fn audience<'p>(project: &'p Project, name: &str) -> Result<&'p Audience> {
    let audiences = &project.spec.audiences;
    audiences.iter().find(|audience| audience.name == name).ok_or_else(|| {
        let names: Vec<&str> = audiences.iter().map(|audience| audience.name.as_str()).collect();
        let error = Error::usage(format!("--audience: the spec has no audience `{name}`"));
        match (did_you_mean(name, names.iter().copied()), names.is_empty()) {
            (Some(near), _) => error.hint(format!("did you mean `{near}`?")),
            (None, false) => error.hint(format!("there are: {}", names.join(", "))),
            (None, true) => error.hint("add [[audiences]] with a holdout, and run `clo run`"),
        }
    })
}

/// The list that went out, and when.
struct Campaign {
    list: List,
    list_blake3: String,
    summary: Option<Summary>,
    span: Span,
}

impl Campaign {
    fn open(project: &Project, audience: &Audience, job: &Job) -> Result<Self> {
        let told = job.list.clone().unwrap_or_else(|| project.layout.expand(&audience.name));
        let path = &if told.is_dir() || job.list.is_none() { told.join("audience.parquet") } else { told };
        if !path.exists() {
            let error = Error::data(format!("there is no list {}", path.display()));
            return Err(
                error.hint("`clo expand` makes the list of the audience; keep a copy of its folder when it goes out")
            );
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        let summary = folder.join("summary.json").exists().then(|| Summary::read(folder)).transpose()?;
        let made = summary.as_ref().and_then(|summary| summary.as_of.as_ref()?.parse().ok());
        let horizon: Option<Duration> = summary.as_ref().and_then(|summary| summary.horizon.as_ref()?.parse().ok());
        let start = job.since.or(made);
        let end = job.until.or_else(|| Some(start?.plus(horizon?)));
        if let Some((start, end)) = start.zip(end).filter(|(start, end)| start >= end) {
            return Err(Error::usage(format!("the campaign ends at {end}, and starts at {start}"))
                .hint("let --until be after --since"));
        }
        Ok(Self {
            list: List::read(path)?,
            list_blake3: Fingerprint::of(path)?.blake3,
            summary,
            span: Span { start, end },
        })
    }
}

fn open(path: &Path, flag: &str) -> Result<OneTable> {
    if !path.exists() {
        let error = Error::data(format!("there is no file {}", path.display()));
        return Err(error.hint(format!("check the path of {flag}")));
    }
    source::one(path)
}

/// What the people of the list are called, and the attributes that part them.
struct People {
    names: Names,
    segments: Vec<Segment>,
}

impl People {
    /// Reads the project's tables only where ids alone do not do.
    fn read(
        project: &Project,
        job: &Job,
        list: &List,
        outcomes: &OneTable,
        matched: Option<&OneTable>,
    ) -> Result<Self> {
        let names = Names::of(list, &identities(project)?);
        let is_unknown = |file: &OneTable, told| Ok::<bool, Error>(names.n_meant(&file.frame, told)? == 0);
        let by_contact = is_unknown(outcomes, job.columns.person.as_deref())?
            || matched.map_or(Ok(false), |file| is_unknown(file, None))?;
        if !by_contact && job.segments.is_empty() {
            return Ok(Self { names, segments: Vec::new() });
        }
        let kept = source::identity::State::read(&project.layout.models.join(phases::IDENTITY))?;
        let data = source::read_with(&project.spec, &kept)?;
        let names = if by_contact { names.with_contacts(list, &data.people)? } else { names };
        let segments: Result<Vec<Segment>> = job.segments.iter().map(|name| segment(name, list, &data)).collect();
        Ok(Self { names, segments: segments? })
    }
}

/// Ids that people had before identity resolution.
fn identities(project: &Project) -> Result<Vec<Identity>> {
    let path = project.layout.file("discover/identities.parquet");
    if !path.exists() {
        return Ok(Vec::new());
    }
    let frame = store::read_frame(&path)?;
    let text = |name: &str| -> Result<Vec<String>> {
        let column = frame.column(name)?.cast(&polars::prelude::DataType::String)?;
        Ok(column.str()?.iter().map(|text| text.unwrap_or_default().to_owned()).collect())
    };
    let (person, table, id, why) = (text("person")?, text("table")?, text("id")?, text("why")?);
    let rows = person.into_iter().zip(table).zip(id).zip(why);
    Ok(rows.map(|(((person, table), id), why)| Identity { person, table, id, why }).collect())
}

fn segment(name: &str, list: &List, data: &Data) -> Result<Segment> {
    let attributes = &data.people.attributes;
    let column = attributes.column(name).map_err(|_| {
        let known: Vec<&str> = attributes.get_column_names().into_iter().map(PlSmallStr::as_str).collect();
        let error = Error::usage(format!("--by: people have no attribute `{name}`"));
        match did_you_mean(name, known.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("there are: {}", known.join(", "))),
        }
    })?;
    let texts = column.cast(&polars::prelude::DataType::String)?;
    let texts = texts.str()?;
    let value = |id: &String| texts.get(data.people.row(data.people.find(id)?, data.end)?).map(str::to_owned);
    Ok(Segment { attribute: name.to_owned(), values: list.person.iter().map(value).collect() })
}

/// The strongest numeric features of the prediction, as they were when the list was made; none when the examples have been made
/// again since: they would know what came after.
fn covariates(project: &Project, audience: &Audience, campaign: &Campaign) -> Result<Vec<Covariate>> {
    let Some(prediction) = &audience.prediction else { return Ok(Vec::new()) };
    let folder = project.layout.discover(prediction);
    let Some(summary) = campaign.summary.as_ref().filter(|_| folder.join("examples.parquet").exists()) else {
        return Ok(Vec::new());
    };
    let (examples, _) = discover::read_examples(&folder)?;
    let rows = examples.eligible_now();
    let now = rows.first().map(|&row| Time(examples.cutoff[row as usize]).to_string());
    if now != summary.as_of && !examples.snapshot {
        return Ok(Vec::new());
    }
    let position: std::collections::HashMap<&str, usize> =
        campaign.list.person.iter().enumerate().map(|(at, id)| (id.as_str(), at)).collect();
    let place = |&row: &u32| position.get(examples.ids[examples.person[row as usize] as usize].as_str()).copied();
    let places: Vec<Option<usize>> = rows.iter().map(place).collect();
    let strongest = store::read_frame(&folder.join("signals.parquet"))?;
    let names = strongest.column("feature")?.str()?.clone();
    let covariate = |name: &str| match &examples.features.column(name)?.cells {
        Cells::Number(numbers) => {
            let mut values = vec![f64::NAN; campaign.list.person.len()];
            for (&row, place) in rows.iter().zip(&places) {
                if let Some(at) = place {
                    values[*at] = f64::from(numbers[row as usize]);
                }
            }
            Some(Covariate { name: name.to_owned(), values })
        }
        Cells::Category { .. } => None,
    };
    Ok(names.iter().flatten().filter_map(covariate).take(MOST_COVARIATES).collect())
}

/// What reaching everybody of the target group costs, when the audience says what one costs.
fn cost(audience: &Audience, list: &List) -> Option<f64> {
    let n_target = list.group.iter().filter(|group| group.name() == "target").count();
    Some(audience.cost? * n_target as f64)
}

/// Says when the outcomes end before the campaign does.
fn still_running(outcomes: &Outcomes, span: Span) -> Option<String> {
    let (end, last) = (span.end?, outcomes.used.last.as_ref()?.parse::<Time>().ok()?);
    (end.days_since(last) > 1.0 + 0.1 * span.start.map_or(0.0, |start| end.days_since(start))).then(|| {
        format!(
            "The last outcome is of {last}, and outcomes count until {}: what is expected is expected until then.",
            end.at_last_event()
        )
    })
}

/// Writes the measurement, and remembers that somebody looked.
fn keep(project: &Project, list_blake3: &str, sequential: bool, mut measurement: Measurement) -> Result<Measurement> {
    let folder = project.layout.measure(&measurement.audience);
    let _lock = lock::acquire(&project.layout.out, "clo measure")?;
    let path = folder.join("looks.json");
    let earlier: Looks = if path.exists() { store::read_json(&path)? } else { Looks::default() };
    measure::look(&mut measurement, list_blake3, earlier.looks, sequential);
    store::write_json(&path, &Looks { format_version: FORMAT_VERSION, looks: measurement.looks.clone() })?;
    store::write_json(&folder.join("measure.json"), &measurement)?;
    store::settle(&folder)?;
    Ok(measurement)
}
