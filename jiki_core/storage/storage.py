"""The app's services, the kinds of its plugins, and folders of named files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, current_app

from jiki_core.configuration import CoreSettings, derived_key
from jiki_core.runtime import runtime, runtime_of
from jiki_core.storage.disk import DiskService
from jiki_core.storage.errors import FileMissing, StorageUnavailable, UnknownFileKind
from jiki_core.storage.kinds import FileKind
from jiki_core.storage.service import DEFAULT_TYPE, PUBLIC, StorageService

_EXTENSION = "jiki.storage"


class Storage:
    """One per app. The disk is always there, so that files from before a move to S3 stay within reach."""

    def __init__(self, settings: CoreSettings) -> None:
        self._settings = settings
        root = Path(settings.storage_dir) if settings.storage_dir else settings.data_dir / "files"
        self.disk = DiskService(
            root, origin=(settings.files_url or settings.public_url).rstrip("/"), secret=derived_key(settings, "files")
        )
        self._services: dict[str, StorageService] = {"disk": self.disk}

    @property
    def current(self) -> StorageService:
        """Where new files go."""
        return self.named(self._settings.storage_service)

    def named(self, name: str) -> StorageService:
        """The service that holds a file. Raises StorageUnavailable for one that is not configured any more."""
        if name not in self._services:
            if name != "s3" or not self._settings.storage_s3_bucket:
                raise StorageUnavailable()
            # boto3 takes a third of a second to import, and installations without S3 do not have it
            from jiki_core.storage.s3 import S3Service

            self._services[name] = S3Service(
                self._settings.storage_s3_bucket,
                region=self._settings.storage_s3_region,
                endpoint_url=self._settings.storage_s3_endpoint_url,
                public_origin=self._settings.storage_public_url,
                timeout_seconds=self._settings.storage_s3_timeout_seconds,
            )
        return self._services[name]

    def all(self) -> Iterator[StorageService]:
        """Every service that is configured."""
        yield self.disk
        if self._settings.storage_s3_bucket:
            yield self.named("s3")


def storage() -> Storage:
    """The current app's storage."""
    return storage_of(current_app)


def storage_of(app: Flask) -> Storage:
    """An app's storage; touches nothing until a file is asked for."""
    kept: Storage | None = app.extensions.get(_EXTENSION)
    if kept is None:
        kept = app.extensions[_EXTENSION] = Storage(runtime_of(app).settings)
    return kept


def kind_named(name: str) -> FileKind:
    """A kind by its public name, `<plugin>.<kind>`. Raises UnknownFileKind."""
    kinds: Mapping[str, FileKind] = runtime().file_kinds
    if name not in kinds:
        raise UnknownFileKind(kind=name)
    return kinds[name]


@dataclass(frozen=True, slots=True)
class Folder:
    """Named files of a plugin, each replaced at once; for what is published rather than attached to a record."""

    prefix: str

    def put(self, name: str, body: bytes, *, content_type: str = DEFAULT_TYPE, cache_control: str = "") -> None:
        """Writes or replaces a file: whoever reads it meanwhile gets the old or the new one, whole.

        Raises StorageUnavailable, StorageFull.
        """
        storage().current.put(self.prefix + name, body, content_type=content_type, cache_control=cache_control)

    def get(self, name: str) -> bytes | None:
        """A file's bytes, None when there is none. Raises StorageUnavailable."""
        try:
            with storage().current.open(self.prefix + name) as file:
                return file.read()
        except FileMissing:
            return None

    def has(self, name: str) -> bool:
        """Is there a file of that name?"""
        return storage().current.stat(self.prefix + name) is not None

    def names(self, prefix: str = "") -> Iterator[str]:
        """Every file whose name begins with `prefix`, in no order."""
        for found in storage().current.list(self.prefix + prefix):
            yield found.key.removeprefix(self.prefix)

    def delete(self, name: str) -> None:
        """Removes a file; one that is not there is fine."""
        storage().current.delete(self.prefix + name)

    def tidy(self) -> None:
        """Removes what writers that were killed left behind, in the whole storage."""
        storage().current.tidy()

    def url(self, name: str) -> str:
        """The stable URL of a public file. Raises ValueError for a folder that is not public."""
        return storage().current.public_url(self.prefix + name)


def folder(name: str, *, is_public: bool = False) -> Folder:
    """The folder of a plugin, named like it, such as `folder("i18n", is_public=True)`."""
    if name in ("blobs", "uploads"):
        raise ValueError(f"{name} is the storage's own; name the folder like the plugin")
    return Folder(f"{PUBLIC if is_public else ''}folders/{name}/")
