"""Exported models say what the model says: ONNX in onnxruntime and tract, SQL in DuckDB (and parsed as PostgreSQL), trees in XGBoost."""
import json
import os
import shlex
import shutil
import subprocess

import numpy as np
import polars as pl
import pytest
from conftest import ROOT, clo

duckdb = pytest.importorskip("duckdb")
onnxruntime = pytest.importorskip("onnxruntime")
sqlglot = pytest.importorskip("sqlglot")
tract = pytest.importorskip("tract")

DATA = os.environ.get("CLO_DATA")
SNAPSHOT = """
[project]
name = "snapshot"
[tables]
people = "people.csv"
[people.all]
table = "people"
person = "id"
[[lifecycle.stages]]
name = "active"
[[lifecycle.stages]]
name = "gone"
when = "\\"left\\" = 'yes'"
[[predictions]]
name = "leave"
from = ["active"]
to = ["gone"]
exclude = [EXCLUDE]
model = { estimator = "ESTIMATOR" }
"""


def make(folder, estimator, exclude=""):
    """A snapshot with gaps, a heavy tail, and levels that SQL must quote."""
    rng = np.random.default_rng(3)
    n = 2_000
    plan = rng.choice(["basic", "O'Neil \"plus\"", "family", None], n, p=[0.4, 0.3, 0.25, 0.05])
    age = np.where(rng.random(n) < 0.1, None, rng.normal(45, 12, n).round(1))
    spend = np.exp(rng.normal(3, 1.6, n)).round(2)
    margin = np.where(plan == "basic", 0.8, -0.6) + np.array([0.5 if a is None else (a - 45) / 15 for a in age])
    left = rng.random(n) < 1 / (1 + np.exp(-margin + 0.2 * np.log(spend)))
    ids = [f"c{i}" for i in range(n)]
    frame = {"id": ids, "plan": plan.tolist(), "age": age.tolist(), "spend": spend, "left": np.where(left, "yes", "no")}
    pl.DataFrame(frame, strict=False).write_csv(folder / "people.csv")
    (folder / "clo.toml").write_text(SNAPSHOT.replace("ESTIMATOR", estimator).replace("EXCLUDE", exclude))
    clo("predict", "--spec", folder / "clo.toml")
    return folder, "leave"


def examples(folder, prediction):
    """The people scored by the run: their features, and what it said of them."""
    scores = pl.read_parquet(folder / f"out/predict/{prediction}/scores.parquet")
    rows = pl.read_parquet(folder / f"out/discover/{prediction}/examples.parquet")
    rows = rows.filter(pl.col("cutoff") == pl.col("cutoff").max()).unique("person", keep="any")
    rows = rows.join(scores.select("person", "propensity"), on="person", how="inner").sort("person")
    assert len(rows) == len(scores)
    return rows


def export(folder, prediction, name, *options):
    output = folder / name
    clo("models", "export", "--model", folder / f"models/{prediction}/current", "--output", output, *options)
    return output


def by_onnx(path, rows):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    feed = {}
    for value in session.get_inputs():
        column = rows[value.name]
        if "string" in value.type:
            feed[value.name] = np.array(column.cast(pl.String).fill_null("").to_list(), dtype=object).reshape(-1, 1)
        else:
            feed[value.name] = column.cast(pl.Float32).fill_null(float("nan")).to_numpy().reshape(-1, 1)
    return session.run(["propensity"], feed)[0].ravel()


def by_tract(path, rows):
    """Of numbers: tract's Python has no texts to feed. Whether it knows all operators is asked of any graph."""
    graph = tract.onnx().load(str(path))
    names = [graph.input_name(at) for at in range(graph.input_count())]
    for at, name in enumerate(names):
        graph.set_input_fact(at, f"{len(rows)},1,{'string' if rows[name].dtype == pl.String else 'f32'}")
    graph.analyse()
    runnable = graph.into_model().into_runnable()
    if any(rows[name].dtype == pl.String for name in names):
        return None
    feed = [rows[name].cast(pl.Float32).fill_null(float("nan")).to_numpy().reshape(-1, 1) for name in names]
    return runnable.run(feed)[0].to_numpy().ravel()


def by_duckdb(path, rows):
    file = path.with_suffix(".parquet")
    rows.write_parquet(file)
    connection = duckdb.connect()
    connection.sql(f"CREATE VIEW features AS SELECT * FROM '{file}'")
    return np.array([propensity for _, propensity in sorted(connection.sql(path.read_text()).fetchall())])


