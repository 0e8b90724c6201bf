//! Features of events, computed in one pass over each person's events.
//!
//! A person's events enter every window once and leave each finite window once, as the cutoffs move forward; what is asked
//! at a cutoff is read from running totals. The cost is events × windows, and hardly depends on the number of cutoffs.
//!
//! An event is visible at a cutoff when it was *known* before it. Sums are kept in double-double arithmetic (Knuth's exact
//! two-sum), so that what has entered and left leaves nothing behind and the result does not depend on the other cutoffs.

use std::collections::BTreeMap;

use super::catalogue::{Feature, Statistic, Window};
use crate::source::events::NO_LEVEL;
use crate::source::{Events, Values};
use crate::time::{DAY, Time};

/// No row.
const NONE: u32 = u32::MAX;

/// What is to be kept while the cutoffs move: the features, compiled against the columns of an event table.
pub(super) struct Plan<'a> {
    events: &'a Events,
    /// Windows; `None` is the whole past.
    windows: Vec<Option<Window>>,
    pairs: Vec<Pair<'a>>,
    groups: Vec<Group<'a>>,
    reads: Vec<Read>,
}

/// A numeric property of a kind.
struct Pair<'a> {
    kind: u16,
    values: &'a [f64],
}

/// A category property, over one kind or all.
struct Group<'a> {
    kind: Option<u16>,
    codes: &'a [u32],
    n_levels: usize,
    /// Slot of each level that has a share feature.
    slots: Vec<u32>,
    n_slots: usize,
}

