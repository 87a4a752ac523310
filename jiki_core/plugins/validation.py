"""Checks on a plugin's code and contributions: hook implementations, models, and clashes with plugins before it."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Table

from jiki_core.contracts import Cardinality
from jiki_core.db import Model
from jiki_core.http.mounts import overlapping_segments
from jiki_core.plugins.contributions import Contributions
from jiki_core.plugins.hookspecs import PROJECT, HookSpecs

_CONTAINERS = frozenset({"Sequence", "list", "tuple", "List", "Tuple", "Iterable", "collections", "abc", "typing"})


def hook_mistakes(plugin: object) -> Iterator[str]:
    """Attributes named `jiki_*` that no hook will call, or that are not what the hook's specification says."""
    specs = {name: value for name, value in vars(HookSpecs).items() if name.startswith("jiki_")}
    for name, member in inspect.getmembers(type(plugin), callable):
        if not name.startswith("jiki_"):
            continue
        place = _where(member)
        if name not in specs:
            near = difflib.get_close_matches(name, specs, n=1)
            yield f"{name} ({place}) is no hook" + (f"; did you mean {near[0]}?" if near else "")
            continue
        if not hasattr(member, f"{PROJECT}_impl"):
            yield f"{name} ({place}) lacks @hookimpl, so it would never be called; add the decorator"
            continue
        unknown = set(inspect.signature(member).parameters) - set(inspect.signature(specs[name]).parameters)
        if unknown:
            yield f"{name} ({place}) takes {', '.join(sorted(unknown))}, which the hook does not give"
        given, wanted = _returned(member), _returned(specs[name])
        if given and given != wanted:
            yield f"{name} ({place}) is annotated to return {_text(member)}; the hook returns {_text(specs[name])}"


def _returned(function: Any) -> frozenset[str]:
    return frozenset(re.findall(r"[A-Za-z_]+", _text(function))) - _CONTAINERS


def _text(function: Any) -> str:
    annotation = inspect.signature(function).return_annotation
    return "" if annotation is inspect.Signature.empty else str(annotation)


def _where(member: Any) -> str:
    code = member.__code__
    return f"{code.co_filename}, line {code.co_firstlineno}"


def model_mistakes(plugin: str, models: Sequence[type[Model]], may_refer_to: frozenset[str]) -> Iterator[str]:
    """Tables outside the plugin's schema, and foreign keys that could block or corrupt others (architecture.md 2.3)."""
    for model in models:
        table = model.__table__
        assert isinstance(table, Table)
        if table.schema != plugin:
            yield (
                f"the table {table.schema}.{table.name} of {model.__qualname__} lies outside its schema; "
                f"derive the model from a base with __plugin__ = {plugin!r}"
            )
        indexed = _indexed_columns(table)
        for key in table.foreign_key_constraints:
            columns = tuple(key.column_keys)
            target = key.elements[0].target_fullname.partition(".")[0]
            where = f"the foreign key {table.name}.{','.join(columns)} -> {key.elements[0].target_fullname}"
            if target not in may_refer_to | {plugin, "core"}:
                yield f"{where} refers to a plugin that {plugin} does not require; keep an opaque id instead"
            if key.ondelete not in ("CASCADE", "SET NULL"):
                yield f"{where} has no ON DELETE; declare ondelete='CASCADE' or 'SET NULL', so that it never blocks a deletion"
            if not any(index[: len(columns)] == columns for index in indexed):
                yield f"{where} has no index; add one that starts with {', '.join(columns)}"


def _indexed_columns(table: Table) -> list[tuple[str, ...]]:
    found = [tuple(column.name for column in index.columns) for index in table.indexes]
    found.append(tuple(column.name for column in table.primary_key.columns))
    for constraint in table.constraints:
        if constraint.__visit_name__ == "unique_constraint":
            found.append(tuple(column.name for column in constraint.columns))  # type: ignore[attr-defined]  # a UniqueConstraint
    found += [(column.name,) for column in table.columns if column.index or column.unique]
    return found


def clashes(plugin: str, given: Contributions, before: Mapping[str, Contributions]) -> Iterator[str]:
    """What an earlier plugin has claimed already; each sentence names both."""
    mounts = [(owner, mount) for owner, one in before.items() for mount in one.blueprints]
    for first, second, segment in overlapping_segments([*mounts, *((plugin, mount) for mount in given.blueprints)]):
        if second == plugin:
            yield f"the path /{segment} belongs to {first}; {plugin} must use another first segment"
    for owner, one in before.items():
        for permission in given.permissions:
            if permission.name in {other.name for other in one.permissions}:
                yield f"the permission {permission.name} is declared by {owner} already"
        for role in given.roles:
            if role.name in {other.name for other in one.roles}:
                yield f"the role {role.name} is declared by {owner} already"
        for channel in given.channels:
            if channel.name in {other.name for other in one.channels}:
                yield f"the channel {channel.name} is declared by {owner} already"
        for provider in given.providers:
            taken = {(other.contract, other.is_default) for other in one.providers}
            is_taken = (provider.contract, provider.is_default) in taken  # a default and one that replaces it get along
            if is_taken and provider.contract.cardinality is Cardinality.ONE:
                yield f"the contract {provider.contract.__name__} is answered by {owner} already"
