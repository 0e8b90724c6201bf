"""The map's numbers, counted again with polars from the raw files and the stage history."""
import os
import shutil
from collections import Counter, defaultdict
from pathlib import Path

import polars as pl
import pytest
from conftest import ROOT, clo, read_json

DATA = os.environ.get("CLO_DATA")
pytestmark = pytest.mark.skipif(not DATA, reason="no real datasets: set CLO_DATA")
DAY = 86_400_000_000


def purchases():
    """CDNOW: a row per person and day."""
    text = (Path(DATA) / "cdnow/CDNOW_master.txt").read_text().splitlines()[1:]
    rows = [line.split() for line in text]
    frame = pl.DataFrame({"person": [r[0] for r in rows], "time": [r[1] for r in rows], "amount": [float(r[3]) for r in rows]})
    frame = frame.with_columns(pl.col("time").str.to_datetime("%Y%m%d"))
    return frame.group_by("person", "time").agg(pl.col("amount").sum()).with_columns(event=pl.lit("purchase"))


def clicks():
    frame = pl.read_csv(Path(DATA) / "ecom/ecom.csv.gz").select("timestamp", "event", person="user_id")
    time = pl.col("timestamp").str.to_datetime(strict=False)
    return frame.with_columns(pl.col("person").cast(pl.String), time=time, amount=pl.lit(None, dtype=pl.Float64))


EVENTS = {"cdnow": purchases, "ecom": clicks}


