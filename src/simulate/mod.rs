//! A shop whose truth is known: the demo, and the oracle of the recovery tests.
//!
//! [`simulate`] lets people live two years with a small web shop and writes what the shop's systems would have seen:
//! people, visits, e-mails, carts, purchases, complaints, an unsubscribe list, a randomised campaign; a `clo.toml` that
//! works on them; and what no shop knows, the truth: where everyone stood, with what probability they would move, what
//! the campaign did to whom.
//!
//! **The truth is exact.** People have latent traits ([`hazard`] has the formulas). The hazard of the next purchase is a
//! product of the traits' effect, a fading since the last purchase (or since signing up), and a season that is the same
//! for all; it does not depend on visits or e-mails, which tell of the traits but cause nothing. So the probability of a
//! transition, given the traits and all that happened before the cutoff, has a closed form, and there is no hidden
//! switch beside the traits: a model that is given them (`reveal_traits`) and the days in the stage can learn it.
//! Drop-out is that fading: a hazard with a finite integral leaves a share of people who never come back.
//!
//! **The campaign changes none of it.** Its effect (a factor on the hazard, different for each person) lasts the 30 days
//! from 2023-09-04 and is over before the first cutoff, 2023-10-07. The true effect is the difference of two closed
//! forms: P(purchase within 30 days | treated) − P(… | not treated).
//!
//! **Stages are kept twice.** The simulator notes each move as it happens ([`account`]), by code that shares nothing with
//! the map phase, and dirt never touches an event that enters a stage.
//!
//! Each person has a random stream of their own (`ChaCha8`, the seed, the person's number), and files are written in order:
//! the same seed gives the same bytes for any number of threads, and the first N people of a larger shop are the same
//! people.

mod account;
mod calendar;
mod files;
mod hazard;
mod life;
pub mod planted;
mod profile;
#[cfg(test)]
mod tests;
mod truth;

use std::path::{Path, PathBuf};

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use self::calendar::Calendar;
use self::life::Life;
use crate::error::{Error, Result};
use crate::store;

/// The spec of the demo; `{seed}` stands for the seed.
const SPEC: &str = include_str!("clo.toml");

/// What shop to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How many people it knows.
    pub n_people: usize,
    /// Every random choice derives from it.
    pub seed: u64,
    /// Whether the people table shows the latent traits (`trait_*`), for tests of what a perfect model could learn.
    pub reveal_traits: bool,
}

impl Default for Settings {
    /// 5,000 people, seed 7, traits hidden.
    fn default() -> Self {
        Self { n_people: 5000, seed: 7, reveal_traits: false }
    }
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The written `clo.toml`.
    pub spec: PathBuf,
    /// How many people the shop knows.
    pub n_people: usize,
    /// Every file, in the order of writing.
    pub files: Vec<Written>,
}

/// A file of the shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its path, relative to the shop's folder.
    pub path: String,
    /// Its rows, the header not counted.
    pub rows: u64,
}

/// Writes a shop into `folder`: `data/`, `truth.parquet`, `truth_stage_history.parquet` and `clo.toml`.
///
/// # Errors
/// When nobody is to live in it, when the folder holds a `clo.toml` of another project, or when it cannot be written.
pub fn simulate(folder: &Path, settings: &Settings) -> Result<Summary> {
    write(folder, settings, false)
}

/// As [`simulate`], with four columns in the people file that know what became of people: see [`planted`].
///
/// # Errors
/// As [`simulate`].
pub fn simulate_with_leaks(folder: &Path, settings: &Settings) -> Result<Summary> {
    write(folder, settings, true)
}

fn write(folder: &Path, settings: &Settings, has_leaks: bool) -> Result<Summary> {
    refuse(folder, settings)?;
    let calendar = Calendar::new();
    let lives = (0..settings.n_people)
        .into_par_iter()
        .map(|person| life::live(person, &calendar, stream(settings.seed, person as u64)))
        .collect();
    let shop =
        Shop { lives, calendar: &calendar, seed: settings.seed, reveal_traits: settings.reveal_traits, has_leaks };
    // The truth first: it marks the folder as a simulated one, which may be written again.
    let mut files = truth::write(folder, &shop)?;
    files.extend(files::write(folder, &shop)?);
    let spec = folder.join("clo.toml");
    store::write_bytes(&spec, SPEC.replace("{seed}", &settings.seed.to_string()).as_bytes())?;
    Ok(Summary { spec, n_people: settings.n_people, files })
}

/// Everybody, and what they have in common.
struct Shop<'a> {
    lives: Vec<Life>,
    calendar: &'a Calendar,
    seed: u64,
    reveal_traits: bool,
    has_leaks: bool,
}

impl Shop<'_> {
    fn rng(&self, number: u64) -> ChaCha8Rng {
        stream(self.seed, number)
    }

    /// Whose e-mail address a person uses: one in a hundred shares that of the person before, as households do.
    fn mailbox(&self, person: usize) -> usize {
        let shares = person % 100 == 57 && self.lives[person - 1].signed_up.is_some();
        if shares { person - 1 } else { person }
    }
}

/// The random stream of a person (or, counted from the last number down, of a file's dirt).
fn stream(seed: u64, number: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::from_seed(*blake3::hash(format!("clo simulate {seed}").as_bytes()).as_bytes());
    rng.set_stream(number);
    rng
}

fn person_id(person: usize) -> String {
    format!("P{person:07}")
}

fn refuse(folder: &Path, settings: &Settings) -> Result<()> {
    if settings.n_people == 0 || settings.n_people > 10_000_000 {
        return Err(Error::usage(format!("cannot simulate a shop with {} people", settings.n_people))
            .hint("choose a number from 1 to 10000000"));
    }
    if folder.join("clo.toml").exists() && !folder.join(truth::FILES[0]).exists() {
        return Err(Error::usage(format!("{} holds a project already", folder.display()))
            .hint("choose an empty folder: a simulated shop would overwrite its clo.toml"));
    }
    Ok(())
}
