//! What a ranking by uplift is worth: the one definition of its curves, of AUUC and of Qini.
//!
//! In: a score, a group and an outcome per person of a randomised test. Of the best-ranked share `φ` of all people let `n₁, n₀` be
//! those who were treated and those who were not, `r₁, r₀` those of each who responded, `N₁` all who were treated.
//!
//! - **uplift at `φ`**: `u(φ) = r₁ / n₁ − r₀ / n₀`; at 1 it is the effect on everybody, `e`.
//! - **gain**: `g(φ) = φ u(φ)`, the responses per person that treating the best `φ` alone would gain.
//! - **AUUC**: `∫ g dφ`. A random order has `g = φ e` and so `e / 2`. **Area over random** is `AUUC / (e / 2) − 1`; it is told where
//!   `e > 0`. **AUUC over random** is `AUUC − e / 2`.
//! - **Qini** (Radcliffe 2007, Using Control Groups to Target on Predicted Lift): `q(φ) = (r₁ − r₀ n₁ / n₀) / N₁`, its coefficient
//!   `∫ q dφ − q(1) / 2`.
//!
//! Equal scores come together: between their first and last the curves are straight, so that a score that tells nothing has the
//! curve of a random order, and every area over random is exactly 0. Where `n₁` or `n₀` is 0 the curves are 0. scikit-uplift 0.5
//! has the same curves in counts: `uplift_curve` is `N g` over `N φ`, `qini_curve` is `N₁ q` over `N φ`.

/// People of a randomised test, with the scores that rank them.
#[derive(Debug, Clone, Copy)]
pub struct Ranked<'a> {
    /// The score; the highest come first.
    pub score: &'a [f64],
    /// Whether they were treated.
    pub treated: &'a [bool],
    /// Whether they responded.
    pub outcome: &'a [bool],
}

/// What a ranking is worth; see the module. NaN where it is not defined.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Worth {
    /// People who were ranked.
    pub n: u64,
    /// The effect on everybody.
    pub effect: f64,
    /// Area under the gain curve over that of a random order, less one.
    pub area_over_random: f64,
    /// Area under the gain curve less that of a random order.
    pub auuc_over_random: f64,
    /// The Qini coefficient.
    pub qini: f64,
    /// Uplift among the best 10, 20 … 100 %.
    pub uplift: [f64; 10],
}

/// People and responses of the two groups: `[control, treated]`.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    n: [f64; 2],
    responded: [f64; 2],
}

impl Ranked<'_> {
    /// What the ranking is worth.
    #[must_use]
    pub fn worth(self) -> Worth {
        let curve = self.curve();
        let all = curve[curve.len() - 1];
        let (n, effect) = (all.people(), all.uplift());
        let share = |counts: &Counts| counts.people() / n;
        let area = |of: &dyn Fn(&Counts) -> f64| -> f64 {
            let steps = curve.windows(2);
            steps.map(|pair| 0.5 * (of(&pair[0]) + of(&pair[1])) * (share(&pair[1]) - share(&pair[0]))).sum()
        };
        let auuc = area(&|counts| share(counts) * counts.uplift());
        let qini = area(&|counts| counts.qini(all.n[1]));
        let mut uplift = [f64::NAN; 10];
        for (tenth, uplift) in (1..=10).zip(&mut uplift) {
            *uplift = at(&curve, n * f64::from(tenth) / 10.0).uplift();
        }
        Worth {
            n: self.score.len() as u64,
            effect,
            area_over_random: if effect > 0.0 { auuc / (0.5 * effect) - 1.0 } else { f64::NAN },
            auuc_over_random: auuc - 0.5 * effect,
            qini: qini - 0.5 * all.qini(all.n[1]),
            uplift,
        }
    }

    /// The counts at the end of each run of equal scores, nobody before the first.
    fn curve(self) -> Vec<Counts> {
        // Nothing and minus nothing are one score.
        let by_score = |a: usize, b: usize| (self.score[b] + 0.0).total_cmp(&(self.score[a] + 0.0));
        let mut order: Vec<usize> = (0..self.score.len()).collect();
        order.sort_by(|&a, &b| by_score(a, b));
        let mut counts = Counts::default();
        let mut curve = vec![counts];
        for ties in order.chunk_by(|&a, &b| by_score(a, b).is_eq()) {
            for &person in ties {
                let group = usize::from(self.treated[person]);
                counts.n[group] += 1.0;
                counts.responded[group] += f64::from(u8::from(self.outcome[person]));
            }
            curve.push(counts);
        }
        curve
    }
}

