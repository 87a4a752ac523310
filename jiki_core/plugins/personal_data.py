"""Personal data as plugins declare it: which rows belong to a person, what an export shows, what an erasure does.

Data only: it is stored in the plugin's record, so that export and erasure work when the plugin is off or gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table

from jiki_core.db import Model

#: one step: (column, qualified table it refers to, column there)
Step = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure does with the rows; made by `DELETE`, `anonymise(...)` and `retain(...)`."""

    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


#: the rows go
DELETE = Erasure("delete")


def anonymise(**values: Any) -> Erasure:
    """The rows stay; these columns get these values (usually None)."""
    return Erasure("anonymise", values)


def retain(reason: str) -> Erasure:
    """The rows stay as they are, for a reason that is told to whoever asks."""
    return Erasure("retain", reason=reason)


@dataclass(frozen=True, slots=True)
class PersonalTable:
    """One table of the plugin with rows that belong to a person.

    `path` leads from a row to the user's id: a column (`"user_id"`), or columns through foreign keys
    (`"submission_id.user_lesson_id.user_id"`). A table with several ways has several entries. The table of the users
    themselves has the path `"id"`. `export` names the columns that the person gets.
    """

    table: str
    path: str
    export: tuple[str, ...] = ()
    erasure: Erasure = DELETE


def personal_data_mistakes(
    plugin: str, models: Iterable[type[Model]], declared: Iterable[PersonalTable], subjects: frozenset[str]
) -> Iterator[str]:
    """Sentences on wrong and missing declarations. `subjects` are qualified tables of users, of plugins before."""
    tables = {model.__tablename__: model.__table__ for model in models}
    entries = list(declared)
    for entry in entries:
        table = tables.get(entry.table)
        if not isinstance(table, Table):
            yield f"jiki_personal_data names the table {entry.table}, which no model of {plugin} has"
            continue
        where = f"jiki_personal_data of {entry.table}"
        unknown = [name for name in (*entry.export, *entry.erasure.values) if name not in table.columns]
        if unknown:
            yield f"{where} names {', '.join(unknown)}, which the table has not"
        if entry.erasure.kind == "retain" and not entry.erasure.reason:
            yield f"{where} retains rows without a reason"
        try:
            resolve_path(table, entry.path)
        except ValueError as error:
            yield f"{where}: {error}"
    named = {entry.table for entry in entries}
    for name in sorted(_personal_tables(tables.values(), subjects) - named):
        yield (
            f"the table {plugin}.{name} leads to users and jiki_personal_data does not say what happens to it; "
            f'add PersonalTable("{name}", path=…) with what an export shows and an erasure does'
        )


def resolve_path(table: Table, path: str) -> tuple[list[Step], str]:
    """The joins of a path and its last column. Raises ValueError for a path that leads nowhere."""
    *links, last = path.split(".")
    steps: list[Step] = []
    for link in links:
        column = table.columns.get(link)
        key = next(iter(column.foreign_keys), None) if column is not None else None
        if key is None:
            raise ValueError(f"the path {path!r} goes through {table.name}.{link}, which is no foreign key")
        steps.append((link, key.column.table.fullname, key.column.name))
        table = key.column.table
    if last not in table.columns:
        raise ValueError(f"the path {path!r} ends in {table.name}.{last}, which is no column")
    return steps, last


def stored_form(models: Iterable[type[Model]], declared: Iterable[PersonalTable]) -> dict[str, Any]:
    """What the plugin's record keeps: enough to export and erase without the code."""
    tables = {model.__tablename__: model.__table__ for model in models}
    stored = []
    for entry in declared:
        table = tables[entry.table]
        assert isinstance(table, Table)
        steps, last = resolve_path(table, entry.path)
        stored.append(
            {
                "table": entry.table,
                "steps": [list(step) for step in steps],
                "column": last,
                "export": list(entry.export),
                "erasure": entry.erasure.kind,
                "values": dict(entry.erasure.values),
                "reason": entry.erasure.reason,
            }
        )
    return {"tables": stored}


def subjects_of(plugin: str, declared: Iterable[PersonalTable]) -> frozenset[str]:
    """Qualified names of a plugin's own tables of users."""
    return frozenset(f"{plugin}.{entry.table}" for entry in declared if entry.path == "id")


def _personal_tables(tables: Iterable[Any], subjects: frozenset[str]) -> set[str]:
    """Names of tables with a column of a user's id, or a foreign key to such a table."""
    own = {table.fullname: table for table in tables}
    personal = {
        name
        for name, table in own.items()
        if any(column.name == "user_id" or column.name.endswith("_user_id") for column in table.columns)
        or any(key.target_fullname.rpartition(".")[0] in subjects for key in table.foreign_keys)
    }
    while True:
        further = {
            name
            for name, table in own.items()
            if name not in personal
            and any(key.target_fullname.rpartition(".")[0] in personal for key in table.foreign_keys)
        }
        if not further:
            return {own[name].name for name in personal}
        personal |= further
