//! Properties of the whole phase, on people small enough to check by hand or made by proptest.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use calamine::Reader as _;
use polars::prelude::{Column, DataFrame, NamedFrom as _, Series};
use proptest::prelude::*;

use super::*;
use crate::error::Kind;
use crate::spec::{
    Candidates, Cap, Consent, Contacting, CoolDown, Cutoffs, Method, Model, Prediction, Rule, Stage, Stratify,
};
use crate::time::{DAY, Duration};

/// A person as the tests write them.
#[derive(Debug, Clone, Default)]
struct Someone {
    id: String,
    email: Option<String>,
    phone: Option<String>,
    country: Option<String>,
    name: Option<String>,
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
        Series::new("opt_in".into(), sorted.iter().map(|one| one.has_agreed).collect::<Vec<_>>()).into(),
    ];
    People {
        ids: sorted.iter().map(|one| one.id.clone()).collect(),
        attributes: DataFrame::new(sorted.len(), columns).unwrap(),
        offsets: (0..=u32::try_from(sorted.len()).unwrap()).collect(),
        valid_from: None,
        contact: ["email", "phone", "first_name", "country"].map(str::to_owned).into(),
        sources: Vec::new(),
        order: None,
    }
}

fn scores(everyone: &[Someone]) -> Scores {
    Scores {
        person: everyone.iter().map(|one| one.id.clone()).collect(),
        stage: vec!["customer".into(); everyone.len()],
        propensity: everyone.iter().map(|one| one.propensity).collect(),
        percentile: vec![50.0; everyone.len()],
        reasons: vec![[Some("bought 3 times".into()), None, None]; everyone.len()],
    }
}

fn spec(root: &Path) -> Spec {
    let stage = |name: &str| Stage::new(name, Rule::Start);
    let prediction = Prediction {
        name: "second-purchase".into(),
        from: vec![0],
        to: vec![1],
        horizon: Some(Duration::days(90)),
        cutoffs: Cutoffs { every: Duration::days(30), count: 12 },
        windows: Vec::new(),
        exclude: Vec::new(),
        trust: Vec::new(),
        judging: crate::spec::Judging::default(),
        model: Model::default(),
    };
    Spec {
        root: root.into(),
        file: root.join("clo.toml"),
        name: "test".into(),
        seed: 7,
        tables: BTreeMap::new(),
        people: Vec::new(),
        events: Vec::new(),
        identity: crate::spec::IdentityRules::default(),
        end: None,
        as_of: None,
        stages: vec![stage("customer"), stage("repeat")],
        predictions: vec![prediction],
        discover: crate::spec::Discover::default(),
        audiences: Vec::new(),
        measures: crate::spec::Measures::default(),
        holdout: crate::spec::Holdout::default(),
        uplifts: Vec::new(),
        places: crate::spec::Places::default(),
    }
}

fn audience() -> Audience {
    Audience {
        name: "second purchase".into(),
        prediction: Some("second-purchase".into()),
        uplift: None,
        seed: None,
        candidates: Candidates { rule: Some("stage = 'customer'".into()), ..Candidates::default() },
        method: Method::Auto,
        exclude: Vec::new(),
        size: Size::Share(1.0),
        tiers: Vec::new(),
        cost: None,
        value: None,
        max_turnover: None,
        holdout: 0.0,
        stratify: None,
        expected_lift: None,
        suppress: Vec::new(),
        consent: Some("opt_in = true".into()),
        export: vec![
            Destination::Csv,
            Destination::Xlsx,
            Destination::GoogleCustomerMatch,
            Destination::MetaCustomAudience,
        ],
        contacting: Contacting::default(),
        campaign: None,
    }
}

fn expanded(everyone: &[Someone], audience: &Audience, root: &Path) -> Result<Expanded> {
    let spec = spec(root);
    let context = Context {
        spec: &spec,
        end: Time(0),
        identities: &[],
        model: None,
        previous: None,
        events: &Events::default(),
        listed: &[],
        earlier: &Earlier::new(),
    };
    made(audience, &scores(everyone), &people(everyone), &context)
}

