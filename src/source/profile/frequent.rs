//! Which values a column holds, and how often, in bounded memory.
//!
//! Up to [`EXACT`] different values are counted one by one. Beyond that their number is estimated by [`Distinct`] and the frequent ones are kept by the algorithm of Misra
//! and Gries (Misra, Gries 1982; purged by the median as in Anderson et al. 2017, "A high-performance algorithm for
//! identifying frequent items in data streams"): a value that makes up more than 1 in [`TRACKED`] / 2 of the rows is never lost.

use std::cmp::Reverse;

use super::distinct::Distinct;

/// So many different values are counted exactly.
pub(super) const EXACT: usize = 1 << 14;
/// So many are followed once there are more.
const TRACKED: usize = 1 << 11;

/// The values of a column so far, each with what is known of it.
pub(super) struct Frequent<P> {
    /// Open addressing: a position in `slots` plus one, or 0.
    places: Vec<u32>,
    slots: Vec<Slot<P>>,
    /// All keys seen, once there are more than [`EXACT`].
    different: Option<Distinct>,
}

/// A value that is followed.
pub(super) struct Slot<P> {
    key: u64,
    credit: u64,
    /// How many rows held it since it is followed: all of them, unless it was rare for a long time.
    pub(super) n: u64,
    /// What is known of it.
    pub(super) what: P,
}

impl<P> Default for Frequent<P> {
    fn default() -> Self {
        Self { places: vec![0; 64], slots: Vec::new(), different: None }
    }
}

impl<P> Frequent<P> {
    /// Counts a row that holds the value of this key. `what` describes a value that is not followed yet; `leave` is told
    /// of the values that are no longer followed, with the rows counted of each.
    pub(super) fn count(&mut self, key: u64, what: impl FnOnce() -> P, leave: &mut impl FnMut(u64, P)) {
        let mask = self.places.len() - 1;
        let mut at = place(key, mask);
        while self.places[at] != 0 {
            let slot = &mut self.slots[self.places[at] as usize - 1];
            if slot.key == key {
                slot.n += 1;
                slot.credit += 1;
                return;
            }
            at = (at + 1) & mask;
        }
        self.slots.push(Slot { key, credit: 1, n: 1, what: what() });
        self.places[at] = u32::try_from(self.slots.len()).expect("few values are followed");
        if let Some(different) = &mut self.different {
            different.see(key);
        }
        self.make_room(leave);
    }

    /// How many different values there are, and whether that is exact.
    pub(super) fn distinct(&self) -> (u64, bool) {
        self.different.as_ref().map_or((self.slots.len() as u64, true), Distinct::count)
    }

    /// Whether all values are followed.
    pub(super) fn is_exact(&self) -> bool {
        self.different.is_none()
    }

    /// The values that are followed; all of them while there are few.
    pub(super) fn slots(&self) -> &[Slot<P>] {
        &self.slots
    }

    fn make_room(&mut self, leave: &mut impl FnMut(u64, P)) {
        let most = if self.is_exact() { EXACT } else { TRACKED };
        if self.slots.len() > most {
            if self.different.is_none() {
                let mut different = Distinct::default();
                self.slots.iter().for_each(|slot| different.see(slot.key));
                self.different = Some(different);
            }
            self.purge(leave);
        } else if self.slots.len() * 2 > self.places.len() {
            self.index(self.places.len() * 4);
        }
    }

    /// Takes the credit of the value in the middle from all, and lets go of those that have none left.
    fn purge(&mut self, leave: &mut impl FnMut(u64, P)) {
        let mut credits: Vec<u64> = self.slots.iter().map(|slot| slot.credit).collect();
        let kept = TRACKED / 2;
        let (_, &mut cut, _) = credits.select_nth_unstable_by_key(kept, |&credit| Reverse(credit));
        for slot in std::mem::take(&mut self.slots) {
            if slot.credit > cut {
                self.slots.push(Slot { credit: slot.credit - cut, ..slot });
            } else {
                leave(slot.n, slot.what);
            }
        }
        self.index(TRACKED * 4);
    }

    fn index(&mut self, size: usize) {
        self.places.clear();
        self.places.resize(size, 0);
        for (number, slot) in (1..).zip(&self.slots) {
            let mut at = place(slot.key, size - 1);
            while self.places[at] != 0 {
                at = (at + 1) & (size - 1);
            }
            self.places[at] = number;
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a place in the table, masked by its size")]
fn place(key: u64, mask: usize) -> usize {
    key as usize & mask
}

/// The key of a number: its bits, mixed without loss (the finaliser of `SplitMix64`).
pub(super) fn key_of_bits(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(values: impl Iterator<Item = u64>) -> (Frequent<u64>, u64) {
        let (mut frequent, mut left) = (Frequent::default(), 0);
        values.for_each(|value| frequent.count(key_of_bits(value), || value, &mut |n, _| left += n));
        (frequent, left)
    }

    #[test]
    fn few_values_are_counted_exactly() {
        let (frequent, left) = counted((0..100_000).map(|n| n % 1000));
        assert_eq!((frequent.distinct(), left), ((1000, true), 0));
        assert!(frequent.slots().iter().all(|slot| slot.n == 100));
    }

    #[test]
    fn many_values_are_estimated_and_no_row_is_lost() {
        // Value 7 is every hundredth row and begins late: above 1 in 1024, so it must be found.
        let values = (0..500_000_u64).map(|n| if n > 100_000 && n % 100 == 0 { 7 } else { 1_000_000 + n });
        let (frequent, left) = counted(values);
        let (distinct, exact) = frequent.distinct();
        assert!(!exact && (484_000..508_000).contains(&distinct), "{distinct}: 496,001 within three standard errors");
        let seven = frequent.slots().iter().find(|slot| slot.what == 7).expect("a frequent value is kept");
        assert_eq!(seven.n, 3999);
        let followed: u64 = frequent.slots().iter().map(|slot| slot.n).sum();
        assert_eq!(left + followed, 500_000);
    }
}
