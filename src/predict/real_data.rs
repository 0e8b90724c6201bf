//! Measured on real files, where `CLO_DATA` says where they are; nothing is tested without it.

use std::time::Instant;

use super::boosting::{Boosting, Forest};
use super::estimator::{Data, Estimator, Window};
use super::judge::windowed_loss;
use super::logistic::Logistic;
use super::metrics::{Resampling, Scored, metrics};
use super::newton::logistic;
use crate::discover::table::NO_LEVEL;
use crate::discover::{Cells, Column, Table};

/// A table and labels out of a CSV file.
fn read(file: &str, delimiter: u8, target: &str, yes: &str, drop: &[&str]) -> Option<(Table, Vec<bool>)> {
    let path = std::path::Path::new(&std::env::var("CLO_DATA").ok()?).join(file);
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_path(path).unwrap();
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let column = |at: usize| records.iter().map(move |record| record[at].trim());
    let mut table = Table { columns: Vec::new(), n_rows: records.len() };
    let mut label = Vec::new();
    for (at, name) in header.iter().enumerate() {
        if name == target {
            label = column(at).map(|text| text == yes).collect();
        } else if !drop.contains(&name.as_str()) {
            let numbers: Option<Vec<f32>> =
                column(at).map(|text| if text.is_empty() { Some(f32::NAN) } else { text.parse().ok() }).collect();
            let cells = numbers.map_or_else(
                || {
                    let mut levels: Vec<String> = column(at).map(str::to_owned).collect();
                    levels.sort_unstable();
                    levels.dedup();
                    let code =
                        |text: &str| levels.iter().position(|level| level == text).map_or(NO_LEVEL, |at| at as u32);
                    Cells::Category { codes: column(at).map(code).collect(), levels: levels.clone() }
                },
                Cells::Number,
            );
            table.columns.push(Column { name: format!("attr.{name}"), cells });
        }
    }
    Some((table, label))
}

fn key(n: usize) -> Vec<u64> {
    (0..n as u64)
        .map(|row| u64::from_le_bytes(blake3::hash(&row.to_le_bytes()).as_bytes()[..8].try_into().unwrap()))
        .collect()
}

fn folds(label: &[bool], key: &[u64], rows: &[u32], n: usize) -> Vec<Window> {
    let mut order = rows.to_vec();
    order.sort_by_key(|&row| (label[row as usize], key[row as usize]));
    (0..n)
        .map(|fold| {
            let (judge, fit): (Vec<_>, Vec<_>) = order.iter().enumerate().partition(|(at, _)| at % n == fold);
            let rows = |part: Vec<(usize, &u32)>| part.into_iter().map(|(_, &row)| row).collect();
            Window { fit: rows(fit), judge: rows(judge) }
        })
        .collect()
}

#[test]
#[ignore = "takes minutes"]
fn five_folds() {
    let estimators: [&dyn Estimator; 3] = [&Logistic::default(), &Boosting::default(), &Forest::default()];
    let files = [
        ("telco-churn/telco.csv", b',', "Churn", "Yes", vec!["customerID"]),
        ("bank-marketing/bank-additional.csv", b';', "y", "yes", vec!["duration"]),
    ];
    for (file, delimiter, target, yes, drop) in files {
        let Some((table, label)) = read(file, delimiter, target, yes, &drop) else { return };
        let key = key(table.n_rows);
        let data = Data { table: &table, label: &label, weight: None, key: &key, seed: 7, out_of_time: false };
        let all: Vec<u32> = (0..table.n_rows as u32).collect();
        for estimator in estimators {
            let start = Instant::now();
            let mut propensity = vec![0.0; table.n_rows];
            let mut settings = None;
            for outer in folds(&label, &key, &all, 5) {
                let prepared = estimator.prepare(data, &outer.fit).unwrap();
                let inner: Vec<u64> = key.iter().map(|key| key.rotate_left(17)).collect();
                let tuned = prepared.tune(&folds(&label, &inner, &outer.fit, 4)).unwrap();
                let fitted = prepared.fit(&outer.fit, &tuned.settings).unwrap();
                settings = Some(tuned.settings);
                for (&row, margin) in outer.judge.iter().zip(fitted.margins(&table, &outer.judge).unwrap()) {
                    propensity[row as usize] = logistic(margin);
                }
            }
            let scored = Scored { propensity: &propensity, label: &label, person: &all };
            let metrics = metrics(scored, Resampling { seed: 1, resamples: 0 });
            let value = |measured: Option<super::evaluation::Measured>| measured.unwrap().value;
            println!(
                "{file} {:10} auc {:.4} log loss {:.4} ece {:.4} lift {:.2} in {:.1} s {settings:?}",
                estimator.name(),
                value(metrics.roc_auc),
                value(metrics.log_loss),
                value(metrics.ece),
                value(metrics.lift_10),
                start.elapsed().as_secs_f64()
            );
        }
    }
}

#[test]
#[ignore = "takes a minute"]
fn bank_in_time() {
    let Some((table, label)) = read("bank-marketing/bank-additional.csv", b';', "y", "yes", &["duration"]) else {
        return;
    };
    let key = key(table.n_rows);
    let data = Data { table: &table, label: &label, weight: None, key: &key, seed: 7, out_of_time: true };
    let n = table.n_rows as u32;
    let (validation, test) = (n * 16 / 25, n * 4 / 5);
    let rows = |from: u32, to: u32| (from..to).collect::<Vec<u32>>();
    let edge = |part: u32, parts: u32| validation + (test - validation) * part / parts;
    let cut = |parts: u32| (0..parts).map(move |part| (edge(part, parts), edge(part + 1, parts)));
    let windows: Vec<Window> = [5, 2, 10]
        .into_iter()
        .flat_map(cut)
        .map(|(start, end)| Window { fit: rows(0, start), judge: rows(start, end) })
        .collect();
    for estimator in [&Logistic::default() as &dyn Estimator, &Boosting::default(), &Forest::default()] {
        let start = Instant::now();
        let prepared = estimator.prepare(data, &rows(0, test)).unwrap();
        let tuned = prepared.tune(&windows).unwrap();
        let labels: Vec<Vec<bool>> = windows.iter().map(|window| data.labels(&window.judge)).collect();
        let loss = windowed_loss(
            tuned.margins.iter().zip(&labels).map(|(margins, labels)| (margins.as_slice(), labels.as_slice())),
            false,
        );
        let fitted = prepared.fit(&rows(0, test), &tuned.settings).unwrap();
        let last = rows(test, n);
        let propensity: Vec<f64> = fitted.margins(&table, &last).unwrap().into_iter().map(logistic).collect();
        let scored = Scored { propensity: &propensity, label: &data.labels(&last), person: &last };
        let auc = metrics(scored, Resampling { seed: 1, resamples: 100 }).roc_auc.unwrap();
        println!(
            "{} loss {loss:.4} test {auc:?} {:?} {:.1} s",
            estimator.name(),
            tuned.settings,
            start.elapsed().as_secs_f64()
        );
    }
}
