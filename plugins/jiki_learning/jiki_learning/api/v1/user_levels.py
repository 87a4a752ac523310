"""`internal/user_levels`: how far the learner is; the main screen's read."""

from __future__ import annotations

from typing import Any

from jiki_core.http import Blueprint, Reply, policy
from jiki_core.security import me
from jiki_learning.api.v1.ready_bytes import asks_whether_changed, has, not_changed, ready
from jiki_learning.errors import CourseNotFound, MissingCourse
from jiki_learning.queries.catalogue import find_course
from jiki_learning.queries.progress import course_progress, progress_tag
from jiki_learning.queries.user_levels import user_levels_body
from jiki_learning.schemas import CourseQuery, UserLevelsReply

blp = Blueprint("user_levels", __name__, url_prefix="/user_levels", description="The learner's levels")


@blp.route("")
@policy("learning.learn")
@blp.arguments(CourseQuery, location="query")
@blp.response(200, UserLevelsReply)
@blp.raises(MissingCourse, CourseNotFound)
def index(query: dict[str, Any]) -> Reply:
    """Levels reached in `course_slug`, each with its started and completed lessons and the one that is next."""
    if not query["course_slug"]:
        raise MissingCourse()
    course = find_course(query["course_slug"])
    if asks_whether_changed() and (tag := progress_tag(me().user_id, course)) is not None and has(_tag(tag)):
        return not_changed(_tag(tag))
    progress = course_progress(me().user_id, course)
    return ready(user_levels_body(progress), tag=_tag(progress.tag))


def _tag(state: str) -> str:
    """Of this user's state only: nobody else's cache may take it for theirs."""
    return f"ul-{me().user_id:x}-{state}"
