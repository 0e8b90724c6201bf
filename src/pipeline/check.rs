//! The spec against the data, with nothing written: what `clo check` says.

use std::collections::BTreeMap;

use serde::Serialize;

use super::summary::{Finding, Lifecycle};
use crate::discover::{self, Severity};
use crate::error::Result;
use crate::expand;
use crate::map;
use crate::source;
use crate::spec::Spec;

/// What a spec makes of its data.
#[derive(Debug, Clone, Serialize)]
pub struct Checked {
    /// The project's name.
    pub project: String,
    /// The tables that were read.
    pub tables: Vec<Read>,
    /// Events by kind.
    pub events: BTreeMap<String, u64>,
    /// Who would stand where.
    pub lifecycle: Lifecycle,
    /// What is wrong with data or stages.
    pub findings: Vec<Finding>,
}

/// A file that was read.
#[derive(Debug, Clone, Serialize)]
pub struct Read {
    /// The table of `[tables]`.
    pub table: String,
    /// The file, as the spec names it.
    pub path: String,
    /// Rows read, the rejected ones among them.
    pub rows: u64,
    /// Rows rejected.
    pub rejected: u64,
}

/// Reads the data of a spec and maps its lifecycle.
///
/// # Errors
/// What [`super::run`] would fail with up to phase 1.
pub fn check(spec: &Spec) -> Result<Checked> {
    let data = source::read(spec)?;
    let (stays, lint) = map::stages(&data, spec)?;
    let tables = data.inputs.iter().map(|input| Read {
        table: input.table.clone(),
        path: input.path.clone(),
        rows: input.rows,
        rejected: input.rejected,
    });
    let mut counts = vec![0; data.events.kinds.len()];
    data.events.kind.iter().for_each(|&kind| counts[usize::from(kind)] += 1);
    let unshared = unshared(spec, &data)?;
    Ok(Checked {
        project: spec.name.clone(),
        tables: tables.collect(),
        events: data.events.kinds.iter().cloned().zip(counts).collect(),
        lifecycle: Lifecycle::of(&map::lifecycle::lifecycle(&data, spec, &stays, &[])),
        findings: unshared
            .into_iter()
            .chain(Finding::all(&lint, &discover::findings(&data, spec, &discover::calendar(&data.events))?))
            .collect(),
    })
}

/// What seeds and candidates that come from different sources do not share.
fn unshared(spec: &Spec, data: &source::Data) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for audience in &spec.audiences {
        let told = expand::not_shared(audience, &data.people, spec)?;
        findings.extend(told.into_iter().map(|advice| Finding {
            severity: Severity::Warning,
            code: "columns-not-shared".to_owned(),
            place: Some(format!("audience {}", audience.name)),
            rows: None,
            message: None,
            advice,
            people: Vec::new(),
        }));
    }
    Ok(findings)
}
