"""The demo shop, run once for all end-to-end tests."""
import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(os.environ.get("CLO_ROOT", Path(__file__).parents[2]))
CLO = os.environ["CLO"]


def clo(*arguments, expect=0, **options):
    """Runs clo, checks its exit code, returns the finished process."""
    done = subprocess.run([CLO, *map(str, arguments)], capture_output=True, text=True, **options)
    assert done.returncode == expect, f"clo {arguments} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def read_json(path):
    return json.loads(Path(path).read_text())


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """A simulated shop after `clo run`: the folder with clo.toml, data/, truth, out/ and models/."""
    folder = tmp_path_factory.mktemp("demo") / "shop"
    clo("simulate", folder, "--people", 5000, "--seed", 7)
    clo("run", "--spec", folder / "clo.toml")
    return folder
