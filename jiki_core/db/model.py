"""The declarative base: each table lives in the PostgreSQL schema of the plugin that declares it (architecture.md 2.3)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar

from sqlalchemy import BigInteger, DateTime, Identity, MetaData, Table
from sqlalchemy.orm import DeclarativeBase, mapped_column

NAMING_CONVENTION = {
    "pk": "%(table_name)s_pkey",
    "fk": "%(table_name)s_%(column_0_name)s_fkey",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "ck": "%(table_name)s_%(constraint_name)s_check",
}

#: `bigint generated always as identity primary key`
IdentityKey = Annotated[int, mapped_column(BigInteger, Identity(always=True), primary_key=True)]
#: `timestamptz`; values are aware UTC datetimes
Timestamp = Annotated[datetime, mapped_column(DateTime(timezone=True))]


class Model(DeclarativeBase):
    """Base of all models. A plugin makes one abstract base of its own that names it:

    `class LearningModel(Model): __abstract__ = True; __plugin__ = "learning"`
    """

    __abstract__ = True
    #: the plugin that owns the table, hence its schema
    __plugin__: ClassVar[str]

    metadata = MetaData(naming_convention=NAMING_CONVENTION)

    @classmethod
    def __table_cls__(cls, name: str, metadata: MetaData, *args: Any, **kwargs: Any) -> Table:
        owner = getattr(cls, "__plugin__", None)
        if owner is None:
            raise TypeError(
                f"{cls.__module__}.{cls.__qualname__} has no __plugin__: derive it from your plugin's abstract base, "
                "which names the plugin"
            )
        kwargs.setdefault("schema", owner)
        return Table(name, metadata, *args, **kwargs)


class CoreModel(Model):
    """Base of the core's own tables, in the schema `core`."""

    __abstract__ = True
    __plugin__ = "core"
