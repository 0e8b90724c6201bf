"""Makes xgboost.json, lightgbm.txt and foreign.csv: small models, rows, and what their own libraries say of these.

pip install numpy pandas xgboost==3.2.0 lightgbm==4.7.0 pyarrow
"""
import numpy as np
import pandas as pd
import lightgbm
import xgboost

rng = np.random.default_rng(5)
n = 600
number = rng.normal(0, 2, n).astype(np.float32)
count = np.floor(1 / (rng.random(n) + 0.02)).astype(np.float32)
count[rng.random(n) < 0.15] = np.nan
level = rng.choice(["search", "ads", "email", "fax"], n)
level = pd.Categorical(np.where(rng.random(n) < 0.05, None, level), categories=["search", "ads", "email", "fax"])
frame = pd.DataFrame({"number": number, "count": count, "level": level})
margin = -1 + 0.6 * np.abs(number) + 0.3 * np.log(np.nan_to_num(count, nan=3)) - 1.0 * (level == "email")
label = (rng.random(n) < 1 / (1 + np.exp(-margin))).astype(int)

data = xgboost.DMatrix(frame, label=label, enable_categorical=True)
params = {"objective": "binary:logistic", "max_depth": 3, "eta": 0.3, "max_cat_to_onehot": 1, "seed": 1}
by_xgboost = xgboost.train(params, data, 8)
by_xgboost.save_model("xgboost.json")
params = {"objective": "binary", "num_leaves": 7, "verbose": -1, "min_data_per_group": 5, "cat_smooth": 1, "seed": 1}
by_lightgbm = lightgbm.train(params, lightgbm.Dataset(frame, label=label), 8)
by_lightgbm.save_model("lightgbm.txt")

rows = frame.head(60)
said = [by_xgboost.predict(xgboost.DMatrix(rows, enable_categorical=True)), by_lightgbm.predict(rows)]
rows.assign(xgboost=said[0].astype(float), lightgbm=said[1]).to_csv("foreign.csv", index=False)
