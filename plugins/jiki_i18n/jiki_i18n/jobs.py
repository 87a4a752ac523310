"""Jobs of i18n: one for each catalogue of a publication, then its pointers, then what is left over."""

from __future__ import annotations

from itertools import groupby
from typing import cast

from sqlalchemy import select

from jiki_core.db import reading
from jiki_core.jobs import JobRun
from jiki_core.observability import counter, get_logger
from jiki_core.runtime import runtime
from jiki_i18n.catalogues import CatalogueError, pack_pointer
from jiki_i18n.commands.collect import collect_garbage
from jiki_i18n.commands.machine_translate import store_machine_texts, untranslated
from jiki_i18n.commands.publish import Task, build, fail_publication, settle_task
from jiki_i18n.engines import machine_translations
from jiki_i18n.locales import SOURCE_LOCALE
from jiki_i18n.models import CurrentPublication, PublishedCatalogue
from jiki_i18n.settings import I18nSettings
from jiki_i18n.storage import FILES, POINTER_NAME, put_pointer

log = get_logger(__name__)
_built = counter("jiki_i18n_catalogues_total", "Catalogues made for publications", ["outcome"])


def build_file(run: JobRun, publication_id: int, namespace: str, locale: str) -> None:
    """Makes one file. Texts that cannot be laid out fail the publication, for trying again would not help."""
    task = Task(publication_id, namespace, locale)
    try:
        built = build(task)
    except (CatalogueError, LookupError) as error:
        _built.labels("failed").inc()
        with run.unit_of_work() as uow:
            fail_publication(uow, publication_id, f"{locale}/{namespace}: {error}")
        return
    with run.unit_of_work() as uow:
        settle_task(uow, task, built)
    _built.labels("built").inc()


def write_pointers(run: JobRun) -> None:
    """Writes `current.json` of every locale that differs from the current publication.

    Two of these may run at once, and an older one may write last; whoever finds at its end that the current publication
    is another one by now asks for one more.
    """
    seen = write_current_pointers()
    with run.unit_of_work() as uow:
        current = uow.session.execute(
            select(CurrentPublication.publication_id).with_for_update(read=True)
        ).scalar_one_or_none()
        if current != seen:
            uow.enqueue(write_pointers)


def write_current_pointers() -> int | None:
    """Makes the pointers in the storage say what the database says; returns the publication it read. Outside any unit."""
    current = reading().execute(select(CurrentPublication.publication_id)).scalar_one_or_none()
    rows = reading().scalars(
        select(PublishedCatalogue)
        .where(PublishedCatalogue.publication_id == current)
        .order_by(PublishedCatalogue.locale, PublishedCatalogue.namespace)
    )
    for locale, files in groupby(rows, key=lambda row: row.locale):
        body = pack_pointer(locale, files)
        if FILES.get(f"{locale}/{POINTER_NAME}") != body:
            put_pointer(locale, body)
    return current


def collect_files(run: JobRun) -> None:
    """Removes what no kept publication names; postponed to the next publication while one is being built."""
    done = collect_garbage(cast(I18nSettings, runtime().plugin_settings["i18n"]))
    log.info("catalogue_files_collected", deleted=done.deleted_count, is_postponed=done.is_postponed)


def machine_translate(run: JobRun, namespace_id: int, locale: str, message_ids: list[int]) -> None:
    """Asks the engine for the messages that are still untranslated, and stores what is valid as machine texts."""
    missing = untranslated(namespace_id, locale, message_ids)
    settings = cast(I18nSettings, runtime().plugin_settings["i18n"])
    texts = machine_translations([one.source for one in missing], SOURCE_LOCALE, locale, settings)
    with run.unit_of_work() as uow:
        stored = store_machine_texts(uow, namespace_id, locale, list(zip(missing, texts, strict=True)))
    log.info("machine_translated", locale=locale, asked=len(missing), stored=stored)
