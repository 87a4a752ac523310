"""Valkey and PostgreSQL go away under load: requests are served or told to come back, and nothing is lost or doubled."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time

import psycopg
import pytest
import redis
import requests

from jiki_core.db import db, unit_of_work
from jiki_core.db.outbox import OutboxState
from jiki_core.devserver.ports import free_port
from jiki_core.devserver.services import EmbeddedServices
from jiki_core.devserver.valkey import find_server
from jiki_core.jobs.relay import hand_over_jobs
from jiki_core.runtime import runtime_of
from jiki_core.testing import wait_until
from jiki_core.testing.databases import migrate
from jiki_core.testing.pytest_plugin import scaled
from tests.faults.conftest import environment_of
from tests.faults.ledger import assert_each_once, unfinished, without_receipt
from tests.faults.processes import supervised
from tests.laboratory_fixtures import Laboratory

pytestmark = [pytest.mark.fault, pytest.mark.timeout(420)]


class OwnValkey:
    """A Valkey that keeps nothing, so that a restart empties it."""

    def __init__(self, folder):
        self._folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process = None

    def start(self):
        command = [
            str(find_server()),
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        self._process = subprocess.Popen(
            command, cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(self._answers, seconds=20, what="Valkey")

    def kill(self):
        self._process.kill()
        self._process.wait(20)

    def connection(self):
        return redis.Redis.from_url(self.url, socket_timeout=2)

    def _answers(self):
        try:
            with self.connection() as connection:
                return connection.ping()
        except redis.RedisError:
            return False


@pytest.fixture
def own_valkey(tmp_path):
    server = OwnValkey(tmp_path)
    server.start()
    yield server
    server.kill()


class Load:
    """Three callers that post as long as they are let; what they were answered, by key."""

    def __init__(self, url):
        self._url = url
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._call, args=(number,)) for number in range(3)]
        #: (key, status, monotonic time of the answer)
        self.answers = []

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self._is_over.set()
        for thread in self._threads:
            thread.join(60)

    def statuses(self):
        return {status for _, status, _ in self.answers}

    def keys(self, wanted):
        return [key for key, status, _ in self.answers if status == wanted]

    def _call(self, caller):
        number = 0
        with requests.Session() as session:
            while not self._is_over.is_set():
                number += 1
                key = f"c{caller}-{number}"
                # With a key, the answer is made before the commit: a 503 tells that nothing happened. Without one, a view
                # that reads after its commit may fail there.
                headers = {"X-Lab-User": "7", "Idempotency-Key": key}
                self.answers.append((key, self._status(session, key, headers), time.monotonic()))
                self._is_over.wait(0.02)

    def _status(self, session, key, headers):
        """The status, or a text that no test expects for what is neither success nor our envelope of a 503."""
        try:
            answer = session.post(self._url, json={"key": key}, headers=headers, timeout=30)
        except requests.RequestException as error:
            return f"no answer: {error}"
        is_our_503 = answer.status_code == 503 and answer.json()["error"]["type"] == "unavailable"
        if answer.status_code == 201 or is_our_503:
            return answer.status_code
        return f"{answer.status_code} {answer.text}"


def serving(supervisor, port):
    supervisor.start_web("web", port)
    supervisor.start_worker("worker", "default")
    supervisor.start_scheduler()
    url = f"http://127.0.0.1:{port}"
    wait_until(lambda: _is_healthy(url), seconds=60, what="the web process")
    return f"{url}/api/v1/internal/lab/count"


def _is_healthy(url):
    try:
        return requests.get(f"{url}/health-check", timeout=5).status_code == 200
    except requests.RequestException:
        return False


def test_valkey_emptied_stopped_and_restarted_under_load_costs_no_request_and_no_job(lab, own_valkey, seeded):
    with supervised(lab.folder.path, environment_of(lab, REDIS_URL=own_valkey.url)) as supervisor:
        url = serving(supervisor, free_port())
        pause = threading.Event()
        with Load(url) as load:
            for _ in range(scaled(8, least=3)):
                pause.wait(seeded.uniform(0.2, 1.5))
                own_valkey.connection().flushall()
            own_valkey.kill()
            pause.wait(max(4.0, scaled(20)))
            own_valkey.start()
            returned = time.monotonic()
            pause.wait(2)
        assert load.statuses() == {201}
        wait_until(lambda: not unfinished(lab), seconds=60 - (time.monotonic() - returned), what="the end of all jobs")
        keys = load.keys(201)
        assert_each_once(lab, [*keys, *(f"{key}-job" for key in keys)])
        assert without_receipt(lab) == 0


@pytest.fixture
def own_cluster(tmp_path_factory):
    """A PostgreSQL of the test's own, because it is going to crash; durable, as in production."""
    services = EmbeddedServices(tmp_path_factory.mktemp("postgres"), valkey=False)
    services.start()
    yield services
    services.stop()


@pytest.fixture
def own_database(own_cluster, make_app, lab_folder, lab):
    """The laboratory on that cluster."""
    url = own_cluster.create_database("faults")
    app = make_app((), {"JIKI_PLUGINS_ENABLED": "lab", "DATABASE_URL": url})
    migrate(app)
    yield Laboratory(app, lab_folder)
    with app.app_context():
        db.engine.dispose()


