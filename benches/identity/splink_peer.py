"""Splink on the same files, with the settings of its documentation: `splink_peer.py [FEBRL_FOLDER] [people.csv]`, the folder for
quality on the public files, the file for speed on what make.py wrote."""
import sys
import time
from pathlib import Path

import pandas as pd
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on


def read(path):
    return pd.read_csv(path, skipinitialspace=True, dtype=str)


def entity(rec_id):
    parts = rec_id.split("-")
    return parts[1] if len(parts) > 2 else parts[0]


def quality(clusters, columns):
    ids = pd.DataFrame({"cluster": clusters["cluster_id"], "entity": clusters[columns].map(entity)})
    pairs = lambda by: sum(n * (n - 1) // 2 for n in ids.groupby(by).size())
    both, found, true = pairs(["cluster", "entity"]), pairs("cluster"), pairs("entity")
    return f"P {both / found:.4f} R {both / true:.4f} F1 {2 * both / (found + true):.4f} ({true} true pairs)"


def febrl(frames, link_type):
    """The comparisons and rules of the FEBRL notebooks in Splink's documentation."""
    settings = SettingsCreator(
        unique_id_column_name="rec_id",
        link_type=link_type,
        blocking_rules_to_generate_predictions=[
            block_on("given_name", "surname"),
            block_on("date_of_birth"),
            block_on("soc_sec_id"),
            block_on("state", "address_1"),
            block_on("street_number", "address_1"),
            block_on("postcode"),
        ],
        comparisons=[
            cl.NameComparison("given_name"),
            cl.NameComparison("surname"),
            cl.DateOfBirthComparison("date_of_birth", input_is_string=True, datetime_format="%Y%m%d"),
            cl.DamerauLevenshteinAtThresholds("soc_sec_id", [1, 2]),
            cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
            cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]).configure(term_frequency_adjustments=True),
        ],
    )
    rules = [
        block_on("soc_sec_id"),
        block_on("given_name", "surname", "date_of_birth"),
        block_on("given_name", "surname", "postcode"),
    ]
    return run(frames, settings, rules, 0.8, [block_on("date_of_birth"), block_on("postcode")])


def people(frame):
    settings = SettingsCreator(
        unique_id_column_name="id",
        link_type="dedupe_only",
        blocking_rules_to_generate_predictions=[
            block_on("phone"),
            block_on("given_name", "surname"),
            block_on("surname", "date_of_birth"),
            block_on("date_of_birth", "postcode"),
            block_on("surname", "postcode"),
            block_on("given_name", "date_of_birth"),
        ],
        comparisons=[
            cl.NameComparison("given_name"),
            cl.NameComparison("surname"),
            cl.DateOfBirthComparison("date_of_birth", input_is_string=True, datetime_format="%Y%m%d"),
            cl.NameComparison("city"),
            cl.DamerauLevenshteinAtThresholds("postcode", [1]),
            cl.DamerauLevenshteinAtThresholds("phone", [1, 2]),
        ],
    )
    rules = [block_on("phone"), block_on("given_name", "surname", "date_of_birth")]
    return run([frame], settings, rules, 0.8, [block_on("phone"), block_on("given_name", "surname")])


def run(frames, settings, rules, recall, training):
    api = DuckDBAPI()
    tables = [api.register(frame) for frame in frames]
    linker = Linker(tables if len(tables) > 1 else tables[0], settings)
    linker.training.estimate_probability_two_random_records_match(rules, recall=recall)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=7)
    for rule in training:
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    found = linker.inference.predict(threshold_match_probability=0.5)
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(found, 0.9)
    return clusters.as_pandas_dataframe()


def main():
    paths = [Path(path) for path in sys.argv[1:]]
    for folder in filter(Path.is_dir, paths):
        for name in ["dataset1", "dataset2", "dataset3"]:
            print(name, quality(febrl([read(folder / f"{name}.csv")], "dedupe_only"), "rec_id"), flush=True)
        both = [read(folder / f"dataset4{part}.csv") for part in "ab"]
        print("dataset4", quality(febrl(both, "link_only"), "rec_id"), flush=True)
    for path in filter(Path.is_file, paths):
        start = time.monotonic()
        clusters = people(read(path))
        seconds = time.monotonic() - start
        print(path, f"{seconds:.1f} s", quality(clusters, "id"))


main()
