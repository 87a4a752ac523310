"""Reading kept files on the server. Browsers read by links; see `StoredFile`."""

from __future__ import annotations

import hashlib
from typing import BinaryIO

from jiki_core.observability import get_logger
from jiki_core.storage.attachments import StoredFile
from jiki_core.storage.errors import StorageUnavailable
from jiki_core.storage.storage import storage

log = get_logger(__name__)


def open_file(file: StoredFile) -> BinaryIO:
    """The content as a stream, to be closed by the caller; outside any unit. Raises FileMissing, StorageUnavailable."""
    return storage().named(file.service).open(file.key)


def read_file(file: StoredFile) -> bytes:
    """The whole content, checked against its checksum; outside any unit.

    Raises FileMissing, and StorageUnavailable also when what came is not what was kept.
    """
    with open_file(file) as stream:
        content = stream.read()
    if hashlib.sha256(content).digest() != file.sha256:
        log.error("stored_file_is_altered", key=file.key, service=file.service)
        raise StorageUnavailable()
    return content