fn made(audience: &Audience, scores: &Scores, people: &People, context: &Context<'_>) -> Result<Expanded> {
    expand(audience, &Ranking::of_scores(audience, scores, people, context)?, people, context)
}

/// Who is chosen when the lists hold `list`.
fn chosen_without(everyone: &[Someone], list: &str) -> BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("list.csv"), list).unwrap();
    let audience = Audience { suppress: vec!["list.csv".into()], ..audience() };
    expanded(everyone, &audience, folder.path()).unwrap().chosen.person.into_iter().collect()
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
    assert_eq!(done.chosen.person, ["a", "b"]);
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
fn every_form_of_a_person_is_suppressed() {
    let mut everyone = six();
    everyone[3].has_agreed = Some(true);
    everyone.push(someone("0042", "42@x.co", "", 0.1));
    everyone.push(Someone { country: None, ..someone("de", "", "+49 151 23456789", 0.1) });
    everyone.push(Someone { country: Some("Germany".into()), ..someone("de2", "", "0151 98765432", 0.1) });
    everyone.push(Someone { country: None, ..someone("de3", "", "0151 55555432", 0.1) });
    everyone.push(someone("mail@ids.co", "", "", 0.1));
    let hash = |text: &str| {
        use sha2::Digest as _;
        suppression::hex(&sha2::Sha256::digest(text.as_bytes()))
    };
    let all = chosen_without(&everyone, "");
    for (form, who) in [
        ("a", "a"),
        (" a ", "a"),
        ("\"a\"", "a"),
        ("person\na", "a"),
        ("id;why\na;asked", "a"),
        ("A@X.CO", "a"),
        ("Jane <a@x.co>", "a"),
        ("mailto:a@x.co", "a"),
        ("\u{feff}email\r\na@x.co\r\n", "a"),
        ("e-mail,reason\na@x.co,\"no, never\"", "a"),
        ("+1 (800) 555-0101", "a"),
        ("800.555.0101", "a"),
        ("1 800 555 0101", "a"),
        ("0018005550101", "a"),
        ("01118005550101", "a"),
        ("phone\n18005550101.0", "a"),
        ("b.b+any.thing@googlemail.com", "b"),
        ("8005550102", "b"),
        ("+18005550102", "b"),
        (&hash("c@x.co"), "c"),
        (&hash("+18005550101").to_uppercase(), "a"),
        (&hash("bb@gmail.com"), "b"),
        ("42", "0042"),
        ("00042", "0042"),
        ("42.0", "0042"),
        ("+4915123456789", "de"),
        ("0151/23456789", "de"),
        ("4915123456789", "de"),
        ("+4915198765432", "de2"),
        ("015198765432", "de2"),
        ("0049 (0)151 98765432", "de2"),
        ("+49 151 55555432", "de3"),
        ("015155555432", "de3"),
        ("Mail@IDs.co", "mail@ids.co"),
        ("D", "d"),
    ] {
        let left = chosen_without(&everyone, form);
        let gone: Vec<&String> = all.difference(&left).collect();
        // Whoever shares a mailbox with b goes with b: e was no one of their own before.
        assert_eq!(gone, [who], "{form}");
    }
}

