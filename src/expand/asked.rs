//! People whom rules ask about: their attributes as of the end, and what else is known of them.

use polars::prelude::{Column, DataFrame, IdxCa, IdxSize, NewChunkedArray as _};
use rayon::prelude::*;

use crate::error::Result;
use crate::map::rules::Condition;
use crate::source::People;
use crate::time::Time;

/// People, a row each, with the attribute row that held at the end.
pub(super) struct Asked<'a> {
    people: &'a People,
    attributes: Vec<Option<IdxSize>>,
}

impl<'a> Asked<'a> {
    /// The people at these positions.
    pub(super) fn new(people: &'a People, person: &[u32], end: Time) -> Self {
        let row = |person: &u32| {
            let row = people.row(*person as usize, end);
            row.map(|row| IdxSize::try_from(row).expect("attribute rows are counted in 32 bits"))
        };
        Self { people, attributes: person.par_iter().map(row).collect() }
    }

    /// For whom a SQL condition holds; where it is unknown (NULL) it does not. `known` are columns beside the attributes,
    /// before which they come. `what` says whose condition it is.
    ///
    /// # Errors
    /// An error of the spec when it is no condition over these columns.
    pub(super) fn holds(&self, rule: &str, what: &str, known: &[Column]) -> Result<Vec<bool>> {
        let beside = |name: &str| known.iter().find(|column| column.name().as_str() == name);
        let attributes = self.people.attributes.columns().iter();
        let others = attributes.filter(|column| beside(column.name()).is_none());
        let empty: Vec<Column> = known.iter().chain(others).map(Column::clear).collect();
        let condition = Condition::new(rule, what, &DataFrame::new(0, empty)?)?;
        let at = IdxCa::from_iter_options("row".into(), self.attributes.iter().copied());
        let mut columns = Vec::new();
        // A copy of every column would be too much for ten million people.
        for name in condition.columns() {
            columns.push(match beside(name) {
                Some(column) => column.clone(),
                None => self.people.attributes.column(name)?.take(&at)?,
            });
        }
        if columns.is_empty() {
            columns.push(Column::new_scalar("row".into(), 0_u32.into(), self.attributes.len()));
        }
        condition.holds(&DataFrame::new(self.attributes.len(), columns)?)
    }

    /// The attribute row of each.
    pub(super) fn attributes(&self) -> Vec<Option<usize>> {
        self.attributes.iter().map(|row| row.map(|row| row as usize)).collect()
    }
}
