"""Metrics of a process that serves no HTTP otherwise: workers and schedulers, for a collector beside them."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from jiki_core.observability.metrics import render


def serve_metrics(host: str, port: int) -> BaseWSGIServer:
    """`GET /metrics` from a thread of its own until the process ends, or until `shutdown()` of what it returns.

    Without a token: the address is for a collector on the same machine or in the same task.
    """
    server = make_server(host, port, _exposition, threaded=True, request_handler=_WithoutAccessLog)
    threading.Thread(target=server.serve_forever, name="jiki-metrics", daemon=True).start()
    return server


def _exposition(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    if environ["PATH_INFO"] != "/metrics":
        start_response("404 Not Found", [("Content-Length", "0")])
        return [b""]
    text, content_type = render()
    start_response("200 OK", [("Content-Type", content_type), ("Content-Length", str(len(text)))])
    return [text]


class _WithoutAccessLog(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """A collector asks every few seconds; a line for each tells nobody anything."""
