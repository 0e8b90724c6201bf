//! Whether a seed is fit to look for its likes: large enough, of one kind, of the right people, not lopsided.
//!
//! In: the sample with its features, what the models say of members they had not seen, and the chosen. Out: findings in
//! words, in what seed and candidates differ most and what the list makes of that, the parts of a mixed seed.
//!
//! - **Too small**: fewer than [`ADVISED`] members make a rough model.
//! - **Contaminated**: members who are no better than anybody stand anywhere among the candidates with equal probability. So
//!   at most `n(place < λ) / λ` of them are such (Storey 2002, λ = 0.3): spies, people who were added by mistake, or
//!   people whom the attributes do not tell.
//! - **Mixed**: k-means over what each feature adds to a member's score, the space that the models have learned; a mean
//!   silhouette of a half is reasonable structure (Kaufman and Rousseeuw 1990).
//! - **Told by one**: a feature whose shares in the seed and among the candidates hardly overlap is often the seed's definition (five
//!   orders, where a sixth makes a member), and the list is then one by that feature.
//! - **One-sided**: values that many candidates have and no member ([`super::gaps`]): often the way the seed was gathered.

use std::collections::BTreeMap;

use super::super::summary::{SeedFinding, Skew, SubSeed};
use super::bags::Sample;
use super::bins::Bins;
use super::clusters::{self, Clusters};
use super::gaps::{Gap, Taken};
use super::members::Members;
use super::ways::Lookalike;
use crate::discover::Table;
use crate::error::Result;
use crate::rate::{Rate, grouped};

/// Members below which nothing can be said …
const FEW: usize = 50;
/// … and below which it is said roughly.
const ADVISED: usize = 300;
/// Places that count as low.
const LOW: f64 = 0.3;
/// Share of the seed that may be like anybody before it is told.
const SPIES: f64 = 0.5;
/// Silhouette from which on a seed is mixed.
const MIXED: f64 = 0.5;
/// Half the sum of the differences of all shares from which on one feature tells the seed.
const TOLD_BY_ONE: f64 = 0.8;
/// Features that are told.
const SHOWN: usize = 8;
/// Members that are parted into kinds, at most.
const PARTED: usize = 2_000;

/// What was found.
pub(super) struct Looked {
    pub findings: Vec<SeedFinding>,
    pub skew: Vec<Skew>,
    pub sub_seeds: Vec<SubSeed>,
    /// For each member of the sample the part it belongs to.
    pub sub_seed_of: Vec<Option<u32>>,
}

fn finding(code: &str, grave: bool, message: String) -> SeedFinding {
    SeedFinding { code: code.to_owned(), message, grave }
}

/// What the members alone tell.
pub(super) fn of_members(members: &Members) -> Vec<SeedFinding> {
    let mut findings = Vec::new();
    let n = members.seed.len();
    if n < ADVISED {
        let told = grouped(n as u64);
        let message =
            format!("Only {told} people are in the seed; {ADVISED} are advised. Add more, or expect a rough order.");
        findings.push(finding("too-small", n < FEW, message));
    }
    if let Some(list) = members.list.as_ref().filter(|list| list.n_people < list.n_entries) {
        let (unknown, all) = (grouped(list.n_entries - list.n_people), grouped(list.n_entries));
        let message = format!("{unknown} of the {all} entries of {} mean nobody of the people tables.", list.path);
        findings.push(finding("entries-unknown", 2 * list.n_people < list.n_entries, message));
    }
    if members.n_both > 0 {
        let both = grouped(members.n_both as u64);
        let message = format!("{both} of the seed match the rule for candidates too; they are no candidates.");
        findings.push(finding("also-candidates", false, message));
    }
    findings
}

