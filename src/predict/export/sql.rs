//! A bundle as one SELECT, from a table with a column per feature to key and propensity.
//!
//! Trees become nested CASE expressions, added in pairs so that no expression is deeper than a tree and a logarithm of their
//! number. Numbers are taken in single precision, as the model saw them; sums are in double precision.

use super::super::bundle::Bundle;
use super::super::calibration::Calibrator;
use super::super::estimator::Fitted;
use super::super::trees::TreeModel;
use super::{NumberTerm, Term, parts, place, terms, used};
use hessboost::tree::RegTree;

/// Whose SQL.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dialect {
    /// `DuckDB`.
    #[default]
    DuckDb,
    /// PostgreSQL.
    Postgres,
}

/// What the statement reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Whose SQL.
    pub dialect: Dialect,
    /// The table that holds a column per feature.
    pub table: String,
    /// Its column that tells rows apart.
    pub key: String,
}

impl Default for Query {
    fn default() -> Self {
        Self { dialect: Dialect::DuckDb, table: "features".into(), key: "person".into() }
    }
}

/// The statement.
pub(super) fn select(bundle: &Bundle, query: &Query) -> String {
    let writer = Writer { dialect: query.dialect };
    let key = quoted(&query.key);
    let mut columns = vec![key.clone()];
    for (at, feature) in bundle.features.iter().enumerate() {
        columns.push(writer.column(at, &feature.name, feature.levels.is_some()));
    }
    let (intercept, parts) = parts(&bundle.model);
    let (mut encoded, mut margins) = (vec!["*".to_owned()], vec![writer.number(intercept)]);
    for (part, (weight, model)) in parts.into_iter().enumerate() {
        let margin = match model {
            Fitted::Trees(model) => {
                encoded.extend(writer.encoded(part, model));
                writer.trees(part, model)
            }
            Fitted::Linear(model) => {
                let place = |name: &str| bundle.features.iter().position(|feature| feature.name == name);
                let terms = terms(model).into_iter().filter_map(|(name, term)| Some(writer.term(place(name)?, &term)));
                sum([writer.number(model.intercept)].into_iter().chain(terms).collect())
            }
            Fitted::Blend(_) => continue,
        };
        margins.push(format!("{} * {margin}", writer.number(weight)));
    }
    let least = writer.number(-500.0);
    let most = writer.number(500.0);
    format!(
        "-- {} by {}: propensity of each row of {}, which has a column per feature; gaps are NULL.\n\
         WITH raw AS (SELECT {}\n FROM {}),\nencoded AS (SELECT {}\n FROM raw),\n\
         margins AS (SELECT {key}, {} AS margin\n FROM encoded),\n\
         log_odds AS (SELECT {key}, LEAST(GREATEST({}, {least}), {most}) AS log_odds\n FROM margins)\n\
         SELECT {key}, {one} / ({one} + EXP(-log_odds)) AS propensity\nFROM log_odds\n",
        bundle.prediction.replace('\n', " "),
        bundle.estimator.replace('\n', " "),
        query.table.replace('\n', " "),
        columns.join(",\n  "),
        table(&query.table),
        encoded.join(",\n  "),
        sum(margins),
        writer.calibrated(&bundle.calibration),
        one = writer.number(1.0),
    )
}

struct Writer {
    dialect: Dialect,
}

impl Writer {
    /// A double to the bit. `DuckDB` takes a number with an exponent for one, `PostgreSQL` would take it for a decimal.
    fn number(&self, value: f64) -> String {
        match self.dialect {
            Dialect::DuckDb if value < 0.0 => format!("({value:e})"),
            Dialect::DuckDb => format!("{value:e}"),
            Dialect::Postgres => format!("FLOAT8 '{value:e}'"),
        }
    }

    /// A feature as a column `n…` or `t…`; what is not finite is a gap.
    fn column(&self, at: usize, name: &str, is_category: bool) -> String {
        let name = quoted(name);
        if is_category {
            return format!("CAST({name} AS TEXT) AS t{at}");
        }
        let most = self.number(f64::from(f32::MAX));
        format!("CASE WHEN ABS({name}) <= {most} THEN CAST(CAST({name} AS FLOAT4) AS FLOAT8) END AS n{at}")
    }

    /// The categories that trees look at, as the numbers their levels count as.
    fn encoded(&self, part: usize, model: &TreeModel) -> Vec<String> {
        let used = used(model);
        let category = |at: usize| {
            let levels = model.features[at].levels.as_ref().filter(|_| used[at])?;
            let (gap, codes) = model.codes[at].split_last()?;
            let cases = levels.iter().zip(codes);
            let cases: String = cases
                .map(|(level, &code)| format!(" WHEN {} THEN {}", text(level), self.number(f64::from(code))))
                .collect();
            let gap = if gap.is_nan() { "NULL".to_owned() } else { self.number(f64::from(*gap)) };
            let coded = if cases.is_empty() { gap } else { format!("CASE t{at}{cases} ELSE {gap} END") };
            Some(format!("{coded} AS c{part}_{at}"))
        };
        (0..model.features.len()).filter_map(category).collect()
    }

    fn trees(&self, part: usize, model: &TreeModel) -> String {
        let name =
            |at: usize| if model.features[at].levels.is_some() { format!("c{part}_{at}") } else { format!("n{at}") };
        let trees = model.trees.trees().iter().map(|tree| format!("\n  {}", self.tree(tree, 0, &name)));
        sum([self.number(model.offset)].into_iter().chain(trees).collect())
    }

