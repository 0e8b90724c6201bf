"""Who finds hidden converters? The seed is some converters, the pool everybody else, the truth the converters in it.

For each dataset and size of seed, several seeds are drawn; each method ranks the same pool, and is judged by the area under
the receiver operating characteristic (hidden converters against the rest). "All labels" is what a model reaches that knows
who converted (five folds over everybody): no method that sees a seed alone can be expected to do better. Skewed seeds come
from one group only (`SKEW`), as where a campaign ran in one region.

clo is run as a new user would run it: a CSV with a column `is_seed`, a spec of twenty lines, `clo run`; then its
`audience.parquet` is read, which must hold the whole pool.
"""
import argparse
import pathlib
import resource
import subprocess
import warnings

import lightgbm
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

warnings.filterwarnings("ignore")

SPEC = """[project]
name = "lookalike"
seed = 7
[tables]
customers = "customers.csv"
[people.customers]
table = "customers"
person = "id"
[[audiences]]
name = "like-them"
seed = "is_seed = 1"
candidates = "is_seed = 0"
size = "100%"
"""


def coil(data):
    table = pd.read_csv(f"{data}/coil2000/ticdata2000.txt", sep="\t", header=None)
    table.columns = [f"v{at}" for at in range(1, 87)]
    label = table.pop("v86").to_numpy() == 1
    return table, label, table.v5.isin([1, 2, 3]).to_numpy()


def bank(data):
    table = pd.read_csv(f"{data}/bank-marketing/bank-additional.csv", sep=";").drop(columns="duration")
    label = (table.pop("y") == "yes").to_numpy()
    return table, label, (table.age < 35).to_numpy()


def telco(data):
    table = pd.read_csv(f"{data}/telco-churn/telco.csv").drop(columns="customerID")
    label = (table.pop("Churn") == "Yes").to_numpy()
    table["TotalCharges"] = pd.to_numeric(table.TotalCharges, errors="coerce")
    return table, label, (table.gender == "Female").to_numpy()


# Name, how it is read, size of the seed.
TASKS = [("CoIL", coil, 200), ("bank", bank, 500), ("bank", bank, 2000), ("Telco", telco, 300), ("CoIL", coil, 60), ("Telco", telco, 60)]


def standardised(table):
    texts = [name for name in table if not pd.api.types.is_numeric_dtype(table[name])]
    wide = pd.get_dummies(table, columns=texts, dtype=float).fillna(0.0)
    return StandardScaler().fit_transform(wide.to_numpy(dtype=float))


def coded(table):
    codes = {name: column if pd.api.types.is_numeric_dtype(column) else column.astype("category").cat.codes for name, column in table.items()}
    return pd.DataFrame(codes).to_numpy(dtype=float)


def boosting(seed=0, **settings):
    usual = dict(n_estimators=200, num_leaves=15, learning_rate=0.05, subsample=0.8, subsample_freq=1, colsample_bytree=0.8)
    return lightgbm.LGBMClassifier(**{**usual, **settings}, random_state=seed, verbose=-1, n_jobs=2)


def by_cosine(wide, codes, is_seed, random):
    centroid = wide[is_seed].mean(axis=0)
    return wide @ centroid / (np.linalg.norm(wide, axis=1) * np.linalg.norm(centroid) + 1e-12)


def by_neighbours(wide, codes, is_seed, random):
    """By angle, as the centroid: by Euclid's distance whoever is ordinary is near to everybody, and converters often are not."""
    distances, _ = NearestNeighbors(n_neighbors=10, metric="cosine").fit(wide[is_seed]).kneighbors(wide)
    return -distances.mean(axis=1)


def by_logistic(wide, codes, is_seed, random):
    return LogisticRegression(max_iter=2000).fit(wide, is_seed).decision_function(wide)


def by_boosting(wide, codes, is_seed, random):
    return boosting().fit(codes, is_seed).predict(codes, raw_score=True)


