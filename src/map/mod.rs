//! PHASE 1, map the lifecycle: who stood in which stage when, the transitions between stages, and their KPIs.

pub mod history;

pub use history::Stays;
pub mod outcome;
pub use outcome::{Outcome, outcome};