/// Looks a seed over. `at_end` are the features of the chosen and of all candidates as of the end.
pub(super) fn look(sample: &Sample, lookalike: &Lookalike, places: &[f64], at_end: &[Table; 2]) -> Result<Looked> {
    let seed: Vec<usize> = (0..sample.n_seed).collect();
    let candidates: Vec<usize> = (sample.n_seed..sample.table.n_rows).collect();
    let mut findings = Vec::new();
    findings.extend(contaminated(places));
    findings.extend(one_sided(&sample.gaps));
    let mut skew = Vec::new();
    for column in &sample.table.columns {
        let bins = Bins::of(&column.cells, &candidates);
        let (of_seed, of_candidates) = (bins.shares(&column.cells, &seed), bins.shares(&column.cells, &candidates));
        let at_end = at_end.each_ref().map(|table| {
            let all: Vec<usize> = (0..table.n_rows).collect();
            table.column(&column.name).map_or_else(|| of_candidates.clone(), |column| bins.shares(&column.cells, &all))
        });
        skew.extend(skewed(&column.name, &bins, [&of_seed, &of_candidates], &at_end, seed.len()));
    }
    skew.sort_by(|a, b| b.distance.total_cmp(&a.distance).then_with(|| a.feature.cmp(&b.feature)));
    findings.extend(skew.iter().find(|skew| !is_set_aside(&skew.feature, &sample.gaps)).and_then(told_by_one));
    skew.truncate(SHOWN);
    let (sub_seeds, sub_seed_of) = parts(sample, lookalike)?;
    if !sub_seeds.is_empty() {
        let told: Vec<String> = sub_seeds
            .iter()
            .map(|part| format!("{} with {}", grouped(part.n_members), part.told_by.join(", ")))
            .collect();
        findings.push(finding(
            "mixed",
            false,
            format!(
                "The seed falls into {} kinds of people: {}. A list for each (column `sub_seed` of seed.parquet) may do better than one.",
                sub_seeds.len(),
                told.join("; ")
            ),
        ));
    }
    Ok(Looked { findings, skew, sub_seeds, sub_seed_of })
}

fn contaminated(places: &[f64]) -> Option<SeedFinding> {
    let n_low = places.iter().filter(|&&place| place < LOW).count();
    let rate = Rate::new(n_low, places.len());
    let (share, (low, _)) = (rate.share()? / LOW, rate.interval()?);
    (low / LOW > SPIES).then(|| {
        let percent = (100.0 * share.min(1.0)).round();
        finding(
            "contaminated",
            share > 0.8,
            format!(
                "Up to {percent} % of the seed are like anybody among the candidates: people who do not belong there, or whom the attributes do not tell. Look at those with the lowest `place` in seed.parquet."
            ),
        )
    })
}

/// What a feature tells apart; `at_end` are its shares among the chosen and among all candidates as of the end.
fn skewed(
    feature: &str,
    bins: &Bins,
    [of_seed, of_candidates]: [&[f64]; 2],
    [of_chosen, of_all]: &[Vec<f64>; 2],
    n_seed: usize,
) -> Option<Skew> {
    let differences = || of_seed.iter().zip(of_candidates).map(|(seed, candidate)| seed - candidate);
    let distance = differences().map(f64::abs).sum::<f64>() / 2.0;
    // What a random seed of this size would differ: the mean of |N(0, p (1 − p) / n)|, summed and halved.
    let by_chance = of_candidates
        .iter()
        .map(|share| (2.0 * share * (1.0 - share) / (std::f64::consts::PI * n_seed as f64)).sqrt())
        .sum::<f64>()
        / 2.0;
    if distance < 2.0 * by_chance || distance < 0.05 {
        return None;
    }
    let most = differences().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()).then(b.0.cmp(&a.0)))?.0;
    Some(Skew {
        feature: feature.to_owned(),
        distance,
        value: bins.in_words(&[most]).concat(),
        seed_share: of_seed[most],
        candidate_share: of_candidates[most],
        chosen_share: of_chosen[most],
        amplification: (of_chosen[most] - of_all[most]) / (of_seed[most] - of_candidates[most]),
    })
}

fn is_set_aside(feature: &str, gaps: &[Gap]) -> bool {
    gaps.iter().any(|gap| gap.feature == feature && matches!(gap.taken, Taken::SetAside(_)))
}

