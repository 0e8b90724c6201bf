//! The simulator's own account of where a person stands: kept while the life unfolds, by no other code's rules.
//!
//! visitor from the first event · lead from signing up · customer, repeat and loyal from the first, second and fifth
//! purchase · lapsed 180 days after the last purchase · back to repeat or loyal by the next.

use super::calendar::{DAY, seconds};
use super::hazard::SILENCE_DAYS;

/// The stages of the written `clo.toml`, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Visitor,
    Lead,
    Customer,
    Repeat,
    Loyal,
    Lapsed,
}

impl Stage {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Lead => "lead",
            Self::Customer => "customer",
            Self::Repeat => "repeat",
            Self::Loyal => "loyal",
            Self::Lapsed => "lapsed",
        }
    }
}

/// A stay in a stage; it ends where the next one starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stay {
    pub(super) stage: Stage,
    pub(super) entered: i64,
    /// What brought the person here: a kind of event, `silence`, or nothing (the start).
    pub(super) trigger: Option<&'static str>,
}

/// A person's stays so far.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) stays: Vec<Stay>,
    pub(super) n_purchases: usize,
    last_purchase: i64,
}

impl Account {
    pub(super) fn stage(&self) -> Option<Stage> {
        self.stays.last().map(|stay| stay.stage)
    }

    pub(super) fn first_visit(&mut self, at: i64) {
        self.enter(Stage::Visitor, at, None);
    }

    pub(super) fn sign_up(&mut self, at: i64) {
        self.enter(Stage::Lead, at, Some("signup"));
    }

    pub(super) fn purchase(&mut self, at: i64) {
        self.fall_silent_before(at + 1);
        self.n_purchases += 1;
        self.last_purchase = at;
        let stage = match self.n_purchases {
            1 => Stage::Customer,
            2..=4 => Stage::Repeat,
            _ => Stage::Loyal,
        };
        if self.stage() != Some(stage) {
            self.enter(stage, at, Some("purchase"));
        }
    }

    /// When this person lapses, if no purchase comes in between.
    pub(super) fn lapses_at(&self) -> Option<i64> {
        let buys = matches!(self.stage(), Some(Stage::Customer | Stage::Repeat | Stage::Loyal));
        buys.then(|| self.last_purchase + seconds(SILENCE_DAYS))
    }

    /// Lets silence do its work up to an instant, which itself is not reached.
    pub(super) fn fall_silent_before(&mut self, instant: i64) {
        if let Some(at) = self.lapses_at().filter(|&at| at < instant) {
            self.enter(Stage::Lapsed, at, Some("silence"));
        }
    }

    /// The day from which interest in the next purchase fades.
    pub(super) fn renewed_on(&self) -> usize {
        let since = match self.stage() {
            Some(Stage::Visitor | Stage::Lead) => self.stays.last().map_or(0, |stay| stay.entered),
            _ => self.last_purchase,
        };
        usize::try_from(since / DAY).expect("nothing happens before the start")
    }

    fn enter(&mut self, stage: Stage, entered: i64, trigger: Option<&'static str>) {
        self.stays.push(Stay { stage, entered, trigger });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_by_hand() {
        let mut account = Account::default();
        account.first_visit(100);
        account.sign_up(200);
        account.purchase(300);
        account.purchase(300 + seconds(180));
        for n in 1..4 {
            account.purchase(300 + seconds(180 + n));
        }
        account.fall_silent_before(300 + seconds(363));
        assert_eq!(account.stage(), Some(Stage::Loyal), "the instant of lapsing itself was not reached");
        account.fall_silent_before(301 + seconds(363));
        let stays: Vec<_> = account.stays.iter().map(|stay| (stay.stage.name(), stay.entered - 300)).collect();
        let lapse = seconds(180);
        let expected = [("visitor", -200), ("lead", -100), ("customer", 0), ("lapsed", lapse), ("repeat", lapse)];
        assert_eq!(stays[..5], expected, "at 180 days to the second, silence comes first");
        assert_eq!(stays[5..], [("loyal", seconds(183)), ("lapsed", seconds(363))]);
    }
}
