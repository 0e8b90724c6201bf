//! PHASE 4, expand to the people worth reaching: a ranked, suppressed, consented and deduplicated list, a holdout, and the
//! files to upload.
//!
//! In: candidates ranked by the scores of a prediction or by their likeness to a seed ([`Ranking`]), the people with their
//! attributes and contact columns, an `[[audiences]]` of the spec.
//! Out: `audience.parquet` (who was chosen, target and holdout), `summary.json` (how many were dropped and why, what is
//! expected) and a folder per destination with the target group only.
//!
//! Each candidate is dropped for the first of these reasons that holds, and stands in the ledger (`dropped.parquet`) with it: a
//! suppression list means them ([`suppression`]), the consent rule does not hold, a rule of contacting leaves them alone
//! ([`contacting`]), a better-ranked candidate has the same mailbox or household, they rank below the size. What is left is
//! chosen, and a share of it held out at random ([`holdout`]); [`power`] tells what that can show.

mod asked;
mod chosen;
mod contact;
mod contacting;
mod curve;
mod export;
mod hashes;
mod holdout;
mod lookalike;
pub mod measure;
mod normalise;
mod overlap;
mod phone;
mod power;
mod rank;
mod ranking;
mod refresh;
mod scores;
mod sieve;
mod summary;
mod suppression;
mod texts;
mod warnings;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use polars::prelude::DataFrame;

pub use self::chosen::{Chosen, Group};
pub use self::contacting::Listed;
pub use self::export::{FileWritten, Held, Manifest, RulesRead};
pub use self::holdout::{Earlier, earlier};
pub use self::lookalike::shared::not_shared;
pub use self::lookalike::{Known, SeedMembers, lookalikes};
pub use self::overlap::overlap;
pub use self::power::Power;
pub use self::ranking::{Explain, Ranking};
pub use self::refresh::{Change, Previous};
pub use self::scores::Scores;
pub use self::summary::{Exported, Hidden, ListUsed, Point, SeedFinding, SeedUsed, Skew, SubSeed, Summary};
pub use self::texts::{Reasons, Texts};

use self::asked::Asked;
use self::contact::Contacts;
use self::curve::Curve;
use self::holdout::Holdout;
use self::rank::Expectation;
use self::sieve::Sieve;
use self::summary::FORMAT_VERSION;
use self::suppression::{Suppression, Who};
use crate::error::{Excerpt, Result};
use crate::predict::fairness::skew::GroupSkew;
use crate::source::{Events, Identity, People};
use crate::spec::{Audience, Campaign, Destination, Shape, Size, Spec};
use crate::store::{self, Layout};
use crate::time::Time;

/// What an audience is made within.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The spec that the audience stands in.
    pub spec: &'a Spec,
    /// The end of observation: attributes are those known then.
    pub end: Time,
    /// Ids that people had before identity resolution: a suppression list may name them.
    pub identities: &'a [Identity],
    /// The list as it was last made, for an audience whose turnover is bounded.
    pub previous: Option<&'a Previous>,
    /// The version of the model whose scores rank the audience, where one does.
    pub model: Option<&'a str>,
    /// What people did: caps and cool-downs look at it.
    pub events: &'a Events,
    /// The audiences whose people are left out of this one.
    pub listed: &'a [Listed],
    /// The groups of the people whom this audience held before, when it is stratified: they keep them.
    pub earlier: &'a Earlier,
}

/// An audience, ready to be written.
#[derive(Debug)]
pub struct Expanded {
    /// The audience in numbers; `exports` is filled by [`write()`].
    pub summary: Summary,
    /// Who was chosen, best first.
    pub chosen: Chosen,
    /// Who came and who went since the list was last made, where its turnover is bounded.
    pub changes: Option<Vec<Change>>,
    /// The members of the seed, where there is one.
    pub members: Option<SeedMembers>,
    /// The groups of the protected attributes in seed, candidates and audience, where it has a seed and the spec names some.
    pub skew: Vec<GroupSkew>,
    /// Every candidate who was not, and why: the table of `dropped.parquet`.
    pub ledger: DataFrame,
    /// Contact columns of the chosen, row by row.
    contacts: Contacts,
    destinations: Vec<Destination>,
    campaign: Option<Campaign>,
    keeps_gmail_dots: bool,
    asks_consent: bool,
    stamp: Stamp,
    /// What a stratified audience has to remember.
    groups: Option<Earlier>,
}

