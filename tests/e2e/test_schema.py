"""The JSON Schema of clo.toml takes what clo takes and refuses what it refuses."""
import json
import tomllib

import jsonschema
import pytest
from conftest import ROOT, clo

SPECS = sorted((ROOT / "data").glob("*/clo.toml")) + [ROOT / "benches/pipeline/clo.toml"]

INVALID = {
    "an unknown key": '[project]\nname = "x"\ncolour = "red"',
    "a number where a text belongs": "[project]\nname = 7",
    "a stage without a name": '[project]\nname = "x"\n[[lifecycle.stages]]\nenter = "event = \'a\'"',
    "an estimator that is not one": '[project]\nname = "x"\n[[predictions]]\nname = "p"\nfrom = ["a"]\nto = ["b"]\nmodel = { estimator = "magic" }',
}


@pytest.fixture(scope="module")
def validator():
    schema = json.loads(clo("schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.parent.name)
def test_specs_of_the_repository_are_valid(validator, path):
    validator.validate(tomllib.loads(path.read_text()))


def test_the_demos_spec_is_valid(validator, demo):
    validator.validate(tomllib.loads((demo / "clo.toml").read_text()))


@pytest.mark.parametrize("name", INVALID)
def test_wrong_specs_are_refused_by_schema_and_by_clo(validator, name, tmp_path):
    spec = tomllib.loads(INVALID[name])
    assert list(validator.iter_errors(spec)), name
    (tmp_path / "clo.toml").write_text(INVALID[name])
    clo("check", "--spec", tmp_path / "clo.toml", expect=3)
