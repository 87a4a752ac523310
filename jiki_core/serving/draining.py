"""gunicorn hook: a worker that stops tells its open sockets to reconnect elsewhere, instead of cutting them."""

from __future__ import annotations

import contextlib
from typing import Any


def post_worker_init(worker: Any) -> None:
    """In each worker, once its app is built. The farewells take a fraction of the time the worker has to stop."""
    from jiki_core.cable.gunicorn import DRAIN_SECONDS, drain_when_stopping

    with contextlib.suppress(KeyError):  # an app without sockets
        drain_when_stopping(worker, worker.wsgi, seconds=min(DRAIN_SECONDS, worker.cfg.graceful_timeout / 4))
