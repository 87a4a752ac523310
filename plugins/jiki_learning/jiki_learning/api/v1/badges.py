"""`internal/badges`: what the learner has earned."""

from __future__ import annotations

from jiki_core.db import unit_of_work
from jiki_core.http import Blueprint, Reply, policy, reply
from jiki_core.security import me
from jiki_learning.api.v1.row_ids import row_id
from jiki_learning.commands.reveal_badge import reveal_badge
from jiki_learning.errors import BadgeNotFound
from jiki_learning.queries.badges import acquired_badge_shape, badge_list
from jiki_learning.schemas import AcquiredBadgeReply, BadgesReply

blp = Blueprint("badges", __name__, url_prefix="/badges", description="Badges")


@blp.route("")
@policy("learning.learn")
@blp.response(200, BadgesReply)
def index() -> Reply:
    """All badges; secret ones once they are earned."""
    return reply(badge_list(me().user_id))


@blp.route("/<badge_id>/reveal", methods=["PATCH"])
@policy("learning.learn")
@blp.response(200, AcquiredBadgeReply)
@blp.raises(BadgeNotFound)
def reveal(badge_id: str) -> Reply:
    """Reveals an earned badge; again is no change."""
    wanted = row_id(badge_id, BadgeNotFound)
    with unit_of_work() as uow:
        reveal_badge(uow, me().user_id, wanted)
    return reply({"badge": acquired_badge_shape(me().user_id, wanted)})
