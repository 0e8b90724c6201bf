//! Bundles with random edits: each must be refused, or, with a seal that was put right, load and score; none may panic, hang or
//! take more memory than 8 times its file.
//!
//! `cargo bench --bench mutate -- 100000 [MODEL.json …]`: so many edits of every kind of every bundle; the golden ones, if none
//! is named.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a bench is no part of the product"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clo::discover::{Cells, Column, Table};
use clo::predict::bundle::FORMAT_VERSION;
use clo::predict::{Bundle, sealed};
use peak_alloc::PeakAlloc;

mod edits;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// What a series of edits came to.
#[derive(Default)]
struct Outcome {
    n: usize,
    loaded: usize,
    panicked: usize,
    most_memory: f64,
    longest: Duration,
}

impl Outcome {
    /// Loads a file and scores with what it holds; memory counts until it is loaded.
    fn take(&mut self, file: &[u8], rows: &Table) {
        let since = Instant::now();
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        let mut peak = 0;
        let result = catch_unwind(AssertUnwindSafe(|| {
            let bundle = Bundle::from_bytes(file);
            peak = MEMORY.peak_usage().saturating_sub(before);
            bundle.is_ok_and(|bundle| {
                drop(bundle.score(rows));
                true
            })
        }));
        self.n += 1;
        self.most_memory = self.most_memory.max(peak as f64 / file.len().max(1024) as f64);
        self.longest = self.longest.max(since.elapsed());
        match result {
            Ok(loaded) => self.loaded += usize::from(loaded),
            Err(_) => self.panicked += 1,
        }
    }

    fn told(&self, what: &str) {
        println!(
            "  {what}: {} edits, {} loaded, {} panics, memory at most {:.1} x the file, {:.1} ms at most",
            self.n,
            self.loaded,
            self.panicked,
            self.most_memory,
            1e3 * self.longest.as_secs_f64()
        );
    }
}

/// Rows that reach the corners of a bundle's features.
fn rows(bundle: &Bundle) -> Table {
    const NUMBERS: [f32; 7] = [f32::NAN, 0.0, 1.0, -3.5, 1e30, f32::INFINITY, 12.25];
    let column = |(place, feature): (usize, &clo::predict::trees::Feature)| {
        let cells = match &feature.levels {
            None => Cells::Number((0..7).map(|row| NUMBERS[(row + place) % 7]).collect()),
            Some(levels) => {
                let n = u32::try_from(levels.len()).unwrap() + 1;
                let code = |row: u32| if row % n + 1 == n { u32::MAX } else { row % n };
                Cells::Category { codes: (0..7).map(code).collect(), levels: levels.clone() }
            }
        };
        Column { name: feature.name.clone(), cells }
    };
    Table { columns: bundle.features.iter().enumerate().map(column).collect(), n_rows: 7 }
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let n: usize = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(2_000);
    let mut files: Vec<PathBuf> = arguments.map(PathBuf::from).collect();
    if files.is_empty() {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/format-{FORMAT_VERSION}"));
        let found = std::fs::read_dir(golden).unwrap().map(|entry| entry.unwrap().path());
        files = found
            .filter(|path| path.extension().is_some_and(|ending| ending == "json") && !path.ends_with("rows.json"))
            .collect();
        files.sort();
    }
    std::panic::set_hook(Box::new(|_| {}));
    for path in files {
        let bundle = Bundle::from_bytes(&std::fs::read(&path).unwrap()).unwrap();
        let (file, plain, rows) = (bundle.to_bytes().unwrap(), serde_json::to_vec(&bundle).unwrap(), rows(&bundle));
        println!("{} ({} bytes)", path.display(), file.len());
        let mut whole = Outcome::default();
        whole.take(&file, &rows);
        whole.told("as it is");
        let mut edits = edits::Edits::new(1);
        let (mut broken, mut resealed) = (Outcome::default(), Outcome::default());
        for _ in 0..n {
            let edited = edits.edited(&file);
            if edited != file {
                broken.take(&edited, &rows);
            }
            // An edit of the first words cannot be sealed: that file is what it is.
            let edited = edits.edited(&plain);
            resealed.take(&sealed::seal(FORMAT_VERSION, &edited).unwrap_or(edited), &rows);
        }
        broken.told("edited");
        resealed.told("edited and sealed again");
    }
}
