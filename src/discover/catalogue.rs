//! The feature catalogue: which features there are, from one declaration, before any is computed.
//!
//! A [`Feature`] says what is computed; its name says the same to a reader (`purchase.amount.sum.90d`). [`Recipe::of_events`]
//! lists the features that the data can fill: every event kind × window, every numeric property, the frequent levels of every
//! category. It looks only at events known before `until`, the last instant that training may know, so that later events
//! cannot change what is listed.

mod seen;

use serde::{Deserialize, Serialize};

use super::attributes::{self, Attribute};
use crate::map::rules::columns_named;
use crate::source::Data;
use crate::spec::{self, Exit, Prediction, ReEntry, Rows, Rule, Spec, Trigger};
use crate::time::{Duration, Time};
use seen::Seen;

/// One feature of a person at a cutoff.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "feature", rename_all = "snake_case", deny_unknown_fields)]
pub enum Feature {
    /// Events of a kind (of any kind when absent) within a window.
    Count {
        /// Kind of event.
        kind: Option<String>,
        /// Window; the whole past when absent.
        window: Option<Window>,
    },
    /// Events within the window minus events in the window of equal length before it.
    Trend {
        /// Kind of event.
        kind: Option<String>,
        /// Window.
        window: Window,
    },
    /// Sum, mean or maximum of a numeric property.
    Aggregate {
        /// Kind of event.
        kind: String,
        /// Property.
        property: String,
        /// What is taken of its values.
        statistic: Statistic,
        /// Window; the whole past when absent.
        window: Option<Window>,
    },
    /// Distinct values of a property within a window.
    Distinct {
        /// Kind of event, when only one carries the property.
        kind: Option<String>,
        /// Property.
        property: String,
        /// Window; the whole past when absent.
        window: Option<Window>,
    },
    /// Share of a level among the events that carry the property, whole past.
    Share {
        /// Kind of event, when only one carries the property.
        kind: Option<String>,
        /// Property.
        property: String,
        /// Level.
        level: String,
    },
    /// Days since the first event of a kind.
    DaysSinceFirst {
        /// Kind of event.
        kind: String,
    },
    /// Days since the last event of a kind.
    DaysSinceLast {
        /// Kind of event.
        kind: Option<String>,
    },
    /// Mean days between two events of a kind.
    MeanGap {
        /// Kind of event.
        kind: Option<String>,
    },
    /// The stage the person stands in.
    Stage,
    /// Days since that stage was entered.
    DaysInStage,
    /// Number of stays so far, the present one included.
    StagesVisited,
    /// Days since the person's first event.
    Tenure,
    /// An attribute of the person.
    Attribute(Attribute),
}

/// What is taken of the values in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Statistic {
    /// Their sum; 0 over none.
    Sum,
    /// Their mean; missing over none.
    Mean,
    /// The largest; missing over none.
    Max,
}

/// A lookback window, written as in `clo.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window(pub Duration);

impl Serialize for Window {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Window {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|_| serde::de::Error::custom(format!("`{text}` is not a window")))
    }
}

/// What a bundle needs to know to compute its features again on new data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Version of this format.
    pub format_version: u32,
    /// Whether the features come from a labelled snapshot (attributes only).
    pub snapshot: bool,
    /// The column that holds the person's id in a snapshot; absent: the row's number.
    pub person: Option<String>,
    /// How the snapshot's table was read, without its path; absent when a query made it.
    pub table: Option<spec::Table>,
    /// The columns that stage rules name: a snapshot to be scored need not hold them.
    pub outcome_columns: Vec<String>,
    /// The kinds of events, in the order in which those of one instant are taken.
    pub kinds: Vec<String>,
    /// The features, in order.
    pub features: Vec<Feature>,
    /// The stages, for the features that look at them.
    pub stages: Vec<StageRecipe>,
    /// Positions of the stages whose people are eligible.
    pub from: Vec<usize>,
    /// Positions of the stages that count as attained.
    pub to: Vec<usize>,
}

/// A stage as the recipe keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageRecipe {
    /// Its name.
    pub name: String,
    /// Its entry rule: SQL, or several events together.
    pub enter: Option<Trigger>,
    /// The silence that enters it.
    pub silence: Option<String>,
    /// Positions of the stages it can be entered from.
    pub from: Vec<usize>,
    /// What takes people out of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exits: Vec<Exit>,
    /// Whether people may come back.
    #[serde(default)]
    pub re_entry: ReEntry,
}

impl Feature {
    /// The column's name.
    #[must_use]
    pub fn name(&self) -> String {
        let kind = |kind: &Option<String>| kind.clone().unwrap_or_else(|| "event".into());
        let window = |window: &Option<Window>| window.map_or_else(|| "all".into(), |window| window.0.to_string());
        match self {
            Self::Count { kind: of, window: within } => format!("{}.count.{}", kind(of), window(within)),
            Self::Trend { kind: of, window } => format!("{}.count.trend.{}", kind(of), window.0),
            Self::Aggregate { kind, property, statistic, window: within } => {
                let statistic = match statistic {
                    Statistic::Sum => "sum",
                    Statistic::Mean => "mean",
                    Statistic::Max => "max",
                };
                format!("{kind}.{property}.{statistic}.{}", window(within))
            }
            Self::Distinct { kind: of, property, window: within } => {
                format!("{}.{property}.distinct.{}", kind(of), window(within))
            }
            Self::Share { kind: of, property, level } => format!("{}.{property}.share.{level}", kind(of)),
            Self::DaysSinceFirst { kind } => format!("{kind}.days_since_first"),
            Self::DaysSinceLast { kind: of } => format!("{}.days_since_last", kind(of)),
            Self::MeanGap { kind: of } => format!("{}.gap_days.mean", kind(of)),
            Self::Stage => "stage.current".into(),
            Self::DaysInStage => "stage.days_in".into(),
            Self::StagesVisited => "stage.n_visited".into(),
            Self::Tenure => "person.tenure_days".into(),
            Self::Attribute(attribute) => format!("attr.{}", attribute.column),
        }
    }
}

