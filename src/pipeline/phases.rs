//! The real work of each unit: what it needs from the units before it comes from memory if they have just made it, else
//! from their artifacts; what no later unit needs is dropped at once.

use std::path::PathBuf;
use std::sync::Arc;

use super::advance::{Work, is_of_audience};
use super::inputs::InputFile;
use super::realised;
use super::trials::TrialFile;
use super::units::Task;
use crate::discover::{self, Examples, Leaks, Recipe};
use crate::error::{Error, Result};
use crate::expand;
use crate::map::{self, Stays};
use crate::predict::fairness::Fairness;
use crate::predict::search::Journal;
use crate::predict::{self, Predicted};
use crate::report;
use crate::source::{self, Data, Events};
use crate::spec::{Audience, Prediction, Spec, Uplift};
use crate::store::{self, Key, Layout, manifest, models};
use crate::time::Time;

/// What each cell of the lifecycle table is read from: drawn up with the map.
const CATALOGUE: &str = "discover/catalogue.json";
/// How much the audiences have in common.
const OVERLAP: &str = "expand/overlap.parquet";
/// Where among the models it is kept who was who: out/ may be deleted, people keep their ids.
pub(super) const IDENTITY: &str = "identity";

/// The phases over one spec.
#[derive(Debug)]
pub struct Phases<'a> {
    spec: &'a Spec,
    layout: &'a Layout,
    inputs: Vec<InputFile>,
    data: Option<Data>,
    /// Whether the task asks what the columns of the tables hold.
    is_profiled: bool,
    stays: Option<Stays>,
    examples: Option<(usize, Examples, Recipe)>,
}

impl<'a> Phases<'a> {
    /// The phases over a spec and its input files; nothing is read yet.
    #[must_use]
    pub fn new(spec: &'a Spec, layout: &'a Layout, inputs: Vec<InputFile>) -> Self {
        Self { spec, layout, inputs, data: None, is_profiled: false, stays: None, examples: None }
    }

    fn source(&mut self) -> Result<Vec<manifest::Input>> {
        let (spec, layout) = (self.spec, self.layout);
        let data = self.data()?;
        let days = discover::calendar(&data.events);
        let findings = discover::findings(data, spec, &days)?;
        discover::write_findings(&layout.file("discover"), data, &findings, &days)?;
        let kept = layout.models.join(IDENTITY);
        let data = self.data.as_mut().expect("it was just read");
        std::mem::take(&mut data.resolved).keep(&kept)?;
        discover::gate(&findings, spec)?;
        Ok(data.inputs.iter().map(|input| recorded(input, spec)).collect())
    }

    fn map(&mut self) -> Result<()> {
        let (spec, layout) = (self.spec, self.layout);
        let data = self.data()?;
        let (stays, lint) = map::stages(data, spec)?;
        map::write_stages(&stays, &lint, data, spec, layout)?;
        discover::write_catalogue(&layout.file(CATALOGUE), data, spec, &stays)?;
        self.stays = Some(stays);
        Ok(())
    }

    fn kpis(&mut self) -> Result<()> {
        let (spec, layout) = (self.spec, self.layout);
        self.data()?;
        self.load_stays()?;
        let (Some(data), Some(stays)) = (&self.data, &self.stays) else { unreachable!("both were just loaded") };
        map::write_measured(&map::measure(data, spec, stays)?, data, spec, layout)
    }

    fn discover(&mut self, position: usize) -> Result<()> {
        let (spec, layout) = (self.spec, self.layout);
        let prediction = &spec.predictions[position];
        self.examples = None;
        self.data()?;
        self.load_stays()?;
        let (Some(data), Some(stays)) = (&self.data, &self.stays) else { unreachable!("both were just loaded") };
        let (mut examples, mut recipe) = discover::examples(data, stays, spec, prediction)?;
        let folder = layout.discover(&prediction.name);
        let signals = discover::signals(&examples, &recipe);
        discover::write_signals(&folder, &signals)?;
        let leaks = discover::leaks(&signals, prediction);
        store::write_json(&folder.join("leaks.json"), &leaks)?;
        discover::leave_out(&mut examples, &mut recipe, &leaks, prediction)?;
        let enough = discover::enough(&examples, &signals, data, stays, spec, prediction);
        store::write_json(&folder.join("enough.json"), &enough)?;
        discover::write_examples(&folder, &examples, &recipe)?;
        if let Some(protected) = discover::protected(data, spec, &prediction.explained.protected, &examples)? {
            discover::write_protected(&folder, &examples, &protected)?;
        }
        self.examples = Some((position, examples, recipe));
        Ok(())
    }

