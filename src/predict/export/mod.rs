//! A bundle in the words of other programs: ONNX, SQL, XGBoost's JSON.
//!
//! ONNX and SQL go the whole way from features as `examples.parquet` holds them to the propensity: gaps, levels, and levels never seen,
//! the model or blend, the calibration. XGBoost's JSON holds the trees alone, and tells in its attributes what levels count as.
//! Here a model is taken apart into what each language writes down; the formulas are those of [`super::design`],
//! [`super::trees`] and [`super::calibration`].

mod onnx;
mod proto;
mod sql;

pub use sql::Dialect;

use super::bundle::Bundle;
use super::design::{Category, Number, Shape};
use super::estimator::Fitted;
use super::linear::LinearModel;
use super::trees::TreeModel;
use super::xgboost::{Document, Written};
use crate::error::{Error, Result};

/// In what words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// An ONNX graph: an input per feature, the output `propensity`.
    Onnx,
    /// One SELECT.
    Sql(sql::Query),
    /// XGBoost's JSON.
    XgboostJson,
}

pub use sql::Query;

/// The file that another program reads.
///
/// # Errors
/// When the format cannot say what the model is.
pub fn export(bundle: &Bundle, format: &Format) -> Result<Vec<u8>> {
    match format {
        Format::Onnx => onnx::graph(bundle),
        Format::Sql(query) => Ok(sql::select(bundle, query).into_bytes()),
        Format::XgboostJson => xgboost(bundle),
    }
}

fn xgboost(bundle: &Bundle) -> Result<Vec<u8>> {
    let Fitted::Trees(model) = &bundle.model else {
        return Err(Error::data(format!(
            "a model of kind {} is no sum of trees, which is all that XGBoost holds",
            bundle.estimator
        ))
        .hint("--format onnx or --format sql can say it"));
    };
    let names: Vec<String> = model.features.iter().map(|feature| feature.name.clone()).collect();
    let mut document = Document::of(&model.trees, Written { features: &names, base_margin: model.offset });
    let said = |error: serde_json::Error| Error::internal(format!("the XGBoost document: {error}"));
    let levels = model.features.iter().zip(&model.codes);
    let codes: serde_json::Map<String, serde_json::Value> = levels
        .filter_map(|(feature, codes)| Some((feature.name.clone(), coded(feature.levels.as_ref()?, codes))))
        .collect();
    let calibration = serde_json::to_string(&bundle.calibration).map_err(said)?;
    document.learner.attributes.insert("clo_levels".into(), serde_json::Value::Object(codes).to_string());
    document.learner.attributes.insert("clo_calibration".into(), calibration);
    serde_json::to_vec(&document).map_err(said)
}

/// What each level of a category counts as, and at last, without a name, a gap.
fn coded(levels: &[String], codes: &[f32]) -> serde_json::Value {
    let names = levels.iter().map(String::as_str).chain([""]);
    names.zip(codes).map(|(level, code)| (level.to_owned(), serde_json::json!(code))).collect()
}

/// A model without blends: what is added, and the weighed parts.
fn parts(model: &Fitted) -> (f64, Vec<(f64, &Fitted)>) {
    match model {
        Fitted::Blend(blend) => (blend.intercept, blend.parts.iter().map(|part| (part.weight, &part.model)).collect()),
        one => (0.0, vec![(1.0, one)]),
    }
}

/// What one feature adds to the margin of a linear model.
enum Term<'a> {
    Number(NumberTerm<'a>),
    Category(CategoryTerm<'a>),
}

/// `slope · (v − mean) + the broken line through (knots, values) + gap where there is none`, `v` tamed and filled.
struct NumberTerm<'a> {
    number: &'a Number,
    slope: f64,
    /// The line's height at each knot, and how steep it is after each but the last.
    values: &'a [f64],
    steepness: Vec<f64>,
    gap: f64,
}

/// A weight per level; a level never seen adds nothing.
struct CategoryTerm<'a> {
    levels: Vec<(&'a str, f64)>,
    gap: f64,
}

/// The terms of a linear model that add something, each with its feature.
fn terms(model: &LinearModel) -> Vec<(&str, Term<'_>)> {
    let of = |term: &'_ super::design::Term| -> Option<(usize, usize)> {
        Some((term.first, term.first + term.shape.width()))
    };
    let mut terms = Vec::new();
    for term in &model.design.terms {
        let Some((first, end)) = of(term) else { continue };
        let weights = &model.weights[first..end];
        match &term.shape {
            Shape::Nothing => {}
            Shape::Number(number) => terms.push((term.feature.as_str(), Term::Number(number_term(number, weights)))),
            Shape::Category(category) => {
                terms.push((term.feature.as_str(), Term::Category(category_term(category, weights))));
            }
        }
    }
    terms
}

fn number_term<'a>(number: &'a Number, weights: &'a [f64]) -> NumberTerm<'a> {
    let values = &weights[1..=number.knots.len()];
    let rises = values.windows(2).zip(number.knots.windows(2));
    NumberTerm {
        number,
        slope: weights[0] / number.deviation,
        values,
        steepness: rises.map(|(value, knot)| (value[1] - value[0]) / (knot[1] - knot[0])).collect(),
        gap: if number.gap { weights[weights.len() - 1] } else { 0.0 },
    }
}

fn category_term<'a>(category: &'a Category, weights: &[f64]) -> CategoryTerm<'a> {
    let own = category.levels.iter().map(String::as_str).zip(weights.iter().copied());
    let shared = weights.get(category.levels.len()).copied().unwrap_or_default();
    let rare = category.rare.iter().map(|level| (level.as_str(), shared));
    CategoryTerm { levels: own.chain(rare).collect(), gap: if category.gap { weights[weights.len() - 1] } else { 0.0 } }
}

/// What the trees look at: for each of the model's features whether a split does.
fn used(model: &TreeModel) -> Vec<bool> {
    let mut used = vec![false; model.features.len()];
    for node in model.trees.trees().iter().flat_map(hessboost::tree::RegTree::nodes).filter(|node| !node.is_leaf()) {
        used[node.split_feature as usize] = true;
    }
    used
}

/// A place in a tree that a link was checked to lead to.
fn place(link: i32) -> usize {
    usize::try_from(link).expect("links were checked when the model was loaded")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predict::golden_tests::bundles;
    use crate::predict::tests::people;

    #[test]
    fn every_model_can_be_written_in_every_format_that_can_say_it() {
        for (name, bundle) in bundles(&people(400, 21)) {
            let sql = export(&bundle, &Format::Sql(Query { dialect: Dialect::Postgres, ..Query::default() })).unwrap();
            let sql = String::from_utf8(sql).unwrap();
            assert_eq!(sql.matches('(').count(), sql.matches(')').count(), "{name}");
            assert!(sql.contains("AS propensity") && sql.contains("FLOAT8 '"), "{name}");
            assert!(!export(&bundle, &Format::Onnx).unwrap().is_empty());
            let trees = matches!(bundle.model, Fitted::Trees(_));
            let document = export(&bundle, &Format::XgboostJson);
            assert_eq!(document.is_ok(), trees, "{name}");
            if let Ok(document) = document {
                let read: Document = serde_json::from_slice(&document).unwrap();
                assert_eq!(read.into_model().unwrap().n_features(), bundle.features.len());
            }
        }
    }
}
