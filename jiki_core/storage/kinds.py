"""Kinds of files as plugins declare them (`jiki_file_kinds`): how large, of which types, for whom."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from jiki_core.storage.content_types import KNOWN

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
#: the longest object that one request may put (S3's own limit for a single PUT)
LARGEST_BYTES = 5 * 1024**3


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """What unpacking an archive may cost whoever does it."""

    max_entries: int = 1_000
    max_unpacked_bytes: int = 100 * 1024 * 1024
    #: unpacked bytes for each packed one, over the whole archive
    max_ratio: int = 100


@dataclass(frozen=True, slots=True)
class FileKind:
    """`name` is known to others as `<plugin>.<name>`, which is stored with each file and is public API.

    `content_types` are names of `content_types.KNOWN`; a file must be of one of them by its bytes and by its extension.
    """

    name: str
    max_bytes: int
    content_types: tuple[str, ...]
    #: everybody may read it under a stable URL; otherwise each reading needs a link that expires
    is_public: bool = False
    #: the browser may upload it by itself (`POST internal/uploads`); otherwise only our own code stores it
    is_direct: bool = True
    #: whoever uploads it may have it exported and erased; otherwise it is the installation's own, like course material
    is_personal: bool = True
    #: permission that a direct upload needs besides being signed in
    permission: str | None = None
    #: of images: width times height, and the longer side
    max_pixels: int = 50_000_000
    max_side_pixels: int = 16_384
    archive: ArchiveLimits = field(default_factory=ArchiveLimits)

    @property
    def extensions(self) -> tuple[str, ...]:
        return tuple(extension for name in self.content_types for extension in KNOWN[name].extensions)

    def mistakes(self) -> Iterator[str]:
        """Sentences on what cannot be declared; the host refuses the plugin with them."""
        if not _NAME.fullmatch(self.name):
            yield f"the file kind {self.name!r} must be named in lower case letters, digits and _, at most 40"
        if not 0 < self.max_bytes <= LARGEST_BYTES:
            yield f"the file kind {self.name} has max_bytes {self.max_bytes}; it must be between 1 and {LARGEST_BYTES}"
        if not self.content_types:
            yield f"the file kind {self.name} takes no content type; name some of {', '.join(KNOWN)}"
        for unknown in [name for name in self.content_types if name not in KNOWN]:
            yield (
                f"the file kind {self.name} names {unknown}, which cannot be told by its bytes or runs scripts; "
                f"there are {', '.join(KNOWN)}"
            )
