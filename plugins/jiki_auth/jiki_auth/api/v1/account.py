"""`internal/me`: who is signed in."""

from __future__ import annotations

from jiki_auth.permissions import READ_OWN_ACCOUNT
from jiki_auth.queries.account import user_shape
from jiki_auth.schemas import UserReply
from jiki_core.http import Blueprint, Reply, policy, reply
from jiki_core.security import me as current

blp = Blueprint("me", __name__, url_prefix="/me", description="The signed-in user")


@blp.route("")
@policy(READ_OWN_ACCOUNT)
@blp.response(200, UserReply)
def me() -> Reply:
    """The signed-in user, with what other plugins know of them."""
    return reply({"user": user_shape(current().user_id)})
