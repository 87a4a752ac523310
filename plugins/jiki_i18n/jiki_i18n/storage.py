"""Where published files lie: content-hashed, never changed, and one pointer per locale that is replaced at once.

They are a public folder of the core's storage, on a disk or in S3; a CDN may stand in front of it.
"""

from __future__ import annotations

from jiki_core.storage import IMMUTABLE, folder

#: files by name, such as `hu/common.0123456789abcdef0123.json`
FILES = folder("i18n", is_public=True)
POINTER_NAME = "current.json"
CONTENT_TYPE = "application/json; charset=utf-8"


def put_catalogue(name: str, body: bytes) -> None:
    """Writes a hashed file. Outside any unit; raises StorageUnavailable and StorageFull."""
    FILES.put(name, body, content_type=CONTENT_TYPE, cache_control=IMMUTABLE)


def put_pointer(locale: str, body: bytes) -> None:
    """Replaces a locale's pointer, which may change at any moment. As `put_catalogue`."""
    FILES.put(f"{locale}/{POINTER_NAME}", body, content_type=CONTENT_TYPE, cache_control="no-cache")
