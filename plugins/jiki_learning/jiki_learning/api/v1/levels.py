"""`internal/levels`: a course's levels with their lessons; the same for every learner."""

from __future__ import annotations

from typing import Any

from jiki_core.http import Blueprint, Reply, policy
from jiki_learning.api.v1.ready_bytes import ready
from jiki_learning.errors import CourseNotFound, MissingCourse
from jiki_learning.queries.catalogue import find_course
from jiki_learning.schemas import CourseQuery, LevelsReply

blp = Blueprint("levels", __name__, url_prefix="/levels", description="Levels of a course")


@blp.route("")
@policy("learning.learn")
@blp.arguments(CourseQuery, location="query")
@blp.response(200, LevelsReply)
@blp.raises(MissingCourse, CourseNotFound)
def index(query: dict[str, Any]) -> Reply:
    """All levels and lessons of `course_slug`, in order."""
    if not query["course_slug"]:
        raise MissingCourse()
    course = find_course(query["course_slug"])
    return ready(course.levels_body, tag=course.levels_tag)
