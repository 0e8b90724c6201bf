//! Lists of people: who, how many, in which order, and who of them is held out.

use serde::Serialize;

use super::{Campaign, Candidates, Contacting, Destination, Method, Seed};

/// One `[[audiences]]`: a ranked, suppressed, consented list with a holdout.
#[derive(Debug, Clone, PartialEq)]
pub struct Audience {
    /// Its name.
    pub name: String,
    /// The prediction whose scores rank it, alone or beside a seed. Without a seed or an uplift there is one.
    pub prediction: Option<String>,
    /// The uplift that ranks it, alone.
    pub uplift: Option<String>,
    /// The people whose likes are sought.
    pub seed: Option<Seed>,
    /// Who is considered.
    pub candidates: Candidates,
    /// How those who are like the seed are found.
    pub method: Method,
    /// Features that likeness does not look at: names with `*`.
    pub exclude: Vec<String>,
    /// Features of which the seed's values are no matter of how it was gathered: names with `*`.
    pub trust: Vec<String>,
    /// How many are chosen.
    pub size: Size,
    /// Nested shares of the candidates that may be contacted, 0–1, ascending; the last is the size. Empty: no tiers.
    pub tiers: Vec<f64>,
    /// What reaching one person costs.
    pub cost: Option<f64>,
    /// What one transition is worth.
    pub value: Option<f64>,
    /// The share of the list that may change when it is made again, 0–1; `None`: it is made anew.
    pub max_turnover: Option<f64>,
    /// Share of the chosen kept out at random, 0–1.
    pub holdout: f64,
    /// Within what that share is exact; `None`: each person is drawn alone.
    pub stratify: Option<Stratify>,
    /// The rate that is expected without contact, 0–1, where no prediction tells it.
    pub expected_rate: Option<f64>,
    /// The lift that is hoped for, relative to the rate without contact.
    pub expected_lift: Option<f64>,
    /// Files of ids or contact data of people who must not be contacted.
    pub suppress: Vec<String>,
    /// SQL over the attributes: who has agreed to be contacted; `None`: not asked.
    pub consent: Option<String>,
    /// Who of them may be contacted, beside those whom a suppression list means.
    pub contacting: Contacting,
    /// Where the list goes.
    pub export: Vec<Destination>,
    /// The campaign that its people become members of, in a CRM.
    pub campaign: Option<Campaign>,
    /// Whether the dots of gmail addresses stay where a destination leaves them out before it hashes.
    pub keeps_gmail_dots: bool,
}

impl Audience {
    /// The audience of that size that a prediction ranks, with everything else left unsaid and nobody held out.
    #[must_use]
    pub fn new(name: impl Into<String>, prediction: impl Into<String>, size: Size) -> Self {
        Self {
            name: name.into(),
            prediction: Some(prediction.into()),
            uplift: None,
            seed: None,
            candidates: Candidates::default(),
            method: Method::Auto,
            exclude: Vec::new(),
            trust: Vec::new(),
            size,
            tiers: Vec::new(),
            cost: None,
            value: None,
            max_turnover: None,
            holdout: 0.0,
            stratify: None,
            expected_rate: None,
            expected_lift: None,
            suppress: Vec::new(),
            consent: None,
            contacting: Contacting::default(),
            export: Vec::new(),
            campaign: None,
            keeps_gmail_dots: false,
        }
    }
}

/// `[holdout]`: what the holdouts of all audiences have in common.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Holdout {
    /// Share of everybody who is kept out of every audience, 0–1.
    pub universal: f64,
    /// What people are drawn by, in place of the seed.
    pub salt: Option<String>,
}

/// Within what a holdout has exactly its share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stratify {
    /// Tenths of the list by rank.
    Propensity,
    /// The values of an attribute.
    Attribute(String),
}

/// How many people an audience takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Size {
    /// So many.
    Count(usize),
    /// A share of the candidates that may be contacted, 0–1.
    Share(f64),
    /// Everyone whose propensity times `value` exceeds `cost`.
    MaxProfit {
        /// Cost of reaching one person.
        cost: f64,
        /// Value of one transition.
        value: f64,
    },
    /// Everyone at least this similar to the seed, 0–1.
    Similarity(f64),
}
