//! Lookalikes: candidates ranked by how like they are to a seed.
//!
//! In: a seed ([`members`]), candidates with the same attributes. Out: a [`Ranking`] and what is known of it. Learned from is
//! a sample of both ([`bags`], [`ways`]); then every candidate is scored, a chunk at a time, so that the memory it takes does
//! not grow with the features. A score depends on the model and the candidate's own features alone: another candidate more
//! changes nobody's place relative to the others.

mod bags;
mod bins;
mod choose;
mod clusters;
mod find;
mod gaps;
mod hygiene;
mod members;
pub(super) mod shared;
mod similarity;
pub(super) mod skewed;
mod ways;

use std::collections::BTreeSet;

use polars::prelude::{Column, DataFrame, NamedFrom as _, Series};
use rayon::prelude::*;

use self::bags::Sample;
use self::choose::Choice;
use self::find::{Finder, Propensity};
use self::gaps::Taken;
use self::members::Members;
use self::similarity::Similarity;
use self::ways::Lookalike;
use super::summary::{Hidden, SeedUsed};
use super::{Chosen, Context, Expanded, Ranking, Reasons, Scores, expand};
use crate::discover::{self, AttributeValues, Feature, Recipe, Table, Unseen};
use crate::error::{Error, Result, did_you_mean};
use crate::map::Stays;
use crate::predict::reasons;
use crate::rate::Z;
use crate::source::{Data, People};
use crate::spec::{Audience, Candidates, Method, Seed, SeedTime, Size, Told};
use crate::time::Time;

/// Members that are learned from, at most.
const MOST_SEED: usize = 20_000;
/// Candidates that are learned from for each member …
const CANDIDATES: usize = 50;
/// … but not fewer and not more than this.
const SAMPLE: [usize; 2] = [20_000, 100_000];
/// Candidates scored at a time.
const CHUNK: usize = 1 << 17;

/// What is known of people beside their attributes.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// People and events.
    pub data: &'a Data,
    /// Who stood in which stage when.
    pub stays: &'a Stays,
    /// The scores of the audience's prediction, where it names one.
    pub scores: Option<&'a Scores>,
}

/// Makes an audience of the candidates who are most like its seed.
///
/// # Errors
/// An error of the spec when a rule cannot be asked, of the data when the seed or the candidates are nobody or have no
/// features; else as [`expand()`].
pub fn lookalikes(audience: &Audience, known: &Known<'_>, context: &Context<'_>) -> Result<Expanded> {
    let seed = audience.seed.as_ref().ok_or_else(|| Error::internal("the audience has no seed"))?;
    let members = Members::of(audience, seed, known, context)?;
    let settled = choose::settled(audience, context.spec);
    if let Some(choice) = settled.as_ref().filter(|choice| choice.method == Method::Propensity) {
        return by_propensity(audience, &members, choice, known, context);
    }
    let view =
        View { known, recipe: recipe(audience, seed, known, context)?, end: context.end, trust: &audience.trust };
    let drawn = Drawn::of(&members, &view, context)?;
    let lookalike = Lookalike::learn(&drawn.sample, context.spec.seed)?;
    let asks_similarity = matches!(audience.size, Size::Similarity(_));
    let similarity = match settled.as_ref().map(|choice| choice.method) {
        Some(Method::Lookalike) if !asks_similarity => None,
        _ => Some(Similarity::learn(lookalike.trees(), &drawn.sample)?),
    };
    let propensity = known.scores.map(|scores| Propensity::of(scores, &known.data.people)).transpose()?;
    let mut finder = Finder::new(&drawn.sample, &lookalike, similarity, propensity);
    let choice = settled.unwrap_or_else(|| finder.best());
    finder.method = choice.method;
    finder.asks_similarity = asks_similarity;
    let places = ways::places(&finder.judged(choice.method), drawn.sample.n_seed);
    let found = finder.all(&members.candidates, &drawn, &view)?;
    let dates = view.dates();
    let explain = |rows: &[u32]| -> Result<Reasons> {
        let mut told = Reasons::default();
        for rows in rows.chunks(CHUNK) {
            let people: Vec<u32> = rows.iter().map(|&row| members.candidates[row as usize]).collect();
            let table = view.at_end(&people)?;
            let contributions = |rows: &[u32]| lookalike.contributions(&table, rows);
            let all: Vec<u32> = (0..).take(people.len()).collect();
            let features = reasons::Features { names: &lookalike.features(), dates: &dates, same: &[] };
            told.extend(reasons::of_contributions(features, &contributions, &table, &all)?);
        }
        Ok(told)
    };
    let ranking = Ranking {
        person: members.candidates.clone(),
        score: found.score,
        propensity: None,
        similarity: found.similarity,
        seed: members.seed.clone(),
        places: Some(places.clone()),
        reasons: Box::new(explain),
    };
    let mut expanded = expand(audience, &ranking, &known.data.people, context)?;
    skewed::look(&mut expanded, &members, known.data, context)?;
    let as_of = if seed.as_of == SeedTime::Entry { "entry" } else { "end" };
    let at_end =
        [view.some_at_end(&chosen(&expanded.chosen, &known.data.people))?, view.some_at_end(&members.candidates)?];
    let looked = hygiene::look(&drawn.sample, &lookalike, &places, &at_end)?;
    let plain = used(&members, &choice);
    let findings = [plain.findings.clone(), looked.findings].concat();
    expanded
        .summary
        .warnings
        .extend(findings.iter().filter(|finding| finding.grave).map(|finding| finding.message.clone()));
    expanded.summary.warnings.extend(in_vain(audience, known, context));
    expanded.members = Some(SeedMembers::of(&drawn, &members, &places, &looked.sub_seed_of, &known.data.people));
    expanded.summary.seed = Some(SeedUsed {
        as_of: Some(as_of.to_owned()).filter(|_| !view.recipe.snapshot),
        n_features: drawn.sample.table.columns.len() as u64,
        hidden: hidden(&places),
        findings,
        skew: looked.skew,
        sub_seeds: looked.sub_seeds,
        ..plain
    });
    Ok(expanded)
}

