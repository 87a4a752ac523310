"""First thing a guest runs: takes the compiled runtime from descriptor 0, makes it importable, starts its
role.

Runs as the `-c` program of a guest with two arguments: the role's module, and the JSON of its main's
arguments.
"""

from __future__ import annotations

import marshal
import os
import sys
from _frozen_importlib import ModuleSpec  # importlib.machinery imports half the library to offer it

PACKAGE = "jiki_guest"


def take(count: int) -> bytes:
    parts = []
    while count:
        part = os.read(0, count)
        if not part:
            raise EOFError("the runtime ended early")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


class Runtime:
    """A finder and loader of the runtime's modules; it has compiled code and no files."""

    def __init__(self) -> None:
        self._codes = marshal.loads(take(int.from_bytes(take(8), "big")))  # the host's own bytes

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name not in self._codes:
            return None
        return ModuleSpec(name, self, is_package=name == PACKAGE)  # type: ignore[arg-type]  # is a loader

    def create_module(self, spec: object) -> None:
        return None

    def exec_module(self, module: object) -> None:
        exec(self._codes[module.__spec__.name], vars(module))  # type: ignore[attr-defined]  # our own code


if __name__ == "__main__":
    sys.meta_path.insert(0, Runtime())
    import json
    from importlib import import_module

    import_module(f"{PACKAGE}.{sys.argv[1]}").main(*json.loads(sys.argv[2]))
