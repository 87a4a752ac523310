"""Leaving gunicorn gracefully: without this, its workers cut open sockets after their time-out, with no word
(1006)."""

from __future__ import annotations

import threading
import time
from typing import Any

from flask import Flask

from jiki_core.cable.endpoint import cable_of

#: over how long the clients of a stopping process are sent away
DRAIN_SECONDS = 3.0
_LOOK_SECONDS = 0.2


def drain_when_stopping(worker: Any, app: Flask, *, seconds: float = DRAIN_SECONDS) -> None:
    """For gunicorn's `post_worker_init(worker)`, with threads and with gevent; `app` is the Flask app that it
    serves.

    Starts the cable, then sends every client `server_restart` once gunicorn told the worker to stop. Give the
    worker a `graceful_timeout` well above `seconds`.
    """
    server = cable_of(app)
    server.start()

    def watch() -> None:
        while worker.alive:
            time.sleep(_LOOK_SECONDS)
        server.drain(seconds)

    threading.Thread(target=watch, name="cable-drain", daemon=True).start()
