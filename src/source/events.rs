//! The event table: one row per thing that a person did or received, column by column, sorted by person and time.

use std::ops::Range;

use crate::time::Time;

/// What is missing in a category column.
pub const NO_LEVEL: u32 = u32::MAX;

/// Events sorted by person, then time, then kind (in the order of `kinds`), then properties: the order of input rows
/// does not matter. People are positions in [`super::People`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Events {
    /// Who, a position in the people table.
    pub person: Vec<u32>,
    /// When, microseconds since the Unix epoch.
    pub time: Vec<i64>,
    /// When the row reached the data, where that is later than `time`; `None`: always at once.
    pub known_at: Option<Vec<i64>>,
    /// What, a position in `kinds`.
    pub kind: Vec<u16>,
    /// The kinds of events, in the order of the spec, then by name.
    pub kinds: Vec<String>,
    /// What is known of each event beside who, when and what.
    pub properties: Vec<Property>,
    /// The events of person `p` are the rows `offsets[p]..offsets[p + 1]`.
    pub offsets: Vec<u32>,
}

/// One property of events; missing for kinds that do not carry it.
#[derive(Debug, Clone, PartialEq)]
pub struct Property {
    /// The column's name.
    pub name: String,
    /// A value per event.
    pub values: Values,
}

/// The values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Numbers; NaN is missing.
    Number(Vec<f64>),
    /// Texts and booleans, as positions in `levels`; [`NO_LEVEL`] is missing.
    Category {
        /// A level per row.
        codes: Vec<u32>,
        /// The texts, sorted.
        levels: Vec<String>,
    },
    /// Instants in microseconds; `i64::MIN` is missing.
    Time(Vec<i64>),
}

impl Events {
    /// How many events there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.time.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.time.is_empty()
    }

    /// The rows of one person's events, in time order.
    #[must_use]
    pub fn of(&self, person: usize) -> Range<usize> {
        self.offsets[person] as usize..self.offsets[person + 1] as usize
    }

    /// When the event of a row was known: what features may look at.
    #[must_use]
    pub fn known(&self, row: usize) -> Time {
        Time(self.known_at.as_ref().map_or(self.time[row], |known| known[row].max(self.time[row])))
    }

    /// The same events with kinds in the given order, others after them: events of one instant are taken in that order.
    #[must_use]
    pub fn ordered_by_kind(mut self, kinds: &[String]) -> Self {
        let mut order = kinds.to_vec();
        order.extend(self.kinds.iter().filter(|kind| !kinds.contains(kind)).cloned());
        let place = |kind: &String| order.iter().position(|other| other == kind).expect("every kind is in the order");
        let moved: Vec<u16> =
            self.kinds.iter().map(|kind| u16::try_from(place(kind)).expect("kinds are counted in 16 bits")).collect();
        self.kind.iter_mut().for_each(|kind| *kind = moved[usize::from(*kind)]);
        self.kinds = order;
        let mut rows: Vec<usize> = (0..self.len()).collect();
        rows.sort_by_key(|&row| (self.person[row], self.time[row], self.kind[row]));
        self.kind = rows.iter().map(|&row| self.kind[row]).collect();
        self.known_at = self.known_at.map(|known| rows.iter().map(|&row| known[row]).collect());
        for property in &mut self.properties {
            property.values = match &property.values {
                Values::Number(values) => Values::Number(rows.iter().map(|&row| values[row]).collect()),
                Values::Time(values) => Values::Time(rows.iter().map(|&row| values[row]).collect()),
                Values::Category { codes, levels } => {
                    Values::Category { codes: rows.iter().map(|&row| codes[row]).collect(), levels: levels.clone() }
                }
            };
        }
        self
    }

    /// The position of a kind.
    #[must_use]
    pub fn kind(&self, name: &str) -> Option<u16> {
        self.kinds
            .iter()
            .position(|kind| kind == name)
            .map(|kind| u16::try_from(kind).expect("kinds are counted in 16 bits"))
    }
}
