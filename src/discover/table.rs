//! Features and examples, column by column.

use crate::map::Outcome;
use crate::time::Time;

/// What is missing in a category column.
pub const NO_LEVEL: u32 = u32::MAX;

/// Feature columns of equal length.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// The features, in the order of the catalogue.
    pub columns: Vec<Column>,
    /// How many rows each holds.
    pub n_rows: usize,
}

/// One feature.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name, which says what it is: `purchase.amount.sum.90d`.
    pub name: String,
    /// A value per row.
    pub cells: Cells,
}

/// The values of a feature.
#[derive(Debug, Clone, PartialEq)]
pub enum Cells {
    /// Numbers; NaN is missing.
    Number(Vec<f32>),
    /// Categories as positions in `levels`; [`NO_LEVEL`] is missing.
    Category {
        /// A level per row.
        codes: Vec<u32>,
        /// The texts, sorted.
        levels: Vec<String>,
    },
}

impl Table {
    /// The column of that name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The rows at `rows`, in that order.
    #[must_use]
    pub fn take(&self, rows: &[u32]) -> Self {
        let columns = self
            .columns
            .iter()
            .map(|column| Column { name: column.name.clone(), cells: column.cells.take(rows) })
            .collect();
        Self { columns, n_rows: rows.len() }
    }
}

impl Cells {
    fn take(&self, rows: &[u32]) -> Self {
        match self {
            Self::Number(values) => Self::Number(rows.iter().map(|&row| values[row as usize]).collect()),
            Self::Category { codes, levels } => {
                Self::Category { codes: rows.iter().map(|&row| codes[row as usize]).collect(), levels: levels.clone() }
            }
        }
    }
}

/// Which part of the work an example serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Split {
    /// Models are fitted on it.
    Train,
    /// Models are chosen and calibrated on it.
    Validation,
    /// The chosen model is judged on it, once.
    Test,
    /// None of them: no label yet, or too near to the next part in time to be honest.
    Unused,
}

/// One row per eligible person and cutoff, sorted by cutoff, then person. The rows of the last cutoff, the end of the
/// data, are the people eligible now: [`Outcome::Immature`], to be scored. (In a snapshot every row is both.)
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Examples {
    /// Ids of people, by position.
    pub ids: Vec<String>,
    /// Who, a position in `ids`.
    pub person: Vec<u32>,
    /// The cutoff, microseconds.
    pub cutoff: Vec<i64>,
    /// The stage the person stood in, a position in `stages`.
    pub stage: Vec<u16>,
    /// The names of the stages.
    pub stages: Vec<String>,
    /// Which part of the work the example serves.
    pub split: Vec<Split>,
    /// What became of the person.
    pub outcome: Vec<Outcome>,
    /// What was known before the cutoff.
    pub features: Table,
    /// Whether the examples come from a labelled snapshot.
    pub snapshot: bool,
    /// The rank in time of each row of a snapshot, when the spec says that its rows stand in time.
    pub order: Option<Vec<u32>>,
}

impl Examples {
    /// How many examples there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.person.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.person.is_empty()
    }

    /// The rows to be scored: the people eligible now; in a snapshot, everyone.
    #[must_use]
    pub fn eligible_now(&self) -> Vec<u32> {
        let now = self.cutoff.iter().max().copied().unwrap_or(Time::NEVER.0);
        let wanted =
            |&row: &usize| self.snapshot || (self.cutoff[row] == now && self.outcome[row] == Outcome::Immature);
        (0..self.len()).filter(wanted).map(|row| u32::try_from(row).expect("rows are counted in 32 bits")).collect()
    }
}
