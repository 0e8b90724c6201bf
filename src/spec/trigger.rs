//! What moves people: events that bring them into a stage, alone or several together; what takes them out of it; and
//! whether they may come back.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::time::Duration;

/// Events that make something happen, alone or several together. A trigger looks at the events of one person up to the
/// one that just happened, whatever stage the person is in: it fires at an event, or it does not. `within` bounds the time
/// from the first event that it needs to the one that completes it, both ends included; without it, any time will do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Trigger {
    /// Fires at an event for which the SQL expression holds (over `event`, `nth`, its properties and the person's
    /// attributes).
    Event(String),
    /// Fires when one of these fires and all have fired, in whatever order.
    All {
        /// What must have fired; one event may serve several.
        all: Vec<Trigger>,
        /// How long before at most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        within: Option<Duration>,
    },
    /// Fires when one of these fires.
    Any {
        /// What may fire.
        any: Vec<Trigger>,
    },
    /// Fires when the last of these fires, after the others have fired in this order, each at an event of its own.
    Sequence {
        /// What must fire, one after the other.
        sequence: Vec<Trigger>,
        /// How long before at most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        within: Option<Duration>,
    },
    /// Fires at an event for which the SQL expression holds, for the how-manieth time at least.
    Times {
        /// The SQL expression.
        event: String,
        /// How many times.
        times: usize,
        /// How long before at most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        within: Option<Duration>,
    },
}

impl Trigger {
    /// The SQL expressions in it, each with the path from the trigger to where it is said: `.all[1]`.
    #[must_use]
    pub fn conditions(&self) -> Vec<(String, &str)> {
        match self {
            Self::Event(rule) => vec![(String::new(), rule)],
            Self::All { all, .. } => conditions_of("all", all),
            Self::Any { any } => conditions_of("any", any),
            Self::Sequence { sequence, .. } => conditions_of("sequence", sequence),
            Self::Times { event, .. } => vec![(".event".to_owned(), event)],
        }
    }
}

fn conditions_of<'t>(key: &str, triggers: &'t [Trigger]) -> Vec<(String, &'t str)> {
    let of_each = |(position, trigger): (usize, &'t Trigger)| -> Vec<(String, &'t str)> {
        let found = trigger.conditions().into_iter();
        found.map(|(path, rule)| (format!(".{key}[{position}]{path}"), rule)).collect()
    };
    triggers.iter().enumerate().flat_map(of_each).collect()
}

impl From<&str> for Trigger {
    fn from(rule: &str) -> Self {
        Self::Event(rule.to_owned())
    }
}

impl fmt::Display for Trigger {
    /// As people read it: `all of (event = 'signup'; event = 'purchase') within 30d`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = |each: &[Self]| each.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        let within = match self {
            Self::Event(rule) => return f.write_str(rule),
            Self::Any { any } => return write!(f, "any of ({})", listed(any)),
            Self::All { all, within } => {
                write!(f, "all of ({})", listed(all))?;
                within
            }
            Self::Sequence { sequence, within } => {
                write!(f, "in sequence ({})", listed(sequence))?;
                within
            }
            Self::Times { event, times, within } => {
                write!(f, "{times} times ({event})")?;
                within
            }
        };
        within.map_or(Ok(()), |within| write!(f, " within {within}"))
    }
}

/// What takes people out of a stage, and where to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// What takes them out.
    #[serde(flatten)]
    pub cause: Cause,
    /// The position of the stage they go to.
    pub to: usize,
}

/// What takes people out of a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Events.
    On(Trigger),
    /// That they have been in it for so long.
    After(Duration),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::On(trigger) => write!(f, "on {trigger}"),
            Self::After(after) => write!(f, "after {after}"),
        }
    }
}

/// Whether people may come back to a stage that they have left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ReEntry {
    /// At any time.
    #[default]
    Always,
    /// Never.
    Never,
    /// So long after they have left it, and later.
    After(Duration),
}

impl fmt::Display for ReEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => f.write_str("always"),
            Self::Never => f.write_str("never"),
            Self::After(after) => after.fmt(f),
        }
    }
}

impl FromStr for ReEntry {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.trim() {
            "always" => Ok(Self::Always),
            "never" => Ok(Self::Never),
            span => span.parse().map(Self::After).map_err(|_| {
                Error::usage(format!("\"{text}\" does not say when a stage may be entered again"))
                    .hint("write \"always\", \"never\", or how long after it was left: \"90d\"")
            }),
        }
    }
}

impl TryFrom<String> for ReEntry {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<ReEntry> for String {
    fn from(re_entry: ReEntry) -> Self {
        re_entry.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joint() -> Trigger {
        let visits = Trigger::Times { event: "event = 'visit'".into(), times: 3, within: Some(Duration::days(7)) };
        let either = Trigger::Any { any: vec!["event = 'lead'".into(), visits] };
        Trigger::Sequence { sequence: vec!["event = 'signup'".into(), either], within: None }
    }

    #[test]
    fn a_trigger_reads_aloud_and_says_where_its_conditions_stand() {
        let said = "in sequence (event = 'signup'; any of (event = 'lead'; 3 times (event = 'visit') within 7d))";
        assert_eq!(joint().to_string(), said);
        let paths: Vec<_> = joint().conditions().into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, [".sequence[0]", ".sequence[1].any[0]", ".sequence[1].any[1].event"]);
    }

    #[test]
    fn triggers_and_exits_keep_what_they_say_in_a_model() {
        let exit = Exit { cause: Cause::On(joint()), to: 2 };
        let text = serde_json::to_string(&exit).unwrap();
        assert_eq!(serde_json::from_str::<Exit>(&text).unwrap(), exit);
        let after: Exit = serde_json::from_str(r#"{ "after": "14d", "to": 1 }"#).unwrap();
        assert_eq!(after, Exit { cause: Cause::After(Duration::days(14)), to: 1 });
        assert_eq!(serde_json::from_str::<Trigger>("\"true\"").unwrap(), Trigger::from("true"));
        assert_eq!("90d".parse::<ReEntry>().unwrap().to_string(), "90d");
        assert!(serde_json::from_str::<ReEntry>("\"sometimes\"").is_err());
    }
}