    fn predict(&mut self, position: usize) -> Result<()> {
        let (spec, layout) = (self.spec, self.layout);
        let prediction = &spec.predictions[position];
        let made = self.examples.take().filter(|(of, ..)| *of == position);
        let (examples, recipe) = match made {
            Some((_, examples, recipe)) => (examples, recipe),
            None => discover::read_examples(&layout.discover(&prediction.name))?,
        };
        let file = layout.predict(&prediction.name).join("trials.json");
        let key = search_key(spec.seed, prediction, layout)?;
        let trials = Arc::new(TrialFile::open(file, key, prediction.model.search));
        let journal: Arc<dyn Journal> = trials.clone();
        let context = context(spec, prediction, &recipe, self.layout)?;
        let predicted = predict::predict_with(&examples, prediction, &context, &journal)?;
        let fairness = fairness(&predicted, &examples, prediction, spec.seed, layout)?;
        let insight = predict::insight::insight(&examples, &predicted.tested, spec.seed)?;
        insight.write(&layout.predict(&prediction.name))?;
        let cutoff = examples.cutoff.iter().max().copied().filter(|_| !examples.snapshot);
        drop(examples);
        trials.finish(&predicted.trials)?;
        if let Some(cutoff) = cutoff {
            let folder = layout.models.join(&prediction.name);
            realised::keep_scores(&folder, Time(cutoff), prediction.horizon, &predicted.scores)?;
        }
        keep(&predicted, fairness.as_ref(), &prediction.name, layout)
    }

    fn uplift(&mut self, uplift: &Uplift) -> Result<()> {
        let (spec, layout) = (self.spec, self.layout);
        let trial = discover::trial(self.data()?, spec, uplift)?;
        let done = predict::uplift::uplift(&trial, uplift, spec.seed)?;
        let folder = layout.uplift(&uplift.name);
        store::write_frame(&folder.join("scores.parquet"), &mut done.scores.to_frame()?)?;
        store::write_json(&folder.join("evaluation.json"), &done.evaluation)
    }

    fn expand(&mut self, audience: &Audience) -> Result<Vec<manifest::Input>> {
        let (spec, layout) = (self.spec, self.layout);
        let scores = match &audience.prediction {
            Some(prediction) => Some(expand::Scores::read(&layout.predict(prediction).join("scores.parquet"))?),
            None => None,
        };
        let earlier = expand::earlier(&layout.expand(&audience.name))?;
        self.data()?;
        if audience.seed.is_some() {
            self.load_stays()?;
        }
        let Some(data) = &self.data else { unreachable!("it was just loaded") };
        let previous = match audience.max_turnover {
            Some(_) => expand::Previous::read(&layout.expand(&audience.name))?,
            None => None,
        };
        let previous = previous.as_ref();
        let model = spec.ranking(audience).and_then(|ranking| models::current(&layout.models, &ranking.name));
        let listed = audience.contacting.not_in.iter().map(|other| expand::Listed::read(layout, other));
        let listed = listed.collect::<Result<Vec<_>>>()?;
        let context = expand::Context {
            spec,
            end: data.end,
            identities: &data.identities,
            previous,
            model: model.as_deref(),
            events: &data.events,
            listed: &listed,
            earlier: &earlier,
        };
        let expanded = match (&self.stays, &scores) {
            (Some(stays), scores) if audience.seed.is_some() => {
                let known = expand::Known { data, stays, scores: scores.as_ref() };
                expand::lookalikes(audience, &known, &context)?
            }
            (_, Some(scores)) => {
                let ranking = expand::Ranking::of_scores(audience, scores, &data.people, &context)?;
                expand::expand(audience, &ranking, &data.people, &context)?
            }
            _ => by_uplift(audience, data, &context, layout)?,
        };
        drop(scores);
        expand::write(&expanded, layout)?;
        let read = self.inputs.iter().filter(|input| is_of_audience(&input.name, &audience.name));
        Ok(read.filter_map(InputFile::recorded).collect())
    }

    fn overlap(&self) -> Result<()> {
        let listed = self.spec.audiences.iter().map(|audience| expand::Listed::read(self.layout, &audience.name));
        let mut overlap = expand::overlap(&listed.collect::<Result<Vec<_>>>()?)?;
        store::write_frame(&self.layout.file(OVERLAP), &mut overlap)
    }

    fn data(&mut self) -> Result<&Data> {
        if self.data.is_none() {
            let known = source::identity::State::read(&self.layout.models.join(IDENTITY))?;
            let read = if self.is_profiled { source::read_with } else { source::read_unprofiled };
            self.data = Some(read(self.spec, &known)?);
        }
        Ok(self.data.as_ref().expect("it was just read"))
    }

    fn load_stays(&mut self) -> Result<()> {
        let (spec, layout) = (self.spec, self.layout);
        if self.stays.is_none() {
            let data = self.data()?;
            self.stays = Some(map::read_history(layout, &data.people, spec, &data.events.kinds)?);
        }
        Ok(())
    }

