//! The house is in order: each module uses only those before it, every file says what it is for, no test is forgotten.

use std::path::{Path, PathBuf};

/// The modules, in the order in which they may use each other: only those on a line before one's own.
const ORDER: [&[&str]; 12] = [
    &["error"],
    &["time", "rate"],
    &["spec", "store"],
    &["source", "simulate"],
    &["map"],
    &["init"],
    &["discover"],
    &["predict"],
    &["expand"],
    &["report"],
    &["pipeline"],
    &["cli"],
];

#[test]
fn a_module_uses_only_those_before_it() {
    let mut faults = Vec::new();
    for file in rust_files("src") {
        let Some(module) = module(&file) else { continue };
        let own = level(&module).unwrap_or_else(|| panic!("{} has no place in the order of modules", file.display()));
        for (number, line) in code_lines(&file) {
            for used in used_modules(&line) {
                let before = level(&used).is_some_and(|level| level < own);
                if used != module && !before {
                    faults.push(format!(
                        "{}:{number}: `{module}` uses `{used}`, which does not stand before it",
                        file.display()
                    ));
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn every_file_begins_by_saying_what_it_is_for() {
    let files = ["src", "tests", "benches"].into_iter().flat_map(rust_files);
    let silent: Vec<PathBuf> = files.filter(|file| !read(file).starts_with("//! ")).collect();
    assert!(silent.is_empty(), "no //! on the first line of {silent:?}");
}

#[test]
fn no_chapter_is_forgotten() {
    let declared = read(Path::new("tests/it/main.rs"));
    let forgotten: Vec<PathBuf> = rust_files("tests/it")
        .into_iter()
        .filter(|file| file.parent() == Some(Path::new("tests/it")) && !file.ends_with("main.rs"))
        .filter(|file| !declared.contains(&format!("mod {};", file.file_stem().unwrap().to_string_lossy())))
        .collect();
    assert!(forgotten.is_empty(), "tests/it/main.rs has no `mod` for {forgotten:?}");
}

#[test]
fn main_is_a_doorway() {
    assert_eq!(read(Path::new("src/main.rs")).lines().count(), 5);
}

/// `src/map/history.rs` and `src/map.rs` belong to `map`; `src/lib.rs` and `src/main.rs` to none.
fn module(file: &Path) -> Option<String> {
    let inside = file.strip_prefix("src").unwrap();
    let first = Path::new(inside.iter().next()?).file_stem()?.to_str()?.to_owned();
    (first != "lib" && first != "main").then_some(first)
}

fn level(module: &str) -> Option<usize> {
    ORDER.iter().position(|level| level.contains(&module))
}

/// The numbered lines of a file without comments, and without its tests, which may look wherever they like.
fn code_lines(file: &Path) -> Vec<(usize, String)> {
    let is_test_file = file.iter().any(|part| matches!(part.to_str(), Some("tests" | "tests.rs" | "testing.rs")));
    let text = if is_test_file { String::new() } else { read(file) };
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let numbered = code.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    numbered.map(|(i, line)| (i + 1, line.to_owned())).collect()
}

/// The modules that a line names: `use crate::map::Stays;` and `crate::map::Stays` name `map`.
fn used_modules(line: &str) -> Vec<String> {
    let grouped = line.trim().strip_prefix("use crate::{").map(|rest| {
        let depth_zero = split_outside_braces(rest.trim_end_matches("};"));
        depth_zero.iter().map(|part| identifier(part.trim())).collect::<Vec<_>>()
    });
    let direct = line.split("crate::").skip(1).map(identifier).filter(|name| !name.is_empty());
    direct.chain(grouped.into_iter().flatten()).filter(|name| !name.is_empty()).collect()
}

fn split_outside_braces(text: &str) -> Vec<String> {
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for each in text.chars() {
        depth += i32::from(each == '{') - i32::from(each == '}');
        if each == ',' && depth == 0 {
            parts.push(String::new());
        } else {
            parts.last_mut().unwrap().push(each);
        }
    }
    parts
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|each| each.is_ascii_lowercase() || *each == '_' || each.is_ascii_digit()).collect()
}

fn rust_files(folder: &str) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![PathBuf::from(folder)]);
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

#[test]
fn the_tidy_test_sees_what_a_line_uses() {
    assert_eq!(used_modules("use crate::map::Stays;"), ["map"]);
    assert_eq!(used_modules("use crate::{error::{Error, Result}, map};"), ["error", "map"]);
    assert_eq!(used_modules("    let x = crate::store::read_json(path);"), ["store"]);
    assert_eq!(level("map").cmp(&level("discover")), std::cmp::Ordering::Less);
}