/// Where a list's scores come from, for those who keep many lists.
#[derive(Debug, Clone, PartialEq)]
struct Stamp {
    /// The version of the model that scored.
    model: Option<String>,
    /// When its horizon is over.
    valid_until: Option<Time>,
}

impl Context<'_> {
    /// The words of the spec that say `key` of an audience.
    fn place(&self, audience: &Audience, key: &str) -> Option<Excerpt> {
        place(self.spec, audience, key)
    }
}

fn place(spec: &Spec, audience: &Audience, key: &str) -> Option<Excerpt> {
    let position = spec.audiences.iter().position(|known| known.name == audience.name)?;
    spec.excerpt(&format!("audiences[{position}].{key}"))
}

/// Makes an audience of candidates who are ranked.
///
/// The consent rule may ask about attributes; where it is unknown (NULL) it does not hold. A rule about a column that is
/// not there is an error of the spec, and nothing is exported.
///
/// # Errors
/// [`crate::error::Kind::Spec`] when a rule cannot be asked, [`crate::error::Kind::Refused`] when a suppression list is
/// missing or not understood.
pub fn expand(audience: &Audience, ranking: &Ranking<'_>, people: &People, context: &Context<'_>) -> Result<Expanded> {
    let contacts = Contacts::of(people)?;
    let who = Who::new(people, &contacts, context.identities);
    let suppression = Suppression::read(audience, context.spec, &who)
        .map_err(|error| error.at(context.place(audience, "suppress")))?;

    let mut sieve = Sieve::new(ranking);
    let n_candidates = sieve.rows.len();
    let (is_stopped, lists) = suppression.stops(&sieve.people(), &who);
    sieve.drop_marked(&is_stopped, "suppressed");

    let has_agreed = consenting(audience, &Asked::new(people, &sieve.people(), context.end), sieve.rows.len())
        .map_err(|error| error.at(context.place(audience, "consent")))?;
    sieve.drop_marked(&has_agreed.iter().map(|agreed| !agreed).collect::<Vec<_>>(), "no consent");
    let left = contacting::left_alone(audience, people, &sieve.people(), context)?;
    drop_first_reason(&mut sieve, left);

    let attributes = Asked::new(people, &sieve.people(), context.end).attributes();
    if !ranking.seed.is_empty() {
        let of_seed = Asked::new(people, &ranking.seed, context.end).attributes();
        sieve.drop_marked(&contacts.shared_with(&of_seed, &attributes), "same contact as the seed");
    }
    let attributes = Asked::new(people, &sieve.people(), context.end).attributes();
    let bounded = audience.max_turnover.zip(context.previous);
    let listed: HashSet<&str> = bounded.iter().flat_map(|(_, previous)| &previous.person).map(String::as_str).collect();
    let was_listed = |&row: &u32| listed.contains(people.ids[ranking.person[row as usize] as usize].as_str());
    let is_listed: Vec<bool> = sieve.rows.iter().map(was_listed).collect();
    let is_repeated = refresh::listed_first(&attributes, &is_listed, |rows| Ok(contacts.repeated(rows)))?;
    sieve.drop_marked(&is_repeated, "duplicate contact");
    if !audience.contacting.household.is_empty() {
        let is_listed: Vec<bool> = sieve.rows.iter().map(was_listed).collect();
        let is_shared = refresh::listed_first(&sieve.people(), &is_listed, |candidates| {
            contacting::same_household(audience, people, candidates, context)
        })?;
        sieve.drop_marked(&is_shared, "same household");
    }

    let n_contactable = sieve.rows.len();
    let points = points(audience, ranking, &sieve.rows);
    if let (Size::Similarity(least), Some(similarity)) = (audience.size, &ranking.similarity) {
        let is_unlike = sieve.rows.iter().map(|&row| similarity[row as usize] < least).collect::<Vec<_>>();
        sieve.drop_marked(&is_unlike, "not similar enough");
    }
    let propensity = taken(ranking.propensity.as_deref(), &sieve.rows);
    let n_chosen = rank::n_chosen(audience.size, sieve.rows.len(), propensity.as_deref());
    match bounded {
        Some((most, previous)) => {
            let kept = refresh::taken(&sieve.rows, n_chosen, &|row| was_listed(&row), previous.person.len(), most);
            let kept: HashSet<u32> = kept.into_iter().collect();
            let is_below = sieve.rows.iter().map(|row| !kept.contains(row)).collect::<Vec<_>>();
            sieve.drop_marked(&is_below, "below size");
        }
        None => sieve.keep_first(n_chosen, "below size"),
    }

    let attributes = Asked::new(people, &sieve.people(), context.end).attributes();
    let strata = holdout::strata(audience, people, &attributes)
        .map_err(|error| error.at(context.place(audience, "stratify")))?;
    let holdout = Holdout::new(context.spec, audience);
    let mut chosen =
        Chosen::of(&sieve.rows, ranking, people, |person| holdout.groups(person, strata.as_deref(), context.earlier))?;
    chosen.fill_tiers(&audience.tiers, n_contactable);
    let changes =
        bounded.map(|(_, previous)| refresh::changes(previous, &chosen.person, &sieve.why(previous, people), people));
    let groups = strata.map(|_| chosen.remembered(context.earlier));
    let n_universal = chosen.person.iter().filter(|person| holdout.is_universal(person)).count();
    let counts = Counts { n_candidates, n_contactable, n_universal, dropped: sieve.counts(), lists, points };
    let mut summary = summarise(audience, context, &chosen, counts);
    summary.holdout_share = holdout.share();
    summary.power = Power::of(audience, &summary);
    summary.warnings.extend(summary.power.as_ref().and_then(Power::warning));
    let destinations = audience.export.iter().copied().collect::<BTreeSet<_>>();
    Ok(Expanded {
        skew: Vec::new(),
        summary,
        chosen,
        changes,
        members: None,
        ledger: sieve.ledger(people)?,
        contacts: contacts.take(&attributes),
        destinations: destinations.into_iter().collect(),
        campaign: audience.campaign.clone(),
        keeps_gmail_dots: audience.keeps_gmail_dots,
        asks_consent: audience.consent.is_some() || audience.contacting.asks_consent(),
        stamp: Stamp {
            model: context.model.map(str::to_owned),
            valid_until: context
                .spec
                .ranking(audience)
                .and_then(|prediction| prediction.horizon)
                .map(|horizon| context.end.plus(horizon)),
        },
        groups,
    })
}

