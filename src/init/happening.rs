//! One table of events as a source of the spec: its name, its time, its kinds, its properties, its amount. How they are brought
//! together says `query`.

use super::attributes::{HINDSIGHT, is_property, settled};
use super::draft::{Draft, slug};
use super::events::event_time;
use super::goal::goal_word;
use super::links::{Links, Way};
use super::look::{Column, Seen};
use super::query::{Amount, Described, Lines, Parts};
use super::roles::{
    BASKETS, Reading, Sure, TimeForm, amount_score, event_time_score, is_quantity, is_unit_price, kind_column,
    time_form, what_happened,
};
use crate::error::Result;

/// From this share of rows that repeat person and time on, rows are lines of something larger.
const REPEATED: f64 = 0.02;
const PURCHASES: [&str; 13] = [
    "invoice",
    "order",
    "purchase",
    "transaction",
    "sale",
    "sales",
    "basket",
    "checkout",
    "payment",
    "receipt",
    "trans",
    "purchased",
    "bought",
];

/// A table whose rows are events.
pub(super) struct Happening<'a> {
    pub(super) table: usize,
    pub(super) seen: &'a Seen,
    pub(super) way: Way,
    pub(super) time: &'a Column,
    pub(super) form: TimeForm,
}

impl Happening<'_> {
    /// Adds the source to `draft`, under a name that is not yet taken.
    pub(super) fn write(
        &self,
        tables: &[Seen],
        links: &Links,
        names: &mut Vec<String>,
        draft: &mut Draft,
    ) -> Result<()> {
        let person = &tables[self.way.person.0].columns[self.way.person.1];
        let kind = kind_column(self.seen);
        let name = self.name(names);
        let settled: Vec<String> = if self.way.steps.is_empty() {
            settled(self.seen, person)?.into_iter().map(|column| column.name.clone()).collect()
        } else {
            Vec::new()
        };
        let used = |column: &&Column| {
            column.name != person.name
                && column.name != self.time.name
                && kind.is_none_or(|(kind, _)| kind.name != column.name)
                && !settled.contains(&column.name)
                && is_property(self.seen, column)
        };
        let (properties, hindsight): (Vec<&Column>, Vec<&Column>) =
            self.seen.columns.iter().filter(used).partition(|column| !self.is_hindsight(column));
        if !hindsight.is_empty() {
            let names: Vec<&str> = hindsight.iter().map(|column| column.name.as_str()).collect();
            draft.notes.push(format!(
                "left out: {} of {}: perhaps what became of it later, not known at the event",
                names.join(", "),
                self.seen.name
            ));
        }
        let parts = Parts {
            name: &name,
            person,
            kind: kind.map(|(column, _)| column),
            amount: self.amount(tables, links),
            described: self.described(tables, links, &properties),
            properties,
        };
        if let Some(Amount::Own(column)) = parts.amount
            && column.is_nameless()
        {
            draft.notes.push(format!("{}: {} is taken for an amount of money (a guess)", self.seen.name, column.name));
        }
        let lines = if kind.is_none() { self.lines(person, self.basket())? } else { None };
        let comment = self.comment(person, kind.map(|(column, sure)| (column.name.as_str(), sure)));
        let block = self.block(tables, &parts, lines.as_ref());
        draft.sources.push(format!("{comment}{block}"));
        let what = match kind {
            Some((column, _)) => format!("the events that `{}` names", column.name),
            None => format!("the event `{name}`"),
        };
        draft.notes.push(format!("{}: {what}, at `{}` ({})", self.seen.name, self.time.name, self.form.sure.word()));
        self.later_steps(tables, person, &name, names, draft);
        Ok(())
    }

    /// What the event is called: a purchase, or what the time's or the table's name says.
    fn name(&self, names: &mut Vec<String>) -> String {
        let of_time: Vec<&str> = what_happened(self.time)
            .into_iter()
            .filter(|word| *word != "column" && !word.bytes().all(|byte| byte.is_ascii_digit()))
            .collect();
        // A deal that was won is no purchase, whatever amounts stand beside it.
        let is_other_goal = goal_word(&of_time.join("_")).is_some_and(|(_, stage)| stage != "customer");
        let is_basket = self.basket().is_some() && self.seen.columns.iter().any(|column| amount_score(column) >= 3);
        let has_amount = self.seen.columns.iter().any(|column| amount_score(column) >= 4);
        let wanted = if is_other_goal {
            slug(&of_time)
        } else if self.speaks_of_purchases() || (is_basket || has_amount) && of_time.len() < 2 {
            "purchase".to_owned()
        } else if of_time.is_empty() || of_time == ["created"] || of_time == ["event"] {
            slug(&[self.seen.name.trim_end_matches('s')])
        } else {
            slug(&of_time)
        };
        let fallback = slug(&[self.seen.name.trim_end_matches('s')]);
        let name =
            [wanted, fallback, format!("{}_event", self.seen.name)].into_iter().find(|name| !names.contains(name));
        let name = name.unwrap_or_else(|| format!("event_{}", names.len() + 1));
        names.push(name.clone());
        name
    }

    /// Whether the time's name, or the table's last word, speaks of a purchase.
    pub(super) fn speaks_of_purchases(&self) -> bool {
        let is_purchase = |word: &str| PURCHASES.contains(&word) || PURCHASES.contains(&word.trim_end_matches('s'));
        self.time.words.iter().any(|word| is_purchase(word))
            || self.seen.name.rsplit('_').next().is_some_and(is_purchase)
    }

    fn comment(&self, person: &Column, kind: Option<(&str, Sure)>) -> String {
        let mut comment = format!("# {}: who is `{}`, when is `{}`", self.seen.name, person.name, self.time.name);
        comment += &match &self.form.reading {
            Reading::Format(format, true) => {
                format!(", written {format}; the day and the month may be the other way round")
            }
            Reading::Format(format, false) => format!(", written {format}"),
            Reading::Since1970(unit) => format!(", {unit} since 1970"),
            Reading::Counter(unit) => {
                format!(", a number: {unit} since a start that the file does not tell; put the true unit and origin")
            }
            Reading::Plain => String::new(),
        };
        comment += &format!(" ({})", self.form.sure.word());
        if let Some((kind, sure)) = kind {
            comment += &format!(", what is `{kind}` ({})", sure.word());
        }
        comment + ".\n"
    }

    /// Whether a column tells what became of the row: a status, a label, a step whose time stands beside it.
    fn is_hindsight(&self, column: &Column) -> bool {
        let of_later_step = |other: &Column| {
            other.name != self.time.name
                && time_form(other).is_some()
                && column.words.len() >= 2
                && column.words.iter().all(|word| other.words.contains(word))
        };
        column.has(&HINDSIGHT) || self.seen.columns.iter().any(of_later_step)
    }

    /// The column that numbers orders, invoices, baskets.
    fn basket(&self) -> Option<&Column> {
        self.seen.columns.iter().find(|column| {
            let is_number = column.words.last().is_some_and(|last| {
                last.ends_with("id") || ["no", "nr", "number", "num", "key", "code"].contains(&last.as_str())
            });
            column.has(&BASKETS) && (is_number || column.words.len() == 1) && column.n_distinct > 10
        })
    }

    /// Whether several rows are one event.
    fn lines<'a>(&'a self, person: &Column, basket: Option<&'a Column>) -> Result<Option<Lines<'a>>> {
        if let Some(basket) = basket.filter(|basket| basket.n_distinct < self.seen.n_rows * 9 / 10) {
            return Ok(Some(Lines { basket: Some(basket) }));
        }
        if !self.way.steps.is_empty() {
            return Ok(None);
        }
        let (pairs, rows) = self.seen.combinations(&[&person.name, &self.time.name])?;
        let repeated = 1.0 - pairs as f64 / (rows as f64).max(1.0);
        Ok((repeated > REPEATED).then_some(Lines { basket: None }))
    }

    /// Where the amount of an event is told.
    fn amount<'a>(&'a self, tables: &'a [Seen], links: &Links) -> Option<Amount<'a>> {
        let quantity = self.seen.columns.iter().find(|column| is_quantity(column));
        let price = self.seen.columns.iter().find(|column| is_unit_price(column));
        if let (Some(quantity), Some(price)) = (quantity, price) {
            return Some(Amount::Product(quantity, price));
        }
        let best = |seen: &'a Seen| {
            seen.columns.iter().filter(|column| amount_score(column) > 0).max_by_key(|column| amount_score(column))
        };
        if let Some(own) = best(self.seen) {
            return Some(Amount::Own(own));
        }
        let keys = (0..self.seen.columns.len()).map(|column| (self.table, column)).filter(|place| links.is_key(*place));
        let mut joined: Vec<(i32, Amount<'a>)> = Vec::new();
        for key in keys {
            let Some(space) = links.space(key) else { continue };
            for theirs in
                links.columns(space).filter(|theirs| theirs.0 != self.table && event_time(&tables[theirs.0]).is_none())
            {
                let other = &tables[theirs.0];
                if let Some(column) = best(other) {
                    let amount = Amount::Joined {
                        table: &other.name,
                        key: &self.seen.columns[key.1],
                        theirs: &other.columns[theirs.1],
                        column,
                    };
                    joined.push((amount_score(column), amount));
                }
            }
        }
        joined.into_iter().max_by_key(|(score, _)| *score).map(|(_, amount)| amount)
    }

    /// Tables that describe things which a row names by their ids.
    fn described<'a>(&self, tables: &'a [Seen], links: &Links, own: &[&Column]) -> Vec<Described<'a>> {
        let mut taken: Vec<&str> = own.iter().map(|column| column.name.as_str()).collect();
        taken.extend(["person", "time", "event", "amount"]);
        let is_new = |table: usize| table != self.table && !self.way.steps.iter().any(|step| step.key.0 == table);
        let is_of_people = |table: usize| {
            (0..tables[table].columns.len()).any(|column| links.space((table, column)) == links.space(self.way.person))
        };
        let mut described: Vec<Described<'a>> = Vec::new();
        for at in 0..self.seen.columns.len() {
            let Some(space) = links.space((self.table, at)) else { continue };
            for (table, key) in links.columns(space).filter(|place| links.is_key(*place)) {
                let other = &tables[table];
                if !is_new(table) || is_of_people(table) || event_time(other).is_some() {
                    continue;
                }
                let is_told = |column: &&Column| is_property(other, column) && !taken.contains(&column.name.as_str());
                let properties: Vec<&Column> = other.columns.iter().filter(is_told).collect();
                taken.extend(properties.iter().map(|column| column.name.as_str()));
                if !properties.is_empty() {
                    described.push(Described { id: self.seen.columns[at].sql(), table: other, key, properties });
                }
            }
        }
        described
    }

    /// Further events that a row tells of: a step that was reached later, or never.
    fn later_steps(&self, tables: &[Seen], person: &Column, first: &str, names: &mut Vec<String>, draft: &mut Draft) {
        for column in &self.seen.columns {
            let Some(form) = time_form(column).filter(|_| column.name != self.time.name) else { continue };
            if event_time_score(column).is_none() {
                continue;
            }
            let is_counter = matches!(form.reading, Reading::Counter(_));
            let never = column.range.is_some_and(|(low, _)| low < 0.0);
            let n_reached = if never {
                column.n_known
                    - column.top.iter().filter(|(text, _)| text.starts_with('-')).map(|(_, n)| n).sum::<usize>()
            } else {
                column.n_known
            };
            let share = n_reached as f64 / self.seen.n_rows as f64;
            let name = slug(&what_happened(column));
            if !(0.02..0.98).contains(&share) || names.contains(&name) || (is_counter && !never) {
                continue;
            }
            let later = Self { table: self.table, seen: self.seen, way: self.way.clone(), time: column, form };
            draft.sources.push(format!(
                "# {}: a later step of the same row, reached by {:.0} % of them (likely).\n{}",
                self.seen.name,
                100.0 * share,
                later.reached(tables, person, &name, never)
            ));
            draft.notes.push(format!("{}: the event `{name}`, a later step of `{first}` (likely)", self.seen.name));
            names.push(name);
        }
    }
}
