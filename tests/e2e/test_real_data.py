"""The real datasets run from the specs of the repository, and say what an expert would believe."""
import os
import shutil

import polars as pl
import pytest
from conftest import ROOT, clo, read_json

DATA = os.environ.get("CLO_DATA")
pytestmark = pytest.mark.skipif(not DATA, reason="no real datasets: set CLO_DATA")

# People, and the range that the test AUC of the chosen model must be in: above it, something leaks.
EXPECTED = {
    "cdnow": (23_570, {"second-purchase": (0.52, 0.70)}),
    "online-retail": (2_612, {"second-purchase": (0.62, 0.85)}),
    "olist": (None, {"lead-to-won": (0.52, 0.80), "second-purchase": (None, 0.95)}),
    "ecom": (600, {"first-purchase": (0.42, 0.75)}),
    "starbucks-rewards": (17_000, {"complete-offer": (0.70, 0.88)}),
    "bank-marketing": (30_979, {"subscribe": (0.72, 0.80)}),
    "telco-churn": (5_265, {"churn": (0.80, 0.88)}),
    "febrl": (5_000, {}),
    "hillstrom": (64_000, {}),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_dataset_runs_from_its_spec(name, tmp_path):
    shutil.copy(ROOT / "data" / name / "clo.toml", tmp_path)
    clo("run", "--spec", tmp_path / "clo.toml")
    out = tmp_path / "out"
    n_people, predictions = EXPECTED[name]
    lifecycle = read_json(out / "map/lifecycle.json")
    if n_people:
        assert lifecycle["n_people"] == n_people
    for prediction, (low, high) in predictions.items():
        evaluation = read_json(out / f"predict/{prediction}/evaluation.json")
        auc = evaluation["splits"]["test"]["roc_auc"]
        assert auc["low"] <= auc["value"] <= auc["high"]
        if low:
            assert low < auc["value"] < high, f"{name} {prediction}: {auc}"
        scores = pl.read_parquet(out / f"predict/{prediction}/scores.parquet")
        assert scores["propensity"].is_between(0, 1).all() and scores["person"].is_unique().all()
    for input_ in read_json(out / "manifest.json")["inputs"]:
        assert input_["rows"] >= input_["rejected"]
    assert (out / "report.html").stat().st_size > 10_000


def test_the_womens_e_mail_is_worth_ranking_by_and_the_mens_is_not(tmp_path):
    shutil.copy(ROOT / "data/hillstrom/clo.toml", tmp_path)
    clo("predict", "--spec", tmp_path / "clo.toml")
    womens, mens = (read_json(tmp_path / f"out/uplift/{name}/evaluation.json") for name in ["womens-visit", "mens-visit"])
    told = womens["learners"][0]
    assert womens["beats_random"] and told["learner"] == "auto"
    assert told["uplift_best"][2]["value"] >= 0.070 and told["area_over_random"]["value"] >= 0.32
    assert not mens["beats_random"] and mens["sentence"].startswith("No ranking beats random beyond noise")
