"""Explains the trees that `write_peers` wrote, with Python's shap: python shap.py FOLDER writes shap_*.csv there.

Made with shap 0.51.0 and xgboost 3.2.0. TreeExplainer with feature_perturbation="tree_path_dependent" and no data calls shap's
own C extension in double precision. Its loader of XGBoost models reads thresholds, covers and leaf values in single precision,
as they are kept; what is compared is what is made of them.
"""
import sys
from pathlib import Path

import numpy as np
import shap
import xgboost

folder = Path(sys.argv[1])
for name in ["shallow", "deep"]:
    booster = xgboost.Booster(model_file=folder / f"{name}.json")
    rows = np.genfromtxt(folder / f"{name}.csv", delimiter=",", dtype=np.float32)
    explainer = shap.TreeExplainer(booster, feature_perturbation="tree_path_dependent")
    # shap hands trees of XGBoost to XGBoost itself, in single precision, unless told that they are not its own; it does not know their
    # average then, which is what its check of sums would add.
    explainer.model.model_type = "internal"
    values = explainer.shap_values(rows, check_additivity=False)
    interactions = explainer.shap_interaction_values(rows)
    width = rows.shape[1]
    with open(folder / f"shap_{name}.csv", "w") as out:
        print(f"# shap {shap.__version__}, xgboost {xgboost.__version__}, by shap.py", file=out)
        print("row,feature,value," + ",".join(f"with_{i}" for i in range(width)), file=out)
        for row in range(len(rows)):
            for feature in range(width):
                cells = [values[row, feature], *interactions[row, feature]]
                print(f"{row},{feature}," + ",".join(repr(float(cell)) for cell in cells), file=out)
