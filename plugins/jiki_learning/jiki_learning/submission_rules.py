"""What a submission must be before it is stored (contract.md 3.8): limits, clean text, content addresses."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from jiki_learning.errors import DuplicateFilename, FileTooLarge, InvalidSubmission, TooManyFiles

#: contract.md 3.18
MAX_FILES = 20
MAX_FILE_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class OfferedFile:
    """A file as the client sent it; either half may be missing."""

    filename: str | None
    code: str | None


@dataclass(frozen=True, slots=True)
class SubmittedFile:
    """A file fit to be stored: clean text under its content address."""

    filename: str
    content: str
    digest: str

    @property
    def address(self) -> tuple[str, str]:
        """(filename, digest): what makes two files the same."""
        return self.filename, self.digest


@dataclass(frozen=True, slots=True)
class CheckedSubmission:
    """An acceptable submission, files ordered by name. A repeat of the latest one is accepted but not
    stored."""

    files: tuple[SubmittedFile, ...]
    is_repeat: bool


def check_submission(
    offered: Sequence[OfferedFile], latest: AbstractSet[tuple[str, str]] = frozenset()
) -> CheckedSubmission:
    """Accept a submission or refuse it, by the rules of contract.md 3.8 in their order.

    `latest` holds the (filename, digest) pairs of the learner's latest stored submission in the same context.

    Raises InvalidSubmission(no_files), TooManyFiles, DuplicateFilename, and, unless it repeats the latest
    one, file by file InvalidSubmission(filename_required), InvalidSubmission(code_required),
    FileTooLarge.
    """
    if not offered:
        raise InvalidSubmission(reason="no_files")
    if len(offered) > MAX_FILES:
        raise TooManyFiles(count=len(offered), maximum=MAX_FILES)
    if duplicates := _duplicate_filenames(offered):
        raise DuplicateFilename(filenames=duplicates)
    # Hashing before checking each file decides the same as the contract's order: what could not be stored
    # (a missing name or code, too many bytes) never equals what was.
    files = tuple(sorted((_checked(file) for file in offered), key=lambda file: file.filename))
    return CheckedSubmission(files, is_repeat={file.address for file in files} == latest)


def sanitise(code: str) -> str:
    """Text that UTF-8 and PostgreSQL can hold: lone surrogates and NUL are dropped."""
    return code.encode("utf-8", errors="ignore").decode("utf-8").replace("\0", "")


def digest(content: str) -> str:
    """The content address of sanitised text: SHA-256 of its UTF-8 bytes, 64 hexadecimal digits."""
    return hashlib.sha256(content.encode("utf-8")).hexdigest()


def _duplicate_filenames(offered: Sequence[OfferedFile]) -> list[str]:
    """Names given more than once, in order of appearance. A missing name is not a name: that is another
    refusal."""
    counts = Counter(file.filename for file in offered if file.filename and file.filename.strip())
    return [filename for filename, count in counts.items() if count > 1]


def _checked(file: OfferedFile) -> SubmittedFile:
    if file.filename is None or not file.filename.strip():
        raise InvalidSubmission(reason="filename_required")
    if file.code is None:
        raise InvalidSubmission(reason="code_required")
    content = sanitise(file.code)
    if len(content.encode("utf-8")) > MAX_FILE_BYTES:
        raise FileTooLarge(filename=file.filename, max_bytes=MAX_FILE_BYTES)
    return SubmittedFile(file.filename, content, digest(content))
