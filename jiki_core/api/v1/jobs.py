"""`internal/jobs/:id`: how far a job is that the caller asked for, and its result."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import select

from jiki_core.db import reading
from jiki_core.db.outbox import JobReceipt, OutboxEntry, OutboxKind, OutboxState
from jiki_core.errors import NotFound
from jiki_core.http import Blueprint, Reply, Schema, fields, reply, timestamp
from jiki_core.security import me

blp = Blueprint("jobs", __name__, url_prefix="/jobs", description="Long jobs of the caller")

#: what an owner needs to know of a state; the reasons are for operators
_TOLD = {
    OutboxState.NEW: "waiting",
    OutboxState.HANDED: "waiting",
    OutboxState.HELD: "waiting",
    OutboxState.STARTED: "running",
    OutboxState.DONE: "done",
    OutboxState.DEAD: "failed",
    OutboxState.CANCELLED: "cancelled",
}


class OwnJobShape(Schema):
    id = fields.Text(required=True)
    name = fields.Text(required=True)
    state = fields.Choice(sorted(set(_TOLD.values())), required=True)
    progress = fields.Dict(required=True, allow_none=True)
    result = fields.Raw(required=True, allow_none=True)
    created_at = fields.Moment(required=True)
    finished_at = fields.Moment(required=True, allow_none=True)


class OwnJobReply(Schema):
    job = fields.Nested(OwnJobShape, required=True)
    meta = fields.Dict(required=True)


@blp.route("/<job_id>")
@blp.response(200, OwnJobReply)
@blp.raises(NotFound)
def show(job_id: str) -> Reply:
    """One of the caller's jobs. NotificationsChannel pushes `core.job_progress`, `core.job_done` and `core.job_failed`."""
    try:
        wanted = uuid.UUID(job_id)
    except ValueError:
        raise NotFound() from None
    found = (
        reading()
        .execute(
            select(OutboxEntry, JobReceipt.result)
            .outerjoin(JobReceipt, JobReceipt.outbox_id == OutboxEntry.id)
            .where(OutboxEntry.id == wanted, OutboxEntry.kind == OutboxKind.JOB, OutboxEntry.owner_id == me().user_id)
        )
        .one_or_none()
    )
    if found is None:
        raise NotFound()
    entry, result = found
    return reply({"job": _shape(entry, result)})


def _shape(entry: OutboxEntry, result: Any) -> dict[str, Any]:
    return {
        "id": str(entry.id),
        "name": entry.name,
        "state": _TOLD[OutboxState(entry.state)],
        "progress": entry.progress,
        "result": result,
        "created_at": timestamp(entry.created_at),
        "finished_at": timestamp(entry.finished_at),
    }
