//! What the map measures: `by`, windows, orders, score and targets of `[lifecycle]`, and `[spend]`.

use super::super::written;
use super::super::{EventSource, KpiName, Measures, Orders, Rows, Rule, Score, Shape, Spend, Stage, Target};
use super::times::unmistakable;
use super::{Check, audiences};
use crate::time::Duration;

/// The windows of funnels when the spec does not say.
const WINDOW_DAYS: [i64; 3] = [7, 30, 90];

/// What is written of it.
pub(super) struct Written {
    by: Vec<String>,
    windows: Option<Vec<String>>,
    orders: Option<written::Orders>,
    score: Option<written::Score>,
    targets: Vec<written::Target>,
    spend: Option<written::Spend>,
}

impl Written {
    /// Takes it out of the written form.
    pub(super) fn take(written: &mut written::Written) -> Self {
        let spend = written.spend.take();
        let mut nothing = written::Lifecycle::default();
        let lifecycle = written.lifecycle.as_mut().unwrap_or(&mut nothing);
        Self {
            by: std::mem::take(&mut lifecycle.by),
            windows: lifecycle.windows.take(),
            orders: lifecycle.orders.take(),
            score: lifecycle.score.take(),
            targets: std::mem::take(&mut lifecycle.targets),
            spend,
        }
    }
}

impl Check<'_, '_> {
    pub(super) fn measures(&mut self, written: Written, stages: &[Stage], events: &[EventSource]) -> Measures {
        self.only_events(&written);
        for (position, name) in written.by.iter().enumerate() {
            let before = written.by[..position].iter().map(String::as_str);
            self.once(&format!("lifecycle.by[{position}]"), "attribute", name, before);
        }
        let kinds = self.kinds(events);
        let orders = written.orders.map(|orders| self.orders(orders, kinds.as_deref())).unwrap_or_default();
        let score = written.score.map(|score| self.score(score, kinds.as_deref()));
        let targets = written.targets.into_iter().enumerate();
        let targets = targets.filter_map(|(position, target)| self.target(position, &target, stages)).collect();
        let spend = written.spend.map(|spend| self.spend(spend, stages, &written.by));
        Measures { windows: self.funnel_windows(written.windows), orders, score, targets, spend, by: written.by }
    }

    /// Notes what only events in time have.
    fn only_events(&mut self, written: &Written) {
        if self.shape == Shape::Events {
            return;
        }
        let said = [
            ("lifecycle.by", !written.by.is_empty()),
            ("lifecycle.windows", written.windows.is_some()),
            ("lifecycle.orders", written.orders.is_some()),
            ("lifecycle.score", written.score.is_some()),
            ("lifecycle.targets", !written.targets.is_empty()),
            ("spend", written.spend.is_some()),
        ];
        for (at, _) in said.into_iter().filter(|(_, said)| *said) {
            let message = format!("`{at}` is about what happens in time, and a snapshot knows no times");
            self.fault(at, message, "leave it out, or declare the [events.*]");
        }
    }

    fn funnel_windows(&mut self, windows: Option<Vec<String>>) -> Vec<Duration> {
        let Some(windows) = windows else { return WINDOW_DAYS.map(Duration::days).to_vec() };
        let mut checked: Vec<Duration> = windows
            .iter()
            .enumerate()
            .filter_map(|(i, text)| self.faults.take(&format!("lifecycle.windows[{i}]"), "windows", text.parse()))
            .collect();
        checked.sort_unstable_by(|a, b| a.in_days().total_cmp(&b.in_days()));
        checked.dedup();
        checked
    }

    fn known_kind(&mut self, at: &str, kind: &str, kinds: Option<&[String]>) {
        let Some(kinds) = kinds.filter(|kinds| !kinds.iter().any(|known| known == kind)) else { return };
        let known: Vec<&str> = kinds.iter().map(String::as_str).collect();
        self.unknown(at, format!("there is no [events.{kind}]"), kind, "events", &known);
    }

