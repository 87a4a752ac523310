"""Keys edited by hand: made, changed, retired. Plugins bring theirs by `flask i18n sync`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from jiki_core.db import UnitOfWork
from jiki_core.errors import FieldError, ValidationFailed
from jiki_i18n.commands.catalogue_changes import mark_changed
from jiki_i18n.commands.namespaces import access_namespace, lock_sources
from jiki_i18n.commands.stale import make_stale
from jiki_i18n.commands.sync_keys import placeholders_of
from jiki_i18n.errors import InvalidMessage, MessageNotFound, VersionConflict
from jiki_i18n.exchange import Entry, ExchangeError
from jiki_i18n.icu import same_message
from jiki_i18n.locales import SOURCE_LOCALE
from jiki_i18n.messages import check_message
from jiki_i18n.models import SourceMessage


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A key to make, with its English text."""

    namespace: str
    key: str
    source: str
    description: str = ""
    max_length: int | None = None
    screenshot_url: str = ""


def create_message(uow: UnitOfWork, wanted: NewMessage, *, author_id: int) -> int:
    """Returns the id. Raises NamespaceNotFound, InvalidMessage, and ValidationFailed for a bad or taken key."""
    namespace = access_namespace(uow, wanted.namespace)
    try:
        Entry(wanted.key, wanted.source, description=wanted.description, max_length=wanted.max_length)
    except ExchangeError:
        raise ValidationFailed({"key": [FieldError("invalid", value=wanted.key)]}) from None
    check_source(wanted.source, wanted.max_length)
    message_id = uow.session.execute(
        insert(SourceMessage)
        .values(
            namespace_id=namespace.id,
            key=wanted.key,
            source=wanted.source,
            description=wanted.description,
            placeholders=placeholders_of(wanted.source),
            max_length=wanted.max_length,
            screenshot_url=wanted.screenshot_url,
            created_at=uow.now,
            updated_at=uow.now,
        )
        .on_conflict_do_nothing(index_elements=[SourceMessage.namespace_id, SourceMessage.key])
        .returning(SourceMessage.id)
    ).scalar_one_or_none()
    if message_id is None:
        raise ValidationFailed({"key": [FieldError("taken", value=wanted.key)]})
    mark_changed(uow, [(namespace.id, SOURCE_LOCALE)])
    _audit(uow, "message:created", message_id, author_id, after={"key": wanted.key, "source": wanted.source})
    return message_id


def edit_message(
    uow: UnitOfWork, message_id: int, changes: dict[str, Any], *, seen_version: int, author_id: int
) -> None:
    """Changes `source`, `description`, `max_length` or `screenshot_url`. A source that says something else makes the
    translations stale. Raises MessageNotFound, VersionConflict, InvalidMessage."""
    lock_sources(uow, namespace_of(uow, message_id), is_changing=True)
    message = access_message(uow, message_id, is_changing=True)
    _check_version(message, seen_version)
    before = {name: getattr(message, name) for name in changes}
    says_more = "source" in changes and not same_message(message.source, changes["source"])
    for name, value in changes.items():
        setattr(message, name, value)
    check_source(message.source, message.max_length)
    message.placeholders = placeholders_of(message.source)
    message.version += 1
    message.updated_at = uow.now
    touched: set[str] = set()
    if says_more:
        message.source_revision += 1
        uow.session.flush()
        touched = make_stale(uow, [message_id])
    mark_changed(uow, [(message.namespace_id, locale) for locale in (SOURCE_LOCALE, *touched)])
    _audit(uow, "message:edited", message_id, author_id, before=before, after=changes)


def retire_message(uow: UnitOfWork, message_id: int, *, author_id: int) -> None:
    """Takes a key out of use; its translations stay for when it comes back. Raises MessageNotFound."""
    message = access_message(uow, message_id, is_changing=True)
    message.retired_at = uow.now
    message.version += 1
    mark_changed(uow, [(message.namespace_id, SOURCE_LOCALE)])
    _audit(uow, "message:retired", message_id, author_id)


def namespace_of(uow: UnitOfWork, message_id: int) -> int:
    """The id of a message's namespace. Raises MessageNotFound."""
    found = uow.session.execute(
        select(SourceMessage.namespace_id).where(SourceMessage.id == message_id)
    ).scalar_one_or_none()
    if found is None:
        raise MessageNotFound()
    return found


def access_message(uow: UnitOfWork, message_id: int, *, is_changing: bool = False) -> SourceMessage:
    """A key in use, locked so that its source stays what it is (or can be changed) until the commit.

    Raises MessageNotFound.
    """
    message = uow.session.scalars(
        select(SourceMessage)
        .where(SourceMessage.id == message_id, SourceMessage.retired_at.is_(None))
        .with_for_update(read=not is_changing)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if message is None:
        raise MessageNotFound()
    return message


def check_source(source: str, max_length: int | None) -> None:
    """Raises InvalidMessage for an English text that is no message."""
    problems = check_message(source, SOURCE_LOCALE, max_length=max_length)
    if problems:
        raise InvalidMessage(problems)


def _check_version(message: SourceMessage, seen_version: int) -> None:
    if message.version != seen_version:
        raise VersionConflict(version=message.version, source=message.source)


def _audit(uow: UnitOfWork, action: str, message_id: int, author_id: int, **facts: Any) -> None:
    uow.audit(action, actor_id=author_id, target_type="i18n_message", target_id=message_id, plugin="i18n", **facts)
