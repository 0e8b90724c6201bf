//! A bundle as an ONNX graph: an input of shape `[n, 1]` per feature that counts (`float` for numbers, NaN a gap; `string` for
//! categories, an empty text a gap), and one output, `propensity`, `double [n, 1]`.
//!
//! Trees are one `TreeEnsembleClassifier` in single precision, as the model sums them; everything after it, and linear models,
//! are in double precision. Of the operators that would serve those are taken that more runtimes know: tract has neither
//! `TreeEnsembleRegressor` nor `LabelEncoder`. Not every runtime knows gaps in trees, so each number enters twice, gaps once below and once above
//! all cuts, and a split reads the one that goes its way. Operators: `ai.onnx` 15, `ai.onnx.ml` 2.

use super::super::bundle::Bundle;
use super::super::calibration::Calibrator;
use super::super::estimator::Fitted;
use super::super::linear::LinearModel;
use super::super::trees::{Feature, TreeModel};
use super::proto::Message;
use super::{NumberTerm, Term, parts, place, terms, used};
use crate::error::{Error, Result};

const FLOAT: i64 = 1;
const INTEGER: i64 = 7;
const TEXT: i64 = 8;
const DOUBLE: i64 = 11;
const ML: &str = "ai.onnx.ml";

/// The file.
pub(super) fn graph(bundle: &Bundle) -> Result<Vec<u8>> {
    let mut graph = Graph::default();
    let (intercept, parts) = parts(&bundle.model);
    let mut margin = graph.constant(&[intercept], &[]);
    for (weight, model) in parts {
        let of_part = match model {
            Fitted::Trees(model) => graph.trees(model)?,
            Fitted::Linear(model) => graph.linear(model),
            Fitted::Blend(_) => continue,
        };
        let weighed = graph.scaled(&of_part, weight);
        margin = graph.node("Add", &[&margin, &weighed]);
    }
    let log_odds = graph.calibrated(&margin, &bundle.calibration);
    let odds_against = graph.unary("Neg", &log_odds);
    let odds_against = graph.unary("Exp", &odds_against);
    let one = graph.constant(&[1.0], &[]);
    let all = graph.node("Add", &[&one, &odds_against]);
    let output = Message::default().text(1, &one).text(1, &all).text(2, "propensity").text(4, "Div");
    graph.nodes.push(output);
    Ok(graph.finish(bundle))
}

/// A graph that is being built; values are known by name.
#[derive(Default)]
struct Graph {
    nodes: Vec<Message>,
    constants: Vec<Message>,
    inputs: Vec<(String, i64)>,
    n_values: usize,
}

impl Graph {
    fn finish(self, bundle: &Bundle) -> Vec<u8> {
        let value = |name: &str, kind: i64| {
            let rows = Message::default().text(2, "n");
            let shape = Message::default().message(1, &rows).message(1, &Message::default().int(1, 1));
            let tensor = Message::default().int(1, kind).message(2, &shape);
            Message::default().text(1, name).message(2, &Message::default().message(1, &tensor))
        };
        let mut graph = Message::default();
        for node in self.nodes {
            graph = graph.message(1, &node);
        }
        graph = graph.text(2, &bundle.prediction);
        for constant in self.constants {
            graph = graph.message(5, &constant);
        }
        for (name, kind) in &self.inputs {
            graph = graph.message(11, &value(name, *kind));
        }
        graph = graph.message(12, &value("propensity", DOUBLE));
        let opset = |domain: &str, version| Message::default().text(1, domain).int(2, version);
        Message::default()
            .int(1, 8)
            .text(2, "clo")
            .message(7, &graph)
            .message(8, &opset("", 15))
            .message(8, &opset(ML, 2))
            .bytes()
    }

    fn name(&mut self) -> String {
        self.n_values += 1;
        format!("#{}", self.n_values)
    }

    /// A node of one output, with its attributes.
    fn with(&mut self, domain: &str, operator: &str, inputs: &[&str], attributes: Vec<Message>) -> String {
        let [output] = self.outputs(domain, operator, inputs, attributes);
        output
    }

    /// A node of `N` outputs, called after the last of them.
    fn outputs<const N: usize>(
        &mut self,
        domain: &str,
        operator: &str,
        inputs: &[&str],
        attributes: Vec<Message>,
    ) -> [String; N] {
        let outputs = std::array::from_fn(|_| self.name());
        let mut node = Message::default();
        for input in inputs {
            node = node.text(1, input);
        }
        for output in &outputs {
            node = node.text(2, output);
        }
        node = node.text(3, outputs.last().map_or("", String::as_str)).text(4, operator);
        for attribute in attributes {
            node = node.message(5, &attribute);
        }
        self.nodes.push(node.text(7, domain));
        outputs
    }

