//! The order of events: by person, then time, then whatever breaks ties.

use std::cmp::Ordering;
use std::ops::Range;

use rayon::prelude::*;

/// About so many rows are sorted by one task.
const TASK: usize = 1 << 15;

/// The rows in order, and where each person's begin: person `p` has `offsets[p]..offsets[p + 1]`. A counting sort parts the
/// rows by person; each person's rows are then sorted on their own, in parallel.
pub(crate) fn order(
    person: &[u32],
    n_people: usize,
    time: &[i64],
    tie: impl Fn(usize, usize) -> Ordering + Sync,
) -> (Vec<u32>, Vec<u32>) {
    let (mut rows, offsets) = by_person(person, n_people);
    let mut rest = rows.as_mut_slice();
    let tasks: Vec<(Range<usize>, &mut [u32])> = tasks(&offsets)
        .into_iter()
        .map(|people| {
            let length = (offsets[people.end] - offsets[people.start]) as usize;
            let (task, after) = std::mem::take(&mut rest).split_at_mut(length);
            rest = after;
            (people, task)
        })
        .collect();
    tasks.into_par_iter().for_each(|(people, rows)| {
        let mut scratch: Vec<(i64, u32)> = Vec::new();
        let start = offsets[people.start];
        for person in people {
            let own = &mut rows[(offsets[person] - start) as usize..(offsets[person + 1] - start) as usize];
            scratch.clear();
            scratch.extend(own.iter().map(|&row| (time[row as usize], row)));
            // The sort is stable: rows in time order, as files mostly have them, cost one pass.
            scratch.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| tie(a.1 as usize, b.1 as usize)));
            own.iter_mut().zip(&scratch).for_each(|(row, sorted)| *row = sorted.1);
        }
    });
    (rows, offsets)
}

fn by_person(person: &[u32], n_people: usize) -> (Vec<u32>, Vec<u32>) {
    let mut offsets = vec![0; n_people + 1];
    for &person in person {
        offsets[person as usize + 1] += 1;
    }
    for position in 0..n_people {
        offsets[position + 1] += offsets[position];
    }
    let mut next = offsets.clone();
    let mut rows = vec![0; person.len()];
    for (row, &person) in (0..).zip(person) {
        let place = &mut next[person as usize];
        rows[*place as usize] = row;
        *place += 1;
    }
    (rows, offsets)
}

/// Runs of people with about [`TASK`] rows together.
fn tasks(offsets: &[u32]) -> Vec<Range<usize>> {
    let n_people = offsets.len() - 1;
    let mut tasks = Vec::new();
    let mut start = 0;
    for person in 0..n_people {
        if (offsets[person + 1] - offsets[start]) as usize >= TASK || person + 1 == n_people {
            tasks.push(start..person + 1);
            start = person + 1;
        }
    }
    tasks
}

/// The values at `rows`; the column as it was is given up, so that no two copies of a table are held.
#[expect(clippy::needless_pass_by_value, reason = "the old column's memory is freed here")]
pub(crate) fn take<T: Copy + Send + Sync>(values: Vec<T>, rows: &[u32]) -> Vec<T> {
    rows.par_iter().map(|&row| values[row as usize]).collect()
}
