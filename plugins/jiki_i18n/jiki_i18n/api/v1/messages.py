"""`admin/i18n/messages`: keys, searched and filtered with their translation in one locale, and edited by managers."""

from __future__ import annotations

from typing import Any

from jiki_core.db import unit_of_work
from jiki_core.errors import FieldError, ValidationFailed
from jiki_core.http import Blueprint, Reply, no_content, policy, reply, reply_page
from jiki_i18n.api.v1.editing import current_editor
from jiki_i18n.commands.messages import NewMessage, create_message, edit_message, retire_message
from jiki_i18n.errors import InvalidMessage, LocaleNotFound, MessageNotFound, NamespaceNotFound, VersionConflict
from jiki_i18n.exchange import TranslationState
from jiki_i18n.permissions import MANAGE, TRANSLATE
from jiki_i18n.queries.locales import known_locale
from jiki_i18n.queries.messages import Filter, list_messages, message_row, message_shape, translations_of
from jiki_i18n.schemas import (
    MessageChangesBody,
    MessageReply,
    MessagesQuery,
    MessagesReply,
    NewMessageBody,
    WholeMessageReply,
)

blp = Blueprint("messages", __name__, url_prefix="/i18n/messages", description="Messages to translate")


@blp.route("")
@policy(TRANSLATE)
@blp.arguments(MessagesQuery, location="query")
@blp.response(200, MessagesReply)
@blp.raises(LocaleNotFound, ValidationFailed)
def index(query: dict[str, Any]) -> Reply:
    """A page of messages by namespace and key. `state=missing` and `state=stale` are the reports of what is to do."""
    page = list_messages(_filter(query), page=query["page"], per=query["per"])
    return reply_page(page, [message_shape(row) for row in page.items])


@blp.route("/<int:message_id>")
@policy(TRANSLATE)
@blp.response(200, WholeMessageReply)
@blp.raises(MessageNotFound)
def show(message_id: int) -> Reply:
    """A message with its translations into all locales."""
    return reply({"message": message_shape(message_row(message_id)), "translations": translations_of(message_id)})


@blp.route("", methods=["POST"])
@policy(MANAGE)
@blp.arguments(NewMessageBody)
@blp.response(201, MessageReply)
@blp.raises(NamespaceNotFound, InvalidMessage, ValidationFailed)
def create(body: dict[str, Any]) -> Reply:
    """Makes a key in an existing namespace."""
    with unit_of_work() as uow:
        message_id = create_message(uow, NewMessage(**body["message"]), author_id=current_editor().user_id)
    return reply({"message": message_shape(message_row(message_id))}, status=201)


@blp.route("/<int:message_id>", methods=["PATCH"])
@policy(MANAGE)
@blp.arguments(MessageChangesBody)
@blp.response(200, MessageReply)
@blp.raises(MessageNotFound, VersionConflict, InvalidMessage, ValidationFailed)
def edit(body: dict[str, Any], message_id: int) -> Reply:
    """Changes a key; a source that says something else makes its translations stale."""
    changes = dict(body["message"])
    seen_version = changes.pop("version")
    with unit_of_work() as uow:
        edit_message(uow, message_id, changes, seen_version=seen_version, author_id=current_editor().user_id)
    return reply({"message": message_shape(message_row(message_id))})


@blp.route("/<int:message_id>", methods=["DELETE"])
@policy(MANAGE)
@blp.response(204)
@blp.raises(MessageNotFound)
def retire(message_id: int) -> Reply:
    """Takes a key out of use; its translations stay for when it comes back."""
    with unit_of_work() as uow:
        retire_message(uow, message_id, author_id=current_editor().user_id)
    return no_content()


def _filter(query: dict[str, Any]) -> Filter:
    locale = known_locale(query["locale"]) if query["locale"] else None
    state = None
    if query["state"]:
        if query["state"] not in list(TranslationState):
            raise ValidationFailed({"state": [FieldError("inclusion", value=query["state"])]})
        if locale is None:
            raise ValidationFailed({"locale": [FieldError("blank")]})
        state = TranslationState(query["state"])
    return Filter(locale, query["namespace"], state, query["query"], is_retired=query["retired"] == "true")
