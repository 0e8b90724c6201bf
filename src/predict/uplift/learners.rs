//! Four ways to learn whom a treatment changes, over the estimators of this module.
//!
//! With `w` the treatment, `y` the outcome and `p` the share that was treated:
//!
//! - **T** (two models): `P(y | x, w = 1) − P(y | x, w = 0)`, each learned on its own group.
//! - **S** (single model): one model of `y` on `x`, `w`, and `x` again where `w = 1`; asked with `w = 1` and with `w = 0`.
//! - **X** (Künzel, Sekhon, Bickel and Yu, PNAS 2019): the T-learner's models impute to each person what the other group would have
//!   done; least squares learn the imputed effects of both groups, `τ₁` and `τ₀`; the answer is `p τ₀ + (1 − p) τ₁`.
//! - **Class transformation** (Jaskowski and Jaroszewicz 2012): `z = 1` where treated people responded and others did not; with
//!   groups of equal size (the larger one is thinned) the uplift is `2 P(z | x) − 1`.
//!
//! All estimate the same effect, so that their mean does too, and its noise is less: that is what `auto` takes.

use super::ridge::Ridge;
use crate::discover::table::NO_LEVEL;
use crate::discover::{Cells, Column, Table};
use crate::error::Result;
use crate::predict::calibration::Calibrator;
use crate::predict::estimator::{Data, Estimator, Fitted, Window};
use crate::spec::UpliftLearner;

/// Folds in which settings are tuned and probabilities calibrated.
const FOLDS: usize = 3;
/// What marks the treated in the single model's table.
const TREATED: &str = "treated";

/// People of a randomised test.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trial<'a> {
    /// What was known of everybody before, a row each.
    pub table: &'a Table,
    /// The same, as the single model wants it for treated people and for others.
    pub single: &'a [Table; 2],
    /// Whether a row was treated.
    pub treated: &'a [bool],
    /// Whether it responded.
    pub outcome: &'a [bool],
    /// What rows are ordered and parted by.
    pub key: &'a [u64],
    pub seed: u64,
}

/// What was learned, ready to rank anybody.
#[derive(Debug)]
pub(super) struct Learned {
    two: [Model; 2],
    single: Model,
    effects: [Ridge; 2],
    changed: Model,
    share: f64,
}

/// The uplift of each row, by learner.
#[derive(Debug, Clone, Default)]
pub(super) struct Uplifts {
    pub t: Vec<f64>,
    pub s: Vec<f64>,
    pub x: Vec<f64>,
    pub class: Vec<f64>,
}

/// A fitted estimator whose probabilities are calibrated on rows that it had not seen.
#[derive(Debug)]
struct Model {
    fitted: Fitted,
    calibrator: Calibrator,
}

/// The tables of the single model: features, the mark, features again where treated.
pub(super) fn single(table: &Table) -> [Table; 2] {
    let of = |is_treated: bool| {
        let mark = Column {
            name: TREATED.to_owned(),
            cells: Cells::Number(vec![f32::from(u8::from(is_treated)); table.n_rows]),
        };
        let again = table.columns.iter().map(|column| Column {
            name: format!("{TREATED} × {}", column.name),
            cells: if is_treated { column.cells.clone() } else { gaps(&column.cells) },
        });
        let columns = table.columns.iter().cloned().chain([mark]).chain(again).collect();
        Table { columns, n_rows: table.n_rows }
    };
    [of(false), of(true)]
}

fn gaps(cells: &Cells) -> Cells {
    match cells {
        Cells::Number(values) => Cells::Number(vec![f32::NAN; values.len()]),
        Cells::Category { codes, levels } => {
            Cells::Category { codes: vec![NO_LEVEL; codes.len()], levels: levels.clone() }
        }
    }
}

impl Learned {
    /// Learns from `rows`.
    pub(super) fn fit(trial: Trial<'_>, estimator: &dyn Estimator, rows: &[u32]) -> Result<Self> {
        let of_group = |wanted: bool| -> Vec<u32> {
            rows.iter().copied().filter(|&row| trial.treated[row as usize] == wanted).collect()
        };
        let groups = [of_group(false), of_group(true)];
        let learn = |table, label: &[bool], rows: &[u32]| {
            let data = Data { table, label, weight: None, key: trial.key, seed: trial.seed, out_of_time: false };
            Model::fit(estimator, data, rows)
        };
        let two = [learn(trial.table, trial.outcome, &groups[0])?, learn(trial.table, trial.outcome, &groups[1])?];
        let both = joined(trial);
        let single = learn(&both, trial.outcome, rows)?;
        let effects = [imputed(trial, &two[1], &groups[0], -1.0)?, imputed(trial, &two[0], &groups[1], 1.0)?];
        let changed: Vec<bool> =
            trial.treated.iter().zip(trial.outcome).map(|(treated, outcome)| treated == outcome).collect();
        let changed = learn(trial.table, &changed, &balanced(trial, &groups))?;
        let share = groups[1].len() as f64 / rows.len().max(1) as f64;
        Ok(Self { two, single, effects, changed, share })
    }

