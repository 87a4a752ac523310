"""`admin/i18n/messages/{id}/translations/{locale}` and `admin/i18n/translations`: translating, reviewing, discussing."""

from __future__ import annotations

from typing import Any

from jiki_core.db import unit_of_work
from jiki_core.errors import ValidationFailed
from jiki_core.http import Blueprint, Reply, no_content, policy, reply
from jiki_i18n.api.v1.editing import current_editor
from jiki_i18n.commands.bulk_approval import Seen, approve_many
from jiki_i18n.commands.machine_translate import request_machine_translation
from jiki_i18n.commands.translations import (
    Edit,
    add_comment,
    approve_translation,
    resolve_comment,
    return_translation,
    translate_message,
)
from jiki_i18n.errors import (
    InvalidMessage,
    LocaleNotFound,
    LocaleNotGranted,
    MessageNotFound,
    NamespaceNotFound,
    OwnTranslation,
    TranslationNotFound,
    VersionConflict,
)
from jiki_i18n.permissions import TRANSLATE
from jiki_i18n.queries.locales import known_locale, translatable_locale
from jiki_i18n.queries.messages import comments_of, history_of, message_row, message_shape
from jiki_i18n.schemas import (
    ApprovalBody,
    BulkApprovalBody,
    BulkReply,
    CommentBody,
    CommentsReply,
    HistoryReply,
    MachineBody,
    MessageReply,
    QueuedReply,
    ReturnBody,
    TranslationBody,
)

blp = Blueprint("translations", __name__, url_prefix="/i18n", description="Translations and their review")


@blp.route("/messages/<int:message_id>/translations/<locale>", methods=["PUT"])
@policy(TRANSLATE)
@blp.arguments(TranslationBody)
@blp.response(200, MessageReply)
@blp.raises(LocaleNotFound, MessageNotFound, LocaleNotGranted, OwnTranslation)
@blp.raises(InvalidMessage, VersionConflict, ValidationFailed)
def translate(body: dict[str, Any], message_id: int, locale: str) -> Reply:
    """Stores a translation as a draft. `version` is the one the editor saw: somebody else's change is never lost."""
    wanted, tag = body["translation"], translatable_locale(locale)
    edit = Edit(message_id, tag, wanted["text"], wanted["version"], wanted["comment"], is_reviewed=wanted["reviewed"])
    with unit_of_work() as uow:
        translate_message(uow, current_editor(), edit)
    return _message(message_id, tag)


@blp.route("/messages/<int:message_id>/translations/<locale>/approve", methods=["POST"])
@policy(TRANSLATE)
@blp.arguments(ApprovalBody)
@blp.response(200, MessageReply)
@blp.raises(LocaleNotFound, MessageNotFound, TranslationNotFound, LocaleNotGranted, OwnTranslation)
@blp.raises(InvalidMessage, VersionConflict, ValidationFailed)
def approve(body: dict[str, Any], message_id: int, locale: str) -> Reply:
    """Makes a translation reviewed, hence published next time."""
    tag = known_locale(locale)
    with unit_of_work() as uow:
        approve_translation(uow, current_editor(), message_id, tag, seen_version=body["translation"]["version"])
    return _message(message_id, tag)


@blp.route("/messages/<int:message_id>/translations/<locale>/return", methods=["POST"])
@policy(TRANSLATE)
@blp.arguments(ReturnBody)
@blp.response(200, MessageReply)
@blp.raises(LocaleNotFound, MessageNotFound, TranslationNotFound, LocaleNotGranted, VersionConflict, ValidationFailed)
def send_back(body: dict[str, Any], message_id: int, locale: str) -> Reply:
    """Sends a translation back to its author, with the reason as a comment."""
    wanted, tag = body["translation"], known_locale(locale)
    with unit_of_work() as uow:
        return_translation(
            uow, current_editor(), message_id, tag, seen_version=wanted["version"], reason=wanted["reason"]
        )
    return _message(message_id, tag)


@blp.route("/messages/<int:message_id>/translations/<locale>/history")
@policy(TRANSLATE)
@blp.response(200, HistoryReply)
@blp.raises(LocaleNotFound)
def history(message_id: int, locale: str) -> Reply:
    """Every version of a translation, newest first."""
    return reply({"versions": history_of(message_id, known_locale(locale))})


@blp.route("/messages/<int:message_id>/comments")
@policy(TRANSLATE)
@blp.response(200, CommentsReply)
def list_comments(message_id: int) -> Reply:
    """What was said about a message and its translations."""
    return reply({"comments": comments_of(message_id)})


@blp.route("/messages/<int:message_id>/comments", methods=["POST"])
@policy(TRANSLATE)
@blp.arguments(CommentBody)
@blp.response(201, CommentsReply)
@blp.raises(LocaleNotFound, MessageNotFound, LocaleNotGranted, ValidationFailed)
def comment(body: dict[str, Any], message_id: int) -> Reply:
    """Adds a remark, in a locale or on the message itself; returns all of them."""
    said = body["comment"]
    with unit_of_work() as uow:
        tag = known_locale(said["locale"]) if said["locale"] else ""
        add_comment(uow, current_editor(), message_id, tag, said["body"])
    return reply({"comments": comments_of(message_id)}, status=201)


@blp.route("/messages/<int:message_id>/comments/<int:comment_id>", methods=["DELETE"])
@policy(TRANSLATE)
@blp.response(204)
@blp.raises(TranslationNotFound, LocaleNotGranted)
def resolve(message_id: int, comment_id: int) -> Reply:
    """Settles a remark; it stays readable."""
    with unit_of_work() as uow:
        resolve_comment(uow, current_editor(), message_id, comment_id)
    return no_content()


@blp.route("/translations/approve", methods=["POST"])
@policy(TRANSLATE)
@blp.arguments(BulkApprovalBody)
@blp.response(200, BulkReply)
@blp.raises(LocaleNotFound, LocaleNotGranted, ValidationFailed)
def bulk_approve(body: dict[str, Any]) -> Reply:
    """Approves up to 100 translations; those that cannot be are told one by one, the others are approved."""
    wanted = body["approval"]
    seen = [Seen(one["message_id"], one["version"]) for one in wanted["translations"]]
    with unit_of_work() as uow:
        done = approve_many(uow, current_editor(), known_locale(wanted["locale"]), seen)
    refused = [{"message_id": one.message_id, "error": one.symbol} for one in done.refused]
    return reply({"written": done.approved_count, "refused": refused})


@blp.route("/translations/machine", methods=["POST"])
@policy(TRANSLATE)
@blp.arguments(MachineBody)
@blp.response(202, QueuedReply)
@blp.raises(LocaleNotFound, NamespaceNotFound, LocaleNotGranted, ValidationFailed)
def machine(body: dict[str, Any]) -> Reply:
    """Asks for machine translations of what is missing; they arrive as unreviewed texts."""
    wanted = body["translation"]
    with unit_of_work() as uow:
        count = request_machine_translation(
            uow,
            current_editor(),
            wanted["namespace"],
            translatable_locale(wanted["locale"]),
            wanted["message_ids"],
        )
    return reply({"queued": count}, status=202)


def _message(message_id: int, locale: str) -> Reply:
    return reply({"message": message_shape(message_row(message_id, locale))})