    /// Drops what none of the tasks that are left needs: memory is what bounds the size of data.
    fn forget(&mut self, left: &[Task]) {
        let asks_events = |audience: usize| {
            let audience = &self.spec.audiences[audience];
            audience.seed.is_some() || audience.contacting.asks_events()
        };
        let needs_events = left.iter().any(|task| match task {
            Task::Source | Task::Map | Task::Kpis | Task::Discover(_) => true,
            Task::Expand(audience) => asks_events(*audience),
            Task::Lifecycle | Task::Predict(_) | Task::Uplift(_) | Task::Overlap | Task::Report => false,
        });
        let needs_people = needs_events || left.iter().any(|task| matches!(task, Task::Uplift(_) | Task::Expand(_)));
        if !needs_events {
            self.stays = None;
            self.data.iter_mut().for_each(|data| data.events = Events::default());
        }
        if !needs_people && let Some(data) = self.data.take() {
            // A million texts take a while to give back: nobody waits for it.
            rayon::spawn(move || drop(data));
        }
        self.examples.take_if(|(of, ..)| !left.contains(&Task::Predict(*of)));
    }
}

impl Work for Phases<'_> {
    fn run(&mut self, task: Task, left: &[Task]) -> Result<Vec<manifest::Input>> {
        let spec = self.spec;
        let nothing_read = |()| Vec::new();
        // Both come before all others, so that what was read without a profile needs none.
        self.is_profiled = matches!(task, Task::Source | Task::Map);
        let read = match task {
            Task::Source => self.source(),
            Task::Map => self.map().map(nothing_read),
            Task::Kpis => self.kpis().map(nothing_read),
            Task::Lifecycle => map::write_lifecycle(spec, self.layout).map(nothing_read),
            Task::Discover(i) => self
                .discover(i)
                .map(nothing_read)
                .map_err(|error| named(error, "prediction", &spec.predictions[i].name)),
            Task::Predict(i) => {
                self.predict(i).map(nothing_read).map_err(|error| named(error, "prediction", &spec.predictions[i].name))
            }
            Task::Uplift(i) => {
                let uplift = &spec.uplifts[i];
                self.uplift(uplift).map(nothing_read).map_err(|error| named(error, "uplift", &uplift.name))
            }
            Task::Expand(i) => {
                let audience = &spec.audiences[i];
                self.expand(audience).map_err(|error| named(error, "audience", &audience.name))
            }
            Task::Overlap => self.overlap().map(nothing_read),
            Task::Report => report::write(spec, self.layout).map(nothing_read),
        }?;
        self.forget(left);
        Ok(read)
    }

    fn places(&self, task: Task) -> Vec<PathBuf> {
        const OF_SOURCE: [&str; 7] = [
            "discover/profile.parquet",
            "discover/calendar.parquet",
            "discover/identities.parquet",
            "discover/identity_edges.parquet",
            "discover/identity_log.parquet",
            "discover/rejected.parquet",
            "discover/issues.json",
        ];
        let layout = self.layout;
        match task {
            Task::Source => OF_SOURCE.iter().map(|file| layout.file(file)).collect(),
            Task::Map => ["map/stage_history.parquet", "map/lint.json", CATALOGUE].map(|file| layout.file(file)).into(),
            Task::Kpis => {
                let tables = map::statistics::TABLES.iter().map(|table| layout.file(format!("map/{table}.parquet")));
                tables.chain([layout.file("map/transitions.parquet"), layout.file("map/kpis.json")]).collect()
            }
            Task::Lifecycle => vec![layout.file("map/lifecycle.json")],
            Task::Discover(i) => vec![layout.discover(&self.spec.predictions[i].name)],
            Task::Predict(i) => {
                let name = &self.spec.predictions[i].name;
                vec![layout.predict(name), layout.models.join(name)]
            }
            Task::Uplift(i) => vec![layout.uplift(&self.spec.uplifts[i].name)],
            Task::Expand(i) => vec![layout.expand(&self.spec.audiences[i].name)],
            Task::Overlap => vec![layout.file(OVERLAP)],
            Task::Report => vec![layout.file("report.html"), layout.file("report.xlsx")],
        }
    }
}

/// The audience whom an uplift ranks; where it ranks no better than chance, the audience says so.
fn by_uplift(
    audience: &Audience,
    data: &Data,
    context: &expand::Context<'_>,
    layout: &Layout,
) -> Result<expand::Expanded> {
    let Some(name) = &audience.uplift else {
        return Err(Error::internal("the audience has neither a prediction, a seed nor an uplift"));
    };
    let folder = layout.uplift(name);
    let scores = predict::uplift::Scores::read(&folder.join("scores.parquet"))?;
    let ranking = expand::Ranking::of_uplift(audience, &scores, &data.people, context)?;
    let mut expanded = expand::expand(audience, &ranking, &data.people, context)?;
    let evaluation: predict::uplift::Evaluation = store::read_json(&folder.join("evaluation.json"))?;
    if !evaluation.beats_random {
        expanded.summary.warnings.push(format!("Uplift {name}: {}", evaluation.sentence));
    }
    Ok(expanded)
}