    fn node(&mut self, operator: &str, inputs: &[&str]) -> String {
        self.with("", operator, inputs, Vec::new())
    }

    fn unary(&mut self, operator: &str, input: &str) -> String {
        self.node(operator, &[input])
    }

    /// Doubles of a shape; no shape: one.
    fn constant(&mut self, values: &[f64], shape: &[i64]) -> String {
        let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.tensor(shape, DOUBLE, &raw)
    }

    fn tensor(&mut self, shape: &[i64], kind: i64, raw: &[u8]) -> String {
        let name = self.name();
        self.constants.push(Message::default().ints(1, shape).int(2, kind).text(8, &name).blob(9, raw));
        name
    }

    fn float(&mut self, value: f32) -> String {
        self.tensor(&[], FLOAT, &value.to_le_bytes())
    }

    fn input(&mut self, name: &str, kind: i64) -> String {
        if !self.inputs.iter().any(|(known, _)| known == name) {
            self.inputs.push((name.to_owned(), kind));
        }
        name.to_owned()
    }

    fn cast(&mut self, input: &str, kind: i64) -> String {
        self.with("", "Cast", &[input], vec![integer("to", kind)])
    }

    fn scaled(&mut self, input: &str, by: f64) -> String {
        let by = self.constant(&[by], &[]);
        self.node("Mul", &[input, &by])
    }

    fn shifted(&mut self, input: &str, by: f64) -> String {
        let by = self.constant(&[by], &[]);
        self.node("Add", &[input, &by])
    }

    /// Whether a number is one: neither NaN nor infinite.
    fn known(&mut self, number: &str) -> String {
        let size = self.unary("Abs", number);
        let most = self.float(f32::MAX);
        self.node("LessOrEqual", &[&size, &most])
    }

    /// What a level counts as, in single precision.
    fn level(&mut self, name: &str, levels: &[(&str, f32)], gap: f32, unseen: f32) -> String {
        let input = self.input(name, TEXT);
        let gap = (!levels.iter().any(|(level, _)| level.is_empty())).then_some(("", gap));
        let (keys, mut values): (Vec<&str>, Vec<f32>) = levels.iter().copied().chain(gap).unzip();
        let n = i64::try_from(keys.len()).expect("levels are counted in 63 bits");
        let places: Vec<i64> = (0..n).collect();
        let attributes =
            vec![texts("cats_strings", &keys), integers("cats_int64s", &places), integer("default_int64", n)];
        let place = self.with(ML, "CategoryMapper", &[&input], attributes);
        values.push(unseen);
        let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let values = self.tensor(&[n + 1], FLOAT, &raw);
        self.with("", "Gather", &[&values, &place], vec![integer("axis", 0)])
    }

    fn trees(&mut self, model: &TreeModel) -> Result<String> {
        let used = used(model);
        if !used.contains(&true) {
            let anything =
                self.input(&model.features[0].name, if model.features[0].levels.is_some() { TEXT } else { FLOAT });
            let first = &model.features[0];
            let row = if first.levels.is_some() { self.level(&anything, &[], 0.0, 0.0) } else { anything };
            let known = self.known(&row);
            let [one, other] = [model.offset; 2].map(|offset| self.constant(&[offset + constant(model)], &[]));
            return Ok(self.node("Where", &[&known, &one, &other]));
        }
        let mut columns = Vec::new();
        let mut place = vec![0; used.len()];
        for (at, feature) in model.features.iter().enumerate().filter(|(at, _)| used[*at]) {
            place[at] = i64::try_from(columns.len()).expect("columns are few");
            columns.extend(self.column(feature, &model.codes[at]));
        }
        let names: Vec<&str> = columns.iter().map(String::as_str).collect();
        let matrix = self.with("", "Concat", &names, vec![integer("axis", 1)]);
        let ensemble = Ensemble::new(model, &place)?;
        let [_, classes] = self.outputs(ML, "TreeEnsembleClassifier", &[&matrix], ensemble.attributes());
        // The second class of two has the sum of the trees, the first 1 less it.
        let second = self.tensor(&[1], INTEGER, &1_i64.to_le_bytes());
        let sum = self.with("", "Gather", &[&classes, &second], vec![integer("axis", 1)]);
        let sum = self.cast(&sum, DOUBLE);
        Ok(self.shifted(&sum, model.offset))
    }

