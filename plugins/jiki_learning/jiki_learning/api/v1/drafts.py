"""`internal/lessons/:slug/draft`: what the learner has typed last, for clients without a socket and after a lost history."""

from __future__ import annotations

from typing import Any

from jiki_core.db import unit_of_work
from jiki_core.http import Blueprint, Reply, policy, reply
from jiki_core.security import me
from jiki_learning.commands.save_draft import put_draft
from jiki_learning.drafts import clean_files
from jiki_learning.errors import DraftTooLarge, LessonNotFound, LessonNotUnlocked
from jiki_learning.exercise_states import ExerciseState
from jiki_learning.queries.catalogue import find_lesson
from jiki_learning.queries.drafts import draft_shape, last_draft
from jiki_learning.queries.exercises import lesson_exercise_state
from jiki_learning.test_run_schemas import DraftBody, DraftReply

blp = Blueprint("drafts", __name__, url_prefix="/lessons", description="Drafts of exercises")


@blp.route("/<slug>/draft")
@policy("learning.learn")
@blp.response(200, DraftReply)
@blp.raises(LessonNotFound)
def show(slug: str) -> Reply:
    """The learner's last draft; null when there is none."""
    return reply({"draft": draft_shape(last_draft(me().user_id, find_lesson(slug).id))})


@blp.route("/<slug>/draft", methods=["PUT"])
@policy("learning.learn")
@blp.arguments(DraftBody)
@blp.response(200, DraftReply)
@blp.raises(LessonNotFound, LessonNotUnlocked, DraftTooLarge)
def save(body: dict[str, Any], slug: str) -> Reply:
    """Replaces the learner's draft. Sockets say `edit` instead, at every key."""
    lesson, user_id = find_lesson(slug), me().user_id
    files = clean_files(body["files"])
    if lesson_exercise_state(user_id, lesson) is ExerciseState.LOCKED:
        raise LessonNotUnlocked()
    with unit_of_work() as uow:
        put_draft(uow, user_id, lesson.id, files, uow.now)
    return reply({"draft": draft_shape(last_draft(user_id, lesson.id))})