/// What the feature that differs most says of the seed.
fn told_by_one(skew: &Skew) -> Option<SeedFinding> {
    let Skew { feature, value, .. } = skew;
    let [seed, candidates] = [skew.seed_share, skew.candidate_share].map(|share| (100.0 * share).round());
    (skew.distance >= TOLD_BY_ONE).then(|| {
        finding(
            "told-by-one",
            false,
            format!(
                "{feature} alone nearly tells the seed from the candidates ({value}: {seed} % of the seed, {candidates} % of the candidates). If that is what makes somebody a member, and not what leads there, leave it out with exclude = [\"{feature}\"], and the list looks at the rest."
            ),
        )
    })
}

/// Gaps, each that learning takes for something; those that it takes as they are, of events mostly and often many, in one.
fn one_sided(gaps: &[Gap]) -> Vec<SeedFinding> {
    /// Features that are named.
    const NAMED: usize = 3;
    let advice = |gap: &Gap| match gap.taken {
        Taken::AsItIs => None,
        Taken::SetAside(_) => Some(format!(
            "That is taken for how the seed was gathered: the seed is compared with the other candidates alone, so that these do not rank lower for it. If it is what sets the seed apart, write trust = [\"{}\"].",
            gap.feature
        )),
        Taken::LeftOut => Some("There is nobody to compare the seed with in that, so it is not looked at.".to_owned()),
    };
    let told = |gap: &Gap| Some(format!("Nobody in the seed has {} of the candidates do. {}", had(gap), advice(gap)?));
    let mut messages: Vec<String> = gaps.iter().filter_map(told).collect();
    let mut as_they_are: Vec<&Gap> = gaps.iter().filter(|gap| gap.taken == Taken::AsItIs).collect();
    as_they_are.sort_by(|a, b| b.share.total_cmp(&a.share));
    if let Some(most) = as_they_are.first() {
        let named: Vec<String> = as_they_are.iter().take(NAMED).map(|gap| had(gap)).collect();
        let more = match as_they_are.len().saturating_sub(NAMED) {
            0 => String::new(),
            1 => "; so it is with one feature more".to_owned(),
            more => format!("; so it is with {more} features more"),
        };
        messages.push(format!(
            "Nobody in the seed has {} of the candidates do{more}. If that is how the seed was gathered, the list repeats it: leave such features out, as with exclude = [\"{}\"].",
            named.join("; "),
            most.feature
        ));
    }
    messages.into_iter().map(|message| finding("one-sided", true, message)).collect()
}

/// `town of B, C, and 69 %`.
fn had(gap: &Gap) -> String {
    /// Values that are named.
    const NAMED: usize = 4;
    let Gap { feature, values, share, .. } = gap;
    let more = if values.len() > NAMED { " …" } else { "" };
    format!("{feature} of {}{more}, and {:.0} %", values[..values.len().min(NAMED)].join(", "), 100.0 * share)
}

/// The kinds of people that a mixed seed holds, and which each member is of.
fn parts(sample: &Sample, lookalike: &Lookalike) -> Result<(Vec<SubSeed>, Vec<Option<u32>>)> {
    let step = sample.n_seed.div_ceil(PARTED).max(1);
    let rows: Vec<u32> = (0..).take(sample.n_seed).step_by(step).collect();
    let contributions = lookalike.contributions(&sample.table, &rows)?;
    let width = lookalike.features().len();
    let points: Vec<&[f64]> = contributions.values.chunks_exact(width.max(1)).collect();
    let mut sub_seed_of = vec![None; sample.n_seed];
    let Some(Clusters { of_point, n_clusters }) = clusters::apart(&points, MIXED) else {
        return Ok((Vec::new(), sub_seed_of));
    };
    for (&row, &cluster) in rows.iter().zip(&of_point) {
        sub_seed_of[row as usize] = u32::try_from(cluster + 1).ok();
    }
    let of_cluster = |cluster: usize| {
        let (own, others): (Vec<usize>, Vec<usize>) = (0..rows.len()).partition(|&point| of_point[point] == cluster);
        let rows_of = |points: &[usize]| points.iter().map(|&point| rows[point] as usize).collect::<Vec<usize>>();
        SubSeed {
            sub_seed: u32::try_from(cluster + 1).expect("clusters are few"),
            n_members: own.len() as u64,
            told_by: told_by(&sample.table, &rows_of(&own), &rows_of(&others)),
        }
    };
    Ok(((0..n_clusters).map(of_cluster).collect(), sub_seed_of))
}

