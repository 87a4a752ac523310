"""Drafts in Valkey: what learners have typed last, edit by edit, and which edit is wanted checked.

PostgreSQL gets them rarely (`commands/save_draft.py`). Without Valkey nothing is kept here and nothing breaks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import orjson
import redis

from jiki_core.observability import get_logger
from jiki_core.runtime import runtime
from jiki_learning.errors import DraftTooLarge
from jiki_learning.submission_rules import MAX_FILE_BYTES, MAX_FILES, sanitise

log = get_logger(__name__)
#: how long Valkey keeps what nobody edits; the table has it by then, and an erased account leaves nothing for longer
KEPT_SECONDS = 86_400
#: how long an edit is wanted checked; longer than any check waits
WANTED_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Draft:
    """File name → text. `version` counts the learner's edits of the lesson."""

    files: dict[str, str]
    version: int
    saved_at: datetime


def clean_files(given: Mapping[str, Any]) -> dict[str, str]:
    """Texts that can be stored, by the limits of a submission. Raises DraftTooLarge."""
    files = {str(name): sanitise(text) for name, text in given.items() if isinstance(text, str)}
    largest = max((len(text.encode()) for text in files.values()), default=0)
    if len(files) > MAX_FILES or largest > MAX_FILE_BYTES:
        raise DraftTooLarge(max_files=MAX_FILES, max_bytes=MAX_FILE_BYTES)
    return files


def keep_draft(user_id: int, lesson_id: int, files: Mapping[str, str], now: datetime) -> int | None:
    """Keeps an edit and returns its version; None when Valkey is away."""
    key = _key(user_id, lesson_id)
    try:
        with runtime().redis.pipeline() as pipeline:
            pipeline.hincrby(key, "version", 1)
            pipeline.hset(key, mapping=_fields(files, now))
            pipeline.expire(key, KEPT_SECONDS)
            return int(pipeline.execute()[0])
    except redis.RedisError as error:
        log.info("draft_not_kept", error=type(error).__name__)
        return None


def seed_draft(user_id: int, lesson_id: int, draft: Draft) -> None:
    """Lets versions go on from a stored draft that Valkey no longer knows."""
    key = _key(user_id, lesson_id)
    try:
        if runtime().redis.hsetnx(key, "version", str(draft.version)):
            runtime().redis.hset(key, mapping=_fields(draft.files, draft.saved_at))
            runtime().redis.expire(key, KEPT_SECONDS)
    except redis.RedisError as error:
        log.info("draft_not_kept", error=type(error).__name__)


def kept_draft(user_id: int, lesson_id: int) -> Draft | None:
    """The last edit; None when it is not kept or Valkey is away."""
    try:
        found = cast("dict[bytes, bytes]", runtime().redis.hgetall(_key(user_id, lesson_id)))
    except redis.RedisError:
        return None
    if not {b"files", b"version", b"at"} <= found.keys():
        return None
    at = datetime.fromtimestamp(float(found[b"at"]), UTC)
    return Draft(orjson.loads(found[b"files"]), int(found[b"version"]), at)


def want_check(user_id: int, lesson_id: int, version: int) -> None:
    """Remembers which edit is to be checked; a check of an older one ends then. Raises redis.RedisError."""
    runtime().redis.set(f"{_key(user_id, lesson_id)}:wanted", version, ex=WANTED_SECONDS)


def wanted_check(user_id: int, lesson_id: int) -> int:
    """The version that is to be checked; 0 when none is, or Valkey is away."""
    try:
        found = cast("bytes | None", runtime().redis.get(f"{_key(user_id, lesson_id)}:wanted"))
    except redis.RedisError:
        return 0
    return int(found or 0)


def exercise_stream(user_id: int, lesson_id: int) -> str:
    """Where a learner hears of the checks of a lesson's draft."""
    return f"exercise/{user_id}/{lesson_id}"


def _key(user_id: int, lesson_id: int) -> str:
    return f"jiki:learning:draft:{user_id}:{lesson_id}"


def _fields(files: Mapping[str, str], at: datetime) -> dict[Any, Any]:
    return {"files": orjson.dumps(dict(files)), "at": at.timestamp()}
