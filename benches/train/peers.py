"""Trains a peer on a table of the training bench; prints the line of JSON that `train.rs` prints of clo.

    python peers.py lightgbm|scikit-learn|scikit-learn-exact FOLDER THREADS"""
import hashlib
import json
import os
import pathlib
import resource
import sys
import time

model, folder, threads = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(threads)

import numpy as np  # noqa: E402, after the number of threads


def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


shape = json.loads((folder / "shape.json").read_text())
x = np.fromfile(folder / "x.f32", np.float32).reshape(shape["n_columns"], shape["n_rows"]).T
y = np.fromfile(folder / "y.u8", np.uint8)
n = shape["n_train"]
x = np.ascontiguousarray(x)
if model == "lightgbm":
    import lightgbm as lgb

    start = (time.time(), cpu())
    settings = dict(objective="binary", num_leaves=31, learning_rate=0.1, max_bin=255, verbosity=-1, seed=7, num_threads=threads)
    booster = lgb.train(settings, lgb.Dataset(x[:n], y[:n]), 200)
    took = (time.time() - start[0], cpu() - start[1])
    kept, score = booster.model_to_string().split("\nparameters:")[0].encode(), booster.predict
else:
    from sklearn.linear_model import LogisticRegression

    how = dict(tol=1e-8, max_iter=1000) if model.endswith("exact") else {}
    start = (time.time(), cpu())
    line = LogisticRegression(C=1.0, **how).fit(x[:n], y[:n])
    took = (time.time() - start[0], cpu() - start[1])
    kept, score = line.coef_.tobytes(), lambda rows: line.predict_proba(rows)[:, 1]

from sklearn.metrics import log_loss, roc_auc_score  # noqa: E402

test, train = score(x[n:]), score(x[:n])
print(json.dumps({"model": model, "wall_s": round(took[0], 2), "cpu_s": round(took[1], 2), "auc": round(roc_auc_score(y[n:], test), 5),
                  "log_loss": round(log_loss(y[n:], test), 6), "train_loss": round(log_loss(y[:n], train), 7),
                  "sha256": hashlib.sha256(kept).hexdigest()[:16]}))
