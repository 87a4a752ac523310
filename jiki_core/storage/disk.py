"""The disk driver: files below one folder, which several processes may share, served by `/files` of this very service."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, urlencode

from jiki_core.db import refuse_inside_unit
from jiki_core.errors import NO_ROOM, StorageFull
from jiki_core.storage.errors import FileMissing, StorageUnavailable
from jiki_core.storage.service import DEFAULT_TYPE, StoredObject, UploadTarget, check_key, check_public_key
from jiki_core.storage.signatures import EXPIRES, SIGNATURE, sign

#: content types and cache rules of objects that have them, in the same tree as the objects
_HEADERS = ".headers"
_PARTIAL = ".partial-"
#: no writer takes as long as this for one file
_PARTIAL_SECONDS = 3_600


class DiskService:
    """Implements `StorageService`. `origin` is this service's own, `secret` (32 bytes) signs links."""

    name = "disk"

    def __init__(self, root: Path, *, origin: str, secret: bytes) -> None:
        self.root = root.absolute()
        self._origin = origin
        self.secret = secret

    def put(
        self, key: str, body: bytes | BinaryIO, *, content_type: str = DEFAULT_TYPE, cache_control: str = ""
    ) -> None:
        refuse_inside_unit("writing a file")
        target = self.path(key)
        with _told():
            self._put_headers(key, content_type, cache_control)
            with _replacing(target) as file:
                if isinstance(body, bytes):
                    file.write(body)
                else:
                    shutil.copyfileobj(body, file, 1 << 20)

    def open(self, key: str) -> BinaryIO:
        refuse_inside_unit("reading a file")
        with _told():
            return self.path(key).open("rb")

    def stat(self, key: str) -> StoredObject | None:
        refuse_inside_unit("looking at a file")
        with _told():
            try:
                return _described(key, self.path(key))
            except (FileNotFoundError, NotADirectoryError):
                return None

    def copy(self, source: str, target: str, *, content_type: str, cache_control: str = "") -> None:
        with self.open(source) as file:
            self.put(target, file, content_type=content_type, cache_control=cache_control)

    def delete(self, key: str) -> None:
        refuse_inside_unit("deleting a file")
        with _told():
            self.path(key).unlink(missing_ok=True)
            self._headers_path(key).unlink(missing_ok=True)

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        refuse_inside_unit("listing files")
        start = self.root / prefix.rpartition("/")[0]
        for folder, subfolders, names in os.walk(start):
            subfolders[:] = [name for name in subfolders if not name.startswith(".")]
            for name in names:
                path = Path(folder, name)
                key = path.relative_to(self.root).as_posix()
                if name.startswith(".") or not key.startswith(prefix):
                    continue
                with contextlib.suppress(FileNotFoundError):  # deleted since the folder was read
                    yield _described(key, path)

    def tidy(self) -> None:
        refuse_inside_unit("tidying files")
        oldest = time.time() - _PARTIAL_SECONDS
        for path in self.root.rglob(f"{_PARTIAL}*"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < oldest:
                    path.unlink()

    def signed_url(self, key: str, *, expires_in_seconds: int, filename: str, content_type: str, inline: bool) -> str:
        parameters = {"name": filename, "type": content_type, "inline": "1" if inline else "0"}
        return self._link("GET", key, expires_in_seconds, parameters)

    def signed_upload(
        self, key: str, *, expires_in_seconds: int, byte_size: int, sha256: bytes, content_type: str
    ) -> UploadTarget:
        parameters = {"size": str(byte_size), "sha256": sha256.hex(), "type": content_type}
        url = self._link("PUT", key, expires_in_seconds, parameters)
        return UploadTarget(url, {"Content-Type": content_type})

    def public_url(self, key: str) -> str:
        check_public_key(key)
        return f"{self._origin}/files/{quote(key)}"

    def path(self, key: str) -> Path:
        """Where an object lies. Raises ValueError for what is no key."""
        check_key(key)
        return self.root.joinpath(*key.split("/"))

    def headers(self, key: str) -> tuple[str, str]:
        """(content type, cache rule) that an object was put with."""
        try:
            kept = json.loads(self._headers_path(key).read_bytes())
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return DEFAULT_TYPE, ""
        return kept["content_type"], kept["cache_control"]

    def _put_headers(self, key: str, content_type: str, cache_control: str) -> None:
        """Written before the object, so that there is no moment at which the object lacks them."""
        path = self._headers_path(key)
        if (content_type, cache_control) == self.headers(key):
            return
        with _replacing(path) as file:
            file.write(json.dumps({"content_type": content_type, "cache_control": cache_control}).encode())

    def _headers_path(self, key: str) -> Path:
        return self.root.joinpath(_HEADERS, *key.split("/"))

    def _link(self, method: str, key: str, expires_in_seconds: int, parameters: dict[str, str]) -> str:
        check_key(key)
        signed = {**parameters, EXPIRES: str(int(time.time()) + expires_in_seconds)}
        signed[SIGNATURE] = sign(self.secret, method, key, signed)
        return f"{self._origin}/files/{quote(key)}?{urlencode(signed)}"


@contextmanager
def _replacing(target: Path) -> Iterator[BinaryIO]:
    """A file that takes the target's place, whole and on the disk, when the block ends cleanly."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(prefix=_PARTIAL, dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(partial).chmod(0o644)
        Path(partial).replace(target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(partial).unlink()
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Makes a rename survive a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _described(key: str, path: Path) -> StoredObject:
    found = path.stat()
    if path.is_dir():
        raise FileNotFoundError(path)
    return StoredObject(key, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))


@contextmanager
def _told() -> Iterator[None]:
    """The operating system's errors as ours."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise FileMissing() from None
    except OSError as error:
        if error.errno in NO_ROOM:
            raise StorageFull() from error
        raise StorageUnavailable() from error
