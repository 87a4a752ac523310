"""Namespaces: made by people, sync and import; found and locked by everything that changes their keys."""

from __future__ import annotations

from sqlalchemy import select
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


def access_namespace(uow: UnitOfWork, name: str) -> Namespace:
    """The namespace, locked against other changes of its keys until the commit. Raises NamespaceNotFound."""
    found = uow.session.scalars(select(Namespace).where(Namespace.name == name).with_for_update()).one_or_none()
    if found is None:
        raise NamespaceNotFound()
    return found
