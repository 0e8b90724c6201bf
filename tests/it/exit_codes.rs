//! Each way to fail has its exit code, results go to stdout, words about them to stderr.

use std::process::Stdio;

use serde_json::Value;

use crate::support::{clo, code, folder, run, shop, stderr, stdout, write};

#[test]
fn help_and_version_are_results() {
    for arguments in [&["--help"][..], &["--version"], &["score", "--help"], &["models", "promote", "--help"]] {
        let output = run(arguments);
        assert_eq!((code(&output), stderr(&output).as_str()), (0, ""), "{arguments:?}");
        assert!(!output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_command_line_that_is_not_understood_is_2() {
    let shop_folder = folder();
    shop(shop_folder.path());
    let spec = shop_folder.path().to_str().unwrap();
    for arguments in [
        &["rum"][..],
        &[],
        &["run", "--threads", "0"],
        &["run", "--as-of", "yesterday"],
        &["score", "--model", "m", "--input", "i.csv", "--output", "o.txt"],
        &["models", "promote", "second", "--spec", spec],
    ] {
        let output = run(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "", "{arguments:?}");
    }
}

#[test]
fn a_missing_or_broken_spec_is_3() {
    let empty = folder();
    let output = run(&["run", "--spec", empty.path().to_str().unwrap()]);
    assert_eq!(code(&output), 3);
    assert!(stderr(&output).contains("there is no"), "{}", stderr(&output));

    write(&empty.path().join("clo.toml"), "[project\n");
    let output = run(&["run", "--spec", empty.path().to_str().unwrap()]);
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    assert!(!empty.path().join("out").exists(), "nothing is written for a spec that is wrong");
}

#[test]
fn missing_data_is_4_and_says_so_in_json_too() {
    let project = folder();
    shop(project.path());
    std::fs::remove_file(project.path().join("orders.csv")).unwrap();
    let output = run(&["map", "--json", "--spec", project.path().to_str().unwrap()]);
    assert_eq!(code(&output), 4, "{}", stderr(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["format_version"], 1);
    assert_eq!(document["error"]["kind"], "data");
    assert_eq!(document["error"]["exit_code"], 4);
    assert!(document["error"]["message"].as_str().unwrap().contains("orders.csv"), "{document}");
    assert!(stderr(&output).starts_with("error: "));
}

#[test]
fn a_usage_error_is_json_when_json_is_asked_for() {
    let output = run(&["run", "--json", "--bogus"]);
    assert_eq!(code(&output), 2);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["error"]["kind"], "usage");
}

#[test]
fn a_model_that_is_not_there_is_4() {
    let empty = folder();
    let model = empty.path().join("models/x/current");
    let output = run(&["score", "--model", model.to_str().unwrap(), "--input", "i.csv", "--output", "o.csv"]);
    assert_eq!(code(&output), 4);
    assert!(stderr(&output).contains("there is no model in"), "{}", stderr(&output));
}

#[test]
fn a_reader_that_has_seen_enough_ends_the_program_in_silence() {
    let mut child = clo().arg("schema").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((code(&output), stderr(&output).as_str()), (0, ""));
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_written_is_4() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = clo().arg("schema").stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(code(&output), 4);
    assert!(stderr(&output).contains("No space left"), "{}", stderr(&output));
}

#[test]
fn threads_are_set_before_anything_starts() {
    let output = run(&["--threads", "1", "schema"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).contains("\"lifecycle\""));
}
