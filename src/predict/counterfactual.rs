//! The smallest change of features one can act on that brings a person's propensity to a goal.
//!
//! In: a bundle, a person, the people to whom they are compared, what may be changed ([`Actionable`]), a goal. Out: the changes, or that none
//! does. A number changes to where the model's answer can change: to either side of the cuts of its trees, and to the hundredths of the
//! people; a category to any other level that is allowed. What a change costs: the share of the people between the old value and
//! the new one (0–1) times the feature's cost; another level, the feature's cost.
//!
//! One change, and any two together, are tried in full (of two, the forty cheapest-spread values of each, then all values near the best). More than two
//! are found greedily: the change that brings most for its cost, again and again, and then each is taken back as far as the goal
//! allows. It speaks of the *model*: whether a person whose feature is changed would act otherwise, only a trial tells. Features
//! that would change along with the changed ones are left as they are.

use std::collections::BTreeMap;

use serde::Serialize;

use super::calibration::Calibrator;
use super::estimator::Fitted;
use super::trees::TreeModel;
use crate::discover::table::NO_LEVEL;
use crate::discover::{Cells, Table};
use crate::error::{Error, Result, did_you_mean};
use crate::spec::{Actionable, Direction};

/// Parts that the people are cut into for the values of a number.
const PARTS: usize = 100;
/// Values of a feature that are tried together with those of another.
const TOGETHER: usize = 40;
/// Rows that the model scores at a time.
const CHUNK: usize = 4_096;

/// What was sought and found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Counterfactual {
    /// The propensity that is to be reached.
    pub goal: f64,
    /// Whether it is to be raised to the goal; else lowered.
    pub raises: bool,
    /// Whether the changes reach it.
    pub reached: bool,
    /// What is to be changed; where nothing reaches the goal, what comes nearest.
    pub changes: Vec<Change>,
    /// The propensity after the changes.
    pub propensity: f64,
    /// What they cost together.
    pub cost: f64,
    /// Whether no cheaper change of the tried values exists; false where three or more had to change.
    pub is_smallest: bool,
}

/// One changed feature.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The feature.
    pub feature: String,
    /// Its value now; absent: none.
    pub from: Option<Value>,
    /// Its value then.
    pub to: Value,
    /// What that costs.
    pub cost: f64,
}

/// A value of a feature.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A number.
    Number(f64),
    /// A level.
    Level(String),
}

/// A model, and what makes a probability of its margin.
#[derive(Debug, Clone, Copy)]
pub struct Scorer<'a> {
    /// From features to a margin.
    pub model: &'a Fitted,
    /// From a margin to a probability.
    pub calibration: &'a Calibrator,
}

impl Scorer<'_> {
    fn propensities(&self, table: &Table, rows: &[u32]) -> Result<Vec<f64>> {
        let margins = self.model.margins(table, rows)?;
        Ok(margins.into_iter().map(|margin| self.calibration.probability(margin)).collect())
    }
}

/// A feature that may be changed, and to what.
struct Lever {
    column: usize,
    name: String,
    from: Option<Value>,
    /// Values and costs, the cheapest first.
    options: Vec<(Cell, f64)>,
}

/// A value in its table's form.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Cell {
    Number(f32),
    Code(u32),
}

/// For each lever which of its options is taken; `None`: it stays.
type Setting = Vec<Option<usize>>;

/// The smallest change of `actionable` features that brings the person in `row` of `table` to `goal`; the rows of `table` are the people to
/// compare with.
///
/// # Errors
/// When an actionable feature is none of the model's, or is not of the kind that it is said to be.
pub fn counterfactual(
    scorer: Scorer<'_>,
    table: &Table,
    row: u32,
    actionable: &BTreeMap<String, Actionable>,
    goal: f64,
) -> Result<Counterfactual> {
    let levers = actionable
        .iter()
        .map(|(name, actionable)| lever(scorer.model, table, row, name, actionable))
        .collect::<Result<Vec<Lever>>>()?;
    let person = table.take(&[row]);
    let now = scorer.propensities(&person, &[0])?[0];
    let search = Search { scorer, person, levers, goal, raises: goal > now };
    search.found(now)
}

struct Search<'a> {
    scorer: Scorer<'a>,
    person: Table,
    levers: Vec<Lever>,
    goal: f64,
    raises: bool,
}

