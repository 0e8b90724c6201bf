//! Stages and what brings people into them.

use super::{Exit, ReEntry, Trigger};
use crate::time::Duration;

/// A place in the lifecycle; a person stands in exactly one at any time.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// What brings a person here.
    pub rule: Rule,
    /// Positions of the stages it can be entered from; empty: any other stage.
    pub from: Vec<usize>,
    /// What takes people out of it, beside the rules of other stages; of several at one instant the first counts.
    pub exits: Vec<Exit>,
    /// Whether people who have left it may come back.
    pub re_entry: ReEntry,
}

impl Stage {
    /// A stage that can be entered from any other and again and again, and that nothing takes people out of.
    #[must_use]
    pub fn new(name: impl Into<String>, rule: Rule) -> Self {
        Self { name: name.into(), rule, from: Vec::new(), exits: Vec::new(), re_entry: ReEntry::Always }
    }
}

/// What brings a person into a stage.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// No rule: where everybody starts.
    Start,
    /// An event, or several together.
    Enter(Trigger),
    /// Attributes for which the SQL expression holds (snapshots).
    When(String),
    /// No event that enters a `from` stage for this long.
    Silence(Duration),
    /// No rule of its own: only exits of other stages lead here.
    Exits,
}

impl Rule {
    /// The rule of a stage that says none: everybody starts there, unless exits lead there and it is not the first.
    #[must_use]
    pub fn unsaid(position: usize, exits_lead_here: bool) -> Self {
        if position > 0 && exits_lead_here { Self::Exits } else { Self::Start }
    }

    /// The rule in words and SQL, for people to read; empty where there is none.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Start | Self::Exits => String::new(),
            Self::Enter(trigger) => trigger.to_string(),
            Self::When(rule) => rule.clone(),
            Self::Silence(after) => format!("silent for {after}"),
        }
    }

    /// The SQL expressions in it.
    #[must_use]
    pub fn conditions(&self) -> Vec<&str> {
        match self {
            Self::Enter(trigger) => trigger.conditions().into_iter().map(|(_, rule)| rule).collect(),
            Self::When(rule) => vec![rule],
            Self::Start | Self::Silence(_) | Self::Exits => Vec::new(),
        }
    }
}
