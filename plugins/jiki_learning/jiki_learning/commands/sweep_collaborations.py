"""Ends collaborations in which nothing happens, and drops those that ended long ago."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, func, select

from jiki_core.db import UnitOfWork
from jiki_learning.commands.collaborate import close_collaboration
from jiki_learning.models import Collaboration, CollaborationDocument
from jiki_learning.queries.collaborations import access_collaboration
from jiki_learning.queries.own_settings import learning_settings

#: in one transaction
BATCH = 100


def sweep_collaborations(uow: UnitOfWork) -> bool:
    """Whether there may be more."""
    settings = learning_settings()
    idle = uow.session.execute(
        select(Collaboration.owner_id, Collaboration.uuid)
        .join(CollaborationDocument, CollaborationDocument.collaboration_id == Collaboration.id)
        .where(Collaboration.ended_at.is_(None))
        .group_by(Collaboration.id)
        .having(func.max(CollaborationDocument.changed_at) < uow.now - timedelta(days=settings.collaboration_idle_days))
        .order_by(Collaboration.id)
        .limit(BATCH)
    ).all()
    for owner_id, uuid in idle:
        close_collaboration(uow, access_collaboration(owner_id, str(uuid)))
    over = (
        select(Collaboration.id)
        .where(Collaboration.ended_at < uow.now - timedelta(days=settings.collaboration_retention_days))
        .order_by(Collaboration.id)
        .limit(BATCH)
    )
    gone = uow.session.execute(
        delete(Collaboration).where(Collaboration.id.in_(over)).returning(Collaboration.id)
    ).all()
    return len(idle) == BATCH or len(gone) == BATCH