impl Search<'_> {
    fn found(&self, now: f64) -> Result<Counterfactual> {
        let nothing: Setting = vec![None; self.levers.len()];
        if self.reaches(now) {
            return Ok(self.told(&nothing, now, true));
        }
        let singles: Vec<Setting> = (0..self.levers.len())
            .flat_map(|lever| (0..self.levers[lever].options.len()).map(move |option| (lever, option)))
            .map(|(lever, option)| with(&nothing, lever, option))
            .collect();
        let one = self.cheapest(&singles)?;
        let two = self.cheapest(&self.pairs(one.as_ref().map(|(setting, _)| self.cost(setting))))?;
        let two = two.map(|(setting, propensity)| self.refined(setting, propensity)).transpose()?;
        let best = [one, two].into_iter().flatten().min_by(|a, b| self.cost(&a.0).total_cmp(&self.cost(&b.0)));
        if let Some((setting, propensity)) = best {
            return Ok(self.told(&setting, propensity, true));
        }
        let (setting, propensity) = self.greedy(nothing, now)?;
        Ok(self.told(&setting, propensity, false))
    }

    fn reaches(&self, propensity: f64) -> bool {
        if self.raises { propensity >= self.goal } else { propensity <= self.goal }
    }

    /// How much nearer to the goal's side `propensity` is than `than`.
    fn gain(&self, propensity: f64, than: f64) -> f64 {
        if self.raises { propensity - than } else { than - propensity }
    }

    fn cost(&self, setting: &Setting) -> f64 {
        self.levers.iter().zip(setting).filter_map(|(lever, option)| Some(lever.options[(*option)?].1)).sum()
    }

    /// The cheapest of `settings` that reaches the goal; of equal ones the one that goes further.
    fn cheapest(&self, settings: &[Setting]) -> Result<Option<(Setting, f64)>> {
        let propensities = self.propensities(settings)?;
        let reaching = settings.iter().zip(propensities).filter(|(_, propensity)| self.reaches(*propensity));
        let best = reaching
            .min_by(|a, b| self.cost(a.0).total_cmp(&self.cost(b.0)).then_with(|| self.gain(b.1, a.1).total_cmp(&0.0)));
        Ok(best.map(|(setting, propensity)| (setting.clone(), propensity)))
    }

    /// Two changes at once that cost less than `most`.
    fn pairs(&self, most: Option<f64>) -> Vec<Setting> {
        let nothing: Setting = vec![None; self.levers.len()];
        let spread = |lever: usize| -> Vec<usize> {
            let n = self.levers[lever].options.len();
            (0..n).step_by(n.div_ceil(TOGETHER).max(1)).chain(n.checked_sub(1)).collect()
        };
        let mut pairs = Vec::new();
        for first in 0..self.levers.len() {
            for second in first + 1..self.levers.len() {
                for one in spread(first) {
                    for other in spread(second) {
                        let cost = self.levers[first].options[one].1 + self.levers[second].options[other].1;
                        if most.is_none_or(|most| cost < most) {
                            pairs.push(with(&with(&nothing, first, one), second, other));
                        }
                    }
                }
            }
        }
        pairs
    }

    /// The setting, each of its changes taken back as far as the goal allows.
    fn refined(&self, mut setting: Setting, mut propensity: f64) -> Result<(Setting, f64)> {
        loop {
            let cheaper: Vec<Setting> = (0..self.levers.len())
                .filter_map(|lever| setting[lever].map(|option| (lever, option)))
                .flat_map(|(lever, option)| (0..option).map(move |less| (lever, Some(less))).chain([(lever, None)]))
                .map(|(lever, option)| {
                    let mut cheaper = setting.clone();
                    cheaper[lever] = option;
                    cheaper
                })
                .collect();
            match self.cheapest(&cheaper)? {
                Some(found) if self.cost(&found.0) < self.cost(&setting) => (setting, propensity) = found,
                _ => return Ok((setting, propensity)),
            }
        }
    }

    /// The change that brings most for its cost, again and again.
    fn greedy(&self, mut setting: Setting, mut propensity: f64) -> Result<(Setting, f64)> {
        loop {
            let next: Vec<Setting> = (0..self.levers.len())
                .filter(|&lever| setting[lever].is_none())
                .flat_map(|lever| (0..self.levers[lever].options.len()).map(move |option| (lever, option)))
                .map(|(lever, option)| with(&setting, lever, option))
                .collect();
            let spent = self.cost(&setting);
            let worth =
                |(next, after): &(&Setting, f64)| self.gain(*after, propensity) / (self.cost(next) - spent).max(1e-9);
            let propensities = self.propensities(&next)?;
            let gaining = next.iter().zip(propensities).filter(|(_, after)| self.gain(*after, propensity) > 1e-12);
            let Some((best, after)) = gaining.max_by(|a, b| worth(a).total_cmp(&worth(b))) else {
                return self.as_far_as_it_goes(setting, propensity);
            };
            (setting, propensity) = (best.clone(), after);
            if self.reaches(propensity) {
                return self.refined(setting, propensity);
            }
        }
    }

    /// Where every lever has been moved and the goal is not reached: each is moved on while it brings something.
    fn as_far_as_it_goes(&self, mut setting: Setting, mut propensity: f64) -> Result<(Setting, f64)> {
        loop {
            let others: Vec<Setting> = (0..self.levers.len())
                .flat_map(|lever| (0..self.levers[lever].options.len()).map(move |option| (lever, option)))
                .map(|(lever, option)| with(&setting, lever, option))
                .collect();
            let propensities = self.propensities(&others)?;
            let best = others.iter().zip(propensities).max_by(|a, b| self.gain(a.1, b.1).total_cmp(&0.0));
            match best {
                Some((other, after)) if self.gain(after, propensity) > 1e-12 => {
                    (setting, propensity) = (other.clone(), after);
                    if self.reaches(propensity) {
                        return self.refined(setting, propensity);
                    }
                }
                _ => return Ok((setting, propensity)),
            }
        }
    }

    fn propensities(&self, settings: &[Setting]) -> Result<Vec<f64>> {
        let mut found = Vec::with_capacity(settings.len());
        for settings in settings.chunks(CHUNK) {
            let mut table = self.person.take(&vec![0; settings.len()]);
            for (row, setting) in settings.iter().enumerate() {
                for (lever, option) in self.levers.iter().zip(setting) {
                    let Some(option) = option else { continue };
                    match (&mut table.columns[lever.column].cells, lever.options[*option].0) {
                        (Cells::Number(values), Cell::Number(value)) => values[row] = value,
                        (Cells::Category { codes, .. }, Cell::Code(code)) => codes[row] = code,
                        _ => {}
                    }
                }
            }
            found.extend(self.scorer.propensities(&table, &(0..).take(settings.len()).collect::<Vec<u32>>())?);
        }
        Ok(found)
    }

    fn told(&self, setting: &Setting, propensity: f64, is_smallest: bool) -> Counterfactual {
        let change = |(lever, option): (&Lever, &Option<usize>)| {
            let (cell, cost) = lever.options[(*option)?];
            let to = value(cell, &self.person.columns[lever.column].cells)?;
            Some(Change { feature: lever.name.clone(), from: lever.from.clone(), to, cost })
        };
        Counterfactual {
            goal: self.goal,
            raises: self.raises,
            reached: self.reaches(propensity),
            changes: self.levers.iter().zip(setting).filter_map(change).collect(),
            propensity,
            cost: self.cost(setting),
            is_smallest: is_smallest && self.reaches(propensity),
        }
    }
}

