//! Scores that were given before, against what has become of people since: what `clo models check` does.
//!
//! Each run over events keeps whom it scored, when, and how high, under `models/<prediction>/scores/`; `out/` may be deleted. What
//! `clo score` wrote is brought as files, each with the time it was scored as of. When the horizon of such scores is over by the end of the
//! data, their people are looked up in the stage history.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use polars::prelude::{
    Column, DataFrame, DataType, NamedFrom as _, PolarsError, PolarsResult, Series, TimeUnit, polars_err,
};

use super::Project;
use crate::error::{Error, Result, did_you_mean};
use crate::map::{self, Outcome, Stays, outcome};
use crate::predict::Scores;
use crate::predict::realised::{Adding, Matured, Realised};
use crate::rate::grouped;
use crate::source::{self, Data};
use crate::spec::{Prediction, Shape, Spec, Stage};
use crate::store::{self, models};
use crate::time::{DAY, Duration, Time};

/// Where in a prediction's folder of models its scores are kept.
const KEPT: &str = "scores";
/// How long scores are kept after their horizon.
const KEPT_FOR: Duration = Duration::days(2 * 365);

/// A file that `clo score` wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scored {
    /// The time it was scored as of.
    pub as_of: Time,
    /// The file.
    pub file: PathBuf,
}

/// Whom one cutoff scored, and how high.
struct Cutoff {
    at: Time,
    people: Vec<(String, f64)>,
}

/// Keeps whom a run scored at `cutoff`. The same cutoff has one file: the last run's.
pub(super) fn keep_scores(folder: &Path, cutoff: Time, horizon: Option<Duration>, scores: &Scores) -> Result<()> {
    let instants = Series::new("cutoff".into(), vec![cutoff.0; scores.person.len()]);
    let instants = instants.cast(&DataType::Datetime(TimeUnit::Microseconds, None))?;
    let columns = vec![
        Column::new("person".into(), &scores.person),
        instants.into(),
        Column::new("propensity".into(), &scores.propensity),
    ];
    let folder = folder.join(KEPT);
    store::write_frame(&folder.join(name(cutoff)), &mut DataFrame::new(scores.person.len(), columns)?)?;
    prune(&folder, horizon.unwrap_or_default());
    store::settle(&folder)
}

fn name(cutoff: Time) -> String {
    format!("{}.parquet", cutoff.to_string().replace(':', ""))
}

/// Keeps the files bounded, however often a job runs: of a week that is over the first scores, for two years after their horizon.
fn prune(folder: &Path, horizon: Duration) {
    const WEEK: i64 = 7 * DAY;
    let kept: Vec<(Time, PathBuf)> =
        models::files_in(folder).into_iter().filter_map(|file| Some((time_of(&file)?, file))).collect();
    let Some(newest) = kept.iter().map(|(at, _)| *at).max() else { return };
    let week = |at: Time| at.0.div_euclid(WEEK);
    let mut last = None;
    for (at, file) in kept {
        let is_first = last.replace(week(at)) != Some(week(at));
        let is_young = at.plus(horizon).plus(KEPT_FOR) >= newest;
        if !(is_young && (is_first || week(at) == week(newest))) {
            models::remove(&file);
        }
    }
}

/// The cutoff that the name of a file of scores tells.
fn time_of(file: &Path) -> Option<Time> {
    file.file_name()?.to_str()?.strip_suffix(".parquet")?.parse().ok()
}

/// What became of the people whom runs scored, for one prediction or all over events; or of those in files that `clo score` wrote,
/// which are of one prediction. What became of somebody in a snapshot is what its table says now.
///
/// # Errors
/// When there is no such prediction, a file does not hold scores, it is of other people, or the data cannot be read.
pub fn check(project: &Project, prediction: Option<&str>, files: &[Scored]) -> Result<Vec<Realised>> {
    let Project { spec, layout, .. } = project;
    if spec.shape() == Shape::Snapshot {
        if files.is_empty() {
            return Err(Error::usage("a snapshot has no times, and no run of it keeps scores").hint(
                "bring what `clo score` wrote before with --scores: its people are looked up in the table as it is now",
            ));
        }
        if spec.people.iter().any(|people| people.person.is_none()) {
            return Err(Error::usage("people are known by their row, and a row of another day is somebody else")
                .hint("name the column of their ids: person = \"…\""));
        }
    }
    let predictions = chosen(spec, prediction)?;
    let known = source::identity::State::read(&layout.models.join(super::phases::IDENTITY))?;
    let data = source::read_with(spec, &known)?;
    let stays = map::history(&data, spec)?;
    let known = Known { data: &data, stages: &spec.stages, stays: &stays };
    let of = |prediction: &&Prediction| {
        if !files.is_empty() {
            return brought(prediction, files, &known);
        }
        let kept = models::files_in(&layout.models.join(&prediction.name).join(KEPT));
        let found = known.since(prediction, kept.iter().map(|file| read_kept(file)))?;
        store::write_json(&layout.predict(&prediction.name).join("realised.json"), &found)?;
        Ok(found)
    };
    predictions.iter().map(of).collect()
}

