"""Writes intervals.csv and cuped.csv: what statsmodels and scipy say (see versions in the first line it prints).

    pip install statsmodels scipy numpy && python make.py
"""

import csv
import sys

import numpy as np
import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep

print("statsmodels", statsmodels.__version__, "scipy", scipy.__version__, "numpy", np.__version__, file=sys.stderr)

rows = []
for x1, n1, x0, n0 in [(56, 70, 48, 80), (9, 10, 3, 10), (1200, 20000, 90, 2000), (5, 900, 1, 100), (30, 100, 45, 100), (1, 5000, 3, 4000)]:
    for name, compare, method in [("newcombe", "diff", "newcomb"), ("koopman", "ratio", "score")]:
        low, high = confint_proportions_2indep(x1, n1, x0, n0, compare=compare, method=method, correction=False)
        rows.append([x1, n1, x0, n0, name, repr(float(low)), repr(float(high))])
with open("intervals.csv", "w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["x1", "n1", "x0", "n0", "interval", "low", "high"])
    writer.writerows(rows)

first, second = [1, 2, 3, 4, 5, 6, 7, 8, 9, 30], [2, 2, 3, 1, 4, 2, 3, 1, 2, 5, 3, 2]
print("welch", stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.95), file=sys.stderr)

# The exact power of the pooled z test at the sizes that power.rs asks for: 10 % against 12 %, one held out for nine reached.
n1, n0 = 19668, 2186
x1, x0 = np.arange(2000, 2720), np.arange(130, 320)
both = (x1[:, None] + x0[None, :]) / (n1 + n0)
z = np.abs(x1[:, None] / n1 - x0[None, :] / n0) / np.sqrt(both * (1 - both) * (1 / n1 + 1 / n0))
chance = stats.binom.pmf(x1, n1, 0.12)[:, None] * stats.binom.pmf(x0, n0, 0.10)[None, :]
print("power", chance[z > stats.norm.ppf(0.975)].sum(), "of", chance.sum(), file=sys.stderr)

# CUPED: ordinary least squares of y on the covariates over everybody, then Welch on the residuals.
random = np.random.default_rng(7)
n = 60
x = np.column_stack([random.normal(size=n), random.exponential(size=n)])
group = random.random(n) < 0.7
y = 2 + 1.5 * x[:, 0] - 0.7 * x[:, 1] + 0.5 * group + random.normal(size=n)
x, y = np.round(x, 6), np.round(y, 6)
with open("cuped.csv", "w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["group", "x1", "x2", "y"])
    writer.writerows([int(g), *row, value] for g, row, value in zip(group, x, y))
centred = x - x.mean(axis=0)
theta = np.linalg.lstsq(np.column_stack([np.ones(n), centred]), y, rcond=None)[0][1:]
rest = y - centred @ theta
interval = stats.ttest_ind(rest[group], rest[~group], equal_var=False).confidence_interval(0.95)
print("cuped", rest[group].mean() - rest[~group].mean(), interval, 1 - rest.var() / y.var(), file=sys.stderr)
