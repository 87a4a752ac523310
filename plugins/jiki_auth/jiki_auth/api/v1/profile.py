"""`internal/profile`: the sidebar's view of oneself."""

from __future__ import annotations

from jiki_auth.permissions import READ_OWN_ACCOUNT
from jiki_auth.queries.account import profile_shape
from jiki_auth.schemas import ProfileReply
from jiki_core.http import Blueprint, Reply, policy, reply
from jiki_core.security import me

blp = Blueprint("profile", __name__, url_prefix="/profile", description="The signed-in user's profile")


@blp.route("")
@policy(READ_OWN_ACCOUNT)
@blp.response(200, ProfileReply)
def show() -> Reply:
    """The streak, or the total of active days, as the user wants."""
    return reply({"profile": profile_shape(me().user_id)})