fn chosen<'s>(spec: &'s Spec, name: Option<&str>) -> Result<Vec<&'s Prediction>> {
    let Some(name) = name else { return Ok(spec.predictions.iter().collect()) };
    let found = spec.predictions.iter().find(|prediction| prediction.name == name);
    found.map(|prediction| vec![prediction]).ok_or_else(|| {
        let error = Error::usage(format!("the spec has no prediction `{name}`"));
        match did_you_mean(name, spec.predictions.iter().map(|prediction| prediction.name.as_str())) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error,
        }
    })
}

/// What became of the people in files that somebody brought, cutoff by cutoff.
fn brought(prediction: &Prediction, files: &[Scored], known: &Known<'_>) -> Result<Realised> {
    let mut by_time: BTreeMap<Time, Vec<&Path>> = BTreeMap::new();
    for Scored { as_of, file } in files {
        by_time.entry(*as_of).or_default().push(file);
    }
    let found = known.since(prediction, by_time.iter().map(|(&at, files)| read_brought(at, files)))?;
    let refused = match &found {
        Realised { all: Some(_), .. } => return Ok(found),
        Realised { n_not_eligible: n @ 1.., .. } => {
            let from = prediction.from.iter().map(|&stage| known.stages[stage].name.as_str()).collect::<Vec<_>>();
            let message = format!(
                "none of the {} people scored who are in the data stood in {} then",
                grouped(*n),
                from.join(" or ")
            );
            Error::data(message).hint(format!(
                "are these the scores of `{}`, and as of that time? TIME=FILE says another",
                prediction.name
            ))
        }
        Realised { n_unknown: n @ 1.., .. } => {
            Error::data(format!("none of the {} people scored is in the data", grouped(*n)))
                .hint("are the files of another project, or of the data before ids were changed?")
        }
        Realised { n_immature: 1.., .. } => return Ok(found),
        _ => Error::data("nobody in these files has a propensity")
            .hint("`clo score` gives one to everybody who is eligible"),
    };
    Err(refused)
}

/// What is known now.
struct Known<'a> {
    data: &'a Data,
    stages: &'a [Stage],
    stays: &'a Stays,
}

impl Known<'_> {
    /// What became of the people of each cutoff, the earliest first.
    fn since(&self, prediction: &Prediction, cutoffs: impl Iterator<Item = Result<Cutoff>>) -> Result<Realised> {
        let Self { data, .. } = self;
        let mut adding = Adding::default();
        let (mut immature, mut n_unknown, mut n_not_eligible) = (Vec::new(), 0, 0);
        for cutoff in cutoffs {
            let Cutoff { at, people: scored } = cutoff?;
            let over = prediction.horizon.map(|horizon| at.plus(horizon));
            if let Some(over) = over.filter(|over| *over > data.end) {
                immature.push(over);
                continue;
            }
            let mut people = Vec::with_capacity(scored.len());
            for (id, propensity) in scored {
                let Ok(person) = data.people.ids.binary_search(&id) else {
                    n_unknown += 1;
                    continue;
                };
                let Some(attained) = self.attained(prediction, person, at, over) else {
                    n_not_eligible += 1;
                    continue;
                };
                people.push((u32::try_from(person).expect("people are fewer"), propensity, attained));
            }
            adding.add(Matured { cutoff: at, people });
        }
        let found = adding.finish(&prediction.name, prediction.horizon.map(|horizon| horizon.to_string()));
        let matures = immature.iter().min().map(Time::to_string);
        Ok(Realised { n_immature: immature.len(), matures, n_unknown, n_not_eligible, ..found })
    }

    /// Whether somebody moved from `at` until it is `over`; in a snapshot, until now. `None`: they could not have.
    fn attained(&self, prediction: &Prediction, person: usize, at: Time, over: Option<Time>) -> Option<bool> {
        let Self { data, stays, .. } = self;
        let Prediction { from, to, .. } = prediction;
        let stage = |row: usize| usize::from(stays.stage[row]);
        let Some(over) = over else {
            let stands = stays.of(person).next().map(stage)?;
            return (from.contains(&stands) || to.contains(&stands)).then(|| to.contains(&stands));
        };
        let stood = stays.at(person, at).map(stage)?;
        let became = || outcome(stays, person, at, over, data.end, from, to) == Outcome::Attained;
        from.contains(&stood).then(became)
    }
}

