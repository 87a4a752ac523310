"""`internal/notifications`: what a user was told, and which kinds they want; the truth behind NotificationsChannel."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from jiki_core.db import reading, unit_of_work
from jiki_core.db.records import MutedNotification, Notification
from jiki_core.errors import FieldError, NotFound, ValidationFailed
from jiki_core.events import NotificationKind
from jiki_core.http import Blueprint, PageQuery, Reply, Schema, fields, paginate, reply, reply_page, timestamp
from jiki_core.runtime import runtime
from jiki_core.security import me

blp = Blueprint("notifications", __name__, url_prefix="/notifications", description="What a user was told")

#: of kinds that no plugin of this process declares, such as those of a plugin that is off
OTHER_GROUP = "other"


class NotificationShape(Schema):
    id = fields.Text(required=True)
    type = fields.Text(required=True)
    #: kinds that belong together
    group = fields.Text(required=True)
    data = fields.Dict(required=True)
    created_at = fields.Moment(required=True)
    read_at = fields.Moment(required=True, allow_none=True)


class NotificationList(Schema):
    results = fields.List(fields.Nested(NotificationShape), required=True)
    meta = fields.Dict(required=True)


class NotificationQuery(PageQuery):
    group = fields.Text(load_default="", allow_blank=True, metadata={"description": "of this group only"})
    unread = fields.Text(load_default="", allow_blank=True, metadata={"description": "1: unread ones only"})


class PreferenceShape(Schema):
    type = fields.Text(required=True)
    group = fields.Text(required=True)
    label = fields.Text(required=True)
    summary = fields.Text(required=True, allow_blank=True)
    wanted = fields.Flag(required=True)
    #: cannot be switched off
    mandatory = fields.Flag(required=True)


class PreferenceList(Schema):
    preferences = fields.List(fields.Nested(PreferenceShape), required=True)
    meta = fields.Dict(required=True)


class PreferencesBody(Schema):
    #: type -> whether it is wanted
    preferences = fields.Dict(keys=fields.Text(), values=fields.Flag(), required=True)


@blp.route("")
@blp.arguments(NotificationQuery, location="query")
@blp.response(200, NotificationList)
def index(query: dict[str, Any]) -> Reply:
    """The caller's notifications, newest first; `meta` counts all unread ones, and those of each group."""
    mine = Notification.user_id == me().user_id
    wanted = [mine]
    if query["group"]:
        wanted.append(_of_group(query["group"]))
    if query["unread"] == "1":
        wanted.append(Notification.read_at.is_(None))
    page = paginate(
        reading(),
        select(Notification).where(*wanted).order_by(Notification.id.desc()),
        page=query["page"],
        per=query["per"],
    )
    counts = _unread_by_group(mine)
    return reply_page(
        page, [_shape(one) for one in page.items], unread_count=sum(counts.values()), unread_by_group=counts
    )


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
    _mark_read()
    return reply({})


@blp.route("/groups/<group>/read", methods=["PATCH"])
@blp.response(200)
def read_group(group: str) -> Reply:
    """Marks all of a group as read."""
    _mark_read(_of_group(group))
    return reply({})


@blp.route("/preferences")
@blp.response(200, PreferenceList)
def preferences() -> Reply:
    """Every kind there is, and whether the caller wants it."""
    return reply({"preferences": _preferences(me().user_id)})


@blp.route("/preferences", methods=["PATCH"])
@blp.arguments(PreferencesBody)
@blp.response(200, PreferenceList)
def prefer(body: dict[str, Any]) -> Reply:
    """Switches kinds on and off for the time to come; those that are not named stay as they are."""
    kinds, given = runtime().notification_kinds, body["preferences"]
    errors = {
        type: [FieldError("unknown_field" if type not in kinds else "inclusion")]
        for type, is_wanted in given.items()
        if type not in kinds or (kinds[type].is_mandatory and not is_wanted)
    }
    if errors:
        raise ValidationFailed(errors)
    user_id = me().user_id
    with unit_of_work() as uow:
        unwanted = [{"user_id": user_id, "type": type} for type, is_wanted in given.items() if not is_wanted]
        uow.session.execute(
            delete(MutedNotification).where(
                MutedNotification.user_id == user_id,
                MutedNotification.type.in_([type for type, is_wanted in given.items() if is_wanted]),
            )
        )
        if unwanted:
            uow.session.execute(insert(MutedNotification).values(unwanted).on_conflict_do_nothing())
    return reply({"preferences": _preferences(user_id)})


def _mark_read(*which: ColumnElement[bool]) -> None:
    with unit_of_work() as uow:
        uow.session.execute(
            update(Notification)
            .where(Notification.user_id == me().user_id, Notification.read_at.is_(None), *which)
            .values(read_at=uow.now)
        )


def _kinds_by_group() -> Mapping[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for type, kind in runtime().notification_kinds.items():
        groups.setdefault(kind.group, []).append(type)
    return groups


def _of_group(group: str) -> ColumnElement[bool]:
    if group == OTHER_GROUP:
        return Notification.type.not_in(list(runtime().notification_kinds))
    return Notification.type.in_(_kinds_by_group().get(group, []))


def _unread_by_group(mine: ColumnElement[bool]) -> dict[str, int]:
    rows = reading().execute(
        select(Notification.type, func.count()).where(mine, Notification.read_at.is_(None)).group_by(Notification.type)
    )
    counts: dict[str, int] = {}
    for type, count in rows:
        group = _group_of(type)
        counts[group] = counts.get(group, 0) + count
    return counts


def _group_of(type: str) -> str:
    kind: NotificationKind | None = runtime().notification_kinds.get(type)
    return kind.group if kind is not None else OTHER_GROUP


def _preferences(user_id: int) -> list[dict[str, Any]]:
    muted = set(reading().scalars(select(MutedNotification.type).where(MutedNotification.user_id == user_id)))
    return [
        {
            "type": type,
            "group": kind.group,
            "label": kind.label,
            "summary": kind.summary,
            "wanted": kind.is_mandatory or type not in muted,
            "mandatory": kind.is_mandatory,
        }
        for type, kind in runtime().notification_kinds.items()
    ]


def _shape(one: Notification) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "type": one.type,
        "group": _group_of(one.type),
        "data": one.data,
        "created_at": timestamp(one.created_at),
        "read_at": timestamp(one.read_at),
    }