/// The candidates whom the prediction has scored, by their propensities.
fn by_propensity(
    audience: &Audience,
    members: &Members,
    choice: &Choice,
    known: &Known<'_>,
    context: &Context<'_>,
) -> Result<Expanded> {
    let scores = known.scores.ok_or_else(|| Error::internal("the audience has no prediction"))?;
    let everyone = Audience { candidates: Candidates::default(), ..audience.clone() };
    let mut ranking = Ranking::of_scores(&everyone, scores, &known.data.people, context)?;
    ranking.keep(&|person| members.candidates.binary_search(&person).is_ok());
    let mut expanded = expand(audience, &ranking, &known.data.people, context)?;
    skewed::look(&mut expanded, members, known.data, context)?;
    expanded.summary.seed = Some(used(members, choice));
    Ok(expanded)
}

fn used(members: &Members, choice: &Choice) -> SeedUsed {
    SeedUsed {
        method: choice.method.name().to_owned(),
        chosen_because: choice.because.clone(),
        as_of: None,
        n_members: members.seed.len() as u64,
        n_also_candidates: members.n_both as u64,
        list: members.list.clone(),
        n_features: 0,
        hidden: None,
        findings: hygiene::of_members(members),
        skew: Vec::new(),
        sub_seeds: Vec::new(),
    }
}

/// What likeness looks at, and as of when.
struct View<'a> {
    known: &'a Known<'a>,
    recipe: Recipe,
    end: Time,
    /// Features whose gaps are about people, not about how the seed was gathered.
    trust: &'a [String],
}

impl View<'_> {
    fn at(&self, at: &[(u32, Time)]) -> Result<Table> {
        discover::features_at(&self.recipe, self.known.data, self.known.stays, at)
    }

    fn at_end(&self, people: &[u32]) -> Result<Table> {
        self.at(&people.iter().map(|&person| (person, self.end)).collect::<Vec<_>>())
    }

    /// The features of people as of the end, of some of them when they are many.
    fn some_at_end(&self, people: &[u32]) -> Result<Table> {
        let step = people.len().div_ceil(SAMPLE[0]).max(1);
        self.at_end(&people.iter().copied().step_by(step).collect::<Vec<_>>())
    }

    /// The names of the features that are attributes.
    fn attributes(&self) -> BTreeSet<String> {
        let is_attribute = |feature: &&Feature| matches!(feature, Feature::Attribute(_));
        self.recipe.features.iter().filter(is_attribute).map(Feature::name).collect()
    }

    /// The names of the attributes that are days before the end.
    fn dates(&self) -> Vec<String> {
        let is_date = |feature: &&Feature| matches!(feature, Feature::Attribute(attribute) if attribute.values == AttributeValues::Date);
        self.recipe.features.iter().filter(is_date).map(Feature::name).collect()
    }
}

/// The chosen by their positions.
fn chosen(chosen: &Chosen, people: &People) -> Vec<u32> {
    let found = chosen.person.iter().filter_map(|id| people.find(id));
    found.map(|person| u32::try_from(person).expect("people are counted in 32 bits")).collect()
}

