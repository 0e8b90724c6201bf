//! PHASE 2, discover what the data knows: examples (features and labels as of each cutoff) and what separates those who
//! make a transition from those who do not.

pub mod table;

pub use table::{Cells, Column, Examples, Outcome, Split, Table};
