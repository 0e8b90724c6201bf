//! Specs that are right say what they say; the JSON Schema takes them and refuses what is wrong.

use serde_json::Value;

use super::super::faults::Faults;
use super::super::fit::fit;
use super::super::places;
use super::super::{Cutoffs, Delimiter, Destination, Estimator, Order, Rows, Rule, Shape, Size, TimeReading, schema};
use super::{BANK, SHOP, read, spec};
use crate::time::{DAY, Duration, Time};

#[test]
fn the_shop_of_the_design_reads_as_it_says() {
    let spec = spec(SHOP);
    assert_eq!((spec.shape(), spec.seed, spec.end), (Shape::Events, 7, "2018-09-01".parse().ok()));
    assert_eq!(spec.root.to_str(), Some("shop"));
    assert_eq!(spec.tables["deals"].path, "s3://deals/deals.csv");
    assert_eq!(spec.tables["log"].delimiter, Some(Delimiter::Whitespace));
    assert_eq!(spec.tables["payments"].delimiter, Some(Delimiter::Byte(b';')));
    let kinds: Vec<_> = spec.events.iter().map(|source| source.name.as_str()).collect();
    assert_eq!(kinds, ["purchase", "contact", "log"], "in the order of the file");
    assert!(matches!(&spec.events[0].rows, Rows::Sql(sql) if sql.starts_with("SELECT")));
    assert_eq!((spec.events[0].person.as_str(), spec.events[0].time.column.as_str()), ("person", "time"));
    let origin: Time = "2013-07-29".parse().unwrap();
    assert_eq!(spec.events[2].time.reading, TimeReading::Number { unit_micros: DAY / 24, origin });
    assert_eq!(spec.stages[3].from, [1, 2]);
    assert_eq!(spec.stages[3].rule, Rule::Silence(Duration::days(180)));
    let prediction = &spec.predictions[0];
    assert_eq!((prediction.from.as_slice(), prediction.to.as_slice()), ([1].as_slice(), [2].as_slice()));
    assert_eq!(prediction.cutoffs, Cutoffs { every: Duration::days(30), count: 12 });
    assert_eq!(prediction.windows, [7, 30, 90, 365].map(Duration::days));
    let audience = &spec.audiences[0];
    assert_eq!((audience.size, audience.holdout), (Size::Share(0.1), 0.1));
    assert_eq!(audience.export[2], Destination::GoogleCustomerMatch);
}

#[test]
fn the_bank_of_the_design_reads_as_a_snapshot() {
    let spec = spec(BANK);
    assert_eq!(spec.shape(), Shape::Snapshot);
    assert_eq!(spec.tables["calls"].path, "data/bank.csv");
    assert_eq!((&spec.people[0].person, &spec.people[0].order), (&None, &Some(Order::Row)));
    assert_eq!(spec.stages[1].rule, Rule::When("y = 'yes'".to_owned()));
    assert_eq!((spec.predictions[0].horizon, spec.predictions[0].model.estimator), (None, Estimator::Auto));
}

#[test]
fn what_is_left_out_has_the_defaults_that_the_design_gives() {
    let text = SHOP
        .replace("cutoffs = { every = \"30d\", count = 12 }", "")
        .replace("horizon = \"90d\"", "horizon = \"2w\"")
        .replace("prediction = \"second-purchase\"", "")
        .replace("size = \"10%\"", "size = 500")
        .replace("holdout = \"10%\"", "");
    let spec = spec(&text);
    assert_eq!(spec.predictions[0].cutoffs, Cutoffs { every: Duration::days(14), count: 12 }, "the shorter of both");
    assert_eq!(spec.audiences[0].prediction.as_deref(), Some("second-purchase"), "the only one is meant");
    assert_eq!((spec.audiences[0].size, spec.audiences[0].holdout), (Size::Count(500), 0.0));
}

#[test]
fn an_origin_without_an_offset_stands_in_its_zone() {
    let text = SHOP.replace("zone = \"UTC\"", "zone = \"Europe/Berlin\"");
    let TimeReading::Number { origin, .. } = spec(&text).events[2].time.reading else { panic!("a number of hours") };
    assert_eq!(origin, "2013-07-28T22:00:00Z".parse().unwrap(), "summer time is two hours ahead of UTC");
}

#[test]
fn every_key_can_be_pointed_at() {
    let spec = spec(SHOP);
    let shown = |path| spec.excerpt(path).map(|excerpt| (excerpt.line, excerpt.column, excerpt.text));
    assert_eq!(shown("events.contact.person"), Some((25, 1, "person = \"mql_id\"".to_owned())));
    assert_eq!(shown("events.contact.known_at"), Some((23, 9, "[events.contact]".to_owned())), "said by nobody");
    assert_eq!(shown("lifecycle.stages[2].enter").map(|(line, ..)| line), Some(51));
    assert_eq!(shown("audiences[0].export[1]").map(|(line, column, _)| (line, column)), Some((74, 18)));
    assert_eq!(shown("nothing"), None);
}

#[test]
fn files_from_windows_read_the_same() {
    let windows = spec(&format!("\u{feff}{}", SHOP.replace('\n', "\r\n")));
    let excerpt = windows.excerpt("events.contact.person").unwrap();
    assert_eq!((excerpt.line, excerpt.column, excerpt.text.as_str()), (25, 1, "person = \"mql_id\""));
    assert_eq!(windows.stages, spec(SHOP).stages);
}

