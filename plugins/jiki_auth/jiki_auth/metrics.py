"""What auth counts for operators (trust.md 3.2). Labels are words of ours, never of a visitor."""

from __future__ import annotations

from typing import Literal

from jiki_core.observability import counter

_attempts = counter("jiki_auth_attempts_total", "Proofs of identity that were offered", ["mechanism", "reason"])
_reuses = counter("jiki_refresh_reuse_total", "Refresh tokens that came again after their successor was used")


def count_attempt(
    mechanism: Literal["password", "otp", "google"], reason: Literal["accepted", "wrong", "unconfirmed", "refused"]
) -> None:
    """One proof and what became of it."""
    _attempts.labels(mechanism, reason).inc()


def count_reuse() -> None:
    """A session that ended because its refresh token was used twice."""
    _reuses.inc()
