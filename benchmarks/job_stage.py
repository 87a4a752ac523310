"""What the benchmarks of jobs run on: throw-away services, a plugin with one small job, workers of ours and of plain RQ."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis
from flask import Flask

from benchmarks.stage import ROOT
from jiki_core.app import create_app
from jiki_core.devserver.services import temporary_services
from jiki_core.settings import Sources
from jiki_core.testing.databases import migrate
from tests.plugin_factory import FLASK, PluginFolder

#: list of Valkey onto which each effect pushes `<key> <time of its commit>`
DONE = "bench:done"

_PLUGIN = """
    @hookimpl
    def jiki_blueprints(self) -> Sequence[Mount]:
        from acme_bench.work import blp

        return [Mount(blp, "external")]

    @hookimpl
    def jiki_jobs(self) -> Sequence[Job]:
        from acme_bench.work import take_effect

        return [Job(take_effect)]
"""
_WORK = """
from __future__ import annotations

import time

from flask import request
from jiki_core.db import UnitOfWork, unit_of_work
from jiki_core.http import Blueprint, reply
from jiki_core.runtime import runtime
from sqlalchemy import text

blp = Blueprint("bench", __name__, url_prefix="/bench")


def take_effect(uow: UnitOfWork, key: str) -> None:
    '''One row, and the time at which it is committed.'''
    uow.session.execute(text("insert into bench_effects (key) values (:key)"), {"key": key})
    uow.after_commit(lambda: runtime().redis.rpush("bench:done", f"{key} {time.time()}"))


@blp.route("/<int:jobs>", methods=["POST"])
@blp.response(200)
def ask(jobs: int):
    '''One row and some jobs.'''
    with unit_of_work() as uow:
        uow.session.execute(text("insert into bench_effects (key) values ('asked')"))
        for number in range(jobs):
            uow.enqueue(take_effect, key=str(number))
    return reply({"jobs": jobs})
"""


@dataclass(frozen=True)
class JobStage:
    """`environment` is what processes need; `app` is for the benchmark itself."""

    app: Flask
    environment: dict[str, str]
    valkey: redis.Redis
    database_url: str

    def sql(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            cursor = connection.execute(statement, values)  # type: ignore[call-overload]  # statements of ours only
            return cursor.fetchall() if cursor.description else []

    def empty(self) -> None:
        """Neither rows nor queued jobs; those who work stay registered."""
        self.sql("truncate core.outbox, core.job_receipts, bench_effects")
        self.valkey.delete(DONE, "rq:queue:default", "rq:queue:plain")

    @contextmanager
    def running(self, *commands: Sequence[str]) -> Iterator[list[int]]:
        """Processes side by side, ended after the block; yields their ids."""
        with ExitStack() as stack:
            started = [
                subprocess.Popen([*command], cwd=ROOT, env=self.environment, start_new_session=True)
                for command in commands
            ]
            for process in started:
                stack.callback(_end, process)
            yield [process.pid for process in started]

    @contextmanager
    def emptied_queues(self) -> Iterator[None]:
        """Nobody works, and the queues have room all the same."""
        is_over = threading.Event()

        def empty() -> None:
            while not is_over.wait(0.02):
                self.valkey.delete("rq:queue:default", "rq:queue:plain")

        thread = threading.Thread(target=empty)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join(10)

    def wait_for(self, condition: Callable[[], bool], what: str, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise RuntimeError(f"{what} did not come")
            time.sleep(0.01)  # between two looks

    def wait_for_scheduler(self) -> None:
        self.wait_for(lambda: any(self.valkey.scan_iter("jiki:scheduler:*")), "the scheduler")

    def wait_for_workers(self, count: int) -> None:
        self.wait_for(lambda: int(self.valkey.scard("rq:workers")) >= count, "the workers")  # type: ignore[arg-type]  # redis-py types both of its clients at once


#: a worker of ours, one of plain RQ without and with a fork for each job, and the relay
OUR_WORKER = (*FLASK, "jobs", "worker", "--queue", "default")
OUR_SCHEDULER = (*FLASK, "jobs", "scheduler")
PLAIN_SIMPLE = (sys.executable, "-m", "benchmarks.peers.plain_rq", "SimpleWorker")
PLAIN_FORK = (sys.executable, "-m", "benchmarks.peers.plain_rq", "Worker")


@contextmanager
def staged_jobs() -> Iterator[JobStage]:
    with temporary_services() as services, tempfile.TemporaryDirectory(prefix="jiki-bench-") as folder:
        plugins = PluginFolder(Path(folder))
        plugins.add("bench", _PLUGIN, files={"work.py": _WORK})
        sys.path.insert(0, folder)
        url = services.create_database("jiki_benchmark")
        settings = {
            "JIKI_ENV": "test",
            "JIKI_PLUGINS_ENABLED": "bench",
            "DATABASE_URL": url,
            "REDIS_URL": services.redis_url_of(0),
            "JIKI_LOG_LEVEL": "ERROR",
        }
        app = create_app("web", sources=Sources({}, settings))
        migrate(app)
        environment = {**os.environ, **settings, "PYTHONPATH": os.pathsep.join([folder, str(ROOT)])}
        stage = JobStage(app, environment, redis.Redis.from_url(settings["REDIS_URL"]), url)
        stage.sql("create table bench_effects (key text not null, at timestamptz not null default clock_timestamp())")
        try:
            yield stage
        finally:
            sys.path.remove(folder)


def _end(process: subprocess.Popen[bytes]) -> None:
    """RQ's forks are of the same group, and a worker that waits for its queue needs no goodbye."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)
