//! `clo init` over files that hold no table, no rows, nobody.

use insta::assert_snapshot;

use super::words;
use crate::support::{clo, folder, write};

/// What `clo init --from FILE` says in a folder with only that file.
fn init(file: &str, text: &str) -> String {
    let folder = folder();
    write(&folder.path().join(file), text);
    let output = clo().args(["init", "--from", file]).current_dir(folder.path()).output().unwrap();
    assert_eq!(folder.path().join("clo.toml").exists(), output.status.success());
    words(&output, folder.path())
}

#[test]
fn a_letter_in_place_of_a_table() {
    assert_snapshot!(init("notes.txt", "Dear all,\n\nthe export comes on Monday.\n"), @r"
    exit 4
    error: 1 of 1 rows of notes.txt cannot be used
    help: the commonest reason (1 rows): 1 field where there are 2 columns, first in row 1 of notes.txt
    help: look whether `delimiter` is right, and whether fields that hold it stand in quotes
    help: if notes.txt is no table, leave it out
    ");
}

#[test]
fn a_header_and_no_rows() {
    assert_snapshot!(init("orders.csv", "customer,ordered_at\n"), @r"
    exit 4
    error: orders.csv has no rows
    help: a table needs at least one row below its header
    ");
}
