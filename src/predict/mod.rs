//! PHASE 3, predict who will make a transition: estimators, calibration, honest evaluation, bundles, scores with reasons.

pub mod evaluation;

pub use evaluation::Evaluation;
