"""`flask plugins new`: what it writes has passing tests, clean types, and a wheel that installs and runs."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugin_factory import FLASK

ROOT = Path(__file__).parents[2]
#: each of these runs a test suite, a type checker or a build in a process of its own
pytestmark = pytest.mark.timeout(300)


def run(command, cwd, **environment):
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("JIKI_", "PYTEST_"))}
    return subprocess.run(
        command,
        cwd=cwd,
        env={**inherited, "JIKI_ENV": "test", "JIKI_LOG_LEVEL": "ERROR", **environment},
        capture_output=True,
        text=True,
        timeout=280,
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


@pytest.fixture(scope="module")
def leaderboard(tmp_path_factory):
    """The example, installed from a wheel of its own."""
    here = tmp_path_factory.mktemp("leaderboard")
    source, site = here / "source", here / "site"
    shutil.copytree(ROOT / "examples" / "jiki_leaderboard", source)
    built = run([sys.executable, "-m", "hatchling", "build", "-t", "wheel"], source)
    assert built.returncode == 0, built.stdout + built.stderr
    wheel = next((source / "dist").glob("*.whl"))
    install = ["pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site), str(wheel)]
    assert run([sys.executable, "-m", *install], here).returncode == 0
    return source, site


def test_the_example_is_clean_and_fully_typed(leaderboard):
    source, _site = leaderboard
    assert run([sys.executable, "-m", "ruff", "check", "."], source).stdout.strip() == "All checks passed!"
    typed = run([sys.executable, "-m", "mypy"], source, PYTHONPATH=str(source))
    assert typed.returncode == 0, typed.stdout


def test_the_example_and_the_scaffold_import_public_names_only():
    for folder in (ROOT / "examples", ROOT / "jiki_core" / "scaffold"):
        for path in [*folder.rglob("*.py"), *folder.rglob("*.py.jinja")]:
            if "tests" in path.parts:
                continue
            for room, names in re.findall(r"^\s*from jiki_core\.(\S+) import (.+)$", path.read_text(), re.M):
                public = importlib.import_module(f"jiki_core.{room}")
                for name in names.split(", "):
                    assert name in getattr(public, "__all__", vars(public)), f"{path}: jiki_core.{room}.{name}"


def check(source, site, **environment):
    return run([*FLASK, "plugins", "check", str(source)], source.parent, PYTHONPATH=str(site), **environment)


def test_the_scaffold_and_the_example_pass_the_checklist_and_their_own_tests_at_once(scaffold, leaderboard):
    for source, site in (scaffold, leaderboard):
        done = check(source, site)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "ok   its tests pass" in done.stdout
        assert "ok   it runs with what it requires" in done.stdout
        assert "ok   its migrations import no application code" in done.stdout


def test_the_checklist_names_what_is_missing_and_where(scaffold, tmp_path):
    source, site = scaffold
    spoiled = tmp_path / "acme_field_notes"
    shutil.copytree(source, spoiled)
    (spoiled / "CHANGELOG.md").unlink()
    shutil.rmtree(spoiled / "tests")
    project = spoiled / "pyproject.toml"
    project.write_text(project.read_text().replace(', "jiki-auth>=1.0,<2"', ""))
    revision = next((spoiled / "acme_field_notes" / "migrations" / "versions").glob("*.py"))
    revision.write_text(revision.read_text() + "\nfrom acme_field_notes.models import Note\n")
    jobs = spoiled / "acme_field_notes" / "jobs.py"
    jobs.write_text(jobs.read_text() + "\nfrom jiki_core.db import database_engine\n")
    done = check(spoiled, site)
    assert done.returncode == 1
    for words in (
        "FAIL CHANGELOG.md is there",
        "FAIL it has tests",
        "add the wheels of auth",
        "jiki_core.db.database_engine is not public",
        "field_notes_0001_first_table.py imports acme_field_notes.models",
    ):
        assert words in done.stdout


def test_a_folder_without_a_plugin_is_told_apart_from_one_that_is_not_installed(scaffold, tmp_path):
    source, _site = scaffold
    assert "pyproject.toml is missing" in run([*FLASK, "plugins", "check", str(tmp_path)], tmp_path).stderr
    assert "pip install -e" in run([*FLASK, "plugins", "check", str(source)], tmp_path).stderr
