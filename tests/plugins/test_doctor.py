"""`flask doctor`: a line for everything an operator would look at; works with plugins broken and services down."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text

from jiki_core.db import db
from jiki_core.runtime import runtime_of
from tests.plugin_factory import PluginFolder
from tests.plugins.test_health import CHECKS, SOURCE


@pytest.fixture
def ward(made_plugins, app_with):
    made_plugins.add("ward", CHECKS, files={"checks.py": SOURCE})
    app = app_with()
    settings = runtime_of(app).settings
    services = {"DATABASE_URL": settings.database_url.reveal(), "REDIS_URL": settings.redis_url.reveal()}

    def look():
        done = made_plugins.flask("doctor", "--json", **services)
        return done.returncode, {one["point"]: one["remedy"] for one in json.loads(done.stdout)["points"]}

    return app, look


def test_each_thing_is_a_line_with_what_to_do(ward):
    app, look = ward
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(
            text(
                "insert into core.outbox (id, kind, queue, name, payload, state, run_after) values "
                "(gen_random_uuid(), 'job', 'default', 'ward.cure', '{}', 'dead', now()), "
                "(gen_random_uuid(), 'job', 'default', 'ward.cure', '{}', 'new', now() - interval '2 hours')"
            )
        )
        connection.execute(
            text(
                "insert into core.plugin_suspensions (kind, name, plugin, reason) "
                "values ('job', 'ward.cure', 'ward', 'failed 20 times')"
            )
        )
    code, told = look()
    assert code == 1
    for point in ("configuration", "PostgreSQL answers", "Valkey answers", "tables of core", "plugin ward 1.0.0"):
        assert told[point] == "", (point, told[point])
    assert told["processes run"] == "there is no scheduler and no web and no worker; see docs/operations.md"
    assert told["no job has died"] == "1 have; see `flask jobs dead`"
    assert told["work is not late"].startswith("the oldest has waited 7")
    assert told["ward.cure is not suspended"] == "failed 20 times; mend it, then `flask plugins resume ward`"
    assert told["health of ward: well"] == ""
    assert told["health of ward: raises"] == "RuntimeError: no pulse"


def test_it_works_with_services_down_and_plugins_broken(tmp_path):
    folder = PluginFolder(tmp_path)
    folder.add("broken", source="raise RuntimeError('no')\n")
    done = folder.flask(
        "doctor", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none", REDIS_URL="redis://127.0.0.1:1/0"
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    lines = done.stdout.splitlines()
    assert "FAIL PostgreSQL answers: OperationalError; start it, or correct DATABASE_URL" in lines
    assert "FAIL Valkey answers: ConnectionError; start it, or correct REDIS_URL" in lines
    assert any(
        line.startswith("FAIL plugin broken 1.0.0: importing acme_broken.plugin:plugin raised") for line in lines
    )
