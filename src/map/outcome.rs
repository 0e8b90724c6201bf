//! What became of a person within the horizon.

use super::history::Stays;
use crate::time::Time;

/// What became of an eligible person within the horizon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Reached the target stage: label 1.
    Attained,
    /// Still where they were: label 0.
    Stayed,
    /// Left for another stage first: label 0.
    Attrited,
    /// The horizon runs past the end of the data: no label.
    Immature,
}

impl Outcome {
    /// 1 or 0, or nothing yet.
    #[must_use]
    pub fn label(self) -> Option<bool> {
        match self {
            Self::Attained => Some(true),
            Self::Stayed | Self::Attrited => Some(false),
            Self::Immature => None,
        }
    }

    /// The word in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Attained => "attained",
            Self::Stayed => "stayed",
            Self::Attrited => "attrited",
            Self::Immature => "immature",
        }
    }
}

/// What became, in `[cutoff, horizon_end)`, of a person who stood in a `from` stage just before the cutoff: the first
/// stage entered that is not in `from` decides. When the horizon ends after `end`, the end of observation, nobody knows.
#[must_use]
pub fn outcome(
    stays: &Stays,
    person: usize,
    cutoff: Time,
    horizon_end: Time,
    end: Time,
    from: &[usize],
    to: &[usize],
) -> Outcome {
    if horizon_end > end {
        return Outcome::Immature;
    }
    let rows = stays.of(person);
    let after = rows.start + stays.entered[rows.clone()].partition_point(|&entered| entered < cutoff.0);
    let mut entered = (after..rows.end).take_while(|&row| stays.entered[row] < horizon_end.0);
    let left = entered.find(|&row| !from.contains(&usize::from(stays.stage[row])));
    match left {
        None => Outcome::Stayed,
        Some(row) if to.contains(&usize::from(stays.stage[row])) => Outcome::Attained,
        Some(_) => Outcome::Attrited,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One person: stage 0 at 0, 1 at 10, 2 at 20, 3 at 30.
    fn stays() -> Stays {
        let mut stays = Stays { offsets: vec![0], ..Stays::default() };
        for stage in 0..4 {
            stays.enter(stage, 10 * i64::from(stage), 0);
        }
        stays.left = vec![10, 20, 30, i64::MAX];
        stays.next_person();
        stays
    }

    fn of(cutoff: i64, horizon_end: i64, from: &[usize], to: &[usize]) -> Outcome {
        outcome(&stays(), 0, Time(cutoff), Time(horizon_end), Time(40), from, to)
    }

    #[test]
    fn the_first_stage_outside_from_decides() {
        assert_eq!(of(5, 15, &[0], &[1]), Outcome::Attained);
        assert_eq!(of(5, 25, &[0], &[2]), Outcome::Attrited);
        assert_eq!(of(5, 25, &[0, 1], &[2]), Outcome::Attained);
        assert_eq!(of(5, 35, &[0], &[3]), Outcome::Attrited);
    }

    #[test]
    fn what_is_predicted_begins_at_the_cutoff_and_ends_before_the_horizon() {
        assert_eq!(of(10, 15, &[0], &[1]), Outcome::Attained);
        assert_eq!(of(5, 10, &[0], &[1]), Outcome::Stayed);
        assert_eq!(of(35, 40, &[3], &[1]), Outcome::Stayed);
    }

    #[test]
    fn a_horizon_past_the_end_says_nothing() {
        assert_eq!(of(5, 40, &[0], &[1]), Outcome::Attained);
        assert_eq!(of(5, 41, &[0], &[1]), Outcome::Immature);
    }
}
