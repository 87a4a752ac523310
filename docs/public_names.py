"""Writes docs/public_names.md from `jiki_core.__all__`: `python docs/public_names.py > docs/public_names.md`; a test compares."""

from __future__ import annotations

import inspect
import tokenize
from io import StringIO
from pathlib import Path

import jiki_core

HEAD = """# Public names

Generated from `jiki_core.__all__`. What a plugin may rely on within a major version: these names, the [hooks](hooks.md),
and what `__all__` of a room offers (`jiki_core.http`, `jiki_core.db`, …). Each can be imported from `jiki_core` or from its
room. A frozen plugin in `tests/compat/` uses all of them; nothing that it uses may change before the next major version.
Settings of a plugin at run time are `jiki_core.runtime.runtime().plugin_settings["<plugin>"]`; the kit for tests is
`jiki_core.testing`.
"""


def page() -> str:
    """The page's text."""
    parts = [HEAD]
    for room in sorted(set(jiki_core._HOMES.values())):
        names = [name for name in jiki_core.__all__ if jiki_core._HOMES[name] == room]
        parts.append(f"\n## jiki_core.{room}\n\n| name | |\n|---|---|\n")
        parts += [f"| `{name}` | {sentence(name)} |\n" for name in names]
    return "".join(parts)


def sentence(name: str) -> str:
    """The first paragraph of what the name's documentation says; empty when it says nothing."""
    found = getattr(jiki_core, name)
    ours = getattr(found, "__module__", "").startswith("jiki_core") or inspect.ismodule(found)
    documented = ours and (inspect.ismodule(found) or inspect.isclass(found) or inspect.isroutine(found))
    text = (inspect.getdoc(found) if documented else _comment(name)) or ""
    return " ".join(text.split("\n\n")[0].split()).replace("|", "\\|")


def _comment(name: str) -> str:
    """The `#:` comment above the assignment of a value, in the module of its room that makes it."""
    room = Path(inspect.getfile(jiki_core)).parent / jiki_core._HOMES[name]
    files = sorted(room.rglob("*.py")) if room.is_dir() else [room.with_suffix(".py")]
    for file in files:
        above = ""
        for token in tokenize.generate_tokens(StringIO(file.read_text(encoding="utf-8")).readline):
            if token.type == tokenize.COMMENT and token.string.startswith("#: "):
                above = token.string[3:]
            elif token.type == tokenize.NAME:
                if token.string == name and token.start[1] == 0 and above:
                    return above
                above = ""
    return ""


if __name__ == "__main__":
    print(page(), end="")
