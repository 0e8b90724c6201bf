"""Predictions over events with other horizons, cutoffs and ends of data than the specs under data/ have: how clo's own choice does on
the test of each. What is decided on a handful of predictions is seen here on some fifty.

    CLO_DATA=… python horizons.py --clo PATH --work FOLDER [--against OTHER]

OTHER is another program of clo; its figures stand beside, and the means of what PATH gains. Specs that leave too few outcomes are named."""
import argparse
import json
import pathlib
import re
import statistics
import subprocess

SPECS = pathlib.Path(__file__).resolve().parents[2] / "data"
# Name, folder of the spec, from, to, horizons with the cutoffs for each, ends of the data, and what else the prediction says.
PREDICTIONS = [
    ("starbucks", "starbucks-rewards", ["offered"], ["completed"],
     [("5d", "2d", 12), ("3d", "1d", 16), ("2d", "2d", 12), ("7d", "2d", 12)],
     ["2018-08-31", "2018-08-25", "2018-08-21"], 'windows = ["2d", "7d", "14d"]'),
    ("retail-second", "online-retail", ["customer"], ["repeat"],
     [("90d", "14d", 16), ("30d", "14d", 16), ("60d", "30d", 12)], ["2011-12-10", "2011-10-20", "2011-09-01"], ""),
    ("retail-loyal", "online-retail", ["repeat"], ["loyal"], [("60d", "14d", 14)],
     ["2011-12-10", "2011-10-20", "2011-09-01"], ""),
    ("cdnow-second", "cdnow", ["customer"], ["repeat"], [("90d", "30d", 12), ("30d", "15d", 16), ("60d", "30d", 12)],
     ["1998-07-01", "1998-03-01", "1997-11-01"], ""),
    ("cdnow-lapsed", "cdnow", ["repeat"], ["lapsed"], [("60d", "30d", 12)], ["1998-07-01", "1998-03-01"], ""),
    ("ecom-buyer", "ecom", ["visitor", "browsing", "cart"], ["buyer"], [("14d", "7d", 18), ("7d", "7d", 18)],
     ["2024-07-01", "2024-05-15", "2024-04-15"], ""),
    ("ecom-cart", "ecom", ["visitor", "browsing"], ["cart"], [("14d", "7d", 14)],
     ["2024-07-01", "2024-05-15", "2024-04-15"], ""),
    ("olist-won", "olist", ["lead"], ["won"], [("30d", "15d", 16), ("60d", "15d", 12), ("15d", "15d", 14)],
     ["2018-09-01", "2018-06-01", "2018-04-01"], ""),
    ("olist-selling", "olist", ["won"], ["selling"], [("60d", "15d", 12)], ["2018-09-01"], ""),
]


def variants():
    """Name and spec of each."""
    for name, folder, source, target, horizons, ends, more in PREDICTIONS:
        head = (SPECS / folder / "clo.toml").read_text().split("[[predictions]]")[0]
        for end in ends:
            dated = re.sub(r'(\[lifecycle\]\nend = )"[^"]*"', rf'\1"{end}"', head)
            for horizon, every, count in horizons:
                asked = (f'[[predictions]]\nname = "p"\nfrom = {json.dumps(source)}\nto = {json.dumps(target)}\n'
                         f'horizon = "{horizon}"\ncutoffs = {{ every = "{every}", count = {count} }}\n{more}\n')
                yield f"{name} {horizon} to {end}", dated + asked


def judged(clo, project):
    """AUC, log loss, mean propensity and rate of the test part; None where there is too little to learn from."""
    if subprocess.run([clo, "predict", "--quiet"], cwd=project, capture_output=True).returncode:
        return None
    evaluation = json.loads((project / "out/predict/p/evaluation.json").read_text())
    test = evaluation["splits"]["test"]
    rate = test["base_rate"]["n_attained"] / test["base_rate"]["n_eligible"]
    return [test[of]["value"] for of in ("roc_auc", "log_loss", "mean_propensity")] + [rate]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--clo", required=True)
    arguments.add_argument("--work", type=pathlib.Path, required=True)
    arguments.add_argument("--against")
    args = arguments.parse_args()
    gains = []
    for number, (name, spec) in enumerate(variants()):
        told = []
        for program in filter(None, [args.clo, args.against]):
            project = args.work / f"{number}-{len(told)}"
            project.mkdir(parents=True, exist_ok=True)
            (project / "clo.toml").write_text(spec)
            told.append(judged(program, project))
        if None in told:
            print(f"{name:32} too little to learn from")
            continue
        print(f"{name:32} rate {told[0][3]:.3f}", *(f"| AUC {t[0]:.4f} log loss {t[1]:.4f} mean {t[2]:.3f}" for t in told), flush=True)
        if args.against:
            gains.append((told[0][0] - told[1][0], told[1][1] - told[0][1]))
    for what, of in zip(("AUC", "log loss"), zip(*gains)):
        error = statistics.stdev(of) / len(of) ** 0.5
        print(f"gains in {what:8} {statistics.mean(of):+.4f} ± {error:.4f}, median {statistics.median(of):+.4f}, {len(of)} predictions")


main()
