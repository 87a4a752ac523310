"""Garbage collection: files that no kept publication names."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, func, select, text, update

from jiki_core.db import db, unit_of_work
from jiki_i18n.commands.publish import COLLECTION_LOCK
from jiki_i18n.models import CurrentPublication, Publication, PublicationState, PublishedCatalogue
from jiki_i18n.settings import I18nSettings
from jiki_i18n.storage import FILES, POINTER_NAME


@dataclass(frozen=True, slots=True)
class Collected:
    """What was removed; `is_postponed` when a publication is being built, whose files nothing names yet."""

    deleted_count: int = 0
    is_postponed: bool = False


def collect_garbage(settings: I18nSettings) -> Collected:
    """Keeps the files of the current publication and of the newest `publications_kept`; deletes the rest.

    While it runs no publication can begin, so that no file is reused while it is being deleted. Opens its own unit.
    """
    with db.engine.connect() as connection:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        if not connection.execute(select(func.pg_try_advisory_lock(COLLECTION_LOCK))).scalar_one():
            return Collected(is_postponed=True)
        try:
            names = _names_to_keep(settings)
            if names is None:
                return Collected(is_postponed=True)
            return Collected(_delete_others(names))
        finally:
            connection.execute(text("select pg_advisory_unlock(:key)"), {"key": COLLECTION_LOCK})


def _names_to_keep(settings: I18nSettings) -> set[str] | None:
    """Forgets old publications and names the files of the others; None while one is being built."""
    with unit_of_work() as uow:
        building = select(Publication.id).where(Publication.state == PublicationState.BUILDING.value).limit(1)
        if uow.session.execute(building).scalar_one_or_none() is not None:
            return None
        newest = (
            select(Publication.id)
            .where(Publication.state == PublicationState.PUBLISHED.value, Publication.is_collected.is_(False))
            .order_by(Publication.id.desc())
            .limit(settings.publications_kept)
        )
        current = select(CurrentPublication.publication_id)
        old = uow.session.scalars(
            update(Publication)
            .where(
                Publication.is_collected.is_(False),
                Publication.id.not_in(newest.scalar_subquery()),
                Publication.id.not_in(current.scalar_subquery()),
            )
            .values(is_collected=True)
            .returning(Publication.id)
            .execution_options(synchronize_session=False)
        ).all()
        uow.session.execute(delete(PublishedCatalogue).where(PublishedCatalogue.publication_id.in_(old)))
        rows = uow.session.execute(select(PublishedCatalogue.locale, PublishedCatalogue.file_name).distinct())
        return {f"{row.locale}/{row.file_name}" for row in rows}


def _delete_others(names: set[str]) -> int:
    garbage = [name for name in FILES.names() if name not in names and not name.endswith(f"/{POINTER_NAME}")]
    for name in garbage:
        FILES.delete(name)
    return len(garbage)
