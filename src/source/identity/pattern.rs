//! How alike two records are: a level for each compared column, in one number.

use super::compare::MISSING;

/// Three bits a column.
const BITS: usize = 3;
/// As many columns as a number holds.
pub(crate) const MOST_COLUMNS: usize = 21;

/// The levels of a pair of records, column by column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Pattern(pub(crate) u64);

impl Pattern {
    /// The level of a column.
    pub(crate) fn level(self, column: usize) -> u8 {
        u8::try_from((self.0 >> (BITS * column)) & u64::from(MISSING)).expect("three bits")
    }

    /// With the level of a column, which was not set before.
    pub(crate) fn with(self, column: usize, level: u8) -> Self {
        Self(self.0 | u64::from(level) << (BITS * column))
    }
}
