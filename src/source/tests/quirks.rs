//! What real files do: bad rows, odd types, wrong paths.

use proptest::prelude::*;

use super::*;
use crate::spec::ColumnType;

#[test]
fn a_type_is_told_from_the_whole_column() {
    let mut text = "person,time,spend,code,zip,long,flag\n".to_owned();
    (0..300).for_each(|row| text.push_str(&format!("p{row:03},2024-01-01,0,{row},0123,1,true\n")));
    text.push_str("p300,2024-01-01,29.99,x,99999,1234567890123456789,FALSE\n");
    let lines = lines(&log("log.csv", text, |_| ()).unwrap());
    assert_eq!(lines[7], "p007 2024-01-01 visit spend=0 code=\"7\" zip=\"0123\" long=\"1\" flag=\"true\"");
    assert_eq!(
        lines[300],
        "p300 2024-01-01 visit spend=29.99 code=\"x\" zip=\"99999\" long=\"1234567890123456789\" flag=\"false\""
    );
}

#[test]
fn bad_rows_go_to_the_ledger_with_place_and_reason() {
    let text = "person,time,n\na,2024-01-01,1\nb,2024-01-01\n,2024-01-01,1\nc,soon,1\nd,1850-01-01,1\ne,2024-01-01,many\n\
        f,2024-02-01,6\ng,2024-03-01,7\nh,2024-03-01,NA\ni,2024-03-01,1\nj,2024-03-01,1\n";
    let data = log("log.csv", text, |table| {
        table.types.insert("n".into(), ColumnType::I64);
        table.null_values = vec!["NA".into()];
    });
    let data = data.unwrap();
    let expected = [
        "log.csv:2: 2 fields where there are 3 columns",
        "log.csv:3 person: no person",
        "log.csv:4 time: the time cannot be read",
        "log.csv:5 time: the time is before 1900 or after 2200",
        "log.csv:6 n: not of the told type: integer",
    ];
    assert_eq!(rejections(&data), expected);
    assert_eq!((data.inputs[0].rows, data.inputs[0].rejected, data.events.len()), (11, 5, 6));
    assert_eq!(data.people.ids, ["a", "f", "g", "h", "i", "j"]);
    assert_eq!(data.end, crate::time::Time("2024-03-01".parse::<crate::time::Time>().unwrap().0 + 1));
}

#[test]
fn a_source_of_which_most_rows_are_bad_is_refused() {
    let error = log("log.csv", "person,time\na,2024-01-01\nb,soon\nc,later\n", |_| ()).unwrap_err();
    assert_eq!(error.exit_code(), 4);
    assert_eq!(error.message(), "2 of 3 rows of events.visit cannot be used");
    assert_eq!(
        error.hints()[0],
        "the commonest reason (2 rows): column `time`: the time cannot be read, first in row 2 of log.csv"
    );
    let error = log("log.csv", "person,time\na\nb\nc,2024-01-01\n", |_| ()).unwrap_err();
    assert_eq!(error.message(), "2 of 3 rows of tables.log cannot be used");
}

#[test]
fn an_open_quote_does_not_swallow_the_file() {
    let mut text = "person,time,note\na,2024-01-01,fine\nb,2024-01-01,\"open\n".to_owned();
    (0..2000).for_each(|row| text.push_str(&format!("p{row},2024-01-01,x\n")));
    let error = log("log.csv", text, |_| ()).unwrap_err();
    assert_eq!(error.message(), "row 2 of log.csv does not end: it spans over 1000 lines");
}

#[test]
fn told_types_and_formats_are_kept() {
    let text = "person,time,born,member\n1,01/02/2024 10:30,03.04.1980,yes\n2,13/02/2024 10:30,31.12.1999,No\n";
    let data = log("log.csv", text, |table| {
        table.formats.insert("time".into(), "%d/%m/%Y %H:%M".into());
        table.formats.insert("born".into(), "%d.%m.%Y".into());
        table.types.insert("member".into(), ColumnType::Bool);
    });
    let expected = [
        "1 2024-02-01T10:30:00 visit born=1980-04-03 member=\"true\"",
        "2 2024-02-13T10:30:00 visit born=1999-12-31 member=\"false\"",
    ];
    assert_eq!(lines(&data.unwrap()), expected);
    assert!(log("log.csv", text, |_| ()).unwrap_err().to_string().contains("%d/%m/%Y %H:%M"));
}

