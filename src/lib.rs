//! Predictive customer lifecycle optimisation: from raw customer data to lists of people worth reaching.
pub mod discover;
pub mod error;
pub mod expand;
pub mod map;
pub mod predict;
pub mod rate;
pub mod source;
pub mod spec;
pub mod store;
pub mod time;
