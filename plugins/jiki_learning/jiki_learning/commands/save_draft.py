"""Writes a draft down: rarely while somebody types, at the end of a socket, and at once over REST."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import orjson
from sqlalchemy import text

from jiki_core.db import UnitOfWork
from jiki_learning.drafts import Draft, keep_draft

# An older draft that comes late, of another device for example, does not replace a newer one.
_SAVE = text("""
    insert into learning.exercise_drafts as mine (user_id, lesson_id, files, version, saved_at)
    values (:user_id, :lesson_id, cast(:files as jsonb), greatest(:version, 1), :saved_at)
    on conflict (user_id, lesson_id) do update
    set files = excluded.files, version = greatest(excluded.version, mine.version + 1), saved_at = excluded.saved_at
    where mine.saved_at < excluded.saved_at
""")


def save_draft(uow: UnitOfWork, user_id: int, lesson_id: int, draft: Draft) -> None:
    """Stores it unless a newer one is stored. A version of 0 is the next one."""
    uow.session.execute(
        _SAVE,
        {
            "user_id": user_id,
            "lesson_id": lesson_id,
            "files": orjson.dumps(draft.files).decode(),
            "version": draft.version,
            "saved_at": draft.saved_at,
        },
    )


def put_draft(uow: UnitOfWork, user_id: int, lesson_id: int, files: Mapping[str, str], now: datetime) -> None:
    """A whole draft over REST: kept and stored."""
    version = keep_draft(user_id, lesson_id, files, now) or 0
    save_draft(uow, user_id, lesson_id, Draft(dict(files), version, now))
