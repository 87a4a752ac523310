"""Health checks of plugins: each for itself, none for long, seen by operators, and nobody's end."""

from __future__ import annotations

import json
import re
import time

import pytest

from jiki_core.observability.metrics import render
from jiki_core.plugins import health as health_module
from jiki_core.runtime import runtime_of
from jiki_core.testing import wait_until

CHECKS = """
    @hookimpl
    def jiki_health(self) -> Sequence[HealthCheck]:
        from acme_ward import checks

        return [
            HealthCheck(checks.well),
            HealthCheck(checks.raises),
            HealthCheck(checks.hangs, timeout_seconds=0.2),
            HealthCheck(checks.odd),
            HealthCheck(checks.vital, is_critical=True),
        ]
"""
SOURCE = """
from __future__ import annotations
import threading

calls: list[str] = []
may_go_on = threading.Event()
trouble: str | None = None

def well() -> str | None:
    from jiki_core.db import reading
    from sqlalchemy import text

    calls.append("well")
    assert reading().execute(text("select 1")).scalar_one() == 1
    return None

def raises() -> str | None:
    raise RuntimeError("no pulse")

def hangs() -> str | None:
    calls.append("hangs")
    may_go_on.wait(30)
    return None

def odd() -> bool:
    return True

def vital() -> str | None:
    return trouble
"""


@pytest.fixture
def ward(made_plugins, app_with, monkeypatch):
    monkeypatch.setattr(health_module, "FRESH_SECONDS", 0.0)
    made_plugins.add("ward", CHECKS, files={"checks.py": SOURCE})
    app = app_with()
    import acme_ward.checks as checks

    yield app, checks
    checks.may_go_on.set()


def look(app):
    return {one.check: one for one in app.extensions["jiki.health"].look()}


def failures(plugin):
    found = re.findall(
        rf'jiki_plugin_failures_total{{hook="jiki_health",plugin="{plugin}"}} (\S+)', render()[0].decode()
    )
    return float(found[0]) if found else 0.0


def test_one_that_raises_or_hangs_hurts_only_itself_and_is_counted(ward):
    app, _checks = ward
    before, started = failures("ward"), time.monotonic()
    found = look(app)
    assert time.monotonic() - started < 5
    assert {name: one.trouble for name, one in found.items()} == {
        "well": "",
        "raises": "RuntimeError: no pulse",
        "hangs": "no answer within 0.2 s",
        "odd": "it returned a bool; a health check returns None or a sentence",
        "vital": "",
    }
    assert failures("ward") - before == 2


def test_one_that_hangs_is_not_called_again_before_it_has_returned(ward):
    app, checks = ward
    for _ in range(3):
        assert look(app)["hangs"].trouble
    assert checks.calls.count("hangs") == 1
    checks.may_go_on.set()
    wait_until(lambda: look(app)["hangs"].is_well, seconds=5)


def test_who_asks_often_gets_the_outcome_of_a_moment_ago(ward, monkeypatch):
    app, checks = ward
    monkeypatch.setattr(health_module, "FRESH_SECONDS", 60.0)
    for _ in range(3):
        look(app)
    assert checks.calls.count("well") == 1


def test_operators_see_it_and_only_who_asks_strictly_is_told_no(ward):
    app, checks = ward
    client = app.test_client()
    assert client.get("/health/ready?strict").status_code == 200, "what is not critical is shown"
    checks.trouble = "the well is dry"
    assert client.get("/health/ready").status_code == 200, "one plugin's trouble takes no process out of service"
    told = client.get("/health/ready?strict")
    assert told.status_code == 503
    (vital,) = [one for one in told.get_json()["health"] if one["check"] == "vital"]
    assert (vital["critical"], vital["well"], vital["trouble"]) == (True, False, "the well is dry")
    shown = {one["check"]: one["well"] for one in client.get("/-/plugins").get_json()["health"]}
    assert shown == {"well": True, "raises": False, "hangs": False, "odd": False, "vital": False}
    assert 'jiki_plugin_health_failing{check="vital",plugin="ward"} 1.0' in render()[0].decode()


def test_strangers_do_not_see_it(ward, app_with):
    _app, _checks = ward
    guarded = app_with(JIKI_OPERATIONS_TOKEN="operators-only-0123456789abcdef").test_client()
    assert guarded.get("/health/ready").get_json() == {"ready": True}
    assert guarded.get("/-/plugins").status_code == 403


def test_a_plugin_that_does_not_run_is_not_asked(ward):
    app, checks = ward
    app.extensions["jiki.host"].mark_schema({"ward": "its tables are behind"})
    assert look(app) == {}
    assert checks.calls == []


def test_the_status_command_shows_checks_and_strictly_fails_on_a_critical_one(ward, made_plugins):
    app, _checks = ward
    settings = runtime_of(app).settings
    services = {"DATABASE_URL": settings.database_url.reveal(), "REDIS_URL": settings.redis_url.reveal()}
    app.test_client().get("/health-check")
    runtime_of(app).plugins.is_running("ward")
    shown = made_plugins.flask("plugins", "status", **services)
    assert "health: ward raises: RuntimeError: no pulse" in shown.stdout, shown.stderr
    assert re.search(r"health: ward well: well \(\d+ ms\)", shown.stdout)
    told = json.loads(made_plugins.flask("plugins", "status", "--json", **services).stdout)
    assert [one["check"] for one in told["health"]] == ["well", "raises", "hangs", "odd", "vital"]
    assert made_plugins.flask("plugins", "status", "--strict", **services).returncode == 0
    source = made_plugins.path / "acme_ward" / "checks.py"
    source.write_text(source.read_text().replace("= None\n", '= "dry"\n', 1))
    strict = made_plugins.flask("plugins", "status", "--strict", **services)
    assert strict.returncode == 1
    assert "health: ward vital: CRITICAL: dry" in strict.stdout
