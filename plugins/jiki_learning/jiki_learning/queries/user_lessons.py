"""The UserLesson shape, in one statement (contract.md 2.2)."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import select, text

from jiki_core.contracts import Entitlements, ask
from jiki_core.db import reading
from jiki_learning.catalogue import CatalogueLesson
from jiki_learning.content.course import LessonType
from jiki_learning.errors import UserLessonNotFound
from jiki_learning.models import UserLesson
from jiki_learning.queries.conversations import conversation_json
from jiki_learning.queries.submissions import SUBMISSION_JSON, exercise_data, latest_of

_USER_LESSON = text(f"""
    select mine.completed_at, mine.difficulty_rating, mine.fun_rating, mine.walkthrough_video_watched_percentage,
           (
               select c.lesson_id from learning.assistant_conversations c
               where c.user_id = :user_id and c.lesson_id is not null
               order by c.updated_at desc, c.id desc limit 1
           ) as talks_about,
           {conversation_json("lesson")} as conversation,
           case when s.id is not null then {SUBMISSION_JSON} end as last_submission, s.has_passed
    from learning.user_lessons mine
    {latest_of("user_lesson_id")}
    where mine.user_id = :user_id and mine.lesson_id = :lesson_id
""")


def user_lesson_shape(user_id: int, lesson: CatalogueLesson) -> dict[str, Any]:
    """Raises UserLessonNotFound for a lesson that the learner has not started."""
    row = reading().execute(_USER_LESSON, {"user_id": user_id, "lesson_id": lesson.id}).one_or_none()
    if row is None:
        raise UserLessonNotFound()
    return {
        "lesson_slug": lesson.slug,
        "status": "started" if row.completed_at is None else "completed",
        "difficulty_rating": row.difficulty_rating,
        "fun_rating": row.fun_rating,
        "walkthrough_video_watched_percentage": row.walkthrough_video_watched_percentage,
        "conversation": orjson.Fragment(row.conversation or "[]"),
        "conversation_allowed": may_converse(user_id, lesson.id, row.talks_about),
        "data": exercise_data(row) if lesson.type is LessonType.EXERCISE else {},
    }


def may_converse(user_id: int, lesson_id: int, talks_about: int | None) -> bool:
    """Free learners talk with the assistant about one lesson: that of their latest conversation (contract.md 3.9)."""
    return talks_about in (None, lesson_id) or ask(Entitlements).check(user_id, "premium")


def user_lesson_id(user_id: int, lesson_id: int) -> int | None:
    """The learner's row of a lesson; None for one that is not started."""
    return (
        reading()
        .execute(select(UserLesson.id).where(UserLesson.user_id == user_id, UserLesson.lesson_id == lesson_id))
        .scalar_one_or_none()
    )
