//! Trains one model on a table of the training bench, and says what it took.
//!
//! In: a model's name and the folder of a table (`make_tables.py`). Out: one line of JSON with seconds of wall and CPU (of fitting
//! alone, binning and standardising included), AUC and log loss on the rows that were not learned from, log loss on those
//! that were, and the SHA-256 of the model as clo would store it. How many threads: `RAYON_NUM_THREADS`.
#![expect(clippy::disallowed_methods, reason = "a bench reads its own files")]
#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::fs;
use std::path::Path;
use std::time::Instant;

use clo::discover::{Cells, Column, Table};
use clo::predict::bayes::Bayes;
use clo::predict::boosting::{Boosting, Forest};
use clo::predict::estimator::{Data, Estimator, Fitted, Settings, Window};
use clo::predict::logistic::{LinearSettings, Logistic};
use clo::predict::metrics::{Resampling, Scored, metrics};
use clo::predict::newton::logistic;
use clo::predict::trees::TreeSettings;
use clo::spec::Solver;
use linfa::traits::Fit as _;
use linfa_bayes::{GaussianNb, NaiveBayes as _};
use ndarray::Array2;
use sha2::{Digest as _, Sha256};
use smartcore::ensemble::random_forest_regressor::{RandomForestRegressor, RandomForestRegressorParameters};
use smartcore::linalg::basic::arrays::Array as _;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::linear::logistic_regression::{LogisticRegression, LogisticRegressionParameters};

/// A table and its labels; the first rows are learned from.
struct Given {
    table: Table,
    label: Vec<bool>,
    n_train: u32,
}

/// Scores of the test rows and of the training rows, and the bytes of the model where it is clo's.
struct Trained {
    test: Vec<f64>,
    train: Vec<f64>,
    bytes: Vec<u8>,
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let [model, folder] = &words[..] else {
        println!("usage: train MODEL FOLDER");
        return;
    };
    let given = read(Path::new(folder));
    let (wall, cpu) = (Instant::now(), cpu_seconds());
    let mut took = (0.0, 0.0);
    let mut stop = || took = (wall.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let trained = match model.as_str() {
        "boosting" => given.ours(&Boosting::default(), &Settings::Trees(same_trees()), &mut stop),
        "boosting-255" => given.ours(&Boosting::default(), &Settings::Trees(all_bins()), &mut stop),
        "forest" => given.tuned(&Forest::default(), &mut stop),
        "bayes" => given.tuned(&Bayes, &mut stop),
        "logistic" => given.ours(&Logistic::default(), &Settings::Linear(LINE), &mut stop),
        "linfa-logistic" => {
            let asked = Logistic { solver: Solver::Linfa, ..Logistic::default() };
            given.ours(&asked, &Settings::Linear(LINE), &mut stop)
        }
        "linfa-bayes" => given.linfa_bayes(&mut stop),
        "smartcore-forest" => given.smartcore_forest(&mut stop),
        "smartcore-logistic" => given.smartcore_logistic(&mut stop),
        other => panic!("no model is called {other}"),
    };
    let (auc, test_loss) = given.measured(&trained.test, given.n_train..given.n_rows());
    let (_, train_loss) = given.measured(&trained.train, 0..given.n_train);
    let digest = Sha256::digest(&trained.bytes);
    let sha256: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    println!(
        "{{\"model\": \"clo {model}\", \"wall_s\": {:.2}, \"cpu_s\": {:.2}, \"auc\": {auc:.5}, \"log_loss\": {test_loss:.6}, \
         \"train_loss\": {train_loss:.7}, \"sha256\": \"{sha256}\"}}",
        took.0, took.1
    );
}

/// 200 trees of 31 leaves from all rows and features, of as many bins as clo takes by itself where rows are many.
fn same_trees() -> TreeSettings {
    TreeSettings {
        rounds: 200,
        learning_rate: 0.1,
        leaves: 31,
        depth: 31,
        min_child_weight: 1.0,
        l2: 1.0,
        row_share: 1.0,
        feature_share: 1.0,
        bins: 64,
        bags: 1,
        random_cuts: false,
        parallel_trees: 1,
    }
}

/// The same, of as many bins as LightGBM takes by itself.
fn all_bins() -> TreeSettings {
    TreeSettings { bins: 255, ..same_trees() }
}

const LINE: LinearSettings = LinearSettings { penalty: 1.0, absolute_share: 0.0, knots: 0 };

impl Given {
    fn n_rows(&self) -> u32 {
        u32::try_from(self.table.n_rows).expect("a bench has fewer rows")
    }

