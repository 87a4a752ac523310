"""The last draft of a learner for a lesson, from wherever it is newest."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from jiki_core.db import reading
from jiki_core.http import timestamp
from jiki_learning.drafts import Draft, kept_draft
from jiki_learning.models import ExerciseDraft


def last_draft(user_id: int, lesson_id: int) -> Draft | None:
    """Valkey's or PostgreSQL's, whichever is newer; None when nothing was typed yet."""
    kept = kept_draft(user_id, lesson_id)
    stored = (
        reading()
        .execute(
            select(ExerciseDraft.files, ExerciseDraft.version, ExerciseDraft.saved_at).where(
                ExerciseDraft.user_id == user_id, ExerciseDraft.lesson_id == lesson_id
            )
        )
        .one_or_none()
    )
    if stored is None or (kept is not None and kept.saved_at >= stored.saved_at):
        return kept
    return Draft(stored.files, stored.version, stored.saved_at)


def draft_shape(draft: Draft | None) -> dict[str, Any] | None:
    """Draft as REST tells it."""
    if draft is None:
        return None
    return {"files": draft.files, "version": draft.version, "saved_at": timestamp(draft.saved_at)}
