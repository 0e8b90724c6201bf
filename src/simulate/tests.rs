//! The simulator against itself: same bytes, calibrated truth, and stages counted again from the files alone.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use polars::prelude::DataFrame;

use super::calendar::{CAMPAIGN, DAY, HORIZON, N_CUTOFFS, START, cutoff, seconds};
use super::*;
use crate::time::Time;

fn shop(n_people: usize, seed: u64) -> Vec<Life> {
    let calendar = Calendar::new();
    (0..n_people).into_par_iter().map(|person| life::live(person, &calendar, stream(seed, person as u64))).collect()
}

/// Every file of a folder: path and digest.
fn digests(folder: &Path, summary: &Summary) -> BTreeMap<String, blake3::Hash> {
    let names = summary.files.iter().map(|file| file.path.as_str()).chain(["clo.toml"]);
    names.map(|name| (name.to_owned(), blake3::hash(&std::fs::read(folder.join(name)).unwrap()))).collect()
}

#[test]
fn one_and_three_threads_write_the_same_bytes() {
    let settings = Settings { n_people: 400, seed: 11, reveal_traits: true };
    let trees = [1, 3, 3].map(|n_threads| {
        let folder = tempfile::tempdir().unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        let summary = pool.install(|| simulate(folder.path(), &settings)).unwrap();
        digests(folder.path(), &summary)
    });
    assert_eq!(trees[0].len(), 11);
    assert_eq!(trees[0], trees[1]);
    assert_eq!(trees[1], trees[2]);
}

#[test]
fn the_written_spec_names_the_cutoffs_of_the_truth() {
    let spec: toml::Table = SPEC.replace("{seed}", "7").parse().unwrap();
    let end: Time = spec["lifecycle"]["end"].as_str().unwrap().parse().unwrap();
    assert_eq!(end, calendar::micros(seconds(calendar::N_DAYS)));
    let lapsed = &spec["lifecycle"]["stages"][5];
    assert_eq!(lapsed["silence"].as_str(), Some(format!("{}d", hazard::SILENCE_DAYS).as_str()));
    for prediction in spec["predictions"].as_array().unwrap() {
        let horizon = format!("{HORIZON}d");
        assert_eq!(prediction["horizon"].as_str(), Some(horizon.as_str()));
        assert_eq!(prediction["cutoffs"]["every"].as_str(), Some(horizon.as_str()));
        assert_eq!(prediction["cutoffs"]["count"].as_integer(), i64::try_from(N_CUTOFFS).ok());
    }
}

#[test]
fn a_project_is_not_overwritten_but_a_simulated_shop_is() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { n_people: 3, ..Settings::default() };
    simulate(folder.path(), &settings).unwrap();
    simulate(folder.path(), &settings).unwrap();
    std::fs::remove_file(folder.path().join("truth.parquet")).unwrap();
    let refused = simulate(folder.path(), &settings).unwrap_err();
    assert!(refused.message().ends_with("holds a project already"), "{refused}");
    assert!(simulate(folder.path(), &Settings { n_people: 0, ..settings }).is_err());
}

/// Each eligible person's true probability and what became of them, over the cutoffs with an outcome.
fn outcomes(lives: &[Life], probability: fn(&life::Truth) -> Option<f64>, n_purchases: usize) -> Vec<(f64, bool)> {
    let mut rows = Vec::new();
    for life in lives {
        for k in 0..N_CUTOFFS {
            let Some(p) = probability(&life.truth[k]) else { continue };
            let (from, to) = (seconds(cutoff(k)), seconds(cutoff(k) + HORIZON));
            let next = life.purchases.get(n_purchases).map(|purchase| purchase.at);
            // A purchase after 180 days of silence is one of a lapsed person: it was not the customer who moved.
            let in_time = |at: &i64| n_purchases == 0 || *at < life.purchases[n_purchases - 1].at + 180 * DAY;
            rows.push((p, next.filter(in_time).is_some_and(|at| (from..to).contains(&at))));
        }
    }
    rows
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0.0), |(sum, n), value| (sum + value, n + 1.0));
    sum / n
}

#[test]
fn true_probabilities_are_calibrated_by_decile() {
    let lives = shop(20_000, 3);
    let first = outcomes(&lives, |truth| truth.first_purchase, 0);
    let second = outcomes(&lives, |truth| truth.second_purchase, 1);
    for (name, mut rows) in [("first", first), ("second", second)] {
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        let share = mean(rows.iter().map(|row| f64::from(u8::from(row.1))));
        assert!((0.02..0.15).contains(&share), "{name}: base rate {share}");
        for decile in rows.chunks(rows.len().div_ceil(10)) {
            let expected: f64 = decile.iter().map(|row| row.0).sum();
            let variance: f64 = decile.iter().map(|row| row.0 * (1.0 - row.0)).sum();
            let attained = decile.iter().map(|row| f64::from(u8::from(row.1))).sum::<f64>();
            // Four standard errors: one false alarm in 800 runs of these twenty comparisons.
            assert!((attained - expected).abs() < 4.0 * variance.sqrt(), "{name}: {attained} for {expected}");
        }
    }
}