    fn ours(&self, estimator: &dyn Estimator, settings: &Settings, stop: &mut dyn FnMut()) -> Trained {
        let key = keys(self.n_rows());
        let rows: Vec<u32> = (0..self.n_train).collect();
        let fitted = estimator
            .prepare(self.data(&key), &rows)
            .and_then(|prepared| prepared.fit(&rows, settings))
            .expect("the model is fitted");
        stop();
        self.of_fitted(&fitted)
    }

    /// With the settings that a window of the last tenth of the training rows tells.
    fn tuned(&self, estimator: &dyn Estimator, stop: &mut dyn FnMut()) -> Trained {
        let key = keys(self.n_rows());
        let rows: Vec<u32> = (0..self.n_train).collect();
        let (fit, judge) = rows.split_at(rows.len() / 10 * 9);
        let prepared = estimator.prepare(self.data(&key), &rows).expect("the rows can be learned from");
        let tuned = prepared.tune(&[Window { fit: fit.to_vec(), judge: judge.to_vec() }]).expect("settings are found");
        let fitted = prepared.fit(&rows, &tuned.settings).expect("the model is fitted");
        stop();
        self.of_fitted(&fitted)
    }

    fn data<'a>(&'a self, key: &'a [u64]) -> Data<'a> {
        Data { table: &self.table, label: &self.label, weight: None, key, seed: 7, out_of_time: false }
    }

    fn of_fitted(&self, fitted: &Fitted) -> Trained {
        let propensities = |rows: Vec<u32>| {
            let margins = fitted.margins(&self.table, &rows).expect("it is the table of the model");
            margins.into_iter().map(logistic).collect()
        };
        Trained {
            test: propensities((self.n_train..self.n_rows()).collect()),
            train: propensities((0..self.n_train).collect()),
            bytes: serde_json::to_vec(fitted).expect("a model can be written"),
        }
    }

    fn linfa_bayes(&self, stop: &mut dyn FnMut()) -> Trained {
        let (train, test) = self.filled();
        let labels: Vec<usize> = self.train_labels().map(usize::from).collect();
        let dataset = linfa::Dataset::new(train, ndarray::Array1::from(labels));
        let fitted = GaussianNb::<f64, usize>::params().fit(&dataset).expect("naive Bayes is fitted");
        stop();
        let told = |rows: &Array2<f64>| {
            let (chances, classes) = fitted.predict_proba(rows.view());
            let attained = classes.iter().position(|class| **class == 1).expect("both classes were learned from");
            chances.column(attained).to_vec()
        };
        Trained { test: told(&test), train: told(dataset.records()), bytes: Vec::new() }
    }

    fn smartcore_forest(&self, stop: &mut dyn FnMut()) -> Trained {
        let (train, test) = self.smartcore();
        let labels: Vec<f64> = self.train_labels().map(f64::from).collect();
        let asked = RandomForestRegressorParameters::default()
            .with_n_trees(200)
            .with_max_depth(12)
            .with_min_samples_leaf(5)
            .with_m(self.table.columns.len().isqrt())
            .with_seed(7);
        let fitted = RandomForestRegressor::fit(&train, &labels, asked).expect("the forest is fitted");
        stop();
        let told = |rows: &DenseMatrix<f64>| fitted.predict(rows).expect("the forest scores");
        Trained { test: told(&test), train: told(&train), bytes: Vec::new() }
    }

