//! Features of events, computed in one pass over each person's events.
//!
//! A person's events enter every window once and leave each finite window once, as the cutoffs move forward; what is asked
//! at a cutoff is read from running totals. The cost is events × windows, and hardly depends on the number of cutoffs.
//!
//! An event is visible at a cutoff when it was *known* before it. Sums are kept in double-double arithmetic (Knuth's exact
//! two-sum), so that what has entered and left leaves nothing behind and the result does not depend on the other cutoffs.

mod plan;

use super::catalogue::{Statistic, Window};
use crate::source::events::NO_LEVEL;
use crate::time::{DAY, Time};

pub(super) use plan::Plan;
use plan::Read;

/// No row.
const NONE: u32 = u32::MAX;

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
