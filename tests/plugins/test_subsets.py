"""Each of the ten valid subsets of the four plugins boots and serves, in a process and on a database of its own."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys

import pytest

from tests.plugin_factory import FLASK

ALL = ("auth", "learning", "payments", "i18n")
VALID = [
    names
    for size in range(5)
    for names in itertools.combinations(ALL, size)
    if "auth" in names or not {"learning", "payments"} & set(names)
]

PROBE = """
import json, sys
from jiki_core.app import create_app
from jiki_core.db import db, unit_of_work
from jiki_core.db.migration_sets import core_set, differences, upgrade
from jiki_core.schema_gate import plugin_sets

app = create_app("web")
host = app.extensions["jiki.host"]
report = {}
with app.app_context():
    sets = [core_set(), *plugin_sets(host)]
    upgrade(db.engine, sets)
    report["differences"] = {one.name: differences(db.engine, one) for one in sets}
client = app.test_client()
report["health"] = client.get("/health-check").status_code
report["states"] = {one.name: str(one.state) for one in host.statuses()}
headers = {"CF-IPCountry": "IN"}
report["pricing"] = client.get("/api/v1/external/pricing", headers=headers).status_code
report["document"] = client.get("/openapi/v1.json").status_code
report["me"] = client.get("/api/v1/internal/me").status_code
if "auth" in host.loaded:
    from jiki_auth.testing import make_user
    user = make_user(app)
    body = {"user": {"email": user.email, "password": user.password}}
    report["login"] = client.post("/api/v1/auth/login", json=body).status_code
    report["user"] = client.get("/api/v1/internal/me").get_json()["user"]
    report["courses"] = client.get("/api/v1/internal/courses").status_code
with app.app_context():
    db.engine.dispose()
print(json.dumps(report))
"""


@pytest.fixture(scope="module")
def probe(services, tmp_path_factory):
    here = tmp_path_factory.mktemp("subsets")

    def run(names):
        database = "jiki_subset_" + ("_".join(names) or "none")
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("JIKI_")},
            "JIKI_ENV": "test",
            "JIKI_PLUGINS_ENABLED": ",".join(names),
            "DATABASE_URL": services.create_database(database),
            "REDIS_URL": services.redis_url_of(61),
            "JIKI_LOG_LEVEL": "ERROR",
            "JIKI_TRUSTED_PROXIES": "127.0.0.0/8",
        }
        if "auth" in names:
            environment |= {"JIKI_AUTH_ARGON2_MEMORY_KIB": "8", "JIKI_AUTH_ARGON2_ITERATIONS": "1"}
        done = subprocess.run(
            [sys.executable, "-c", PROBE],
            cwd=here,
            env=environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.strip().splitlines()[-1])

    return run


def test_there_are_ten():
    assert len(VALID) == 10


@pytest.mark.parametrize("names", VALID, ids=lambda names: "+".join(names) or "none")
def test_a_subset_boots_migrates_and_serves(probe, names):
    report = probe(names)
    assert report["health"] == 200
    assert report["document"] == 200
    assert {name for name, state in report["states"].items() if state == "running"} == set(names)
    assert not any(report["differences"].values()), "the models of a subset propose nothing"
    assert report["pricing"] == (200 if "payments" in names else 404)
    assert report["me"] == (401 if "auth" in names else 404)
    if "auth" in names:
        assert report["login"] == 200
        assert report["courses"] == (200 if "learning" in names else 404)
        assert report["user"]["membership_type"] == ("standard" if "payments" in names else "premium")
        assert (report["user"]["premium_prices"] is None) == ("payments" not in names)


def test_without_auth_the_boot_message_says_what_blocks_whom(tmp_path):
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("JIKI_")},
        "JIKI_ENV": "test",
        "JIKI_PLUGINS_ENABLED": "learning,payments,i18n",
    }
    done = subprocess.run(
        [*FLASK, "plugins", "list"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "learning requires auth>=1.0, which is installed but not listed" in done.stdout
    assert "payments requires auth>=1.0, which is installed but not listed" in done.stdout
    assert "add auth to [plugins] enabled" in done.stdout