    fn smartcore_logistic(&self, stop: &mut dyn FnMut()) -> Trained {
        let (train, test) = self.smartcore();
        let labels: Vec<i32> = self.train_labels().map(i32::from).collect();
        let asked = LogisticRegressionParameters::default().with_alpha(LINE.penalty);
        let fitted = LogisticRegression::fit(&train, &labels, asked).expect("the regression is fitted");
        stop();
        let weights: Vec<f64> = fitted.coefficients().iterator(0).copied().collect();
        let intercept = *fitted.intercept().get((0, 0));
        let told = |rows: &DenseMatrix<f64>| {
            let (n_rows, n_columns) = rows.shape();
            let margin = |row| (0..n_columns).map(|column| weights[column] * rows.get((row, column))).sum::<f64>();
            (0..n_rows).map(|row| logistic(intercept + margin(row))).collect()
        };
        Trained { test: told(&test), train: told(&train), bytes: Vec::new() }
    }

    fn train_labels(&self) -> impl Iterator<Item = bool> + '_ {
        self.label[..self.n_train as usize].iter().copied()
    }

    /// Training and test rows with gaps as zeros, which these libraries do not take.
    fn filled(&self) -> (Array2<f64>, Array2<f64>) {
        let columns: Vec<&Vec<f32>> = self.table.columns.iter().map(numbers).collect();
        let part = |first: usize, n: usize| {
            Array2::from_shape_fn((n, columns.len()), |(row, column)| {
                let value = columns[column][first + row];
                if value.is_nan() { 0.0 } else { f64::from(value) }
            })
        };
        let n_train = self.n_train as usize;
        (part(0, n_train), part(n_train, self.table.n_rows - n_train))
    }

    fn smartcore(&self) -> (DenseMatrix<f64>, DenseMatrix<f64>) {
        let (train, test) = self.filled();
        let dense = |rows: Array2<f64>| {
            let (n_rows, n_columns) = rows.dim();
            DenseMatrix::new(n_rows, n_columns, rows.into_raw_vec_and_offset().0, false).expect("lengths fit")
        };
        (dense(train), dense(test))
    }

    /// AUC and log loss.
    fn measured(&self, propensity: &[f64], rows: std::ops::Range<u32>) -> (f64, f64) {
        let label = &self.label[rows.start as usize..rows.end as usize];
        let person: Vec<u32> = rows.collect();
        let metrics = metrics(Scored { propensity, label, person: &person }, Resampling { seed: 7, resamples: 0 });
        let value = |measured: Option<clo::predict::evaluation::Measured>| measured.map_or(f64::NAN, |m| m.value);
        (value(metrics.roc_auc), value(metrics.log_loss))
    }
}

fn numbers(column: &Column) -> &Vec<f32> {
    match &column.cells {
        Cells::Number(values) => values,
        Cells::Category { .. } => unreachable!("the tables of the bench hold numbers"),
    }
}

fn read(folder: &Path) -> Given {
    let shape = fs::read(folder.join("shape.json")).expect("shape.json is there");
    let shape: serde_json::Value = serde_json::from_slice(&shape).expect("shape.json is JSON");
    let count = |name: &str| usize::try_from(shape[name].as_u64().expect("a count")).expect("a count");
    let n_rows = count("n_rows");
    let cells = fs::read(folder.join("x.f32")).expect("x.f32 is there");
    let column = |(at, bytes): (usize, &[u8])| Column {
        name: format!("x{at:03}"),
        cells: Cells::Number(
            bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().expect("four bytes"))).collect(),
        ),
    };
    let columns: Vec<Column> = cells.chunks_exact(4 * n_rows).enumerate().map(column).collect();
    assert_eq!(columns.len(), count("n_columns"));
    let label = fs::read(folder.join("y.u8")).expect("y.u8 is there").into_iter().map(|label| label == 1).collect();
    let n_train = u32::try_from(count("n_train")).expect("a bench has fewer rows");
    Given { table: Table { columns, n_rows }, label, n_train }
}

/// Even numbers in the place of a hash of person and cutoff.
fn keys(n: u32) -> Vec<u64> {
    (0..u64::from(n)).map(|row| row.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect()
}

/// User and system seconds of all threads so far, as the kernel counts them (hundredths).
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("the kernel tells");
    let after_name = stat.rsplit(") ").next().expect("a name in brackets");
    let ticks: f64 = after_name.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<f64>().expect("a count")).sum();
    ticks / 100.0
}
