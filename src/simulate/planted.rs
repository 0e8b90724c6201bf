//! Columns that know what became of people, planted to see whether they are found.
//!
//! The people file stands as it was when it was exported, after all that happened. So it can hold what no one knew at a
//! cutoff: a reason that is asked for at the first purchase, the length of the call that led to it, a number that accounts
//! are given in the order of their first purchase, a field that most fill in at the checkout. Drawn from random streams of
//! their own, they change nothing else.

use rand::RngExt as _;

use super::life::Life;
use super::stream;

/// The planted columns.
pub const NAMES: [&str; 4] = ["purchase_reason", "sales_call_seconds", "account_no", "profession"];

const REASONS: [&str; 4] = ["price", "advice", "friend", "advert"];
const PROFESSIONS: [&str; 5] = ["teacher", "nurse", "clerk", "cook", "student"];
/// Streams from here on are those of planted columns.
const FIRST_STREAM: u64 = 1 << 40;

/// The planted values of everybody, in the order of [`NAMES`].
pub(super) fn columns(seed: u64, lives: &[Life]) -> Vec<[String; 4]> {
    let numbers = account_numbers(lives);
    let row = |(person, life): (usize, &Life)| {
        let mut rng = stream(seed, FIRST_STREAM + person as u64);
        let bought = !life.purchases.is_empty();
        let reason = REASONS[rng.random_range(0..REASONS.len())];
        let seconds = if bought { rng.random_range(180..900) } else { rng.random_range(0..240) };
        let profession = PROFESSIONS[rng.random_range(0..PROFESSIONS.len())];
        let gave_it_anyway = rng.random_bool(0.25);
        let text = |given: bool, text: &str| if given { text.to_owned() } else { String::new() };
        [
            text(bought, reason),
            text(life.signed_up.is_some(), &seconds.to_string()),
            numbers[person].map_or_else(String::new, |number| number.to_string()),
            text(bought || (gave_it_anyway && life.signed_up.is_some()), profession),
        ]
    };
    lives.iter().enumerate().map(row).collect()
}

/// Accounts in the order of the first purchase, then those without one; people who never signed up have none.
fn account_numbers(lives: &[Life]) -> Vec<Option<usize>> {
    let first = |life: &Life| life.purchases.first().map_or(i64::MAX, |purchase| purchase.at);
    let mut order: Vec<usize> = (0..lives.len()).filter(|&person| lives[person].signed_up.is_some()).collect();
    order.sort_by_key(|&person| (first(&lives[person]), person));
    let mut numbers = vec![None; lives.len()];
    order.iter().enumerate().for_each(|(place, &person)| numbers[person] = Some(10_000 + place));
    numbers
}