#[test]
fn whom_a_rule_leaves_alone_stands_in_the_ledger_with_the_first_reason() {
    let folder = tempfile::tempdir().unwrap();
    let german = |id: &str, has_agreed| Someone {
        country: Some("DE".into()),
        has_agreed,
        ..someone(id, &format!("{id}@x.co"), "", 0.5)
    };
    let everyone: Vec<Someone> = vec![
        german("asked", Some(false)),
        german("unsure", None),
        Someone { has_agreed: Some(false), ..someone("abroad", "abroad@x.co", "", 0.5) },
        Someone { country: None, has_agreed: Some(false), ..someone("nowhere", "nowhere@x.co", "", 0.5) },
        someone("mailed", "mailed@x.co", "", 0.5),
        someone("bought", "bought@x.co", "", 0.5),
        someone("elsewhere", "elsewhere@x.co", "", 0.5),
        Someone { name: Some("Doe".into()), ..someone("first", "first@x.co", "", 0.9) },
        Someone { name: Some(" DOE ".into()), ..someone("second", "second@x.co", "", 0.8) },
    ];
    let table = people(&everyone);
    // Mails to everyone but "bought" on day 1, a second one to "mailed" on day 20; "bought" bought on day 28.
    let at = |id: &str| u32::try_from(table.find(id).unwrap()).unwrap();
    let mut rows: Vec<(u32, i64, u16)> = everyone.iter().map(|one| (at(&one.id), DAY, 0)).collect();
    rows.retain(|row| row.0 != at("bought"));
    rows.extend([(at("mailed"), 20 * DAY, 0), (at("bought"), 28 * DAY, 1)]);
    rows.sort_unstable();
    let offsets = (0..=u32::try_from(table.len()).unwrap())
        .map(|person| u32::try_from(rows.partition_point(|row| row.0 < person)).unwrap());
    let events = Events {
        person: rows.iter().map(|row| row.0).collect(),
        time: rows.iter().map(|row| row.1).collect(),
        kind: rows.iter().map(|row| row.2).collect(),
        kinds: vec!["mail".into(), "purchase".into()],
        offsets: offsets.collect(),
        ..Events::default()
    };
    let consent =
        Consent { purpose: "email".into(), region: Some("country = 'DE'".into()), needs: "opt_in = true".into() };
    let contacting = Contacting {
        consents: vec![consent],
        household: vec!["first_name".into()],
        cap: Some(Cap { event: "mail".into(), times: 2, within: Duration::days(30) }),
        cool_down: vec![CoolDown { after: "purchase".into(), span: Duration::days(14) }],
        not_in: vec!["other".into()],
    };
    let audience = Audience { consent: None, contacting, ..audience() };
    let spec = spec(folder.path());
    let listed = [Listed { audience: "other".into(), people: ["elsewhere".to_owned()].into() }];
    let context = Context {
        spec: &spec,
        end: Time(30 * DAY),
        identities: &[],
        model: None,
        previous: None,
        events: &events,
        listed: &listed,
        earlier: &Earlier::new(),
    };
    let done = made(&audience, &scores(&everyone), &table, &context).unwrap();
    let column = |name: &str| done.ledger.column(name).unwrap().str().unwrap().clone();
    let ledger: Vec<(String, String)> = column("person")
        .iter()
        .zip(column("reason").iter())
        .map(|(person, reason)| (person.unwrap().to_owned(), reason.unwrap().to_owned()))
        .collect();
    let expected = [
        ("asked", "no consent for email"),
        ("bought", "purchase within 14d"),
        ("elsewhere", "in audience other"),
        ("mailed", "mail 2 times within 30d"),
        ("nowhere", "no consent for email"),
        ("second", "same household"),
        ("unsure", "no consent for email"),
    ];
    assert_eq!(ledger, expected.map(|(person, reason)| (person.to_owned(), reason.to_owned())));
    // "Jane" is the name of "abroad" alone of those who are left.
    assert_eq!(done.chosen.person, ["first", "abroad"]);
    assert_eq!(done.summary.n_candidates, done.summary.n_chosen + done.summary.dropped.values().sum::<u64>());
}

#[test]
fn a_rule_of_contacting_about_nothing_is_an_error_of_the_spec() {
    let folder = tempfile::tempdir().unwrap();
    for (contacting, said) in [
        (Contacting { household: vec!["first_nme".into()], ..Contacting::default() }, "did you mean `first_name`?"),
        (
            Contacting {
                cool_down: vec![CoolDown { after: "purchase".into(), span: Duration::days(1) }],
                ..Contacting::default()
            },
            "no event is a `purchase`",
        ),
    ] {
        let error = expanded(&six(), &Audience { contacting, ..audience() }, folder.path()).unwrap_err();
        assert!(error.kind() == Kind::Spec && error.to_string().contains(said), "{error}");
    }
}

#[test]
fn an_id_on_a_list_takes_its_mailbox_along() {
    // e is b's duplicate; with b on the list by id, e must not carry b's mailbox out.
    let left = chosen_without(&six(), "person\nb\n");
    assert_eq!(left.into_iter().collect::<Vec<_>>(), ["a", "c", "f"]);
}

