//! Files and folders that are not where the spec says, or are something else.

use insta::assert_snapshot;

use super::shop;

#[test]
fn a_wrong_path_proposes_the_nearest_file() {
    assert_snapshot!(shop().spec("data/orders.csv", "data/order.csv").said(), @r#"
    exit 4
    error: there is no file data/order.csv
      ╭─[clo.toml:6:1]  orders = "data/order.csv"
    help: did you mean `data/orders.csv`?
    "#);
}

#[test]
fn a_wrong_folder() {
    assert_snapshot!(shop().spec("data/orders.csv", "exports/orders.csv").said(), @r#"
    exit 4
    error: there is no file exports/orders.csv
      ╭─[clo.toml:6:1]  orders = "exports/orders.csv"
    help: there is no folder exports either; relative paths start at clo.toml
    "#);
}

#[test]
fn a_pattern_that_matches_nothing() {
    assert_snapshot!(shop().spec("data/orders.csv", "data/orders-*.csv").said(), @r#"
    exit 4
    error: no file matches `data/orders-*.csv`
      ╭─[clo.toml:6:1]  orders = "data/orders-*.csv"
    help: check the pattern; * stands for any characters of a name
    "#);
}

#[test]
fn a_folder_in_place_of_a_file() {
    assert_snapshot!(shop().spec("data/orders.csv", "data").said(), @r#"
    exit 4
    error: data is a folder
      ╭─[clo.toml:6:1]  orders = "data"
    help: name its files: "data/*.csv"
    "#);
}

#[test]
fn no_spec() {
    assert_snapshot!(shop().command(&["run", "--spec", "shop.toml"]).said(), @r"
    exit 3
    error: there is no file shop.toml
    help: name the project with --spec, or go to its folder
    help: `clo simulate shop` makes one to try: a shop with its clo.toml
    ");
}

#[test]
fn data_in_place_of_a_spec_is_not_quoted() {
    assert_snapshot!(shop().command(&["run", "--spec", "data/people.csv"]).said(), @r"
    exit 3
    error: data/people.csv is not a spec: its name does not end in .toml
    help: name a clo.toml with --spec, or the folder that it lies in
    ");
}

#[test]
fn an_address_on_another_machine() {
    assert_snapshot!(shop().spec("data/orders.csv", "s3://bucket/orders.csv").said(), @r#"
    exit 3
    error: `s3://` addresses cannot be read: this version reads files
      ╭─[clo.toml:6:1]  orders = "s3://bucket/orders.csv"
    help: export the table to Parquet or CSV and name that file
    "#);
}

#[test]
fn a_variable_that_is_not_set() {
    assert_snapshot!(shop().spec("\"data/orders.csv", "\"${CLO_DATA}/orders.csv").said(), @r#"
    exit 3
    error: the environment variable CLO_DATA is not set
      ╭─[clo.toml:6:1]  orders = "${CLO_DATA}/orders.csv"
    help: set it (CLO_DATA=… clo …), or say what holds without it: ${CLO_DATA:-data}
    "#);
}

#[test]
fn a_model_that_is_not_there() {
    let words = ["score", "--model", "models/second/current", "--input", "data/people.csv", "--output", "scores.csv"];
    assert_snapshot!(shop().command(&words).said(), @r"
    exit 4
    error: there is no model in models/second/current
    help: name a version's folder, or models/<prediction>/current; clo models list shows what there is
    ");
}

#[test]
fn a_score_without_the_columns_of_the_model() {
    let score = |input, people: &[&'static str]| {
        let words = ["score", "--model", "models/second/current", "--input", input, "--output", "scores.csv"];
        shop().said_after_a_run(&[&words, people].concat())
    };
    assert_snapshot!(score("data/orders.csv", &[]), @r"
    exit 2
    error: this model looks at attributes of people, and no people file is given
    help: give it with --people FILE: a column `person`, and the attributes
    ");
    assert_snapshot!(score("data/orders.csv", &["--people", "data/people.csv"]), @r"
    exit 4
    error: data/orders.csv has no column `person`
    help: it has `customer`, `ordered_at`, `amount`
    help: a model reads events from the columns person, time, event and their properties, people from person and attributes
    ");
    assert_snapshot!(score("data/order.csv", &["--people", "data/people.csv"]), @r"
    exit 4
    error: there is no file data/order.csv
    help: did you mean `data/orders.csv`?
    ");
}
