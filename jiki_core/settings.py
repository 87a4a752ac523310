"""Typed settings: `jiki.toml` < environment, all mistakes reported at once, by name, reason and example, never the value.

A section is a frozen dataclass whose fields are made with `setting(...)`. The core's section is `[core]` in the file and
`JIKI_<FIELD>` in the environment; a plugin's is `[<plugin>]` and `JIKI_<PLUGIN>_<FIELD>`.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Union

_REQUIRED = object()
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})

#: environment variables of ours that are no settings of a section
_RESERVED_VARIABLES = frozenset(
    {
        "JIKI_CONFIG",
        "JIKI_ROLE",
        "JIKI_CHECK_ROUTES",
        "JIKI_EXERCISM_TRACK",
        "JIKI_RUNNER_REQUIRED",
        "JIKI_TEST_DIRECTORY",
        "JIKI_TEST_ROUTES_FILE",
        "JIKI_PLUGINS_ENABLED",
        "JIKI_PLUGINS_REQUIRED",
        "JIKI_TEST_SCALE",
        "JIKI_NODE_MODULES",
    }
)


class Secret:
    """A value that never shows itself: not in `repr`, logs, `config show` or error reports."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the one place that needs it."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "Secret(…)"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong with the configuration; never carries the offending value."""

    name: str
    reason: str
    example: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}" + (f" (example: {self.example})" if self.example else "")


class ConfigurationError(Exception):
    """All mistakes of a configuration at once."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = tuple(mistakes)


def setting(
    default: Any = _REQUIRED,
    *,
    help: str,
    env: str | None = None,
    choices: Sequence[Any] | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
    example: str = "",
) -> Any:
    """A field of a settings dataclass.

    `env` names the usual variable where there is one (`DATABASE_URL`), instead of `JIKI_…`. Without a default the
    setting is required.
    """
    metadata = {
        "help": help,
        "env": env,
        "choices": choices,
        "minimum": minimum,
        "maximum": maximum,
        "example": example,
    }
    if default is _REQUIRED:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Effective:
    """A setting as it took effect, for `flask config show`."""

    section: str
    name: str
    value: str
    origin: str
    help: str


@dataclass(frozen=True, slots=True)
class Sources:
    """Where settings come from: the parsed file and the environment."""

    file: Mapping[str, Any]
    environment: Mapping[str, str]
    path: Path | None = None

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Sources:
        """Reads `JIKI_CONFIG`, else `./jiki.toml` when there is one.

        Raises ConfigurationError when the file is named but missing, or is not TOML.
        """
        env = dict(os.environ if environment is None else environment)
        named = env.get("JIKI_CONFIG")
        path = Path(named) if named else Path("jiki.toml")
        if not path.is_file():
            if named:
                raise ConfigurationError([Mistake("JIKI_CONFIG", f"names {named}, which is not a file", "./jiki.toml")])
            return cls({}, env, None)
        try:
            parsed = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigurationError([Mistake(str(path), f"is not valid TOML: {error}")]) from error
        return cls(parsed, env, path)


@dataclass(frozen=True)
class Loaded:
    """A section's instance, or None with the mistakes that prevented it."""

    instance: Any
    mistakes: tuple[Mistake, ...]
    effective: tuple[Effective, ...]


def load_section(cls: type[Any], section: str, sources: Sources) -> Loaded:
    """Builds the settings dataclass `cls` from `[section]` and the environment; collects every mistake."""
    hints = typing.get_type_hints(cls)
    table = sources.file.get(section, {})
    mistakes: list[Mistake] = []
    effective: list[Effective] = []
    if not isinstance(table, Mapping):
        return Loaded(None, (Mistake(f"[{section}]", "must be a table"),), ())
    fields = {one.name: one for one in dataclasses.fields(cls)}
    for name in table:
        if name not in fields:
            mistakes.append(Mistake(f"[{section}] {name}", "is not a setting" + nearest(name, fields)))
    values: dict[str, Any] = {}
    for name, one in fields.items():
        variable = one.metadata.get("env") or variable_name(section, name)
        where, origin, raw = f"[{section}] {name}", "default", None
        if variable in sources.environment:
            raw, origin, where = sources.environment[variable], variable, variable
        elif name in table:
            raw, origin = table[name], str(sources.path or "jiki.toml")
        if origin == "default":
            if one.default is dataclasses.MISSING:
                mistakes.append(Mistake(variable, "is required", one.metadata["example"]))
                continue
            values[name] = one.default
        else:
            try:
                values[name] = _checked(_converted(raw, hints[name]), one.metadata)
            except ValueError as error:
                mistakes.append(Mistake(where, str(error), one.metadata["example"]))
                continue
        effective.append(Effective(section, name, _shown(values[name]), origin, one.metadata["help"]))
    if mistakes:
        return Loaded(None, tuple(mistakes), tuple(effective))
    instance = cls(**values)
    further = tuple(instance.mistakes()) if hasattr(instance, "mistakes") else ()
    return Loaded(None if further else instance, further, tuple(effective))


