"""Ends sessions, their cookies, tokens and sockets, everywhere within a second; and renews what they prove."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from functools import partial

from sqlalchemy import delete, update
from sqlalchemy.sql.elements import ColumnElement

from jiki_auth.models import Session
from jiki_auth.queries.sessions import session_cache
from jiki_core.db import UnitOfWork
from jiki_core.runtime import runtime


def end_session(
    uow: UnitOfWork,
    session_id: uuid.UUID,
    *,
    owner_id: int | None = None,
    actor_id: int | None = None,
    reason: str = "",
) -> bool:
    """Whether there was such a session; with `owner_id`, only one of this user's."""
    conditions = [Session.id == session_id]
    if owner_id is not None:
        conditions.append(Session.user_id == owner_id)
    return bool(_end(uow, conditions, actor_id, reason))


def end_sessions_of(
    uow: UnitOfWork, user_id: int, *, spared: uuid.UUID | None = None, actor_id: int | None = None, reason: str = ""
) -> int:
    """All sessions of a user, but `spared`; returns how many."""
    conditions = [Session.user_id == user_id]
    if spared is not None:
        conditions.append(Session.id != spared)
    return len(_end(uow, conditions, actor_id or user_id, reason))


def renew_authentication(uow: UnitOfWork, user_id: int, session_id: uuid.UUID) -> None:
    """The owner has just proved again who they are."""
    uow.session.execute(
        update(Session).where(Session.id == session_id, Session.user_id == user_id).values(authenticated_at=uow.now)
    )
    uow.audit("session:reauthenticated", actor_id=user_id, target_type="session", target_id=session_id, plugin="auth")


def _end(
    uow: UnitOfWork, conditions: Sequence[ColumnElement[bool]], actor_id: int | None, reason: str
) -> list[tuple[uuid.UUID, int]]:
    ended = [
        (row.id, row.user_id)
        for row in uow.session.execute(delete(Session).where(*conditions).returning(Session.id, Session.user_id))
    ]
    for session_id, user_id in ended:
        uow.audit(
            "session:ended",
            actor_id=actor_id or user_id,
            target_type="session",
            target_id=session_id,
            reason=reason or None,
            plugin="auth",
        )
        uow.after_commit(partial(_forget, session_id, user_id))
    return ended


def _forget(session_id: uuid.UUID, user_id: int) -> None:
    session_cache().forget(session_id)
    runtime().disconnect(user_id, session_id=str(session_id))
