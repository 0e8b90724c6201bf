"""The two tables of the training bench, as clo and the peers read them: `x.f32` (column after column), `y.u8`, `shape.json`.

    python make_tables.py OUT/task EVENTS.parquet PEERS        # the examples of pipeline_polars_lightgbm.py, train before test
    python make_tables.py OUT/table                            # 1,000,000 × 30: gaps, categories as codes, a signal that bends
    python make_tables.py OUT/line                             # 1,000,000 × 50: a straight signal, for logistic regression
    python make_tables.py OUT/small-table, OUT/small-line      # a tenth of these
"""
import importlib.util
import json
import pathlib
import sys
from datetime import timedelta

import numpy as np


def task(events, peers):
    """The features of the peers' script at its twelve cutoffs; the last two are the test."""
    import polars as pl

    source = (pathlib.Path(peers) / "pipeline_polars_lightgbm.py").read_text().replace("\nmain()\n", "\n")
    peer = importlib.util.module_from_spec(importlib.util.spec_from_loader("peer", loader=None))
    exec(compile(source, "pipeline_polars_lightgbm.py", "exec"), peer.__dict__)
    end = pl.scan_parquet(events).select(pl.col("time").max()).collect().item()
    parts = []
    for back in range(12, 0, -1):
        cutoff = end - timedelta(days=30 * back)
        part = peer.polars_features(events, cutoff).sort("person")
        part = part.join(peer.labels(events, cutoff), on="person", how="left").with_columns(pl.col("label").fill_null(0))
        parts.append((part["label"].to_numpy(), part.drop("person", "label").to_numpy().astype(np.float32)))
    y, x = np.concatenate([y for y, _ in parts]), np.concatenate([x for _, x in parts])
    return x, y, sum(len(y) for y, _ in parts[:-2])


def table(n=1_250_000):
    """24 numbers with 5 % gaps, 6 categories as codes, 5 % who attained; four fifths are learned from."""
    random = np.random.default_rng(3)
    x = random.normal(size=(n, 30)).astype(np.float32)
    codes = np.stack([random.integers(0, levels, n) for levels in (3, 5, 8, 12, 20, 40)], 1)
    effects = [random.normal(size=levels) * 0.4 for levels in (3, 5, 8, 12, 20, 40)]
    margin = (0.6 * x[:, 0] - 0.5 * x[:, 1] + 0.5 * np.abs(x[:, 2]) + 0.6 * x[:, 3] * x[:, 4] + 0.8 * (x[:, 5] > 0.5) * (x[:, 6] < 0)
              + 0.3 * np.sin(2 * x[:, 7]) + sum(effect[code] for effect, code in zip(effects, codes.T)))
    x[:, 24:] = codes
    margin += -np.quantile(margin, 0.5) - 3.6
    y = random.random(n) < 1 / (1 + np.exp(-margin))
    x[:, :24][random.random((n, 24)) < 0.05] = np.nan
    return x, y, n * 4 // 5


def line(n=1_250_000):
    random = np.random.default_rng(5)
    mixed = random.normal(size=(50, 50)) * 0.15 + np.eye(50)
    x = (random.normal(size=(n, 50)) @ mixed).astype(np.float32)
    margin = x @ (random.normal(size=50) * 0.25).astype(np.float32) - 2.5
    return x, random.random(n) < 1 / (1 + np.exp(-margin)), n * 4 // 5


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    tenth = 125_000
    make = {"task": lambda: task(*sys.argv[2:]), "table": table, "line": line, "small-table": lambda: table(tenth),
            "small-line": lambda: line(tenth)}
    x, y, n_train = make[out.name]()
    np.asfortranarray(x).T.tofile(out / "x.f32")
    y.astype(np.uint8).tofile(out / "y.u8")
    (out / "shape.json").write_text(json.dumps({"n_rows": len(y), "n_columns": x.shape[1], "n_train": n_train}))
    print(out.name, x.shape, n_train, f"{y.mean():.4f}")


main()