/// Says whose work failed, unless the message does.
fn named(error: Error, what: &str, name: &str) -> Error {
    let name = format!("{what} `{name}`");
    if error.message().contains(&name) { error } else { error.context(name) }
}

fn context(spec: &Spec, prediction: &Prediction, recipe: &Recipe, layout: &Layout) -> Result<predict::Context> {
    let named = |stages: &[usize]| stages.iter().map(|&stage| spec.stages[stage].name.clone()).collect();
    let recipe = serde_json::to_value(recipe).map_err(|error| Error::internal(format!("the recipe: {error}")))?;
    let leaks: Leaks = store::read_json(&layout.discover(&prediction.name).join("leaks.json"))?;
    Ok(predict::Context {
        warnings: leaks.warnings(),
        from: named(&prediction.from),
        to: named(&prediction.to),
        horizon: prediction.horizon.map(|horizon| horizon.to_string()),
        seed: spec.seed,
        recipe,
    })
}

/// All that the trials of a search depend on, as one hash; where nothing is searched, nothing is looked up by it.
fn search_key(seed: u64, prediction: &Prediction, layout: &Layout) -> Result<String> {
    let key = Key::new("search").with("model", &prediction.model).with("seed", &seed);
    if prediction.model.search.is_none() {
        return Ok(key.finish());
    }
    let path = layout.discover(&prediction.name).join("examples.parquet");
    let examples = store::read_bytes(&path).map_err(|source| Error::io("read", &path, &source))?;
    Ok(key.with("examples", &blake3::hash(&examples)).finish())
}

/// How the groups of the protected attributes fare, where the prediction names some.
fn fairness(
    predicted: &Predicted,
    examples: &Examples,
    prediction: &Prediction,
    seed: u64,
    layout: &Layout,
) -> Result<Option<Fairness>> {
    let folder = layout.discover(&prediction.name);
    let protected = discover::read_protected(&folder, &prediction.explained.protected)?;
    let of = |table| predict::fairness::fairness(&prediction.name, examples, &table, &predicted.tested, seed);
    protected.map(of).transpose()
}

/// Writes evaluation and scores, keeps the model as a version, and puts it in use.
fn keep(predicted: &Predicted, fairness: Option<&Fairness>, prediction: &str, layout: &Layout) -> Result<()> {
    let Predicted { bundle, evaluation, scores, drift, judged, .. } = predicted;
    let folder = layout.predict(prediction);
    store::write_json(&folder.join("evaluation.json"), evaluation)?;
    store::write_frame(&folder.join("scores.parquet"), &mut scores.to_frame()?)?;
    store::write_frame(&folder.join("metrics.parquet"), &mut predict::tables::metrics(evaluation)?)?;
    store::write_frame(&folder.join("slices.parquet"), &mut predict::tables::slices(evaluation)?)?;
    store::write_frame(&folder.join("sizes.parquet"), &mut predict::tables::sizes(evaluation)?)?;
    if let Some(drift) = drift {
        store::write_json(&folder.join("drift.json"), drift)?;
    }
    let mut card = predict::card(bundle, evaluation);
    if let Some(fairness) = fairness {
        card += &fairness.card();
        store::write_json(&folder.join("fairness.json"), fairness)?;
        store::write_frame(&folder.join("fairness.parquet"), &mut fairness.to_frame()?)?;
    }
    let mut on_test = Vec::new();
    store::fill_frame(&mut on_test, &mut judged.to_frame()?)
        .map_err(|error| Error::internal(format!("the judged examples: {error}")))?;
    let others = [
        ("card.md", card.into_bytes()),
        ("card.json", store::json(&predict::card_data(bundle, evaluation))?),
        ("evaluation.json", store::json(evaluation)?),
        (models::JUDGED, on_test),
    ];
    let version = models::keep(&layout.models, prediction, &bundle.to_bytes()?, &others)?;
    models::promote(&layout.models, prediction, &version)
}

fn recorded(input: &crate::source::Input, spec: &Spec) -> manifest::Input {
    manifest::Input {
        name: format!("tables.{}", input.table),
        path: manifest::shown(&spec.root.join(&input.path), &spec.root),
        bytes: input.bytes,
        blake3: input.blake3.clone(),
        rows: Some(input.rows),
        rejected: Some(input.rejected),
    }
}
