"""Publishing: a complete list of content-hashed files is made beside the current one and then replaces it at once.

Files are written before anything names them; the one row of `current_publication` is what switches. Whatever is killed
in between leaves the publication that was current, whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, func, insert, literal, not_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from jiki_core.db import UnitOfWork, reading
from jiki_core.errors import Unavailable
from jiki_i18n.catalogues import Catalogue, Layout
from jiki_i18n.channels import PUBLICATIONS_STREAM
from jiki_i18n.errors import NamespaceNotFound, NothingToPublish, PublicationNotComplete, PublicationNotFound
from jiki_i18n.events import CataloguesPublished
from jiki_i18n.locales import fallback_chain
from jiki_i18n.models import CurrentPublication, Namespace, Publication, PublicationState, PublishedCatalogue
from jiki_i18n.queries.catalogue_texts import NamespaceFacts, build_catalogue, revisions
from jiki_i18n.settings import I18nSettings
from jiki_i18n.storage import FILES, put_catalogue

#: held shared by whoever starts a publication, exclusively by garbage collection
COLLECTION_LOCK = 11_801_801


@dataclass(frozen=True, slots=True)
class Scope:
    """What a publication makes anew; no namespaces means all there are."""

    locales: tuple[str, ...]
    namespaces: tuple[str, ...] = ()
    includes_unreviewed: bool = False
    #: make catalogues anew even when nothing they are made of has changed
    is_forced: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """One catalogue to make."""

    publication_id: int
    namespace: str
    locale: str


@dataclass(frozen=True, slots=True)
class Requested:
    """A publication that has begun; `id` is None when nothing has changed since the current one."""

    id: int | None
    tasks: tuple[Task, ...]
    unchanged_count: int


@dataclass(frozen=True, slots=True)
class BuiltCatalogue:
    """A catalogue whose file is in the storage."""

    catalogue: Catalogue
    layout: Layout
    message_count: int
    made_of: Mapping[str, Any]


def request_publication(
    uow: UnitOfWork, scope: Scope, settings: I18nSettings, *, author_id: int | None = None, reason: str = ""
) -> Requested:
    """Begins a publication: decides what must be made and takes over what is the same. The caller makes the tasks, by
    jobs or by itself. Raises NamespaceNotFound, NothingToPublish, and Unavailable while garbage is collected."""
    if not uow.session.execute(select(func.pg_try_advisory_xact_lock_shared(COLLECTION_LOCK))).scalar_one():
        raise Unavailable(retry_after_seconds=10)
    _fail_abandoned(uow, settings)
    namespaces = _namespaces(uow, scope.namespaces)
    if not namespaces or not scope.locales:
        raise NothingToPublish()
    current = _current_rows(uow)
    wanted = made_of_all(namespaces, scope.locales, scope.includes_unreviewed)
    taken, tasks = [], []
    for (locale, name), made_of in wanted.items():
        known = current.get((locale, name))
        if known is not None and known.made_of == made_of and not scope.is_forced:
            taken.append(known)
        else:
            tasks.append((locale, name))
    is_whole = not scope.namespaces
    has_dropped = is_whole and any(name not in {one.name for one in namespaces} for _, name in current)
    if not tasks and not has_dropped:
        return Requested(None, (), len(taken))
    publication_id = uow.session.execute(
        insert(Publication)
        .values(
            locales=list(scope.locales),
            namespaces=sorted(
                {one.name for one in namespaces} | ({name for _, name in current} if is_whole else set())
            ),
            includes_unreviewed=scope.includes_unreviewed,
            total_count=len(tasks),
            author_id=author_id,
            reason=reason,
            created_at=uow.now,
        )
        .returning(Publication.id)
    ).scalar_one()
    for row in taken:
        _take_over(uow, publication_id, row.publication_id, row.locale, row.namespace)
    if not tasks:
        _become_current(uow, publication_id)
    return Requested(publication_id, tuple(Task(publication_id, name, locale) for locale, name in tasks), len(taken))


def enqueue_tasks(uow: UnitOfWork, requested: Requested) -> None:
    """Leaves the files of a publication to the workers: one job each."""
    from jiki_i18n.jobs import build_file  # jobs import this module

    for task in requested.tasks:
        uow.enqueue(build_file, publication_id=task.publication_id, namespace=task.namespace, locale=task.locale)


def build(task: Task) -> BuiltCatalogue:
    """Makes one catalogue and puts its file into the storage; outside any unit of work.

    Raises CatalogueError for texts that cannot be laid out, LookupError when the publication or namespace is gone,
    StorageUnavailable and StorageFull.
    """
    publication = (
        reading()
        .execute(select(Publication.includes_unreviewed).where(Publication.id == task.publication_id))
        .one_or_none()
    )
    row = (
        reading()
        .execute(select(Namespace.id, Namespace.name, Namespace.layout).where(Namespace.name == task.namespace))
        .one_or_none()
    )
    if publication is None or row is None:
        raise LookupError(f"the publication {task.publication_id} or the namespace {task.namespace} is gone")
    namespace = NamespaceFacts(row.id, row.name, Layout(row.layout))
    # read before the texts: what changes meanwhile makes the next publication do it again
    made_of = made_of_all([namespace], [task.locale], publication.includes_unreviewed)[(task.locale, task.namespace)]
    catalogue, count = build_catalogue(namespace, task.locale, includes_unreviewed=publication.includes_unreviewed)
    name = f"{task.locale}/{catalogue.file_name}"
    if not FILES.has(name):
        put_catalogue(name, catalogue.body)
    return BuiltCatalogue(catalogue, namespace.layout, count, made_of)


def settle_task(uow: UnitOfWork, task: Task, built: BuiltCatalogue) -> None:
    """Notes a file that was made; the last one makes the publication current. For one that was given up, nothing."""
    publication = _access_building(uow, task.publication_id)
    if publication is None:
        return
    is_new = uow.session.execute(
        upsert(PublishedCatalogue)
        .values(
            publication_id=task.publication_id,
            locale=task.locale,
            namespace=task.namespace,
            file_name=built.catalogue.file_name,
            digest=built.catalogue.digest,
            layout=built.layout.value,
            size_bytes=len(built.catalogue.body),
            message_count=built.message_count,
            made_of=dict(built.made_of),
        )
        .on_conflict_do_nothing()
        .returning(PublishedCatalogue.publication_id)
    ).scalar_one_or_none()
    if is_new is None:
        return
    publication.done_count += 1
    if publication.done_count == publication.total_count:
        uow.session.flush()
        _become_current(uow, task.publication_id)


def fail_publication(uow: UnitOfWork, publication_id: int, reason: str) -> None:
    """Gives a publication up; the current one stays."""
    publication = _access_building(uow, publication_id)
    if publication is not None:
        publication.state, publication.reason = PublicationState.FAILED.value, reason[:10_000]
        publication.finished_at = uow.now


def rollback(uow: UnitOfWork, publication_id: int, *, author_id: int | None = None) -> None:
    """Makes an earlier publication current again. Raises PublicationNotFound and PublicationNotComplete."""
    _lock_current(uow)
    publication = uow.session.get(Publication, publication_id, with_for_update=True, populate_existing=True)
    if publication is None:
        raise PublicationNotFound()
    if publication.state != PublicationState.PUBLISHED or publication.is_collected:
        raise PublicationNotComplete(state=publication.state, is_collected=publication.is_collected)
    _switch(uow, publication, is_rollback=True, author_id=author_id)


def made_of_all(
    namespaces: Sequence[NamespaceFacts], locales: Sequence[str], includes_unreviewed: bool
) -> dict[tuple[str, str], dict[str, Any]]:
    """(locale, namespace) → everything its catalogue depends on: equal means equal bytes."""
    known = revisions([one.id for one in namespaces])
    return {
        (locale, one.name): {
            "namespace": one.id,
            "revisions": {link: known.get((one.id, link), 0) for link in fallback_chain(locale)},
            "layout": one.layout.value,
            "includes_unreviewed": includes_unreviewed,
        }
        for locale in locales
        for one in namespaces
    }


def _become_current(uow: UnitOfWork, publication_id: int) -> None:
    """The switch, in the transaction of the last file. A newer publication that came first stays."""
    current_id = _lock_current(uow)
    publication = uow.session.get_one(Publication, publication_id, populate_existing=True)
    publication.finished_at = uow.now
    if current_id is not None and current_id > publication_id:
        publication.state = PublicationState.OVERTAKEN.value
        return
    if current_id is not None:
        is_in_scope = and_(
            PublishedCatalogue.locale.in_(publication.locales), PublishedCatalogue.namespace.in_(publication.namespaces)
        )
        _copy(uow, publication_id, PublishedCatalogue.publication_id == current_id, not_(is_in_scope))
    publication.state = PublicationState.PUBLISHED.value
    uow.session.flush()
    _switch(uow, publication, is_rollback=False, author_id=publication.author_id)


def _switch(uow: UnitOfWork, publication: Publication, *, is_rollback: bool, author_id: int | None) -> None:
    from jiki_i18n.jobs import collect_files, write_pointers  # jobs import this module

    before = _lock_current(uow)
    uow.session.execute(
        upsert(CurrentPublication)
        .values(id=1, publication_id=publication.id, changed_at=uow.now)
        .on_conflict_do_update(
            index_elements=[CurrentPublication.id],
            set_={"publication_id": publication.id, "changed_at": uow.now},
        )
    )
    locales, namespaces = tuple(publication.locales), tuple(publication.namespaces)
    uow.enqueue(write_pointers)
    uow.enqueue(collect_files)
    uow.emit(CataloguesPublished(publication.id, locales, namespaces, is_rollback))
    message = {
        "type": "published",
        "publication": publication.id,
        "locales": list(locales),
        "namespaces": list(namespaces),
    }
    uow.broadcast(PUBLICATIONS_STREAM, message, durable=True)
    uow.audit(
        "catalogues:rolled_back" if is_rollback else "catalogues:published",
        actor_id=author_id,
        target_type="publication",
        target_id=publication.id,
        before={"publication": before},
        after={"publication": publication.id},
        plugin="i18n",
    )


def _lock_current(uow: UnitOfWork) -> int | None:
    """The current publication's id, locked; nobody else switches until the commit."""
    uow.session.execute(select(func.pg_advisory_xact_lock(_SWITCH_LOCK)))
    return uow.session.execute(
        select(CurrentPublication.publication_id).where(CurrentPublication.id == 1).with_for_update()
    ).scalar_one_or_none()


