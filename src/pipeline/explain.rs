//! One person's propensity, explained: what moved it, in which words, and what would have to change to move it.
//!
//! In: the examples that `clo discover` wrote and the model in use. Out: an [`Explanation`]. Contributions are in log odds, before
//! calibration: with the average they sum to the person's margin. (Of a blend they are the weighed sums of its models'.)

use serde::Serialize;

use super::Project;
use crate::discover::{self, Examples, Recipe};
use crate::error::{Error, Result, did_you_mean};
use crate::predict::Bundle;
use crate::predict::counterfactual::{Counterfactual, Scorer, counterfactual};
use crate::predict::reasons::{self, REASONS};
use crate::store::models;

/// Whom to explain.
#[derive(Debug, Clone)]
pub struct Job {
    /// The prediction; absent: the spec's only one.
    pub prediction: Option<String>,
    /// The person's id.
    pub person: String,
    /// The propensity that is wanted, above 0 and below 1.
    pub to: Option<f64>,
}

/// What is known of a person's propensity.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// The prediction.
    pub prediction: String,
    /// The model's version.
    pub version: String,
    /// Who.
    pub person: String,
    /// Where they stand.
    pub stage: String,
    /// Whether they could make the transition now; else the newest example of them is explained.
    pub is_eligible_now: bool,
    /// Calibrated probability of the transition.
    pub propensity: f64,
    /// Where it stands among those scored at training, 0–100.
    pub percentile: f64,
    /// The average margin, log odds before calibration.
    pub average: f64,
    /// The person's margin: the average and all contributions.
    pub margin: f64,
    /// Up to three reasons for a high propensity.
    pub reasons: [Option<String>; REASONS],
    /// Every feature, the one that moved the margin the most first.
    pub contributions: Vec<Contribution>,
    /// What would bring the propensity to the goal, where one was given.
    pub counterfactual: Option<Counterfactual>,
    /// What all of this does not say.
    pub caveat: &'static str,
}

/// What one feature did.
#[derive(Debug, Clone, Serialize)]
pub struct Contribution {
    /// The feature.
    pub feature: String,
    /// Its value, in words.
    pub told: String,
    /// How far it moved the margin away from the average, log odds.
    pub contribution: f64,
}

/// Explanations are about a model.
const CAVEAT: &str = "This tells what the model looks at, not what causes what: whether a change would make people act otherwise, only a trial with a holdout tells.";

/// Explains a person.
///
/// # Errors
/// When the prediction or the person is not known, nothing was predicted yet, or the goal cannot be sought.
pub fn explain(project: &Project, job: &Job) -> Result<Explanation> {
    let Project { spec, layout, .. } = project;
    let prediction = prediction(project, job.prediction.as_deref())?;
    if let Some(to) = job.to.filter(|to| !(*to > 0.0 && *to < 1.0)) {
        return Err(Error::usage(format!("--to {to} is no propensity to reach"))
            .hint("write a share between 0 and 1, such as 0.3 or 30%"));
    }
    let name = &prediction.name;
    let folder = layout.discover(name);
    if !folder.join("examples.parquet").is_file() || models::current(&layout.models, name).is_none() {
        return Err(Error::data(format!("nothing was predicted yet for `{name}`")).hint("run `clo predict` first"));
    }
    let version = models::find(&layout.models, name, models::CURRENT)?;
    let bundle = Bundle::load(&layout.models.join(name).join(&version))?;
    let (examples, recipe) = discover::read_examples(&folder)?;
    let row = newest_row(&examples, &job.person).ok_or_else(|| unknown(&examples, &job.person, name))?;
    let sought = match job.to {
        None => None,
        Some(_) if prediction.explained.actionable.is_empty() => {
            return Err(Error::spec(format!("prediction `{name}` says of no feature that it can be changed"))
                .hint("add to its [[predictions]]: actionable = { \"attr.price\" = \"down\" }")
                .at(spec
                    .predictions
                    .iter()
                    .position(|known| known.name == *name)
                    .and_then(|at| spec.excerpt(&format!("predictions[{at}]")))));
        }
        Some(goal) => {
            let scorer = Scorer { model: &bundle.model, calibration: &bundle.calibration };
            // Those whom the person is compared with are those who could move now.
            let others = examples.eligible_now();
            let mut rows = vec![row];
            rows.extend(others.into_iter().filter(|&other| other != row));
            let people = examples.features.take(&rows);
            Some(counterfactual(scorer, &people, 0, &prediction.explained.actionable, goal)?)
        }
    };
    explained(&bundle, version, &examples, &recipe, row, sought)
}