    fn orders(&mut self, orders: written::Orders, kinds: Option<&[String]>) -> Orders {
        for (key, names) in [("events", orders.events.as_deref().unwrap_or_default()), ("refunds", &orders.refunds)] {
            for (position, kind) in names.iter().enumerate() {
                self.known_kind(&format!("lifecycle.orders.{key}[{position}]"), kind, kinds);
            }
        }
        let margin = orders.margin.and_then(|share| {
            let found = match share {
                written::Share::Number(share) => Some(share),
                written::Share::Text(text) => audiences::percent(&text),
            };
            if found.is_none_or(|share| !(share > 0.0 && share <= 1.0)) {
                let hint = "write \"40%\" or 0.4: what is left of the amount after what the order costs";
                self.fault("lifecycle.orders.margin", "`margin` must be a share above 0 % and up to 100 %", hint);
            }
            found
        });
        Orders { events: orders.events, refunds: orders.refunds, amount: orders.amount, margin }
    }

    fn score(&mut self, score: written::Score, kinds: Option<&[String]>) -> Score {
        if let Some(kind) = &score.event {
            self.known_kind("lifecycle.score.event", kind, kinds);
        }
        let written::Score { property, event, promoters, detractors } = score;
        if !(promoters.is_finite() && detractors.is_finite() && detractors < promoters) {
            let message = format!("promoters score from {promoters} on, and detractors up to {detractors}");
            let hint = "of scores from 0 to 10, promoters = 9 and detractors = 6 is usual";
            self.fault("lifecycle.score.detractors", message, hint);
        }
        Score { property, event, promoters, detractors }
    }

    fn target(&mut self, position: usize, target: &written::Target, stages: &[Stage]) -> Option<Target> {
        let at = format!("lifecycle.targets[{position}]");
        let names: Vec<&str> = stages.iter().map(|stage| stage.name.as_str()).collect();
        let stage = self.positions(&format!("{at}.stage"), "this target", std::slice::from_ref(&target.stage), &names);
        let written::Target { kpi, at_least, at_most, .. } = *target;
        match (at_least, at_most) {
            (None, None) => {
                self.fault(&at, "this target has no number", "add at_least = … or at_most = …");
            }
            (Some(least), Some(most)) if least > most => {
                let message = format!("no number is at least {least} and at most {most}");
                self.fault(&at, message, "give one of them, or a range");
            }
            _ => {}
        }
        let stage = *stage.first()?;
        let is_silent = matches!(stages[stage].rule, Rule::Silence(_));
        if is_silent != (kpi == KpiName::WonBack) && matches!(kpi, KpiName::WonBack | KpiName::Conversion) {
            let name = &target.stage;
            let (message, hint) = if is_silent {
                (format!("`{name}` is entered by silence: nobody converts from there"), "write kpi = \"won_back\"")
            } else {
                (format!("`{name}` is not entered by silence: nobody is won back"), "write kpi = \"conversion\"")
            };
            self.fault(&format!("{at}.kpi"), message, hint);
        }
        Some(Target { stage, kpi, at_least, at_most })
    }

    fn spend(&mut self, spend: written::Spend, stages: &[Stage], by: &[String]) -> Spend {
        let rows = self.rows("spend", spend.table, spend.sql);
        let time = match spend.time {
            Some(time) => self.time("spend.time", time),
            None => unmistakable(self.column("spend", "time", None, &rows)),
        };
        let amount = self.column("spend", "amount", spend.amount, &rows);
        let stage = match &spend.stage {
            Some(name) => {
                let names: Vec<&str> = stages.iter().map(|stage| stage.name.as_str()).collect();
                self.positions("spend.stage", "[spend]", std::slice::from_ref(name), &names).first().copied()
            }
            None => stages.iter().position(|stage| matches!(stage.rule, Rule::Enter(_))),
        };
        if let Some(channel) = spend.channel.as_ref().filter(|channel| !by.contains(channel)) {
            let known: Vec<&str> = by.iter().map(String::as_str).collect();
            let message = format!("`lifecycle.by` does not name `{channel}`: whose channel is it?");
            self.unknown("spend.channel", message, channel, "attributes in lifecycle.by", &known);
        }
        let sql = match rows {
            Rows::Table(table) => format!("SELECT * FROM \"{table}\""),
            Rows::Sql(sql) => sql,
        };
        Spend { sql, time, amount, stage: stage.unwrap_or_default(), channel: spend.channel }
    }
}
