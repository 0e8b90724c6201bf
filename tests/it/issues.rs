//! Data issues: each fault that is planted in a clean shop is found, and none is found before.

use std::collections::BTreeSet;
use std::path::Path;

use clo::discover::{calendar, findings, gate};
use clo::source;
use clo::spec::{self, Spec};

/// Columns of the people table, in its order.
const PERSON: usize = 0;
const NAME: usize = 1;
const EMAIL: usize = 2;
const PHONE: usize = 3;
const COUNTRY: usize = 4;
const POSTCODE: usize = 5;
const TIER: usize = 6;
const POINTS: usize = 7;
const JOINED: usize = 8;
const STOCK: usize = 9;
const NOTE: usize = 10;
/// Columns of the event table.
const TIME: usize = 2;
const AMOUNT: usize = 4;

#[derive(Clone)]
struct Shop {
    people: Vec<Vec<String>>,
    events: Vec<Vec<String>>,
}

const FIRST: [&str; 8] = ["Anna", "Bela", "Carla", "Dora", "Emil", "Fritz", "Gerda", "Hanna"];
const LAST: [&str; 7] = ["Adler", "Berg", "Conrad", "Dorn", "Ebner", "Falk", "Graf"];

/// 400 people and about 20 events a day of the year 2024, without a fault.
fn shop() -> Shop {
    let person = |i: usize| {
        let (first, last) = (FIRST[i * 7 % 8], LAST[i * 5 % 7]);
        let is_german = i.is_multiple_of(2);
        let domain = ["gmail.com", "gmx.de", "web.de", "berg-und-tal.at"][i % 4];
        vec![
            format!("p{i:04}"),
            format!("{first} {last}{}", ["", "-Huber", "-Maier"][i % 3]),
            format!("{}.{}{i}@{domain}", first.to_lowercase(), last.to_lowercase()),
            format!("+49 1512 34{:05}", i * 241 % 100_000),
            if is_german { "Germany".into() } else { "Austria".into() },
            if is_german { format!("{}", 10_115 + i * 37) } else { format!("{}", 1_010 + i * 11) },
            ["bronze", "silver", "gold"][i % 3].into(),
            format!("{}", 20 + i * 7919 % 80),
            format!("2023-{:02}-{:02}", i % 12 + 1, i % 28 + 1),
            ["1-5", "5-20", "20-50", "200+"][i % 4].into(),
            ["red", "green", "blue", "white"][i * 3 % 4].into(),
        ]
    };
    let mut events = Vec::new();
    for day in 0..366 {
        for nth in 0..16 + day * 7919 % 9 {
            let i = events.len();
            let date = jiff::civil::date(2024, 1, 1) + jiff::Span::new().days(i64::from(day));
            events.push(vec![
                format!("e{i:06}"),
                format!("p{:04}", i * 131 % 400),
                format!("{date} {:02}:{:02}:{:02}", 8 + nth % 12, i % 60, i * 7 % 60),
                ["purchase", "visit"][i % 2].into(),
                format!("{}.{:02}", 5 + i * 7919 % 60, i * 31 % 100),
            ]);
        }
    }
    Shop { people: (0..400).map(person).collect(), events }
}

fn csv(header: &str, rows: &[Vec<String>]) -> String {
    let lines = rows.iter().map(|row| row.join(","));
    std::iter::once(header.to_owned()).chain(lines).map(|line| line + "\n").collect()
}

fn spec(folder: &Path, more: &str) -> Spec {
    let text = format!(
        r#"{more}
[project]
name = "shop"
[tables]
people = "people.csv"
log = "log.csv"
[people.all]
table = "people"
person = "person"
[events.log]
table = "log"
person = "person"
time = "time"
event = "event"
[[lifecycle.stages]]
name = "customer"
enter = "event = 'purchase'"
[[lifecycle.stages]]
name = "visitor"
enter = "event = 'visit'"
"#
    );
    spec::parse(&text, &folder.join("clo.toml"), &|_| None).unwrap_or_else(|error| panic!("{error}"))
}

fn found(shop: &Shop, more: &str) -> Vec<clo::discover::Finding> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let people = csv("person,full_name,email,phone,country,postcode,tier,points,joined,stock,note", &shop.people);
    std::fs::write(folder.path().join("people.csv"), people).expect("the folder can be written");
    std::fs::write(folder.path().join("log.csv"), csv("event_id,person,time,event,amount", &shop.events))
        .expect("the same");
    let spec = spec(folder.path(), more);
    let data = source::read(&spec).unwrap_or_else(|error| panic!("{error}"));
    findings(&data, &spec, &calendar(&data.events)).expect("columns are as profiled").findings
}