    /// A feature as two columns: gaps below all cuts, and above them. A category has no gaps any more.
    fn column(&mut self, feature: &Feature, codes: &[f32]) -> [String; 2] {
        if let (Some(levels), Some((gap, codes))) = (&feature.levels, codes.split_last()) {
            let levels: Vec<(&str, f32)> = levels.iter().map(String::as_str).zip(codes.iter().copied()).collect();
            let code = self.level(&feature.name, &levels, *gap, *gap);
            return [code.clone(), code];
        }
        let number = self.input(&feature.name, FLOAT);
        let known = self.known(&number);
        [-f32::MAX, f32::MAX].map(|end| {
            let end = self.float(end);
            self.node("Where", &[&known, &number, &end])
        })
    }

    fn linear(&mut self, model: &LinearModel) -> String {
        let mut sum = self.constant(&[model.intercept], &[]);
        for (name, term) in terms(model) {
            let value = match term {
                Term::Number(term) => self.number(name, &term),
                Term::Category(term) => {
                    #[expect(clippy::cast_possible_truncation, reason = "ONNX's encoder has single precision")]
                    let levels: Vec<(&str, f32)> =
                        term.levels.iter().map(|(level, weight)| (*level, *weight as f32)).collect();
                    #[expect(clippy::cast_possible_truncation, reason = "as above")]
                    let weight = self.level(name, &levels, term.gap as f32, 0.0);
                    self.cast(&weight, DOUBLE)
                }
            };
            sum = self.node("Add", &[&sum, &value]);
        }
        sum
    }

    fn number(&mut self, name: &str, term: &NumberTerm<'_>) -> String {
        let number = self.input(name, FLOAT);
        let known = self.known(&number);
        let value = if term.number.tamed {
            let exact = self.cast(&number, DOUBLE);
            let size = self.unary("Abs", &exact);
            let size = self.shifted(&size, 1.0);
            let logarithm = self.unary("Log", &size);
            let sign = self.unary("Sign", &exact);
            let tamed = self.node("Mul", &[&sign, &logarithm]);
            let tamed = self.cast(&tamed, FLOAT);
            self.cast(&tamed, DOUBLE)
        } else {
            self.cast(&number, DOUBLE)
        };
        let fill = self.constant(&[term.number.fill], &[]);
        let mut value = self.node("Where", &[&known, &value, &fill]);
        for (operator, end) in ["Max", "Min"].into_iter().zip(term.number.limits.into_iter().flatten()) {
            let end = self.constant(&[end], &[]);
            value = self.node(operator, &[&value, &end]);
        }
        let line = self.shifted(&value, -term.number.mean);
        let mut sum = self.scaled(&line, term.slope);
        if !term.steepness.is_empty() {
            let broken = self.broken(&value, &term.number.knots, term.values[0], &term.steepness);
            sum = self.node("Add", &[&sum, &broken]);
        }
        if term.gap != 0.0 {
            let [none, gap] = [0.0, term.gap].map(|value| self.constant(&[value], &[]));
            let gap = self.node("Where", &[&known, &none, &gap]);
            sum = self.node("Add", &[&sum, &gap]);
        }
        sum
    }

    /// A broken line: its height at the first knot, and from each knot to the next its steepness times how far it was walked.
    fn broken(&mut self, value: &str, knots: &[f64], first: f64, steepness: &[f64]) -> String {
        let n = i64::try_from(steepness.len()).expect("knots are few");
        let widths: Vec<f64> = knots.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let starts = self.constant(&knots[..steepness.len()], &[1, n]);
        let widths = self.constant(&widths, &[1, n]);
        let zero = self.constant(&[0.0], &[]);
        let beyond = self.node("Sub", &[value, &starts]);
        let walked = self.node("Max", &[&beyond, &zero]);
        let walked = self.node("Min", &[&walked, &widths]);
        let steepness = self.constant(steepness, &[n, 1]);
        let climbed = self.node("MatMul", &[&walked, &steepness]);
        self.shifted(&climbed, first)
    }

    fn calibrated(&mut self, margin: &str, calibration: &Calibrator) -> String {
        match calibration {
            Calibrator::Identity => margin.to_owned(),
            Calibrator::Platt(line) => {
                let scaled = self.scaled(margin, line.slope);
                self.shifted(&scaled, line.intercept)
            }
            Calibrator::Beta(beta) => {
                let against = self.unary("Neg", margin);
                let [high, low] = [(against.as_str(), -beta.high), (margin, beta.low)].map(|(margin, weight)| {
                    let soft = self.softplus(margin);
                    self.scaled(&soft, weight)
                });
                let sum = self.node("Add", &[&high, &low]);
                self.shifted(&sum, beta.intercept)
            }
            Calibrator::Isotonic(line) => {
                let (xs, ys) = (&line.margins, &line.log_odds);
                let rises = xs.windows(2).zip(ys.windows(2));
                let steepness: Vec<f64> = rises.map(|(x, y)| (y[1] - y[0]) / (x[1] - x[0])).collect();
                let inside = self.broken(margin, xs, ys[0], &steepness);
                let zero = self.constant(&[0.0], &[]);
                let [below, above] = [("Min", xs[0]), ("Max", xs[xs.len() - 1])].map(|(operator, end)| {
                    let beyond = self.shifted(margin, -end);
                    self.node(operator, &[&beyond, &zero])
                });
                let beyond = self.node("Add", &[&below, &above]);
                self.node("Add", &[&inside, &beyond])
            }
        }
    }

