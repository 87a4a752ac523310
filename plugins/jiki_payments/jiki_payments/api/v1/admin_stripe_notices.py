"""`admin/stripe_notices`: what Stripe told us, what became of it, and handling it once more."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from jiki_core.db import reading, unit_of_work
from jiki_core.http import Blueprint, Reply, paginate, policy, reply, reply_page, timestamp
from jiki_core.security import me
from jiki_payments.commands.replay_notice import replay_notice
from jiki_payments.errors import StripeNoticeNotFound
from jiki_payments.models import StripeNotice
from jiki_payments.schemas import StripeNoticeReply, StripeNoticesQuery, StripeNoticesReply

blp = Blueprint("stripe_notices", __name__, url_prefix="/stripe_notices", description="The inbox of Stripe's notices")


@blp.route("")
@policy("payments.administer")
@blp.arguments(StripeNoticesQuery, location="query")
@blp.response(200, StripeNoticesReply)
def index(query: dict[str, Any]) -> Reply:
    """Newest first, by `state` and `type`."""
    rows = select(StripeNotice).order_by(StripeNotice.happened_at.desc(), StripeNotice.event_id)
    if query["state"]:
        rows = rows.where(StripeNotice.state == query["state"])
    if query["type"]:
        rows = rows.where(StripeNotice.type == query["type"])
    page = paginate(reading(), rows, page=query["page"], per=query["per"])
    return reply_page(page, [_shape(row) for row in page.items])


@blp.route("/<event_id>/replay", methods=["POST"])
@policy("payments.administer")
@blp.response(202, StripeNoticeReply)
@blp.raises(StripeNoticeNotFound)
def replay(event_id: str) -> Reply:
    """Has it handled once more, whatever became of it; harmless."""
    with unit_of_work() as uow:
        shape = _shape(replay_notice(uow, event_id, actor_id=me().user_id))
    return reply({"stripe_notice": shape}, status=202)


def _shape(row: StripeNotice) -> dict[str, Any]:
    return {
        "event_id": row.event_id,
        "type": row.type,
        "object_type": row.object_type,
        "object_id": row.object_id,
        "happened_at": timestamp(row.happened_at),
        "received_at": timestamp(row.received_at),
        "handled_at": timestamp(row.handled_at),
        "state": row.state,
        "reason": row.reason,
    }
