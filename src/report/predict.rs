//! Section 3: what each model is worth, first in a sentence, then in charts, then in figures for data scientists.

use crate::predict::Evaluation;
use crate::predict::evaluation::Measured;
use crate::report::explained::{self, Explained, Found};
use crate::report::read::Results;
use crate::report::table::Table;
use crate::report::uplift::{self, Uplift};
use crate::report::workbook::Sheets;
use crate::report::{Figure, charts, metrics, svg, words};
use crate::spec;

/// Features shown on the page; the workbook has all.
const N_FEATURES: usize = 12;
/// Groups of people shown on the page; the workbook has all.
const N_SEGMENTS: usize = 30;

/// What the section shows.
pub(super) struct Section {
    pub(super) predictions: Vec<Prediction>,
    /// Those that have run.
    pub(super) uplifts: Vec<Uplift>,
}

/// A prediction: its question, and its results when there are any.
pub(super) struct Prediction {
    pub(super) name: String,
    pub(super) question: String,
    pub(super) results: Option<Worth>,
}

/// What a model is worth.
pub(super) struct Worth {
    pub(super) headline: Option<Headline>,
    /// What its AUC means.
    pub(super) ranking: Option<String>,
    pub(super) warnings: Vec<String>,
    pub(super) figures: Vec<Figure>,
    pub(super) importance: Table,
    /// What the values of features do, which go together, and how groups fare.
    pub(super) explained: Explained,
    pub(super) estimator: String,
    pub(super) chosen_because: String,
    pub(super) how: Vec<(&'static str, String)>,
    pub(super) candidates: Table,
    pub(super) metrics: Table,
    pub(super) segments: Table,
    pub(super) sizes: Table,
    pub(super) learning: Table,
    /// What acting on the scores brings, in a sentence.
    pub(super) profit: Option<String>,
}

/// The result in people rather than percent.
pub(super) struct Headline {
    pub(super) of: String,
    pub(super) best: String,
    pub(super) range: String,
    pub(super) random: String,
    pub(super) goal: String,
    /// A hundred dots for the best tenth and at random, when a hundred people are enough to see a difference.
    pub(super) dots: Option<(String, String)>,
}

impl Section {
    /// Whether a model was evaluated yet.
    pub(super) fn ran(&self) -> bool {
        self.predictions.iter().any(|prediction| prediction.results.is_some()) || !self.uplifts.is_empty()
    }

