"""Lists for translators: messages with their translation in one locale, searched and filtered; histories; comments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, or_, select

from jiki_core.db import reading
from jiki_core.http import Page, paginate, timestamp
from jiki_i18n.errors import MessageNotFound
from jiki_i18n.exchange import TranslationState
from jiki_i18n.locales import SOURCE_LOCALE
from jiki_i18n.models import Namespace, SourceMessage, Translation, TranslationComment, TranslationVersion


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list shows; None and empty mean everything. `state` needs a `locale`."""

    locale: str | None = None
    namespace: str = ""
    state: TranslationState | None = None
    #: part of the key, the source or the translation, without regard to case
    query: str = ""
    is_retired: bool = False


def list_messages(wanted: Filter, *, page: int, per: int) -> Page[Any]:
    """A page of rows (SourceMessage, namespace's name, Translation or None), by namespace and key; two statements."""
    return paginate(reading(), _listed(wanted), page=page, per=per)


def message_row(message_id: int, locale: str | None = None) -> Any:
    """The row of one message, retired or not. Raises MessageNotFound."""
    row = reading().execute(_joined(locale).where(SourceMessage.id == message_id)).one_or_none()
    if row is None:
        raise MessageNotFound()
    return row


def message_shape(row: Any) -> dict[str, Any]:
    """A row as the API shows it."""
    message, namespace, translation = row
    return {
        "id": message.id,
        "namespace": namespace,
        "key": message.key,
        "source": message.source,
        "description": message.description,
        "placeholders": message.placeholders,
        "max_length": message.max_length,
        "screenshot_url": message.screenshot_url,
        "version": message.version,
        "is_retired": message.retired_at is not None,
        "updated_at": timestamp(message.updated_at),
        "translation": None if translation is None else translation_shape(translation),
    }


def translation_shape(translation: Translation) -> dict[str, Any]:
    """A translation as the API shows it."""
    return {
        "locale": translation.locale,
        "text": translation.text,
        "state": translation.state,
        "reviewed_text": translation.reviewed_text,
        "comment": translation.comment,
        "version": translation.version,
        "author_id": translation.author_id,
        "reviewer_id": translation.reviewer_id,
        "updated_at": timestamp(translation.updated_at),
    }


def translations_of(message_id: int) -> list[dict[str, Any]]:
    """The translations of a message into all locales, by tag."""
    rows = reading().scalars(
        select(Translation).where(Translation.message_id == message_id).order_by(Translation.locale)
    )
    return [translation_shape(row) for row in rows]


def history_of(message_id: int, locale: str) -> list[dict[str, Any]]:
    """Every version of a translation, newest first."""
    rows = reading().scalars(
        select(TranslationVersion)
        .where(TranslationVersion.message_id == message_id, TranslationVersion.locale == locale)
        .order_by(TranslationVersion.version.desc())
    )
    return [
        {
            "version": row.version,
            "text": row.text,
            "state": row.state,
            "origin": row.origin,
            "author_id": row.author_id,
            "created_at": timestamp(row.created_at),
        }
        for row in rows
    ]


def comments_of(message_id: int) -> list[dict[str, Any]]:
    """The remarks on a message and its translations, oldest first."""
    rows = reading().scalars(
        select(TranslationComment).where(TranslationComment.message_id == message_id).order_by(TranslationComment.id)
    )
    return [comment_shape(row) for row in rows]


def comment_shape(comment: TranslationComment) -> dict[str, Any]:
    return {
        "id": comment.id,
        "locale": comment.locale,
        "author_id": comment.author_id,
        "body": comment.body,
        "created_at": timestamp(comment.created_at),
        "resolved_at": timestamp(comment.resolved_at),
    }


def _joined(locale: str | None) -> Select[Any]:
    # without a locale the join finds nothing: no translation has an empty one
    is_wanted = and_(Translation.message_id == SourceMessage.id, Translation.locale == (locale or ""))
    query: Select[Any] = select(SourceMessage, Namespace.name, Translation)  # type: ignore[assignment]  # rows of three
    return query.join(Namespace, Namespace.id == SourceMessage.namespace_id).outerjoin(Translation, is_wanted)


def _listed(wanted: Filter) -> Select[Any]:
    query = _joined(wanted.locale).order_by(Namespace.name, SourceMessage.key)
    query = query.where(
        SourceMessage.retired_at.is_not(None) if wanted.is_retired else SourceMessage.retired_at.is_(None)
    )
    if wanted.namespace:
        query = query.where(Namespace.name == wanted.namespace)
    if wanted.state is TranslationState.MISSING:
        query = query.where(
            SourceMessage.source == ""
            if wanted.locale == SOURCE_LOCALE
            else and_(Translation.message_id.is_(None), SourceMessage.source != "")
        )
    elif wanted.state is not None:
        query = query.where(Translation.state == wanted.state.value)
    if wanted.query:
        query = query.where(
            or_(
                SourceMessage.key.icontains(wanted.query, autoescape=True),
                SourceMessage.source.icontains(wanted.query, autoescape=True),
                Translation.text.icontains(wanted.query, autoescape=True),
            )
        )
    return query
