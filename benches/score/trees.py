"""LightGBM's 200 trees of 31 leaves, as they are and as the trees of a clo bundle: `trees.py TABLE BUNDLE OUT`.

TABLE is what clo was trained on, BUNDLE its model.json. LightGBM learns on the numbers that the bundle gives to levels, so both
ask the same of a row. Written are OUT/model.json (calibrated by nothing, so that the propensities are LightGBM's) and OUT/lightgbm.txt.
"""
import json
import os
import sys

import lightgbm
import numpy as np
import pandas as pd

table, bundle, out = sys.argv[1:]
bundle = json.load(open(bundle))


def trees_of(model):
    if isinstance(model, dict):
        if "trees" in model and "codes" in model:
            return model
        model = list(model.values())
    for part in model if isinstance(model, list) else []:
        if found := trees_of(part):
            return found
    return None


model = trees_of(bundle["model"])


def matrix(frame):
    columns = []
    for feature, codes in zip(model["features"], model["codes"]):
        values = frame[feature["name"].removeprefix("attr.")]
        if feature["levels"]:
            number = dict(zip(feature["levels"], codes))
            values = values.map(number).fillna(codes[-1])
        columns.append(values.to_numpy(np.float32))
    return np.column_stack(columns)


def as_xgboost(tree, number):
    """A dumped tree in XGBoost's arrays: `value <= t` of doubles is `value < the float above t`."""
    nodes = []

    def put(node, parent):
        at = len(nodes)
        nodes.append(None)
        if "leaf_value" in node:
            nodes[at] = (-1, -1, parent, 0, node["leaf_value"], False, node.get("leaf_count", 0), node["leaf_value"])
            return at
        threshold = np.float32(node["threshold"])
        if float(threshold) > node["threshold"]:
            threshold = np.nextafter(threshold, np.float32(-np.inf))
        threshold = float(np.nextafter(threshold, np.float32(np.inf)))
        left, right = put(node["left_child"], at), put(node["right_child"], at)
        count, value = node["internal_count"], node["internal_value"]
        nodes[at] = (left, right, parent, node["split_feature"], threshold, node["default_left"], count, value)
        return at

    put(tree["tree_structure"], 2147483647)
    n, column = len(nodes), lambda at, kind: [kind(node[at]) for node in nodes]
    return {
        "base_weights": column(7, float), "categories": [], "categories_nodes": [], "categories_segments": [],
        "categories_sizes": [], "default_left": column(5, int), "id": number, "left_children": column(0, int),
        "loss_changes": [0.0] * n, "parents": column(2, int), "right_children": column(1, int),
        "split_conditions": column(4, float), "split_indices": column(3, int), "split_type": [0] * n,
        "sum_hessian": column(6, float),
        "tree_param": {"num_deleted": "0", "num_feature": str(len(model["features"])), "num_nodes": str(n),
                       "size_leaf_vector": "0"},
    }


frame = pd.read_parquet(table).head(50_000)
learned = lightgbm.train(
    {"objective": "binary", "num_leaves": 31, "learning_rate": 0.1, "max_bin": 255, "verbose": -1, "num_threads": 1,
     "boost_from_average": False},
    lightgbm.Dataset(matrix(frame), (frame["y"] == "yes").to_numpy(float)), num_boost_round=200)
os.makedirs(out, exist_ok=True)
learned.save_model(f"{out}/lightgbm.txt")
trees = [as_xgboost(tree, number) for number, tree in enumerate(learned.dump_model()["tree_info"])]
booster = model["trees"]["learner"]["gradient_booster"]["model"]
booster["trees"], booster["tree_info"] = trees, [0] * len(trees)
booster["gbtree_model_param"] |= {"num_trees": str(len(trees)), "num_parallel_tree": "1"}
if "iteration_indptr" in booster:
    booster["iteration_indptr"] = list(range(len(trees) + 1))
model["trees"]["learner"].get("attributes", {}).clear()
model["offset"] = 0.0
bundle["model"], bundle["calibration"], bundle["estimator"] = {"trees": model}, "identity", "boosting"
# The format before the seal, which clo still reads.
bundle["format_version"] = 2
bundle.pop("checksum")
json.dump(bundle, open(f"{out}/model.json", "w"))
