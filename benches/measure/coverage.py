"""Coverage of `clo measure` on simulated shops. Arguments: clo, a folder to work in, how many shops, how many people in each."""

import json
import shutil
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pandas as pd

clo, work, shops, people = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]


def run(*words):
    done = subprocess.run([clo, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def shop(seed):
    """What `clo measure` says of a shop's campaign, and the truth."""
    folder = work / f"shop-{seed}"
    shutil.rmtree(folder, ignore_errors=True)
    run("simulate", folder, "--people", people, "--seed", seed, "--quiet")
    campaign = pd.read_csv(folder / "data/campaign.csv")
    start = pd.to_datetime(campaign.assigned_at[0])
    groups = campaign.group.map({"treated": "target", "control": "holdout"})
    pd.DataFrame({"person": campaign.person_id, "group": groups}).to_parquet(folder / "list.parquet", index=False)
    truth = pd.read_parquet(folder / "truth.parquet").drop_duplicates("person").set_index("person").campaign_effect
    audience = tomllib.loads((folder / "clo.toml").read_text())["audiences"][0]["name"]
    said = {}
    for name, more in [("once", []), ("sequential", ["--sequential"])]:
        words = ["measure", "--spec", folder, "--audience", audience, "--list", folder / "list.parquet"]
        words += ["--outcomes", folder / "data/purchases.parquet", "--person", "person_id", "--time", "purchased_at"]
        words += ["--since", start.date(), "--until", (start + timedelta(days=30)).date(), "--json", "--quiet", *more]
        said[name] = json.loads(run(*words))
    shutil.rmtree(folder)
    return said, truth.loc[campaign.person_id].mean()


def covers(estimate, truth):
    low, high = estimate["low"], estimate["high"]
    return (low is None or low <= truth) and (high is None or truth <= high)


found = list(ThreadPoolExecutor(2).map(shop, range(shops)))
rows = {
    "lift, Newcombe": lambda said: said["once"]["lift"],
    "lift, always valid": lambda said: said["sequential"]["lift"],
}
n_people = sum(said["once"][arm]["rate"]["n_eligible"] for said, _ in found for arm in ("target", "holdout")) / shops
print(f"{shops} shops, {n_people:.0f} people a campaign, true lift {100 * sum(truth for _, truth in found) / shops:.2f} points on average")
for name, of in rows.items():
    n = sum(covers(of(said), truth) for said, truth in found)
    width = sum(of(said)["high"] - of(said)["low"] for said, _ in found) / shops
    bias = sum(of(said)["value"] - truth for said, truth in found) / shops
    print(f"{name:20} holds the truth in {100 * n / shops:5.1f} % ({n} of {shops}); {100 * width:.2f} points wide; off by {100 * bias:+.3f} on average")
