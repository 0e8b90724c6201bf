//! The features of rows: those of events, walked once over everybody's events in order; those of stages and attributes beside them.

use rayon::prelude::*;

use super::{PEOPLE_PER_CHUNK, Row};
use crate::discover::catalogue::{Feature, Recipe};
use crate::discover::engine::{Plan, Totals};
use crate::discover::table::{Cells, Column, NO_LEVEL, Table};
use crate::error::Result;
use crate::source::Data;
use crate::time::Time;

/// The features of rows that stand by person, then cutoff; row `i` of them goes to `places[i]`.
pub(super) fn features(recipe: &Recipe, data: &Data, cutoffs: &[Time], rows: &[Row], places: &[u32]) -> Result<Table> {
    let (plan, of_plan) = Plan::compile(&recipe.features, &data.events);
    let mut columns: Vec<Option<Column>> = vec![None; recipe.features.len()];
    let blocks = walk_all(&plan, cutoffs, rows);
    let from_events: Vec<Vec<f32>> = (0..plan.len())
        .into_par_iter()
        .map(|feature| {
            let mut values = vec![0.0; rows.len()];
            let mut position = 0;
            for block in &blocks {
                let n_rows = block.len() / plan.len();
                for &value in &block[feature * n_rows..(feature + 1) * n_rows] {
                    values[places[position] as usize] = value;
                    position += 1;
                }
            }
            values
        })
        .collect();
    drop(blocks);
    for (place, values) in of_plan.into_iter().zip(from_events) {
        columns[place] = Some(Column { name: recipe.features[place].name(), cells: Cells::Number(values) });
    }
    let order: Vec<&Row> = {
        let mut order = vec![&rows[0]; rows.len()];
        rows.iter().zip(places).for_each(|(row, &place)| order[place as usize] = row);
        order
    };
    let valid: Vec<(Option<u32>, Time)> = order
        .iter()
        .map(|row| {
            let cutoff = cutoffs[usize::from(row.cutoff)];
            let valid = data.people.row(row.person as usize, cutoff);
            (valid.map(|row| u32::try_from(row).expect("people are counted in 32 bits")), cutoff)
        })
        .collect();
    for (place, feature) in recipe.features.iter().enumerate() {
        let cells = match feature {
            Feature::Attribute(attribute) => attribute.column(&data.people, &valid)?.cells,
            Feature::Stage => stage_cells(recipe, &order),
            Feature::DaysInStage => Cells::Number(order.iter().map(|row| days_in_stage(row, cutoffs)).collect()),
            Feature::StagesVisited => Cells::Number(order.iter().map(|row| row.standing.n_stays as f32).collect()),
            _ => continue,
        };
        columns[place] = Some(Column { name: feature.name(), cells });
    }
    let columns =
        columns.into_iter().map(|column| column.expect("every feature is of events, a stage or an attribute"));
    Ok(Table { columns: columns.collect(), n_rows: rows.len() })
}

/// Event features of all rows, in blocks of people; a block holds feature after feature.
fn walk_all(plan: &Plan<'_>, cutoffs: &[Time], rows: &[Row]) -> Vec<Vec<f32>> {
    let mut blocks = Vec::new();
    let mut start = 0;
    while start < rows.len() {
        let least = (start + PEOPLE_PER_CHUNK).min(rows.len());
        let last = rows[least - 1].person;
        let end = least + rows[least..].iter().take_while(|row| row.person == last).count();
        blocks.push(start..end);
        start = end;
    }
    let walk = |totals: &mut Totals<'_, '_>, block: std::ops::Range<usize>| {
        let rows = &rows[block];
        let mut values = vec![0.0; rows.len() * plan.len()];
        let mut first = 0;
        for of_person in rows.chunk_by(|a, b| a.person == b.person) {
            let at: Vec<i64> = of_person.iter().map(|row| cutoffs[usize::from(row.cutoff)].0).collect();
            totals.walk(of_person[0].person as usize, &at, |position, found| {
                for (feature, value) in found.iter().enumerate() {
                    values[feature * rows.len() + first + position] = *value;
                }
            });
            first += of_person.len();
        }
        values
    };
    blocks.into_par_iter().map_init(|| Totals::new(plan), walk).collect()
}

fn stage_cells(recipe: &Recipe, rows: &[&Row]) -> Cells {
    let mut names: Vec<&str> = recipe.from.iter().map(|&stage| recipe.stages[stage].name.as_str()).collect();
    names.sort_unstable();
    let code = |row: &&Row| {
        let name = recipe.stages[usize::from(row.standing.stage)].name.as_str();
        names.binary_search(&name).map_or(NO_LEVEL, |code| u32::try_from(code).expect("stages are few"))
    };
    Cells::Category {
        codes: rows.iter().map(code).collect(),
        levels: names.iter().map(|&name| name.to_owned()).collect(),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "features are 32-bit floats")]
fn days_in_stage(row: &Row, cutoffs: &[Time]) -> f32 {
    cutoffs[usize::from(row.cutoff)].days_since(Time(row.standing.entered)) as f32
}
