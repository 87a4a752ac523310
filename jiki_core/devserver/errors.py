"""The one error of this room, for whoever typed the command: cause, place, remedy; never a traceback."""

from __future__ import annotations


class ServiceError(RuntimeError):
    """A part of the local stack can't do its work; the message says what happened, where, and what to do."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause}\n  remedy: {remedy}")
        self.cause = cause
        self.remedy = remedy
