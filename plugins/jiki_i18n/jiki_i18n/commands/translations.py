"""Translating and reviewing, one message at a time, each against the version the editor has seen."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, select

from jiki_core.db import UnitOfWork
from jiki_i18n.commands.messages import access_message
from jiki_i18n.commands.store_texts import NewText, Origin, store_texts
from jiki_i18n.errors import InvalidMessage, OwnTranslation, TranslationNotFound, VersionConflict
from jiki_i18n.exchange import TranslationState
from jiki_i18n.messages import check_message, parse_message
from jiki_i18n.models import SourceMessage, Translation, TranslationComment
from jiki_i18n.queries.editors import Editor


@dataclass(frozen=True, slots=True)
class Edit:
    """What an editor wants a message to say; `seen_version` 0 = there was no translation."""

    message_id: int
    locale: str
    text: str
    seen_version: int
    comment: str | None = None
    #: approve it at once; for managers
    is_reviewed: bool = False


def translate_message(uow: UnitOfWork, editor: Editor, edit: Edit) -> int:
    """Stores a translation and returns its version. Raises MessageNotFound, LocaleNotGranted, InvalidMessage with every
    problem of the text, and VersionConflict when somebody else was faster."""
    editor.check_write(edit.locale)
    message = access_message(uow, edit.message_id)
    if edit.is_reviewed and not editor.is_manager:
        raise OwnTranslation()
    _check(message, edit.locale, edit.text)
    state = TranslationState.REVIEWED if edit.is_reviewed else TranslationState.DRAFT
    text = NewText(message.id, edit.text, state, message.source_revision, edit.seen_version, comment=edit.comment)
    written = store_texts(uow, message.namespace_id, edit.locale, [text], origin=Origin.EDIT, author_id=editor.user_id)
    if not written:
        raise _conflict(uow, edit.message_id, edit.locale)
    return edit.seen_version + 1


def approve_translation(uow: UnitOfWork, editor: Editor, message_id: int, locale: str, *, seen_version: int) -> int:
    """Makes a translation reviewed, hence published next time; returns its version. A text that has become stale is
    approved for the current source, so it must fit that.

    Raises MessageNotFound, TranslationNotFound, LocaleNotGranted, OwnTranslation, InvalidMessage, VersionConflict.
    """
    editor.check_review(locale)
    message = access_message(uow, message_id)
    translation = _access_translation(uow, message_id, locale, seen_version)
    if translation.author_id == editor.user_id and not editor.is_manager:
        raise OwnTranslation()
    _check(message, locale, translation.text)
    return _restate(uow, editor, message, translation, TranslationState.REVIEWED, message.source_revision)


def return_translation(
    uow: UnitOfWork, editor: Editor, message_id: int, locale: str, *, seen_version: int, reason: str
) -> int:
    """Sends a translation back to its author as a draft, with the reason as a comment; returns its version. What was
    approved before stays published. Raises as `approve_translation`."""
    editor.check_review(locale)
    message = access_message(uow, message_id)
    translation = _access_translation(uow, message_id, locale, seen_version)
    version = _restate(uow, editor, message, translation, TranslationState.DRAFT, translation.source_revision)
    add_comment(uow, editor, message_id, locale, reason)
    return version


def add_comment(uow: UnitOfWork, editor: Editor, message_id: int, locale: str, body: str) -> int:
    """A remark on a message in a locale, or on the message itself (`locale` empty); returns its id.

    Raises MessageNotFound, and LocaleNotGranted in a locale that is not the editor's.
    """
    if locale:
        editor.check_write(locale)
    access_message(uow, message_id)
    return uow.session.execute(
        insert(TranslationComment)
        .values(message_id=message_id, locale=locale, author_id=editor.user_id, body=body, created_at=uow.now)
        .returning(TranslationComment.id)
    ).scalar_one()


def resolve_comment(uow: UnitOfWork, editor: Editor, message_id: int, comment_id: int) -> None:
    """Settles a remark. Raises TranslationNotFound for one that does not belong to the message."""
    comment = uow.session.get(TranslationComment, comment_id)
    if comment is None or comment.message_id != message_id:
        raise TranslationNotFound()
    if comment.locale:
        editor.check_write(comment.locale)
    comment.resolved_at = comment.resolved_at or uow.now


def _restate(
    uow: UnitOfWork,
    editor: Editor,
    message: SourceMessage,
    translation: Translation,
    state: TranslationState,
    source_revision: int,
) -> int:
    text = NewText(message.id, translation.text, state, source_revision, translation.version)
    store_texts(uow, message.namespace_id, translation.locale, [text], origin=Origin.REVIEW, author_id=editor.user_id)
    return translation.version + 1


def _access_translation(uow: UnitOfWork, message_id: int, locale: str, seen_version: int) -> Translation:
    translation = uow.session.scalars(
        select(Translation)
        .where(Translation.message_id == message_id, Translation.locale == locale)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if translation is None:
        raise TranslationNotFound()
    if translation.version != seen_version:
        raise _conflict(uow, message_id, locale)
    return translation


def _check(message: SourceMessage, locale: str, text: str) -> None:
    problems = check_message(text, locale, source=parse_message(message.source), max_length=message.max_length)
    if problems:
        raise InvalidMessage(problems)


def _conflict(uow: UnitOfWork, message_id: int, locale: str) -> VersionConflict:
    row = uow.session.execute(
        select(Translation.version, Translation.text, Translation.state).where(
            Translation.message_id == message_id, Translation.locale == locale
        )
    ).one_or_none()
    return VersionConflict(version=row.version, text=row.text, state=row.state) if row else VersionConflict(version=0)
