"""A plugin's identity, declared as class attributes and checked before anything of it is live (architecture.md section 2)."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from typing import Any, ClassVar

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

_RESERVED_WORDS = (
    # ours, and PostgreSQL's schemas
    "core public information_schema run shell routes db alembic plugins jobs outbox mail users audit flags config "
    "doctor policies seed "
    # SQL's reserved words that a name could be
    "all analyse analyze and any array as asc both case cast check collate column constraint create default desc "
    "distinct do else end except false fetch for foreign from grant group having in initially into lateral leading "
    "limit not null offset on only or order placing primary references returning select some table then to trailing "
    "true union unique user using variadic when where window with"
)
#: names that mean something else already: PostgreSQL schemas, `flask` commands, path segments
RESERVED_NAMES = frozenset(_RESERVED_WORDS.split())
_NAME = re.compile(r"[a-z][a-z0-9_]{1,30}")


class Plugin:
    """Base of plugins. The entry point in the group `jiki.plugins` names one instance of a subclass."""

    #: entry-point name, PostgreSQL schema, permission and metric prefix
    name: ClassVar[str] = ""
    #: hard dependencies with versions, e.g. `("auth>=1.0",)`; the wheel's Requires-Dist says the same
    requires: ClassVar[tuple[str, ...]] = ()
    #: soft dependencies: loaded first when present
    uses: ClassVar[tuple[str, ...]] = ()
    #: PEP 440 specifier on jiki-core
    core: ClassVar[str] = ">=1.0"
    #: dataclass of settings, or None
    Settings: ClassVar[type[Any] | None] = None


def manifest_mistakes(plugin: object, entry_point_name: str) -> list[str]:
    """Sentences on what is wrong with the class attributes; empty when nothing is."""
    if isinstance(plugin, type):
        return [f"the entry point names the class {plugin.__qualname__}; it must name an instance of it"]
    if not isinstance(plugin, Plugin):
        return [f"the entry point names a {type(plugin).__name__}; it must name an instance of a subclass of Plugin"]
    found = []
    if not isinstance(plugin.name, str) or not isinstance(plugin.core, str):
        return ["name and core must be strings"]
    if plugin.name != entry_point_name:
        found.append(f"its name is {plugin.name!r} but its entry point is called {entry_point_name!r}; make them equal")
    if not _NAME.fullmatch(plugin.name) or plugin.name.startswith("pg_"):
        found.append(f"the name {plugin.name!r} must match [a-z][a-z0-9_]{{1,30}} and not start with pg_")
    if plugin.name in RESERVED_NAMES:
        found.append(f"the name {plugin.name!r} is reserved; choose another")
    for kind, texts in (("requires", plugin.requires), ("uses", plugin.uses)):
        if not isinstance(texts, tuple):
            found.append(f"{kind} must be a tuple of strings")
            continue
        for text in texts:
            try:
                Requirement(text)
            except (InvalidRequirement, TypeError):
                found.append(f"{kind} names {text!r}, which is no requirement; write for example 'auth>=1.0'")
    try:
        SpecifierSet(plugin.core)
    except InvalidSpecifier:
        found.append(f"core = {plugin.core!r} is no version specifier; write for example '>=1.0'")
    if plugin.Settings is not None and not is_dataclass(plugin.Settings):
        found.append("Settings must be a dataclass whose fields are made with setting(...)")
    elif plugin.Settings is not None:
        plain = [one.name for one in fields(plugin.Settings) if "help" not in one.metadata]
        found += [f"Settings.{name} is a plain field; make it with setting(…, help=…)" for name in plain]
    return found
