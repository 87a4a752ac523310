"""How far a learner has watched videos outside the courses (contract.md 2.2)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from jiki_core.db import reading
from jiki_core.http import timestamp
from jiki_learning.errors import UserVideoNotFound
from jiki_learning.models import UserVideo


def user_video_shapes(user_id: int) -> list[dict[str, Any]]:
    """In the order in which they were first watched."""
    videos = reading().scalars(select(UserVideo).where(UserVideo.user_id == user_id).order_by(UserVideo.id))
    return [_shape(video) for video in videos]


def user_video_shape(user_id: int, uuid: str) -> dict[str, Any]:
    """Raises UserVideoNotFound."""
    video = (
        reading()
        .execute(
            select(UserVideo)
            .where(UserVideo.user_id == user_id, UserVideo.uuid == uuid)
            .execution_options(populate_existing=True)
        )
        .scalar_one_or_none()
    )
    if video is None:
        raise UserVideoNotFound()
    return _shape(video)


def _shape(video: UserVideo) -> dict[str, Any]:
    return {
        "uuid": video.uuid,
        "watched_percentage": video.watched_percentage,
        "status": "started" if video.completed_at is None else "completed",
        "completed_at": timestamp(video.completed_at),
    }
