"""`admin/i18n/translators`: who may translate into which locale."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from jiki_core.db import reading, unit_of_work
from jiki_core.errors import ValidationFailed
from jiki_core.http import Blueprint, Reply, no_content, policy, reply, timestamp
from jiki_i18n.api.v1.editing import current_editor
from jiki_i18n.commands.translators import grant_locale, revoke_locale
from jiki_i18n.errors import LocaleNotFound, TranslatorNotFound
from jiki_i18n.models import TranslatorGrant
from jiki_i18n.permissions import MANAGE
from jiki_i18n.schemas import GrantBody, TranslatorsReply

blp = Blueprint("translators", __name__, url_prefix="/i18n/translators", description="Translators and their locales")


@blp.route("")
@policy(MANAGE)
@blp.response(200, TranslatorsReply)
def index() -> Reply:
    """Every grant, by user and locale."""
    return reply({"translators": _grants()})


@blp.route("/<int:user_id>/<locale>", methods=["PUT"])
@policy(MANAGE)
@blp.arguments(GrantBody)
@blp.response(200, TranslatorsReply)
@blp.raises(LocaleNotFound, ValidationFailed)
def grant(body: dict[str, Any], user_id: int, locale: str) -> Reply:
    """Lets a user translate into a locale; they also need the role translator."""
    with unit_of_work() as uow:
        grant_locale(
            uow,
            user_id,
            locale,
            may_review=body["translator"]["may_review"],
            author_id=current_editor().user_id,
        )
    return reply({"translators": _grants()})


@blp.route("/<int:user_id>/<locale>", methods=["DELETE"])
@policy(MANAGE)
@blp.response(204)
@blp.raises(TranslatorNotFound)
def revoke(user_id: int, locale: str) -> Reply:
    """Takes a locale from a user."""
    with unit_of_work() as uow:
        revoke_locale(uow, user_id, locale, author_id=current_editor().user_id)
    return no_content()


def _grants() -> list[dict[str, Any]]:
    rows = reading().scalars(select(TranslatorGrant).order_by(TranslatorGrant.user_id, TranslatorGrant.locale))
    return [
        {
            "user_id": row.user_id,
            "locale": row.locale,
            "may_review": row.may_review,
            "granted_at": timestamp(row.granted_at),
        }
        for row in rows
    ]