def by_postgres(path, rows):
    """In a server that CLO_POSTGRES tells psql how to reach, e.g. "-h /run/postgresql -U me"."""
    kind = {pl.String: "text", pl.Datetime: "timestamp"}
    columns = ", ".join(f'"{name}" {kind.get(dtype.base_type(), "real")}' for name, dtype in rows.schema.items())
    table = path.with_suffix(".csv")
    rows.write_csv(table)
    fill = f"CREATE TEMP TABLE features ({columns});\n\\copy features from '{table}' csv header\n"
    script = path.with_suffix(".psql")
    script.write_text(fill + path.read_text().rstrip() + ";\n")
    command = ["psql", *shlex.split(os.environ["CLO_POSTGRES"]), "-X", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-f", script]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:2000]
    pairs = [line.split("\t") for line in done.stdout.splitlines() if "\t" in line]
    return np.array([float(propensity) for _, propensity in sorted(pairs)])


def check(folder, prediction, tolerance=2e-6):
    rows = examples(folder, prediction)
    said = rows["propensity"].to_numpy()
    far = {}
    onnx = export(folder, prediction, "m.onnx", "--format", "onnx")
    far["onnx"] = np.abs(by_onnx(onnx, rows) - said).max()
    in_tract = by_tract(onnx, rows)
    if in_tract is not None:
        far["tract"] = np.abs(in_tract - said).max()
    sql = export(folder, prediction, "m.sql", "--format", "sql")
    far["duckdb"] = np.abs(by_duckdb(sql, rows) - said).max()
    postgres = export(folder, prediction, "p.sql", "--format", "sql", "--dialect", "postgres")
    assert len(sqlglot.parse(postgres.read_text(), dialect="postgres")) == 1
    if os.environ.get("CLO_POSTGRES"):
        far["postgres"] = np.abs(by_postgres(postgres, rows) - said).max()
    print(folder.name, prediction, {name: f"{value:.1e}" for name, value in far.items()}, len(rows))
    assert max(far.values()) < tolerance, far
    return far


@pytest.mark.parametrize("estimator", ["logistic", "bayes", "boosting", "forest", "blend"])
def test_onnx_and_sql_say_what_the_model_says(estimator, tmp_path):
    check(*make(tmp_path, estimator))
    assert "tract" in check(*make(tmp_path, estimator, exclude='"attr.plan"'))


def test_the_trees_have_the_same_margin_in_xgboost(tmp_path):
    xgboost = pytest.importorskip("xgboost")
    folder, prediction = make(tmp_path, "boosting")
    document = export(folder, prediction, "m.json", "--format", "xgboost-json")
    booster = xgboost.Booster(model_file=str(document))
    levels = json.loads(booster.attr("clo_levels"))
    calibration = json.loads(booster.attr("clo_calibration"))
    rows = examples(folder, prediction)
    columns = []
    for name in booster.feature_names:
        if name in levels:
            gap = levels[name][""]
            columns.append([levels[name].get(level, gap) if level else gap for level in rows[name].to_list()])
        else:
            columns.append(rows[name].cast(pl.Float32).fill_null(float("nan")).to_list())
    matrix = xgboost.DMatrix(np.array(columns, dtype=np.float32).T, feature_names=booster.feature_names)
    margin = booster.predict(matrix, output_margin=True).astype(float)
    if calibration != "identity":
        kind, line = next(iter(calibration.items()))
        if kind != "platt":
            pytest.skip(f"calibrated by {kind}")
        margin = line["slope"] * margin + line["intercept"]
    far = np.abs(1 / (1 + np.exp(-margin)) - rows["propensity"].to_numpy()).max()
    assert far < 2e-6, far


def test_a_blend_is_no_sum_of_trees(tmp_path):
    folder, prediction = make(tmp_path, "logistic")
    model = folder / f"models/{prediction}/current"
    done = clo("models", "export", "--model", model, "--format", "xgboost-json", "--output", folder / "x", expect=4)
    assert "--format onnx" in done.stderr


def test_the_demos_models(demo):
    check(demo, "first-purchase")


@pytest.mark.skipif(not DATA, reason="no real datasets: set CLO_DATA")
@pytest.mark.parametrize(("name", "prediction"), [("telco-churn", "churn"), ("bank-marketing", "subscribe")])
def test_real_models(name, prediction, tmp_path):
    shutil.copy(ROOT / "data" / name / "clo.toml", tmp_path)
    clo("predict", "--spec", tmp_path / "clo.toml")
    check(tmp_path, prediction)
