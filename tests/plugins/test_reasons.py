"""`flask plugins why|check|status`: each state has a reason, and processes that differ are found."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text

from jiki_core.db import db
from jiki_core.plugins.fingerprint import fingerprint, settings_digest
from jiki_core.plugins.reasons import Process, disagreements, reason_tree
from jiki_core.plugins.state import PluginState, PluginStatus
from jiki_core.runtime import runtime_of
from jiki_core.settings import Secret
from jiki_core.testing import wait_until
from tests.plugin_factory import PluginFolder


def status(name, state=PluginState.RUNNING, cause="", remedy="", requires=(), uses=()):
    return PluginStatus(name, "1.0", state, cause, remedy, requires, uses)


def test_the_tree_goes_down_to_what_is_broken_and_keeps_each_remedy():
    statuses = {
        "auth": status("auth", PluginState.IMPORT_FAILED, "NameError", "repair it"),
        "learning": status("learning", PluginState.BLOCKED, "auth does not run", "see auth", ("auth>=1.0",), ("x",)),
    }
    assert list(reason_tree("learning", statuses).lines()) == [
        "learning 1.0 is blocked: auth does not run",
        "  remedy: see auth",
        "  requires auth>=1.0: auth 1.0 is import-failed: NameError",
        "    remedy: repair it",
        "  uses x: not installed",
    ]


def test_a_version_that_a_plugin_is_not_made_for_is_named():
    statuses = {"board": status("board", uses=("payments>=2.0",)), "payments": status("payments")}
    assert list(reason_tree("board", statuses).lines()) == [
        "board 1.0 is running",
        "  uses payments>=2.0: payments 1.0 is running; payments 1.0 is not the version it is made for",
        "    remedy: install a version of payments that fits",
    ]


def test_check_fails_on_a_version_that_a_plugin_is_not_made_for(tmp_path):
    folder = PluginFolder(tmp_path)
    folder.add("till")
    folder.add("board", attributes='uses = ("till>=2.0", "absent>=1.0")')
    checked = folder.flask("plugins", "check")
    assert checked.returncode == 1
    assert "board 1.0.0: till 1.0.0 is not the version it is made for" in checked.stderr
    assert folder.flask("plugins", "check", enabled=["board"]).returncode == 0, "what is off is not met"


def test_a_circle_ends():
    statuses = {"a": status("a", requires=("b",)), "b": status("b", requires=("a",))}
    assert "(see above)" in list(reason_tree("a", statuses).lines())[-1]


def test_processes_that_differ_are_named_with_what_differs():
    new = Process("web@a:1", "f1", {"auth": {"version": "1.1", "head": "auth_0002", "settings": "s"}})
    old = Process("worker@a:2", "f2", {"auth": {"version": "1.0", "head": "auth_0002", "settings": "s"}})
    assert disagreements([new, new]) == []
    assert disagreements([new, old]) == ["auth: version is 1.0 in worker@a:2; 1.1 in web@a:1"]
    without = Process("cable@a:3", "f3", {})
    assert "auth: version is 1.1 in web@a:1; not listed in cable@a:3" in disagreements([new, without])


def test_the_fingerprint_ignores_states_and_minds_settings_and_heads():
    base = {"auth": {"version": "1", "head": "h", "settings": "s", "state": "running"}}
    assert fingerprint(base) == fingerprint({"auth": {**base["auth"], "state": "paused"}})
    for part in ("version", "head", "settings"):
        assert fingerprint(base) != fingerprint({"auth": {**base["auth"], part: "other"}})


def test_the_settings_digest_changes_with_a_secret_and_does_not_tell_it():
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Some:
        key: Secret
        size: int = 1

    one, other = (settings_digest(b"k", Some(Secret(value))) for value in ("a", "b"))
    assert one != other
    assert one != settings_digest(b"another", Some(Secret("a")))
    assert settings_digest(b"k", Some(Secret("a"), 2)) != one
    assert settings_digest(b"k", None) == ""


def test_why_prints_the_tree_and_check_fails_with_the_sentence(tmp_path):
    folder = PluginFolder(tmp_path)
    folder.add("base", source="raise RuntimeError('no')\n")
    folder.add("upper", attributes='requires = ("base>=1.0",)')
    done = folder.flask("plugins", "why", "upper")
    assert "upper 1.0.0 is blocked: upper requires base, which does not run" in done.stdout
    assert "  requires base>=1.0: base 1.0.0 is import-failed: importing acme_base.plugin:plugin raised" in done.stdout
    told = json.loads(folder.flask("plugins", "why", "upper", "--json").stdout)
    assert told["because"][0]["text"].startswith("requires base>=1.0")
    checked = folder.flask("plugins", "check")
    assert checked.returncode == 1
    assert "upper 1.0.0 is blocked" in checked.stderr


def test_check_passes_when_all_run(tmp_path):
    folder = PluginFolder(tmp_path)
    folder.add("fine")
    done = folder.flask("plugins", "check")
    assert done.returncode == 0
    assert "the listed plugin is in order" in done.stdout


@pytest.fixture
def fine(made_plugins, app_with):
    made_plugins.add("fine")
    return app_with()


def test_strict_status_fails_when_processes_differ_or_none_runs(fine, made_plugins):
    settings = runtime_of(fine).settings
    services = {"DATABASE_URL": settings.database_url.reveal(), "REDIS_URL": settings.redis_url.reveal()}
    with fine.app_context(), db.engine.begin() as connection:
        connection.execute(text("delete from core.processes"))
    assert made_plugins.flask("plugins", "status", "--strict", **services).returncode == 1
    fine.test_client().get("/health-check")
    runtime_of(fine).plugins.is_running("fine")

    def count():
        with fine.app_context(), db.engine.connect() as connection:
            return connection.execute(text("select count(*) from core.processes")).scalar_one()

    wait_until(lambda: count() == 1, seconds=5)
    same = made_plugins.flask("plugins", "status", "--strict", **services)
    assert same.returncode == 0, same.stderr
    with fine.app_context(), db.engine.begin() as connection:
        connection.execute(
            text(
                "insert into core.processes (id, role, host, pid, fingerprint, plugins) values "
                "(gen_random_uuid(), 'worker', 'b', 9, 'other', "
                """'{"fine": {"version": "0.9", "state": "running", "head": null, "settings": ""}}')"""
            )
        )
    differ = made_plugins.flask("plugins", "status", "--strict", **services)
    assert differ.returncode == 1
    assert "fine: version is 0.9 in worker@b:9" in differ.stderr
    watcher = fine.extensions["jiki.gate"].watcher
    wait_until(lambda: watcher.differences, seconds=8, what="the next heartbeat")
    client = fine.test_client()
    told = client.get("/health/ready").get_json()
    assert (told["ready"], told["fingerprint"]) == (True, watcher._picture().fingerprint)
    assert told["differences"][0].startswith("fine: version is 0.9 in worker@b:9; 1.0.0 in web@")
    strict = client.get("/health/ready?strict")
    assert (strict.status_code, strict.get_json()["ready"]) == (503, False)
    assert client.get("/health/ready").status_code == 200, "a rolling deploy goes on"
    assert made_plugins.flask("plugins", "status", **services).returncode == 0