@pytest.fixture(scope="module", params=EVENTS)
def mapped(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    shutil.copy(ROOT / "data" / request.param / "clo.toml", folder)
    clo("map", "--spec", folder / "clo.toml")
    out = folder / "out/map"
    end = pl.Series([read_json(out / "lifecycle.json")["end"]]).str.to_datetime()[0]
    micros = lambda column: pl.col(column).dt.epoch("us")
    events = EVENTS[request.param]().filter(pl.col("time") < end).with_columns(at=micros("time")).sort("person", "at")
    history = pl.read_parquet(out / "stage_history.parquet").with_columns(entered=micros("entered_at"), left=micros("left_at"))
    return out, events, history, int(end.timestamp() * 1_000_000)


def table(out, name):
    return pl.read_parquet(out / f"{name}.parquet")


def stays(history, end):
    """(stage, next stage or None, length) of every stay, as people pass them."""
    following = pl.col("stage").shift(-1).over("person")
    frame = history.with_columns(to=pl.when(pl.col("left").is_null()).then(None).otherwise(following))
    return frame.with_columns(length=pl.col("left").fill_null(end) - pl.col("entered"))


def aalen_johansen(lengths, exits, limit):
    """Textbook loop: the incidence of each exit by `limit`."""
    lasting, incidence = 1.0, defaultdict(float)
    at = defaultdict(Counter)
    for length, exit in zip(lengths, exits):
        at[length][exit] += 1
    n = len(lengths)
    for length in sorted(at):
        if length > limit:
            break
        ended = {exit: count for exit, count in at[length].items() if exit is not None}
        for exit, count in ended.items():
            incidence[exit] += lasting * count / n
        lasting *= 1 - sum(ended.values()) / n
        n -= sum(at[length].values())
    return lasting, incidence


def test_probabilities_are_aalen_johansen_at_the_horizon(mapped):
    out, _, history, end = mapped
    frame = stays(history, end)
    rows = table(out, "transitions").to_dicts()
    assert rows
    for row in rows:
        of = frame.filter(pl.col("stage") == row["from"])
        watched = sorted((end - of["entered"]).to_list(), reverse=True)
        enough = max(-(-len(watched) // 10), min(10, -(-len(watched) // 2)))
        horizon = watched[enough - 1]
        assert row["horizon_days"] == pytest.approx(horizon / DAY)
        _, incidence = aalen_johansen(of["length"].to_list(), of["to"].to_list(), horizon)
        assert row["probability"] == pytest.approx(incidence[row["to"]], abs=1e-9)
        assert row["probability_low"] <= row["probability"] <= row["probability_high"]
        moved = of.filter(pl.col("to") == row["to"])["person"].n_unique()
        assert (row["people"], row["eligible"]) == (moved, of["person"].n_unique())


def test_occupation_counts_everyone_once(mapped):
    out, _, history, end = mapped
    rows = table(out, "occupation")
    calendar = rows.filter(pl.col("at").is_not_null() & pl.col("by").is_null()).with_columns(pl.col("at").dt.epoch("us").alias("micros"))
    for at in calendar["micros"].unique().sort().to_list()[::5] + [end]:
        here = history.filter((pl.col("entered") < at) & (at <= pl.col("left").fill_null(end)))
        counted = dict(here.group_by("stage").len().iter_rows())
        told = {row["stage"]: row["people"] for row in calendar.filter(pl.col("micros") == at).iter_rows(named=True)}
        assert {stage: n for stage, n in told.items() if n} == counted
    first = history.group_by("person").agg(pl.col("entered").min().alias("entry"))
    joined = history.join(first, on="person")
    since = rows.filter(pl.col("days_since_entry").is_not_null() & pl.col("by").is_null())
    for days in since["days_since_entry"].unique().sort().to_list()[::7]:
        at = pl.col("entry") + int(days * DAY)
        watched = first.filter(at < end).height
        here = joined.filter((at < end) & (pl.col("entered") <= at) & (at < pl.col("left").fill_null(end)))
        counted = dict(here.group_by("stage").len().iter_rows())
        for row in since.filter(pl.col("days_since_entry") == days).iter_rows(named=True):
            assert (row["people"], row["eligible"]) == (counted.get(row["stage"], 0), watched)


def test_retention_by_calendar_month(mapped):
    out, events, history, end = mapped
    month = lambda column: pl.col(column).dt.truncate("1mo")
    entry = history.group_by("person").agg(pl.col("entered_at").min().alias("entry"))
    active = events.join(entry, on="person").filter(pl.col("time") >= pl.col("entry"))
    active = active.select("person", cohort=month("entry"), month=month("time")).unique()
    since = (pl.col("month").dt.year() - pl.col("cohort").dt.year()) * 12 + pl.col("month").dt.month().cast(pl.Int32) - pl.col("cohort").dt.month().cast(pl.Int32)
    counted = active.with_columns(since=since).group_by(pl.col("cohort").dt.strftime("%Y-%m"), "since").len()
    counted = {(cohort, since): n for cohort, since, n in counted.iter_rows()}
    people = dict(entry.group_by(month("entry").dt.strftime("%Y-%m")).len().iter_rows())
    rows = table(out, "retention")
    assert rows.height > 10
    for row in rows.iter_rows(named=True):
        assert row["people"] == people[row["cohort"]]
        assert row["active"] == counted.get((row["cohort"], row["months_since"]), 0), row


def test_funnel_counts_only_who_was_watched(mapped):
    out, events, history, end = mapped
    entry = history.group_by("person").agg(pl.col("entered").min().alias("entry"))
    stages = history.group_by("person", pl.col("stage").alias("to")).agg(pl.col("entered").min().alias("first"))
    kinds = events.join(entry, on="person").filter(pl.col("at") >= pl.col("entry"))
    kinds = kinds.group_by("person", pl.col("event").alias("to")).agg(pl.col("at").min().alias("first"))
    rows = table(out, "funnel").filter(pl.col("from").is_null() & pl.col("window_days").is_not_null())
    assert rows.height
    for row in rows.iter_rows(named=True):
        window = int(row["window_days"] * DAY)
        watched = entry.filter(pl.col("entry") + window <= end)
        firsts = (stages if row["kind"] == "stage" else kinds).filter(pl.col("to") == row["to"])
        reached = watched.join(firsts, on="person").filter(pl.col("first") < pl.col("entry") + window)
        assert (row["people"], row["eligible"]) == (reached.height, watched.height), row


def test_health_holds_people_to_their_own_gaps(mapped):
    out, events, _, end = mapped
    days = events.select("person", day=pl.col("at") // DAY).unique().sort("person", "day")
    gaps = days.with_columns(gap=pl.col("day").diff().over("person")).group_by("person").agg(
        pl.col("gap").drop_nulls().median().alias("usual"), pl.len().alias("n"))
    last = events.group_by("person").agg(pl.col("at").max().alias("last"))
    rows = table(out, "health").join(gaps, on="person").join(last, on="person")
    assert rows.height == events["person"].n_unique()
    known = rows.filter(pl.col("n") >= 3)
    assert (known["usual_gap_days"] - known["usual"]).abs().max() < 1e-9
    assert rows.filter(pl.col("n") < 3)["usual_gap_days"].is_null().all()
    assert ((end - rows["last"]) / DAY - rows["days_since_last"]).abs().max() < 1e-9


def test_money_of_cdnow(tmp_path_factory):
    folder = tmp_path_factory.mktemp("money")
    shutil.copy(ROOT / "data/cdnow/clo.toml", folder)
    clo("map", "--spec", folder / "clo.toml")
    out = folder / "out/map"
    history = table(out, "stage_history")
    end = pl.datetime(1998, 7, 1)
    stays = history.with_columns(left=pl.col("left_at").fill_null(end)).sort("entered_at")
    here = purchases().sort("time").join_asof(
        stays.select("person", "stage", "entered_at"), left_on="time", right_on="entered_at", by="person")
    years = (pl.col("left") - pl.col("entered_at")).dt.total_microseconds().sum() / (365.25 * DAY)
    years = dict(stays.group_by("stage").agg(years).iter_rows())
    first = here.sort("person", "time")
    for stage in read_json(out / "lifecycle.json")["stages"]:
        kpis = {kpi["name"]: kpi for kpi in stage["kpis"]}
        of = here.filter(pl.col("stage") == stage["stage"])
        if not of.height:
            continue
        assert kpis["revenue"]["value"] == pytest.approx(of["amount"].sum())
        assert kpis["order_value"]["value"] == pytest.approx(of["amount"].mean())
        assert kpis["purchase_frequency"]["value"] == pytest.approx(of.height / years[stage["stage"]])
        begun = of.group_by("person").agg(pl.col("time").min().alias("begun"))
        later = first.join(begun, on="person").filter(pl.col("time") > pl.col("begun"))["person"].n_unique()
        rate = kpis["repeat_rate"]
        assert (rate["n_attained"], rate["n_eligible"]) == (later, begun.height)
    # A customer's life: from the first purchase to the first silence. Average years: the area under Kaplan–Meier.
    lives = history.group_by("person").agg(
        pl.col("entered_at").min().alias("begun"), pl.col("entered_at").filter(pl.col("stage") == "lapsed").min().alias("over"))
    lives = lives.with_columns(until=pl.col("over").fill_null(end))
    length = (pl.col("until") - pl.col("begun")).dt.total_microseconds()
    lives = lives.with_columns(length=length)
    row = table(out, "value").filter((pl.col("stage") == "customer") & pl.col("by").is_null()).to_dicts()[0]
    paid = purchases().join(lives, on="person").filter((pl.col("time") >= pl.col("begun")) & (pl.col("time") < pl.col("until")))
    assert row["revenue"] == pytest.approx(paid["amount"].sum())
    assert row["years_watched"] == pytest.approx(lives["length"].sum() / (365.25 * DAY))
    limit, area, before, lasting, n = row["horizon_days"] * DAY, 0.0, 0, 1.0, lives.height
    counts = lives.group_by("length").agg(pl.col("over").is_not_null().sum().alias("ended"), pl.len().alias("n")).sort("length")
    for length, ended, left in counts.iter_rows():
        area += lasting * (min(length, limit) - min(before, limit))
        lasting, before, n = lasting * (1 - ended / n), length, n - left
    assert row["years"] == pytest.approx(area / (365.25 * DAY), rel=1e-9)
