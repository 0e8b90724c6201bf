"""Ten random halves of Hillstrom's test: learn from one, judge on the other. Arguments: clo, hillstrom.csv, a folder to work in."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

clo, data, work = sys.argv[1], pd.read_csv(sys.argv[2]), Path(sys.argv[3])
LEARNERS = ["auto"]
SPEC = """
[project]
name = "half"
seed = 7
[tables]
mails = "half.csv"
[people.mailed]
table = "mails"
person = "id"
[[uplifts]]
name = "{learner}"
treatment = "segment = 'mail'"
control = "segment = 'none'"
outcome = "visit = 1"
learner = "{learner}"
halves = 2
"""


def worth(score, treated, outcome):
    """Uplift among the best 30 %, and the area under the gain curve over that of a random order, less one."""
    order = np.lexsort((np.random.default_rng(0).random(len(score)), -score))
    treated, outcome = treated[order], outcome[order]
    n1, n0 = np.cumsum(treated), np.cumsum(1 - treated)
    r1, r0 = np.cumsum(outcome * treated), np.cumsum(outcome * (1 - treated))
    share = np.arange(1, len(score) + 1) / len(score)
    uplift = np.where((n1 > 0) & (n0 > 0), r1 / np.maximum(n1, 1) - r0 / np.maximum(n0, 1), 0)
    gain = np.concatenate([[0], share * uplift])
    area = np.trapezoid(gain, np.concatenate([[0], share]))
    return uplift[round(0.3 * len(score)) - 1], area / (gain[-1] / 2) - 1


def of_clo(people, judged):
    """The scores of the judged by each of clo's learners, and the seconds of one run."""
    folder = work / "half"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    hidden = people.copy()
    hidden.loc[judged, ["segment", "visit"]] = ["judged", 0]
    hidden["id"] = [f"c{row}" for row in range(len(hidden))]
    hidden.to_csv(folder / "half.csv", index=False)
    scores, seconds = {}, 0
    for learner in LEARNERS:
        (folder / "clo.toml").write_text(SPEC.format(learner=learner))
        start = time.perf_counter()
        done = subprocess.run([clo, "predict", "--quiet", "--spec", str(folder)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        seconds = time.perf_counter() - start
        found = pd.read_parquet(folder / "out/uplift" / learner / "scores.parquet").set_index("person")["uplift"]
        scores[f"clo {learner}"] = found.loc[hidden["id"][judged]].to_numpy()
    return scores, seconds


def of_peers(x, treated, outcome, learned, judged):
    """A T-learner and the class transformation by scikit-learn's logistic regression."""
    scale = StandardScaler().fit(x[learned])
    x, y, w = scale.transform(x), outcome, treated
    fit = lambda rows, label: LogisticRegression(max_iter=1000).fit(x[rows], label[rows])
    two = [fit(learned[w[learned] == group], y) for group in (0, 1)]
    changed = fit(learned, (y == w).astype(int))
    low, high = (model.predict_proba(x[judged])[:, 1] for model in two)
    return {"scikit-learn T": high - low, "scikit-learn class transformation": changed.predict_proba(x[judged])[:, 1]}


def main():
    for mail in ["Womens E-Mail", "Mens E-Mail"]:
        people = data[data.segment.isin([mail, "No E-Mail"])].reset_index(drop=True)
        people["segment"] = np.where(people.segment == mail, "mail", "none")
        people = people.drop(columns=["conversion", "spend"])
        treated, outcome = (people.segment == "mail").to_numpy().astype(int), people.visit.to_numpy()
        x = pd.get_dummies(people.drop(columns=["segment", "visit"]), dtype=float).to_numpy()
        rows, took = {}, 0
        for half in range(10):
            order = np.random.default_rng(half).permutation(len(people))
            learned, judged = np.split(order, [len(people) // 2])
            ours, took = of_clo(people, judged)
            for name, score in (ours | of_peers(x, treated, outcome, learned, judged)).items():
                rows.setdefault(name, []).append(worth(score, treated[judged], outcome[judged]))
        print(f"\n{mail}, visit: mean (standard deviation) over 10 halves; a run of clo on one takes {took:.1f} s")
        print(f"{'':36}uplift at 30 %    area over random")
        for name, found in rows.items():
            (uplift, area), (uplift_sd, area_sd) = np.mean(found, 0), np.std(found, 0)
            print(f"{name:36}{uplift:.4f} ({uplift_sd:.4f})   {area:.4f} ({area_sd:.4f})")


main()