/// Drops everyone whom a rule leaves alone, each for the first rule that does; all marks are of the same candidates.
fn drop_first_reason(sieve: &mut Sieve<'_>, left: Vec<contacting::Left>) {
    let mut is_gone = vec![false; sieve.rows.len()];
    for (reason, is_marked) in left {
        let mut gone = is_gone.iter_mut();
        let still: Vec<bool> = is_marked
            .into_iter()
            .filter_map(|is_marked| {
                let gone = gone.next().expect("a mark per candidate");
                (!*gone).then(|| {
                    *gone = is_marked;
                    is_marked
                })
            })
            .collect();
        sieve.drop_marked(&still, &reason);
    }
}

/// Which of the people asked have agreed to be contacted.
fn consenting(audience: &Audience, asked: &Asked<'_>, n: usize) -> Result<Vec<bool>> {
    let Some(rule) = &audience.consent else { return Ok(vec![true; n]) };
    asked.holds(rule, &format!("consent of audience `{}`", audience.name), &[])
}

/// Writes `audience.parquet`, the exports and, last, `summary.json`. Exports of destinations that the audience no longer
/// names are removed: they may hold people who have been suppressed since.
///
/// # Errors
/// When a file cannot be written.
pub fn write(expanded: &Expanded, layout: &Layout) -> Result<()> {
    let folder = layout.expand(&expanded.summary.audience);
    store::write_frame(&folder.join("dropped.parquet"), &mut expanded.ledger.clone())?;
    store::write_frame(&folder.join("audience.parquet"), &mut expanded.chosen.frame()?)?;
    if !expanded.summary.curve.is_empty() {
        store::write_frame(&folder.join("curve.parquet"), &mut curve::frame(&expanded.summary.curve)?)?;
    }
    lookalike::skewed::write(&folder, &expanded.summary.audience, &expanded.skew)?;
    if let Some(members) = &expanded.members {
        store::write_frame(&folder.join("seed.parquet"), &mut members.frame()?)?;
    }
    if let Some(changes) = &expanded.changes {
        store::write_frame(&folder.join("changes.parquet"), &mut refresh::frame(changes)?)?;
    }
    if let Some(groups) = &expanded.groups {
        holdout::keep(&folder, groups)?;
    }
    let mut summary = expanded.summary.clone();
    summary.exports = export::write(expanded, &folder, &mut summary.warnings)?;
    store::write_json(&folder.join("summary.json"), &summary)
}