impl Recipe {
    /// The features that events, stages and attributes can fill, without those that `prediction.exclude` names.
    #[must_use]
    pub fn of_events(data: &Data, spec: &Spec, prediction: &Prediction, until: Time) -> Self {
        let mut features = Vec::new();
        let seen = Seen::before(until, &data.events);
        let kinds = seen.kinds(&data.events);
        for kind in &kinds {
            features.extend(of_kind(kind.as_ref(), &prediction.windows));
        }
        for property in &seen.properties {
            property.features(&data.events, &prediction.windows, &mut features);
        }
        features.extend([Feature::Stage, Feature::DaysInStage, Feature::StagesVisited, Feature::Tenure]);
        features.extend(attributes::of_people(&data.people, &[]).into_iter().map(Feature::Attribute));
        let kinds = data.events.kinds.clone();
        Self { kinds, ..Self::new(false, features, spec, prediction) }
    }

    /// The attributes of a labelled snapshot, without the columns that stage rules name.
    #[must_use]
    pub fn of_snapshot(data: &Data, spec: &Spec, prediction: &Prediction) -> Self {
        let rules: Vec<&str> = spec.stages.iter().flat_map(|stage| stage.rule.conditions()).collect();
        let features = attributes::of_people(&data.people, &rules).into_iter().map(Feature::Attribute).collect();
        let people = spec.people.first();
        let table = people.and_then(|people| match &people.rows {
            Rows::Table(name) => {
                spec.tables.get(name).map(|table| spec::Table { path: String::new(), ..table.clone() })
            }
            Rows::Sql(_) => None,
        });
        Self {
            person: people.and_then(|people| people.person.clone()),
            table,
            outcome_columns: rules.iter().flat_map(|rule| columns_named(rule)).collect(),
            ..Self::new(true, features, spec, prediction)
        }
    }

    fn new(snapshot: bool, features: Vec<Feature>, spec: &Spec, of: &Prediction) -> Self {
        let features = features.into_iter().filter(|feature| !excluded(&feature.name(), &of.exclude)).collect();
        let stages = spec.stages.iter().map(|stage| StageRecipe {
            name: stage.name.clone(),
            enter: match &stage.rule {
                Rule::Enter(trigger) => Some(trigger.clone()),
                Rule::When(rule) => Some(Trigger::Event(rule.clone())),
                Rule::Start | Rule::Silence(_) | Rule::Exits => None,
            },
            silence: match &stage.rule {
                Rule::Silence(duration) => Some(duration.to_string()),
                _ => None,
            },
            from: stage.from.clone(),
            exits: stage.exits.clone(),
            re_entry: stage.re_entry,
        });
        Self {
            format_version: 1,
            snapshot,
            person: None,
            table: None,
            outcome_columns: Vec::new(),
            kinds: Vec::new(),
            features,
            stages: stages.collect(),
            from: of.from.clone(),
            to: of.to.clone(),
        }
    }

    /// The names of the features, in order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.features.iter().map(Feature::name).collect()
    }
}

/// Whether a pattern of `exclude` or `trust` (`survey.*`) names the feature.
pub(crate) fn excluded(name: &str, patterns: &[String]) -> bool {
    let options = glob::MatchOptions { case_sensitive: true, ..glob::MatchOptions::default() };
    patterns.iter().any(|pattern| match glob::Pattern::new(pattern) {
        Ok(compiled) => compiled.matches_with(name, options) || pattern == name,
        Err(_) => pattern == name,
    })
}

fn of_kind(kind: Option<&String>, windows: &[Duration]) -> Vec<Feature> {
    let within = windows.iter().copied().map(Window).map(Some).chain([None]);
    let mut features: Vec<Feature> = within.map(|window| Feature::Count { kind: kind.cloned(), window }).collect();
    features.extend(windows.iter().map(|&window| Feature::Trend { kind: kind.cloned(), window: Window(window) }));
    if let Some(kind) = kind {
        features.push(Feature::DaysSinceFirst { kind: kind.clone() });
    }
    features.push(Feature::DaysSinceLast { kind: kind.cloned() });
    features.push(Feature::MeanGap { kind: kind.cloned() });
    features
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_the_feature_is() {
        let window = Some(Window(Duration::days(90)));
        let kind = "purchase".to_string();
        let sum = Feature::Aggregate { kind, property: "amount".into(), statistic: Statistic::Sum, window };
        assert_eq!(sum.name(), "purchase.amount.sum.90d");
        assert_eq!(Feature::Count { kind: None, window: None }.name(), "event.count.all");
    }

    #[test]
    fn patterns_exclude_by_name() {
        assert!(excluded("attr.duration", &["attr.duration".into()]));
        assert!(excluded("survey.score.mean.all", &["survey.*".into()]));
        assert!(!excluded("purchase.count.all", &["survey.*".into()]));
    }
}
