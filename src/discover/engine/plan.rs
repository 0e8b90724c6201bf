//! The features of events, compiled against the columns of an event table: what the running totals must hold, and where each
//! feature is read from them.

use std::collections::BTreeMap;

use super::NONE;
use crate::discover::catalogue::{Feature, Statistic, Window};
use crate::source::{Events, Values};

/// What is to be kept while the cutoffs move: the features, compiled against the columns of an event table.
pub(in crate::discover) struct Plan<'a> {
    pub(super) events: &'a Events,
    /// Windows; `None` is the whole past.
    pub(super) windows: Vec<Option<Window>>,
    pub(super) pairs: Vec<Pair<'a>>,
    pub(super) groups: Vec<Group<'a>>,
    pub(super) reads: Vec<Read>,
}

/// A numeric property of a kind.
pub(super) struct Pair<'a> {
    pub(super) kind: u16,
    pub(super) values: &'a [f64],
}

/// A category property, over one kind or all.
pub(super) struct Group<'a> {
    pub(super) kind: Option<u16>,
    pub(super) codes: &'a [u32],
    pub(super) n_levels: usize,
    /// Slot of each level that has a share feature.
    pub(super) slots: Vec<u32>,
    pub(super) n_slots: usize,
}

/// How a feature is read from the running totals. Kinds are slots: 0 is any kind, `k + 1` is kind `k`.
#[derive(Clone, Copy)]
pub(super) enum Read {
    Count {
        kind: usize,
        window: usize,
    },
    Trend {
        kind: usize,
        window: usize,
        double: usize,
    },
    Aggregate {
        pair: usize,
        statistic: Statistic,
        window: usize,
    },
    Distinct {
        group: usize,
        window: usize,
    },
    Share {
        group: usize,
        slot: usize,
    },
    SinceFirst {
        kind: usize,
    },
    SinceLast {
        kind: usize,
    },
    MeanGap {
        kind: usize,
    },
    Tenure,
    /// Neither kind nor property exists in these events: nothing was done, nothing is known.
    Absent(f32),
}

impl<'a> Plan<'a> {
    /// Compiles features; those that do not look at events are passed over. Returns the plan and the position of each of
    /// its results among `features`.
    pub(in crate::discover) fn compile(features: &[Feature], events: &'a Events) -> (Self, Vec<usize>) {
        let mut plan = Self { events, windows: vec![None], pairs: Vec::new(), groups: Vec::new(), reads: Vec::new() };
        let mut places = Vec::new();
        let mut known = Known::default();
        for (place, feature) in features.iter().enumerate() {
            if let Some(read) = plan.read(feature, &mut known) {
                plan.reads.push(read);
                places.push(place);
            }
        }
        (plan, places)
    }

    /// How many results there are per person and cutoff.
    pub(in crate::discover) fn len(&self) -> usize {
        self.reads.len()
    }

    fn read(&mut self, feature: &Feature, known: &mut Known) -> Option<Read> {
        Some(match feature {
            Feature::Count { kind, window } => match self.kind(kind.as_deref()) {
                Some(kind) => Read::Count { kind, window: self.window(*window) },
                None => Read::Absent(0.0),
            },
            Feature::Trend { kind, window } => match self.kind(kind.as_deref()) {
                Some(kind) => {
                    let double = crate::time::Duration { months: 2 * window.0.months, micros: 2 * window.0.micros };
                    Read::Trend { kind, window: self.window(Some(*window)), double: self.window(Some(Window(double))) }
                }
                None => Read::Absent(0.0),
            },
            Feature::Aggregate { kind, property, statistic, window } => {
                match self.pair(kind, property, &mut known.pairs) {
                    Some(pair) => Read::Aggregate { pair, statistic: *statistic, window: self.window(*window) },
                    None => Read::Absent(if *statistic == Statistic::Sum { 0.0 } else { f32::NAN }),
                }
            }
            Feature::Distinct { kind, property, window } => {
                match self.group(kind.as_deref(), property, &mut known.groups) {
                    Some(group) => Read::Distinct { group, window: self.window(*window) },
                    None => Read::Absent(0.0),
                }
            }
            Feature::Share { kind, property, level } => {
                let group = self.group(kind.as_deref(), property, &mut known.groups);
                match group.and_then(|group| Some((group, self.slot(group, property, level)?))) {
                    Some((group, slot)) => Read::Share { group, slot },
                    None => Read::Absent(f32::NAN),
                }
            }
            Feature::DaysSinceFirst { kind } => match self.kind(Some(kind)) {
                Some(kind) => Read::SinceFirst { kind },
                None => Read::Absent(f32::NAN),
            },
            Feature::DaysSinceLast { kind } => match self.kind(kind.as_deref()) {
                Some(kind) => Read::SinceLast { kind },
                None => Read::Absent(f32::NAN),
            },
            Feature::MeanGap { kind } => match self.kind(kind.as_deref()) {
                Some(kind) => Read::MeanGap { kind },
                None => Read::Absent(f32::NAN),
            },
            Feature::Tenure => Read::Tenure,
            Feature::Stage | Feature::DaysInStage | Feature::StagesVisited | Feature::Attribute(_) => return None,
        })
    }

    fn kind(&self, name: Option<&str>) -> Option<usize> {
        match name {
            None => Some(0),
            Some(name) => self.events.kind(name).map(|kind| usize::from(kind) + 1),
        }
    }

    fn window(&mut self, window: Option<Window>) -> usize {
        self.windows.iter().position(|other| *other == window).unwrap_or_else(|| {
            self.windows.push(window);
            self.windows.len() - 1
        })
    }

    fn pair(&mut self, kind: &str, property: &str, known: &mut BTreeMap<(u16, usize), usize>) -> Option<usize> {
        let kind = self.events.kind(kind)?;
        let (position, property) = property_named(self.events, property)?;
        let Values::Number(values) = &property.values else { return None };
        Some(*known.entry((kind, position)).or_insert_with(|| {
            self.pairs.push(Pair { kind, values });
            self.pairs.len() - 1
        }))
    }

    fn group(
        &mut self,
        kind: Option<&str>,
        property: &str,
        known: &mut BTreeMap<(Option<u16>, usize), usize>,
    ) -> Option<usize> {
        let kind = match kind {
            None => None,
            Some(name) => Some(self.events.kind(name)?),
        };
        let (position, property) = property_named(self.events, property)?;
        let Values::Category { codes, levels } = &property.values else { return None };
        Some(*known.entry((kind, position)).or_insert_with(|| {
            self.groups.push(Group {
                kind,
                codes,
                n_levels: levels.len(),
                slots: vec![NONE; levels.len()],
                n_slots: 0,
            });
            self.groups.len() - 1
        }))
    }

    fn slot(&mut self, group: usize, property: &str, level: &str) -> Option<usize> {
        let (_, property) = property_named(self.events, property)?;
        let Values::Category { levels, .. } = &property.values else { return None };
        let level = levels.binary_search_by(|other| other.as_str().cmp(level)).ok()?;
        let group = &mut self.groups[group];
        if group.slots[level] == NONE {
            group.slots[level] = u32::try_from(group.n_slots).expect("shares are few");
            group.n_slots += 1;
        }
        Some(group.slots[level] as usize)
    }
}

/// What has been compiled already.
#[derive(Default)]
struct Known {
    pairs: BTreeMap<(u16, usize), usize>,
    groups: BTreeMap<(Option<u16>, usize), usize>,
}

fn property_named<'a>(events: &'a Events, name: &str) -> Option<(usize, &'a crate::source::Property)> {
    events.properties.iter().enumerate().find(|(_, property)| property.name == name)
}
