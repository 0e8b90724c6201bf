"""The same questions, asked with retentioneering, pandas and lifelines: peer.py EVENTS HISTORY.

EVENTS: Parquet or CSV with user_id, event, timestamp. HISTORY: the stage_history.parquet that clo wrote for it.
Prints a JSON line with the seconds that each part took.
"""
import json
import os
import sys
import time
import warnings

warnings.filterwarnings("ignore")
import numpy as np
import pandas as pd

started = time.perf_counter()
took = {}


def timed(name, work):
    begin = time.perf_counter()
    result = work()
    took[name] = round(time.perf_counter() - begin, 3)
    return result


def read():
    path = sys.argv[1]
    frame = pd.read_parquet(path) if path.endswith("parquet") else pd.read_csv(path)
    frame = frame[["user_id", "event", "timestamp"]].copy()
    frame["timestamp"] = pd.to_datetime(frame["timestamp"])
    return frame


frame = timed("read_s", read)
STEPS = ["product_view", "add_to_cart", "purchase"]


def eventstream():
    import retentioneering._tracking as tracking
    tracking._ph = None  # it would report its use to its makers
    from retentioneering.eventstream import Eventstream
    return Eventstream(frame)


def funnel():
    stream.funnel_data(steps=STEPS)
    for within in ("7d", "30d", "90d"):
        stream.get_conversion_rate("path_start", STEPS, within=within)


def transitions():
    stream.transition_graph_data("proba_out")
    stream.transition_graph_data("time_median")


def retention():
    month = frame["timestamp"].dt.to_period("M")
    cohort = month.groupby(frame["user_id"]).transform("min")
    since = (month.dt.year - cohort.dt.year) * 12 + month.dt.month - cohort.dt.month
    table = frame.assign(cohort=cohort, since=since).groupby(["cohort", "since"])["user_id"].nunique().unstack()
    return table.div(table[0], axis=0)


def paths():
    ordered = frame.sort_values(["user_id", "timestamp"])
    ordered = ordered[(ordered["user_id"] != ordered["user_id"].shift()) | (ordered["event"] != ordered["event"].shift())]
    return ordered.groupby("user_id")["event"].agg(lambda kinds: tuple(kinds[:5])).value_counts().head(50)


def incidence():
    from lifelines import AalenJohansenFitter
    history = pd.read_parquet(sys.argv[2])
    history["to"] = history.groupby("person")["stage"].shift(-1)
    end = frame["timestamp"].max() + pd.Timedelta(microseconds=1)
    values = {}
    for stage, stays in history.groupby("stage"):
        length = (stays["left_at"].fillna(end) - stays["entered_at"]).dt.total_seconds() / 86_400
        to = stays["to"].where(stays["left_at"].notna())
        codes = {name: code for code, name in enumerate(sorted(to.dropna().unique()), 1)}
        for name, code in codes.items():
            fitter = AalenJohansenFitter(calculate_variance=len(sys.argv) > 3, jitter_level=1e-9, seed=7)
            fitter.fit(length.to_numpy(), to.map(codes).fillna(0).to_numpy().astype(int), event_of_interest=code)
            curve = fitter.cumulative_density_
            values[f"{stage}>{name}"] = [curve.index.to_numpy(), curve.iloc[:, 0].to_numpy()]
    return values


stream = timed("eventstream_s", eventstream)
timed("funnel_s", funnel)
timed("transitions_s", transitions)
timed("retention_s", retention)
timed("paths_s", paths)
questions = round(time.perf_counter() - started, 3)
curves = timed("lifelines_s", incidence)
times = pd.read_parquet(os.path.join(os.path.dirname(sys.argv[2]), "times.parquet"))
times = times[times["by"].isna() & times["to"].notna()]
differences = []
for row in times.itertuples():
    at, values = curves[f"{row.stage}>{row.to}"]
    differences.append(abs(values[np.searchsorted(at, row.horizon_days + 1e-6, side="right") - 1] - row.probability))
print(json.dumps({"events": len(frame), **took, "questions_s": questions, "largest_difference": max(differences)}))
