//! What no shop knows: the truth about its people, as tables.
//!
//! `truth.parquet`: a row per person and cutoff, and one at the end of observation. `stage` is null before the first
//! event. `first-purchase` and `second-purchase` are the true probabilities of the predictions of the same names, given
//! the latent traits and everything before the cutoff; null for people who are not eligible. What concerns a person as
//! a whole (`campaign_group`, `campaign_effect`, `trait_*`) stands in each of their rows.
//!
//! `truth_stage_history.parquet`: every stay, in the columns of `out/map/stage_history.parquet`.

use std::path::Path;

use polars::prelude::{Column, DataFrame, DataType, TimeUnit};

use super::account::Stage;
use super::calendar::{N_CUTOFFS, cutoff, micros, seconds};
use super::hazard::TRAITS;
use super::life::{Life, Truth};
use super::{Shop, Written, person_id};
use crate::error::Result;
use crate::store;

/// The truth's files, the first of which marks a folder as a simulated shop.
pub(super) const FILES: [&str; 2] = ["truth.parquet", "truth_stage_history.parquet"];

pub(super) fn write(folder: &Path, shop: &Shop<'_>) -> Result<Vec<Written>> {
    let tables = [cutoffs(&shop.lives)?, stage_history(&shop.lives)?];
    let mut written = Vec::new();
    for (name, mut table) in FILES.into_iter().zip(tables) {
        store::write_frame(&folder.join(name), &mut table)?;
        written.push(Written { path: name.to_owned(), rows: table.height() as u64 });
    }
    Ok(written)
}

/// A row per person and cutoff.
fn cutoffs(lives: &[Life]) -> Result<DataFrame> {
    let rows: Vec<_> = (0..lives.len()).flat_map(|person| (0..=N_CUTOFFS).map(move |k| (person, k))).collect();
    let instants: Vec<_> = rows.iter().map(|&(_, k)| Some(seconds(cutoff(k)))).collect();
    let persons: Vec<_> = rows.iter().map(|&(person, _)| person_id(person)).collect();
    let truth =
        |of: fn(&Truth) -> Option<f64>| rows.iter().map(|&(person, k)| of(&lives[person].truth[k])).collect::<Vec<_>>();
    let stages: Vec<_> = rows.iter().map(|&(person, k)| lives[person].truth[k].stage.map(Stage::name)).collect();
    let campaign = |person: usize| lives[person].campaign;
    let group = |treated| if treated { "treated" } else { "control" };
    let groups: Vec<_> = rows.iter().map(|&(person, _)| campaign(person).map(|c| group(c.treated))).collect();
    let effects: Vec<_> = rows.iter().map(|&(person, _)| campaign(person).map(|c| c.effect)).collect();
    let mut columns = vec![
        Column::new("person".into(), persons),
        times("cutoff", &instants)?,
        Column::new("stage".into(), stages),
        Column::new("first-purchase".into(), truth(|truth| truth.first_purchase)),
        Column::new("second-purchase".into(), truth(|truth| truth.second_purchase)),
        Column::new("campaign_group".into(), groups),
        Column::new("campaign_effect".into(), effects),
    ];
    for (i, name) in TRAITS.into_iter().enumerate() {
        let values: Vec<_> = rows.iter().map(|&(person, _)| lives[person].traits.values()[i]).collect();
        columns.push(Column::new(name.into(), values));
    }
    Ok(DataFrame::new_infer_height(columns)?)
}

/// A row per stay.
fn stage_history(lives: &[Life]) -> Result<DataFrame> {
    let (mut persons, mut stages, mut triggers) = (Vec::new(), Vec::new(), Vec::new());
    let (mut entered, mut left) = (Vec::new(), Vec::new());
    for (person, life) in lives.iter().enumerate() {
        let ends = life.stays.iter().skip(1).map(|stay| Some(stay.entered)).chain([None]);
        for (stay, end) in life.stays.iter().zip(ends) {
            persons.push(person_id(person));
            stages.push(stay.stage.name());
            entered.push(Some(stay.entered));
            left.push(end);
            triggers.push(stay.trigger);
        }
    }
    Ok(DataFrame::new_infer_height(vec![
        Column::new("person".into(), persons),
        Column::new("stage".into(), stages),
        times("entered_at", &entered)?,
        times("left_at", &left)?,
        Column::new("trigger".into(), triggers),
    ])?)
}

/// A column of instants (UTC, without a zone).
pub(super) fn times(name: &str, at: &[Option<i64>]) -> Result<Column> {
    let values: Vec<_> = at.iter().map(|at| at.map(|at| micros(at).0)).collect();
    Ok(Column::new(name.into(), values).cast(&DataType::Datetime(TimeUnit::Microseconds, None))?)
}
