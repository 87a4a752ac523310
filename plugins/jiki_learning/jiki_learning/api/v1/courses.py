"""`internal/courses`: which courses there are; open to everybody."""

from __future__ import annotations

from jiki_core.http import Blueprint, Reply, cache_publicly, policy, reply
from jiki_core.security import public
from jiki_learning.errors import CourseNotFound
from jiki_learning.queries.catalogue import current_catalogue, find_course
from jiki_learning.schemas import CourseReply, CoursesReply

blp = Blueprint("courses", __name__, url_prefix="/courses", description="Courses")

OPEN = "what is taught is no secret (contract.md 2.5)"


@blp.route("")
@policy(public, reason=OPEN)
@blp.response(200, CoursesReply)
@cache_publicly(max_age_seconds=60, stale_while_revalidate_seconds=600)
def index() -> Reply:
    """All courses in their order."""
    return reply({"courses": [{"slug": slug} for slug in current_catalogue().courses]})


@blp.route("/<slug>")
@policy(public, reason=OPEN)
@blp.response(200, CourseReply)
@blp.raises(CourseNotFound)
@cache_publicly(max_age_seconds=60, stale_while_revalidate_seconds=600)
def show(slug: str) -> Reply:
    """One course."""
    return reply({"course": {"slug": find_course(slug).slug}})