    fn tree(&self, tree: &RegTree, at: usize, name: &dyn Fn(usize) -> String) -> String {
        let node = tree.node(at);
        if node.is_leaf() {
            return self.number(f64::from(node.leaf_value));
        }
        let value = name(node.split_feature as usize);
        let test = if node.is_categorical {
            let named: Vec<String> =
                tree.split_categories(at).iter().map(|&code| self.number(f64::from(code))).collect();
            format!("{value} IN ({})", named.join(", "))
        } else {
            format!("{value} < {}", self.number(f64::from(node.split_cond)))
        };
        let gap = if node.default_left { format!(" OR {value} IS NULL") } else { String::new() };
        let [left, right] = [node.left, node.right].map(|child| self.tree(tree, place(child), name));
        format!("CASE WHEN {test}{gap} THEN {left} ELSE {right} END")
    }

    fn term(&self, at: usize, term: &Term<'_>) -> String {
        match term {
            Term::Number(term) => self.number_term(at, term),
            Term::Category(term) => {
                let nothing = self.number(0.0);
                let cases: String = term
                    .levels
                    .iter()
                    .map(|(level, weight)| format!(" WHEN t{at} = {} THEN {}", text(level), self.number(*weight)))
                    .collect();
                format!("\n  CASE WHEN t{at} IS NULL THEN {}{cases} ELSE {nothing} END", self.number(term.gap))
            }
        }
    }

    fn number_term(&self, at: usize, term: &NumberTerm<'_>) -> String {
        let number = term.number;
        let tamed = if number.tamed {
            let one = self.number(1.0);
            format!("CAST(CAST(SIGN(n{at}) * LN({one} + ABS(n{at})) AS FLOAT4) AS FLOAT8)")
        } else {
            format!("n{at}")
        };
        let within = |value: &str, low: f64, high: f64| {
            format!("LEAST(GREATEST({value}, {}), {})", self.number(low), self.number(high))
        };
        let value = format!("COALESCE({tamed}, {})", self.number(number.fill));
        let value = number.limits.map_or(value.clone(), |[low, high]| within(&value, low, high));
        let line = format!("{} * ({value} - {})", self.number(term.slope), self.number(number.mean));
        let gap = format!("CASE WHEN n{at} IS NULL THEN {} ELSE {} END", self.number(term.gap), self.number(0.0));
        let mut sums = vec![format!("\n  {line}")];
        if let [first, .., last] = number.knots[..] {
            let inside = within(&value, first, last);
            sums.push(self.broken(&inside, &number.knots, term.values, &term.steepness));
        }
        if term.gap != 0.0 {
            sums.push(gap);
        }
        sum(sums)
    }

    /// The broken line through `(knots, values)` at `at`, an expression between the outer knots.
    fn broken(&self, at: &str, knots: &[f64], values: &[f64], steepness: &[f64]) -> String {
        let piece = |from: usize| {
            let [value, slope, knot] = [values[from], steepness[from], knots[from]].map(|number| self.number(number));
            format!("{value} + {slope} * ({at} - {knot})")
        };
        let last = steepness.len() - 1;
        let cases: String = (0..last)
            .map(|from| format!(" WHEN {at} < {} THEN {}", self.number(knots[from + 1]), piece(from)))
            .collect();
        if cases.is_empty() { format!("({})", piece(last)) } else { format!("CASE{cases} ELSE {} END", piece(last)) }
    }

    fn calibrated(&self, calibration: &Calibrator) -> String {
        match calibration {
            Calibrator::Identity => "margin".to_owned(),
            Calibrator::Platt(line) => {
                format!("{} * margin + {}", self.number(line.slope), self.number(line.intercept))
            }
            Calibrator::Beta(beta) => {
                let [zero, one] = [0.0, 1.0].map(|number| self.number(number));
                let bounded = format!("LEAST(ABS(margin), {})", self.number(500.0));
                let soft = |sign: &str| format!("(GREATEST({sign}margin, {zero}) + LN({one} + EXP(-{bounded})))");
                let [high, low, intercept] = [-beta.high, beta.low, beta.intercept].map(|number| self.number(number));
                format!("{high} * {} + {low} * {} + {intercept}", soft("-"), soft(""))
            }
            Calibrator::Isotonic(line) => {
                let (xs, ys) = (&line.margins, &line.log_odds);
                let steepness: Vec<f64> =
                    xs.windows(2).zip(ys.windows(2)).map(|(x, y)| (y[1] - y[0]) / (x[1] - x[0])).collect();
                let [first, last] = [xs[0], xs[xs.len() - 1]].map(|number| self.number(number));
                let inside = format!("LEAST(GREATEST(margin, {first}), {last})");
                let zero = self.number(0.0);
                let beyond = format!("LEAST(margin - {first}, {zero}) + GREATEST(margin - {last}, {zero})");
                format!("{} + {beyond}", self.broken(&inside, xs, ys, &steepness))
            }
        }
    }
}

/// A sum whose depth is the logarithm of its length.
fn sum(mut terms: Vec<String>) -> String {
    match terms.len() {
        0 => "0".to_owned(),
        1 => terms.remove(0),
        n => {
            let rest = terms.split_off(n / 2);
            format!("({} + {})", sum(terms), sum(rest))
        }
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A table by its name, perhaps with its schema, or whatever stands in brackets or calls a function.
fn table(name: &str) -> String {
    if name.contains('(') { name.to_owned() } else { name.split('.').map(quoted).collect::<Vec<_>>().join(".") }
}

fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
