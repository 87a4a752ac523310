"""Lets everybody in a collaboration see how the tests of what they handed in went."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from jiki_core.db import UnitOfWork
from jiki_learning.models import Collaboration
from jiki_learning.queries.collaborations import access_collaboration


def share_results(
    uow: UnitOfWork,
    owner_id: int,
    lesson_id: int,
    *,
    submission_uuid: str,
    state: str,
    outcome: str | None,
    summary: dict[str, Any] | None,
) -> None:
    """Tells the open collaborations of a learner on a lesson that a run of its tests is over, and how it ended."""
    opened = uow.session.scalars(
        select(Collaboration.uuid).where(
            Collaboration.owner_id == owner_id, Collaboration.lesson_id == lesson_id, Collaboration.ended_at.is_(None)
        )
    ).all()
    for uuid in opened:
        uow.broadcast(
            access_collaboration(owner_id, str(uuid)).stream,
            {
                "type": "tested",
                "submission_uuid": submission_uuid,
                "state": state,
                "outcome": outcome,
                "summary": summary,
            },
            durable=True,
            at_once=True,
        )
