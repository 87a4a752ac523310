"""`internal/lessons`: what a lesson is made of, and what is handed in for it."""

from __future__ import annotations

from typing import Any

from jiki_core.db import unit_of_work
from jiki_core.errors import NotFound
from jiki_core.http import Blueprint, PageQuery, Reply, policy, reply, reply_page
from jiki_core.security import me
from jiki_learning.api.v1.offered_files import HAND_IN_ERRORS, OfferedSubmission
from jiki_learning.api.v1.ready_bytes import ready
from jiki_learning.commands.submit_exercise import submit_exercise
from jiki_learning.errors import (
    LessonNotFound,
)
from jiki_learning.queries.catalogue import current_catalogue, find_lesson
from jiki_learning.queries.exercises import exercise_shape
from jiki_learning.queries.submissions import latest_submission, one_submission, submission_page
from jiki_learning.queries.user_courses import chosen_language
from jiki_learning.schemas import (
    EmptyReply,
    ExerciseReply,
    LessonReply,
    SubmissionBody,
    SubmissionPageReply,
    SubmissionReply,
)

blp = Blueprint("lessons", __name__, url_prefix="/lessons", description="Lessons")


@blp.route("/<slug>")
@policy("learning.learn")
@blp.response(200, LessonReply)
@blp.raises(LessonNotFound)
def show(slug: str) -> Reply:
    """A lesson, its videos in the learner's language. Nothing is locked here (contract.md 2.5)."""
    lesson = find_lesson(slug)
    language = chosen_language(me().user_id, current_catalogue().course_of(lesson).id) if lesson.data else None
    return ready(lesson.body(language))


@blp.route("/<slug>/exercise")
@policy("learning.learn")
@blp.response(200, ExerciseReply)
@blp.raises(LessonNotFound, NotFound)
def exercise(slug: str) -> Reply:
    """What the learner works on: texts and files; the model solution once the lesson is complete."""
    return reply({"exercise": exercise_shape(me().user_id, find_lesson(slug))})


@blp.route("/<slug>/exercise_submissions", methods=["POST"])
@policy("learning.learn")
@blp.arguments(SubmissionBody)
@blp.response(201, EmptyReply)
@blp.raises(*HAND_IN_ERRORS)
def submit(body: dict[str, Any], slug: str) -> Reply:
    """Hands in files; starts the lesson when it may be started."""
    offered = OfferedSubmission.of(body)
    with unit_of_work() as uow:
        submit_exercise(uow, me().user_id, slug, offered.files, has_passed=offered.has_passed)
    return reply({}, status=201)


@blp.route("/<slug>/exercise_submissions")
@policy("learning.learn")
@blp.arguments(PageQuery, location="query")
@blp.response(200, SubmissionPageReply)
@blp.raises(LessonNotFound)
def submissions(query: dict[str, Any], slug: str) -> Reply:
    """The learner's submissions, newest first."""
    page = submission_page(me().user_id, find_lesson(slug), query)
    return reply_page(page, page.items)


@blp.route("/<slug>/exercise_submissions/latest")
@policy("learning.learn")
@blp.response(200, SubmissionReply)
@blp.raises(LessonNotFound, NotFound)
def latest(slug: str) -> Reply:
    """The learner's latest submission."""
    return reply({"submission": latest_submission(me().user_id, find_lesson(slug))})


@blp.route("/<slug>/exercise_submissions/<uuid>")
@policy("learning.learn")
@blp.response(200, SubmissionReply)
@blp.raises(LessonNotFound, NotFound)
def submission(slug: str, uuid: str) -> Reply:
    """One of the learner's submissions."""
    return reply({"submission": one_submission(me().user_id, find_lesson(slug), uuid)})
