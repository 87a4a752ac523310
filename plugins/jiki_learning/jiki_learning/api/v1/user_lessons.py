"""`internal/user_lessons`: the learner's way through lessons."""

from __future__ import annotations

from typing import Any

from jiki_core.db import unit_of_work
from jiki_core.http import Blueprint, Reply, policy, reply
from jiki_core.security import me
from jiki_learning.commands.complete_lesson import complete_lesson
from jiki_learning.commands.rate_lesson import rate_lesson, record_walkthrough
from jiki_learning.commands.start_lesson import start_lesson
from jiki_learning.errors import (
    LessonInProgress,
    LessonNotFound,
    LessonNotUnlocked,
    LevelNotCompleted,
    UserLessonNotFound,
    UserLevelNotFound,
)
from jiki_learning.queries.catalogue import find_lesson
from jiki_learning.queries.user_lessons import user_lesson_shape
from jiki_learning.schemas import EmptyReply, PercentageBody, RatingsBody, UserLessonReply

blp = Blueprint("user_lessons", __name__, url_prefix="/user_lessons", description="The learner's lessons")


@blp.route("/<slug>")
@policy("learning.learn")
@blp.response(200, UserLessonReply)
@blp.raises(LessonNotFound, UserLessonNotFound)
def show(slug: str) -> Reply:
    """The learner's state in a lesson."""
    return reply({"user_lesson": user_lesson_shape(me().user_id, find_lesson(slug))})


@blp.route("/<slug>/start", methods=["POST"])
@policy("learning.learn")
@blp.response(200, UserLessonReply)
@blp.raises(LessonNotFound, UserLevelNotFound, LessonInProgress, LessonNotUnlocked, LevelNotCompleted)
def start(slug: str) -> Reply:
    """Starts a lesson; one that is started or complete stays as it is."""
    with unit_of_work() as uow:
        started = start_lesson(uow, me().user_id, slug)
    return reply({"user_lesson": user_lesson_shape(me().user_id, started.lesson)}, events=started.unlocked)


@blp.route("/<slug>/complete", methods=["PATCH"])
@policy("learning.learn")
@blp.response(200, EmptyReply)
@blp.raises(LessonNotFound, LessonInProgress, LessonNotUnlocked, LevelNotCompleted)
@blp.raises({UserLevelNotFound: 422, UserLessonNotFound: 422})
def complete(slug: str) -> Reply:
    """Completes a lesson; `meta.events` tell what that unlocks."""
    with unit_of_work() as uow:
        done = complete_lesson(uow, me().user_id, slug)
    return reply({}, events=done.unlocked)


@blp.route("/<slug>/rate", methods=["PATCH"])
@policy("learning.learn")
@blp.arguments(RatingsBody)
@blp.response(200, EmptyReply)
@blp.raises(LessonNotFound)
@blp.raises({UserLessonNotFound: 422})
def rate(body: dict[str, Any], slug: str) -> Reply:
    """Overwrites both ratings; null takes one back."""
    with unit_of_work() as uow:
        rate_lesson(uow, me().user_id, slug, body["difficulty_rating"], body["fun_rating"])
    return reply({})


@blp.route("/<slug>/walkthrough_video_percentage", methods=["PATCH"])
@policy("learning.learn")
@blp.arguments(PercentageBody)
@blp.response(200, EmptyReply)
@blp.raises(LessonNotFound)
@blp.raises({UserLessonNotFound: 422})
def walkthrough_video_percentage(body: dict[str, Any], slug: str) -> Reply:
    """How much of the walkthrough was watched; never goes down."""
    with unit_of_work() as uow:
        record_walkthrough(uow, me().user_id, slug, body["percentage"])
    return reply({})
