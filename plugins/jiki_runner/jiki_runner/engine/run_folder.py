"""The folder of one run: written by the supervisor, read by the child, removed when the run is over.

A run whose worker was killed leaves its folder behind; the next run sweeps it. A folder in use is recognised
by a lock that the operating system releases with its holder.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

_LOCK = "lock"
_PREFIX = "run-"


class UnsafeFolder(RuntimeError):
    """The place for run folders belongs to somebody else."""


class RunFolder:
    """A context manager: makes the folder and its two halves, `solution` and `tests`; removes all of it at
    the end.
    """

    def __init__(self, base: Path | None = None) -> None:
        self._base = base or Path(tempfile.gettempdir()) / f"jiki-runner-{os.geteuid()}"

    def __enter__(self) -> RunFolder:
        self._base.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = self._base.lstat()
        if status.st_uid != os.geteuid() or not stat.S_ISDIR(status.st_mode) or status.st_mode & 0o022:
            raise UnsafeFolder(f"{self._base} is not this user's own folder; remove it, or set TMPDIR to another place")
        with _held(self._base / _LOCK):
            _sweep(self._base)
            self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=self._base))
            self._lock = _locked(self.path / _LOCK)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _make_removable(self.path)
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)

    def write(self, half: str, files: Mapping[str, str]) -> Path:
        """Make the half called `half` with `files`, for reading only; its path."""
        folder = self.path / half
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_bytes(text.encode())
            (folder / name).chmod(0o444)
        folder.chmod(0o555)
        return folder

    def write_request(self, data: bytes) -> Path:
        """The child's request, out of sight of what runs in it; its path."""
        path = self.path / "request.json"
        path.write_bytes(data)
        return path


def sweep(base: Path) -> int:
    """Remove the folders of runs whose worker is gone; how many. Each run does it; a worker may do it at its
    start.
    """
    if not base.is_dir():
        return 0
    with _held(base / _LOCK):
        return _sweep(base)


def _sweep(base: Path) -> int:
    removed = 0
    for folder in base.glob(f"{_PREFIX}*"):
        try:
            lock = _locked(folder / _LOCK, fcntl.LOCK_NB)
        except (BlockingIOError, FileNotFoundError):
            continue  # in use, or being removed by its run
        _make_removable(folder)
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)
        removed += 1
    return removed


def _locked(path: Path, option: int = 0) -> int:
    """A descriptor that holds the lock of `path` until it is closed. Raises BlockingIOError with LOCK_NB."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | option)
    except BlockingIOError:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Hold the lock of the base folder: between making a run's folder and locking it nobody may sweep."""
    descriptor = _locked(path)
    try:
        yield
    finally:
        os.close(descriptor)


def _make_removable(folder: Path) -> None:
    for half in folder.iterdir():
        if half.is_dir():
            half.chmod(0o700)
