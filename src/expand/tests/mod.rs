//! The whole phase, on people small enough to check by hand or made by proptest.

mod files;
mod left_out;
mod properties;
mod suppressed;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use polars::prelude::{Column, DataFrame, NamedFrom as _, Series};

use super::*;
use crate::error::Kind;
use crate::spec::{Candidates, Contacting, Prediction, Rule, Stage};
use crate::time::Duration;

/// A person as the tests write them.
#[derive(Debug, Clone, Default)]
struct Someone {
    id: String,
    email: Option<String>,
    phone: Option<String>,
    country: Option<String>,
    name: Option<String>,
    device: Option<String>,
    has_agreed: Option<bool>,
    propensity: f64,
}

fn someone(id: &str, email: &str, phone: &str, propensity: f64) -> Someone {
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    Someone {
        id: id.into(),
        email: some(email),
        phone: some(phone),
        country: some("US"),
        name: some("Jane"),
        device: None,
        has_agreed: Some(true),
        propensity,
    }
}

fn people(everyone: &[Someone]) -> People {
    let mut sorted: Vec<&Someone> = everyone.iter().collect();
    sorted.sort_by(|a, b| a.id.cmp(&b.id));
    let texts = |name: &str, of: fn(&Someone) -> Option<&str>| -> Column {
        Series::new(name.into(), sorted.iter().map(|one| of(one)).collect::<Vec<_>>()).into()
    };
    let columns = vec![
        texts("email", |one| one.email.as_deref()),
        texts("phone", |one| one.phone.as_deref()),
        texts("country", |one| one.country.as_deref()),
        texts("first_name", |one| one.name.as_deref()),
        texts("idfa", |one| one.device.as_deref()),
        Series::new("opt_in".into(), sorted.iter().map(|one| one.has_agreed).collect::<Vec<_>>()).into(),
    ];
    People {
        ids: sorted.iter().map(|one| one.id.clone()).collect(),
        attributes: DataFrame::new(sorted.len(), columns).unwrap(),
        offsets: (0..=u32::try_from(sorted.len()).unwrap()).collect(),
        valid_from: None,
        contact: ["email", "phone", "first_name", "country", "idfa"].map(str::to_owned).into(),
        sources: Vec::new(),
        order: None,
    }
}

fn scores(everyone: &[Someone]) -> Scores {
    Scores {
        person: everyone.iter().map(|one| one.id.as_str()).collect(),
        stage: everyone.iter().map(|_| "customer").collect(),
        propensity: everyone.iter().map(|one| one.propensity).collect(),
        percentile: vec![50.0; everyone.len()],
        reasons: everyone.iter().map(|_| [Some("bought 3 times"), None, None]).collect(),
    }
}

fn spec(root: &Path) -> Spec {
    let stage = |name: &str| Stage::new(name, Rule::Start);
    let prediction =
        Prediction { horizon: Some(Duration::days(90)), ..Prediction::new("second-purchase", vec![0], vec![1]) };
    Spec {
        root: root.into(),
        file: root.join("clo.toml"),
        name: "test".into(),
        seed: 7,
        stages: vec![stage("customer"), stage("repeat")],
        predictions: vec![prediction],
        ..Spec::default()
    }
}

fn audience() -> Audience {
    Audience {
        candidates: Candidates { rule: Some("stage = 'customer'".into()), ..Candidates::default() },
        consent: Some("opt_in = true".into()),
        export: vec![
            Destination::Csv,
            Destination::Xlsx,
            Destination::GoogleCustomerMatch,
            Destination::MetaCustomAudience,
        ],
        ..Audience::new("second purchase", "second-purchase", Size::Share(1.0))
    }
}

/// What an audience is made within, beside the spec.
#[derive(Default)]
struct Beside {
    events: Events,
    earlier: Earlier,
}

fn context<'a>(spec: &'a Spec, beside: &'a Beside) -> Context<'a> {
    Context {
        spec,
        end: Time(0),
        identities: &[],
        model: None,
        previous: None,
        events: &beside.events,
        listed: &[],
        earlier: &beside.earlier,
    }
}

fn expanded(everyone: &[Someone], audience: &Audience, root: &Path) -> Result<Expanded> {
    let spec = spec(root);
    made(audience, &scores(everyone), &people(everyone), &context(&spec, &Beside::default()))
}

fn made(audience: &Audience, scores: &Scores, people: &People, context: &Context<'_>) -> Result<Expanded> {
    expand(audience, &Ranking::of_scores(audience, scores, people, context)?, people, context)
}

/// Who is chosen when the lists hold `list`.
fn chosen_without(everyone: &[Someone], list: &str) -> BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("list.csv"), list).unwrap();
    let audience = Audience { suppress: vec!["list.csv".into()], ..audience() };
    expanded(everyone, &audience, folder.path()).unwrap().chosen.person.iter().map(str::to_owned).collect()
}

fn six() -> Vec<Someone> {
    vec![
        someone("a", "a@x.co", "+18005550101", 0.9),
        someone("b", "b.b@gmail.com", "(800) 555-0102", 0.5),
        someone("c", "C@x.co", "", 0.5),
        Someone { has_agreed: None, ..someone("d", "d@x.co", "", 0.4) },
        someone("e", "BB+shop@googlemail.com", "", 0.3),
        someone("f", "", "+18005550106", 0.2),
    ]
}

