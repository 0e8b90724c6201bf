//! What the files of an audience hold.

use calamine::Reader as _;

use super::*;

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
        ("meta-custom-audience", "email,phone,madid,fn,ln,ct,st,zip,country,doby,gen"),
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
        .map(|(at, one)| Someone {
            id: format!("0035g00000{at:05}"),
            device: Some(format!("4B61639E-47CC-4056-A16A-{at:012}")),
            ..one
        })
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
        ("google-mobile-devices", "Mobile Device ID\r\n4b61639e-47cc-4056-a16a-0000000000"),
        (
            "hashed-csv",
            "email_sha256,phone_sha256,phone_digits_sha256,first_name_sha256,last_name_sha256,country,zip,device_id\r\n",
        ),
        ("x-custom-audience", "email,phone,handle,device_id\r\n"),
        ("salesforce-campaign-members", "CampaignId,ContactId,LeadId,Status\n7015g0000000001,0035g0000000"),
        ("meta-value-based-seed", "email,phone,madid,fn,ln,ct,st,zip,country,doby,gen,value\r\n"),
        ("mailchimp", "Email Address,First Name,Last Name,Phone Number,Tags\r\n"),
        ("klaviyo", "Email Address,Phone Number,First Name,Last Name,clo_audience\r\n"),
        ("braze", "external_id,clo_audience\r\n"),
        (
            "postgres",
            "\\set ON_ERROR_STOP on\nSET client_encoding = 'UTF8';\nBEGIN;\nCREATE TABLE IF NOT EXISTS clo_audience (",
        ),
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
fn a_name_with_a_comma_stands_in_quotes() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout { out: folder.path().join("out"), models: folder.path().join("models") };
    let export = vec![Destination::Hubspot, Destination::Mailchimp, Destination::LinkedinMatchedAudience];
    let audience = Audience { export, ..audience() };
    let named = |name: &str| Someone { name: Some(name.to_owned()), ..someone("a", "a@x.co", "", 0.5) };
    let of = |name: &str, path: &str| {
        let everyone = [named(name), someone("b", "b@x.co", "", 0.4)];
        write(&expanded(&everyone, &audience, folder.path()).unwrap(), &layout).unwrap();
        let files = files(&layout.expand(&audience.name));
        let mut csv = csv::Reader::from_reader(files[path].as_slice());
        csv.records().map(|row| row.unwrap().iter().take(2).collect::<Vec<_>>().join("|")).collect::<Vec<_>>()
    };
    assert_eq!(of("Doe, Jr.", "export/hubspot/second-purchase.csv"), ["a@x.co|Doe, Jr.", "b@x.co|Jane"]);
    // Whoever is called otherwise now is one who changed, not one who went.
    assert_eq!(of("Doe, Sr.", "export/mailchimp/added.csv"), ["a@x.co|Doe, Sr."]);
    assert_eq!(of("Doe, Jr.", "export/mailchimp/removed.csv"), Vec::<String>::new());
    let files = files(&layout.expand(&audience.name));
    let linkedin = String::from_utf8_lossy(&files["export/linkedin-matched-audience/second-purchase.csv"]);
    assert!(linkedin.contains(",\"Doe, Jr.\",,,,US,\r\n"), "{linkedin}");
}

#[test]
fn the_dots_of_gmail_are_kept_where_the_spec_says_so() {
    let everyone = [someone("a", "Jane.Doe@gmail.com", "", 0.5)];
    let hash = |keeps_gmail_dots: bool| {
        let files = written(&everyone, &Audience { keeps_gmail_dots, ..audience() });
        let text = String::from_utf8_lossy(&files["export/google-customer-match/second-purchase.csv"]).into_owned();
        let manifest: export::Manifest =
            serde_json::from_slice(&files["export/google-customer-match/manifest.json"]).unwrap();
        assert_eq!(manifest.notes.len(), usize::from(keeps_gmail_dots));
        text.lines().nth(1).and_then(|line| line.get(..64)).unwrap().to_owned()
    };
    // sha256sum of janedoe@gmail.com and of jane.doe@gmail.com.
    assert_eq!(hash(false), "d6117306485ed0e50afab3ac871e98f81699151f30281527d63ff5f233656c69");
    assert_eq!(hash(true), "831f6494ad6be4fcb3a724c3d5fef22d3ceffa3c62ef3a7984e45a0ea177f982");
}

#[test]
fn the_script_for_postgres_holds_the_rows_of_the_sqlite_table() {
    let ids = ["a\tb", "c\\d", "e'f", "\\.", "\\N", "é\ng", "h\ri"];
    let everyone: Vec<Someone> = ids.iter().map(|id| someone(id, "", "", 0.25)).collect();
    let files =
        written(&everyone, &Audience { export: vec![Destination::Sqlite, Destination::Postgres], ..audience() });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.sqlite");
    std::fs::write(&path, &files["export/sqlite/second-purchase.sqlite"]).unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    let mut select = connection.prepare("SELECT * FROM clo_audience ORDER BY rank").unwrap();
    let cell = |value: rusqlite::types::Value| match value {
        rusqlite::types::Value::Null => "\\N".to_owned(),
        rusqlite::types::Value::Integer(number) => number.to_string(),
        rusqlite::types::Value::Real(number) => number.to_string(),
        // The text form of COPY, from PostgreSQL's page on it.
        rusqlite::types::Value::Text(text) => {
            let escapes = [("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")];
            escapes.iter().fold(text, |text, (plain, escaped)| text.replace(plain, escaped))
        }
        rusqlite::types::Value::Blob(_) => panic!("no column is a blob"),
    };
    let rows =
        select.query_map([], |row| (0..11).map(|at| Ok(cell(row.get(at)?))).collect::<rusqlite::Result<Vec<_>>>());
    let rows: Vec<String> = rows.unwrap().map(|row| row.unwrap().join("\t")).collect();
    assert_eq!(rows.len(), ids.len());
    let script = String::from_utf8(files["export/postgres/second-purchase.sql"].clone()).unwrap();
    let (_, copied) = script.split_once("FROM stdin;\n").unwrap();
    assert_eq!(copied, rows.join("\n") + "\n\\.\nCOMMIT;\n");
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
