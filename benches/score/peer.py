"""What LightGBM's own predict costs, and whether clo's propensities are its: `peer.py TABLE BUNDLE TREES SCORES`.

TREES is LightGBM's text of the model that the bundle holds, SCORES what `clo score` made of TABLE. Printed are rows per CPU second of
`predict` alone, on a matrix that is ready, and the greatest difference between a propensity and LightGBM's.
"""
import json
import sys
import time

import lightgbm
import numpy as np
import pandas as pd

table, bundle, trees, scores = sys.argv[1:]
model = json.load(open(bundle))["model"]["trees"]
frame, columns = pd.read_parquet(table), []
for feature, codes in zip(model["features"], model["codes"]):
    values = frame[feature["name"].removeprefix("attr.")]
    if feature["levels"]:
        values = values.map(dict(zip(feature["levels"], codes))).fillna(codes[-1])
    columns.append(values.to_numpy(np.float32))
matrix = np.column_stack(columns)
booster = lightgbm.Booster(model_file=trees)
cpu = time.process_time()
predicted = booster.predict(matrix, num_threads=1)
cpu = time.process_time() - cpu
apart = np.abs(pd.read_parquet(scores)["propensity"].to_numpy() - predicted).max()
print(json.dumps({"lightgbm_rows_per_cpu_s": round(len(matrix) / cpu), "greatest_difference": float(apart)}))
