//! PHASE 3, predict who will make a transition: estimators, calibration, honest evaluation, bundles, scores with reasons.
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of rows and shares of them are far below 2^52, and rounded on purpose"
)]

pub mod boosting;
pub mod calibration;
pub mod design;
pub mod estimator;
pub mod evaluation;
pub mod judge;
pub mod linear;
pub mod logistic;
pub mod metrics;
pub mod newton;
mod solver_linfa;
pub mod trees;

pub use evaluation::Evaluation;

#[cfg(test)]
mod real_data;
