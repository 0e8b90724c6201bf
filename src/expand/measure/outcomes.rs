//! A file of outcomes, read as the people of a list: who converted, and what it was worth.
//!
//! In: a table with a column of ids (of people, of a table before identity resolution, e-mails or phones), and if it has them
//! `converted` (yes or no; without it a row says yes), `value` and `time`. Out: [`Outcomes`], a value per person of the list. A person's
//! rows add up. Which column holds the ids is told, or is the one that means the most people of the list.

use std::collections::{BTreeSet, HashMap};

use polars::prelude::{Column, DataFrame, DataType, PlSmallStr, StringChunked};
use serde::{Deserialize, Serialize};

use super::List;
use super::cells::{instants, numbers, yes_or_no};
use crate::error::{Error, Result, did_you_mean};
use crate::expand::contact::{Contacts, Role};
use crate::expand::normalise::{cleaned, mailbox};
use crate::expand::phone::{Dialled, e164};
use crate::expand::scores::as_text;
use crate::source::{Identity, People};
use crate::time::Time;

/// Which columns hold what, as far as it is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// The ids; default: the column that means the most people of the list.
    pub person: Option<String>,
    /// Yes or no; default: `converted`, if there is one.
    pub converted: Option<String>,
    /// What it was worth; default: `value`, if there is one.
    pub value: Option<String>,
    /// When it happened; default: `time`, if there is one.
    pub time: Option<String>,
    /// How times are written, as `strftime` has it; default: so that they cannot be mistaken.
    pub time_format: Option<String>,
}

/// The span in which outcomes count; an end that is absent is open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// The start of the campaign.
    pub start: Option<Time>,
    /// The end of its horizon; outcomes at it do not count.
    pub end: Option<Time>,
}

/// What became of each person of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcomes {
    /// Whether they converted.
    pub converted: Vec<bool>,
    /// What it was worth, in sum; `None` when the file does not say.
    pub value: Option<Vec<f64>>,
    /// What was read.
    pub used: Used,
}

/// Rows of the outcomes, counted: each is in one of the counts below.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// Rows of the file.
    pub n_rows: u64,
    /// Rows that count for a person of the list.
    pub n_counted: u64,
    /// Rows about people who are not on the list.
    pub n_elsewhere: u64,
    /// Rows about the list's people from before the campaign.
    pub n_before: u64,
    /// Rows about them from after its horizon.
    pub n_after: u64,
    /// Rows about them that say that they did not convert.
    pub n_not_converted: u64,
    /// The column of the ids.
    pub person_column: String,
    /// The column that says yes or no; none: every row is a yes.
    #[serde(default)]
    pub converted_column: Option<String>,
    /// The column of times; none: rows of any time count.
    #[serde(default)]
    pub time_column: Option<String>,
    /// The last time of a row about the list's people, when rows have times.
    pub last: Option<String>,
}

/// The names that the people of a list go by; digits that are dialled within a country come after `tel:`.
#[derive(Debug, Clone, Default)]
pub struct Names(HashMap<String, u32>);

impl Names {
    /// Their ids now, and those before identity resolution.
    #[must_use]
    pub fn of(list: &List, identities: &[Identity]) -> Self {
        let number = |at: usize| u32::try_from(at).expect("people are counted in 32 bits");
        let mut names: HashMap<String, u32> =
            list.person.iter().enumerate().map(|(at, id)| (cleaned(id).into_owned(), number(at))).collect();
        for identity in identities {
            if let Some(&person) = names.get(&*cleaned(&identity.person)) {
                names.entry(cleaned(&identity.id).into_owned()).or_insert(person);
            }
        }
        Self(names)
    }

    /// Their e-mails and phones too, in every row that the people table has of them.
    ///
    /// # Errors
    /// When a contact column cannot be read.
    pub fn with_contacts(mut self, list: &List, people: &People) -> Result<Self> {
        let contacts = Contacts::of(people)?;
        for (at, id) in (0..).zip(&list.person) {
            let Some(person) = people.find(id) else { continue };
            for row in people.offsets[person] as usize..people.offsets[person + 1] as usize {
                let values = |role| contacts.with_role(role).filter_map(|column| contacts.text(column, row));
                let mailboxes = values(Role::Email).filter_map(mailbox);
                let country = contacts.country(row);
                let phones = values(Role::Phone).filter_map(|text| e164(text, country).ok());
                let forms = values(Role::Phone).filter_map(|text| Dialled::of(text)?.forms(country)).flatten();
                for name in mailboxes.chain(phones).chain(forms.map(|digits| format!("tel:{digits}"))) {
                    self.0.entry(name).or_insert(at);
                }
            }
        }
        Ok(self)
    }

