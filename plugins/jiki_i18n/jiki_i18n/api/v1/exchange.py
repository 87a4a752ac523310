"""`admin/i18n/exchange/{locale}/{namespace}`: documents for translators' own tools, out and in."""

from __future__ import annotations

from typing import Any

from flask import Response

from jiki_core.db import unit_of_work
from jiki_core.errors import FieldError, ValidationFailed
from jiki_core.http import Blueprint, Reply, policy, reply
from jiki_i18n.api.v1.editing import current_editor
from jiki_i18n.commands.import_document import Document, import_document
from jiki_i18n.errors import (
    ExportRefused,
    ImportRefused,
    LocaleNotFound,
    LocaleNotGranted,
    NamespaceNotFound,
    VersionConflict,
)
from jiki_i18n.exchange import FORMATS, ConflictPolicy
from jiki_i18n.permissions import TRANSLATE
from jiki_i18n.queries.exchange import export
from jiki_i18n.queries.locales import known_locale
from jiki_i18n.schemas import ExportQuery, ImportBody, ImportedReply

blp = Blueprint("exchange", __name__, url_prefix="/i18n/exchange", description="Import and export")


@blp.route("/<locale>/<namespace>")
@policy(TRANSLATE)
@blp.arguments(ExportQuery, location="query")
@blp.response(200)
@blp.raises(LocaleNotFound, NamespaceNotFound, ExportRefused, ValidationFailed)
def download(query: dict[str, Any], locale: str, namespace: str) -> Response:
    """The messages of a namespace in a locale, as a file of the format asked for."""
    form = FORMATS.get(query["format"])
    if form is None:
        raise ValidationFailed({"format": [FieldError("inclusion", value=query["format"])]})
    tag = known_locale(locale)
    response = Response(export(namespace, tag, form.name), content_type=f"{form.media_type}; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{namespace}.{tag}{form.suffix}"'
    return response


@blp.route("/<locale>/<namespace>", methods=["POST"])
@policy(TRANSLATE)
@blp.arguments(ImportBody)
@blp.response(200, ImportedReply)
@blp.raises(LocaleNotFound, NamespaceNotFound, LocaleNotGranted, ImportRefused, VersionConflict, ValidationFailed)
def upload(body: dict[str, Any], locale: str, namespace: str) -> Reply:
    """Imports a document, or says what it would do (`dry_run`). English brings keys, which is for managers."""
    wanted, editor, tag = body["document"], current_editor(), known_locale(locale)
    editor.check_write(tag)
    document = Document(
        wanted["content"].encode(),
        wanted["format"],
        tag,
        namespace,
        wanted["base"].encode() if wanted["base"] is not None else None,
    )
    with unit_of_work() as uow:
        done = import_document(
            uow,
            document,
            ConflictPolicy(wanted["policy"]),
            may_review=wanted["reviewed"] and editor.is_manager,
            author_id=editor.user_id,
            is_dry_run=wanted["dry_run"],
        )
    imported = {
        "locale": done.locale,
        "namespace": done.namespace,
        "counts": done.counts,
        "diff": list(done.lines),
        "is_refused": done.is_refused,
    }
    return reply({"imported": imported})