fn read_kept(file: &Path) -> Result<Cutoff> {
    let frame = store::read_frame(file)?;
    let damaged = |_| Error::data(format!("{} does not hold scores: delete it", file.display()));
    let at = source::instants(frame.column("cutoff").map_err(damaged)?, None)?.into_iter().flatten().next();
    Ok(Cutoff { at: at.unwrap_or(Time::NEVER), people: scores(&frame).map_err(damaged)? })
}

/// The scores in files that somebody brought, of one time.
fn read_brought(at: Time, files: &[&Path]) -> Result<Cutoff> {
    let mut people: Vec<(String, f64)> = Vec::new();
    for file in files {
        if !file.exists() {
            return Err(Error::data(format!("there is no file {}", file.display())).hint("check the path of --scores"));
        }
        let frame = source::one(file)?.frame;
        let refuse = |error: PolarsError| {
            Error::data(format!("{} does not hold scores: {}", file.display(), said(&error)))
                .hint("name a file that `clo score` wrote: it has the columns `person` and `propensity`")
        };
        people.extend(scores(&frame).map_err(refuse)?);
        if let Some((_, propensity)) = people.iter().find(|(_, propensity)| !(0.0..=1.0).contains(propensity)) {
            return Err(refuse(polars_err!(ComputeError: "a propensity of {propensity} is no probability")));
        }
    }
    people.sort_by(|a, b| a.0.cmp(&b.0));
    if people.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(Error::data(format!("somebody was scored twice as of {at}"))
            .hint("name each file once, and say TIME=FILE where files of one day are of several times"));
    }
    Ok(Cutoff { at, people })
}

/// What an error says, without its kind.
fn said(error: &PolarsError) -> String {
    let text = error.to_string();
    text.split_once(": ").map_or(text.clone(), |(_, said)| said.to_owned())
}

/// Everybody in a table of scores who has one.
fn scores(frame: &DataFrame) -> PolarsResult<Vec<(String, f64)>> {
    let column = |name: &str| {
        let lacks = || polars_err!(ColumnNotFound: "it has no column `{name}`");
        frame.get_column_index(name).map(|at| &frame.columns()[at]).ok_or_else(lacks)
    };
    let person = column("person")?.cast(&DataType::String)?;
    let propensity = column("propensity")?.strict_cast(&DataType::Float64)?;
    let scored = person.str()?.iter().zip(propensity.f64()?.iter());
    Ok(scored.filter_map(|(person, propensity)| Some((person?.to_owned(), propensity?))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_of_every_night_leaves_a_file_a_week_for_two_years_beyond_the_horizon() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let start: Time = "2024-01-04T06:30:00".parse().expect("a time");
        let horizon = Duration::days(90);
        for night in 0..3 * 365 {
            let at = start.plus(Duration::days(night));
            store::write_bytes(&folder.path().join(name(at)), b"").expect("written");
            prune(folder.path(), horizon);
        }
        let kept: Vec<Time> = models::files_in(folder.path()).iter().filter_map(|file| time_of(file)).collect();
        let newest = start.plus(Duration::days(3 * 365 - 1));
        // Weeks begin with nights 0, 7, …, 1092, and the 820 days before night 1094 with night 274: 280 to 1085 are 116 first nights of weeks
        // that are over; 1092 to 1094 are in one that is not.
        assert_eq!((kept.len(), kept.last()), (116 + 3, Some(&newest)));
        assert!(kept[0].plus(horizon).plus(KEPT_FOR) >= newest);
        let apart: Vec<f64> = kept.windows(2).map(|pair| pair[1].days_since(pair[0])).collect();
        assert!(apart[..116].iter().all(|days| (days - 7.0).abs() < 1e-9), "{apart:?}");
    }
}
