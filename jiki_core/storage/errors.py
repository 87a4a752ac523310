"""Why a file is not taken, not found or not within reach; each has its symbol (contract.md section 1)."""

from __future__ import annotations

from jiki_core.errors import DomainError, NotFound, RetryLater, StorageFull, Unavailable


class FileRefused(DomainError):
    """Base of what is wrong with a file itself; `store` and `take_upload` raise its subclasses."""

    status = 422


class FileEmpty(FileRefused):
    symbol = "file_empty"


class FileTooLarge(FileRefused):
    """Beyond the kind's size; `max_bytes` says what is allowed."""

    symbol = "file_too_large"


class FileTypeRefused(FileRefused):
    """Neither its bytes nor its name are of a type that the kind takes; `allowed` lists the types."""

    symbol = "file_type_refused"


class FileDisguised(FileRefused):
    """It is not only what its name says: the bytes are of another type, or hold a second file or a script."""

    symbol = "file_disguised"


class ImageTooLarge(FileRefused):
    """More pixels, or a longer side, than the kind takes."""

    symbol = "image_too_large"


class ArchiveRefused(FileRefused):
    """An archive that would not unpack safely; `reason` says what is wrong with it."""

    symbol = "archive_refused"


class SizeMismatch(FileRefused):
    """Not as long as the ticket said."""

    symbol = "file_size_mismatch"


class ChecksumMismatch(FileRefused):
    """Its SHA-256 is not the one that the ticket named."""

    symbol = "file_checksum_mismatch"


class UnknownFileKind(DomainError):
    """No plugin that runs declared the kind, or it takes no direct uploads."""

    symbol = "unknown_file_kind"


class UploadNotFound(DomainError):
    """No ticket of the caller, or one that was used or has expired."""

    symbol = "upload_not_found"
    status = 404


class UploadIncomplete(DomainError):
    """The ticket stands, but the file has not arrived."""

    symbol = "upload_incomplete"


class TooManyUploads(RetryLater):
    """Tickets that were asked for and not used; they expire by themselves."""

    symbol = "too_many_uploads"
    status = 429


class FileLinkInvalid(DomainError):
    """The link was not made by us, was altered, or has expired."""

    symbol = "file_link_invalid"
    status = 403


class RangeNotSatisfiable(DomainError):
    """A range that lies behind the end (RFC 9110 15.5.17)."""

    symbol = "range_not_satisfiable"
    status = 416


class FileMissing(NotFound):
    """There is no such object."""


class StorageUnavailable(Unavailable):
    """Where files lie does not answer; everything else goes on."""

    symbol = "storage_unavailable"


#: what `store` raises, for `blp.raises(*STORING_ERRORS)`
STORING_ERRORS: tuple[type[DomainError], ...] = (
    FileEmpty,
    FileTooLarge,
    FileTypeRefused,
    FileDisguised,
    ImageTooLarge,
    ArchiveRefused,
    StorageUnavailable,
    StorageFull,
)
#: what `take_upload` raises, `attach` of it included
TAKING_ERRORS: tuple[type[DomainError], ...] = (
    *STORING_ERRORS,
    SizeMismatch,
    ChecksumMismatch,
    UploadNotFound,
    UploadIncomplete,
)
