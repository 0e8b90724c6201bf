//! How much audiences have in common: two lists that are almost the same people are one campaign paid for twice.

use polars::prelude::{DataFrame, df};

use super::Listed;
use crate::error::Result;

/// The table of `overlap.parquet`: for each two audiences, in the order of the spec, how many people are in both, and what
/// share of either that is (0–1; null where it is empty).
///
/// # Errors
/// When the columns differ in length, which they do not.
pub fn overlap(audiences: &[Listed]) -> Result<DataFrame> {
    let pairs: Vec<(&Listed, &Listed)> = audiences
        .iter()
        .enumerate()
        .flat_map(|(at, one)| audiences[at + 1..].iter().map(move |other| (one, other)))
        .collect();
    let both: Vec<u64> =
        pairs.iter().map(|(one, other)| one.people.intersection(&other.people).count() as u64).collect();
    #[expect(clippy::cast_precision_loss, reason = "counts of people fit a double's 53 bits")]
    let share = |n: u64, of: &Listed| (!of.people.is_empty()).then(|| n as f64 / of.people.len() as f64);
    let names = |of: fn(&(&Listed, &Listed)) -> String| pairs.iter().map(of).collect::<Vec<String>>();
    Ok(df!(
        "audience" => names(|pair| pair.0.audience.clone()),
        "other" => names(|pair| pair.1.audience.clone()),
        "n_both" => &both,
        "share_of_audience" => both.iter().zip(&pairs).map(|(&n, pair)| share(n, pair.0)).collect::<Vec<_>>(),
        "share_of_other" => both.iter().zip(&pairs).map(|(&n, pair)| share(n, pair.1)).collect::<Vec<_>>(),
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_lists_share_what_they_share() {
        let listed = |audience: &str, people: &[&str]| Listed {
            audience: audience.to_owned(),
            people: people.iter().map(|&person| person.to_owned()).collect(),
        };
        let table = overlap(&[listed("a", &["1", "2", "3", "4"]), listed("b", &["4", "5"]), listed("c", &[])]).unwrap();
        let column = |name: &str| table.column(name).unwrap().clone();
        assert_eq!(column("n_both").u64().unwrap().iter().flatten().collect::<Vec<_>>(), [1, 0, 0]);
        assert_eq!(
            column("share_of_audience").f64().unwrap().iter().collect::<Vec<_>>(),
            [Some(0.25), Some(0.0), Some(0.0)]
        );
        assert_eq!(column("share_of_other").f64().unwrap().iter().collect::<Vec<_>>(), [Some(0.5), None, None]);
    }
}
