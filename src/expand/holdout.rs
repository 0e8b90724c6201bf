//! Who of the chosen is left alone, so that the lift of the campaign can be measured.
//!
//! In: the chosen people, the share to hold out, and, for strata, the groups of earlier lists. Out: a [`Group`] for each.
//!
//! - **By hash** (the usual way): a person is held out when the hash of their id, salted with the seed and the audience, falls
//!   below the share. It asks nobody else: new people, lost people and other scores move no one, and a larger share holds out
//!   those whom the smaller one did. Another seed draws anew; `[holdout] salt` keeps the draw when the seed changes.
//! - **Universal** (`[holdout] universal`): a share of everybody, the same people in every audience, by a hash without the
//!   audience's name. Both draws are random, so that all who are held out are one fair comparison.
//! - **Stratified** (`stratify`): in each stratum (a tenth of the list by rank, or a value of an attribute) exactly the share, the
//!   lowest hashes first. That asks who else is in the stratum, so the draw is kept in `groups.parquet` ([`Earlier`]): whoever has a group
//!   keeps it, and those who are new fill each stratum up to its share.

use std::collections::BTreeMap;
use std::path::Path;

use polars::prelude::{DataFrame, NamedFrom as _, PlSmallStr, Series};
use rayon::prelude::*;

use super::chosen::Group;
use super::scores::as_text;
use super::texts::Texts;
use crate::error::{Error, Result, did_you_mean};
use crate::source::People;
use crate::spec::{Audience, Spec, Stratify};
use crate::store;

/// The file beside `audience.parquet` that keeps the groups of a stratified audience.
const GROUPS: &str = "groups.parquet";
/// No audience is called so: the name of one is the name of a folder.
const UNIVERSAL: &str = "*";
/// Strata by rank.
const TENTHS: usize = 10;

/// Puts a share of people into the holdout, each by their own hash.
pub(super) struct Holdout {
    own: Draw,
    universal: Draw,
}

/// A random share of everybody.
struct Draw {
    salt: [u8; 32],
    share: f64,
}

/// The groups that people were put into when the list was made before.
pub type Earlier = BTreeMap<String, Group>;

impl Holdout {
    /// The holdout of an audience in a project: another audience holds out others, but for the universal ones.
    pub(super) fn new(spec: &Spec, audience: &Audience) -> Self {
        Self {
            own: Draw::new(spec, &audience.name, audience.holdout),
            universal: Draw::new(spec, UNIVERSAL, spec.holdout.universal),
        }
    }

    /// Whether a person is held out by their hash: always the same answer.
    pub(super) fn holds(&self, person: &str) -> bool {
        self.is_universal(person) || self.own.holds(person)
    }

    /// Whether a person is held out of every audience.
    pub(super) fn is_universal(&self, person: &str) -> bool {
        self.universal.holds(person)
    }

    /// The share of people who are held out, 0–1.
    pub(super) fn share(&self) -> f64 {
        1.0 - (1.0 - self.own.share) * (1.0 - self.universal.share)
    }

    /// The group of each person; with `strata`, a number for each, exact within them.
    pub(super) fn groups(&self, person: &Texts, strata: Option<&[u32]>, earlier: &Earlier) -> Vec<Group> {
        let Some(strata) = strata else {
            return (0..person.len()).into_par_iter().map(|at| group(self.holds(&person[at]))).collect();
        };
        let kept = |id: &str| if self.is_universal(id) { Some(Group::Holdout) } else { earlier.get(id).copied() };
        let mut groups: Vec<Option<Group>> = (0..person.len()).into_par_iter().map(|at| kept(&person[at])).collect();
        let mut of_stratum: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        strata.iter().enumerate().for_each(|(at, &stratum)| of_stratum.entry(stratum).or_default().push(at));
        for members in of_stratum.values() {
            self.fill(members, person, &mut groups);
        }
        groups.into_iter().map(|group| group.unwrap_or(Group::Target)).collect()
    }