def variable_name(section: str, name: str) -> str:
    return f"JIKI_{name.upper()}" if section == "core" else f"JIKI_{section.upper()}_{name.upper()}"


def unknown_variables(sources: Sources, sections: Mapping[str, type[Any]], opaque: Iterable[str]) -> list[Mistake]:
    """Variables named `JIKI_…` that nobody reads.

    `opaque` are sections whose settings class is not loaded (installed plugins that are off): theirs pass unread.
    """
    known = set(_RESERVED_VARIABLES)
    for section, cls in sections.items():
        known.update(one.metadata.get("env") or variable_name(section, one.name) for one in dataclasses.fields(cls))
    prefixes = tuple(f"JIKI_{section.upper()}_" for section in opaque)
    return [
        Mistake(name, "is not a setting" + nearest(name, known))
        for name in sorted(sources.environment)
        if name.startswith("JIKI_") and name not in known and not (prefixes and name.startswith(prefixes))
    ]


def unknown_sections(sources: Sources, known: Iterable[str]) -> list[Mistake]:
    names = set(known)
    return [
        Mistake(f"[{name}]", "is not a section" + nearest(name, names)) for name in sources.file if name not in names
    ]


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean X?`, or nothing when no known name is close."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""


def _converted(raw: Any, hint: Any) -> Any:
    """`raw` (TOML value or environment text) as the field's type; raises ValueError with a reason."""
    origin = typing.get_origin(hint)
    if origin in (Union, types.UnionType):
        options = [option for option in typing.get_args(hint) if option is not type(None)]
        if raw is None or raw == "":
            return None
        return _converted(raw, options[0])
    if origin is tuple:
        items = [part.strip() for part in raw.split(",") if part.strip()] if isinstance(raw, str) else raw
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise ValueError("must be a list of strings")
        return tuple(items)
    if hint is bool:
        text = str(raw).lower()
        if text not in _TRUE | _FALSE:
            raise ValueError("must be true or false")
        return text in _TRUE
    if hint in (int, float):
        if isinstance(raw, bool):
            raise ValueError("must be a number")
        try:
            return hint(raw)
        except (TypeError, ValueError):
            raise ValueError("must be a whole number" if hint is int else "must be a number") from None
    if hint is Secret:
        return Secret(_text(raw))
    if hint is str:
        return _text(raw)
    if hint is Path:
        return Path(_text(raw))
    raise TypeError(
        f"settings cannot have the type {hint!r}; use str, int, float, bool, Path, Secret or tuple[str, ...]"
    )


def _text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise ValueError("must be a string")
    return raw


def _checked(value: Any, metadata: Mapping[str, Any]) -> Any:
    choices, minimum, maximum = metadata["choices"], metadata["minimum"], metadata["maximum"]
    if choices is not None and value not in choices:
        raise ValueError(f"must be one of {', '.join(str(choice) for choice in choices)}")
    if minimum is not None and value < minimum:
        raise ValueError(f"must be at least {minimum}")
    if maximum is not None and value > maximum:
        raise ValueError(f"must be at most {maximum}")
    return value


def _shown(value: Any) -> str:
    if isinstance(value, Secret):
        return "(set)" if value else "(empty)"
    if isinstance(value, tuple):
        return ", ".join(value)
    return "" if value is None else str(value)
