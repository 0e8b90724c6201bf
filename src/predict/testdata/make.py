"""Numbers that scikit-learn gives, for the tests to be held against.

    pip install scikit-learn==1.9.1 numpy && python make.py      # writes scores.csv, metrics.csv and isotonic.csv beside it
"""
import csv
from pathlib import Path

import numpy as np
import sklearn
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score, roc_curve

here = Path(__file__).parent
rng = np.random.default_rng(7)
n = 1000
margin = rng.normal(-1.2, 1.3, n)
label = (rng.random(n) < 1 / (1 + np.exp(-margin))).astype(int)
smooth = 1 / (1 + np.exp(-(0.7 * margin + rng.normal(0, 0.5, n))))
ties = np.round(smooth, 1).clip(0.05, 0.95)
with open(here / "scores.csv", "w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["label", "smooth", "ties"])
    writer.writerows(zip(label, map(repr, smooth.tolist()), map(repr, ties.tolist())))


def ece(y, p):
    order = np.argsort(p, kind="stable")
    return sum(len(b) * abs(y[b].mean() - p[b].mean()) for b in np.array_split(order, 10)) / len(y)


def best_tenth(y, p):
    return y[np.argsort(p, kind="stable")[::-1][: len(y) // 10]]


def ks(y, p):
    above, others, _ = roc_curve(y, p, drop_intermediate=False)
    return abs(others - above).max()


def brier_parts(y, p):
    """Murphy (1973), with the two terms within bins of Stephenson, Coelho and Jolliffe (2008)."""
    bins, base = np.array_split(np.argsort(p, kind="stable"), 10), y.mean()
    mean = lambda term: sum(len(b) * term(b) for b in bins) / len(y)
    return {"reliability": mean(lambda b: (p[b].mean() - y[b].mean()) ** 2), "resolution": mean(lambda b: (y[b].mean() - base) ** 2),
            "uncertainty": base * (1 - base), "within_bins": mean(lambda b: p[b].var() - 2 * np.cov(p[b], y[b], bias=True)[0, 1])}


with open(here / "metrics.csv", "w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["scores", "metric", "value", f"scikit-learn {sklearn.__version__}, numpy {np.__version__}"])
    for name, p in {"smooth": smooth, "ties": ties}.items():
        rows = {"roc_auc": roc_auc_score(label, p), "pr_auc": average_precision_score(label, p),
                "log_loss": log_loss(label, p), "brier": brier_score_loss(label, p),
                "ks": ks(label, p), "mean_propensity": p.mean()}
        if name == "smooth":  # with ties these depend on the order of the rows
            top = best_tenth(label, p)
            rows |= {"ece": ece(label, p), "lift_10": top.mean() / label.mean(), "capture_10": top.sum() / label.sum()}
            rows |= brier_parts(label, p)
        for metric, value in rows.items():
            writer.writerow([name, metric, repr(float(value)), ""])

steps = IsotonicRegression().fit(smooth, label)
with open(here / "isotonic.csv", "w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["smooth", "rate"])
    writer.writerows((repr(x), repr(y)) for x, y in zip(sorted(smooth.tolist()), steps.predict(np.sort(smooth)).tolist()))
