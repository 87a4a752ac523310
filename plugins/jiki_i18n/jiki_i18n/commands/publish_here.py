"""Publishing within one process, for commands and machines without a worker."""

from __future__ import annotations

from collections.abc import Callable

from jiki_core.db import unit_of_work
from jiki_core.errors import StorageFull
from jiki_core.storage import StorageUnavailable
from jiki_i18n.catalogues import CatalogueError
from jiki_i18n.commands.publish import (
    Requested,
    Scope,
    build,
    fail_publication,
    request_publication,
    settle_task,
)
from jiki_i18n.jobs import write_current_pointers
from jiki_i18n.settings import I18nSettings


def publish_here(
    scope: Scope,
    settings: I18nSettings,
    *,
    reason: str = "",
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Requested:
    """Makes every catalogue of a publication, one at a time, and the pointers; `on_progress(made, all)` after each.

    Opens its own units. When one fails the publication is given up and the exception goes on (CatalogueError,
    StorageUnavailable, StorageFull).
    """
    with unit_of_work() as uow:
        requested = request_publication(uow, scope, settings, reason=reason)
    for made, task in enumerate(requested.tasks, start=1):
        try:
            built = build(task)
        except (CatalogueError, LookupError, StorageUnavailable, StorageFull) as error:
            with unit_of_work() as uow:
                fail_publication(uow, task.publication_id, f"{task.locale}/{task.namespace}: {error}")
            raise
        with unit_of_work() as uow:
            settle_task(uow, task, built)
        on_progress(made, len(requested.tasks))
    if requested.id is not None:
        write_current_pointers()
    return requested
