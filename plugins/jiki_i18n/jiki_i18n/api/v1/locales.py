"""`admin/i18n/locales`, `namespaces` and `statistics`: what there is to translate, and how far it is."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from jiki_core.db import reading, unit_of_work
from jiki_core.errors import ValidationFailed
from jiki_core.http import Blueprint, Reply, policy, reply
from jiki_i18n.api.v1.editing import current_editor, i18n_settings
from jiki_i18n.catalogues import Layout
from jiki_i18n.commands.namespaces import change_namespace, create_namespace
from jiki_i18n.commands.promote_locale import promote_locale
from jiki_i18n.errors import LocaleIncomplete, LocaleNotFound, NamespaceNotFound
from jiki_i18n.exchange import TranslationState
from jiki_i18n.locales import ALL_LOCALES, LOCALES, LocaleState
from jiki_i18n.models import Namespace
from jiki_i18n.permissions import MANAGE, TRANSLATE
from jiki_i18n.queries.editors import Editor
from jiki_i18n.queries.locales import known_locale, locale_states
from jiki_i18n.queries.statistics import Completeness, completeness
from jiki_i18n.schemas import (
    LocaleBody,
    LocaleQuery,
    LocaleReply,
    LocalesReply,
    NamespaceBody,
    NamespaceChangesBody,
    NamespaceReply,
    NamespacesReply,
    StatisticsReply,
)

blp = Blueprint("locales", __name__, url_prefix="/i18n", description="Locales, namespaces and their completeness")


@blp.route("/locales")
@policy(TRANSLATE)
@blp.response(200, LocalesReply)
def list_locales() -> Reply:
    """Every locale with its state, and what the caller may do in it."""
    editor, states = current_editor(), locale_states()
    return reply({"locales": [_locale_shape(tag, states[tag], editor) for tag in ALL_LOCALES]})


@blp.route("/locales/<tag>", methods=["PATCH"])
@policy(MANAGE)
@blp.arguments(LocaleBody)
@blp.response(200, LocaleReply)
@blp.raises(LocaleNotFound, LocaleIncomplete, ValidationFailed)
def change_locale(body: dict[str, Any], tag: str) -> Reply:
    """Promotes a locale, or takes it back. Going live needs enough reviewed messages, unless forced."""
    editor, wanted = current_editor(), body["locale"]
    with unit_of_work() as uow:
        done = promote_locale(
            uow,
            tag,
            LocaleState(wanted["state"]),
            i18n_settings(),
            is_forced=wanted["force"],
            author_id=editor.user_id,
        )
    return reply({"locale": _locale_shape(tag, done.after, editor)})


@blp.route("/namespaces")
@policy(TRANSLATE)
@blp.response(200, NamespacesReply)
def list_namespaces() -> Reply:
    """Every namespace, by name."""
    rows = reading().scalars(select(Namespace).order_by(Namespace.name))
    return reply({"namespaces": [_namespace_shape(row) for row in rows]})


@blp.route("/namespaces", methods=["POST"])
@policy(MANAGE)
@blp.arguments(NamespaceBody)
@blp.response(201, NamespaceReply)
@blp.raises(ValidationFailed)
def add_namespace(body: dict[str, Any]) -> Reply:
    """Makes an empty namespace."""
    wanted = body["namespace"]
    with unit_of_work() as uow:
        create_namespace(uow, wanted["name"], description=wanted["description"], layout=Layout(wanted["layout"]))
    return reply({"namespace": _namespace(wanted["name"])}, status=201)


@blp.route("/namespaces/<name>", methods=["PATCH"])
@policy(MANAGE)
@blp.arguments(NamespaceChangesBody)
@blp.response(200, NamespaceReply)
@blp.raises(NamespaceNotFound, ValidationFailed)
def edit_namespace(body: dict[str, Any], name: str) -> Reply:
    """Changes a namespace's description or the layout of its catalogues."""
    with unit_of_work() as uow:
        change_namespace(uow, name, body["namespace"])
    return reply({"namespace": _namespace(name)})


@blp.route("/statistics")
@policy(TRANSLATE)
@blp.arguments(LocaleQuery, location="query")
@blp.response(200, StatisticsReply)
@blp.raises(LocaleNotFound)
def statistics(query: dict[str, Any]) -> Reply:
    """Messages by locale, namespace and state."""
    locales = [known_locale(query["locale"])] if query["locale"] else ALL_LOCALES
    return reply({"completeness": [_completeness_shape(one) for one in completeness(locales)]})


def _locale_shape(tag: str, state: LocaleState, editor: Editor) -> dict[str, Any]:
    locale = LOCALES[tag]
    return {
        "tag": tag,
        "name": locale.name,
        "own_name": locale.own_name,
        "direction": locale.direction,
        "state": state.value,
        "fallbacks": list(locale.fallbacks),
        "may_write": editor.may_write(tag),
        "may_review": editor.may_review(tag),
    }


def _namespace(name: str) -> dict[str, Any]:
    return _namespace_shape(reading().scalars(select(Namespace).where(Namespace.name == name)).one())


def _namespace_shape(row: Namespace) -> dict[str, Any]:
    return {"name": row.name, "owner": row.owner, "description": row.description, "layout": row.layout}


def _completeness_shape(one: Completeness) -> dict[str, Any]:
    states = (TranslationState.MACHINE, TranslationState.DRAFT, TranslationState.REVIEWED, TranslationState.STALE)
    return {
        "locale": one.locale,
        "namespace": one.namespace,
        "total": one.total_count,
        "percent": one.percent,
        "missing": one.missing_count,
        **{state.value: one.counts.get(state, 0) for state in states},
    }
