"""A prediction over events, judged out of time: clo's test metrics beside LightGBM, tuned on the same examples.

    python out_of_time.py OUT/predict/PREDICTION OUT/discover/PREDICTION [--trials 25]

OUT is the folder of a `clo predict`. The peer learns from the training cutoffs, stops and is tuned on the validation cutoffs, learns
once more from both, and is judged on the test cutoffs."""
import argparse
import json
import pathlib

import lightgbm as lgb
import numpy as np
import pandas as pd
from sklearn.metrics import log_loss, roc_auc_score

arguments = argparse.ArgumentParser()
arguments.add_argument("predict", type=pathlib.Path)
arguments.add_argument("discover", type=pathlib.Path)
arguments.add_argument("--trials", type=int, default=25)
args = arguments.parse_args()

examples = pd.read_parquet(args.discover / "examples.parquet")
examples = examples[examples["label"].notna() & (examples["split"] != "")]
features = [name for name in examples.columns if name not in ("person", "cutoff", "split", "outcome", "label", "stage")]
for name in features:
    if not pd.api.types.is_numeric_dtype(examples[name]):
        examples[name] = examples[name].astype("category")
x, y = examples[features], examples["label"].astype(int)
x.columns = [f"f{n}" for n in range(len(features))]
part = {name: (examples["split"] == name).to_numpy() for name in ("train", "validation", "test")}
random, best = np.random.default_rng(7), (9.0, None, 0)
for _ in range(args.trials):
    settings = dict(objective="binary", verbosity=-1, num_threads=1, seed=7, bagging_fraction=0.8, bagging_freq=1,
                    learning_rate=float(random.choice([.02, .04, .08])), num_leaves=int(random.choice([4, 8, 15, 31])),
                    min_data_in_leaf=int(random.choice([10, 30, 80, 200])), feature_fraction=float(random.choice([.4, .6, .8, 1])),
                    lambda_l2=float(random.choice([0, 1, 10, 50])))
    watched = lgb.Dataset(x[part["validation"]], y[part["validation"]])
    model = lgb.train(settings, lgb.Dataset(x[part["train"]], y[part["train"]]), 1000, [watched],
                      callbacks=[lgb.early_stopping(50, verbose=False)])
    loss = model.best_score["valid_0"]["binary_logloss"]
    if loss < best[0]:
        best = (loss, settings, model.best_iteration)
both = part["train"] | part["validation"]
runs = [lgb.train({**best[1], "seed": seed}, lgb.Dataset(x[both], y[both]), best[2]).predict(x[part["test"]]) for seed in range(3)]
p, truth = np.mean(runs, 0), y[part["test"]]
print(f"lightgbm  auc {roc_auc_score(truth, p):.4f}  log loss {log_loss(truth, p):.4f}  on {len(truth)}")
evaluation = json.loads((args.predict / "evaluation.json").read_text())
auc, loss = (evaluation["splits"]["test"][name] for name in ("roc_auc", "log_loss"))
print(f"clo       auc {auc['value']:.4f} ({auc['low']:.4f}-{auc['high']:.4f})  log loss {loss['value']:.4f} "
      f"({loss['low']:.4f}-{loss['high']:.4f})  {evaluation['estimator']}")
