"""Predictive quality of the untouched defaults, as a user meets it: split a table into folds, write the spec a new user would
write, `clo run` on the training part, `clo score` on the rest, and compare with peers on the same rows.

    python quality.py --clo PATH [--peers FOLDER] [--repeats 1] [--work /tmp/quality] [TABLE ...]

The peers are those of `snapshot_quality.py` in FOLDER (logistic regression, LightGBM as it comes, LightGBM tuned over 25
trials); their predictions are kept in the work folder, since tuning is slow. A line per table: AUC, log loss, ECE (10 equal
parts), lift of the best tenth, share of the positives in the best fifth, seconds of a `clo run`, what was chosen; and for each peer the difference in log loss and AUC with twice its
standard error over rows and folds."""
import argparse
import collections
import importlib.util
import json
import pathlib
import subprocess
import sys
import time

import numpy as np
import pandas as pd
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold

from tables import TABLES

SPEC = """[project]
name = "quality"
seed = 7
[tables]
people = "train.csv"
[people.people]
table = "people"
person = "{person}"
{order}
[[lifecycle.stages]]
name = "prospect"
[[lifecycle.stages]]
name = "customer"
when = "\\"{target}\\" = {yes}"
[[predictions]]
name = "move"
from = ["prospect"]
to = ["customer"]
{model}
"""


def clo_scores(args, folder, frame, target, yes, options, train, test):
    """The propensities of the `test` rows by a model of the `train` rows; seconds of the run; the estimator it chose."""
    subprocess.run(["rm", "-rf", folder], check=True)
    folder.mkdir(parents=True)
    frame.iloc[train].to_csv(folder / "train.csv", index=False)
    frame.iloc[test].drop(columns=target).to_csv(folder / "test.csv", index=False)
    literal = yes if pd.api.types.is_numeric_dtype(frame[target]) else f"'{yes}'"
    (folder / "clo.toml").write_text(SPEC.format(
        person=options.get("id", "row"), order='order = "row"' if options.get("last_fifth") else "",
        target=target, yes=literal, model=f"model = {args.model}" if args.model else ""))
    start = time.time()
    call([args.clo, "predict", "--spec", folder, "--quiet"])
    seconds = time.time() - start
    call([args.clo, "score", "--model", folder / "models/move/current", "--input", folder / "test.csv",
          "--output", folder / "scores.parquet", "--quiet"])
    scores = pd.read_parquet(folder / "scores.parquet")
    evaluation = json.loads((folder / "out/predict/move/evaluation.json").read_text())
    return scores["propensity"].to_numpy(), seconds, evaluation["estimator"]


def call(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")


def splits(y, options, repeat):
    if options.get("last_fifth"):
        cut = int(len(y) * 0.8)
        return [(np.arange(cut), np.arange(cut, len(y)))]
    return list(StratifiedKFold(5, shuffle=True, random_state=repeat).split(np.zeros(len(y)), y))


def figures(y, p):
    order = np.argsort(p, kind="stable")
    ece = sum(len(part) * abs(y[part].mean() - p[part].mean()) for part in np.array_split(order, 10)) / len(y)
    top, fifth = order[::-1][: len(y) // 10], order[::-1][: len(y) // 5]
    return {"auc": roc_auc_score(y, p), "log_loss": log_loss(y, np.clip(p, 1e-9, 1 - 1e-9)), "ece": ece,
            "lift": y[top].mean() / y.mean(), "in_fifth": y[fifth].sum() / y.sum()}


def placements(y, p):
    """For each row its share of the AUC (DeLong): the mean over rows of one class is the AUC."""
    ranks = pd.Series(p).rank().to_numpy()
    within = np.empty(len(y))
    for value in (0, 1):
        within[y == value] = pd.Series(p[y == value]).rank().to_numpy()
    n1, n0 = (y == 1).sum(), (y == 0).sum()
    return np.where(y == 1, (ranks - within) / n0, 1 - (ranks - within) / n1)


def against(y, ours, theirs):
    """What ours gains in log loss and AUC, each with twice the standard error of the paired difference."""
    loss = lambda p: -np.log(np.clip(np.where(y == 1, p, 1 - p), 1e-9, 1))
    gain = loss(theirs) - loss(ours)
    place = placements(y, ours) - placements(y, theirs)
    yes, no = place[y == 1], place[y == 0]
    se = np.sqrt(yes.var() / len(yes) + no.var() / len(no))
    return (f"loss {gain.mean():+.4f} ± {2 * gain.std() / np.sqrt(len(y)):.4f}  auc {yes.mean():+.4f} ± {2 * se:.4f}")


def peers_of(folder):
    """The models of `snapshot_quality.py`, without running its main."""
    source = (pathlib.Path(folder) / "snapshot_quality.py").read_text().replace("\nmain()\n", "\n")
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("snapshot_quality", loader=None))
    exec(compile(source, "snapshot_quality.py", "exec"), module.__dict__)
    return {"logistic": module.logistic, "lightgbm": module.boosting, "tuned": module.tuned}


def kept(path, make):
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, make())
    return np.load(path)


def bench(args, name):
    frame, target, yes, options = TABLES[name]()
    y = (frame[target].astype(str).str.strip() == yes).to_numpy().astype(int)
    features = frame.drop(columns=[target, *([options["id"]] if "id" in options else [])])
    features.columns = [f"f{i}" for i in range(features.shape[1])]
    models = peers_of(args.peers) if args.peers else {}
    ours, theirs, labels, seconds, chosen = [], collections.defaultdict(list), [], [], collections.Counter()
    for repeat in range(args.repeats):
        for fold, (train, test) in enumerate(splits(y, options, repeat)):
            propensity, took, estimator = clo_scores(
                args, pathlib.Path(args.work) / "run" / f"{name}-{fold}", frame, target, yes, options, train, test)
            ours.append(propensity)
            labels.append(y[test])
            seconds.append(took)
            chosen[estimator] += 1
            for peer, model in models.items():
                make = lambda: model(features.iloc[train], y[train], features.iloc[test])
                theirs[peer].append(kept(pathlib.Path(args.work) / "peers" / f"{name}-{repeat}-{fold}-{peer}.npy", make))
    y, p = np.concatenate(labels), np.concatenate(ours)
    line = "  ".join(f"{key} {value:.4f}" for key, value in figures(y, p).items())
    print(f"{name:16} {line}  {np.mean(seconds):.1f} s  {dict(chosen)}", flush=True)
    for peer, parts in theirs.items():
        q = np.concatenate(parts)
        line = "  ".join(f"{key} {value:.4f}" for key, value in figures(y, q).items())
        print(f"    {peer:12} {line}   clo gains {against(y, p, q)}", flush=True)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("tables", nargs="*", default=list(TABLES))
    arguments.add_argument("--clo", required=True)
    arguments.add_argument("--peers")
    arguments.add_argument("--repeats", type=int, default=1)
    arguments.add_argument("--work", default="/tmp/quality")
    arguments.add_argument("--model", help="the `model` of the spec, where it is not to be the default")
    args = arguments.parse_args()
    for name in args.tables or TABLES:
        bench(args, name)


main()
