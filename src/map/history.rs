//! Stage history: one row per stay of a person in a stage.

use std::ops::Range;

use crate::time::Time;

/// No event brought the person here: an attribute or the start did.
pub const BY_START: u16 = u16::MAX;
/// No event brought the person here: silence did.
pub const BY_SILENCE: u16 = u16::MAX - 1;

/// Stays sorted by person and time. The stays of a person follow each other without a gap: the next one is entered at
/// the instant the one before is left, and the last one is not left. A person is in exactly one stage at any time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stays {
    /// The stage, a position in the spec's stages.
    pub stage: Vec<u16>,
    /// When it was entered, microseconds.
    pub entered: Vec<i64>,
    /// When it was left; `i64::MAX`: still there.
    pub left: Vec<i64>,
    /// The kind of event that brought the person here ([`crate::source::Events::kinds`]), [`BY_START`] or [`BY_SILENCE`].
    pub trigger: Vec<u16>,
    /// The stays of person `p` are the rows `offsets[p]..offsets[p + 1]`. Nobody has none, except people without any event
    /// in a lifecycle of events without a start stage.
    pub offsets: Vec<u32>,
}

impl Stays {
    /// How many stays there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.stage.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stage.is_empty()
    }

    /// The rows of one person's stays, in time order.
    #[must_use]
    pub fn of(&self, person: usize) -> Range<usize> {
        self.offsets[person] as usize..self.offsets[person + 1] as usize
    }

    /// The row of the stay that a person was in just before `cutoff`: `entered < cutoff <= left`.
    #[must_use]
    pub fn at(&self, person: usize, cutoff: Time) -> Option<usize> {
        self.of(person).rev().find(|&row| self.entered[row] < cutoff.0)
    }
}