#[test]
fn wrong_paths_are_errors_that_help() {
    let folder = Folder::new()
        .with("data/orders.csv", "person,time\na,2024-01-01\n")
        .with("empty.csv", "")
        .with("header.csv", "person,time\n");
    let fail = |path: &str| {
        let mut spec = folder.spec();
        spec.tables.insert("log".into(), table(path));
        spec.events.push(events("visit"));
        let error = read(&spec).unwrap_err();
        (error.exit_code(), error.message().to_owned(), error.hints().first().cloned().unwrap_or_default())
    };
    assert_eq!(
        fail("data/order.csv"),
        (4, "there is no file data/order.csv".into(), "did you mean `data/orders.csv`?".into())
    );
    assert!(fail("nowhere/orders.csv").2.starts_with("there is no folder"));
    assert_eq!(fail("data").1, "data is a folder");
    assert_eq!(fail("data/*.parquet").1, "no file matches `data/*.parquet`");
    assert_eq!(fail("empty.csv").1, "empty.csv is empty");
    assert_eq!(fail("header.csv").1, "header.csv has no rows");
    assert_eq!(
        fail("postgres://host/db"),
        (
            3,
            "`postgres://` addresses cannot be read: this version reads files".into(),
            "export the table to Parquet or CSV and name that file".into()
        )
    );
}

#[test]
fn a_missing_column_is_an_error_that_names_the_nearest() {
    let error = log("log.csv", "persons,time\na,2024-01-01\n", |_| ()).unwrap_err();
    assert_eq!((error.exit_code(), error.message()), (3, "log.csv has no column `person`"));
    assert_eq!(error.hints(), ["did you mean `persons`?", "it has `persons`, `time`"]);
    let error = log("log.csv", "person;time\na;2024-01-01\n", |_| ()).unwrap_err();
    assert!(error.hints()[0].contains("delimiter = \";\""), "{error}");
    let error = log("log.csv", "a,b,a\n1,2,3\n", |_| ()).unwrap_err();
    assert_eq!(error.message(), "log.csv has two columns `a`");
    let error = log("log.csv", "a,2024-01-01,3\n", |table| table.columns = Some(vec!["person".into(), "time".into()]))
        .unwrap_err();
    assert!(error.message().contains("3 fields in its first line, and `columns` names 2"), "{error}");
}

#[test]
fn files_of_a_glob_have_the_same_columns() {
    let folder = Folder::new()
        .with("log/2.csv", "person,time,amount\nb,2024-01-01,2.5\nx\n")
        .with("log/1.csv", "person,time,amount\na,2024-01-01,1\n")
        .with("bad/1.csv", "person,time\na,2024-01-01\n")
        .with("bad/2.csv", "person,times\na,2024-01-01\n");
    let mut spec = folder.spec();
    spec.tables.insert("log".into(), table("log/*.csv"));
    spec.events.push(events("visit"));
    let data = read(&spec).unwrap();
    assert_eq!(lines(&data), ["a 2024-01-01 visit amount=1", "b 2024-01-01 visit amount=2.5"]);
    assert_eq!(
        data.inputs.iter().map(|input| (input.path.as_str(), input.rows, input.rejected)).collect::<Vec<_>>(),
        [("log/1.csv", 1, 0), ("log/2.csv", 2, 1)]
    );
    spec.tables.insert("log".into(), table("bad/*.csv"));
    let error = read(&spec).unwrap_err();
    assert_eq!(error.message(), "bad/2.csv has `times` as column 2, where the first file of `bad/*.csv` has `time`");
}

