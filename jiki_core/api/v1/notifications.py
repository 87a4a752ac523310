"""`internal/notifications`: what a user was told; the truth behind NotificationsChannel."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import func, select, update

from jiki_core.db import reading, unit_of_work
from jiki_core.db.records import Notification
from jiki_core.errors import NotFound
from jiki_core.http import Blueprint, PageQuery, Reply, Schema, fields, paginate, reply, reply_page, timestamp
from jiki_core.security import me

blp = Blueprint("notifications", __name__, url_prefix="/notifications", description="What a user was told")


class NotificationShape(Schema):
    id = fields.Text(required=True)
    type = fields.Text(required=True)
    data = fields.Dict(required=True)
    created_at = fields.Moment(required=True)
    read_at = fields.Moment(required=True, allow_none=True)


class NotificationList(Schema):
    results = fields.List(fields.Nested(NotificationShape), required=True)
    meta = fields.Dict(required=True)


@blp.route("")
@blp.arguments(PageQuery, location="query")
@blp.response(200, NotificationList)
def index(query: dict[str, Any]) -> Reply:
    """The caller's notifications, newest first; `meta.unread_count` counts all unread ones."""
    mine = Notification.user_id == me().user_id
    page = paginate(
        reading(),
        select(Notification).where(mine).order_by(Notification.id.desc()),
        page=query["page"],
        per=query["per"],
    )
    unread = (
        reading()
        .execute(select(func.count()).select_from(Notification).where(mine, Notification.read_at.is_(None)))
        .scalar_one()
    )
    return reply_page(page, [_shape(one) for one in page.items], unread_count=unread)


@blp.route("/<notification_id>/read", methods=["PATCH"])
@blp.response(200)
@blp.raises(NotFound)
def read_one(notification_id: str) -> Reply:
    """Marks one as read; again is no change."""
    try:
        wanted = uuid.UUID(notification_id)
    except ValueError:
        raise NotFound() from None
    with unit_of_work() as uow:
        found = uow.session.execute(
            update(Notification)
            .where(Notification.id == wanted, Notification.user_id == me().user_id)
            .values(read_at=func.coalesce(Notification.read_at, uow.now))
            .returning(Notification.id)
        ).scalar_one_or_none()
    if found is None:
        raise NotFound()
    return reply({})


@blp.route("/read", methods=["PATCH"])
@blp.response(200)
def read_all() -> Reply:
    """Marks all as read."""
    with unit_of_work() as uow:
        uow.session.execute(
            update(Notification)
            .where(Notification.user_id == me().user_id, Notification.read_at.is_(None))
            .values(read_at=uow.now)
        )
    return reply({})


def _shape(one: Notification) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "type": one.type,
        "data": one.data,
        "created_at": timestamp(one.created_at),
        "read_at": timestamp(one.read_at),
    }