    /// The person of the list who goes by this name.
    fn find(&self, text: &str) -> Option<u32> {
        let own = || self.0.get(&*cleaned(text));
        let dialled = || self.0.get(&format!("tel:{}", Dialled::of(text)?.digits));
        let known = own().or_else(|| self.0.get(&mailbox(text)?)).or_else(|| self.0.get(&e164(text, None).ok()?));
        known.or_else(dialled).copied()
    }

    /// As [`Self::best`], but of a file that has a header.
    fn meant(&self, frame: &DataFrame, file: &str, told: Option<&str>) -> Result<Option<Meant>> {
        let best = self.best(frame, told)?;
        if best.as_ref().is_some_and(|best| self.find(&best.column).is_some()) {
            return Err(Error::data(format!(
                "{file} has no header line: its first line means one of the list's people"
            ))
            .hint("write a line above it that names the columns, such as `person`"));
        }
        Ok(best)
    }

    /// The people whom a column means, row by row.
    fn people(&self, texts: &StringChunked) -> Vec<Option<u32>> {
        texts.iter().map(|text| self.find(text?)).collect()
    }

    /// How many people of the list a table means in its best column; see `Names::column`.
    ///
    /// # Errors
    /// When a column cannot be read as text.
    pub fn n_meant(&self, frame: &DataFrame, told: Option<&str>) -> Result<usize> {
        Ok(self.best(frame, told)?.map_or(0, |best| best.n_people))
    }

    /// The column that means the most people, the first of equals; with `told`, that one.
    fn best(&self, frame: &DataFrame, told: Option<&str>) -> Result<Option<Meant>> {
        let columns: Vec<&Column> = match told {
            Some(name) => vec![column(frame, name, "person")?],
            None => frame.columns().iter().filter(|column| may_name(column.dtype())).collect(),
        };
        let mut best: Option<Meant> = None;
        for column in columns {
            let people = self.people(&as_text(column)?);
            let n_people = people.iter().flatten().collect::<BTreeSet<_>>().len();
            if n_people > best.as_ref().map_or(0, |best| best.n_people) {
                best = Some(Meant { column: column.name().to_string(), people, n_people });
            }
        }
        Ok(best)
    }
}

/// The people whom a column means.
struct Meant {
    column: String,
    people: Vec<Option<u32>>,
    n_people: usize,
}

/// Ids are texts or whole numbers: a price that happens to be somebody's id is not asked.
fn may_name(dtype: &DataType) -> bool {
    dtype.is_integer() || matches!(dtype, DataType::String | DataType::Float64)
}

/// The outcomes in `frame`, which was read from the file called `file`.
///
/// # Errors
/// When a column that is told is not there or holds something else, when no row means anyone of the list, or when all rows about
/// them are from before the campaign.
pub fn outcomes(
    (frame, file): (&DataFrame, &str),
    columns: &Columns,
    (list, names): (&List, &Names),
    span: Span,
) -> Result<Outcomes> {
    let optional = |told: &Option<String>, usual: &str| -> Result<Option<&Column>> {
        match told {
            Some(name) => column(frame, name, usual).map(Some),
            None => Ok(frame.columns().iter().find(|column| column.name().eq_ignore_ascii_case(usual))),
        }
    };
    let time = optional(&columns.time, "time")?;
    let times = time.map(|column| instants(column, columns.time_format.as_deref(), file)).transpose()?;
    let converted = optional(&columns.converted, "converted")?;
    let said = converted.map(|column| yes_or_no(column, file)).transpose()?;
    let values = optional(&columns.value, "value")?.map(|column| numbers(column, file)).transpose()?;
    let Some(meant) = names.meant(frame, file, columns.person.as_deref())? else {
        let others = known(frame).join(", ");
        return Err(nobody(frame, file, columns.person.as_deref(), list)
            .hint(format!("name the column that holds their ids, e-mails or phones with --person; there are: {others}"))
            .hint(
                "if the list was made again since it went out, name the audience.parquet that went out with --list",
            ));
    };
    let n = list.person.len();
    let name_of = |column: Option<&Column>| column.map(|column| column.name().to_string());
    let mut used = Used {
        n_rows: frame.height() as u64,
        person_column: meant.column,
        converted_column: name_of(converted),
        time_column: name_of(time),
        ..Used::default()
    };
    let (mut converted, mut sums) = (vec![false; n], vec![0.0; n]);
    let mut last: Option<Time> = None;
    for (row, person) in meant.people.iter().enumerate() {
        let Some(person) = person.map(|person| person as usize) else {
            used.n_elsewhere += 1;
            continue;
        };
        let time = times.as_ref().and_then(|times| times[row]);
        last = last.max(time);
        if time.zip(span.start).is_some_and(|(time, start)| time < start) {
            used.n_before += 1;
        } else if time.zip(span.end).is_some_and(|(time, end)| time >= end) {
            used.n_after += 1;
        } else if said.as_ref().is_some_and(|said| !said[row]) {
            used.n_not_converted += 1;
        } else {
            used.n_counted += 1;
            converted[person] = true;
            sums[person] += values.as_ref().map_or(0.0, |values| values[row]);
        }
    }
    used.last = last.map(|time| time.to_string());
    if let (Some(start), true) = (span.start, used.n_counted + used.n_after + used.n_not_converted == 0) {
        return Err(all_before(file, start, last));
    }
    Ok(Outcomes { converted, value: values.map(|_| sums), used })
}

