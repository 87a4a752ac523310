"""The file door: kinds, staged and attached files, direct uploads, and folders of published files, on a disk or in S3."""

from jiki_core.storage.attachments import StoredFile, attach, attached, detach, replace_attachment
from jiki_core.storage.errors import FileRefused, StorageUnavailable
from jiki_core.storage.kinds import ArchiveLimits, FileKind
from jiki_core.storage.reading import open_file, read_file
from jiki_core.storage.service import IMMUTABLE
from jiki_core.storage.staging import StagedFile, discard, store, take_upload
from jiki_core.storage.storage import Folder, folder

__all__ = [
    "IMMUTABLE",
    "ArchiveLimits",
    "FileKind",
    "FileRefused",
    "Folder",
    "StagedFile",
    "StorageUnavailable",
    "StoredFile",
    "attach",
    "attached",
    "detach",
    "discard",
    "folder",
    "open_file",
    "read_file",
    "replace_attachment",
    "store",
    "take_upload",
]
