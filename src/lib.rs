//! Predictive customer lifecycle optimisation: from raw customer data to lists of people worth reaching.
//!
//! Every initiative in a customer business motivates one transition from a stage of the lifecycle to another. So there is
//! one learning task, and all the rest follows from it:
//!
//! > Of the people in stage A at time t, who reaches stage B within the horizon h, knowing only what was known before t?
//!
//! Four phases answer it, each with the same name as folder, command, and section of the report:
//!
//! 1. `map` the lifecycle: who stood in which stage when.
//! 2. [`discover`] what the data knows: examples as of each cutoff, and the signals in them.
//! 3. [`predict`] who will make the transition: a model, its honest evaluation, scores with reasons.
//! 4. `expand` to the people worth reaching: a ranked, suppressed, consented list with a holdout.
//!
//! The modules below stand in reading order, and each uses only those before it.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests look at files as a user would"))]

pub mod error;
pub mod time;
pub mod rate;
pub mod spec;
pub mod store;
pub mod source;
pub mod simulate;
pub mod map;
pub mod init;
pub mod discover;
pub mod predict;
pub mod expand;
pub mod report;
pub mod pipeline;
pub mod cli;
