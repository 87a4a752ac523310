"""`user_levels` as bytes: the kept fragments of the catalogue with the learner's statuses between them (contract.md 3.7)."""

from __future__ import annotations

from jiki_learning.catalogue import NO_EVENTS
from jiki_learning.progression import ListedLevel, user_levels_view
from jiki_learning.queries.progress import CourseProgress

_PERCENTAGE = b'","walkthrough_video_watched_percentage":'


def user_levels_body(progress: CourseProgress) -> bytes:
    """The whole answer of `GET internal/user_levels`. Somebody who is not enrolled has reached nothing."""
    levels = b",".join(_level(progress, listed) for listed in user_levels_view(progress.facts))
    return b'{"user_levels":[' + levels + b"]" + NO_EVENTS


def _level(progress: CourseProgress, listed: ListedLevel) -> bytes:
    heads = progress.course.lesson_heads
    lessons = []
    for row in listed.lessons:
        percentage = progress.percentages.get(row.lesson.id)
        shown = b"null" if percentage is None else b"%d" % percentage
        lessons.append(heads[row.lesson.id] + row.status.encode() + _PERCENTAGE + shown + b"}")
    head = progress.course.level_heads[listed.level.id]
    return head + listed.status.encode() + b'","user_lessons":[' + b",".join(lessons) + b"]}"