fn explained(
    bundle: &Bundle,
    version: String,
    examples: &Examples,
    recipe: &Recipe,
    row: u32,
    counterfactual: Option<Counterfactual>,
) -> Result<Explanation> {
    let table = &examples.features;
    let propensity = bundle.propensities(table, &[row])?[0];
    let contributions = bundle.model.contributions(table, &[row])?;
    let margin = contributions.average + contributions.values.iter().sum::<f64>();
    let names = bundle.model.features();
    let told = reasons::told(&names, table, row, &bundle.dates());
    let mut moved: Vec<Contribution> = names
        .iter()
        .zip(told)
        .zip(contributions.values)
        .map(|((feature, told), contribution)| Contribution { feature: (*feature).to_owned(), told, contribution })
        .collect();
    moved.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()).then_with(|| a.feature.cmp(&b.feature)));
    let reasons = reasons::reasons(&bundle.model, table, &[row], &bundle.dates(), &bundle.same)?;
    let at = row as usize;
    Ok(Explanation {
        prediction: bundle.prediction.clone(),
        version,
        person: examples.ids[examples.person[at] as usize].clone(),
        stage: examples.stages.get(usize::from(examples.stage[at])).cloned().unwrap_or_default(),
        is_eligible_now: recipe.snapshot || examples.eligible_now().contains(&row),
        propensity,
        percentile: bundle.percentile(propensity),
        average: contributions.average,
        margin,
        reasons: reasons.into_iter().next().unwrap_or_default(),
        contributions: moved,
        counterfactual,
        caveat: CAVEAT,
    })
}

fn prediction<'a>(project: &'a Project, named: Option<&str>) -> Result<&'a crate::spec::Prediction> {
    let known = &project.spec.predictions;
    let names = || known.iter().map(|prediction| prediction.name.as_str());
    match (named, known.as_slice()) {
        (None, [only]) => Ok(only),
        (None, []) => Err(Error::spec("this spec has no prediction").hint("add [[predictions]] to clo.toml")),
        (None, _) => Err(Error::usage("there are several predictions")
            .hint(format!("name one with --prediction: {}", names().collect::<Vec<_>>().join(", ")))),
        (Some(named), _) => known.iter().find(|prediction| prediction.name == named).ok_or_else(|| {
            let error = Error::usage(format!("there is no prediction `{named}`"));
            match did_you_mean(named, names()) {
                Some(meant) => error.hint(format!("is it `{meant}`?")),
                None => error.hint(format!("there are {}", names().collect::<Vec<_>>().join(", "))),
            }
        }),
    }
}

/// The last example of a person: rows stand by cutoff.
fn newest_row(examples: &Examples, person: &str) -> Option<u32> {
    let position = examples.ids.binary_search_by(|id| id.as_str().cmp(person)).ok()?;
    let row = examples.person.iter().rposition(|&of| of as usize == position)?;
    u32::try_from(row).ok()
}

fn unknown(examples: &Examples, person: &str, prediction: &str) -> Error {
    let error = Error::usage(format!("`{prediction}` has no example of a person `{person}`"));
    match did_you_mean(person, examples.ids.iter().take(100_000).map(String::as_str)) {
        Some(meant) => error.hint(format!("is it `{meant}`?")),
        None => error.hint("ids are those of scores.parquet; people who never stood in a stage that the prediction starts from are not in it"),
    }
}
