//! Features of people at instants of one's choice: what likeness to a seed looks at.
//!
//! In a snapshot they are the attributes. Over events they are those of predictions, as of an instant per person, but for
//! the stage: who stands where is what tells seed and candidates apart. Columns that a rule names are kept out, as they are
//! from predictions.

use std::collections::BTreeSet;

use super::catalogue::{Feature, Recipe};
use super::examples::{attribute_table, features_at as over_events};
use super::table::Table;
use crate::error::Result;
use crate::map::Stays;
use crate::map::rules::columns_named;
use crate::source::Data;
use crate::spec::{Prediction, Shape, Spec};
use crate::time::{Duration, Time};

/// How far the features look back.
const WINDOW_DAYS: [i64; 4] = [7, 30, 90, 365];

/// What likeness may not look at.
#[derive(Debug, Clone, Copy)]
pub struct Unseen<'a> {
    /// SQL rules whose columns tell seed from candidates.
    pub rules: &'a [&'a str],
    /// Columns.
    pub columns: &'a [String],
    /// Features: names with `*`.
    pub exclude: &'a [String],
}

/// The features that likeness looks at, drawn up from what was known before `until`.
#[must_use]
pub fn likeness(data: &Data, spec: &Spec, unseen: Unseen<'_>, until: Time) -> Recipe {
    let everyone = Prediction {
        windows: WINDOW_DAYS.map(Duration::days).to_vec(),
        exclude: unseen.exclude.to_vec(),
        ..Prediction::new("", (0..spec.stages.len()).collect(), Vec::new())
    };
    let mut recipe = match spec.shape() {
        Shape::Events => Recipe::of_events(data, spec, &everyone, until),
        Shape::Snapshot => Recipe::of_snapshot(data, spec, &everyone),
    };
    let mut named: BTreeSet<String> = unseen.rules.iter().flat_map(|rule| columns_named(rule)).collect();
    named.extend(unseen.columns.iter().cloned());
    recipe.features.retain(|feature| match feature {
        Feature::Attribute(attribute) => !named.contains(&attribute.column),
        Feature::Stage | Feature::DaysInStage | Feature::StagesVisited => false,
        _ => true,
    });
    recipe
}

/// The features of people, each as of an instant (which does not matter in a snapshot), a row each in the given order.
///
/// # Errors
/// When an attribute that the recipe names is not there.
pub fn features_at(recipe: &Recipe, data: &Data, stays: &Stays, at: &[(u32, Time)]) -> Result<Table> {
    if recipe.snapshot {
        let people: Vec<u32> = at.iter().map(|&(person, _)| person).collect();
        return attribute_table(recipe, data, &people);
    }
    over_events(recipe, data, stays, at)
}
