"""Namespaces: made by people, sync and import; found and locked by everything that changes their keys."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from jiki_core.db import UnitOfWork
from jiki_core.errors import FieldError, ValidationFailed
from jiki_i18n.catalogues import Layout
from jiki_i18n.errors import NamespaceNotFound
from jiki_i18n.exchange.entries import NAMESPACE
from jiki_i18n.models import Namespace


def ensure_namespace(uow: UnitOfWork, name: str, *, owner: str = "", layout: Layout = Layout.NESTED) -> int:
    """The id of a namespace, made when there is none yet. Raises ValidationFailed for a bad name or for one that
    another plugin owns."""
    if not NAMESPACE.fullmatch(name):
        raise ValidationFailed({"name": [FieldError("invalid", value=name)]})
    uow.session.execute(
        insert(Namespace)
        .values(name=name, owner=owner, layout=layout.value, created_at=uow.now)
        .on_conflict_do_nothing(index_elements=[Namespace.name])
    )
    found = uow.session.execute(select(Namespace.id, Namespace.owner).where(Namespace.name == name)).one()
    if owner and found.owner not in ("", owner):
        raise ValidationFailed({"name": [FieldError("taken", value=name)]})
    return int(found.id)


def create_namespace(uow: UnitOfWork, name: str, *, description: str = "", layout: Layout = Layout.NESTED) -> int:
    """A namespace that was not there; returns its id. Raises ValidationFailed for a bad or taken name."""
    if uow.session.execute(select(Namespace.id).where(Namespace.name == name)).scalar_one_or_none() is not None:
        raise ValidationFailed({"name": [FieldError("taken", value=name)]})
    namespace_id = ensure_namespace(uow, name, layout=layout)
    uow.session.execute(update(Namespace).where(Namespace.id == namespace_id).values(description=description))
    return namespace_id


def change_namespace(uow: UnitOfWork, name: str, changes: Mapping[str, str]) -> None:
    """Changes `description` or `layout`; another layout makes every catalogue of it new. Raises NamespaceNotFound."""
    namespace = access_namespace(uow, name)
    for field, value in changes.items():
        setattr(namespace, field, value)


def access_namespace(uow: UnitOfWork, name: str) -> Namespace:
    """The namespace, locked against changes of its own; its keys can be written to. Raises NamespaceNotFound."""
    found = uow.session.scalars(
        select(Namespace).where(Namespace.name == name).with_for_update(key_share=True)
    ).one_or_none()
    if found is None:
        raise NamespaceNotFound()
    return found


def lock_sources(uow: UnitOfWork, namespace_id: int, *, is_changing: bool = False) -> None:
    """Keeps the sources of a namespace as they are until the commit, for whoever writes many translations of them; or,
    with `is_changing`, waits until nobody relies on them."""
    lock = func.pg_advisory_xact_lock if is_changing else func.pg_advisory_xact_lock_shared
    uow.session.execute(select(lock(_LOCK_CLASS, namespace_id % _LOCK_RANGE)))


#: the first half of the advisory lock's key; the second is the namespace
_LOCK_CLASS, _LOCK_RANGE = 118_018, 2**31