impl Counts {
    fn people(&self) -> f64 {
        self.n[0] + self.n[1]
    }

    fn uplift(&self) -> f64 {
        let [control, treated] = [0, 1].map(|group| self.responded[group] / self.n[group]);
        if self.n[0] > 0.0 && self.n[1] > 0.0 { treated - control } else { 0.0 }
    }

    fn qini(&self, n_treated: f64) -> f64 {
        let control = if self.n[0] > 0.0 { self.responded[0] * self.n[1] / self.n[0] } else { 0.0 };
        if self.n[0] > 0.0 { (self.responded[1] - control) / n_treated } else { 0.0 }
    }
}

/// The counts of the best `n` people, those of a run of equal scores in part.
fn at(curve: &[Counts], n: f64) -> Counts {
    let next = curve.partition_point(|counts| counts.people() < n - 1e-9).min(curve.len() - 1);
    let (before, after) = (curve[next.saturating_sub(1)], curve[next]);
    let room = after.people() - before.people();
    let part = if room > 0.0 { ((n - before.people()) / room).clamp(0.0, 1.0) } else { 1.0 };
    let mix = |of: fn(&Counts) -> [f64; 2]| {
        [0, 1].map(|group| of(&before)[group] + part * (of(&after)[group] - of(&before)[group]))
    };
    Counts { n: mix(|counts| counts.n), responded: mix(|counts| counts.responded) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_match_scikit_uplift() {
        // testdata/make.py: areas under scikit-uplift's curves, scaled as the module says.
        let rows: Vec<Vec<f64>> = include_str!("testdata/ranked.csv")
            .lines()
            .skip(1)
            .map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect())
            .collect();
        let flags = |at: usize| rows.iter().map(|row| row[at] == 1.0).collect::<Vec<bool>>();
        let (treated, outcome) = (flags(2), flags(3));
        for line in include_str!("testdata/worth.csv").lines().skip(1) {
            let wanted: Vec<f64> = line.split(',').map(|cell| cell.parse().unwrap()).collect();
            let score: Vec<f64> = rows.iter().map(|row| row[wanted[0] as usize]).collect();
            let worth = Ranked { score: &score, treated: &treated, outcome: &outcome }.worth();
            let found = [worth.effect, worth.auuc_over_random, worth.qini];
            for (found, wanted) in found.iter().zip(&wanted[1..]) {
                assert!((found - wanted).abs() < 1e-12, "{line}: {worth:?}");
            }
            // uplift_at_k(strategy="overall", k=0.3), on scores without ties.
            if wanted[0] == 0.0 {
                assert!((worth.uplift[2] - wanted[4]).abs() < 1e-12, "{line}: {worth:?}");
            }
        }
    }

    #[test]
    fn a_score_that_tells_nothing_is_worth_exactly_nothing() {
        let treated: Vec<bool> = (0..1000).map(|at| at % 3 > 0).collect();
        let outcome: Vec<bool> = (0..1000).map(|at| at % 7 == 0 || (at % 3 > 0 && at % 5 == 0)).collect();
        let worth = Ranked { score: &[0.3; 1000], treated: &treated, outcome: &outcome }.worth();
        assert!(worth.effect > 0.0);
        assert_eq!([worth.area_over_random, worth.auuc_over_random, worth.qini], [0.0; 3]);
        assert!(worth.uplift.iter().all(|uplift| (uplift - worth.effect).abs() < 1e-12));
    }

    #[test]
    fn by_hand() {
        // Two treated and two controls of each half; in the better half both treated respond and nobody else does.
        let score = [4.0, 4.0, 4.0, 4.0, 1.0, 1.0, 1.0, 1.0];
        let treated = [true, true, false, false, true, true, false, false];
        let outcome = [true, true, false, false, false, false, false, false];
        let worth = Ranked { score: &score, treated: &treated, outcome: &outcome }.worth();
        // g runs from 0 to 1/2 at the half and stays: ∫ g = 1/8 + 1/4; random 1/4.
        assert_eq!(worth.effect, 0.5);
        assert!((worth.auuc_over_random - 0.125).abs() < 1e-15 && (worth.area_over_random - 0.5).abs() < 1e-15);
        // q: 2 of 4 treated at the half and after: the same here, as groups are balanced.
        assert!((worth.qini - 0.125).abs() < 1e-15);
        assert_eq!((worth.uplift[2], worth.uplift[4], worth.uplift[9]), (1.0, 1.0, 0.5));
    }
}
