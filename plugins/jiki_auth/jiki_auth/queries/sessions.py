"""Who a session belongs to, read through a cache that is at most one second old (architecture.md section 7)."""

from __future__ import annotations

import time
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from sqlalchemy import func, select

from jiki_auth.models import Session, UserRole
from jiki_core.db import reading

STALE_AFTER_SECONDS = 1.0
MAXIMUM_ENTRIES = 10_000


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What authentication needs of a session."""

    id: uuid.UUID
    user_id: int
    kind: str
    secret_hash: bytes
    last_used_at: datetime
    expires_at: datetime
    roles: frozenset[str]


class SessionCache:
    """Facts by session id, kept for a second. A missing session is not kept: it may be just made."""

    def __init__(self) -> None:
        self._entries: OrderedDict[uuid.UUID, tuple[float, SessionFacts]] = OrderedDict()
        self._lock = Lock()

    def get(self, session_id: uuid.UUID) -> SessionFacts | None:
        now = time.monotonic()
        with self._lock:
            kept = self._entries.get(session_id)
        if kept is not None and now - kept[0] < STALE_AFTER_SECONDS:
            return kept[1]
        facts = session_facts(session_id)
        with self._lock:
            if facts is None:
                self._entries.pop(session_id, None)
            else:
                self._entries[session_id] = (now, facts)
                self._entries.move_to_end(session_id)
                while len(self._entries) > MAXIMUM_ENTRIES:
                    self._entries.popitem(last=False)
        return facts

    def forget(self, session_id: uuid.UUID) -> None:
        """At once for this process; others follow within a second."""
        with self._lock:
            self._entries.pop(session_id, None)


def session_facts(session_id: uuid.UUID) -> SessionFacts | None:
    """One statement: the session and its user's roles."""
    roles = select(func.array_agg(UserRole.role)).where(UserRole.user_id == Session.user_id).scalar_subquery()
    row = (
        reading()
        .execute(
            select(
                Session.user_id, Session.kind, Session.secret_hash, Session.last_used_at, Session.expires_at, roles
            ).where(Session.id == session_id)
        )
        .one_or_none()
    )
    if row is None:
        return None
    return SessionFacts(session_id, row[0], row[1], row[2], row[3], row[4], frozenset(row[5] or ()))
