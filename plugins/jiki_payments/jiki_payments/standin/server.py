"""The stand-in as a running server: in a thread for tests, or in the foreground for `python -m`."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from werkzeug.serving import WSGIRequestHandler, make_server

from jiki_payments.standin.app import create_app
from jiki_payments.standin.billing import lifecycle
from jiki_payments.standin.routes.notices import make_endpoint
from jiki_payments.standin.state import State
from jiki_payments.standin.webhooks import DEFAULT_RETRY_SECONDS, Courier


class _QuietHandler(WSGIRequestHandler):
    """Says nothing of each request: the caller's own log does."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""


class StandInServer:
    """A stand-in on a port of this machine (0: any free one), as a context manager or by `start` and `stop`.

    `webhook_url` with `webhook_secret` is somebody to tell from the start; `state_path` keeps the state
    across restarts.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        webhook_url: str | None = None,
        webhook_secret: str = "whsec_standin",
        webhook_retry_seconds: Sequence[float] = DEFAULT_RETRY_SECONDS,
        state_path: Path | None = None,
    ) -> None:
        self.state = State("", state_path)
        self.courier = Courier(self.state, webhook_retry_seconds)
        self._server = make_server(
            host, port, create_app(self.state, self.courier), threaded=True, request_handler=_QuietHandler
        )
        self.url = f"http://{host}:{self._server.port}"
        self.state.public_url = self.url
        if webhook_url is not None:
            self._tell(webhook_url, webhook_secret)
        self._is_stopping = threading.Event()
        self._ticker = threading.Thread(target=self._tick, name="stripe-standin-clock", daemon=True)
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="stripe-standin",
            daemon=True,
        )

    def start(self) -> StandInServer:
        self.courier.start()
        self._thread.start()
        self._ticker.start()
        return self

    def stop(self) -> None:
        """Stop serving and delivering; the port is free afterwards."""
        self._is_stopping.set()
        self._ticker.join(10)
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()
        self.courier.stop()
        self.state.save()

    def wait(self) -> None:
        """Until somebody stops it, or the process is interrupted."""
        self._thread.join()

    def __enter__(self) -> StandInServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _tick(self) -> None:
        """Renewals and expiries happen although nobody calls."""
        while not self._is_stopping.wait(1.0):
            with self.state.lock:
                lifecycle.run_due(self.state, None, self.state.now())

    def _tell(self, url: str, secret: str) -> None:
        """The endpoint of the command line, once however often the same state is started."""
        for endpoint in self.state.all("webhook_endpoint", description="command line"):
            del self.state.objects["webhook_endpoint"][endpoint["id"]]
        make_endpoint(self.state, url, secret, ["*"], "command line")
