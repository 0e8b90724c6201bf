"""A prediction over events, judged out of time: clo's test propensities beside those of LightGBM, tuned on the same examples.

    python out_of_time.py PROJECT PREDICTION [--trials 25]

PROJECT is a folder in which `clo predict` ran. The peer learns from the training cutoffs, stops and is tuned on the validation cutoffs,
learns once more from both, and is judged on the test cutoffs, row by row with clo's own judged fit. What clo gains in AUC and log loss
has a paired 95 % interval: a bootstrap over people."""
import argparse
import json
import pathlib

import lightgbm as lgb
import numpy as np
import pandas as pd
from sklearn.metrics import log_loss, roc_auc_score

RESAMPLES = 1000


def parts(project, prediction):
    """Features, labels, people and splits of the labelled examples, and clo's propensities of the test part."""
    examples = pd.read_parquet(project / "out/discover" / prediction / "examples.parquet")
    examples = examples[examples["label"].notna() & (examples["split"] != "")]
    features = [name for name in examples.columns if name not in ("person", "cutoff", "split", "outcome", "label", "stage")]
    for name in features:
        if not pd.api.types.is_numeric_dtype(examples[name]):
            examples[name] = examples[name].astype("category")
    x, y = examples[features], examples["label"].astype(int).to_numpy()
    x.columns = [f"f{n}" for n in range(len(features))]
    versions = project / "models" / prediction
    judged = pd.read_parquet(versions / (versions / "current").read_text().strip() / "judged.parquet")
    test = (examples["split"] == "test").to_numpy()
    assert (judged["label"].to_numpy() == y[test]).all(), "the model in use was not judged on these examples"
    return x, y, pd.factorize(examples["person"])[0], examples["split"].to_numpy(), judged["propensity"].to_numpy()


def lightgbm(x, y, split, trials):
    """The test propensities of the best of so many settings, the mean of three seeds."""
    part = {name: split == name for name in ("train", "validation", "test")}
    random, best = np.random.default_rng(7), (9.0, None, 0)
    for _ in range(trials):
        settings = dict(objective="binary", verbosity=-1, num_threads=1, seed=7, bagging_fraction=0.8, bagging_freq=1,
                        learning_rate=float(random.choice([.02, .04, .08])), num_leaves=int(random.choice([4, 8, 15, 31])),
                        min_data_in_leaf=int(random.choice([10, 30, 80, 200])),
                        feature_fraction=float(random.choice([.4, .6, .8, 1])), lambda_l2=float(random.choice([0, 1, 10, 50])))
        watched = lgb.Dataset(x[part["validation"]], y[part["validation"]])
        model = lgb.train(settings, lgb.Dataset(x[part["train"]], y[part["train"]]), 1000, [watched],
                          callbacks=[lgb.early_stopping(50, verbose=False)])
        loss = model.best_score["valid_0"]["binary_logloss"]
        if loss < best[0]:
            best = (loss, settings, model.best_iteration)
    both = part["train"] | part["validation"]
    fit = lambda seed: lgb.train({**best[1], "seed": seed}, lgb.Dataset(x[both], y[both]), best[2]).predict(x[part["test"]])
    return np.mean([fit(seed) for seed in range(3)], 0)


def auc(y, p, weight):
    """The share of pairs in order, each row counted so many times."""
    order = np.argsort(p, kind="stable")
    last = np.append(np.diff(p[order]) != 0, True)
    below = np.cumsum(np.where(y[order] == 0, weight[order], 0.0))[last]
    of_value = np.diff(np.append(0.0, np.cumsum(np.where(y[order] == 1, weight[order], 0.0))[last]))
    before = np.append(0.0, below[:-1])
    return (of_value * (before + below) / 2).sum() / (of_value.sum() * below[-1])


def gains(y, person, ours, theirs):
    """What ours gains in AUC and log loss: the value and the ends of its interval."""
    loss = lambda p: -np.log(np.clip(np.where(y == 1, p, 1 - p), 1e-9, 1))
    gain = loss(theirs) - loss(ours)
    codes = pd.factorize(person)[0]
    n, random = codes.max() + 1, np.random.default_rng(7)
    one = np.ones(len(y))
    told = [(auc(y, ours, one) - auc(y, theirs, one), gain.mean())]
    for _ in range(RESAMPLES):
        weight = np.bincount(random.integers(0, n, n), minlength=n)[codes].astype(float)
        told.append((auc(y, ours, weight) - auc(y, theirs, weight), (gain * weight).sum() / weight.sum()))
    return [(of[0], *np.quantile(of[1:], [0.025, 0.975])) for of in np.array(told).T]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("project", type=pathlib.Path)
    arguments.add_argument("prediction")
    arguments.add_argument("--trials", type=int, default=25)
    args = arguments.parse_args()
    x, y, person, split, ours = parts(args.project, args.prediction)
    test = split == "test"
    theirs, truth = lightgbm(x, y, split, args.trials), y[test]
    evaluation = json.loads((args.project / "out/predict" / args.prediction / "evaluation.json").read_text())
    for name, p in (("clo", ours), ("lightgbm", theirs)):
        print(f"{name:9} auc {roc_auc_score(truth, p):.4f}  log loss {log_loss(truth, p):.4f}  mean {p.mean():.4f}")
    print(f"rows {test.sum()}, attained {truth.mean():.4f}, clo chose {evaluation['estimator']}")
    for what, (gain, low, high) in zip(("auc", "log loss"), gains(truth, person[test], ours, theirs)):
        print(f"clo gains in {what:8} {gain:+.4f} ({low:+.4f} to {high:+.4f})")


main()
