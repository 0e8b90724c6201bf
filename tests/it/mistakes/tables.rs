//! Tables that lack a column, hold nothing, or cannot be read.

use std::io::Write as _;

use insta::assert_snapshot;
use polars::prelude::{Column, DataFrame};

use super::{orders, shop};

#[test]
fn a_wrong_column() {
    assert_snapshot!(shop().spec("time = \"ordered_at\"", "time = \"order_date\"").said(), @r#"
    exit 3
    error: data/orders.csv has no column `order_date`
      ╭─[clo.toml:16:1]  time = "order_date"
    help: did you mean `ordered_at`?
    help: it has `customer`, `ordered_at`, `amount`
    "#);
}

#[test]
fn a_wrong_column_in_a_query() {
    let query = "sql = \"SELECT custmer AS person, ordered_at AS time FROM orders\"";
    let own = "table = \"orders\"\nperson = \"customer\"\ntime = \"ordered_at\"";
    assert_snapshot!(shop().spec(own, query).said(), @r#"
    exit 3
    error: events.purchase: the query names `custmer`, and there is no such column
      ╭─[clo.toml:14:1]  sql = "SELECT custmer AS person, ordered_at AS time FROM orders"
    help: did you mean `customer`?
    help: `orders` has `customer`, `ordered_at`, `amount`
    "#);
}

#[test]
fn a_query_that_is_no_sql() {
    let query = "sql = \"SELECT customer AS person ordered_at AS time FROM orders\"";
    let own = "table = \"orders\"\nperson = \"customer\"\ntime = \"ordered_at\"";
    assert_snapshot!(shop().spec(own, query).said(), @r#"
    exit 3
    error: this SQL does not parse: expected end of statement, found ordered_at
      ╭─[clo.toml:14:34]  sql = "SELECT customer AS person ordered_at AS time FROM orders"
    help: texts stand in single quotes ('yes'), columns that are no plain word in double quotes ("Total Charges")
    "#);
}

#[test]
fn a_wrong_column_in_a_stage_rule() {
    assert_snapshot!(shop().spec("nth >= 2", "amont >= 15").said(), @r#"
    exit 3
    error: the `enter` rule of stage `repeat` names `amont`, and there is no such column
      ╭─[clo.toml:23:1]  enter = "event = 'purchase' AND amont >= 15"
    help: did you mean `amount`?
    help: there are `event`, `nth`, `amount`, `city`, `age`, `opt_in`
    "#);
}

#[test]
fn an_empty_file() {
    assert_snapshot!(shop().file("data/orders.csv", "").said(), @r#"
    exit 4
    error: data/orders.csv is empty
      ╭─[clo.toml:6:1]  orders = "data/orders.csv"
    help: a table needs a header line and at least one row
    "#);
}

#[test]
fn a_header_and_nothing_below() {
    assert_snapshot!(shop().file("data/orders.csv", "customer,ordered_at,amount\n").said(), @r#"
    exit 4
    error: data/orders.csv has no rows
      ╭─[clo.toml:6:1]  orders = "data/orders.csv"
    help: a table needs at least one row below its header
    "#);
}

#[test]
fn two_columns_of_one_name() {
    let orders =
        shop().lines(
            "data/orders.csv",
            |number, line| if number == 0 { line.replace("amount", "customer") } else { line.to_owned() },
        );
    assert_snapshot!(orders.said(), @r#"
    exit 4
    error: data/orders.csv has two columns `customer`
      ╭─[clo.toml:6:1]  orders = "data/orders.csv"
    help: name the columns yourself: columns = [...] with header = true
    "#);
}

#[test]
fn a_wrong_delimiter() {
    assert_snapshot!(shop().lines("data/orders.csv", |_, line| line.replace(',', ";")).said(), @r#"
    exit 3
    error: data/orders.csv has no column `customer`
      ╭─[clo.toml:15:1]  person = "customer"
    help: it seems to part its columns by ';': tell the table { path = "…", delimiter = ";" }
    help: it has `customer;ordered_at;amount`
    "#);
}

#[test]
fn a_few_ragged_rows_are_rejected_and_told() {
    let ragged = shop().lines("data/orders.csv", |number, line| match number {
        5 => format!("{line},again"),
        9 => "c002".to_owned(),
        _ => line.to_owned(),
    });
    assert_snapshot!(ragged.said(), @r"
    exit 0
    warning: data/orders.csv: 1 row is not used, row 9: 1 field where there are 3 columns (see discover/rejected.parquet)
    warning: data/orders.csv: 1 row is not used, row 5: 4 fields where there are 3 columns (see discover/rejected.parquet)
    ");
}

#[test]
fn mostly_ragged_rows() {
    let ragged =
        shop().lines(
            "data/orders.csv",
            |number, line| if number % 4 == 0 { line.to_owned() } else { format!("{line},again") },
        );
    assert_snapshot!(ragged.said(), @r#"
    exit 4
    error: 270 of 360 rows of tables.orders cannot be used
      ╭─[clo.toml:6:1]  orders = "data/orders.csv"
    help: the commonest reason (270 rows): 4 fields where there are 3 columns, first in row 1 of data/orders.csv
    help: look whether `delimiter` is right, and whether fields that hold it stand in quotes
    "#);
}

#[test]
fn a_quote_that_is_not_closed() {
    let open =
        shop().lines("data/orders.csv", |number, line| if number == 5 { format!("\"{line}") } else { line.to_owned() });
    assert_snapshot!(open.said(), @r#"
    exit 4
    error: row 5 of data/orders.csv does not end: it takes in the rest of the file
      ╭─[clo.toml:6:1]  orders = "data/orders.csv"
    help: a quote (") is opened there and not closed: mend the row
    "#);
}

#[test]
fn latin_1_read_as_utf_8() {
    let people = String::from_utf8(shop().files["data/people.csv"].clone()).unwrap().replace("Bonn", "Köln");
    let latin: Vec<u8> = people.chars().map(|sign| u8::try_from(u32::from(sign)).unwrap()).collect();
    assert_snapshot!(shop().file("data/people.csv", latin).said(), @r#"
    exit 4
    error: row 2 of data/people.csv is not UTF-8
      ╭─[clo.toml:7:1]  people = "data/people.csv"
    help: tell the table's encoding: encoding = "latin1" is common, also "windows-1252" and "utf-16le"
    "#);
}

#[test]
fn a_gzip_file_that_is_cut_off() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(orders().join("\n").as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let cut =
        shop().spec("data/orders.csv", "data/orders.csv.gz").file("data/orders.csv.gz", &packed[..packed.len() / 2]);
    assert_snapshot!(cut.said(), @r#"
    exit 4
    error: cannot read data/orders.csv.gz to its end: incomplete deflate stream
      ╭─[clo.toml:6:1]  orders = "data/orders.csv.gz"
    help: the file seems cut off or damaged: fetch or export it again
    "#);
}

#[test]
fn a_parquet_file_that_is_cut_off_or_damaged() {
    let columns =
        vec![Column::new("customer".into(), ["a"; 500]), Column::new("ordered_at".into(), ["2024-01-01"; 500])];
    let folder = crate::support::folder();
    let path = folder.path().join("orders.parquet");
    clo::store::write_frame(&path, &mut DataFrame::new(500, columns).unwrap()).unwrap();
    let whole = std::fs::read(path).unwrap();
    let shop = || shop().spec("data/orders.csv", "data/orders.parquet");
    assert_snapshot!(shop().file("data/orders.parquet", &whole[..whole.len() / 2]).said(), @r#"
    exit 4
    error: data/orders.parquet is a damaged Parquet file, or one that is cut off
      ╭─[clo.toml:6:1]  orders = "data/orders.parquet"
    help: fetch or export the file again
    "#);
    let mut damaged = whole;
    damaged[8..60].fill(0x5a);
    assert_snapshot!(shop().file("data/orders.parquet", damaged).said(), @r#"
    exit 4
    error: data/orders.parquet is a damaged Parquet file, or one that is cut off
      ╭─[clo.toml:6:1]  orders = "data/orders.parquet"
    help: fetch or export the file again
    "#);
    assert_snapshot!(shop().file("data/orders.parquet", orders().join("\n")).said(), @r#"
    exit 4
    error: data/orders.parquet is not a Parquet file
      ╭─[clo.toml:6:1]  orders = "data/orders.parquet"
    help: if it is text, let its name end in .csv or .jsonl; else export it again
    "#);
}

#[test]
fn a_workbook_without_the_sheet() {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("Orders").unwrap().write(0, 0, "customer").unwrap();
    let bytes = book.save_to_buffer().unwrap();
    let shop = |table| shop().spec("\"data/orders.csv\"", table);
    let named = shop("{ path = \"data/orders.xlsx\", sheet = \"Ordres\" }").file("data/orders.xlsx", bytes.clone());
    assert_snapshot!(named.said(), @r#"
    exit 3
    error: data/orders.xlsx has no sheet `Ordres`
      ╭─[clo.toml:6:1]  orders = { path = "data/orders.xlsx", sheet = "Ordres" }
    help: did you mean `Orders`?
    help: it has Orders
    "#);
    let cut = shop("\"data/orders.xlsx\"").file("data/orders.xlsx", &bytes[..bytes.len() / 2]);
    assert_snapshot!(cut.said(), @r#"
    exit 4
    error: data/orders.xlsx is not a workbook, or a damaged one
      ╭─[clo.toml:6:1]  orders = "data/orders.xlsx"
    help: open it in a spreadsheet program and save it again, as .xlsx or as CSV
    "#);
    assert_snapshot!(super::shop().file("data/orders.csv", bytes).said(), @r#"
    exit 4
    error: data/orders.csv is a workbook or an archive, not a text
      ╭─[clo.toml:6:1]  orders = "data/orders.csv"
    help: if it is a workbook, let its name end in .xlsx or .xls
    "#);
}

#[test]
fn a_told_type_that_does_not_fit() {
    let table = "{ path = \"data/orders.csv\", types = { amount = \"date\" } }";
    assert_snapshot!(shop().spec("\"data/orders.csv\"", table).said(), @r#"
    exit 4
    error: 360 of 360 rows of tables.orders cannot be used
      ╭─[clo.toml:6:1]  orders = { path = "data/orders.csv", types = { amount = "date" } }
    help: the commonest reason (360 rows): column `amount`: not of the told type: date, first in row 1 of data/orders.csv
    "#);
}
