"""The wire between the client and the stand-in: one call at a time, and the faults a test armed on it."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NoReturn

from jiki_payments.standin.state import JsonObject, State

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class FaultKind(StrEnum):
    """What goes wrong with a call."""

    #: carried out, and the connection breaks before the answer: the caller cannot know
    DROP_REPLY = "drop_reply"
    #: the connection breaks before anything is done
    REFUSE = "refuse"
    #: answered with `status` and nothing is done
    STATUS = "status"
    #: carried out after `seconds`
    DELAY = "delay"


@dataclass(slots=True)
class Fault:
    """Armed for the next `times` calls of the API whose method and path (a prefix) fit."""

    kind: FaultKind
    method: str = "POST"
    path: str = "/v1/"
    times: int = 1
    status: int = 500
    seconds: float = 0.0


class Wire:
    """WSGI middleware: takes the state's lock around each call, saves the state after it, applies armed
    faults.
    """

    def __init__(self, application: WSGIApplication, state: State) -> None:
        self._application = application
        self._state = state
        self._faults: list[Fault] = []

    def arm(self, fault: Fault) -> None:
        with self._state.lock:
            self._faults.append(fault)

    def disarm(self) -> None:
        with self._state.lock:
            self._faults.clear()

    def armed(self) -> list[JsonObject]:
        with self._state.lock:
            return [asdict(fault) for fault in self._faults]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith("/v1/"):
            return self._application(environ, start_response)
        fault = self._next_fault(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        if fault is None:
            return self._carried_out(environ, start_response)
        if fault.kind is FaultKind.REFUSE:
            _break(environ)
        if fault.kind is FaultKind.STATUS:
            return _failed(fault.status, start_response)
        if fault.kind is FaultKind.DELAY:
            time.sleep(fault.seconds)
            return self._carried_out(environ, start_response)
        self._carried_out(environ, _ignore_response)
        _break(environ)

    def _next_fault(self, method: str, path: str) -> Fault | None:
        with self._state.lock:
            for fault in self._faults:
                if fault.method == method and path.startswith(fault.path):
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults.remove(fault)
                    return fault
            return None

    def _carried_out(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        with self._state.lock:
            body = list(self._application(environ, start_response))
            if environ["REQUEST_METHOD"] != "GET":
                self._state.save()
            return body


def _ignore_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
    return lambda data: None


def _break(environ: WSGIEnvironment) -> NoReturn:
    """Close the connection under the client's feet; the server takes ConnectionError as the client having
    gone.
    """
    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError("the stand-in was told to break this connection")


def _failed(status: int, start_response: StartResponse) -> list[bytes]:
    kind = "rate_limit_error" if status == 429 else "api_error"
    body = json.dumps({"error": {"type": kind, "message": f"The stand-in was told to answer {status}."}}).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response(f"{status} Armed", headers)
    return [body]