#[test]
fn template_stages_are_replaced_and_followed_by_the_files_own() {
    let (before, _) = SHOP.split_once("[lifecycle]").unwrap();
    let spec = spec(&format!(
        "{before}
[lifecycle.template]
name = \"prospect-lead-customer-retained\"
events = {{ lead = \"contact\" }}
[[lifecycle.stages]]
name = \"lapsed\"
from = [\"customer\", \"retained\"]
silence = \"1y\"
[[lifecycle.stages]]
name = \"retained\"
enter = \"event = 'purchase' AND nth >= 3\"
"
    ));
    let rules: Vec<_> = spec.stages.iter().map(|stage| (stage.name.as_str(), &stage.rule)).collect();
    assert_eq!(
        rules,
        [
            ("prospect", &Rule::Start),
            ("lead", &Rule::Enter("event = 'contact'".into())),
            ("customer", &Rule::Enter("event = 'purchase'".into())),
            ("retained", &Rule::Enter("event = 'purchase' AND nth >= 3".into())),
            ("lapsed", &Rule::Silence("1y".parse().unwrap())),
        ]
    );
    let said = |path: &str| spec.excerpt(path).expect("a place in the file").text;
    assert_eq!(said("lifecycle.stages[3].enter"), "enter = \"event = 'purchase' AND nth >= 3\"");
    assert_eq!(said("lifecycle.stages[1].enter"), "[lifecycle.template]");
}

#[test]
fn every_template_makes_five_lifecycles_of_four_or_five_stages() {
    let templates = [
        ("reach-acquire-develop-retain-advocate", 5),
        ("awareness-consideration-purchase-retention-advocacy", 5),
        ("reach-acquire-convert-retain-loyal", 5),
        ("prospect-lead-customer-retained", 4),
        ("visitor-trial-active-lapsed", 4),
    ];
    for (template, n_stages) in templates {
        let mut text = "[project]\nname = \"x\"\n[tables]\nt = \"t.csv\"\n".to_owned();
        for kind in ["visit", "lead", "signup", "trial", "purchase", "referral"] {
            text.extend(["[events.", kind, "]\ntable = \"t\"\nperson = \"p\"\ntime = \"t\"\n"]);
        }
        let spec = spec(&format!("{text}[lifecycle]\ntemplate = \"{template}\"\n"));
        let names: Vec<_> = spec.stages.iter().map(|stage| stage.name.as_str()).collect();
        assert_eq!(names.join("-"), template);
        assert_eq!((names.len(), &spec.stages[0].rule), (n_stages, &Rule::Start));
    }
}

/// Whether a spec fits the JSON Schema; `tests/check_schema.py` says the same with a validator that is not ours.
fn fits(text: &str) -> bool {
    let (mut document, places) = places::parse(text, "clo.toml".as_ref()).expect("TOML");
    let mut faults = Faults::new(&places);
    fit(&mut document, &schema(), &mut faults);
    faults.none().is_ok()
}

#[test]
fn the_json_schema_takes_what_is_right_and_refuses_what_is_wrong() {
    assert!(fits(SHOP) && fits(BANK));
    let wrong = [
        ("seed = 7", "seed = \"seven\""),
        ("seed = 7", "sede = 7"),
        ("\"data/leads.csv\"", "3"),
        ("table = \"leads\"", "tabel = \"leads\""),
        ("unit = \"hours\"", "unit = \"fortnights\""),
        ("from = [\"customer\"]\nto", "from = \"customer\"\nto"),
        ("from = [\"customer\"]\nto", "to"),
        ("\"auto\"", "\"boostng\""),
        ("count = 12", "count = 0"),
        ("\"xlsx\"", "\"fax\""),
        ("[\"mql_id\", \"seller_id\"]", "[\"mql_id\"]"),
    ];
    for (right, wrong) in wrong {
        assert!(SHOP.contains(right) && !fits(&SHOP.replacen(right, wrong, 1)), "{wrong} was taken");
    }
}

#[test]
fn the_json_schema_describes_every_key() {
    fn described(schema: &Value, path: &str) {
        for (key, of_key) in schema["properties"].as_object().into_iter().flatten() {
            assert!(of_key["description"].is_string(), "{path}.{key} has no description");
        }
    }
    let schema = schema();
    described(&schema, "clo.toml");
    for (name, definition) in schema["$defs"].as_object().expect("definitions") {
        described(definition, name);
    }
}

/// Whatever is wrong is said with a line; nothing panics, and nothing passes the schema that serde cannot read.
#[test]
fn any_line_can_be_missing_or_hold_anything() {
    for (sample, position) in
        [SHOP, BANK].into_iter().flat_map(|text| (0..text.lines().count()).map(move |n| (text, n)))
    {
        for value in
            [None, Some("3"), Some("-1.5"), Some("\"x\""), Some("true"), Some("[]"), Some("{}"), Some("[{}, 1]")]
        {
            let lines = sample.lines().enumerate().map(|(n, line)| match (line.split_once(" = "), value) {
                _ if n != position => line.to_owned(),
                (_, None) => String::new(),
                (Some((key, _)), Some(value)) => format!("{key} = {value}"),
                (None, Some(value)) => format!("{line} # {value}"),
            });
            let text: String = lines.map(|line| line + "\n").collect();
            if let Err(error) = read(&text) {
                assert!(!error.to_string().contains("cannot be read"), "{error}\n{text}");
            }
        }
    }
}
