//! How many different values there are, in bounded memory and a comparison a row.
//!
//! In: keys, spread evenly over 64 bits; the same value always has the same key. Kept are the [`K`] smallest (Bar-Yossef et
//! al. 2002): while there are no more, the count is exact; beyond, with θ the largest key that is kept as a share of all,
//! it is (K − 1) / θ, unbiased with a standard error of 1 / √(K − 2) (Beyer et al. 2007): 0.8 %. A key above θ, as nearly
//! all are in a large table, costs one comparison.

/// So many keys are kept.
pub(super) const K: usize = 1 << 14;
/// So many are collected before the larger ones are let go.
const COLLECTED: usize = 2 * K;

/// The smallest keys so far.
pub(super) struct Distinct {
    /// Keys above are not looked at.
    limit: u64,
    /// Open addressing: keys, or 0.
    places: Vec<u64>,
    n: usize,
}

impl Default for Distinct {
    fn default() -> Self {
        Self { limit: u64::MAX, places: vec![0; 64], n: 0 }
    }
}

impl Distinct {
    /// Sees the key of a value.
    pub(super) fn see(&mut self, key: u64) {
        // No place is empty that holds a key: 0 counts as 1.
        let key = key.max(1);
        if key > self.limit {
            return;
        }
        let mask = self.places.len() - 1;
        let mut at = place(key, mask);
        while self.places[at] != 0 {
            if self.places[at] == key {
                return;
            }
            at = (at + 1) & mask;
        }
        self.places[at] = key;
        self.n += 1;
        if self.n > COLLECTED {
            self.let_go();
        } else if self.n * 2 > self.places.len() {
            let keys = std::mem::take(&mut self.places);
            self.put(&keys, keys.len() * 4);
        }
    }

    /// How many different keys were seen, and whether that is exact.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of rows")]
    pub(super) fn count(&self) -> (u64, bool) {
        if self.limit == u64::MAX && self.n <= K {
            return (self.n as u64, true);
        }
        let mut keys = self.keys();
        let (_, &mut largest, _) = keys.select_nth_unstable(K - 1);
        let share = largest as f64 / u64::MAX as f64;
        (((K - 1) as f64 / share).round() as u64, false)
    }

    fn keys(&self) -> Vec<u64> {
        self.places.iter().copied().filter(|&key| key != 0).collect()
    }

    /// Keeps the smallest.
    fn let_go(&mut self) {
        let mut keys = self.keys();
        self.limit = *keys.select_nth_unstable(K - 1).1;
        keys.truncate(K);
        self.put(&keys, self.places.len());
    }

    fn put(&mut self, keys: &[u64], size: usize) {
        self.places.clear();
        self.places.resize(size, 0);
        self.n = 0;
        for &key in keys.iter().filter(|&&key| key != 0) {
            let mut at = place(key, size - 1);
            while self.places[at] != 0 {
                at = (at + 1) & (size - 1);
            }
            self.places[at] = key;
            self.n += 1;
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a place in the table, masked by its size")]
fn place(key: u64, mask: usize) -> usize {
    // The low bits: the high ones are alike once only small keys are kept.
    key as usize & mask
}

#[cfg(test)]
mod tests {
    use super::super::frequent::key_of_bits;
    use super::*;

    fn counted(values: impl Iterator<Item = u64>) -> (u64, bool) {
        let mut distinct = Distinct::default();
        values.for_each(|value| distinct.see(key_of_bits(value)));
        distinct.count()
    }

    #[test]
    fn up_to_k_values_are_counted_exactly() {
        assert_eq!(counted(std::iter::empty()), (0, true));
        assert_eq!(counted((0..100_000).map(|n| n % K as u64)), (K as u64, true));
    }

    #[test]
    fn beyond_the_estimate_is_within_three_standard_errors() {
        for n in [20_000_u64, 40_000, 1_000_000] {
            let (found, is_exact) = counted((0..n).chain(0..n / 2));
            let error = found as f64 / n as f64 - 1.0;
            assert!(!is_exact && error.abs() < 3.0 / (K as f64 - 2.0).sqrt(), "{found} of {n}");
        }
    }

    #[test]
    fn the_order_of_rows_changes_nothing() {
        let ascending = counted(0..100_000);
        assert_eq!(ascending, counted((0..100_000).rev()));
        assert_eq!(ascending, counted((0..300_000).map(|n| n * 7 % 100_000)));
    }
}
