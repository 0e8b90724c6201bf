//! Whether an audience of lookalikes has more of its seed's skew than the seed itself.
//!
//! For each group of a protected attribute its share of the seed, of the pool of candidates, and of the audience. The seed's skew is
//! its share over the pool's; the audience's skew is the same for the audience; amplification is the audience's over the seed's (1:
//! as skewed as the seed). Intervals of shares are Wilson's, of ratios Katz's.

use serde::{Deserialize, Serialize};

use super::groups::Groups;
use super::rates::{Ratio, Share};
use crate::discover::{Column, Table};

/// Fewer people than this are no group to speak of.
const LEAST: u64 = 20;

/// One group in seed, pool and audience.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupSkew {
    /// The attribute, a column of the people table.
    pub attribute: String,
    /// The group.
    pub group: String,
    /// Its share of the seed.
    pub seed: Share,
    /// Its share of the candidates.
    pub pool: Share,
    /// Its share of the audience.
    pub audience: Share,
    /// Its share of the seed over that of the candidates.
    pub seed_skew: Option<Ratio>,
    /// Its share of the audience over that of the candidates.
    pub audience_skew: Option<Ratio>,
    /// Its share of the audience over that of the seed.
    pub amplification: Option<Ratio>,
    /// What to look at, in a sentence.
    pub finding: Option<String>,
}

/// The groups of each column of `protected`, whose rows are the seed, then the pool, then the audience: so many of each.
#[must_use]
pub fn skew(protected: &Table, n: [usize; 3]) -> Vec<GroupSkew> {
    protected.columns.iter().flat_map(|column| of_column(column, n)).collect()
}

fn of_column(column: &Column, n: [usize; 3]) -> Vec<GroupSkew> {
    let groups = Groups::new(column);
    let mut counts = vec![[0_u64; 3]; groups.names.len()];
    for (row, &group) in groups.of.iter().enumerate() {
        let part = usize::from(row >= n[0]) + usize::from(row >= n[0] + n[1]);
        counts[usize::from(group)][part] += 1;
    }
    let attribute = column.name.strip_prefix("attr.").unwrap_or(&column.name);
    let skew = |(group, counts): (&String, &[u64; 3])| {
        let [seed, pool, audience] = std::array::from_fn(|part| Share::new(counts[part], n[part] as u64, 1.0));
        let skew = GroupSkew {
            attribute: attribute.to_owned(),
            group: group.clone(),
            seed,
            pool,
            audience,
            seed_skew: Ratio::new(seed, pool, 1.0),
            audience_skew: Ratio::new(audience, pool, 1.0),
            amplification: Ratio::new(audience, seed, 1.0),
            finding: None,
        };
        GroupSkew { finding: skew.finding(), ..skew }
    };
    groups.names.iter().zip(&counts).map(skew).collect()
}

impl GroupSkew {
    /// Something where the audience is further from the pool than the seed is, on the same side, beyond noise.
    fn finding(&self) -> Option<String> {
        let (seed, audience, more) = (self.seed_skew?, self.audience_skew?, self.amplification?);
        let counted = self.seed.rate.n_eligible.min(self.audience.rate.n_eligible) >= LEAST;
        let over = seed.value >= 1.0 && audience.low > 1.0 && more.low > 1.0;
        let under = seed.value <= 1.0 && audience.high < 1.0 && more.high < 1.0;
        (counted && (over || under)).then(|| {
            format!(
                "{} {}: {} of the seed, {} of the candidates, {} of the audience: the audience makes the seed's skew larger ({:.2} times the seed's share, {:.2} to {:.2}).",
                self.attribute, self.group, self.seed.rate, self.pool.rate, self.audience.rate, more.value, more.low, more.high
            )
        })
    }
}
