//! What a prediction is asked beside its scores: whether groups fare alike, and what would change a person's score.

use std::collections::BTreeMap;

use super::Direction;

/// What `[fairness]` says for the whole project, as far as audiences with a seed ask it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fairness {
    /// Attributes that make groups: columns of the people table.
    pub protected: Vec<String>,
}

/// What is to be told of a prediction beside its scores.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Explained {
    /// Attributes that make groups: columns of the people table.
    pub protected: Vec<String>,
    /// Features that a change may be thought of, by their names.
    pub actionable: BTreeMap<String, Actionable>,
}

/// How a feature may be changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Actionable {
    /// For a number: only up, or only down; absent: both.
    pub direction: Option<Direction>,
    /// For a number: changes are multiples of it; absent: any.
    pub step: Option<f64>,
    /// For a category: the levels it may change to; empty: any.
    pub to: Vec<String>,
    /// What a change costs, above 0: for a number, from the lowest to the highest of all people; for a category, to any other level.
    pub cost: f64,
}