#: there is no row to lock before the first publication
_SWITCH_LOCK = 11_801_802


def _access_building(uow: UnitOfWork, publication_id: int) -> Publication | None:
    """The publication, locked, while it is being built."""
    publication = uow.session.get(Publication, publication_id, with_for_update=True, populate_existing=True)
    return publication if publication is not None and publication.state == PublicationState.BUILDING else None


def _namespaces(uow: UnitOfWork, names: Sequence[str]) -> list[NamespaceFacts]:
    query = select(Namespace.id, Namespace.name, Namespace.layout).order_by(Namespace.name)
    rows = uow.session.execute(query.where(Namespace.name.in_(names)) if names else query).all()
    if len(rows) < len(set(names)):
        raise NamespaceNotFound()
    return [NamespaceFacts(row.id, row.name, Layout(row.layout)) for row in rows]


def _current_rows(uow: UnitOfWork) -> dict[tuple[str, str], Any]:
    rows = uow.session.execute(
        select(
            PublishedCatalogue.publication_id,
            PublishedCatalogue.locale,
            PublishedCatalogue.namespace,
            PublishedCatalogue.made_of,
        ).join(CurrentPublication, CurrentPublication.publication_id == PublishedCatalogue.publication_id)
    )
    return {(row.locale, row.namespace): row for row in rows}


def _take_over(uow: UnitOfWork, publication_id: int, from_id: int, locale: str, namespace: str) -> None:
    _copy(
        uow,
        publication_id,
        PublishedCatalogue.publication_id == from_id,
        PublishedCatalogue.locale == locale,
        PublishedCatalogue.namespace == namespace,
    )


def _copy(uow: UnitOfWork, publication_id: int, *conditions: Any) -> None:
    """Files of another publication become this one's too; what it has already stays."""
    columns = [column for column in PublishedCatalogue.__table__.columns if column.name != "publication_id"]
    uow.session.execute(
        upsert(PublishedCatalogue)
        .from_select(
            ["publication_id", *(column.name for column in columns)],
            select(literal(publication_id), *columns).where(*conditions),
        )
        .on_conflict_do_nothing()
    )


def _fail_abandoned(uow: UnitOfWork, settings: I18nSettings) -> None:
    uow.session.execute(
        update(Publication)
        .where(
            Publication.state == PublicationState.BUILDING.value,
            Publication.created_at < uow.now - timedelta(minutes=settings.build_timeout_minutes),
        )
        .values(
            state=PublicationState.FAILED.value,
            finished_at=uow.now,
            reason=f"not complete after {settings.build_timeout_minutes} minutes",
        )
    )
