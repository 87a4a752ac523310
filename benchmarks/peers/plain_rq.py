"""The peer: RQ as its manual has it, enqueueing after the commit and working without any record but Valkey's.

`python -m benchmarks.peers.plain_rq Worker|SimpleWorker` works; `app` is the web side, bare Flask.
"""

from __future__ import annotations

import os
import sys
import time

import psycopg
import redis
import rq
from flask import Flask, Response
from sqlalchemy import Engine, create_engine, text

valkey = redis.Redis.from_url(os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0"))
queue = rq.Queue("plain", connection=valkey)
app = Flask(__name__)
_open: dict[int, psycopg.Connection[tuple[object, ...]]] = {}


def take_effect(key: str) -> None:
    """One row, and the time at which it is committed; a connection for each process, as a fork may not share one."""
    connection = _open.get(os.getpid())
    if connection is None:
        connection = _open[os.getpid()] = psycopg.connect(os.environ["DATABASE_URL"])
    connection.execute("insert into bench_effects (key) values (%s)", (key,))
    connection.commit()
    valkey.rpush("bench:done", f"{key} {time.time()}")


@app.get("/health-check")
def health() -> Response:
    return Response(b'{"ruok":true}', content_type="application/json")


@app.post("/bench/<int:jobs>")
def ask(jobs: int) -> Response:
    """One row and some jobs."""
    with engine().begin() as connection:
        connection.execute(text("insert into bench_effects (key) values ('asked')"))
    for number in range(jobs):
        queue.enqueue(take_effect, str(number))
    return Response(b'{"jobs":%d}' % jobs, content_type="application/json")


_engines: dict[int, Engine] = {}


def engine() -> Engine:
    """Of this process: gunicorn forks after the import."""
    if os.getpid() not in _engines:
        url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://")
        _engines[os.getpid()] = create_engine(url, pool_size=8, max_overflow=0)
    return _engines[os.getpid()]


if __name__ == "__main__":
    getattr(rq, sys.argv[1])([queue], connection=valkey).work(logging_level="WARNING")
