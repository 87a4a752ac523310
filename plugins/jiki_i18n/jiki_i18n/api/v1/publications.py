"""`admin/i18n/publications`: publishing, looking how far it is, going back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from jiki_core.db import reading, unit_of_work
from jiki_core.errors import Unavailable, ValidationFailed
from jiki_core.http import Blueprint, PageQuery, Reply, paginate, policy, reply, reply_page, timestamp
from jiki_i18n.api.v1.editing import current_editor, i18n_settings
from jiki_i18n.commands.publish import Scope, enqueue_tasks, request_publication, rollback
from jiki_i18n.errors import (
    LocaleNotFound,
    NamespaceNotFound,
    NothingToPublish,
    PublicationNotComplete,
    PublicationNotFound,
)
from jiki_i18n.models import CurrentPublication, Publication, PublicationState
from jiki_i18n.permissions import MANAGE, TRANSLATE
from jiki_i18n.queries.locales import known_locale, served_locales
from jiki_i18n.schemas import PublicationBody, PublicationReply, PublicationsReply

blp = Blueprint("publications", __name__, url_prefix="/i18n/publications", description="Publications of catalogues")


@blp.route("")
@policy(TRANSLATE)
@blp.arguments(PageQuery, location="query")
@blp.response(200, PublicationsReply)
@blp.raises(ValidationFailed)
def index(query: dict[str, Any]) -> Reply:
    """Publications, newest first."""
    page = paginate(
        reading(), select(Publication).order_by(Publication.id.desc()), page=query["page"], per=query["per"]
    )
    current = _current_id()
    return reply_page(page, [_shape(row, current) for row in page.items])


@blp.route("/<int:publication_id>")
@policy(TRANSLATE)
@blp.response(200, PublicationReply)
@blp.raises(PublicationNotFound)
def show(publication_id: int) -> Reply:
    """How far a publication is."""
    return reply({"publication": _publication(publication_id)})


@blp.route("", methods=["POST"])
@policy(MANAGE)
@blp.arguments(PublicationBody)
@blp.response(202, PublicationReply)
@blp.raises(LocaleNotFound, NamespaceNotFound, NothingToPublish, Unavailable, ValidationFailed)
def publish(body: dict[str, Any]) -> Reply:
    """Begins a publication of what has changed; null when nothing has. Drafts stay out unless asked for."""
    wanted, settings = body["publication"], i18n_settings()
    scope = Scope(
        tuple(known_locale(tag) for tag in wanted["locales"]) or served_locales(),
        tuple(wanted["namespaces"]),
        settings.publishes_unreviewed if wanted["unreviewed"] is None else wanted["unreviewed"],
        wanted["force"],
    )
    with unit_of_work() as uow:
        requested = request_publication(
            uow, scope, settings, author_id=current_editor().user_id, reason=wanted["reason"]
        )
        enqueue_tasks(uow, requested)
    return reply({"publication": None if requested.id is None else _publication(requested.id)}, status=202)


@blp.route("/<int:publication_id>/rollback", methods=["POST"])
@policy(MANAGE)
@blp.response(200, PublicationReply)
@blp.raises(PublicationNotFound, PublicationNotComplete)
def go_back(publication_id: int) -> Reply:
    """Makes an earlier publication current again, at once and for all locales."""
    with unit_of_work() as uow:
        rollback(uow, publication_id, author_id=current_editor().user_id)
    return reply({"publication": _publication(publication_id)})


def _publication(publication_id: int) -> dict[str, Any]:
    row = (
        reading()
        .scalars(select(Publication).where(Publication.id == publication_id).execution_options(populate_existing=True))
        .one_or_none()
    )
    if row is None:
        raise PublicationNotFound()
    return _shape(row, _current_id())


def _current_id() -> int | None:
    return reading().execute(select(CurrentPublication.publication_id)).scalar_one_or_none()


def _shape(row: Publication, current: int | None) -> dict[str, Any]:
    return {
        "id": row.id,
        "state": row.state,
        "is_current": row.id == current,
        "may_be_current": row.state == PublicationState.PUBLISHED and not row.is_collected,
        "locales": row.locales,
        "namespaces": row.namespaces,
        "includes_unreviewed": row.includes_unreviewed,
        "total": row.total_count,
        "done": row.done_count,
        "author_id": row.author_id,
        "reason": row.reason,
        "created_at": timestamp(row.created_at),
        "finished_at": timestamp(row.finished_at),
    }
