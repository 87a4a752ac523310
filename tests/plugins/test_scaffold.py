"""`flask plugins new`: what it writes has passing tests, clean types, and a wheel that installs and runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugin_factory import FLASK

ROOT = Path(__file__).parents[2]


def run(command, cwd, **environment):
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("JIKI_", "PYTEST_"))}
    return subprocess.run(
        command,
        cwd=cwd,
        env={**inherited, "JIKI_ENV": "test", "JIKI_LOG_LEVEL": "ERROR", **environment},
        capture_output=True,
        text=True,
        timeout=115,
        check=False,
    )


@pytest.fixture(scope="module")
def scaffold(tmp_path_factory):
    """(folder of the distribution, folder that its wheel is installed in)."""
    here = tmp_path_factory.mktemp("scaffold")
    done = run([*FLASK, "plugins", "new", "acme_field_notes"], here)
    assert done.returncode == 0, done.stdout + done.stderr
    source, site = here / "acme_field_notes", here / "site"
    built = run([sys.executable, "-m", "hatchling", "build", "-t", "wheel"], source)
    assert built.returncode == 0, built.stdout + built.stderr
    wheel = next((source / "dist").glob("*.whl"))
    install = ["pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site), str(wheel)]
    installed = run([sys.executable, "-m", *install], here)
    assert installed.returncode == 0, installed.stderr
    return source, site


def test_its_tests_pass_at_once(scaffold):
    source, site = scaffold
    done = run([sys.executable, "-m", "pytest", "-q", "-n", "0"], source, PYTHONPATH=str(site))
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout


def test_its_code_is_clean_and_fully_typed(scaffold):
    source, _site = scaffold
    assert run([sys.executable, "-m", "ruff", "check", "."], source).stdout.strip() == "All checks passed!"
    typed = run([sys.executable, "-m", "mypy"], source, PYTHONPATH=str(source))
    assert typed.returncode == 0, typed.stdout


def test_its_wheel_migrates_and_runs(scaffold, services, tmp_path):
    _source, site = scaffold
    environment = {
        "PYTHONPATH": str(site),
        "JIKI_PLUGINS_ENABLED": "auth,field_notes",
        "DATABASE_URL": services.create_database("jiki_scaffold_wheel"),
        "REDIS_URL": services.redis_url_of(58),
    }
    upgraded = run([*FLASK, "db", "upgrade"], tmp_path, **environment)
    assert upgraded.returncode == 0, upgraded.stderr
    listed = run([*FLASK, "plugins", "list"], tmp_path, **environment)
    assert "field_notes      0.1.0      running" in listed.stdout
    assert run([*FLASK, "field_notes", "count"], tmp_path, **environment).stdout == "0\n"
    checked = run([*FLASK, "db", "check"], tmp_path, **environment)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("name", ["badges", "Acme_Badges", "acme_plugins", "acme_select", "acme-badges"])
def test_a_name_that_cannot_be_is_refused(tmp_path, name):
    done = run([*FLASK, "plugins", "new", name], tmp_path)
    assert done.returncode == 1
    assert not list(tmp_path.iterdir())