def by_bagging(wide, codes, is_seed, random):
    """Positive-unlabelled bagging (Mordelet and Vert 2014): 50 models against as many candidates as members, out of bag."""
    members, others = np.flatnonzero(is_seed), np.flatnonzero(~is_seed)
    sums, counts = np.zeros(len(is_seed)), np.zeros(len(is_seed))
    for bag in range(50):
        drawn = random.choice(others, size=len(members), replace=True)
        rows, label = np.r_[members, drawn], np.r_[np.ones(len(members)), np.zeros(len(drawn))]
        model = boosting(bag, n_estimators=60, num_leaves=8, learning_rate=0.08, min_child_samples=10, colsample_bytree=0.5)
        left = np.ones(len(is_seed), dtype=bool)
        left[drawn] = False
        sums[left] += model.fit(codes[rows], label).predict_proba(codes[left])[:, 1]
        counts[left] += 1
    return sums / np.maximum(counts, 1)


PEERS = {"cosine": by_cosine, "kNN": by_neighbours, "LR": by_logistic, "boosting": by_boosting, "PU bagging": by_bagging}


def all_labels(codes, label):
    scores = np.zeros(len(label))
    for fit, judge in StratifiedKFold(5, shuffle=True, random_state=0).split(codes, label):
        scores[judge] = boosting(num_leaves=8, colsample_bytree=0.5, n_estimators=150, learning_rate=0.04).fit(codes[fit], label[fit]).predict(codes[judge], raw_score=True)
    return roc_auc_score(label, scores)


def by_clo(clo, folder, table, is_seed):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "clo.toml").write_text(SPEC)
    written = table.copy()
    written.insert(0, "id", [f"c{row}" for row in range(len(table))])
    written["is_seed"] = is_seed.astype(int)
    written.to_csv(folder / "customers.csv", index=False)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([clo, "run", "--spec", folder, "--force", "--quiet"], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    audience = pd.read_parquet(folder / "out/expand/like-them/audience.parquet")
    score = pd.Series(audience.score.to_numpy(), index=audience.person.str[1:].astype(int))
    assert len(score) == (~is_seed).sum(), "the audience must hold the whole pool"
    return score.reindex(range(len(table))).to_numpy(), seconds


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--clo", required=True)
    arguments.add_argument("--data", required=True)
    arguments.add_argument("--work", required=True)
    arguments.add_argument("--repeats", type=int, default=10)
    arguments.add_argument("--only", help="names of datasets, parted by commas")
    arguments.add_argument("--no-peers", action="store_true")
    arguments = arguments.parse_args()
    peers = {} if arguments.no_peers else PEERS
    names = [*peers, "clo"] + ([] if arguments.no_peers else ["all labels"])
    gained = [] if arguments.no_peers else ["clo − PU bagging ± its standard error"]
    columns = [*names, *gained, "clo CPU s"]
    print(f"| data, seed | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}", flush=True)
    for name, read, n_seed in TASKS:
        if arguments.only and f"{name}{n_seed}" not in arguments.only.split(","):
            continue
        table, label, group = read(arguments.data)
        wide, codes = standardised(table), coded(table)
        ceiling = None if arguments.no_peers else all_labels(codes, label)
        for skewed in (False, True):
            converters = np.flatnonzero(label & group if skewed else label)
            size = min(n_seed, len(converters) // 2)
            found = {name: [] for name in [*peers, "clo"]}
            seconds = []
            for repeat in range(arguments.repeats):
                random = np.random.default_rng(repeat)
                is_seed = np.zeros(len(label), dtype=bool)
                is_seed[random.choice(converters, size, replace=False)] = True
                judge = lambda score: roc_auc_score(label[~is_seed], score[~is_seed])
                for peer, rank in peers.items():
                    found[peer].append(judge(rank(wide, codes, is_seed, random)))
                score, took = by_clo(arguments.clo, pathlib.Path(arguments.work) / "project", table, is_seed)
                found["clo"].append(judge(score))
                seconds.append(took)
            cells = [f"{np.mean(aucs):.4f}" for aucs in found.values()]
            if ceiling:
                gain = np.array(found["clo"]) - np.array(found["PU bagging"])
                error = gain.std(ddof=1) / len(gain) ** 0.5 if len(gain) > 1 else float("nan")
                cells += [f"{ceiling:.4f}", f"{gain.mean():+.4f} ± {error:.4f}"]
            print(f"| {name}, {size}{' of one group' if skewed else ''} | {' | '.join(cells)} | {np.mean(seconds):.1f} |", flush=True)


if __name__ == "__main__":
    main()