fn codes(shop: &Shop) -> BTreeSet<String> {
    found(shop, "").into_iter().map(|finding| finding.code).collect()
}

#[test]
fn a_clean_shop_has_no_issue() {
    assert_eq!(found(&shop(), ""), []);
}

#[test]
fn each_planted_fault_in_contact_data_is_found() {
    all_are_found(&contact_faults());
}

#[test]
fn each_planted_fault_in_values_is_found() {
    all_are_found(&value_faults());
}

#[test]
fn each_planted_fault_of_other_programs_is_found() {
    all_are_found(&program_faults());
}

#[test]
fn each_planted_fault_in_events_is_found() {
    all_are_found(&event_faults());
}

/// A code, and a fault that should be called so.
type Plant = (&'static str, Box<dyn Fn(&mut Shop)>);

fn plant(code: &'static str, fault: impl Fn(&mut Shop) + 'static) -> Plant {
    (code, Box::new(fault))
}

/// Writes a value into one person in so many.
fn put(code: &'static str, every: usize, column: usize, value: &'static str) -> Plant {
    plant(code, move |shop| set(shop, every, column, value))
}

fn set(shop: &mut Shop, every: usize, column: usize, value: &str) {
    shop.people.iter_mut().step_by(every).for_each(|row| row[column] = value.into());
}

fn all_are_found(plants: &[Plant]) {
    let mut missed = Vec::new();
    for (number, (code, plant)) in plants.iter().enumerate() {
        let mut planted = shop();
        plant(&mut planted);
        let codes = codes(&planted);
        if !codes.contains(*code) {
            missed.push(format!("{number}: {code} is not among {codes:?}"));
        }
    }
    assert!(missed.is_empty(), "\n{}", missed.join("\n"));
}

fn contact_faults() -> Vec<Plant> {
    vec![
        put("email-invalid", 50, EMAIL, "anna.adler@gmx"),
        put("email-typo", 50, EMAIL, "anna.adler@gmial.com"),
        put("email-role", 50, EMAIL, "info@berg.at"),
        put("email-disposable", 50, EMAIL, "x91@mailinator.com"),
        put("test-accounts", 50, EMAIL, "test@berg.at"),
        put("test-accounts", 50, NAME, "Test User"),
        put("phone-invalid", 50, PHONE, "+49 12"),
        plant("phone-without-country", |shop| {
            set(shop, 1, COUNTRY, "");
            set(shop, 20, PHONE, "01512 3456789");
        }),
        put("postcode-invalid", 50, POSTCODE, "A-10-B"),
        // Every second person is German: a postcode of four digits has lost its zero.
        put("leading-zeros-lost", 40, POSTCODE, "1067"),
    ]
}

fn value_faults() -> Vec<Plant> {
    vec![
        put("levels-alike", 9, TIER, "Gold"),
        put("no-value-words", 9, TIER, "unknown"),
        put("column-constant", 1, NOTE, "red"),
        put("column-empty", 1, NOTE, ""),
        plant("column-mostly-missing", |shop| shop.people.iter_mut().skip(20).for_each(|row| row[NOTE].clear())),
        put("placeholder-value", 8, POINTS, "999"),
        put("placeholder-value", 8, POINTS, "-1"),
        put("placeholder-value", 20, JOINED, "1900-01-01"),
        put("times-far-off", 400, JOINED, "2203-01-01"),
        plant("negative-values", |shop| {
            shop.events.iter_mut().step_by(40).for_each(|row| row[AMOUNT].insert(0, '-'));
        }),
        plant("zero-amounts", |shop| shop.events.iter_mut().step_by(40).for_each(|row| row[AMOUNT] = "0".into())),
        put("numbers-as-text", 50, POINTS, "a lot"),
        plant("decimal-comma", |shop| {
            shop.events.iter_mut().for_each(|row| row[AMOUNT] = format!("\"{}\"", row[AMOUNT].replace('.', ",")));
        }),
        plant("currency-in-numbers", |shop| shop.events.iter_mut().for_each(|row| row[AMOUNT].insert(0, '€'))),
    ]
}

fn program_faults() -> Vec<Plant> {
    vec![
        put("mixed-encodings", 80, NAME, "JosÃ© Berg"),
        put("characters-lost", 80, NAME, "Jos\u{fffd} Berg"),
        plant("excel-round-trip", |shop| {
            let ranges = shop.people.iter_mut().filter(|row| row[STOCK] == "5-20");
            ranges.for_each(|row| row[STOCK] = "May-20".into());
        }),
        plant("excel-round-trip", |shop| {
            set(shop, 1, NOTE, "1.23457E+15");
            shop.people[0][NOTE] = "x17".into();
        }),
        plant("local-dates", |shop| shop.people.iter_mut().for_each(|row| row[JOINED] = day_first(&row[JOINED]))),
        plant("spreadsheet-times", |shop| {
            shop.people.iter_mut().for_each(|row| row[JOINED] = format!("{} 10:30", day_first(&row[JOINED])));
        }),
        plant("mixed-date-forms", |shop| {
            shop.people.iter_mut().step_by(3).for_each(|row| row[JOINED] = day_first(&row[JOINED]));
        }),
        plant("mixed-date-orders", |shop| {
            let rows = shop.people.iter_mut().enumerate();
            rows.for_each(|(i, row)| row[JOINED] = ["25.03.2023", "03.25.2023"][i % 2].into());
        }),
        plant("rows-shifted", |shop| {
            // A comma in a name without quotes: what stands behind moves to the side, and the last field is lost.
            for row in shop.people.iter_mut().skip(5).step_by(100) {
                row.insert(NAME, "Dr.".into());
                row.pop();
            }
        }),
    ]
}

fn event_faults() -> Vec<Plant> {
    vec![
        plant("rows-repeated", |shop| {
            let again = shop.events[100..130].to_vec();
            shop.events.extend(again);
        }),
        plant("ids-repeated", |shop| shop.events[500][0] = "e000017".into()),
        plant("rows-rejected", |shop| shop.events[500][1].clear()),
        plant("orphan-events", |shop| shop.people.truncate(390)),
        put("events-before-birth", 60, JOINED, "2024-09-01"),
        plant("future-times", |shop| shop.events[17][TIME] = "2099-12-31 00:00:00".into()),
        plant("ancient-times", |shop| shop.events[17][TIME] = "1970-01-01 00:00:00".into()),
        plant("tracking-gap", |shop| {
            shop.events.retain(|row| !("2024-06-05".."2024-06-10").contains(&&row[TIME][..10]));
        }),
        plant("tracking-stopped", |shop| {
            shop.events.retain(|row| row[3] != "visit" || row[TIME].as_str() < "2024-10-01");
        }),
        plant("unit-change", |shop| {
            for row in shop.events.iter_mut().filter(|row| row[TIME].as_str() >= "2024-08-01") {
                row[AMOUNT] = row[AMOUNT].replace('.', "");
            }
        }),
    ]
}

/// `2023-03-25` as `25.03.2023`.
fn day_first(iso: &str) -> String {
    iso.split('-').rev().collect::<Vec<_>>().join(".")
}

#[test]
fn no_example_holds_personal_data() {
    let mut planted = shop();
    planted.people[9][EMAIL] = "bela.berg@gmial.com".into();
    planted.people[9][PHONE] = "+49 12".into();
    planted.people[9][NAME] = "Bela JosÃ©".into();
    let said = format!("{:?}", found(&planted, ""));
    for personal in ["bela", "Bela", "berg@", "+49 12", "p0009"] {
        assert!(!said.contains(personal), "{personal} in {said}");
    }
    assert!(said.contains("aaaa.aaaa@aaaaa.aaa"), "{said}");
}

#[test]
fn the_country_that_the_spec_tells_is_where_numbers_are_dialled() {
    let mut planted = shop();
    planted.people.iter_mut().for_each(|row| {
        row[COUNTRY].clear();
        row[PHONE] = row[PHONE].replace("+49 ", "0");
    });
    let codes = |more: &str| found(&planted, more).into_iter().map(|finding| finding.code).collect::<Vec<_>>();
    assert!(codes("").contains(&"phone-without-country".to_owned()));
    let told = codes("[discover]\ncountry = \"DE\"\n");
    assert!(
        !told.contains(&"phone-without-country".to_owned()) && !told.contains(&"phone-invalid".to_owned()),
        "{told:?}"
    );
}

#[test]
fn fail_on_makes_issues_a_gate() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut planted = shop();
    planted.events[17][TIME] = "2099-12-31 00:00:00".into();
    planted.people[0][PERSON] = "p0000".into();
    let found = clo::discover::Findings { format_version: 1, findings: found(&planted, "") };
    for (more, code) in
        [("", None), ("[discover]\nfail_on = \"error\"\n", Some(5)), ("[discover]\nfail_on = \"warning\"\n", Some(5))]
    {
        let spec = spec(folder.path(), more);
        let error = gate(&found, &spec).err();
        assert_eq!(error.as_ref().map(clo::error::Error::exit_code), code, "{more}");
        if let Some(error) = error {
            assert!(error.to_string().contains("future-times") && error.to_string().contains("fail_on"), "{error}");
        }
    }
    let clean = clo::discover::Findings { format_version: 1, findings: Vec::new() };
    assert!(gate(&clean, &spec(folder.path(), "[discover]\nfail_on = \"warning\"\n")).is_ok());
}
