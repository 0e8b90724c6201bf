//! Models of XGBoost (JSON) and LightGBM (text) as bundles that `clo score` takes.
//!
//! The document is checked as any bundle is: lengths, links, numbers, depth. It must be one sum of trees for a binary outcome on the
//! logistic scale. Its features become attributes of a snapshot, by name; a number is read in single precision, as XGBoost does. A
//! category's levels are the texts that the file tells (XGBoost since 3.1 in `cats`, LightGBM in `pandas_categorical`), else its
//! codes; a level that is not among them is missing. What the model is worth here is not known: it is
//! calibrated as it was, and percentiles stand against nobody.

use hessboost::model::{BoostedModel, ModelFormat};

use super::bundle::{Bundle, FORMAT_VERSION, TrainedOn, percentile_reference};
use super::calibration::Calibrator;
use super::estimator::{Fitted, Settings};
use super::trees::{Feature, TreeModel, TreeSettings};
use super::xgboost::{Document, MOST_DEPTH};
use crate::discover::{self, Attribute, AttributeValues, Recipe};
use crate::error::{Error, Result};

/// What a file of another program becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<'a> {
    /// The name of the prediction.
    pub prediction: &'a str,
    /// The column of the person's id; absent: the row's number.
    pub person: Option<&'a str>,
}

/// Trees from another program, and what their columns are.
struct Foreign {
    estimator: &'static str,
    trees: BoostedModel,
    offset: f64,
    names: Vec<String>,
    /// For each column the texts of its codes, if it is a category.
    levels: Vec<Option<Vec<(String, f32)>>>,
}

/// A bundle out of the bytes of an XGBoost or LightGBM model.
///
/// # Errors
/// When the bytes are neither, or not a sound sum of trees for a binary outcome.
pub fn import(bytes: &[u8], named: &Named<'_>) -> Result<Bundle> {
    let foreign = match ModelFormat::detect(bytes) {
        Some(ModelFormat::XgboostJson) => xgboost(bytes)?,
        Some(ModelFormat::LightgbmText) => lightgbm(bytes)?,
        _ => {
            return Err(Error::data("this is neither a model of XGBoost in JSON nor one of LightGBM as text")
                .hint("save it with booster.save_model(\"model.json\"), or booster.save_model(\"model.txt\")"));
        }
    };
    bundle(foreign, named)
}

fn xgboost(bytes: &[u8]) -> Result<Foreign> {
    let document: Document =
        serde_json::from_slice(bytes).map_err(|error| Error::data(format!("the XGBoost model is damaged: {error}")))?;
    binary(&document.learner.objective.name, "binary:logistic")?;
    let n_features = document.n_features()?;
    let names = if document.learner.feature_names.is_empty() {
        // Every column costs a name: a file cannot ask for more of them than it has splits to look at.
        if n_features > bytes.len() {
            return Err(Error::data("the XGBoost model is damaged: it names more features than it could use"));
        }
        (0..n_features).map(|at| format!("f{at}")).collect()
    } else {
        document.learner.feature_names.clone()
    };
    let categorical = document.categorical(n_features.min(names.len()));
    let levels = |(at, is_category): (usize, bool)| -> Result<Option<Vec<(String, f32)>>> {
        let told = document.learner.feature_types.get(at).is_some_and(|kind| kind == "c");
        if !told && !is_category {
            return Ok(None);
        }
        let texts = document.levels(at)?;
        Ok(Some(texts.map_or_else(|| document.codes(at), coded)))
    };
    let levels: Result<Vec<_>> = categorical.into_iter().enumerate().map(levels).collect();
    let base = document.base_score()?;
    // As XGBoost does it, in single precision.
    let offset = f64::from(-libm::logf(1.0 / base - 1.0));
    Ok(Foreign { estimator: "xgboost", names, levels: levels?, offset, trees: document.into_model()? })
}

fn lightgbm(bytes: &[u8]) -> Result<Foreign> {
    let damaged = |what: &dyn std::fmt::Display| Error::data(format!("the LightGBM model is damaged: {what}"));
    let text = std::str::from_utf8(bytes).map_err(|error| damaged(&error))?;
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    let objective = value("objective").unwrap_or_default();
    binary(objective.split(' ').next().unwrap_or_default(), "binary")?;
    let trees = BoostedModel::decode(bytes, ModelFormat::LightgbmText).map_err(|error| damaged(&error))?;
    if trees.trees().iter().any(|tree| tree.depth() > MOST_DEPTH || tree.linear_leaves().is_some()) {
        return Err(damaged(&format!("a tree is deeper than {MOST_DEPTH}, or has lines in its leaves")));
    }
    let names: Vec<String> = value("feature_names").unwrap_or_default().split(' ').map(str::to_owned).collect();
    let mut used = vec![None; trees.n_features()];
    for tree in trees.trees() {
        for (at, node) in tree.nodes().iter().enumerate().filter(|(_, node)| node.is_categorical && !node.is_leaf()) {
            let codes: &mut Vec<u32> = used[node.split_feature as usize].get_or_insert_default();
            codes.extend(tree.split_categories(at));
            codes.sort_unstable();
            codes.dedup();
        }
    }
    let infos: Vec<&str> = value("feature_infos").unwrap_or_default().split(' ').collect();
    let told: Option<Vec<Vec<serde_json::Value>>> = text
        .lines()
        .find_map(|line| line.strip_prefix("pandas_categorical:"))
        .and_then(|list| serde_json::from_str::<Option<_>>(list).ok().flatten());
    // pandas lists the categories of its categorical columns only; those have `a:b:c` for an info, numbers `[low:high]`.
    let is_category: Vec<bool> = used
        .iter()
        .enumerate()
        .map(|(at, used)| {
            used.is_some()
                || infos.get(at).is_some_and(|info| !info.starts_with('[') && !info.is_empty() && *info != "none")
        })
        .collect();
    let told = told.unwrap_or_default();
    if !told.is_empty() && told.len() != is_category.iter().filter(|is| **is).count() {
        return Err(damaged(&"it does not tell which of its features the categories of pandas are of"));
    }
    let mut told = told.into_iter();
    let levels = used.into_iter().zip(is_category).map(|(used, is_category)| {
        let texts = if is_category { told.next() } else { None };
        match (texts, used) {
            (Some(texts), _) => Some(coded(texts.into_iter().map(|text| worded(&text)).collect())),
            (None, Some(used)) => Some(used.into_iter().map(|code| (code.to_string(), code as f32)).collect()),
            (None, None) => None,
        }
    });
    Ok(Foreign { estimator: "lightgbm", names, levels: levels.collect(), offset: 0.0, trees })
}

