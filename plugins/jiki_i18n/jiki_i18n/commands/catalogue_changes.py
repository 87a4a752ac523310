"""Telling publication what changed: the revision of each (namespace, locale) that a command touched."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.dialects.postgresql import insert

from jiki_core.db import UnitOfWork
from jiki_i18n.models import CatalogueRevision


def mark_changed(uow: UnitOfWork, changed: Iterable[tuple[int, str]]) -> None:
    """Raises the revision of each (namespace id, locale), in one order, so that two writers never wait for each other
    in a circle. Called last in a command: the rows stay locked until its commit."""
    pairs = sorted(set(changed))
    if not pairs:
        return
    uow.session.execute(
        insert(CatalogueRevision)
        .values([{"namespace_id": namespace_id, "locale": locale, "revision": 1} for namespace_id, locale in pairs])
        .on_conflict_do_update(
            index_elements=[CatalogueRevision.namespace_id, CatalogueRevision.locale],
            set_={"revision": CatalogueRevision.revision + 1},
        )
    )
