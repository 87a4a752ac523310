"""Request ids: taken from the caller when well-formed, else made; carried into logs, outbox rows and error bodies."""

from __future__ import annotations

import re
import uuid
from contextvars import ContextVar, Token

_WELL_FORMED = re.compile(r"[A-Za-z0-9-]{8,64}")
_current: ContextVar[str | None] = ContextVar("jiki_request_id", default=None)


def accept_request_id(offered: str | None) -> str:
    """The caller's id when it has 8 to 64 of `A-Za-z0-9-` (trust.md 3.1), else a new one."""
    if offered and _WELL_FORMED.fullmatch(offered):
        return offered
    return uuid.uuid4().hex


def bind_request_id(request_id: str | None) -> Token[str | None]:
    return _current.set(request_id)


def current_request_id() -> str | None:
    """Id of the request, or of the request that asked for the running job."""
    return _current.get()