#[test]
fn kinds_properties_and_known_at_come_as_told() {
    let text = "who,what,at,loaded,shop,n\nb,view,2024-01-02,2024-01-05,x,1\nb,buy,2024-01-02,,y,2\na,,2024-01-01,,x,3\na,buy,2024-02-01,,x,4\n";
    let folder = Folder::new().with("log.csv", text).with("more.csv", "person,time,n\na,2024-01-03,three\n");
    let mut spec = folder.spec();
    spec.tables.insert("log".into(), table("log.csv"));
    spec.tables.insert("more".into(), table("more.csv"));
    spec.events.push(EventSource { rows: Rows::Table("more".into()), ..events("return") });
    spec.events.push(EventSource {
        person: "who".into(),
        time: time("at"),
        event: Some("what".into()),
        known_at: Some(time("loaded")),
        properties: Some(vec!["n".into()]),
        ..events("log")
    });
    spec.end = Some("2024-02-01".parse().unwrap());
    let data = read(&spec).unwrap();
    assert_eq!(data.events.kinds, ["return", "buy", "view"]);
    assert_eq!(
        lines(&data),
        ["a 2024-01-03 return n=\"three\"", "b 2024-01-02 buy n=\"2\"", "b 2024-01-02 view n=\"1\""]
    );
    assert_eq!(data.events.known(2).to_string(), "2024-01-05");
    assert_eq!(data.events.known(1).to_string(), "2024-01-02");
    assert_eq!(rejections(&data), ["log.csv:3 what: no kind of event", "log.csv:4: at or after lifecycle.end"]);
    assert_eq!((data.end, data.events.offsets), (spec.end.unwrap(), vec![0, 1, 3]));
}

#[derive(Debug, Clone)]
struct Row {
    person: u8,
    day: u32,
    amount: Option<u8>,
    note: String,
}

fn row() -> impl Strategy<Value = Row> {
    (0_u8..5, 1_u32..28, proptest::option::of(0_u8..3), "[a-c \",\n]{0,3}")
        .prop_map(|(person, day, amount, note)| Row { person, day, amount, note })
}

fn csv(rows: &[Row]) -> String {
    let mut text = "person,time,amount,note\n".to_owned();
    for Row { person, day, amount, note } in rows {
        let amount = amount.map(|amount| amount.to_string()).unwrap_or_default();
        text.push_str(&format!("p{person},2024-01-{day:02},{amount},\"{}\"\n", note.replace('"', "\"\"")));
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn parting_a_file_or_shuffling_its_rows_changes_nothing(rows in proptest::collection::vec(row(), 2..40), cut in 0.0..1.0, seed: u64) {
        let whole = log("log.csv", csv(&rows), |_| ()).unwrap();
        let mut shuffled = rows.clone();
        shuffled.sort_by_key(|row| blake3::hash(format!("{seed}{row:?}").as_bytes()).to_hex().to_string());
        let shuffled = log("log.csv", csv(&shuffled), |_| ()).unwrap();
        prop_assert_eq!(lines(&whole), lines(&shuffled));
        prop_assert_eq!(&whole.people.ids, &shuffled.people.ids);

        #[expect(clippy::cast_sign_loss, clippy::cast_possible_truncation, reason = "a place in a short list")]
        let cut = 1 + ((rows.len() - 1) as f64 * cut) as usize;
        let folder = Folder::new().with("part1.csv", csv(&rows[..cut])).with("part2.csv", csv(&rows[cut..]));
        let mut spec = folder.spec();
        spec.tables.insert("log".into(), table("part*.csv"));
        spec.events.push(events("visit"));
        let parted = read(&spec).unwrap();
        prop_assert_eq!(lines(&whole), lines(&parted));
        prop_assert_eq!(parted.events.len(), rows.len());
    }
}

#[test]
fn an_error_points_at_the_line_of_the_spec() {
    let text = "[project]\nname = \"x\"\nseed = 7\n[tables]\nlog = \"log.csv\"\n[events.visit]\ntable = \"log\"\nperson = \"person\"\n\
        time = \"at\"\n[[lifecycle.stages]]\nname = \"visitor\"\nenter = \"event = 'visit'\"\n";
    let folder = Folder::new().with("log.csv", "person,time\na,2024-01-01\n");
    let spec = crate::spec::parse(text, &folder.path().join("clo.toml"), &|_| None).unwrap();
    let error = read(&spec).unwrap_err().to_string();
    assert!(error.contains("log.csv has no column `at`") && error.contains(":9:1]  time = \"at\""), "{error}");
    let other = text.replace("log.csv", "lag.csv");
    let spec = crate::spec::parse(&other, &folder.path().join("clo.toml"), &|_| None).unwrap();
    let error = read(&spec).unwrap_err().to_string();
    assert!(error.contains(":5:1]  log = \"lag.csv\"") && error.contains("did you mean `log.csv`?"), "{error}");
}
