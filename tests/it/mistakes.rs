//! Every mistake that a person can make ends with the right exit code, and with words that say what, where and what to do.
//!
//! Each test makes one mistake in a shop that is sound otherwise, runs the program in its folder, and shows what it said.

mod identity;
mod init;
mod lifecycle;
mod measure;
mod paths;
mod people;
mod places;
mod tables;
mod times;
mod written;

use std::collections::BTreeMap;
use std::process::Output;

use jiff::civil::{Date, date};

use crate::support::{clo, code, folder, stderr, stdout};

const SPEC: &str = r#"[project]
name = "shop"
seed = 7

[tables]
orders = "data/orders.csv"
people = "data/people.csv"

[people.buyers]
table = "people"
person = "customer"

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

[[predictions]]
name = "second"
from = ["customer"]
to = ["repeat"]
horizon = "30d"
cutoffs = { every = "30d", count = 6 }
model = { estimator = "logistic" }

[[audiences]]
name = "best"
prediction = "second"
size = 5
suppress = ["data/no.csv"]
consent = "opt_in = true"
"#;

/// A row per order: 240 customers, of whom every other one comes again.
fn orders() -> Vec<String> {
    let order = |person: i32, day: i32| format!("c{person:03},{},{}", on(day), 10 + person % 7);
    let lines = (0..240).flat_map(|person| {
        let first = person * 7 % 300;
        let again = (person % 2 == 0).then(|| order(person, first + 5 + person * 11 % 40));
        [Some(order(person, first)), again].into_iter().flatten()
    });
    [String::from("customer,ordered_at,amount")].into_iter().chain(lines).collect()
}

fn on(day: i32) -> Date {
    date(2024, 1, 1) + jiff::Span::new().days(day)
}

/// A row per customer.
fn people() -> Vec<String> {
    let row = |person: i32| {
        let city = match person % 3 {
            0 => "Ulm",
            1 => "Bonn",
            _ => "Kiel",
        };
        format!("c{person:03},{city},{},{}", 20 + person * 13 % 50, person % 4 != 0)
    };
    [String::from("customer,city,age,opt_in")].into_iter().chain((0..240).map(row)).collect()
}

/// The shop with a mistake.
struct Shop {
    spec: String,
    files: BTreeMap<&'static str, Vec<u8>>,
    command: Vec<&'static str>,
}

/// The shop without a mistake.
fn shop() -> Shop {
    let files = [("data/orders.csv", orders().join("\n")), ("data/people.csv", people().join("\n"))];
    let files = files.into_iter().chain([("data/no.csv", "customer\nc003\n".to_owned())]);
    Shop {
        spec: SPEC.to_owned(),
        files: files.map(|(name, text)| (name, text.into_bytes())).collect(),
        command: vec!["run"],
    }
}

impl Shop {
    /// Other words in the spec.
    fn spec(mut self, right: &str, wrong: &str) -> Self {
        assert!(self.spec.contains(right), "the spec does not say {right}");
        self.spec = self.spec.replacen(right, wrong, 1);
        self
    }

    /// Another file, or other bytes in one.
    fn file(mut self, name: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.insert(name, bytes.into());
        self
    }

    /// Other lines in a file; line 0 is the header.
    fn lines(self, name: &'static str, line: impl Fn(usize, &str) -> String) -> Self {
        let text = String::from_utf8(self.files[name].clone()).unwrap();
        let lines: Vec<String> = text.lines().enumerate().map(|(number, text)| line(number, text)).collect();
        self.file(name, lines.join("\n"))
    }

    /// Other texts of times.
    fn times(self, time: impl Fn(usize, Date) -> String) -> Self {
        self.lines("data/orders.csv", |number, text| {
            let fields: Vec<&str> = text.split(',').collect();
            let time = if number == 0 { fields[1].to_owned() } else { time(number, fields[1].parse().unwrap()) };
            format!("{},{time},{}", fields[0], fields[2])
        })
    }

    fn command(mut self, words: &[&'static str]) -> Self {
        self.command = words.to_vec();
        self
    }

    fn write(&self) -> tempfile::TempDir {
        let folder = folder();
        let spec = ("clo.toml", self.spec.as_bytes());
        for (name, bytes) in self.files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).chain([spec]) {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        folder
    }

    /// What the program says after a sound run, and its exit code.
    fn said_after_a_run(&self, words: &[&str]) -> String {
        let folder = self.write();
        let first = clo().arg("run").current_dir(folder.path()).output().unwrap();
        assert_eq!(code(&first), 0, "{}", stderr(&first));
        let output = clo().args(words).current_dir(folder.path()).output().unwrap();
        self::words(&output, folder.path())
    }

    /// What the program says, and its exit code.
    fn said(&self) -> String {
        let folder = self.write();
        let output = clo().args(&self.command).current_dir(folder.path()).output().unwrap();
        words(&output, folder.path())
    }
}

/// Exit code, what went to stderr, and the warnings among the results.
fn words(output: &Output, folder: &std::path::Path) -> String {
    assert!(!stderr(output).contains("panicked"), "{}", stderr(output));
    let results = stdout(output);
    // What is said of the prediction itself (a small shop teaches little) is no mistake.
    let is_told = |line: &&str| line.starts_with("warning: ") && !line.starts_with("warning: second: ");
    let warnings = results.lines().filter(is_told);
    let warnings: String = warnings.map(|line| format!("{line}\n")).collect();
    let said = format!("exit {}\n{}{warnings}", code(output), stderr(output));
    said.replace(folder.to_str().unwrap(), "[…]").trim_end().to_owned()
}
