//! The demo's bundle in `models/`, and a small one per estimator and format in `tests/golden`, load and score to the bit as they did
//! when they were made: later versions must not break them.

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
fn corners(bundle: &Bundle) -> Table {
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
    let scored = bundle.score(&corners(&bundle)).unwrap();
    let bits: Vec<String> =
        scored.propensity.iter().map(|propensity| format!("{:016x}", propensity.to_bits())).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden.txt");
    let expected = std::fs::read_to_string(path).unwrap();
    assert_eq!(bits, expected.lines().collect::<Vec<_>>(), "{:?}", scored.propensity);
}

/// A folder of golden bundles, from the root of the repository: name and bytes of each.
pub(crate) fn bundles(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut names: Vec<String> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| Path::new(name).extension().is_some_and(|ending| ending == "json") && name != "rows.json");
    names.sort();
    names.into_iter().map(|name| (name.clone(), std::fs::read(folder.join(&name)).unwrap())).collect()
}

/// The rows that the golden bundles of a folder score.
pub(crate) fn rows(folder: &str) -> Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join("rows.json");
    let columns: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let column = |(name, cells): (String, serde_json::Value)| {
        let numbers: Result<Vec<Option<f32>>, _> = serde_json::from_value(cells.clone());
        let is_text = name == "attr.channel" || name == "attr.nobody";
        let cells = match numbers {
            Ok(numbers) if !is_text => Cells::Number(numbers.into_iter().map(|n| n.unwrap_or(f32::NAN)).collect()),
            _ => category(&serde_json::from_value::<Vec<Option<String>>>(cells).unwrap()),
        };
        Column { name, cells }
    };
    let columns: Vec<Column> = columns.into_iter().map(column).collect();
    Table { columns, n_rows: 16 }
}

fn category(texts: &[Option<String>]) -> Cells {
    let mut levels: Vec<String> = texts.iter().flatten().cloned().collect();
    levels.sort_unstable();
    levels.dedup();
    let code = |text: &Option<String>| {
        let place = text.as_ref().and_then(|text| levels.binary_search(text).ok());
        place.map_or(u32::MAX, |place| u32::try_from(place).unwrap())
    };
    Cells::Category { codes: texts.iter().map(code).collect(), levels: levels.clone() }
}

#[test]
fn golden_bundles_of_every_format_score_to_the_bit() {
    let mut n = 0;
    for format in 2..=clo::predict::bundle::FORMAT_VERSION {
        let folder = format!("tests/golden/format-{format}");
        for (name, bytes) in bundles(&folder) {
            let scored = Bundle::from_bytes(&bytes).unwrap().score(&rows(&folder)).unwrap();
            let bits: Vec<String> =
                scored.propensity.iter().map(|propensity| format!("{:016x}", propensity.to_bits())).collect();
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&folder).join(name.replace(".json", ".scores"));
            let expected = std::fs::read_to_string(path).unwrap();
            assert_eq!(bits, expected.lines().collect::<Vec<_>>(), "{folder}/{name}: {:?}", scored.propensity);
            n += 1;
        }
    }
    assert!(n >= 10, "five estimators in each format");
}
