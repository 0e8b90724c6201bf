//! What the chapters share: running the program, small projects, trees of files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The built program.
pub(crate) fn clo() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clo"));
    command.env_remove("CLO_DATA").env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

/// Runs `clo` with arguments.
pub(crate) fn run(arguments: &[&str]) -> Output {
    clo().args(arguments).output().expect("clo starts")
}

/// The exit code.
pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().expect("clo was not killed")
}

/// What was written to stderr.
pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What was written to stdout.
pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Says on stderr why a test does nothing.
#[expect(clippy::print_stderr, reason = "whoever runs the tests must know what was not tested")]
pub(crate) fn said(why: &str) {
    eprintln!("{why}");
}

/// A folder for a test, gone after it.
pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Writes a file, and the folders on its way.
pub(crate) fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a file stands in a folder")).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A shop of orders, small enough to check by hand.
pub(crate) const SHOP: &str = r#"
[project]
name = "shop"
seed = 7
[tables]
orders = "orders.csv"
[events.purchase]
table = "orders"
person = "customer"
time = "ordered_at"
[[lifecycle.stages]]
name = "customer"
enter = "event = 'purchase'"
[[lifecycle.stages]]
name = "repeat"
enter = "event = 'purchase' AND nth >= 2"
from = ["customer"]
[[predictions]]
name = "second"
from = ["customer"]
to = ["repeat"]
horizon = "30d"
cutoffs = { every = "30d", count = 6 }
[[predictions]]
name = "soon"
from = ["customer"]
to = ["repeat"]
horizon = "10d"
cutoffs = { every = "30d", count = 6 }
[[audiences]]
name = "best"
prediction = "second"
size = 10
holdout = "10%"
suppress = ["no.csv"]
[[audiences]]
name = "soonest"
prediction = "soon"
size = 10
"#;

/// People who are still there or have left, as a table of their own; what else the prediction says may follow.
pub(crate) const LEAVING: &str = r#"
[project]
name = "telecom"
[tables]
people = "people.csv"
[people.all]
table = "people"
person = "id"
[[lifecycle.stages]]
name = "active"
[[lifecycle.stages]]
name = "gone"
when = "\"left\" = 'yes'"
[[predictions]]
name = "leave"
from = ["active"]
to = ["gone"]
model = { estimator = "logistic" }
"#;

/// The orders of the shop.
pub(crate) const ORDERS: &str = "customer,ordered_at\nanna,2024-01-05\nben,2024-01-07\nanna,2024-02-03\n";

/// Writes the shop into a folder.
pub(crate) fn shop(folder: &Path) {
    write(&folder.join("clo.toml"), SHOP);
    write(&folder.join("orders.csv"), ORDERS);
    write(&folder.join("no.csv"), "person\nben\n");
}

/// Every file under a folder and what it holds, by its path there.
pub(crate) fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_path_buf();
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    files
}