#[test]
fn the_campaign_does_what_its_true_effects_sum_up_to() {
    let lives = shop(40_000, 5);
    let window = seconds(CAMPAIGN)..seconds(CAMPAIGN + HORIZON);
    let (mut n, mut bought, mut effect) = ([0.0; 2], [0.0; 2], 0.0);
    for life in &lives {
        let Some(campaign) = life.campaign else { continue };
        let group = usize::from(campaign.treated);
        n[group] += 1.0;
        bought[group] += f64::from(u8::from(life.purchases.iter().any(|purchase| window.contains(&purchase.at))));
        effect += campaign.effect;
    }
    let shares = [bought[0] / n[0], bought[1] / n[1]];
    let error = (0..2).map(|g| shares[g] * (1.0 - shares[g]) / n[g]).sum::<f64>().sqrt();
    let (measured, truth) = (shares[1] - shares[0], effect / (n[0] + n[1]));
    assert!((measured - truth).abs() < 4.0 * error, "measured {measured}, true {truth}, standard error {error}");
    assert!(truth > 4.0 * error, "an effect too small to be found: {truth}, {error}");
}

/// All that the files tell about stages: per person, the first event, the sign-up and the purchases (seconds).
#[derive(Default)]
struct Seen {
    events: Vec<i64>,
    sign_ups: Vec<i64>,
    purchases: Vec<i64>,
}

fn parse(text: &str) -> Option<i64> {
    let at: Time = text.parse().ok()?;
    Some(at.0 / 1_000_000 - START)
}

fn texts(frame: &DataFrame, name: &str) -> Vec<Option<String>> {
    let column = frame.column(name).unwrap().str().unwrap();
    column.iter().map(|text| text.map(str::to_owned)).collect()
}

fn instants(frame: &DataFrame, name: &str) -> Vec<Option<i64>> {
    let column = frame.column(name).unwrap().datetime().unwrap();
    column.physical().iter().map(|at| at.map(|at| at / 1_000_000 - START)).collect()
}

fn read(folder: &Path) -> BTreeMap<String, Seen> {
    let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
    let data = folder.join("data");
    let open = |name: &str| std::fs::read(data.join(name)).unwrap();
    let mut visits = Vec::new();
    flate2::read::GzDecoder::new(open("visits.csv.gz").as_slice()).read_to_end(&mut visits).unwrap();
    let columns = [("people.csv", 0, 12, b','), ("visits.csv.gz", 0, 1, b','), ("carts.csv", 0, 1, b';')];
    for (name, who, when, delimiter) in columns {
        let bytes = if name == "visits.csv.gz" { visits.clone() } else { open(name) };
        for row in csv::ReaderBuilder::new().delimiter(delimiter).from_reader(bytes.as_slice()).records() {
            let row = row.unwrap();
            let Some(at) = parse(&row[when]).filter(|_| !row[who].is_empty()) else { continue };
            let person = seen.entry(row[who].to_owned()).or_default();
            person.events.push(at);
            if name == "people.csv" {
                person.sign_ups.push(at);
            }
        }
    }
    for line in String::from_utf8(open("emails.jsonl")).unwrap().lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let at = parse(row["at"].as_str().unwrap()).unwrap();
        seen.entry(row["recipient"].as_str().unwrap().to_owned()).or_default().events.push(at);
    }
    let purchases = store::read_frame(&data.join("purchases.parquet")).unwrap();
    for (person, at) in texts(&purchases, "person_id").into_iter().zip(instants(&purchases, "purchased_at")) {
        let person = seen.entry(person.unwrap()).or_default();
        person.events.push(at.unwrap());
        person.purchases.push(at.unwrap());
    }
    seen
}

/// The stage just before an instant, counted anew from all events each time.
fn stage_before(seen: &Seen, instant: i64) -> Option<&'static str> {
    let known = |times: &[i64]| times.iter().filter(|&&at| at < instant).count();
    let last = seen.purchases.iter().filter(|&&at| at < instant).max();
    match (known(&seen.purchases), last) {
        (_, Some(last)) if last + 180 * DAY < instant => Some("lapsed"),
        (1, _) => Some("customer"),
        (2..=4, _) => Some("repeat"),
        (5.., _) => Some("loyal"),
        (0, _) if known(&seen.sign_ups) > 0 => Some("lead"),
        (0, _) => (known(&seen.events) > 0).then_some("visitor"),
    }
}

#[test]
fn stages_counted_again_from_the_files_are_the_true_ones() {
    let folder = tempfile::tempdir().unwrap();
    simulate(folder.path(), &Settings { n_people: 600, seed: 2, reveal_traits: false }).unwrap();
    let seen = read(folder.path());
    assert_eq!(seen.len(), 600, "everybody leaves at least one event");

    let truth = store::read_frame(&folder.path().join("truth.parquet")).unwrap();
    assert_eq!(truth.height(), 600 * 13);
    let (persons, stages) = (texts(&truth, "person"), texts(&truth, "stage"));
    for ((person, stage), at) in persons.iter().zip(&stages).zip(instants(&truth, "cutoff")) {
        let person = person.as_ref().unwrap();
        assert_eq!(stage.as_deref(), stage_before(&seen[person], at.unwrap()), "{person} at {at:?}");
    }

    let stays = store::read_frame(&folder.path().join("truth_stage_history.parquet")).unwrap();
    let (persons, stages) = (texts(&stays, "person"), texts(&stays, "stage"));
    let (entered, left) = (instants(&stays, "entered_at"), instants(&stays, "left_at"));
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for row in 0..stays.height() {
        let (person, stage) = (&seen[persons[row].as_ref().unwrap()], stages[row].as_deref().unwrap());
        let (entered, left) = (entered[row].unwrap(), left[row].unwrap_or(seconds(calendar::N_DAYS)));
        assert_ne!(stage_before(person, entered), Some(stage), "a stay begins with a move");
        assert_eq!(stage_before(person, entered + 1), Some(stage), "{persons:?} {entered}", persons = persons[row]);
        assert_eq!(stage_before(person, left), Some(stage));
        *found.entry(stage).or_default() += 1;
    }
    assert_eq!(found.len(), 6, "every stage is visited: {found:?}");
}
