//! Scores that runs made before, against what has become of people since: what `clo models check` does.
//!
//! Each run over events keeps whom it scored, when, and how high, under `models/<prediction>/scores/`; `out/` may be deleted.
//! When the horizon of such scores is over by the end of the data, their people are looked up in the stage history.

use std::path::Path;

use polars::prelude::{Column, DataFrame, DataType, NamedFrom as _, Series, TimeUnit};

use super::Project;
use crate::error::{Error, Result, did_you_mean};
use crate::map::{self, Outcome, Stays, outcome};
use crate::predict::Scores;
use crate::predict::realised::{Matured, Realised, realised};
use crate::source::{self, Data};
use crate::spec::{Prediction, Shape, Spec};
use crate::store::{self, models};
use crate::time::Time;

/// Where in a prediction's folder of models its scores are kept.
const KEPT: &str = "scores";

/// Keeps whom a run scored at `cutoff`. The same cutoff has one file: the last run's.
pub(super) fn keep_scores(folder: &Path, cutoff: Time, scores: &Scores) -> Result<()> {
    let instants = Series::new("cutoff".into(), vec![cutoff.0; scores.person.len()]);
    let instants = instants.cast(&DataType::Datetime(TimeUnit::Microseconds, None))?;
    let columns = vec![
        Column::new("person".into(), &scores.person),
        instants.into(),
        Column::new("propensity".into(), &scores.propensity),
    ];
    let name = format!("{}.parquet", cutoff.to_string().replace(':', ""));
    let folder = folder.join(KEPT);
    store::write_frame(&folder.join(name), &mut DataFrame::new(scores.person.len(), columns)?)?;
    store::settle(&folder)
}

/// What became of the people whom earlier runs scored, for one prediction or all over events.
///
/// # Errors
/// When there is no such prediction, a file of scores is damaged, or the data cannot be read.
pub fn check(project: &Project, prediction: Option<&str>) -> Result<Vec<Realised>> {
    let Project { spec, layout, .. } = project;
    if spec.shape() == Shape::Snapshot {
        return Err(Error::usage("a snapshot has no times: what became of its people it does not say"));
    }
    let predictions = chosen(spec, prediction)?;
    let known = source::identity::State::read(&layout.models.join(super::phases::IDENTITY))?;
    let data = source::read_with(spec, &known)?;
    let stays = map::history(&data, spec)?;
    let of = |prediction: &&Prediction| {
        let folder = layout.models.join(&prediction.name).join(KEPT);
        let found = since(prediction, &folder, (&data, &stays))?;
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

fn since(prediction: &Prediction, folder: &Path, (data, stays): (&Data, &Stays)) -> Result<Realised> {
    let horizon = prediction.horizon.ok_or_else(|| Error::internal("a prediction over events has no horizon"))?;
    let (mut matured, mut n_immature, mut n_unknown) = (Vec::new(), 0, 0);
    for file in models::files_in(folder) {
        let (cutoff, scored) = read_scores(&file)?;
        let over = cutoff.plus(horizon);
        if over > data.end {
            n_immature += 1;
            continue;
        }
        let mut people = Vec::with_capacity(scored.len());
        for (id, propensity) in scored {
            let Ok(person) = data.people.ids.binary_search(&id) else {
                n_unknown += 1;
                continue;
            };
            let became = outcome(stays, person, cutoff, over, data.end, &prediction.from, &prediction.to);
            people.push((id, propensity, became == Outcome::Attained));
        }
        matured.push(Matured { cutoff, people });
    }
    Ok(realised(&prediction.name, &horizon.to_string(), &matured, (n_immature, n_unknown)))
}

fn read_scores(file: &Path) -> Result<(Time, Vec<(String, f64)>)> {
    let frame = store::read_frame(file)?;
    let damaged = |_| Error::data(format!("{} does not hold scores: delete it", file.display()));
    let texts = frame.column("person").and_then(|column| column.str().cloned()).map_err(damaged)?;
    let propensity = frame.column("propensity").and_then(|column| column.f64().cloned()).map_err(damaged)?;
    let cutoff = source::instants(frame.column("cutoff").map_err(damaged)?)?.into_iter().flatten().next();
    let scored = texts.iter().zip(propensity.iter());
    let scored = scored.filter_map(|(person, propensity)| Some((person?.to_owned(), propensity?))).collect();
    Ok((cutoff.unwrap_or(Time::NEVER), scored))
}
