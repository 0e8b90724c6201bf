//! The same rows in every format.

use std::io::Write as _;

use polars::prelude::{
    Column, DataFrame, Int64Chunked, IntoColumn as _, NamedFrom as _, NewChunkedArray as _, Series, TimeUnit,
};

use super::*;
use crate::spec::Delimiter;

const EXPECTED: [&str; 3] = [
    "a1 2024-01-02 visit amount=1.5 note=\"x, \\\"y\\\"\\nz\"",
    "a1 2024-01-03T10:30:00 visit note=\"ü\"",
    "b2 2024-01-01 visit amount=20",
];

const CSV: &str = "person,time,amount,note\n\
    b2,2024-01-01,20,\n\
    a1,2024-01-03 10:30:00, ,ü\n\
    a1,2024-01-02,1.5,\"x, \"\"y\"\"\nz\"\n";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

#[test]
fn csv_reads_with_quotes_marks_packing_and_delimiters() {
    let with_mark = [b"\xEF\xBB\xBF", CSV.as_bytes()].concat();
    let halves = [gzip(&CSV.as_bytes()[..40]), gzip(&CSV.as_bytes()[40..])].concat();
    let zstd = zstd::encode_all(CSV.as_bytes(), 1).unwrap();
    let tabs = CSV.replace("\"x, ", "\"x; ").replace(',', "\t").replace("x; ", "x, ");
    let files: [(&str, &[u8]); 6] = [
        ("log.csv", CSV.as_bytes()),
        ("log.csv", &with_mark),
        ("log.csv.gz", &halves),
        ("packed", &zstd),
        ("log.tsv", tabs.as_bytes()),
        ("log.csv", &CSV.replace("\"\nz", "\"\nz\r").replace(",ü\n", ",ü\r\n").replace("z\r\"", "z\"").into_bytes()),
    ];
    for (name, bytes) in files {
        let data = log(name, bytes, |_| ()).unwrap();
        assert_eq!(lines(&data), EXPECTED, "{name}");
        assert_eq!(data.inputs[0].bytes, bytes.len() as u64);
        assert_eq!(data.inputs[0].blake3, blake3::hash(bytes).to_hex().to_string());
    }
    let semicolons = log("log.csv", CSV.replace("\"x, ", "\"x# ").replace(',', ";").replace("x# ", "x, "), |table| {
        table.delimiter = Some(Delimiter::Byte(b';'));
    });
    assert_eq!(lines(&semicolons.unwrap()), EXPECTED);
}