fn binary(found: &str, wanted: &str) -> Result<()> {
    if found == wanted {
        return Ok(());
    }
    let found: String = found.chars().take(40).collect();
    Err(Error::data(format!("the model's objective is `{found}`, and a propensity takes `{wanted}`"))
        .hint("train it for a yes or no on the logistic scale"))
}

fn worded(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// Texts with the codes that they stand at.
fn coded(texts: Vec<String>) -> Vec<(String, f32)> {
    texts.into_iter().zip((0_u16..).map(f32::from)).collect()
}

fn bundle(foreign: Foreign, named: &Named<'_>) -> Result<Bundle> {
    let Foreign { estimator, trees, offset, names, levels } = foreign;
    if names.len() != trees.n_features() || levels.len() != names.len() {
        return Err(Error::data("the model does not name its features"));
    }
    let (mut features, mut codes, mut attributes) = (Vec::new(), Vec::new(), Vec::new());
    for (name, levels) in names.iter().zip(levels) {
        let mut of_levels: Vec<f32> = Vec::new();
        let texts = levels.map(|mut levels| {
            levels.sort_by(|a, b| a.0.cmp(&b.0));
            levels.dedup_by(|a, b| a.0 == b.0);
            of_levels = levels.iter().map(|(_, code)| *code).chain([f32::NAN]).collect();
            levels.into_iter().map(|(text, _)| text).collect::<Vec<String>>()
        });
        let values = texts.clone().map_or(AttributeValues::Number, AttributeValues::Category);
        attributes.push(discover::Feature::Attribute(Attribute { column: name.clone(), values }));
        features.push(Feature { name: format!("attr.{name}"), levels: texts });
        codes.push(of_levels);
    }
    let recipe = Recipe {
        format_version: 1,
        snapshot: true,
        person: named.person.map(ToOwned::to_owned),
        table: None,
        outcome_columns: Vec::new(),
        kinds: Vec::new(),
        features: attributes,
        stages: Vec::new(),
        from: Vec::new(),
        to: Vec::new(),
    };
    let n_trees = trees.trees().len();
    let bundle = Bundle {
        format_version: FORMAT_VERSION,
        prediction: named.prediction.to_owned(),
        from: vec!["whoever is scored".to_owned()],
        to: vec![named.prediction.to_owned()],
        horizon: None,
        estimator: estimator.to_owned(),
        settings: unknown(n_trees),
        trained_on: TrainedOn { n_examples: 0, n_attained: 0, cutoffs: None, seed: 0 },
        features: features.clone(),
        model: Fitted::Trees(Box::new(TreeModel { features, codes, offset, trees })),
        calibration: Calibrator::Identity,
        percentiles: percentile_reference(&[]),
        sketches: None,
        band: None,
        moved: None,
        recipe: serde_json::to_value(recipe).map_err(|error| Error::internal(format!("the recipe: {error}")))?,
        same: Vec::new(),
    };
    // What can be written can be read again: all checks of loading are those of importing.
    Bundle::from_bytes(&bundle.to_bytes()?)
}

/// The settings of a model that does not tell them.
fn unknown(n_trees: usize) -> Settings {
    Settings::Trees(TreeSettings {
        rounds: n_trees,
        learning_rate: 0.0,
        leaves: 0,
        depth: 0,
        min_child_weight: 0.0,
        l2: 0.0,
        row_share: 1.0,
        feature_share: 1.0,
        bins: 0,
        bags: 1,
        random_cuts: false,
        parallel_trees: 1,
    })
}

/// `card.md` of an imported model.
#[must_use]
pub fn card(bundle: &Bundle, file: &str) -> String {
    format!(
        "# {}\n\n**Purpose.** A propensity by a model of {}, imported from `{file}`. {}\n\n**Data.** What it was trained on, and how well \
         it does, is not known here: score people whose outcome is known, and look.\n\n**Model.** {} trees on {} features; probabilities \
         as the model has them.\n\n## Limits\n\n- Numbers are read in single precision.\n- A level that the model does not know is missing to it.\n\
         - Percentiles mean nothing: nobody was scored at training time.\n",
        bundle.prediction,
        if bundle.estimator == "xgboost" { "XGBoost" } else { "LightGBM" },
        super::checklist::NOT_FOR,
        match &bundle.settings {
            Settings::Trees(settings) => settings.rounds,
            _ => 0,
        },
        bundle.features.len(),
    )
}
