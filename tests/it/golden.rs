//! The demo's bundle in `models/` loads, and scores to the bit as it did when it was made: later versions must not break it.

use std::path::Path;

use clo::discover::{Cells, Column, Table};
use clo::predict::Bundle;

const N_ROWS: usize = 12;

fn bundle() -> Bundle {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/first-purchase");
    let folder = clo::store::models::resolve(&models.join("current")).unwrap();
    assert!(folder.join("card.md").is_file() && folder.join("evaluation.json").is_file());
    Bundle::load(&folder).unwrap()
}

/// Rows that reach the corners of the features: numbers here and there among gaps, levels, levels never seen.
fn rows(bundle: &Bundle) -> Table {
    let column = |(place, feature): (usize, &clo::predict::trees::Feature)| {
        let cells = match &feature.levels {
            None => Cells::Number((0..N_ROWS).map(|row| number(row, place)).collect()),
            Some(levels) => {
                let mut levels = levels.clone();
                levels.push("\u{10ffff} never seen".to_owned());
                let n = levels.len() + 1;
                let code = |row: usize| u32::try_from((row + place) % n).unwrap();
                let codes = (0..N_ROWS).map(code).map(|code| if code as usize + 1 == n { u32::MAX } else { code });
                Cells::Category { codes: codes.collect(), levels }
            }
        };
        Column { name: feature.name.clone(), cells }
    };
    Table { columns: bundle.features.iter().enumerate().map(column).collect(), n_rows: N_ROWS }
}

fn number(row: usize, place: usize) -> f32 {
    const NUMBERS: [f32; 5] = [0.0, 1.0, 3.5, 12.25, 30.0];
    if (place * 7 + row * 5).is_multiple_of(19) { NUMBERS[(row + place) % NUMBERS.len()] } else { f32::NAN }
}

#[test]
fn the_demos_bundle_scores_to_the_bit() {
    let bundle = bundle();
    let scored = bundle.score(&rows(&bundle)).unwrap();
    let bits: Vec<String> =
        scored.propensity.iter().map(|propensity| format!("{:016x}", propensity.to_bits())).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden.txt");
    let expected = std::fs::read_to_string(path).unwrap();
    assert_eq!(bits, expected.lines().collect::<Vec<_>>(), "{:?}", scored.propensity);
}