fn with(setting: &Setting, lever: usize, option: usize) -> Setting {
    let mut changed = setting.clone();
    changed[lever] = Some(option);
    changed
}

fn lever(model: &Fitted, table: &Table, row: u32, name: &str, actionable: &Actionable) -> Result<Lever> {
    let known = model.features();
    let column = table.columns.iter().position(|column| column.name == name).filter(|_| known.contains(&name));
    let Some(column) = column else {
        let error = Error::data(format!("`actionable`: the model knows no feature `{name}`"));
        return Err(match did_you_mean(name, known.iter().copied()) {
            Some(meant) => error.hint(format!("is it `{meant}`?")),
            None => error.hint("the features are listed in importance.parquet of the prediction"),
        });
    };
    let cells = &table.columns[column].cells;
    let (cell, mut options) = match cells {
        Cells::Number(values) if actionable.to.is_empty() => {
            let now = values[row as usize];
            let cuts = cuts(model, name);
            (Cell::Number(now), numbers(values, now, cuts, actionable))
        }
        Cells::Category { codes, levels } if actionable.direction.is_none() && actionable.step.is_none() => {
            let now = codes[row as usize];
            let options = level_options(levels, now, actionable)
                .map_err(|error| error.context(format!("`actionable.{name}`")))?;
            (Cell::Code(now), options)
        }
        Cells::Number(_) => {
            return Err(Error::data(format!("`actionable`: `{name}` is a number"))
                .hint("give its `direction` and `step` in place of `to`"));
        }
        Cells::Category { .. } => {
            return Err(Error::data(format!("`actionable`: `{name}` is a category"))
                .hint("give the levels it may change `to` in place of `direction` and `step`"));
        }
    };
    options.sort_by(|a, b| a.1.total_cmp(&b.1));
    Ok(Lever { column, name: name.to_owned(), from: value(cell, cells), options })
}

