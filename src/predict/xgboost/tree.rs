//! One tree in XGBoost's words.

#![expect(clippy::struct_field_names, reason = "the names are XGBoost's")]

use serde::{Deserialize, Deserializer, Serialize};

/// No child, no parent.
const NONE: i32 = -1;
/// What the root has for a parent.
const NO_PARENT: i32 = i32::MAX;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Tree {
    #[serde(default, skip_deserializing)]
    id: usize,
    tree_param: TreeParameters,
    pub(super) left_children: Vec<i32>,
    right_children: Vec<i32>,
    #[serde(default, skip_deserializing)]
    parents: Vec<i32>,
    pub(super) split_indices: Vec<u32>,
    split_conditions: Vec<f32>,
    default_left: Vec<Flag>,
    #[serde(default, skip_deserializing)]
    base_weights: Vec<f32>,
    #[serde(default)]
    loss_changes: Vec<f32>,
    #[serde(default)]
    sum_hessian: Vec<f32>,
    #[serde(default)]
    pub(super) split_type: Vec<u8>,
    #[serde(default)]
    pub(super) categories: Vec<u32>,
    #[serde(default)]
    pub(super) categories_nodes: Vec<u32>,
    #[serde(default)]
    pub(super) categories_segments: Vec<u32>,
    #[serde(default)]
    pub(super) categories_sizes: Vec<u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct TreeParameters {
    #[serde(default, skip_deserializing)]
    num_deleted: String,
    num_feature: String,
    num_nodes: String,
    #[serde(default = "zero")]
    size_leaf_vector: String,
}

/// A truth as 0 or 1; old versions of XGBoost wrote `false` and `true`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Flag(bool);

impl Serialize for Flag {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_u8(u8::from(self.0))
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Seen;
        impl serde::de::Visitor<'_> for Seen {
            type Value = Flag;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("0 or 1")
            }
            fn visit_bool<E>(self, value: bool) -> std::result::Result<Flag, E> {
                Ok(Flag(value))
            }
            fn visit_u64<E: serde::de::Error>(self, value: u64) -> std::result::Result<Flag, E> {
                match value {
                    0 => Ok(Flag(false)),
                    1 => Ok(Flag(true)),
                    other => Err(E::invalid_value(serde::de::Unexpected::Unsigned(other), &self)),
                }
            }
        }
        deserializer.deserialize_any(Seen)
    }
}

pub(super) fn one() -> String {
    "1".to_owned()
}

pub(super) fn zero() -> String {
    "0".to_owned()
}

impl Tree {
    pub(super) fn of(id: usize, tree: &hessboost::tree::RegTree, width: usize) -> Self {
        let nodes = tree.nodes();
        let n = nodes.len();
        let mut parents = vec![NO_PARENT; n];
        for (at, node) in nodes.iter().enumerate().filter(|(_, node)| !node.is_leaf()) {
            for child in [node.left, node.right] {
                parents[usize::try_from(child).expect("links were checked")] = i32::try_from(at).expect("few nodes");
            }
        }
        let mut written = Self {
            id,
            tree_param: TreeParameters {
                num_deleted: zero(),
                num_feature: width.to_string(),
                num_nodes: n.to_string(),
                size_leaf_vector: one(),
            },
            parents,
            left_children: Vec::with_capacity(n),
            right_children: Vec::with_capacity(n),
            split_indices: nodes.iter().map(|node| if node.is_leaf() { 0 } else { node.split_feature }).collect(),
            split_conditions: nodes
                .iter()
                .map(|node| if node.is_leaf() { node.leaf_value } else { node.split_cond })
                .collect(),
            default_left: Vec::with_capacity(n),
            base_weights: nodes.iter().map(|node| node.leaf_value).collect(),
            loss_changes: nodes.iter().map(|node| node.split_gain).collect(),
            sum_hessian: nodes.iter().map(|node| node.sum_hess).collect(),
            split_type: nodes.iter().map(|node| u8::from(node.is_categorical && !node.is_leaf())).collect(),
            categories: Vec::new(),
            categories_nodes: Vec::new(),
            categories_segments: Vec::new(),
            categories_sizes: Vec::new(),
        };
        for (at, node) in nodes.iter().enumerate() {
            // XGBoost sends the named categories right, hessboost left.
            let turned = node.is_categorical && !node.is_leaf();
            let (left, right) = if turned { (node.right, node.left) } else { (node.left, node.right) };
            written.left_children.push(left);
            written.right_children.push(right);
            written.default_left.push(Flag(!node.is_leaf() && node.default_left != turned));
            if turned {
                let count = |n: usize| u32::try_from(n).expect("categories are counted in 32 bits");
                let named = tree.split_categories(at);
                written.categories_nodes.push(count(at));
                written.categories_segments.push(count(written.categories.len()));
                written.categories_sizes.push(count(named.len()));
                written.categories.extend_from_slice(named);
            }
        }
        written
    }