/// The two values that tell some rows from others best.
fn told_by(table: &Table, own: &[usize], others: &[usize]) -> Vec<String> {
    let mut found: BTreeMap<(u64, &str), String> = BTreeMap::new();
    for column in &table.columns {
        let bins = Bins::of(&column.cells, &[own, others].concat());
        let (mine, theirs) = (bins.shares(&column.cells, own), bins.shares(&column.cells, others));
        let excess = |bin: &usize| mine[*bin] - theirs[*bin];
        let Some(most) = (0..bins.len()).max_by(|a, b| excess(a).total_cmp(&excess(b))) else { continue };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share in millionths")]
        let order = ((1.0 - excess(&most)) * 1e6) as u64;
        found.insert((order, &column.name), format!("{} {}", column.name, bins.in_words(&[most]).concat()));
    }
    found.into_values().take(2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_did_otherwise_is_told_in_one() {
        let gap = |feature: &str, share: f64, taken: Taken| Gap {
            feature: feature.into(),
            values: vec!["5 or more".into()],
            share,
            taken,
        };
        let count = |at: u32| gap(&format!("visit.{at}"), 0.3 + 0.01 * f64::from(at), Taken::AsItIs);
        let mut gaps: Vec<Gap> = (0..9).map(count).collect();
        gaps.push(gap("attr.age", 0.5, Taken::SetAside(vec![1])));
        let [set_aside, as_they_are] = one_sided(&gaps).try_into().unwrap();
        let told = set_aside.message;
        assert!(
            told.starts_with("Nobody in the seed has attr.age of 5 or more, and 50 % of the candidates do."),
            "{told}"
        );
        assert!(told.ends_with("write trust = [\"attr.age\"]."), "{told}");
        let told = as_they_are.message;
        assert!(
            told.starts_with("Nobody in the seed has visit.8 of 5 or more, and 38 %; visit.7 of 5 or more, and 37 %;"),
            "{told}"
        );
        assert!(told.contains("of the candidates do; so it is with 6 features more."), "{told}");
    }

    #[test]
    fn the_chosen_are_compared_with_the_candidates_of_their_time() {
        let bins = Bins::Category(vec!["a".into(), "b".into()]);
        let skew = |chosen: f64, all: f64| {
            let shares = |share: f64| [share, 1.0 - share, 0.0];
            let at_end = [shares(chosen).to_vec(), shares(all).to_vec()];
            skewed("town", &bins, [&shares(0.8), &shares(0.2)], &at_end, 1_000).unwrap()
        };
        // Everybody is in town b by the end, the chosen as well as the others: the list exaggerates nothing.
        assert_eq!((skew(0.0, 0.0).value.as_str(), skew(0.0, 0.0).amplification), ("a", 0.0));
        // 0.3 more of them than of the others, where the seed has 0.6 more.
        assert!((skew(0.4, 0.1).amplification - 0.5).abs() < 1e-12);
        assert_eq!(told_by_one(&skew(0.4, 0.1)), None, "0.6 apart");
        let apart = Skew { distance: 0.9, seed_share: 0.95, candidate_share: 0.05, ..skew(0.4, 0.1) };
        let told = told_by_one(&apart).unwrap().message;
        assert!(told.starts_with("town alone nearly tells") && told.contains("a: 95 % of the seed, 5 %"), "{told}");
    }
}
