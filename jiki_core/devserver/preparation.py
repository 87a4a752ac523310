"""Brings the database to what the code expects; skipped when neither has changed since the last time."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from jiki_core.devserver.engines import read_json, write_json

STEPS = (
    ("migrating the database", ("db", "upgrade")),
    ("sowing seeds", ("seed",)),
)


class Preparation:
    """`run(title, flask_arguments)` runs one step and raises when it fails."""

    def __init__(self, project: Path, data_dir: Path, database_url: str, *, is_embedded: bool) -> None:
        self._stamp = data_dir / "prepared.json"
        # The embedded cluster's address holds its random password: another cluster is another address.
        self._state = {
            "database": database_url,
            "code": fingerprint(_sources(project)),
            "plugins": os.environ.get("JIKI_PLUGINS_ENABLED", ""),
        }
        #: Of a database of the user's we can't know what happened to it meanwhile.
        self._may_skip = is_embedded

    def run(self, run_step: Callable[[str, tuple[str, ...]], None]) -> None:
        """Run the steps unless nothing has changed."""
        if self._may_skip and read_json(self._stamp) == self._state:
            return
        for title, arguments in STEPS:
            run_step(title, arguments)
        write_json(self._stamp, self._state)


def forget_preparation(data_dir: Path) -> None:
    """To be called when somebody else changes the database's tables: the next start prepares again."""
    (data_dir / "prepared.json").unlink(missing_ok=True)


def fingerprint(files: Iterable[Path]) -> str:
    """A digest over names and contents."""
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _sources(project: Path) -> Iterable[Path]:
    """All that the steps depend on: migrations, seeds, shipped data, and which plugins are on."""
    packages = [project / "jiki_core", *(project / "plugins").glob("*/*/")]
    for package in packages:
        for pattern in ("migrations/**/*.py", "seeds.py", "data/**/*"):
            yield from (path for path in package.glob(pattern) if path.is_file())
    if (project / "jiki.toml").is_file():
        yield project / "jiki.toml"
