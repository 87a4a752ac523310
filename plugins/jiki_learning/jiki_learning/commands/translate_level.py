"""Fetches a level's milestone mail in other languages from whoever translates (contract.md 1b and 2.6)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from jiki_core.contracts import Translator, ask
from jiki_core.db import UnitOfWork
from jiki_learning.errors import LevelNotFound
from jiki_learning.jobs import translate_milestone
from jiki_learning.models import Level, LevelTranslation
from jiki_learning.plain_messages import as_message, plain_text
from jiki_learning.queries.milestone_texts import NAMESPACE, message_key

ORIGINAL = "en"


def queue_translations(uow: UnitOfWork, level_id: int) -> tuple[str, list[str]]:
    """(the level's slug, the locales that are asked for): a job for each language but English. Raises LevelNotFound."""
    slug = uow.session.execute(select(Level.slug).where(Level.id == level_id)).scalar_one_or_none()
    if slug is None:
        raise LevelNotFound()
    locales = [locale for locale in ask(Translator).known_locales() if locale != ORIGINAL]
    for locale in locales:
        uow.enqueue(translate_milestone, level_id=level_id, locale=locale)
    return slug, locales


def fetch_translation(uow: UnitOfWork, level_id: int, locale: str) -> bool:
    """Keeps the translated texts; False when there are none, or the level is gone or has no text."""
    level = uow.session.execute(
        select(Level.slug, Level.milestone_email_subject, Level.milestone_email_content_markdown).where(
            Level.id == level_id
        )
    ).one_or_none()
    if level is None or not level.milestone_email_subject:
        return False
    originals = {
        "milestone_email_subject": level.milestone_email_subject,
        "milestone_email_content_markdown": level.milestone_email_content_markdown,
    }
    keys = {name: f"{NAMESPACE}:{message_key(level.slug, name)}" for name in originals}
    defaults = {keys[name]: as_message(original) for name, original in originals.items()}
    found = ask(Translator).translate_many(defaults, locale)
    translated = {name: plain_text(found[key]) for name, key in keys.items()}
    if translated == originals:
        return False
    uow.session.execute(
        insert(LevelTranslation)
        .values(level_id=level_id, locale=locale, **translated)
        .on_conflict_do_update(index_elements=[LevelTranslation.level_id, LevelTranslation.locale], set_=translated)
    )
    return True