#[test]
fn an_id_from_before_identity_resolution_counts() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("list.csv"), "mql-17\n").unwrap();
    let audience = Audience { suppress: vec!["list.csv".into()], ..audience() };
    let (spec, everyone) = (spec(folder.path()), six());
    let former = Identity { person: "f".into(), table: "deals".into(), id: "mql-17".into(), why: "link".into() };
    let context = Context {
        spec: &spec,
        end: Time(0),
        identities: &[former],
        model: None,
        previous: None,
        events: &Events::default(),
        listed: &[],
        earlier: &Earlier::new(),
    };
    let done = made(&audience, &scores(&everyone), &people(&everyone), &context).unwrap();
    assert_eq!(done.chosen.person, ["a", "b", "c"]);
}

#[test]
fn a_list_that_is_missing_or_not_understood_refuses() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("book.csv"), b"PK\x03\x04 secret@x.co").unwrap();
    std::fs::write(folder.path().join("odd.csv"), "when,secret@x.co\n2024-01-01,secret2@x.co\n").unwrap();
    let suppress = ["gone.csv", "book.csv", "odd.csv"].map(str::to_owned).into();
    let error = expanded(&six(), &Audience { suppress, ..audience() }, folder.path()).unwrap_err();
    let text = error.to_string();
    assert_eq!((error.kind(), error.exit_code(), error.also().len()), (Kind::Refused, 6, 2));
    assert!(text.contains("gone.csv") && text.contains("book.csv") && text.contains("odd.csv"), "{text}");
    assert!(!text.contains("secret") && text.matches("help:").count() == 3, "{text}");
}

#[test]
fn an_empty_list_is_allowed_with_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("list.csv"), "email\n").unwrap();
    let audience = Audience { suppress: vec!["list.csv".into()], ..audience() };
    let done = expanded(&six(), &audience, folder.path()).unwrap();
    assert!(done.summary.warnings[0].contains("list.csv is empty"), "{:?}", done.summary.warnings);
}

#[test]
fn a_rule_about_nothing_is_an_error_of_the_spec() {
    let folder = tempfile::tempdir().unwrap();
    let audience = Audience { consent: Some("optin = true".into()), ..audience() };
    let error = expanded(&six(), &audience, folder.path()).unwrap_err();
    assert_eq!(error.kind(), Kind::Spec);
    assert!(error.to_string().contains("did you mean `opt_in`?"), "{error}");
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

#[test]
fn nobody_is_no_error() {
    let nobody = Audience { consent: Some("TRUE".into()), ..audience() };
    let files = written(&[], &nobody);
    let summary: Summary = serde_json::from_slice(&files["summary.json"]).unwrap();
    assert_eq!((summary.n_chosen, summary.base_rate_expected, summary.curve.len()), (0, None, 0));
    assert!(summary.warnings[0].starts_with("The audience is empty"), "{:?}", summary.warnings);
}

#[test]
fn scores_are_read_as_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scores.parquet");
    let wanted = scores(&six());
    let mut frame = polars::prelude::df!("person" => &wanted.person, "stage" => &wanted.stage,
        "propensity" => &wanted.propensity, "percentile" => vec![50_i32; 6], "reason_1" => vec!["bought 3 times"; 6],
        "reason_2" => vec![None::<&str>; 6], "reason_3" => vec![None::<&str>; 6])
    .unwrap();
    store::write_frame(&path, &mut frame).unwrap();
    assert_eq!(Scores::read(&path).unwrap(), wanted);
    let twice = Scores { person: vec!["a".into(); 6], ..wanted };
    assert_eq!(twice.check().unwrap_err().kind(), Kind::Data);
}