/// The people of the list whom a table names, for a list of those who were reached.
///
/// # Errors
/// When nobody of the list is in it.
pub fn named((frame, file): (&DataFrame, &str), (list, names): (&List, &Names)) -> Result<Vec<bool>> {
    let Some(meant) = names.meant(frame, file, None)? else {
        return Err(nobody(frame, file, None, list).hint("bring a file of their ids, e-mails or phones"));
    };
    let mut is_named = vec![false; list.person.len()];
    meant.people.iter().flatten().for_each(|&person| is_named[person as usize] = true);
    Ok(is_named)
}

fn column<'f>(frame: &'f DataFrame, name: &str, flag: &str) -> Result<&'f Column> {
    frame.column(name).map_err(|_| {
        let known = known(frame);
        let error = Error::usage(format!("--{flag}: there is no column `{name}`"));
        match did_you_mean(name, known.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("there are: {}", known.join(", "))),
        }
    })
}

fn known(frame: &DataFrame) -> Vec<&str> {
    frame.get_column_names().into_iter().map(PlSmallStr::as_str).collect()
}

/// No id is quoted: errors are no place for personal data.
fn nobody(frame: &DataFrame, file: &str, told: Option<&str>, list: &List) -> Error {
    let place = told.map_or_else(|| "in any column".to_owned(), |name| format!("in column `{name}`"));
    let n_people = crate::rate::grouped(list.person.len() as u64);
    let n_rows = frame.height();
    Error::data(format!("none of the {n_rows} rows of {file} means one of the list's {n_people} people, {place}"))
}

fn all_before(file: &str, start: Time, last: Option<Time>) -> Error {
    let last = last.map(|last| format!(", the last of them of {last}")).unwrap_or_default();
    Error::data(format!("every row of {file} about the list's people is from before the campaign, which starts {}{last}", start.as_a_start()))
        .hint("say when it went out with --since, or bring outcomes from after it")
        .hint("the campaign starts when the list was made; if that was made again since, name the one that went out with --list")
}

#[cfg(test)]
mod tests {
    use polars::prelude::df;

    use super::*;
    use crate::error::Kind;
    use crate::expand::Group;

    fn list() -> List {
        let person: Vec<String> = ["a", "b", "c", "17"].map(str::to_owned).into();
        List { group: vec![Group::Target; 4], propensity: vec![0.1; 4], tier: vec![None; 4], person }
    }

    fn read(frame: &DataFrame, columns: &Columns, span: Span) -> Result<Outcomes> {
        let former = Identity { person: "b".into(), table: "crm".into(), id: "lead-9".into(), why: String::new() };
        outcomes((frame, "won.csv"), columns, (&list(), &Names::of(&list(), &[former])), span)
    }

    #[test]
    fn rows_of_a_person_add_up_and_the_column_of_ids_is_found() {
        let frame =
            df!("amount" => [1.0, 2.0, 3.0, 4.0], "who" => ["a ", "lead-9", "a", "z"], "n" => [1, 1, 1, 1]).unwrap();
        let columns = Columns { value: Some("amount".into()), ..Columns::default() };
        let found = read(&frame, &columns, Span::default()).unwrap();
        assert_eq!(found.converted, [true, true, false, false]);
        assert_eq!(found.value.unwrap(), [4.0, 2.0, 0.0, 0.0]);
        assert_eq!((found.used.n_counted, found.used.n_elsewhere, found.used.person_column.as_str()), (3, 1, "who"));
        // Excel makes 17.0 of 17.
        let numbers = df!("id" => [17.0, 18.0], "converted" => ["no", "yes"]).unwrap();
        let found = read(&numbers, &Columns::default(), Span::default()).unwrap();
        assert!(found.converted == [false; 4] && found.used.n_not_converted == 1 && found.value.is_none());
    }

