"""`internal/user_videos`: how far the learner has watched videos outside the courses."""

from __future__ import annotations

from typing import Any

from jiki_core.db import unit_of_work
from jiki_core.http import Blueprint, Reply, policy, reply
from jiki_core.security import me
from jiki_learning.commands.watch_video import watch_video
from jiki_learning.errors import UserVideoNotFound
from jiki_learning.queries.user_videos import user_video_shape, user_video_shapes
from jiki_learning.schemas import UserVideoReply, UserVideosReply, WatchedBody

blp = Blueprint("user_videos", __name__, url_prefix="/user_videos", description="The learner's videos")

#: longest name a client may give a video
LONGEST_NAME = 255


@blp.route("")
@policy("learning.learn")
@blp.response(200, UserVideosReply)
def index() -> Reply:
    """All videos the learner has begun."""
    return reply({"user_videos": user_video_shapes(me().user_id)})


@blp.route("/<uuid>")
@policy("learning.learn")
@blp.response(200, UserVideoReply)
@blp.raises(UserVideoNotFound)
def show(uuid: str) -> Reply:
    """One video; `uuid` is the client's own name for it."""
    return reply({"user_video": user_video_shape(me().user_id, uuid)})


@blp.route("/<uuid>", methods=["PATCH", "PUT"])
@policy("learning.learn")
@blp.arguments(WatchedBody)
@blp.response(200, UserVideoReply)
@blp.raises(UserVideoNotFound)
def update(body: dict[str, Any], uuid: str) -> Reply:
    """Records how much was watched; never goes down."""
    if len(uuid) > LONGEST_NAME:
        raise UserVideoNotFound()
    with unit_of_work() as uow:
        watch_video(uow, me().user_id, uuid, body["watched_percentage"])
    return reply({"user_video": user_video_shape(me().user_id, uuid)})