/// How a feature is read from the running totals. Kinds are slots: 0 is any kind, `k + 1` is kind `k`.
#[derive(Clone, Copy)]
enum Read {
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
    pub(super) fn compile(features: &[Feature], events: &'a Events) -> (Self, Vec<usize>) {
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
    pub(super) fn len(&self) -> usize {
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

/// The running totals of one person, reused from person to person.
pub(super) struct Totals<'p, 'a> {
    plan: &'p Plan<'a>,
    /// Events by kind slot and window.
    counts: Vec<u32>,
    /// Values by pair and window.
    sums: Vec<Sum>,
    /// First and last event by kind slot.
    first: Vec<i64>,
    last: Vec<i64>,
    /// Distinct levels by group and window.
    distinct: Vec<u32>,
    /// Events that carry the property, by group; then by share slot.
    carried: Vec<u32>,
    shares: Vec<Vec<u32>>,
    /// The last row of each level, by group; reset after each person.
    last_of_level: Vec<Vec<u32>>,
    /// Per event of the person: the windows that hold it, and by group whether it is the last of its level.
    inside: Vec<u32>,
    is_last: Vec<Vec<bool>>,
    tails: Vec<usize>,
    /// The person's rows, in the order in which they became known.
    order: Vec<u32>,
}

/// A sum, the number of its terms, and the largest of them.
#[derive(Clone, Copy, Default)]
struct Sum {
    high: f64,
    low: f64,
    count: u32,
    max: f64,
    /// The largest has left: look again.
    stale: bool,
}

impl Sum {
    fn add(&mut self, value: f64) {
        self.accumulate(value);
        self.max = if self.count == 0 { value } else { self.max.max(value) };
        self.count += 1;
    }

    fn remove(&mut self, value: f64) {
        self.count -= 1;
        if self.count == 0 {
            *self = Self::default();
            return;
        }
        self.accumulate(-value);
        self.stale |= value >= self.max;
    }

    /// Two-sum: `high + low` is the sum to twice the precision of a double.
    fn accumulate(&mut self, value: f64) {
        let sum = self.high + value;
        let part = sum - self.high;
        let error = (self.high - (sum - part)) + (value - part);
        self.high = sum;
        self.low += error;
    }

    fn total(self) -> f64 {
        self.high + self.low
    }
}

impl<'p, 'a> Totals<'p, 'a> {
    pub(super) fn new(plan: &'p Plan<'a>) -> Self {
        let n_kinds = plan.events.kinds.len() + 1;
        let n_windows = plan.windows.len();
        assert!(n_windows <= 32, "windows are counted in the bits of a word");
        Self {
            plan,
            counts: vec![0; n_kinds * n_windows],
            sums: vec![Sum::default(); plan.pairs.len() * n_windows],
            first: vec![i64::MAX; n_kinds],
            last: vec![i64::MIN; n_kinds],
            distinct: vec![0; plan.groups.len() * n_windows],
            carried: vec![0; plan.groups.len()],
            shares: plan.groups.iter().map(|group| vec![0; group.n_slots]).collect(),
            last_of_level: plan.groups.iter().map(|group| vec![NONE; group.n_levels]).collect(),
            inside: Vec::new(),
            is_last: vec![Vec::new(); plan.groups.len()],
            tails: vec![0; n_windows],
            order: Vec::new(),
        }
    }

    /// Walks one person's events through the cutoffs, which ascend; `emit` takes the values at each, in the plan's order.
    pub(super) fn walk(&mut self, person: usize, cutoffs: &[i64], mut emit: impl FnMut(usize, &[f32])) {
        let rows = self.plan.events.of(person);
        let (start, end) = (rows.start, rows.end);
        self.begin(start, end);
        let mut head = 0;
        let mut values = Vec::with_capacity(self.plan.len());
        for (position, &cutoff) in cutoffs.iter().enumerate() {
            let starts: Vec<i64> = self.plan.windows.iter().map(|window| window_start(*window, cutoff)).collect();
            self.leave(start, end, &starts);
            while head < self.order.len() && self.plan.events.known(self.order[head] as usize).0 < cutoff {
                self.enter(self.order[head] as usize, start, &starts);
                head += 1;
            }
            self.refresh_maxima(start, end);
            values.clear();
            values.extend(self.plan.reads.iter().map(|read| self.value(*read, cutoff)));
            emit(position, &values);
        }
        self.finish(start, end);
    }

    fn begin(&mut self, start: usize, end: usize) {
        self.counts.fill(0);
        self.sums.fill(Sum::default());
        self.first.fill(i64::MAX);
        self.last.fill(i64::MIN);
        self.distinct.fill(0);
        self.carried.fill(0);
        self.shares.iter_mut().for_each(|shares| shares.fill(0));
        self.tails.fill(start);
        self.inside.clear();
        self.inside.resize(end - start, 0);
        for flags in &mut self.is_last {
            flags.clear();
            flags.resize(end - start, false);
        }
        self.order.clear();
        self.order.extend((start..end).map(row_number));
        if self.plan.events.known_at.is_some() {
            let events = self.plan.events;
            self.order.sort_by_key(|&row| (events.known(row as usize), row));
        }
    }

    fn finish(&mut self, start: usize, end: usize) {
        for (group, last) in self.plan.groups.iter().zip(&mut self.last_of_level) {
            for &code in &group.codes[start..end] {
                if code != NO_LEVEL {
                    last[code as usize] = NONE;
                }
            }
        }
    }

    /// An event becomes known: it enters every window that reaches back to it.
    fn enter(&mut self, row: usize, start: usize, starts: &[i64]) {
        let plan = self.plan;
        let n_windows = plan.windows.len();
        let (time, kind) = (plan.events.time[row], usize::from(plan.events.kind[row]));
        let holds = starts.iter().enumerate().filter(|(_, since)| **since <= time);
        let inside = holds.fold(0_u32, |bits, (window, _)| bits | (1 << window));
        self.inside[row - start] = inside;
        for slot in [0, kind + 1] {
            self.first[slot] = self.first[slot].min(time);
            self.last[slot] = self.last[slot].max(time);
            for window in bits(inside) {
                self.counts[slot * n_windows + window] += 1;
            }
        }
        for (position, pair) in plan.pairs.iter().enumerate() {
            let value = pair.values[row];
            if usize::from(pair.kind) == kind && !value.is_nan() {
                for window in bits(inside) {
                    self.sums[position * n_windows + window].add(value);
                }
            }
        }
        for group in 0..plan.groups.len() {
            self.enter_group(group, row, start, inside);
        }
    }

    fn enter_group(&mut self, position: usize, row: usize, start: usize, inside: u32) {
        let plan = self.plan;
        let group = &plan.groups[position];
        let code = group.codes[row];
        if code == NO_LEVEL || group.kind.is_some_and(|kind| kind != plan.events.kind[row]) {
            return;
        }
        self.carried[position] += 1;
        if let Some(share) = self.shares[position].get_mut(group.slots[code as usize] as usize) {
            *share += 1;
        }
        let last = &mut self.last_of_level[position][code as usize];
        if *last != NONE && *last as usize > row {
            return;
        }
        let counts = &mut self.distinct[position * plan.windows.len()..][..plan.windows.len()];
        if *last != NONE {
            let previous = *last as usize - start;
            self.is_last[position][previous] = false;
            bits(self.inside[previous]).for_each(|window| counts[window] -= 1);
        }
        *last = row_number(row);
        self.is_last[position][row - start] = true;
        bits(inside).for_each(|window| counts[window] += 1);
    }

    /// Events that are older than a window reaches leave it.
    fn leave(&mut self, start: usize, end: usize, starts: &[i64]) {
        let plan = self.plan;
        for (window, &since) in starts.iter().enumerate() {
            while self.tails[window] < end && plan.events.time[self.tails[window]] < since {
                let row = self.tails[window];
                self.tails[window] += 1;
                if self.inside[row - start] & (1 << window) != 0 {
                    self.inside[row - start] &= !(1 << window);
                    self.leave_window(row, start, window);
                }
            }
        }
    }

    fn leave_window(&mut self, row: usize, start: usize, window: usize) {
        let plan = self.plan;
        let n_windows = plan.windows.len();
        let kind = usize::from(plan.events.kind[row]);
        for slot in [0, kind + 1] {
            self.counts[slot * n_windows + window] -= 1;
        }
        for (position, pair) in plan.pairs.iter().enumerate() {
            let value = pair.values[row];
            if usize::from(pair.kind) == kind && !value.is_nan() {
                self.sums[position * n_windows + window].remove(value);
            }
        }
        for position in 0..plan.groups.len() {
            if self.is_last[position][row - start] {
                self.distinct[position * n_windows + window] -= 1;
            }
        }
    }

    /// Looks for the largest value again where it has left the window.
    fn refresh_maxima(&mut self, start: usize, end: usize) {
        let plan = self.plan;
        let n_windows = plan.windows.len();
        for (position, pair) in plan.pairs.iter().enumerate() {
            for window in 0..n_windows {
                let sum = &mut self.sums[position * n_windows + window];
                if sum.stale {
                    let inside = &self.inside;
                    let rows = (self.tails[window]..end)
                        .filter(|&row| plan.events.kind[row] == pair.kind && inside[row - start] & (1 << window) != 0);
                    sum.max = rows.map(|row| pair.values[row]).filter(|value| !value.is_nan()).fold(f64::MIN, f64::max);
                    sum.stale = false;
                }
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "features are 32-bit floats")]
    fn value(&self, read: Read, cutoff: i64) -> f32 {
        let n_windows = self.plan.windows.len();
        let count = |kind: usize, window: usize| self.counts[kind * n_windows + window];
        let days = |from: i64, to: i64| Time(to).days_since(Time(from)) as f32;
        match read {
            Read::Count { kind, window } => count(kind, window) as f32,
            Read::Trend { kind, window, double } => 2.0 * count(kind, window) as f32 - count(kind, double) as f32,
            Read::Aggregate { pair, statistic, window } => {
                let sum = self.sums[pair * n_windows + window];
                match statistic {
                    Statistic::Sum => sum.total() as f32,
                    _ if sum.count == 0 => f32::NAN,
                    Statistic::Mean => (sum.total() / f64::from(sum.count)) as f32,
                    Statistic::Max => sum.max as f32,
                }
            }
            Read::Distinct { group, window } => self.distinct[group * n_windows + window] as f32,
            Read::Share { group, slot } => match self.carried[group] {
                0 => f32::NAN,
                carried => self.shares[group][slot] as f32 / carried as f32,
            },
            Read::SinceFirst { kind } if count(kind, 0) > 0 => days(self.first[kind], cutoff),
            Read::SinceLast { kind } if count(kind, 0) > 0 => days(self.last[kind], cutoff),
            Read::MeanGap { kind } if count(kind, 0) > 1 => {
                let span = self.last[kind].saturating_sub(self.first[kind]) as f64 / DAY as f64;
                (span / f64::from(count(kind, 0) - 1)) as f32
            }
            Read::Tenure if count(0, 0) > 0 => days(self.first[0], cutoff),
            Read::SinceFirst { .. } | Read::SinceLast { .. } | Read::MeanGap { .. } | Read::Tenure => f32::NAN,
            Read::Absent(value) => value,
        }
    }
}

/// The first instant of a window that ends at the cutoff.
fn window_start(window: Option<Window>, cutoff: i64) -> i64 {
    window.map_or(i64::MIN, |window| Time(cutoff).minus(window.0).0)
}

/// The positions of the bits that are set.
fn bits(mut word: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let position = word.trailing_zeros();
        (position < 32).then(|| {
            word &= word - 1;
            position as usize
        })
    })
}

fn row_number(row: usize) -> u32 {
    u32::try_from(row).expect("events are counted in 32 bits")
}

#[cfg(test)]
mod tests;