    #[test]
    fn the_order_of_rows_changes_nothing() {
        let people = ["a", "17", "b", "x", "lead-9", "a"];
        let values = [1.5, 2.25, 4.0, 8.0, 16.0, 32.0];
        let read = |order: [usize; 6]| {
            let (people, values) = (order.map(|at| people[at]), order.map(|at| values[at]));
            read(&df!("who" => people, "value" => values).unwrap(), &Columns::default(), Span::default()).unwrap()
        };
        assert_eq!(read([0, 1, 2, 3, 4, 5]), read([5, 3, 4, 0, 2, 1]));
    }

    #[test]
    fn only_the_span_of_the_campaign_counts() {
        let frame = df!("person" => ["a", "b", "c"], "time" => ["2024-01-31", "2024-02-01", "2024-03-01"]).unwrap();
        let at = |text: &str| text.parse::<Time>().ok();
        let span = Span { start: at("2024-02-01"), end: at("2024-03-01") };
        let found = read(&frame, &Columns::default(), span).unwrap();
        assert_eq!(found.converted, [false, true, false, false]);
        assert_eq!((found.used.n_before, found.used.n_after, found.used.last.as_deref()), (1, 1, Some("2024-03-01")));
        let late = Span { start: at("2025-01-01"), end: None };
        assert_eq!(read(&frame, &Columns::default(), late).unwrap_err().kind(), Kind::Data);
    }

    #[test]
    fn words_of_other_languages_and_times_of_a_told_form_are_read() {
        let frame = df!("Person" => ["a", "b", "c"], "Converted" => ["Ja", "nein", "oui"], "Time" => ["1.2.2024", "2.2.2024", "3.2.2024"]);
        let frame = frame.unwrap();
        let text = read(&frame, &Columns::default(), Span::default()).unwrap_err().to_string();
        assert!(text.contains("write --time-format \"%d.%m.%Y\" if the day stands first"), "{text}");
        let told = Columns { time_format: Some("%d.%m.%Y".into()), ..Columns::default() };
        let found = read(&frame, &told, Span::default()).unwrap();
        assert_eq!(found.converted, [true, false, true, false]);
        let used =
            (found.used.last.as_deref(), found.used.converted_column.as_deref(), found.used.time_column.as_deref());
        assert_eq!(used, (Some("2024-02-03"), Some("Converted"), Some("Time")));
    }

    #[test]
    fn a_decimal_comma_is_read_where_it_can_be_nothing_else() {
        let values = |texts: [&str; 2]| {
            let frame = df!("person" => ["a", "b"], "value" => texts).unwrap();
            read(&frame, &Columns::default(), Span::default()).map(|found| found.value.unwrap()[..2].to_vec()).ok()
        };
        assert_eq!(values(["12,50", "1.234,5"]), Some(vec![12.5, 1234.5]));
        assert_eq!(values(["12,50", ""]), Some(vec![12.5, 0.0]));
        for in_doubt in [["1,200", "3"], ["12,50", "12.50"], ["12,50", "EUR 5"], ["1,2,3", "1,5"]] {
            assert_eq!(values(in_doubt), None, "{in_doubt:?}");
        }
    }

    #[test]
    fn a_first_line_that_names_someone_is_no_header() {
        let text =
            read(&df!("b" => ["a", "c"]).unwrap(), &Columns::default(), Span::default()).unwrap_err().to_string();
        assert!(text.contains("won.csv has no header line") && !text.contains("`b`"), "{text}");
    }

    #[test]
    fn what_cannot_be_read_is_said_without_quoting_anyone() {
        let frame = df!("person" => ["a", "b"], "value" => ["secret", "2"], "converted" => ["secret", "yes"]).unwrap();
        for (columns, wanted) in [
            (Columns::default(), "row 1: `converted` is neither yes nor no"),
            (Columns { converted: Some("convertd".into()), ..Columns::default() }, "did you mean `converted`?"),
        ] {
            let text = read(&frame, &columns, Span::default()).unwrap_err().to_string();
            assert!(text.contains(wanted) && !text.contains("secret"), "{text}");
        }
        let others = df!("person" => ["x", "y"]).unwrap();
        let text = read(&others, &Columns::default(), Span::default()).unwrap_err().to_string();
        assert!(text.contains("none of the 2 rows") && text.contains("--list"), "{text}");
    }
}