fn recipe(audience: &Audience, seed: &Seed, known: &Known<'_>, context: &Context<'_>) -> Result<Recipe> {
    let of_seed = match &seed.told {
        Told::Rule(rule) => Some(rule.as_str()),
        Told::Source | Told::Stage(_) | Told::File(_) => None,
    };
    let rules: Vec<&str> = of_seed.into_iter().chain(audience.candidates.rule.as_deref()).collect();
    let columns: Vec<String> = seed.weight.iter().cloned().collect();
    let unseen = Unseen { rules: &rules, columns: &columns, exclude: &audience.exclude };
    let mut recipe = discover::likeness(known.data, context.spec, unseen, context.end);
    if let Some(columns) = shared::shared(audience, &known.data.people, context.spec)?.columns {
        recipe.features.retain(|feature| match feature {
            Feature::Attribute(attribute) => columns.contains(&attribute.column),
            _ => true,
        });
    }
    if recipe.features.is_empty() {
        let message = format!("audience `{}`: likeness to the seed has no feature to look at", audience.name);
        return Err(Error::data(message)
            .hint("every column is constant, an id, contact data, named by a rule or excluded; give more columns or events")
            .at(context.place(audience, "seed")));
    }
    Ok(recipe)
}

/// What `exclude` and `trust` name that no feature is called, whether it is looked at or not: a slip would let a column in.
fn in_vain(audience: &Audience, known: &Known<'_>, context: &Context<'_>) -> Vec<String> {
    if audience.exclude.is_empty() && audience.trust.is_empty() {
        return Vec::new();
    }
    let all =
        discover::likeness(known.data, context.spec, Unseen { rules: &[], columns: &[], exclude: &[] }, context.end);
    let attributes = known.data.people.attributes.get_column_names().into_iter().map(|column| format!("attr.{column}"));
    let names: Vec<String> = all.names().into_iter().chain(attributes).collect();
    let keys = [("exclude", &audience.exclude), ("trust", &audience.trust)];
    let of_key = |(key, patterns): (&str, &Vec<String>)| {
        let is_vain =
            |pattern: &&String| !names.iter().any(|name| discover::named(name, std::slice::from_ref(pattern)));
        let told = |pattern: &String| {
            let near = did_you_mean(pattern, names.iter().map(String::as_str));
            let near = near.map_or_else(String::new, |near| format!(": did you mean `{near}`?"));
            format!("`{key}` names {pattern}, and no feature is called so{near}")
        };
        patterns.iter().filter(is_vain).map(told).collect::<Vec<_>>()
    };
    keys.into_iter().flat_map(of_key).collect()
}

/// The sample, and where each candidate in it stands among the candidates.
struct Drawn {
    sample: Sample,
    /// Rows of the members in the sample among the seed.
    seed_rows: Vec<u32>,
    /// Row among the candidates, and row of the sample that has the same features.
    rows: Vec<(u32, u32)>,
}

impl Drawn {
    fn of(members: &Members, view: &View<'_>, context: &Context<'_>) -> Result<Self> {
        let ids = &view.known.data.people.ids;
        let key = |person: u32| {
            let words = [&context.spec.seed.to_le_bytes(), ids[person as usize].as_bytes()];
            let digest = blake3::Hasher::new().update(b"likeness").update(words[0]).update(words[1]).finalize();
            u64::from_le_bytes(*digest.as_bytes().first_chunk().expect("a digest has 32 bytes"))
        };
        let seed_rows = least(&members.seed, &key, MOST_SEED);
        let wanted = (CANDIDATES * seed_rows.len()).clamp(SAMPLE[0], SAMPLE[1]);
        let candidate_rows = least(&members.candidates, &key, wanted);
        let mut at: Vec<(u32, Time)> =
            seed_rows.iter().map(|&row| (members.seed[row as usize], members.seed_at[row as usize])).collect();
        let drawn: Vec<(u32, u32, Time)> = candidate_rows
            .iter()
            .filter_map(|&row| {
                let person = members.candidates[row as usize];
                Some((row, person, instant(person, key(person), members, view)?))
            })
            .collect();
        if drawn.is_empty() {
            return Err(Error::data("no candidate was known when the members of the seed entered their stage")
                .hint("write as_of = \"end\" in `seed`, or bring a longer history"));
        }
        at.extend(drawn.iter().map(|&(_, person, instant)| (person, instant)));
        let n_seed = seed_rows.len();
        let mut table = view.at(&at)?;
        let attributes = view.attributes();
        let is_trusted = |feature: &str| discover::named(feature, view.trust);
        let mut gaps = gaps::gaps(&table, n_seed, &|feature| attributes.contains(feature) && !is_trusted(feature));
        gaps.retain(|gap| !is_trusted(&gap.feature));
        let is_left_out = |name: &str| gaps.iter().any(|gap| gap.taken == Taken::LeftOut && gap.feature == name);
        table.columns.retain(|column| !is_left_out(&column.name));
        if table.columns.is_empty() {
            return Err(Error::data("no candidate has any value that the seed has, so nothing tells who is like it")
                .hint("compare how both sides write their values, or bring more columns"));
        }
        let sample = Sample {
            support: gaps::support(&gaps, n_seed, table.n_rows),
            gaps,
            table,
            n_seed,
            key: at.iter().map(|&(person, _)| key(person)).collect(),
            weight: members.weight.as_ref().map(|of| seed_rows.iter().map(|&row| of[row as usize]).collect()),
        };
        let first = u32::try_from(n_seed).expect("rows are counted in 32 bits");
        let same = drawn.iter().zip(first..).filter(|((_, _, instant), _)| *instant == view.end);
        let rows = same.map(|(&(row, ..), of_sample)| (row, of_sample)).collect();
        Ok(Self { sample, seed_rows, rows })
    }
}

