"""Refresh tokens: a family on one session row, each successor derived from its predecessor's number.

Token n is `<session>.<n>.<HMAC(key, session secret hash, n)>`, so nothing but the newest number is stored, and a lost
answer can be repeated: the predecessor, sent again within 10 seconds, yields the same successor. Later reuse ends the
session (RFC 9700 4.14.2; trust.md 1.2).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from jiki_auth.commands.end_sessions import end_session
from jiki_auth.commands.mail_user import notify_owner
from jiki_auth.models import Session, SessionKind
from jiki_core.configuration import derived_key
from jiki_core.db import UnitOfWork
from jiki_core.errors import InvalidToken
from jiki_core.runtime import runtime

REPEAT_WINDOW = timedelta(seconds=10)


@dataclass(frozen=True)
class Refreshed:
    """Either the next pair's facts, or that the family was ended because a token was reused."""

    user_id: int
    session_id: uuid.UUID
    refresh_token: str
    was_reused: bool = False


def refresh_token(session_id: uuid.UUID, family_seed: bytes, generation: int) -> str:
    """The refresh token of a generation."""
    key = derived_key(runtime().settings, "refresh-token")
    mac = hmac.digest(key, session_id.bytes + family_seed + generation.to_bytes(8, "big"), hashlib.sha256)
    return f"{session_id.hex}.{generation}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def refresh(uow: UnitOfWork, token: str, idle_after: timedelta) -> Refreshed:
    """The successor of a token. A reused one deletes the session and says so in `was_reused`. Raises InvalidToken."""
    session_id, generation = _parsed(token)
    row = uow.session.execute(
        select(Session).where(Session.id == session_id, Session.kind == SessionKind.TOKEN).with_for_update()
    ).scalar_one_or_none()
    if row is None or row.expires_at <= uow.now or uow.now - row.last_used_at >= idle_after:
        raise InvalidToken()
    if not hmac.compare_digest(token.encode(), refresh_token(session_id, row.secret_hash, generation).encode()):
        raise InvalidToken()
    if generation == row.refresh_generation:
        row.refresh_generation, row.refreshed_at, row.last_used_at = generation + 1, uow.now, uow.now
    elif generation != row.refresh_generation - 1 or uow.now - row.refreshed_at > REPEAT_WINDOW:
        end_session(uow, session_id, reason="refresh token reused")
        uow.audit(
            "refresh_token:reused", actor_id=row.user_id, target_type="session", target_id=session_id, plugin="auth"
        )
        notify_owner(uow, row.user_id, "refresh_reused")
        return Refreshed(row.user_id, session_id, "", was_reused=True)
    successor = refresh_token(session_id, row.secret_hash, generation + 1)
    return Refreshed(row.user_id, session_id, successor)


def session_of_refresh_token(uow: UnitOfWork, token: str) -> uuid.UUID:
    """The session of a token of any generation, for revoking it. Raises InvalidToken for one that we did not make."""
    session_id, generation = _parsed(token)
    seed = uow.session.execute(
        select(Session.secret_hash).where(Session.id == session_id, Session.kind == SessionKind.TOKEN)
    ).scalar_one_or_none()
    if seed is None or not hmac.compare_digest(token.encode(), refresh_token(session_id, seed, generation).encode()):
        raise InvalidToken()
    return session_id


def _parsed(token: str) -> tuple[uuid.UUID, int]:
    session_hex, _, rest = token.partition(".")
    number, _, _ = rest.partition(".")
    try:
        generation = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else -1
        if generation < 0:
            raise InvalidToken()
        return uuid.UUID(hex=session_hex), generation
    except ValueError:
        raise InvalidToken() from None
