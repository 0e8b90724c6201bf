//! The phases in a row: what `clo run` and the tests call.
//!
//! A run locks the output folder, sweeps up what a killed run left, hashes the input files, cuts the work into
//! [`units`], and does those that are stale ([`advance`]). The phases themselves are called in [`phases`].

pub mod advance;
pub mod check;
pub mod diff;
pub mod explain;
pub mod gate;
pub mod inputs;
pub mod measure;
pub mod phases;
pub mod realised;
mod recent;
pub mod score;
pub mod summary;
mod trials;
pub mod units;
pub mod versions;

pub use advance::{Outcome, State, Step};
pub use units::Phase;

use crate::error::Result;
use crate::spec::Spec;
use crate::store::{Layout, Manifest, leftovers, lock, manifest};

/// A checked spec and where its results go.
#[derive(Debug, Clone)]
pub struct Project {
    /// The spec, with what the command line overrides.
    pub spec: Spec,
    /// BLAKE3 of `clo.toml`, hex.
    pub spec_blake3: String,
    /// The folders.
    pub layout: Layout,
}

/// Runs a phase and what it needs, as far as they are missing or stale.
///
/// # Errors
/// [`crate::error::Kind::Busy`] when another run holds the output folder; else the first failure of a phase. What was
/// done before it stays, and the next run goes on from there.
pub fn run(project: &Project, phase: Phase, force: bool, listen: &mut dyn FnMut(Step<'_>)) -> Result<Vec<Outcome>> {
    let Project { spec, layout, .. } = project;
    let _lock = lock::acquire(&layout.out, "clo")?;
    let n_swept = leftovers::sweep(&layout.out) + leftovers::sweep(&layout.models);
    if n_swept > 0 {
        listen(Step::Note(&format!("removed {n_swept} half-written files of a run that was killed")));
    }
    let mut inputs = inputs::inputs(spec);
    inputs.extend(inputs::measured(spec, layout));
    let units = units::units(spec, &inputs);
    let wanted = units::wanted(&units, phase);
    let mut manifest = headed(Manifest::read(layout), project);
    let mut work = phases::Phases::new(spec, layout, inputs);
    let request = advance::Request { units: &units, wanted: &wanted, force };
    advance::advance(request, &mut manifest, layout, &mut work, listen)
}

fn headed(manifest: Manifest, project: &Project) -> Manifest {
    let Project { spec, spec_blake3, .. } = project;
    Manifest {
        format_version: manifest::FORMAT_VERSION,
        clo_version: env!("CARGO_PKG_VERSION").to_owned(),
        project: spec.name.clone(),
        spec_blake3: spec_blake3.clone(),
        seed: spec.seed,
        end: spec.end.map(|end| end.to_string()),
        ..manifest
    }
}