    /// Each prediction in a sentence: whose it is, and what it says.
    pub(super) fn short(&self) -> Vec<(String, String)> {
        let sentence = |prediction: &Prediction| {
            let headline = prediction.results.as_ref()?.headline.as_ref()?;
            Some((prediction.name.clone(), headline.sentence()))
        };
        let uplifts = self.uplifts.iter().map(|uplift| (uplift.name.clone(), uplift.sentence.clone()));
        self.predictions.iter().filter_map(sentence).chain(uplifts).collect()
    }
}

impl Headline {
    fn sentence(&self) -> String {
        let Self { of, best, random, goal, .. } = self;
        format!("Of {of} people picked from the top tenth, about {best} will {goal}; picked at random, {random} would.")
    }
}

/// What a prediction asks.
pub(super) fn question(spec: &spec::Spec, prediction: &spec::Prediction) -> String {
    let names = |stages: &[usize]| {
        stages.iter().filter_map(|&i| spec.stages.get(i)).map(|stage| stage.name.clone()).collect::<Vec<_>>()
    };
    let horizon = prediction.horizon.map(|horizon| horizon.to_string());
    format!(
        "Who of the people in the stage {} will {}?",
        words::any_of(&names(&prediction.from)),
        goal(&names(&prediction.to), horizon.as_deref())
    )
}

/// `reach repeat within 90 days`.
pub(super) fn goal(to: &[String], horizon: Option<&str>) -> String {
    let within = horizon.map(|horizon| format!(" within {}", words::duration(horizon))).unwrap_or_default();
    format!("reach {}{within}", words::any_of(to))
}

/// The section, and its sheets.
pub(super) fn section(spec: &spec::Spec, results: &Results, sheets: &mut Sheets) -> Section {
    let one = |(i, (prediction, evaluation)): (usize, (&spec::Prediction, &Option<Evaluation>))| Prediction {
        name: prediction.name.clone(),
        question: question(spec, prediction),
        results: evaluation.as_ref().map(|evaluation| worth(i, evaluation, results.explained.get(i), sheets)),
    };
    let predictions = spec.predictions.iter().zip(&results.evaluations).enumerate().map(one).collect();
    let uplifts = results.uplifts.iter().enumerate().map(|(i, found)| uplift::uplift(i, found, sheets)).collect();
    Section { predictions, uplifts }
}

fn worth(i: usize, evaluation: &Evaluation, found: Option<&Found>, sheets: &mut Sheets) -> Worth {
    let base = base_rate(evaluation);
    let (lift, gain) = (charts::lift(i, evaluation, base), charts::gain(i, evaluation));
    let figures = [lift, gain, charts::calibration(i, evaluation), charts::cutoffs(i, evaluation)];
    let (candidates, segments) = (metrics::candidates(evaluation), metrics::segments(evaluation));
    let importance = metrics::importance(evaluation);
    for (sheet, table) in [
        ("Metrics", &metrics::metrics(evaluation)),
        ("Deciles", &metrics::deciles(evaluation)),
        ("Cutoffs", &metrics::at_cutoffs(evaluation)),
        ("Importance", &importance),
        ("Candidates", &candidates),
        ("Segments", &segments),
        ("Sizes", &metrics::sizes(evaluation)),
        ("Learning", &metrics::learning(evaluation)),
    ] {
        sheets.add(sheet, &table.of("Prediction", &evaluation.prediction));
    }
    let explained =
        found.map_or_else(Explained::default, |found| explained::explained(i, &evaluation.prediction, found, sheets));
    Worth {
        explained,
        headline: headline(i, evaluation, base),
        ranking: ranking(evaluation),
        warnings: evaluation.warnings.clone(),
        figures: figures.into_iter().flatten().collect(),
        importance: importance.head(N_FEATURES),
        estimator: evaluation.estimator.clone(),
        chosen_because: evaluation.chosen_because.clone(),
        how: how(evaluation),
        candidates,
        metrics: metrics::metrics_by_row(evaluation),
        segments: metrics::segments_in_short(evaluation).head(N_SEGMENTS),
        sizes: metrics::sizes(evaluation),
        learning: metrics::learning(evaluation),
        profit: profit(evaluation),
    }
}

/// The share that attains among the examples the model was judged on.
fn base_rate(evaluation: &Evaluation) -> Option<f64> {
    evaluation.splits.get("test")?.base_rate.share()
}

fn headline(i: usize, evaluation: &Evaluation, base: Option<f64>) -> Option<Headline> {
    let (base, best) = (base?, evaluation.deciles.first()?);
    let share = best.rate.share()?;
    let of = words::of_how_many(base);
    let people = |share: f64| words::number(share * f64::from(of), 0);
    let dots = (of == 100).then(|| {
        let dots =
            |which: &str, share: f64, title: &str| svg::dots(&format!("dots-{which}-{i}"), hundred(share), title);
        let best_title = format!("{} of 100 people picked from the top tenth", hundred(share));
        (
            dots("best", share, &best_title),
            dots("random", base, &format!("{} of 100 people picked at random", hundred(base))),
        )
    });
    Some(Headline {
        of: words::number(f64::from(of), 0),
        best: people(share),
        range: format!("{} to {}", people(best.rate_low), people(best.rate_high)),
        random: people(base),
        goal: goal(&evaluation.to, evaluation.horizon.as_deref()),
        dots,
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a hundred is 0 to 100")]
fn hundred(share: f64) -> u32 {
    (100.0 * share).round().clamp(0.0, 100.0) as u32
}

fn ranking(evaluation: &Evaluation) -> Option<String> {
    let auc = evaluation.splits.get("test")?.roc_auc?;
    let cases = |share: f64| words::number(100.0 * share, 0);
    Some(format!(
        "Shown someone who moved on and someone who did not, the model ranks the right one higher in {} of 100 cases \
         ({} to {}; a coin would in 50). Data scientists call this an AUC of {}.",
        cases(auc.value),
        cases(auc.low),
        cases(auc.high),
        words::number(auc.value, 3),
    ))
}

fn profit(evaluation: &Evaluation) -> Option<String> {
    let profit = evaluation.profit.as_ref()?;
    let (best, advised) = (profit.best_share?, profit.advised_share?);
    let money = |measured: Measured| {
        format!(
            "{} ({} to {})",
            words::number(measured.value, 0),
            words::number(measured.low, 0),
            words::number(measured.high, 0)
        )
    };
    Some(format!(
        "Where reaching one person costs {} and a transition is worth {}, reaching those whose propensity pays for it ({} of the \
         people) brings {} for every 1,000 people; reaching everyone would bring {}. In hindsight the best list was the first {} \
         ({} to {}), with {}: nobody knows that beforehand.",
        words::number(profit.cost, 2),
        words::number(profit.value, 2),
        words::percent(advised.value),
        money(profit.at_advised?),
        money(profit.everyone?),
        words::percent(best.value),
        words::percent(best.low),
        words::percent(best.high),
        money(profit.at_best?),
    ))
}

fn how(evaluation: &Evaluation) -> Vec<(&'static str, String)> {
    let outcomes: Vec<String> =
        evaluation.outcomes.iter().map(|(outcome, &n)| format!("{} {outcome}", words::count(n))).collect();
    let mut how = vec![("Validation", evaluation.validation_scheme.clone())];
    how.push(("Calibration", evaluation.calibration.clone()));
    if let Some(learning) = &evaluation.learning {
        how.push(("More data", learning.sentence.clone()));
    }
    how.push(("Features", evaluation.n_features.to_string()));
    how.push(("Examples", outcomes.join(", ")));
    how.retain(|(_, text)| !text.is_empty());
    how
}