    /// Holds out as many of a stratum's new members as its share still wants, the lowest hashes first.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count of people")]
    fn fill(&self, members: &[usize], person: &Texts, groups: &mut [Option<Group>]) {
        let wanted = (self.share() * members.len() as f64).round() as usize;
        let held = members.iter().filter(|&&at| groups[at] == Some(Group::Holdout)).count();
        let mut new: Vec<usize> = members.iter().copied().filter(|&at| groups[at].is_none()).collect();
        new.sort_by_cached_key(|&at| (self.own.hash(&person[at]), person[at].to_owned()));
        for &at in new.iter().take(wanted.saturating_sub(held)) {
            groups[at] = Some(Group::Holdout);
        }
    }
}

impl Draw {
    fn new(spec: &Spec, audience: &str, share: f64) -> Self {
        let salt = spec.holdout.salt.as_ref().map_or(spec.seed.to_le_bytes().to_vec(), |salt| salt.as_bytes().to_vec());
        let words = [&salt, audience.as_bytes()].concat();
        Self { salt: blake3::derive_key("clo holdout 2026", &words), share }
    }

    /// 53 even bits, which a double holds.
    fn hash(&self, person: &str) -> u64 {
        let hash = blake3::keyed_hash(&self.salt, person.as_bytes());
        u64::from_le_bytes(*hash.as_bytes().first_chunk().expect("a hash has 32 bytes")) >> 11
    }

    fn holds(&self, person: &str) -> bool {
        self.share > 0.0 && (self.hash(person) as f64) < self.share * (1_u64 << 53) as f64
    }
}

fn group(is_held: bool) -> Group {
    if is_held { Group::Holdout } else { Group::Target }
}

/// The stratum of each chosen person, best first; `attributes` are their rows in the people table. `None`: the audience has none.
///
/// # Errors
/// When the people table lacks the attribute.
pub(super) fn strata(audience: &Audience, people: &People, attributes: &[Option<usize>]) -> Result<Option<Vec<u32>>> {
    let number = |at: usize| u32::try_from(at).expect("people are counted in 32 bits");
    let n = attributes.len();
    match &audience.stratify {
        None => Ok(None),
        Some(Stratify::Propensity) => Ok(Some((0..n).map(|at| number(at * TENTHS / n)).collect())),
        Some(Stratify::Attribute(name)) => {
            let values = as_text(people.attributes.column(name).map_err(|_| unknown(audience, name, people))?)?;
            let text = |row: &Option<usize>| row.and_then(|row| values.get(row)).unwrap_or_default();
            let mut levels: Vec<&str> = attributes.iter().map(text).collect();
            levels.sort_unstable();
            levels.dedup();
            let level = |row| levels.binary_search(&text(row)).expect("all values were listed");
            Ok(Some(attributes.iter().map(|row| number(level(row))).collect()))
        }
    }
}

fn unknown(audience: &Audience, name: &str, people: &People) -> Error {
    let known: Vec<&str> = people.attributes.get_column_names().into_iter().map(PlSmallStr::as_str).collect();
    let error = Error::spec(format!("stratify of audience `{}`: people have no attribute `{name}`", audience.name));
    match did_you_mean(name, known.iter().copied()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("write \"propensity\", or one of: {}", known.join(", "))),
    }
}

/// The groups that an audience's folder keeps; none when it keeps none.
///
/// # Errors
/// When the file is damaged.
pub fn earlier(folder: &Path) -> Result<Earlier> {
    let path = folder.join(GROUPS);
    if !path.exists() {
        return Ok(Earlier::new());
    }
    let frame = store::read_frame(&path)?;
    let (person, groups) = (frame.column("person")?.str()?, frame.column("group")?.str()?);
    let pairs = person.iter().zip(groups.iter());
    Ok(pairs.filter_map(|(person, name)| Some((person?.to_owned(), Group::of(name?)?))).collect())
}

