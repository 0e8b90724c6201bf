//! Places that cannot be written. (Permissions do not bind a test that runs as root: other obstacles stand in for them.)

use insta::assert_snapshot;

use super::{shop, words};
use crate::support::clo;

#[test]
fn a_file_where_the_output_folder_should_be() {
    assert_snapshot!(shop().file("out", "mine").said(), @r"
    exit 4
    error: cannot write out/.clo.lock: out is a file, not a folder
    help: move that file away, or choose another folder with --out
    ");
}

#[test]
fn a_file_where_a_folder_of_the_output_should_be() {
    assert_snapshot!(shop().file("out/map", "mine").said(), @r"
    exit 4
    error: cannot write out/map/stage_history.parquet: out/map is a file, not a folder
    help: move that file away, or choose another folder with --out
    ");
}

#[test]
fn a_file_where_the_models_should_be() {
    let said = shop().file("models", "mine").said();
    let (before, name) = said.split_once("second/scores/").unwrap();
    let (_, after) = name.split_once(".parquet").unwrap();
    assert_snapshot!(format!("{before}second/scores/[…].parquet{after}"), @r"
    exit 4
    error: prediction `second`: cannot write models/second/scores/[…].parquet: models is a file, not a folder
    help: move that file away, or choose another folder with --out
    ");
}

#[test]
fn a_folder_where_a_file_should_be() {
    assert_snapshot!(shop().file("out/map/lifecycle.json/mine", "mine").said(), @r"
    exit 4
    error: cannot write out/map/lifecycle.json: it is a folder
    help: move that folder away, or choose another place with --out
    ");
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_takes_no_files() {
    assert_snapshot!(shop().command(&["run", "--out", "/proc/self/out"]).said(), @r"
    exit 4
    error: cannot write /proc/self/out/.clo.lock: /proc/self takes no new folder
    help: choose another folder with --out
    ");
}

/// A limit on the size of files stands in for a full disk.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk() {
    let folder = shop().write();
    let limited = "trap '' XFSZ; ulimit -f 1; exec \"$0\" map";
    let mut shell = std::process::Command::new("sh");
    let output = shell.args(["-c", limited, env!("CARGO_BIN_EXE_clo")]).current_dir(folder.path()).output().unwrap();
    assert_snapshot!(words(&output, folder.path()), @r"
    exit 4
    error: cannot write out/discover/identities.parquet: the file would be larger than is allowed
    help: check the folder's permissions and the free space, or choose another with --out
    ");
}

#[test]
fn a_second_run() {
    let folder = shop().write();
    let held = clo::store::lock::acquire(&folder.path().join("out"), "clo").unwrap();
    let output = clo().arg("run").current_dir(folder.path()).output().unwrap();
    drop(held);
    let said = words(&output, folder.path()).replace(&std::process::id().to_string(), "[…]");
    assert_snapshot!(said, @r"
    exit 7
    error: out is in use by clo, process […]
    help: wait until it has ended, or choose another folder with --out
    ");
}
