//! Trees as XGBoost writes them in JSON: what bundles keep, what others can read, and what comes from others.
//!
//! The document is read into columns of plain numbers, a few bytes for each digit of the file, never into a tree of JSON values, which
//! would be many times the file. Columns are checked against each other here; links between nodes, numbers and widths by
//! hessboost, which gets the nodes one by one. Trees deeper than [`MOST_DEPTH`] are refused: explaining a tree takes the square
//! of its depth.

#![expect(clippy::struct_field_names, reason = "the names are XGBoost's")]

mod tree;

use std::collections::BTreeMap;
use std::io::{self, Read};

use hessboost::model::BoostedModel;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use tree::{Tree, one, zero};

/// Splits between root and leaf, at most.
pub(super) const MOST_DEPTH: usize = 256;
/// A model as XGBoost writes it: one output, whatever the objective.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Document {
    #[serde(default)]
    version: Vec<u32>,
    pub(super) learner: Learner,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Learner {
    #[serde(default, skip_deserializing)]
    pub(super) attributes: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) feature_names: Vec<String>,
    #[serde(default)]
    pub(super) feature_types: Vec<String>,
    gradient_booster: Booster,
    learner_model_param: LearnerParameters,
    pub(super) objective: Objective,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Booster {
    name: String,
    model: Trees,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Trees {
    gbtree_model_param: TreesParameters,
    #[serde(default)]
    iteration_indptr: Vec<u32>,
    tree_info: Vec<u32>,
    trees: Vec<Tree>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    weight_drop: Option<Vec<f32>>,
    /// The texts of categories, since XGBoost 3.1.
    #[serde(default, skip_serializing)]
    cats: Option<Categories>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct TreesParameters {
    #[serde(default = "one")]
    num_parallel_tree: String,
    num_trees: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct LearnerParameters {
    base_score: String,
    #[serde(default, skip_deserializing)]
    boost_from_average: String,
    #[serde(default = "zero")]
    num_class: String,
    num_feature: String,
    #[serde(default = "one")]
    num_target: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Objective {
    pub(super) name: String,
    #[serde(default, skip_deserializing)]
    reg_loss_param: LossParameters,
}

#[derive(Debug, Clone, Default, Serialize)]
struct LossParameters {
    scale_pos_weight: String,
}

/// For each feature the texts of its codes, as XGBoost keeps them since 3.1.
#[derive(Debug, Clone, Default, Deserialize)]
struct Categories {
    #[serde(default)]
    enc: Vec<Encoding>,
    #[serde(default)]
    feature_segments: Vec<u32>,
}

/// The codes of one feature: texts laid end to end, parted by `offsets`, or numbers.
#[derive(Debug, Clone, Default, Deserialize)]
struct Encoding {
    #[serde(default)]
    offsets: Vec<u32>,
    #[serde(default)]
    values: Vec<f64>,
}

/// How a model is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written<'a> {
    /// Names of the columns; none: XGBoost calls them f0, f1 …
    pub(super) features: &'a [String],
    /// The margin before any tree.
    pub(super) base_margin: f64,
}

impl Document {
    /// The document of a sum of trees.
    #[must_use]
    pub(super) fn of(model: &BoostedModel, written: Written<'_>) -> Self {
        let n = model.num_boost_rounds() * model.trees_per_iteration();
        let n = model.best_iteration().map_or(n, |best| (best + 1) * model.trees_per_iteration());
        let trees = &model.trees()[..n];
        let width = model.n_features();
        let count = |n: usize| u32::try_from(n).expect("trees are counted in 32 bits");
        let base_score = 1.0 / (1.0 + libm::exp(-written.base_margin));
        Self {
            version: vec![3, 0, 0],
            learner: Learner {
                attributes: BTreeMap::new(),
                feature_names: written.features.to_vec(),
                feature_types: (0..written.features.len()).map(|at| kind(model, at).to_owned()).collect(),
                gradient_booster: Booster {
                    name: "gbtree".into(),
                    model: Trees {
                        gbtree_model_param: TreesParameters {
                            num_parallel_tree: model.num_parallel_tree().to_string(),
                            num_trees: n.to_string(),
                        },
                        iteration_indptr: (0..=n).step_by(model.trees_per_iteration()).map(count).collect(),
                        tree_info: vec![0; n],
                        trees: trees.iter().enumerate().map(|(id, tree)| Tree::of(id, tree, width)).collect(),
                        weight_drop: None,
                        cats: None,
                    },
                },
                learner_model_param: LearnerParameters {
                    base_score: format!("{base_score:E}"),
                    boost_from_average: zero(),
                    num_class: zero(),
                    num_feature: width.to_string(),
                    num_target: one(),
                },
                objective: Objective {
                    name: "binary:logistic".into(),
                    reg_loss_param: LossParameters { scale_pos_weight: one() },
                },
            },
        }
    }

    /// How many columns the trees look at.
    ///
    /// # Errors
    /// When the document does not say.
    pub(super) fn n_features(&self) -> Result<usize> {
        number(&self.learner.learner_model_param.num_feature, "num_feature")
    }

    /// The probability before any tree.
    ///
    /// # Errors
    /// When it is not a probability.
    pub(super) fn base_score(&self) -> Result<f32> {
        // Since 3.1 it is a list in brackets, a value per output.
        let text = self.learner.learner_model_param.base_score.trim_matches(['[', ']']);
        let score: f32 = number(text, "base_score")?;
        if score > 0.0 && score < 1.0 { Ok(score) } else { Err(damaged("base_score is not between 0 and 1")) }
    }

    /// The texts of the codes of feature `at`, where the document tells them.
    ///
    /// # Errors
    /// When they are damaged.
    pub(super) fn levels(&self, at: usize) -> Result<Option<Vec<String>>> {
        let Some(categories) = &self.learner.gradient_booster.model.cats else { return Ok(None) };
        let segment = categories.feature_segments.get(at..at + 2);
        let encoding = match segment {
            Some([first, end]) if first < end => categories.enc.get(at),
            _ => None,
        };
        encoding.map(Encoding::levels).transpose()
    }

    /// Which columns are split by category.
    #[must_use]
    pub(super) fn categorical(&self, n_features: usize) -> Vec<bool> {
        let mut found = vec![false; n_features];
        for tree in &self.learner.gradient_booster.model.trees {
            for (_, &feature) in tree.split_type.iter().zip(&tree.split_indices).filter(|(kind, _)| **kind == 1) {
                if let Some(found) = found.get_mut(feature as usize) {
                    *found = true;
                }
            }
        }
        found
    }

    /// The codes that splits of feature `at` name, each as its own text.
    #[must_use]
    pub(super) fn codes(&self, at: usize) -> Vec<(String, f32)> {
        let mut codes: Vec<u32> = Vec::new();
        for tree in &self.learner.gradient_booster.model.trees {
            let sets = tree.categories_nodes.iter().zip(&tree.categories_segments).zip(&tree.categories_sizes);
            for ((&node, &first), &size) in sets {
                if tree.split_indices.get(node as usize).is_some_and(|&feature| feature as usize == at) {
                    let end = (first as usize).saturating_add(size as usize);
                    codes.extend(tree.categories.get(first as usize..end).unwrap_or_default());
                }
            }
            codes.sort_unstable();
            codes.dedup();
        }
        codes.into_iter().map(|code| (code.to_string(), code as f32)).collect()
    }

    /// The sum of trees, without [`Document::base_score`].
    ///
    /// # Errors
    /// When the document is not of one sum of scalar trees, or a tree is damaged.
    pub(super) fn into_model(self) -> Result<BoostedModel> {
        let n_features = self.n_features()?;
        let Learner { gradient_booster: Booster { name, model }, learner_model_param: learner, .. } = self.learner;
        if name != "gbtree" || model.weight_drop.is_some() {
            return Err(damaged("the booster is not a plain sum of trees (gbtree)"));
        }
        if !["0", "1"].contains(&learner.num_class.as_str()) || !["0", "1"].contains(&learner.num_target.as_str()) {
            return Err(damaged("the model has more than one output"));
        }
        let n = model.trees.len();
        let parallel: usize = number(&model.gbtree_model_param.num_parallel_tree, "num_parallel_tree")?;
        let declared: usize = number(&model.gbtree_model_param.num_trees, "num_trees")?;
        let rounds = model.iteration_indptr.windows(2).all(|pair| pair[0] as usize + parallel == pair[1] as usize);
        if parallel == 0 || declared != n || model.tree_info.len() != n || !rounds {
            return Err(damaged("its trees are not those it says it has"));
        }
        if model.tree_info.iter().any(|&group| group != 0) {
            return Err(damaged("the model has more than one output"));
        }
        for (id, tree) in model.trees.iter().enumerate() {
            tree.check().map_err(|what| damaged(&format!("tree {id}: {what}")))?;
        }
        let told = Told::new(model.trees, n_features, parallel);
        let model: BoostedModel = serde_json::from_reader(io::BufReader::with_capacity(4096, told))
            .map_err(|error| damaged(&error.to_string()))?;
        if model.trees().iter().any(|tree| tree.depth() > MOST_DEPTH) {
            return Err(damaged(&format!("a tree is deeper than {MOST_DEPTH}")));
        }
        Ok(model)
    }
}

/// What XGBoost calls the kind of a column.
fn kind(model: &BoostedModel, column: usize) -> &'static str {
    let splits = model.trees().iter().flat_map(hessboost::tree::RegTree::nodes).filter(|node| !node.is_leaf());
    let mut of_column = splits.filter(|node| node.split_feature as usize == column);
    if of_column.any(|node| node.is_categorical) { "c" } else { "float" }
}

fn damaged(what: &str) -> Error {
    Error::data(format!("the trees of the model are damaged: {what}"))
}

fn number<T: std::str::FromStr>(text: &str, name: &str) -> Result<T> {
    text.parse().map_err(|_| damaged(&format!("{name} is not a number")))
}

impl Encoding {
    fn levels(&self) -> Result<Vec<String>> {
        if self.offsets.is_empty() {
            return Ok(self.values.iter().map(ToString::to_string).collect());
        }
        let text = |pair: &[u32]| -> Option<String> {
            let bytes = self.values.get(pair[0] as usize..pair[1] as usize)?;
            // XGBoost writes bytes as signed numbers.
            #[expect(clippy::cast_possible_truncation, reason = "a byte, as a signed number of eight bits")]
            let bytes = bytes.iter().map(|&byte| (byte as i8).cast_unsigned()).collect();
            String::from_utf8(bytes).ok()
        };
        let levels: Option<Vec<String>> = self.offsets.windows(2).map(text).collect();
        levels.ok_or_else(|| damaged("the texts of its categories cannot be read"))
    }
}

/// The model as JSON in the words of hessboost, told node by node: whoever reads it never holds all of it.
struct Told {
    trees: Vec<Tree>,
    tree: usize,
    node: usize,
    end: Option<String>,
    text: Vec<u8>,
    at: usize,
}

impl Told {
    fn new(trees: Vec<Tree>, n_features: usize, parallel: usize) -> Self {
        let end = format!(
            "],\"base_score\":[0.0],\"objective\":\"binary:logistic\",\"num_class\":0,\"n_outputs\":1,\"n_targets\":1,\
             \"n_features\":{n_features},\"best_iteration\":null,\"tree_weights\":[],\"num_parallel_tree\":{parallel},\
             \"linear\":null}}"
        );
        Self { trees, tree: 0, node: 0, end: Some(end), text: b"{\"trees\":[".to_vec(), at: 0 }
    }

    fn next(&mut self) -> Option<String> {
        let Some(tree) = self.trees.get_mut(self.tree) else { return self.end.take() };
        let mut text = String::new();
        if self.node == 0 {
            text += if self.tree == 0 { "{\"nodes\":[" } else { ",{\"nodes\":[" };
        }
        if self.node < tree.n_nodes() {
            text += if self.node == 0 { "" } else { "," };
            text += &tree.node(self.node);
            self.node += 1;
        }
        if self.node >= tree.n_nodes() {
            let categories: Vec<String> = tree.categories.iter().map(ToString::to_string).collect();
            text += &format!("],\"categories\":[{}],\"linear\":null}}", categories.join(","));
            // What was told is not needed any more.
            tree.left_children = Vec::new();
            (self.tree, self.node) = (self.tree + 1, 0);
        }
        Some(text)
    }
}

impl Read for Told {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.text.len() {
            self.text = self.next().unwrap_or_default().into_bytes();
            self.at = 0;
        }
        let n = buffer.len().min(self.text.len() - self.at);
        buffer[..n].copy_from_slice(&self.text[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}