/// What other sizes would bring, of those who may be contacted.
fn points(audience: &Audience, ranking: &Ranking<'_>, rows: &[u32]) -> Vec<Point> {
    let score = taken(Some(&ranking.score), rows).unwrap_or_default();
    let propensity = taken(ranking.propensity.as_deref(), rows);
    let curve = Curve {
        score: &score,
        propensity: propensity.as_deref(),
        places: ranking.places.as_deref(),
        cost: audience.cost,
        value: audience.value,
    };
    if curve.propensity.is_none() && curve.places.is_none() { Vec::new() } else { curve.points() }
}

fn taken(of: Option<&[f64]>, rows: &[u32]) -> Option<Vec<f64>> {
    of.map(|of| rows.iter().map(|&row| of[row as usize]).collect())
}

/// What was counted on the way.
struct Counts {
    n_candidates: usize,
    n_contactable: usize,
    n_universal: usize,
    dropped: BTreeMap<String, u64>,
    lists: Vec<ListUsed>,
    points: Vec<Point>,
}

fn summarise(audience: &Audience, context: &Context<'_>, chosen: &Chosen, counts: Counts) -> Summary {
    let spec = context.spec;
    let prediction = spec.ranking(audience);
    let names = |stages: &[usize]| stages.iter().map(|&stage| spec.stages[stage].name.clone()).collect();
    let has_propensity = counts.points.last().map_or(prediction.is_some(), |last| last.expected_precision.is_some());
    let expected = chosen.propensity.as_deref().filter(|_| has_propensity).map(Expectation::of);
    let warnings = warnings::of(audience, spec.holdout.universal > 0.0, &counts, chosen);
    Summary {
        format_version: FORMAT_VERSION,
        audience: audience.name.clone(),
        prediction: audience.prediction.clone(),
        uplift: audience.uplift.clone(),
        from: prediction.map_or_else(Vec::new, |prediction| names(&prediction.from)),
        to: prediction.map_or_else(Vec::new, |prediction| names(&prediction.to)),
        horizon: prediction.and_then(|prediction| prediction.horizon).map(|horizon| horizon.to_string()),
        n_candidates: counts.n_candidates as u64,
        dropped: counts.dropped,
        n_contactable: counts.n_contactable as u64,
        n_chosen: chosen.len() as u64,
        n_target: chosen.n_in(Group::Target) as u64,
        n_holdout: chosen.n_in(Group::Holdout) as u64,
        n_universal: counts.n_universal as u64,
        holdout_share: 0.0,
        power: None,
        as_of: (spec.shape() == Shape::Events).then(|| context.end.to_string()),
        expected_conversions: expected.map(|expected| expected.conversions),
        expected_low: expected.map(|expected| expected.interval().0),
        expected_high: expected.map(|expected| expected.interval().1),
        base_rate_expected: counts.points.last().and_then(|everyone| everyone.expected_precision),
        curve: counts.points,
        seed: None,
        suppression: counts.lists,
        warnings,
        exports: Vec::new(),
    }
}
