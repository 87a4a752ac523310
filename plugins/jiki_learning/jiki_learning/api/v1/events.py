"""`internal/events`: what the web client tells for analytics."""

from __future__ import annotations

from typing import Any

from jiki_core.db import unit_of_work
from jiki_core.http import Blueprint, Reply, no_content, policy
from jiki_core.security import me
from jiki_learning.commands.track import track
from jiki_learning.errors import InvalidEvent
from jiki_learning.schemas import TrackedEventBody

blp = Blueprint("events", __name__, url_prefix="/events", description="Analytics of the web client")


@blp.route("", methods=["POST"])
@policy("learning.learn")
@blp.arguments(TrackedEventBody)
@blp.response(204)
@blp.raises(InvalidEvent)
def create(body: dict[str, Any]) -> Reply:
    """Passes an event on to whoever keeps figures."""
    with unit_of_work() as uow:
        track(uow, me().user_id, body["event"], body["properties"] or {})
    return no_content()
