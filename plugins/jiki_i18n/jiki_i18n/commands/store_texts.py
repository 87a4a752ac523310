"""The one writer of translations: rows, history and revisions, each row against the version its writer has seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import case, insert
from sqlalchemy.dialects.postgresql import insert as upsert

from jiki_core.db import UnitOfWork
from jiki_i18n.commands.catalogue_changes import mark_changed
from jiki_i18n.exchange import TranslationState
from jiki_i18n.models import Translation, TranslationVersion

T = TypeVar("T")
#: rows of one statement: far below PostgreSQL's limit of 65,535 parameters
BATCH_ROWS = 1_000


class Origin(StrEnum):
    """What changed a translation."""

    EDIT = "edit"
    REVIEW = "review"
    IMPORT = "import"
    SYNC = "sync"
    MACHINE = "machine"
    SOURCE_CHANGED = "source_changed"


@dataclass(frozen=True, slots=True)
class NewText:
    """What one message is to say; `seen_version` is the version its writer saw, 0 = none."""

    message_id: int
    text: str
    state: TranslationState
    source_revision: int
    seen_version: int
    #: None leaves the translator's note as it is
    comment: str | None = None


def store_texts(
    uow: UnitOfWork,
    namespace_id: int,
    locale: str,
    texts: Sequence[NewText],
    *,
    origin: Origin,
    author_id: int | None = None,
) -> set[int]:
    """Writes what has still the version its writer saw; returns the ids of the messages that were written. The caller
    has checked the texts. What is reviewed becomes what publications take; anything else leaves that as it is."""
    written: set[int] = set()
    for batch in in_batches(texts, BATCH_ROWS):
        done = _write(uow, locale, batch, origin, author_id)
        written |= done
        history = [
            {
                "message_id": one.message_id,
                "locale": locale,
                "version": one.seen_version + 1,
                "text": one.text,
                "state": one.state.value,
                "source_revision": one.source_revision,
                "origin": origin.value,
                "author_id": author_id,
                "created_at": uow.now,
            }
            for one in batch
            if one.message_id in done
        ]
        if history:
            uow.session.execute(insert(TranslationVersion), history)
    if written:
        mark_changed(uow, [(namespace_id, locale)])
    return written


def in_batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Slices of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _write(uow: UnitOfWork, locale: str, batch: Sequence[NewText], origin: Origin, author_id: int | None) -> set[int]:
    is_review = origin is Origin.REVIEW
    rows = [
        {
            "message_id": one.message_id,
            "locale": locale,
            "text": one.text,
            "state": one.state.value,
            "reviewed_text": one.text if one.state is TranslationState.REVIEWED else None,
            "source_revision": one.source_revision,
            "comment": one.comment or "",
            "version": one.seen_version + 1,
            "author_id": None if is_review else author_id,
            "reviewer_id": author_id if one.state is TranslationState.REVIEWED else None,
            "updated_at": uow.now,
        }
        for one in batch
    ]
    has_comments = any(one.comment is not None for one in batch)
    new = upsert(Translation).values(rows)
    excluded = new.excluded
    changed = {
        "text": excluded.text,
        "state": excluded.state,
        "reviewed_text": case(
            (excluded.state == TranslationState.REVIEWED.value, excluded.text), else_=Translation.reviewed_text
        ),
        "source_revision": excluded.source_revision,
        "version": excluded.version,
        "author_id": Translation.author_id if is_review else excluded.author_id,
        "reviewer_id": excluded.reviewer_id,
        "updated_at": excluded.updated_at,
    }
    if has_comments:
        changed["comment"] = excluded.comment
    return set(
        uow.session.scalars(
            new.on_conflict_do_update(
                index_elements=[Translation.message_id, Translation.locale],
                set_=changed,
                where=Translation.version == excluded.version - 1,
            ).returning(Translation.message_id)
        )
    )
