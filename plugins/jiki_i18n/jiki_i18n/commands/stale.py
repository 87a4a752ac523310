"""What a changed source does to its translations: all become stale, and those that no longer fit leave publication."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert, select, update

from jiki_core.db import UnitOfWork
from jiki_i18n.commands.store_texts import BATCH_ROWS, Origin, in_batches
from jiki_i18n.exchange import TranslationState
from jiki_i18n.messages import check_message, parse_message
from jiki_i18n.models import SourceMessage, Translation, TranslationVersion


def make_stale(uow: UnitOfWork, message_ids: Sequence[int]) -> set[str]:
    """Marks the translations of messages whose source now says something else; returns the locales it touched.

    An approved text stays published while it is still a valid translation (same placeholders, markup and plurals): an
    older wording is better than English, a broken one is not.
    """
    touched: set[str] = set()
    for batch in in_batches(message_ids, BATCH_ROWS):
        rows = uow.session.execute(
            select(Translation, SourceMessage.source, SourceMessage.max_length)
            .join(SourceMessage, SourceMessage.id == Translation.message_id)
            .where(Translation.message_id.in_(batch))
            .order_by(Translation.message_id, Translation.locale)
            .with_for_update(of=Translation)
            .execution_options(populate_existing=True)
        ).all()
        history = []
        for translation, source, max_length in rows:
            approved = translation.reviewed_text
            if approved is not None and check_message(
                approved, translation.locale, source=parse_message(source), max_length=max_length
            ):
                approved = None
            values = {
                "state": TranslationState.STALE.value,
                "reviewed_text": approved,
                "version": translation.version + 1,
                "updated_at": uow.now,
            }
            uow.session.execute(
                update(Translation)
                .where(Translation.message_id == translation.message_id, Translation.locale == translation.locale)
                .values(**values)
                .execution_options(synchronize_session=False)
            )
            touched.add(translation.locale)
            history.append(
                {
                    "message_id": translation.message_id,
                    "locale": translation.locale,
                    "version": translation.version + 1,
                    "text": translation.text,
                    "state": TranslationState.STALE.value,
                    "source_revision": translation.source_revision,
                    "origin": Origin.SOURCE_CHANGED.value,
                    "author_id": None,
                    "created_at": uow.now,
                }
            )
        if history:
            uow.session.execute(insert(TranslationVersion), history)
    return touched
