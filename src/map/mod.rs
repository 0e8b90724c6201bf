//! PHASE 1, map the lifecycle: who stood in which stage when, the transitions between stages, and their KPIs.
//!
//! In: people, events, the stages of the spec. Out: a [`history()`] of stays, the [`transitions`] that were seen, the
//! [`lifecycle`] table, and what looks wrong ([`lint`]). A stage's rules are SQL conditions ([`rules`]); what each event
//! means to them is worked out first (`masks`, several events together: `triggers`), then each person walks through the stages (`machine`).

pub mod belief;
mod claims;
mod files;
mod frames;
pub mod funnel;
mod groups;
pub mod health;
pub mod history;
pub mod incidence;
pub mod journeys;
mod kpis;
pub mod lifecycle;
pub mod lint;
mod machine;
mod masks;
pub mod occupation;
mod orders;
pub mod outcome;
pub mod retention;
pub mod rules;
pub mod sojourns;
pub mod stalls;
pub mod statistics;
mod targets;
pub mod transitions;
mod triggers;
pub mod value;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use belief::{Standing, beliefs};
pub use files::{read_history, write_lifecycle, write_measured, write_stages};
pub use history::{Stays, history};
pub use lifecycle::Lifecycle;
pub use lint::Lint;
pub(crate) use orders::is_money;
pub use outcome::{Outcome, outcome};
pub use statistics::Statistics;
pub use transitions::Transition;

use crate::error::Result;
use crate::source::Data;
use crate::spec::Spec;

/// What this phase found out.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapped {
    /// Who stood in which stage when.
    pub stays: Stays,
    /// What looks wrong.
    pub lint: Lint,
    /// What was counted over the history.
    pub measured: Measured,
}

/// What was counted over the stage history.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Every move between two stages that was seen.
    pub transitions: Vec<Transition>,
    /// The lifecycle table.
    pub lifecycle: Lifecycle,
    /// Everything else.
    pub statistics: Statistics,
}

/// Maps the lifecycle.
///
/// # Errors
/// As [`stages`] and [`measure`].
pub fn map(data: &Data, spec: &Spec) -> Result<Mapped> {
    let (stays, lint) = stages(data, spec)?;
    let mut measured = measure(data, spec, &stays)?;
    measured.lifecycle.hold_to(&spec.measures.targets);
    Ok(Mapped { stays, lint, measured })
}

/// Who stood in which stage when, and what looks wrong: all that the next phases need.
///
/// # Errors
/// A spec error when a stage's rule cannot be read, names a column or a kind of event that is not there, or is no
/// condition.
pub fn stages(data: &Data, spec: &Spec) -> Result<(Stays, Lint)> {
    let (stays, claims) = history::walk(data, spec)?;
    let lint = lint::lint(data, spec, &stays, &claims);
    Ok((stays, lint))
}

/// Counts over a history; KPIs are not yet held to their targets ([`Lifecycle::hold_to`]).
///
/// # Errors
/// A spec error when `[lifecycle]` names an attribute or a property that is not there.
pub fn measure(data: &Data, spec: &Spec, stays: &Stays) -> Result<Measured> {
    let statistics = Statistics::new(data, spec, stays)?;
    Ok(Measured {
        transitions: transitions::transitions(stays, spec.stages.len(), &statistics.departures),
        lifecycle: lifecycle::lifecycle(data, spec, stays, &statistics.kpis),
        statistics,
    })
}
