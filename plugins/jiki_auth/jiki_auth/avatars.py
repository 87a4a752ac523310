"""What becomes of an uploaded avatar: it is looked at, and drawn anew in a child process (contract.md 3.18, trust.md 1.5)."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import BoundedSemaphore

from jiki_auth import avatar_child
from jiki_auth.errors import AvatarTooLarge, InvalidAvatar
from jiki_core.db import refuse_inside_unit, release_connection
from jiki_core.errors import Unavailable
from jiki_core.observability import get_logger
from jiki_core.storage import FileKind, FileRefused
from jiki_core.storage.content_types import type_of_bytes
from jiki_core.storage.errors import FileTooLarge
from jiki_core.storage.inspection import inspect_file

log = get_logger(__name__)
MAX_BYTES = 5 * 1024 * 1024
#: what browsers may say of the part; the bytes decide
DECLARED_TYPES = frozenset(
    {"", "application/octet-stream", "image/jpeg", "image/jpg", "image/pjpeg", "image/png", "image/gif", "image/webp"}
)
#: what people send, and what is kept
SENT = FileKind(
    "avatar_sent",
    max_bytes=MAX_BYTES,
    content_types=("image/png", "image/jpeg", "image/gif", "image/webp"),
    max_pixels=avatar_child.MAX_PIXELS,
    max_side_pixels=avatar_child.MAX_SIDE_PIXELS,
)
KEPT = FileKind(
    "avatar",
    max_bytes=1024 * 1024,
    content_types=("image/webp",),
    is_public=True,
    is_direct=False,
    max_side_pixels=avatar_child.SIDE_PIXELS,
)
#: the child's processor time is limited; this is for a machine that does not get to it
TIMEOUT_SECONDS = 20.0
WAIT_SECONDS = 10.0
#: one decodes, another may wait: each holds a thread, and a child takes up to a gigabyte
_turn = BoundedSemaphore(1)
_places = BoundedSemaphore(2)
_REASONS = {avatar_child.NO_IMAGE: "no_image", avatar_child.TOO_MANY_PIXELS: "too_many_pixels"}


def reencode(body: bytes, *, declared_type: str = "") -> bytes:
    """A WebP of at most 512 pixels a side, without metadata. Raises InvalidAvatar, AvatarTooLarge, Unavailable.

    Takes some tenths of a second, hence no unit of work may be open.
    """
    refuse_inside_unit("re-encoding an avatar")
    if declared_type not in DECLARED_TYPES:
        raise InvalidAvatar(reason="content_type")
    _inspect(body)
    with _turn_taken():
        release_connection()
        return _run_child(body)


def _inspect(body: bytes) -> None:
    """Size, type by its bytes, dimensions, and what hides inside: before anything is decoded."""
    known = type_of_bytes(body)
    if len(body) > MAX_BYTES:
        raise AvatarTooLarge(max_bytes=MAX_BYTES)
    if known is None:
        raise InvalidAvatar(reason="no_image")
    try:
        inspect_file(io.BytesIO(body), filename=f"avatar{known.extension}", kind=SENT)
    except FileTooLarge:
        raise AvatarTooLarge(max_bytes=MAX_BYTES) from None
    except FileRefused as refused:
        raise InvalidAvatar(reason=refused.extras.get("reason", refused.symbol)) from None


def _run_child(body: bytes) -> bytes:
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-B", str(Path(avatar_child.__file__))],
            input=body,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            env={},
            cwd="/",
            check=False,
        )
    except subprocess.TimeoutExpired:
        log.warning("avatar_refused", status="timeout")
        raise InvalidAvatar(reason="too_slow") from None
    if done.returncode == avatar_child.DONE and done.stdout:
        return done.stdout
    log.warning("avatar_refused", status=done.returncode, error=done.stderr.decode(errors="replace")[-300:])
    raise InvalidAvatar(reason=_REASONS.get(done.returncode, "undecodable"))


@contextmanager
def _turn_taken() -> Iterator[None]:
    """Raises Unavailable for whoever finds the waiting place taken, or waits too long."""
    if not _places.acquire(blocking=False):
        raise Unavailable(retry_after_seconds=1)
    try:
        if not _turn.acquire(timeout=WAIT_SECONDS):
            raise Unavailable(retry_after_seconds=5)
        try:
            yield
        finally:
            _turn.release()
    finally:
        _places.release()