#[test]
fn what_is_written_holds_the_target_group_only() {
    let everyone = many(400);
    let audience = Audience { holdout: 0.3, ..audience() };
    let files = written(&everyone, &audience);
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "audience.parquet",
            "curve.parquet",
            "dropped.parquet",
            "export/csv/manifest.json",
            "export/csv/second-purchase.csv",
            "export/google-customer-match/manifest.json",
            "export/google-customer-match/second-purchase.csv",
            "export/meta-custom-audience/manifest.json",
            "export/meta-custom-audience/second-purchase.csv",
            "export/xlsx/manifest.json",
            "export/xlsx/second-purchase.xlsx",
            "summary.json",
        ]
    );
    let summary: Summary = serde_json::from_slice(&files["summary.json"]).unwrap();
    assert_eq!(summary.n_target + summary.n_holdout, 400);
    assert!(summary.n_holdout > 70 && summary.exports.iter().all(|export| export.kept == summary.n_target));
    let mut csv = csv::Reader::from_reader(files["export/csv/second-purchase.csv"].as_slice());
    let header: Vec<&str> = vec!["person", "rank", "propensity", "reason_1", "reason_2", "reason_3"];
    assert!(csv.headers().unwrap().iter().take(6).eq(header));
    let listed: BTreeSet<String> = csv.records().map(|row| row.unwrap()[0].to_owned()).collect();
    assert_eq!(listed.len() as u64, summary.n_target);
    let of_audience = Audience { holdout: 0.3, ..self::audience() };
    let holdout = Holdout::new(&spec(Path::new("")), &of_audience);
    assert!(listed.iter().all(|person| !holdout.holds(person)));
    for (name, bytes) in &files {
        let text = String::from_utf8_lossy(bytes);
        let ending = Path::new(name).extension().and_then(|ending| ending.to_str());
        assert!(!text.contains("e3b0c44298fc1c149afbf4c8996fb924"), "{name}");
        assert!(ending != Some("json") || !text.contains('@'), "{name} holds personal data");
    }
    for (name, header) in [
        ("google-customer-match", "Email,Phone,First Name,Last Name,Country,Zip"),
        ("meta-custom-audience", "email,phone,fn,ln,ct,st,zip,country"),
    ] {
        let text = String::from_utf8(files[&format!("export/{name}/second-purchase.csv")].clone()).unwrap();
        assert!(text.starts_with(&format!("{header}\r\n")), "{name}");
        let manifest: export::Manifest =
            serde_json::from_slice(&files[&format!("export/{name}/manifest.json")]).unwrap();
        assert_eq!(manifest.files[0].blake3, blake3::hash(text.as_bytes()).to_hex().to_string());
        assert_eq!(manifest.files[0].bytes, text.len() as u64);
        assert_eq!(manifest.kept + manifest.rejected.values().sum::<u64>(), summary.n_target);
    }
}

#[test]
fn no_cell_is_ever_a_formula() {
    let evil = ["=1+1", "+1-1", "-2+3", "@SUM(1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0", "\"=1\"", "a\n=1"];
    let everyone: Vec<Someone> = evil
        .iter()
        .enumerate()
        .map(|(at, text)| Someone {
            name: Some((*text).to_owned()),
            country: Some((*text).to_owned()),
            ..someone(&format!("{text}{at}"), &format!("{text}{at}@x.co"), text, 0.5)
        })
        .collect();
    let files = written(&everyone, &audience());
    let mut csv =
        csv::ReaderBuilder::new().has_headers(false).from_reader(files["export/csv/second-purchase.csv"].as_slice());
    for cell in csv.records().flat_map(|row| row.unwrap().iter().map(str::to_owned).collect::<Vec<_>>()) {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
    }
    let bytes = std::io::Cursor::new(files["export/xlsx/second-purchase.xlsx"].clone());
    let mut book = calamine::Xlsx::new(bytes).unwrap();
    let formulas = book.worksheet_formula("Audience").unwrap();
    assert!(formulas.cells().all(|(_, _, formula)| formula.is_empty()));
    let cells = book.worksheet_range("Audience").unwrap();
    assert_eq!(cells.height(), evil.len() + 1);
    for name in ["google-customer-match", "meta-custom-audience"] {
        let text = String::from_utf8(files[&format!("export/{name}/second-purchase.csv")].clone()).unwrap();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ',' | ' ' | '-' | '\r' | '\n');
        assert!(text.chars().all(plain), "{text}");
        assert!(text.lines().skip(1).flat_map(|line| line.split(',')).all(|cell| !cell.starts_with('-')));
    }
}