/// Every file of an audience, by path.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
                files.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    files
}

fn written(everyone: &[Someone], audience: &Audience) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout { out: folder.path().join("out"), models: folder.path().join("models") };
    // What an earlier run left for a destination that is no longer named must go.
    let stale = layout.expand(&audience.name).join("export/tiktok/old.csv");
    std::fs::create_dir_all(stale.parent().unwrap()).unwrap();
    std::fs::write(&stale, "old").unwrap();
    write(&expanded(everyone, audience, folder.path()).unwrap(), &layout).unwrap();
    files(&layout.expand(&audience.name))
}

fn many(n: usize) -> Vec<Someone> {
    let phone = |at: usize| format!("+1800{:07}", 2_000_000 + at);
    let one = |at: usize| {
        let propensity = f64::from(u32::try_from((at * 7919) % 1000).unwrap()) / 1000.0;
        someone(&format!("p{at}"), &format!("user{at}@example.com"), &phone(at), propensity)
    };
    (0..n).map(one).collect()
}

#[test]
fn a_small_audience_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("list.csv"), "email\nc@X.co\n").unwrap();
    let audience = Audience { suppress: vec!["list.csv".into()], size: Size::Share(0.5), ..audience() };
    let done = expanded(&six(), &audience, folder.path()).unwrap();
    let summary = &done.summary;
    let counts = (summary.n_candidates, summary.n_contactable, summary.n_chosen, summary.n_target);
    // c is on the list, d never answered, e has the mailbox of b; of a, b and f half is two, as 1.5 rounds up.
    assert_eq!(counts, (6, 3, 2, 2));
    assert_eq!(done.chosen.person.iter().collect::<Vec<_>>(), ["a", "b"]);
    let dropped: Vec<(&str, u64)> = summary.dropped.iter().map(|(why, n)| (why.as_str(), *n)).collect();
    assert_eq!(dropped, [("below size", 1), ("duplicate contact", 1), ("no consent", 1), ("suppressed", 1)]);
    assert!((summary.expected_conversions.unwrap() - 1.4).abs() < 1e-12);
    // Σ p (1 − p) = 0.09 + 0.25; 1.96 × 0.583 = 1.143.
    assert!(
        (summary.expected_low.unwrap() - 0.257).abs() < 0.001 && (summary.expected_high.unwrap() - 2.0).abs() < 1e-12
    );
    assert!((summary.base_rate_expected.unwrap() - 1.6 / 3.0).abs() < 1e-12);
    assert_eq!((summary.from.as_slice(), summary.horizon.as_deref()), (&["customer".to_owned()][..], Some("90d")));
    assert_eq!((summary.suppression[0].n_entries, summary.suppression[0].n_people), (1, 1));
}

#[test]
fn nobody_is_no_error() {
    let nobody = Audience { consent: Some("TRUE".into()), ..audience() };
    let files = written(&[], &nobody);
    let summary: Summary = serde_json::from_slice(&files["summary.json"]).unwrap();
    assert_eq!((summary.n_chosen, summary.base_rate_expected, summary.curve.len()), (0, None, 0));
    assert!(summary.warnings[0].starts_with("The audience is empty"), "{:?}", summary.warnings);
}

#[test]
fn a_list_that_is_shorter_than_it_was_to_be_says_so() {
    let audience = Audience {
        size: Size::Count(1000),
        export: vec![Destination::Mailchimp, Destination::SalesforceCampaignMembers],
        campaign: Some(Campaign { id: "7015g0000000001".into(), status: "Sent".into() }),
        ..audience()
    };
    let files = written(&many(400), &audience);
    let warnings = serde_json::from_slice::<Summary>(&files["summary.json"]).unwrap().warnings.join("\n");
    assert!(warnings.contains("Only 400 people may be contacted, fewer than the 1,000 of `size`"), "{warnings}");
    assert!(warnings.contains("salesforce-campaign-members: Only 0 of 400 people are in the file ("), "{warnings}");
    assert!(!warnings.contains("mailchimp"), "{warnings}");
}

#[test]
fn scores_are_read_as_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scores.parquet");
    let wanted = scores(&six());
    let mut frame =
        polars::prelude::df!("person" => wanted.person.iter().collect::<Vec<_>>(), "stage" => vec!["customer"; 6],
        "propensity" => &wanted.propensity, "percentile" => vec![50_i32; 6], "reason_1" => vec!["bought 3 times"; 6],
        "reason_2" => vec![None::<&str>; 6], "reason_3" => vec![None::<&str>; 6])
        .unwrap();
    store::write_frame(&path, &mut frame).unwrap();
    assert_eq!(Scores::read(&path).unwrap(), wanted);
    let twice = Scores { person: ["a"; 6].into_iter().collect(), ..wanted };
    let spec = spec(folder.path());
    let error = made(&audience(), &twice, &people(&six()), &context(&spec, &Beside::default())).unwrap_err();
    assert_eq!((error.kind(), error.message()), (Kind::Data, "the person in row 2 of the scores was scored before"));
}
