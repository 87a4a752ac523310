"""Writes docs/hooks.md from the hook specifications: `python docs/hook_reference.py > docs/hooks.md`; a test compares."""

from __future__ import annotations

import inspect

from jiki_core.plugins.hookspecs import CONTRIBUTION_HOOKS, HookSpecs

HEAD = """# Hook reference

Generated from `jiki_core/plugins/hookspecs.py`. All hooks are synchronous. A plugin implements a hook by a method of
that name with `@hookimpl`; a method named `jiki_*` without it, of an unknown name, or annotated otherwise makes the
plugin `invalid`, with file, line and the nearest name.
"""


def reference() -> str:
    """The page's text."""
    parts = [HEAD]
    groups = (
        ("Contributions", [name for name in _names() if name in CONTRIBUTION_HOOKS]),
        ("Behaviour", [name for name in _names() if name not in CONTRIBUTION_HOOKS]),
    )
    for title, names in groups:
        parts.append(f"\n## {title}\n")
        for name in names:
            function = getattr(HookSpecs, name)
            signature = str(inspect.signature(function)).replace("'", "")
            parts.append(f"\n### {name}\n\n```python\ndef {name}{signature}\n```\n\n{inspect.getdoc(function)}\n")
    return "".join(parts)


def _names() -> list[str]:
    return [name for name in vars(HookSpecs) if name.startswith("jiki_")]


if __name__ == "__main__":
    print(reference(), end="")
