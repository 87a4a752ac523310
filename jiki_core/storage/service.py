"""What a place for files can do. Two drivers keep the same promises: `disk` and `s3`; one suite of tests holds both to them.

Every method but the three that make URLs touches the disk or the network: they refuse inside a unit of work.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO, Protocol

#: objects below this prefix have a stable URL that everybody may read
PUBLIC = "public/"
#: where direct uploads arrive; nothing is ever served from here
UPLOADS = "uploads/"
DEFAULT_TYPE = "application/octet-stream"
#: a name below a prefix never changes its content
IMMUTABLE = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as the service knows it."""

    key: str
    byte_size: int
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class UploadTarget:
    """One request that puts a file into place: send exactly these headers."""

    url: str
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "PUT"


class StorageService(Protocol):
    """Objects by key, such as `blobs/01890…`. All methods may raise StorageUnavailable; those that write, StorageFull."""

    #: what `core.blobs.service` keeps
    name: str

    def put(
        self, key: str, body: bytes | BinaryIO, *, content_type: str = DEFAULT_TYPE, cache_control: str = ""
    ) -> None:
        """Writes or replaces an object: whoever reads it meanwhile gets the old or the new one, whole.

        A stream must be seekable and stands where the object begins.
        """

    def open(self, key: str) -> BinaryIO:
        """The content, to be closed by the caller. Raises FileMissing."""

    def stat(self, key: str) -> StoredObject | None:
        """What is known of an object; None when there is none."""

    def copy(self, source: str, target: str, *, content_type: str, cache_control: str = "") -> None:
        """Makes `target` an object of its own with the source's content. Raises FileMissing."""

    def delete(self, key: str) -> None:
        """Removes an object; one that is not there is fine."""

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """Every object whose key begins with `prefix`, in no order."""

    def tidy(self) -> None:
        """Removes what writers that were killed left behind."""

    def signed_url(self, key: str, *, expires_in_seconds: int, filename: str, content_type: str, inline: bool) -> str:
        """A URL that reads one object for a while; `inline` only for images that browsers draw."""

    def signed_upload(
        self, key: str, *, expires_in_seconds: int, byte_size: int, sha256: bytes, content_type: str
    ) -> UploadTarget:
        """A request that may put exactly this content under `key`, for a while."""

    def public_url(self, key: str) -> str:
        """The stable URL of an object below `public/`."""


def check_key(key: str) -> None:
    """Raises ValueError for a key that could leave its place or that not every driver can hold."""
    parts = key.split("/")
    if len(key) > 512 or not all(parts):
        raise ValueError(f"{key!r} is no object key")
    for part in parts:
        if (
            part.startswith(".")
            or len(part.encode()) > 200
            or any(ord(sign) < 32 or sign in '\\:*?"<>|' for sign in part)
        ):
            raise ValueError(f"{key!r} is no object key: {part!r} cannot be a part of one")


def check_public_key(key: str) -> None:
    """Raises ValueError for an object that nobody may read without a signature."""
    check_key(key)
    if not key.startswith(PUBLIC):
        raise ValueError(f"{key!r} is not public: only keys below {PUBLIC} have a URL without a signature")
