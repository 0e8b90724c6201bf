//! What the map measures beside the stage history: by which attributes, against which targets, with what money.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TimeColumn;
use crate::time::Duration;

/// What the map measures beside the stage history.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Measures {
    /// Attributes or event properties that people are told apart by.
    pub by: Vec<String>,
    /// The windows of funnels, after entry, ascending.
    pub windows: Vec<Duration>,
    /// What an order is.
    pub orders: Orders,
    /// How people score what they got.
    pub score: Option<Score>,
    /// What KPIs should come to.
    pub targets: Vec<Target>,
    /// What was spent to win people.
    pub spend: Option<Spend>,
}

/// What an order is and what it is worth.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Orders {
    /// The kinds of events that are orders; `None`: guessed by name.
    pub events: Option<Vec<String>>,
    /// The kinds of events whose amount is paid back.
    pub refunds: Vec<String>,
    /// The property that holds the amount; `None`: guessed by name.
    pub amount: Option<String>,
    /// The share of the amount that is profit, 0–1; `None`: not told.
    pub margin: Option<f64>,
}

/// How people score what they got.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The property that holds the score.
    pub property: String,
    /// The kind of event that carries it; `None`: any.
    pub event: Option<String>,
    /// Scores from here on are promoters'.
    pub promoters: f64,
    /// Scores up to here are detractors'.
    pub detractors: f64,
}

/// What a KPI of a stage should come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Position of the stage.
    pub stage: usize,
    /// The KPI.
    pub kpi: KpiName,
    /// It should not be below.
    pub at_least: Option<f64>,
    /// It should not be above.
    pub at_most: Option<f64>,
}

/// What was spent to win people.
#[derive(Debug, Clone, PartialEq)]
pub struct Spend {
    /// The query that gives the rows; of a table, all of them.
    pub sql: String,
    /// The column with the time.
    pub time: TimeColumn,
    /// The column with the amount.
    pub amount: String,
    /// Position of the stage that the money was to bring people into.
    pub stage: usize,
    /// The column with the channel, one of [`Measures::by`].
    pub channel: Option<String>,
}

/// A KPI of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KpiName {
    /// Who goes on to a later stage.
    Conversion,
    /// Who comes back from a silent stage.
    WonBack,
    /// Who falls silent.
    Attrition,
    /// Days until half of the people have left.
    MedianDays,
    /// Who orders again.
    RepeatRate,
    /// Mean amount of an order.
    OrderValue,
    /// Orders per person and year.
    PurchaseFrequency,
    /// Amount of all orders.
    Revenue,
    /// What it cost to bring a person here.
    AcquisitionCost,
    /// Promoters less detractors.
    ResponseScore,
    /// Who is no later than usual.
    Health,
    /// Profit per year times years as a customer, less what it cost to win one.
    CustomerValue,
}

impl KpiName {
    /// The name in files and in `clo.toml`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Conversion => "conversion",
            Self::WonBack => "won_back",
            Self::Attrition => "attrition",
            Self::MedianDays => "median_days",
            Self::RepeatRate => "repeat_rate",
            Self::OrderValue => "order_value",
            Self::PurchaseFrequency => "purchase_frequency",
            Self::Revenue => "revenue",
            Self::AcquisitionCost => "acquisition_cost",
            Self::ResponseScore => "response_score",
            Self::Health => "health",
            Self::CustomerValue => "customer_value",
        }
    }
}