def crash(url):
    """Ends one backend with SIGKILL: PostgreSQL ends all the others, recovers from its log and serves again."""
    with psycopg.connect(url) as connection:
        pid = connection.execute("select pg_backend_pid()").fetchone()[0]
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")


def restart_at_once(services):
    """`pg_ctl restart -m immediate`: the server ends as if its power were cut; its keeper starts it again."""

    def state():
        return json.loads((services.data_dir / "postgres" / "state.json").read_text())

    before = state()["server_pid"]
    os.kill(before, signal.SIGQUIT)
    wait_until(lambda: state().get("server_pid", before) != before, seconds=30, what="the restarted PostgreSQL")


def _serves(url):
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            return connection.execute("select 1").fetchone()
    except psycopg.OperationalError:
        return None


def test_postgresql_crashing_and_restarting_under_load_gives_503_for_a_moment_and_loses_nothing(
    own_cluster, own_database
):
    lab = own_database
    url = runtime_of(lab.app).settings.database_url.reveal()
    with supervised(lab.folder.path, environment_of(lab)) as supervisor:
        calls = serving(supervisor, free_port())
        pause = threading.Event()
        gaps = []
        with Load(calls) as load:
            for number in range(scaled(10, least=2)):
                pause.wait(2)
                if number % 2:
                    restart_at_once(own_cluster)
                else:
                    crash(url)
                wait_until(lambda: _serves(url), seconds=30, what="the recovery")
                returned = time.monotonic()
                wait_until(
                    lambda since=returned: any(status == 201 and at > since for _, status, at in load.answers),
                    seconds=20,
                    what="the first success",
                )
                gaps.append(min(at for _, status, at in load.answers if status == 201 and at > returned) - returned)
            pause.wait(1)
        assert load.statuses() <= {201, 503}
        assert 503 in load.statuses()
        assert max(gaps) < 3
        wait_until(lambda: not unfinished(lab), seconds=120, what="the end of all jobs")
        keys = load.keys(201)
        assert_each_once(lab, [*keys, *(f"{key}-job" for key in keys)])


def test_a_backlog_is_handed_over_once_by_two_relays(lab):
    total = scaled(100_000, least=4_000)
    lab.sql(
        "insert into core.outbox (id, kind, name, payload) select gen_random_uuid(), 'job', 'lab.count', '{}' "
        "from generate_series(1, :total)",
        total=total,
    )
    seen, errors, is_over = [], [], threading.Event()

    def relay():
        try:
            while not is_over.is_set():
                with lab.app.app_context():
                    if not hand_over_jobs(lab.valkey):
                        is_over.wait(0.01)
        except Exception as error:  # told to the test's own thread
            errors.append(error)

    relays = [threading.Thread(target=relay) for _ in range(2)]
    for one in relays:
        one.start()

    def take():
        taken = lab.valkey.lpop("rq:queue:default", 500) or []
        seen.extend(taken)
        return len(seen) >= total or errors

    try:
        wait_until(take, seconds=300, what="the whole backlog")
    finally:
        is_over.set()
        for one in relays:
            one.join(30)
    assert errors == []
    assert len(seen) == len(set(seen)) == total
    assert lab.sql("select count(*), max(attempt) from core.outbox where state = 'handed'")[0] == (total, 1)


def test_jobs_that_the_old_deploy_does_not_know_wait_for_the_new_one(lab):
    with supervised(lab.folder.path, environment_of(lab, JIKI_PLUGINS_ENABLED="")) as old:
        old.start_worker("worker", "default")
        old.start_scheduler()
        job_id = lab.ask("count", key="a")
        reason = "no job named lab.count in this process; waits for a worker that knows it"
        wait_until(lambda: lab.entry(job_id).reason == reason, seconds=60, what="the old worker's answer")
        with supervised(lab.folder.path, environment_of(lab)) as new:
            new.start_worker("worker", "default")
            wait_until(lambda: lab.entry(job_id).state == OutboxState.DONE, seconds=90, what="the new worker's run")
    assert_each_once(lab, ["a"])
    assert lab.entry(job_id).failures == 0


def test_an_event_reaches_listeners_that_only_the_new_deploy_knows(lab):
    """The web process is new, the relay and a worker are old: the listener's job waits for the new worker."""
    with supervised(lab.folder.path, environment_of(lab, JIKI_PLUGINS_ENABLED="")) as old:
        old.start_worker("worker", "default")
        old.start_scheduler()
        with lab.app.app_context(), unit_of_work() as uow:
            event_id = uow.emit(lab.work.Counted("a"))
        wait_until(lambda: lab.entry(event_id).state == OutboxState.DONE, seconds=60, what="the old relay's fan-out")
        assert lab.effects("a") == 0
        with supervised(lab.folder.path, environment_of(lab)) as new:
            new.start_worker("worker", "default")
            wait_until(lambda: lab.effects("a"), seconds=90, what="the new worker's run")
    assert_each_once(lab, ["a"])