#[test]
fn a_second_export_says_what_came_and_what_went() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout { out: folder.path().join("out"), models: folder.path().join("models") };
    let audience = Audience {
        export: vec![Destination::Csv, Destination::GoogleCustomerMatch, Destination::Klaviyo],
        consent: None,
        ..audience()
    };
    let everyone = many(30);
    write(&expanded(&everyone[..20], &audience, folder.path()).unwrap(), &layout).unwrap();
    let first = files(&layout.expand(&audience.name));
    assert!(first.keys().all(|name| !name.contains("added") && !name.contains("removed")));
    write(&expanded(&everyone[5..], &audience, folder.path()).unwrap(), &layout).unwrap();
    let second = files(&layout.expand(&audience.name));
    for (destination, n_head) in [("csv", 1), ("google-customer-match", 1), ("klaviyo", 1)] {
        let lines = |name: &str| {
            let text = String::from_utf8(second[&format!("export/{destination}/{name}")].clone()).unwrap();
            text.lines().skip(n_head).map(str::to_owned).collect::<BTreeSet<String>>()
        };
        assert_eq!((lines("added.csv").len(), lines("removed.csv").len()), (10, 5), "{destination}");
        assert!(lines("added.csv").is_subset(&lines("second-purchase.csv")), "{destination}");
    }
    // Nothing changed: nothing is to be told.
    write(&expanded(&everyone[5..], &audience, folder.path()).unwrap(), &layout).unwrap();
    let third = files(&layout.expand(&audience.name));
    assert_eq!(third["export/klaviyo/added.csv"], third["export/klaviyo/removed.csv"]);
    // A file that somebody changed is no memory.
    std::fs::write(layout.expand(&audience.name).join("export/klaviyo/second-purchase.csv"), "edited").unwrap();
    write(&expanded(&everyone, &audience, folder.path()).unwrap(), &layout).unwrap();
    assert!(!files(&layout.expand(&audience.name)).contains_key("export/klaviyo/added.csv"));
}

#[test]
fn every_destination_takes_the_target_group_and_nothing_else() {
    let everyone: Vec<Someone> = many(300)
        .into_iter()
        .enumerate()
        .map(|(at, one)| Someone { id: format!("0035g00000{at:05}"), ..one })
        .collect();
    let campaign = Some(Campaign { id: "7015g0000000001".into(), status: "Sent".into() });
    let audience =
        Audience { export: Destination::ALL.to_vec(), holdout: 0.2, campaign, name: "come-back".into(), ..audience() };
    let files = written(&everyone, &audience);
    let summary: Summary = serde_json::from_slice(&files["summary.json"]).unwrap();
    assert_eq!(summary.exports.len(), Destination::ALL.len());
    for export in &summary.exports {
        assert_eq!((export.kept, export.rejected.len()), (summary.n_target, 0), "{}", export.destination);
        assert!(files.contains_key(&export.path), "{}", export.path);
    }
    for (destination, head) in [
        ("linkedin-matched-audience", "email,firstname,lastname,jobtitle,employeecompany,country,googleaid\r\n"),
        ("tiktok-custom-audience", "Email_SHA256,Email_SHA256,Phone_SHA256,Phone_SHA256,MAID\r\n"),
        (
            "microsoft-customer-match",
            "Type,Status,Id,Parent Id,Client Id,Modified Time,Name,Description,Scope,Audience,Action Type,Sub Type,Text\r\n\
             Format Version,,,,,,6.0,,,,,,\r\n\
             Customer List,Active,-1,,,,,,Account,come-back,Replace,,\r\n\
             Customer List Item,,,-1,,,,,,,,Email,",
        ),
        ("salesforce-campaign-members", "CampaignId,ContactId,LeadId,Status\n7015g0000000001,0035g0000000"),
        ("meta-value-based-seed", "email,phone,fn,ln,ct,st,zip,country,value\r\n"),
        ("mailchimp", "Email Address,First Name,Last Name,Phone Number,Tags\r\n"),
        ("klaviyo", "Email Address,Phone Number,First Name,Last Name,clo_audience\r\n"),
        ("braze", "external_id,clo_audience\r\n"),
        ("postgres", "BEGIN;\nCREATE TABLE IF NOT EXISTS clo_audience ("),
        ("sqlite", "SQLite format 3"),
    ] {
        let prefix = format!("export/{destination}/come-back.");
        let (_, bytes) = files.iter().find(|(name, _)| name.starts_with(&prefix)).expect(destination);
        let text = String::from_utf8_lossy(bytes);
        assert!(text.starts_with(head), "{destination}: {}", text.chars().take(300).collect::<String>());
    }
    let manifest: export::Manifest =
        serde_json::from_slice(&files["export/google-customer-match/manifest.json"]).unwrap();
    assert_eq!(manifest.matched["Email"], summary.n_target);
    assert_eq!(manifest.matched["First Name + Last Name + Country + Zip"], 0);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.sqlite");
    std::fs::write(&path, &files["export/sqlite/come-back.sqlite"]).unwrap();
    let count = "SELECT count(*) FROM clo_audience WHERE audience = 'come-back' AND decile BETWEEN 1 AND 10";
    let n: i64 = rusqlite::Connection::open(&path).unwrap().query_row(count, [], |row| row.get(0)).unwrap();
    assert_eq!(u64::try_from(n), Ok(summary.n_target));
}