fn value(cell: Cell, cells: &Cells) -> Option<Value> {
    match (cell, cells) {
        (Cell::Number(number), _) if number.is_nan() => None,
        (Cell::Number(number), _) => number.to_string().parse().ok().map(Value::Number),
        (Cell::Code(code), Cells::Category { levels, .. }) => levels.get(code as usize).cloned().map(Value::Level),
        (Cell::Code(_), Cells::Number(_)) => None,
    }
}

/// Where the trees cut a number.
fn cuts(model: &Fitted, name: &str) -> Vec<f32> {
    let of_trees = |trees: &TreeModel| {
        let Some(place) = trees.features.iter().position(|feature| feature.name == name) else { return Vec::new() };
        let nodes = trees.trees.trees().iter().flat_map(hessboost::tree::RegTree::nodes);
        let asking = nodes.filter(|node| !node.is_leaf() && node.split_feature as usize == place);
        asking.map(|node| node.split_cond).collect()
    };
    match model {
        Fitted::Linear(_) => Vec::new(),
        Fitted::Trees(trees) => of_trees(trees),
        Fitted::Blend(blend) => blend.parts.iter().flat_map(|part| cuts(&part.model, name)).collect(),
    }
}

/// The values that a number may change to, with their costs. None lies beyond what people have.
fn numbers(values: &[f32], now: f32, cuts: Vec<f32>, actionable: &Actionable) -> Vec<(Cell, f64)> {
    let mut sorted: Vec<f32> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_unstable_by(f32::total_cmp);
    let (Some(&lowest), Some(&highest)) = (sorted.first(), sorted.last()) else { return Vec::new() };
    if now.is_nan() {
        return Vec::new();
    }
    let mut wanted: Vec<f32> = if let Some(step) = actionable.step {
        let steps = |sign: f64| (1..=10_000).map(move |n| (f64::from(now) + sign * step * f64::from(n)) as f32);
        let up = steps(1.0).take_while(|value| *value <= highest);
        up.chain(steps(-1.0).take_while(|value| *value >= lowest)).collect()
    } else {
        let quantile = |part: usize| sorted[part * (sorted.len() - 1) / PARTS];
        // A row goes left below a cut: the nearest values of either side are the cut itself, and the one just below.
        let either_side = cuts.into_iter().flat_map(|cut| [cut, below(cut, &sorted)]);
        either_side.chain((0..=PARTS).map(quantile)).collect()
    };
    let allowed = |value: &f32| match actionable.direction {
        Some(Direction::Up) => *value > now,
        Some(Direction::Down) => *value < now,
        None => *value != now,
    };
    wanted.retain(|value| (lowest..=highest).contains(value) && allowed(value));
    wanted.sort_unstable_by(f32::total_cmp);
    wanted.dedup();
    let place = |value: f32| {
        let below = sorted.partition_point(|other| *other < value);
        let not_above = sorted.partition_point(|other| *other <= value);
        (below + not_above) as f64 / (2.0 * sorted.len() as f64)
    };
    // Where nobody lies between, the way along the range tells the nearer.
    let range = f64::from(highest - lowest).max(f64::MIN_POSITIVE);
    let distance = |value: f32| (place(value) - place(now)).abs() + 1e-3 * f64::from((value - now).abs()) / range;
    wanted.into_iter().map(|value| (Cell::Number(value), actionable.cost * distance(value))).collect()
}

/// The largest value of `sorted` below a cut: a number that people do have.
fn below(cut: f32, sorted: &[f32]) -> f32 {
    sorted[..sorted.partition_point(|value| *value < cut)].last().copied().unwrap_or(cut)
}

fn level_options(levels: &[String], now: u32, actionable: &Actionable) -> Result<Vec<(Cell, f64)>> {
    if let Some(level) = actionable.to.iter().find(|level| !levels.contains(level)) {
        let error = Error::data(format!("nobody has the level `{level}`"));
        return Err(match did_you_mean(level, levels.iter().map(String::as_str)) {
            Some(meant) => error.hint(format!("is it `{meant}`?")),
            None => error.hint(format!("there are {}", levels.join(", "))),
        });
    }
    let allowed = |level: &String| actionable.to.is_empty() || actionable.to.contains(level);
    let other = (0_u32..).zip(levels).filter(|(code, level)| *code != now && allowed(level));
    Ok(other.filter(|(code, _)| *code != NO_LEVEL).map(|(code, _)| (Cell::Code(code), actionable.cost)).collect())
}

#[cfg(test)]
mod tests;
