"""Ends sessions: their cookies, tokens and sockets, everywhere within a second."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from jiki_core.cable import disconnect_user
from jiki_core.db import UnitOfWork
from jiki_core.runtime import runtime
from sqlalchemy import delete
from sqlalchemy.sql.elements import ColumnElement

from jiki_auth.models import Session
from jiki_auth.queries.sessions import session_cache


def end_session(
    uow: UnitOfWork, session_id: uuid.UUID, *, owner_id: int | None = None, actor_id: int | None = None, reason: str = ""
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
        uow.after_commit(lambda ended_id=session_id: session_cache().forget(ended_id))
        uow.after_commit(
            lambda ended_id=session_id, owner=user_id: disconnect_user(
                runtime().redis, owner, session_id=str(ended_id)
            )
        )
    return ended
