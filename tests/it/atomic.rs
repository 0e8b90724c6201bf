//! Old or new, never half: what stands in the output folder when writing fails.

use std::io::Write as _;
use std::path::Path;

use clo::error::Error;
use clo::store;

use crate::support::{folder, tree};

#[test]
fn a_write_that_fails_half_way_leaves_the_old_file_and_nothing_else() {
    let out = folder();
    let path = out.path().join("scores.parquet");
    store::write_bytes(&path, b"old").unwrap();
    let failed = store::write_with(&path, |file| {
        file.write_all(&vec![0; 1 << 20]).map_err(|source| Error::io("write", Path::new("x"), &source))?;
        Err(Error::data("the disk is full"))
    });
    assert_eq!(failed.unwrap_err().exit_code(), 4);
    assert_eq!(tree(out.path()).into_iter().collect::<Vec<_>>(), [("scores.parquet".into(), b"old".to_vec())]);
}

#[test]
fn a_folder_that_cannot_be_made_is_4_and_says_what_to_do() {
    let out = folder();
    store::write_bytes(&out.path().join("map"), b"a file where a folder should be").unwrap();
    let error = store::write_json(&out.path().join("map/lifecycle.json"), &1).unwrap_err();
    assert_eq!(error.exit_code(), 4);
    assert!(error.message().contains("lifecycle.json"), "{error}");
    assert!(error.hints()[0].contains("--out"), "{error}");
}

#[cfg(unix)]
#[test]
fn an_artifact_is_readable_by_others() {
    use std::os::unix::fs::PermissionsExt as _;
    let out = folder();
    let path = out.path().join("report.html");
    store::write_bytes(&path, b"<p>").unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o644);
}

/// A limit on the size of files stands in for a full disk: the system refuses the write in the same way.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_4_and_leaves_no_half_file() {
    let shop = folder();
    let limited = "trap '' XFSZ; ulimit -f 64; exec \"$0\" simulate \"$1\" --people 2000";
    let output = std::process::Command::new("sh")
        .args(["-c", limited, env!("CARGO_BIN_EXE_clo")])
        .arg(shop.path().join("shop"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("cannot write"), "{said}");
    let half: Vec<_> = tree(shop.path()).into_keys().filter(|path| path.to_string_lossy().contains(".part")).collect();
    assert!(half.is_empty(), "{half:?}");
}
