"""The JSON Schema of clo.toml, judged by a validator that is not clo's: `clo schema | python check_schema.py`.

Needs the package jsonschema. Takes the samples beside this file and refuses each of the mistakes below.
"""

import copy
import datetime
import json
import pathlib
import sys
import tomllib

import jsonschema

WRONG = [
    (("project", "seed"), "seven"),
    (("project", "sede"), 7),
    (("tables", "leads"), 3),
    (("events", "contact", "tabel"), "leads"),
    (("events", "log", "time", "unit"), "fortnights"),
    (("predictions", 0, "from"), "customer"),
    (("predictions", 0, "model", "estimator"), "boostng"),
    (("predictions", 0, "cutoffs", "count"), 0),
    (("audiences", 0, "export", 0), "fax"),
    (("identity", "links", 0, "columns"), ["mql_id"]),
]


def sample(name):
    text = (pathlib.Path(__file__).parent / name).read_text()
    # an editor shows a date without quotes as a text
    return json.loads(json.dumps(tomllib.loads(text), default=lambda value: str(value) if isinstance(value, datetime.date) else None))


schema = json.load(sys.stdin)
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
for name in ["shop.toml", "bank.toml"]:
    validator.validate(sample(name))
for path, value in WRONG:
    document = copy.deepcopy(sample("shop.toml"))
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    assert not validator.is_valid(document), f"{path} = {value!r} was taken"
for key in ["project", "tables", "lifecycle"]:
    assert not validator.is_valid({k: v for k, v in sample("shop.toml").items() if k != key}), f"no {key} was taken"
print("the schema takes what is right and refuses what is wrong")
