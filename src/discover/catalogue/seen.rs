//! What the events that were known before an instant carry, and which features that can fill.

use super::{Feature, Statistic, Window};
use crate::source::events::NO_LEVEL;
use crate::source::{Events, Values};
use crate::time::{Duration, Time};

/// A level gets a share feature when it holds at least this share of the events that carry the property …
const FREQUENT_SHARE: f64 = 0.01;
/// … and is among this many most frequent ones.
const MOST_LEVELS: usize = 10;

/// What events known before an instant carry.
pub(super) struct Seen {
    /// How many events of each kind.
    kinds: Vec<u64>,
    pub(super) properties: Vec<SeenProperty>,
}

/// What one property carries.
pub(super) struct SeenProperty {
    position: usize,
    /// How many events of each kind carry it.
    carried: Vec<u64>,
    /// How often each level of a category occurs.
    levels: Vec<u64>,
}

impl Seen {
    pub(super) fn before(until: Time, events: &Events) -> Self {
        let known: Vec<bool> = (0..events.len()).map(|row| events.known(row) < until).collect();
        let mut kinds = vec![0; events.kinds.len()];
        for (row, _) in known.iter().enumerate().filter(|(_, known)| **known) {
            kinds[usize::from(events.kind[row])] += 1;
        }
        let properties = (0..events.properties.len()).map(|position| SeenProperty::count(position, events, &known));
        Self { properties: properties.collect(), kinds }
    }

    /// "Any kind" when there are several, then each kind that occurred.
    pub(super) fn kinds(&self, events: &Events) -> Vec<Option<String>> {
        let each = events.kinds.iter().zip(&self.kinds).filter(|(_, count)| **count > 0);
        let each: Vec<Option<String>> = each.map(|(kind, _)| Some(kind.clone())).collect();
        if each.len() > 1 { [None].into_iter().chain(each).collect() } else { each }
    }
}

impl SeenProperty {
    fn count(position: usize, events: &Events, known: &[bool]) -> Self {
        let mut carried = vec![0; events.kinds.len()];
        let mut levels = Vec::new();
        let known_rows = known.iter().enumerate().filter_map(|(row, known)| known.then_some(row));
        match &events.properties[position].values {
            Values::Number(values) => {
                for row in known_rows.filter(|&row| !values[row].is_nan()) {
                    carried[usize::from(events.kind[row])] += 1;
                }
            }
            Values::Category { codes, levels: texts } => {
                levels = vec![0; texts.len()];
                for row in known_rows.filter(|&row| codes[row] != NO_LEVEL) {
                    carried[usize::from(events.kind[row])] += 1;
                    levels[codes[row] as usize] += 1;
                }
            }
            Values::Time(_) => {}
        }
        Self { position, carried, levels }
    }

    pub(super) fn features(&self, events: &Events, windows: &[Duration], features: &mut Vec<Feature>) {
        let property = &events.properties[self.position];
        let carriers: Vec<&String> =
            events.kinds.iter().zip(&self.carried).filter(|(_, count)| **count > 0).map(|(kind, _)| kind).collect();
        let within: Vec<Option<Window>> = windows.iter().copied().map(Window).map(Some).chain([None]).collect();
        match &property.values {
            Values::Number(_) => {
                for kind in carriers {
                    for statistic in [Statistic::Sum, Statistic::Mean, Statistic::Max] {
                        features.extend(within.iter().map(|&window| Feature::Aggregate {
                            kind: kind.clone(),
                            property: property.name.clone(),
                            statistic,
                            window,
                        }));
                    }
                }
            }
            Values::Category { levels, .. } if !carriers.is_empty() => {
                let kind = (carriers.len() == 1).then(|| carriers[0].clone());
                let name = &property.name;
                if self.n_levels() > 2 {
                    let distinct = |&window| Feature::Distinct { kind: kind.clone(), property: name.clone(), window };
                    features.extend(within.iter().map(distinct));
                }
                features.extend(self.frequent().into_iter().map(|level| Feature::Share {
                    kind: kind.clone(),
                    property: name.clone(),
                    level: levels[level].clone(),
                }));
            }
            Values::Category { .. } | Values::Time(_) => {}
        }
    }

    /// How many levels were known by then: what comes later must not decide which features there are.
    fn n_levels(&self) -> usize {
        self.levels.iter().filter(|&&count| count > 0).count()
    }

    /// The frequent levels, in their own order. One of two levels says all.
    fn frequent(&self) -> Vec<usize> {
        let total: u64 = self.levels.iter().sum();
        let mut order: Vec<usize> = (0..self.levels.len())
            .filter(|&level| self.levels[level] as f64 >= FREQUENT_SHARE * total as f64)
            .collect();
        order.retain(|&level| self.levels[level] > 0);
        order.sort_by_key(|&level| (std::cmp::Reverse(self.levels[level]), level));
        order.truncate(if self.n_levels() == 2 { 1 } else { MOST_LEVELS });
        order.sort_unstable();
        order
    }
}