    /// `ln(1 + exp x)`, for any x.
    fn softplus(&mut self, value: &str) -> String {
        let zero = self.constant(&[0.0], &[]);
        let positive = self.node("Max", &[value, &zero]);
        let size = self.unary("Abs", value);
        let size = self.unary("Neg", &size);
        let rest = self.unary("Exp", &size);
        let rest = self.shifted(&rest, 1.0);
        let rest = self.unary("Log", &rest);
        self.node("Add", &[&positive, &rest])
    }
}

/// The sum of trees that split nothing.
fn constant(model: &TreeModel) -> f64 {
    model.trees.trees().iter().map(|tree| f64::from(tree.node(0).leaf_value)).sum()
}

/// The attributes of a `TreeEnsembleClassifier`, a value per node, or per leaf.
#[derive(Default)]
struct Ensemble {
    trees: Vec<i64>,
    nodes: Vec<i64>,
    features: Vec<i64>,
    modes: Vec<&'static str>,
    values: Vec<f32>,
    left: Vec<i64>,
    right: Vec<i64>,
    leaf_trees: Vec<i64>,
    leaf_nodes: Vec<i64>,
    leaf_values: Vec<f32>,
}

impl Ensemble {
    fn new(model: &TreeModel, column: &[i64]) -> Result<Self> {
        let mut ensemble = Self::default();
        for (tree, grown) in (0..).zip(model.trees.trees()) {
            for (at, node) in (0..).zip(grown.nodes()) {
                if node.is_categorical && !node.is_leaf() {
                    return Err(Error::data(
                        "a tree of the model splits by sets of levels, for which ONNX has no word",
                    )
                    .hint("--format sql can say it"));
                }
                ensemble.trees.push(tree);
                ensemble.nodes.push(at);
                let (mode, value) = if node.is_leaf() { ("LEAF", 0.0) } else { ("BRANCH_LT", node.split_cond) };
                ensemble.modes.push(mode);
                ensemble.values.push(value);
                if node.is_leaf() {
                    for column in [&mut ensemble.features, &mut ensemble.left, &mut ensemble.right] {
                        column.push(0);
                    }
                    ensemble.leaf_trees.push(tree);
                    ensemble.leaf_nodes.push(at);
                    ensemble.leaf_values.push(node.leaf_value);
                } else {
                    let above = i64::from(!node.default_left);
                    ensemble.features.push(column[node.split_feature as usize] + above);
                    ensemble.left.push(i64::try_from(place(node.left)).expect("nodes are few"));
                    ensemble.right.push(i64::try_from(place(node.right)).expect("nodes are few"));
                }
            }
        }
        Ok(ensemble)
    }

    fn attributes(&self) -> Vec<Message> {
        vec![
            integers("classlabels_int64s", &[0, 1]),
            text("post_transform", "NONE"),
            integers("nodes_treeids", &self.trees),
            integers("nodes_nodeids", &self.nodes),
            integers("nodes_featureids", &self.features),
            texts("nodes_modes", &self.modes),
            floats("nodes_values", &self.values),
            integers("nodes_truenodeids", &self.left),
            integers("nodes_falsenodeids", &self.right),
            integers("class_treeids", &self.leaf_trees),
            integers("class_nodeids", &self.leaf_nodes),
            integers("class_ids", &vec![0; self.leaf_nodes.len()]),
            floats("class_weights", &self.leaf_values),
        ]
    }
}

// The kinds of attributes, and the fields that hold them.
fn attribute(name: &str, kind: i64) -> Message {
    Message::default().text(1, name).int(20, kind)
}

fn integer(name: &str, value: i64) -> Message {
    attribute(name, 2).int(3, value)
}

fn text(name: &str, value: &str) -> Message {
    attribute(name, 3).text(4, value)
}

fn floats(name: &str, values: &[f32]) -> Message {
    attribute(name, 6).floats(7, values)
}

fn integers(name: &str, values: &[i64]) -> Message {
    attribute(name, 7).ints(8, values)
}

fn texts(name: &str, values: &[&str]) -> Message {
    values.iter().fold(attribute(name, 8), |message, value| message.text(9, value))
}