    pub(super) fn n_nodes(&self) -> usize {
        self.left_children.len()
    }

    /// Whether the columns fit each other.
    pub(super) fn check(&self) -> std::result::Result<(), &'static str> {
        let n = self.n_nodes();
        let whole = |len: usize| len == n;
        let told = |len: usize| len == n || len == 0;
        let columns = whole(self.right_children.len())
            && whole(self.split_indices.len())
            && whole(self.split_conditions.len())
            && whole(self.default_left.len())
            && told(self.loss_changes.len())
            && told(self.sum_hessian.len())
            && told(self.split_type.len());
        if !columns || self.tree_param.num_nodes.parse() != Ok(n) {
            return Err("its columns differ in length");
        }
        if !["0", "1"].contains(&self.tree_param.size_leaf_vector.as_str()) {
            return Err("its leaves hold more than one value");
        }
        let segments = self.categories_segments.iter().zip(&self.categories_sizes);
        let fits = |(&first, &size): (&u32, &u32)| size > 0 && first as usize + size as usize <= self.categories.len();
        let n_sets = self.categories_nodes.len();
        let sets = self.categories_segments.len() == n_sets && self.categories_sizes.len() == n_sets;
        let ascending = self.categories_nodes.windows(2).all(|pair| pair[0] < pair[1]);
        if !sets || !ascending || !segments.into_iter().all(fits) || self.split_type.iter().any(|&kind| kind > 1) {
            return Err("its categories are damaged");
        }
        Ok(())
    }

    /// The place in `categories` of the set that a node names.
    fn set_of(&self, at: usize) -> Option<(u32, u32)> {
        let place = self.categories_nodes.binary_search(&u32::try_from(at).ok()?).ok()?;
        let first = self.categories_segments[place];
        Some((first, first + self.categories_sizes[place]))
    }

    /// A node in the words of hessboost.
    pub(super) fn node(&self, at: usize) -> String {
        let of = |column: &[f32]| column.get(at).copied().unwrap_or(0.0);
        let (left, right, default_left) = (self.left_children[at], self.right_children[at], self.default_left[at].0);
        let is_leaf = left == NONE;
        let turned = !is_leaf && self.split_type.get(at) == Some(&1);
        // A set that is not there reads as an empty one, which hessboost refuses.
        let (begin, end) = if turned { self.set_of(at).unwrap_or_default() } else { (0, 0) };
        let (left, right) = if turned { (right, left) } else { (left, right) };
        let (cut, value) = if is_leaf { (0.0, self.split_conditions[at]) } else { (self.split_conditions[at], 0.0) };
        format!(
            "{{\"split_feature\":{},\"split_cond\":{cut:e},\"default_left\":{},\"left\":{left},\"right\":{right},\
             \"leaf_value\":{value:e},\"sum_hess\":{:e},\"split_gain\":{:e},\"is_categorical\":{turned},\
             \"cat_begin\":{begin},\"cat_end\":{end}}}",
            if is_leaf { 0 } else { self.split_indices[at] },
            if is_leaf { true } else { default_left != turned },
            of(&self.sum_hessian),
            if is_leaf { 0.0 } else { of(&self.loss_changes) },
        )
    }
}
