//! Who is left out, and with which reason.

use super::*;
use crate::spec::{Cap, Consent, CoolDown};
use crate::time::DAY;

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
        sha2::Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
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
fn who_is_known_by_hashes_alone_is_suppressed_too() {
    let hash = |text: &str| {
        use sha2::Digest as _;
        sha2::Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02X}")).collect::<String>()
    };
    let everyone = [
        someone("writes", &hash("jane@x.co"), "", 0.5),
        someone("dials", "", &hash("+18005550101"), 0.4),
        someone("else", &hash("e@x.co"), "", 0.3),
    ];
    let all = chosen_without(&everyone, "");
    for (form, who) in [
        (hash("jane@x.co").to_lowercase().as_str(), "writes"),
        ("Jane@X.co", "writes"),
        ("writes", "writes"),
        ("+1 800 555 0101", "dials"),
        (&hash("+18005550101"), "dials"),
    ] {
        let gone: Vec<String> = all.difference(&chosen_without(&everyone, form)).cloned().collect();
        assert_eq!(gone, [who], "{form}");
    }
}

#[test]
fn of_two_with_one_mailbox_the_one_who_was_listed_stays_where_turnover_is_bounded() {
    // b and e have one mailbox, and b ranks above e.
    let (everyone, spec, beside) = (six(), spec(Path::new("")), Beside::default());
    let previous = Previous { person: vec!["a".into(), "e".into()] };
    let listed = |max_turnover: Option<f64>| {
        let audience = Audience { size: Size::Count(2), max_turnover, ..audience() };
        let context = Context { previous: Some(&previous), ..context(&spec, &beside) };
        let made = made(&audience, &scores(&everyone), &people(&everyone), &context).unwrap();
        made.chosen.person.iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(listed(None), ["a", "b"]);
    assert_eq!(listed(Some(0.4)), ["a", "e"]);
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
    let beside = Beside { events, ..Beside::default() };
    let context = Context { end: Time(30 * DAY), listed: &listed, ..context(&spec, &beside) };
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
    assert_eq!(done.chosen.person.iter().collect::<Vec<_>>(), ["first", "abroad"]);
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
    let beside = Beside::default();
    let context = Context { identities: &[former], ..context(&spec, &beside) };
    let done = made(&audience, &scores(&everyone), &people(&everyone), &context).unwrap();
    assert_eq!(done.chosen.person.iter().collect::<Vec<_>>(), ["a", "b", "c"]);
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
