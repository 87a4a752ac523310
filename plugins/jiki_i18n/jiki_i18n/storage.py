"""Where published files lie: content-hashed, never changed, and one pointer per locale that is replaced at once.

The interface is the least that a disk and an object store share, so that the core's storage can stand behind it.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, cast

from flask import Flask, current_app

from jiki_core.db.unit_of_work import refuse_inside_unit
from jiki_core.runtime import runtime_of
from jiki_i18n.settings import I18nSettings

#: for a CDN in front of the storage: a hashed file never changes, a pointer may at any moment
IMMUTABLE = "public, max-age=31536000, immutable"
POINTER_NAME = "current.json"
_EXTENSION = "jiki.i18n.storage"
_PARTIAL = ".partial-"
#: no writer takes as long as this for one file
_PARTIAL_SECONDS = 3_600


class CatalogueStorage(Protocol):
    """Files by name, such as `hu/common.0123456789abcdef0123.json`. Every method may raise OSError."""

    def put(self, name: str, body: bytes) -> None:
        """Writes or replaces a file: whoever reads it meanwhile gets the old or the new one, whole."""

    def get(self, name: str) -> bytes | None:
        """A file's bytes, None when there is none."""

    def has(self, name: str) -> bool:
        """Is there a file of that name?"""

    def names(self) -> Iterator[str]:
        """Every file, in no order."""

    def delete(self, name: str) -> None:
        """Removes a file; one that is not there is fine."""

    def tidy(self) -> None:
        """Removes what writers that were killed left behind."""


class DiskStorage:
    """Files below one folder, which several processes may share."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, name: str, body: bytes) -> None:
        refuse_inside_unit("writing a catalogue file")
        target = self._path(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(prefix=_PARTIAL, dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            Path(partial).chmod(0o644)
            Path(partial).replace(target)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                Path(partial).unlink()
            raise
        _sync_folder(target.parent)

    def get(self, name: str) -> bytes | None:
        try:
            return self._path(name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def has(self, name: str) -> bool:
        return self._path(name).is_file()

    def names(self) -> Iterator[str]:
        for path in self.root.glob("*/*"):
            if path.is_file() and not path.name.startswith(_PARTIAL):
                yield path.relative_to(self.root).as_posix()

    def delete(self, name: str) -> None:
        self._path(name).unlink(missing_ok=True)

    def tidy(self) -> None:
        oldest = time.time() - _PARTIAL_SECONDS
        for path in self.root.glob(f"*/{_PARTIAL}*"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < oldest:
                    path.unlink()

    def _path(self, name: str) -> Path:
        """Raises ValueError for a name that would leave the folder."""
        parts = name.split("/")
        if not all(parts) or any(part in (".", "..") or "\\" in part or "\0" in part for part in parts):
            raise ValueError(f"{name!r} is no file name")
        return self.root.joinpath(*parts)


def open_storage(app: Flask, settings: I18nSettings) -> None:
    """Keeps the app's storage; touches no file. The folder is found when it is needed, after the core's settings."""
    app.extensions[_EXTENSION] = settings.storage_dir


def storage() -> CatalogueStorage:
    """The current app's storage."""
    kept = current_app.extensions[_EXTENSION]
    if isinstance(kept, str):
        app = cast(Flask, current_app._get_current_object())  # type: ignore[attr-defined]  # werkzeug's LocalProxy
        folder = Path(kept) if kept else runtime_of(app).settings.data_dir / "i18n"
        kept = current_app.extensions[_EXTENSION] = DiskStorage(folder)
    return cast(CatalogueStorage, kept)


def _sync_folder(folder: Path) -> None:
    """Makes a rename survive a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
