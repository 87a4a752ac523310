"""`admin/outbox`: rows of every kind, and letting a finished one happen once more; the REST side of `flask outbox`."""

from __future__ import annotations

import uuid
from typing import Any

import marshmallow as ma
from sqlalchemy import select

from jiki_core.api.v1.admin_jobs import STATES, AdminJobList, AdminJobShape, ReasonBody
from jiki_core.db import reading, unit_of_work
from jiki_core.db.outbox import OutboxEntry, OutboxKind
from jiki_core.errors import NotFound
from jiki_core.http import Blueprint, PageQuery, Reply, Schema, fields, paginate, reply, reply_page
from jiki_core.jobs.control import JobNotRetryable, describe, replay_entry
from jiki_core.security import me

blp = Blueprint("outbox", __name__, url_prefix="/outbox", description="What transactions asked for, for operators")

KINDS = tuple(kind.value for kind in OutboxKind)


class OutboxQuery(PageQuery):
    kind = fields.Choice(KINDS, load_default="")
    state = fields.Choice(STATES, load_default="")
    name = ma.fields.String(load_default="", metadata={"description": "stored name of the job, event or stream"})


class EntryReply(Schema):
    entry = fields.Nested(AdminJobShape, required=True)


@blp.route("")
@blp.arguments(OutboxQuery, location="query")
@blp.response(200, AdminJobList)
def index(query: dict[str, Any]) -> Reply:
    """Jobs, events and durable broadcasts, newest first, without their payloads."""
    found = select(OutboxEntry).order_by(OutboxEntry.seq.desc())
    for column, value in (
        (OutboxEntry.kind, query["kind"]),
        (OutboxEntry.state, query["state"]),
        (OutboxEntry.name, query["name"]),
    ):
        if value:
            found = found.where(column == value)
    page = paginate(reading(), found, page=query["page"], per=query["per"])
    return reply_page(page, [describe(entry) for entry in page.items])


@blp.route("/<entry_id>/replay", methods=["POST"])
@blp.arguments(ReasonBody)
@blp.response(201, EntryReply)
@blp.raises(NotFound, JobNotRetryable)
def replay(body: dict[str, Any], entry_id: str) -> Reply:
    """Writes a finished row once more under a new id: its effect happens again."""
    try:
        wanted = uuid.UUID(entry_id)
    except ValueError:
        raise NotFound() from None
    with unit_of_work() as uow:
        copy = replay_entry(uow, wanted, reason=body["reason"], actor_id=me().user_id)
    return reply({"entry": describe(reading().get_one(OutboxEntry, copy))}, status=201)
