"""`NotificationsChannel`: a user's notifications as they happen; `uow.notify` stores and sends them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from jiki_core.cable.channel import Channel

#: topic of the streams `notifications/<user_id>`
NOTIFICATIONS = "notifications"


@dataclass(frozen=True, slots=True)
class NotificationMessage:
    """`type` is "<plugin>.<kind>", such as learning.lesson_unlocked."""

    id: str
    type: str
    data: dict[str, Any]


class NotificationsChannel(Channel):
    """Subscribed to as `{"channel":"NotificationsChannel"}`, by whoever is signed in."""

    truth = "GET /api/v1/internal/notifications"
    sends: ClassVar = {"notification": NotificationMessage}

    def subscribed(self) -> None:
        self.stream_for_user(NOTIFICATIONS)
