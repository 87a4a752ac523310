"""docs/tutorial.md, executed: its edits are made, its commands run, its tests pass."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.plugin_factory import FLASK
from tests.plugins.test_scaffold import ROOT, run

pytestmark = pytest.mark.timeout(300)
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text()


def edit(folder, how, target, code):
    file = folder / target
    text = file.read_text()
    if how == "append":
        file.write_text(text + code)
        return
    old, new = code.split("---\n")
    assert text.count(old) == 1, f"{target} has {old!r} {text.count(old)} times"
    file.write_text(text.replace(old, new))


def test_every_step_of_the_tutorial_works(services, tmp_path):
    python, site = sys.executable, tmp_path / "site"
    commands = re.findall(r"^\$ (.+)$", TUTORIAL, re.M)
    assert commands == [
        "flask plugins new acme_badges",
        "cd acme_badges",
        "pytest",
        "python -m hatchling build -t wheel",
        "flask db upgrade",
        "flask plugins list",
        "flask plugins check .",
    ]
    done = run([*FLASK, *commands[0].split()[1:]], tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "acme_badges"
    edits = re.findall(r"^```python (append|replace) (\S+)\n(.*?)^```$", TUTORIAL, re.M | re.S)
    assert len(edits) == 7
    for how, target, code in edits:
        edit(folder, how, target, code)
    built = run([python, *commands[3].split()[1:]], folder)
    assert built.returncode == 0, built.stderr
    wheel = next(Path(folder / "dist").glob("*.whl"))
    install = ["pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site), str(wheel)]
    assert run([python, "-m", *install], tmp_path).returncode == 0
    tested = run([python, "-m", "pytest", "-q", "-n", "0", "tests/test_notes.py"], folder, PYTHONPATH=str(site))
    assert tested.returncode == 0, tested.stdout[-3000:]
    environment = {
        "PYTHONPATH": str(site),
        "JIKI_PLUGINS_ENABLED": "auth,badges",
        "DATABASE_URL": services.create_database("jiki_tutorial"),
        "REDIS_URL": services.redis_url_of(57),
    }
    for command in commands[4:]:
        done = run([*FLASK, *command.split()[1:]], folder, **environment)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
