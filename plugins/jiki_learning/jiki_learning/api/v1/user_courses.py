"""`internal/user_courses`: the learner's enrolments."""

from __future__ import annotations

from typing import Any

from jiki_core.db import unit_of_work
from jiki_core.errors import NotFound
from jiki_core.http import Blueprint, Reply, policy, reply
from jiki_core.security import me
from jiki_learning.commands.choose_language import choose_language
from jiki_learning.commands.enrol import enrol
from jiki_learning.errors import CourseNotFound, InvalidLanguage, LanguageAlreadyChosen
from jiki_learning.queries.user_courses import user_course_shape, user_course_shapes
from jiki_learning.schemas import LanguageBody, UserCourseReply, UserCoursesReply

blp = Blueprint("user_courses", __name__, url_prefix="/user_courses", description="The learner's enrolments")


@blp.route("")
@policy("learning.learn")
@blp.response(200, UserCoursesReply)
def index() -> Reply:
    """All enrolments."""
    return reply({"user_courses": user_course_shapes(me().user_id)})


@blp.route("/<slug>")
@policy("learning.learn")
@blp.response(200, UserCourseReply)
@blp.raises(CourseNotFound, NotFound)
def show(slug: str) -> Reply:
    """One enrolment."""
    return reply({"user_course": user_course_shape(me().user_id, slug)})


@blp.route("/<slug>/enroll", methods=["POST"])
@policy("learning.learn")
@blp.response(200, UserCourseReply)
@blp.raises(CourseNotFound)
def enroll(slug: str) -> Reply:
    """Enrols and opens the first level; again is no change."""
    with unit_of_work() as uow:
        done = enrol(uow, me().user_id, slug)
    return reply({"user_course": user_course_shape(me().user_id, slug)}, events=done.unlocked)


@blp.route("/<slug>/language", methods=["PATCH"])
@policy("learning.learn")
@blp.arguments(LanguageBody)
@blp.response(200, UserCourseReply)
@blp.raises(CourseNotFound, NotFound, LanguageAlreadyChosen, InvalidLanguage)
def language(body: dict[str, Any], slug: str) -> Reply:
    """Chooses the language, once."""
    with unit_of_work() as uow:
        choose_language(uow, me().user_id, slug, body["language"])
    return reply({"user_course": user_course_shape(me().user_id, slug)})
