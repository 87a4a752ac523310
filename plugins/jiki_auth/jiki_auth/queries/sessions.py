"""Who a session belongs to, read through a cache that is at most one second old (architecture.md section 7)."""

from __future__ import annotations

import time
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date, datetime
from threading import Lock
from typing import Any

from flask import Flask, current_app
from sqlalchemy import func, select

from jiki_auth.models import Session, User, UserRole
from jiki_core.db import reading

STALE_AFTER_SECONDS = 1.0
MAXIMUM_ENTRIES = 10_000


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What authentication, and the bookkeeping of visits, need of a session."""

    id: uuid.UUID
    user_id: int
    kind: str
    secret_hash: bytes
    last_used_at: datetime
    authenticated_at: datetime
    expires_at: datetime
    last_active_on: date | None
    lacks_languages: bool
    lacks_country: bool
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

    def forget_user(self, user_id: int) -> None:
        """The same for all sessions of a user, whose roles or account changed."""
        with self._lock:
            for session_id in [key for key, (_, facts) in self._entries.items() if facts.user_id == user_id]:
                del self._entries[session_id]


def session_cache(app: Flask | None = None) -> SessionCache:
    """One cache per app."""
    cache: SessionCache = (app or current_app).extensions.setdefault("jiki_auth.session_cache", SessionCache())
    return cache


def session_facts(session_id: uuid.UUID) -> SessionFacts | None:
    """One statement: the session, its user and the user's roles."""
    row = (
        reading()
        .execute(
            select(
                Session.user_id,
                Session.kind,
                Session.secret_hash,
                Session.last_used_at,
                Session.authenticated_at,
                Session.expires_at,
                User.last_active_on,
                (func.cardinality(User.language_tags) == 0).label("lacks_languages"),
                User.country_code.is_(None).label("lacks_country"),
                roles_of(Session.user_id).label("roles"),
            )
            .join(User, User.id == Session.user_id)
            .where(Session.id == session_id)
        )
        .one_or_none()
    )
    if row is None:
        return None
    return SessionFacts(
        id=session_id,
        user_id=row.user_id,
        kind=row.kind,
        secret_hash=row.secret_hash,
        last_used_at=row.last_used_at,
        authenticated_at=row.authenticated_at,
        expires_at=row.expires_at,
        last_active_on=row.last_active_on,
        lacks_languages=row.lacks_languages,
        lacks_country=row.lacks_country,
        roles=frozenset(row.roles or ()),
    )


def roles_of(user_id: Any) -> Any:
    """The roles given to a user, as a scalar subquery that yields an array or null."""
    return (
        select(func.array_agg(UserRole.role))
        .where(UserRole.user_id == user_id)
        .correlate_except(UserRole)
        .scalar_subquery()
    )


@dataclass(frozen=True, slots=True)
class ListedSession:
    """A session as its owner sees it."""

    id: uuid.UUID
    kind: str
    user_agent: str
    network: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime


def sessions_of(user_id: int) -> list[ListedSession]:
    """Newest use first."""
    rows = reading().execute(
        select(
            Session.id,
            Session.kind,
            Session.user_agent,
            Session.network,
            Session.created_at,
            Session.last_used_at,
            Session.expires_at,
        )
        .where(Session.user_id == user_id, Session.expires_at > func.now())
        .order_by(Session.last_used_at.desc(), Session.id)
    )
    return [ListedSession(*row) for row in rows]
