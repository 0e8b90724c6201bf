//! PHASE 2, discover what the data knows: examples (features and labels as of each cutoff) and what separates those who
//! make a transition from those who do not.
//!
//! In: people, events and stage history. Out: the source profile, data issues and rejected rows ([`write_findings`]); per
//! prediction the [`Examples`] with the [`Recipe`] of their features ([`examples`]) and the [`signals`] of each feature.

mod attributes;
mod calendar;
pub mod catalogue;
mod chronology;
mod engine;
mod enough;
mod examples;
mod findings;
mod frames;
mod issues;
mod leaks;
mod likeness;
mod protected;
mod repeats;
mod rows;
mod scoring;
mod signals;
mod sources;
mod splits;
pub mod table;
pub mod words;
mod trial;
mod units;

pub use crate::map::Outcome;
pub use attributes::{Attribute, AttributeValues};
pub use calendar::{Days, Gap, calendar};
pub(crate) use catalogue::excluded as named;
pub use catalogue::{Feature, Recipe};
pub use enough::{Enough, enough};
pub use examples::{eligible_at, examples};
pub use findings::{Finding, Findings, Severity, findings, gate, write_findings};
pub use frames::{read_examples, write_examples};
pub use leaks::{Leaks, Named, leaks, leave_out};
pub use likeness::{Unseen, features_at, likeness};
pub use protected::{protected, protected_at, read_protected, write_protected};
pub(crate) use repeats::hash as id_hash;
pub(crate) use rows::{EncodedRows, RowEncoder, open_rows};
pub use scoring::{NewData, ToScore, to_score};
pub use signals::{Best, Contrast, Grade, Leak, Signal, same, signals, write_signals};
pub use sources::{Catalogue, catalogue, write_catalogue};
pub use table::{Cells, Column, Examples, Split, Table};
pub use trial::{Trial, trial};
