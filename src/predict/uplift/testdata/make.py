"""Writes ranked.csv and worth.csv: what scikit-uplift says of three scores, one of them with many ties, one constant.

    pip install scikit-uplift numpy && python make.py
"""

import csv

import numpy as np
from sklift.metrics import qini_curve, uplift_at_k, uplift_curve

random = np.random.default_rng(7)
n = 800
x = random.normal(size=n)
treated = (random.random(n) < 0.6).astype(int)
outcome = (random.random(n) < 0.2 + 0.15 * treated * (x > 0)).astype(int)
fine = np.round(x + random.normal(size=n), 8)
assert len(np.unique(fine)) == n
coarse = np.round(fine)

with open("ranked.csv", "w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["fine", "coarse", "treated", "outcome"])
    writer.writerows(zip(fine.tolist(), coarse.tolist(), treated.tolist(), outcome.tolist()))

with open("worth.csv", "w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["column", "effect", "auuc_over_random", "qini", "uplift_30"])
    for column, score in enumerate([fine, coarse]):
        effect = outcome[treated == 1].mean() - outcome[treated == 0].mean()
        at, gain = uplift_curve(outcome, score, treated)
        auuc = np.trapezoid(gain, at) / n**2
        at, gained = qini_curve(outcome, score, treated)
        qini = np.trapezoid(gained, at) / (n * treated.sum()) - gained[-1] / (2 * treated.sum())
        top = uplift_at_k(outcome, score, treated, strategy="overall", k=0.3)
        writer.writerow([column, *(repr(float(value)) for value in (effect, auuc - effect / 2, qini, top))])