/// As of when a candidate is compared with the seed: an instant at which a member of it is looked at, drawn by the
/// candidate's hash; none when the candidate was not known then.
fn instant(person: u32, key: u64, members: &Members, view: &View<'_>) -> Option<Time> {
    let drawn = members.seed_at[usize::try_from(key % members.seed_at.len() as u64).expect("less than a length")];
    let events = &view.known.data.events;
    let first = events.of(person as usize).map(|row| events.time[row]).min();
    (drawn == view.end || first.is_none_or(|first| first < drawn.0)).then_some(drawn)
}

/// The rows of the `most` people with the least keys, in the order of the rows.
fn least(people: &[u32], key: &(dyn Fn(u32) -> u64 + Sync), most: usize) -> Vec<u32> {
    let mut rows: Vec<u32> = (0..).take(people.len()).collect();
    if people.len() > most {
        let keys: Vec<u64> = people.par_iter().map(|&person| key(person)).collect();
        rows.select_nth_unstable_by_key(most, |&row| (keys[row as usize], row));
        rows.truncate(most);
        rows.sort_unstable();
    }
    rows
}

/// The members of a seed that were learned from, as `seed.parquet` shows them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SeedMembers {
    /// Ids.
    pub person: Vec<String>,
    /// How much each counts.
    pub weight: Vec<f64>,
    /// The share of the candidates who are less like the seed, by models that have not seen the member.
    pub place: Vec<f64>,
    /// The part of a mixed seed that each belongs to.
    pub sub_seed: Vec<Option<u32>>,
}

impl SeedMembers {
    fn of(drawn: &Drawn, members: &Members, places: &[f64], sub_seed: &[Option<u32>], people: &People) -> Self {
        let rows = || drawn.seed_rows.iter().map(|&row| row as usize);
        Self {
            person: rows().map(|row| people.ids[members.seed[row] as usize].clone()).collect(),
            weight: rows().map(|row| members.weight.as_ref().map_or(1.0, |weight| weight[row])).collect(),
            place: places.to_vec(),
            sub_seed: sub_seed.to_vec(),
        }
    }

    pub(super) fn frame(&self) -> Result<DataFrame> {
        let columns: Vec<Column> = vec![
            Series::new("person".into(), &self.person).into(),
            Series::new("weight".into(), &self.weight).into(),
            Series::new("place".into(), &self.place).into(),
            Series::new("sub_seed".into(), &self.sub_seed).into(),
        ];
        Ok(DataFrame::new(self.person.len(), columns)?)
    }
}

/// How well hidden members are told from candidates, with the interval that the number of members gives.
fn hidden(places: &[f64]) -> Option<Hidden> {
    if places.len() < 2 {
        return None;
    }
    let n = places.len() as f64;
    let value = places.iter().sum::<f64>() / n;
    let variance = places.iter().map(|place| (place - value).powi(2)).sum::<f64>() / (n - 1.0);
    let half = Z * (variance / n).sqrt();
    Some(Hidden {
        roc_auc: value,
        low: (value - half).max(0.0),
        high: (value + half).min(1.0),
        n_members: places.len() as u64,
    })
}