#[test]
fn encodings_are_told_or_marked() {
    let latin: Vec<u8> = CSV.chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect();
    let data = log("log.csv", &latin, |table| table.encoding = Some("latin1".into())).unwrap();
    assert_eq!(lines(&data), EXPECTED);
    let error = log("log.csv", &latin, |_| ()).unwrap_err();
    assert_eq!(error.exit_code(), 4);
    assert_eq!(error.message(), "row 2 of log.csv is not UTF-8");
    assert!(error.hints()[0].contains("encoding = \"latin1\""), "{error}");
    let utf16: Vec<u8> = [0xFEFF].into_iter().chain(CSV.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    assert_eq!(lines(&log("log.csv", &utf16, |_| ()).unwrap()), EXPECTED);
    assert_eq!(log("log.csv", CSV, |table| table.encoding = Some("klingon".into())).unwrap_err().exit_code(), 3);
}

#[test]
fn blank_aligned_columns_need_no_header() {
    let text = "  00001   19970101  1   11.77\r\n\r\n 00002 19970112  5   77.00\r\n00002 19970112  1   12.00";
    let data = log("log.txt", text, |table| {
        table.delimiter = Some(Delimiter::Whitespace);
        table.columns = Some(["person", "time", "n", "amount"].map(Into::into).into());
    });
    let expected = [
        "00001 1997-01-01 visit n=1 amount=11.77",
        "00002 1997-01-12 visit n=1 amount=12",
        "00002 1997-01-12 visit n=5 amount=77",
    ];
    assert_eq!(lines(&data.unwrap()), expected);
}

#[test]
fn json_reads_as_lines_and_as_an_array() {
    let objects = [
        r#"{"person": "b2", "time": "2024-01-01", "amount": 20, "of": {"shop": "x", "tags": ["m", "n"]}}"#,
        r#"{"person": "a1", "time": "2024-01-02T10:00:00", "code": "007", "of": {"tags": [["m"]]}, "amount": null}"#,
    ];
    let expected = [
        "a1 2024-01-02T10:00:00 visit of.tags=\"[[\\\"m\\\"]]\" code=\"007\"",
        "b2 2024-01-01 visit amount=20 of.shop=\"x\" of.tags=\"m,n\"",
    ];
    for text in [objects.join("\n"), format!("[{}]", objects.join(", "))] {
        assert_eq!(lines(&log("log.json", &text, |_| ()).unwrap()), expected);
    }
    let data = log("log.jsonl", format!("{}\nnonsense\n{}\n", objects[0], objects[1]), |_| ()).unwrap();
    assert_eq!((lines(&data).len(), rejections(&data)), (2, vec!["log.jsonl:2: the line is not JSON".to_owned()]));
}

#[test]
fn digits_that_json_calls_a_text_stay_text() {
    let data = log("log.json", r#"{"person": 17, "time": "20240101", "zip": "12345", "n": 5}"#, |_| ()).unwrap();
    assert_eq!(lines(&data), ["17 2024-01-01 visit zip=\"12345\" n=5"]);
}

#[test]
fn parquet_reads_with_its_types() {
    let mut frame = DataFrame::new(
        3,
        vec![
            Column::new("person".into(), ["b2", "a1", "a1"]),
            Column::new("time".into(), ["2024-01-01 00:00:00", "2024-01-03 10:30:00", "2024-01-02 00:00:00"]),
            Column::new("amount".into(), [Some(20.0_f32), None, Some(1.5)]),
            Column::new("note".into(), [None, Some("ü"), Some("x, \"y\"\nz")]),
        ],
    )
    .unwrap();
    let folder = Folder::new();
    crate::store::write_frame(&folder.path().join("log.parquet"), &mut frame).unwrap();
    let mut spec = folder.spec();
    spec.tables.insert("log".into(), table("log.parquet"));
    spec.events.push(events("visit"));
    assert_eq!(lines(&read(&spec).unwrap()), EXPECTED);
}

#[test]
fn columns_of_other_types_are_left_unread() {
    let tags = [Series::new("".into(), ["x"]), Series::new("".into(), ["y"])];
    let zone = polars::prelude::TimeZone::UTC;
    let times = Int64Chunked::from_slice("time".into(), &[1_704_067_200_000, 1_704_153_600_000]);
    let times = times.into_datetime(TimeUnit::Milliseconds, Some(zone)).into_column();
    let columns = vec![Column::new("person".into(), [1_u8, 2]), times, Column::new("tags".into(), tags)];
    let folder = Folder::new();
    crate::store::write_frame(&folder.path().join("log.parquet"), &mut DataFrame::new(2, columns).unwrap()).unwrap();
    let mut spec = folder.spec();
    spec.tables.insert("log".into(), table("log.parquet"));
    spec.events.push(events("visit"));
    assert_eq!(lines(&read(&spec).unwrap()), ["1 2024-01-01 visit", "2 2024-01-02 visit"]);
    spec.events[0].properties = Some(vec!["tags".into()]);
    let error = read(&spec).unwrap_err();
    assert_eq!(error.message(), "column `tags` of log.parquet is of a type that clo does not read");
}

#[test]
fn workbooks_read_by_sheet() {
    let mut book = rust_xlsxwriter::Workbook::new();
    book.add_worksheet().set_name("about").unwrap().write(0, 0, "nothing here").unwrap();
    let sheet = book.add_worksheet().set_name("log").unwrap();
    let day = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd hh:mm:ss");
    for (column, name) in (0..).zip(["person", "time", "amount", "note"]) {
        sheet.write(1, column, name).unwrap();
    }
    for (row, (person, at, note)) in (2..).zip([
        ("b2", "2024-01-01T00:00:00", None),
        ("a1", "2024-01-03T10:30:00", Some("ü")),
        ("a1", "2024-01-02T00:00:00", Some("x, \"y\"\nz")),
    ]) {
        let at = rust_xlsxwriter::ExcelDateTime::parse_from_str(at).unwrap();
        sheet.write(row, 0, person).unwrap();
        sheet.write_datetime_with_format(row, 1, at, &day).unwrap();
        note.map(|note| sheet.write(row, 3, note).unwrap());
    }
    sheet.write(2, 2, 20).unwrap();
    sheet.write(4, 2, 1.5).unwrap();
    let bytes = book.save_to_buffer().unwrap();
    let data = log("log.xlsx", &bytes, |table| table.sheet = Some("log".into())).unwrap();
    assert_eq!(lines(&data), EXPECTED);
    let error = log("log.xlsx", &bytes, |table| table.sheet = Some("logs".into())).unwrap_err();
    assert_eq!((error.exit_code(), error.hints()[0].as_str()), (3, "did you mean `log`?"));
}
