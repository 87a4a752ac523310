"""gunicorn's configuration for stage.py; STAGE_MODE is gthread or gevent."""

from __future__ import annotations

import os
from typing import Any

if os.environ["STAGE_MODE"] == "gevent":
    from gevent import monkey

    monkey.patch_all()
    worker_connections = 6_000
else:
    threads = int(os.environ.get("STAGE_THREADS", "200"))

worker_class = os.environ["STAGE_MODE"]
workers = int(os.environ.get("STAGE_WORKERS", "1"))
graceful_timeout = 15
control_socket_disable = True
loglevel = "warning"
accesslog = "-"


def post_worker_init(worker: Any) -> None:
    """Leaves with a word (jiki_core.cable.gunicorn)."""
    from jiki_core.cable.gunicorn import drain_when_stopping

    drain_when_stopping(worker, worker.wsgi, seconds=1.0)