    /// The uplift of each of `rows`.
    pub(super) fn uplifts(&self, trial: Trial<'_>, rows: &[u32]) -> Result<Uplifts> {
        let of = |model: &Model, table| model.probabilities(table, rows);
        let less = |[low, high]: [Vec<f64>; 2]| high.iter().zip(low).map(|(high, low)| high - low).collect();
        let effects = [self.effects[0].values(trial.table, rows)?, self.effects[1].values(trial.table, rows)?];
        let mixed = effects[0].iter().zip(&effects[1]);
        Ok(Uplifts {
            t: less([of(&self.two[0], trial.table)?, of(&self.two[1], trial.table)?]),
            s: less([of(&self.single, &trial.single[0])?, of(&self.single, &trial.single[1])?]),
            x: mixed.map(|(control, treated)| self.share * control + (1.0 - self.share) * treated).collect(),
            class: of(&self.changed, trial.table)?.into_iter().map(|p| 2.0 * p - 1.0).collect(),
        })
    }
}

impl Uplifts {
    /// The uplift of a learner.
    pub(super) fn of(&self, learner: UpliftLearner) -> Vec<f64> {
        match learner {
            UpliftLearner::T => self.t.clone(),
            UpliftLearner::S => self.s.clone(),
            UpliftLearner::X => self.x.clone(),
            UpliftLearner::ClassTransformation => self.class.clone(),
            UpliftLearner::Auto => {
                (0..self.t.len()).map(|at| (self.t[at] + self.s[at] + self.x[at] + self.class[at]) / 4.0).collect()
            }
        }
    }
}

impl Model {
    fn fit(estimator: &dyn Estimator, data: Data<'_>, rows: &[u32]) -> Result<Self> {
        let prepared = estimator.prepare(data, rows)?;
        let windows = folds(data, rows);
        let tuned = prepared.tune(&windows)?;
        let judged: Vec<u32> = windows.iter().flat_map(|window| window.judge.iter().copied()).collect();
        let key: Vec<u64> = judged.iter().map(|&row| data.key[row as usize]).collect();
        let calibrator = Calibrator::choose(&tuned.margins.concat(), &data.labels(&judged), &key);
        Ok(Self { fitted: prepared.fit(rows, &tuned.settings)?, calibrator })
    }

    fn probabilities(&self, table: &Table, rows: &[u32]) -> Result<Vec<f64>> {
        let margins = self.fitted.margins(table, rows)?;
        Ok(margins.into_iter().map(|margin| self.calibrator.probability(margin)).collect())
    }
}

/// Margins of a model of `label` for `rows`, each by a model that has not seen the row: window after window.
pub(super) fn unseen(estimator: &dyn Estimator, data: Data<'_>, rows: &[u32]) -> Result<(Vec<u32>, Vec<f64>)> {
    let windows = folds(data, rows);
    let tuned = estimator.prepare(data, rows)?.tune(&windows)?;
    Ok((windows.into_iter().flat_map(|window| window.judge).collect(), tuned.margins.concat()))
}

/// Folds with the same share of either label, by key.
fn folds(data: Data<'_>, rows: &[u32]) -> Vec<Window> {
    let mut order = data.in_order(rows);
    order.sort_by_key(|&row| data.label[row as usize]);
    let of = |fold: usize, is_in: bool| -> Vec<u32> {
        let rows = order.iter().enumerate().filter(|(at, _)| (at % FOLDS == fold) == is_in);
        rows.map(|(_, &row)| row).collect()
    };
    (0..FOLDS).map(|fold| Window { fit: of(fold, false), judge: of(fold, true) }).collect()
}

/// The single model's table with everybody as they were.
fn joined(trial: Trial<'_>) -> Table {
    let [control, treated] = trial.single;
    let pick = |(control, treated): (&Column, &Column)| Column {
        name: control.name.clone(),
        cells: picked(&control.cells, &treated.cells, trial.treated),
    };
    let columns = control.columns.iter().zip(&treated.columns).map(pick).collect();
    Table { columns, n_rows: control.n_rows }
}

fn picked(control: &Cells, treated: &Cells, is_treated: &[bool]) -> Cells {
    fn pick<T: Copy>(control: &[T], treated: &[T], is_treated: &[bool]) -> Vec<T> {
        (0..is_treated.len()).map(|row| if is_treated[row] { treated[row] } else { control[row] }).collect()
    }
    match (control, treated) {
        (Cells::Number(control), Cells::Number(treated)) => Cells::Number(pick(control, treated, is_treated)),
        (Cells::Category { codes: control, levels }, Cells::Category { codes: treated, .. }) => {
            Cells::Category { codes: pick(control, treated, is_treated), levels: levels.clone() }
        }
        _ => control.clone(),
    }
}

/// Least squares of the effects that the other group's model imputes to a group; `sign` is 1 for the treated.
fn imputed(trial: Trial<'_>, other: &Model, rows: &[u32], sign: f64) -> Result<Ridge> {
    let otherwise = other.probabilities(trial.table, rows)?;
    let own = |row: u32| f64::from(u8::from(trial.outcome[row as usize]));
    let effect: Vec<f64> = rows.iter().zip(otherwise).map(|(&row, otherwise)| sign * (own(row) - otherwise)).collect();
    Ridge::fit(trial.table, rows, &effect)
}

/// As many of one group as of the other, those with the lowest keys.
fn balanced(trial: Trial<'_>, groups: &[Vec<u32>; 2]) -> Vec<u32> {
    let least = groups[0].len().min(groups[1].len());
    let lowest = |rows: &Vec<u32>| {
        let mut rows = rows.clone();
        rows.sort_unstable_by_key(|&row| (trial.key[row as usize], row));
        rows.truncate(least);
        rows
    };
    groups.iter().flat_map(lowest).collect()
}