/// Keeps the groups of a stratified audience: those of before, those who have left the list among them, and the new ones.
pub(super) fn keep(folder: &Path, earlier: &Earlier) -> Result<()> {
    let person: Vec<&str> = earlier.keys().map(String::as_str).collect();
    let groups: Vec<&str> = earlier.values().map(|group| group.name()).collect();
    let columns = vec![Series::new("person".into(), &person).into(), Series::new("group".into(), groups).into()];
    store::write_frame(&folder.join(GROUPS), &mut DataFrame::new(person.len(), columns)?)?;
    store::settle(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holdout(seed: u64, name: &str, share: f64, universal: f64) -> Holdout {
        let draw = |name: &str, share| Draw {
            salt: blake3::derive_key("clo holdout 2026", &[&seed.to_le_bytes(), name.as_bytes()].concat()),
            share,
        };
        Holdout { own: draw(name, share), universal: draw(UNIVERSAL, universal) }
    }

    fn ids(n: usize) -> Texts {
        let ids: Vec<String> = (0..n).map(|person| format!("p{person}")).collect();
        ids.iter().map(String::as_str).collect()
    }

    fn held(people: &Texts, groups: &[Group]) -> std::collections::BTreeSet<String> {
        let both = people.iter().zip(groups);
        both.filter(|(_, group)| **group == Group::Holdout).map(|(person, _)| person.to_owned()).collect()
    }

    #[test]
    fn a_tenth_is_held_out_within_its_standard_error() {
        let holdout = holdout(7, "second-purchase", 0.1, 0.0);
        let n = ids(100_000).iter().filter(|person| holdout.holds(person)).count();
        // Standard error of a share of 0.1 of 100,000: 95 people.
        assert!(n.abs_diff(10_000) < 4 * 95, "{n}");
        assert!(ids(1000).iter().all(|person| !self::holdout(7, "x", 0.0, 0.0).holds(person)));
        assert!(ids(1000).iter().all(|person| self::holdout(7, "x", 1.0, 0.0).holds(person)));
    }

    #[test]
    fn a_larger_share_holds_out_those_of_the_smaller_one_and_another_seed_others() {
        let people = ids(2000);
        let of = |seed, share| held(&people, &holdout(seed, "x", share, 0.0).groups(&people, None, &Earlier::new()));
        assert!(of(7, 0.1).is_subset(&of(7, 0.2)));
        // Two draws of a tenth share a hundredth: 20 of 2,000, standard error 4.4.
        assert!(of(7, 0.1).intersection(&of(8, 0.1)).count() < 20 + 4 * 5);
    }

    #[test]
    fn the_universal_are_held_out_of_every_audience() {
        let people = ids(20_000);
        let [first, second] = ["a", "b"].map(|name| holdout(7, name, 0.1, 0.05));
        let universal: Vec<&str> = people.iter().filter(|person| first.is_universal(person)).collect();
        assert!(universal.len().abs_diff(1000) < 4 * 31, "{}", universal.len());
        assert!(universal.iter().all(|person| first.holds(person) && second.holds(person)));
        // 1 − 0.9 × 0.95 = 0.145 of 20,000; standard error 50.
        assert!((first.share() - 0.145).abs() < 1e-12);
        let n = people.iter().filter(|person| first.holds(person)).count();
        assert!(n.abs_diff(2900) < 4 * 50, "{n}");
    }

    #[test]
    fn strata_hold_out_exactly_their_share_and_keep_who_they_hold() {
        let (holdout, people) = (holdout(7, "x", 0.2, 0.0), ids(100));
        let strata: Vec<u32> = (0..100).map(|at| at / 25).collect();
        let groups = holdout.groups(&people, Some(&strata), &Earlier::new());
        for stratum in 0..4 {
            let n = (0..100).filter(|&at| strata[at] == stratum && groups[at] == Group::Holdout).count();
            assert_eq!(n, 5);
        }
        let earlier: Earlier = people.iter().map(str::to_owned).zip(groups.iter().copied()).collect();
        let (more, other): (Texts, Vec<u32>) = (ids(150), (0..150).map(|at| at % 3).collect());
        let later = holdout.groups(&more, Some(&other), &earlier);
        assert_eq!(later[..100], groups);
        // 30 of 150 in three strata; 20 are held already.
        assert_eq!(held(&more, &later).len(), 30);
    }
}