#[test]
fn a_list_is_parted_where_the_destination_takes_no_larger_file() {
    let audience = Audience { export: vec![Destination::LinkedinMatchedAudience], consent: None, ..audience() };
    // 20,000,000 bytes hold fewer than 300,000 rows of 68 bytes.
    let everyone = many(300_100);
    let files = written(&everyone, &audience);
    let parts: Vec<&Vec<u8>> =
        (1..=2).map(|part| &files[&format!("export/linkedin-matched-audience/second-purchase-{part}.csv")]).collect();
    assert!(parts.iter().all(|part| part.len() <= 20_000_000));
    let n_rows: usize = parts.iter().map(|part| String::from_utf8_lossy(part).lines().count() - 1).sum();
    assert_eq!(n_rows, 300_100);
}

fn many(n: usize) -> Vec<Someone> {
    let phone = |at: usize| format!("+1800{:07}", 2_000_000 + at);
    let one = |at: usize| {
        let propensity = f64::from(u32::try_from((at * 7919) % 1000).unwrap()) / 1000.0;
        someone(&format!("p{at}"), &format!("user{at}@example.com"), &phone(at), propensity)
    };
    (0..n).map(one).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_rows_changes_nothing(everyone in Just(many(60)).prop_shuffle(), holdout in 0.0..1.0_f64) {
        let audience = Audience { holdout, size: Size::Share(0.7), ..audience() };
        prop_assert_eq!(written(&many(60), &audience), written(&everyone, &audience));
    }

    #[test]
    fn adding_a_person_to_a_list_removes_exactly_that_person(at in 0..60_usize, form in 0..4_usize, listed in prop::collection::btree_set(0..60_usize, 0..5)) {
        let everyone = many(60);
        let entry = |at: usize, form: usize| {
            let one = &everyone[at];
            [one.id.clone(), one.email.clone().unwrap().to_uppercase(), one.phone.clone().unwrap(), one.phone.clone().unwrap()[2..].to_owned()][form].clone()
        };
        let before: Vec<String> = listed.iter().map(|&at| entry(at, form)).collect();
        let list = before.join("\n");
        let mut wanted = chosen_without(&everyone, &list);
        wanted.remove(&everyone[at].id);
        prop_assert_eq!(chosen_without(&everyone, &format!("{list}\n{}", entry(at, form))), wanted);
    }

    #[test]
    fn a_refresh_keeps_everyone_in_their_group(shift in 0.0..0.5_f64, gone in 0..60_usize) {
        let folder = tempfile::tempdir().unwrap();
        let audience = Audience { holdout: 0.4, ..audience() };
        let groups = |everyone: &[Someone]| -> BTreeMap<String, &'static str> {
            let done = expanded(everyone, &audience, folder.path()).unwrap();
            done.chosen.person.into_iter().zip(done.chosen.group.iter().map(|group| group.name())).collect()
        };
        let before = groups(&many(60));
        let mut later = many(80);
        for one in &mut later {
            one.propensity = (one.propensity * 0.5 + shift).clamp(0.0, 1.0);
        }
        later.remove(gone);
        for (person, group) in groups(&later) {
            prop_assert!(before.get(&person).is_none_or(|before| *before == group));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn in_strata_too_a_refresh_moves_nobody_and_one_more_person_moves_nobody_else(
        everyone in Just(many(90)).prop_shuffle(),
        by_country in any::<bool>(),
        holdout in 0.05..0.6_f64,
        shift in 0.0..0.5_f64,
    ) {
        let by = if by_country { Stratify::Attribute("country".into()) } else { Stratify::Propensity };
        let audience = Audience { holdout, stratify: Some(by), consent: None, ..audience() };
        let spec = spec(Path::new(""));
        let groups = |everyone: &[Someone], earlier: &Earlier| -> Earlier {
            let events = Events::default();
            let context =
                Context { spec: &spec, end: Time(0), identities: &[], model: None, previous: None, events: &events, listed: &[], earlier };
            let done = made(&audience, &scores(everyone), &people(everyone), &context).unwrap();
            done.groups.unwrap()
        };
        let first = groups(&everyone[..60], &Earlier::new());
        // In one stratum or in ten of six people each, the share is as near as whole people come.
        let n_held = first.values().filter(|group| **group == Group::Holdout).count();
        let exact = if by_country { (60.0 * holdout).round() } else { 10.0 * (6.0 * holdout).round() };
        prop_assert!((n_held as f64 - exact).abs() < 1e-9, "{n_held} {exact}");
        prop_assert_eq!(&first, &groups(&many(90).into_iter().filter(|one| first.contains_key(&one.id)).collect::<Vec<_>>(), &Earlier::new()));
        let mut later = everyone[1..].to_vec();
        for one in &mut later {
            one.propensity = (one.propensity * 0.5 + shift).clamp(0.0, 1.0);
        }
        let second = groups(&later, &first);
        prop_assert!(first.iter().all(|(person, group)| second.get(person) == Some(group)));
        let third = groups(&everyone[..61], &first);
        prop_assert!(first.iter().all(|(person, group)| third.get(person) == Some(group)) && third.len() == 61);
    }
}

/// `cargo test --release --lib a_million -- --ignored --nocapture`
#[test]
#[ignore = "a measurement: a million candidates, seconds of work"]
fn a_million_candidates_in_seconds() {
    let everyone = many(1_000_000);
    let folder = tempfile::tempdir().unwrap();
    let list: Vec<String> = (0..50_000).map(|at| format!("user{}@example.com", at * 3)).collect();
    std::fs::write(folder.path().join("list.csv"), list.join("\n")).unwrap();
    let suppress = vec!["list.csv".to_owned()];
    let (spec, scores, people) = (spec(folder.path()), scores(&everyone), people(&everyone));
    let layout = Layout { out: folder.path().join("out"), models: folder.path().join("models") };
    for destination in [
        None,
        Some(Destination::Csv),
        Some(Destination::Xlsx),
        Some(Destination::GoogleCustomerMatch),
        Some(Destination::MetaCustomAudience),
    ] {
        let audience = Audience {
            export: destination.into_iter().collect(),
            holdout: 0.1,
            suppress: suppress.clone(),
            ..audience()
        };
        let started = std::time::Instant::now();
        let done = made(
            &audience,
            &scores,
            &people,
            &Context {
                spec: &spec,
                end: Time(0),
                identities: &[],
                model: None,
                previous: None,
                events: &Events::default(),
                listed: &[],
                earlier: &Earlier::new(),
            },
        )
        .unwrap();
        let made = started.elapsed();
        write(&done, &layout).unwrap();
        println!(
            "{destination:?}: {} chosen; expand {made:?}, write {:?}",
            done.chosen.len(),
            started.elapsed().checked_sub(made).unwrap()
        );
    }
}
