"""Every command of README.md runs, in the order in which it stands there, in an empty folder."""
import os
import re
import subprocess
from pathlib import Path

from conftest import CLO, ROOT

TEXT = (ROOT / "README.md").read_text()


def test_readme_commands_run(tmp_path):
    blocks = re.findall(r"^```sh\n(.*?)^```", TEXT, flags=re.S | re.M)
    assert len(blocks) >= 3
    environment = {**os.environ, "PATH": f"{Path(CLO).parent}:{os.environ['PATH']}"}
    for block in blocks:
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", block], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    assert list(tmp_path.glob("mine/out/expand/second-purchase-list/export/csv/*.csv"))


def test_readme_names_the_two_commands_and_they_are_there():
    for command in ["scripts/demo", "scripts/test"]:
        assert f"```\n{command}" in TEXT and os.access(ROOT / command, os.X_OK)
