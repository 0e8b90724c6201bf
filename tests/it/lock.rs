//! Two runs in one project at once: one wins, the other ends at once; a killed run leaves no lock.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{clo, code, folder, run, shop, stderr};
use clo::store::lock;

#[test]
fn the_second_run_ends_at_once_with_7() {
    let project = folder();
    shop(project.path());
    let held = lock::acquire(&project.path().join("out"), "clo run").unwrap();
    let spec = project.path().to_str().unwrap();
    let since = Instant::now();
    let output = run(&["run", "--spec", spec]);
    assert_eq!(code(&output), 7, "{}", stderr(&output));
    assert!(since.elapsed() < Duration::from_secs(5), "it waited");
    assert!(stderr(&output).contains("is in use by clo run, process"), "{}", stderr(&output));
    assert!(stderr(&output).contains("help: wait until it has ended"), "{}", stderr(&output));
    drop(held);
    assert_ne!(code(&run(&["map", "--spec", spec])), 7);
}

#[cfg(unix)]
#[test]
fn a_killed_run_leaves_no_lock() {
    let project = folder();
    shop(project.path());
    let spec = project.path().to_str().unwrap();
    // A pipe that nobody fills: the run stops there, and holds the lock.
    let orders = project.path().join("orders.csv");
    std::fs::remove_file(&orders).unwrap();
    assert!(Command::new("mkfifo").arg(&orders).status().unwrap().success());
    let mut first = clo().args(["map", "--spec", spec]).stderr(Stdio::null()).spawn().unwrap();
    wait_until_held(&project.path().join("out").join(lock::FILE));
    let second = run(&["map", "--spec", spec]);
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(code(&second), 7, "{}", stderr(&second));

    std::fs::remove_file(&orders).unwrap();
    shop(project.path());
    let third = run(&["map", "--spec", spec]);
    assert_ne!(code(&third), 7, "{}", stderr(&third));
}

#[cfg(unix)]
fn wait_until_held(file: &std::path::Path) {
    let since = Instant::now();
    while std::fs::read(file).map_or(true, |holder| holder.is_empty()) {
        assert!(since.elapsed() < Duration::from_secs(20), "the first run never took the lock");
        std::thread::sleep(Duration::from_millis(10));
    }
}
